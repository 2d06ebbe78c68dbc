//! Lists and the totals of a sale read through indexes, however many rows there are.

use sqlx::PgPool;

/// Tables that grow without bound; reading one from end to end for a page is a defect.
const LARGE: [&str; 32] = [
    "withdrawal",
    "rejection",
    "share",
    "excess_refund",
    "excess_return",
    "pause_change",
    "voucher_signer_change",
    "compliance_change",
    "ownership_transfer",
    "whitepaper",
    "objection",
    "tap_stop",
    "rest_refund",
    "allocation",
    "allocation_release",
    "allocation_reclaim",
    "holder_approval",
    "token_created",
    "contract_uri_change",
    "contribution",
    "position",
    "block",
    "claim",
    "refund",
    "release",
    "sweep",
    "unsold_return",
    "sale",
    "sale_phase",
    "sale_total",
    "settlement",
    "sale_opening",
];

async fn fill(pool: &PgPool) {
    for sql in [
        "INSERT INTO chain VALUES (1, sha256('genesis'), substr(sha256('factory'), 1, 20), 0)",
        "INSERT INTO checkpoint VALUES (1, 20000, sha256('tip'), 1800000000, 20000, 20000, 20000)",
        "INSERT INTO block SELECT 1, n, sha256(int8send(n)), sha256(int8send(n - 1)), n, true FROM generate_series(1, 20000) n",
        "INSERT INTO sale SELECT 1, n, 0, sha256(int8send(n)), substr(sha256(int8send(n)), 1, 20), decode(repeat('01', 20), 'hex'),
             substr(sha256(int8send(n)), 13), 'fixed_price', decode(repeat('02', 20), 'hex'), decode(repeat('03', 20), 'hex'),
             substr(sha256(int8send(n % 1000)), 5, 20), decode(repeat('00', 20), 'hex'), 0, 1, 1, 1, 1, 1, 1, false, 'name',
             sha256('a'), '', sha256('b'), '', '' FROM generate_series(1, 3000) n",
        "INSERT INTO sale_phase SELECT chain_id, block_number, log_index, 0, address, 0, 1, 1, 1 FROM sale",
        "INSERT INTO sale_opening SELECT chain_id, block_number, 40, address, owner FROM sale",
        "INSERT INTO contribution SELECT 1, n, 1, sha256(int8send(n)), substr(sha256(int8send(n % 3000 + 1)), 1, 20),
             substr(sha256(int8send(n % 4000)), 1, 20), decode(repeat('05', 20), 'hex'), 0, n, n, n, n, n
         FROM generate_series(3001, 20000) n",
        "INSERT INTO settlement SELECT chain_id, block_number + 3000, 9, transaction_hash, address, 'failed', 0, 0 FROM sale",
        "INSERT INTO claim SELECT chain_id, block_number, 2, transaction_hash, sale, investor, investor, 1 FROM contribution",
        "INSERT INTO refund SELECT chain_id, block_number, 3, transaction_hash, sale, investor, investor, 1 FROM contribution",
        "INSERT INTO release SELECT chain_id, block_number, 4, transaction_hash, sale, investor, 1, 1, investor FROM contribution",
        "INSERT INTO withdrawal SELECT chain_id, block_number, 10, transaction_hash, sale, investor, investor, 1, 1, 1, 1 FROM contribution",
        "INSERT INTO rejection SELECT chain_id, block_number, 11, transaction_hash, sale, investor, investor, 1, 1, 1, 1 FROM contribution",
        "INSERT INTO share SELECT chain_id, block_number, 12, transaction_hash, sale, investor, 1, 1, 1 FROM contribution",
        "INSERT INTO excess_refund SELECT chain_id, block_number, 13, transaction_hash, sale, investor, investor, 1 FROM contribution",
        "INSERT INTO excess_return SELECT chain_id, block_number, 14, transaction_hash, sale, investor, 1 FROM contribution",
        "INSERT INTO pause_change SELECT chain_id, block_number, 15, transaction_hash, sale, true FROM contribution",
        "INSERT INTO voucher_signer_change SELECT chain_id, block_number, 16, transaction_hash, sale, investor, 1 FROM contribution",
        "INSERT INTO compliance_change SELECT chain_id, block_number, 17, transaction_hash, sale, investor FROM contribution",
        "INSERT INTO ownership_transfer SELECT chain_id, block_number, 18, transaction_hash, sale, sale, investor, investor, true
         FROM contribution",
        "INSERT INTO whitepaper SELECT chain_id, block_number, 19, transaction_hash, sale, 1, sha256('w'), '', '' FROM contribution",
        "INSERT INTO objection SELECT chain_id, block_number, 20, transaction_hash, sale, investor, 1, 1 FROM contribution",
        "INSERT INTO tap_stop SELECT chain_id, block_number, 21, transaction_hash, sale, 1, 1 FROM contribution",
        "INSERT INTO rest_refund SELECT chain_id, block_number, 22, transaction_hash, sale, investor, investor, 1 FROM contribution",
        "INSERT INTO allocation SELECT chain_id, block_number, 23, transaction_hash, address, address, 0, owner, 1, 1, 1 FROM sale",
        "INSERT INTO allocation_release SELECT chain_id, block_number, 24, transaction_hash, sale, sale, payer, 1 FROM contribution",
        "INSERT INTO allocation_reclaim SELECT chain_id, block_number, 25, transaction_hash, sale, sale, payer, payer, 1 FROM contribution",
        "INSERT INTO token_created SELECT chain_id, block_number, 26, transaction_hash, investor, payer, '', '', 1, '', '' FROM contribution",
        "INSERT INTO holder_approval SELECT chain_id, block_number, 27, transaction_hash, investor, payer, 1, payer FROM contribution",
        "INSERT INTO contract_uri_change SELECT chain_id, block_number, 28, transaction_hash, investor FROM contribution",
        "INSERT INTO token_role_change SELECT chain_id, block_number, 29, transaction_hash, investor, 'granted' FROM contribution",
        "INSERT INTO sweep SELECT chain_id, block_number, 5, transaction_hash, sale, 1 FROM contribution",
        "INSERT INTO unsold_return SELECT chain_id, block_number, 6, transaction_hash, sale, investor, 1 FROM contribution",
        "INSERT INTO token_created SELECT chain_id, block_number, 30, transaction_hash, token, creator, name, name, 1, '', '' FROM sale",
        "INSERT INTO currency SELECT DISTINCT chain_id, token, 'TKN', 'Token', 18 FROM sale",
        "INSERT INTO token_holder SELECT DISTINCT ON (sale, investor) chain_id, sale, investor, block_number FROM contribution",
        "ANALYZE",
    ] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
}

/// The queries as they are written in `indexer/.sqlx`, which is where the macros put every one of them.
pub fn queries(of: &[&str]) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let description: serde_json::Value = serde_json::from_str(&text).unwrap();
            description["query"].as_str().unwrap().to_owned()
        })
        .filter(|query| {
            ["SELECT", "WITH event", "WITH largest"].iter().any(|begin| query.starts_with(begin))
                && of.iter().any(|table| query.contains(table))
        })
        .collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_are_read_through_indexes(pool: PgPool) {
    fill(&pool).await;
    let queries = queries(&[
        "LEFT JOIN block b ON b.chain_id = c.chain_id",
        "AS less FROM position",
        "FROM sale_overview",
        "FROM sale_now",
        "sale_phase p",
        "FROM sale_activity",
        "JOIN whitepaper w",
        "JOIN allocation a",
        ") e LEFT JOIN block b ON",
        "WITH event AS",
        "AS stake FROM position",
        "FROM token_created k",
        "FROM token_holder",
        "FROM currency u",
        "SELECT EXISTS (SELECT FROM sale",
        "FROM (SELECT * FROM position",
        "JOIN block b ON b.chain_id = m.chain_id",
    ]);
    assert_eq!(queries.len(), 36, "the statements of db/read; a new one belongs in this test");
    let sale = "substr(sha256(int8send(7)), 1, 20)";
    for query in queries {
        let is_position = is_position(&query);
        let arguments = arguments(&query, sale);
        // As readers plan: without values, so that no plan hangs on a lucky one; but that which finds a page of sales with them. With a
        // text, what is best hangs on how seldom that is: without it, both of its indexes are.
        let has_values = query.contains("FROM sale_now") && !query.contains("search_text($10)");
        let mode = if has_values { "force_custom_plan" } else { "force_generic_plan" };
        let mut transaction = pool.begin().await.unwrap();
        for sql in [format!("SET LOCAL plan_cache_mode = {mode}"), format!("PREPARE page AS {query}")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
        }
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE page ({arguments})");
        let (plan,): (serde_json::Value,) =
            sqlx::query_as(sqlx::AssertSqlSafe(explain)).persistent(false).fetch_one(&mut *transaction).await.unwrap();
        let mut scans = Vec::new();
        sequential(&plan, &LARGE, &mut scans);
        assert!(scans.is_empty(), "{scans:?} read from end to end by\n{query}\n{plan:#}");
        // A list goes on where its cursor says by the index alone, in the index's order: what is before is not read, what is behind not sorted.
        // Those of one transaction are no list: of one block at most.
        let is_list =
            query.contains("LEFT JOIN block b ON b.chain_id = c.chain_id") && !query.contains("c.transaction_hash = ");
        if is_position || is_list {
            let mut passed_over = Vec::new();
            detours(&plan, &mut passed_over);
            assert!(passed_over.is_empty(), "{passed_over:?} in\n{query}\n{plan:#}");
            // And what is beside the rows is looked up for the page's alone.
            assert_eq!(limits(&plan, false), (1, 0), "limits, and joins below one, of\n{query}\n{plan:#}");
        }
        // An index that is walked for its order is none that finds a text.
        for index in ["sale_by_text", "currency_by_text"].iter().filter(|_| query.contains("search_text($10)")) {
            assert!(plan.to_string().contains(index), "{index} is not used by\n{query}\n{plan:#}");
        }
        sqlx::raw_sql("DEALLOCATE page").execute(&mut *transaction).await.unwrap();
    }
}

/// What a plan that is made for any values does not know: one sale has most of what there is. A page of it must not read it whole.
#[sqlx::test(migrations = "./migrations")]
async fn a_page_of_a_large_sale_reads_little_more_than_the_page(pool: PgPool) {
    for sql in [
        "INSERT INTO chain VALUES (1, sha256('genesis'), substr(sha256('factory'), 1, 20), 0)",
        "INSERT INTO checkpoint VALUES (1, 20000, sha256('tip'), 1800000000, 20000, 20000, 20000)",
        "INSERT INTO block SELECT 1, n, sha256(int8send(n)), sha256(int8send(n - 1)), n, true FROM generate_series(1, 20000) n",
        "INSERT INTO sale SELECT 1, n, 0, sha256(int8send(n)), substr(sha256(int8send(n)), 1, 20), decode(repeat('01', 20), 'hex'),
             substr(sha256(int8send(n)), 13), 'fixed_price', decode(repeat('02', 20), 'hex'), decode(repeat('03', 20), 'hex'),
             substr(sha256(int8send(n)), 5, 20), decode(repeat('00', 20), 'hex'), 0, 1, 1, 1, 1, 1, 1, false, 'name',
             sha256('a'), '', sha256('b'), '', '' FROM generate_series(1, 30) n",
        "INSERT INTO contribution SELECT 1, 100 + n, 1, sha256(int8send(n)),
             substr(sha256(int8send(CASE WHEN n < 8000 THEN 7 ELSE n % 30 + 1 END)), 1, 20),
             substr(sha256(int8send(n)), 1, 20), decode(repeat('05', 20), 'hex'), 0, n % 50 + 1, n, n, n, n
         FROM generate_series(1, 16000) n",
        "INSERT INTO token_holder SELECT 1, s.token, c.investor, c.amount FROM sale s JOIN contribution c ON c.sale = s.address",
        "ANALYZE",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    let lists = queries(&[
        "LEFT JOIN block b ON b.chain_id = c.chain_id",
        "AS less FROM position",
        "FROM (SELECT * FROM position",
        "FROM sale_activity",
        ") e LEFT JOIN block b ON",
        "FROM token_holder h",
    ]);
    let mut read = Vec::new();
    let mut connection = pool.acquire().await.unwrap();
    for query in lists.iter().filter(|query| !query.contains("c.transaction_hash = ")) {
        let sale = "substr(sha256(int8send(7)), 1, 20)";
        let token = "substr(sha256(int8send(7)), 5, 20)";
        let of = if query.contains("FROM token_holder h") { token } else { sale };
        for sql in ["SET plan_cache_mode = force_generic_plan".to_owned(), format!("PREPARE page AS {query}")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
        }
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({})", first_page(query, of));
        let (plan,): (serde_json::Value,) =
            sqlx::query_as(sqlx::AssertSqlSafe(explain)).persistent(false).fetch_one(&mut *connection).await.unwrap();
        let found = whole(&plan[0]["Plan"]["Actual Rows"]);
        read.push((most_rows(&plan), found, query, plan));
        sqlx::raw_sql("DEALLOCATE page").execute(&mut *connection).await.unwrap();
    }
    assert!(read.iter().filter(|(_, found, ..)| *found == 51).count() >= 6, "whole pages are found");
    for (most, _, query, plan) in &read {
        // An event is looked for in each of some twenty tables.
        assert!(*most <= 51 * 22, "{most} rows are read by\n{query}\n{plan:#}");
    }
}

/// What is told as it happens is read from where it begins: what stands before that, which is nearly all there is, costs nothing.
#[sqlx::test(migrations = "./migrations")]
async fn what_is_new_is_not_looked_for_in_what_is_old(pool: PgPool) {
    fill(&pool).await;
    let queries = queries(&["FROM feed_event e JOIN block b"]);
    assert_eq!(queries.len(), 1);
    let mut connection = pool.acquire().await.unwrap();
    for sql in ["SET plan_cache_mode = force_generic_plan".to_owned(), format!("PREPARE news AS {}", queries[0])] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
    }
    let mut touched = Vec::new();
    for block in [3_100, 20_000] {
        // Behind all of the block before.
        let arguments = format!("1, {}, {}, {block}, NULL, NULL, 2000", block - 1, i32::MAX);
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE news ({arguments})");
        let (plan,): (serde_json::Value,) =
            sqlx::query_as(sqlx::AssertSqlSafe(explain)).persistent(false).fetch_one(&mut *connection).await.unwrap();
        let plan = &plan[0]["Plan"];
        assert!(whole(&plan["Actual Rows"]) >= 10, "{plan:#}");
        touched.push(whole(&plan["Shared Hit Blocks"]) + whole(&plan["Shared Read Blocks"]));
    }
    assert!(touched[1] < 2 * touched[0] + 100, "blocks of the database for an early and a late block: {touched:?}");
}

/// What a list is asked with, for its first page. An investor's is of somebody with one contribution.
fn first_page(query: &str, of: &str) -> String {
    let end =
        if query.contains(") > (") && !query.contains("-paid") { "-1, 0" } else { "9223372036854775807, 2147483647" };
    if is_position(query) && query.contains("ANY($1)") {
        "ARRAY[1]::bigint[], substr(sha256(int8send(9)), 1, 20), -1, '\\x', 51".to_owned()
    } else if query.contains("$3::text::numeric") {
        format!("1, {of}, 'Infinity', '\\x', 51")
    } else if is_position(query) {
        format!("1, {of}, '\\x', 51")
    } else if query.contains("$6") {
        format!("1, {of}, {end}, 51, substr(sha256(int8send(9)), 1, 20)")
    } else {
        format!("1, {of}, {end}, 51")
    }
}

/// A count, which newer databases write with decimals, as it is a mean of runs.
fn whole(count: &serde_json::Value) -> u64 {
    count.to_string().split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// Most rows that a part of the plan has read, in all its runs.
pub fn most_rows(plan: &serde_json::Value) -> u64 {
    match plan {
        serde_json::Value::Object(node) => {
            let number = |key: &str| node.get(key).map(whole).unwrap_or_default();
            let own = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
            node.values().map(most_rows).fold(own, u64::max)
        }
        serde_json::Value::Array(items) => items.iter().map(most_rows).fold(0, u64::max),
        _ => 0,
    }
}

/// How many limits a plan has, and how many joins below one. What is looked up for a field of one row is neither.
fn limits(plan: &serde_json::Value, is_below: bool) -> (usize, usize) {
    match plan {
        serde_json::Value::Object(node) => {
            let text = |key: &str| node.get(key).and_then(|v| v.as_str()).unwrap_or_default();
            if ["SubPlan", "InitPlan"].contains(&text("Parent Relationship")) {
                return (0, 0);
            }
            let kind = text("Node Type");
            let is_join = kind.contains("Join") || kind == "Nested Loop";
            let own = (usize::from(kind == "Limit"), usize::from(is_join && is_below));
            let below = node.values().map(|part| limits(part, is_below || kind == "Limit"));
            below.fold(own, |sum, part| (sum.0 + part.0, sum.1 + part.1))
        }
        serde_json::Value::Array(items) => {
            items.iter().map(|part| limits(part, is_below)).fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
        }
        _ => (0, 0),
    }
}

fn is_position(query: &str) -> bool {
    query.contains("-paid AS less FROM position") || query.contains("FROM (SELECT * FROM position")
}

/// What the query is asked with: of lists the first page.
fn arguments(query: &str, sale: &str) -> String {
    let is_position = is_position(query);
    if query.contains("c.transaction_hash = ANY") {
        format!("1, {sale}, {sale}, ARRAY[sha256('t')]")
    } else if query.contains("c.transaction_hash = m.transaction_hash") {
        "ARRAY[1], ARRAY[15000], ARRAY[sha256('t')]".to_owned()
    } else if query.contains("JOIN block b ON b.chain_id = m.chain_id") {
        "ARRAY[1], ARRAY[15000]".to_owned()
    } else if query.contains("LEFT JOIN block b ON b.chain_id = c.chain_id") {
        let (block, log) = if query.contains(") < (") { ("15000", "1") } else { ("5000", "1") };
        let investor = if query.contains("$6") { ", substr(sha256(int8send(7)), 1, 20)" } else { "" };
        format!("1, {sale}, {block}, {log}, 51{investor}")
    } else if query.contains(") e LEFT JOIN block b ON") {
        format!("1, {sale}, 15000, 1, 51")
    } else if query.contains("WITH event AS") {
        format!("1, {sale}, 86400, 864000, 86400")
    } else if query.contains("FROM token_holder h") {
        format!("1, {sale}, 'Infinity', {sale}, 51")
    } else if query.contains("WITH largest")
        || query.contains("AS stake FROM position")
        || query.contains("AND token = $2")
        || query.contains("k.token = $2")
        || query.contains("FROM sale_opening")
    {
        format!("1, {sale}")
    } else if query.contains("AS \"sold_since!\"") {
        "NULL, 51".to_owned()
    } else if query.contains("search_text($10)") {
        "-1, 9223372036854775807, 2147483647, 51, NULL, NULL, NULL, NULL, NULL, 'seldom'".to_owned()
    } else if query.contains("FROM sale_activity") {
        format!("1, {sale}, 15000, 1, 51")
    } else if is_position && query.contains("ANY($1)") {
        format!("ARRAY[1]::bigint[], {sale}, -1, {sale}, 51")
    } else if is_position && query.contains("numeric") {
        format!("1, {sale}, 'Infinity', {sale}, 51")
    } else if is_position {
        format!("1, {sale}, {sale}, 51")
    } else if query.contains("ORDER BY chain_id, block_number DESC") {
        "-1, 9223372036854775807, 2147483647, 51, NULL, NULL, NULL, NULL, NULL".to_owned()
    } else if query.contains("address = $2") {
        format!("1, {sale}")
    } else {
        format!("ARRAY[1]::bigint[], ARRAY[{sale}]")
    }
}

/// Those of these tables that a plan reads from end to end.
pub fn sequential(plan: &serde_json::Value, tables: &[&str], scans: &mut Vec<String>) {
    match plan {
        serde_json::Value::Object(node) => {
            let relation = node.get("Relation Name").and_then(|r| r.as_str()).unwrap_or_default();
            if node.get("Node Type").is_some_and(|t| t == "Seq Scan") && tables.contains(&relation) {
                scans.push(relation.to_owned());
            }
            node.values().for_each(|v| sequential(v, tables, scans));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|v| sequential(v, tables, scans)),
        _ => {}
    }
}

/// What makes a page dearer the longer its list is: sorting, and conditions on rows of the list that no index answers.
fn detours(plan: &serde_json::Value, found: &mut Vec<String>) {
    match plan {
        serde_json::Value::Object(node) => {
            let text = |key: &str| node.get(key).and_then(|v| v.as_str()).unwrap_or_default();
            let is_listed = ["position", "c"].contains(&text("Alias")) && text("Parent Relationship") != "SubPlan";
            if text("Node Type").contains("Sort") || text("Node Type").contains("Bitmap") {
                found.push(text("Node Type").to_owned());
            }
            if is_listed && node.contains_key("Filter") {
                found.push(text("Filter").to_owned());
            }
            node.values().for_each(|v| detours(v, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|v| detours(v, found)),
        _ => {}
    }
}
