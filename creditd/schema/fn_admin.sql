-- fn_admin.sql: what people who run the post office call from psql. They raise an error with the reason in plain words.

CREATE FUNCTION credit.account_of(number text) RETURNS credit.account
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	a credit.account;
BEGIN
	SELECT * INTO a FROM credit.account c WHERE c.number = account_of.number;
	IF a.account IS NULL THEN
		RAISE EXCEPTION 'there is no account %', number USING HINT = 'SELECT * FROM credit.v_account;';
	END IF;
	RETURN a;
END $$;
COMMENT ON FUNCTION credit.account_of(text) IS 'the account of a number';

CREATE FUNCTION credit.holds(account bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT a.balance FROM credit.account a WHERE a.account = holds.account
$$;
COMMENT ON FUNCTION credit.holds(bigint) IS 'credits on an account';

CREATE FUNCTION credit.check_person(person text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = credit, pg_temp AS $$
BEGIN
	IF person IS NULL OR person !~ '^[a-z0-9][a-z0-9._-]{0,31}@[a-z0-9][a-z0-9.-]{0,47}$' THEN
		RAISE EXCEPTION '"%" is no person; persons look like alice@post.example', person;
	END IF;
END $$;
COMMENT ON FUNCTION credit.check_person(text) IS 'raises unless the text is PERSON@DOMAIN';

CREATE FUNCTION credit.admin_open_account(person text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	made text;
	id bigint;
BEGIN
	PERFORM credit.check_person(person);
	made := lpad((('x' || left(encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 15))::bit(60)::bigint % 10000000000)::text,
		10, '0');
	INSERT INTO credit.account (number, owner) VALUES (made, person) RETURNING account INTO id;
	INSERT INTO credit.member (account, person) VALUES (id, person);
	RETURN made;
END $$;
COMMENT ON FUNCTION credit.admin_open_account(text) IS 'opens an account for a person, who may draw on it; returns its number';

CREATE FUNCTION credit.admin_allow(number text, person text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	a credit.account := credit.account_of(number);
BEGIN
	PERFORM credit.check_person(person);
	INSERT INTO credit.member (account, person) VALUES (a.account, admin_allow.person) ON CONFLICT DO NOTHING;
	RETURN person || ' may draw on account ' || number;
END $$;
COMMENT ON FUNCTION credit.admin_allow(text, text) IS 'lets a person''s stations draw on an account';

CREATE FUNCTION credit.admin_deposit(number text, amount bigint, reference text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
#variable_conflict use_column
DECLARE
	a credit.account := credit.account_of(number);
	tx bigint;
BEGIN
	IF amount IS NULL OR amount < 1 OR amount > 1000000000 THEN
		RAISE EXCEPTION 'a deposit is 1 to 1000000000 credits';
	END IF;
	IF coalesce(reference, '') = '' THEN
		RAISE EXCEPTION 'a deposit needs a reference of its own: the same one is booked once';
	END IF;
	IF a.closed IS NOT NULL THEN
		RAISE EXCEPTION 'account % is closed', number;
	END IF;
	INSERT INTO credit.transaction (what, reference) VALUES ('deposit', 'deposit ' || admin_deposit.reference)
		ON CONFLICT (reference) DO NOTHING RETURNING transaction INTO tx;
	IF tx IS NOT NULL THEN
		INSERT INTO credit.posting (transaction, place, account, amount)
			VALUES (tx, 'bank', NULL, -amount), (tx, 'account', a.account, amount);
	ELSIF NOT EXISTS (SELECT FROM credit.transaction t JOIN credit.posting p USING (transaction)
	    WHERE t.reference = 'deposit ' || admin_deposit.reference AND p.account = a.account
	    AND p.amount = admin_deposit.amount) THEN
		RAISE EXCEPTION 'reference % was booked before, for another account or amount', reference;
	END IF;
	RETURN credit.holds(a.account);
END $$;
COMMENT ON FUNCTION credit.admin_deposit(text, bigint, text) IS
	'books a payment; the same reference again changes nothing; returns what the account holds';

CREATE FUNCTION credit.admin_flat_rate(number text, on_off boolean) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	a credit.account := credit.account_of(number);
BEGIN
	UPDATE credit.account SET flat_rate = on_off WHERE account = a.account;
	RETURN 'account ' || number || CASE WHEN on_off THEN ' is a flat-rate account' ELSE ' pays for what it draws' END;
END $$;
COMMENT ON FUNCTION credit.admin_flat_rate(text, boolean) IS 'makes an account a flat-rate one, or not';

CREATE FUNCTION credit.admin_close_account(number text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	a credit.account := credit.account_of(number);
BEGIN
	UPDATE credit.account SET closed = now() WHERE account = a.account AND closed IS NULL;
	RETURN 'account ' || number || ' is closed; it holds ' || credit.holds(a.account);
END $$;
COMMENT ON FUNCTION credit.admin_close_account(text) IS 'nothing is drawn on the account any more';

-- Franks live 72 hours, and lodging one may take 7 days more: what was not settled 10 days after a sheet closed or ended goes
-- back. What is lodged later all the same is charged to the account.
CREATE FUNCTION credit.return_rest(id uuid) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
DECLARE
	s credit.sheet;
	tx bigint;
	rest bigint;
BEGIN
	SELECT * INTO s FROM credit.sheet WHERE sheet = id FOR UPDATE;
	IF s.sheet IS NULL OR s.returned IS NOT NULL OR least(s.closed, s.valid_until) > now() - interval '10 days' THEN
		RETURN 0;
	END IF;
	UPDATE credit.sheet SET closed = coalesce(closed, now()), returned = now() WHERE sheet = id;
	rest := (SELECT coalesce(sum(amount), 0) FROM credit.posting WHERE posting.sheet = id);
	IF rest > 0 THEN
		INSERT INTO credit.transaction (what, reference) VALUES ('return', 'return ' || id) RETURNING transaction INTO tx;
		INSERT INTO credit.posting (transaction, place, account, sheet, amount) VALUES (tx, 'sheet', NULL, id, -rest),
			(tx, CASE WHEN s.flat_rate THEN 'flat' ELSE 'account' END, CASE WHEN s.flat_rate THEN NULL ELSE s.account END,
			NULL, rest);
	END IF;
	RETURN rest;
END $$;
COMMENT ON FUNCTION credit.return_rest(uuid) IS 'the unspent rest of a sheet returns to its account, 10 days after it closed or ended';

CREATE FUNCTION credit.admin_sweep() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT FROM credit.account WHERE account IN (SELECT s.account FROM credit.sheet s
		WHERE s.returned IS NULL AND least(s.closed, s.valid_until) <= now() - interval '10 days') ORDER BY account FOR UPDATE;
	SELECT coalesce(sum(credit.return_rest(s.sheet)), 0)::bigint
	FROM (SELECT sheet FROM credit.sheet WHERE returned IS NULL AND least(closed, valid_until) <= now() - interval '10 days'
		ORDER BY sheet) AS s
$$;
COMMENT ON FUNCTION credit.admin_sweep() IS
	'gives back what is left of sheets that closed or ended 10 days ago or more (franks live 72 hours, then 7 days pass); returns how many credits';

CREATE FUNCTION credit.check() RETURNS TABLE (name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = credit, pg_temp AS $$
	SELECT 'every transaction sums to zero', count(*) = 0, string_agg(transaction::text, ' ')
		FROM (SELECT transaction FROM credit.posting GROUP BY transaction HAVING sum(amount) <> 0) AS odd
	UNION ALL
	SELECT 'every transaction has postings', count(*) = 0, string_agg(t.transaction::text, ' ')
		FROM credit.transaction t WHERE NOT EXISTS (SELECT FROM credit.posting p WHERE p.transaction = t.transaction)
	UNION ALL
	SELECT 'an account holds the sum of its postings', count(*) = 0, string_agg(number, ' ')
		FROM credit.account a
		WHERE a.balance <> (SELECT coalesce(sum(p.amount), 0) FROM credit.posting p WHERE p.account = a.account)
	UNION ALL
	SELECT 'no account is overdrawn but by franks that came after the rest had returned', count(*) = 0, string_agg(number, ' ')
		FROM credit.account a WHERE credit.holds(account) < (SELECT least(0, coalesce(sum(p.amount), 0)) FROM credit.posting p
			JOIN credit.transaction t USING (transaction) WHERE p.account = a.account AND t.what = 'charge')
	UNION ALL
	SELECT 'every granted request has its sheet, and every sheet its request', count(*) = 0, string_agg(x.sheet::text, ' ')
		FROM (SELECT r.sheet FROM credit.request r FULL JOIN credit.sheet s USING (sheet)
			WHERE (r.sheet IS NULL) <> (s.sheet IS NULL) AND coalesce(r.status, 0) = 0) AS x
	UNION ALL
	SELECT 'a sheet holds what was issued less what was settled', count(*) = 0, string_agg(sheet::text, ' ')
		FROM credit.sheet s WHERE s.returned IS NULL
		AND (SELECT coalesce(sum(amount), 0) FROM credit.posting p WHERE p.sheet = s.sheet)
			<> s.count - (SELECT count(*) FROM credit.mark m WHERE m.sheet = s.sheet)
	UNION ALL
	SELECT 'a sheet whose rest has returned holds nothing', count(*) = 0, string_agg(sheet::text, ' ')
		FROM credit.sheet s WHERE s.returned IS NOT NULL
		AND (SELECT coalesce(sum(amount), 0) FROM credit.posting p WHERE p.sheet = s.sheet) <> 0
	UNION ALL
	SELECT 'marks lie in their sheet', count(*) = 0, string_agg(m.sheet || '/' || m.serial, ' ')
		FROM credit.mark m JOIN credit.sheet s USING (sheet)
		WHERE m.serial NOT BETWEEN s.first AND s.first + s.count - 1
	UNION ALL
	SELECT 'each settlement has as many marks as its price', count(*) = 0, string_agg(t.settlement::text, ' ')
		FROM credit.settlement t
		WHERE t.price <> (SELECT count(*) FROM credit.mark m WHERE m.settlement = t.settlement)
	UNION ALL
	SELECT 'revenue is what was settled', coalesce(sum(amount), 0) = (SELECT coalesce(sum(price), 0) FROM credit.settlement),
		coalesce(sum(amount), 0)::text FROM credit.posting WHERE place = 'revenue'
$$;
COMMENT ON FUNCTION credit.check() IS 'proves every invariant of the ledger: a row each, ok is true everywhere';

GRANT USAGE ON SCHEMA credit TO post_admin;
GRANT EXECUTE ON FUNCTION credit.admin_open_account(text), credit.admin_allow(text, text),
	credit.admin_deposit(text, bigint, text), credit.admin_flat_rate(text, boolean), credit.admin_close_account(text),
	credit.admin_sweep(), credit.check() TO post_admin;
