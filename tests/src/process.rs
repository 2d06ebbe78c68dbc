//! The binary under test, and other processes, killed when they go out of scope.

use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use alloy::primitives::Address;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::NamedTempFile;

use crate::until;

/// A process whose output goes to a file; killed on drop, its output shown if the test fails.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    output: NamedTempFile,
    show: bool,
}

impl Process {
    pub fn spawn(name: &'static str, command: &mut Command, show: bool) -> Self {
        let output = NamedTempFile::new().expect("a temporary file");
        let stdout: File = output.reopen().expect("the temporary file");
        let stderr = stdout.try_clone().expect("the temporary file");
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e}: {command:?}"));
        Self { name, child, output, show }
    }

    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.output.path()).unwrap_or_default()).into_owned()
    }

    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process is ours")
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap_or_else(|e| panic!("{signal} to {}: {e}", self.name));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.show && thread::panicking() {
            eprintln!("---- output of {} ----\n{}---- end ----", self.name, self.output());
        }
    }
}

/// Flags of `crowdsale index`.
#[derive(Clone, Debug)]
pub struct Flags {
    /// URL of the node.
    pub rpc_url: String,
    /// URL of the database.
    pub database_url: String,
    /// The factory to follow.
    pub factory: Address,
    /// Further flags.
    pub more: Vec<String>,
}

impl Flags {
    /// With one more flag and its value.
    pub fn with(mut self, flag: &str, value: impl ToString) -> Self {
        self.more.extend([flag.to_owned(), value.to_string()]);
        self
    }
}

impl Flags {
    /// With a flag that has no value.
    pub fn and(mut self, flag: &str) -> Self {
        self.more.push(flag.to_owned());
        self
    }
}

/// A running `crowdsale index`.
#[derive(Debug)]
pub struct Indexer(Process);

impl Indexer {
    /// Starts it.
    pub fn start(flags: &Flags) -> Self {
        let mut command = Command::new(binary());
        command
            .args(["index", "--rpc-url", &flags.rpc_url, "--factory", &flags.factory.to_string()])
            .args(["--behind-grace-ms", "200"])
            .args(if flags.more.iter().any(|f| f == "--poll-ms") { &[][..] } else { &["--poll-ms", "20"] })
            .args(&flags.more)
            .env("CROWDSALE_DATABASE_URL", &flags.database_url)
            .env("CROWDSALE_LOG", "info,crowdsale=debug")
            .env("NO_COLOR", "1");
        Self(Process::spawn("crowdsale index", &mut command, true))
    }

    /// What it wrote so far.
    pub fn output(&self) -> String {
        self.0.output()
    }

    /// Fails unless it runs.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.0.exited() {
            panic!("the indexer ended by itself: {status}");
        }
    }

    /// Stops it in the middle of whatever it does; returns once it stands still.
    pub async fn pause(&mut self) {
        self.assert_running();
        self.0.signal(Signal::SIGSTOP);
        let pid = self.0.pid().to_string();
        until("the indexer stands still", async || {
            let ps = Command::new("ps").args(["-o", "state=", "-p", &pid]).output().expect("ps");
            String::from_utf8_lossy(&ps.stdout).trim().starts_with('T').then_some(())
        })
        .await;
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.0.signal(Signal::SIGCONT);
    }

    /// `kill -9`; it must have been running.
    pub fn kill(mut self) {
        self.assert_running();
        self.0.child.kill().unwrap();
        self.0.child.wait().unwrap();
    }

    /// Waits until it ends by itself; returns how, and what it wrote.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let status = until("the indexer ends", async || self.0.exited()).await;
        (status, self.output())
    }

    /// Waits until it ends by itself with an error, and returns the one line that says so.
    pub async fn refused(self) -> String {
        let (status, output) = self.ended().await;
        assert!(!status.success(), "the indexer ended with {status}:\n{output}");
        assert!(!output.contains("panicked"), "the indexer panicked:\n{output}");
        output
    }
}

/// `crowdsale index` with flags that make it end: whether it succeeded, and what it wrote.
pub fn index_once(flags: &Flags) -> (bool, String) {
    let output = Command::new(binary())
        .args(["index", "--rpc-url", &flags.rpc_url, "--factory", &flags.factory.to_string()])
        .args(&flags.more)
        .env("CROWDSALE_DATABASE_URL", &flags.database_url)
        .env("NO_COLOR", "1")
        .output()
        .expect("crowdsale index");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// `crowdsale reconcile`: whether it found no difference, and what it wrote.
pub fn reconcile(flags: &Flags) -> (bool, String) {
    let output = Command::new(binary())
        .args(["reconcile", "--rpc-url", &flags.rpc_url])
        .env("CROWDSALE_DATABASE_URL", &flags.database_url)
        .env("NO_COLOR", "1")
        .output()
        .expect("crowdsale reconcile");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// `crowdsale`, beside this test's or benchmark's own binary.
pub fn binary() -> PathBuf {
    let own = env::current_exe().expect("this program's own path");
    let folder = own.parent().expect("target/release, or target/debug/deps");
    let folder = if folder.ends_with("deps") { folder.parent().expect("target/debug") } else { folder };
    let path = folder.join("crowdsale");
    assert!(path.is_file(), "{} is missing: run `cargo build -p crowdsale` first", path.display());
    path
}
