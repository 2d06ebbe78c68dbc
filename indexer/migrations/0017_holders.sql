-- Who holds the tokens that the factory made, up to a block that is final: so nothing here is ever taken back.

-- The block up to which the transfers of a chain's tokens are counted.
CREATE TABLE holder_checkpoint (
    chain_id bigint PRIMARY KEY,
    number   bigint NOT NULL,
    hash     hash32 NOT NULL
);

CREATE TABLE token_holder (
    chain_id bigint NOT NULL,
    token    address NOT NULL,
    holder   address NOT NULL,
    balance  numeric(78, 0) NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (chain_id, token, holder)
);
CREATE INDEX token_holder_by_balance ON token_holder (chain_id, token, balance DESC, holder);
CREATE INDEX allocation_by_wallet ON allocation (chain_id, wallet);
