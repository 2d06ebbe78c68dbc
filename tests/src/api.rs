//! The API's half of the comparison: `crowdsale serve` must say what the chain says, page by page.

use std::{collections::BTreeMap, process::Command};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
};
use crowdsale::contracts::{FixedPriceSale, RefundVault, SaleToken};
use serde_json::Value;

use crate::{
    World,
    agree::{Expected, PositionSums, SaleSums},
    process::{Process, binary},
    until,
    views::Asked,
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

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status of an answer, and its body.
    pub async fn ask(&self, path: &str) -> (u16, String) {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.expect("the API answers");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// The answer to a request that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).await;
        assert!((200..300).contains(&status), "{path}: {status}: {body}");
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
    // A test asks as fast as it can: how often one may is no matter of the machine that it runs on.
    command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"]);
    command.env("CROWDSALE_DATABASE_URL", database_url).env("NO_COLOR", "1");
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

fn raw(amount: &Value) -> U256 {
    text(&amount["raw"]).parse().expect("base units")
}

/// By sale and investor.
type AllAsked = BTreeMap<(Address, Address), Asked>;

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

        let mut asked = AllAsked::new();
        for (address, sums) in &expected.sales {
            let created = sums.created.as_ref().expect("the sale's creation");
            let units =
                Units { money: self.unit(created.terms.currency).await, tokens: self.unit(created.token).await };
            self.compare_sale(*address, sums, &units, head).await;
            self.compare_contributions(*address, sums, &units).await;
            for investor in sums.positions.keys() {
                let views = self.views(*address, created.vault, *investor, head.1).await;
                asked.insert((*address, *investor), views);
            }
            self.compare_investors(*address, sums, &units, &asked).await;
        }
        self.compare_wallets(expected, &asked).await;
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
        // An auction that has sold everything stays in its phase, where nothing can be bought any more.
        let quoted = contract.quote(created.terms.hardCap.to()).block(block).call().await;
        let buys = quoted.is_ok_and(|q| !q.tokens.is_zero());
        let active = active.filter(|_| created.mode != 2 || buys);
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
        let (_, excess) = sums.allotted_and_excess();
        let releasable = RefundVault::new(created.vault, &self.chain.provider).release().block(block).call().await;
        for (name, wanted, unit) in [
            ("withdrawn", sums.withdrawn, money),
            ("rejected", sums.rejected, money),
            ("excess", excess, money),
            ("excess_refunded", sums.excess_refunded, money),
            ("releasable", releasable.unwrap_or_default(), money),
            ("held", sums.held(), money),
            ("in_vault", self.money(created.terms.currency, created.vault, block).await, money),
            ("unclaimed", sums.unclaimed(), tokens),
        ] {
            assert_amount(&t[name], wanted, unit, name);
        }
        // What the API says must be there, is there.
        let there: U256 = ["held", "unswept", "dust"].iter().map(|n| raw(&t[*n])).fold(U256::ZERO, |a, b| a + b);
        assert_eq!(
            there,
            self.money(created.terms.currency, address, block).await,
            "{path}: held, unswept and dust: {t}"
        );
        match sums.outcome {
            1 => assert_amount(&t["kept"], sums.kept, money, "kept"),
            _ => assert!(t["kept"].is_null(), "{t}"),
        }
        assert_eq!((&t["withdrawals"], &t["rejections"]), (&sums.withdrawals.into(), &sums.rejections.into()));
        self.compare_roles(sale, sums, units, &path);
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

    fn compare_roles(&self, sale: &Value, sums: &SaleSums, units: &Units, path: &str) {
        let created = sums.created.as_ref().expect("the sale's creation");
        let or_null = |a: Address| if a.is_zero() { Value::Null } else { a.to_string().into() };
        assert_eq!(sale["mode"], ["fixed_price", "pro_rata", "dutch_auction"][usize::from(created.mode)], "{path}");
        assert_eq!(sale["paused"], sums.is_paused(), "{path}");
        assert_eq!(sale["owner"], sums.owner.to_string(), "{path}");
        assert_eq!(sale["pending_owner"], or_null(sums.pending_owner), "{path}");
        assert_eq!(sale["compliance"], or_null(sums.compliance), "{path}");
        assert_eq!(sale["voucher_signer"], or_null(sums.signer), "{path}");
        assert_eq!(sale["voucher_epoch"], sums.epoch.to_string(), "{path}");
        let superseding = sale["documents"]["superseding"].as_array().expect("whitepapers");
        let hashes: Vec<String> = superseding.iter().map(|d| text(&d["sha256"])).collect();
        assert_eq!(hashes, sums.whitepapers.iter().map(ToString::to_string).collect::<Vec<_>>(), "{path}");
        let o = &sale["objections"];
        if created.terms.tap.objection == 0 {
            assert!(o.is_null(), "{path}: {o}");
        } else {
            let needed = sums.swept * U256::from(created.terms.tap.objection) / U256::from(10_000);
            assert_amount(&o["objected"], sums.objected, &units.money, "objected");
            // Before the vault has the money, what it will need is told.
            let needed = if sums.swept.is_zero() { raw(&o["needed"]) } else { needed };
            assert_amount(&o["needed"], needed, &units.money, "needed");
            assert_eq!(o["stopped"], sums.stopped.is_some(), "{path}");
            assert_eq!(o["rest"]["raw"].as_str(), sums.stopped.map(|r| r.to_string()).as_deref(), "{path}");
            assert_amount(&o["rest_refunded"], sums.rest_refunded, &units.money, "rest_refunded");
        }
        let allocations = sale["allocations"].as_array().expect("allocations");
        assert_eq!(allocations.len(), sums.wallets.len(), "{path}");
        for a in allocations {
            let wallet: Address = text(&a["wallet"]).parse().expect("a wallet");
            let (owner, amount, released, reclaimed) = sums.wallets[&wallet];
            assert_eq!(a["owner"], owner.to_string(), "{path}: {a}");
            for (name, wanted) in [("amount", amount), ("released", released), ("reclaimed", reclaimed)] {
                assert_amount(&a[name], wanted, &units.tokens, &format!("{name} of {a}"));
            }
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

    async fn compare_investors(&self, address: Address, sums: &SaleSums, units: &Units, asked: &AllAsked) {
        let api = self.api().await;
        let path = format!("/v1/sales/{CHAIN}/{address}/investors");
        let mut positions: Vec<(&Address, &PositionSums)> = sums.positions.iter().collect();
        let by_address = api.pages(&format!("{path}?sort=address"), 3).await;
        assert_eq!(by_address.len(), positions.len(), "{path}");
        for (found, (investor, wanted)) in by_address.iter().zip(&positions) {
            assert_position(found, address, **investor, wanted, sums, units, asked);
        }
        positions.sort_by(|(a, p), (b, q)| q.paid.cmp(&p.paid).then(a.cmp(b)));
        let by_paid = api.pages(&path, 3).await;
        assert_eq!(by_paid.len(), positions.len(), "{path}");
        for (found, (investor, wanted)) in by_paid.iter().zip(&positions) {
            assert_position(found, address, **investor, wanted, sums, units, asked);
        }
    }

    /// Everybody's wallet, also of those whose contributions are gone.
    async fn compare_wallets(&self, expected: &Expected, asked: &AllAsked) {
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
                assert_position(found, *sale, wallet, position, sums, &units, asked);
            }
        }
    }
}

fn assert_position(
    found: &Value,
    sale: Address,
    investor: Address,
    p: &PositionSums,
    sums: &SaleSums,
    units: &Units,
    asked: &AllAsked,
) {
    let what = format!("position of {investor} in {sale}: {found}");
    assert_eq!(found["sale"], sale.to_string(), "{what}");
    assert_eq!(found["investor"], investor.to_string(), "{what}");
    assert_eq!(found["contributions"], p.contributions, "{what}");
    assert_eq!(found["block"]["number"], p.last_block, "{what}");
    let (money, tokens) = (&units.money, &units.tokens);
    let asked = &asked[&(sale, investor)];
    let (v, rejected, succeeded) = (&asked.views, p.rejections > 0, sums.outcome == 1);
    let withdrawable = if asked.cooling_off_until.is_some_and(|u| asked.now < u) { v.paid } else { U256::ZERO };
    let refundable = match sums.outcome {
        2 | 3 => v.paid,
        _ if rejected => v.paid,
        1 => v.excess + v.rest,
        _ => U256::ZERO,
    };
    let (kept, share_tokens, excess) = sums.share(p);
    let allotted = if succeeded { share_tokens } else { p.tokens - p.withdrawn_tokens - p.rejected_tokens };
    let vested = if succeeded { v.claimable + p.claimed } else { U256::ZERO };
    for (name, wanted, unit) in [
        ("paid", p.paid, money),
        ("withdrawn", p.withdrawn, money),
        ("withdrawable", withdrawable, money),
        ("refunded", p.refunded, money),
        ("refundable", refundable, money),
        ("excess", excess, money),
        ("excess_refunded", p.excess_refunded, money),
        ("rest_refundable", v.rest, money),
        ("rest_refunded", p.rest_refunded, money),
        ("tokens", allotted, tokens),
        ("vested", vested, tokens),
        ("claimed", p.claimed, tokens),
        ("claimable", v.claimable, tokens),
    ] {
        assert_amount(&found[name], wanted, unit, &format!("{name} of {what}"));
    }
    if succeeded && !rejected {
        assert_eq!(kept, v.stake, "{what}");
        assert_amount(&found["kept"], v.stake, money, &format!("kept of {what}"));
    } else {
        assert!(found["kept"].is_null(), "{what}");
    }
    assert_eq!(found["rejected"], rejected, "{what}");
    assert_eq!(found["objected"], v.objected, "{what}");
    assert_eq!(found["can_object"], asked.can_object, "{what}");
    assert_eq!(found["cooling_off_until"].is_null(), asked.cooling_off_until.is_none(), "{what}");
    let actions: &[&str] = match sums.outcome {
        _ if rejected && v.paid.is_zero() => &["none"],
        _ if rejected => &["refund"],
        0 => &["contribute", "wait", "close"],
        1 if !v.claimable.is_zero() || !v.excess.is_zero() => &["claim"],
        1 if !v.rest.is_zero() => &["refund"],
        1 if v.tokens.is_zero() => &["none"],
        1 => &["wait"],
        _ if v.paid.is_zero() => &["none"],
        _ => &["refund"],
    };
    assert!(actions.iter().any(|a| found["action"] == *a), "{actions:?}: {what}");
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
