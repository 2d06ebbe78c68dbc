-- What keeps orders moving, and what bounds them. As in 0010, every statement may run again.

-- The head at which the last transaction that fills a gap was signed; what the account had when a node was last asked, and when that was.
ALTER TABLE crowdsale_service.order_signer ADD COLUMN IF NOT EXISTS filled_since bigint;
ALTER TABLE crowdsale_service.order_signer ADD COLUMN IF NOT EXISTS balance numeric(78, 0);
ALTER TABLE crowdsale_service.order_signer ADD COLUMN IF NOT EXISTS mined_nonce bigint;
ALTER TABLE crowdsale_service.order_signer ADD COLUMN IF NOT EXISTS seen_at timestamptz;

-- The head at which it was first seen that no nonce before it was missing, as long as that is so.
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS first_since bigint;
-- The last head at which its nonce was not used; the last at which it was looked at.
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS unused_at bigint;
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS looked_at bigint;
-- Why the service itself has it cancelled.
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS given_up text;
ALTER TABLE crowdsale_service.sale_order DROP CONSTRAINT IF EXISTS sale_order_given_up;
ALTER TABLE crowdsale_service.sale_order ADD CONSTRAINT sale_order_given_up CHECK (given_up IN ('not_included', 'fee_cap'));
ALTER TABLE crowdsale_service.sale_order DROP CONSTRAINT IF EXISTS sale_order_state_check;
ALTER TABLE crowdsale_service.sale_order ADD CONSTRAINT sale_order_state_check CHECK (state IN
    ('accepted', 'pending', 'included', 'failed', 'final', 'replaced', 'cancelled', 'dropped', 'expired', 'reorged'));

-- Expired orders are many in time, and looked at in turn.
CREATE INDEX IF NOT EXISTS sale_order_followed ON crowdsale_service.sale_order (chain_id, sender, nonce, position)
    WHERE NOT settled AND state <> 'expired';
CREATE INDEX IF NOT EXISTS sale_order_expired ON crowdsale_service.sale_order (chain_id, looked_at) WHERE state = 'expired';
DROP INDEX IF EXISTS crowdsale_service.sale_order_open;
-- What /metrics counts of them, for anybody who asks.
CREATE INDEX IF NOT EXISTS sale_order_unsettled ON crowdsale_service.sale_order (chain_id, state) INCLUDE (created_at)
    WHERE NOT settled;
-- What a signer's orders take that a node has not seen yet, and what a key has ordered in a day.
CREATE INDEX IF NOT EXISTS sale_order_by_block ON crowdsale_service.sale_order (chain_id, sender, block_number);
CREATE INDEX IF NOT EXISTS sale_order_by_day ON crowdsale_service.sale_order (caller, chain_id, currency, created_at) WHERE by_operator;
