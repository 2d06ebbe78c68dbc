//! A served API over a database of its own, and events written by plain SQL, so that the schema's triggers do their work.

use std::time::Duration;

use alloy::primitives::{Address, B256, U256, keccak256};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use crowdsale::{
    api::{ApiOptions, ApiState},
    serve::{self, ServeOptions},
    telemetry,
    types::{Addr, Amount, Hash32},
};
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;

pub const CHAIN: i64 = 31_337;
pub const ETH: &str = "0x0000000000000000000000000000000000000000";
/// The chain's clock begins here: block `n` is at `GENESIS + 12 n`.
pub const GENESIS: i64 = 1_800_000_000;

pub fn ether(text: &str) -> U256 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<18}").parse().unwrap()
}

/// An address whose hex form has letters, so that its checksum matters.
pub fn addr(name: &str) -> Address {
    Address::from_slice(&keccak256(name)[12..])
}

/// Hash of a block on a fork.
pub fn hash(number: i64, fork: u8) -> B256 {
    keccak256(format!("block {number} of fork {fork}"))
}

pub fn time(block: i64) -> i64 {
    GENESIS + 12 * block
}

pub fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

pub fn state(pool: &PgPool) -> ApiState {
    let options =
        ApiOptions { min_block_attempts: 2, min_block_interval: Duration::from_millis(1), ..ApiOptions::default() };
    ApiState::new(pool.clone(), telemetry::install_metrics().unwrap(), options)
}

pub fn app(pool: &PgPool) -> Router {
    serve::app(state(pool), ServeOptions::default())
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Asserts that this is a whole problem with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &code.into()), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("/docs#problem-{code}"));
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        for member in ["title", "detail", "instance"] {
            assert!(self.body[member].as_str().is_some_and(|t| !t.is_empty()), "{member}: {}", self.text);
        }
        self
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        self
    }

    pub fn rows(&self) -> &Vec<Value> {
        self.body["data"].as_array().unwrap()
    }
}

pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, body, text }
}

pub async fn get(app: &Router, path: &str) -> Answer {
    send(app, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Registers a chain whose tip is block 0.
pub async fn chain(pool: &PgPool, chain_id: i64) {
    sqlx::query("INSERT INTO chain VALUES ($1, $2, $3, 0)")
        .bind(chain_id)
        .bind(Hash32(hash(0, 0)))
        .bind(Addr(addr("factory")))
        .execute(pool)
        .await
        .unwrap();
    for (address, symbol, name, decimals) in
        [(Address::ZERO, "ETH", "Ether", 18), (addr("token"), "TKN", "Token", 18), (addr("usd"), "USD", "Dollar", 6)]
    {
        sqlx::query("INSERT INTO currency VALUES ($1, $2, $3, $4, $5)")
            .bind(chain_id)
            .bind(Addr(address))
            .bind(symbol)
            .bind(name)
            .bind(decimals)
            .execute(pool)
            .await
            .unwrap();
    }
    tip(pool, chain_id, 0, 0).await;
}

/// Writes block `number` of a fork and moves the checkpoint there; `safe` is 4 and `finalized` 8 below it.
pub async fn tip(pool: &PgPool, chain_id: i64, number: i64, fork: u8) {
    block(pool, chain_id, number, fork).await;
    sqlx::query(
        "INSERT INTO checkpoint (chain_id, number, hash, block_timestamp, head_number, safe_number, finalized_number)
         VALUES ($1, $2, $3, $4, $2 + 1, greatest($2 - 4, 0), greatest($2 - 8, 0))
         ON CONFLICT (chain_id) DO UPDATE SET number = excluded.number, hash = excluded.hash,
             block_timestamp = excluded.block_timestamp, head_number = excluded.head_number,
             safe_number = excluded.safe_number, finalized_number = excluded.finalized_number",
    )
    .bind(chain_id)
    .bind(number)
    .bind(Hash32(hash(number, fork)))
    .bind(time(number))
    .execute(pool)
    .await
    .unwrap();
}

pub async fn block(pool: &PgPool, chain_id: i64, number: i64, fork: u8) {
    sqlx::query("INSERT INTO block VALUES ($1, $2, $3, $4, $5, true) ON CONFLICT DO NOTHING")
        .bind(chain_id)
        .bind(number)
        .bind(Hash32(hash(number, fork)))
        .bind(Hash32(hash(number - 1, fork)))
        .bind(time(number))
        .execute(pool)
        .await
        .unwrap();
}

pub async fn rollback(pool: &PgPool, chain_id: i64, fork: i64) {
    sqlx::query("SELECT rollback_to($1, $2)").bind(chain_id).bind(fork).execute(pool).await.unwrap();
    tip(pool, chain_id, fork, 0).await;
}

/// Terms of a sale: opens at block 10, two phases of ten blocks, 100 and 300 ether.
#[derive(Clone, Debug)]
pub struct Terms {
    pub chain_id: i64,
    pub block: i64,
    pub log: i32,
    pub sale: Address,
    pub owner: Address,
    pub currency: Address,
    pub name: String,
}

impl Terms {
    pub fn new(name: &str, block: i64, log: i32) -> Self {
        let name = name.to_owned();
        Self { chain_id: CHAIN, block, log, sale: addr(&name), owner: addr("owner"), currency: Address::ZERO, name }
    }

    pub fn path(&self) -> String {
        format!("/v1/sales/{}/{}", self.chain_id, self.sale)
    }
}

pub async fn sale(pool: &PgPool, t: &Terms) {
    block(pool, t.chain_id, t.block, 0).await;
    let transaction = Hash32(keccak256(format!("create {}", t.name)));
    sqlx::query(
        "INSERT INTO sale VALUES ($1, $2, $3, $4, $5, $6, $7, 'fixed_price', $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
             $18, false, $19, $20, 'https://example.org/sale.toml', $21, 'https://example.org/paper.pdf', '')",
    )
    .bind(t.chain_id)
    .bind(t.block)
    .bind(t.log)
    .bind(transaction)
    .bind(Addr(t.sale))
    .bind(Addr(addr("creator")))
    .bind(Addr(addr(&format!("vault of {}", t.name))))
    .bind(Addr(t.owner))
    .bind(Addr(addr("beneficiary")))
    .bind(Addr(addr("token")))
    .bind(Addr(t.currency))
    .bind(time(10))
    .bind(time(30))
    .bind(Amount(ether("50")))
    .bind(Amount(ether("300")))
    .bind(Amount(ether("0.1")))
    .bind(Amount(ether("200")))
    .bind(Amount(ether("1000000")))
    .bind(&t.name)
    .bind(Hash32(keccak256("sale file")))
    .bind(Hash32(keccak256("paper")))
    .execute(pool)
    .await
    .unwrap();
    for (phase, starts, ends, cap, price) in
        [(0_i16, 10, 20, "100", "0.00025"), (1, 20, 30, "300", "0.000333333333333333")]
    {
        sqlx::query("INSERT INTO sale_phase VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(t.chain_id)
            .bind(t.block)
            .bind(t.log)
            .bind(phase)
            .bind(Addr(t.sale))
            .bind(time(starts))
            .bind(time(ends))
            .bind(Amount(ether(cap)))
            .bind(Amount(ether(price)))
            .execute(pool)
            .await
            .unwrap();
    }
}

pub async fn contribute(pool: &PgPool, t: &Terms, at: (i64, i32), investor: Address, amount: U256, tokens: U256) {
    contribute_on(pool, t, at, 0, investor, amount, tokens).await;
}

pub async fn contribute_on(
    pool: &PgPool,
    t: &Terms,
    (number, log): (i64, i32),
    fork: u8,
    investor: Address,
    amount: U256,
    tokens: U256,
) {
    block(pool, t.chain_id, number, fork).await;
    sqlx::query("INSERT INTO contribution VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $8, $8, $9)")
        .bind(t.chain_id)
        .bind(number)
        .bind(log)
        .bind(Hash32(keccak256(format!("transaction {number} {log}"))))
        .bind(Addr(t.sale))
        .bind(Addr(investor))
        .bind(Addr(addr("payer")))
        .bind(Amount(amount))
        .bind(Amount(tokens))
        .execute(pool)
        .await
        .unwrap();
}

pub async fn settle(pool: &PgPool, t: &Terms, (number, log): (i64, i32), outcome: &str) {
    block(pool, t.chain_id, number, 0).await;
    sqlx::query("INSERT INTO settlement VALUES ($1, $2, $3, $4, $5, $6, 0, 0)")
        .bind(t.chain_id)
        .bind(number)
        .bind(log)
        .bind(Hash32(keccak256("settlement")))
        .bind(Addr(t.sale))
        .bind(outcome)
        .execute(pool)
        .await
        .unwrap();
}

/// A row of `claim`, `refund` or `release`.
pub async fn pay(pool: &PgPool, table: &str, t: &Terms, (number, log): (i64, i32), to: Address, amount: U256) {
    block(pool, t.chain_id, number, 0).await;
    let recipient = if table == "release" { ", $6" } else { "" };
    let sql = format!("INSERT INTO {table} VALUES ($1, $2, $3, $4, $5, $6, $7, $8{recipient})");
    let who = if table == "release" { None } else { Some(Addr(to)) };
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(t.chain_id)
        .bind(number)
        .bind(log)
        .bind(Hash32(keccak256(format!("{table} {number} {log}"))))
        .bind(Addr(t.sale))
        .bind(Addr(to));
    let query = match who {
        Some(who) => query.bind(who).bind(Amount(amount)),
        None => query.bind(Amount(amount)).bind(Amount(amount)),
    };
    query.execute(pool).await.unwrap();
}

/// The vault takes the money of a success.
pub async fn sweep(pool: &PgPool, t: &Terms, (number, log): (i64, i32), amount: U256) {
    block(pool, t.chain_id, number, 0).await;
    sqlx::query("INSERT INTO sweep VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(t.chain_id)
        .bind(number)
        .bind(log)
        .bind(Hash32(keccak256("sweep")))
        .bind(Addr(t.sale))
        .bind(Amount(amount))
        .execute(pool)
        .await
        .unwrap();
}

/// A row of a table whose columns go on after its key and transaction with `rest`, written as SQL.
pub async fn event(pool: &PgPool, table: &str, t: &Terms, (number, log): (i64, i32), rest: &str) {
    block(pool, t.chain_id, number, 0).await;
    let sql = format!("INSERT INTO {table} VALUES ($1, $2, $3, $4, $5, {rest})");
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(t.chain_id)
        .bind(number)
        .bind(log)
        .bind(Hash32(keccak256(format!("{table} {number} {log}"))))
        .bind(Addr(t.sale))
        .execute(pool)
        .await
        .unwrap();
}

/// An address as SQL writes it.
pub fn sql(address: Address) -> String {
    format!("'\\x{}'::bytea", alloy::hex::encode(address))
}
