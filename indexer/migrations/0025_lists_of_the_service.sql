-- Lists of orders, vouchers and messages by whatever they are narrowed to. As in 0019, every statement may run again.

-- As one: building some and then dropping others would want more of a table than it has, and so could a request that waits for it.
LOCK TABLE crowdsale_service.sale_order, crowdsale_service.voucher, crowdsale_service.webhook_delivery IN ACCESS EXCLUSIVE MODE;

-- Each filter has an index whose order is the list's within one state: a page in any state is put together from a page of each. They are
-- compared and ordered by all columns behind the caller, so that no other index will do, whatever a plan takes for likely.
CREATE INDEX IF NOT EXISTS sale_order_by_state ON crowdsale_service.sale_order (caller, state, position);
CREATE INDEX IF NOT EXISTS sale_order_by_chain ON crowdsale_service.sale_order (caller, chain_id, state, position);
CREATE INDEX IF NOT EXISTS sale_order_by_sale ON crowdsale_service.sale_order (caller, sale, state, position);
CREATE INDEX IF NOT EXISTS sale_order_of_reference ON crowdsale_service.sale_order (caller, customer_reference_hash, state, position)
    WHERE customer_reference_hash IS NOT NULL;
DROP INDEX IF EXISTS crowdsale_service.sale_order_by_reference;
-- Its order had what was never looked at last, and they are taken first.
CREATE INDEX IF NOT EXISTS sale_order_expired_in_turn ON crowdsale_service.sale_order (chain_id, looked_at NULLS FIRST)
    WHERE state = 'expired';
DROP INDEX IF EXISTS crowdsale_service.sale_order_expired;

CREATE INDEX IF NOT EXISTS voucher_by_caller_and_investor ON crowdsale_service.voucher (caller, chain_id, sale, investor, position);

-- An identity that is always generated is unique without an index. With one, the newest rows of one caller could be looked for among
-- those of all.
ALTER TABLE crowdsale_service.sale_order DROP CONSTRAINT IF EXISTS sale_order_position_key;
ALTER TABLE crowdsale_service.voucher DROP CONSTRAINT IF EXISTS voucher_position_key;

-- In place of that of the dead alone.
CREATE INDEX IF NOT EXISTS webhook_delivery_by_state ON crowdsale_service.webhook_delivery (webhook, state, number);
DROP INDEX IF EXISTS crowdsale_service.webhook_delivery_dead;
