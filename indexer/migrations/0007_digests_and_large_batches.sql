-- A digest of what was applied, cheaper triggers for large batches, indexes that can wait, and the outbox.

-- Running SHA-256 over the logs of all blocks up to this one (apply::Digest), so that two indexes can tell in one comparison
-- whether they differ. Null where indexing began before there were digests.
ALTER TABLE block ADD COLUMN digest hash32;

-- One pass over the rows for both sums. A batch that brings many contributions of one investor updates its position once.
CREATE OR REPLACE FUNCTION contribution_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH d AS MATERIALIZED (
        SELECT chain_id, sale, investor, sum(amount) AS amount, sum(tokens) AS tokens, count(*) AS n,
            max(block_number) AS last_block
        FROM changed GROUP BY chain_id, sale, investor
    ), p AS (
        INSERT INTO position AS p (chain_id, sale, investor, paid, tokens, contributions, last_block)
        SELECT chain_id, sale, investor, amount, tokens, n, last_block FROM d
        ON CONFLICT (chain_id, sale, investor) DO UPDATE SET
            paid = p.paid + excluded.paid,
            tokens = p.tokens + excluded.tokens,
            contributions = p.contributions + excluded.contributions,
            last_block = greatest(p.last_block, excluded.last_block)
    )
    UPDATE sale_total t SET raised = t.raised + s.amount, sold = t.sold + s.tokens, contributions = t.contributions + s.n
    FROM (SELECT chain_id, sale, sum(amount) AS amount, sum(tokens) AS tokens, sum(n) AS n FROM d GROUP BY chain_id, sale) s
    WHERE t.chain_id = s.chain_id AND t.sale = s.sale;
    RETURN NULL;
END $$;

-- The other way round. A position without contributions is gone; of the others the latest event is looked for, in one index where a
-- sale has nothing but contributions.
CREATE OR REPLACE FUNCTION contribution_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH d AS MATERIALIZED (
        SELECT chain_id, sale, investor, sum(amount) AS amount, sum(tokens) AS tokens, count(*) AS n
        FROM changed GROUP BY chain_id, sale, investor
    ), gone AS (
        DELETE FROM position p USING d
        WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor AND p.contributions = d.n
    ), kept AS (
        UPDATE position p SET
            paid = p.paid - d.amount,
            tokens = p.tokens - d.tokens,
            contributions = p.contributions - d.n,
            last_block = CASE
                WHEN t.withdrawals + t.rejections + t.claims + t.refunds = 0 AND t.excess_refunded + t.objected + t.rest_refunded = 0
                THEN (SELECT max(c.block_number) FROM contribution c
                      WHERE c.chain_id = d.chain_id AND c.sale = d.sale AND c.investor = d.investor)
                ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
        FROM d JOIN sale_total t ON t.chain_id = d.chain_id AND t.sale = d.sale
        WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor AND p.contributions > d.n
    )
    UPDATE sale_total t SET raised = t.raised - s.amount, sold = t.sold - s.tokens, contributions = t.contributions - s.n
    FROM (SELECT chain_id, sale, sum(amount) AS amount, sum(tokens) AS tokens, sum(n) AS n FROM d GROUP BY chain_id, sale) s
    WHERE t.chain_id = s.chain_id AND t.sale = s.sale;
    RETURN NULL;
END $$;

-- Room in each page for the next version of a position: one that is updated again and again stays where it is.
ALTER TABLE position SET (fillfactor = 70);
ALTER TABLE sale_total SET (fillfactor = 50);

-- Indexes of event tables and positions that a first, large backfill builds at its end. What is listed here is missing, and
-- built by the next writer that finds it.
CREATE TABLE deferred_index (
    name       text PRIMARY KEY,
    definition text NOT NULL
);

-- Drops and lists them, and says how many. None where there are events already: their readers need them.
CREATE FUNCTION defer_indexes() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    of record;
    dropped bigint := 0;
BEGIN
    IF EXISTS (SELECT FROM contribution) OR EXISTS (SELECT FROM position) THEN
        RETURN 0;
    END IF;
    FOR of IN
        SELECT x.indexrelid::regclass AS index, c.relname::text AS name, pg_get_indexdef(x.indexrelid) AS definition
        FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        WHERE t.relnamespace = current_schema()::regnamespace AND NOT x.indisunique
            AND (t.relname = 'position' OR t.relname <> 'block' AND EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'block_number'))
    LOOP
        INSERT INTO deferred_index (name, definition) VALUES (of.name, of.definition);
        EXECUTE format('DROP INDEX %s', of.index);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

CREATE FUNCTION build_deferred_index(of_name text) RETURNS void LANGUAGE plpgsql
SET maintenance_work_mem = '128MB' AS $$
DECLARE
    of record;
BEGIN
    FOR of IN DELETE FROM deferred_index WHERE name = of_name RETURNING definition LOOP
        EXECUTE of.definition;
    END LOOP;
END $$;

-- What happened to the tables, in the order in which it was committed: for whoever passes events on. 'applied': the events of
-- from_block to to_block stand in their tables. 'reverted': those above from_block - 1 are gone, as a reorg removed their blocks.
CREATE TABLE outbox (
    chain_id   bigint NOT NULL,
    seq        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL CHECK (kind IN ('applied', 'reverted')),
    from_block bigint NOT NULL,
    to_block   bigint NOT NULL,
    -- Of to_block; of a reverted range the tip that is gone.
    hash       hash32 NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, seq)
);

-- Forgets as before, and says so to those who were told of what is gone.
ALTER FUNCTION rollback_to(bigint, bigint) RENAME TO forget_above;
CREATE FUNCTION rollback_to(of_chain bigint, fork bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (chain_id, kind, from_block, to_block, hash)
    SELECT of_chain, 'reverted', fork + 1, number, hash FROM block
    WHERE chain_id = of_chain AND number > fork ORDER BY number DESC LIMIT 1;
    PERFORM forget_above(of_chain, fork);
END $$;
