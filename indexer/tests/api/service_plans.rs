//! Lists of the service's own tables: each page, with whatever filter, is found through an index, however many rows there are.

use sqlx::PgPool;

use crate::plans::{most_rows, queries, sequential};

/// Rows of a page, and one more that tells whether there are others.
const PAGE: u64 = 51;

/// One caller has nearly all there is, and nearly all of it is alike: what is asked for is seldom, or lies far behind.
async fn fill(pool: &PgPool) {
    for sql in [
        "INSERT INTO crowdsale_service.sale_order (id, caller, request_id, chain_id, sale, by_operator, investor, currency, amount, sender,
             nonce, value, data, gas_limit, state, since, sent_since, customer_reference_hash, settled)
         SELECT 'ord_' || lpad(n::text, 20, '0'), 'key:a', n, CASE WHEN n % 5000 = 7 THEN 5 ELSE 1 END,
             substr(sha256((CASE WHEN n % 5000 = 11 THEN 'seldom' ELSE 'often' END)::bytea), 1, 20), true, substr(sha256(int8send(n)), 1, 20),
             decode(repeat('00', 20), 'hex'), n, decode(repeat('01', 20), 'hex'), n, n, 'data', 21000,
             CASE WHEN n % 5000 IN (13, 11) THEN 'dropped' WHEN n % 5000 = 17 THEN 'expired' ELSE 'final' END, 1, 1,
             sha256((CASE WHEN n % 5000 = 19 THEN 'seldom' ELSE 'often' END)::bytea), n % 5000 NOT IN (13, 11, 17)
         FROM generate_series(1, 20000) n",
        "INSERT INTO crowdsale_service.order_transaction (hash, chain_id, order_id, sender, nonce, purpose, raw, max_fee, priority_fee)
         SELECT sha256(id::bytea), chain_id, id, sender, nonce, 'original', 'raw', 1, 1 FROM crowdsale_service.sale_order",
        "INSERT INTO crowdsale_service.order_event (order_id, state) SELECT id, 'accepted' FROM crowdsale_service.sale_order",
        "INSERT INTO crowdsale_service.voucher (id, caller, chain_id, sale, investor, max_paid, phases, deadline, epoch, signer, signature,
             kyc_reference_sealed)
         SELECT 'vch_' || lpad(n::text, 20, '0'), 'key:a', 1, substr(sha256('often'), 1, 20),
             substr(sha256((CASE WHEN n % 5000 = 7 THEN 'seldom' ELSE 'often' END)::bytea), 1, 20), 1, 1, 1, 0, decode(repeat('01', 20), 'hex'), 's', 'k'
         FROM generate_series(1, 20000) n",
        "INSERT INTO crowdsale_service.webhook (id, owner, label, url, events)
         SELECT 'wh_' || lpad(n::text, 20, '0'), 'key:a', 'l', 'https://example.org', '{}' FROM generate_series(1, 5000) n",
        "INSERT INTO crowdsale_service.webhook_delivery (id, webhook, type, body, state, attempts, ended_at)
         SELECT 'msg_' || n, 'wh_' || lpad('1', 20, '0'), 'sale.opened', '{}',
             CASE n % 5000 WHEN 7 THEN 'dead' WHEN 11 THEN 'pending' ELSE 'delivered' END, 1,
             CASE n % 5000 WHEN 11 THEN NULL ELSE now() END
         FROM generate_series(1, 20000) n",
        "INSERT INTO crowdsale_service.webhook_attempt (delivery, number, status, milliseconds)
         SELECT id, 1, 200, 1 FROM crowdsale_service.webhook_delivery",
        "INSERT INTO crowdsale_service.api_key (id, family, label, prefix, hash, scopes, networks)
         SELECT 'key_' || lpad(n::text, 20, '0'), n, 'l', n, sha256(int8send(n)), '{orders:write}', '{}' FROM generate_series(1, 5000) n",
        "INSERT INTO crowdsale_service.audit (actor, act, subject) SELECT 'key:a', 'order.accepted', n::text FROM generate_series(1, 5000) n",
        "ANALYZE",
    ] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
}

/// What a list is asked with, each time with another filter or for a page that lies far behind; nothing where the statement is no list.
fn asked(query: &str) -> Vec<String> {
    let place = |n: i64| format!("'ord_{n:020}'");
    let (often, seldom) = ("substr(sha256('often'), 1, 20)", "substr(sha256('seldom'), 1, 20)");
    let is = |part: &str| query.contains(part);
    let states = ["final", "dropped", "included"].map(|state| format!("'{{{state}}}'")).into_iter();
    let all = "'{accepted,pending,included,failed,final,replaced,cancelled,dropped,expired,reorged}'".to_owned();
    let states = states.chain([all]);
    let afters = ["NULL".to_owned(), place(10_000), place(40)];
    if is("o.caller = $1") {
        let filters: &[&str] = if is("(o.chain_id, o.state") {
            &["1", "5", "9"]
        } else if is("(o.sale, o.state") {
            &[&format!("{often}, NULL"), &format!("{seldom}, NULL"), &format!("{often}, 1")]
        } else if is("(o.customer_reference_hash, o.state") {
            &["sha256('often'), NULL, NULL", "sha256('seldom'), NULL, NULL", &format!("sha256('often'), {often}, 1")]
        } else {
            &[]
        };
        let with = |states: String, after: &String| match filters {
            [] => vec![format!("'key:a', {states}, {after}, {PAGE}")],
            filters => filters.iter().map(|f| format!("'key:a', {states}, {after}, {PAGE}, {f}")).collect(),
        };
        return states.flat_map(|states| afters.each_ref().map(|after| with(states.clone(), after)).concat()).collect();
    }
    if is("sale_order WHERE caller = $1 AND position < ") {
        return afters.iter().map(|after| format!("'key:a', {after}, {PAGE}")).collect();
    }
    if is("state = 'expired' ORDER BY looked_at") {
        return vec![format!("1, {PAGE}")];
    }
    if is("FROM crowdsale_service.voucher WHERE chain_id = $1") {
        return [often, seldom].map(|investor| format!("1, {investor}, {PAGE}")).into();
    }
    if is("FROM crowdsale_service.voucher") {
        let afters = ["NULL", "'vch_00000000000000010000'", "'vch_00000000000000000040'"];
        let investors = if is("$6") { [often, seldom].map(|i| format!(", {i}")).into() } else { vec![String::new()] };
        let with = |after: &str| {
            investors.iter().map(|i| format!("'key:a', 1, {often}, {after}, {PAGE}{i}")).collect::<Vec<_>>()
        };
        return afters.map(with).concat();
    }
    if is("(d.webhook, d.state, d.number)") {
        let befores = ["9223372036854775807", "10000"];
        let with = |before: &str| {
            ["pending", "delivered", "dead"]
                .map(|state| format!("'wh_00000000000000000001', {before}, {PAGE}, '{state}'"))
        };
        return befores.map(with).concat();
    }
    if is("FROM crowdsale_service.webhook_delivery d\n") && is("(d.webhook, d.number)") {
        return ["9223372036854775807", "10000"]
            .map(|before| format!("'wh_00000000000000000001', {before}, {PAGE}"))
            .into();
    }
    if is("FROM crowdsale_service.webhook w WHERE w.owner = $1 AND w.id > coalesce") {
        return ["NULL", "'wh_00000000000000002500'"].map(|after| format!("'key:a', {after}, {PAGE}")).into();
    }
    if is("FROM crowdsale_service.api_key WHERE id > coalesce($1, '')") {
        return ["NULL", "'key_00000000000000002500'"].map(|after| format!("{after}, {PAGE}")).into();
    }
    if is("FROM crowdsale_service.audit WHERE id > $1") {
        return ["0", "2500"].map(|after| format!("{after}, {PAGE}")).into();
    }
    // What belongs to the rows of a page.
    if is("WHERE order_id = ANY($1)") {
        let ids: Vec<_> = (1..=50).map(place).collect();
        return vec![format!("ARRAY[{}]", ids.join(", "))];
    }
    Vec::new()
}

#[sqlx::test(migrations = "./migrations")]
async fn each_list_of_the_service_reads_little_more_than_its_page(pool: PgPool) {
    fill(&pool).await;
    let all = queries(&["crowdsale_service."]);
    let mut connection = pool.acquire().await.unwrap();
    let mut lists = 0;
    for query in all {
        let asked = asked(&query);
        // Webhooks that are told are no page: all of them are looked at.
        let is_list = query.contains("LIMIT") && !query.contains("may_have_webhooks");
        assert!(!is_list || !asked.is_empty(), "a new list belongs in this test: {query}");
        lists += usize::from(!asked.is_empty());
        // The service's connections leave it to the database whether a plan is made for any values or for those given: both have to do.
        for mode in ["force_generic_plan", "force_custom_plan"] {
            for arguments in &asked {
                for sql in [format!("SET plan_cache_mode = {mode}"), format!("PREPARE page AS {query}")] {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
                }
                let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({arguments})");
                let (plan,): (serde_json::Value,) = sqlx::query_as(sqlx::AssertSqlSafe(explain))
                    .persistent(false)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                let mut scans = Vec::new();
                sequential(&plan, &TABLES, &mut scans);
                assert!(scans.is_empty(), "{scans:?} read from end to end with {arguments} by\n{query}\n{plan:#}");
                // Orders in whatever state are a page of each state, put together.
                let pages = if arguments.contains("accepted") { 3 } else { 1 };
                let most = most_rows(&plan);
                assert!(most <= pages * PAGE, "{most} rows are read with {arguments} ({mode}) by\n{query}\n{plan:#}");
                sqlx::raw_sql("DEALLOCATE page").execute(&mut *connection).await.unwrap();
            }
        }
    }
    assert_eq!(lists, 16);
}

/// Tables that grow without bound.
const TABLES: [&str; 9] = [
    "sale_order",
    "order_transaction",
    "order_event",
    "voucher",
    "webhook",
    "webhook_delivery",
    "webhook_attempt",
    "api_key",
    "audit",
];
