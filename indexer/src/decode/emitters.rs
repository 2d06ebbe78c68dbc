//! Whose events are believed.

use alloy::primitives::{Address, map::AddressMap};

use super::events;
use crate::types::{Event, EventLog, Log};

/// The contracts whose events are believed: the factory, and what it created. Anybody can emit our topics.
#[derive(Clone, Debug)]
pub struct Emitters {
    factory: Address,
    /// With the height at which each was announced.
    known: AddressMap<(Kind, u64)>,
}

/// What a contract that the factory created is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sale.
    Sale,
    /// The vault of `sale`.
    Vault {
        /// Its sale.
        sale: Address,
    },
    /// A team's wallet of `sale`.
    Wallet {
        /// Its sale.
        sale: Address,
    },
    /// A restricted token.
    Token,
}

impl Emitters {
    /// Knows the factory alone.
    pub fn new(factory: Address) -> Self {
        Self { factory, known: AddressMap::default() }
    }

    /// Believes a contract, announced in block `at`, from now on.
    pub fn insert(&mut self, contract: Address, kind: Kind, at: u64) {
        self.known.insert(contract, (kind, at));
    }

    /// Forgets what was announced above `fork`: its blocks are gone.
    pub fn forget_above(&mut self, fork: u64) {
        self.known.retain(|_, (_, at)| *at <= fork);
    }

    /// Decodes the logs of one block or range, in their order. Logs of unknown emitters are left out; what a log creates is known
    /// for all others of the batch. A token's first events stand before the factory's that announces it, so announcements are read
    /// first; no contract can have stood at these addresses before.
    ///
    /// A known emitter's log that does not decode is returned too, with the reason: it is kept, and the chain goes on.
    pub fn decode(&mut self, logs: Vec<Log>) -> Vec<EventLog> {
        let factory = self.factory;
        for log in logs.iter().filter(|log| log.emitter == factory) {
            if let Ok((_, event)) = events::factory(log) {
                self.learn(log, &event);
            }
        }
        let known = &*self;
        logs.into_iter().filter_map(|log| known.decode_one(log)).collect()
    }

    fn learn(&mut self, log: &Log, event: &Event) {
        let at = log.block_number;
        match event {
            Event::SaleCreated(new) => {
                self.insert(new.sale, Kind::Sale, at);
                self.insert(new.vault, Kind::Vault { sale: new.sale }, at);
            }
            Event::AllocationCreated { wallet, .. } => {
                // The sale is the first indexed argument.
                let sale = log.topics.get(1).map(|topic| Address::from_word(*topic)).unwrap_or_default();
                self.insert(*wallet, Kind::Wallet { sale }, at);
            }
            Event::TokenCreated { token, restricted: true, .. } => self.insert(*token, Kind::Token, at),
            _ => {}
        }
    }

    fn decode_one(&self, log: Log) -> Option<EventLog> {
        let (sale, event) = if log.emitter == self.factory {
            match events::factory(&log) {
                Ok((sale, event)) => (sale.unwrap_or(log.emitter), Ok(event)),
                Err(reason) => (log.emitter, Err(reason)),
            }
        } else {
            match self.known.get(&log.emitter)?.0 {
                Kind::Sale => (log.emitter, events::sale(&log)),
                Kind::Vault { sale } => (sale, events::vault(&log)),
                Kind::Wallet { sale } => (sale, events::wallet(&log)),
                Kind::Token => (log.emitter, events::token(&log).transpose()?),
            }
        };
        Some(EventLog { log, sale, event })
    }
}
