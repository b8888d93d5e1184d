-- fn_admin.sql: what people who run the post office call from psql. They raise an error with the reason in plain words.

CREATE FUNCTION key.name_of(role text, person text, station text, service text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT CASE role WHEN 'station' THEN person || '/' || station ELSE role || '/' || service END
		|| coalesce('@' || (SELECT domain FROM key.office), '')
$$;
COMMENT ON FUNCTION key.name_of(text, text, text, text) IS 'full name of a station or service';

-- The token's text as common/statements/token.h reads it; the one place in SQL that knows its form.
CREATE FUNCTION key.token(secret bytea) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = key, pg_temp AS $$
DECLARE
	o key.office;
	addresses text;
BEGIN
	SELECT * INTO o FROM key.office;
	SELECT string_agg(a, ',') INTO addresses FROM (
		SELECT unnest(string_to_array(s.addresses, ',')) AS a FROM key.service s
		WHERE s.role = 'keyd' AND s.removed IS NULL ORDER BY s.entered, s.name LIMIT 4) AS first;
	IF o.domain IS NULL OR addresses IS NULL THEN
		RAISE EXCEPTION 'keyd has not been started on this database yet'
			USING HINT = 'start keyd once: it enters its domain, root and addresses';
	END IF;
	RETURN 'sealpost:enrol?d=' || o.domain || '&k=' || addresses || '&r=' || encode(o.root, 'hex')
		|| '&s=' || rtrim(translate(encode(secret, 'base64'), '+/', '-_'), '=');
END $$;
COMMENT ON FUNCTION key.token(bytea) IS 'text of a token with this secret';

-- 128 random bits from the two times 122 of the server's strong generator.
CREATE FUNCTION key.new_secret() RETURNS bytea
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT substr(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 16)
$$;
COMMENT ON FUNCTION key.new_secret() IS 'a fresh 128-bit secret';

CREATE FUNCTION key.note(what text, who text, detail text DEFAULT '') RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	INSERT INTO key.event (what, who, detail) VALUES (what, coalesce(who, ''), coalesce(detail, ''))
$$;
COMMENT ON FUNCTION key.note(text, text, text) IS 'enters an event';

CREATE FUNCTION key.invite(person text, station text, organisation text DEFAULT '', serial text DEFAULT '',
	licence text DEFAULT '', code text DEFAULT '') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	secret bytea := key.new_secret();
	made text := key.token(secret);
BEGIN
	IF invite.person !~ '^[a-z0-9][a-z0-9._-]{0,31}$' OR invite.station !~ '^[a-z0-9][a-z0-9._-]{0,23}$'
	    OR invite.person IS NULL OR invite.station IS NULL THEN
		RAISE EXCEPTION 'a person has up to 32, a station up to 24 of a-z 0-9 . _ -, beginning with a letter or digit';
	END IF;
	IF invite.person IN ('station', 'keyd', 'creditd', 'certd', 'tsa') THEN
		RAISE EXCEPTION '% is the name of a role; no person can be called so', invite.person;
	END IF;
	IF EXISTS (SELECT FROM key.station s WHERE s.person = invite.person AND s.station = invite.station
	    AND s.revoked IS NOT NULL) THEN
		RAISE EXCEPTION 'station %/% has been revoked; choose another name for the station', invite.person,
			invite.station;
	END IF;
	INSERT INTO key.invite (role, person, station, organisation, serial, licence, code, secret_hash, expires)
	VALUES ('station', invite.person, invite.station, coalesce(invite.organisation, ''), coalesce(invite.serial, ''),
		coalesce(invite.licence, ''), coalesce(invite.code, ''), sha256(secret), now() + interval '7 days');
	PERFORM key.note('invited', key.name_of('station', invite.person, invite.station, ''));
	RETURN made;
END $$;
COMMENT ON FUNCTION key.invite(text, text, text, text, text, text) IS
	'invites a station (person, station, organisation, serial number, licence, code): returns the token for "sealpost enrol", good for 7 days, once';

CREATE FUNCTION key.raise_roster() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	UPDATE key.office SET roster = roster + 1
$$;
COMMENT ON FUNCTION key.raise_roster() IS 'the roster has changed';

CREATE FUNCTION key.check_addresses(addresses text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = key, pg_temp AS $$
DECLARE
	a text;
BEGIN
	IF coalesce(cardinality(addresses), 0) NOT BETWEEN 1 AND 4 THEN
		RAISE EXCEPTION 'a service has 1 to 4 addresses';
	END IF;
	FOREACH a IN ARRAY addresses LOOP
		IF a IS NULL OR a !~ '^([a-z0-9.-]{1,64}|\[[0-9a-f:.]{2,45}\]):[1-9][0-9]{0,4}$'
		    OR substring(a from '[0-9]+$')::int > 65535 THEN
			RAISE EXCEPTION 'address % is not HOST:PORT (lower case; IPv6 in [ ])', a;
		END IF;
	END LOOP;
	RETURN array_to_string(addresses, ',');
END $$;
COMMENT ON FUNCTION key.check_addresses(text[]) IS 'addresses of a service as one text';

CREATE FUNCTION key.admin_service(role text, name text, addresses text[]) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	secret bytea := key.new_secret();
	made text := key.token(secret);
	joined text := key.check_addresses(admin_service.addresses);
BEGIN
	IF admin_service.role IS NULL OR admin_service.role NOT IN ('creditd', 'certd', 'tsa') THEN
		RAISE EXCEPTION 'the role is creditd, certd or tsa (keyd enters itself)';
	END IF;
	IF admin_service.name IS NULL OR admin_service.name !~ '^[a-z0-9][a-z0-9._-]{0,23}$' THEN
		RAISE EXCEPTION 'a service has a name of up to 24 of a-z 0-9 . _ -, beginning with a letter or digit';
	END IF;
	PERFORM key.raise_roster();	/* first: it locks the office row */
	INSERT INTO key.invite (role, service, secret_hash, expires)
	VALUES (admin_service.role, admin_service.name, sha256(secret), now() + interval '7 days');
	INSERT INTO key.service (role, name, addresses) VALUES (admin_service.role, admin_service.name, joined)
	ON CONFLICT (role, name) DO UPDATE SET addresses = excluded.addresses, removed = NULL;
	PERFORM key.note('service-entered', key.name_of(admin_service.role, '', '', admin_service.name), joined);
	RETURN made;
END $$;
COMMENT ON FUNCTION key.admin_service(text, text, text[]) IS
	'enters a service (creditd, certd, tsa) with its addresses into the roster, or changes them: returns the token for "DAEMON --enrol", good for 7 days, once';

CREATE FUNCTION key.admin_remove_service(role text, name text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	full_name text := key.name_of(admin_remove_service.role, '', '', admin_remove_service.name);
BEGIN
	PERFORM key.raise_roster();
	UPDATE key.invite SET expires = now() WHERE role = admin_remove_service.role AND service = admin_remove_service.name
		AND used IS NULL AND expires > now();
	UPDATE key.service SET removed = now() WHERE role = admin_remove_service.role
		AND name = admin_remove_service.name AND removed IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no service %', full_name;
	END IF;
	PERFORM key.note('service-removed', full_name);
	RETURN full_name || ' is in the roster no more';
END $$;
COMMENT ON FUNCTION key.admin_remove_service(text, text) IS
	'takes a service out of the roster; stations that were given it draw another';

CREATE FUNCTION key.admin_revoke(station text, reason text DEFAULT '') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	parts text[] := string_to_array(split_part(admin_revoke.station, '@', 1), '/');
	full_name text := key.name_of('station', parts[1], parts[2], '');
BEGIN
	IF cardinality(parts) <> 2 OR (admin_revoke.station LIKE '%@%' AND admin_revoke.station <> full_name) THEN
		RAISE EXCEPTION 'a station is named PERSON/STATION@%', (SELECT domain FROM key.office);
	END IF;
	UPDATE key.invite SET expires = now() WHERE role = 'station' AND person = parts[1]
		AND invite.station = parts[2] AND used IS NULL AND expires > now();
	UPDATE key.station SET revoked = now(), reason = coalesce(admin_revoke.reason, '')
		WHERE person = parts[1] AND station.station = parts[2] AND revoked IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no station % that is not revoked already', full_name;
	END IF;
	PERFORM key.note('revoked', full_name, admin_revoke.reason);
	RETURN full_name || ' is revoked';
END $$;
COMMENT ON FUNCTION key.admin_revoke(text, text) IS
	'revokes a station (PERSON/STATION): it is looked up and served no more, and never renewed';

GRANT USAGE ON SCHEMA key TO post_admin;
GRANT EXECUTE ON FUNCTION key.invite(text, text, text, text, text, text), key.admin_service(text, text, text[]),
	key.admin_remove_service(text, text), key.admin_revoke(text, text) TO post_admin;
