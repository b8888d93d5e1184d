-- 003-balance.sql: what an account holds, kept beside its postings, so that a top-up costs the same after a million of them.

ALTER TABLE credit.account ADD COLUMN balance bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN credit.account.balance IS 'the sum of the account''s postings, kept by a trigger; credit.check() adds them up';
COMMENT ON TABLE credit.account IS 'who pays';
UPDATE credit.account a SET balance = (SELECT coalesce(sum(p.amount), 0) FROM credit.posting p WHERE p.account = a.account);

CREATE FUNCTION credit.keep_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = credit, pg_temp AS $$
BEGIN
	UPDATE credit.account SET balance = balance + NEW.amount WHERE account = NEW.account;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION credit.keep_balance() IS 'trigger: a posting on an account changes its balance';
CREATE TRIGGER balance AFTER INSERT ON credit.posting FOR EACH ROW WHEN (NEW.account IS NOT NULL) EXECUTE FUNCTION credit.keep_balance();
