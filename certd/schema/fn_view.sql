-- fn_view.sql: what people see in psql; \d+ shows the comments.

CREATE VIEW cert.v_receipt AS
	SELECT p.number, p.transfer, p.sender, p.recipient,
		CASE p.class WHEN 3 THEN 'postmarked' ELSE 'certified' END AS class,
		to_timestamp(p.received_ms / 1000.0) AS received,
		CASE p.ended_s WHEN 0 THEN 'in force' ELSE 'ended ' || to_timestamp(p.ended_s)::text END AS certificate,
		p.payment, p.settlement, s.signed, n.letters, n.told, octet_length(s.p7m) AS p7m_bytes,
		octet_length(s.tsr) AS tsr_bytes
	FROM cert.postmark p LEFT JOIN cert.signed s USING (number) LEFT JOIN cert.notice n USING (number);
COMMENT ON VIEW cert.v_receipt IS 'every receipt that was postmarked: between whom, when, how it was paid (settlement: creditd''s word), when it was signed, when its sender was told';

CREATE VIEW cert.v_patch AS SELECT number, name, encode(sha256, 'hex') AS sha256, applied FROM cert.patch;
COMMENT ON VIEW cert.v_patch IS 'schema files applied to this database';

GRANT USAGE ON SCHEMA cert TO post_admin, post_audit;
GRANT SELECT ON cert.v_receipt, cert.v_patch TO post_admin, post_audit;
