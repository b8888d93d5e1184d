-- roles.sql: the roles of certd's schema and of the people who look after it. Run once by a superuser, connected to the
-- database that will hold the schema; running it again changes nothing. Passwords are the administrator's to set.
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES ('cert_owner', 'LOGIN'), ('cert_daemon', 'LOGIN'),
	    ('post_admin', 'NOLOGIN'), ('post_audit', 'NOLOGIN')) AS v (role, kind)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.role) THEN
			EXECUTE format('CREATE ROLE %I %s NOINHERIT', r.role, r.kind);
		END IF;
	END LOOP;
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO cert_owner', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO cert_daemon, post_admin, post_audit', current_database());
END $$;
COMMENT ON ROLE cert_owner IS 'owns the schema cert; certd --migrate';
COMMENT ON ROLE cert_daemon IS 'certd: may call its functions, nothing else';
COMMENT ON ROLE post_admin IS 'people who run the post office: admin functions and views';
COMMENT ON ROLE post_audit IS 'people who check the post office: views only';
