//! `GET /openapi.json`, and `GET /docs`: the same as one page of plain HTML. It loads nothing from anywhere, so that reading how
//! the service works tells nobody that one reads it.

use std::fmt::Write;

use axum::{
    Router,
    body::Bytes,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::{ApiState, problem::Code};

/// The document is the same until the next version, so both are written once.
pub fn router(document: &OpenApi) -> Router<ApiState> {
    let json = Bytes::from(to_json(document));
    let html = Bytes::from(page(&serde_json::from_slice(&json).unwrap_or_default()));
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], json.clone()).into_response() };
    let html = move || async move { ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html.clone())).into_response() };
    Router::new().route("/openapi.json", get(json)).route("/docs", get(html))
}

/// The document as it is served and committed: indented, so that a change of it can be read in review.
pub fn to_json(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default() + "\n"
}

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\
h2{border-bottom:1px solid;padding-bottom:.3rem;margin-top:3rem}\
h3 code{font-size:1.1rem}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #8884}\
nav ul{columns:18rem;padding-left:1.2rem}";

fn page(document: &Value) -> String {
    let mut html = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut html, document);
    html
}

fn write_page(html: &mut String, document: &Value) -> std::fmt::Result {
    let title = text(&document["info"]["title"]);
    write!(
        html,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title} API</title><style>{STYLE}</style><h1>{title} API {}</h1>",
        text(&document["info"]["version"])
    )?;
    paragraphs(html, &document["info"]["description"])?;
    write!(html, "<p>For programs: <a href=/openapi.json>OpenAPI {}</a>.</p>", text(&document["openapi"]))?;

    let operations: Vec<(&str, &str, &Value)> = entries(&document["paths"])
        .flat_map(|(path, item)| entries(item).map(move |(method, operation)| (path, method, operation)))
        .filter(|(_, _, operation)| operation["responses"].is_object())
        .collect();
    html.push_str("<nav><ul>");
    for (path, _, operation) in &operations {
        write!(html, "<li><a href=\"#{}\">{}</a></li>", text(&operation["operationId"]), escape(path))?;
    }
    html.push_str(
        "<li><a href=#schemas>Schemas</a></li><li><a href=#problems>Problems</a></li></ul></nav><h2>Operations</h2>",
    );
    for (path, method, operation) in operations {
        let (id, method) = (text(&operation["operationId"]), method.to_uppercase());
        write!(html, "<section><h3 id=\"{id}\"><code>{method} {}</code></h3>", escape(path))?;
        write!(html, "<p><strong>{}</strong></p>", text(&operation["summary"]))?;
        paragraphs(html, &operation["description"])?;
        if let Some(parameters) = operation["parameters"].as_array() {
            html.push_str("<table><tr><th>Parameter<th>In<th>Type<th>Meaning</tr>");
            for p in parameters {
                let need = if p["required"] == true { "" } else { ", optional" };
                write!(
                    html,
                    "<tr><td><code>{}</code><td>{}{need}<td>{}<td>{}</tr>",
                    text(&p["name"]),
                    text(&p["in"]),
                    kind(&p["schema"]),
                    text(&p["description"])
                )?;
            }
            html.push_str("</table>");
        }
        for (_, content) in entries(&operation["requestBody"]["content"]) {
            write!(html, "<p>Body: {}</p>", kind(&content["schema"]))?;
        }
        html.push_str("<table><tr><th>Status<th>Body<th>Meaning</tr>");
        for (status, response) in entries(&operation["responses"]) {
            let body = entries(&response["content"]).map(|(_, c)| kind(&c["schema"])).next().unwrap_or_default();
            write!(html, "<tr><td>{}<td>{body}<td>{}</tr>", escape(status), text(&response["description"]))?;
        }
        html.push_str("</table></section>");
    }

    html.push_str("<h2 id=schemas>Schemas</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        write!(html, "<section><h3 id=\"schema-{0}\"><code>{0}</code></h3>", escape(name))?;
        paragraphs(html, &schema["description"])?;
        if schema["properties"].is_object() {
            html.push_str("<table><tr><th>Field<th>Type<th>Meaning</tr>");
            for (field, property) in entries(&schema["properties"]) {
                let about = text(&property["description"]);
                write!(html, "<tr><td><code>{}</code><td>{}<td>{about}</tr>", escape(field), kind(property))?;
            }
            html.push_str("</table>");
        } else {
            write!(html, "<p>{}</p>", kind(schema))?;
        }
        html.push_str("</section>");
    }

    html.push_str("<h2 id=problems>Problems</h2><table><tr><th>Code<th>Status<th>Meaning</tr>");
    for code in Code::ALL {
        let (name, status) = (code.as_str(), code.status().as_u16());
        write!(html, "<tr id=\"problem-{name}\"><td><code>{name}</code><td>{status}<td>{}.</tr>", code.title())?;
    }
    html.push_str("</table></html>\n");
    Ok(())
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn paragraphs(html: &mut String, value: &Value) -> std::fmt::Result {
    value.as_str().into_iter().flat_map(|t| t.split("\n\n")).try_for_each(|p| write!(html, "<p>{}</p>", escape(p)))
}

fn text(value: &Value) -> String {
    value.as_str().map(escape).unwrap_or_default()
}

/// A schema in a few words, with a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    for of in ["oneOf", "allOf"] {
        if let Some(parts) = schema[of].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|v| format!("<code>{}</code>", text(v))).collect::<Vec<_>>().join(" ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_loads_nothing() {
        let html = page(&serde_json::from_str(&to_json(&super::super::openapi())).unwrap());
        for path in ["/v1/sales/{chain}/{sale}/investors", "/v1/status", "/readyz"] {
            assert!(html.contains(&format!("<code>GET {path}</code>")), "{path}");
        }
        for code in Code::ALL {
            assert!(html.contains(&format!("id=\"problem-{}\"", code.as_str())));
        }
        for loader in ["<script", "<link", "<img", "src=", "url(", "@import", "http://", "https://"] {
            assert!(!html.contains(loader), "{loader}");
        }
    }

    #[test]
    fn texts_cannot_become_markup() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
