-- fn_daemon.sql: what creditd (and certd, to settle) calls. Arrays in, one row an item out, in the order of the items; a
-- business refusal is a status number of common/base/status.def, never an error. Each function may run twice with the same
-- items.
--
-- 0 done, 7 no such thing, 76 beyond the limit, 93 the frank is not valid, 95 spent before, 96 unauthorised account, 97 amount not available,
-- 99 conflict.

-- To the end of the transaction, in one order, so that two batches never wait for each other.
CREATE FUNCTION credit.lock_stations(who text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	number bigint;
BEGIN
	FOR number IN SELECT DISTINCT hashtextextended('credit ' || w, 0) AS h FROM unnest(who) AS w ORDER BY h LOOP
		PERFORM pg_advisory_xact_lock(number);
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.lock_stations(text[]) IS 'what is decided about one station is decided one after the other';

-- What a station could still spend, as far as it has reported and others have lodged.
CREATE FUNCTION credit.free(who text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT coalesce(sum(least(s.first + s.count - s.next,
		s.count - (SELECT count(*) FROM credit.mark m WHERE m.sheet = s.sheet))), 0)::bigint
	FROM credit.sheet s WHERE s.station = who AND s.closed IS NULL AND s.valid_until > now() AND s.next < s.first + s.count
$$;
COMMENT ON FUNCTION credit.free(text) IS 'credits that a station could still spend';

-- How many credits a request gets, or why none: a status.
CREATE FUNCTION credit.authorise(a credit.account, who text, asked bigint, most bigint, clamp boolean, OUT part bigint,
	OUT why bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	room bigint := most - credit.free(who);
BEGIN
	part := 0;
	why := 0;
	IF a.account IS NULL OR a.closed IS NOT NULL OR NOT EXISTS (SELECT FROM credit.member m
	    WHERE m.account = a.account AND m.person = split_part(who, '/', 1) || '@' || split_part(who, '@', 2)) THEN
		why := 96;
	ELSIF room < 1 OR (NOT clamp AND asked > room) THEN
		why := 76;
	ELSE
		part := least(asked, room, 1024);
		IF NOT a.flat_rate THEN
			part := least(part, credit.holds(a.account));
		END IF;
		IF part < 1 THEN
			why := 97;
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION credit.authorise(credit.account, text, bigint, bigint, boolean) IS
	'how many credits a top-up gets, or the status that denies it';

-- Decides a top-up and moves the money in one transaction; the answer is signed afterwards, from what stands here.
CREATE FUNCTION credit.decide(who text, id uuid, hash bytea, named text, asked bigint, host text, port bigint, key bytea,
	valid_days bigint, most bigint, clamp boolean) RETURNS credit.request
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	r credit.request;
	a credit.account;
	got record;
	made uuid;
	tx bigint;
BEGIN
	SELECT * INTO r FROM credit.request q WHERE q.requester = who AND q.request = id;
	IF FOUND THEN
		RETURN r;
	END IF;
	SELECT * INTO a FROM credit.account c WHERE c.number = named FOR UPDATE;
	SELECT * INTO got FROM credit.authorise(a, who, asked, most, clamp);
	IF got.why = 0 THEN
		made := gen_random_uuid();
		INSERT INTO credit.transaction (what, reference) VALUES ('sheet', 'sheet ' || made) RETURNING transaction INTO tx;
		INSERT INTO credit.posting (transaction, place, account, sheet, amount)
			VALUES (tx, CASE WHEN a.flat_rate THEN 'flat' ELSE 'account' END,
				CASE WHEN a.flat_rate THEN NULL ELSE a.account END, NULL, -got.part),
			(tx, 'sheet', NULL, made, got.part);
		INSERT INTO credit.sheet (sheet, account, flat_rate, station, first, count, issued, valid_until, next)
			VALUES (made, a.account, a.flat_rate, who, 1, got.part, date_trunc('milliseconds', now()),
				date_trunc('milliseconds', now()) + make_interval(days => valid_days::int), 1);
	END IF;
	INSERT INTO credit.request (requester, request, body, asked, account_named, return_host, return_port, letter_key, status,
		account, sheet, granted)
		VALUES (who, id, hash, asked, named, host, port, key, got.why, CASE got.why WHEN 0 THEN a.account END, made,
			CASE got.why WHEN 0 THEN got.part END) RETURNING * INTO r;
	RETURN r;
END $$;
COMMENT ON FUNCTION credit.decide(text, uuid, bytea, text, bigint, text, bigint, bytea, bigint, bigint, boolean) IS
	'one top-up: decided once, the money moved with it';

-- What a request came to: the decision, the sheet to sign, the answer if it is signed already.
CREATE FUNCTION credit.outcome(r credit.request) RETURNS TABLE (decision bigint, sheet uuid, first bigint, granted bigint,
	issued_ms bigint, valid_until_ms bigint, statement bytea, signature bytea, signer bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT r.status, s.sheet, s.first, s.count, (extract(epoch FROM s.issued) * 1000)::bigint,
		(extract(epoch FROM s.valid_until) * 1000)::bigint, a.statement, a.signature, a.signer
	FROM (SELECT 1) AS one LEFT JOIN credit.sheet s ON s.sheet = r.sheet
		LEFT JOIN credit.answer a ON a.requester = r.requester AND a.request = r.request
$$;
COMMENT ON FUNCTION credit.outcome(credit.request) IS 'what a top-up came to';

CREATE FUNCTION credit.topup(requester text[], request uuid[], body bytea[], account_named text[], asked bigint[],
	return_host text[], return_port bigint[], letter_key bytea[], valid_days bigint[], most bigint[], clamp bigint[])
	RETURNS TABLE (item bigint, status bigint, decision bigint, sheet uuid, first bigint, granted bigint, issued_ms bigint,
	valid_until_ms bigint, statement bytea, signature bytea, signer bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	r credit.request;
BEGIN
	PERFORM FROM credit.account c WHERE c.number = ANY (account_named) ORDER BY c.account FOR UPDATE;
	PERFORM credit.lock_stations(topup.requester);
	FOR i IN 1 .. cardinality(topup.requester) LOOP
		item := i;
		r := credit.decide(topup.requester[i], topup.request[i], topup.body[i], topup.account_named[i],
			topup.asked[i], topup.return_host[i], topup.return_port[i], topup.letter_key[i],
			valid_days[i], most[i], clamp[i] <> 0);
		status := CASE WHEN r.body = topup.body[i] THEN 0 ELSE 99 END;
		SELECT o.decision, o.sheet, o.first, o.granted, o.issued_ms, o.valid_until_ms, o.statement, o.signature, o.signer
			INTO decision, sheet, first, granted, issued_ms, valid_until_ms, statement, signature, signer
			FROM credit.outcome(r) AS o;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.topup(text[], uuid[], bytea[], text[], bigint[], text[], bigint[], bytea[], bigint[], bigint[],
	bigint[]) IS 'top-ups: what was decided, and the answer if it is signed already';

-- Answers that their stations have not taken yet; after ten minutes a station fetches its answer by itself.
CREATE FUNCTION credit.unanswered(older_ms bigint[]) RETURNS TABLE (item bigint, requester text, request uuid, decision bigint,
	sheet uuid, first bigint, granted bigint, issued_ms bigint, valid_until_ms bigint, statement bytea, signature bytea,
	signer bytea, letter_key bytea, return_host text, return_port bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
BEGIN
	FOR i IN 1 .. cardinality(older_ms) LOOP
		RETURN QUERY SELECT i::bigint, r.requester, r.request, o.decision, o.sheet, o.first, o.granted, o.issued_ms,
			o.valid_until_ms, o.statement, o.signature, o.signer, r.letter_key, r.return_host, r.return_port
			FROM credit.request r, credit.outcome(r) AS o
			WHERE r.created <= now() - make_interval(secs => older_ms[i] / 1000.0)
			AND ((o.statement IS NULL AND r.created > now() - interval '1 day')
				OR (r.return_host <> '' AND r.created > now() - interval '10 minutes'))
			AND NOT EXISTS (SELECT FROM credit.told t WHERE t.requester = r.requester AND t.request = r.request)
			ORDER BY r.created LIMIT 100;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.unanswered(bigint[]) IS 'answers to sign and to bring to their stations';

CREATE FUNCTION credit.store_answer(requester text[], request uuid[], statement bytea[], signature bytea[], hash bytea[],
	signer bytea[]) RETURNS TABLE (item bigint, status bigint, stored bytea, stored_signature bytea, stored_signer bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
	FOR i IN 1 .. cardinality(requester) LOOP
		INSERT INTO credit.answer (requester, request, statement, signature, hash, signer)
			VALUES (store_answer.requester[i], store_answer.request[i], store_answer.statement[i],
				store_answer.signature[i], store_answer.hash[i], store_answer.signer[i])
			ON CONFLICT (requester, request) DO NOTHING;
		item := i;
		status := 0;
		SELECT a.statement, a.signature, a.signer INTO stored, stored_signature, stored_signer FROM credit.answer a
			WHERE a.requester = store_answer.requester[i] AND a.request = store_answer.request[i];
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.store_answer(text[], uuid[], bytea[], bytea[], bytea[], bytea[]) IS
	'signed answers: the first stored is the one that leaves';

CREATE FUNCTION credit.find_answer(requester text[], request uuid[]) RETURNS TABLE (item bigint, status bigint,
	statement bytea, signature bytea, signer bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
BEGIN
	FOR i IN 1 .. cardinality(requester) LOOP
		item := i;
		SELECT a.statement, a.signature, a.signer INTO statement, signature, signer FROM credit.answer a
			WHERE a.requester = find_answer.requester[i] AND a.request = find_answer.request[i];
		status := CASE WHEN FOUND THEN 0 ELSE 7 END;
		IF status = 0 THEN	/* who fetches need not be called */
			INSERT INTO credit.told (requester, request) VALUES (find_answer.requester[i], find_answer.request[i])
				ON CONFLICT DO NOTHING;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.find_answer(text[], uuid[]) IS 'the answer to an earlier top-up of this requester';

CREATE FUNCTION credit.note_told(requester text[], request uuid[]) RETURNS TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO credit.told (requester, request) SELECT * FROM unnest(note_told.requester, note_told.request)
		ON CONFLICT DO NOTHING;
	RETURN QUERY SELECT n, 0::bigint FROM generate_series(1, cardinality(note_told.requester)::bigint) AS n;
END $$;
COMMENT ON FUNCTION credit.note_told(text[], uuid[]) IS 'stations that have taken their answer';

GRANT EXECUTE ON FUNCTION credit.topup(text[], uuid[], bytea[], text[], bigint[], text[], bigint[], bytea[], bigint[], bigint[],
	bigint[]), credit.unanswered(bigint[]), credit.store_answer(text[], uuid[], bytea[], bytea[], bytea[], bytea[]),
	credit.find_answer(text[], uuid[]), credit.note_told(text[], uuid[]) TO credit_daemon;
