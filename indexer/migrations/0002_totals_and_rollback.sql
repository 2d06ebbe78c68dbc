-- Totals and positions are kept by statement-level triggers, so that no path can forget them and a rollback, which only
-- deletes, corrects them by itself.

CREATE TABLE sale_total (
    chain_id      bigint NOT NULL,
    sale          address NOT NULL,
    raised        numeric NOT NULL DEFAULT 0,
    sold          numeric NOT NULL DEFAULT 0,
    contributions bigint NOT NULL DEFAULT 0,
    investors     bigint NOT NULL DEFAULT 0,
    refunded      numeric NOT NULL DEFAULT 0,
    refunds       bigint NOT NULL DEFAULT 0,
    claimed       numeric NOT NULL DEFAULT 0,
    claims        bigint NOT NULL DEFAULT 0,
    released      numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (chain_id, sale)
);

-- One investor in one sale, gross. The contract's own figures are paid - refunded and, unless refunded, tokens - claimed: a
-- refund empties a position.
CREATE TABLE position (
    chain_id      bigint NOT NULL,
    sale          address NOT NULL,
    investor      address NOT NULL,
    paid          numeric NOT NULL DEFAULT 0,
    tokens        numeric NOT NULL DEFAULT 0,
    contributions bigint NOT NULL DEFAULT 0,
    refunded      numeric NOT NULL DEFAULT 0,
    claimed       numeric NOT NULL DEFAULT 0,
    -- The block of the latest event that touched it.
    last_block    bigint NOT NULL,
    PRIMARY KEY (chain_id, sale, investor)
);
CREATE INDEX position_by_paid ON position (chain_id, sale, paid DESC, investor);
CREATE INDEX position_of_investor ON position (chain_id, investor, sale);

CREATE FUNCTION sale_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sale_total (chain_id, sale) SELECT chain_id, address FROM changed;
    RETURN NULL;
END $$;
CREATE FUNCTION sale_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sale_total t USING changed c WHERE t.chain_id = c.chain_id AND t.sale = c.address;
    RETURN NULL;
END $$;
CREATE TRIGGER sale_added AFTER INSERT ON sale REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION sale_added();
CREATE TRIGGER sale_removed AFTER DELETE ON sale REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION sale_removed();

-- New and vanished positions count as investors.
CREATE FUNCTION position_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE sale_total t SET investors = t.investors + sign * d.n
    FROM (SELECT chain_id, sale, count(*) AS n FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER position_added AFTER INSERT ON position REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION position_counted();
CREATE TRIGGER position_removed AFTER DELETE ON position REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION position_counted();

-- The latest event of a position, after some of its events are gone.
CREATE FUNCTION position_last_block(of_chain bigint, of_sale address, of_investor address) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(block_number) FROM contribution
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM claim
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor))
$$;

CREATE FUNCTION contribution_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO position AS p (chain_id, sale, investor, paid, tokens, contributions, last_block)
    SELECT chain_id, sale, investor, sum(amount), sum(tokens), count(*), max(block_number)
    FROM changed GROUP BY chain_id, sale, investor
    ON CONFLICT (chain_id, sale, investor) DO UPDATE SET
        paid = p.paid + excluded.paid,
        tokens = p.tokens + excluded.tokens,
        contributions = p.contributions + excluded.contributions,
        last_block = greatest(p.last_block, excluded.last_block);
    UPDATE sale_total t SET raised = t.raised + d.amount, sold = t.sold + d.tokens, contributions = t.contributions + d.n
    FROM (SELECT chain_id, sale, sum(amount) AS amount, sum(tokens) AS tokens, count(*) AS n
          FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE FUNCTION contribution_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE position p SET
        paid = p.paid - d.amount,
        tokens = p.tokens - d.tokens,
        contributions = p.contributions - d.n,
        last_block = coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0)
    FROM (SELECT chain_id, sale, investor, sum(amount) AS amount, sum(tokens) AS tokens, count(*) AS n
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    DELETE FROM position p USING changed c
    WHERE p.chain_id = c.chain_id AND p.sale = c.sale AND p.investor = c.investor AND p.contributions = 0;
    UPDATE sale_total t SET raised = t.raised - d.amount, sold = t.sold - d.tokens, contributions = t.contributions - d.n
    FROM (SELECT chain_id, sale, sum(amount) AS amount, sum(tokens) AS tokens, count(*) AS n
          FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER contribution_added AFTER INSERT ON contribution REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION contribution_added();
CREATE TRIGGER contribution_removed AFTER DELETE ON contribution REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION contribution_removed();

CREATE FUNCTION claim_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        claimed = p.claimed + sign * d.tokens,
        last_block = coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0)
    FROM (SELECT chain_id, sale, investor, sum(tokens) AS tokens FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET claimed = t.claimed + sign * d.tokens, claims = t.claims + sign * d.n
    FROM (SELECT chain_id, sale, sum(tokens) AS tokens, count(*) AS n FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER claim_added AFTER INSERT ON claim REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION claim_changed();
CREATE TRIGGER claim_removed AFTER DELETE ON claim REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION claim_changed();

CREATE FUNCTION refund_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        refunded = p.refunded + sign * d.amount,
        last_block = coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0)
    FROM (SELECT chain_id, sale, investor, sum(amount) AS amount FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET refunded = t.refunded + sign * d.amount, refunds = t.refunds + sign * d.n
    FROM (SELECT chain_id, sale, sum(amount) AS amount, count(*) AS n FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_added AFTER INSERT ON refund REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refund_changed();
CREATE TRIGGER refund_removed AFTER DELETE ON refund REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refund_changed();

CREATE FUNCTION release_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE sale_total t SET released = t.released + sign * d.amount
    FROM (SELECT chain_id, sale, sum(amount) AS amount FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER release_added AFTER INSERT ON release REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION release_changed();
CREATE TRIGGER release_removed AFTER DELETE ON release REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION release_changed();

-- Forgets every event above the fork point and every block from it on; the caller then writes the checkpoint. Events that
-- take from a position go before the contributions that made it. A test holds this list against the catalog.
CREATE FUNCTION rollback_to(of_chain bigint, fork bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM release WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sweep WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM unsold_return WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM refund WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM claim WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM settlement WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM excess_return WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM contribution WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM token_created WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sale_phase WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sale WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM quarantined_log WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM block WHERE chain_id = of_chain AND number > fork;
END $$;
