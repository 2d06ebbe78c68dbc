-- What the API and dashboards read: each sale with its state by the chain's clock, and the last event of sales and positions.

-- The newest event of a sale is one probe a table; the keys alone would have them scanned.
CREATE INDEX claim_of_sale ON claim (chain_id, sale, block_number, log_index);
CREATE INDEX refund_of_sale ON refund (chain_id, sale, block_number, log_index);
CREATE INDEX unsold_return_of_sale ON unsold_return (chain_id, sale, block_number, log_index);
CREATE INDEX sweep_of_sale ON sweep (chain_id, sale, block_number, log_index);
CREATE INDEX release_of_sale ON release (chain_id, sale, block_number, log_index);
-- Newest first in each chain, chains by id.
CREATE INDEX sale_newest ON sale (chain_id, block_number DESC, log_index DESC);

-- Block and log of the newest event of a sale. Returned excess is not among them: it never was the sale's, and its
-- contribution stands in the same transaction.
CREATE FUNCTION sale_last_event(of_chain bigint, of_sale address) RETURNS TABLE (block_number bigint, log_index integer)
LANGUAGE sql STABLE AS $$
    SELECT e.block_number, e.log_index FROM (
        (SELECT block_number, log_index FROM sale WHERE chain_id = of_chain AND address = of_sale)
        UNION ALL
        (SELECT block_number, log_index FROM contribution WHERE chain_id = of_chain AND sale = of_sale
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT block_number, log_index FROM settlement WHERE chain_id = of_chain AND sale = of_sale)
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
    ) e ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1
$$;

-- Log index, in its last block, of the newest event of a position.
CREATE FUNCTION position_last_log(of_chain bigint, of_sale address, of_investor address, of_block bigint) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(log_index) FROM contribution
         WHERE chain_id = of_chain AND investor = of_investor AND sale = of_sale AND block_number = of_block),
        (SELECT max(log_index) FROM claim
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block),
        (SELECT max(log_index) FROM refund
         WHERE chain_id = of_chain AND sale = of_sale AND investor = of_investor AND block_number = of_block))
$$;

-- Every sale with its outcome, totals and state. The clock is the chain's: the timestamp of the indexed tip, so that an answer
-- does not change while the chain stands still. Sales are open in the half-open interval [opens, closes).
--   held       money the contract must still hold for investors: all of it until the outcome, what is not yet refunded after a
--              failure, none after a success
--   unclaimed  tokens that it must still hold for them
CREATE VIEW sale_overview AS
SELECT
    s.chain_id, s.address, s.block_number, s.log_index, s.transaction_hash, s.creator, s.vault, s.mode, s.owner, s.beneficiary,
    s.token, s.currency, s.opens, s.closes, s.soft_cap, s.hard_cap, s.min_paid, s.max_paid, s.tokens_for_sale, s.burn_unsold,
    s.name, s.sale_hash, s.sale_uri, s.whitepaper_hash, s.whitepaper_uri,
    CASE
        WHEN o.outcome IS NOT NULL THEN o.outcome
        WHEN c.block_timestamp < s.opens THEN 'upcoming'
        WHEN c.block_timestamp < s.closes THEN 'open'
        ELSE 'ended'
    END AS state,
    c.block_timestamp AS chain_time,
    t.raised, t.sold, t.contributions, t.investors, t.refunded, t.refunds, t.claimed, t.claims, t.released,
    CASE WHEN o.outcome = 'succeeded' THEN 0 ELSE t.raised - t.refunded END AS held,
    CASE WHEN o.outcome IN ('failed', 'cancelled') THEN 0 ELSE t.sold - t.claimed END AS unclaimed,
    coalesce(token.symbol, '') AS token_symbol, coalesce(token.name, '') AS token_name,
    coalesce(token.decimals, 0::smallint) AS token_decimals,
    coalesce(money.symbol, '') AS currency_symbol, coalesce(money.name, '') AS currency_name,
    coalesce(money.decimals, 0::smallint) AS currency_decimals,
    created.hash AS created_hash, created.timestamp AS created_at,
    o.block_number AS settled_number, o.log_index AS settled_log_index, o.transaction_hash AS settled_transaction,
    settled.hash AS settled_hash, settled.timestamp AS settled_at,
    l.block_number AS last_number, l.log_index AS last_log_index, last.hash AS last_hash
FROM sale s
JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
JOIN checkpoint c ON c.chain_id = s.chain_id
LEFT JOIN settlement o ON o.chain_id = s.chain_id AND o.sale = s.address
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency
LEFT JOIN block created ON created.chain_id = s.chain_id AND created.number = s.block_number
LEFT JOIN block settled ON settled.chain_id = o.chain_id AND settled.number = o.block_number
CROSS JOIN LATERAL sale_last_event(s.chain_id, s.address) l
LEFT JOIN block last ON last.chain_id = s.chain_id AND last.number = l.block_number;
