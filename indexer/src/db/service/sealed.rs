//! `secret`, and every column of the schema that holds sealed values: those called `sealed`, or with a name that ends so.

use sqlx::PgConnection;

use crate::db::DbError;

/// A column of sealed values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedColumn {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// The table's primary key.
    pub key_column: String,
    /// The key's type.
    pub key_type: String,
}

/// Every column of sealed values that there is.
pub async fn columns(connection: &mut PgConnection) -> Result<Vec<SealedColumn>, DbError> {
    Ok(sqlx::query_as!(
        SealedColumn,
        r#"SELECT table_name AS "table!", column_name AS "column!", key_column AS "key_column!", key_type AS "key_type!"
           FROM crowdsale_service.sealed_columns()"#
    )
    .fetch_all(connection)
    .await?)
}

/// Rows of a column, behind one, that were sealed with another master key than this one: their keys and values.
pub async fn batch(
    connection: &mut PgConnection,
    of: &SealedColumn,
    master: &[u8],
    behind: Option<&str>,
    most: i64,
) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT key AS "key!", sealed AS "sealed!" FROM crowdsale_service.sealed_batch($1, $2, $3, $4, $5, $6, $7)"#,
        of.table,
        of.column,
        of.key_column,
        of.key_type,
        master,
        behind,
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, row.sealed)).collect())
}

/// Puts a value in the place of another; false where that has changed meanwhile.
pub async fn replace(
    connection: &mut PgConnection,
    of: &SealedColumn,
    key: &str,
    before: &[u8],
    after: &[u8],
) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT crowdsale_service.replace_sealed($1, $2, $3, $4, $5, $6, $7) AS "replaced!""#,
        of.table,
        of.column,
        of.key_column,
        of.key_type,
        key,
        before,
        after
    )
    .fetch_one(connection)
    .await?)
}

/// A secret of the service.
pub async fn find_secret(connection: &mut PgConnection, name: &str) -> Result<Option<Vec<u8>>, DbError> {
    Ok(sqlx::query_scalar!("SELECT sealed FROM crowdsale_service.secret WHERE name = $1", name)
        .fetch_optional(connection)
        .await?)
}

/// Adds a secret of the service, unless there is one of that name.
pub async fn add_secret(connection: &mut PgConnection, name: &str, sealed: &[u8]) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.secret (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        name,
        sealed
    )
    .execute(connection)
    .await?;
    Ok(())
}
