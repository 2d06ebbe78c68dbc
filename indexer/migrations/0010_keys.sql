-- What does not follow from the chain: keys, secrets, what was done with them. It stands in a schema of its own, which a switch of the
-- indexed tables does not touch (decision 15). Migrations run once for every set of those tables, so every statement here may run again.

DO $$ BEGIN
    -- Asked first: making one that exists needs the right to make one.
    IF to_regnamespace('crowdsale_service') IS NULL THEN
        CREATE SCHEMA crowdsale_service;
    END IF;
END $$;

-- Secrets of the service itself, by name.
CREATE TABLE IF NOT EXISTS crowdsale_service.secret (
    name text PRIMARY KEY,
    sealed bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS crowdsale_service.api_key (
    id text PRIMARY KEY,
    -- The first key of those that took each other's place by rotation. What belongs to a caller belongs to all of them.
    family text NOT NULL,
    label text NOT NULL,
    -- The beginning of the key, by which it is found and shown.
    prefix text NOT NULL UNIQUE,
    -- HMAC-SHA-256 of the whole key, under a secret that is sealed.
    hash bytea NOT NULL CHECK (length(hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    -- Where it may be used from, in CIDR notation; from everywhere if empty.
    networks text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    -- The key that takes its place, if it was rotated.
    replaced_by text REFERENCES crowdsale_service.api_key,
    last_used_at timestamptz
);

-- Every privileged act. Rows are only ever added, and each holds the hash of the one before it: one that is changed or taken away is
-- noticed, whoever did it.
CREATE TABLE IF NOT EXISTS crowdsale_service.audit (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    -- Who did it: key:<id>, operator:<user>, or nobody.
    actor text NOT NULL,
    act text NOT NULL,
    -- What it was done to.
    subject text NOT NULL,
    client text,
    request_id text,
    detail text,
    -- UNIQUE: a second row after the same one would part the chain.
    previous bytea NOT NULL UNIQUE CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX IF NOT EXISTS audit_by_subject ON crowdsale_service.audit (subject, act, at);

-- A field with its length before it: no two rows give the same text.
CREATE OR REPLACE FUNCTION crowdsale_service.audit_field(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(length(convert_to(value, 'UTF8')) || ':' || value, '-') || ','
$$;

CREATE OR REPLACE FUNCTION crowdsale_service.chain_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last crowdsale_service.audit;
BEGIN
    -- One after the other: two at once would follow the same row.
    PERFORM pg_advisory_xact_lock(8241995174617048437);
    SELECT * INTO last FROM crowdsale_service.audit ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.previous := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := sha256(NEW.previous || convert_to(
        crowdsale_service.audit_field(NEW.id::text)
        || crowdsale_service.audit_field((extract(epoch FROM NEW.at) * 1000000)::bigint::text)
        || crowdsale_service.audit_field(NEW.actor) || crowdsale_service.audit_field(NEW.act)
        || crowdsale_service.audit_field(NEW.subject) || crowdsale_service.audit_field(NEW.client)
        || crowdsale_service.audit_field(NEW.request_id) || crowdsale_service.audit_field(NEW.detail), 'UTF8'));
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION crowdsale_service.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER audit_chained BEFORE INSERT ON crowdsale_service.audit
    FOR EACH ROW EXECUTE FUNCTION crowdsale_service.chain_audit();
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON crowdsale_service.audit
    FOR EACH STATEMENT EXECUTE FUNCTION crowdsale_service.refuse_change();
-- Also where a session has switched triggers off, as replication does.
ALTER TABLE crowdsale_service.audit ENABLE ALWAYS TRIGGER audit_chained;
ALTER TABLE crowdsale_service.audit ENABLE ALWAYS TRIGGER audit_append_only;

-- The first answers to requests that may be sent again, in the same transaction as what the request did.
CREATE TABLE IF NOT EXISTS crowdsale_service.idempotency (
    -- SHA-256 of the caller and the key that the caller chose, in hexadecimal.
    id text PRIMARY KEY,
    -- SHA-256 of method, path, query and body.
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    -- Answers can hold what is shown only once.
    answer_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idempotency_by_age ON crowdsale_service.idempotency (created_at);

-- Where sealed values stand: every column of the schema that is called `sealed` or ends in `_sealed`. Its table's primary key is one
-- column; where it is not, `key_column` is null.
CREATE OR REPLACE FUNCTION crowdsale_service.sealed_columns()
RETURNS TABLE (table_name text, column_name text, key_column text, key_type text) LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, a.attname::text, k.attname::text, format_type(k.atttypid, k.atttypmod)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND (a.attname = 'sealed' OR a.attname LIKE '%\_sealed')
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
    LEFT JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
    WHERE c.relnamespace = to_regnamespace('crowdsale_service') AND c.relkind = 'r'
    ORDER BY 1, 2
$$;

-- Rows of such a column that were not sealed with a master key, behind a row, in order.
CREATE OR REPLACE FUNCTION crowdsale_service.sealed_batch(
    of_table text, of_column text, by_column text, by_type text, master bytea, behind text, most bigint)
RETURNS TABLE (key text, sealed bytea) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        -- With t: without, the order would be that of the text in the result.
        'SELECT t.%3$I::text, t.%2$I FROM crowdsale_service.%1$I t
         WHERE t.%2$I IS NOT NULL AND substr(t.%2$I, 2, 8) <> $1 AND ($2 IS NULL OR t.%3$I > $2::%4$s)
         ORDER BY t.%3$I LIMIT $3', of_table, of_column, by_column, by_type)
    USING master, behind, most;
END $$;

-- Puts a value in the place of another, unless that has changed meanwhile.
CREATE OR REPLACE FUNCTION crowdsale_service.replace_sealed(
    of_table text, of_column text, by_column text, by_type text, key text, before bytea, after bytea)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    replaced bigint;
BEGIN
    EXECUTE format('UPDATE crowdsale_service.%1$I SET %2$I = $3 WHERE %3$I = $1::%4$s AND %2$I = $2',
        of_table, of_column, by_column, by_type)
    USING key, before, after;
    GET DIAGNOSTICS replaced = ROW_COUNT;
    RETURN replaced > 0;
END $$;
