//! The password of a keystore: from the environment, from a file, or from a person at a terminal. Never from the command line.

use std::{
    fs,
    io::{self, IsTerminal as _, Stdin, Write as _, stderr, stdin},
    path::PathBuf,
};

use nix::{
    errno::Errno,
    sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr},
    unistd,
};
use secrecy::{SecretString, zeroize::Zeroizing};

use super::find_env;

/// Most bytes of a password.
const MOST: usize = 1_024;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// None was given, and nobody can be asked.
    #[error("it needs a password, and neither {0} nor {0}_FILE gives one")]
    None(String),
    /// Both the variable and the file are given: which one holds is not for us to guess.
    #[error("both {0} and {0}_FILE are given")]
    Twice(String),
    /// The file cannot be read.
    #[error("cannot read the password's file {path}, which {name}_FILE names: {source}")]
    File {
        /// The variable.
        name: String,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The terminal gave none.
    #[error("no password came from the terminal: {0}")]
    Terminal(#[from] io::Error),
}

impl PasswordError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::None(_) => {
                "write the password into a file that nobody else may read, and that file's path into the variable that ends in _FILE; at a terminal, commands ask for it"
            }
            Self::Twice(_) => "unset one of the two, so that it is clear which password holds",
            Self::File { .. } => "check the path, and that this user may read the file, which is text",
            Self::Terminal(_) => "run it again and type the password, or give it in a file",
        }
    }
}

/// Where a password is looked for: in the first of these variables that is there, or in the file that it names with `_FILE`.
#[derive(Clone, Debug)]
pub(super) struct PasswordPlace {
    /// The first is the one that is named to people.
    variables: Vec<String>,
    /// Whether a person can be asked.
    asks: bool,
}

impl PasswordPlace {
    /// That of commands, which a person runs.
    pub(super) fn of_commands() -> Self {
        Self { variables: vec![COMMANDS.to_owned()], asks: true }
    }

    /// That of a key that a service signs with, which `variable` names: nobody may be there when it starts.
    pub(super) fn of_service(variable: &str) -> Self {
        Self { variables: vec![format!("{variable}_PASSWORD"), COMMANDS.to_owned()], asks: false }
    }

    /// The file that it is in, if it is in one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let given =
            self.variables.iter().find(|name| find_env(name).is_some() || find_env(&of_file(name)).is_some())?;
        find_env(&of_file(given)).map(PathBuf::from)
    }

    /// The password for what is in `place`.
    pub(super) fn read(&self, place: &str) -> Result<SecretString, PasswordError> {
        for name in &self.variables {
            match (find_env(name), find_env(&of_file(name))) {
                (Some(_), Some(_)) => return Err(PasswordError::Twice(name.clone())),
                (Some(text), None) => return Ok(SecretString::from(text)),
                (None, Some(path)) => return read_file(name, path),
                (None, None) => {}
            }
        }
        if self.asks && stdin().is_terminal() {
            return Ok(ask(&stdin(), place)?);
        }
        Err(PasswordError::None(self.variables.first().cloned().unwrap_or_default()))
    }
}

const COMMANDS: &str = "CROWDSALE_KEY_PASSWORD";

fn of_file(variable: &str) -> String {
    format!("{variable}_FILE")
}

fn read_file(name: &str, path: String) -> Result<SecretString, PasswordError> {
    match fs::read_to_string(&path).map(Zeroizing::new) {
        // The line end is the editor's. Blanks may be the password's.
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
        }
        Err(source) => Err(PasswordError::File { name: name.to_owned(), path, source }),
    }
}

/// Asks a person, and shows nothing of what is typed.
fn ask(terminal: &Stdin, place: &str) -> io::Result<SecretString> {
    let silent = Silent::begin(terminal)?;
    let mut to = stderr();
    write!(to, "password of {place}: ")?;
    to.flush()?;
    let typed = read_line(terminal);
    drop(silent);
    writeln!(to)?;
    typed
}

/// Key by key, as the terminal does nothing itself meanwhile: else Ctrl-C would end the program and leave a terminal that shows nothing.
fn read_line(terminal: &Stdin) -> io::Result<SecretString> {
    // As large as it can get: one that grows leaves copies behind.
    let mut typed = Zeroizing::new(Vec::with_capacity(MOST));
    let mut key = Zeroizing::new([0_u8]);
    loop {
        match unistd::read(terminal, &mut key[..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(Errno::EINTR) => continue,
            other => other?,
        };
        match key[0] {
            b'\r' | b'\n' => break,
            // Ctrl-C and Ctrl-D.
            3 => return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped")),
            4 if typed.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            4 => break,
            // Backspace takes a whole character; Ctrl-U everything.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            21 => typed.clear(),
            _ if typed.len() == MOST => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long")),
            other => typed.push(other),
        }
    }
    let text = std::str::from_utf8(&typed);
    text.map(SecretString::from).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

/// A terminal that neither shows nor acts on what is typed, until this goes.
struct Silent<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn begin(terminal: &'a Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        silent.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        silent.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, SetArg::TCSANOW, &self.before);
    }
}
