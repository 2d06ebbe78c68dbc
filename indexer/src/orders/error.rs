//! Why an order was not taken.

use alloy::primitives::{Address, U256};

use super::RawFault;
use crate::{chain::ChainError, db::DbError};

/// Why an order was not taken, or not changed. Nothing was done then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The node failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signed transaction is none that is taken.
    #[error("{0}")]
    Raw(#[from] RawFault),
    /// The sale would refuse it.
    #[error("{sentence}: {next}")]
    Refused {
        /// Why.
        sentence: String,
        /// What to do.
        next: String,
    },
    /// The nonce is used.
    #[error("nonce {nonce} of {sender} is used already: sign with nonce {next}")]
    NonceUsed {
        /// Who signed.
        sender: Address,
        /// The nonce.
        nonce: u64,
        /// The next that is not.
        next: u64,
    },
    /// Nonces before it are missing.
    #[error("nonce {nonce} of {sender} waits for others: the next is {next}, so sign with that one")]
    NonceAhead {
        /// Who signed.
        sender: Address,
        /// The nonce.
        nonce: u64,
        /// The next.
        next: u64,
    },
    /// The account cannot pay for it.
    #[error(
        "{account} has {has} wei, and this order and those before it take up to {needed} wei with their gas: send ether there first"
    )]
    Short {
        /// Who pays.
        account: Address,
        /// Wei it has.
        has: U256,
        /// Wei it needs.
        needed: U256,
    },
    /// The account has not enough of the token.
    #[error(
        "{account} has {has} base units of {token}, and this order and those before it in this sale take {needed}: send some there first"
    )]
    FewTokens {
        /// Who pays.
        account: Address,
        /// Of what.
        token: Address,
        /// What it has.
        has: U256,
        /// What it needs.
        needed: U256,
    },
    /// The sale may not take it.
    #[error(
        "the sale {sale} may take {allowed} base units of {token} from {account}, and this order and those before it take {needed}: approve them from that account first"
    )]
    Allowance {
        /// Who pays.
        account: Address,
        /// Of what.
        token: Address,
        /// Who takes it.
        sale: Address,
        /// What it may take.
        allowed: U256,
        /// What it has to be allowed.
        needed: U256,
    },
    /// The caller's limit of fees does not pay for the next block.
    #[error(
        "is {cap} wei, and has to be {base} at least, twice what the next block asks for: name more, or leave it out"
    )]
    FeeCap {
        /// The limit.
        cap: u128,
        /// The least that is taken.
        base: u128,
    },
    /// Blocks ask for more than the operator pays.
    #[error(
        "the next block asks for {base} wei for a unit of gas and its node suggests {tip} for whoever includes it, and the operator lets an order pay {most} at most: try again in {seconds} s, or ask the operator to raise --order-max-fee"
    )]
    FeesAboveLimit {
        /// What the next block asks for.
        base: u128,
        /// What is to be paid beside that.
        tip: u128,
        /// What an order may pay.
        most: u128,
        /// Until it can be less, at the soonest.
        seconds: u32,
    },
    /// A signed transaction that the next block would not take.
    #[error("pays {max_fee} wei for a unit of gas at most, and the next block asks for {base}: sign it again for more")]
    RawFee {
        /// What it pays.
        max_fee: u128,
        /// What the next block asks for.
        base: u128,
    },
    /// The caller has too many that are not final.
    #[error("{most} orders of yours that came signed are not final yet: wait until some are, before you place more")]
    ManyOpen {
        /// The limit.
        most: i64,
    },
    /// More than the operator lets one order be.
    #[error("is more than the {most} base units that the operator lets one order be: place several")]
    TooMuch {
        /// The limit.
        most: U256,
    },
    /// More than the operator lets a key order in a day.
    #[error("is more than the {most} base units that the operator lets a key order within 24 hours: order less")]
    MoreThanADay {
        /// The limit.
        most: U256,
    },
    /// More than is left of that.
    #[error(
        "is more than is left: the operator lets a key order {most} base units of this currency within 24 hours, and {left} of them are left. Order no more than that, or wait {seconds} s"
    )]
    DayIsFull {
        /// The limit.
        most: U256,
        /// What is left of it.
        left: U256,
        /// Until there is room.
        seconds: u32,
    },
    /// A sale that the operator did not name.
    #[error(
        "{sale} on chain {chain_id} is none of the sales that this service sends orders to: its operator names them with --order-sale"
    )]
    OtherSale {
        /// The sale.
        sale: Address,
        /// Its chain.
        chain_id: u64,
    },
    /// This transaction was ordered before.
    #[error("this transaction was ordered before{}", of(.order))]
    Known {
        /// By this order of the same caller.
        order: Option<String>,
    },
    /// The operator sends from this account itself.
    #[error("{0} is the account that this service sends from itself: place the order without a transaction")]
    OperatorsOwn(Address),
    /// It is past where this could be done.
    #[error(
        "order {id} is {state}: only one of the operator's signer that is in no block yet can be cancelled or sped up"
    )]
    NotOpen {
        /// The order.
        id: String,
        /// Its state.
        state: String,
    },
    /// There is no key to sign with.
    #[error(
        "this service does not send orders itself: its operator has to set CROWDSALE_ORDER_SIGNER_FILE, and start it again"
    )]
    NoSigner,
    /// The order was signed by a key that is here no more.
    #[error(
        "order {id} is of {sender}, whose key this service does not have any more: its operator can cancel it with that key"
    )]
    OtherSigner {
        /// The order.
        id: String,
        /// Who signed.
        sender: Address,
    },
    /// The key is published.
    #[error(
        "the operator's signer has a published key, which signs on development chains alone: it has to be replaced"
    )]
    Published,
    /// The key did not sign.
    #[error("the operator's signer failed: {0}")]
    Signing(String),
}

fn of(order: &Option<String>) -> String {
    order.as_ref().map_or_else(|| ": by another key".to_owned(), |id| format!(": see order {id}"))
}
