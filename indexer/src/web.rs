//! The investor page: files that `build.rs` put into this program, under `/`. They ask the API beside them and nobody else, which their
//! policy enforces. [`exported`] gives the same files for any file server, to ask a node alone.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

// `FILES`: names and bytes.
include!(concat!(env!("OUT_DIR"), "/web.rs"));

/// No script, style or request but to where the page comes from, no frame around it, nothing inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// A file of the page, as it is answered.
#[derive(Clone, Debug)]
struct File {
    bytes: &'static [u8],
    kind: HeaderValue,
    /// Weak: the same whether compressed or not.
    tag: HeaderValue,
    cache: HeaderValue,
}

impl File {
    fn new(name: &str, bytes: &'static [u8]) -> Self {
        let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("json") => "application/json",
            _ => "application/octet-stream",
        };
        // Names of assets have the hash of what is in them: what is under one never changes.
        let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        Self { bytes, kind: HeaderValue::from_static(kind), tag: tag(bytes), cache: HeaderValue::from_static(cache) }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let fresh = known.flat_map(|tags| tags.split(',')).any(|one| self.tag == one.trim() || one.trim() == "*");
        let headers = [
            (header::ETAG, self.tag.clone()),
            (header::CACHE_CONTROL, self.cache.clone()),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        if fresh {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.kind.clone())], self.bytes).into_response()
    }
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let mut text = String::from("W/\"");
    for byte in Sha256::digest(bytes).iter().take(16) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("W/\"none\""))
}

/// The page at `/`, its assets below, and what else lies beside it. What is not there is left to the router that this is merged into.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let files: BTreeMap<&str, File> = FILES.iter().map(|(name, bytes)| (*name, File::new(name, bytes))).collect();
    let mut router = Router::new();
    let mut assets = BTreeMap::new();
    for (name, file) in files {
        if let Some(asset) = name.strip_prefix("assets/") {
            assets.insert(asset, file);
            continue;
        }
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        router = router.route(&path, get(async move |asked: HeaderMap| file.answer(&asked)));
    }
    let assets = Arc::new(assets);
    router.route(
        "/assets/{name}",
        get(async move |Path(name): Path<String>, asked: HeaderMap| match assets.get(name.as_str()) {
            Some(file) => file.answer(&asked),
            None => StatusCode::NOT_FOUND.into_response(),
        }),
    )
}

/// What an exported page asks in the place of an API.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The node's whole URL. Everybody who opens the page sees it.
    pub node: &'a str,
    /// Scheme, host and port of it: what the page may ask.
    pub origin: &'a str,
    /// EIP-155 id that the node must have.
    pub chain_id: u64,
    /// Whose sales they are.
    pub factory: &'a str,
    /// The sales that the page lists.
    pub sales: &'a [String],
}

/// A name and bytes.
pub type ExportedFile = (&'static str, Cow<'static, [u8]>);

/// What tells an exported page from one that is served, and its start page from one of somebody else.
pub const EXPORT_MARK: &str = "<meta name=\"crowdsale-node\"";

/// The files of the page with a policy and a source of their own in its start page. `None` where this program has no page in it.
pub fn exported(source: Source<'_>) -> Option<Vec<ExportedFile>> {
    const HEAD: &str = "<head>";
    let mut files = Vec::with_capacity(FILES.len());
    for (name, bytes) in FILES {
        if *name != "index.html" {
            files.push((*name, Cow::Borrowed(*bytes)));
            continue;
        }
        // The notice that stands in for a page has no head.
        let text = str::from_utf8(bytes).ok()?;
        let (before, after) = text.split_once(HEAD)?;
        let text = format!("{before}{HEAD}\n{}{}", head(source), after.trim_start_matches('\n'));
        files.push((*name, Cow::Owned(text.into_bytes())));
    }
    Some(files)
}

/// A file server sends no policy, so the page brings its own. What keeps it out of frames works in a header alone.
fn head(Source { node, origin, chain_id, factory, sales }: Source<'_>) -> String {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {origin}; base-uri 'none'; \
         form-action 'none'"
    );
    format!(
        "    <meta http-equiv=\"Content-Security-Policy\" content=\"{}\" />\n    {EXPORT_MARK} content=\"{}\" />\n    \
         <meta name=\"crowdsale-chain\" content=\"{chain_id}\" />\n    \
         <meta name=\"crowdsale-factory\" content=\"{}\" />\n    \
         <meta name=\"crowdsale-sales\" content=\"{}\" />\n",
        escape(&policy),
        escape(node),
        escape(factory),
        escape(&sales.join(" ")),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(path: &str, known: Option<&HeaderValue>) -> Response {
        let mut request = Request::get(path);
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_page_is_asked_for_each_time_and_sent_only_when_it_has_changed() {
        let first = ask("/", None).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let tag = &first.headers()[header::ETAG];
        let again = ask("/", Some(tag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(&again.headers()[header::ETAG], tag);
        assert_eq!(ask("/", Some(&HeaderValue::from_static("W/\"other\""))).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn nothing_of_it_may_run_but_its_own_files() {
        let policy = ask("/", None).await.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    }

    #[tokio::test]
    async fn every_file_is_under_its_name_and_no_other_is() {
        for (name, bytes) in FILES {
            let path = if *name == "index.html" { "/".to_owned() } else { format!("/{name}") };
            let answer = ask(&path, None).await;
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            assert_ne!(answer.headers()[header::CONTENT_TYPE], "application/octet-stream", "{name}");
            let body = axum::body::to_bytes(answer.into_body(), bytes.len()).await.unwrap();
            assert_eq!(body, *bytes, "{name}");
        }
        for path in ["/assets/nothing.js", "/assets/..%2findex.html", "/nothing"] {
            assert_eq!(ask(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn what_an_exported_page_is_told_cannot_leave_its_attribute() {
        let source = Source {
            node: "https://node.example/v3/\"><script>a&b",
            origin: "https://node.example",
            chain_id: 1,
            factory: "0x01",
            sales: &["0x02".to_owned(), "0x03".to_owned()],
        };
        let head = head(source);
        assert!(head.contains("content=\"https://node.example/v3/&quot;>&lt;script>a&amp;b\" />"), "{head}");
        assert!(head.contains("connect-src 'self' https://node.example; base-uri 'none'"), "{head}");
        assert!(head.contains("<meta name=\"crowdsale-sales\" content=\"0x02 0x03\" />"), "{head}");
        // In a `meta` element it does nothing but fill the console.
        assert!(!head.contains("frame-ancestors"), "{head}");
    }

    #[test]
    fn an_exported_page_has_every_file_and_its_source_before_any_script() {
        let source = Source { node: "http://n/", origin: "http://n", chain_id: 1, factory: "0x01", sales: &[] };
        let Some(files) = exported(source) else {
            assert_eq!(FILES.len(), 1, "a page that was built can be exported");
            return;
        };
        assert_eq!(files.len(), FILES.len());
        let (_, start) = files.iter().find(|(name, _)| *name == "index.html").unwrap();
        let start = str::from_utf8(start).unwrap();
        assert!(start.find("Content-Security-Policy").unwrap() < start.find("<script").unwrap(), "{start}");
    }

    #[test]
    fn assets_are_kept_for_ever_by_who_has_them() {
        assert_eq!(File::new("assets/index-abc.js", b"1").cache, "public, max-age=31536000, immutable");
        assert_eq!(File::new("icon.svg", b"1").cache, "no-cache");
        assert_ne!(File::new("icon.svg", b"1").tag, File::new("icon.svg", b"2").tag);
    }
}
