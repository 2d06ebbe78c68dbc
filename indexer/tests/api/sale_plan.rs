//! A sale file that is checked over the API. What a node has to tell about it is tested in the browser, against a real one.

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use crowdsale::sale_file::{SaleFile, SaleFileError, sale_hash};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    schemas::{assert_described, document},
    support::*,
};

const AURORA: &str = include_str!("../../../contracts/examples/aurora-eth.toml");
const MERIDIAN: &str = include_str!("../../../contracts/examples/meridian-prorata.toml");
const POLAR: &str = include_str!("../../../contracts/examples/polar-auction.toml");
const PATH: &str = "/v1/sales/plan";

async fn plan(app: &Router, body: &Value) -> Answer {
    let request = Request::post(PATH).header(header::CONTENT_TYPE, "application/json");
    send(app, request.body(Body::from(body.to_string())).unwrap()).await
}

async fn planned(app: &Router, file: &str) -> Value {
    let answer = plan(app, &json!({"chain": CHAIN, "file": file})).await.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_described(&document(), "post", PATH, &answer);
    answer.body["data"].clone()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_good_file_is_told_back_with_every_outcome(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let data = planned(&app, AURORA).await;
    assert_eq!((&data["ok"], &data["problems"], &data["deployment"]), (&json!(true), &json!([]), &Value::Null));
    assert_eq!(data["sale_hash"], sale_hash(AURORA).to_string());
    let terms = &data["terms"];
    assert_eq!(terms["soft_cap"], json!({"raw": "250000000000000000000", "decimals": 18, "symbol": "ETH"}));
    assert_eq!(terms["phases"][0]["price"]["per_token"]["raw"], "800000000000000");
    assert_eq!(terms["phases"][1]["starts"], "2031-03-08T14:00:00Z");
    assert_eq!(terms["phase_names"], json!(["early bird", "main"]));
    let flows = |outcome: &str| {
        let flows = terms["outcomes"][outcome].as_array().unwrap();
        let short = |f: &Value| {
            let most = f["most"]["raw"].as_str().unwrap_or("-");
            format!(
                "{} {} {} {most}",
                f["what"].as_str().unwrap(),
                f["to"].as_str().unwrap(),
                f["least"]["raw"].as_str().unwrap()
            )
        };
        flows.iter().map(short).collect::<Vec<_>>()
    };
    // What is created is all that there is.
    assert_eq!(
        flows("created"),
        [
            "tokens sale 1100000000000000000000000 1100000000000000000000000",
            "tokens owner 900000000000000000000000 900000000000000000000000"
        ]
    );
    assert_eq!(
        flows("succeeded"),
        [
            "money beneficiary 250000000000000000000 1000000000000000000000",
            "tokens investors 0 1100000000000000000000000",
            "tokens owner 0 1100000000000000000000000"
        ]
    );
    let undone =
        ["money investors 0 249999999999999999999", "tokens owner 1100000000000000000000000 1100000000000000000000000"];
    assert_eq!(flows("failed"), undone);
    assert_eq!(flows("cancelled"), undone);

    // Schedules: a quarter of the money at once, and all of it in the end; what the team keeps goes home after a failure.
    let data = planned(&app, MERIDIAN).await;
    let succeeded = data["terms"]["outcomes"]["succeeded"].as_array().unwrap();
    assert_eq!(succeeded[0]["most"]["raw"], "200000000000000000000");
    assert_eq!(succeeded[1]["most"]["raw"], "600000000000000000000");
    assert!(succeeded.iter().any(|f| f["to"] == "investors" && f["what"] == "money" && f["most"].is_null()));
    let failed = data["terms"]["outcomes"]["failed"].as_array().unwrap();
    assert!(failed.iter().any(|f| f["least"]["raw"] == "150000000000000000000000" && f["to"] == "owner"), "{failed:?}");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_bad_file_is_told_in_the_words_of_the_command(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    for file in [
        "[sale",
        &AURORA.replace("soft_cap = \"250\"", "soft_cap = \"2500\""),
        &AURORA.replace("[limits]", "[limit]"),
        "",
    ] {
        let Err(SaleFileError::Problems(problems)) = SaleFile::parse(file, None) else { panic!("{file}") };
        let data = planned(&app, file).await;
        assert_eq!((&data["ok"], &data["terms"], &data["deployment"]), (&json!(false), &Value::Null, &Value::Null));
        let words = |p: &Value| (p["line"].as_u64(), p["key"].clone(), p["message"].clone(), p["mend"].clone());
        let told: Vec<_> = data["problems"].as_array().unwrap().iter().map(words).collect();
        let expected: Vec<_> = problems.iter().map(|p| words(&json!(p))).collect();
        assert_eq!(told, expected);
    }
    // Over by the clock of the chain, not by that of this computer.
    let data = planned(&app, &AURORA.replace("2031-03-01", "2001-03-01")).await;
    assert!(data["problems"][0]["message"].as_str().unwrap().contains("chain's clock"), "{data}");
}

#[sqlx::test(migrations = "./migrations")]
async fn no_other_file_is_read_for_it(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/examples/polar-members.json");
    let file = POLAR.replace("polar-members.json", list);
    assert!(file != POLAR && SaleFile::parse(&file, None).is_ok(), "the list is there for who may read it");
    let data = planned(&app, &file).await;
    assert_eq!(data["ok"], false);
    assert_eq!(data["problems"].as_array().unwrap().len(), 1, "{data}");
    assert!(data["problems"][0]["mend"].as_str().unwrap().contains("list_root"), "{data}");
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_planned_is_refused(pool: PgPool) {
    let app = app(&pool);
    let good = json!({"chain": CHAIN, "file": AURORA});
    plan(&app, &good).await.is_problem(404, "chain_not_found");
    chain(&pool, CHAIN).await;
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    plan(&app, &with("chain", json!(-1))).await.is_problem(422, "invalid_body");
    plan(&app, &with("chain", json!(2))).await.is_problem(404, "chain_not_found");
    plan(&app, &with("creator", json!("0x12"))).await.is_problem(422, "invalid_body");
    plan(&app, &with("path", json!("/etc/passwd"))).await.is_problem(422, "invalid_body");
    // As many are read, and one more is not.
    assert_eq!(plan(&app, &with("file", json!("#".repeat(60_000)))).await.ok().body["data"]["ok"], false);
    let long = plan(&app, &with("file", json!("#".repeat(60_001)))).await;
    assert_eq!(long.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/file");
    plan(&app, &with("file", json!("x".repeat(70_000)))).await.is_problem(413, "payload_too_large");
    // Addresses are asked of a node, and there is none.
    let creator = json!(addr("alice").to_string());
    plan(&app, &with("creator", creator)).await.is_problem(501, "not_configured");
    let request = Request::post(PATH).header(header::CONTENT_TYPE, "text/plain").body(Body::from("x")).unwrap();
    send(&app, request).await.is_problem(415, "unsupported_media_type");
}
