//! The indexer's loop in this process: it starts and dies in microseconds.

use std::{thread, time::Duration};

use alloy::primitives::{Address, B256};
use crowdsale::{
    chain::Chain,
    sync::{self, Options, SyncError},
};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    runtime::Builder,
    sync::oneshot::{self, error::TryRecvError},
};
use tokio_util::sync::CancellationToken;

use crate::{Database, PATIENCE, until};

/// A running loop, on a thread and a runtime of its own, as a process would have.
#[derive(Debug)]
pub struct Local {
    end: oneshot::Receiver<Option<Result<(), SyncError>>>,
    shutdown: CancellationToken,
    kill: CancellationToken,
}

impl Local {
    /// Options for chains that are small and move fast. Fields are added to them as the indexer grows: only here they are
    /// listed.
    pub fn options(factory: Address, start_block: u64) -> Options {
        Options {
            factory,
            start_block,
            poll: Duration::from_millis(3),
            max_range: 16,
            fetchers: 3,
            batch_events: 20,
            progress: None,
            keep_told: Duration::from_secs(24 * 60 * 60),
            behind_grace: Duration::from_millis(40),
        }
    }

    /// Follows the chain behind `urls` into a database. A node that does not answer at first is asked again.
    pub fn start(urls: &[String], database: &PgConnectOptions, options: &Options) -> Self {
        let (shutdown, kill) = (CancellationToken::new(), CancellationToken::new());
        let (tell, end) = oneshot::channel();
        let (urls, database, options) = (urls.to_vec(), database.clone(), options.clone());
        let (stop, killed) = (shutdown.clone(), kill.clone());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            let result = runtime.block_on(async {
                tokio::select! {
                    result = follow(&urls, &database, &options, &stop) => Some(result),
                    () = killed.cancelled() => None,
                }
            });
            // Connections close here, before anybody hears of the end.
            drop(runtime);
            drop(tell.send(result));
        });
        Self { end, shutdown, kill }
    }

    /// Follows `url` into `database`.
    pub fn follow(url: &str, database: &Database, options: &Options) -> Self {
        Self::start(&[url.to_owned()], &database.options(), options)
    }

    /// Drops it in the middle of whatever it does.
    pub async fn kill(mut self) {
        self.kill.cancel();
        if let Some(result) = (&mut self.end).await.expect("it does not panic") {
            result.expect("the indexer runs");
        }
    }

    /// Asks it to end, and waits.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.end).await.expect("it does not panic").expect("nobody killed it").expect("it ends well");
    }

    /// Waits until it ends by itself, which it does for a fatal reason only.
    pub async fn fails(mut self) -> SyncError {
        let end = tokio::time::timeout(PATIENCE, &mut self.end).await.expect("it ends by itself");
        end.expect("it does not panic").expect("nobody killed it").expect_err("a fatal reason")
    }

    /// # Panics
    /// If it is not running.
    pub fn assert_running(&mut self) {
        match self.end.try_recv() {
            Err(TryRecvError::Empty) => {}
            end => panic!("the indexer ended: {end:?}"),
        }
    }

    /// Waits until the database stands at a block.
    pub async fn reaches(&mut self, database: &Database, hash: B256) {
        until("the indexer reaches the head", async || {
            self.assert_running();
            database.checkpoint().await.filter(|c| c.hash == hash)
        })
        .await;
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}

async fn follow(
    urls: &[String],
    database: &PgConnectOptions,
    options: &Options,
    stop: &CancellationToken,
) -> Result<(), SyncError> {
    let chain = loop {
        match Chain::connect(urls, None).await {
            Ok(chain) => break chain,
            Err(error) if error.is_transient() && !stop.is_cancelled() => tokio::time::sleep(options.poll).await,
            Err(_) if stop.is_cancelled() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    };
    sync::run(&chain, database, options, stop).await
}
