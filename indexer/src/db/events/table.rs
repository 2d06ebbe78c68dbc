//! How an event table is filled.

/// A table whose rows are an event of a sale, or of a token: rows under construction, and one COPY of them.
macro_rules! table {
    ($name:ident $table:tt $key:tt { $($field:ident: $type:ty,)* }) => {
        #[derive(Debug, Default)]
        pub(super) struct $name(pub(super) crate::db::copy::Rows);

        impl $name {
            #[allow(clippy::too_many_arguments, reason = "one a column")]
            #[allow(single_use_lifetimes, clippy::extra_unused_lifetimes, reason = "texts are borrowed; not every table has any")]
            pub fn push<'a>(
                &mut self,
                chain_id: i64,
                log: &crate::types::Log,
                of: crate::types::Addr,
                $($field: impl Into<$type>),*
            ) {
                use crate::db::copy::Column as _;
                const COLUMNS: i16 = 5 $(+ { let _ = stringify!($field); 1 })*;
                let row = self.0.begin(COLUMNS);
                crate::db::events::place(row, chain_id, log);
                of.put(row);
                $({
                    let value: $type = $field.into();
                    value.put(row);
                })*
            }

            pub async fn copy(&self, connection: &mut sqlx::PgConnection) -> Result<(), crate::db::DbError> {
                self.0
                    .copy(
                        connection,
                        concat!(
                            "COPY ", $table, " (chain_id, block_number, log_index, transaction_hash, ", $key
                            $(, ", ", stringify!($field))*,
                            ") FROM STDIN (FORMAT binary)"
                        ),
                    )
                    .await
            }
        }

        #[cfg(test)]
        impl crate::db::events::Described for $name {
            #[allow(clippy::extra_unused_lifetimes, reason = "the types of columns borrow")]
            fn describe<'a>() -> (&'static str, Vec<(&'static str, &'static str)>) {
                #[allow(unused_imports, reason = "a table without columns of its own asks for no type")]
                use crate::db::copy::Column as _;
                let mut columns = vec![
                    ("chain_id", "int8"), ("block_number", "int8"), ("log_index", "int4"), ("transaction_hash", "bytea"),
                    ($key, "bytea"),
                ];
                columns.extend([$((stringify!($field), <$type>::TYPE)),*] as [(&str, &str); _]);
                ($table, columns)
            }
        }
    };
}
