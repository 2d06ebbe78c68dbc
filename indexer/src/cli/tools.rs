//! Where programs of others are: the ones the person has, else the ones that npm brought into the repository.
//! `CROWDSALE_TOOLS=bundled` takes npm's in any case.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::config::find_env;

/// Why a program was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// Neither in `PATH` nor in the repository.
    #[error("{name} was found neither in PATH nor in the repository's {folder}")]
    Missing {
        /// The program.
        name: &'static str,
        /// Where npm would have put it.
        folder: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// The cluster in the data folder needs a Postgres that is not here.
    #[error("the database in the data folder was made by Postgres {version}, which was not found")]
    Version {
        /// Major version.
        version: String,
    },
}

impl ToolError {
    /// The command that mends it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { hint, .. } => hint,
            Self::Version { .. } => {
                "in the repository: scripts/setup; or install that version, or use another --data folder"
            }
        }
    }
}

const FOUNDRY: &str = "contracts/node_modules";
const POSTGRES: &str = "indexer/postgres/node_modules";
const HINT_FOUNDRY: &str = "in the repository: scripts/setup";
const HINT_POSTGRES: &str = "install PostgreSQL 15 or newer, or in the repository: scripts/setup";
const HINT_NODE: &str = "install Node.js 20 or newer";

/// `anvil`, the development chain.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn find_anvil() -> Result<PathBuf, ToolError> {
    find_foundry("anvil")
}

/// `forge`, which builds and tests the contracts.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn find_forge() -> Result<PathBuf, ToolError> {
    find_foundry("forge")
}

/// `cast`, for looking at a chain by hand.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn find_cast() -> Result<PathBuf, ToolError> {
    find_foundry("cast")
}

/// `node`, which runs the compiler and builds the page.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn find_node() -> Result<PathBuf, ToolError> {
    in_path("node").ok_or(ToolError::Missing { name: "node", folder: "PATH", hint: HINT_NODE })
}

/// The folder that holds `initdb` and `postgres`, for a new cluster.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn find_postgres_bin() -> Result<PathBuf, ToolError> {
    let own = (!bundled_only()).then(own_postgres).flatten();
    own.or_else(bundled_postgres).ok_or(ToolError::Missing {
        name: "Postgres (initdb, postgres)",
        folder: POSTGRES,
        hint: HINT_POSTGRES,
    })
}

/// The folder with the Postgres of a cluster's major version: no other can read it, whichever is preferred for a new one.
///
/// # Errors
/// [`ToolError::Version`].
pub fn find_postgres_bin_of(version: &str) -> Result<PathBuf, ToolError> {
    [bundled_postgres(), own_postgres()]
        .into_iter()
        .flatten()
        .find(|bin| major_version(bin).as_deref() == Some(version))
        .ok_or_else(|| ToolError::Version { version: version.to_owned() })
}

fn own_postgres() -> Option<PathBuf> {
    let initdb = in_path("initdb").or_else(system_initdb)?;
    let bin = initdb.canonicalize().ok()?.parent()?.to_owned();
    is_program(&bin.join("postgres")).then_some(bin).or_else(|| Some(system_initdb()?.parent()?.to_owned()))
}

fn bundled_postgres() -> Option<PathBuf> {
    let initdb = in_repository(&format!("{POSTGRES}/@embedded-postgres/{}/native/bin/initdb", postgres_platform()))?;
    Some(initdb.parent()?.to_owned()).filter(|bin| is_program(&bin.join("postgres")))
}

/// `18` of `postgres (PostgreSQL) 18.4`.
fn major_version(bin: &Path) -> Option<String> {
    let output = std::process::Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = |word: &str| word.split('.').next().filter(|v| v.parse::<u32>().is_ok()).map(str::to_owned);
    text.split_whitespace().find_map(number)
}

/// A port that nothing listens on at this moment.
///
/// # Errors
/// Where the system has none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The repository's folder, if the command runs in one.
pub fn find_repository() -> Option<PathBuf> {
    roots().into_iter().find(|root| root.join("contracts/foundry.toml").is_file())
}

fn find_foundry(name: &'static str) -> Result<PathBuf, ToolError> {
    let own = (!bundled_only()).then(|| in_path(name)).flatten();
    own.or_else(|| in_repository(&format!("{FOUNDRY}/@foundry-rs/{name}-{}/bin/{name}", foundry_platform())))
        .ok_or(ToolError::Missing { name, folder: FOUNDRY, hint: HINT_FOUNDRY })
}

fn bundled_only() -> bool {
    find_env("CROWDSALE_TOOLS").as_deref() == Some("bundled")
}

fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// Debian and its kin keep the server's programs out of `PATH`. The newest version wins.
fn system_initdb() -> Option<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().ok()?.flatten();
    let version = |name: &Path| name.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u32>().ok());
    versions.map(|v| v.path()).max_by_key(|v| version(v)).map(|v| v.join("bin/initdb")).filter(|p| is_program(p))
}

fn in_repository(path: &str) -> Option<PathBuf> {
    roots().into_iter().map(|root| root.join(path)).find(|path| is_program(path))
}

/// The current folder, the binary's, and all above them.
fn roots() -> Vec<PathBuf> {
    let starts = [env::current_dir().ok(), env::current_exe().ok().and_then(|exe| exe.canonicalize().ok())];
    starts.iter().flatten().flat_map(|start| start.ancestors().map(Path::to_owned)).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

fn foundry_platform() -> &'static str {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => "unknown",
    }
}

fn postgres_platform() -> &'static str {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_found_from_inside() {
        let root = find_repository().expect("tests run in the repository");
        assert!(root.join("indexer/Cargo.toml").is_file());
    }

    #[test]
    fn what_is_missing_names_the_command_that_mends_it() {
        let error = ToolError::Missing { name: "anvil", folder: FOUNDRY, hint: HINT_FOUNDRY };
        assert_eq!(error.to_string(), "anvil was found neither in PATH nor in the repository's contracts/node_modules");
        assert!(error.hint().contains("scripts/setup"));
    }
}
