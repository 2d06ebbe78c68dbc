-- A list of sales looks for its rows before it reads them. To plan everything that `sale_overview` says of a sale takes ten times as long
-- as to find fifty sales; here stands what they are found by.

-- Every sale with its terms, its owner and state of now. The clock is the chain's.
CREATE VIEW sale_now AS
SELECT
    s.chain_id, s.address, s.block_number, s.log_index, s.transaction_hash, s.creator, s.vault, s.mode,
    coalesce((SELECT e.new_owner FROM ownership_transfer e WHERE e.chain_id = s.chain_id AND e.contract = s.address AND e.done
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), s.owner) AS owner,
    s.compliance, s.signer, s.beneficiary, s.token, s.currency, s.opens, s.closes, s.soft_cap, s.hard_cap, s.min_paid, s.max_paid,
    s.tokens_for_sale, s.burn_unsold, s.cooling_off, s.vesting_at_once, s.vesting_cliff, s.vesting_duration, s.tap_at_once,
    s.tap_duration, s.tap_objection, s.name, s.sale_hash, s.sale_uri, s.whitepaper_hash, s.whitepaper_uri,
    o.outcome, o.sold AS settled_sold, o.block_number AS settled_number, o.log_index AS settled_log_index,
    o.transaction_hash AS settled_transaction,
    CASE
        WHEN o.outcome IS NOT NULL THEN o.outcome
        WHEN c.block_timestamp < s.opens THEN 'upcoming'
        WHEN c.block_timestamp < s.closes THEN 'open'
        ELSE 'ended'
    END AS state,
    c.block_timestamp AS chain_time
FROM sale s
JOIN checkpoint c ON c.chain_id = s.chain_id
LEFT JOIN settlement o ON o.chain_id = s.chain_id AND o.sale = s.address;

-- As before (0006), over it.
CREATE OR REPLACE VIEW sale_overview AS
SELECT
    s.chain_id, s.address, s.block_number, s.log_index, s.transaction_hash, s.creator, s.vault, s.mode, s.owner,
    -- An accepted or withdrawn offer is none.
    (SELECT CASE WHEN e.done OR e.new_owner = decode(repeat('00', 20), 'hex') THEN NULL ELSE e.new_owner END
     FROM ownership_transfer e WHERE e.chain_id = s.chain_id AND e.contract = s.address
     ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1) AS pending_owner,
    coalesce((SELECT e.compliance FROM compliance_change e WHERE e.chain_id = s.chain_id AND e.sale = s.address
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), s.compliance) AS compliance,
    coalesce((SELECT e.signer FROM voucher_signer_change e WHERE e.chain_id = s.chain_id AND e.sale = s.address
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), s.signer) AS voucher_signer,
    coalesce((SELECT e.epoch FROM voucher_signer_change e WHERE e.chain_id = s.chain_id AND e.sale = s.address
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), 0) AS voucher_epoch,
    -- A pause ends with the outcome.
    s.outcome IS NULL AND coalesce((SELECT e.paused FROM pause_change e WHERE e.chain_id = s.chain_id AND e.sale = s.address
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), false) AS paused,
    s.beneficiary, s.token, s.currency, s.opens, s.closes, s.soft_cap, s.hard_cap, s.min_paid, s.max_paid, s.tokens_for_sale,
    s.burn_unsold, s.cooling_off, s.vesting_at_once, s.vesting_cliff, s.vesting_duration, s.tap_at_once, s.tap_duration,
    s.tap_objection, s.name, s.sale_hash, s.sale_uri, s.whitepaper_hash, s.whitepaper_uri, s.state, s.chain_time,
    t.raised, CASE WHEN s.mode <> 'fixed_price' AND s.outcome = 'succeeded' THEN s.settled_sold ELSE t.sold END AS sold,
    t.contributions, t.investors, t.refunded, t.refunds, t.claimed, t.claims, t.released, t.withdrawn, t.withdrawals, t.rejected,
    t.rejections, t.kept, t.excess, t.allotted, t.excess_refunded, t.received, t.objected, t.rest_refunded,
    CASE WHEN s.outcome = 'succeeded' THEN t.excess - t.excess_refunded + t.rejected - t.refunded
         ELSE t.raised + t.rejected - t.refunded END AS held,
    CASE WHEN s.outcome = 'succeeded' THEN t.kept - t.received ELSE 0 END AS unswept,
    CASE WHEN s.outcome = 'succeeded' THEN t.raised - t.kept - t.excess ELSE 0 END AS dust,
    t.received - t.released - t.rest_refunded AS in_vault,
    CASE WHEN s.outcome IN ('failed', 'cancelled') THEN 0
         WHEN s.outcome = 'succeeded' THEN t.allotted - t.claimed
         ELSE t.sold END AS unclaimed,
    (SELECT e.rest FROM tap_stop e WHERE e.chain_id = s.chain_id AND e.sale = s.address
     ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1) AS tap_rest,
    coalesce(token.symbol, '') AS token_symbol, coalesce(token.name, '') AS token_name,
    coalesce(token.decimals, 0::smallint) AS token_decimals,
    (SELECT k.kind FROM token_created k WHERE k.chain_id = s.chain_id AND k.token = s.token LIMIT 1) AS token_kind,
    coalesce(money.symbol, '') AS currency_symbol, coalesce(money.name, '') AS currency_name,
    coalesce(money.decimals, 0::smallint) AS currency_decimals,
    (SELECT b.hash FROM block b WHERE b.chain_id = s.chain_id AND b.number = s.block_number) AS created_hash,
    (SELECT b.timestamp FROM block b WHERE b.chain_id = s.chain_id AND b.number = s.block_number) AS created_at,
    s.settled_number, s.settled_log_index, s.settled_transaction,
    (SELECT b.hash FROM block b WHERE b.chain_id = s.chain_id AND b.number = s.settled_number) AS settled_hash,
    (SELECT b.timestamp FROM block b WHERE b.chain_id = s.chain_id AND b.number = s.settled_number) AS settled_at,
    l.block_number AS last_number, l.log_index AS last_log_index,
    (SELECT b.hash FROM block b WHERE b.chain_id = s.chain_id AND b.number = l.block_number) AS last_hash
FROM sale_now s
JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency
CROSS JOIN LATERAL sale_last_event(s.chain_id, s.address) l;
