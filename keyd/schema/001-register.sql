-- 001-register.sql: persons, stations, services, invitations, certificates, and what happened to them.
--
-- Lock order: office, invite, station, service. What is append-only says so in its comment; a trigger refuses the rest,
-- the owner's attempts too.

CREATE FUNCTION key.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'table %.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;
COMMENT ON FUNCTION key.refuse_change() IS 'trigger of append-only tables';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key.patch
	FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();

CREATE TABLE key.office (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	domain text NOT NULL CHECK (length(domain) BETWEEN 1 AND 48),
	root bytea NOT NULL CHECK (length(root) = 32),
	roster bigint NOT NULL DEFAULT 1 CHECK (roster > 0)
);
COMMENT ON TABLE key.office IS 'the one domain that this database is about, entered at the first start of keyd';
COMMENT ON COLUMN key.office.root IS 'SHA-256 of the root certificate';
COMMENT ON COLUMN key.office.roster IS 'number of the roster; rises with each change of it';

CREATE TABLE key.person (
	person text PRIMARY KEY CHECK (person ~ '^[a-z0-9][a-z0-9._-]{0,31}$'
		AND person NOT IN ('station', 'keyd', 'creditd', 'certd', 'tsa')),
	created timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE key.person IS 'persons of the domain: PERSON@DOMAIN';

CREATE TABLE key.station (
	person text NOT NULL REFERENCES key.person,
	station text NOT NULL CHECK (station ~ '^[a-z0-9][a-z0-9._-]{0,23}$'),
	organisation text NOT NULL DEFAULT '' CHECK (length(organisation) <= 100),
	serial text NOT NULL DEFAULT '' CHECK (serial ~ '^[!-~]{0,32}$'),
	licence text NOT NULL DEFAULT '' CHECK (length(licence) <= 100),
	code text NOT NULL DEFAULT '' CHECK (length(code) <= 100),
	created timestamptz NOT NULL DEFAULT now(),
	revoked timestamptz,
	reason text CHECK (reason IS NULL OR revoked IS NOT NULL),
	PRIMARY KEY (person, station)
);
COMMENT ON TABLE key.station IS 'devices that a person runs peerd on: PERSON/STATION@DOMAIN; entered by enrolment';
COMMENT ON COLUMN key.station.serial IS 'serial number of the program, printed into the certificate';
COMMENT ON COLUMN key.station.licence IS 'licence code';
COMMENT ON COLUMN key.station.code IS 'authentication code of the user, as the operator keeps it';

CREATE TABLE key.service (
	role text NOT NULL CHECK (role IN ('keyd', 'creditd', 'certd', 'tsa')),
	name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,23}$'),
	addresses text NOT NULL CHECK (length(addresses) BETWEEN 3 AND 400),
	entered timestamptz NOT NULL DEFAULT now(),
	removed timestamptz,
	PRIMARY KEY (role, name)
);
COMMENT ON TABLE key.service IS 'services of the domain: rows of the roster';
COMMENT ON COLUMN key.service.addresses IS 'host:port with commas between';

CREATE TABLE key.invite (
	invite bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	role text NOT NULL CHECK (role IN ('station', 'creditd', 'certd', 'tsa')),
	person text NOT NULL DEFAULT '',
	station text NOT NULL DEFAULT '',
	service text NOT NULL DEFAULT '',
	organisation text NOT NULL DEFAULT '' CHECK (length(organisation) <= 100),
	serial text NOT NULL DEFAULT '' CHECK (serial ~ '^[!-~]{0,32}$'),
	licence text NOT NULL DEFAULT '' CHECK (length(licence) <= 100),
	code text NOT NULL DEFAULT '' CHECK (length(code) <= 100),
	secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
	created timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL DEFAULT session_user,
	expires timestamptz NOT NULL,
	used timestamptz,
	request bytea CHECK (length(request) = 32),
	CHECK ((used IS NULL) = (request IS NULL)),
	CHECK (CASE role WHEN 'station'
		THEN person <> '' AND station <> '' AND service = ''
		ELSE person = '' AND station = '' AND service <> '' END)
);
COMMENT ON TABLE key.invite IS 'tokens handed out; each works once';
COMMENT ON COLUMN key.invite.secret_hash IS 'SHA-256 of the secret in the token; the secret itself is kept nowhere';
COMMENT ON COLUMN key.invite.request IS 'hash of the request that used it; the same request again gets the same certificate';

CREATE FUNCTION key.keep_invite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'UPDATE' THEN
		RAISE EXCEPTION 'invitations are kept: % refused', TG_OP;
	END IF;
	IF OLD.used IS NOT NULL OR (to_jsonb(OLD) - '{used,request,expires}'::text[])
	    <> (to_jsonb(NEW) - '{used,request,expires}'::text[]) OR NEW.expires > OLD.expires THEN
		RAISE EXCEPTION 'an invitation may be used once or end sooner, and changes in nothing else';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION key.keep_invite() IS 'trigger: what may happen to an invitation';
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON key.invite FOR EACH ROW EXECUTE FUNCTION key.keep_invite();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON key.invite FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();

CREATE TABLE key.certificate (
	hash bytea PRIMARY KEY CHECK (length(hash) = 32),
	cert_serial bytea NOT NULL UNIQUE CHECK (length(cert_serial) = 16),
	der bytea NOT NULL CHECK (length(der) BETWEEN 1 AND 800),
	role text NOT NULL CHECK (role IN ('station', 'keyd', 'creditd', 'certd', 'tsa')),
	person text NOT NULL DEFAULT '',
	station text NOT NULL DEFAULT '',
	service text NOT NULL DEFAULT '',
	not_before timestamptz NOT NULL,
	not_after timestamptz NOT NULL CHECK (not_after > not_before),
	request bytea UNIQUE CHECK (length(request) = 32),
	invite bigint REFERENCES key.invite,
	stored timestamptz NOT NULL DEFAULT now(),
	CHECK ((role = 'station') = (person <> '' AND station <> '' AND service = ''))
);
CREATE INDEX certificate_station ON key.certificate (person, station, not_after) WHERE role = 'station';
CREATE INDEX certificate_service ON key.certificate (role, service, not_after) WHERE role <> 'station';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key.certificate
	FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();
COMMENT ON TABLE key.certificate IS 'every certificate ever issued; append-only';
COMMENT ON COLUMN key.certificate.request IS 'hash of the request; NULL for keyd''s own';

CREATE TABLE key.public_key (
	public_key bytea PRIMARY KEY CHECK (length(public_key) IN (32, 65)),
	certificate bytea NOT NULL REFERENCES key.certificate
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key.public_key
	FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();
COMMENT ON TABLE key.public_key IS 'no key is ever certified twice, in whatever use; append-only';

CREATE TABLE key.draw (
	person text NOT NULL,
	station text NOT NULL,
	role text NOT NULL,
	name text NOT NULL,
	drawn timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (person, station, role, name),
	FOREIGN KEY (person, station) REFERENCES key.station,
	FOREIGN KEY (role, name) REFERENCES key.service
);
COMMENT ON TABLE key.draw IS 'the services that a station was given: drawn once, kept, replaced only when gone';

CREATE TABLE key.event (
	event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	by text NOT NULL DEFAULT session_user,
	what text NOT NULL CHECK (what ~ '^[a-z-]{1,40}$'),
	who text NOT NULL DEFAULT '',
	detail text NOT NULL DEFAULT ''
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key.event
	FOR EACH STATEMENT EXECUTE FUNCTION key.refuse_change();
CREATE INDEX event_reuse ON key.event (detail) WHERE what = 'token-reused';
COMMENT ON TABLE key.event IS 'what happened, in order; append-only';
