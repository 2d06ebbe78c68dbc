//! What a wallet signs in with, and the token it then has: `cws_`, 40 letters and digits, six of a checksum.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{
    KeyForm, Pepper,
    key::{BODY, CHECKSUM, checksum, fresh_id, random_digits},
};
use crate::seal::SealError;

const HEAD: &str = "cws_";

/// The token of a session. Nothing shows it but [`SessionToken::expose`].
#[derive(Clone)]
pub struct SessionToken(SecretString);

impl SessionToken {
    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn generate() -> Result<Self, SealError> {
        let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + BODY + CHECKSUM));
        *text += HEAD;
        random_digits(BODY, &mut text)?;
        let sum = checksum(&text);
        *text += &sum;
        Ok(Self(SecretString::from(text.as_str())))
    }

    /// A fresh name for a session.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn fresh_id() -> Result<String, SealError> {
        fresh_id("ses")
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether a text is meant to be one.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(HEAD)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

impl FromStr for SessionToken {
    type Err = KeyForm;

    fn from_str(text: &str) -> Result<Self, KeyForm> {
        let rest = text.strip_prefix(HEAD).ok_or(KeyForm::Form)?;
        if rest.len() != BODY + CHECKSUM || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(KeyForm::Checksum);
        }
        let (token, sum) = text.split_at(HEAD.len() + BODY);
        if checksum(token) == sum { Ok(Self(SecretString::from(text))) } else { Err(KeyForm::Checksum) }
    }
}

/// What a wallet signs once: when it was given out, chance, and a mark by which the service knows it as its own. So nothing is kept of
/// those that nobody comes back with, and anybody may ask for as many as they like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(String);

/// Digits of the time and of chance.
const TIME: usize = 11;
const CHANCE: usize = 16;
const MARK: usize = 32;

impl Nonce {
    /// Seconds that it is good for.
    pub const LIFE: i64 = 600;

    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn fresh(pepper: &Pepper, now: i64) -> Result<Self, SealError> {
        let mut text = format!("{now:0TIME$}");
        random_digits(CHANCE, &mut text)?;
        let mark = mark(pepper, &text);
        Ok(Self(text + &mark))
    }

    /// As it is signed: letters and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the service has given it out, and not too long ago.
    pub fn is_good(pepper: &Pepper, text: &str, now: i64) -> bool {
        if text.len() != TIME + CHANCE + MARK || !text.is_ascii() {
            return false;
        }
        let (told, its_mark) = text.split_at(TIME + CHANCE);
        let given = told[..TIME].parse::<i64>().ok();
        let fresh = given.is_some_and(|given| (0..=Self::LIFE).contains(&(now - given)));
        aws_lc_rs::constant_time::verify_slices_are_equal(mark(pepper, told).as_bytes(), its_mark.as_bytes()).is_ok()
            && fresh
    }
}

fn mark(pepper: &Pepper, told: &str) -> String {
    let hash = pepper.hash(&format!("sign-in nonce\n{told}"));
    hash.iter().take(MARK / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written_and_no_other_way() {
        let token = SessionToken::generate().unwrap();
        let text = token.expose();
        assert_eq!((text.len(), text.parse::<SessionToken>().unwrap().expose()), (50, text));
        assert!(SessionToken::is_meant(text) && !format!("{token:?}").contains(&text[4..]));
        for at in 0..text.len() {
            assert!(text[..at].parse::<SessionToken>().is_err());
            let wrong: String = text.chars().enumerate().map(|(i, c)| if i == at { '_' } else { c }).collect();
            assert_eq!(wrong.parse::<SessionToken>().is_ok(), wrong == text);
        }
    }

    #[test]
    fn a_nonce_is_known_for_its_time_by_who_gave_it() {
        let pepper = Pepper::of(&[7; 32]);
        let nonce = Nonce::fresh(&pepper, 1_800_000_000).unwrap();
        assert!(nonce.as_str().len() >= 8 && nonce.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(nonce, Nonce::fresh(&pepper, 1_800_000_000).unwrap());
        let good = |text: &str, now| Nonce::is_good(&pepper, text, now);
        assert!(good(nonce.as_str(), 1_800_000_000) && good(nonce.as_str(), 1_800_000_600));
        assert!(!good(nonce.as_str(), 1_800_000_601) && !good(nonce.as_str(), 1_799_999_999));
        assert!(!Nonce::is_good(&Pepper::of(&[8; 32]), nonce.as_str(), 1_800_000_000));
        for at in 0..nonce.as_str().len() {
            let text: String = nonce.as_str().chars().enumerate().map(|(i, c)| if i == at { 'é' } else { c }).collect();
            assert!(!good(&text, 1_800_000_000) && !good(&nonce.as_str()[..at], 1_800_000_000));
        }
        let younger = nonce.as_str().replacen("01800000000", "01800000001", 1);
        assert!(!good(&younger, 1_800_000_001));
    }
}
