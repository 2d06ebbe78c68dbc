//! Orders on a real chain: one spend, whatever dies and whenever; and followed through everything that can happen to a transaction.

use std::collections::BTreeSet;

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559},
    eips::eip2718::Encodable2718 as _,
    hex,
    primitives::{Address, B256, TxKind, U256},
    providers::{Provider, ext::AnvilApi},
    rpc::types::{TransactionRequest, anvil::MineOptions},
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use crowdsale::{access::Scope, config::DEV_ACCOUNTS};
use e2e::{Call, Desk, DeskFlags, Draft, Fate, Gate, Indexer, Proxy, Sale, World, api_key, ether, history, until};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

/// A desk that takes orders for one sale, and all that it needs.
pub struct Shop {
    pub world: World,
    pub sale: Sale,
    pub gate: Gate,
    pub flags: DeskFlags,
    _indexer: Indexer,
}

/// The account that the desk sends from.
pub const SIGNER: usize = 9;

impl Shop {
    pub async fn open() -> Self {
        Self::on(World::new(2).await, |_| {}).await
    }

    pub async fn on(world: World, change: impl FnOnce(&mut Draft)) -> Self {
        let mut draft = world.draft().await;
        change(&mut draft);
        let sale = world.create(&draft).await;
        let indexer = world.index();
        mine(&world, 1).await;
        until("the sale is indexed", async || {
            let sales = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM crowdsale.sale");
            (sales.fetch_one(&world.database.pool).await.ok()? == 1).then_some(())
        })
        .await;
        let gate = Gate::start(&world.chain.url).await;
        let flags = DeskFlags {
            database_url: world.database.url.clone(),
            rpc_url: gate.url.clone(),
            signer: DEV_ACCOUNTS[SIGNER],
            secret: api_key(&world.database, &[Scope::OrdersWrite, Scope::VouchersWrite]).await,
            more: Vec::new(),
        };
        Self { world, sale, gate, flags, _indexer: indexer }
    }

    pub async fn start(&self) -> Desk {
        Desk::start(&self.flags).await
    }

    /// An order for an investor.
    pub fn body(&self, investor: usize, amount: U256) -> Value {
        json!({"chain": 31_337, "sale": self.sale.address, "investor": self.world.investor(investor).to_string(),
               "amount": amount.to_string(), "customer_reference": format!("customer {investor}")})
    }

    pub fn signer(&self) -> Address {
        self.world.chain.account(SIGNER)
    }

    /// Nonces of the signer in blocks.
    async fn nonce(&self) -> u64 {
        self.world.chain.provider.get_transaction_count(self.signer()).await.unwrap()
    }

    /// Those in the pool too.
    async fn pending_nonce(&self) -> u64 {
        self.world.chain.provider.get_transaction_count(self.signer()).pending().await.unwrap()
    }

    async fn orders(&self) -> i64 {
        self.world.database.number("SELECT count(*) FROM crowdsale_service.sale_order").await
    }

    /// What an investor has contributed, one contribution after the other.
    pub async fn contributed(&self, investor: usize) -> Vec<U256> {
        let query =
            "SELECT amount::text FROM crowdsale.contribution WHERE investor = $1 ORDER BY block_number, log_index";
        let rows: Vec<String> = sqlx::query_scalar(query)
            .bind(self.world.investor(investor).to_vec())
            .fetch_all(&self.world.database.pool)
            .await
            .unwrap();
        rows.iter().map(|amount| amount.parse().unwrap()).collect()
    }

    /// An order that a node has is mined until it is final. It is one spend: one contribution, to the wei.
    pub async fn settles(&self, desk: &Desk, id: &str, investor: usize, amount: U256) -> Value {
        desk.reaches(id, "pending").await;
        mine(&self.world, 1).await;
        desk.reaches(id, "included").await;
        self.becomes_final(desk, id, investor, amount).await
    }

    async fn becomes_final(&self, desk: &Desk, id: &str, investor: usize, amount: U256) -> Value {
        mine(&self.world, 6).await;
        let order = desk.reaches(id, "final").await;
        assert_eq!((&order["settled"], &order["block"]["finality"]), (&json!(true), &json!("finalized")));
        let order = until("what it contributed is indexed", async || {
            let order = desk.order(id).await;
            (order["contributions"].as_array()?.len() == 1).then_some(order)
        })
        .await;
        assert_eq!(order["contributions"][0]["amount"]["raw"], amount.to_string());
        assert_eq!(self.contributed(investor).await, [amount]);
        order
    }
}

/// Blocks with whatever is in the pool.
pub async fn mine(world: &World, blocks: u64) {
    for _ in 0..blocks {
        let time = world.chain.now().await + 12;
        let options = MineOptions::Options { timestamp: Some(time), blocks: Some(1) };
        world.chain.provider.evm_mine(Some(options)).await.unwrap();
    }
}

pub fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

fn hash_of(transaction: &Value) -> B256 {
    transaction["hash"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_order_is_one_spend_wherever_the_service_is_killed() {
    let mut shop = Shop::open().await;
    let amount = |step: u64| ether("0.5") + U256::from(step);
    let start = shop.nonce().await;

    // While the node is asked: nothing is written, and the same key does it.
    let desk = shop.start().await;
    let body = shop.body(0, amount(0));
    let before = shop.gate.set("eth_call", Fate::Held);
    let asked = tokio::spawn(desk.post("/v1/orders", "step 0", &body));
    shop.gate.met(before).await;
    assert_eq!(shop.orders().await, 0);
    desk.kill();
    assert!(asked.await.unwrap().is_err());
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "step 0", &body).await;
    assert_eq!(order["state"], "accepted");
    shop.settles(&desk, id(&order), 0, amount(0)).await;
    desk.kill();

    // It is written, and nobody hears of it: the same key is told of it.
    let proxy = Proxy::start(&shop.world.database).await;
    let direct = std::mem::replace(&mut shop.flags.database_url, proxy.options.to_url_lossy().to_string());
    let desk = shop.start().await;
    let body = shop.body(1, amount(1));
    shop.gate.set("eth_sendRawTransaction", Fate::Held);
    // Others commit too.
    proxy.lose_commit_of("INSERT INTO crowdsale_service.sale_order");
    assert_eq!(desk.refused("/v1/orders", "step 1", &body).await.0, 503);
    assert_eq!((proxy.lost(), shop.orders().await), (1, 2));
    desk.kill();
    shop.flags.database_url = direct;
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    let (status, answer, replayed) = desk.post("/v1/orders", "step 1", &body).await.unwrap();
    assert_eq!((status, replayed, shop.orders().await), (201, true, 2));
    shop.settles(&desk, id(&answer["data"]), 1, amount(1)).await;

    // It is written, and not sent.
    let body = shop.body(2, amount(2));
    let before = shop.gate.set("eth_sendRawTransaction", Fate::Held);
    let order = desk.take("/v1/orders", "step 2", &body).await;
    shop.gate.met(before).await;
    desk.kill();
    assert_eq!(shop.pending_nonce().await, start + 2, "the node has heard of nothing");
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    assert_eq!(desk.take("/v1/orders", "step 2", &body).await["id"], order["id"]);
    shop.settles(&desk, id(&order), 2, amount(2)).await;

    // It is sent, and that is not written.
    let body = shop.body(3, amount(3));
    let before = shop.gate.set("eth_sendRawTransaction", Fate::AnswerHeld);
    let order = desk.take("/v1/orders", "step 3", &body).await;
    shop.gate.met(before).await;
    desk.kill();
    assert_eq!(shop.pending_nonce().await, start + 4, "the node has it");
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    assert_eq!(desk.take("/v1/orders", "step 3", &body).await["id"], order["id"]);
    shop.settles(&desk, id(&order), 3, amount(3)).await;

    // It is in the pool, and becomes included and final while nobody looks.
    let body = shop.body(4, amount(4));
    let order = desk.take("/v1/orders", "step 4", &body).await;
    desk.reaches(id(&order), "pending").await;
    desk.kill();
    mine(&shop.world, 8).await;
    let desk = shop.start().await;
    assert_eq!(desk.take("/v1/orders", "step 4", &body).await["id"], order["id"]);
    let order = shop.becomes_final(&desk, id(&order), 4, amount(4)).await;
    assert_eq!(history(&order), ["accepted", "pending", "included", "final"]);

    // It is included, and not final.
    let body = shop.body(5, amount(5));
    let order = desk.take("/v1/orders", "step 5", &body).await;
    desk.reaches(id(&order), "pending").await;
    mine(&shop.world, 1).await;
    desk.reaches(id(&order), "included").await;
    desk.kill();
    let desk = shop.start().await;
    assert_eq!(desk.take("/v1/orders", "step 5", &body).await["id"], order["id"]);
    shop.becomes_final(&desk, id(&order), 5, amount(5)).await;

    // A second transaction of it is written, and not sent.
    let body = shop.body(6, amount(6));
    let order = desk.take("/v1/orders", "step 6", &body).await;
    desk.reaches(id(&order), "pending").await;
    let before = shop.gate.set("eth_sendRawTransaction", Fate::Held);
    let path = format!("/v1/orders/{}/speed-up", id(&order));
    let faster = desk.take(&path, "faster", &json!({})).await;
    shop.gate.met(before).await;
    desk.kill();
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    assert_eq!(desk.take(&path, "faster", &json!({})).await["transactions"], faster["transactions"]);
    let newest = hash_of(&faster["transactions"][1]);
    until("the node has the faster one", async || {
        shop.world.chain.provider.get_transaction_by_hash(newest).await.unwrap()
    })
    .await;
    let order = shop.settles(&desk, id(&order), 6, amount(6)).await;
    assert_eq!(order["transaction_hash"], newest.to_string());
    assert_eq!(history(&order), ["accepted", "pending", "speeding_up", "replaced", "included", "final"]);

    // The one that cancels it is written, and not sent.
    let body = shop.body(7, amount(7));
    let order = desk.take("/v1/orders", "step 7", &body).await;
    desk.reaches(id(&order), "pending").await;
    let before = shop.gate.set("eth_sendRawTransaction", Fate::Held);
    let path = format!("/v1/orders/{}/cancel", id(&order));
    let cancelling = desk.take(&path, "cancel", &json!({})).await;
    assert_eq!(cancelling["cancelling"], true);
    shop.gate.met(before).await;
    desk.kill();
    shop.gate.set("", Fate::Passes);
    let desk = shop.start().await;
    let cancel = hash_of(&cancelling["transactions"][1]);
    until("the node has the one that cancels", async || {
        shop.world.chain.provider.get_transaction_by_hash(cancel).await.unwrap()
    })
    .await;
    mine(&shop.world, 1).await;
    let order = desk.reaches(id(&order), "cancelled").await;
    assert_eq!(order["contributions"], json!([]));
    mine(&shop.world, 6).await;
    until("nothing about it changes any more", async || {
        (desk.order(id(&order)).await["settled"] == true).then_some(())
    })
    .await;
    assert!(shop.contributed(7).await.is_empty());

    assert_eq!((shop.nonce().await, shop.pending_nonce().await), (start + 8, start + 8), "eight orders, eight nonces");
    assert_eq!(shop.orders().await, 8);
}

#[tokio::test]
async fn two_hundred_at_once_are_one_order_and_orders_at_once_have_nonces_in_a_row() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let start = shop.nonce().await;
    let body = shop.body(0, ether("1"));
    let all = (0..200).map(|_| desk.post("/v1/orders", "8e03978e-40d5-43e8-bc93-6894a57f9324", &body));
    let mut made = BTreeSet::new();
    let (mut first, mut again) = (0, 0);
    for answer in futures::future::join_all(all).await {
        let (status, answer, replayed) = answer.unwrap();
        match status {
            201 => {
                first += u32::from(!replayed);
                again += u32::from(replayed);
                made.insert(id(&answer["data"]).to_owned());
            }
            // Nobody is turned away for want of a connection: who waits for the node and who waits for a turn hold none of most.
            status => {
                assert_eq!((status, &answer["code"]), (409, &json!("idempotency_in_flight")), "{answer}");
                again += 1;
            }
        }
    }
    assert_eq!((first, again, made.len(), shop.orders().await), (1, 199, 1, 1));

    // Five others, each with a key of its own.
    let bodies: Vec<_> = (1..6).map(|i| (format!("key {i}"), shop.body(i, ether("1")))).collect();
    let all = bodies.iter().map(|(key, body)| desk.take("/v1/orders", key, body));
    let orders = futures::future::join_all(all).await;
    let nonces: BTreeSet<_> = orders.iter().map(|o| o["nonce"].as_u64().unwrap()).collect();
    assert_eq!(nonces, (start + 1..start + 6).collect());
    for order in &orders {
        desk.reaches(id(order), "pending").await;
    }
    mine(&shop.world, 1).await;
    for order in &orders {
        desk.reaches(id(order), "included").await;
    }
    assert_eq!(shop.nonce().await, start + 6);

    // By reference, by state, and page by page.
    let found = desk.get("/v1/orders?customer_reference=customer%203").await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["customer_reference"], "customer 3");
    assert_eq!(desk.get("/v1/orders?state=dropped").await["data"], json!([]));
    let page = desk.get("/v1/orders?limit=4").await;
    let rest = desk.get(&format!("/v1/orders?limit=4&after={}", page["next_after"].as_str().unwrap())).await;
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_after"]), (2, &Value::Null));
    let sealed = "SELECT encode(customer_reference_sealed, 'escape') FROM crowdsale_service.sale_order";
    let texts = shop.world.database.texts(sealed).await;
    assert!(texts.len() == 6 && texts.iter().all(|sealed| !sealed.contains("customer")));
}

#[tokio::test]
async fn a_reorg_takes_an_order_back_and_it_is_included_again() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    let id = id(&order);
    desk.reaches(id, "pending").await;
    mine(&shop.world, 1).await;
    let was = desk.reaches(id, "included").await;
    shop.world.chain.rollback(1).await;
    mine(&shop.world, 2).await;
    desk.reaches(id, "pending").await;
    let order = shop.settles(&desk, id, 0, ether("1")).await;
    assert_eq!(history(&order), ["accepted", "pending", "included", "reorged", "pending", "included", "final"]);
    assert_ne!(was["block"]["hash"], order["block"]["hash"]);
    assert_eq!(was["transaction_hash"], order["transaction_hash"], "the same bytes");
}

#[tokio::test]
async fn what_no_node_takes_is_dropped_and_sent_again_and_given_up_in_the_end() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-patience".to_owned(), "20".to_owned()];
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let start = shop.nonce().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    let first = id(&order);
    desk.reaches(first, "pending").await;

    // The node forgets it: it has it again by itself.
    let hash = hash_of(&order["transactions"][0]);
    provider.anvil_drop_transaction(hash).await.unwrap();
    until("it is sent again", async || provider.get_transaction_by_hash(hash).await.unwrap()).await;

    // The account is empty, so that no node takes it.
    let drain = async |wei: U256| {
        provider.anvil_set_balance(shop.signer(), wei).await.unwrap();
        provider.anvil_drop_transaction(hash).await.unwrap();
        until("the node says why", async || {
            let order = desk.order(first).await;
            order["text"].as_str()?.to_lowercase().contains("insufficient funds").then_some(())
        })
        .await;
    };
    drain(U256::ZERO).await;
    mine(&shop.world, 5).await;
    let dropped = desk.reaches(first, "dropped").await;
    assert_eq!(dropped["settled"], false);
    provider.anvil_set_balance(shop.signer(), ether("10")).await.unwrap();
    desk.reaches(first, "pending").await;

    // It pays for the gas of a transfer alone: after its patience the service frees the nonce with that.
    drain(ether("0.1")).await;
    mine(&shop.world, 20).await;
    until("it is being cancelled", async || (desk.order(first).await["cancelling"] == true).then_some(())).await;
    desk.reaches(first, "pending").await;
    mine(&shop.world, 1).await;
    let order = desk.reaches(first, "cancelled").await;
    let purposes: Vec<_> = order["transactions"].as_array().unwrap().iter().map(|t| &t["purpose"]).collect();
    assert_eq!((purposes[0], *purposes.last().unwrap()), (&json!("original"), &json!("cancel")));
    assert_eq!(shop.nonce().await, start + 1);
    assert!(shop.contributed(0).await.is_empty());
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'order.given_up'";
    assert_eq!(shop.world.database.number(noted).await, 1);

    // Those behind it go on.
    provider.anvil_set_balance(shop.signer(), ether("10")).await.unwrap();
    let order = desk.take("/v1/orders", "two", &shop.body(1, ether("1"))).await;
    shop.settles(&desk, id(&order), 1, ether("1")).await;
}

#[tokio::test]
async fn an_order_that_pays_too_little_is_signed_again_for_more() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&order), "pending").await;
    // Blocks ask for more than it pays, until it was passed over by five of them.
    let dear = async || {
        let provider = &shop.world.chain.provider;
        provider.anvil_set_next_block_base_fee_per_gas(100_000_000_000).await.unwrap();
        mine(&shop.world, 1).await;
    };
    for _ in 0..5 {
        dear().await;
    }
    let faster = until("it is signed again", async || {
        let order = desk.order(id(&order)).await;
        (order["transactions"].as_array()?.len() == 2).then_some(order)
    })
    .await;
    assert_eq!((&faster["state"], &faster["transactions"][1]["purpose"]), (&json!("pending"), &json!("speed_up")));
    let newest = hash_of(&faster["transactions"][1]);
    until("the node has it", async || shop.world.chain.provider.get_transaction_by_hash(newest).await.unwrap()).await;
    // What the caller will not pay beyond is below what the next block asks for.
    let mut capped = shop.body(1, ether("1"));
    capped["max_fee_per_gas"] = json!("1000");
    let (status, code, detail) = desk.refused("/v1/orders", "capped", &capped).await;
    assert_eq!((status, code.as_str()), (422, "invalid_body"), "{detail}");
    assert!(detail.contains("max_fee_per_gas is 1000 wei, and has to be"), "{detail}");
    dear().await;
    let order = desk.reaches(id(&order), "included").await;
    assert_eq!(order["transaction_hash"], newest.to_string());
    let order = shop.becomes_final(&desk, id(&order), 0, ether("1")).await;
    assert_eq!(history(&order), ["accepted", "pending", "speeding_up", "replaced", "included", "final"]);
}

#[tokio::test]
async fn a_nonce_that_was_used_elsewhere_and_dropped_there_holds_nobody_up() {
    let shop = Shop::open().await;
    let provider = &shop.world.chain.provider;
    let outside = TransactionRequest {
        from: Some(shop.signer()),
        to: Some(TxKind::Call(shop.signer())),
        gas_price: Some(0),
        gas: Some(21_000),
        ..TransactionRequest::default()
    };
    let outside: B256 = provider.client().request("eth_sendTransaction", (outside,)).await.unwrap();
    let start = shop.nonce().await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    assert_eq!(order["nonce"], start + 1, "after what waits in the pool");
    provider.anvil_drop_transaction(outside).await.unwrap();
    mine(&shop.world, 1).await;
    until("the gap is seen", async || {
        let query = "SELECT count(*) FROM crowdsale_service.order_signer WHERE gap_since IS NOT NULL";
        (shop.world.database.number(query).await == 1).then_some(())
    })
    .await;
    mine(&shop.world, 5).await;
    until("it is filled, and the order can go", async || (shop.pending_nonce().await == start + 2).then_some(())).await;
    shop.settles(&desk, id(&order), 0, ether("1")).await;
    assert_eq!(shop.nonce().await, start + 2);
}

/// A transaction that a customer signs.
fn signed(key: B256, transaction: TxEip1559) -> (String, B256) {
    let key = PrivateKeySigner::from_bytes(&key).unwrap();
    let signature = key.sign_hash_sync(&transaction.signature_hash()).unwrap();
    let signed = transaction.into_signed(signature);
    (hex::encode_prefixed(signed.encoded_2718()), *signed.hash())
}

#[tokio::test]
async fn a_transaction_that_came_signed_is_sent_and_its_senders_other_one_is_found() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    // Account 3 is investor 0.
    let (key, customer) = (DEV_ACCOUNTS[3], shop.world.investor(0));
    let nonce = provider.get_transaction_count(customer).await.unwrap();
    let transfer = |nonce: u64, value: U256, fee: u128| TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: fee,
        to: TxKind::Call(shop.sale.address),
        value,
        ..TxEip1559::default()
    };
    let body = |raw: &str| json!({"chain": 31_337, "raw_transaction": raw});
    let (raw, hash) = signed(key, transfer(nonce, ether("1"), 1_000));
    let order = desk.take("/v1/orders", "one", &body(&raw)).await;
    assert_eq!((&order["by_operator"], &order["payer"]), (&json!(false), &json!(customer.to_string())));
    assert_eq!(order["transaction_hash"], hash.to_string());
    let (status, code, detail) = desk.refused("/v1/orders", "another key", &body(&raw)).await;
    assert_eq!((status, code.as_str()), (409, "order_exists"));
    assert!(detail.contains(id(&order)), "{detail}");
    shop.settles(&desk, id(&order), 0, ether("1")).await;

    let refused = async |key_text: &str, transaction: TxEip1559| {
        desk.refused("/v1/orders", key_text, &body(&signed(key, transaction).0)).await
    };
    let (status, code, detail) = refused("used", transfer(nonce, ether("2"), 9)).await;
    assert_eq!((status, code.as_str()), (409, "nonce_unusable"), "{detail}");
    let (status, code, detail) = refused("ahead", transfer(nonce + 2, ether("2"), 9)).await;
    assert_eq!((status, code.as_str()), (409, "nonce_unusable"), "{detail}");
    assert!(detail.contains(&format!("the next is {}", nonce + 1)), "{detail}");
    let (status, code, detail) = refused("poor", transfer(nonce + 1, ether("20000"), 9)).await;
    assert_eq!((status, code.as_str()), (409, "insufficient_funds"), "{detail}");
    let (status, code, detail) = refused("much", transfer(nonce + 1, ether("60"), 9)).await;
    assert_eq!((status, code.as_str()), (422, "order_refused"), "{detail}");
    assert!(detail.contains("above the maximum of 50 ETH: contribute less"), "{detail}");
    let elsewhere = TxEip1559 { to: TxKind::Call(customer), ..transfer(nonce + 1, ether("1"), 9) };
    assert_eq!(refused("elsewhere", elsewhere).await.1, "sale_not_found");
    assert_eq!(shop.orders().await, 1);

    // The customer sends the same for more, past this service.
    let (raw, _) = signed(key, transfer(nonce + 1, ether("0.25"), 1_000));
    let order = desk.take("/v1/orders", "two", &body(&raw)).await;
    desk.reaches(id(&order), "pending").await;
    let (faster, hash) = signed(key, transfer(nonce + 1, ether("0.25"), 2_000));
    let _: B256 = provider.client().request("eth_sendRawTransaction", (faster,)).await.unwrap();
    mine(&shop.world, 1).await;
    let order = desk.reaches(id(&order), "included").await;
    assert_eq!(order["transaction_hash"], hash.to_string());
    let history_of: Vec<_> = history(&order).into_iter().filter(|state| *state != "dropped").collect();
    assert_eq!(history_of, ["accepted", "pending", "replaced", "included"]);

    // And something else in its place.
    let (raw, _) = signed(key, transfer(nonce + 2, ether("0.25"), 1_000));
    let order = desk.take("/v1/orders", "three", &body(&raw)).await;
    desk.reaches(id(&order), "pending").await;
    let other = TxEip1559 { to: TxKind::Call(customer), ..transfer(nonce + 2, U256::ONE, 2_000) };
    let (other, hash) = signed(key, other);
    let _: B256 = provider.client().request("eth_sendRawTransaction", (other,)).await.unwrap();
    mine(&shop.world, 1).await;
    let order = desk.reaches(id(&order), "replaced").await;
    assert_eq!((&order["transaction_hash"], &order["contributions"]), (&json!(hash.to_string()), &json!([])));
    let (status, code, _) = desk.refused(&format!("/v1/orders/{}/cancel", id(&order)), "no", &json!({})).await;
    assert_eq!((status, code.as_str()), (409, "order_not_open"));
}

/// A chain that goes back far below the block in which an order was accepted: what took its nonce stands below every block that the order has
/// seen, and is found all the same.
#[tokio::test]
async fn what_took_an_orders_nonce_is_found_wherever_a_reorg_has_brought_it() {
    let shop = Shop::on(World::new(64).await, |_| {}).await;
    mine(&shop.world, 110).await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let (key, customer) = (DEV_ACCOUNTS[3], shop.world.investor(0));
    let nonce = provider.get_transaction_count(customer).await.unwrap();
    let transfer = |to: Address, fee: u128| TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: fee,
        to: TxKind::Call(to),
        value: ether("1"),
        ..TxEip1559::default()
    };
    let (raw, _) = signed(key, transfer(shop.sale.address, 1_000));
    let order = desk.take("/v1/orders", "one", &json!({"chain": 31_337, "raw_transaction": raw})).await;
    desk.reaches(id(&order), "pending").await;
    shop.world.chain.rollback(100).await;
    let (other, hash) = signed(key, transfer(customer, 2_000));
    let _: B256 = provider.client().request("eth_sendRawTransaction", (other,)).await.unwrap();
    mine(&shop.world, 1).await;
    let order = desk.reaches(id(&order), "replaced").await;
    assert_eq!((&order["transaction_hash"], &order["contributions"]), (&json!(hash.to_string()), &json!([])));
}

#[tokio::test]
async fn what_cannot_be_is_said_before_anything_is_written() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-max".to_owned(), format!("eth={}", ether("60"))];
    let desk = shop.start().await;
    let start = shop.nonce().await;
    let refused = async |key: &str, body: &Value| desk.refused("/v1/orders", key, body).await;

    let (status, code, detail) = refused("a", &shop.body(0, ether("51"))).await;
    assert_eq!((status, code.as_str()), (422, "order_refused"), "{detail}");
    assert!(detail.contains("above the maximum of 50 ETH"), "{detail}");
    let (status, code, detail) = refused("b", &shop.body(0, U256::from(1))).await;
    assert_eq!((status, code.as_str()), (422, "order_refused"), "{detail}");
    let (status, code, detail) = refused("c", &shop.body(0, ether("61"))).await;
    assert_eq!((status, code.as_str()), (422, "invalid_body"), "{detail}");
    assert!(detail.contains("the operator lets one order be"), "{detail}");
    shop.world.chain.provider.anvil_set_balance(shop.signer(), ether("1")).await.unwrap();
    let (status, code, detail) = refused("d", &shop.body(0, ether("1.5"))).await;
    assert_eq!((status, code.as_str()), (409, "insufficient_funds"), "{detail}");
    assert!(detail.contains(&shop.signer().to_string()), "{detail}");
    let mut other = shop.body(0, ether("0.5"));
    other["chain"] = json!(5);
    assert_eq!(refused("e", &other).await.1, "chain_not_found");
    let mut other = shop.body(0, ether("0.5"));
    other["sale"] = json!(shop.world.investor(5).to_string());
    assert_eq!(refused("f", &other).await.1, "sale_not_found");

    // A node that is down.
    shop.gate.set("", Fate::Refused);
    let (status, code, detail) = refused("g", &shop.body(0, ether("0.5"))).await;
    assert_eq!((status, code.as_str()), (503, "node_unavailable"), "{detail}");
    assert_eq!(shop.orders().await, 0);
    let kept = "SELECT count(*) FROM crowdsale_service.idempotency";
    assert_eq!(shop.world.database.number(kept).await, 0, "a refusal may be asked again with the same key");
    let nonces = "SELECT coalesce(sum(next_nonce), 0)::bigint FROM crowdsale_service.order_signer";
    assert_eq!(shop.world.database.number(nonces).await, 0, "no nonce was lost");

    // The same key, once it can be.
    shop.gate.set("", Fate::Passes);
    let order = desk.take("/v1/orders", "g", &shop.body(0, ether("0.5"))).await;
    assert_eq!(order["nonce"], start);
    // Half an ether is spoken for, and the gas of it.
    let (status, code, detail) = refused("h", &shop.body(1, ether("0.5"))).await;
    assert_eq!((status, code.as_str()), (409, "insufficient_funds"), "{detail}");
    shop.settles(&desk, id(&order), 0, ether("0.5")).await;
}

#[tokio::test]
async fn a_token_has_to_be_approved_and_then_pays() {
    let world = World::new(2).await;
    let dollar = world.deploy_dollar().await;
    let shop = Shop::on(world, |draft| {
        let (creator, to, opens) = (draft.creator, draft.terms.beneficiary, draft.terms.opens.to());
        *draft = Draft::priced(creator, to, opens, dollar, 6);
    })
    .await;
    let desk = shop.start().await;
    let amount = U256::from(2_500_000);
    let (status, code, detail) = desk.refused("/v1/orders", "one", &shop.body(0, amount)).await;
    assert_eq!((status, code.as_str()), (409, "insufficient_funds"), "{detail}");
    assert!(detail.contains("may take 0 base units") && detail.contains("approve them from that account"), "{detail}");
    let approve = crowdsale::contracts::SaleToken::approveCall { spender: shop.sale.address, value: amount };
    shop.world.chain.mine([Call::to(shop.signer(), dollar, &approve)]).await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, amount)).await;
    assert_eq!((&order["amount"]["decimals"], &order["amount"]["raw"]), (&json!(6), &json!("2500000")));
    // What is approved is spoken for.
    let (_, code, detail) = desk.refused("/v1/orders", "two", &shop.body(1, U256::from(1_000_000))).await;
    assert_eq!(code, "insufficient_funds", "{detail}");
    assert!(detail.contains("take 3500000"), "{detail}");
    shop.settles(&desk, id(&order), 0, amount).await;
}

#[tokio::test]
async fn two_orders_with_one_nonce_are_one_contribution_and_both_end() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let (key, customer) = (DEV_ACCOUNTS[3], shop.world.investor(0));
    let nonce = shop.world.chain.provider.get_transaction_count(customer).await.unwrap();
    let transfer = |fee: u128| TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: fee,
        to: TxKind::Call(shop.sale.address),
        value: ether("0.25"),
        ..TxEip1559::default()
    };
    let take = async |name: &str, fee: u128| {
        let body = json!({"chain": 31_337, "raw_transaction": signed(key, transfer(fee)).0});
        desk.take("/v1/orders", name, &body).await
    };
    let first = take("first", 1_000).await;
    desk.reaches(id(&first), "pending").await;
    // The caller signs the same again for more, as another order.
    let second = take("second", 2_000).await;
    desk.reaches(id(&second), "pending").await;
    mine(&shop.world, 1).await;
    desk.reaches(id(&second), "included").await;
    let first = desk.reaches(id(&first), "replaced").await;
    assert_eq!(first["contributions"], json!([]), "it is the other's: {first}");
    mine(&shop.world, 8).await;
    desk.reaches(id(&second), "final").await;
    until("the first is over", async || (desk.order(id(&first)).await["settled"] == true).then_some(())).await;
    assert_eq!(shop.contributed(0).await, [ether("0.25")]);
}

#[tokio::test]
async fn what_an_order_pays_for_gas_has_an_end() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&order), "pending").await;
    let fee = |order: &Value| {
        let newest = order["transactions"].as_array().unwrap().last().unwrap().clone();
        newest["max_fee_per_gas"].as_str().unwrap().parse::<u128>().unwrap()
    };
    let (path, market) = (format!("/v1/orders/{}/speed-up", id(&order)), fee(&order));
    let mut ended = None;
    for n in 0..40 {
        let (status, answer, _) = desk.post(&path, &format!("faster {n}"), &json!({})).await.unwrap();
        if status == 409 {
            assert_eq!(answer["code"], "order_not_open", "{answer}");
            assert!(answer["detail"].as_str().unwrap().contains("four times"), "{answer}");
            ended = Some(n);
            break;
        }
        assert_eq!(status, 200, "{answer}");
    }
    assert!(ended.is_some(), "it goes on for ever");
    let paid = fee(&desk.order(id(&order)).await);
    assert!(paid > market && paid <= 4 * market, "{paid} of {market}");
    mine(&shop.world, 1).await;
    shop.becomes_final(&desk, id(&order), 0, ether("1")).await;
}
