//! The form of a key: `crs_live_sk_`, 40 letters and digits, six of a checksum. Whoever scans text for leaked keys finds it, and what is
//! mistyped or cut off is refused without asking the database.

use std::{fmt, str::FromStr};

use aws_lc_rs::rand;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::Scope;
use crate::seal::SealError;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// `crs_live_sk_`.
const HEAD: usize = 12;
/// 238 bits, of which the 48 of the prefix are no secret.
pub(super) const BODY: usize = 40;
pub(super) const CHECKSUM: usize = 6;
/// How much of a key is shown and looked up.
const PREFIX: usize = HEAD + 8;

/// Where a key is meant to be used: for people and scanners, which see from it what a leak would cost. The service makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On a development or test chain.
    Test,
    /// Where money is.
    Live,
}

/// Whether a key can change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `rk`: it reads.
    Read,
    /// `sk`: it does more.
    Secret,
}

impl Kind {
    /// Of a key with these scopes.
    pub fn of(scopes: &[Scope]) -> Self {
        if scopes.iter().all(|s| s.only_reads()) { Self::Read } else { Self::Secret }
    }
}

/// A key of the API. Nothing shows it but [`ApiKey::expose`].
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyForm {
    /// It does not look like one.
    #[error("this is no key of this service: keys begin with crs_")]
    Form,
    /// Its checksum is another.
    #[error("the key is mistyped or cut off, as its checksum is wrong: copy all of it again")]
    Checksum,
}

impl ApiKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn generate(mode: Mode, kind: Kind) -> Result<Self, SealError> {
        let mode = if mode == Mode::Live { "live" } else { "test" };
        let kind = if kind == Kind::Read { "rk" } else { "sk" };
        // With room for all of it, or it would leave a copy behind where it was.
        let mut text = Zeroizing::new(String::with_capacity(HEAD + BODY + CHECKSUM));
        *text += &format!("crs_{mode}_{kind}_");
        random_digits(BODY, &mut text)?;
        let sum = checksum(&text);
        *text += &sum;
        Ok(Self(SecretString::from(text.as_str())))
    }

    /// The key itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The part of it that may be shown.
    pub fn prefix(&self) -> &str {
        &self.expose()[..PREFIX]
    }

    /// Whether it was made for a chain where money is.
    pub fn mode(&self) -> Mode {
        if self.expose().starts_with("crs_live") { Mode::Live } else { Mode::Test }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.prefix())
    }
}

impl FromStr for ApiKey {
    type Err = KeyForm;

    fn from_str(text: &str) -> Result<Self, KeyForm> {
        let heads = ["crs_test_rk_", "crs_test_sk_", "crs_live_rk_", "crs_live_sk_"];
        if !heads.iter().any(|head| text.starts_with(head)) {
            return Err(KeyForm::Form);
        }
        // ASCII throughout from here on, so every index is a boundary.
        if text.len() != HEAD + BODY + CHECKSUM || !text[HEAD..].bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(KeyForm::Checksum);
        }
        let (key, sum) = text.split_at(HEAD + BODY);
        if checksum(key) == sum { Ok(Self(SecretString::from(text))) } else { Err(KeyForm::Checksum) }
    }
}

/// So many random letters and digits, each as likely as any other.
pub(super) fn random_digits(count: usize, text: &mut String) -> Result<(), SealError> {
    let mut left = count;
    while left > 0 {
        let mut bytes = Zeroizing::new([0; 64]);
        rand::fill(&mut *bytes)?;
        // The bytes from 248 on would make the first digits likelier.
        for byte in bytes.iter().filter(|b| **b < 248).take(left) {
            text.push(char::from(DIGITS[usize::from(byte % 62)]));
            left -= 1;
        }
    }
    Ok(())
}

/// A fresh name for a row: `key_` and the like, and 20 letters and digits.
///
/// # Errors
/// [`SealError::Library`].
pub fn fresh_id(kind: &str) -> Result<String, SealError> {
    let mut id = format!("{kind}_");
    random_digits(20, &mut id)?;
    Ok(id)
}

/// CRC-32 of the text before it, in six digits of base 62.
pub(super) fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (mode, kind, head) in [
            (Mode::Live, Kind::Secret, "crs_live_sk_"),
            (Mode::Live, Kind::Read, "crs_live_rk_"),
            (Mode::Test, Kind::Secret, "crs_test_sk_"),
            (Mode::Test, Kind::Read, "crs_test_rk_"),
        ] {
            let key = ApiKey::generate(mode, kind).unwrap();
            assert!(key.expose().starts_with(head));
            assert_eq!(key.expose().len(), 58);
            let read: ApiKey = key.expose().parse().unwrap();
            assert_eq!((read.expose(), read.mode()), (key.expose(), mode));
            let shown = format!("{key:?}");
            assert!(shown.contains(key.prefix()) && !shown.contains(&key.expose()[PREFIX..]), "{shown}");
        }
        assert_eq!(Kind::of(&[Scope::SalesRead, Scope::ExportsRead]), Kind::Read);
        assert_eq!(Kind::of(&[Scope::SalesRead, Scope::OrdersWrite]), Kind::Secret);
    }

    #[test]
    fn every_single_mistake_is_noticed() {
        let key = ApiKey::generate(Mode::Live, Kind::Secret).unwrap();
        let text = key.expose();
        for at in 0..text.len() {
            for other in ['a', 'Z', '0', '_', 'é'] {
                let wrong: String = text.chars().enumerate().map(|(i, c)| if i == at { other } else { c }).collect();
                assert_eq!(wrong.parse::<ApiKey>().is_ok(), wrong == text, "{at} {other}");
            }
            assert!(text[..at].parse::<ApiKey>().is_err());
        }
        assert!(format!("{text}0").parse::<ApiKey>().is_err());
    }

    proptest! {
        #[test]
        fn nothing_else_is_a_key(text in "(crs_live_sk_)?.{0,80}") {
            prop_assert!(text.parse::<ApiKey>().is_err());
        }
    }
}
