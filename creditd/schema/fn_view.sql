-- fn_view.sql: what people see in psql; \d+ shows the comments.

CREATE VIEW credit.v_account AS
	SELECT a.number, a.owner, credit.holds(a.account) AS holds,
		coalesce((SELECT sum(p.amount) FROM credit.posting p JOIN credit.sheet s USING (sheet)
			WHERE s.account = a.account), 0) AS on_sheets,
		CASE WHEN a.closed IS NOT NULL THEN 'closed' WHEN a.flat_rate THEN 'flat rate' ELSE 'open' END AS state,
		(SELECT string_agg(m.person, ' ' ORDER BY m.person) FROM credit.member m WHERE m.account = a.account) AS allowed,
		a.opened, a.closed
	FROM credit.account a;
COMMENT ON VIEW credit.v_account IS 'accounts: what each holds, what is out on sheets, who may draw on it';

CREATE VIEW credit.v_sheet AS
	SELECT s.sheet, s.station, a.number AS account, s.count, (SELECT count(*) FROM credit.mark m WHERE m.sheet = s.sheet) AS settled,
		s.next - s.first AS reported_used, s.epoch,
		CASE WHEN s.returned IS NOT NULL THEN 'returned' WHEN s.closed IS NOT NULL THEN 'closed' WHEN s.valid_until <= now() THEN 'ended' ELSE 'open' END AS state,
		s.issued, s.valid_until, s.closed, s.returned
	FROM credit.sheet s JOIN credit.account a USING (account);
COMMENT ON VIEW credit.v_sheet IS 'sheets of credits: how many were issued, settled, reported as used; state: open, ended (no longer valid), closed (given back, or a restored copy), returned (the rest is back on the account)';

CREATE VIEW credit.v_request AS
	SELECT r.requester, r.request, r.asked, r.granted, r.status, a.number AS account, r.created, w.signed, t.told
	FROM credit.request r LEFT JOIN credit.account a USING (account)
		LEFT JOIN credit.answer w USING (requester, request) LEFT JOIN credit.told t USING (requester, request);
COMMENT ON VIEW credit.v_request IS 'top-ups: what was asked and granted (status 0) or why not, and when the station took the answer';

CREATE VIEW credit.v_mark AS
	SELECT m.sheet, m.serial, t.station, t.recipient, t.transfer, t.settled, m.settlement
	FROM credit.mark m JOIN credit.settlement t USING (settlement);
COMMENT ON VIEW credit.v_mark IS 'settled serials: who spent each, for what';

CREATE VIEW credit.v_evidence AS
	SELECT e.evidence, e.at, e.what, s.station, e.transfer, e.recipient, t.transfer AS settled_transfer,
		t.recipient AS settled_recipient, e.frank, e.frank_signature, t.frank AS settled_frank,
		t.frank_signature AS settled_frank_signature
	FROM credit.evidence e JOIN credit.sheet s USING (sheet) LEFT JOIN credit.settlement t ON t.settlement = e.settlement;
COMMENT ON VIEW credit.v_evidence IS 'franks that conflict, with the one that was settled: both as their station signed them';

GRANT USAGE ON SCHEMA credit TO post_admin, post_audit;
GRANT EXECUTE ON FUNCTION credit.holds(bigint) TO post_admin, post_audit;	-- v_account calls it
GRANT SELECT ON credit.v_account, credit.v_sheet, credit.v_request, credit.v_mark, credit.v_evidence TO post_admin, post_audit;
