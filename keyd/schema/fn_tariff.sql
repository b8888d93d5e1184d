-- fn_tariff.sql: the domain's prices. Only the form of a tariff is looked at here: whoever takes it checks its signature.

-- The value of a field of a statement (common/statements/statement.h): "SPSTMT", purpose u16, then tag u16, length u32,
-- value; tags ascend. NULL if there is none, or if the bytes are of another form.
CREATE FUNCTION key.statement_field(statement bytea, purpose int, wanted int) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = key, pg_temp AS $$
DECLARE
	at int := 9;
	tag int;
	size bigint;
BEGIN
	IF substr(statement, 1, 6) <> 'SPSTMT'::bytea OR length(statement) < 8
	    OR get_byte(statement, 6) * 256 + get_byte(statement, 7) <> purpose THEN
		RETURN NULL;
	END IF;
	WHILE at + 5 <= length(statement) LOOP
		tag := get_byte(statement, at - 1) * 256 + get_byte(statement, at);
		size := ('x' || encode(substr(statement, at + 2, 4), 'hex'))::bit(32)::bigint;
		IF size > length(statement) - at - 5 THEN
			RETURN NULL;
		END IF;
		IF tag = wanted THEN
			RETURN substr(statement, at + 6, size::int);
		END IF;
		at := at + 6 + size::int;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION key.statement_field(bytea, int, int) IS 'a field of a signed statement, by its tag';

CREATE FUNCTION key.big_endian(bytes bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = key, pg_temp AS $$
	SELECT ('x' || lpad(encode(bytes, 'hex'), 16, '0'))::bit(64)::bigint WHERE length(bytes) BETWEEN 1 AND 8
$$;
COMMENT ON FUNCTION key.big_endian(bytea) IS 'an integer of a statement';

CREATE FUNCTION key.admin_tariff(statement bytea, signature bytea, signer bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	of_domain text := convert_from(key.statement_field(admin_tariff.statement, 11, 2), 'UTF8');
	its_number bigint := key.big_endian(key.statement_field(admin_tariff.statement, 11, 4));
	from_ms bigint := key.big_endian(key.statement_field(admin_tariff.statement, 11, 6));
	steps bytea := key.statement_field(admin_tariff.statement, 11, 8);
	newest key.tariff;
BEGIN
	IF of_domain IS NULL OR its_number IS NULL OR from_ms IS NULL OR steps IS NULL OR length(steps) % 12 <> 0
	    OR length(admin_tariff.signature) IS DISTINCT FROM 64 THEN
		RAISE EXCEPTION 'this is no tariff' USING HINT = 'creditd --sign-tariff prints the whole call';
	END IF;
	PERFORM FROM key.office FOR UPDATE;
	IF of_domain IS DISTINCT FROM (SELECT domain FROM key.office) THEN
		RAISE EXCEPTION 'the tariff is of domain %, not of this one', of_domain;
	END IF;
	IF NOT EXISTS (SELECT FROM key.certificate c WHERE c.der = admin_tariff.signer AND c.role = 'creditd') THEN
		RAISE EXCEPTION 'the tariff is not signed by a creditd of this domain';
	END IF;
	SELECT * INTO newest FROM key.tariff ORDER BY number DESC LIMIT 1;
	IF newest.statement = admin_tariff.statement THEN
		RETURN 'tariff ' || its_number || ' is in force already';
	END IF;
	IF its_number <= newest.number THEN
		RAISE EXCEPTION 'tariff % is not newer than %, which is in force', its_number, newest.number;
	END IF;
	PERFORM key.raise_roster();
	INSERT INTO key.tariff (number, valid_from, statement, signature, signer) VALUES (its_number,
		to_timestamp(from_ms / 1000.0), admin_tariff.statement, admin_tariff.signature, admin_tariff.signer);
	PERFORM key.note('tariff-entered', 'tariff ' || its_number);
	RETURN 'tariff ' || its_number || ' goes out with the roster';
END $$;
COMMENT ON FUNCTION key.admin_tariff(bytea, bytea, bytea) IS
	'the prices of the domain: a TARIFF statement, its signature and the certificate of the creditd that signed it, as "creditd --sign-tariff" prints them';

-- Steps in words: "0:1,1000000:2".
CREATE FUNCTION key.steps_text(statement bytea) RETURNS text
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT string_agg(key.big_endian(substr(s, i, 8)) || ':' || key.big_endian(substr(s, i + 8, 4)), ',' ORDER BY i)
	FROM (SELECT key.statement_field(statement, 11, 8) AS s) AS f, generate_series(1, length(f.s), 12) AS i
$$;
COMMENT ON FUNCTION key.steps_text(bytea) IS 'steps of a tariff, FROM_BYTES:CREDITS';

CREATE VIEW key.v_tariff AS
	SELECT number, key.steps_text(statement) AS steps, valid_from, entered, by FROM key.tariff;
COMMENT ON VIEW key.v_tariff IS 'prices of the domain (FROM_BYTES:CREDITS); the highest number whose time has come is in force; none: everything is free';

GRANT EXECUTE ON FUNCTION key.admin_tariff(bytea, bytea, bytea) TO post_admin;
GRANT EXECUTE ON FUNCTION key.steps_text(bytea) TO post_admin, post_audit;
GRANT SELECT ON key.v_tariff TO post_admin, post_audit;
