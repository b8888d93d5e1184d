-- 002-report.sql: which report of a wallet is the newest, so that one that comes late is not taken for a restored copy.

ALTER TABLE credit.sheet ADD COLUMN asked uuid;
COMMENT ON COLUMN credit.sheet.asked IS 'the highest id of a report: a station''s ids rise';

CREATE OR REPLACE FUNCTION credit.keep_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'UPDATE' THEN
		RAISE EXCEPTION 'sheets are kept: % refused', TG_OP;
	END IF;
	IF (to_jsonb(OLD) - '{epoch,report,asked,next,closed,returned}'::text[])
	    <> (to_jsonb(NEW) - '{epoch,report,asked,next,closed,returned}'::text[])
	    OR NEW.epoch < OLD.epoch OR NEW.next < OLD.next OR NEW.asked < OLD.asked
	    OR (OLD.closed IS NOT NULL AND NEW.closed IS DISTINCT FROM OLD.closed)
	    OR (OLD.returned IS NOT NULL AND NEW.returned IS DISTINCT FROM OLD.returned) THEN
		RAISE EXCEPTION 'a sheet''s epoch and next serial only rise, it is closed once, and nothing else of it changes';
	END IF;
	RETURN NEW;
END $$;
