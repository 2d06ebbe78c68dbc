//! One attempt over HTTP.

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};

use super::{Guard, Options, TargetError, schedule};

/// How much of an answer is read before the connection is closed, and for how long: enough for whoever answers in good manners.
const READ: usize = 16 * 1024;
const READ_FOR: Duration = Duration::from_secs(1);
/// Most characters that are kept of what went wrong.
const LONGEST: usize = 200;

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing was sent.
    #[error("refused: the URL {0}")]
    Target(#[from] TargetError),
    /// It took too long.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// It could not be sent, or what came back is no HTTP.
    #[error("no answer: {0}")]
    Failed(String),
}

/// An answer's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// The body.
    pub body: &'a str,
}

/// Sends messages where the guard lets them go.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    guard: Guard,
    timeout: Duration,
}

/// Hands the client the very addresses that were checked.
struct Guarded(Guard);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let addresses = guard.resolve(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

impl Sender {
    /// Fails where the system has no certificates to check others with.
    pub fn new(guard: Guard, options: &Options) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("crowdsale-webhooks/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Guarded(guard.clone()))
            // A redirect names a place that nobody has checked, a proxy connects to places itself, and so does whoever kept a connection.
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .https_only(!guard.allows_http())
            .connect_timeout(options.connect_timeout)
            .build()?;
        Ok(Self { client, guard, timeout: options.timeout })
    }

    /// Sends a message once.
    ///
    /// # Errors
    /// [`SendError`]: it may have arrived all the same, but where the target was refused.
    pub async fn send(&self, url: &str, message: Signed<'_>) -> Result<Answer, SendError> {
        // Anew each time: the operator may allow less than when it was made.
        let target = self.guard.parse(url)?;
        let request = self
            .client
            .post(target.url().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body.to_owned())
            .send();
        let answered = tokio::time::timeout(self.timeout, request).await;
        let response = answered.map_err(|_| SendError::Timeout(self.timeout.as_secs()))?.map_err(failed)?;
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok());
        let retry_after = retry_after.and_then(|text| schedule::retry_after(text, SystemTime::now()));
        let answer = Answer { status: response.status(), retry_after };
        let _ = tokio::time::timeout(READ_FOR, read_some(response)).await;
        Ok(answer)
    }
}

async fn read_some(mut response: Response) {
    let mut read = 0;
    while read < READ {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            _ => return,
        }
    }
}

/// What went wrong, without the URL: it may hold a secret of the receiver's.
fn failed(error: reqwest::Error) -> SendError {
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        if let Some(refused) = source.downcast_ref::<TargetError>() {
            return refused.clone().into();
        }
        deepest = source;
    }
    if deepest.source().is_none() && std::ptr::addr_eq(deepest, &error) {
        return SendError::Failed("the request could not be sent".to_owned());
    }
    let text = deepest.to_string();
    // It goes into a text of the database, which has no NUL.
    SendError::Failed(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
}
