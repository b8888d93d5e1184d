-- fn_daemon.sql: what creditd (and certd, to settle) calls. Arrays in, one row an item out, in the order of the items; a
-- business refusal is a status number of common/base/status.def, never an error. Each function may run twice with the same
-- items.
--
-- 0 done, 7 no such thing, 93 the frank is not valid, 95 spent before, 96 unauthorised account, 97 amount not available,
-- 99 conflict.

-- Decides a top-up and moves the money in one transaction; the answer is signed afterwards, from what stands here.
CREATE FUNCTION credit.decide(who text, id uuid, hash bytea, named text, number bigint, host text, port bigint,
	valid_days bigint) RETURNS credit.request
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	r credit.request;
	a credit.account;
	part bigint;
	made uuid := gen_random_uuid();
	tx bigint;
	why bigint := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(who || ' ' || id, 0));
	SELECT * INTO r FROM credit.request q WHERE q.requester = who AND q.request = id;
	IF FOUND THEN
		RETURN r;
	END IF;
	SELECT * INTO a FROM credit.account c WHERE c.number = named FOR UPDATE;
	IF a.account IS NULL OR a.closed IS NOT NULL OR NOT EXISTS (SELECT FROM credit.member m
	    WHERE m.account = a.account AND m.person = split_part(who, '/', 1) || '@' || split_part(who, '@', 2)) THEN
		why := 96;
	ELSE
		part := CASE WHEN a.flat_rate THEN number ELSE least(number, credit.holds(a.account)) END;
		IF part < 1 THEN
			why := 97;
		END IF;
	END IF;
	IF why <> 0 THEN
		INSERT INTO credit.request (requester, request, body, asked, account_named, return_host, return_port, status)
			VALUES (who, id, hash, number, named, host, port, why) RETURNING * INTO r;
		RETURN r;
	END IF;
	INSERT INTO credit.transaction (what, reference) VALUES ('sheet', 'sheet ' || made) RETURNING transaction INTO tx;
	INSERT INTO credit.posting (transaction, place, account, sheet, amount)
		VALUES (tx, 'account', a.account, NULL, -part), (tx, 'sheet', NULL, made, part);
	INSERT INTO credit.sheet (sheet, account, station, first, count, issued, valid_until, next)
		VALUES (made, a.account, who, 1, part, date_trunc('milliseconds', now()),
			date_trunc('milliseconds', now()) + make_interval(days => valid_days::int), 1);
	INSERT INTO credit.request (requester, request, body, asked, account_named, return_host, return_port, status, account,
		sheet, granted)
		VALUES (who, id, hash, number, named, host, port, 0, a.account, made, part) RETURNING * INTO r;
	RETURN r;
END $$;
COMMENT ON FUNCTION credit.decide(text, uuid, bytea, text, bigint, text, bigint, bigint) IS
	'one top-up: decided once, the money moved with it';

CREATE FUNCTION credit.topup(requester text[], request uuid[], body bytea[], account_named text[], asked bigint[],
	return_host text[], return_port bigint[], valid_days bigint[]) RETURNS TABLE (item bigint, status bigint,
	decision bigint, sheet uuid, first bigint, granted bigint, issued_ms bigint, valid_until_ms bigint, epoch bigint,
	statement bytea, signature bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	r credit.request;
BEGIN
	FOR i IN 1 .. cardinality(requester) LOOP
		r := credit.decide(topup.requester[i], topup.request[i], topup.body[i], topup.account_named[i], topup.asked[i],
			topup.return_host[i], topup.return_port[i], valid_days[i]);
		item := i;
		status := CASE WHEN r.body = topup.body[i] THEN 0 ELSE 99 END;
		decision := r.status;
		sheet := NULL; first := NULL; granted := NULL; issued_ms := NULL; valid_until_ms := NULL; epoch := NULL;
		SELECT s.sheet, s.first, s.count, (extract(epoch FROM s.issued) * 1000)::bigint,
			(extract(epoch FROM s.valid_until) * 1000)::bigint, 1
			INTO sheet, first, granted, issued_ms, valid_until_ms, epoch FROM credit.sheet s WHERE s.sheet = r.sheet;
		statement := NULL; signature := NULL;
		SELECT a.statement, a.signature INTO statement, signature FROM credit.answer a
			WHERE a.requester = r.requester AND a.request = r.request;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.topup(text[], uuid[], bytea[], text[], bigint[], text[], bigint[], bigint[]) IS
	'top-ups: what was decided, and the answer if it is signed already';

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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
	FOR i IN 1 .. cardinality(requester) LOOP
		item := i;
		statement := NULL; signature := NULL; signer := NULL;
		SELECT a.statement, a.signature, a.signer INTO statement, signature, signer FROM credit.answer a
			WHERE a.requester = find_answer.requester[i] AND a.request = find_answer.request[i];
		status := CASE WHEN FOUND THEN 0 ELSE 7 END;
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

-- The wallet says where it stands. A lower epoch or serial than known is a restored copy: the sheet is closed.
CREATE FUNCTION credit.sheet_state(station text[], sheet uuid[], epoch bigint[], next bigint[], start bigint[]) RETURNS
	TABLE (item bigint, status bigint, epoch_now bigint, closed bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	s credit.sheet;
BEGIN
	FOR i IN 1 .. cardinality(station) LOOP
		item := i;
		status := 7; epoch_now := NULL; closed := NULL;
		SELECT * INTO s FROM credit.sheet t WHERE t.sheet = sheet_state.sheet[i] AND t.station = sheet_state.station[i] FOR UPDATE;
		IF FOUND THEN
			status := 0;
			IF s.closed IS NULL AND (sheet_state.epoch[i] < s.epoch OR sheet_state.next[i] < s.next
			    OR sheet_state.next[i] > s.first + s.count) THEN
				PERFORM credit.close_sheet(s.sheet);
			ELSIF s.closed IS NULL THEN
				UPDATE credit.sheet t SET next = sheet_state.next[i], epoch = t.epoch + start[i]
					WHERE t.sheet = s.sheet;
			END IF;
			SELECT t.epoch, (t.closed IS NOT NULL)::int INTO epoch_now, closed FROM credit.sheet t WHERE t.sheet = s.sheet;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION credit.sheet_state(text[], uuid[], bigint[], bigint[], bigint[]) IS
	'where a wallet stands; the epoch rises at a start, a restored copy is closed';

CREATE FUNCTION credit.settle(sheet_hash bytea, station text, transfer uuid, recipient text, offer_hash bytea,
	firsts integer[], counts integer[], price integer, frank bytea, frank_signature bytea, proof bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	s credit.sheet;
	t credit.settlement;
	tx bigint;
	wanted bigint[];
BEGIN
	SELECT c.* INTO s FROM credit.sheet c JOIN credit.request r ON r.sheet = c.sheet
		JOIN credit.answer a ON a.requester = r.requester AND a.request = r.request
		WHERE a.hash = sheet_hash FOR UPDATE OF c;
	IF s.sheet IS NULL OR s.station <> settle.station THEN
		RETURN 'unknown';
	END IF;
	SELECT array_agg(n ORDER BY n) INTO wanted FROM (SELECT generate_series(f, f::bigint + c - 1) AS n
		FROM unnest(firsts, counts) AS u (f, c)) AS x;
	IF wanted IS NULL OR cardinality(wanted) <> price OR wanted[1] < s.first
	    OR wanted[cardinality(wanted)] > s.first + s.count - 1 THEN
		RETURN 'price';
	END IF;
	SELECT * INTO t FROM credit.settlement x WHERE x.station = settle.station AND x.transfer = settle.transfer;
	IF FOUND AND t.sheet = s.sheet AND t.recipient = settle.recipient AND t.offer = offer_hash
	    AND (SELECT array_agg(serial ORDER BY serial) FROM credit.mark WHERE settlement = t.settlement) = wanted THEN
		RETURN 'same';
	END IF;
	IF s.closed IS NOT NULL THEN
		INSERT INTO credit.evidence (sheet, transfer, recipient, frank, frank_signature, proof, what)
			VALUES (s.sheet, settle.transfer, settle.recipient, settle.frank, settle.frank_signature, settle.proof,
				'sheet closed') ON CONFLICT DO NOTHING;
		RETURN 'closed';
	END IF;
	IF t.settlement IS NOT NULL OR EXISTS (SELECT FROM credit.mark m WHERE m.sheet = s.sheet AND m.serial = ANY (wanted)) THEN
		INSERT INTO credit.evidence (sheet, settlement, transfer, recipient, frank, frank_signature, proof, what)
			VALUES (s.sheet, coalesce(t.settlement, (SELECT m.settlement FROM credit.mark m WHERE m.sheet = s.sheet
				AND m.serial = ANY (wanted) ORDER BY m.serial LIMIT 1)), settle.transfer, settle.recipient,
				settle.frank, settle.frank_signature, settle.proof, 'spent twice') ON CONFLICT DO NOTHING;
		RETURN 'conflict';
	END IF;
	INSERT INTO credit.settlement (sheet, station, transfer, recipient, offer, price, frank, frank_signature, proof)
		VALUES (s.sheet, settle.station, settle.transfer, settle.recipient, offer_hash, settle.price, settle.frank,
			settle.frank_signature, settle.proof) RETURNING * INTO t;
	INSERT INTO credit.mark (sheet, serial, settlement) SELECT s.sheet, n, t.settlement FROM unnest(wanted) AS n;
	INSERT INTO credit.transaction (what, reference) VALUES ('settle', 'settle ' || t.settlement) RETURNING transaction INTO tx;
	INSERT INTO credit.posting (transaction, place, account, sheet, amount)
		VALUES (tx, 'sheet', NULL, s.sheet, -settle.price), (tx, 'revenue', NULL, NULL, settle.price);
	RETURN 'paid';
END $$;
COMMENT ON FUNCTION credit.settle(bytea, text, uuid, text, bytea, integer[], integer[], integer, bytea, bytea, bytea) IS
	'settles one frank with its proof: paid, same, conflict, closed, unknown, price; signatures are the caller''s to check';

-- Serials come as "first:count,first:count".
CREATE FUNCTION credit.lodge(sheet_hash bytea[], station text[], transfer uuid[], recipient text[], offer_hash bytea[],
	serials text[], price bigint[], frank bytea[], frank_signature bytea[], proof bytea[]) RETURNS
	TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
BEGIN
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

GRANT EXECUTE ON FUNCTION credit.topup(text[], uuid[], bytea[], text[], bigint[], text[], bigint[], bigint[]),
	credit.store_answer(text[], uuid[], bytea[], bytea[], bytea[], bytea[]),
	credit.find_answer(text[], uuid[]), credit.note_told(text[], uuid[]),
	credit.sheet_state(text[], uuid[], bigint[], bigint[], bigint[]),
	credit.lodge(bytea[], text[], uuid[], text[], bytea[], text[], bigint[], bytea[], bytea[], bytea[]) TO credit_daemon;
