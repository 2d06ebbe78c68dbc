//! What is answered to what.

use std::sync::Arc;

use alloy::{
    primitives::{Address, B256, Bytes, hex as bytes},
    sol_types::SolCall,
};
use crowdsale::contracts::SaleToken;
use serde_json::{Value, json};

use super::{
    core::Core,
    faults::{Beyond, Fault, LIMIT_MESSAGES, Unknown},
    json::{self, hex},
    tree::{Block, View},
};

/// An error of JSON-RPC: code and message.
pub(super) type Refusal = (i64, String);

/// Answers one request as of `view`.
pub(super) fn answer(core: &mut Core, view: &View, method: &str, params: &Value) -> Result<Value, Refusal> {
    if core.faults.strikes(Fault::Refused) {
        return Err((-32603, "Internal error".to_owned()));
    }
    if core.faults.strikes(Fault::Null) {
        return Ok(Value::Null);
    }
    match method {
        "eth_chainId" => Ok(hex(core.chain_id)),
        "net_version" => Ok(json!(core.chain_id.to_string())),
        "eth_blockNumber" => Ok(hex(view.head().number)),
        "eth_getBlockByNumber" => {
            let found = by_tag(view, &params[0])?.cloned();
            Ok(found.map_or(Value::Null, |b| json::block(&b, &mut core.faults)))
        }
        "eth_getBlockByHash" => {
            let found = hash_of(&params[0]).and_then(|hash| core.tree.find(hash)).cloned();
            Ok(found.map_or(Value::Null, |b| json::block(&b, &mut core.faults)))
        }
        "eth_getBlockReceipts" => {
            let found = match hash_of(&params[0]) {
                Some(hash) => view.blocks.iter().find(|b| b.hash == hash),
                None => by_tag(view, &params[0])?,
            };
            Ok(found.map_or(Value::Null, |b| json::receipts(b)))
        }
        "eth_getLogs" => logs(core, view, &params[0]),
        "eth_getCode" | "eth_call" => {
            if core.faults.strikes(Fault::NoState) {
                return Err((-32000, "header not found".to_owned()));
            }
            let block = state_of(core, view, &params[1])?;
            if method == "eth_call" { call(&block, &params[0]) } else { Ok(code(&block, &params[0])) }
        }
        _ => Err((-32601, format!("the method {method} does not exist/is not available"))),
    }
}

/// `None` beyond the head, or where the node does not know the tag.
fn by_tag<'a>(view: &'a View, tag: &Value) -> Result<Option<&'a Arc<Block>>, Refusal> {
    Ok(match tag.as_str() {
        Some("latest" | "pending") | None => Some(view.head()),
        Some("earliest") => view.at(0),
        Some("safe") => view.safe.and_then(|n| view.at(n)),
        Some("finalized") => view.finalized.and_then(|n| view.at(n)),
        Some(number) => view.at(number_of(number)?),
    })
}

fn number_of(text: &str) -> Result<u64, Refusal> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|e| (-32602, format!("invalid argument: {e}")))
}

fn hash_of(value: &Value) -> Option<B256> {
    let text = value.as_str().or_else(|| value["blockHash"].as_str())?;
    (text.len() == 66).then(|| text.parse().ok())?
}

fn logs(core: &mut Core, view: &View, filter: &Value) -> Result<Value, Refusal> {
    let found = match hash_of(&filter["blockHash"]) {
        Some(hash) => by_hash(core, view, hash, filter)?,
        None => by_range(core, view, filter)?,
    };
    Ok(Value::Array(json::spoil(found, &mut core.faults)))
}

fn by_hash(core: &mut Core, view: &View, hash: B256, filter: &Value) -> Result<Vec<Value>, Refusal> {
    if !view.has(hash) {
        return match (core.faults.unknown, core.tree.find(hash)) {
            (Unknown::Orphan, Some(block)) => Ok(json::logs(block, filter)),
            (Unknown::Empty, _) => Ok(Vec::new()),
            _ => Err((-32000, "unknown block".to_owned())),
        };
    }
    if core.faults.strikes(Fault::NoLogs) {
        return Ok(Vec::new());
    }
    Ok(core.tree.find(hash).map(|block| json::logs(block, filter)).unwrap_or_default())
}

fn by_range(core: &mut Core, view: &View, filter: &Value) -> Result<Vec<Value>, Refusal> {
    let number = |tag: &Value| match tag.as_str() {
        Some(text) if text.starts_with("0x") => number_of(text),
        _ => Ok(by_tag(view, tag)?.map_or(0, |b| b.number)),
    };
    let (from, to) = (number(&filter["fromBlock"])?, number(&filter["toBlock"])?);
    let head = view.head().number;
    let to = match core.faults.beyond {
        _ if to <= head => to,
        Beyond::Error => return Err((-32602, "block range extends beyond current head block".to_owned())),
        Beyond::Clamp => head,
        Beyond::Empty => return Ok(Vec::new()),
    };
    if let Some(limit) = core.faults.limit.filter(|limit| to.saturating_sub(from) >= limit.blocks) {
        return Err(too_long(limit.message, filter));
    }
    if core.faults.strikes(Fault::NoLogsInRange) {
        return Ok(Vec::new());
    }
    let found: Vec<Value> =
        (from..=to).filter_map(|n| view.at(n)).flat_map(|block| json::logs(block, filter)).collect();
    // A single block is always served.
    match core.faults.limit {
        Some(limit) if found.len() > limit.logs && to > from => Err(too_long(limit.message, filter)),
        _ => Ok(found),
    }
}

fn too_long(message: usize, filter: &Value) -> Refusal {
    let (code, text) = LIMIT_MESSAGES[message % LIMIT_MESSAGES.len()];
    let part = |name: &str| filter[name].as_str().unwrap_or("latest").to_owned();
    (code, text.replace("{from}", &part("fromBlock")).replace("{to}", &part("toBlock")))
}

/// The block whose state a call is about. A node keeps the state of orphans for a while.
fn state_of(core: &Core, view: &View, block: &Value) -> Result<Arc<Block>, Refusal> {
    match hash_of(block) {
        Some(hash) => core.tree.find(hash).cloned().ok_or((-32000, "header not found".to_owned())),
        None => by_tag(view, block)?.cloned().ok_or((-32000, "header not found".to_owned())),
    }
}

fn code(block: &Block, address: &Value) -> Value {
    let has =
        address.as_str().and_then(|a| a.parse::<Address>().ok()).is_some_and(|a| block.ledger.tokens.contains_key(&a));
    json!(if has { "0x60806040" } else { "0x" })
}

fn call(block: &Block, request: &Value) -> Result<Value, Refusal> {
    let to = request["to"].as_str().and_then(|a| a.parse::<Address>().ok()).unwrap_or_default();
    let input = request["input"].as_str().or_else(|| request["data"].as_str()).unwrap_or("0x");
    let input = bytes::decode(input).map_err(|e| (-32602, e.to_string()))?;
    let Some(token) = block.ledger.tokens.get(&to) else {
        return Ok(json!("0x"));
    };
    let selector = input.get(..4).unwrap_or_default();
    let answer: Option<&Bytes> = match selector {
        s if s == SaleToken::symbolCall::SELECTOR => token.symbol.as_ref(),
        s if s == SaleToken::nameCall::SELECTOR => token.name.as_ref(),
        s if s == SaleToken::decimalsCall::SELECTOR => token.decimals.as_ref(),
        _ => None,
    };
    answer.map(|a| json!(a)).ok_or((3, "execution reverted".to_owned()))
}
