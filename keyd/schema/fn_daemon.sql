-- fn_daemon.sql: what keyd calls. Arrays in, one or more rows an item out, in the order of the items; a business refusal is
-- a status number of common/base/status.def, never an error. Each function may run twice with the same items.
--
-- 0 done, 7 no such thing, 57 does not match, 58 invitation not valid, 59 revoked, 99 conflict.

CREATE FUNCTION key.daemon_start(domain text[], root bytea[], name text[], addresses text[]) RETURNS
	TABLE (item bigint, status bigint, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	o key.office;
	joined text;
BEGIN
	FOR i IN 1 .. cardinality(domain) LOOP
		INSERT INTO key.office (domain, root) VALUES (domain[i], root[i]) ON CONFLICT (one) DO NOTHING;
		SELECT * INTO o FROM key.office FOR UPDATE;
		item := i;
		IF o.domain <> domain[i] OR o.root <> root[i] THEN
			status := 57;
			reason := 'the database belongs to domain ' || o.domain || ' with root ' || encode(o.root, 'hex');
			RETURN NEXT;
			CONTINUE;
		END IF;
		joined := key.check_addresses(string_to_array(addresses[i], ','));
		IF NOT EXISTS (SELECT FROM key.service s WHERE s.role = 'keyd' AND s.name = daemon_start.name[i]
		    AND s.addresses = joined AND s.removed IS NULL) THEN
			INSERT INTO key.service (role, name, addresses) VALUES ('keyd', daemon_start.name[i], joined)
			ON CONFLICT (role, name) DO UPDATE SET addresses = excluded.addresses, removed = NULL;
			PERFORM key.raise_roster();
			PERFORM key.note('service-entered', key.name_of('keyd', '', '', daemon_start.name[i]), joined);
		END IF;
		status := 0;
		reason := '';
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.daemon_start(text[], bytea[], text[], text[]) IS
	'a keyd starts: its domain and root are this database''s, its addresses enter the roster';

CREATE FUNCTION key.store_own(hash bytea[], cert_serial bytea[], der bytea[], sign_key bytea[], service text[],
	not_before bigint[], not_after bigint[]) RETURNS TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
	FOR i IN 1 .. cardinality(hash) LOOP
		INSERT INTO key.certificate (hash, cert_serial, der, role, service, not_before, not_after)
		VALUES (hash[i], cert_serial[i], der[i], 'keyd', service[i], to_timestamp(not_before[i]),
			to_timestamp(not_after[i])) ON CONFLICT (hash) DO NOTHING;
		IF FOUND THEN
			PERFORM key.raise_roster();
		END IF;
		INSERT INTO key.public_key (public_key, certificate) VALUES (sign_key[i], hash[i]) ON CONFLICT DO NOTHING;
		item := i;
		status := 0;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.store_own(bytea[], bytea[], bytea[], bytea[], text[], bigint[], bigint[]) IS
	'a keyd enters its own certificate; it renews it under the same key';

-- An invitation's secret came with a request: what is to be certified, or the certificate that this request already got.
CREATE FUNCTION key.enrol_find(secret_hash bytea[], request bytea[]) RETURNS
	TABLE (item bigint, status bigint, reason text, role text, person text, station text, service text, serial text,
		cert bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	v key.invite;
BEGIN
	FOR i IN 1 .. cardinality(secret_hash) LOOP
		SELECT * INTO v FROM key.invite n WHERE n.secret_hash = enrol_find.secret_hash[i];
		item := i;
		status := 58;
		role := v.role;
		person := v.person;
		station := v.station;
		service := v.service;
		serial := v.serial;
		cert := NULL;
		IF v.invite IS NULL THEN
			reason := 'unknown';
		ELSIF v.role = 'station' AND EXISTS (SELECT FROM key.station s WHERE s.person = v.person
		    AND s.station = v.station AND s.revoked IS NOT NULL) THEN
			status := 59;
			reason := 'revoked';
		ELSIF v.request = enrol_find.request[i] THEN
			SELECT c.der INTO cert FROM key.certificate c WHERE c.request = v.request;
			status := 0;
			reason := 'repeated';
		ELSIF v.used IS NOT NULL THEN
			reason := 'used';
			PERFORM key.note_reuse(v);
		ELSIF v.expires <= now() THEN
			reason := 'ended';
		ELSE
			status := 0;
			reason := 'open';
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.enrol_find(bytea[], bytea[]) IS 'the invitation of a secret, for a request';

-- Somebody who knows the secret came with other keys. Noted once a token: this can be repeated at will.
CREATE FUNCTION key.note_reuse(v key.invite) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT key.note('token-reused', key.name_of(v.role, v.person, v.station, v.service), 'invite ' || v.invite)
	WHERE NOT EXISTS (SELECT FROM key.event WHERE what = 'token-reused' AND detail = 'invite ' || v.invite)
$$;
COMMENT ON FUNCTION key.note_reuse(key.invite) IS 'a used token came again with other keys';

-- Stores a certificate with all that hangs on it; a unique violation undoes this item alone.
CREATE FUNCTION key.enrol_one(v key.invite, request bytea, hash bytea, cert_serial bytea, der bytea, keys bytea[],
	not_before bigint, not_after bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	UPDATE key.invite n SET used = now(), request = enrol_one.request WHERE n.invite = v.invite;
	IF v.role = 'station' THEN
		INSERT INTO key.person (person) VALUES (v.person) ON CONFLICT DO NOTHING;
		INSERT INTO key.station AS s (person, station, organisation, serial, licence, code)
		VALUES (v.person, v.station, v.organisation, v.serial, v.licence, v.code)
		ON CONFLICT ON CONSTRAINT station_pkey DO UPDATE SET organisation = excluded.organisation,
			serial = excluded.serial, licence = excluded.licence, code = excluded.code;
	ELSE
		PERFORM key.raise_roster();
	END IF;
	INSERT INTO key.certificate (hash, cert_serial, der, role, person, station, service, not_before, not_after, request,
		invite)
	VALUES (hash, cert_serial, der, v.role, v.person, v.station, v.service, to_timestamp(not_before),
		to_timestamp(not_after), request, v.invite);
	INSERT INTO key.public_key (public_key, certificate) SELECT k, hash FROM unnest(keys) AS k;
	PERFORM key.note('enrolled', key.name_of(v.role, v.person, v.station, v.service), encode(hash, 'hex'));
	RETURN 0;
EXCEPTION WHEN unique_violation THEN
	RETURN 99;
END $$;
COMMENT ON FUNCTION key.enrol_one(key.invite, bytea, bytea, bytea, bytea, bytea[], bigint, bigint) IS
	'stores one certificate and uses its invitation up';

-- The certificate of the first request stored is the one that counts; a caller that comes later gets that one.
CREATE FUNCTION key.enrol_store(secret_hash bytea[], request bytea[], hash bytea[], cert_serial bytea[], der bytea[],
	sign_key bytea[], letter_key bytea[], age_key bytea[], not_before bigint[], not_after bigint[]) RETURNS
	TABLE (item bigint, status bigint, cert bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i bigint;
	v key.invite;
BEGIN
	PERFORM FROM key.office FOR UPDATE;	/* lock order; enrolments are rare */
	FOR i IN SELECT n.ord FROM unnest(secret_hash) WITH ORDINALITY AS n (secret, ord) ORDER BY n.secret, n.ord LOOP
		SELECT * INTO v FROM key.invite n WHERE n.secret_hash = enrol_store.secret_hash[i] FOR UPDATE;
		item := i;
		cert := NULL;
		IF v.request = enrol_store.request[i] THEN
			SELECT c.der INTO cert FROM key.certificate c WHERE c.request = v.request;
			status := 0;
		ELSIF v.invite IS NULL OR v.used IS NOT NULL THEN
			status := 58;
		ELSE
			status := key.enrol_one(v, request[i], hash[i], cert_serial[i], der[i],
				ARRAY[sign_key[i], letter_key[i], age_key[i]], not_before[i], not_after[i]);
			cert := CASE status WHEN 0 THEN der[i] END;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.enrol_store(bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bigint[],
	bigint[]) IS 'stores certificates that were signed for requests; answers with the one that counts';

CREATE FUNCTION key.standing(role text, person text, station text, service text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM key.station s WHERE standing.role = 'station' AND s.person = standing.person
			AND s.station = standing.station AND s.revoked IS NOT NULL)
		OR EXISTS (SELECT FROM key.service v WHERE v.role = standing.role AND v.name = standing.service
			AND v.removed IS NOT NULL)
		THEN 59 ELSE 0 END::bigint
$$;
COMMENT ON FUNCTION key.standing(text, text, text, text) IS '59 if this station or service has been revoked or removed';

CREATE FUNCTION key.lookup(role text[], person text[], station text[], service text[], want_person text[],
	want_station text[]) RETURNS TABLE (item bigint, status bigint, cert bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
	FOR i IN 1 .. cardinality(role) LOOP
		item := i;
		cert := NULL;
		status := key.standing(role[i], person[i], station[i], service[i]);
		IF status = 0 THEN
			RETURN QUERY SELECT i::bigint, 0::bigint, c.der FROM key.certificate c
				JOIN key.station s ON s.person = c.person AND s.station = c.station
				WHERE c.role = 'station' AND c.person = want_person[i]
				AND (want_station[i] = '' OR c.station = want_station[i])
				AND s.revoked IS NULL AND c.not_after > now()
				ORDER BY c.station, c.not_after DESC, c.stored DESC LIMIT 256;
			IF FOUND THEN
				CONTINUE;
			END IF;
			status := 7;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.lookup(text[], text[], text[], text[], text[], text[]) IS
	'certificates in force of a person''s stations (want_station empty) or of one station, newest first; first four: who asks';

-- Services of a role that can be given out: in the roster and with a certificate in force.
CREATE FUNCTION key.live_service(role text) RETURNS TABLE (name text, addresses text, cert bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = key, pg_temp AS $$
	SELECT s.name, s.addresses, c.der FROM key.service s
	CROSS JOIN LATERAL (SELECT der FROM key.certificate c WHERE c.role = s.role AND c.service = s.name
		AND c.not_after > now() ORDER BY c.not_after DESC, c.stored DESC LIMIT 1) AS c
	WHERE s.role = live_service.role AND s.removed IS NULL
$$;
COMMENT ON FUNCTION key.live_service(text) IS 'services of a role that are in the roster and have a certificate in force';

-- Gives a station its subset: what it has and still lives stays, what is gone is replaced at random, up to three a role.
CREATE FUNCTION key.draw_for(person text, station text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	r text;
BEGIN
	PERFORM FROM key.station s WHERE s.person = draw_for.person AND s.station = draw_for.station FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	FOREACH r IN ARRAY ARRAY['creditd', 'certd'] LOOP
		DELETE FROM key.draw d WHERE d.person = draw_for.person AND d.station = draw_for.station AND d.role = r
			AND NOT EXISTS (SELECT FROM key.service s WHERE s.role = d.role AND s.name = d.name
				AND s.removed IS NULL);
		INSERT INTO key.draw (person, station, role, name)
		SELECT draw_for.person, draw_for.station, r, l.name FROM key.live_service(r) l
		WHERE NOT EXISTS (SELECT FROM key.draw d WHERE d.person = draw_for.person AND d.station = draw_for.station
			AND d.role = r AND d.name = l.name)
		ORDER BY random()
		LIMIT greatest(0, 3 - (SELECT count(*) FROM key.draw d WHERE d.person = draw_for.person
			AND d.station = draw_for.station AND d.role = r));
	END LOOP;
END $$;
COMMENT ON FUNCTION key.draw_for(text, text) IS 'completes a station''s subset of the services';

CREATE FUNCTION key.roster(role text[], person text[], station text[], service text[]) RETURNS
	TABLE (item bigint, status bigint, number bigint, service_role text, service_name text, addresses text, cert bytea,
	tariff bytea, tariff_signature bytea, tariff_signer bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = key, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
	FOR i IN 1 .. cardinality(role) LOOP
		item := i;
		status := key.standing(role[i], person[i], station[i], service[i]);
		number := (SELECT roster FROM key.office);
		IF status = 0 AND role[i] = 'station' THEN
			PERFORM key.draw_for(person[i], station[i]);
		END IF;
		SELECT t.statement, t.signature, t.signer INTO tariff, tariff_signature, tariff_signer FROM key.tariff t
			WHERE t.valid_from <= now() + interval '5 seconds' ORDER BY t.number DESC LIMIT 1;
		IF status = 0 THEN
			RETURN QUERY SELECT i::bigint, 0::bigint, number, r.role, l.name, l.addresses, l.cert, tariff,
				tariff_signature, tariff_signer
				FROM (VALUES ('keyd'), ('creditd'), ('certd')) AS r (role), key.live_service(r.role) l
				WHERE roster.role[i] <> 'station' OR r.role = 'keyd' OR EXISTS (SELECT FROM key.draw d
					WHERE d.person = roster.person[i] AND d.station = roster.station[i]
					AND d.role = r.role AND d.name = l.name)
				ORDER BY r.role <> 'keyd', r.role, l.name LIMIT 48;	/* what one message holds */
			IF FOUND THEN
				CONTINUE;
			END IF;
		END IF;
		service_role := NULL;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION key.roster(text[], text[], text[], text[]) IS
	'the roster for who asks: all services for a service, its own subset for a station';

GRANT EXECUTE ON FUNCTION key.daemon_start(text[], bytea[], text[], text[]),
	key.store_own(bytea[], bytea[], bytea[], bytea[], text[], bigint[], bigint[]),
	key.enrol_find(bytea[], bytea[]),
	key.enrol_store(bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bytea[], bigint[], bigint[]),
	key.lookup(text[], text[], text[], text[], text[], text[]),
	key.roster(text[], text[], text[], text[]) TO key_daemon;
