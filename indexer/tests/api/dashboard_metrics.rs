//! Expressions of the dashboards over metrics: each is PromQL, and each metric and label in one is there when it is scraped.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use promql_parser::parser::{self, Expr, LabelModifier};
use serde_json::Value;
use sqlx::PgPool;

use crate::{
    dashboards::{dashboards, repository},
    orders::{desk, signer, written},
    support::*,
};

/// Labels by metric.
type Series = BTreeMap<String, BTreeSet<String>>;

fn labels(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// What `GET /metrics` of a service says, after a request, with an order and with what was seen of the account that signs.
async fn scraped(pool: &PgPool) -> Series {
    chain(pool, CHAIN).await;
    sale(pool, &Terms::new("Aurora", 1, 0)).await;
    written(pool, "ord_aaaaaaaaaaaaaaaaaaaa", "key:a", "pending").await;
    let seen = format!(
        "INSERT INTO crowdsale_service.order_signer (chain_id, address, balance, mined_nonce, fee_asked, seen_at)
         VALUES ({CHAIN}, {}, 1, 0, 1, now())",
        sql(signer().address())
    );
    sqlx::query(sqlx::AssertSqlSafe(seen)).execute(pool).await.unwrap();
    let app = desk(pool);
    get(&app, "/v1/sales").await.ok();
    let mut found = Series::new();
    for line in get(&app, "/metrics").await.text.lines().filter(|line| line.starts_with("crowdsale_")) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let of = found.entry(name.to_owned()).or_default();
        if let Some((pairs, _)) = rest.split_once("\"}") {
            of.extend(pairs.split("\",").map(|pair| pair.split_once("=\"").unwrap().0.to_owned()));
        }
    }
    found
}

/// What only processes that follow a chain say, which need a node; with its labels as the source writes them.
fn of_followers() -> Series {
    let mut found = Series::new();
    let mut files = vec![repository().join("indexer/src")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("telemetry.rs") {
            written_in(&path, &mut found);
        }
    }
    found
}

/// Adds the metrics that a source file counts, each with its labels.
fn written_in(path: &Path, found: &mut Series) {
    let names = fs::read_to_string(repository().join("indexer/src/telemetry.rs")).unwrap();
    let text = fs::read_to_string(path).unwrap();
    for kind in ["gauge!(", "counter!(", "histogram!("] {
        for (at, _) in text.match_indices(kind) {
            let call = &text[at + kind.len()..];
            let Some((_, call)) = call.split_once("metric::").filter(|(before, _)| before.len() < 24) else { continue };
            let end = call.find(".set(").or_else(|| call.find(';')).unwrap().min(call.find(';').unwrap());
            let name: String = call.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            let (_, value) = names.split_once(&format!("pub const {name}: &str = \"")).unwrap();
            let metric = value.split_once('"').unwrap().0;
            // A label stands before each arrow.
            let before_arrows = call[..end].split(" => ").filter_map(|part| part.strip_suffix('"'));
            let of: BTreeSet<_> = before_arrows.filter_map(|part| Some(part.rsplit_once('"')?.1.to_owned())).collect();
            if kind == "histogram!(" {
                found
                    .entry(format!("{metric}_bucket"))
                    .or_default()
                    .extend(of.iter().cloned().chain(["le".to_owned()]));
            }
            found.entry(metric.to_owned()).or_default().extend(of);
        }
    }
}

/// Checks the labels of an expression against its metrics, which are gathered in `used`; the labels that come out of it.
fn check(expr: &Expr, known: &Series, used: &mut BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    match expr {
        Expr::VectorSelector(selector) => {
            let name = selector.name.clone().ok_or("a selector names no metric")?;
            let of = known.get(&name).ok_or_else(|| format!("{name} is no metric"))?;
            let alternatives = selector.matchers.or_matchers.iter().flatten();
            for matcher in selector.matchers.matchers.iter().chain(alternatives) {
                if !of.contains(&matcher.name) {
                    return Err(format!("{name} has no label {}", matcher.name));
                }
            }
            used.insert(name);
            Ok(of.clone())
        }
        Expr::MatrixSelector(selector) => check(&Expr::VectorSelector(selector.vs.clone()), known, used),
        Expr::Aggregate(aggregate) => {
            let of = check(&aggregate.expr, known, used)?;
            let Some(modifier) = &aggregate.modifier else { return Ok(BTreeSet::new()) };
            let named: BTreeSet<_> = modifier.labels().labels.iter().cloned().collect();
            if let Some(missing) = named.difference(&of).next() {
                return Err(format!("it groups by {missing}, which is no label of {expr}"));
            }
            Ok(match modifier {
                LabelModifier::Include(_) => named,
                LabelModifier::Exclude(_) => of.difference(&named).cloned().collect(),
            })
        }
        Expr::Call(call) => {
            let mut out = BTreeSet::new();
            for argument in &call.args.args {
                out.extend(check(argument, known, used)?);
            }
            if call.func.name == "histogram_quantile" && !out.remove("le") {
                return Err(format!("a quantile needs le: {expr}"));
            }
            Ok(out)
        }
        Expr::Binary(binary) => {
            if binary.modifier.is_some() {
                return Err("labels that two sides are matched by are not known to this test".to_owned());
            }
            let (left, right) = (check(&binary.lhs, known, used)?, check(&binary.rhs, known, used)?);
            Ok(left.union(&right).cloned().collect())
        }
        Expr::Paren(inner) => check(&inner.expr, known, used),
        Expr::Unary(inner) => check(&inner.expr, known, used),
        Expr::Subquery(inner) => check(&inner.expr, known, used),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(BTreeSet::new()),
        Expr::Extension(_) => Err("not of the language".to_owned()),
    }
}

/// An expression, parsed and checked, with what its panel writes beside each line.
fn check_target(text: &str, legend: &str, known: &Series, used: &mut BTreeSet<String>) -> Result<(), String> {
    // As Grafana sends it.
    let out = check(&parser::parse(&text.replace("$__rate_interval", "5m"))?, known, used)?;
    for part in legend.split("{{").skip(1) {
        let label = part.split("}}").next().unwrap_or_default().trim();
        if !out.contains(label) {
            return Err(format!("its legend has {label}, which does not come out of it"));
        }
    }
    Ok(())
}

/// All objects that have an expression.
fn targets<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(fields) => {
            if let Some(expr) = fields.get("expr").and_then(Value::as_str) {
                found.push((expr, fields.get("legendFormat").and_then(Value::as_str).unwrap_or_default()));
            }
            fields.values().for_each(|v| targets(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| targets(v, found)),
        _ => {}
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn every_expression_is_one_over_metrics_and_labels_that_there_are(pool: PgPool) {
    let mut known = scraped(&pool).await;
    let written = of_followers();
    // What is scraped is what the source says: so that the source can be believed of the rest.
    for (name, of) in
        known.iter().filter(|(name, _)| !["_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end)))
    {
        assert_eq!(written.get(name), Some(of), "{name}");
    }
    let scraped: BTreeSet<_> = known.keys().cloned().collect();
    for (name, of) in written {
        known.entry(name).or_insert(of);
    }
    let (mut used, mut count) = (BTreeSet::new(), 0);
    for (name, dashboard) in dashboards() {
        let mut found = Vec::new();
        targets(&dashboard, &mut found);
        for (expr, legend) in found {
            check_target(expr, legend, &known, &mut used).unwrap_or_else(|why| panic!("{name}: {expr}: {why}"));
            count += 1;
        }
    }
    assert!(count > 25, "{count}");
    let unseen: Vec<_> = used.difference(&scraped).map(String::as_str).collect();
    assert_eq!(
        unseen,
        [
            "crowdsale_indexer_batch_duration_seconds_bucket",
            "crowdsale_indexer_events_total",
            "crowdsale_indexer_range_blocks",
            "crowdsale_indexer_range_halvings_total",
            "crowdsale_indexer_retries_total",
            "crowdsale_order_follower",
        ],
        "only what needs a node may be taken from the source"
    );
}

#[test]
fn what_is_wrong_with_an_expression_is_noticed() {
    let known = Series::from([
        ("m_total".to_owned(), labels(&["chain_id"])),
        ("s_bucket".to_owned(), labels(&["le", "route"])),
    ]);
    let check = |expr: &str, legend: &str| check_target(expr, legend, &known, &mut BTreeSet::new());
    check("60 * sum by (chain_id) (rate(m_total{chain_id=\"1\"}[$__rate_interval]))", "{{chain_id}}").unwrap();
    check("histogram_quantile(0.5, sum by (le) (rate(s_bucket[5m])))", "p50").unwrap();
    for (expr, legend) in [
        ("sum by (chain_id (m_total)", ""),
        ("rat(m_total[5m])", ""),
        ("rate(m_total)", ""),
        ("sum(n_total)", ""),
        ("sum by (state) (m_total)", ""),
        ("m_total{state=\"x\"}", ""),
        ("m_total[$__other]", ""),
        ("histogram_quantile(0.5, sum by (route) (rate(s_bucket[5m])))", ""),
        ("sum by (chain_id) (m_total)", "{{state}}"),
        ("sum(m_total)", "{{chain_id}}"),
    ] {
        assert!(check(expr, legend).is_err(), "{expr} {legend}");
    }
}
