//! A program that runs beside us and is stopped in order.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// How long a program has to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running program. It has a process group of its own, so that Ctrl-C reaches us alone and we stop things in order.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    child: Mutex<Child>,
    pid: Pid,
    pid_file: PathBuf,
}

impl Running {
    /// Starts `command` with its output appended to `log`, and notes its id in `pid_file`.
    pub fn start(name: &'static str, command: &mut Command, log: &Path, pid_file: PathBuf) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let id = child.id().with_context(|| format!("{name} ended at once"))?;
        fs::write(&pid_file, id.to_string())?;
        Ok(Self { name, child: Mutex::new(child), pid: Pid::from_raw(id.cast_signed()), pid_file })
    }

    /// Waits until the program ends by itself.
    pub async fn exited(&self) {
        let _ = self.child.lock().await.wait().await;
    }

    /// Whether the program has ended.
    pub async fn has_exited(&self) -> bool {
        matches!(self.child.lock().await.try_wait(), Ok(Some(_)))
    }

    /// Asks the program to stop with SIGINT, waits for it, and kills it if it does not.
    pub async fn stop(&self) {
        if self.has_exited().await {
            let _ = fs::remove_file(&self.pid_file);
            return;
        }
        let _ = kill(self.pid, Signal::SIGINT);
        if tokio::time::timeout(PATIENCE, self.exited()).await.is_err() {
            tracing::warn!(program = self.name, "does not stop: killing it");
            let _ = self.child.lock().await.kill().await;
        }
        let _ = fs::remove_file(&self.pid_file);
    }
}

/// Stops what an earlier run left behind when it was killed: the process in `pid_file`, if its command line names `mark`.
pub async fn stop_leftover(pid_file: &Path, mark: &str) {
    // Postgres writes more lines below its own.
    let first = |text: String| text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
    let Some(pid) = fs::read_to_string(pid_file).ok().and_then(first) else {
        return;
    };
    let ours = || command_line(pid).is_some_and(|line| line.contains(mark));
    if ours() {
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        for _ in 0..100 {
            if !ours() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if ours() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    let _ = fs::remove_file(pid_file);
}

/// The command line of a running process: from /proc, as small images have no `ps`; from `ps` where there is no /proc.
fn command_line(pid: i32) -> Option<String> {
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&line).replace('\0', " "));
    }
    if Path::new("/proc/self").exists() {
        return None;
    }
    let output = std::process::Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
