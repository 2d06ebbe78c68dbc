//! The master key: what it is written as, what it is told apart by, and the key that wraps.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    aead::{AES_256_GCM, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use secrecy::{SecretString, zeroize::Zeroizing};

use super::{KEY, SealError};

/// What tells one master key from another: derived from it, and of no use for finding it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) [u8; Self::LENGTH]);

impl KeyId {
    /// Bytes of an id.
    pub const LENGTH: usize = 8;

    /// As it stands in sealed values.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text is not a master key. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyForm {
    /// Not 32 bytes.
    #[error("a master key is 32 bytes, in base64 or hexadecimal")]
    Length,
    /// One byte, 32 times: a placeholder that nobody has replaced.
    #[error("this is a placeholder: all of its bytes are the same")]
    Placeholder,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

/// A key that wraps data keys. It never encrypts a value itself, and nothing shows it.
pub struct MasterKey {
    id: KeyId,
    wrapping: RandomizedNonceKey,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Other keys for other ends, so that none says anything of another.
fn derive(key: &Prk, end: &[u8], out: &mut [u8]) -> Result<(), MasterKeyForm> {
    let info = [end];
    let okm = key.expand(&info, Length(out.len())).map_err(|_| MasterKeyForm::Library)?;
    okm.fill(out).map_err(|_| MasterKeyForm::Library)
}

impl MasterKey {
    fn from_bytes(bytes: &[u8; KEY]) -> Result<Self, MasterKeyForm> {
        if bytes.iter().all(|b| *b == bytes[0]) {
            return Err(MasterKeyForm::Placeholder);
        }
        let key = Salt::new(HKDF_SHA256, b"crowdsale master key").extract(bytes);
        let mut id = [0; KeyId::LENGTH];
        derive(&key, b"id", &mut id)?;
        let mut wrapping = Zeroizing::new([0; KEY]);
        derive(&key, b"wrapping of data keys", &mut *wrapping)?;
        let wrapping = RandomizedNonceKey::new(&AES_256_GCM, &*wrapping).map_err(|_| MasterKeyForm::Library)?;
        Ok(Self { id: KeyId(id), wrapping })
    }

    /// A new one, as text to be kept: 32 bytes from the operating system, in base64.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn generate() -> Result<SecretString, SealError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        rand::fill(&mut *bytes)?;
        Ok(SecretString::from(STANDARD.encode(*bytes)))
    }

    /// What tells it apart.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn wrapping(&self) -> &RandomizedNonceKey {
        &self.wrapping
    }
}

/// 64 hexadecimal digits, or base64 with or without its padding.
impl FromStr for MasterKey {
    type Err = MasterKeyForm;

    fn from_str(text: &str) -> Result<Self, MasterKeyForm> {
        let text = text.trim();
        let mut bytes = Zeroizing::new([0; KEY]);
        if text.len() == 2 * KEY {
            alloy::primitives::hex::decode_to_slice(text, &mut *bytes).map_err(|_| MasterKeyForm::Length)?;
        } else {
            let engine = if text.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
            let decoded = Zeroizing::new(engine.decode(text).map_err(|_| MasterKeyForm::Length)?);
            *bytes = decoded.as_slice().try_into().map_err(|_| MasterKeyForm::Length)?;
        }
        Self::from_bytes(&bytes)
    }
}
