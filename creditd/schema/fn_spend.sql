-- fn_spend.sql: where wallets stand, and franks: what creditd calls, and certd where it shares the database. The same rules
-- as in fn_daemon.sql.

-- The wallet says where it stands. A lower epoch or serial than known is a restored copy: the sheet is closed. A station that
-- was killed before it could note the new epoch repeats the same request: its epoch counts, and does not rise again. A report that
-- comes after a later one may only have been long under way (a kill, a lost database): it closes nothing, and tells nothing (78);
-- who still waits for it says the same under a new id.
CREATE FUNCTION credit.sheet_state(station text[], sheet uuid[], epoch bigint[], next bigint[], start bigint[],
	request uuid[]) RETURNS TABLE (item bigint, status bigint, epoch_now bigint, closed bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s credit.sheet;
	again boolean;
BEGIN
	PERFORM FROM credit.sheet t WHERE t.sheet = ANY (sheet_state.sheet) ORDER BY t.sheet FOR UPDATE;
	FOR i IN 1 .. cardinality(station) LOOP
		item := i;
		status := 7; epoch_now := NULL; closed := NULL;
		SELECT * INTO s FROM credit.sheet t WHERE t.sheet = sheet_state.sheet[i] AND t.station = sheet_state.station[i];
		IF FOUND THEN
			status := 0;
			again := s.report IS NOT DISTINCT FROM sheet_state.request[i];
			IF s.closed IS NULL AND ((sheet_state.epoch[i] < s.epoch AND NOT again) OR sheet_state.next[i] < s.next
			    OR sheet_state.next[i] > s.first + s.count) THEN
				IF sheet_state.request[i] <= s.asked THEN
					status := 78;
					RETURN NEXT;
					CONTINUE;
				END IF;
				UPDATE credit.sheet t SET closed = now() WHERE t.sheet = s.sheet;
			ELSIF s.closed IS NULL THEN
				UPDATE credit.sheet t SET next = sheet_state.next[i],
					asked = CASE WHEN t.asked > sheet_state.request[i] THEN t.asked ELSE sheet_state.request[i] END,
					epoch = t.epoch + CASE WHEN again THEN 0 ELSE start[i] END,
					report = CASE WHEN start[i] = 1 THEN sheet_state.request[i] ELSE t.report END
					WHERE t.sheet = s.sheet;
			END IF;
			SELECT t.epoch, (t.closed IS NOT NULL)::int INTO epoch_now, closed FROM credit.sheet t WHERE t.sheet = s.sheet;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.sheet_state(text[], uuid[], bigint[], bigint[], bigint[], uuid[]) IS
	'where a wallet stands; the epoch rises at a start, a restored copy is closed';

-- Serials as "first:count,first:count". closes: the sheet is spent no more (CLOSE); else VOID.
CREATE FUNCTION credit.give_back(station text[], sheet uuid[], epoch bigint[], closes bigint[], serials text[],
	statement bytea[], signature bytea[]) RETURNS TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s credit.sheet;
BEGIN
	PERFORM FROM credit.sheet t WHERE t.sheet = ANY (give_back.sheet) ORDER BY t.sheet FOR UPDATE;
	FOR i IN 1 .. cardinality(station) LOOP
		item := i;
		status := 0;
		SELECT * INTO s FROM credit.sheet t WHERE t.sheet = give_back.sheet[i] AND t.station = give_back.station[i];
		IF NOT FOUND THEN
			status := 7;
		ELSIF EXISTS (SELECT FROM credit.given g WHERE g.sheet = s.sheet AND g.statement = give_back.statement[i]) THEN
			NULL;	/* said before */
		ELSIF epoch[i] <> s.epoch OR s.closed IS NOT NULL THEN
			status := 99;
		ELSE
			INSERT INTO credit.given (sheet, statement, signature, first, count)
				SELECT s.sheet, give_back.statement[i], give_back.signature[i], split_part(r, ':', 1)::bigint,
					split_part(r, ':', 2)::bigint FROM unnest(string_to_array(serials[i], ',')) AS r;
			IF closes[i] <> 0 THEN
				UPDATE credit.sheet t SET closed = now() WHERE t.sheet = s.sheet;
			END IF;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.give_back(text[], uuid[], bigint[], bigint[], text[], bytea[], bytea[]) IS
	'signed VOIDs and CLOSEs of stations; the worth returns 10 days after the sheet closed or ended';

-- The value of a field of a statement (common/statements/statement.h): "SPSTMT", purpose u16, then tag u16, length u32,
-- value; tags ascend. NULL if there is none, or if the bytes are of another form.
CREATE FUNCTION credit.statement_field(statement bytea, purpose int, wanted int) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = credit, pg_temp AS $$
DECLARE
	at int := 9;
	tag int;
	size bigint;
BEGIN
	IF length(statement) < 8 OR substr(statement, 1, 6) <> 'SPSTMT'::bytea
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
COMMENT ON FUNCTION credit.statement_field(bytea, int, int) IS 'a field of a signed statement, by its tag';

CREATE FUNCTION credit.big_endian(bytes bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = credit, pg_temp AS $$
	SELECT ('x' || lpad(encode(bytes, 'hex'), 16, '0'))::bit(64)::bigint WHERE length(bytes) BETWEEN 1 AND 8
$$;
COMMENT ON FUNCTION credit.big_endian(bytea) IS 'an integer of a statement';

-- The price by the sheet's own steps of what the frank says it weighs.
CREATE FUNCTION credit.price_of(sheet_statement bytea, frank bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT credit.big_endian(substr(steps, i + 8, 4))
	FROM (SELECT credit.statement_field(sheet_statement, 9, 14) AS steps,
		coalesce(credit.big_endian(credit.statement_field(frank, 8, 8)), 0) AS bytes) AS x,
		generate_series(1, length(x.steps), 12) AS i
	WHERE credit.big_endian(substr(steps, i, 8)) <= bytes
	ORDER BY i DESC LIMIT 1
$$;
COMMENT ON FUNCTION credit.price_of(bytea, bytea) IS 'credits that a delivery costs by the tariff in its sheet';

-- A frank that conflicts with what was done before; other: the settlement that it conflicts with, if there is one.
CREATE FUNCTION credit.keep_evidence(of_sheet uuid, other bigint, transfer uuid, recipient text, frank bytea,
	frank_signature bytea, proof bytea, what text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	INSERT INTO credit.evidence (sheet, settlement, transfer, recipient, frank, frank_signature, proof, what)
	VALUES (of_sheet, other, transfer, recipient, frank, frank_signature, proof, what) ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION credit.keep_evidence(uuid, bigint, uuid, text, bytea, bytea, bytea, text) IS
	'keeps a frank that conflicts, as it was signed';

-- Books a settled frank: from its sheet, or from the account once the rest of the sheet has returned there.
CREATE FUNCTION credit.pay(s credit.sheet, of_settlement bigint, price bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	tx bigint;
	word text := CASE WHEN s.returned IS NULL THEN 'settle' ELSE 'charge' END;
BEGIN
	INSERT INTO credit.transaction (what, reference) VALUES (word, word || ' ' || of_settlement) RETURNING transaction INTO tx;
	INSERT INTO credit.posting (transaction, place, account, sheet, amount) VALUES (tx,
		CASE WHEN s.returned IS NULL THEN 'sheet' WHEN s.flat_rate THEN 'flat' ELSE 'account' END,
		CASE WHEN s.returned IS NOT NULL AND NOT s.flat_rate THEN s.account END,
		CASE WHEN s.returned IS NULL THEN s.sheet END, -price), (tx, 'revenue', NULL, NULL, price);
END $$;
COMMENT ON FUNCTION credit.pay(credit.sheet, bigint, bigint) IS 'the postings of a settled frank';

-- Whoever settles several franks in one transaction locks for all of them first, in one order: batches never wait in a circle.
CREATE FUNCTION credit.lock_franks(sheet_hash bytea[], station text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
BEGIN
	/* what comes after the rest of its sheet has returned is charged to the account */
	PERFORM FROM credit.account c WHERE c.account IN (SELECT s.account FROM credit.sheet s JOIN credit.request r ON r.sheet = s.sheet
		JOIN credit.answer a ON a.requester = r.requester AND a.request = r.request
		WHERE a.hash = ANY (sheet_hash) AND s.returned IS NOT NULL) ORDER BY c.account FOR UPDATE;
	PERFORM credit.lock_stations(lock_franks.station);
	PERFORM FROM credit.sheet s JOIN credit.request r ON r.sheet = s.sheet JOIN credit.answer a ON a.requester = r.requester
		AND a.request = r.request WHERE a.hash = ANY (sheet_hash) ORDER BY s.sheet FOR UPDATE OF s;
END $$;
COMMENT ON FUNCTION credit.lock_franks(bytea[], text[]) IS 'locks what settling these franks will lock';

CREATE FUNCTION credit.settle(sheet_hash bytea, station text, transfer uuid, recipient text, offer_hash bytea,
	firsts integer[], counts integer[], price integer, frank bytea, frank_signature bytea, proof bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	s credit.sheet;
	t credit.settlement;
	signed bytea;
	wanted bigint[];
	other bigint;
BEGIN
	PERFORM credit.lock_stations(ARRAY[settle.station]);	/* one transfer, two sheets */
	SELECT c.* INTO s FROM credit.sheet c JOIN credit.answer a ON a.hash = sheet_hash
		JOIN credit.request r ON r.requester = a.requester AND r.request = a.request AND r.sheet = c.sheet FOR UPDATE OF c;
	IF s.sheet IS NULL OR s.station <> settle.station THEN
		RETURN 'unknown';
	END IF;
	-- bounds first: what follows counts every serial
	IF cardinality(firsts) <> cardinality(counts) OR settle.price IS NULL OR settle.price < 1
	    OR EXISTS (SELECT FROM unnest(firsts, counts) AS u (f, c) WHERE f < s.first OR c < 1 OR f IS NULL OR c IS NULL
		OR f::bigint + c > s.first + s.count) THEN
		RETURN 'price';
	END IF;
	SELECT a.statement INTO signed FROM credit.answer a WHERE a.hash = sheet_hash;
	SELECT array_agg(DISTINCT n ORDER BY n) INTO wanted
		FROM (SELECT generate_series(f, f::bigint + c - 1) AS n FROM unnest(firsts, counts) AS u (f, c)) AS x;
	IF coalesce(cardinality(wanted), 0) <> settle.price
	    OR credit.price_of(signed, settle.frank) IS DISTINCT FROM settle.price::bigint THEN
		RETURN 'price';
	END IF;
	SELECT * INTO t FROM credit.settlement x WHERE x.station = settle.station AND x.transfer = settle.transfer;
	IF FOUND AND t.sheet = s.sheet AND t.recipient = settle.recipient AND t.offer = offer_hash
	    AND (SELECT array_agg(serial ORDER BY serial) FROM credit.mark WHERE settlement = t.settlement) = wanted THEN
		RETURN 'same';
	END IF;
	other := coalesce(t.settlement, (SELECT m.settlement FROM credit.mark m WHERE m.sheet = s.sheet
		AND m.serial = ANY (wanted) ORDER BY m.serial LIMIT 1));
	IF other IS NOT NULL THEN
		PERFORM credit.keep_evidence(s.sheet, other, settle.transfer, settle.recipient, settle.frank,
			settle.frank_signature, settle.proof, 'spent twice');
		RETURN 'conflict';
	END IF;
	IF s.returned IS NOT NULL AND EXISTS (SELECT FROM credit.account a WHERE a.account = s.account AND a.closed IS NOT NULL) THEN
		RETURN 'closed';	/* nobody is left to charge it to */
	END IF;
	INSERT INTO credit.settlement (sheet, station, transfer, recipient, offer, price, frank, frank_signature, proof)
		VALUES (s.sheet, settle.station, settle.transfer, settle.recipient, offer_hash, settle.price, settle.frank,
			settle.frank_signature, settle.proof) RETURNING * INTO t;
	INSERT INTO credit.mark (sheet, serial, settlement) SELECT s.sheet, n, t.settlement FROM unnest(wanted) AS n;
	PERFORM credit.pay(s, t.settlement, settle.price);
	IF EXISTS (SELECT FROM credit.given g WHERE g.sheet = s.sheet AND EXISTS (SELECT FROM unnest(wanted) AS n
	    WHERE n >= g.first AND n < g.first + g.count)) THEN
		PERFORM credit.keep_evidence(s.sheet, NULL, settle.transfer, settle.recipient, settle.frank,
			settle.frank_signature, settle.proof, 'given back');
	END IF;
	RETURN 'paid';
END $$;
COMMENT ON FUNCTION credit.settle(bytea, text, uuid, text, bytea, integer[], integer[], integer, bytea, bytea, bytea) IS
	'settles one frank with its proof: paid, same, conflict, closed, unknown, price; signatures are the caller''s to check';

CREATE FUNCTION credit.lodge(sheet_hash bytea[], station text[], transfer uuid[], recipient text[], offer_hash bytea[],
	serials text[], price bigint[], frank bytea[], frank_signature bytea[], proof bytea[]) RETURNS
	TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM credit.lock_franks(lodge.sheet_hash, lodge.station);
	FOR i IN 1 .. cardinality(sheet_hash) LOOP
		item := i;
		status := CASE credit.settle(sheet_hash[i], lodge.station[i], lodge.transfer[i], lodge.recipient[i], offer_hash[i],
			(SELECT array_agg(split_part(r, ':', 1)::int) FROM unnest(string_to_array(serials[i], ',')) AS r),
			(SELECT array_agg(split_part(r, ':', 2)::int) FROM unnest(string_to_array(serials[i], ',')) AS r),
			price[i]::int, lodge.frank[i], lodge.frank_signature[i], lodge.proof[i])
			WHEN 'paid' THEN 0 WHEN 'same' THEN 0 WHEN 'conflict' THEN 95 WHEN 'closed' THEN 99 WHEN 'unknown' THEN 7
			ELSE 93 END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.lodge(bytea[], text[], uuid[], text[], bytea[], text[], bigint[], bytea[], bytea[], bytea[]) IS
	'franks with the proof that their delivery was made';

GRANT EXECUTE ON FUNCTION credit.sheet_state(text[], uuid[], bigint[], bigint[], bigint[], uuid[]),
	credit.give_back(text[], uuid[], bigint[], bigint[], text[], bytea[], bytea[]),
	credit.lodge(bytea[], text[], uuid[], text[], bytea[], text[], bigint[], bytea[], bytea[], bytea[]) TO credit_daemon;

-- certd settles in the transaction of its postmark where it shares this database: its functions are its owner's.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cert_owner') THEN
		GRANT USAGE ON SCHEMA credit TO cert_owner;
		GRANT EXECUTE ON FUNCTION credit.lock_franks(bytea[], text[]), credit.settle(bytea, text, uuid, text, bytea,
			integer[], integer[], integer, bytea, bytea, bytea) TO cert_owner;
	END IF;
END $$;
