-- 001-postmark.sql: postmarks, what was signed for them, and the letters that tell of them.
--
-- Lock order: what settling the franks of a batch locks, then the advisory locks of its transfers, then postmark, signed, queue, notice, lodging.
-- What is append-only says so in its comment; a trigger refuses the rest, the owner's attempts too.

CREATE FUNCTION cert.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'table %.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;
COMMENT ON FUNCTION cert.refuse_change() IS 'trigger of append-only tables';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cert.patch
	FOR EACH STATEMENT EXECUTE FUNCTION cert.refuse_change();

CREATE TABLE cert.office (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	domain text NOT NULL CHECK (length(domain) BETWEEN 1 AND 48)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cert.office
	FOR EACH STATEMENT EXECUTE FUNCTION cert.refuse_change();
COMMENT ON TABLE cert.office IS 'the one domain that this database is about, entered at the first start of certd';

CREATE TABLE cert.postmark (
	number uuid PRIMARY KEY,
	transfer uuid NOT NULL,
	sender text NOT NULL CHECK (length(sender) BETWEEN 3 AND 106),
	recipient text NOT NULL CHECK (length(recipient) BETWEEN 3 AND 106),
	class smallint NOT NULL CHECK (class BETWEEN 3 AND 4),
	receipt_hash bytea NOT NULL CHECK (length(receipt_hash) = 32),
	receipt bytea NOT NULL CHECK (length(receipt) BETWEEN 1 AND 4096),
	offer bytea NOT NULL,
	offer_signature bytea NOT NULL CHECK (length(offer_signature) = 64),
	sender_cert bytea NOT NULL,
	frank bytea,
	frank_signature bytea CHECK ((frank_signature IS NULL) = (frank IS NULL)),
	received_ms bigint NOT NULL CHECK (received_ms > 0),
	ended_s bigint NOT NULL DEFAULT 0 CHECK (ended_s >= 0),
	payment text NOT NULL CHECK (payment IN ('free', 'paid', 'pending', 'conflict')),
	settlement text NOT NULL DEFAULT '' CHECK (length(settlement) <= 200),
	return_host text NOT NULL DEFAULT '',
	return_port integer NOT NULL DEFAULT 0,
	entered timestamptz NOT NULL DEFAULT now(),
	UNIQUE (transfer, sender)
);
CREATE INDEX postmark_received ON cert.postmark (received_ms);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cert.postmark
	FOR EACH STATEMENT EXECUTE FUNCTION cert.refuse_change();
COMMENT ON TABLE cert.postmark IS 'a receipt that was checked and the decision about it; append-only; a transfer of a sender has one';
COMMENT ON COLUMN cert.postmark.received_ms IS 'certd''s time, ms since 1970: the postmark''s date';
COMMENT ON COLUMN cert.postmark.ended_s IS 'when the recipient''s certificate had ended, seconds since 1970; 0: it was in force';
COMMENT ON COLUMN cert.postmark.settlement IS 'what settling the frank answered, or why it was not tried';
COMMENT ON COLUMN cert.postmark.return_host IS 'where the sender''s offer says that it can be told';

CREATE TABLE cert.signed (
	number uuid PRIMARY KEY REFERENCES cert.postmark,
	p7m bytea NOT NULL CHECK (length(p7m) BETWEEN 1 AND 4096),
	tsr bytea NOT NULL CHECK (length(tsr) BETWEEN 1 AND 4096),
	signed timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cert.signed
	FOR EACH STATEMENT EXECUTE FUNCTION cert.refuse_change();
COMMENT ON TABLE cert.signed IS 'postmark.p7m and postmark.tsr: the first that were stored; append-only';

CREATE TABLE cert.queue (
	number uuid PRIMARY KEY REFERENCES cert.postmark
);
COMMENT ON TABLE cert.queue IS 'postmarks that are not signed yet';

CREATE TABLE cert.notice (
	number uuid PRIMARY KEY REFERENCES cert.postmark,
	letters integer NOT NULL DEFAULT 0 CHECK (letters BETWEEN 0 AND 3),
	due timestamptz NOT NULL DEFAULT now(),
	told timestamptz
);
CREATE INDEX notice_due ON cert.notice (due) WHERE told IS NULL AND letters < 3;
COMMENT ON TABLE cert.notice IS 'letters to senders: your postmark is there; three at most';

CREATE TABLE cert.lodging (
	number uuid PRIMARY KEY REFERENCES cert.postmark,
	tries integer NOT NULL DEFAULT 0,
	due timestamptz NOT NULL DEFAULT now(),
	answer bigint,
	settled timestamptz,
	CHECK (settled IS NULL OR answer IS NOT NULL)
);
CREATE INDEX lodging_due ON cert.lodging (due) WHERE settled IS NULL;
COMMENT ON TABLE cert.lodging IS 'franks that were not settled here and are lodged with a creditd until it says what became of them';
COMMENT ON COLUMN cert.lodging.answer IS 'the last status: creditd''s, or why it did not answer';
