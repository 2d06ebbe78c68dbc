//! The peer's state, behind one lock: an answer sees one state of the chain.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use super::{
    answers,
    faults::{Fault, Faults},
    tree::{Tree, View},
};
use crate::Random;

/// Longest that a slow answer takes.
const SLOW: Duration = Duration::from_millis(15);
/// Earlier states that a stale node may show.
const STALE_VIEWS: usize = 12;

/// Is called before every exchange with what is asked: the chain moves between two requests, and does so again with the same
/// seed.
pub type Director = Box<dyn FnMut(&mut Core, &Value) + Send>;

/// Everything that the peer knows.
pub struct Core {
    /// Its id.
    pub chain_id: u64,
    /// Its blocks.
    pub tree: Tree,
    /// What it does wrong.
    pub faults: Faults,
    /// Exchanges so far.
    pub exchanges: u64,
    /// What the next exchange shows, whatever the chain is.
    pub next_view: Option<View>,
    /// Every request so far, where a test looks at them.
    pub record: Option<Vec<Value>>,
    /// What happens before each exchange.
    pub director: Option<Director>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("chain_id", &self.chain_id)
            .field("exchanges", &self.exchanges)
            .finish_non_exhaustive()
    }
}

/// Blanks behind an answer that is bulky: more than an indexer may read of a range.
const BULK: usize = 5 << 20;

/// What is sent back.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Status and body, after a pause.
    Http(u16, Vec<u8>, Duration),
    /// The connection closes.
    Close,
    /// Nothing, for ever.
    Silence,
}

/// How many blocks' logs are asked for.
fn blocks_asked(request: &Value) -> u64 {
    if let Some(batch) = request.as_array() {
        return batch.iter().map(blocks_asked).sum();
    }
    let filter = &request["params"][0];
    let number = |tag: &Value| u64::from_str_radix(tag.as_str()?.trim_start_matches("0x"), 16).ok();
    match (request["method"].as_str(), number(&filter["fromBlock"]), number(&filter["toBlock"])) {
        (Some("eth_getLogs"), Some(from), Some(to)) => to.saturating_sub(from) + 1,
        (Some("eth_getLogs"), ..) => 1,
        _ => 0,
    }
}

impl Core {
    /// A chain of one block.
    pub fn new(chain_id: u64, tree: Tree, random: Random) -> Self {
        let faults = Faults::new(random);
        Self { chain_id, tree, faults, exchanges: 0, next_view: None, record: None, director: None }
    }

    /// One HTTP exchange, which one node behind the URL answers: a single request or a batch.
    pub(super) fn exchange(&mut self, body: &[u8]) -> Reply {
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            return Reply::Http(400, b"no JSON".to_vec(), Duration::ZERO);
        };
        self.begin(&request);
        use Fault::{Broken, Busy, Dropped, Silent, Slow, Truncated};
        let fault = self.faults.first(&[Busy, Broken, Dropped, Silent, Truncated, Slow]);
        match fault {
            Some(Busy) => return Reply::Http(429, b"{\"error\":\"Too Many Requests\"}".to_vec(), Duration::ZERO),
            Some(Broken) => return Reply::Http(500, b"<html>Internal Server Error</html>".to_vec(), Duration::ZERO),
            Some(Dropped) => return Reply::Close,
            Some(Silent) => return Reply::Silence,
            _ => {}
        }
        let mut body = self.answer_all(&request).to_string().into_bytes();
        if fault == Some(Truncated) {
            body.truncate(body.len() / 2);
        }
        if self.faults.bulky_above.is_some_and(|most| blocks_asked(&request) > most) {
            body.resize(body.len() + BULK, b' ');
        }
        Reply::Http(200, body, if fault == Some(Slow) { SLOW } else { Duration::ZERO })
    }

    /// Another exchange: what was planned for this moment happens.
    pub(super) fn begin(&mut self, request: &Value) {
        self.exchanges += 1;
        if let Some(mut director) = self.director.take() {
            director(self, request);
            self.director.get_or_insert(director);
        }
    }

    /// A request or a batch of them, by one node.
    pub(super) fn answer_all(&mut self, request: &Value) -> Value {
        let view = self.view();
        match request {
            Value::Array(requests) => requests.iter().map(|r| self.answer(&view, r)).collect(),
            one => self.answer(&view, one),
        }
    }

    fn answer(&mut self, view: &View, request: &Value) -> Value {
        if let Some(record) = &mut self.record {
            record.push(request.clone());
        }
        let (method, id) = (request["method"].as_str().unwrap_or_default(), &request["id"]);
        match answers::answer(self, view, method, &request["params"]) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, message)) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
            }
        }
    }

    /// Which state of the chain the node behind the URL shows.
    fn view(&mut self) -> View {
        if let Some(view) = self.next_view.take() {
            return view;
        }
        let now = self.tree.now().clone();
        match self.faults.first(&[Fault::Stale, Fault::Behind, Fault::Syncing]) {
            Some(Fault::Stale) => {
                // No node of a healthy network contradicts what is final; it may not have got there yet.
                let final_ = now.finalized.unwrap_or(0);
                let agrees = |view: &&View| {
                    let common = final_.min(view.head().number);
                    view.at(common).map(|b| b.hash) == now.at(common).map(|b| b.hash)
                };
                let past: Vec<View> =
                    self.tree.views().iter().rev().take(STALE_VIEWS).filter(agrees).cloned().collect();
                let at = self.faults.number(past.len() as u64) as usize;
                past.get(at).cloned().unwrap_or(now)
            }
            Some(Fault::Behind) => now.below(now.head().number.saturating_sub(1 + self.faults.number(10))),
            Some(_) => now.below(self.faults.number(now.head().number)),
            None => now,
        }
    }
}
