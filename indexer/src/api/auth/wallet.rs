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
        if let Some(Identity::Wallet(wallet)) = parts.extensions.get::<Identity>() {
            return Ok(wallet.clone());
        }
        let detail = "Authorization: Bearer, with the token of a wallet's session, is missing: sign in first, with POST /v1/sessions";
        Err(Problem::new(Code::Unauthenticated, detail).challenge("Bearer realm=\"crowdsale\"".to_owned()))
    }
}
