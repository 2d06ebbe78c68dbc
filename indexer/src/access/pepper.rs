//! What keys are hashed with: a secret of the service, so that a copy of the database alone is of no use even for trying keys.
//!
//! It is random and sealed under the master key, rather than derived from it: a key would otherwise end with the master key it was made
//! under, because its hash can only be made again by whoever holds it.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use secrecy::{ExposeSecret as _, SecretSlice, zeroize::Zeroizing};
use sqlx::PgConnection;

use super::{AccessError, ApiKey};
use crate::{
    db::service::sealed,
    seal::{Place, SealError, Sealer},
};

const NAME: &str = "api key pepper";
const PLACE: Place<'static> = Place { table: "secret", column: "sealed", row: NAME };

/// The secret that keys are hashed with.
pub struct Pepper(hmac::Key);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

impl Pepper {
    #[cfg(test)]
    pub(super) fn of(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// What is stored of a key or another text.
    pub fn hash(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.0, text.as_bytes()).as_ref().to_vec()
    }

    /// What a caller's text is found by, where the text itself is sealed: the same for the same caller and kind alone.
    pub fn hash_text(&self, kind: &str, caller: &str, text: &str) -> Vec<u8> {
        let mut whole = Vec::new();
        // With lengths: no two texts give the same bytes, and no key begins so.
        for part in ["text", kind, caller, text] {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part.as_bytes());
        }
        hmac::sign(&self.0, &whole).as_ref().to_vec()
    }

    /// Whether the hash is this key's; takes as long whatever the answer is.
    pub fn verify(&self, key: &ApiKey, hash: &[u8]) -> bool {
        hmac::verify(&self.0, key.expose().as_bytes(), hash).is_ok()
    }
}

/// Whether the sealer opens what the service has sealed first; none where it has sealed nothing yet. Writes nothing.
///
/// # Errors
/// [`AccessError::Seal`] where it was sealed with a master key that is not here.
pub async fn opens(connection: &mut PgConnection, sealer: &Sealer) -> Result<Option<()>, AccessError> {
    let Some(sealed) = sealed::find_secret(connection, NAME).await? else { return Ok(None) };
    let failed = |source| AccessError::Seal { table: PLACE.table.into(), row: NAME.into(), source };
    sealer.open(&sealed, PLACE).map_err(failed)?;
    Ok(Some(()))
}

/// The service's pepper, made when it is first asked for.
///
/// # Errors
/// [`AccessError::Seal`] where it was sealed with a master key that is not here.
pub async fn pepper(connection: &mut PgConnection, sealer: &Sealer) -> Result<Pepper, AccessError> {
    let failed = |source: SealError| AccessError::Seal { table: PLACE.table.into(), row: NAME.into(), source };
    let sealed = match sealed::find_secret(connection, NAME).await? {
        Some(sealed) => sealed,
        None => {
            let mut bytes = Zeroizing::new([0; 32]);
            rand::fill(&mut *bytes).map_err(|e| failed(e.into()))?;
            let fresh = sealer.seal(&SecretSlice::from(bytes.to_vec()), PLACE).map_err(failed)?;
            sealed::add_secret(connection, NAME, &fresh).await?;
            // Another may have been first.
            sealed::find_secret(connection, NAME).await?.unwrap_or(fresh)
        }
    };
    let secret = sealer.open(&sealed, PLACE).map_err(failed)?;
    Ok(Pepper(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret())))
}
