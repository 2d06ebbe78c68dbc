//! `token_holder` and `holder_checkpoint`: what the transfers of the factory's tokens add up to, in what is final.

use alloy::primitives::{Address, U256};
use sqlx::{Connection as _, PgConnection};

use super::{DbError, chains::find_checkpoint};
use crate::types::{Addr, Hash32};

/// How far the transfers are counted, and how far they can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last block that is counted, with its hash; none at the beginning.
    pub done: Option<(i64, Hash32)>,
    /// The last block that is final and indexed, so that every token up to it is known.
    pub goal: i64,
    /// Where the first token was made.
    pub first: Option<i64>,
}

/// What came to a wallet and what went, one set off against the other: so neither is more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    gained: U256,
    lost: U256,
}

impl Change {
    /// Base units that came.
    pub fn receive(&mut self, amount: U256) {
        let set_off = amount.min(self.lost);
        self.lost -= set_off;
        self.gained = self.gained.saturating_add(amount - set_off);
    }

    /// Base units that went.
    pub fn send(&mut self, amount: U256) {
        let set_off = amount.min(self.gained);
        self.gained -= set_off;
        self.lost = self.lost.saturating_add(amount - set_off);
    }
}

/// How far a chain is. `None` until its index has reached what is final: until then it has better things to do.
pub async fn progress(connection: &mut PgConnection, chain_id: i64) -> Result<Option<Progress>, DbError> {
    let Some(checkpoint) = find_checkpoint(&mut *connection, chain_id).await? else { return Ok(None) };
    if checkpoint.number < checkpoint.finalized_number || checkpoint.halted.is_some() {
        return Ok(None);
    }
    let done =
        sqlx::query!(r#"SELECT number, hash AS "hash: Hash32" FROM holder_checkpoint WHERE chain_id = $1"#, chain_id)
            .fetch_optional(&mut *connection)
            .await?;
    let first = sqlx::query_scalar!("SELECT min(block_number) FROM token_created WHERE chain_id = $1", chain_id)
        .fetch_one(connection)
        .await?;
    Ok(Some(Progress { done: done.map(|row| (row.number, row.hash)), goal: checkpoint.finalized_number, first }))
}

/// The tokens that were made up to a block.
pub async fn tokens(connection: &mut PgConnection, chain_id: i64, up_to: i64) -> Result<Vec<Addr>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT DISTINCT token AS "token: Addr" FROM token_created WHERE chain_id = $1 AND block_number <= $2"#,
        chain_id,
        up_to
    )
    .fetch_all(connection)
    .await?)
}

/// Counts the transfers of the blocks after `done` up to `reached`, all or none of them; false where somebody else has meanwhile.
pub async fn count(
    connection: &mut PgConnection,
    chain_id: i64,
    done: Option<(i64, Hash32)>,
    reached: (i64, Hash32),
    changes: &[((Address, Address), Change)],
) -> Result<bool, DbError> {
    let mut transaction = connection.begin().await?;
    let moved = sqlx::query!(
        "INSERT INTO holder_checkpoint AS c (chain_id, number, hash) VALUES ($1, $2, $3)
         ON CONFLICT (chain_id) DO UPDATE SET number = excluded.number, hash = excluded.hash WHERE c.number = $4",
        chain_id,
        reached.0,
        reached.1 as _,
        done.map_or(-1, |(number, _)| number)
    )
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if moved == 0 {
        return Ok(false);
    }
    let (mut tokens, mut holders, mut gained, mut lost) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((token, holder), change) in changes {
        tokens.push(token.to_vec());
        holders.push(holder.to_vec());
        gained.push(change.gained.to_string());
        lost.push(change.lost.to_string());
    }
    // A balance below zero is refused by the table: transfers would be missing.
    sqlx::query!(
        "MERGE INTO token_holder h
         USING (SELECT token, holder, gained::numeric - lost::numeric AS change
                FROM unnest($2::bytea[], $3::bytea[], $4::text[], $5::text[]) u(token, holder, gained, lost)) n
         ON h.chain_id = $1 AND h.token = n.token AND h.holder = n.holder
         WHEN MATCHED AND h.balance + n.change = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET balance = h.balance + n.change
         WHEN NOT MATCHED AND n.change <> 0 THEN INSERT (chain_id, token, holder, balance) VALUES ($1, n.token, n.holder, n.change)",
        chain_id,
        &tokens,
        &holders,
        &gained,
        &lost
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Forgets all of a chain: what was final is not, and it is counted anew.
pub async fn forget(connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
    let mut transaction = connection.begin().await?;
    sqlx::query!("DELETE FROM holder_checkpoint WHERE chain_id = $1", chain_id).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM token_holder WHERE chain_id = $1", chain_id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_is_set_off() {
        let mut change = Change::default();
        for _ in 0..3 {
            change.receive(U256::MAX);
            change.send(U256::MAX);
        }
        assert_eq!(change, Change::default());
        change.send(U256::from(5));
        change.receive(U256::from(3));
        assert_eq!((change.gained, change.lost), (U256::ZERO, U256::from(2)));
        change.receive(U256::from(9));
        assert_eq!((change.gained, change.lost), (U256::from(7), U256::ZERO));
    }
}
