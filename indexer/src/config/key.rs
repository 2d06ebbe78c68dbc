//! The key that signs: from a file or the environment, as it is or in a keystore, or a development chain's published accounts.

use std::{
    fmt, fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use alloy::{
    primitives::{Address, B256, b256},
    signers::local::PrivateKeySigner,
};
use clap::Args;
use secrecy::zeroize::Zeroizing;

use super::{
    DEV_CHAIN_ID, find_env,
    keystore::{Keystore, KeystoreError},
    password::{PasswordError, PasswordPlace},
};

/// The published keys of anvil and hardhat. Everybody has them: whatever they own on a real chain is gone at once.
pub const DEV_ACCOUNTS: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// Which key signs. The environment holds one in `CROWDSALE_PRIVATE_KEY`, or a file's path in `CROWDSALE_PRIVATE_KEY_FILE`.
#[derive(Args, Clone, Debug)]
pub struct KeyArgs {
    /// File with the private key: in hexadecimal, or a keystore as geth and cast write it, whose password is asked for, or in
    /// CROWDSALE_KEY_PASSWORD_FILE. Else the environment's CROWDSALE_PRIVATE_KEY or CROWDSALE_PRIVATE_KEY_FILE. A key is never
    /// written on the command line, where every program could read it
    #[arg(long, value_name = "FILE", conflicts_with = "dev_account", help_heading = "Key")]
    pub private_key_file: Option<PathBuf>,

    /// One of the ten accounts whose keys are published, 0 to 9: on a development chain (id 31337) only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..10), help_heading = "Key")]
    pub dev_account: Option<u8>,
}

/// A key that signs. Never printed: its `Debug` is its address.
#[derive(Clone)]
pub struct Key(PrivateKeySigner);

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No key was given.
    #[error("no key was given to sign with")]
    None,
    /// The environment names two.
    #[error("both {variable} and {variable}_FILE are given, and only one of them can be meant")]
    Both {
        /// The first of the two.
        variable: &'static str,
    },
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// What was found is not a private key. It is not repeated.
    #[error("{place} does not hold a private key, which is 64 hexadecimal digits, or a keystore")]
    Form {
        /// Where it was looked for.
        place: String,
    },
    /// A keystore that gives no key.
    #[error("cannot open the keystore {place}: {source}")]
    Keystore {
        /// Where it is.
        place: String,
        /// Why.
        source: KeystoreError,
    },
    /// A keystore without its password.
    #[error("cannot open the keystore {place}: {source}")]
    Password {
        /// Where it is.
        place: String,
        /// Why.
        source: PasswordError,
    },
    /// A published key off a development chain.
    #[error("the key of {address} is published, and this is chain {chain_id}, not a development chain")]
    Published {
        /// Its address.
        address: Address,
        /// The chain.
        chain_id: u64,
    },
}

impl KeyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::None => {
                "name a file with the key: --private-key-file FILE; on a development chain take a published one: --dev-account 0"
            }
            Self::Both { .. } => "unset one of the two",
            Self::File { .. } => "check the path, and that you may read the file",
            Self::Form { .. } => "put the key alone into it, in hexadecimal, or a keystore as geth and cast write it",
            Self::Keystore { source, .. } => source.hint(),
            Self::Password { source, .. } => source.hint(),
            Self::Published { .. } => "anyone can take what a published key owns: sign with a key of your own",
        }
    }
}

impl KeyArgs {
    /// Reads the key and refuses a published one on any chain but a development chain.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(&self, chain_id: u64) -> Result<Key, KeyError> {
        let password = PasswordPlace::of_commands();
        let key = match (self.dev_account, &self.private_key_file) {
            (Some(index), _) => {
                DEV_ACCOUNTS.get(usize::from(index)).and_then(|k| Key::new(*k)).ok_or(KeyError::None)?
            }
            (None, Some(path)) => read_file(path, &password)?,
            (None, None) => match (find_env("CROWDSALE_PRIVATE_KEY"), find_env("CROWDSALE_PRIVATE_KEY_FILE")) {
                (Some(_), Some(_)) => return Err(KeyError::Both { variable: "CROWDSALE_PRIVATE_KEY" }),
                (Some(text), None) => read_key(&Zeroizing::new(text), "CROWDSALE_PRIVATE_KEY", &password)?,
                (None, Some(path)) => read_file(path.as_ref(), &password)?,
                (None, None) => return Err(KeyError::None),
            },
        };
        if chain_id != DEV_CHAIN_ID && key.is_published() {
            return Err(KeyError::Published { address: key.address(), chain_id });
        }
        Ok(key)
    }
}

/// Where a key is that a service signs with. What is there may be replaced while it runs.
#[derive(Clone, Debug)]
pub struct KeyPlace {
    variable: &'static str,
    /// `None` where the variable itself holds it.
    file: Option<PathBuf>,
    password: PasswordPlace,
    seen: Stamp,
}

/// How the files of a key and of its password were: when they were written and changed, how large they were, and which.
type Stamp = [Option<(SystemTime, i64, i64, u64, u64)>; 2];

impl KeyPlace {
    /// In `file`, else in the environment's `variable`, or in the file that `variable` and `_FILE` name. `None` where none is given.
    ///
    /// # Errors
    /// [`KeyError::Both`].
    pub fn find(file: Option<&Path>, variable: &'static str) -> Result<Option<Self>, KeyError> {
        let file = match (file, find_env(variable), find_env(&format!("{variable}_FILE"))) {
            (Some(path), ..) => Some(path.to_owned()),
            (None, Some(_), Some(_)) => return Err(KeyError::Both { variable }),
            (None, Some(_), None) => None,
            (None, None, Some(path)) => Some(path.into()),
            (None, None, None) => return Ok(None),
        };
        Ok(Some(Self { variable, file, password: PasswordPlace::of_service(variable), seen: Stamp::default() }))
    }

    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Whether its files are others than when it was last read. What the environment holds never changes.
    pub fn has_changed(&self) -> bool {
        self.seen != self.stamp()
    }

    /// Reads the key. Opening a keystore takes a second or so.
    ///
    /// # Errors
    /// [`KeyError`]. It is read again only after another change.
    pub fn read(&mut self) -> Result<Key, KeyError> {
        // Before, so that a change in between is seen as one.
        self.seen = self.stamp();
        match &self.file {
            Some(path) => read_file(path, &self.password),
            None => {
                let text = Zeroizing::new(find_env(self.variable).unwrap_or_default());
                read_key(&text, self.variable, &self.password)
            }
        }
    }

    /// Looks at it again even if nothing changes.
    pub fn forget(&mut self) {
        self.seen = Stamp::default();
    }

    fn stamp(&self) -> Stamp {
        [self.file.clone(), self.password.file()].map(|file| {
            // A pipe gives what it has once, and looks another with every byte.
            let found = fs::metadata(file?).ok().filter(fs::Metadata::is_file)?;
            Some((found.modified().ok()?, found.ctime(), found.ctime_nsec(), found.ino(), found.len()))
        })
    }
}

/// More than any key or keystore has.
const MOST: u64 = 64 * 1_024;

fn read_file(path: &Path, password: &PasswordPlace) -> Result<Key, KeyError> {
    let shown = path.display().to_string();
    // Never more than that: what is named may be a device without an end.
    let mut text = Zeroizing::new(String::with_capacity(MOST as usize + 1));
    let read = fs::File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    read.map_err(|source| match source.kind() {
        io::ErrorKind::InvalidData => KeyError::Form { place: shown.clone() },
        _ => KeyError::File { path: shown.clone(), source },
    })?;
    read_key(&text, &shown, password)
}

fn read_key(text: &str, place: &str, password: &PasswordPlace) -> Result<Key, KeyError> {
    if Keystore::is_meant(text) {
        return open(text, place, password);
    }
    let text = text.trim();
    let key = text.strip_prefix("0x").unwrap_or(text).parse::<B256>().ok().and_then(Key::new);
    key.ok_or_else(|| KeyError::Form { place: place.to_owned() })
}

fn open(text: &str, place: &str, password: &PasswordPlace) -> Result<Key, KeyError> {
    let wrong = |source| KeyError::Keystore { place: place.to_owned(), source };
    // What is wrong with the file is said before anybody is asked for a password.
    let keystore = Keystore::parse(text).map_err(wrong)?;
    let password = password.read(place).map_err(|source| KeyError::Password { place: place.to_owned(), source })?;
    let secret = keystore.open(&password).map_err(wrong)?;
    let key = B256::try_from(secret.as_slice()).ok().and_then(Key::new).ok_or_else(|| wrong(KeystoreError::NoKey))?;
    match keystore.address() {
        Some(named) if named != key.address() => Err(wrong(KeystoreError::Address { named, found: key.address() })),
        _ => Ok(key),
    }
}

impl Key {
    /// `None` for zero and numbers beyond the curve's order.
    fn new(secret: B256) -> Option<Self> {
        PrivateKeySigner::from_bytes(&secret).ok().map(Self)
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.0.address()
    }

    /// The signer, to be put into a wallet.
    pub fn into_signer(self) -> PrivateKeySigner {
        self.0
    }

    /// Whether everybody has it.
    pub fn is_published(&self) -> bool {
        DEV_ACCOUNTS.contains(&self.0.to_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(of {})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(text: &str) -> (tempfile::NamedTempFile, KeyArgs) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let args = KeyArgs { private_key_file: Some(file.path().to_owned()), dev_account: None };
        (file, args)
    }

    #[test]
    fn published_keys_stay_on_development_chains() {
        let args = KeyArgs { private_key_file: None, dev_account: Some(0) };
        let key = args.read(DEV_CHAIN_ID).unwrap();
        assert_eq!(key.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert!(matches!(args.read(1), Err(KeyError::Published { chain_id: 1, .. })));

        let (_file, args) = file(&format!("{}\n", DEV_ACCOUNTS[3]));
        assert!(args.read(DEV_CHAIN_ID).is_ok());
        assert!(matches!(args.read(1), Err(KeyError::Published { .. })));
    }

    #[test]
    fn a_key_is_never_printed() {
        let secret = "11".repeat(32);
        let (_file, args) = file(&secret);
        let key = args.read(1).unwrap();
        assert!(!format!("{key:?}").contains(&secret));

        let (_file, args) = file(&"zz".repeat(32));
        let error = args.read(1).unwrap_err();
        assert!(matches!(error, KeyError::Form { .. }));
        assert!(!format!("{error} {error:?}").contains("zz"));
        let (_file, args) = file(&"00".repeat(32));
        assert!(args.read(1).is_err());
    }

    #[test]
    fn a_file_that_is_replaced_has_changed_and_a_pipe_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "11".repeat(32)).unwrap();
        let mut place = KeyPlace::find(Some(&path), "CROWDSALE_NO_SUCH_SIGNER").unwrap().unwrap();
        assert!(place.has_changed());
        let first = place.read().unwrap().address();
        assert!(!place.has_changed());
        // Of the same length, and as if written at the same moment.
        let other = folder.path().join("other");
        fs::write(&other, "22".repeat(32)).unwrap();
        let times = fs::FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
        fs::File::options().write(true).open(&other).unwrap().set_times(times).unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(place.has_changed());
        assert_ne!(place.read().unwrap().address(), first);
        fs::remove_file(&path).unwrap();
        assert!(place.has_changed());
        assert!(matches!(place.read(), Err(KeyError::File { .. })));
        assert!(!place.has_changed());
        place.forget();
        assert!(!place.has_changed(), "there is nothing to be read");

        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "11".repeat(32)).unwrap()
        });
        let mut place = KeyPlace::find(Some(&pipe), "CROWDSALE_NO_SUCH_SIGNER").unwrap().unwrap();
        assert_eq!(place.read().unwrap().address(), first);
        writer.join().unwrap();
        assert!(!place.has_changed());
    }
}
