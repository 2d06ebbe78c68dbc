//! Who may do what: keys of the API, and the acts on them, as the command line and the API share them. Each act and its line in the
//! audit log are one transaction of the caller's.

mod acts;
mod key;
mod log;
mod pepper;
mod rotation;
mod scope;
mod session;
mod signing;
#[cfg(test)]
mod tests;
mod written;

pub use acts::{Created, KeyError, KeyTerms, Source, create, register, revoke, rotate, rotate_public};
pub use key::{ApiKey, KeyForm, Kind, Mode, fresh_id};
pub use log::{AuditFault, Verified, verify};
pub use pepper::{Pepper, opens, pepper};
pub use rotation::{Rewrapped, rewrap_all};
pub use scope::{Scope, UnknownScope};
pub use session::{Nonce, SessionToken};
pub use signing::{PublicKey, PublicKeyForm};
pub use written::{is_label, is_visible, parse_network};

use crate::{db::DbError, seal::SealError};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A secret could not be sealed or opened.
    #[error("{table} {row}: {source}")]
    Seal {
        /// Its table.
        table: String,
        /// Its row.
        row: String,
        /// Why.
        source: SealError,
    },
    /// What was asked for cannot be.
    #[error(transparent)]
    Key(#[from] KeyError),
}
