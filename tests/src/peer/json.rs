//! Blocks, logs and receipts as nodes write them.

use alloy::primitives::{Address, B256, Bloom, U256};
use serde_json::{Value, json};

use super::{
    faults::{Fault, Faults},
    tree::Block,
};

/// A number as a node writes it.
pub(super) fn hex(number: u64) -> Value {
    Value::String(format!("{number:#x}"))
}

/// A block without its transactions' bodies.
pub(super) fn block(block: &Block, faults: &mut Faults) -> Value {
    let bloom = match faults.first(&[Fault::BloomNull, Fault::BloomEmpty, Fault::BloomFull, Fault::BloomZero]) {
        Some(Fault::BloomNull) => Value::Null,
        Some(Fault::BloomEmpty) => json!("0x"),
        Some(Fault::BloomFull) => json!(Bloom::repeat_byte(0xff)),
        Some(_) => json!(Bloom::ZERO),
        None => json!(block.bloom),
    };
    let zero = B256::ZERO;
    json!({
        "number": hex(block.number), "hash": block.hash, "parentHash": block.parent, "timestamp": hex(block.timestamp),
        "logsBloom": bloom, "transactions": block.transactions, "uncles": [], "sha3Uncles": zero, "miner": Address::ZERO,
        "stateRoot": zero, "transactionsRoot": zero, "receiptsRoot": zero, "difficulty": "0x0", "totalDifficulty": "0x0",
        "gasLimit": "0x1c9c380", "gasUsed": "0x0", "extraData": "0x", "nonce": "0x0000000000000000", "mixHash": zero,
        "baseFeePerGas": "0x1", "size": "0x200",
    })
}

/// The log at `index` of a block.
fn log(block: &Block, index: usize) -> Value {
    let log = &block.logs[index];
    let mut value = json!({
        "address": log.emitted.address, "topics": log.emitted.data.topics(), "data": log.emitted.data.data,
        "blockNumber": hex(block.number), "blockHash": block.hash, "removed": false, "logIndex": hex(index as u64),
        "transactionHash": block.transactions[log.transaction], "transactionIndex": hex(log.transaction as u64),
    });
    // Some nodes add the time since 2024; an index must not need it.
    if block.number.is_multiple_of(2) {
        value["blockTimestamp"] = hex(block.timestamp);
    }
    value
}

/// The logs of a block that a filter lets through.
pub(super) fn logs(block: &Block, filter: &Value) -> Vec<Value> {
    (0..block.logs.len()).filter(|i| matches(block, *i, filter)).map(|i| log(block, i)).collect()
}

/// A receipt for each transaction.
pub(super) fn receipts(block: &Block) -> Value {
    let receipt = |(index, hash): (usize, &B256)| {
        let of: Vec<Value> =
            (0..block.logs.len()).filter(|i| block.logs[*i].transaction == index).map(|i| log(block, i)).collect();
        json!({
            "transactionHash": hash, "transactionIndex": hex(index as u64), "blockHash": block.hash,
            "blockNumber": hex(block.number), "from": Address::ZERO, "to": Address::ZERO, "cumulativeGasUsed": "0x1",
            "gasUsed": "0x1", "effectiveGasPrice": "0x1", "contractAddress": null, "logs": of, "type": "0x2",
            "status": "0x1", "logsBloom": block.bloom,
        })
    };
    block.transactions.iter().enumerate().map(receipt).collect()
}

fn matches(block: &Block, index: usize, filter: &Value) -> bool {
    let emitted = &block.logs[index].emitted;
    let fits = |wanted: &Value, found: &str| match wanted {
        Value::Null => true,
        Value::String(one) => one.eq_ignore_ascii_case(found),
        Value::Array(any) => {
            any.is_empty() || any.iter().any(|w| w.as_str().is_some_and(|w| w.eq_ignore_ascii_case(found)))
        }
        _ => false,
    };
    let topics = filter["topics"].as_array().cloned().unwrap_or_default();
    fits(&filter["address"], &format!("{:#x}", emitted.address))
        && topics.iter().enumerate().all(|(place, wanted)| {
            let any = wanted.is_null() || wanted.as_array().is_some_and(Vec::is_empty);
            any || emitted.data.topics().get(place).is_some_and(|topic| fits(wanted, &format!("{topic:#x}")))
        })
}

/// What a node makes of an honest list of logs.
pub(super) fn spoil(mut logs: Vec<Value>, faults: &mut Faults) -> Vec<Value> {
    let count = logs.len() as u64;
    if count == 0 {
        return logs;
    }
    let at = faults.number(count) as usize;
    if faults.strikes(Fault::Twice) {
        logs.push(logs[at].clone());
    }
    if faults.strikes(Fault::OtherHash) {
        logs[at]["blockHash"] = json!(B256::from(U256::from(faults.number(u64::MAX))));
    }
    if faults.strikes(Fault::OtherNumber) {
        let number = logs[at]["blockNumber"].as_str().and_then(|n| u64::from_str_radix(&n[2..], 16).ok());
        logs[at]["blockNumber"] = hex(number.unwrap_or(0) + 1);
    }
    if faults.strikes(Fault::Unsorted) {
        logs.reverse();
    }
    if faults.strikes(Fault::Removed) {
        logs[at]["removed"] = json!(true);
    }
    logs
}
