//! The nodes of all chains that a process asks by itself, beside what is indexed.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::{Chain, ChainError};

/// Longest that a node may take to say which chain it serves.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a node that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// Nodes by the chain that they serve. One that does not answer at first is asked again when somebody needs it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    chains: RwLock<BTreeMap<u64, Arc<Chain>>>,
    /// Apart from the others: whoever needs a chain that is known does not wait for one that is not.
    silent: Mutex<Silent>,
}

/// Nodes of which it is not known yet which chain they serve.
#[derive(Debug, Default)]
struct Silent {
    urls: Vec<String>,
    asked: Option<Instant>,
}

impl Nodes {
    /// Asks each node which chain it serves. Those that do not answer are asked again later.
    ///
    /// # Errors
    /// [`ChainError::Url`], [`ChainError::OtherGenesis`].
    pub async fn connect(urls: &[String]) -> Result<Self, ChainError> {
        let silent = Mutex::new(Silent { urls: urls.to_vec(), asked: None });
        let nodes = Self(Arc::new(Known { chains: RwLock::default(), silent }));
        if let Some(error) = nodes.ask_silent().await? {
            tracing::warn!(%error, "going on without this node until it answers");
        }
        Ok(nodes)
    }

    /// A chain; `None` where no node of it was given.
    ///
    /// # Errors
    /// Where a node that does not answer may be one of it.
    pub async fn find(&self, chain_id: u64) -> Result<Option<Arc<Chain>>, ChainError> {
        if let Some(chain) = self.known(chain_id) {
            return Ok(Some(chain));
        }
        let unreachable = self.ask_silent().await?;
        match (self.known(chain_id), unreachable) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }

    /// Every chain whose node has answered so far.
    pub async fn chains(&self) -> Vec<Arc<Chain>> {
        if let Err(error) = self.ask_silent().await {
            tracing::warn!(%error, "a node is left out");
        }
        self.0.chains.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn known(&self, chain_id: u64) -> Option<Arc<Chain>> {
        self.0.chains.read().unwrap_or_else(PoisonError::into_inner).get(&chain_id).cloned()
    }

    /// Asks those that have not answered yet. That one still does not is no error of this.
    async fn ask_silent(&self) -> Result<Option<ChainError>, ChainError> {
        let mut silent = self.0.silent.lock().await;
        if silent.urls.is_empty() {
            return Ok(None);
        }
        if silent.asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(Some(ChainError::NotYet));
        }
        let mut unreachable = None;
        for url in std::mem::take(&mut silent.urls) {
            let connecting = Chain::connect(std::slice::from_ref(&url), None);
            match tokio::time::timeout(PATIENCE, connecting).await {
                Ok(Ok(chain)) => self.add(url, chain)?,
                Ok(Err(error)) if !error.is_transient() => return Err(error),
                failed => {
                    silent.urls.push(url);
                    unreachable = Some(failed.map_or(ChainError::NotYet, |f| f.err().unwrap_or(ChainError::NotYet)));
                }
            }
        }
        silent.asked = Some(Instant::now());
        Ok(unreachable)
    }

    fn add(&self, url: String, chain: Chain) -> Result<(), ChainError> {
        let mut chains = self.0.chains.write().unwrap_or_else(PoisonError::into_inner);
        match chains.get(&chain.chain_id()) {
            None => {
                chains.insert(chain.chain_id(), Arc::new(chain));
                Ok(())
            }
            Some(first) => first.join(url, &chain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_that_is_down_is_no_reason_not_to_start() {
        // Nothing listens on port 1.
        let nodes = Nodes::connect(&["http://127.0.0.1:1".to_owned()]).await.unwrap();
        assert!(nodes.find(1).await.unwrap_err().is_transient(), "it may be a node of this chain");
        assert!(nodes.chains().await.is_empty());
        assert!(matches!(Nodes::default().find(1).await, Ok(None)));
        assert!(matches!(Nodes::connect(&["nonsense".to_owned()]).await, Err(ChainError::Url(_))));
    }
}
