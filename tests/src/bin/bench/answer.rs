//! What the node that makes its chain answers. The texts are written as they are needed, without values in between: they must not be
//! what an indexer waits for.

use std::io::Write;

use alloy::{
    hex,
    primitives::{B256, keccak256},
    sol_types::{SolCall, SolEvent},
};
use axum::http::header::CONTENT_TYPE;
use crowdsale::contracts::{FixedPriceSale::Contributed, SaleFactory::SaleCreated, SaleToken};
use e2e::story::{Emitted, Token};
use serde_json::Value;

use crate::made::{self, Made};

const CHAIN_ID: &str = "\"0x7a69\"";
/// Unix time of block 0; the others are a second apart.
const GENESIS: u64 = 1_700_000_000;

type Answer = ([(axum::http::HeaderName, &'static str); 1], Vec<u8>);

/// A request or a batch of them.
pub fn exchange(chain: &Made, body: &[u8]) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap();
    let mut out = Vec::new();
    match request.as_array() {
        Some(batch) => {
            for (index, one) in batch.iter().enumerate() {
                out.push(if index == 0 { b'[' } else { b',' });
                respond(chain, one, &mut out);
            }
            out.push(b']');
        }
        None => respond(chain, &request, &mut out),
    }
    ([(CONTENT_TYPE, "application/json")], out)
}

fn respond(chain: &Made, request: &Value, out: &mut Vec<u8>) {
    write!(out, r#"{{"jsonrpc":"2.0","id":{},"result":"#, request["id"]).unwrap();
    let params = &request["params"];
    match request["method"].as_str().unwrap() {
        "eth_chainId" => out.extend(CHAIN_ID.as_bytes()),
        "eth_blockNumber" => write!(out, "\"{:#x}\"", chain.height()).unwrap(),
        "eth_getBlockByNumber" => block(chain, tagged(chain, &params[0]), out),
        "eth_getBlockByHash" => block(chain, by_hash(&params[0]), out),
        "eth_getLogs" => logs(chain, &params[0], out),
        "eth_getCode" => out.extend(b"\"0x60806040\""),
        "eth_call" => quote(&call(&params[0]), out),
        method => panic!("nobody asks for {method}"),
    }
    out.push(b'}');
}

fn tagged(chain: &Made, tag: &Value) -> Option<u64> {
    match tag.as_str().unwrap() {
        "latest" | "safe" | "finalized" => Some(chain.height()),
        number => Some(u64::from_str_radix(number.strip_prefix("0x").unwrap(), 16).unwrap()),
    }
}

fn by_hash(hash: &Value) -> Option<u64> {
    made::number(hash.as_str()?.parse().ok()?)
}

fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(b"\"0x");
    let at = out.len();
    out.resize(at + 2 * bytes.len(), 0);
    hex::encode_to_slice(bytes, &mut out[at..]).unwrap();
    out.push(b'"');
}

fn block(chain: &Made, number: Option<u64>, out: &mut Vec<u8>) {
    let Some(number) = number.filter(|n| *n <= chain.height()) else {
        return out.extend(b"null");
    };
    write!(out, r#"{{"number":"{number:#x}","timestamp":"{:#x}","hash":"#, GENESIS + number).unwrap();
    quote(made::hash(number).as_slice(), out);
    out.extend(br#","parentHash":"#);
    quote(number.checked_sub(1).map(made::hash).unwrap_or_default().as_slice(), out);
    // Full, it rules nothing out.
    out.extend(br#","logsBloom":"#);
    quote(&[if chain.has_logs(number) { 0xff } else { 0 }; 256], out);
    for hash in ["sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"] {
        write!(out, r#","{hash}":"#).unwrap();
        quote(&[0; 32], out);
    }
    out.extend(
        br#","miner":"0x0000000000000000000000000000000000000000","transactions":[],"uncles":[],"difficulty":"0x0","#,
    );
    out.extend(br#""gasLimit":"0x1c9c380","gasUsed":"0x0","extraData":"0x","nonce":"0x0000000000000000","baseFeePerGas":"0x1"}"#);
}

/// Of a block by its hash or of a range. Nobody filters by address.
fn logs(chain: &Made, filter: &Value, out: &mut Vec<u8>) {
    let range = match filter.get("blockHash") {
        Some(hash) => by_hash(hash).map_or(0..0, |n| n..n + 1),
        None => tagged(chain, &filter["fromBlock"]).unwrap()..tagged(chain, &filter["toBlock"]).unwrap() + 1,
    };
    let wanted = (wants(filter, SaleCreated::SIGNATURE_HASH), wants(filter, Contributed::SIGNATURE_HASH));
    out.push(b'[');
    let empty = out.len();
    for number in range.filter(|n| *n <= chain.height()) {
        let (hash, transaction) = (made::hash(number), keccak256(made::hash(number)));
        for (index, log) in chain.logs(number, wanted).enumerate() {
            if out.len() != empty {
                out.push(b',');
            }
            write!(out, r#"{{"logIndex":"{index:#x}","blockNumber":"{number:#x}","blockHash":"#).unwrap();
            quote(hash.as_slice(), out);
            out.extend(br#","transactionIndex":"0x0","removed":false,"transactionHash":"#);
            quote(transaction.as_slice(), out);
            emitted(&log, out);
        }
    }
    out.push(b']');
}

fn emitted(log: &Emitted, out: &mut Vec<u8>) {
    out.extend(br#","address":"#);
    quote(log.address.as_slice(), out);
    for (index, topic) in log.data.topics().iter().enumerate() {
        out.extend(if index == 0 { &br#","topics":["#[..] } else { b"," });
        quote(topic.as_slice(), out);
    }
    out.extend(br#"],"data":"#);
    quote(&log.data.data, out);
    out.push(b'}');
}

fn wants(filter: &Value, topic: B256) -> bool {
    let is = |wanted: &Value| wanted.as_str().is_some_and(|w| w.parse() == Ok(topic));
    match &filter["topics"][0] {
        Value::Null => true,
        Value::Array(any) => any.is_empty() || any.iter().any(is),
        one => is(one),
    }
}

/// Of any token.
fn call(request: &Value) -> Vec<u8> {
    let input = request.get("input").or(request.get("data")).and_then(Value::as_str).unwrap();
    let input = hex::decode(input).unwrap();
    let token = Token::plain("AUR", "Aurora", 18);
    let answer = match input.get(..4).unwrap() {
        s if s == SaleToken::symbolCall::SELECTOR => token.symbol,
        s if s == SaleToken::nameCall::SELECTOR => token.name,
        _ => token.decimals,
    };
    answer.unwrap().into()
}
