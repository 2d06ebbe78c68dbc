//! Every answer is what the OpenAPI document says it is, and so is every example in it.

use std::collections::BTreeSet;

use axum::Router;
use crowdsale::{api, orders};
use jsonschema::Validator;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::*;

pub fn document() -> Value {
    serde_json::from_str(&api::docs::to_json(&api::openapi())).unwrap()
}

/// A schema of the document, with what it refers to. Formats are asserted; unknown fields of an object are not allowed, so that nothing
/// is answered that is not described. Where several schemas make one object together, each allows the others' fields.
fn validator(document: &Value, schema: &Value) -> Validator {
    let mut whole =
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"] });
    for (key, value) in schema.as_object().unwrap() {
        whole[key] = value.clone();
    }
    close(&mut whole, false);
    // What is part of another object leaves it to that one what else may stand in it.
    let mut parts = BTreeSet::new();
    parts_of(document, false, &mut parts);
    for part in parts {
        if let Some(part) = whole.pointer_mut(&part).and_then(Value::as_object_mut) {
            part.remove("additionalProperties");
        }
    }
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

fn close(value: &mut Value, in_part: bool) {
    match value {
        Value::Object(fields) => {
            let is_object = fields.get("type").is_some_and(|t| t == "object" || t == &json!(["object", "null"]));
            if fields.contains_key("allOf") && !in_part {
                fields.insert("unevaluatedProperties".to_owned(), false.into());
            } else if is_object && fields.contains_key("properties") && !in_part {
                fields.entry("additionalProperties").or_insert(false.into());
            }
            for (key, value) in fields.iter_mut() {
                close(value, key == "allOf");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| close(v, in_part)),
        _ => {}
    }
}

/// The schemas that an `allOf` refers to.
fn parts_of(value: &Value, in_part: bool, parts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if in_part {
                parts.extend(fields.get("$ref").and_then(Value::as_str).map(|r| r.trim_start_matches('#').to_owned()));
            }
            fields.iter().for_each(|(key, value)| parts_of(value, key == "allOf", parts));
        }
        Value::Array(items) => items.iter().for_each(|v| parts_of(v, in_part, parts)),
        _ => {}
    }
}

#[track_caller]
fn assert_valid(validator: &Validator, instance: &Value, what: &str) {
    let errors: Vec<_> = validator.iter_errors(instance).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{instance:#}");
}

/// The schema of an answer, by its path as it is asked for.
fn schema_of(document: &Value, template: &str, method: &str, status: u16, content_type: &str) -> Value {
    let response = &document["paths"][template][method]["responses"][status.to_string()];
    let schema = &response["content"][content_type]["schema"];
    assert!(schema.is_object(), "{method} {template} has no {status} of {content_type}");
    schema.clone()
}

/// Asserts that an answer is what the document says it is; returns the template of its path.
#[track_caller]
pub fn assert_described(document: &Value, method: &str, path: &str, answer: &Answer) -> String {
    let template = template_of(document, path);
    let content_type = answer.header("content-type").split(';').next().unwrap().to_owned();
    let method = method.to_lowercase();
    if answer.text.is_empty() {
        let responses = &document["paths"][&template][&method]["responses"];
        let response = &responses[answer.status.as_u16().to_string()];
        assert!(response.is_object() && response["content"].is_null(), "{method} {template}: {}", answer.status);
        return template;
    }
    let schema = schema_of(document, &template, &method, answer.status.as_u16(), &content_type);
    let body = if content_type.ends_with("json") { answer.body.clone() } else { Value::String(answer.text.clone()) };
    assert_valid(&validator(document, &schema), &body, path);
    template
}

/// Every template of the document that a concrete path is of: the one with the fewest parameters.
fn template_of(document: &Value, path: &str) -> String {
    let path: Vec<_> = path.split('?').next().unwrap().split('/').collect();
    document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|t| {
            let parts: Vec<_> = t.split('/').collect();
            parts.len() == path.len() && parts.iter().zip(&path).all(|(t, p)| t == p || t.starts_with('{'))
        })
        .min_by_key(|t| t.matches('{').count())
        .unwrap_or_else(|| panic!("{path:?} is not in the document"))
        .clone()
}

async fn check(app: &Router, document: &Value, path: &str) -> (String, u16) {
    let answer = get(app, path).await;
    (assert_described(document, "get", path, &answer), answer.status.as_u16())
}

#[sqlx::test(migrations = "./migrations")]
async fn every_answer_is_as_described(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (open, done) = (Terms::new("open", 5, 0), Terms::new("done", 6, 0));
    let (alice, bob) = (sql(addr("alice")), sql(addr("bob")));
    for t in [&open, &done] {
        sale(&pool, t).await;
        contribute(&pool, t, (12, t.block as i32), addr("alice"), ether("60"), ether("240000")).await;
        let log = i32::try_from(t.block).unwrap() * 10;
        contribute(&pool, t, (11, log), addr("bob"), "5".parse().unwrap(), "6".parse().unwrap()).await;
        event(&pool, "withdrawal", t, (12, log), &format!("{bob}, {bob}, 5, 6, 0, 0")).await;
        event(&pool, "allocation", t, (12, log + 1), &format!("{}, 0, {bob}, 9, 0, 0", sql(addr(&t.name)))).await;
        event(&pool, "whitepaper", t, (12, log + 2), "1, sha256('w'), 'https://example.org/2.pdf', ''").await;
    }
    settle(&pool, &done, (31, 0), "succeeded").await;
    sweep(&pool, &done, (31, 1), ether("60")).await;
    pay(&pool, "claim", &done, (32, 0), addr("alice"), ether("1")).await;
    pay(&pool, "release", &done, (32, 1), addr("beneficiary"), ether("1")).await;
    event(&pool, "objection", &done, (32, 2), &format!("{alice}, 9, 10")).await;
    let made = format!(
        "INSERT INTO token_created VALUES ($1, 5, 99, sha256('m'), {}, {alice}, 'T', 'T', {}, '', '')",
        sql(addr("token")),
        ether("9000000")
    );
    sqlx::query(sqlx::AssertSqlSafe(made)).bind(CHAIN).execute(&pool).await.unwrap();
    let holders = format!(
        "INSERT INTO holder_checkpoint VALUES ({CHAIN}, 12, sha256('12')); INSERT INTO token_holder VALUES ({CHAIN}, {}, {alice}, 7)",
        sql(addr("token"))
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(holders)).execute(&pool).await.unwrap();
    tip(&pool, CHAIN, 40, 0).await;
    let app = app(&pool);
    let document = document();

    let mut seen = BTreeSet::new();
    let supply = format!("/v1/tokens/{CHAIN}/{}/supply", addr("token"));
    let of_sale = [
        "",
        "/activity",
        "/claims",
        "/concentration",
        "/contributions",
        "/contributions.csv",
        "/investors",
        "/investors.csv",
        "/objections",
        "/refunds",
        "/releases",
        "/series",
        "/series?interval=hour",
    ];
    let paths = [open.path(), done.path()]
        .iter()
        .flat_map(|sale| of_sale.map(|part| format!("{sale}{part}")))
        .chain([
            "/healthz".to_owned(),
            "/readyz".to_owned(),
            "/metrics".to_owned(),
            "/v1/sales".to_owned(),
            "/v1/sales?q=open&limit=1".to_owned(),
            "/v1/status".to_owned(),
            "/v1/tokenlist".to_owned(),
            format!("/v1/chains/{CHAIN}/digest?at=40"),
            format!("/v1/investors/{}", addr("alice")),
            format!("/v1/tokens/{CHAIN}/{}/holders", addr("token")),
            format!("{supply}/total"),
            format!("{supply}/circulating"),
            format!("{supply}/max"),
        ])
        .collect::<Vec<_>>();
    for path in paths {
        let (template, status) = check(&app, &document, &path).await;
        // A digest is kept by the indexer; of these blocks there is none.
        assert!(status == 200 || template.ends_with("/digest"), "{path}: {status}");
        seen.insert(template);
    }
    let missing: Vec<_> = document["paths"].as_object().unwrap().keys().filter(|t| !seen.contains(*t)).collect();
    // A list is read from a file: its own test has one. Streams of events are no documents, and never end. What is not for everybody has
    // tests of its own.
    let private = |path: &str| {
        path.starts_with("/v1/session")
            || path == "/v1/sales/plan"
            || document["paths"][path].as_object().unwrap().values().all(|operation| operation["security"].is_array())
    };
    let elsewhere: Vec<_> = missing.iter().filter(|t| t.ends_with("/events") || private(t)).collect();
    assert_eq!((missing[0].as_str(), missing.len()), ("/v1/allowlists/{root}/{investor}", 1 + elsewhere.len()));

    for wrong in [
        "/v1/sales?limit=0".to_owned(),
        "/v1/sales?q=%ff".to_owned(),
        "/v1/sales?cursor=x".to_owned(),
        format!("/v1/sales/{CHAIN}/{}", addr("nobody")),
        format!("/v1/sales/{CHAIN}/{}/series?from=x", addr("nobody")),
        format!("{}/claims?min_block=99", done.path()),
        format!("/v1/tokens/{CHAIN}/{}/supply/max", addr("nobody")),
        format!("/v1/allowlists/{}/{}", hash(1, 0), addr("alice")),
    ] {
        let (_, status) = check(&app, &document, &wrong).await;
        assert!((400..=503).contains(&status), "{wrong}: {status}");
    }
}

#[test]
fn every_example_is_what_it_is_an_example_of() {
    let document = document();
    let mut checked = 0;
    examples(&document, &document, &mut checked, "");
    assert!(checked > 50, "{checked}");
    // Named examples among them, and a signed transaction that the service would take as one.
    let orders = &document["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let raw = &orders["signed by the caller"]["value"];
    let decoded = orders::decode(raw["raw_transaction"].as_str().unwrap(), raw["chain"].as_u64().unwrap());
    assert_eq!(decoded.unwrap().value, ether("1.5"));
    let broken =
        json!({"examples": {"one": {"value": {"chain": -1}}}, "schema": {"$ref": "#/components/schemas/NewOrder"}});
    let found = std::panic::catch_unwind(|| examples(&document, &broken, &mut 0, "broken"));
    assert!(found.is_err(), "a named example is checked");
}

fn examples(document: &Value, value: &Value, checked: &mut usize, place: &str) {
    match value {
        Value::Object(fields) => {
            // Of a schema, or beside one: of a parameter or a body.
            let schema = fields.get("schema").unwrap_or(value);
            // A schema lists them, a parameter or a body names each.
            let listed = fields.get("examples").and_then(Value::as_array).into_iter().flatten();
            let named = fields.get("examples").and_then(Value::as_object).into_iter().flat_map(|named| named.values());
            let given = fields.get("example").into_iter().chain(listed).chain(named.filter_map(|n| n.get("value")));
            for example in given.filter(|_| schema.get("type").is_some() || schema.get("$ref").is_some()) {
                assert_valid(&validator(document, schema), example, place);
                *checked += 1;
            }
            for (key, value) in fields.iter().filter(|(key, _)| *key != "example" && *key != "examples") {
                examples(document, value, checked, &format!("{place}/{key}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|v| examples(document, v, checked, place)),
        _ => {}
    }
}

#[test]
fn the_check_notices_what_is_not_described() {
    let document = json!({ "components": { "schemas": { "A": {
        "type": "object", "properties": { "n": { "type": "integer" }, "at": { "type": "string", "format": "date-time" } }, "required": ["n"]
    } } } });
    let of_a = validator(&document, &json!({ "$ref": "#/components/schemas/A" }));
    assert!(of_a.is_valid(&json!({ "n": 1, "at": "2027-01-15T14:00:00Z" })));
    for wrong in [json!({}), json!({ "n": "1" }), json!({ "n": 1, "m": 2 }), json!({ "n": 1, "at": "now" })] {
        assert!(!of_a.is_valid(&wrong), "{wrong}");
    }
    let both = json!({ "allOf": [{ "$ref": "#/components/schemas/A" }] });
    assert!(!validator(&document, &both).is_valid(&json!({ "n": 1, "m": 2 })));
}
