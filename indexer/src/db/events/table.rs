//! How an event table is filled.

/// A table whose rows are an event of a sale, or of a token: columns under construction, and one bulk insert of them.
macro_rules! table {
    ($name:ident $table:tt $key:tt { $($field:ident: $type:ty,)+ } $columns:tt $types:tt) => {
        #[derive(Debug, Default)]
        pub(super) struct $name {
            head: crate::db::rows::Head,
            $($field: Vec<$type>,)+
        }

        impl $name {
            #[allow(clippy::too_many_arguments, reason = "one a column")]
            pub fn push(&mut self, log: &crate::types::Log, of: crate::types::Addr, $($field: impl Into<$type>),+) {
                self.head.push(log, of);
                $(self.$field.push($field.into());)+
            }

            pub async fn insert(
                &self,
                connection: &mut sqlx::PgConnection,
                chain_id: i64,
            ) -> Result<(), crate::db::DbError> {
                if self.head.is_empty() {
                    return Ok(());
                }
                sqlx::query!(
                    "INSERT INTO " + $table + " (chain_id, block_number, log_index, transaction_hash, " + $key + ", " + $columns
                        + ") SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], " + $types + ")",
                    chain_id,
                    &self.head.blocks,
                    &self.head.indexes,
                    &self.head.transactions[..] as _,
                    &self.head.sales[..] as _,
                    $(&self.$field[..] as _),+
                )
                .execute(connection)
                .await?;
                Ok(())
            }
        }
    };
}
