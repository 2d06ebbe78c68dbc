-- When sales open, and how long what was told is kept.

-- A sale opens with the first block whose time is not before its `opens`, unless it has its outcome by then. No log says so: the indexer
-- notes it, with the block. Of sales that opened before there was this table nothing stands here until their chain is indexed anew.
CREATE TABLE sale_opening (
    chain_id     bigint NOT NULL,
    block_number bigint NOT NULL,
    -- A place among the logs of the block, and no log's: below zero, as it opens before anything happens in the block; of a sale that was
    -- created in this very block above all logs.
    log_index    integer NOT NULL,
    sale         address NOT NULL,
    -- Whose it is then.
    owner        address NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index),
    UNIQUE (chain_id, sale)
);

-- What opens with a batch is looked up here. Unique, though it need not be: a first backfill keeps it.
CREATE UNIQUE INDEX sale_by_opening ON sale (chain_id, opens, address);

-- As before, and the openings. They have no transaction: it is zero, as readers of the versions before expect one.
CREATE OR REPLACE VIEW feed_raw AS
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'sale_created' AS kind, address::bytea AS sale,
    owner::bytea AS account, NULL::bytea AS recipient, creator::bytea AS actor, NULL::numeric AS amount, tokens_for_sale::numeric AS tokens,
    name::text AS word
FROM sale
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'contributed' AS kind, sale::bytea AS sale,
    investor::bytea AS account, NULL::bytea AS recipient, payer::bytea AS actor, amount::numeric AS amount, tokens::numeric AS tokens,
    NULL::text AS word
FROM contribution
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'withdrawn' AS kind, sale::bytea AS sale,
    investor::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, amount::numeric AS amount, tokens::numeric AS tokens,
    NULL::text AS word
FROM withdrawal
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'rejected' AS kind, sale::bytea AS sale,
    investor::bytea AS account, NULL::bytea AS recipient, rejected_by::bytea AS actor, amount::numeric AS amount, tokens::numeric AS tokens,
    NULL::text AS word
FROM rejection
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, CASE outcome WHEN 'cancelled' THEN 'cancelled' ELSE 'closed' END AS kind, sale::bytea AS sale,
    NULL::bytea AS account, NULL::bytea AS recipient, NULL::bytea AS actor, raised::numeric AS amount, sold::numeric AS tokens,
    outcome::text AS word
FROM settlement
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'claimed' AS kind, sale::bytea AS sale,
    investor::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, NULL::numeric AS amount, tokens::numeric AS tokens,
    NULL::text AS word
FROM claim
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'refunded' AS kind, sale::bytea AS sale,
    investor::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, amount::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM refund
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'excess_refunded' AS kind, sale::bytea AS sale,
    investor::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, amount::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM excess_refund
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'rest_refunded' AS kind, sale::bytea AS sale,
    investor::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, amount::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM rest_refund
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'released' AS kind, sale::bytea AS sale,
    beneficiary::bytea AS account, recipient::bytea AS recipient, NULL::bytea AS actor, amount::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM release
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'objected' AS kind, sale::bytea AS sale,
    investor::bytea AS account, NULL::bytea AS recipient, NULL::bytea AS actor, weight::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM objection
UNION ALL
SELECT chain_id, block_number, log_index, transaction_hash::bytea, 'tap_stopped' AS kind, sale::bytea AS sale,
    NULL::bytea AS account, NULL::bytea AS recipient, NULL::bytea AS actor, rest::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM tap_stop
UNION ALL
SELECT chain_id, block_number, log_index, decode(repeat('00', 32), 'hex') AS transaction_hash, 'opened' AS kind, sale::bytea AS sale,
    owner::bytea AS account, NULL::bytea AS recipient, NULL::bytea AS actor, NULL::numeric AS amount, NULL::numeric AS tokens,
    NULL::text AS word
FROM sale_opening;

-- As before, and the openings.
CREATE OR REPLACE FUNCTION forget_above(of_chain bigint, fork bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sale_opening WHERE chain_id = of_chain AND block_number > fork;
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

-- Up to which entry of the outbox a chain's are forgotten: who was not told of them cannot be told on from where it was.
CREATE TABLE outbox_forgotten (
    chain_id bigint PRIMARY KEY,
    seq      bigint NOT NULL
);

-- Forgets the oldest entries of a chain's outbox that are older than so many seconds, and what they took back; about so many rows at
-- most. Never the newest that says what is final, nor one behind it: the next goes on from there. Returns whether there is more.
CREATE FUNCTION forget_told(of_chain bigint, keep_seconds bigint, most bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    up_to bigint;
    events bigint;
    entries bigint;
BEGIN
    SELECT max(o.seq) INTO up_to FROM (SELECT seq, at FROM outbox WHERE chain_id = of_chain ORDER BY seq LIMIT most) o
    WHERE o.at < now() - make_interval(secs => keep_seconds) AND o.seq < coalesce(
        (SELECT seq FROM outbox WHERE chain_id = of_chain AND kind <> 'applied' AND kind = 'finalized' ORDER BY seq DESC LIMIT 1),
        9223372036854775807);
    -- Of the last time there may be events left.
    up_to := greatest(up_to, (SELECT seq FROM outbox_forgotten WHERE chain_id = of_chain));
    IF up_to IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO outbox_forgotten AS f VALUES (of_chain, up_to)
    ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq WHERE f.seq < excluded.seq;
    DELETE FROM reverted_event WHERE ctid IN (
        SELECT ctid FROM reverted_event WHERE chain_id = of_chain AND seq <= up_to ORDER BY seq LIMIT most);
    GET DIAGNOSTICS events = ROW_COUNT;
    DELETE FROM outbox WHERE chain_id = of_chain AND seq <= up_to;
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN events = most OR entries = most;
END $$;

-- Notes with an entry that took blocks back what was told of them, as the tables of another schema have it: others take their place.
CREATE FUNCTION note_reverted(of_schema text, of_chain bigint, of_seq bigint, of_block bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- A version that told nobody has no such view.
    IF to_regclass(format('%I.feed_raw', of_schema)) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('INSERT INTO reverted_event
        SELECT e.chain_id, $2, e.block_number, e.log_index, b.hash, b.timestamp, e.transaction_hash, e.kind, e.sale, e.account,
            e.recipient, e.actor, e.amount, e.tokens, e.word
        FROM %1$I.feed_raw e JOIN %1$I.block b ON b.chain_id = e.chain_id AND b.number = e.block_number
        WHERE e.chain_id = $1 AND e.block_number >= $3', of_schema) USING of_chain, of_seq, of_block;
END $$;
