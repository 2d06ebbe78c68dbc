-- What the directory is searched by, what is known of tokens, and the views of dashboards.

-- A text as it is compared: the first 256 characters, in one form of Unicode (NFKC) and in small letters. The case of letters beyond ASCII
-- is that of the best collation that this server has; the database's own may know none.
DO $$
DECLARE
    best text := (
        SELECT format(' COLLATE pg_catalog.%I', collname) FROM pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'und-x-icu')
        ORDER BY collname LIMIT 1);
BEGIN
    EXECUTE format('CREATE FUNCTION search_text(of_text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
        $f$ SELECT lower(normalize(left(of_text, 256), NFKC)%s) $f$', coalesce(best, ''));
END $$;

-- All pieces of one, two and three characters of such a text. An array under GIN finds any part of a name without an extension, which
-- would belong to one schema and go with it when another takes its place.
CREATE FUNCTION search_pieces(of_text text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(of_text, at, size)), '{}')
    FROM generate_series(1, length(of_text)) at, generate_series(1, 3) size
    WHERE at + size - 1 <= length(of_text)
$$;

CREATE INDEX sale_by_text ON sale USING gin (search_pieces(search_text(name)));
-- A line break stands between them: nobody can search for one.
CREATE INDEX currency_by_text ON currency USING gin (search_pieces(search_text(symbol || chr(10) || name)));
CREATE INDEX sale_of_token ON sale (chain_id, token, block_number);

-- Views for dashboards and BI tools. Their names and columns stay; new ones may come. They call no function that reads a table, because it
-- would read it with the rights of whoever asks, and that role has none on tables (deploy/dashboard-role.sql).
--   sale      an address as text, in small letters: for people and for joins between these views
--   sale_id   the same as bytea: a condition on it uses the index, one on the text reads all
--   …_raw     an amount in base units; beside it, without _raw, the same in whole units: exact, however many digits

CREATE FUNCTION whole_units(raw numeric, decimals smallint) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- A product has all digits; a quotient is rounded to some.
    SELECT trim_scale(raw * ('1e-' || decimals)::numeric)
$$;

CREATE FUNCTION hex_address(of_address bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '0x' || encode(of_address, 'hex')
$$;

CREATE VIEW dash_sale AS
SELECT s.chain_id, hex_address(s.address) AS sale, s.address::bytea AS sale_id, s.name, s.mode,
    CASE
        WHEN o.outcome IS NOT NULL THEN o.outcome
        WHEN c.block_timestamp < s.opens THEN 'upcoming'
        WHEN c.block_timestamp < s.closes THEN 'open'
        ELSE 'ended'
    END AS state,
    hex_address(s.token) AS token, coalesce(token.symbol, '') AS token_symbol, coalesce(token.decimals, 0::smallint) AS token_decimals,
    hex_address(s.currency) AS currency, coalesce(money.symbol, '') AS currency_symbol,
    coalesce(money.decimals, 0::smallint) AS currency_decimals,
    to_timestamp(made.timestamp) AS created_at, to_timestamp(s.opens) AS opens, to_timestamp(s.closes) AS closes,
    to_timestamp(ended.timestamp) AS settled_at,
    s.soft_cap AS soft_cap_raw, whole_units(s.soft_cap, coalesce(money.decimals, 0::smallint)) AS soft_cap,
    s.hard_cap AS hard_cap_raw, whole_units(s.hard_cap, coalesce(money.decimals, 0::smallint)) AS hard_cap,
    t.raised AS raised_raw, whole_units(t.raised, coalesce(money.decimals, 0::smallint)) AS raised,
    t.withdrawn AS withdrawn_raw, whole_units(t.withdrawn, coalesce(money.decimals, 0::smallint)) AS withdrawn,
    t.rejected AS rejected_raw, whole_units(t.rejected, coalesce(money.decimals, 0::smallint)) AS rejected,
    t.refunded AS refunded_raw, whole_units(t.refunded, coalesce(money.decimals, 0::smallint)) AS refunded,
    t.released AS released_raw, whole_units(t.released, coalesce(money.decimals, 0::smallint)) AS released,
    CASE WHEN s.mode <> 'fixed_price' AND o.outcome = 'succeeded' THEN o.sold ELSE t.sold END AS sold_raw,
    whole_units(CASE WHEN s.mode <> 'fixed_price' AND o.outcome = 'succeeded' THEN o.sold ELSE t.sold END,
        coalesce(token.decimals, 0::smallint)) AS sold,
    t.claimed AS claimed_raw, whole_units(t.claimed, coalesce(token.decimals, 0::smallint)) AS claimed,
    t.contributions, t.investors, t.withdrawals, t.rejections, t.refunds, t.claims
FROM sale s
JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
JOIN checkpoint c ON c.chain_id = s.chain_id
LEFT JOIN block made ON made.chain_id = s.chain_id AND made.number = s.block_number
LEFT JOIN settlement o ON o.chain_id = s.chain_id AND o.sale = s.address
LEFT JOIN block ended ON ended.chain_id = o.chain_id AND ended.number = o.block_number
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency;

CREATE VIEW dash_daily AS
SELECT d.chain_id, hex_address(d.sale) AS sale, d.sale::bytea AS sale_id, (to_timestamp(d.day * 86400) AT TIME ZONE 'UTC')::date AS day,
    coalesce(money.symbol, '') AS currency_symbol, d.contributions, d.investors,
    d.contributed AS contributed_raw, whole_units(d.contributed, coalesce(money.decimals, 0::smallint)) AS contributed,
    d.withdrawn AS withdrawn_raw, whole_units(d.withdrawn, coalesce(money.decimals, 0::smallint)) AS withdrawn,
    d.rejected AS rejected_raw, whole_units(d.rejected, coalesce(money.decimals, 0::smallint)) AS rejected
FROM (
    SELECT e.chain_id, e.sale, b.timestamp / 86400 AS day,
        count(*) FILTER (WHERE e.kind = 'contributed') AS contributions,
        count(DISTINCT e.investor) FILTER (WHERE e.kind = 'contributed') AS investors,
        coalesce(sum(e.amount) FILTER (WHERE e.kind = 'contributed'), 0) AS contributed,
        coalesce(sum(e.amount) FILTER (WHERE e.kind = 'withdrawn'), 0) AS withdrawn,
        coalesce(sum(e.amount) FILTER (WHERE e.kind = 'rejected'), 0) AS rejected
    FROM (
        SELECT 'contributed' AS kind, chain_id, sale, block_number, investor, amount FROM contribution
        UNION ALL SELECT 'withdrawn', chain_id, sale, block_number, investor, amount FROM withdrawal
        UNION ALL SELECT 'rejected', chain_id, sale, block_number, investor, amount FROM rejection
    ) e JOIN block b ON b.chain_id = e.chain_id AND b.number = e.block_number
    GROUP BY e.chain_id, e.sale, b.timestamp / 86400
) d
JOIN sale s ON s.chain_id = d.chain_id AND s.address = d.sale
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency;

CREATE VIEW dash_investor AS
SELECT p.chain_id, hex_address(p.sale) AS sale, p.sale::bytea AS sale_id, hex_address(p.investor) AS investor,
    p.investor::bytea AS investor_id, coalesce(money.symbol, '') AS currency_symbol, coalesce(token.symbol, '') AS token_symbol,
    p.contributions, p.rejections > 0 AS rejected,
    p.paid AS paid_raw, whole_units(p.paid, coalesce(money.decimals, 0::smallint)) AS paid,
    p.paid - p.withdrawn - p.rejected AS stake_raw,
    whole_units(p.paid - p.withdrawn - p.rejected, coalesce(money.decimals, 0::smallint)) AS stake,
    p.refunded + p.excess_refunded + p.rest_refunded AS refunded_raw,
    whole_units(p.refunded + p.excess_refunded + p.rest_refunded, coalesce(money.decimals, 0::smallint)) AS refunded,
    p.claimed AS claimed_raw, whole_units(p.claimed, coalesce(token.decimals, 0::smallint)) AS claimed
FROM position p
JOIN sale s ON s.chain_id = p.chain_id AND s.address = p.sale
LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency;

CREATE VIEW dash_outcome AS
SELECT chain_id, currency, currency_symbol, state, count(*) AS sales, sum(investors) AS positions, sum(raised_raw) AS raised_raw,
    whole_units(sum(raised_raw), currency_decimals) AS raised
FROM dash_sale GROUP BY chain_id, currency, currency_symbol, currency_decimals, state;

CREATE VIEW dash_chain AS
SELECT c.chain_id, c.number AS indexed_block, to_timestamp(c.block_timestamp) AS indexed_time, c.head_number AS head_block,
    c.safe_number AS safe_block, c.finalized_number AS finalized_block, greatest(c.number - c.finalized_number, 0) AS blocks_not_final,
    greatest(c.head_number - c.number, 0) AS blocks_behind,
    greatest(floor(extract(epoch FROM clock_timestamp()))::bigint - c.block_timestamp, 0) AS lag_seconds,
    greatest(floor(extract(epoch FROM clock_timestamp() - c.seen_at))::bigint, 0) AS silent_seconds,
    c.halted IS NOT NULL AS is_halted, coalesce(c.halted, '') AS halted_reason,
    (SELECT count(*) FROM quarantined_log q WHERE q.chain_id = c.chain_id) AS quarantined_logs,
    (SELECT count(*) FROM sale s WHERE s.chain_id = c.chain_id) AS sales
FROM checkpoint c;

COMMENT ON VIEW dash_sale IS 'One row a sale: its terms, where it stands by the chain''s clock, and its totals.';
COMMENT ON COLUMN dash_sale.sale_id IS 'The address as bytea: conditions on it use the index.';
COMMENT ON COLUMN dash_sale.state IS 'upcoming, open, ended, succeeded, failed or cancelled.';
COMMENT ON COLUMN dash_sale.raised IS 'All contributions less withdrawals and rejections, in whole units, exact. Refunds are not taken off.';
COMMENT ON COLUMN dash_sale.refunded IS 'Paid back after a failure, a cancellation or a rejection.';
COMMENT ON COLUMN dash_sale.sold IS 'Tokens allotted; zero before the outcome where that allots them.';
COMMENT ON COLUMN dash_sale.investors IS 'Addresses that ever contributed.';
COMMENT ON VIEW dash_daily IS 'One row a sale and day of UTC by the chain''s clock on which something came in or left. Over all days, contributed less withdrawn less rejected is what the sale has raised.';
COMMENT ON COLUMN dash_daily.investors IS 'Addresses that contributed on the day; one that comes on two days counts on both.';
COMMENT ON VIEW dash_investor IS 'One row an address and sale.';
COMMENT ON COLUMN dash_investor.stake IS 'Paid and neither withdrawn nor rejected; over all investors what the sale has raised.';
COMMENT ON COLUMN dash_investor.refunded IS 'Paid back in all: refunds, excess, and the rest of a stopped vault.';
COMMENT ON VIEW dash_outcome IS 'Sales by chain, currency and state, with what they raised.';
COMMENT ON COLUMN dash_outcome.positions IS 'Investors of these sales; one in two sales counts twice.';
COMMENT ON VIEW dash_chain IS 'One row a chain: how far it is indexed, how final that is, and how old.';
COMMENT ON COLUMN dash_chain.lag_seconds IS 'By which the indexed block''s timestamp is behind the database''s clock.';
COMMENT ON COLUMN dash_chain.silent_seconds IS 'Since the indexer last asked its node.';
COMMENT ON COLUMN dash_chain.quarantined_logs IS 'Logs that could not be decoded: figures may be incomplete.';
