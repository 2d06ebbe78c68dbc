//! The devnet: anvil with its state in the data folder.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::{
    eips::BlockId,
    providers::{Provider, ProviderBuilder},
};
use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::{
    super::{failure::Failure, tools},
    child::{self, Running},
};
use crate::config::DEV_CHAIN_ID;

/// A running anvil.
#[derive(Debug)]
pub struct Anvil {
    running: Running,
    /// JSON-RPC over HTTP.
    pub url: String,
    /// Its output.
    pub log: PathBuf,
}

/// Starts anvil on `port` (0: a free one) and waits until it answers. The chain is written to the data folder every few
/// seconds and at the end.
pub async fn start(bin: &Path, data: &Path, port: u16, block_time: u64) -> Result<Anvil> {
    let state = data.join("anvil.json");
    let pid_file = data.join("anvil.pid");
    child::stop_leftover(&pid_file, &state.display().to_string()).await;
    let port = if port == 0 { tools::free_port()? } else { port };
    if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        return Err(Failure::new(
            "cannot start anvil",
            format!("port {port} is taken: something else answers there, perhaps another devnet"),
            "stop it, or choose another port with --rpc-port (0 takes a free one)",
        ));
    }

    let genesis = genesis_timestamp(data)?;
    let log = data.join("anvil.log");
    let mut command = Command::new(bin);
    command
        .args(["--port", &port.to_string(), "--chain-id", &DEV_CHAIN_ID.to_string()])
        .args(["--block-time", &block_time.to_string(), "--mixed-mining", "--slots-in-an-epoch", "32"])
        .args(["--timestamp", &genesis.to_string()])
        .args(["--state-interval", "5", "--max-persisted-states", "0", "--quiet", "--state"])
        .arg(&state);
    let running = Running::start("anvil", &mut command, &log, pid_file)?;
    let anvil = Anvil { running, url: format!("http://127.0.0.1:{port}"), log };
    let provider = ProviderBuilder::new().connect(&anvil.url).await?;
    for _ in 0..300 {
        let answers = provider.get_chain_id().await.is_ok();
        // Another devnet that drew the same port would answer in the place of this one, which ends then.
        if anvil.running.has_exited().await {
            break;
        }
        if answers {
            // A pinned genesis holds anvil's clock at that time: set it to ours, or on where the chain's is ahead.
            let head = provider.get_block(BlockId::latest()).await?.map_or(0, |b| b.header.timestamp);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
            provider.raw_request::<_, serde_json::Value>("evm_setTime".into(), [now.max(head + 1)]).await?;
            return Ok(anvil);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anvil.running.stop().await;
    bail!("anvil does not start; its output is in {}", anvil.log.display())
}

/// The time of block 0, chosen once a data folder. anvil makes a genesis of its own at every start; were it another than the
/// stored one, its state would hold two blocks 0, and which of them counts after the next start would be chance.
fn genesis_timestamp(data: &Path) -> Result<u64> {
    let file = data.join("genesis-timestamp");
    if let Ok(text) = fs::read_to_string(&file) {
        return text.trim().parse().with_context(|| format!("{} holds no time", file.display()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    fs::write(&file, now.to_string())?;
    Ok(now)
}

impl Anvil {
    /// Waits until anvil ends by itself.
    pub async fn exited(&self) {
        self.running.exited().await;
    }

    /// Stops anvil, which writes its state first.
    pub async fn stop(&self) {
        self.running.stop().await;
    }
}
