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
    TeamWallet::{self, TeamWalletEvents},
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
    /// Unix time of the outcome; zero before.
    pub settled_time: u64,
    pub raised: U256,
    /// As the contract counts: where the outcome allots, zero before it.
    pub sold: U256,
    /// By contributions alone.
    pub allotted_at_once: U256,
    /// What a success kept.
    pub kept: U256,
    /// As the API's half compares them.
    pub contributions: Vec<String>,
    pub refunded: U256,
    pub refunds: u64,
    pub claimed: U256,
    pub claims: u64,
    pub swept: U256,
    pub withdrawn: U256,
    pub withdrawals: u64,
    pub rejections: u64,
    pub objected: U256,
    /// The rest, once investors stopped the vault.
    pub stopped: Option<U256>,
    pub paused: bool,
    pub owner: Address,
    pub pending_owner: Address,
    pub compliance: Address,
    pub signer: Address,
    pub epoch: U256,
    pub whitepapers: Vec<B256>,
    /// Team wallets with owner, amount, released and reclaimed.
    pub wallets: BTreeMap<Address, (Address, U256, U256, U256)>,
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
#[derive(Clone, Debug, Default)]
pub(crate) struct PositionSums {
    pub paid: U256,
    pub tokens: U256,
    pub contributions: u64,
    pub refunded: U256,
    pub claimed: U256,
    pub withdrawn: U256,
    pub withdrawn_tokens: U256,
    pub rejections: u64,
    pub rejected: U256,
    pub rejected_tokens: U256,
    /// Once settled: kept and tokens.
    pub share: Option<(U256, U256)>,
    pub excess: U256,
    pub excess_refunded: U256,
    pub objections: u64,
    pub objected: U256,
    pub rest_refunds: u64,
    pub rest_refunded: U256,
    pub last_block: u64,
}

/// Every event table and the query that writes its rows as [`Expected`] does.
const TABLES: [(&str, &str); 30] = [
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
    ("sale_opening", "concat_ws('|', block_number, log_index, encode(sale, 'hex'), encode(owner, 'hex'))"),
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
        self.add_openings(&mut expected, head).await;
        expected
    }

    /// No log tells when a sale opens: the first block whose time is not before `opens` does.
    async fn add_openings(&self, expected: &mut Expected, head: u64) {
        let mut opened = Vec::new();
        for (sale, sums) in &expected.sales {
            let Some(created) = &sums.created else { continue };
            let opens: u64 = created.terms.opens.to();
            let (mut low, mut high) = (0, head + 1);
            while low < high {
                let middle = low.midpoint(high);
                let time = self.chain.block(middle).await.header.timestamp;
                (low, high) = if time < opens { (middle + 1, high) } else { (low, middle) };
            }
            let number_of = |row: &str, part: usize| row.split('|').nth(part).unwrap().parse::<u64>().unwrap();
            let place = expected.rows["sale"].iter().find(|row| row.contains(&hex::encode(sale))).unwrap();
            let (creation, block) = ((number_of(place, 0), number_of(place, 1)), low.max(number_of(place, 0)));
            if block > head || sums.settled_at.as_ref().is_some_and(|at| number_of(at, 1) < block) {
                continue;
            }
            // The rows' columns: place, sale, contract, the owner before and the one after, and whether it is done.
            let mut transfers = expected.rows.get("ownership_transfer").into_iter().flatten().filter(|row| {
                let parts: Vec<&str> = row.split('|').collect();
                parts[4] == hex::encode(sale) && parts[7] == "t" && number_of(row, 0) < block
            });
            let owner = transfers
                .next_back()
                .map_or_else(|| hex::encode(created.terms.owner), |row| row.split('|').nth(6).unwrap().to_owned());
            opened.push((block, creation, hex::encode(sale), owner));
        }
        opened.sort();
        let mut rows = Vec::new();
        for (block, creation, sale, owner) in &opened {
            let same = opened.iter().filter(|o| o.0 == *block && (o.1.0 == *block) == (creation.0 == *block));
            let (before, all) = (same.clone().filter(|o| o.1 < *creation).count() as i64, same.count() as i64);
            let place = if creation.0 == *block { (1 << 30) + before } else { before - all };
            expected.blocks.insert(*block, self.chain.block(*block).await.header.hash);
            rows.push((*block, place, row!(block, place, sale, owner)));
        }
        rows.sort();
        expected.rows.insert("sale_opening", rows.into_iter().map(|(.., row)| row).collect());
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
                 WHERE table_schema = current_schema() AND column_name = 'log_index' ORDER BY 1",
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
                     claimed, claims, released, withdrawn, withdrawals, rejected, rejections, kept, excess, allotted,
                     excess_refunded, received, objected, rest_refunded) FROM sale_total ORDER BY sale",
            )
            .await;
        let positions = self
            .database
            .texts(
                "SELECT concat_ws('|', encode(sale, 'hex'), encode(investor, 'hex'), paid, tokens, contributions, refunded,
                     claimed, withdrawn, withdrawn_tokens, rejections, rejected, rejected_tokens, shares, kept,
                     share_tokens, excess, excess_refunded, objections, objected, rest_refunds, rest_refunded,
                     last_block) FROM position ORDER BY sale, investor",
            )
            .await;
        let (mut wanted_totals, mut wanted_positions) = (Vec::new(), Vec::new());
        for (sale, s) in &expected.sales {
            let (allotted, excess) = s.allotted_and_excess();
            let more = row!(s.withdrawn, s.withdrawals, s.rejected, s.rejections, s.kept, excess, allotted);
            wanted_totals.push(row!(
                hex::encode(sale),
                s.raised,
                s.allotted_at_once,
                s.contributions.len(),
                s.positions.len(),
                s.refunded,
                s.refunds,
                s.claimed,
                s.claims,
                s.released,
                more,
                s.excess_refunded,
                s.swept,
                s.objected,
                s.rest_refunded
            ));
            for (investor, p) in &s.positions {
                let (kept, share_tokens) = p.share.unwrap_or_default();
                wanted_positions.push(row!(
                    hex::encode(sale),
                    hex::encode(investor),
                    p.paid,
                    p.tokens,
                    p.contributions,
                    p.refunded,
                    p.claimed,
                    row!(p.withdrawn, p.withdrawn_tokens, p.rejections, p.rejected, p.rejected_tokens),
                    row!(u8::from(p.share.is_some()), kept, share_tokens, p.excess, p.excess_refunded),
                    row!(p.objections, p.objected, p.rest_refunds, p.rest_refunded),
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

        let header = self.chain.head().await.header;
        let settled_at = if matches!(sums.outcome, 1 | 2) { sums.settled_time } else { 0 };
        let voucher = sale.voucherSigner().block(block).call().await.unwrap();
        assert_eq!(
            sale.settledAt().block(block).call().await.unwrap(),
            U256::from(settled_at),
            "settledAt of {address}"
        );
        assert_eq!(sale.paused().block(block).call().await.unwrap(), sums.is_paused(), "paused of {address}");
        assert_eq!(sale.owner().block(block).call().await.unwrap(), sums.owner, "owner of {address}");
        assert_eq!(sale.pendingOwner().block(block).call().await.unwrap(), sums.pending_owner, "offer of {address}");
        assert_eq!(sale.compliance().block(block).call().await.unwrap(), sums.compliance, "compliance of {address}");
        assert_eq!((voucher.signer, voucher.epoch), (sums.signer, sums.epoch), "voucher signer of {address}");
        assert_eq!(sale.whitepapers().block(block).call().await.unwrap(), sums.whitepapers, "whitepapers of {address}");

        // Everybody who could have invested, in this branch or in another that is gone.
        let mut investors: Vec<Address> = self.chain.accounts().to_vec();
        investors.extend(sums.positions.keys());
        let mut states = Vec::new();
        for investor in investors {
            let position = sale.positionOf(investor).block(block).call().await.unwrap();
            let Some(p) = sums.positions.get(&investor) else {
                let found = (position.paid, position.tokens);
                assert_eq!(found, (U256::ZERO, U256::ZERO), "position of {investor} in {address}: contract (left)");
                continue;
            };
            let views = self.views(address, created.vault, investor, head).await.views;
            let wanted = sums.views(p, header.timestamp);
            assert_eq!(views, wanted, "{investor} in {address}: contracts (left), logs (right)");
            states.push(row!(hex::encode(investor), views.paid, views.tokens));
        }
        states.sort();
        states.dedup();
        let stored = self
            .database
            .texts(&format!(
                "SELECT concat_ws('|', encode(investor, 'hex'), paid, tokens) FROM position_state
                 WHERE sale = '\\x{}' ORDER BY investor",
                hex::encode(address)
            ))
            .await;
        assert_eq!(stored, states, "position_state of {address}: database (left), contract (right)");

        let vault = RefundVault::new(created.vault, provider);
        let account = vault.account().block(block).call().await.unwrap();
        assert_eq!((account.received, account.released), (sums.swept, sums.released), "the vault of {address}");
        let objections = vault.objections().block(block).call().await.unwrap();
        let objection = U256::from(created.terms.tap.objection);
        assert_eq!(
            (objections.objected, objections.needed, objections.stopped),
            (sums.objected, sums.swept * objection / U256::from(10_000), sums.stopped.is_some()),
            "objections of {address}: contract (left), logs (right)"
        );
        self.compare_overview(address, sums, objections.needed).await;
        for (wallet, (owner, amount, released, reclaimed)) in &sums.wallets {
            let contract = TeamWallet::new(*wallet, provider);
            assert_eq!(contract.owner().block(block).call().await.unwrap(), *owner, "owner of {wallet}");
            let paid: U256 = contract.released_1(created.token).block(block).call().await.unwrap();
            assert_eq!(paid, *released, "released of {wallet}");
            let held = self.money(created.token, *wallet, block).await;
            assert_eq!(held, *amount - *released - *reclaimed, "tokens in {wallet}");
        }

        let token = SaleToken::new(created.token, provider);
        let tokens = token.balanceOf(address).block(block).call().await.unwrap();
        let for_sale: U256 = created.terms.tokensForSale.to();
        assert_eq!(tokens, for_sale - sums.claimed - sums.unsold_returned, "tokens in {address}");

        let (allotted, excess) = sums.allotted_and_excess();
        if sums.outcome == 1 {
            assert!(tokens >= allotted - sums.claimed, "tokens of {address} are short of what investors have coming");
            assert!(sums.kept + excess <= sums.raised, "{address} promises more than it has");
        }
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

    /// What dashboards and the API read of a sale: roles of now, and money where it must be.
    async fn compare_overview(&self, address: Address, sums: &SaleSums, needed: U256) {
        let stored = self
            .database
            .texts(&format!(
                "SELECT concat_ws('|', raised, sold, paused, encode(owner, 'hex'), coalesce(encode(pending_owner, 'hex'), ''),
                     encode(compliance, 'hex'), encode(voucher_signer, 'hex'), voucher_epoch, kept, held, unswept, dust,
                     in_vault, unclaimed, coalesce(tap_rest::text, ''), div(received * tap_objection, 10000),
                     coalesce(settled_at, 0)) FROM sale_overview WHERE address = '\\x{}'",
                hex::encode(address)
            ))
            .await;
        let offered = if sums.pending_owner.is_zero() { String::new() } else { hex::encode(sums.pending_owner) };
        let roles = row!(hex::encode(sums.owner), offered, hex::encode(sums.compliance), hex::encode(sums.signer));
        let (_, excess) = sums.allotted_and_excess();
        let (unswept, dust) = match sums.outcome {
            1 => (sums.kept - sums.swept, sums.raised - sums.kept - excess),
            _ => (U256::ZERO, U256::ZERO),
        };
        let paused = if sums.is_paused() { "t" } else { "f" };
        let in_vault = sums.swept - sums.released - sums.rest_refunded;
        let rest = sums.stopped.map_or_else(String::new, |r| r.to_string());
        let wanted = row!(
            row!(sums.raised, sums.sold, paused, roles, sums.epoch, sums.kept, sums.held(), unswept, dust),
            row!(in_vault, sums.unclaimed(), rest, needed, sums.settled_time)
        );
        assert_eq!(stored, [wanted], "sale_overview of {address}: database (left), chain (right)");
    }

    /// What `holder` has of a currency; the zero address is ether.
    pub async fn money(&self, currency: Address, holder: Address, block: BlockId) -> U256 {
        if currency.is_zero() {
            return self.chain.provider.get_balance(holder).block_id(block).await.unwrap();
        }
        SaleToken::new(currency, &self.chain.provider).balanceOf(holder).block(block).call().await.unwrap()
    }
}

impl SaleSums {
    /// A pause ends with the outcome.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused && self.outcome == 0
    }

    /// What a success gives all investors together, each share rounded down by itself.
    pub(crate) fn allotted_and_excess(&self) -> (U256, U256) {
        let shares = self.positions.values().map(|p| self.share(p));
        shares.fold((U256::ZERO, U256::ZERO), |(allotted, sum), (_, tokens, excess)| (allotted + tokens, sum + excess))
    }

    /// Money that the sale must hold for investors.
    pub(crate) fn held(&self) -> U256 {
        let (_, excess) = self.allotted_and_excess();
        let theirs = if self.outcome == 1 { excess - self.excess_refunded } else { self.raised };
        theirs + self.rejected - self.refunded
    }

    /// Tokens that the sale must hold for investors.
    pub(crate) fn unclaimed(&self) -> U256 {
        match self.outcome {
            0 => self.sold,
            1 => self.allotted_and_excess().0 - self.claimed,
            _ => U256::ZERO,
        }
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
                    let row = row!(place, who, a.amount, a.cliff, a.duration);
                    let wallet = (a.beneficiary, a.amount.to(), U256::ZERO, U256::ZERO);
                    self.sales.entry(e.sale).or_default().wallets.insert(e.wallet, wallet);
                    self.push("allocation", row);
                }
            }
            return;
        }
        if sale.is_zero() {
            return self.add_token(&row!(place, hex::encode(emitter)), topics, data);
        }
        let vault = self.sales.get(&sale).and_then(|s| s.created.as_ref()).map(|e| e.vault);
        let token = self.sales.get(&sale).and_then(|s| s.created.as_ref()).map(|e| e.token);
        let sums = self.sales.entry(sale).or_default();
        if Some(emitter) == vault {
            let (table, row) = match RefundVaultEvents::decode_raw_log(topics, data).unwrap() {
                RefundVaultEvents::Released(e) => {
                    sums.released += e.amount;
                    assert_eq!(sums.released, e.released, "the running total of what was released");
                    ("release", row!(at, hex::encode(e.beneficiary), hex::encode(e.to), e.amount, e.released))
                }
                RefundVaultEvents::Objected(e) => {
                    let p = sums.positions.get_mut(&e.investor).expect("a position");
                    p.last_block = block;
                    p.objections += 1;
                    p.objected += e.weight;
                    sums.objected += e.weight;
                    assert_eq!(sums.objected, e.objected, "the running weight of objections");
                    ("objection", row!(at, hex::encode(e.investor), e.weight, e.objected))
                }
                RefundVaultEvents::TapStopped(e) => {
                    sums.stopped = Some(e.rest);
                    ("tap_stop", row!(at, e.rest, e.objected))
                }
                RefundVaultEvents::RestRefunded(e) => {
                    sums.rest_refunded += e.amount;
                    let p = sums.positions.get_mut(&e.investor).expect("a position");
                    p.last_block = block;
                    p.rest_refunds += 1;
                    p.rest_refunded += e.amount;
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
                    if Some(e.token) == token {
                        sums.wallets.get_mut(&emitter).expect("a wallet").2 += e.amount;
                    }
                    ("allocation_release", row!(wallet, hex::encode(e.token), e.amount))
                }
                TeamWalletEvents::EtherReleased(e) => {
                    ("allocation_release", row!(wallet, hex::encode(Address::ZERO), e.amount))
                }
                TeamWalletEvents::Reclaimed(e) => {
                    if Some(e.token) == token {
                        sums.wallets.get_mut(&emitter).expect("a wallet").3 += e.amount;
                    }
                    ("allocation_reclaim", row!(wallet, hex::encode(e.token), hex::encode(e.to), e.amount))
                }
                TeamWalletEvents::OwnershipTransferStarted(e) => ownership(e.previousOwner, e.newOwner, "f"),
                TeamWalletEvents::OwnershipTransferred(e) => {
                    sums.wallets.get_mut(&emitter).expect("a wallet").0 = e.newOwner;
                    ownership(e.previousOwner, e.newOwner, "t")
                }
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
                sums.allotted_at_once += e.tokens;
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
                sums.settled_time = log.block_timestamp.expect("a log's time");
                sums.sold = e.sold;
                if e.outcome == 1 {
                    let cap: U256 = sums.created.as_ref().expect("the sale's creation").terms.hardCap.to();
                    sums.kept = sums.raised.min(cap);
                }
                let kept = if e.outcome == 1 { sums.kept } else { sums.raised };
                assert_eq!(e.raised, kept, "what the outcome says was raised");
                let outcome = if e.outcome == 1 { "succeeded" } else { "failed" };
                ("settlement", row!(at, outcome, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Cancelled(e) => {
                sums.outcome = 3;
                sums.settled_at = Some(api_place);
                sums.settled_time = log.block_timestamp.expect("a log's time");
                assert_eq!((e.raised, e.sold), (sums.raised, sums.sold), "what the outcome says was raised");
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
                sums.allotted_at_once -= e.tokens;
                sums.withdrawn += e.amount;
                sums.withdrawals += 1;
                assert_eq!((sums.raised, sums.sold), (e.raised, e.sold), "running totals at {place}");
                let who = row!(hex::encode(e.investor), hex::encode(e.to));
                ("withdrawal", row!(at, who, e.amount, e.tokens, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Rejected(e) => {
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.rejected_tokens += e.tokens;
                p.rejections += 1;
                p.rejected += e.amount;
                p.last_block = block;
                sums.raised -= e.amount;
                sums.sold -= e.tokens;
                sums.allotted_at_once -= e.tokens;
                sums.rejected += e.amount;
                sums.rejections += 1;
                assert_eq!((sums.raised, sums.sold), (e.raised, e.sold), "running totals at {place}");
                let who = row!(hex::encode(e.investor), hex::encode(e.by));
                ("rejection", row!(at, who, e.amount, e.tokens, e.raised, e.sold))
            }
            FixedPriceSaleEvents::Settled(e) => {
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.share = Some((e.kept, e.tokens));
                p.excess += e.excess;
                let p = sums.positions[&e.investor].clone();
                assert_eq!(sums.share(&p), (e.kept, e.tokens, e.excess), "the share at {place}");
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.last_block = block;
                ("share", row!(at, hex::encode(e.investor), e.kept, e.tokens, e.excess))
            }
            FixedPriceSaleEvents::ExcessRefunded(e) => {
                sums.excess_refunded += e.amount;
                let p = sums.positions.get_mut(&e.investor).expect("a position");
                p.last_block = block;
                p.excess_refunded += e.amount;
                ("excess_refund", row!(at, hex::encode(e.investor), hex::encode(e.to), e.amount))
            }
            FixedPriceSaleEvents::PauseChanged(e) => {
                sums.paused = e.paused;
                ("pause_change", row!(at, if e.paused { "t" } else { "f" }))
            }
            FixedPriceSaleEvents::VoucherSignerChanged(e) => {
                (sums.signer, sums.epoch) = (e.signer, e.epoch);
                ("voucher_signer_change", row!(at, hex::encode(e.signer), e.epoch))
            }
            FixedPriceSaleEvents::ComplianceChanged(e) => {
                sums.compliance = e.compliance;
                ("compliance_change", row!(at, hex::encode(e.compliance)))
            }
            FixedPriceSaleEvents::OwnershipTransferStarted(e) => {
                sums.pending_owner = e.newOwner;
                ownership(e.previousOwner, e.newOwner, "f")
            }
            FixedPriceSaleEvents::OwnershipTransferred(e) => {
                (sums.owner, sums.pending_owner) = (e.newOwner, Address::ZERO);
                ownership(e.previousOwner, e.newOwner, "t")
            }
            FixedPriceSaleEvents::WhitepaperSuperseded(e) => {
                sums.whitepapers.push(e.hash);
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
        (sums.owner, sums.compliance, sums.signer) = (t.owner, t.compliance, t.signer);
        sums.created = Some(e);
        sums.created_at = Some(api_place);
    }

    fn push(&mut self, table: &'static str, row: String) {
        self.rows.entry(table).or_default().push(row);
    }
}
