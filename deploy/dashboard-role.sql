-- A role for dashboards and BI tools: it reads the views dash_* and nothing else. Run it as the owner of the tables, who may create roles,
-- once `crowdsale index` has migrated the database; it can be run again, e.g. when a version brings new views:
--     psql DATABASE -f deploy/dashboard-role.sql
-- Then give it a password: \password crowdsale_dashboard. A re-index keeps these grants.
DO $$
DECLARE
    of record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crowdsale_dashboard') THEN
        -- So many panels may ask at once; the rest wait in the dashboard, not in the database.
        CREATE ROLE crowdsale_dashboard LOGIN NOINHERIT CONNECTION LIMIT 10;
    END IF;
    FOR of IN SELECT viewname FROM pg_views WHERE schemaname = 'crowdsale' AND viewname LIKE 'dash\_%' LOOP
        EXECUTE format('GRANT SELECT ON crowdsale.%I TO crowdsale_dashboard', of.viewname);
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA crowdsale TO crowdsale_dashboard;
ALTER ROLE crowdsale_dashboard SET search_path = 'crowdsale';
ALTER ROLE crowdsale_dashboard SET default_transaction_read_only = on;
-- A panel that asks for too much ends, and a forgotten transaction does not keep old rows.
ALTER ROLE crowdsale_dashboard SET statement_timeout = '15s';
ALTER ROLE crowdsale_dashboard SET idle_in_transaction_session_timeout = '30s';
