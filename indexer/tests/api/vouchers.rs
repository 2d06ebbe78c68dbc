//! Vouchers of the KYC desk: signed as the sale checks them, sealed, and each field with its limit.

use alloy::primitives::{Address, U256, hex};
use axum::body::Body;
use crowdsale::{
    access::Scope,
    gates::{
        eligibility::{Deadline, MaxPaid, Phases},
        voucher::VoucherTerms,
    },
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    keys::{key, post, private, with},
    orders::{desk, signer},
    schemas::{assert_described, document},
    support::*,
};

/// A sale whose first phase takes vouchers of `signer`, in the middle of it.
pub async fn gated(pool: &PgPool, signer: Address) -> Terms {
    chain(pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(pool, &terms).await;
    for statement in [
        format!("UPDATE sale SET signer = {}", sql(signer)),
        "UPDATE sale_phase SET gate = 'voucher' WHERE phase = 0".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.unwrap();
    }
    tip(pool, CHAIN, 12, 0).await;
    terms
}

pub fn voucher() -> Value {
    json!({"investor": addr("alice").to_string(), "max_paid": "2500", "phases": [0], "deadline": rfc3339(time(20)),
           "kyc_reference": "case 4711"})
}

#[sqlx::test(migrations = "./migrations")]
async fn a_voucher_is_signed_once_and_its_reference_sealed(pool: PgPool) {
    let terms = gated(&pool, signer().address()).await;
    let app = desk(&pool);
    let own = key(&pool, &[Scope::VouchersWrite], &[]).await;
    let path = format!("{}/vouchers", terms.path());
    let issued = post(&app, &path, own.key.expose(), "one", &voucher()).await;
    assert_eq!(issued.status, 201, "{}", issued.text);
    let data = &issued.body["data"];
    let signed = VoucherTerms {
        chain_id: CHAIN.unsigned_abs(),
        sale: terms.sale,
        investor: addr("alice"),
        max_paid: MaxPaid::new(U256::from(2500)).unwrap(),
        phases: Phases::new([0]).unwrap(),
        deadline: Deadline::new(time(20).unsigned_abs()).unwrap(),
        epoch: U256::ZERO,
    };
    let signature = hex::decode(data["signature"].as_str().unwrap()).unwrap();
    assert_eq!(signed.recover(&signature).unwrap().0, signer().address());
    assert_eq!(data["eligibility"], signed.eligibility(&signature).to_string());
    assert_eq!(data["max_paid"], json!({"raw": "2500", "decimals": 18, "symbol": "ETH"}));

    let again = post(&app, &path, own.key.expose(), "one", &voucher()).await;
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (issued.text.as_str(), "true"));
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT kyc_reference_sealed FROM crowdsale_service.voucher").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].0.windows(4).any(|w| w == b"4711"));
    let noted: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', act, subject, detail) FROM crowdsale_service.audit WHERE act LIKE 'voucher%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(noted.len(), 1);
    assert!(!noted[0].contains("4711"), "{noted:?}");

    let list = async |secret: &str, query: &str| {
        send(&app, with("GET", &format!("{path}{query}"), secret).body(Body::empty()).unwrap()).await
    };
    let all = list(own.key.expose(), "").await.ok();
    assert_eq!((all.rows()[0]["kyc_reference"].as_str(), all.header("cache-control")), (Some("case 4711"), "no-store"));
    assert_described(&document(), "get", &path, &all);
    assert!(list(own.key.expose(), &format!("?investor={}", addr("bob"))).await.ok().rows().is_empty());
    let other = key(&pool, &[Scope::VouchersWrite], &[]).await.key;
    assert!(list(other.expose(), "").await.ok().rows().is_empty());
    let orders = key(&pool, &[Scope::OrdersWrite], &[]).await.key;
    list(orders.expose(), "").await.is_problem(403, "scope_missing");

    // The sale begins another epoch: what was signed for the one before counts no more.
    event(&pool, "voucher_signer_change", &terms, (12, 3), &format!("{}, 1", sql(signer().address()))).await;
    assert_eq!(list(own.key.expose(), "").await.ok().rows()[0]["is_current"], false);
    let fresh = post(&app, &path, own.key.expose(), "two", &voucher()).await;
    assert_eq!((&fresh.body["data"]["epoch"], &fresh.body["data"]["is_current"]), (&json!("1"), &json!(true)));
    let page = list(own.key.expose(), "?limit=1").await.ok();
    let next = format!("?limit=1&after={}", page.body["next_after"].as_str().unwrap());
    let rest = list(own.key.expose(), &next).await.ok();
    assert_eq!((&rest.rows()[0]["id"], &rest.body["next_after"]), (&data["id"], &Value::Null));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_no_sale_would_take_is_not_signed(pool: PgPool) {
    let terms = gated(&pool, signer().address()).await;
    let app = desk(&pool);
    let secret = key(&pool, &[Scope::VouchersWrite], &[]).await.key;
    let path = format!("{}/vouchers", terms.path());
    for (field, pointer, value) in [
        ("investor", "investor", json!("0x")),
        ("investor", "investor", json!(ETH)),
        ("investor", "investor", json!(format!("{}\u{202e}", addr("alice")))),
        ("max_paid", "max_paid", json!("0")),
        ("max_paid", "max_paid", json!(5)),
        ("max_paid", "max_paid", json!("1329227995784915872903807060280344576")),
        ("phases", "phases", json!([])),
        ("phases", "phases", json!([8])),
        ("phases", "phases/0", json!([-1])),
        ("phases", "phases/0", json!([256])),
        ("phases", "phases", json!([2])),
        // One that is open to all.
        ("phases", "phases/1", json!([0, 1])),
        ("deadline", "deadline", json!("tomorrow")),
        ("deadline", "deadline", json!(1_900_000_000)),
        ("deadline", "deadline", json!("2027-01-15T14:00:00")),
        // By the chain's clock: now, and after the sale's end.
        ("deadline", "deadline", json!(rfc3339(time(12)))),
        ("deadline", "deadline", json!(rfc3339(time(30) + 1))),
        ("kyc_reference", "kyc_reference", json!("")),
        ("kyc_reference", "kyc_reference", json!("a\u{0}b")),
        ("kyc_reference", "kyc_reference", json!("x".repeat(129))),
        ("ahead", "ahead", json!("yes")),
        ("note", "note", json!("x")),
    ] {
        let mut body = voucher();
        body[field] = value.clone();
        let answer = post(&app, &path, secret.expose(), "one", &body).await;
        answer.is_problem(422, "invalid_body");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/body/{pointer}"), "{value}: {}", answer.text);
    }
    let mut last = voucher();
    last["deadline"] = json!(rfc3339(time(30)));
    assert_eq!(post(&app, &path, secret.expose(), "last-second", &last).await.status, 201);

    let unsigned = post(&private(&pool), &path, secret.expose(), "one", &voucher()).await;
    unsigned.is_problem(501, "not_configured");
    assert!(unsigned.text.contains("CROWDSALE_VOUCHER_SIGNER_FILE"), "{}", unsigned.text);
    let unknown = format!("/v1/sales/{CHAIN}/{}/vouchers", addr("x"));
    post(&app, &unknown, secret.expose(), "one", &voucher()).await.is_problem(404, "sale_not_found");
    let change = format!("{}, 1", sql(addr("somebody else")));
    event(&pool, "voucher_signer_change", &terms, (12, 3), &change).await;
    post(&app, &path, secret.expose(), "one", &voucher()).await.is_problem(409, "signer_mismatch");
    event(&pool, "voucher_signer_change", &terms, (12, 4), &format!("{}, 2", sql(Address::ZERO))).await;
    post(&app, &path, secret.expose(), "one", &voucher()).await.is_problem(409, "vouchers_not_taken");
    let written: i64 =
        sqlx::query_scalar("SELECT count(*) FROM crowdsale_service.voucher").fetch_one(&pool).await.unwrap();
    assert_eq!(written, 1);
}
