-- fn_daemon.sql: what certd calls. Arrays in, one or more rows an item out, in the order of the items; a business refusal
-- is a status number of common/base/status.def, never an error. Each function may run twice with the same items.
--
-- 0 done, 7 no such thing, 57 does not match, 60 not permitted, 99 conflict.

CREATE FUNCTION cert.daemon_start(domain text[]) RETURNS TABLE (item bigint, status bigint, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	own text;
BEGIN
	FOR i IN 1 .. cardinality(domain) LOOP
		INSERT INTO cert.office (domain) VALUES (domain[i]) ON CONFLICT (one) DO NOTHING;
		SELECT o.domain INTO own FROM cert.office o;
		item := i;
		status := CASE WHEN own = domain[i] THEN 0 ELSE 57 END;
		reason := CASE WHEN own = domain[i] THEN '' ELSE 'the database belongs to domain ' || own END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.daemon_start(text[]) IS 'a certd starts: its domain is this database''s';

-- Can franks be settled here? creditd's function in the same database, if we may call it.
CREATE FUNCTION cert.can_settle() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
	SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = 'credit' AND p.proname = 'settle' AND has_schema_privilege(n.oid, 'USAGE')
		AND has_function_privilege(p.oid, 'EXECUTE'))
$$;
COMMENT ON FUNCTION cert.can_settle() IS 'whether the schema credit is here and settles for us';

-- One frank. Whatever goes wrong over there, the receipt is postmarked all the same; only what helps by repeating the
-- transaction is passed on.
CREATE FUNCTION cert.settle_one(sheet bytea, sender text, transfer uuid, recipient text, offer_hash bytea, firsts text,
	counts text, price bigint, frank bytea, frank_signature bytea, proof bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
DECLARE
	word text;
BEGIN
	EXECUTE 'SELECT credit.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)' INTO word
		USING sheet, sender, transfer, recipient, offer_hash, string_to_array(firsts, ',')::integer[],
		string_to_array(counts, ',')::integer[], price::integer, frank, frank_signature, proof;
	RETURN coalesce(word, 'no answer');
EXCEPTION
	WHEN deadlock_detected OR serialization_failure THEN
		RAISE;
	WHEN OTHERS THEN
		RETURN left('error: ' || SQLERRM, 200);
END $$;
COMMENT ON FUNCTION cert.settle_one(bytea, text, uuid, text, bytea, text, text, bigint, bytea, bytea, bytea) IS
	'asks creditd to settle one frank: its word, or "error: …"';

-- What settling them will lock, in creditd's order and before anything else of a batch.
CREATE FUNCTION cert.lock_franks(sheet bytea[], sender text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
BEGIN
	EXECUTE 'SELECT credit.lock_franks($1, $2)' USING sheet, sender;
EXCEPTION
	WHEN deadlock_detected OR serialization_failure THEN
		RAISE;
	WHEN OTHERS THEN
		NULL;	/* settling says what is wrong */
END $$;
COMMENT ON FUNCTION cert.lock_franks(bytea[], text[]) IS 'locks what settling these franks will lock';

CREATE FUNCTION cert.payment_of(word text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = cert, pg_temp AS $$
	SELECT CASE WHEN word IN ('paid', 'same') THEN 'paid' WHEN word IN ('conflict', 'closed', 'price') THEN 'conflict'
		ELSE 'pending' END
$$;
COMMENT ON FUNCTION cert.payment_of(text) IS 'what a postmark states for what settling answered';

-- Settles and writes the decision, in one transaction. unfit: why the frank is not one for this delivery; sheet NULL: there
-- is nothing to settle. A transfer that was here before keeps its row; another receipt for it is a conflict.
CREATE FUNCTION cert.postmark_begin(number uuid[], transfer uuid[], sender text[], recipient text[], class bigint[],
	receipt bytea[], receipt_hash bytea[], offer bytea[], offer_hash bytea[], offer_signature bytea[],
	sender_cert bytea[], frank bytea[], frank_signature bytea[], price bigint[], sheet bytea[], firsts text[],
	counts text[], unfit text[], received_ms bigint[], ended_s bigint[], return_host text[], return_port bigint[])
	RETURNS TABLE (item bigint, status bigint, number_is uuid, received_is bigint, ended_is bigint, payment text,
	p7m bytea, tsr bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i bigint;
	r cert.postmark;
	word text;
	settles boolean := cert.can_settle();
BEGIN
	IF settles THEN
		PERFORM cert.lock_franks(array_agg(f.sheet), array_agg(f.sender)) FROM unnest(sheet, sender) AS f (sheet, sender)
			WHERE f.sheet IS NOT NULL HAVING count(*) > 0;
	END IF;
	FOR i IN SELECT n.ord FROM unnest(transfer) WITH ORDINALITY AS n (transfer, ord) ORDER BY n.transfer, n.ord LOOP
		PERFORM pg_advisory_xact_lock(hashtextextended('cert ' || transfer[i] || sender[i], 0));
		SELECT * INTO r FROM cert.postmark p WHERE p.transfer = postmark_begin.transfer[i]
			AND p.sender = postmark_begin.sender[i];
		IF r.number IS NULL THEN
			word := CASE WHEN unfit[i] <> '' THEN 'unfit: ' || unfit[i]
				WHEN frank[i] IS NULL THEN CASE price[i] WHEN 0 THEN 'free' ELSE 'no frank' END
				WHEN sheet[i] IS NULL OR NOT settles THEN 'not here'
				ELSE cert.settle_one(sheet[i], sender[i], transfer[i], recipient[i], offer_hash[i], firsts[i],
					counts[i], price[i], frank[i], frank_signature[i], receipt[i]) END;
			INSERT INTO cert.postmark (number, transfer, sender, recipient, class, receipt_hash, receipt, offer,
				offer_signature, sender_cert, frank, frank_signature, received_ms, ended_s, payment, settlement,
				return_host, return_port)
			VALUES (number[i], transfer[i], sender[i], recipient[i], class[i], receipt_hash[i], receipt[i], offer[i],
				offer_signature[i], sender_cert[i], frank[i], frank_signature[i], received_ms[i], ended_s[i],
				CASE WHEN unfit[i] <> '' THEN 'conflict' WHEN word = 'free' THEN 'free'
					ELSE cert.payment_of(word) END, left(word, 200), return_host[i], return_port[i])
			RETURNING * INTO r;
			INSERT INTO cert.queue (number) VALUES (r.number);
			IF r.payment = 'pending' AND r.frank IS NOT NULL AND word <> 'unknown' THEN
				INSERT INTO cert.lodging (number) VALUES (r.number);
			END IF;
		END IF;
		item := i;
		status := CASE WHEN r.receipt_hash = receipt_hash[i] THEN 0 ELSE 99 END;
		number_is := r.number;
		received_is := r.received_ms;
		ended_is := r.ended_s;
		payment := r.payment;
		SELECT s.p7m, s.tsr INTO p7m, tsr FROM cert.signed s WHERE s.number = r.number;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.postmark_begin(uuid[], uuid[], text[], text[], bigint[], bytea[], bytea[], bytea[], bytea[],
	bytea[], bytea[], bytea[], bytea[], bigint[], bytea[], text[], text[], text[], bigint[], bigint[], text[], bigint[]) IS
	'settles the frank of a checked receipt and decides its postmark; what was decided before stands';

CREATE FUNCTION cert.postmark_finish(number uuid[], p7m bytea[], tsr bytea[]) RETURNS
	TABLE (item bigint, status bigint, p7m_is bytea, tsr_is bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i bigint;
BEGIN
	FOR i IN SELECT n.ord FROM unnest(number) WITH ORDINALITY AS n (number, ord) ORDER BY n.number, n.ord LOOP
		INSERT INTO cert.signed (number, p7m, tsr) SELECT p.number, p7m[i], tsr[i] FROM cert.postmark p
			WHERE p.number = postmark_finish.number[i] ON CONFLICT ON CONSTRAINT signed_pkey DO NOTHING;
		IF FOUND THEN
			DELETE FROM cert.queue q WHERE q.number = postmark_finish.number[i];
			INSERT INTO cert.notice (number) SELECT p.number FROM cert.postmark p
				WHERE p.number = postmark_finish.number[i] AND p.return_port > 0;
		END IF;
		item := i;
		SELECT s.p7m, s.tsr INTO p7m_is, tsr_is FROM cert.signed s WHERE s.number = postmark_finish.number[i];
		status := CASE WHEN FOUND THEN 0 ELSE 7 END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.postmark_finish(uuid[], bytea[], bytea[]) IS
	'stores what was signed for a postmark; the first stored wins and is what comes back';

CREATE FUNCTION cert.postmark_get(transfer uuid[], station text[]) RETURNS
	TABLE (item bigint, status bigint, number_is uuid, receipt bytea, p7m bytea, tsr bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i int;
	r cert.postmark;
BEGIN
	FOR i IN 1 .. cardinality(transfer) LOOP
		SELECT * INTO r FROM cert.postmark p WHERE p.transfer = postmark_get.transfer[i]
			ORDER BY postmark_get.station[i] IN (p.sender, p.recipient) DESC, p.number LIMIT 1;
		item := i;
		number_is := r.number;
		receipt := NULL;
		p7m := NULL;
		tsr := NULL;
		status := CASE WHEN r.number IS NULL THEN 7 WHEN station[i] IN (r.sender, r.recipient) THEN 0 ELSE 60 END;
		IF status = 0 THEN
			SELECT r.receipt, s.p7m, s.tsr INTO receipt, p7m, tsr FROM cert.signed s WHERE s.number = r.number;
			status := CASE WHEN FOUND THEN 0 ELSE 7 END;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.postmark_get(uuid[], text[]) IS
	'the postmark of a transfer, for its sender or recipient; 7 while there is none';

CREATE FUNCTION cert.unsigned(most bigint[], before_ms bigint[]) RETURNS TABLE (item bigint, number_is uuid,
	transfer uuid, sender text, recipient text, class bigint, receipt_hash bytea, received_is bigint, ended_is bigint,
	payment text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
	SELECT a.ord, p.number, p.transfer, p.sender, p.recipient, p.class::bigint, p.receipt_hash, p.received_ms, p.ended_s,
		p.payment
	FROM unnest(unsigned.most, unsigned.before_ms) WITH ORDINALITY AS a (most, before_ms, ord)
	CROSS JOIN LATERAL (SELECT n.* FROM cert.queue q JOIN cert.postmark n USING (number)
		WHERE n.received_ms <= a.before_ms ORDER BY q.number LIMIT a.most) AS p
	ORDER BY a.ord
$$;
COMMENT ON FUNCTION cert.unsigned(bigint[], bigint[]) IS 'postmarks that were decided before that time and are not signed yet';

-- Takes letters that are due: each is counted before it is sent, and the next one comes later.
CREATE FUNCTION cert.notice_due(most bigint[]) RETURNS TABLE (item bigint, number_is uuid, transfer uuid, host text,
	port bigint, sender_cert bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
	WITH due AS (SELECT n.number FROM cert.notice n WHERE n.told IS NULL AND n.letters < 3 AND n.due <= now()
		ORDER BY n.due LIMIT (SELECT max(m) FROM unnest(notice_due.most) AS m) FOR UPDATE SKIP LOCKED),
	taken AS (UPDATE cert.notice n SET letters = n.letters + 1,
		due = now() + CASE n.letters WHEN 0 THEN interval '1 minute' ELSE interval '1 hour' END
		FROM due WHERE n.number = due.number RETURNING n.number)
	SELECT 1::bigint, p.number, p.transfer, p.return_host, p.return_port::bigint, p.sender_cert
	FROM taken JOIN cert.postmark p USING (number)
$$;
COMMENT ON FUNCTION cert.notice_due(bigint[]) IS 'letters to send now, counted as sent';

CREATE FUNCTION cert.notice_told(number uuid[]) RETURNS TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i bigint;
BEGIN
	FOR i IN SELECT n.ord FROM unnest(number) WITH ORDINALITY AS n (number, ord) ORDER BY n.number, n.ord LOOP
		UPDATE cert.notice n SET told = now() WHERE n.number = notice_told.number[i] AND n.told IS NULL;
		item := i;
		status := 0;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.notice_told(uuid[]) IS 'the sender has answered the letter about its postmark';

-- Takes franks that are due; the next try comes after a minute, doubling to a day.
CREATE FUNCTION cert.lodging_due(most bigint[]) RETURNS TABLE (item bigint, number_is uuid, receipt bytea, offer bytea,
	offer_signature bytea, frank bytea, frank_signature bytea, sender_cert bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
	WITH due AS (SELECT n.number FROM cert.lodging n WHERE n.settled IS NULL AND n.due <= now()
		ORDER BY n.due LIMIT (SELECT max(m) FROM unnest(lodging_due.most) AS m) FOR UPDATE SKIP LOCKED),
	taken AS (UPDATE cert.lodging n SET tries = n.tries + 1,
		due = now() + least(interval '1 minute' * 2 ^ least(n.tries, 11), interval '1 day')
		FROM due WHERE n.number = due.number RETURNING n.number)
	SELECT 1::bigint, p.number, p.receipt, p.offer, p.offer_signature, p.frank, p.frank_signature, p.sender_cert
	FROM taken JOIN cert.postmark p USING (number)
$$;
COMMENT ON FUNCTION cert.lodging_due(bigint[]) IS 'franks to lodge now, counted as tried';

CREATE FUNCTION cert.lodged(number uuid[], answer bigint[], final bigint[]) RETURNS TABLE (item bigint, status bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cert, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i bigint;
BEGIN
	FOR i IN SELECT n.ord FROM unnest(number) WITH ORDINALITY AS n (number, ord) ORDER BY n.number, n.ord LOOP
		UPDATE cert.lodging n SET answer = lodged.answer[i], settled = CASE lodged.final[i] WHEN 0 THEN NULL ELSE now() END
			WHERE n.number = lodged.number[i] AND n.settled IS NULL;
		item := i;
		status := 0;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION cert.lodged(uuid[], bigint[], bigint[]) IS 'what creditd said about a frank, or why it said nothing';

GRANT EXECUTE ON FUNCTION cert.daemon_start(text[]),
	cert.postmark_begin(uuid[], uuid[], text[], text[], bigint[], bytea[], bytea[], bytea[], bytea[], bytea[], bytea[],
	bytea[], bytea[], bigint[], bytea[], text[], text[], text[], bigint[], bigint[], text[], bigint[]),
	cert.postmark_finish(uuid[], bytea[], bytea[]), cert.postmark_get(uuid[], text[]),
	cert.unsigned(bigint[], bigint[]), cert.notice_due(bigint[]), cert.notice_told(uuid[]),
	cert.lodging_due(bigint[]), cert.lodged(uuid[], bigint[], bigint[]) TO cert_daemon;
