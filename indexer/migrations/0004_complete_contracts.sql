-- Everything the complete contracts say: withdrawals, rejections, shares, roles, documents, objections, allocations, restricted tokens.

ALTER TABLE sale DROP CONSTRAINT sale_mode_check;
ALTER TABLE sale ADD CONSTRAINT sale_mode_check CHECK (mode IN ('fixed_price', 'pro_rata', 'dutch_auction'));
-- The defaults are the terms of sales that were created before there were any. Shares are hundredths of a percent, times seconds.
ALTER TABLE sale
    ADD COLUMN compliance       address NOT NULL DEFAULT decode(repeat('00', 20), 'hex'),
    ADD COLUMN signer           address NOT NULL DEFAULT decode(repeat('00', 20), 'hex'),
    ADD COLUMN cooling_off      bigint NOT NULL DEFAULT 0,
    ADD COLUMN vesting_at_once  integer NOT NULL DEFAULT 0,
    ADD COLUMN vesting_cliff    bigint NOT NULL DEFAULT 0,
    ADD COLUMN vesting_duration bigint NOT NULL DEFAULT 0,
    ADD COLUMN tap_at_once      integer NOT NULL DEFAULT 0,
    ADD COLUMN tap_duration     bigint NOT NULL DEFAULT 0,
    ADD COLUMN tap_objection    integer NOT NULL DEFAULT 0;

-- root is that of a list, zero with the other gates.
ALTER TABLE sale_phase
    ADD COLUMN gate text NOT NULL DEFAULT 'open' CHECK (gate IN ('open', 'voucher', 'merkle')),
    ADD COLUMN root hash32 NOT NULL DEFAULT decode(repeat('00', 32), 'hex');

ALTER TABLE token_created ADD COLUMN kind text NOT NULL DEFAULT 'plain' CHECK (kind IN ('plain', 'restricted'));
CREATE INDEX token_created_of_token ON token_created (chain_id, token, block_number, log_index);

ALTER TABLE release ADD COLUMN recipient address;
UPDATE release SET recipient = beneficiary;
ALTER TABLE release ALTER COLUMN recipient SET NOT NULL;

-- The new events, keyed and forgotten as all others.
-- An investor withdrew within the cooling-off: the whole position left the totals; it may contribute again.
CREATE TABLE withdrawal (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    recipient        address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    raised           numeric(78, 0) NOT NULL,
    sold             numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX withdrawal_of_sale ON withdrawal (chain_id, sale, block_number, log_index);
CREATE INDEX withdrawal_of_position ON withdrawal (chain_id, sale, investor, block_number, log_index);

-- Compliance took a position out of the totals, for ever; its money waits for a refund.
CREATE TABLE rejection (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    rejected_by      address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    raised           numeric(78, 0) NOT NULL,
    sold             numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX rejection_of_sale ON rejection (chain_id, sale, block_number, log_index);
CREATE INDEX rejection_of_position ON rejection (chain_id, sale, investor, block_number, log_index);

-- An investor's share of the outcome, written when it first claims or is refunded; at most one a position.
CREATE TABLE share (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    kept             numeric(78, 0) NOT NULL,
    tokens           numeric(78, 0) NOT NULL,
    excess           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX share_of_sale ON share (chain_id, sale, block_number, log_index);
CREATE INDEX share_of_position ON share (chain_id, sale, investor, block_number, log_index);

-- Money beyond the share went back.
CREATE TABLE excess_refund (
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
CREATE INDEX excess_refund_of_sale ON excess_refund (chain_id, sale, block_number, log_index);
CREATE INDEX excess_refund_of_position ON excess_refund (chain_id, sale, investor, block_number, log_index);

CREATE TABLE pause_change (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    paused           boolean NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX pause_change_of_sale ON pause_change (chain_id, sale, block_number, log_index);

CREATE TABLE voucher_signer_change (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    signer           address NOT NULL,
    epoch            numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX voucher_signer_change_of_sale ON voucher_signer_change (chain_id, sale, block_number, log_index);

-- compliance is zero where nobody may reject any more.
CREATE TABLE compliance_change (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    compliance       address NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX compliance_change_of_sale ON compliance_change (chain_id, sale, block_number, log_index);

-- Of a sale or a team wallet (contract), both under the sale. A transfer is offered (new_owner is zero where the offer was taken back) and,
-- once accepted, done. The first time it is done, the contract names zero as the previous owner: the first stands in its code.
CREATE TABLE ownership_transfer (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    contract         address NOT NULL,
    previous_owner   address NOT NULL,
    new_owner        address NOT NULL,
    done             boolean NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX ownership_transfer_of_sale ON ownership_transfer (chain_id, sale, block_number, log_index);
CREATE INDEX ownership_transfer_of_contract ON ownership_transfer (chain_id, contract, block_number, log_index);

-- data is the event's as emitted: uri is cleaned of what Postgres cannot hold.
CREATE TABLE whitepaper (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    version          numeric(78, 0) NOT NULL,
    hash             hash32 NOT NULL,
    uri              text NOT NULL,
    data             bytea NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX whitepaper_of_sale ON whitepaper (chain_id, sale, block_number, log_index);

-- weight is what the sale kept of the investor's money, objected the weight of all so far.
CREATE TABLE objection (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    investor         address NOT NULL,
    weight           numeric(78, 0) NOT NULL,
    objected         numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX objection_of_sale ON objection (chain_id, sale, block_number, log_index);
CREATE INDEX objection_of_position ON objection (chain_id, sale, investor, block_number, log_index);

-- The vault pays the beneficiary nothing more; rest goes back to investors.
CREATE TABLE tap_stop (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    rest             numeric(78, 0) NOT NULL,
    objected         numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX tap_stop_of_sale ON tap_stop (chain_id, sale, block_number, log_index);

CREATE TABLE rest_refund (
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
CREATE INDEX rest_refund_of_sale ON rest_refund (chain_id, sale, block_number, log_index);
CREATE INDEX rest_refund_of_position ON rest_refund (chain_id, sale, investor, block_number, log_index);

-- Tokens that the team keeps, in a wallet that vests from the end of the sale; cliff and duration in seconds after it.
CREATE TABLE allocation (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    wallet           address NOT NULL,
    "index"          smallint NOT NULL,
    beneficiary      address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    cliff            bigint NOT NULL,
    duration         bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX allocation_of_sale ON allocation (chain_id, sale, block_number, log_index);

-- token is zero for ether.
CREATE TABLE allocation_release (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    wallet           address NOT NULL,
    token            address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX allocation_release_of_sale ON allocation_release (chain_id, sale, block_number, log_index);
CREATE INDEX allocation_release_of_wallet ON allocation_release (chain_id, wallet);

CREATE TABLE allocation_reclaim (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    sale             address NOT NULL,
    wallet           address NOT NULL,
    token            address NOT NULL,
    recipient        address NOT NULL,
    amount           numeric(78, 0) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX allocation_reclaim_of_sale ON allocation_reclaim (chain_id, sale, block_number, log_index);
CREATE INDEX allocation_reclaim_of_wallet ON allocation_reclaim (chain_id, wallet);

-- Of a restricted token. until is in Unix seconds, null for a contract of the sale, which is approved for ever and by nobody in particular.
CREATE TABLE holder_approval (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    token            address NOT NULL,
    holder           address NOT NULL,
    until            numeric(78, 0),
    approved_by      address,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX holder_approval_of_token ON holder_approval (chain_id, token, block_number, log_index);

CREATE TABLE contract_uri_change (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    token            address NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX contract_uri_change_of_token ON contract_uri_change (chain_id, token, block_number, log_index);

-- Of a restricted token. at is the Unix second from which an announced change of the admin or of its delay can be made; delay in seconds.
CREATE TABLE token_role_change (
    chain_id         bigint NOT NULL,
    block_number     bigint NOT NULL,
    log_index        integer NOT NULL,
    transaction_hash hash32 NOT NULL,
    token            address NOT NULL,
    change           text NOT NULL CHECK (change IN ('granted', 'revoked', 'admin_offered', 'admin_offer_cancelled', 'delay_announced',
                         'delay_cancelled')),
    role             hash32,
    account          address,
    changed_by       address,
    delay            bigint,
    at               bigint,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX token_role_change_of_token ON token_role_change (chain_id, token, block_number, log_index);

CREATE INDEX excess_return_of_sale ON excess_return (chain_id, sale, block_number, log_index);
