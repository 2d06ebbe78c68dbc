//! `sale` and `currency`, as the indexer needs them; what the API reads stands in its own files.

use sqlx::PgConnection;

use super::{DbError, Writer, rows::clean};
use crate::types::Addr;

/// A contract whose events are believed, and the sale it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitter {
    /// The contract.
    pub contract: Addr,
    /// Its sale; of a token the token itself.
    pub sale: Addr,
    /// What it is: `sale`, `vault`, `wallet` or `token`.
    pub kind: String,
    /// Height of the block that announced it.
    pub announced: i64,
}

/// All sales of the chain with their vaults and wallets, and all restricted tokens.
pub async fn list_emitters(writer: &mut Writer) -> Result<Vec<Emitter>, DbError> {
    Ok(sqlx::query_as!(
        Emitter,
        r#"SELECT address AS "contract!: _", address AS "sale!: _", 'sale' AS "kind!", block_number AS "announced!"
           FROM sale WHERE chain_id = $1
           UNION ALL SELECT vault, address, 'vault', block_number FROM sale WHERE chain_id = $1
           UNION ALL SELECT wallet, sale, 'wallet', block_number FROM allocation WHERE chain_id = $1
           UNION ALL SELECT token, token, 'token', block_number FROM token_created
           WHERE chain_id = $1 AND kind = 'restricted'"#,
        writer.chain_id
    )
    .fetch_all(&mut writer.connection)
    .await?)
}

/// What people call a token, and how its base units are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// The token; zero is ether.
    pub address: Addr,
    /// ERC-20 symbol; empty if the contract has none.
    pub symbol: String,
    /// ERC-20 name; empty if the contract has none.
    pub name: String,
    /// ERC-20 decimals; zero if the contract has none, so that amounts stay in base units.
    pub decimals: u8,
}

/// Which of `addresses` are not described yet.
pub async fn list_unknown_currencies(writer: &mut Writer, addresses: &[Addr]) -> Result<Vec<Addr>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT DISTINCT a AS "a!: Addr" FROM UNNEST($2::bytea[]) a
           WHERE NOT EXISTS (SELECT FROM currency c WHERE c.chain_id = $1 AND c.address = a)"#,
        writer.chain_id,
        addresses as _
    )
    .fetch_all(&mut writer.connection)
    .await?)
}

pub(crate) async fn insert_currencies(
    connection: &mut PgConnection,
    chain_id: i64,
    currencies: &[Currency],
) -> Result<(), DbError> {
    for currency in currencies {
        sqlx::query!(
            "INSERT INTO currency (chain_id, address, symbol, name, decimals) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
            chain_id,
            currency.address as _,
            label(&currency.symbol),
            label(&currency.name),
            i16::from(currency.decimals)
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A token's own words, as anybody may have written them: what Postgres can hold, and no longer than a label.
fn label(text: &str) -> String {
    clean(text).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_token_cannot_flood_or_break_the_database() {
        assert_eq!(super::label("USD\0"), "USD\u{FFFD}");
        assert_eq!(super::label(&"é".repeat(1_000)).chars().count(), 100);
    }
}
