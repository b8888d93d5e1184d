-- 001-ledger.sql: accounts, double entry, sheets, settled serials, and the evidence of what does not fit.
--
-- Lock order: accounts, stations (credit.lock_stations), sheets; each in the order of its numbers. Postings of one transaction sum to zero. What is append-only says so;
-- a trigger refuses the rest, the owner's attempts too.

CREATE FUNCTION credit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'table %.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;
COMMENT ON FUNCTION credit.refuse_change() IS 'trigger of append-only tables';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit.patch
	FOR EACH STATEMENT EXECUTE FUNCTION credit.refuse_change();

CREATE TABLE credit.account (
	account bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	number text NOT NULL UNIQUE CHECK (number ~ '^[0-9]{10}$'),
	owner text NOT NULL CHECK (length(owner) BETWEEN 1 AND 81),
	flat_rate boolean NOT NULL DEFAULT false,
	opened timestamptz NOT NULL DEFAULT now(),
	closed timestamptz
);
COMMENT ON TABLE credit.account IS 'who pays; what it holds is the sum of its postings';
COMMENT ON COLUMN credit.account.number IS 'what stations name in a top-up; not guessable';
COMMENT ON COLUMN credit.account.flat_rate IS 'only the validity of the account is checked; what it draws is not its own';

CREATE TABLE credit.member (
	account bigint NOT NULL REFERENCES credit.account,
	person text NOT NULL CHECK (length(person) BETWEEN 1 AND 81),
	allowed timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account, person)
);
COMMENT ON TABLE credit.member IS 'persons (PERSON@DOMAIN) whose stations may draw on an account';

CREATE TABLE credit.transaction (
	transaction bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	by text NOT NULL DEFAULT session_user,
	what text NOT NULL CHECK (what IN ('deposit', 'sheet', 'settle', 'charge', 'return')),
	reference text NOT NULL UNIQUE
);
COMMENT ON TABLE credit.transaction IS 'each movement once, under a reference of its own; append-only';

-- where: 'bank' (what came in), 'account' (a customer's), 'flat' (what flat-rate accounts drew), 'sheet' (issued, not yet
-- settled), 'revenue' (settled).
CREATE TABLE credit.posting (
	transaction bigint NOT NULL REFERENCES credit.transaction,
	place text NOT NULL CHECK (place IN ('bank', 'account', 'flat', 'sheet', 'revenue')),
	account bigint REFERENCES credit.account,
	sheet uuid,
	amount bigint NOT NULL CHECK (amount <> 0),
	CHECK ((place = 'account') = (account IS NOT NULL)),
	CHECK ((place = 'sheet') = (sheet IS NOT NULL))
);
CREATE INDEX posting_transaction ON credit.posting (transaction);
CREATE INDEX posting_account ON credit.posting (account) WHERE account IS NOT NULL;
CREATE INDEX posting_sheet ON credit.posting (sheet) WHERE sheet IS NOT NULL;
COMMENT ON TABLE credit.posting IS 'double entry: the postings of a transaction sum to zero; append-only';

-- Deferred triggers run as whoever commits, so this one must be the owner's.
CREATE FUNCTION credit.balance_transaction() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = credit, pg_temp AS $$
BEGIN
	IF (SELECT sum(amount) FROM credit.posting WHERE transaction = NEW.transaction) <> 0 THEN
		RAISE EXCEPTION 'the postings of transaction % do not sum to zero', NEW.transaction;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION credit.balance_transaction() IS 'trigger: at the end of a database transaction each movement is whole';
CREATE CONSTRAINT TRIGGER zero_sum AFTER INSERT ON credit.posting DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION credit.balance_transaction();

CREATE TABLE credit.request (
	requester text NOT NULL CHECK (length(requester) BETWEEN 3 AND 106),
	request uuid NOT NULL,
	body bytea NOT NULL CHECK (length(body) = 32),
	asked bigint NOT NULL CHECK (asked BETWEEN 1 AND 1024),
	account_named text NOT NULL,
	return_host text NOT NULL DEFAULT '',
	return_port bigint NOT NULL DEFAULT 0,
	letter_key bytea NOT NULL CHECK (length(letter_key) = 32),
	created timestamptz NOT NULL DEFAULT now(),
	status bigint NOT NULL,
	account bigint REFERENCES credit.account,
	sheet uuid UNIQUE,
	granted bigint CHECK (granted BETWEEN 1 AND 1024),
	PRIMARY KEY (requester, request),
	CHECK ((status = 0) = (sheet IS NOT NULL AND granted IS NOT NULL AND account IS NOT NULL))
);
CREATE INDEX request_created ON credit.request (created);
COMMENT ON TABLE credit.request IS 'top-ups and what was decided, refusals too: an id has one outcome; append-only';
COMMENT ON COLUMN credit.request.body IS 'SHA-256 of the request: the same id with another body is an error';
COMMENT ON COLUMN credit.request.letter_key IS 'key of the station that letters to it are sealed to';
COMMENT ON COLUMN credit.request.account_named IS 'the account number as the station named it; card references are not kept in clear';

CREATE TABLE credit.answer (
	requester text NOT NULL,
	request uuid NOT NULL,
	statement bytea NOT NULL CHECK (length(statement) BETWEEN 8 AND 800),
	signature bytea NOT NULL CHECK (length(signature) = 64),
	hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	signer bytea NOT NULL CHECK (length(signer) BETWEEN 1 AND 800),
	signed timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (requester, request),
	FOREIGN KEY (requester, request) REFERENCES credit.request
);
COMMENT ON TABLE credit.answer IS 'the signed SHEET or DENIAL of each request: the first stored is the only one; append-only';

CREATE TABLE credit.told (
	requester text NOT NULL,
	request uuid NOT NULL,
	told timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (requester, request),
	FOREIGN KEY (requester, request) REFERENCES credit.request
);
COMMENT ON TABLE credit.told IS 'answers that the station has taken; append-only';

CREATE TABLE credit.sheet (
	sheet uuid PRIMARY KEY,
	account bigint NOT NULL REFERENCES credit.account,
	flat_rate boolean NOT NULL,
	station text NOT NULL,
	first bigint NOT NULL CHECK (first >= 1),
	count bigint NOT NULL CHECK (count BETWEEN 1 AND 1024),
	issued timestamptz NOT NULL,
	valid_until timestamptz NOT NULL CHECK (valid_until > issued),
	epoch bigint NOT NULL DEFAULT 1 CHECK (epoch >= 1),
	report uuid,
	next bigint NOT NULL,
	closed timestamptz,
	returned timestamptz CHECK (returned IS NULL OR closed IS NOT NULL),
	CHECK (next BETWEEN first AND first + count)
);
CREATE INDEX sheet_station ON credit.sheet (station) WHERE closed IS NULL;
CREATE INDEX sheet_rest ON credit.sheet (least(closed, valid_until)) WHERE returned IS NULL;
COMMENT ON TABLE credit.sheet IS 'credits issued to one station';
COMMENT ON COLUMN credit.sheet.next IS 'highest first-unused serial that the station has reported';
COMMENT ON COLUMN credit.sheet.closed IS 'the station spends it no more: given back, a restored copy, or long ended';
COMMENT ON COLUMN credit.sheet.returned IS 'what nobody lodged went back to the account';
COMMENT ON COLUMN credit.sheet.epoch IS 'rises at each start of the station: a lower one is a restored copy';
COMMENT ON COLUMN credit.sheet.report IS 'id of the request with which it rose last: whoever repeats that request is no copy';

CREATE FUNCTION credit.keep_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'UPDATE' THEN
		RAISE EXCEPTION 'sheets are kept: % refused', TG_OP;
	END IF;
	IF (to_jsonb(OLD) - '{epoch,report,next,closed,returned}'::text[])
	    <> (to_jsonb(NEW) - '{epoch,report,next,closed,returned}'::text[])
	    OR NEW.epoch < OLD.epoch OR NEW.next < OLD.next
	    OR (OLD.closed IS NOT NULL AND NEW.closed IS DISTINCT FROM OLD.closed)
	    OR (OLD.returned IS NOT NULL AND NEW.returned IS DISTINCT FROM OLD.returned) THEN
		RAISE EXCEPTION 'a sheet''s epoch and next serial only rise, it is closed once, and nothing else of it changes';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION credit.keep_sheet() IS 'trigger: what may happen to a sheet';
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON credit.sheet FOR EACH ROW EXECUTE FUNCTION credit.keep_sheet();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON credit.sheet FOR EACH STATEMENT EXECUTE FUNCTION credit.refuse_change();

CREATE TABLE credit.given (
	sheet uuid NOT NULL REFERENCES credit.sheet,
	statement bytea NOT NULL CHECK (length(statement) BETWEEN 8 AND 200),
	signature bytea NOT NULL CHECK (length(signature) = 64),
	first bigint NOT NULL,
	count bigint NOT NULL CHECK (count >= 0),
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (sheet, statement, first)
);
COMMENT ON TABLE credit.given IS 'serials that the station gave back, by its signed VOID or CLOSE: a frank on one of them is evidence; append-only';

CREATE TABLE credit.settlement (
	settlement bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sheet uuid NOT NULL REFERENCES credit.sheet,
	station text NOT NULL,
	transfer uuid NOT NULL,
	recipient text NOT NULL,
	offer bytea NOT NULL CHECK (length(offer) = 32),
	price bigint NOT NULL CHECK (price BETWEEN 1 AND 1024),
	frank bytea NOT NULL CHECK (length(frank) BETWEEN 8 AND 400),
	frank_signature bytea NOT NULL CHECK (length(frank_signature) = 64),
	proof bytea NOT NULL CHECK (length(proof) BETWEEN 8 AND 8192),
	settled timestamptz NOT NULL DEFAULT now(),
	UNIQUE (station, transfer)
);
COMMENT ON TABLE credit.settlement IS 'deliveries that were paid, with frank and proof as they were signed; append-only';
COMMENT ON COLUMN credit.settlement.proof IS 'the recipient''s DONE statement or receipt';

CREATE TABLE credit.mark (
	sheet uuid NOT NULL REFERENCES credit.sheet,
	serial bigint NOT NULL,
	settlement bigint NOT NULL REFERENCES credit.settlement,
	PRIMARY KEY (sheet, serial)
);
COMMENT ON TABLE credit.mark IS 'settled serials: a second settlement of one cannot be stored; append-only';

CREATE TABLE credit.evidence (
	evidence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	sheet uuid NOT NULL REFERENCES credit.sheet,
	settlement bigint REFERENCES credit.settlement,
	transfer uuid NOT NULL,
	recipient text NOT NULL,
	frank bytea NOT NULL,
	frank_signature bytea NOT NULL,
	proof bytea NOT NULL,
	what text NOT NULL CHECK (what IN ('spent twice', 'given back')),
	UNIQUE (sheet, transfer, frank)
);
COMMENT ON TABLE credit.evidence IS 'franks that conflict with what was settled before, both kept as signed; append-only';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['transaction', 'posting', 'request', 'answer', 'told', 'given', 'settlement', 'mark', 'evidence'] LOOP
		EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit.%I
			FOR EACH STATEMENT EXECUTE FUNCTION credit.refuse_change()', t);
	END LOOP;
END $$;
