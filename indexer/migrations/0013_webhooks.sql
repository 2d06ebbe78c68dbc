-- Webhooks: who is told of events over HTTP, how far each has been told, and every message until it has arrived. As in 0010, every
-- statement here may run again.

CREATE TABLE IF NOT EXISTS crowdsale_service.webhook (
    id text PRIMARY KEY,
    -- Who made it: what Caller::id gives.
    owner text NOT NULL,
    label text NOT NULL,
    url text NOT NULL,
    -- Types of events, or all of a subject as contribution.*; every event if empty.
    events text[] NOT NULL,
    -- Of this chain and this sale alone, if they are set.
    chain_id bigint,
    sale bytea,
    -- Why nothing is sent to it: 'owner', or 'gone' where the receiver has said so. It is told, later, what it misses meanwhile.
    disabled text CHECK (disabled IN ('owner', 'gone')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (sale IS NULL OR chain_id IS NOT NULL)
);
CREATE INDEX IF NOT EXISTS webhook_by_owner ON crowdsale_service.webhook (owner, id);

-- What messages are signed with: the present secret has no end, those that it replaced sign beside it until theirs.
CREATE TABLE IF NOT EXISTS crowdsale_service.webhook_secret (
    id text PRIMARY KEY,
    webhook text NOT NULL REFERENCES crowdsale_service.webhook ON DELETE CASCADE,
    -- The key of the HMAC, and the seed of the ed25519 key.
    hmac_sealed bytea NOT NULL,
    ed25519_sealed bytea NOT NULL,
    -- As it is shown: whpk_ and Base64.
    public_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz
);
CREATE INDEX IF NOT EXISTS webhook_secret_by_webhook ON crowdsale_service.webhook_secret (webhook, created_at);
CREATE UNIQUE INDEX IF NOT EXISTS webhook_secret_present ON crowdsale_service.webhook_secret (webhook) WHERE ends_at IS NULL;

-- How far a webhook has been told of a chain: a place in the outbox, which survives a switch of the indexed tables. Events above
-- untold were not told, as they were gone already; nor is it told, then, that they are gone.
CREATE TABLE IF NOT EXISTS crowdsale_service.webhook_cursor (
    webhook text NOT NULL REFERENCES crowdsale_service.webhook ON DELETE CASCADE,
    chain_id bigint NOT NULL,
    seq bigint NOT NULL,
    at_block bigint NOT NULL,
    at_log integer NOT NULL,
    untold_block bigint,
    untold_log integer,
    PRIMARY KEY (webhook, chain_id)
);

-- Messages. They are added in the transaction that moves the cursor past their event.
CREATE TABLE IF NOT EXISTS crowdsale_service.webhook_delivery (
    -- The webhook-id: it follows from the webhook, the event and what is told of it, and stays the same however often it is sent.
    id text PRIMARY KEY,
    -- The order in which they were added.
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    webhook text NOT NULL REFERENCES crowdsale_service.webhook ON DELETE CASCADE,
    type text NOT NULL,
    -- Byte for byte as it is signed and sent.
    body text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    -- Attempts in all, and since it was last set going.
    attempts integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When it is next sent. Whoever sends it moves this to when others may take it that he is gone.
    next_at timestamptz NOT NULL DEFAULT now(),
    -- Grows whenever it is taken to be sent: who comes back late finds another.
    taken bigint NOT NULL DEFAULT 0,
    -- When it was delivered, or given up.
    ended_at timestamptz
);
CREATE INDEX IF NOT EXISTS webhook_delivery_due ON crowdsale_service.webhook_delivery (webhook, next_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS webhook_delivery_by_webhook ON crowdsale_service.webhook_delivery (webhook, number);
CREATE INDEX IF NOT EXISTS webhook_delivery_dead ON crowdsale_service.webhook_delivery (webhook, number) WHERE state = 'dead';
CREATE INDEX IF NOT EXISTS webhook_delivery_ended ON crowdsale_service.webhook_delivery (ended_at) WHERE state <> 'pending';

-- The last attempts of each.
CREATE TABLE IF NOT EXISTS crowdsale_service.webhook_attempt (
    delivery text NOT NULL REFERENCES crowdsale_service.webhook_delivery ON DELETE CASCADE,
    number integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    -- The answer's status, if there was an answer.
    status smallint,
    -- What went wrong.
    error text,
    milliseconds bigint NOT NULL,
    PRIMARY KEY (delivery, number)
);

-- Whether the maker of a webhook may still have it: what a key made ends with the last of the keys that took each other's place.
CREATE OR REPLACE FUNCTION crowdsale_service.may_have_webhooks(of_owner text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT of_owner NOT LIKE 'key:%' OR EXISTS (
        SELECT FROM crowdsale_service.api_key
        WHERE family = substr(of_owner, 5) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            AND 'webhooks:write' = ANY (scopes))
$$;
CREATE INDEX IF NOT EXISTS api_key_by_family ON crowdsale_service.api_key (family);
