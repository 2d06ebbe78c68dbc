//! The committed description of the API is the one that the handlers give.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path};

use crowdsale::api;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&api::docs::to_json(&api::openapi())).unwrap()
}

#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let current = api::docs::to_json(&api::openapi());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "indexer/openapi.json is stale; run scripts/openapi and review what changed");
}

#[test]
fn it_is_openapi_3_1_with_every_route() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let expected = [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/allowlists/{root}/{investor}",
        "/v1/audit",
        "/v1/chains/{chain}/digest",
        "/v1/investors/{address}",
        "/v1/investors/{address}/events",
        "/v1/keys",
        "/v1/keys/{id}",
        "/v1/keys/{id}/rotate",
        "/v1/orders",
        "/v1/orders/{id}",
        "/v1/orders/{id}/cancel",
        "/v1/orders/{id}/speed-up",
        "/v1/sales",
        "/v1/sales/{chain}/{sale}",
        "/v1/sales/{chain}/{sale}/activity",
        "/v1/sales/{chain}/{sale}/claims",
        "/v1/sales/{chain}/{sale}/concentration",
        "/v1/sales/{chain}/{sale}/contributions",
        "/v1/sales/{chain}/{sale}/contributions.csv",
        "/v1/sales/{chain}/{sale}/events",
        "/v1/sales/{chain}/{sale}/investors",
        "/v1/sales/{chain}/{sale}/investors.csv",
        "/v1/sales/{chain}/{sale}/objections",
        "/v1/sales/{chain}/{sale}/refunds",
        "/v1/sales/{chain}/{sale}/releases",
        "/v1/sales/{chain}/{sale}/series",
        "/v1/sales/{chain}/{sale}/vouchers",
        "/v1/sales/plan",
        "/v1/session",
        "/v1/session/vouchers",
        "/v1/sessions",
        "/v1/sessions/nonce",
        "/v1/status",
        "/v1/tokenlist",
        "/v1/tokens/{chain}/{token}/holders",
        "/v1/tokens/{chain}/{token}/supply/{kind}",
        "/v1/webhooks",
        "/v1/webhooks/{id}",
        "/v1/webhooks/{id}/deliveries",
        "/v1/webhooks/{id}/deliveries/{message}",
        "/v1/webhooks/{id}/deliveries/{message}/replay",
        "/v1/webhooks/{id}/replay",
        "/v1/webhooks/{id}/rotate",
        "/v1/webhooks/{id}/test",
    ];
    assert_eq!(paths, expected.map(str::to_owned).into());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.push(reference.clone());
            }
            fields.values().for_each(|v| collect(v, references));
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, references)),
        _ => {}
    }
}

#[test]
fn every_parameter_stands_once_and_says_what_it_is() {
    let document = document();
    let items = document["paths"].as_object().unwrap().iter();
    for (path, operation) in items.flat_map(|(path, item)| item.as_object().unwrap().values().map(move |o| (path, o))) {
        let mut seen = BTreeSet::new();
        for p in operation["parameters"].as_array().into_iter().flatten() {
            let name = p["name"].as_str().unwrap().to_owned();
            assert!(p["description"].as_str().is_some_and(|d| !d.is_empty()), "{path} {name}");
            let required = p["required"] == true;
            assert!(required || p["in"] != "path", "{path} {name}");
            assert!(required || name != "Idempotency-Key", "{path} {name}");
            assert!(seen.insert(name.clone()), "{path} {name} twice");
        }
        assert!(operation["operationId"].is_string(), "{path}");
    }
}

#[test]
fn every_list_can_end_in_a_lost_cursor() {
    for (path, item) in document()["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let is_list = parameters.iter().any(|p| p["name"] == "cursor");
        assert_eq!(item["get"]["responses"]["410"].is_object(), is_list, "{path}");
    }
}

#[test]
fn every_link_leads_to_an_operation_by_what_it_takes() {
    let document = document();
    let operations: Vec<&Value> =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()).collect();
    let mut links = 0;
    for operation in &operations {
        for response in operation["responses"].as_object().unwrap().values() {
            for link in response["links"].as_object().into_iter().flat_map(|links| links.values()) {
                let target = operations.iter().find(|o| o["operationId"] == link["operationId"]).unwrap();
                for (name, value) in link["parameters"].as_object().unwrap() {
                    let takes = target["parameters"].as_array().unwrap().iter().any(|p| p["name"] == *name);
                    assert!(takes && value.as_str().unwrap().starts_with('$'), "{link}");
                }
                links += 1;
            }
        }
    }
    assert!(links > 20, "{links}");
    let made = &document["paths"]["/v1/keys"]["post"]["responses"]["201"]["links"];
    for operation in ["get_key", "revoke_key", "rotate_key"] {
        assert_eq!(made[operation]["parameters"]["id"], "$response.body#/data/id");
    }
}

#[test]
fn what_is_left_out_is_not_null_and_every_request_can_be_one_too_many() {
    for (path, item) in document()["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for p in operation["parameters"].as_array().into_iter().flatten() {
                assert!(!p["schema"]["type"].is_array(), "{path} {}", p["name"]);
                let formed = ["cursor", "Idempotency-Key", "Last-Event-ID"].iter().any(|name| p["name"] == *name);
                assert!(!formed || p["schema"]["pattern"].is_string() && p["schema"]["maxLength"].is_u64(), "{path}");
            }
            for status in ["429", "500", "503"] {
                assert!(operation["responses"][status].is_object() || !path.starts_with("/v1/"), "{path} {status}");
            }
        }
    }
}
