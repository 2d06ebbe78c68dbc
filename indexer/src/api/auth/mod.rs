//! Who asks, and what they may do. A handler that is not for everybody takes, in this order:
//!
//! ```text
//! service: Arc<Service>             what writes and what seals; 501 where the operator has set no master key
//! caller: Authorized<OrdersWrite>   401 without a key that is good, 403 without the scope
//! wallet: Wallet                    or a wallet that has signed in; 401 without
//! Post { body, request }: Post<T>   a body, with an Idempotency-Key
//! ```
//!
//! and answers through [`Once`], whose transaction holds the effect, its line in the audit log and the answer.

mod caller;
mod client;
mod identity;
mod once;
mod origins;
mod service;
mod signature;
mod wallet;

pub use caller::{
    Authorized, Caller, ContributionsRead, ExportsRead, KeysAdmin, Needs, OrdersWrite, SalesRead, VouchersWrite,
    WebhooksWrite,
};
pub use client::{ClientAddress, RequestId, counted};
pub use identity::{Identity, MOST_BODY, identified, shows_key};
pub use once::{Once, Turn};
pub use origins::Origins;
pub use service::Service;
pub use wallet::Wallet;
