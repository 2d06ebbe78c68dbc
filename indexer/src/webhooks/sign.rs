//! Signatures: HMAC-SHA-256 with a secret that both ends have (`v1`), and ed25519 with a key that only we have (`v1a`). A receiver
//! checks the one it prefers.

use aws_lc_rs::{
    hmac, rand,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString, zeroize::Zeroizing};

use crate::{
    db::service::webhooks::SecretRow,
    seal::{Place, SealError, Sealer},
};

const LENGTH: usize = 32;

/// What a webhook's messages are signed with.
#[derive(Clone, Debug)]
pub struct SigningSecret {
    /// Shared with the receiver.
    hmac: SecretSlice<u8>,
    /// Ours alone.
    seed: SecretSlice<u8>,
}

impl SigningSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self { hmac: random()?, seed: random()? })
    }

    /// Of its parts.
    pub fn from_parts(hmac: SecretSlice<u8>, seed: SecretSlice<u8>) -> Self {
        Self { hmac, seed }
    }

    /// The shared half as it is shown: `whsec_` and Base64.
    pub fn shown(&self) -> SecretString {
        // With room for all of it, or it would leave a copy behind where it was.
        let mut text = Zeroizing::new(String::with_capacity(6 + LENGTH * 2));
        text.push_str("whsec_");
        BASE64_STANDARD.encode_string(self.hmac.expose_secret(), &mut text);
        SecretString::from(text.as_str())
    }

    /// The public half as it is shown: `whpk_` and Base64.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn public_key(&self) -> Result<String, SealError> {
        Ok(format!("whpk_{}", BASE64_STANDARD.encode(self.pair()?.public_key())))
    }

    /// As the database keeps it.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn seal(&self, sealer: &Sealer, id: String) -> Result<SecretRow, SealError> {
        Ok(SecretRow {
            hmac_sealed: sealer.seal(&self.hmac, place("hmac_sealed", &id))?,
            ed25519_sealed: sealer.seal(&self.seed, place("ed25519_sealed", &id))?,
            public_key: self.public_key()?,
            ends_at: None,
            id,
        })
    }

    /// As the database has kept it.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(sealer: &Sealer, row: &SecretRow) -> Result<Self, SealError> {
        Ok(Self {
            hmac: sealer.open(&row.hmac_sealed, place("hmac_sealed", &row.id))?,
            seed: sealer.open(&row.ed25519_sealed, place("ed25519_sealed", &row.id))?,
        })
    }

    /// Both signatures of a message that is sent at this Unix second, as `webhook-signature` has them.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> Result<String, SealError> {
        let signed = format!("{id}.{timestamp}.{body}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.hmac.expose_secret());
        let shared = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let own = BASE64_STANDARD.encode(self.pair()?.sign(signed.as_bytes()));
        Ok(format!("v1,{shared} v1a,{own}"))
    }

    fn pair(&self) -> Result<Ed25519KeyPair, SealError> {
        Ed25519KeyPair::from_seed_unchecked(self.seed.expose_secret()).map_err(|_| SealError::Library)
    }
}

fn place<'a>(column: &'a str, row: &'a str) -> Place<'a> {
    Place { table: "webhook_secret", column, row }
}

fn random() -> Result<SecretSlice<u8>, SealError> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    rand::fill(&mut *bytes)?;
    Ok(SecretSlice::from(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::hex;

    use super::*;

    #[test]
    fn signatures_are_those_of_published_vectors() {
        let hmac = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        // RFC 8032, section 7.1, test 1.
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let secret = SigningSecret::from_parts(SecretSlice::from(hmac), SecretSlice::from(seed));
        assert_eq!(secret.shown().expose_secret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        // The example of Standard Webhooks.
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}").unwrap();
        let (shared, own) = signed.split_once(' ').unwrap();
        assert_eq!(shared, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(own.starts_with("v1a,"));

        let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        assert_eq!(secret.public_key().unwrap(), format!("whpk_{}", BASE64_STANDARD.encode(public)));
        let empty = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(hex::encode(secret.pair().unwrap().sign(b"")), empty);
        assert!(!format!("{secret:?}").contains("MfKQ"));
    }
}
