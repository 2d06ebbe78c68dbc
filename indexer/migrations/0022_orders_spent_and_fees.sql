-- An order whose nonce something unknown has used, and what blocks ask for. As in 0019, every statement may run again.

-- The block at whose end the nonce was seen to be used, by none of the order's own transactions and by none that was found. Once it is
-- final the order is over. Null while the nonce is not used, or what used it is known.
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS spent_at bigint;
ALTER TABLE crowdsale_service.sale_order ADD COLUMN IF NOT EXISTS spent_hash bytea;

-- Wei that the next block asked for a unit of gas when a node was last asked.
ALTER TABLE crowdsale_service.order_signer ADD COLUMN IF NOT EXISTS fee_asked numeric(78, 0);
