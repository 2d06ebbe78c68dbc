//! Wallets that have signed in.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Identity, Service};
use crate::{
    api::{
        ApiState,
        problem::{Code, Problem},
    },
    db::service::sessions::SessionRow,
    types::Addr,
};

/// A wallet and its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet(SessionRow);

impl Wallet {
    pub(super) fn new(row: SessionRow) -> Self {
        Self(row)
    }

    /// The wallet.
    pub fn address(&self) -> Addr {
        self.0.address
    }

    /// The chain on which it is that wallet.
    pub fn chain_id(&self) -> i64 {
        self.0.chain_id
    }

    /// Its session.
    pub fn session(&self) -> &SessionRow {
        &self.0
    }
}

impl FromRequestParts<ApiState> for Wallet {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        std::sync::Arc::<Service>::from_request_parts(parts, state).await?;
        let detail = match parts.extensions.get::<Identity>() {
            Some(Identity::Wallet(wallet)) => return Ok(wallet.clone()),
            Some(Identity::Key(_)) => {
                "this is for a wallet that has signed in, and a key is none: sign in with POST /v1/sessions, and send the token that it gives"
            }
            None => {
                "no wallet has signed in: sign in with POST /v1/sessions, and send Authorization: Bearer with the token that it gives (cws_…)"
            }
        };
        Err(Problem::new(Code::Unauthenticated, detail).challenge("Bearer realm=\"crowdsale\"".to_owned()))
    }
}
