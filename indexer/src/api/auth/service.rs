//! What privileged routes have beside a pool of readers: one that writes, and the master key.

use std::sync::{Arc, PoisonError, RwLock};

use alloy::primitives::Address;
use axum::{extract::FromRequestParts, http::request::Parts};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::OnceCell;

use super::Origins;
use crate::{
    access::{self, Pepper, Source},
    api::{
        ApiState,
        problem::{Code, Problem},
    },
    db::{DbError, service::audit},
    orders::{OrderOptions, Orders, Signer},
    seal::Sealer,
    webhooks::{Guard, Options, Webhooks},
};

/// What privileged routes write with.
#[derive(Debug)]
pub struct Service {
    pool: PgPool,
    sealer: Arc<Sealer>,
    pepper: OnceCell<Pepper>,
    origins: Origins,
    webhooks: Webhooks,
    orders: Orders,
    /// The one to be named by sales comes first.
    vouchers: RwLock<Vec<Signer>>,
}

impl Service {
    /// Writes through `pool`, which [`crate::db::service::services`] gives, and seals with `sealer`.
    pub fn new(pool: PgPool, sealer: Sealer) -> Self {
        let orders = Orders::new(None, OrderOptions::default());
        let sealer = Arc::new(sealer);
        let webhooks = Webhooks::new(pool.clone(), Arc::clone(&sealer), Guard::default(), Options::default());
        Self {
            pool,
            sealer,
            pepper: OnceCell::new(),
            origins: Origins::default(),
            webhooks,
            orders,
            vouchers: RwLock::default(),
        }
    }

    /// The same with what keys are hashed with, where that was read already: the first requests then do not all read it.
    #[must_use]
    pub fn with_pepper(self, pepper: Pepper) -> Self {
        Self { pepper: OnceCell::new_with(Some(pepper)), ..self }
    }

    /// The same, with who signs orders and who signs vouchers.
    #[must_use]
    pub fn with_signers(self, orders: Orders, vouchers: Option<Signer>) -> Self {
        Self { orders, vouchers: RwLock::new(vouchers.into_iter().collect()), ..self }
    }

    /// Who signs orders, and what the operator set for them.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Who signs vouchers, the newest first: each for the sales that name it. None where the operator has set no key for it.
    pub fn voucher_signers(&self) -> Vec<Signer> {
        self.vouchers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on `signer` signs vouchers, once the audit log has it. Those before it go on for the sales that still name them: a sale
    /// names another by a transaction of its owner, at a moment that nobody knows before. The one before it; none where it is the same.
    ///
    /// # Errors
    /// Those of the database. Then nothing has changed.
    pub async fn replace_voucher_signer(&self, signer: Signer) -> Result<Option<Address>, DbError> {
        let before = self.voucher_signers().first().map(Signer::address);
        let Some(before) = before.filter(|before| *before != signer.address()) else { return Ok(None) };
        let source = Source { actor: "service".to_owned(), ..Source::default() };
        let detail = format!("in place of {before}");
        let entry = source.did("voucher.signer_replaced", &signer.address().to_string(), Some(detail));
        let mut connection = self.pool.acquire().await?;
        audit::append(&mut connection, &entry).await?;
        let mut signers = self.vouchers.write().unwrap_or_else(PoisonError::into_inner);
        signers.retain(|known| known.address() != signer.address());
        signers.insert(0, signer);
        Ok(Some(before))
    }

    /// The same under these names.
    #[must_use]
    pub fn named(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    /// The names of this service.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// The same, with webhooks that work through a pool of their own and are sent where `guard` lets them.
    #[must_use]
    pub fn with_webhooks(self, pool: PgPool, guard: Guard, options: Options) -> Self {
        Self { webhooks: Webhooks::new(pool, Arc::clone(&self.sealer), guard, options), ..self }
    }

    /// What webhooks work with.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Connections that may write. Small: for privileged routes alone.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What seals secrets.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// A transaction that writes.
    ///
    /// # Errors
    /// 503 where the database does not answer.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, Problem> {
        Ok(self.pool.begin().await.map_err(DbError::from)?)
    }

    /// What keys are hashed with.
    ///
    /// # Errors
    /// 503 where the database does not answer, 500 where the master key is not the one it was sealed with.
    pub async fn pepper(&self) -> Result<&Pepper, Problem> {
        let read = || async {
            let mut connection = self.pool.acquire().await.map_err(DbError::from)?;
            Ok::<_, Problem>(access::pepper(&mut connection, &self.sealer).await?)
        };
        self.pepper.get_or_try_init(read).await
    }
}

impl FromRequestParts<ApiState> for Arc<Service> {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        state.service().cloned().ok_or_else(|| {
            Problem::new(
                Code::NotConfigured,
                "this service takes public reads only: its operator has to make a master key with `crowdsale secrets new-key`, set CROWDSALE_MASTER_KEY_FILE, and start it again",
            )
        })
    }
}
