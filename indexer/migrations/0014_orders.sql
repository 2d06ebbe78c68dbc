-- Orders and vouchers: what an exchange and a KYC desk ask for. Nothing here follows from the chain, so it stands in schema
-- crowdsale_service, and every statement may run again (decision 15). Amounts are base units, heights those of the order's chain.

-- The account that sends orders: where its next nonce is allotted, one order after the other, by the lock of its row.
CREATE TABLE IF NOT EXISTS crowdsale_service.order_signer (
    chain_id bigint NOT NULL,
    address bytea NOT NULL CHECK (length(address) = 20),
    next_nonce bigint NOT NULL DEFAULT 0 CHECK (next_nonce >= 0),
    -- The head at which it was first seen that a nonce below all open orders is not used and not in the pool.
    gap_since bigint,
    PRIMARY KEY (chain_id, address)
);

CREATE TABLE IF NOT EXISTS crowdsale_service.sale_order (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- Whose it is: the first of the keys that took each other's place.
    caller text NOT NULL,
    -- Of the request that made it. An answer to a request is forgotten after a day; that its key was used is not.
    request_id text NOT NULL UNIQUE,
    chain_id bigint NOT NULL,
    sale bytea NOT NULL CHECK (length(sale) = 20),
    -- Whether the operator's signer sends it; else it came signed.
    by_operator boolean NOT NULL,
    investor bytea NOT NULL CHECK (length(investor) = 20),
    currency bytea NOT NULL CHECK (length(currency) = 20),
    amount numeric(78, 0) NOT NULL,
    -- What every transaction of the order shares, but for those that cancel it.
    sender bytea NOT NULL CHECK (length(sender) = 20),
    nonce bigint NOT NULL CHECK (nonce >= 0),
    value numeric(78, 0) NOT NULL,
    data bytea NOT NULL,
    gas_limit bigint NOT NULL,
    -- Wei of a unit of gas that the caller will not go beyond.
    fee_cap numeric(78, 0),
    customer_reference_sealed bytea,
    -- HMAC-SHA-256 of caller and reference, to find it by.
    customer_reference_hash bytea,
    state text NOT NULL CHECK (state IN
        ('accepted', 'pending', 'included', 'failed', 'final', 'replaced', 'cancelled', 'dropped', 'reorged')),
    -- Somebody wants it cancelled, or it held up others for too long: its first transaction is not sent any more.
    cancelling boolean NOT NULL DEFAULT false,
    -- Nothing will change any more.
    settled boolean NOT NULL DEFAULT false,
    -- The head when it was accepted; when its last transaction was made; when it was first not found.
    since bigint NOT NULL,
    sent_since bigint NOT NULL,
    unseen_since bigint,
    -- Where it is, if it is in a block, and by which transaction.
    mined_hash bytea,
    block_number bigint,
    block_hash bytea,
    -- Why it failed or was refused, in words.
    detail text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS sale_order_by_caller ON crowdsale_service.sale_order (caller, position DESC);
CREATE INDEX IF NOT EXISTS sale_order_by_reference ON crowdsale_service.sale_order (customer_reference_hash, position DESC)
    WHERE customer_reference_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS sale_order_open ON crowdsale_service.sale_order (chain_id, sender, nonce) WHERE NOT settled;

-- Every transaction that was signed for an order, before it was sent anywhere. All of an order have one nonce: one at most is mined.
CREATE TABLE IF NOT EXISTS crowdsale_service.order_transaction (
    hash bytea NOT NULL CHECK (length(hash) = 32),
    chain_id bigint NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    -- None where it only fills a nonce that nobody uses.
    order_id text REFERENCES crowdsale_service.sale_order,
    sender bytea NOT NULL CHECK (length(sender) = 20),
    nonce bigint NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('original', 'speed_up', 'cancel', 'filler', 'foreign')),
    -- Signed. None of one that somebody else sent.
    raw bytea,
    max_fee numeric(78, 0) NOT NULL,
    priority_fee numeric(78, 0) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- One that took the nonce of an order can be another order's own.
    own boolean NOT NULL GENERATED ALWAYS AS (purpose <> 'foreign') STORED,
    PRIMARY KEY (position)
);
CREATE UNIQUE INDEX IF NOT EXISTS order_transaction_own ON crowdsale_service.order_transaction (chain_id, hash) WHERE own;
CREATE UNIQUE INDEX IF NOT EXISTS order_transaction_of_order ON crowdsale_service.order_transaction (order_id, hash);
CREATE INDEX IF NOT EXISTS order_transaction_by_order ON crowdsale_service.order_transaction (order_id, position);
CREATE INDEX IF NOT EXISTS order_transaction_by_nonce ON crowdsale_service.order_transaction (chain_id, sender, nonce);

-- What happened to orders. Rows are only ever added.
CREATE TABLE IF NOT EXISTS crowdsale_service.order_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES crowdsale_service.sale_order,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL,
    transaction_hash bytea,
    block_number bigint,
    block_hash bytea,
    detail text
);
CREATE INDEX IF NOT EXISTS order_event_by_order ON crowdsale_service.order_event (order_id, id);

CREATE OR REPLACE FUNCTION crowdsale_service.refuse_order_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened to orders is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER order_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON crowdsale_service.order_event
    FOR EACH STATEMENT EXECUTE FUNCTION crowdsale_service.refuse_order_change();

CREATE TABLE IF NOT EXISTS crowdsale_service.voucher (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    caller text NOT NULL,
    chain_id bigint NOT NULL,
    sale bytea NOT NULL CHECK (length(sale) = 20),
    investor bytea NOT NULL CHECK (length(investor) = 20),
    max_paid numeric(78, 0) NOT NULL,
    -- Bit i is phase i.
    phases smallint NOT NULL CHECK (phases BETWEEN 1 AND 255),
    -- Unix seconds.
    deadline bigint NOT NULL,
    epoch numeric(78, 0) NOT NULL,
    signer bytea NOT NULL CHECK (length(signer) = 20),
    signature bytea NOT NULL,
    kyc_reference_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS voucher_by_caller ON crowdsale_service.voucher (caller, chain_id, sale, position DESC);
