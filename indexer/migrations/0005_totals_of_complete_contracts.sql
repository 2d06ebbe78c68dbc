-- Totals, positions, rollback and what the API reads, with the events of 0004.

-- raised and sold become what the contract counts: withdrawals and rejections leave them. The rest is gross.
--   kept, excess, allotted  set by a success: money it keeps for the beneficiary, and what all investors together get back and
--                           are allotted, each share rounded down as the contract does; what is missing to the sums is dust
--   received, rest_refunded what came to the vault, and what it paid back after investors stopped it
ALTER TABLE sale_total
    ADD COLUMN withdrawn       numeric NOT NULL DEFAULT 0,
    ADD COLUMN withdrawals     bigint NOT NULL DEFAULT 0,
    ADD COLUMN rejected        numeric NOT NULL DEFAULT 0,
    ADD COLUMN rejections      bigint NOT NULL DEFAULT 0,
    ADD COLUMN kept            numeric NOT NULL DEFAULT 0,
    ADD COLUMN excess          numeric NOT NULL DEFAULT 0,
    ADD COLUMN allotted        numeric NOT NULL DEFAULT 0,
    ADD COLUMN excess_refunded numeric NOT NULL DEFAULT 0,
    ADD COLUMN received        numeric NOT NULL DEFAULT 0,
    ADD COLUMN objected        numeric NOT NULL DEFAULT 0,
    ADD COLUMN rest_refunded   numeric NOT NULL DEFAULT 0;

-- Gross, as before. The contract's own figures: `position_state`.
ALTER TABLE position
    ADD COLUMN withdrawn        numeric NOT NULL DEFAULT 0,
    ADD COLUMN withdrawn_tokens numeric NOT NULL DEFAULT 0,
    ADD COLUMN rejections       bigint NOT NULL DEFAULT 0,
    ADD COLUMN rejected         numeric NOT NULL DEFAULT 0,
    ADD COLUMN rejected_tokens  numeric NOT NULL DEFAULT 0,
    ADD COLUMN shares           bigint NOT NULL DEFAULT 0,
    ADD COLUMN kept             numeric NOT NULL DEFAULT 0,
    ADD COLUMN share_tokens     numeric NOT NULL DEFAULT 0,
    ADD COLUMN excess           numeric NOT NULL DEFAULT 0,
    ADD COLUMN excess_refunded  numeric NOT NULL DEFAULT 0,
    ADD COLUMN objections       bigint NOT NULL DEFAULT 0,
    ADD COLUMN objected         numeric NOT NULL DEFAULT 0,
    ADD COLUMN rest_refunds     bigint NOT NULL DEFAULT 0,
    ADD COLUMN rest_refunded    numeric NOT NULL DEFAULT 0;

-- What the contract's positionOf says: a refund empties a position, a rejection takes its tokens, and a share takes the place of
-- what was paid.
CREATE VIEW position_state AS
SELECT chain_id, sale, investor,
    CASE WHEN shares > 0 THEN kept ELSE paid - withdrawn - refunded END AS paid,
    CASE WHEN shares > 0 THEN share_tokens - claimed
         WHEN rejections > 0 OR refunded > 0 THEN 0
         ELSE tokens - withdrawn_tokens - claimed END AS tokens
FROM position;

CREATE OR REPLACE FUNCTION position_last_block(of_chain bigint, of_sale address, of_investor address) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(block_number) FROM contribution
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM claim
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM withdrawal
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM rejection
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM share
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM excess_refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM objection
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor),
        (SELECT max(block_number) FROM rest_refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor))
$$;

CREATE OR REPLACE FUNCTION position_last_log(of_chain bigint, of_sale address, of_investor address, of_block bigint)
RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(log_index) FROM contribution
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM claim
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM withdrawal
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM rejection
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM share
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM excess_refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM objection
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM rest_refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block))
$$;

-- An event that is added can only move the last block up; one that is gone has it looked for.
CREATE FUNCTION withdrawal_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        withdrawn = p.withdrawn + sign * d.v0,
        withdrawn_tokens = p.withdrawn_tokens + sign * d.v1,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, sum(amount) AS v0, sum(tokens) AS v1, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET withdrawn = t.withdrawn + sign * d.v0, withdrawals = t.withdrawals + sign * d.v1, raised = t.raised - sign * d.v2, sold = t.sold - sign * d.v3
    FROM (SELECT chain_id, sale, sum(amount) AS v0, count(*) AS v1, sum(amount) AS v2, sum(tokens) AS v3 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER withdrawal_added AFTER INSERT ON withdrawal REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION withdrawal_changed();
CREATE TRIGGER withdrawal_removed AFTER DELETE ON withdrawal REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION withdrawal_changed();

CREATE FUNCTION rejection_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        rejections = p.rejections + sign * d.v0,
        rejected = p.rejected + sign * d.v1,
        rejected_tokens = p.rejected_tokens + sign * d.v2,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, count(*) AS v0, sum(amount) AS v1, sum(tokens) AS v2, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET rejected = t.rejected + sign * d.v0, rejections = t.rejections + sign * d.v1, raised = t.raised - sign * d.v2, sold = t.sold - sign * d.v3
    FROM (SELECT chain_id, sale, sum(amount) AS v0, count(*) AS v1, sum(amount) AS v2, sum(tokens) AS v3 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER rejection_added AFTER INSERT ON rejection REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION rejection_changed();
CREATE TRIGGER rejection_removed AFTER DELETE ON rejection REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION rejection_changed();

CREATE FUNCTION share_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        shares = p.shares + sign * d.v0,
        kept = p.kept + sign * d.v1,
        share_tokens = p.share_tokens + sign * d.v2,
        excess = p.excess + sign * d.v3,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, count(*) AS v0, sum(kept) AS v1, sum(tokens) AS v2, sum(excess) AS v3, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    RETURN NULL;
END $$;
CREATE TRIGGER share_added AFTER INSERT ON share REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();
CREATE TRIGGER share_removed AFTER DELETE ON share REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();

CREATE FUNCTION excess_refund_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        excess_refunded = p.excess_refunded + sign * d.v0,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, sum(amount) AS v0, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET excess_refunded = t.excess_refunded + sign * d.v0
    FROM (SELECT chain_id, sale, sum(amount) AS v0 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER excess_refund_added AFTER INSERT ON excess_refund REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION excess_refund_changed();
CREATE TRIGGER excess_refund_removed AFTER DELETE ON excess_refund REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION excess_refund_changed();

CREATE FUNCTION objection_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        objections = p.objections + sign * d.v0,
        objected = p.objected + sign * d.v1,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, count(*) AS v0, sum(weight) AS v1, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET objected = t.objected + sign * d.v0
    FROM (SELECT chain_id, sale, sum(weight) AS v0 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER objection_added AFTER INSERT ON objection REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION objection_changed();
CREATE TRIGGER objection_removed AFTER DELETE ON objection REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION objection_changed();

CREATE FUNCTION rest_refund_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE position p SET
        rest_refunds = p.rest_refunds + sign * d.v0,
        rest_refunded = p.rest_refunded + sign * d.v1,
        last_block = CASE WHEN sign = 1 THEN greatest(p.last_block, d.last_block)
                          ELSE coalesce(position_last_block(d.chain_id, d.sale, d.investor), 0) END
    FROM (SELECT chain_id, sale, investor, count(*) AS v0, sum(amount) AS v1, max(block_number) AS last_block
          FROM changed GROUP BY chain_id, sale, investor) d
    WHERE p.chain_id = d.chain_id AND p.sale = d.sale AND p.investor = d.investor;
    UPDATE sale_total t SET rest_refunded = t.rest_refunded + sign * d.v0
    FROM (SELECT chain_id, sale, sum(amount) AS v0 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER rest_refund_added AFTER INSERT ON rest_refund REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION rest_refund_changed();
CREATE TRIGGER rest_refund_removed AFTER DELETE ON rest_refund REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION rest_refund_changed();

CREATE FUNCTION sweep_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE sale_total t SET received = t.received + sign * d.v0
    FROM (SELECT chain_id, sale, sum(amount) AS v0 FROM changed GROUP BY chain_id, sale) d
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER sweep_added AFTER INSERT ON sweep REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION sweep_changed();
CREATE TRIGGER sweep_removed AFTER DELETE ON sweep REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION sweep_changed();

-- After an outcome no position changes any more, so a success adds all shares up once: what each investor gets is rounded down by
-- itself (UniformPriceSale._settled), and the sums cannot be told from the totals alone. Whoever inserts must have inserted the
-- contributions, withdrawals and rejections before; a rollback deletes the outcome first.
CREATE FUNCTION settlement_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE sale_total t SET kept = 0, excess = 0, allotted = 0
        FROM changed c WHERE t.chain_id = c.chain_id AND t.sale = c.sale;
        RETURN NULL;
    END IF;
    UPDATE sale_total t SET kept = d.kept, excess = coalesce(e.excess, 0), allotted = coalesce(e.allotted, t.sold)
    FROM (
        SELECT c.chain_id, c.sale, s.mode, o.raised, least(o.raised, s.hard_cap) AS kept, c.sold
        FROM changed c
        JOIN sale s ON s.chain_id = c.chain_id AND s.address = c.sale
        JOIN sale_total o ON o.chain_id = c.chain_id AND o.sale = c.sale
        WHERE c.outcome = 'succeeded'
    ) d LEFT JOIN LATERAL (
        SELECT sum(div((p.paid - p.withdrawn) * (d.raised - d.kept), d.raised)) AS excess,
            sum(div((p.paid - p.withdrawn) * d.sold, d.raised)) AS allotted
        FROM position p
        WHERE d.mode <> 'fixed_price' AND d.raised > 0 AND p.chain_id = d.chain_id AND p.sale = d.sale AND p.rejections = 0
    ) e ON true
    WHERE t.chain_id = d.chain_id AND t.sale = d.sale;
    RETURN NULL;
END $$;
CREATE TRIGGER settlement_added AFTER INSERT ON settlement REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_changed();
CREATE TRIGGER settlement_removed AFTER DELETE ON settlement REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_changed();

UPDATE sale_total t SET received = coalesce((SELECT sum(amount) FROM sweep e WHERE e.chain_id = t.chain_id AND e.sale = t.sale), 0);
UPDATE sale_total t SET kept = t.raised, allotted = t.sold
FROM settlement o WHERE o.chain_id = t.chain_id AND o.sale = t.sale AND o.outcome = 'succeeded';

CREATE OR REPLACE FUNCTION rollback_to(of_chain bigint, fork bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM token_role_change WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM contract_uri_change WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM holder_approval WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM allocation_reclaim WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM allocation_release WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM rest_refund WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM tap_stop WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM objection WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM release WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sweep WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM unsold_return WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM excess_refund WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM refund WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM claim WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM share WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM settlement WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM whitepaper WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM ownership_transfer WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM compliance_change WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM voucher_signer_change WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM pause_change WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM rejection WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM withdrawal WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM excess_return WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM contribution WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM allocation WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM token_created WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sale_phase WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM sale WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM quarantined_log WHERE chain_id = of_chain AND block_number > fork;
    DELETE FROM block WHERE chain_id = of_chain AND number > fork;
END $$;

-- Of token events none is among them: a token is not the sale's alone.
CREATE OR REPLACE FUNCTION sale_last_event(of_chain bigint, of_sale address) RETURNS TABLE (block_number bigint, log_index integer)
LANGUAGE sql STABLE AS $$
    SELECT e.block_number, e.log_index FROM (
        (SELECT block_number, log_index FROM sale WHERE chain_id = of_chain AND address = of_sale)
        UNION ALL
        (SELECT block_number, log_index FROM settlement WHERE chain_id = of_chain AND sale = of_sale)
        UNION ALL
        (SELECT block_number, log_index FROM contribution WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM claim WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM refund WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM unsold_return WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM sweep WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM release WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM withdrawal WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM rejection WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM share WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM excess_refund WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM pause_change WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM voucher_signer_change WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM compliance_change WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM ownership_transfer WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM whitepaper WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM objection WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM tap_stop WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM rest_refund WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM allocation WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM allocation_release WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM allocation_reclaim WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
    ) e ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1
$$;
