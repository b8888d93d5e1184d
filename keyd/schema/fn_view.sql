-- fn_view.sql: what people see in psql; \d+ shows the comments.

CREATE VIEW key.v_person AS
	SELECT p.person || '@' || o.domain AS name, p.person, count(s.station) AS stations,
		count(s.station) FILTER (WHERE s.revoked IS NULL) AS in_force, p.created
	FROM key.person p CROSS JOIN key.office o LEFT JOIN key.station s USING (person)
	GROUP BY p.person, o.domain;
COMMENT ON VIEW key.v_person IS 'persons and how many stations each has';

CREATE VIEW key.v_station AS
	SELECT key.name_of('station', s.person, s.station, '') AS name, s.person, s.station,
		CASE WHEN s.revoked IS NOT NULL THEN 'revoked' WHEN c.not_after <= now() THEN 'ended' ELSE 'in force' END AS state,
		s.organisation, s.serial, s.licence, c.not_after AS ends, c.certificates, s.created, s.revoked, s.reason
	FROM key.station s LEFT JOIN LATERAL (SELECT max(not_after) AS not_after, count(*) AS certificates
		FROM key.certificate c WHERE c.person = s.person AND c.station = s.station AND c.role = 'station') AS c ON true;
COMMENT ON VIEW key.v_station IS 'stations: state (in force, ended, revoked), serial numbers, end of the newest certificate';

CREATE VIEW key.v_invite AS
	SELECT n.invite, key.name_of(n.role, n.person, n.station, n.service) AS name, n.role,
		CASE WHEN n.used IS NOT NULL THEN 'used' WHEN n.expires <= now() THEN 'ended' ELSE 'open' END AS state,
		n.organisation, n.serial, n.licence, n.created, n.created_by, n.expires, n.used
	FROM key.invite n;
COMMENT ON VIEW key.v_invite IS 'tokens handed out: state (open, used, ended); the secrets are kept nowhere';

CREATE VIEW key.v_certificate AS
	SELECT encode(c.hash, 'hex') AS hash, key.name_of(c.role, c.person, c.station, c.service) AS name, c.role,
		encode(c.cert_serial, 'hex') AS cert_serial, c.not_before, c.not_after, c.stored, c.invite, c.der
	FROM key.certificate c;
COMMENT ON VIEW key.v_certificate IS 'every certificate ever issued; der is the certificate itself';

CREATE VIEW key.v_service AS
	SELECT key.name_of(s.role, '', '', s.name) AS full_name, s.role, s.name, s.addresses,
		CASE WHEN s.removed IS NOT NULL THEN 'removed' WHEN c.not_after IS NULL THEN 'not enrolled'
			WHEN c.not_after <= now() THEN 'ended' ELSE 'in force' END AS state,
		c.not_after AS ends, (SELECT count(*) FROM key.draw d WHERE d.role = s.role AND d.name = s.name) AS stations,
		s.entered, s.removed
	FROM key.service s LEFT JOIN LATERAL (SELECT max(not_after) AS not_after
		FROM key.certificate c WHERE c.role = s.role AND c.service = s.name) AS c ON true;
COMMENT ON VIEW key.v_service IS 'services of the roster: state (not enrolled, in force, ended, removed), and how many stations were given each';

CREATE VIEW key.v_event AS SELECT event, at, by, what, who, detail FROM key.event;
COMMENT ON VIEW key.v_event IS 'what happened, in order: invited, enrolled, token-reused, revoked, service-entered, service-removed';

CREATE VIEW key.v_patch AS SELECT number, name, encode(sha256, 'hex') AS sha256, applied FROM key.patch;
COMMENT ON VIEW key.v_patch IS 'schema files applied to this database';

GRANT USAGE ON SCHEMA key TO post_audit;
GRANT SELECT ON key.v_person, key.v_station, key.v_invite, key.v_certificate, key.v_service, key.v_event, key.v_patch
	TO post_admin, post_audit;
GRANT EXECUTE ON FUNCTION key.name_of(text, text, text, text) TO post_admin, post_audit;
