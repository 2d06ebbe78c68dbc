//! Public keys of those who sign their requests instead of sending a key: Ed25519.

use std::str::FromStr;

use aws_lc_rs::{digest, signature};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What stands before the 32 bytes in a SubjectPublicKeyInfo (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A text is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyForm {
    /// It does not look like one.
    #[error("is no Ed25519 public key: give the PEM of `openssl pkey -pubout`, or its 32 bytes in base64")]
    Form,
    /// It is a private key, which nobody but its owner should have seen.
    #[error("is a private key: give the public one, and replace this one, as it has been shown")]
    Private,
}

impl PublicKey {
    /// The key's 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its bytes in base64.
    pub fn text(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Whether the owner of the key has signed the message.
    pub fn verify(&self, message: &[u8], signed: &[u8]) -> bool {
        signature::UnparsedPublicKey::new(&signature::ED25519, self.0).verify(message, signed).is_ok()
    }

    /// What it is shown and told apart by.
    pub(super) fn fingerprint(&self) -> String {
        let digest = digest::digest(&digest::SHA256, &self.0);
        let hex: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("ed25519_{hex}")
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyForm;

    fn from_str(text: &str) -> Result<Self, PublicKeyForm> {
        if text.contains("PRIVATE KEY") {
            return Err(PublicKeyForm::Private);
        }
        let bare: String =
            text.trim().lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect::<Vec<_>>().concat();
        let bytes = STANDARD.decode(bare).map_err(|_| PublicKeyForm::Form)?;
        let key = bytes.strip_prefix(&SPKI).unwrap_or(&bytes);
        // The library says whether it is a point of the curve.
        let parsed = <[u8; 32]>::try_from(key).map_err(|_| PublicKeyForm::Form)?;
        signature::ParsedPublicKey::new(&signature::ED25519, parsed).map_err(|_| PublicKeyForm::Form)?;
        Ok(Self(parsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, B.1.4.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
";

    #[test]
    fn every_form_is_the_same_key() {
        let key: PublicKey = PEM.parse().unwrap();
        assert_eq!(key.text().parse(), Ok(key));
        assert_eq!(key.text(), "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");
        assert_eq!(PEM.replace('\n', "\r\n").parse(), Ok(key));
        assert_eq!(key.fingerprint().len(), 24);
        for wrong in ["", "x", "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0Q==", "é", &PEM[..60]] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(PublicKeyForm::Form), "{wrong}");
        }
        let private = PEM.replace("PUBLIC", "PRIVATE");
        assert_eq!(private.parse::<PublicKey>(), Err(PublicKeyForm::Private));
    }
}
