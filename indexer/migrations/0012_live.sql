-- What is told as it happens: to listeners of the API, and to whoever else passes events on.

-- 'finalized': the events of from_block to to_block, which were told before, are final now.
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('applied', 'reverted', 'finalized'));
CREATE INDEX outbox_not_applied ON outbox (chain_id, seq DESC) WHERE kind <> 'applied';

-- The events that move money or decide where it goes. Columns as in sale_activity; word is the sale's name or the outcome.
CREATE VIEW feed_raw AS
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
FROM tap_stop;

-- The same with what amounts are of.
CREATE VIEW feed_event AS
SELECT e.*,
    coalesce(money.symbol, '') AS currency_symbol, coalesce(money.decimals, 0::smallint) AS currency_decimals,
    coalesce(token.symbol, '') AS token_symbol, coalesce(token.decimals, 0::smallint) AS token_decimals
FROM feed_raw e
LEFT JOIN sale s ON s.chain_id = e.chain_id AND s.address = e.sale
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token;

-- Such events that a reorg removed, as they were: whoever was told of one is told that it is gone. seq is the outbox's.
CREATE TABLE reverted_event (
    chain_id          bigint NOT NULL,
    seq               bigint NOT NULL,
    at_block          bigint NOT NULL,
    at_log            integer NOT NULL,
    block_hash        bytea NOT NULL,
    block_time        bigint NOT NULL,
    transaction_hash  bytea NOT NULL,
    kind              text NOT NULL,
    sale              bytea NOT NULL,
    account           bytea,
    recipient         bytea,
    actor             bytea,
    amount            numeric,
    tokens            numeric,
    word              text,
    PRIMARY KEY (chain_id, seq, at_block, at_log)
);

CREATE OR REPLACE FUNCTION rollback_to(of_chain bigint, fork bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told bigint;
BEGIN
    INSERT INTO outbox (chain_id, kind, from_block, to_block, hash)
    SELECT of_chain, 'reverted', fork + 1, number, hash FROM block
    WHERE chain_id = of_chain AND number > fork ORDER BY number DESC LIMIT 1
    RETURNING seq INTO told;
    INSERT INTO reverted_event
    SELECT e.chain_id, told, e.block_number, e.log_index, b.hash, b.timestamp, e.transaction_hash, e.kind, e.sale, e.account, e.recipient,
        e.actor, e.amount, e.tokens, e.word
    FROM feed_raw e JOIN block b ON b.chain_id = e.chain_id AND b.number = e.block_number
    WHERE told IS NOT NULL AND e.chain_id = of_chain AND e.block_number > fork;
    PERFORM forget_above(of_chain, fork);
END $$;

-- Tells what has become final since it was last told; from the highest block that was, unless that was taken back. Returns whether there
-- was anything.
CREATE FUNCTION tell_finalized(of_chain bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    final_block bigint;
    taken_back bigint;
    told bigint := -1;
    last record;
    reached record;
BEGIN
    SELECT least(number, finalized_number) INTO final_block FROM checkpoint WHERE chain_id = of_chain;
    IF coalesce(final_block, 0) = 0 THEN
        RETURN false;
    END IF;
    FOR last IN
        SELECT kind, from_block, to_block FROM outbox WHERE chain_id = of_chain AND kind <> 'applied' ORDER BY seq DESC
    LOOP
        IF last.kind = 'finalized' THEN
            told := least(last.to_block, taken_back);
            EXIT;
        END IF;
        taken_back := least(taken_back, last.from_block - 1);
    END LOOP;
    SELECT number, hash INTO reached FROM block
    WHERE chain_id = of_chain AND number <= final_block AND number > told AND has_events
    ORDER BY number DESC LIMIT 1;
    IF reached IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO outbox (chain_id, kind, from_block, to_block, hash)
    VALUES (of_chain, 'finalized', told + 1, reached.number, reached.hash);
    RETURN true;
END $$;
