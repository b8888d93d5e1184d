-- 002-tariff.sql: the prices of the domain, as a creditd signed them; handed out with the roster.

CREATE TABLE key.tariff (
	number bigint PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
	valid_from timestamptz NOT NULL,
	statement bytea NOT NULL CHECK (length(statement) BETWEEN 8 AND 400),
	signature bytea NOT NULL CHECK (length(signature) = 64),
	signer bytea NOT NULL CHECK (length(signer) BETWEEN 1 AND 800),
	entered timestamptz NOT NULL DEFAULT now(),
	by text NOT NULL DEFAULT session_user
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key.tariff
	FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();
COMMENT ON TABLE key.tariff IS 'prices of the domain: TARIFF statements of a creditd; the highest number in force counts; append-only';
COMMENT ON COLUMN key.tariff.signer IS 'certificate of the creditd that signed it';
