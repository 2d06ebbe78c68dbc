//! What a ledger counts, by the names of the database's columns.

use alloy::primitives::aliases::U512;

/// Numbers that the database keeps of something, each in a column of its name.
macro_rules! figures {
    ($(#[$doc:meta])* $name:ident { $($column:ident)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[allow(missing_docs, reason = "they are those of the migrations")]
        pub struct $name {
            $(pub $column: U512,)+
        }

        impl $name {
            /// The columns, in the order of [`Self::values`].
            pub const COLUMNS: &[&str] = &[$(stringify!($column)),+];

            /// The numbers as Postgres writes them.
            pub fn values(&self) -> Vec<String> {
                vec![$(self.$column.to_string()),+]
            }
        }
    };
}

figures! {
    /// `sale_total`. Sums are wider than a word: nine maximal amounts need 79 digits.
    Totals {
        raised sold contributions investors refunded refunds claimed claims released withdrawn withdrawals rejected rejections
        kept excess allotted excess_refunded received objected rest_refunded
    }
}

figures! {
    /// `position`.
    Position {
        paid tokens contributions refunded claimed withdrawn withdrawn_tokens rejections rejected rejected_tokens shares kept
        share_tokens excess excess_refunded objections objected rest_refunds rest_refunded last_block
    }
}

impl Position {
    /// What the sale holds of the investor's money.
    pub fn held(&self) -> U512 {
        self.paid - self.withdrawn - self.refunded
    }

    /// Tokens that go with it, before an outcome.
    pub fn held_tokens(&self) -> U512 {
        if self.rejections.is_zero() { self.tokens - self.withdrawn_tokens } else { U512::ZERO }
    }
}
