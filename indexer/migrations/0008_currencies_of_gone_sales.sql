-- A reorg can put another token at the address that a sale named: an address made from a nonce depends on what else its creator
-- sent. So what was read of a token goes with the last sale that named it, and is asked for again with the next.
CREATE OR REPLACE FUNCTION sale_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sale_total t USING changed c WHERE t.chain_id = c.chain_id AND t.sale = c.address;
    DELETE FROM currency u USING changed c
    WHERE u.chain_id = c.chain_id AND u.address IN (c.token, c.currency)
        AND NOT EXISTS (SELECT FROM sale s WHERE s.chain_id = u.chain_id AND u.address IN (s.token, s.currency));
    RETURN NULL;
END $$;
DELETE FROM currency u
WHERE NOT EXISTS (SELECT FROM sale s WHERE s.chain_id = u.chain_id AND u.address IN (s.token, s.currency));
