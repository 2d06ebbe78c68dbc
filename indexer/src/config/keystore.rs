//! A key in a Web3 Secret Storage file of version 3, as geth and cast write it.
//!
//! The cryptography is `eth-keystore`'s. It believes what a file says of costs and lengths: it would take any sum of memory, and panics
//! on a field that is too short. So all of it is checked here, before the password is tried.

use std::io::{self, Write as _};

use alloy::{hex, primitives::Address};
use eth_keystore::{CipherparamsJson, CryptoJson, EthKeystore, KdfType, KdfparamsType};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use serde_json::{Map, Value};

/// What opening one of geth's own files takes: n · r · p of scrypt. As many rounds of pbkdf2 take about as long.
const GETH: u64 = (1 << 18) * 8;
/// So many times of it is done for a file. It bounds the memory too: 128 bytes for each n · r, and so 1 GiB.
const MOST: u64 = 4;

/// Why a keystore gives no key. Nothing of what it holds sealed is repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The text is no JSON, or half of one.
    #[error("it begins as JSON and is none, or not the whole of it: see line {line}, column {column}")]
    Json {
        /// Where it breaks off.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// A field is missing, or has another form.
    #[error("it is no keystore, which is JSON by Web3 Secret Storage: {field} has to be {form}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it has to be.
        form: &'static str,
    },
    /// It is made in a way that is not known.
    #[error("{field} is {found:?}, and only {known} is known")]
    Unknown {
        /// What is.
        field: &'static str,
        /// What the file says.
        found: String,
        /// What is known.
        known: &'static str,
    },
    /// It asks for too much work.
    #[error("it asks for {0} times the work that geth's own files ask for, and {MOST} times is the most that is done")]
    Cost(u64),
    /// Its parameters of scrypt go together in no implementation of RFC 7914.
    #[error("its n, r and p are none that scrypt knows: n has to be a power of two, and less than 2^(16 r)")]
    Scrypt,
    /// The password is another.
    #[error("the password does not open it")]
    Password,
    /// It names another account than that of its key.
    #[error("it says that it is the key of {named}, and holds the key of {found}: it was changed")]
    Address {
        /// What it says.
        named: Address,
        /// What it holds.
        found: Address,
    },
    /// What it holds cannot be a key.
    #[error("what it holds sealed is no private key")]
    NoKey,
    /// There is no place for a scratch file.
    #[error("the folder of temporary files cannot be written: {0}")]
    Scratch(#[from] io::Error),
}

impl KeystoreError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Json { .. } | Self::Field { .. } => {
                "copy the whole file again, or make one: `cast wallet import NAME --keystore-dir DIR --interactive`"
            }
            Self::Unknown { .. } | Self::Cost(_) | Self::Scrypt => {
                "write the key into a keystore as geth and cast make it: `cast wallet import NAME --keystore-dir DIR --interactive`"
            }
            Self::Password => {
                "check the password: of a file, one line end at its end does not count, everything else does"
            }
            Self::Address { .. } | Self::NoKey => "take the file from your backup",
            Self::Scratch(_) => "make room there, or name another folder with TMPDIR",
        }
    }
}

/// A keystore whose every field can be what it says. Still sealed.
pub(super) struct Keystore {
    stored: EthKeystore,
    address: Option<Address>,
}

impl Keystore {
    /// Whether a text is meant to be one.
    pub(super) fn is_meant(text: &str) -> bool {
        text.trim_start().starts_with('{')
    }

    /// Reads all but what is sealed.
    pub(super) fn parse(text: &str) -> Result<Self, KeystoreError> {
        let value: Value =
            serde_json::from_str(text).map_err(|e| KeystoreError::Json { line: e.line(), column: e.column() })?;
        let wrong = |field, form| KeystoreError::Field { field, form };
        match value.get("version").and_then(Value::as_u64) {
            Some(3) => {}
            Some(other) => return Err(unknown("its version", &other.to_string(), "version 3")),
            None => return Err(wrong("version", "3")),
        }
        // With a capital in the oldest of them.
        let crypto = value.get("crypto").or_else(|| value.get("Crypto")).and_then(Value::as_object);
        let crypto = crypto.ok_or_else(|| wrong("crypto", "there"))?;
        let cipher = text_of(crypto, "cipher", "crypto.cipher")?;
        if cipher != "aes-128-ctr" {
            return Err(unknown("its cipher", cipher, "aes-128-ctr"));
        }
        let cipherparams = crypto.get("cipherparams").and_then(Value::as_object);
        let cipherparams = cipherparams.ok_or_else(|| wrong("crypto.cipherparams", "there"))?;
        let (kdf, kdfparams) = kdf(crypto)?;
        let stored = EthKeystore {
            crypto: CryptoJson {
                cipher: cipher.to_owned(),
                cipherparams: CipherparamsJson {
                    iv: bytes_of(cipherparams, "iv", "crypto.cipherparams.iv", 16, "16 bytes in hexadecimal")?,
                },
                ciphertext: bytes_of(crypto, "ciphertext", "crypto.ciphertext", 32, "32 bytes in hexadecimal")?,
                kdf,
                kdfparams,
                mac: bytes_of(crypto, "mac", "crypto.mac", 32, "32 bytes in hexadecimal")?,
            },
            // Of no use here, and not in every file.
            id: Default::default(),
            version: 3,
        };
        // Not every program writes it, and some write nothing into it.
        let address = value.get("address").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Ok(Self { stored, address })
    }

    /// The account that it says it is of.
    pub(super) fn address(&self) -> Option<Address> {
        self.address
    }

    /// Opens it: a second or so of work.
    pub(super) fn open(&self, password: &SecretString) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        // The library reads files alone. Not the one that was named: that may have changed since, or be a pipe. Nothing is open in it.
        let mut scratch = tempfile::NamedTempFile::new()?;
        serde_json::to_writer(&mut scratch, &self.stored).map_err(io::Error::from)?;
        scratch.flush()?;
        match eth_keystore::decrypt_key(scratch.path(), password.expose_secret()) {
            Ok(secret) => Ok(Zeroizing::new(secret)),
            Err(eth_keystore::KeystoreError::MacMismatch) => Err(KeystoreError::Password),
            Err(eth_keystore::KeystoreError::ScryptInvalidParams(_)) => Err(KeystoreError::Scrypt),
            Err(other) => Err(KeystoreError::Scratch(io::Error::other(other.to_string()))),
        }
    }
}

/// How the password becomes a key, within what is done for a file.
fn kdf(crypto: &Map<String, Value>) -> Result<(KdfType, KdfparamsType), KeystoreError> {
    let params = crypto.get("kdfparams").and_then(Value::as_object);
    let params = params.ok_or(KeystoreError::Field { field: "crypto.kdfparams", form: "there" })?;
    let number = |name: &str, field| {
        let number = params.get(name).and_then(Value::as_u64).filter(|n| *n > 0);
        number.ok_or(KeystoreError::Field { field, form: "a whole number above 0" })
    };
    let kdf = text_of(crypto, "kdf", "crypto.kdf")?;
    if !matches!(kdf, "scrypt" | "pbkdf2") {
        return Err(unknown("the way from its password to its key", kdf, "scrypt or pbkdf2"));
    }
    if number("dklen", "crypto.kdfparams.dklen")? != 32 {
        return Err(KeystoreError::Field { field: "crypto.kdfparams.dklen", form: "32" });
    }
    let salt = text_of(params, "salt", "crypto.kdfparams.salt")?;
    let salt = hex::decode(salt)
        .map_err(|_| KeystoreError::Field { field: "crypto.kdfparams.salt", form: "bytes in hexadecimal" })?;
    // It fits: a bound of 2^23 stands before it.
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    if kdf == "pbkdf2" {
        let prf = text_of(params, "prf", "crypto.kdfparams.prf")?;
        if prf != "hmac-sha256" {
            return Err(unknown("its pbkdf2's function", prf, "hmac-sha256"));
        }
        let c = number("c", "crypto.kdfparams.c")?;
        bounded(c)?;
        return Ok((KdfType::Pbkdf2, KdfparamsType::Pbkdf2 { c: narrow(c), dklen: 32, prf: prf.to_owned(), salt }));
    }
    let n = number("n", "crypto.kdfparams.n")?;
    let r = number("r", "crypto.kdfparams.r")?;
    let p = number("p", "crypto.kdfparams.p")?;
    bounded(n.saturating_mul(r).saturating_mul(p))?;
    // As RFC 7914 has it: the library takes the next lower power for any other number, and refuses the rest.
    if !n.is_power_of_two() || n == 1 || u64::from(n.trailing_zeros()) >= r.saturating_mul(16) {
        return Err(KeystoreError::Scrypt);
    }
    let (n, r, p) = (narrow(n), narrow(r), narrow(p));
    Ok((KdfType::Scrypt, KdfparamsType::Scrypt { dklen: 32, n, p, r, salt }))
}

fn bounded(work: u64) -> Result<(), KeystoreError> {
    if work > MOST * GETH { Err(KeystoreError::Cost(work.div_ceil(GETH))) } else { Ok(()) }
}

fn unknown(field: &'static str, found: &str, known: &'static str) -> KeystoreError {
    // A hostile file may have anything there.
    KeystoreError::Unknown { field, found: found.chars().take(40).collect(), known }
}

fn text_of<'a>(map: &'a Map<String, Value>, name: &str, field: &'static str) -> Result<&'a str, KeystoreError> {
    map.get(name).and_then(Value::as_str).ok_or(KeystoreError::Field { field, form: "there, and a text" })
}

fn bytes_of(
    map: &Map<String, Value>,
    name: &str,
    field: &'static str,
    length: usize,
    form: &'static str,
) -> Result<Vec<u8>, KeystoreError> {
    let bytes = hex::decode(text_of(map, name, field)?).ok().filter(|bytes| bytes.len() == length);
    bytes.ok_or(KeystoreError::Field { field, form })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The definition's own for pbkdf2; its password is `testpassword`.
    fn of_definition() -> Value {
        json!({
            "crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
                "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
                "kdf": "pbkdf2",
                "kdfparams": {
                    "c": 262_144,
                    "dklen": 32,
                    "prf": "hmac-sha256",
                    "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
                },
                "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
            },
            "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
            "version": 3
        })
    }

    /// What ethers 6 wrote for the key 0x33…33, with the costs of geth, a capital and an address; its password is `correct horse`.
    fn of_ethers() -> Value {
        json!({
            "address": "5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb",
            "id": "ab5cc2d6-fa34-44da-a4e3-8314024d2f57",
            "version": 3,
            "Crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": {"iv": "fb68b298fc0471005b53c75a3b0fbf15"},
                "ciphertext": "e7223ca190f6f9ca3399f1e8c50abef0da3627543eef13146eb16a961aed391a",
                "kdf": "scrypt",
                "kdfparams": {
                    "salt": "643477a123aa28ed51c0d98243dd2c7299a5538d6a82ea32a7906fb369f2c1a0",
                    "n": 262_144,
                    "dklen": 32,
                    "p": 1,
                    "r": 8
                },
                "mac": "bbd2ca63339f0aceeecb3a12560dedc1818ee29f76277a9c97dc122d8f615d3f"
            }
        })
    }

    /// The same in the small letters of geth.
    fn of_geth() -> Value {
        let mut value = of_ethers();
        let map = value.as_object_mut().unwrap();
        let crypto = map.remove("Crypto").unwrap();
        map.insert("crypto".to_owned(), crypto);
        value
    }

    fn parse(value: &Value) -> Result<Keystore, KeystoreError> {
        Keystore::parse(&value.to_string())
    }

    fn open(value: &Value, password: &str) -> Result<String, KeystoreError> {
        parse(value)?.open(&SecretString::from(password)).map(|secret| hex::encode(secret.as_slice()))
    }

    /// What is said of it with this value in that place.
    fn said(mut value: Value, pointer: &str, with: Value) -> String {
        *value.pointer_mut(pointer).unwrap() = with;
        let error = parse(&value).err().unwrap_or_else(|| panic!("{value} is taken"));
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn known_files_open_with_their_password_alone() {
        let secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        assert_eq!(open(&of_definition(), "testpassword").unwrap(), secret);
        assert!(matches!(open(&of_definition(), "testpassword "), Err(KeystoreError::Password)));
        // With a prefix, and no id.
        let mut other = of_definition();
        other["crypto"]["mac"] = json!(format!("0x{}", other["crypto"]["mac"].as_str().unwrap()));
        other.as_object_mut().unwrap().remove("id");
        assert_eq!(open(&other, "testpassword").unwrap(), secret);

        let address = parse(&of_ethers()).unwrap().address();
        assert_eq!(address, Some("0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB".parse().unwrap()));
        assert_eq!(open(&of_ethers(), "correct horse").unwrap(), "33".repeat(32));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        for pointer in ["/crypto/ciphertext", "/crypto/mac", "/crypto/kdfparams/salt"] {
            let mut changed = of_definition();
            let field = changed.pointer_mut(pointer).unwrap();
            *field = json!(format!("ff{}", &field.as_str().unwrap()[2..]));
            assert!(matches!(open(&changed, "testpassword"), Err(KeystoreError::Password)), "{pointer}");
        }
    }

    #[test]
    fn half_a_file_is_said_to_be_half() {
        let text = of_geth().to_string();
        for end in 1..text.len() {
            let error = Keystore::parse(&text[..end]).err();
            assert!(matches!(error, Some(KeystoreError::Json { .. })), "{end}: {error:?}");
        }
    }

    #[test]
    fn every_field_is_looked_at_before_it_is_used() {
        // A library that trusts these would panic, or take the wrong thing for right.
        for (pointer, value, words) in [
            ("/version", json!(1), "only version 3 is known"),
            ("/version", json!("3"), "version has to be 3"),
            ("/crypto", json!([]), "crypto has to be there"),
            ("/crypto/cipher", json!("aes-128-cbc"), "only aes-128-ctr is known"),
            ("/crypto/cipherparams", json!(null), "crypto.cipherparams"),
            ("/crypto/cipherparams/iv", json!("6087dab2f9fdbbfaddc31a909735c1"), "16 bytes"),
            ("/crypto/ciphertext", json!("53"), "32 bytes"),
            ("/crypto/ciphertext", json!(5), "and a text"),
            ("/crypto/mac", json!("zz"), "32 bytes"),
            ("/crypto/kdf", json!("argon2id"), "only scrypt or pbkdf2 is known"),
            ("/crypto/kdfparams", json!(1), "crypto.kdfparams"),
            ("/crypto/kdfparams/dklen", json!(16), "dklen has to be 32"),
            ("/crypto/kdfparams/salt", json!("x"), "bytes in hexadecimal"),
        ] {
            let said = said(of_geth(), pointer, value);
            assert!(said.contains(words), "{pointer}: {said}");
        }
        let said = said(of_definition(), "/crypto/kdfparams/prf", json!("hmac-sha512"));
        assert!(said.contains("only hmac-sha256 is known"), "{said}");
        // What a file says is shown as text that does nothing to a terminal, and not at any length.
        let mut hostile = of_geth();
        hostile["crypto"]["kdf"] = json!(format!("\u{1b}[2J{}", "x".repeat(1_000)));
        let said = parse(&hostile).err().unwrap().to_string();
        assert!(said.len() < 200 && !said.contains('\u{1b}'), "{said}");
        // The parameters of the one are not taken for those of the other.
        let mut mixed = of_geth();
        mixed["crypto"]["kdf"] = json!("pbkdf2");
        assert!(parse(&mixed).err().unwrap().to_string().contains("crypto.kdfparams.prf"));
    }

    #[test]
    fn no_file_takes_more_work_than_four_of_geths() {
        let scrypt = |n: u64, r: u64, p: u64| {
            let mut value = of_geth();
            for (name, number) in [("n", n), ("r", r), ("p", p)] {
                value["crypto"]["kdfparams"][name] = json!(number);
            }
            parse(&value).err()
        };
        assert!(scrypt(1 << 20, 8, 1).is_none());
        assert!(scrypt(1 << 18, 8, 4).is_none());
        for (n, r, p) in [(1 << 21, 8, 1), (1 << 18, 8, 5), (2, 1, u64::MAX), (u64::MAX, u64::MAX, 1), (1 << 30, 8, 1)]
        {
            assert!(matches!(scrypt(n, r, p), Some(KeystoreError::Cost(5..))), "{n} {r} {p}");
        }
        assert!(scrypt(1 << 30, 8, 1).unwrap().to_string().contains("4096 times"));
        // The last is the definition's own example: RFC 7914 came later, and rules it out.
        for (n, r, p) in [(1, 8, 1), (262_143, 8, 1), (1 << 16, 1, 1), (1 << 18, 1, 8)] {
            assert!(matches!(scrypt(n, r, p), Some(KeystoreError::Scrypt)), "{n} {r} {p}");
        }
        for (n, r, p) in [(0, 8, 1), (1 << 18, 0, 1), (1 << 18, 8, 0)] {
            assert!(matches!(scrypt(n, r, p), Some(KeystoreError::Field { .. })), "{n} {r} {p}");
        }
        let rounds = |c: u64| {
            let mut value = of_definition();
            value["crypto"]["kdfparams"]["c"] = json!(c);
            parse(&value).err()
        };
        assert!(rounds(1 << 23).is_none());
        assert!(matches!(rounds((1 << 23) + 1), Some(KeystoreError::Cost(5))));
    }
}
