//! What does not follow from the chain: keys, their audit log, webhooks and their messages, answers to requests that may be sent again,
//! and where sealed values stand. In a schema of its own, `crowdsale_service`, which is always written out.

pub mod audit;
pub mod deliveries;
pub mod idempotency;
pub mod keys;
pub mod nonces;
pub mod order_signers;
pub mod order_transactions;
pub mod orders;
pub mod sealed;
pub mod sessions;
pub mod vouchers;
pub mod webhooks;

use std::time::Duration;

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{DbError, enter_live, known_version, schema_version};

/// A pool that also writes. Fails where the schema is older than this version, or its role may not write.
///
/// # Errors
/// [`DbError::OlderSchema`], [`DbError::ReadOnly`], [`DbError::MayNotWrite`].
pub async fn services(options: &PgConnectOptions, connections: u32) -> Result<PgPool, DbError> {
    // Nothing it does takes long. A transaction that a request has left open must not keep others out.
    let options =
        options.clone().options([("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "30s")]);
    let mut connection = PgConnection::connect_with(&options).await.map_err(DbError::Connect)?;
    enter_live(&mut connection).await?;
    let (found, known) = (schema_version(&mut connection).await?, known_version());
    if found < known {
        return Err(DbError::OlderSchema { found, known });
    }
    let state = sqlx::query!(
        r#"SELECT current_setting('transaction_read_only') = 'on' AS "read_only!",
                  has_schema_privilege('crowdsale_service', 'USAGE')
                      AND has_table_privilege('crowdsale_service.audit', 'INSERT')
                      AND has_table_privilege('crowdsale_service.api_key', 'INSERT')
                      AND has_table_privilege('crowdsale_service.idempotency', 'INSERT')
                      AND has_table_privilege('crowdsale_service.webhook_delivery', 'DELETE')
                      AND has_table_privilege('crowdsale_service.sale_order', 'INSERT') AS "writes!""#
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    if state.read_only {
        return Err(DbError::ReadOnly);
    }
    if !state.writes {
        return Err(DbError::MayNotWrite);
    }
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        .connect_with(options)
        .await
        .map_err(DbError::Connect)
}

/// A connection of its own that also writes, like those of a pool of [`services`]; if its host is gone, its locks are soon free.
///
/// # Errors
/// [`DbError::Connect`].
pub async fn follower(pool: &PgPool) -> Result<PgConnection, DbError> {
    super::connect(&pool.connect_options()).await
}
