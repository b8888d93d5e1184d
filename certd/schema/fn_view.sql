-- fn_view.sql: what people see in psql; \d+ shows the comments.

CREATE VIEW cert.v_receipt AS
	SELECT p.number, p.transfer, p.sender, p.recipient,
		CASE p.class WHEN 3 THEN 'postmarked' ELSE 'certified' END AS class,
		to_timestamp(p.received_ms / 1000.0) AS received,
		CASE p.ended_s WHEN 0 THEN 'in force' ELSE 'ended ' || to_timestamp(p.ended_s)::text END AS certificate,
		p.payment, p.settlement,
		CASE WHEN l.number IS NULL THEN NULL WHEN l.settled IS NULL THEN 'waiting' ELSE
			CASE l.answer WHEN 0 THEN 'paid' WHEN 95 THEN 'conflict' WHEN 99 THEN 'closed' WHEN 7 THEN 'unknown'
			ELSE 'price' END END AS lodged, s.signed, n.letters, n.told, octet_length(s.p7m) AS p7m_bytes,
		octet_length(s.tsr) AS tsr_bytes
	FROM cert.postmark p LEFT JOIN cert.signed s USING (number) LEFT JOIN cert.notice n USING (number)
		LEFT JOIN cert.lodging l USING (number);
COMMENT ON VIEW cert.v_receipt IS 'every receipt that was postmarked: between whom, when, how it was paid (settlement: creditd''s word; lodged: what it said later), when it was signed, when its sender was told';

CREATE VIEW cert.v_lodging AS SELECT number, tries, due, answer, settled FROM cert.lodging;
COMMENT ON VIEW cert.v_lodging IS 'franks that a creditd is asked to settle: tries, when the next is due, the last status, when it was final';

CREATE VIEW cert.v_patch AS SELECT number, name, encode(sha256, 'hex') AS sha256, applied FROM cert.patch;
COMMENT ON VIEW cert.v_patch IS 'schema files applied to this database';

GRANT USAGE ON SCHEMA cert TO post_admin, post_audit;
GRANT SELECT ON cert.v_receipt, cert.v_lodging, cert.v_patch TO post_admin, post_audit;
