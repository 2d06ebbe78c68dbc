-- What happened in a sale includes that it opened.

-- As before (0006), and the opening. No transaction did it: its hash is zero, as readers of the versions before expect one.
CREATE OR REPLACE FUNCTION sale_activity(of_chain bigint, of_sale address, before_block bigint, before_log integer, max_rows bigint)
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
        (SELECT block_number, log_index, decode(repeat('00', 32), 'hex') AS transaction_hash, 'opened' AS kind, owner::bytea,
            NULL::bytea, NULL::bytea, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
            NULL::boolean, NULL::text, NULL::bytea
         FROM sale_opening WHERE chain_id = of_chain AND sale = of_sale
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
