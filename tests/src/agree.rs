//! At one quiet block, everything must say the same: the contracts' storage and balances, the logs of the canonical chain,
//! the database and the API.

use std::collections::{BTreeMap, HashMap};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256, hex},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::{SolEvent, SolEventInterface, SolValue},
};
use crowdsale::contracts::{
    FixedPriceSale::{self, FixedPriceSaleEvents},
    RefundVault::{self, RefundVaultEvents},
    RestrictedSaleToken::RestrictedSaleTokenEvents,
    SaleFactory::{self, SaleFactoryEvents},
    SaleToken,
    TeamWallet::TeamWalletEvents,
};

use crate::{Indexer, World, until};

/// What the canonical logs say, table by table.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    rows: BTreeMap<&'static str, Vec<String>>,
    pub sales: BTreeMap<Address, SaleSums>,
    blocks: BTreeMap<u64, B256>,
}

/// One sale, summed up from its logs.
#[derive(Debug, Default)]
pub(crate) struct SaleSums {
    pub created: Option<SaleFactory::SaleCreated>,
    pub created_at: Option<String>,
    pub settled_at: Option<String>,
    pub raised: U256,
    pub sold: U256,
    /// As the API's half compares them.
    pub contributions: Vec<String>,
    pub refunded: U256,
    pub refunds: u64,
    pub claimed: U256,
    pub claims: u64,
    pub swept: U256,
    /// Of rejected investors, refunded or not.
    pub rejected: U256,
    pub excess_refunded: U256,
    pub rest_refunded: U256,
    pub released: U256,
    pub unsold_returned: U256,
    /// As the contract numbers outcomes.
    pub outcome: u8,
    pub positions: BTreeMap<Address, PositionSums>,
}

/// One investor in one sale, summed up from logs.
#[derive(Debug, Default)]
pub(crate) struct PositionSums {
    pub paid: U256,
    pub tokens: U256,
    pub contributions: u64,
    pub refunded: U256,
    pub claimed: U256,
    pub withdrawn: U256,
    pub withdrawn_tokens: U256,
    pub rejected: bool,
    pub rejected_tokens: U256,
    /// Once settled: kept and tokens.
    pub share: Option<(U256, U256)>,
    pub last_block: u64,
}

/// Every event table and the query that writes its rows as [`Expected`] does.
const TABLES: [(&str, &str); 29] = [
    (
        "sale",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(address, 'hex'),
            encode(creator, 'hex'), encode(vault, 'hex'), mode, encode(owner, 'hex'), encode(beneficiary, 'hex'),
            encode(token, 'hex'), encode(currency, 'hex'), opens, closes, soft_cap, hard_cap, min_paid, max_paid,
            tokens_for_sale, burn_unsold, name, encode(sale_hash, 'hex'), sale_uri, encode(whitepaper_hash, 'hex'),
            whitepaper_uri, encode(data, 'hex'), encode(compliance, 'hex'), encode(signer, 'hex'), cooling_off, vesting_at_once, vesting_cliff,
            vesting_duration, tap_at_once, tap_duration, tap_objection)",
    ),
    (
        "sale_phase",
        "concat_ws('|', block_number, log_index, phase, encode(sale, 'hex'), starts, ends, raised_up_to, price, gate,
            encode(root, 'hex'))",
    ),
    (
        "token_created",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(token, 'hex'),
            encode(creator, 'hex'), name, symbol, supply, contract_uri, encode(data, 'hex'), kind)",
    ),
    (
        "contribution",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(investor, 'hex'), encode(payer, 'hex'), phase, amount, tokens, paid, raised, sold)",
    ),
    (
        "excess_return",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(payer, 'hex'), amount)",
    ),
    (
        "settlement",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), outcome, raised,
            sold)",
    ),
    (
        "claim",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(investor, 'hex'), encode(recipient, 'hex'), tokens)",
    ),
    (
        "refund",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(investor, 'hex'), encode(recipient, 'hex'), amount)",
    ),
    (
        "unsold_return",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(recipient, 'hex'), tokens)",
    ),
    ("sweep", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), amount)"),
    (
        "release",
        "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'),
            encode(beneficiary, 'hex'), encode(recipient, 'hex'), amount, released)",
    ),
    ("withdrawal", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), encode(recipient, 'hex'), amount, tokens, raised, sold)"),
    ("rejection", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), encode(rejected_by, 'hex'), amount, tokens, raised, sold)"),
    ("share", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), kept, tokens, excess)"),
    ("excess_refund", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), encode(recipient, 'hex'), amount)"),
    ("pause_change", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), paused)"),
    ("voucher_signer_change", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(signer, 'hex'), epoch)"),
    ("compliance_change", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(compliance, 'hex'))"),
    ("ownership_transfer", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(contract, 'hex'), encode(previous_owner, 'hex'), encode(new_owner, 'hex'), done)"),
    ("whitepaper", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), version, encode(hash, 'hex'), uri, encode(data, 'hex'))"),
    ("objection", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), weight, objected)"),
    ("tap_stop", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), rest, objected)"),
    ("rest_refund", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(investor, 'hex'), encode(recipient, 'hex'), amount)"),
    ("allocation", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(wallet, 'hex'), \"index\", encode(beneficiary, 'hex'), amount, cliff, duration)"),
    ("allocation_release", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(wallet, 'hex'), encode(token, 'hex'), amount)"),
    ("allocation_reclaim", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(sale, 'hex'), encode(wallet, 'hex'), encode(token, 'hex'), encode(recipient, 'hex'), amount)"),
    ("holder_approval", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(token, 'hex'), encode(holder, 'hex'), coalesce(until::text, 'admitted'), coalesce(encode(approved_by, 'hex'), ''))"),
    ("contract_uri_change", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(token, 'hex'))"),
    ("token_role_change", "concat_ws('|', block_number, log_index, encode(transaction_hash, 'hex'), encode(token, 'hex'), change, coalesce(encode(role, 'hex'), ''), coalesce(encode(account, 'hex'), ''), coalesce(encode(changed_by, 'hex'), ''))"),
];

macro_rules! row {
    ($($part:expr),* $(,)?) => { [$($part.to_string()),*].join("|") };
}

impl World {
    /// Waits until the indexer is at the head of the quiet chain, then compares everything with everything.
    ///
    /// # Panics
    /// At the first difference, or if the indexer does not get there.
    pub async fn agree(&self, indexer: &mut Indexer) {
        let head = self.reached(indexer).await;
        let expected = self.expected(head.0).await;
        self.compare_events(&expected).await;
        self.compare_blocks(&expected, head.0).await;
        self.compare_sums(&expected).await;
        for (address, sums) in &expected.sales {
            self.compare_contracts(*address, sums, head.1).await;
        }
        self.compare_api(&expected, head).await;
        let after = self.chain.head().await.header;
        assert_eq!((after.number, after.hash), head, "the chain was not quiet");
        let checkpoint = self.database.checkpoint().await.expect("a checkpoint");
        assert_eq!((checkpoint.number, checkpoint.hash), head, "the checkpoint moved on a quiet chain");
    }

    /// Waits until the checkpoint is the chain's head, in number and hash.
    pub async fn reached(&self, indexer: &mut Indexer) -> (u64, B256) {
        let head = self.chain.head().await.header;
        until(&format!("block {} {} is indexed", head.number, head.hash), async || {
            indexer.assert_running();
            let checkpoint = self.database.checkpoint().await?;
            let at_head = checkpoint.number == head.number && checkpoint.hash == head.hash;
            (at_head && checkpoint.head == head.number).then_some(())
        })
        .await;
        (head.number, head.hash)
    }

    /// Reads the logs of the whole canonical chain, by address.
    pub(crate) async fn expected(&self, head: u64) -> Expected {
        let mut expected = Expected::default();
        let factory_logs = self.logs(self.factory, head).await;
        let mut sale_of = HashMap::new();
        for log in &factory_logs {
            if log.topic0() == Some(&SaleFactory::SaleCreated::SIGNATURE_HASH) {
                let event = log.log_decode::<SaleFactory::SaleCreated>().unwrap().inner.data;
                sale_of.insert(event.sale, event.sale);
                sale_of.insert(event.vault, event.sale);
            }
            if log.topic0() == Some(&SaleFactory::AllocationCreated::SIGNATURE_HASH) {
                let event = log.log_decode::<SaleFactory::AllocationCreated>().unwrap().inner.data;
                sale_of.insert(event.wallet, event.sale);
            }
            if log.topic0() == Some(&SaleFactory::TokenCreated::SIGNATURE_HASH) {
                let event = log.log_decode::<SaleFactory::TokenCreated>().unwrap().inner.data;
                if event.terms.kind == 1 {
                    sale_of.insert(event.token, Address::ZERO);
                }
            }
        }
        let mut logs = factory_logs;
        for address in sale_of.keys() {
            logs.extend(self.logs(*address, head).await);
        }
        logs.sort_by_key(|l| (l.block_number, l.log_index));
        for log in &logs {
            expected.add(log, self.factory, &sale_of);
        }
        expected
    }

    async fn logs(&self, address: Address, head: u64) -> Vec<Log> {
        let filter = Filter::new().address(address).from_block(0).to_block(head);
        self.chain.provider.get_logs(&filter).await.unwrap()
    }

    async fn compare_events(&self, expected: &Expected) {
        for (table, columns) in TABLES {
            let order = if table == "sale_phase" { "3, 4, 5" } else { "3, 4" };
            let third = if table == "sale_phase" { ", phase" } else { "" };
            let query = format!(
                "SELECT row FROM (SELECT {columns} AS row, 0, block_number, log_index{third} FROM {table} ORDER BY {order}) t"
            );
            let rows = self.database.texts(&query).await;
            let wanted = expected.rows.get(table).cloned().unwrap_or_default();
            assert_eq!(rows, wanted, "table {table}: rows of the database (left), logs of the chain (right)");
        }
        let quarantined = self.database.texts("SELECT reason FROM quarantined_log").await;
        assert!(quarantined.is_empty(), "quarantined: {quarantined:?}");
        // A table that is new is compared too, or this fails.
        let known = self
            .database
            .texts(
                "SELECT table_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND column_name = 'log_index' ORDER BY 1",
            )
            .await;
        for table in known {
            let compared = table == "quarantined_log" || TABLES.iter().any(|(t, _)| *t == table);
            let kind =
                self.database.number(&format!("SELECT count(*) FROM pg_tables WHERE tablename = '{table}'")).await;
            assert!(compared || kind == 0, "the event table {table} is not compared");
        }
    }

    async fn compare_blocks(&self, expected: &Expected, head: u64) {
        let finalized = self.database.number("SELECT finalized_number FROM checkpoint").await;
        let rows = self
            .database
            .texts(
                "SELECT concat_ws('|', number, encode(hash, 'hex'), encode(parent_hash, 'hex'), timestamp, has_events)
                 FROM block ORDER BY number",
            )
            .await;
        let mut numbers = Vec::new();
        for row in &rows {
            let number: u64 = row.split('|').next().unwrap().parse().unwrap();
            assert!(number <= head, "block {number} is above the head {head}");
            let header = self.chain.block(number).await.header;
            let has_events = expected.blocks.contains_key(&number);
            let wanted = row!(
                number,
                hex::encode(header.hash),
                hex::encode(header.parent_hash),
                header.timestamp,
                if has_events { "t" } else { "f" }
            );
            assert_eq!(*row, wanted, "block {number}: database (left), chain (right)");
            numbers.push(number);
        }
        for (number, hash) in &expected.blocks {
            assert!(numbers.contains(number), "block {number} {hash} has events and is not stored");
        }
        let start = self.database.number("SELECT start_block FROM chain").await;
        for number in u64::try_from(start.max(finalized + 1)).unwrap()..=head {
            assert!(numbers.contains(&number), "block {number} can still change and is not stored");
        }
    }

    async fn compare_sums(&self, expected: &Expected) {
        let totals = self
            .database
            .texts(
                "SELECT concat_ws('|', encode(sale, 'hex'), raised, sold, contributions, investors, refunded, refunds,
                     claimed, claims, released) FROM sale_total ORDER BY sale",
            )
            .await;
        let positions = self
            .database
            .texts(
                "SELECT concat_ws('|', encode(sale, 'hex'), encode(investor, 'hex'), paid, tokens, contributions, refunded,
                     claimed, last_block) FROM position ORDER BY sale, investor",
            )
            .await;
        let (mut wanted_totals, mut wanted_positions) = (Vec::new(), Vec::new());
        for (sale, s) in &expected.sales {
            wanted_totals.push(row!(
                hex::encode(sale),
                s.raised,
                s.sold,
                s.contributions.len(),
                s.positions.len(),
                s.refunded,
                s.refunds,
                s.claimed,
                s.claims,
                s.released
            ));
            for (investor, p) in &s.positions {
                wanted_positions.push(row!(
                    hex::encode(sale),
                    hex::encode(investor),
                    p.paid,
                    p.tokens,
                    p.contributions,
                    p.refunded,
                    p.claimed,
                    p.last_block
                ));
            }
        }
        assert_eq!(totals, wanted_totals, "sale_total: database (left), summed up from the chain's logs (right)");
        assert_eq!(positions, wanted_positions, "position: database (left), summed up from the chain's logs (right)");
    }

    async fn compare_contracts(&self, address: Address, sums: &SaleSums, head: B256) {
        let provider = &self.chain.provider;
        let block = BlockId::hash(head);
        let created = sums.created.as_ref().expect("the sale's creation");
        let sale = FixedPriceSale::new(address, provider);

        let terms = sale.terms().block(block).call().await.unwrap();
        assert_eq!(terms.abi_encode(), created.terms.abi_encode(), "terms of {address}");

        let totals = sale.totals().block(block).call().await.unwrap();
        assert_eq!(
            (totals.raised, totals.sold, totals.outcome),
            (sums.raised, sums.sold, sums.outcome),
            "totals of {address}: contract (left), logs (right)"
        );

        // Everybody who could have invested, in this branch or in another that is gone.
        let mut investors: Vec<Address> = self.chain.accounts().to_vec();
        investors.extend(sums.positions.keys());
        for investor in investors {
            let position = sale.positionOf(investor).block(block).call().await.unwrap();
            let none = PositionSums::default();
            let p = sums.positions.get(&investor).unwrap_or(&none);
            let (paid, tokens) = match p.share {
                Some((kept, tokens)) => (kept, tokens - p.claimed),
                // A refund takes the tokens too, and so does a rejection.
                None if p.rejected || !p.refunded.is_zero() => (p.paid - p.withdrawn - p.refunded, U256::ZERO),
                None => (p.paid - p.withdrawn, p.tokens - p.withdrawn_tokens - p.claimed),
            };
            assert_eq!(
                (position.paid, position.tokens),
                (paid, tokens),
                "position of {investor} in {address}: contract (left), logs (right)"
            );
        }

        let account = RefundVault::new(created.vault, provider).account().block(block).call().await.unwrap();
        assert_eq!((account.received, account.released), (sums.swept, sums.released), "the vault of {address}");

        let token = SaleToken::new(created.token, provider);
        let tokens = token.balanceOf(address).block(block).call().await.unwrap();
        let for_sale: U256 = created.terms.tokensForSale.to();
        assert_eq!(tokens, for_sale - sums.claimed - sums.unsold_returned, "tokens in {address}");

        let held = self.money(created.terms.currency, address, block).await;
        let owed = sums.raised + sums.rejected;
        assert_eq!(held, owed - sums.refunded - sums.excess_refunded - sums.swept, "money in {address}");
        let held = self.money(created.terms.currency, created.vault, block).await;
        assert_eq!(held, sums.swept - sums.released - sums.rest_refunded, "money in the vault of {address}");

        for (currency, wanted) in
            [(created.token, None), (created.terms.currency, Some(18).filter(|_| created.terms.currency.is_zero()))]
        {
            let (symbol, decimals) = match wanted {
                Some(decimals) => ("ETH".to_owned(), decimals),
                None => {
                    let token = SaleToken::new(currency, provider);
                    (token.symbol().call().await.unwrap(), token.decimals().call().await.unwrap())
                }
            };
            let stored = self
                .database
                .texts(&format!(
                    "SELECT concat_ws('|', symbol, decimals) FROM currency WHERE address = '\\x{}'",
                    hex::encode(currency)
                ))
                .await;
            assert_eq!(stored, [row!(symbol, decimals)], "currency {currency}");
        }
    }

    /// What `holder` has of a currency; the zero address is ether.
    pub async fn money(&self, currency: Address, holder: Address, block: BlockId) -> U256 {
        if currency.is_zero() {
            return self.chain.provider.get_balance(holder).block_id(block).await.unwrap();
        }
        SaleToken::new(currency, &self.chain.provider).balanceOf(holder).block(block).call().await.unwrap()
    }
}

impl Expected {
    fn add(&mut self, log: &Log, factory: Address, sale_of: &HashMap<Address, Address>) {
        let (block, index) = (log.block_number.unwrap(), log.log_index.unwrap());
        let transaction = hex::encode(log.transaction_hash.unwrap());
        self.blocks.insert(block, log.block_hash.unwrap());
        let place = row!(block, index, transaction);
        let api_place = row!(log.transaction_hash.unwrap(), block, log.block_hash.unwrap(), index);
        let emitter = log.address();
        let sale = sale_of.get(&emitter).copied().unwrap_or_default();
        let at = row!(place, hex::encode(sale));
        let (topics, data) = (log.topics(), &log.data().data);
        if emitter == factory {
            match SaleFactoryEvents::decode_raw_log(topics, data).unwrap() {
                SaleFactoryEvents::SaleCreated(e) => self.add_sale(&place, api_place, block, index, data, e),
                SaleFactoryEvents::TokenCreated(e) => {
                    let t = &e.terms;
                    let token = row!(hex::encode(e.token), hex::encode(e.creator), t.name, t.symbol, t.supply);
                    self.push(
                        "token_created",
                        row!(
                            place,
                            token,
                            t.contractURI,
                            hex::encode(data),
                            ["plain", "restricted"][usize::from(t.kind)]
                        ),
                    );
                }
                SaleFactoryEvents::AllocationCreated(e) => {
                    let a = &e.allocation;
                    let who = row!(hex::encode(e.sale), hex::encode(e.wallet), e.index, hex::encode(a.beneficiary));
                    self.push("allocation", row!(place, who, a.amount, a.cliff, a.duration));
                }
            }
            return;
        }
        if sale.is_zero() {
            return self.add_token(&row!(place, hex::encode(emitter)), topics, data);
        }
        let vault = self.sales.get(&sale).and_then(|s| s.created.as_ref()).map(|e| e.vault);
        let sums = self.sales.entry(sale).or_default();
        if Some(emitter) == vault {
            let (table, row) = match RefundVaultEvents::decode_raw_log(topics, data).unwrap() {
                RefundVaultEvents::Released(e) => {
                    sums.released += e.amount;
                    assert_eq!(sums.released, e.released, "the running total of what was released");
                    ("release", row!(at, hex::encode(e.beneficiary), hex::encode(e.to), e.amount, e.released))
                }
                RefundVaultEvents::Objected(e) => {
                    sums.positions.get_mut(&e.investor).expect("a position").last_block = block;
                    ("objection", row!(at, hex::encode(e.investor), e.weight, e.objected))
                }
                RefundVaultEvents::TapStopped(e) => ("tap_stop", row!(at, e.rest, e.objected)),
                RefundVaultEvents::RestRefunded(e) => {
                    sums.rest_refunded += e.amount;
                    sums.positions.get_mut(&e.investor).expect("a position").last_block = block;
                    ("rest_refund", row!(at, hex::encode(e.investor), hex::encode(e.to), e.amount))
                }
            };
            return self.push(table, row);
        }
        let ownership = |old: Address, new: Address, done: &str| {
            ("ownership_transfer", row!(at, hex::encode(emitter), hex::encode(old), hex::encode(new), done))
        };
        if emitter != sale {
            let wallet = row!(at, hex::encode(emitter));
            let (table, row) = match TeamWalletEvents::decode_raw_log(topics, data).unwrap() {
                TeamWalletEvents::ERC20Released(e) => {
                    ("allocation_release", row!(wallet, hex::encode(e.token), e.amount))
                }
                TeamWalletEvents::EtherReleased(e) => {
                    ("allocation_release", row!(wallet, hex::encode(Address::ZERO), e.amount))
                }
                TeamWalletEvents::Reclaimed(e) => {
                    ("allocation_reclaim", row!(wallet, hex::encode(e.token), hex::encode(e.to), e.amount))
                }
                TeamWalletEvents::OwnershipTransferStarted(e) => ownership(e.previousOwner, e.newOwner, "f"),
                TeamWalletEvents::OwnershipTransferred(e) => ownership(e.previousOwner, e.newOwner, "t"),
            };
            return self.push(table, row);
        }
        let (table, row) = match FixedPriceSaleEvents::decode_raw_log(topics, data).unwrap() {
            FixedPriceSaleEvents::Contributed(e) => {
                let p = sums.positions.entry(e.investor).or_default();
                p.paid += e.amount;
                p.tokens += e.tokens;
                p.contributions += 1;
                p.last_block = block;
                sums.raised += e.amount;
                sums.sold += e.tokens;
                let figures = row!(e.investor, e.payer, e.phase, e.amount, e.tokens, e.paid, e.raised, e.sold);
                sums.contributions.push(row!(figures, api_place));
                assert_eq!(
                    (p.paid - p.withdrawn, sums.raised, sums.sold),
                    (e.paid, e.raised, e.sold),
                    "running totals at {place}"
                );
                let who = row!(hex::encode(e.investor), hex::encode(e.payer));
                ("contribution", row!(at, who, e.phase, e.amount, e.tokens, e.paid, e.raised, e.sold))
            }
            FixedPriceSaleEvents::ExcessReturned(e) => ("excess_return", row!(at, hex::encode(e.payer), e.amount)),
            FixedPriceSaleEvents::Closed(e) => {
                sums.outcome = e.outcome;
                sums.settled_at = Some(api_place);
                let outcome = if e.outcome == 1 { "succeeded" } else { "failed" };
                ("settlement", row!(at, outcome, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Cancelled(e) => {
                sums.outcome = 3;
                sums.settled_at = Some(api_place);
                ("settlement", row!(at, "cancelled", e.raised, e.sold))
            }
            FixedPriceSaleEvents::Claimed(e) => {
                sums.claimed += e.tokens;
                sums.claims += 1;
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.claimed += e.tokens;
                p.last_block = block;
                ("claim", row!(at, hex::encode(e.investor), hex::encode(e.to), e.tokens))
            }
            FixedPriceSaleEvents::Refunded(e) => {
                sums.refunded += e.amount;
                sums.refunds += 1;
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.refunded += e.amount;
                p.last_block = block;
                ("refund", row!(at, hex::encode(e.investor), hex::encode(e.to), e.amount))
            }
            FixedPriceSaleEvents::UnsoldReturned(e) => {
                sums.unsold_returned += e.tokens;
                ("unsold_return", row!(at, hex::encode(e.to), e.tokens))
            }
            FixedPriceSaleEvents::Withdrawn(e) => {
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.withdrawn += e.amount;
                p.withdrawn_tokens += e.tokens;
                p.last_block = block;
                sums.raised -= e.amount;
                sums.sold -= e.tokens;
                assert_eq!((sums.raised, sums.sold), (e.raised, e.sold), "running totals at {place}");
                let who = row!(hex::encode(e.investor), hex::encode(e.to));
                ("withdrawal", row!(at, who, e.amount, e.tokens, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Rejected(e) => {
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.rejected_tokens += e.tokens;
                p.rejected = true;
                p.last_block = block;
                sums.raised -= e.amount;
                sums.sold -= e.tokens;
                sums.rejected += e.amount;
                assert_eq!((sums.raised, sums.sold), (e.raised, e.sold), "running totals at {place}");
                let who = row!(hex::encode(e.investor), hex::encode(e.by));
                ("rejection", row!(at, who, e.amount, e.tokens, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Settled(e) => {
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.share = Some((e.kept, e.tokens));
                p.last_block = block;
                ("share", row!(at, hex::encode(e.investor), e.kept, e.tokens, e.excess))
            }
            FixedPriceSaleEvents::ExcessRefunded(e) => {
                sums.excess_refunded += e.amount;
                sums.positions.get_mut(&e.investor).expect("a position").last_block = block;
                ("excess_refund", row!(at, hex::encode(e.investor), hex::encode(e.to), e.amount))
            }
            FixedPriceSaleEvents::PauseChanged(e) => ("pause_change", row!(at, if e.paused { "t" } else { "f" })),
            FixedPriceSaleEvents::VoucherSignerChanged(e) => {
                ("voucher_signer_change", row!(at, hex::encode(e.signer), e.epoch))
            }
            FixedPriceSaleEvents::ComplianceChanged(e) => ("compliance_change", row!(at, hex::encode(e.compliance))),
            FixedPriceSaleEvents::OwnershipTransferStarted(e) => ownership(e.previousOwner, e.newOwner, "f"),
            FixedPriceSaleEvents::OwnershipTransferred(e) => ownership(e.previousOwner, e.newOwner, "t"),
            FixedPriceSaleEvents::WhitepaperSuperseded(e) => {
                ("whitepaper", row!(at, e.version, hex::encode(e.hash), e.uri, hex::encode(data)))
            }
            FixedPriceSaleEvents::Swept(e) => {
                sums.swept += e.amount;
                ("sweep", row!(at, e.amount))
            }
        };
        self.push(table, row);
    }

    /// The registry of a restricted token; its transfers are not indexed.
    fn add_token(&mut self, at: &str, topics: &[B256], data: &[u8]) {
        let role = |change: &str, role: B256, account: Address, by: Address| {
            row!(at, change, hex::encode(role), hex::encode(account), hex::encode(by))
        };
        let (table, row) = match RestrictedSaleTokenEvents::decode_raw_log(topics, data).unwrap() {
            RestrictedSaleTokenEvents::HolderSet(e) => {
                ("holder_approval", row!(at, hex::encode(e.holder), e.until, hex::encode(e.by)))
            }
            RestrictedSaleTokenEvents::Admitted(e) => {
                ("holder_approval", row!(at, hex::encode(e.account), "admitted", ""))
            }
            RestrictedSaleTokenEvents::ContractURIUpdated(_) => ("contract_uri_change", at.to_owned()),
            RestrictedSaleTokenEvents::RoleGranted(e) => {
                ("token_role_change", role("granted", e.role, e.account, e.sender))
            }
            RestrictedSaleTokenEvents::RoleRevoked(e) => {
                ("token_role_change", role("revoked", e.role, e.account, e.sender))
            }
            _ => return,
        };
        self.push(table, row);
    }

    fn add_sale(
        &mut self,
        place: &str,
        api_place: String,
        block: u64,
        index: u64,
        data: &[u8],
        e: SaleFactory::SaleCreated,
    ) {
        let (t, d) = (&e.terms, &e.documents);
        let people = row!(
            hex::encode(e.creator),
            hex::encode(e.vault),
            ["fixed_price", "pro_rata", "dutch_auction"][usize::from(e.mode)],
            hex::encode(t.owner)
        );
        let assets = row!(hex::encode(t.beneficiary), hex::encode(e.token), hex::encode(t.currency));
        let closes = t.phases.last().expect("a phase").end;
        let caps = row!(t.opens, closes, t.softCap, t.hardCap, t.minPaid, t.maxPaid, t.tokensForSale);
        let burn = if t.unsold == 1 { "t" } else { "f" };
        let sale_file = row!(d.name, hex::encode(d.saleHash), d.saleURI);
        let whitepaper = row!(hex::encode(d.whitepaperHash), d.whitepaperURI);
        let sale = hex::encode(e.sale);
        let vesting = row!(t.vesting.atOnce, t.vesting.cliff, t.vesting.duration);
        let tap = row!(t.tap.atOnce, t.tap.duration, t.tap.objection);
        let more = row!(hex::encode(t.compliance), hex::encode(t.signer), t.coolingOff, vesting, tap);
        self.push(
            "sale",
            row!(place, sale, people, assets, caps, burn, sale_file, whitepaper, hex::encode(data), more),
        );
        let mut starts = t.opens;
        for (phase, p) in t.phases.iter().enumerate() {
            self.push(
                "sale_phase",
                row!(
                    block,
                    index,
                    phase,
                    sale,
                    starts,
                    p.end,
                    p.raisedUpTo,
                    p.price,
                    ["open", "voucher", "merkle"][usize::from(p.gate)],
                    hex::encode(p.root)
                ),
            );
            starts = p.end;
        }
        let sums = self.sales.entry(e.sale).or_default();
        sums.created = Some(e);
        sums.created_at = Some(api_place);
    }

    fn push(&mut self, table: &'static str, row: String) {
        self.rows.entry(table).or_default().push(row);
    }
}
