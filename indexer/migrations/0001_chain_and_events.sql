-- Chains, the window of blocks, one table an event, and what triggers keep of them.
--
-- Every key leads with chain_id. Times of the chain are Unix seconds (bigint). Amounts are base units in NUMERIC(78,0), sums
-- are unbounded NUMERIC: nine maximal amounts need 79 digits.

CREATE DOMAIN address AS bytea CHECK (octet_length(VALUE) = 20);
CREATE DOMAIN hash32 AS bytea CHECK (octet_length(VALUE) = 32);

-- What this database follows on a chain. Another genesis or factory under the same id is another chain, and refused.
CREATE TABLE chain (
    chain_id     bigint PRIMARY KEY,
    genesis_hash hash32 NOT NULL,
    factory      address NOT NULL,
    start_block  bigint NOT NULL CHECK (start_block >= 0)
);

-- How far a chain is indexed, written in the transaction of every batch. The cursor is number and hash, never the number alone.
CREATE TABLE checkpoint (
    chain_id         bigint PRIMARY KEY REFERENCES chain,
    number           bigint NOT NULL,
    hash             hash32 NOT NULL,
    block_timestamp  bigint NOT NULL,
    -- The node's tags when it was last asked. finalized never goes back.
    head_number      bigint NOT NULL,
    safe_number      bigint NOT NULL,
    finalized_number bigint NOT NULL,
    seen_at          timestamptz NOT NULL DEFAULT now(),
    -- Set when the chain contradicts a finalized block: indexing stops until a person decides.
    halted           text
);

-- Blocks that can still change, blocks with events, and the ends of backfilled ranges.
CREATE TABLE block (
    chain_id    bigint NOT NULL,
    number      bigint NOT NULL,
    hash        hash32 NOT NULL,
    parent_hash hash32 NOT NULL,
    timestamp   bigint NOT NULL,
    has_events  boolean NOT NULL,
    PRIMARY KEY (chain_id, number)
);
CREATE INDEX block_without_events ON block (chain_id, number) WHERE NOT has_events;

-- Decimals and symbol of what is paid and sold; ether is the zero address. A fact of a contract, so no reorg changes it.
CREATE TABLE currency (
    chain_id bigint NOT NULL,
    address  address NOT NULL,
    symbol   text NOT NULL,
    name     text NOT NULL,
    decimals smallint NOT NULL CHECK (decimals BETWEEN 0 AND 255),
    PRIMARY KEY (chain_id, address)
);

CREATE TABLE sale (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    address          address NOT NULL,
    creator          address NOT NULL,
    vault            address NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('fixed_price')),
    owner            address NOT NULL,
    beneficiary      address NOT NULL,
    token            address NOT NULL,
    currency         address NOT NULL,
    opens            bigint NOT NULL,
    closes           bigint NOT NULL,
    soft_cap         numeric(78, 0) NOT NULL,
    hard_cap         numeric(78, 0) NOT NULL,
    min_paid         numeric(78, 0) NOT NULL,
    max_paid         numeric(78, 0) NOT NULL,
    tokens_for_sale  numeric(78, 0) NOT NULL,
    burn_unsold      boolean NOT NULL,
    name             text NOT NULL,
    sale_hash        hash32 NOT NULL,
    sale_uri         text NOT NULL,
    whitepaper_hash  hash32 NOT NULL,
    whitepaper_uri   text NOT NULL,
    -- The event's data as emitted: the texts above are cleaned of what Postgres cannot hold.
    data             bytea NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index),
    UNIQUE (chain_id, address),
    UNIQUE (chain_id, vault)
);

CREATE TABLE sale_phase (
    chain_id     bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index    integer NOT NULL,
    phase        smallint NOT NULL,
    sale         address NOT NULL,
    starts       bigint NOT NULL,
    ends         bigint NOT NULL,
    raised_up_to numeric(78, 0) NOT NULL,
    price        numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index, phase)
);
CREATE INDEX sale_phase_of_sale ON sale_phase (chain_id, sale, phase);

CREATE TABLE token_created (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    token            address NOT NULL,
    creator          address NOT NULL,
    name             text NOT NULL,
    symbol           text NOT NULL,
    supply           numeric(78, 0) NOT NULL,
    contract_uri     text NOT NULL,
    data             bytea NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);

CREATE TABLE contribution (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    payer            address NOT NULL,
    phase            smallint NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    -- Running totals after this contribution, as the contract emitted them.
    paid             numeric(78, 0) NOT NULL,
    raised           numeric(78, 0) NOT NULL,
    sold             numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX contribution_of_sale ON contribution (chain_id, sale, block_number, log_index);
CREATE INDEX contribution_of_investor ON contribution (chain_id, investor, sale, block_number, log_index);

CREATE TABLE excess_return (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    payer            address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);

-- The latched outcome; at most one a sale, as the contract allows no second.
CREATE TABLE settlement (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    outcome          text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'cancelled')),
    raised           numeric(78, 0) NOT NULL,
    sold             numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index),
    UNIQUE (chain_id, sale)
);

CREATE TABLE claim (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    recipient        address NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX claim_of_position ON claim (chain_id, sale, investor, block_number);

CREATE TABLE refund (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    recipient        address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX refund_of_position ON refund (chain_id, sale, investor, block_number);

-- recipient is zero where the tokens were burnt.
CREATE TABLE unsold_return (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    recipient        address NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);

CREATE TABLE sweep (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);

CREATE TABLE release (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    beneficiary      address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    released         numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);

-- A log of a known contract that carries one of our topics and does not decode: kept whole, while the chain goes on.
CREATE TABLE quarantined_log (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    emitter          address NOT NULL,
    topics           bytea[] NOT NULL,
    data             bytea NOT NULL,
    reason           text NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
