//! Envelope encryption of what must not be read from a copy of the database: secrets of webhooks, references of the KYC desk.
//!
//! Every value has a data key of its own, which the master key wraps. So the master key can be replaced by wrapping the data keys anew
//! ([`Sealer::rewrap`]), without a look at what they encrypt. What encrypts is AES-256-GCM, both times.
//!
//! ```text
//! version 1 | id of the master key 8 | nonce 12, data key 32, tag 16 | nonce 12, value, tag 16
//! ```
//!
//! Both tags also cover the head and the [`Place`], so that a value moved to another row does not open there.

mod master;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use secrecy::{ExposeSecret, SecretBox, SecretSlice, zeroize::Zeroizing};

pub use master::{KeyId, MasterKey, MasterKeyForm};

const VERSION: u8 = 1;
const KEY: usize = 32;
const TAG: usize = 16;
/// Version and id of the master key.
const HEAD: usize = 1 + KeyId::LENGTH;
/// The head and the wrapped data key.
const ENVELOPE: usize = HEAD + NONCE_LEN + KEY + TAG;

/// Bytes that sealing adds to a value.
pub const OVERHEAD: usize = ENVELOPE + NONCE_LEN + TAG;

/// Where a sealed value stands. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table, without its schema.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's primary key, as text.
    pub row: &'a str,
}

/// Why a value was not sealed or opened. None of them says anything of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Too short to be one, or of a format that this version does not know.
    #[error("this is no sealed value of a format that this version knows")]
    Format,
    /// The master key that it was sealed with is not here.
    #[error(
        "it was sealed with master key {0}, which is not here: give it as CROWDSALE_MASTER_KEY, or as CROWDSALE_MASTER_KEY_OLD beside a newer one"
    )]
    UnknownKey(KeyId),
    /// It was changed, or it stands where it was not sealed for.
    #[error("it was changed after it was sealed, or moved here from elsewhere")]
    Tampered,
    /// The cryptographic library failed, for want of randomness or memory.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<aws_lc_rs::error::Unspecified> for SealError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}

/// Seals with one master key, and opens with that and older ones.
pub struct Sealer {
    /// The first seals; each opens what it has sealed.
    keys: Vec<MasterKey>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

impl Sealer {
    /// Whether it opens what other master keys than the present one have sealed.
    pub fn has_older(&self) -> bool {
        self.keys.len() > 1
    }

    /// Seals with `current`; opens what any of `older` has sealed too.
    pub fn new(current: MasterKey, older: impl IntoIterator<Item = MasterKey>) -> Self {
        Self { keys: std::iter::once(current).chain(older).collect() }
    }

    /// The master key that seals.
    pub fn current(&self) -> KeyId {
        self.keys[0].id()
    }

    /// Seals a value for its place, with a data key that nothing else has.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn seal(&self, plain: &SecretSlice<u8>, place: Place<'_>) -> Result<Vec<u8>, SealError> {
        let data_key = fresh_key()?;
        let mut sealed = wrap(&self.keys[0], &data_key, place)?;
        let mut value = plain.expose_secret().to_vec();
        let nonce = cipher(&data_key)?.seal_in_place_append_tag(aad(&[VERSION], b"value", place), &mut value)?;
        sealed.extend_from_slice(nonce.as_ref());
        // It is encrypted by now: nothing of the value is left in this buffer.
        sealed.append(&mut value);
        Ok(sealed)
    }

    /// The value, if it was sealed for this place.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<SecretSlice<u8>, SealError> {
        let (envelope, rest) = parts(sealed)?;
        let data_key = self.unwrap(envelope, place)?;
        let (nonce, body) = rest.split_at(NONCE_LEN);
        let mut value = Zeroizing::new(body.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = cipher(&data_key)?
            .open_in_place(nonce, aad(&[VERSION], b"value", place), &mut value)
            .map_err(|_| SealError::Tampered)?;
        Ok(SecretSlice::from(opened.to_vec()))
    }

    /// The same sealed value with its data key wrapped by the present master key; `None` where it is already. The value itself stays
    /// sealed all the while.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn rewrap(&self, sealed: &[u8], place: Place<'_>) -> Result<Option<Vec<u8>>, SealError> {
        let (envelope, rest) = parts(sealed)?;
        if key_id(envelope) == self.current() {
            return Ok(None);
        }
        let mut anew = wrap(&self.keys[0], &self.unwrap(envelope, place)?, place)?;
        anew.extend_from_slice(rest);
        Ok(Some(anew))
    }

    fn unwrap(&self, envelope: &[u8], place: Place<'_>) -> Result<DataKey, SealError> {
        let id = key_id(envelope);
        let key = self.keys.iter().find(|k| k.id() == id).ok_or(SealError::UnknownKey(id))?;
        let (head, wrapped) = envelope.split_at(HEAD);
        let (nonce, body) = wrapped.split_at(NONCE_LEN);
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = key
            .wrapping()
            .open_in_place(nonce, aad(head, b"data key", place), &mut body)
            .map_err(|_| SealError::Tampered)?;
        let mut data_key = Box::new([0; KEY]);
        data_key.copy_from_slice(opened);
        Ok(SecretBox::new(data_key))
    }
}

type DataKey = SecretBox<[u8; KEY]>;

/// A sealed value's envelope, and its nonce and body.
fn parts(sealed: &[u8]) -> Result<(&[u8], &[u8]), SealError> {
    if sealed.len() < OVERHEAD || sealed[0] != VERSION {
        return Err(SealError::Format);
    }
    Ok(sealed.split_at(ENVELOPE))
}

fn key_id(envelope: &[u8]) -> KeyId {
    let mut id = [0; KeyId::LENGTH];
    id.copy_from_slice(&envelope[1..HEAD]);
    KeyId(id)
}

fn wrap(master: &MasterKey, data_key: &DataKey, place: Place<'_>) -> Result<Vec<u8>, SealError> {
    let mut envelope = vec![VERSION];
    envelope.extend_from_slice(&master.id().0);
    let aad = aad(&envelope, b"data key", place);
    // With room for the tag, or it would move and leave the key behind where it was.
    let mut wrapped = Zeroizing::new(Vec::with_capacity(KEY + TAG));
    wrapped.extend_from_slice(data_key.expose_secret());
    let nonce = master.wrapping().seal_in_place_append_tag(aad, &mut *wrapped)?;
    envelope.extend_from_slice(nonce.as_ref());
    envelope.extend_from_slice(&wrapped);
    Ok(envelope)
}

fn cipher(data_key: &DataKey) -> Result<RandomizedNonceKey, SealError> {
    Ok(RandomizedNonceKey::new(&AES_256_GCM, data_key.expose_secret())?)
}

fn fresh_key() -> Result<DataKey, SealError> {
    let mut key = Box::new([0; KEY]);
    rand::fill(&mut *key)?;
    Ok(SecretBox::new(key))
}

/// What a tag covers beside its text. Each part with its length before it: no two places give the same bytes.
fn aad(head: &[u8], what: &[u8], place: Place<'_>) -> Aad<Vec<u8>> {
    let mut bytes = Vec::new();
    for part in [b"crowdsale seal", head, what, place.table.as_bytes(), place.column.as_bytes(), place.row.as_bytes()] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    Aad::from(bytes)
}
