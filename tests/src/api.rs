//! The API's half of the comparison: `crowdsale serve` must say what the chain says, page by page.

use std::process::Command;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
};
use crowdsale::contracts::{FixedPriceSale, SaleToken};
use serde_json::Value;

use crate::{
    World,
    agree::{Expected, PositionSums, SaleSums},
    process::{Process, binary},
    until,
};

const CHAIN: u64 = 31337;

/// States as the contract numbers them.
const STATES: [&str; 6] = ["upcoming", "open", "ended", "succeeded", "failed", "cancelled"];

/// A running `crowdsale serve`.
#[derive(Debug)]
pub struct Api {
    _process: Process,
    url: String,
    client: reqwest::Client,
}

impl Api {
    /// Starts it on a free port.
    pub async fn start(database_url: &str) -> Self {
        let mut process = serve(database_url);
        let url = until("the API listens", async || {
            let output = process.output();
            if let Some(status) = process.exited() {
                panic!("the API ended: {status}");
            }
            let (_, rest) = output.split_once("serving ")?;
            rest.split_once(';').map(|(url, _)| url.to_owned())
        })
        .await;
        Self { _process: process, url, client: reqwest::Client::new() }
    }

    /// Starts it where it must end by itself with an error; returns what it wrote.
    pub async fn refused(database_url: &str) -> String {
        let mut process = serve(database_url);
        let status = until("the API ends", async || process.exited()).await;
        assert!(!status.success(), "{status}: {}", process.output());
        process.output()
    }

    /// The answer to a request that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.expect("the API answers");
        let status = response.status();
        let body = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}: {body}"))
    }

    /// All records of a list, over all its pages, each of which must be of the same block.
    pub async fn pages(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut meta = None;
        loop {
            let page = self.get(&format!("{path}{separator}limit={limit}{cursor}")).await;
            let block = indexed_block(&page).clone();
            assert_eq!(*meta.get_or_insert_with(|| block.clone()), block, "{path}: pages of different blocks");
            let data = page["data"].as_array().expect("a list");
            assert!(data.len() <= limit, "{path}: a page of {}", data.len());
            records.extend(data.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => {
                    assert_eq!(data.len(), limit, "{path}: a page is full unless it is the last");
                    cursor = format!("&cursor={next}");
                }
                None => return records,
            }
        }
    }
}

fn serve(database_url: &str) -> Process {
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("CROWDSALE_DATABASE_URL", database_url).env("NO_COLOR", "1");
    Process::spawn("crowdsale serve", &mut command, true)
}

/// `meta` of one chain, or of the only one of several.
fn indexed_block(answer: &Value) -> &Value {
    let meta = &answer["meta"];
    let meta = meta["chains"].as_array().map_or(meta, |chains| {
        assert_eq!(chains.len(), 1, "one chain is followed: {meta}");
        &chains[0]
    });
    assert_eq!(meta["has_errors"], false, "{meta}");
    &meta["indexed_block"]
}

/// Checks that an amount is so much of a token.
fn assert_amount(found: &Value, raw: U256, unit: &(String, u8), what: &str) {
    assert_eq!(found["raw"], raw.to_string(), "{what}");
    assert_eq!((found["symbol"].as_str(), found["decimals"].as_u64()), (Some(&*unit.0), Some(unit.1.into())), "{what}");
}

/// What amounts of a sale are counted in.
struct Units {
    money: (String, u8),
    tokens: (String, u8),
}

impl World {
    /// The API on this world's database, started when it is first asked for.
    pub async fn api(&self) -> &Api {
        self.api.get_or_init(|| Api::start(&self.database.url)).await
    }

    pub(crate) async fn compare_api(&self, expected: &Expected, head: (u64, B256)) {
        let api = self.api().await;
        let status = api.get("/v1/status").await;
        let chain = &status["data"]["chains"][0];
        assert_eq!(chain["chain_id"], CHAIN);
        assert_eq!(chain["state"], "running", "{status}");
        assert_eq!(chain["sales"], expected.sales.len());
        assert_eq!(chain["factory"], self.factory.to_string());
        assert_eq!(chain["behind_blocks"], 0);
        assert_eq!(chain["genesis_hash"], self.chain.block(0).await.header.hash.to_string());
        let indexed = indexed_block(&status);
        assert_eq!(indexed["number"], head.0, "{indexed}");
        assert_eq!(indexed["hash"], head.1.to_string(), "{indexed}");

        let mut listed: Vec<String> =
            api.pages("/v1/sales", 2).await.iter().map(|s| s["address"].as_str().unwrap().to_owned()).collect();
        listed.sort_by_key(|a| a.to_lowercase());
        let sales: Vec<String> = expected.sales.keys().map(ToString::to_string).collect();
        assert_eq!(listed, sales, "/v1/sales: API (left), chain (right)");

        for (address, sums) in &expected.sales {
            let created = sums.created.as_ref().expect("the sale's creation");
            let units =
                Units { money: self.unit(created.terms.currency).await, tokens: self.unit(created.token).await };
            self.compare_sale(*address, sums, &units, head).await;
            self.compare_contributions(*address, sums, &units).await;
            self.compare_investors(*address, sums, &units).await;
        }
        self.compare_wallets(expected).await;
    }

    async fn unit(&self, currency: Address) -> (String, u8) {
        if currency.is_zero() {
            return ("ETH".to_owned(), 18);
        }
        let token = SaleToken::new(currency, &self.chain.provider);
        (token.symbol().call().await.unwrap(), token.decimals().call().await.unwrap())
    }

    async fn compare_sale(&self, address: Address, sums: &SaleSums, units: &Units, head: (u64, B256)) {
        let path = format!("/v1/sales/{CHAIN}/{address}");
        let answer = self.api().await.get(&path).await;
        assert_eq!(indexed_block(&answer)["hash"], head.1.to_string());
        assert_eq!(answer["meta"]["head_block"], head.0);
        let sale = &answer["data"];
        let created = sums.created.as_ref().expect("the sale's creation");
        let (money, tokens) = (&units.money, &units.tokens);

        let contract = FixedPriceSale::new(address, &self.chain.provider);
        let block = BlockId::hash(head.1);
        let state = contract.state().block(block).call().await.unwrap();
        assert_eq!(sale["state"], STATES[usize::from(state)], "{path}: API (left), contract (right)");
        let active = contract.activePhase().block(block).call().await.ok().map(|a| a.index.to::<u64>());
        assert_eq!(sale["active_phase"]["index"].as_u64(), active, "{path}: API (left), contract (right)");

        let t = &sale["totals"];
        for (name, wanted, unit) in [
            ("raised", sums.raised, money),
            ("sold", sums.sold, tokens),
            ("refunded", sums.refunded, money),
            ("claimed", sums.claimed, tokens),
            ("released", sums.released, money),
        ] {
            assert_amount(&t[name], wanted, unit, name);
        }
        // What the API says must be there, is there.
        let held = self.money(created.terms.currency, address, block).await;
        let held = if sums.outcome == 1 { U256::ZERO } else { held };
        assert_amount(&t["held"], held, money, "held");
        let unclaimed = if sums.outcome > 1 { U256::ZERO } else { sums.sold - sums.claimed };
        assert_amount(&t["unclaimed"], unclaimed, tokens, "unclaimed");
        assert_eq!(t["investors"], sums.positions.len());
        assert_eq!(t["contributions"], sums.contributions.len());
        assert_eq!((&t["refunds"], &t["claims"]), (&sums.refunds.into(), &sums.claims.into()));

        assert_eq!(sale["vault"], created.vault.to_string());
        assert_eq!(sale["token"]["address"], created.token.to_string());
        assert_eq!(sale["currency"]["address"], created.terms.currency.to_string());
        assert_amount(&sale["hard_cap"], created.terms.hardCap.to(), money, "hard_cap");
        assert_amount(&sale["soft_cap"], created.terms.softCap.to(), money, "soft_cap");
        assert_eq!(sale["phases"].as_array().map(Vec::len), Some(created.terms.phases.len()));
        let place = sums.created_at.as_ref().expect("the creation's place");
        assert_eq!(place_of(&sale["created"]), *place, "{path}: created");
        let settled = (!sale["settlement"].is_null()).then(|| place_of(&sale["settlement"]));
        assert_eq!(settled, sums.settled_at, "{path}: settlement");
        if sums.outcome > 0 {
            let outcome = ["succeeded", "failed", "cancelled"][usize::from(sums.outcome) - 1];
            assert_eq!(sale["settlement"]["outcome"], outcome);
        }
    }

    async fn compare_contributions(&self, address: Address, sums: &SaleSums, units: &Units) {
        let path = format!("/v1/sales/{CHAIN}/{address}/contributions");
        let api = self.api().await;
        let show = |c: &Value| {
            let (amount, tokens, after) = (&c["amount"], &c["tokens"], &c["after"]);
            for (found, unit) in [
                (amount, &units.money),
                (tokens, &units.tokens),
                (&after["paid"], &units.money),
                (&after["raised"], &units.money),
                (&after["sold"], &units.tokens),
            ] {
                assert_eq!(found["symbol"], unit.0);
                assert_eq!(found["decimals"], unit.1);
            }
            assert_eq!(c["sale"], address.to_string());
            [&c["investor"], &c["payer"], &c["phase"], &amount["raw"], &tokens["raw"], &after["paid"]["raw"]]
                .into_iter()
                .chain([&after["raised"]["raw"], &after["sold"]["raw"]])
                .map(text)
                .chain([place_of(c)])
                .collect::<Vec<_>>()
                .join("|")
        };
        let oldest: Vec<String> = api.pages(&format!("{path}?order=oldest"), 7).await.iter().map(show).collect();
        assert_eq!(oldest, sums.contributions, "{path}: API (left), logs of the chain (right)");
        let mut newest: Vec<String> = api.pages(&path, 200).await.iter().map(show).collect();
        newest.reverse();
        assert_eq!(newest, sums.contributions, "{path}, newest first: API (left), logs of the chain (right)");
    }

    async fn compare_investors(&self, address: Address, sums: &SaleSums, units: &Units) {
        let api = self.api().await;
        let path = format!("/v1/sales/{CHAIN}/{address}/investors");
        let mut positions: Vec<(&Address, &PositionSums)> = sums.positions.iter().collect();
        let by_address = api.pages(&format!("{path}?sort=address"), 3).await;
        assert_eq!(by_address.len(), positions.len(), "{path}");
        for (found, (investor, wanted)) in by_address.iter().zip(&positions) {
            assert_position(found, address, **investor, wanted, sums.outcome, units);
        }
        positions.sort_by(|(a, p), (b, q)| q.paid.cmp(&p.paid).then(a.cmp(b)));
        let by_paid = api.pages(&path, 3).await;
        assert_eq!(by_paid.len(), positions.len(), "{path}");
        for (found, (investor, wanted)) in by_paid.iter().zip(&positions) {
            assert_position(found, address, **investor, wanted, sums.outcome, units);
        }
    }

    /// Everybody's wallet, also of those whose contributions are gone.
    async fn compare_wallets(&self, expected: &Expected) {
        let mut wallets: Vec<Address> = self.chain.accounts()[..12].to_vec();
        wallets.extend(expected.sales.values().flat_map(|s| s.positions.keys().copied()));
        wallets.sort_unstable();
        wallets.dedup();
        for wallet in wallets {
            let path = format!("/v1/investors/{wallet}");
            let found = self.api().await.pages(&path, 2).await;
            let wanted: Vec<_> =
                expected.sales.iter().filter_map(|(sale, s)| Some((sale, s, s.positions.get(&wallet)?))).collect();
            assert_eq!(found.len(), wanted.len(), "{path}: positions of the API (left), of the chain (right)");
            for (found, (sale, sums, position)) in found.iter().zip(wanted) {
                let created = sums.created.as_ref().expect("the sale's creation");
                let units =
                    Units { money: self.unit(created.terms.currency).await, tokens: self.unit(created.token).await };
                assert_position(found, *sale, wallet, position, sums.outcome, &units);
            }
        }
    }
}

fn assert_position(found: &Value, sale: Address, investor: Address, p: &PositionSums, outcome: u8, units: &Units) {
    let what = format!("position of {investor} in {sale}: {found}");
    assert_eq!(found["sale"], sale.to_string(), "{what}");
    assert_eq!(found["investor"], investor.to_string(), "{what}");
    assert_eq!(found["contributions"], p.contributions, "{what}");
    assert_eq!(found["block"]["number"], p.last_block, "{what}");
    let (money, tokens) = (&units.money, &units.tokens);
    let refundable = if outcome > 1 { p.paid - p.refunded } else { U256::ZERO };
    let claimable = if outcome == 1 { p.tokens - p.claimed } else { U256::ZERO };
    for (name, wanted, unit) in [
        ("paid", p.paid, money),
        ("refunded", p.refunded, money),
        ("refundable", refundable, money),
        ("tokens", p.tokens, tokens),
        ("claimed", p.claimed, tokens),
        ("claimable", claimable, tokens),
    ] {
        assert_amount(&found[name], wanted, unit, &format!("{name} of {what}"));
    }
    match outcome {
        0 => assert!(["contribute", "wait", "close"].iter().any(|a| found["action"] == *a), "{what}"),
        1 => assert_eq!(found["action"], if claimable.is_zero() { "none" } else { "claim" }, "{what}"),
        _ => assert_eq!(found["action"], if refundable.is_zero() { "none" } else { "refund" }, "{what}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Transaction, block and log index of a record.
fn place_of(record: &Value) -> String {
    let block = &record["block"];
    assert_eq!(block["chain_id"], CHAIN);
    [&record["transaction_hash"], &block["number"], &block["hash"], &block["log_index"]].map(text).join("|")
}
