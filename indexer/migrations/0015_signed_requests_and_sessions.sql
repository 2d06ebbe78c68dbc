-- Keys that sign their requests, and sessions of wallets. As in 0010, every statement may run again.

-- A key is known by the hash of what is sent with a request, or by what verifies the request's signature.
ALTER TABLE crowdsale_service.api_key ALTER COLUMN hash DROP NOT NULL;
ALTER TABLE crowdsale_service.api_key ADD COLUMN IF NOT EXISTS public_key bytea UNIQUE CHECK (length(public_key) = 32);
ALTER TABLE crowdsale_service.api_key DROP CONSTRAINT IF EXISTS api_key_one_proof;
ALTER TABLE crowdsale_service.api_key ADD CONSTRAINT api_key_one_proof CHECK ((hash IS NULL) <> (public_key IS NULL));

-- What was used once and must not be used again, until it could not be used anyway.
CREATE TABLE IF NOT EXISTS crowdsale_service.used_nonce (
    -- SHA-256 of whose it is and the nonce, in hexadecimal.
    id text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS used_nonce_by_end ON crowdsale_service.used_nonce (expires_at);

-- Wallets that have signed in.
CREATE TABLE IF NOT EXISTS crowdsale_service.wallet_session (
    id text PRIMARY KEY,
    -- HMAC-SHA-256 of the token, under a secret that is sealed.
    hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    address bytea NOT NULL CHECK (length(address) = 20),
    -- The chain on which the wallet is that address: a contract is not the same on another.
    chain_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS wallet_session_by_end ON crowdsale_service.wallet_session (expires_at);

-- A wallet that has signed in asks for its own.
CREATE INDEX IF NOT EXISTS voucher_by_investor ON crowdsale_service.voucher (chain_id, investor, position DESC);
