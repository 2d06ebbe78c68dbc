-- What the API and dashboards read of the complete contracts.

-- Looked up, not joined: with more than eight joins the planner no longer begins with the sales that are asked for.
-- Every sale with its outcome, roles of now, totals and state. The clock is the chain's, as before.
--   raised     money of all positions: withdrawn and rejected taken off, refunded not; in a pro-rata sale it can exceed the hard cap
--   sold       tokens allotted; where the outcome allots them, zero before it, then what it sold
--   held       money the sale must still hold for investors: all of it until the outcome, what is not yet refunded after a failure,
--              the excess that is not yet refunded after a success; in each case also what rejected investors have not yet had back
--   unswept    money that a success keeps and the vault has not yet taken
--   dust       money that a success leaves in the sale for ever, because shares are rounded down
--              held + unswept + dust is the sale's balance, as far as nobody sent it anything unasked
--   in_vault   what the vault must hold
--   unclaimed  tokens that the sale must still hold for investors
DROP VIEW sale_overview;
CREATE VIEW sale_overview AS
SELECT
    s.chain_id, s.address, s.block_number, s.log_index, s.transaction_hash, s.creator, s.vault, s.mode,
    coalesce((SELECT e.new_owner FROM ownership_transfer e WHERE e.chain_id = s.chain_id AND e.contract = s.address AND e.done
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), s.owner) AS owner,
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
    o.outcome IS NULL AND coalesce((SELECT e.paused FROM pause_change e WHERE e.chain_id = s.chain_id AND e.sale = s.address
              ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), false) AS paused,
    s.beneficiary, s.token, s.currency, s.opens, s.closes, s.soft_cap, s.hard_cap, s.min_paid, s.max_paid, s.tokens_for_sale,
    s.burn_unsold, s.cooling_off, s.vesting_at_once, s.vesting_cliff, s.vesting_duration, s.tap_at_once, s.tap_duration,
    s.tap_objection, s.name, s.sale_hash, s.sale_uri, s.whitepaper_hash, s.whitepaper_uri,
    CASE
        WHEN o.outcome IS NOT NULL THEN o.outcome
        WHEN c.block_timestamp < s.opens THEN 'upcoming'
        WHEN c.block_timestamp < s.closes THEN 'open'
        ELSE 'ended'
    END AS state,
    c.block_timestamp AS chain_time,
    t.raised, CASE WHEN s.mode <> 'fixed_price' AND o.outcome = 'succeeded' THEN o.sold ELSE t.sold END AS sold,
    t.contributions, t.investors, t.refunded, t.refunds, t.claimed, t.claims, t.released, t.withdrawn, t.withdrawals, t.rejected,
    t.rejections, t.kept, t.excess, t.allotted, t.excess_refunded, t.received, t.objected, t.rest_refunded,
    CASE WHEN o.outcome = 'succeeded' THEN t.excess - t.excess_refunded + t.rejected - t.refunded
         ELSE t.raised + t.rejected - t.refunded END AS held,
    CASE WHEN o.outcome = 'succeeded' THEN t.kept - t.received ELSE 0 END AS unswept,
    CASE WHEN o.outcome = 'succeeded' THEN t.raised - t.kept - t.excess ELSE 0 END AS dust,
    t.received - t.released - t.rest_refunded AS in_vault,
    CASE WHEN o.outcome IN ('failed', 'cancelled') THEN 0
         WHEN o.outcome = 'succeeded' THEN t.allotted - t.claimed
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
    o.block_number AS settled_number, o.log_index AS settled_log_index, o.transaction_hash AS settled_transaction,
    (SELECT b.hash FROM block b WHERE b.chain_id = o.chain_id AND b.number = o.block_number) AS settled_hash,
    (SELECT b.timestamp FROM block b WHERE b.chain_id = o.chain_id AND b.number = o.block_number) AS settled_at,
    l.block_number AS last_number, l.log_index AS last_log_index,
    (SELECT b.hash FROM block b WHERE b.chain_id = s.chain_id AND b.number = l.block_number) AS last_hash
FROM sale s
JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
JOIN checkpoint c ON c.chain_id = s.chain_id
LEFT JOIN settlement o ON o.chain_id = s.chain_id AND o.sale = s.address
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency
CROSS JOIN LATERAL sale_last_event(s.chain_id, s.address) l;

-- The newest events of a sale below a place, `max_rows` at most: one probe a table, each through its index. Every kind has the same
-- columns, null where it has no such thing:
--   account    whose event it is: investor, owner, signer, holder, wallet's beneficiary
--   recipient  where money or tokens went
--   actor      who else acted: payer, compliance, the owner before, registrar
--   contract   the wallet, or the contract whose owner changed
--   amount     payment base units; tokens: token base units; other: payment base units, of excess, objections or releases in all
--   number     phase, version, epoch, allocation or Unix second
--   flag, word, hash  paused or done; outcome, kind of change or URI; a document's hash or a role
-- Events of the sale's token stand here too: a restricted token decides who can be paid.
CREATE FUNCTION sale_activity(of_chain bigint, of_sale address, before_block bigint, before_log integer, max_rows bigint)
RETURNS TABLE (
    block_number bigint, log_index integer, transaction_hash bytea, kind text, account bytea, recipient bytea, actor bytea,
    contract bytea, amount numeric, tokens numeric, other numeric, number numeric, flag boolean, word text, hash bytea
)
LANGUAGE sql STABLE AS $$
    SELECT * FROM (
        (SELECT block_number, log_index, transaction_hash, 'sale_created' AS kind, owner::bytea, NULL::bytea,
            creator::bytea, NULL::bytea, NULL::numeric, tokens_for_sale::numeric, NULL::numeric, NULL::numeric,
            NULL::boolean, name::text, sale_hash::bytea
         FROM sale WHERE chain_id = of_chain AND address = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'allocation_created' AS kind, beneficiary::bytea,
            NULL::bytea, NULL::bytea, wallet::bytea, NULL::numeric, amount::numeric, NULL::numeric, "index"::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM allocation WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'contributed' AS kind, investor::bytea, NULL::bytea,
            payer::bytea, NULL::bytea, amount::numeric, tokens::numeric, NULL::numeric, phase::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM contribution WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'excess_returned' AS kind, payer::bytea, payer::bytea,
            NULL::bytea, NULL::bytea, amount::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM excess_return WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'withdrawn' AS kind, investor::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, amount::numeric, tokens::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM withdrawal WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'rejected' AS kind, investor::bytea, NULL::bytea,
            rejected_by::bytea, NULL::bytea, amount::numeric, tokens::numeric, NULL::numeric, NULL::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM rejection WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'pause_changed' AS kind, NULL::bytea, NULL::bytea,
            NULL::bytea, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, paused::boolean,
            NULL::text, NULL::bytea
         FROM pause_change WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'voucher_signer_changed' AS kind, signer::bytea,
            NULL::bytea, NULL::bytea, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, epoch::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM voucher_signer_change WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'compliance_changed' AS kind, compliance::bytea,
            NULL::bytea, NULL::bytea, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM compliance_change WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, CASE WHEN done THEN 'ownership_transferred' ELSE
            'ownership_offered' END AS kind, new_owner::bytea, NULL::bytea, previous_owner::bytea, contract::bytea,
            NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, done::boolean, NULL::text, NULL::bytea
         FROM ownership_transfer WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'whitepaper_superseded' AS kind, NULL::bytea, NULL::bytea,
            NULL::bytea, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, version::numeric, NULL::boolean,
            uri::text, hash::bytea
         FROM whitepaper WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, CASE outcome WHEN 'cancelled' THEN 'cancelled' ELSE
            'closed' END AS kind, NULL::bytea, NULL::bytea, NULL::bytea, NULL::bytea, raised::numeric, sold::numeric,
            NULL::numeric, NULL::numeric, NULL::boolean, outcome::text, NULL::bytea
         FROM settlement WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'unsold_returned' AS kind, NULL::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, NULL::numeric, tokens::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM unsold_return WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'settled' AS kind, investor::bytea, NULL::bytea,
            NULL::bytea, NULL::bytea, kept::numeric, tokens::numeric, excess::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM share WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'claimed' AS kind, investor::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, NULL::numeric, tokens::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM claim WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'refunded' AS kind, investor::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, amount::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM refund WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'excess_refunded' AS kind, investor::bytea,
            recipient::bytea, NULL::bytea, NULL::bytea, amount::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM excess_refund WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'swept' AS kind, NULL::bytea, NULL::bytea, NULL::bytea,
            NULL::bytea, amount::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean, NULL::text,
            NULL::bytea
         FROM sweep WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'released' AS kind, beneficiary::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, amount::numeric, NULL::numeric, released::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM release WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'objected' AS kind, investor::bytea, NULL::bytea,
            NULL::bytea, NULL::bytea, weight::numeric, NULL::numeric, objected::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM objection WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'tap_stopped' AS kind, NULL::bytea, NULL::bytea,
            NULL::bytea, NULL::bytea, rest::numeric, NULL::numeric, objected::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM tap_stop WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'rest_refunded' AS kind, investor::bytea, recipient::bytea,
            NULL::bytea, NULL::bytea, amount::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM rest_refund WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'allocation_released' AS kind, token::bytea, NULL::bytea,
            NULL::bytea, wallet::bytea, NULL::numeric, amount::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM allocation_release WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'allocation_reclaimed' AS kind, token::bytea,
            recipient::bytea, NULL::bytea, wallet::bytea, NULL::numeric, amount::numeric, NULL::numeric,
            NULL::numeric, NULL::boolean, NULL::text, NULL::bytea
         FROM allocation_reclaim WHERE chain_id = of_chain AND sale = of_sale
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'token_created' AS kind, NULL::bytea, NULL::bytea,
            creator::bytea, token::bytea, NULL::numeric, supply::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            token_created.kind::text, NULL::bytea
         FROM token_created WHERE chain_id = of_chain AND token = (SELECT token FROM sale WHERE chain_id = of_chain AND address = of_sale)
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, CASE WHEN until IS NULL THEN 'contract_admitted' ELSE
            'holder_set' END AS kind, holder::bytea, NULL::bytea, approved_by::bytea, token::bytea, NULL::numeric,
            NULL::numeric, NULL::numeric, until::numeric, NULL::boolean, NULL::text, NULL::bytea
         FROM holder_approval WHERE chain_id = of_chain AND token = (SELECT token FROM sale WHERE chain_id = of_chain AND address = of_sale)
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'contract_uri_changed' AS kind, NULL::bytea, NULL::bytea,
            NULL::bytea, token::bytea, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            NULL::text, NULL::bytea
         FROM contract_uri_change WHERE chain_id = of_chain AND token = (SELECT token FROM sale WHERE chain_id = of_chain AND address = of_sale)
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
        UNION ALL
        (SELECT block_number, log_index, transaction_hash, 'token_role_changed' AS kind, account::bytea, NULL::bytea,
            changed_by::bytea, token::bytea, NULL::numeric, NULL::numeric, NULL::numeric, coalesce(at,
            delay)::numeric, NULL::boolean, change::text, role::bytea
         FROM token_role_change WHERE chain_id = of_chain AND token = (SELECT token FROM sale WHERE chain_id = of_chain AND address = of_sale)
             AND (block_number, log_index) < (before_block, before_log)
         ORDER BY block_number DESC, log_index DESC LIMIT max_rows)
    ) e (block_number, log_index, transaction_hash, kind, account, recipient, actor, contract, amount, tokens, other, number, flag,
         word, hash)
    ORDER BY e.block_number DESC, e.log_index DESC LIMIT max_rows
$$;
