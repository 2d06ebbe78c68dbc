//! The embedded Postgres. It refuses to run as root, so root starts it as an unprivileged user.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::primitives::{hex, keccak256};
use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::process::Command;

use super::{
    super::{failure::Failure, tools},
    child::{self, Running},
};

const USER: &str = "crowdsale";
/// File in the data folder.
const PASSWORD: &str = "database-password";

/// A running Postgres.
#[derive(Debug)]
pub struct Postgres {
    running: Running,
    port: u16,
    password: String,
    /// Its output.
    pub log: PathBuf,
    /// The file with its URL, readable by the owner alone.
    pub url_file: PathBuf,
}

/// Where the cluster and the binaries stand, and who runs them.
struct Place {
    bin: PathBuf,
    home: PathBuf,
    elsewhere: PathBuf,
    user: Option<User>,
}

/// Makes a folder that others can enter and nobody else can write, or takes the one that is there, if it is ours: the name is
/// known to everybody, and what stands in it is run and written by root.
fn own_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    if let Err(error) = fs::create_dir(folder)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error).with_context(|| format!("cannot make {}", folder.display()));
    }
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Err(Failure::new(
            format!("cannot use {}", folder.display()),
            "it is there already and belongs to somebody else",
            "remove it, or use a --data folder that the users `postgres` or `nobody` can reach",
        ));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
    Ok(())
}

fn elsewhere(data: &Path) -> PathBuf {
    let name = hex::encode(&keccak256(data.as_os_str().as_encoded_bytes())[..8]);
    PathBuf::from(format!("/var/tmp/crowdsale-{name}"))
}

impl Place {
    /// Root's home is closed to the unprivileged user, and often holds the data folder: then the cluster goes to a folder
    /// under `/var/tmp` that is named after the data folder.
    fn choose(data: &Path) -> Result<Self> {
        let mut place = Self { bin: PathBuf::new(), home: data.to_owned(), elsewhere: elsewhere(data), user: None };
        if geteuid().is_root() {
            place.user = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
            if place.user.is_none() {
                bail!("Postgres does not run as root, and this system has no user `postgres` or `nobody` to run it");
            }
            if !place.can_reach(data)? {
                place.home = place.elsewhere.clone();
                own_folder(&place.home)?;
            }
        }
        Ok(place)
    }

    /// Takes the binaries in `bin`, or a copy of them where the unprivileged user cannot reach them.
    fn take(&mut self, bin: PathBuf) -> Result<()> {
        if self.can_reach(&bin.join("initdb"))? {
            self.bin = bin;
            return Ok(());
        }
        own_folder(&self.elsewhere)?;
        let copy = self.elsewhere.join("binaries");
        if !copy.exists() {
            // Made beside its place and moved there when it is whole: an interrupted copy is made again.
            let making = self.elsewhere.join("binaries.making");
            if making.exists() {
                fs::remove_dir_all(&making)?;
            }
            let from = bin.parent().context("the folder of initdb has no parent")?;
            let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(&making).status()?;
            let opened = std::process::Command::new("chmod").args(["-R", "a+rX"]).arg(&making).status()?;
            if !copied.success() || !opened.success() {
                bail!("cannot copy Postgres from {} to {}", from.display(), making.display());
            }
            fs::rename(&making, &copy)?;
        }
        self.bin = copy.join("bin");
        Ok(())
    }

    fn can_reach(&self, path: &Path) -> Result<bool> {
        let mut test = std::process::Command::new("test");
        test.arg("-x").arg(path);
        if let Some(user) = &self.user {
            use std::os::unix::process::CommandExt;
            test.uid(user.uid.as_raw()).gid(user.gid.as_raw()).current_dir("/");
        }
        Ok(test.status()?.success())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.home);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.user {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(())
    }
}

/// Starts Postgres on a free port, making the cluster and the database first if there are none.
pub async fn start(data: &Path) -> Result<Postgres> {
    let mut place = Place::choose(data)?;
    let cluster = place.home.join("postgres");
    let made = cluster.join("PG_VERSION");
    let bin = match fs::read_to_string(&made) {
        Ok(version) => tools::find_postgres_bin_of(version.trim()),
        Err(_) => tools::find_postgres_bin(),
    }
    .map_err(|e| Failure::new("cannot start Postgres", &e, e.hint()))?;
    place.take(bin)?;
    let pid_file = data.join("postgres.pid");
    child::stop_leftover(&pid_file, &cluster.display().to_string()).await;

    if made.exists() && !data.join(PASSWORD).exists() {
        // The data folder was removed or begun anew, and its cluster, which stands elsewhere, was left: it goes too.
        let postmaster = cluster.join("postmaster.pid");
        child::stop_leftover(&postmaster, &cluster.display().to_string()).await;
        fs::remove_dir_all(&cluster).with_context(|| format!("cannot remove {}", cluster.display()))?;
    }
    let password = password(data)?;
    if !made.exists() {
        init(&place, &cluster, &password).await?;
    }
    let port = tools::free_port()?;
    let log = data.join("postgres.log");
    let mut command = place.command("postgres");
    command.arg("-D").arg(&cluster).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_slot_wal_keep_size=1GB"] {
        command.args(["-c", setting]);
    }
    let running = Running::start("Postgres", &mut command, &log, pid_file)?;
    let postgres = Postgres { running, port, password, log, url_file: data.join("database-url") };
    match postgres.prepare().await {
        Ok(()) => Ok(postgres),
        Err(error) => {
            postgres.running.stop().await;
            Err(error.context(format!("Postgres does not start; its output is in {}", postgres.log.display())))
        }
    }
}

/// The database's password: made once, kept in the data folder for the owner alone.
fn password(data: &Path) -> Result<String> {
    let file = data.join(PASSWORD);
    if let Ok(password) = fs::read_to_string(&file) {
        return Ok(password);
    }
    let password = hex::encode(alloy::signers::local::PrivateKeySigner::random().to_bytes());
    write_private(&file, &password)?;
    Ok(password)
}

fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    options
        .open(file)
        .and_then(|mut f| f.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Makes the cluster in a folder beside its place and moves it there when it is whole, so that a kill leaves nothing half made.
async fn init(place: &Place, cluster: &Path, password: &str) -> Result<()> {
    let making = cluster.with_extension("making");
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    fs::create_dir(&making)?;
    fs::set_permissions(&making, fs::Permissions::from_mode(0o700))?;
    place.own(&making)?;
    let password_file = making.with_extension("password");
    let _ = fs::remove_file(&password_file);
    write_private(&password_file, password)?;
    place.own(&password_file)?;
    let output = place
        .command("initdb")
        .arg("-D")
        .arg(&making)
        .args(["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--pwfile"])
        .arg(&password_file)
        .output()
        .await
        .context("cannot run initdb");
    fs::remove_file(&password_file)?;
    let output = output?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::rename(&making, cluster)?;
    Ok(())
}

impl Postgres {
    /// How to connect to the project's database.
    pub fn options(&self) -> PgConnectOptions {
        self.connect_to(USER)
    }

    fn connect_to(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(USER)
            .password(&self.password)
            .database(database)
    }

    /// Waits until it answers, makes the database if there is none, and writes down the URL.
    async fn prepare(&self) -> Result<()> {
        let mut last = None;
        for _ in 0..600 {
            match PgConnection::connect_with(&self.connect_to("postgres")).await {
                Ok(mut connection) => {
                    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                        .bind(USER)
                        .fetch_one(&mut connection)
                        .await?;
                    if !exists {
                        sqlx::query("CREATE DATABASE crowdsale").execute(&mut connection).await?;
                    }
                    let url = format!("postgres://{USER}:{}@127.0.0.1:{}/{USER}\n", self.password, self.port);
                    return write_private(&self.url_file, &url);
                }
                Err(error) => last = Some(error),
            }
            if self.running.has_exited().await {
                bail!("it ended at once");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(last.map_or_else(|| anyhow::anyhow!("it does not answer"), anyhow::Error::from))
    }

    /// Waits until Postgres ends by itself.
    pub async fn exited(&self) {
        self.running.exited().await;
    }

    /// Stops Postgres: running queries are ended, nothing committed is lost.
    pub async fn stop(&self) {
        self.running.stop().await;
    }
}
