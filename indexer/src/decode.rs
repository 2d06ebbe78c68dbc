//! Pure: a log becomes an [`Event`], if its emitter is one we know.

use std::collections::HashMap;

use alloy::{
    primitives::{Address, B256},
    sol_types::{SolEvent, SolEventInterface},
};

use crate::{
    contracts::{
        FixedPriceSale::{self, FixedPriceSaleEvents},
        RefundVault::{self, RefundVaultEvents},
        SaleFactory::{self, SaleFactoryEvents},
    },
    types::{Event, EventLog, Log, NewPhase, NewSale, OutcomeKind},
};

/// The topics that are asked for: every event of every contract.
pub const TOPICS: [B256; 11] = [
    SaleFactory::SaleCreated::SIGNATURE_HASH,
    SaleFactory::TokenCreated::SIGNATURE_HASH,
    FixedPriceSale::Contributed::SIGNATURE_HASH,
    FixedPriceSale::ExcessReturned::SIGNATURE_HASH,
    FixedPriceSale::Closed::SIGNATURE_HASH,
    FixedPriceSale::Cancelled::SIGNATURE_HASH,
    FixedPriceSale::Claimed::SIGNATURE_HASH,
    FixedPriceSale::Refunded::SIGNATURE_HASH,
    FixedPriceSale::UnsoldReturned::SIGNATURE_HASH,
    FixedPriceSale::Swept::SIGNATURE_HASH,
    RefundVault::Released::SIGNATURE_HASH,
];

/// The contracts whose events are believed: the factory, and every sale and vault it created. Anybody can emit our topics.
#[derive(Clone, Debug)]
pub struct Emitters {
    factory: Address,
    sale_of: HashMap<Address, Emitter>,
}

#[derive(Clone, Copy, Debug)]
enum Emitter {
    Sale,
    Vault { sale: Address },
}

impl Emitters {
    /// Knows the factory alone.
    pub fn new(factory: Address) -> Self {
        Self { factory, sale_of: HashMap::new() }
    }

    /// Believes a sale and its vault from now on.
    pub fn insert(&mut self, sale: Address, vault: Address) {
        self.sale_of.insert(sale, Emitter::Sale);
        self.sale_of.insert(vault, Emitter::Vault { sale });
    }

    /// Decodes a log. `None` where the emitter is unknown. A sale that the log creates is known from then on, so a batch is
    /// decoded in the order of its logs.
    ///
    /// A known emitter's log that does not decode is returned too, with the reason: it is kept, and the chain goes on.
    pub fn decode(&mut self, log: Log) -> Option<EventLog> {
        let (sale, event) = if log.emitter == self.factory {
            (log.emitter, factory_event(&log))
        } else {
            match *self.sale_of.get(&log.emitter)? {
                Emitter::Sale => (log.emitter, sale_event(&log)),
                Emitter::Vault { sale } => (sale, vault_event(&log)),
            }
        };
        if let Ok(Event::SaleCreated(new)) = &event {
            self.insert(new.sale, new.vault);
        }
        Some(EventLog { log, sale, event })
    }
}

fn factory_event(log: &Log) -> Result<Event, String> {
    let event = SaleFactoryEvents::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    match event {
        SaleFactoryEvents::SaleCreated(e) => Ok(Event::SaleCreated(Box::new(new_sale(e)?))),
        SaleFactoryEvents::TokenCreated(e) => Ok(Event::TokenCreated {
            token: e.token,
            creator: e.creator,
            name: e.terms.name,
            symbol: e.terms.symbol,
            supply: e.terms.supply,
            contract_uri: e.terms.contractURI,
        }),
        _ => Err("not decoded yet".to_owned()),
    }
}

fn new_sale(e: SaleFactory::SaleCreated) -> Result<NewSale, String> {
    let (t, d) = (e.terms, e.documents);
    if t.phases.is_empty() {
        return Err("a sale without a phase".to_owned());
    }
    Ok(NewSale {
        sale: e.sale,
        creator: e.creator,
        vault: e.vault,
        mode: match e.mode {
            0 => "fixed_price",
            mode => return Err(format!("unknown mode {mode}")),
        },
        owner: t.owner,
        beneficiary: t.beneficiary,
        token: t.token,
        currency: t.currency,
        opens: t.opens.to(),
        soft_cap: t.softCap.to(),
        hard_cap: t.hardCap.to(),
        min_paid: t.minPaid.to(),
        max_paid: t.maxPaid.to(),
        tokens_for_sale: t.tokensForSale.to(),
        burn_unsold: t.unsold == 1,
        phases: t
            .phases
            .iter()
            .map(|p| NewPhase {
                ends: p.end.to(),
                raised_up_to: p.raisedUpTo.to(),
                price: alloy::primitives::U256::from(p.price),
            })
            .collect(),
        name: d.name,
        sale_hash: d.saleHash,
        sale_uri: d.saleURI,
        whitepaper_hash: d.whitepaperHash,
        whitepaper_uri: d.whitepaperURI,
    })
}

fn sale_event(log: &Log) -> Result<Event, String> {
    let event = FixedPriceSaleEvents::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    Ok(match event {
        FixedPriceSaleEvents::Contributed(e) => Event::Contributed {
            investor: e.investor,
            payer: e.payer,
            phase: e.phase.try_into().map_err(|_| format!("phase {} does not exist", e.phase))?,
            amount: e.amount,
            tokens: e.tokens,
            paid: e.paid,
            raised: e.raised,
            sold: e.sold,
        },
        FixedPriceSaleEvents::ExcessReturned(e) => Event::ExcessReturned { payer: e.payer, amount: e.amount },
        FixedPriceSaleEvents::Closed(e) => Event::Settled {
            outcome: match e.outcome {
                1 => OutcomeKind::Succeeded,
                2 => OutcomeKind::Failed,
                outcome => return Err(format!("closed with outcome {outcome}")),
            },
            raised: e.raised,
            sold: e.sold,
        },
        FixedPriceSaleEvents::Cancelled(e) => {
            Event::Settled { outcome: OutcomeKind::Cancelled, raised: e.raised, sold: e.sold }
        }
        FixedPriceSaleEvents::Claimed(e) => Event::Claimed { investor: e.investor, to: e.to, tokens: e.tokens },
        FixedPriceSaleEvents::Refunded(e) => Event::Refunded { investor: e.investor, to: e.to, amount: e.amount },
        FixedPriceSaleEvents::UnsoldReturned(e) => Event::UnsoldReturned { to: e.to, tokens: e.tokens },
        FixedPriceSaleEvents::Swept(e) => Event::Swept { amount: e.amount },
        _ => return Err("not decoded yet".to_owned()),
    })
}

fn vault_event(log: &Log) -> Result<Event, String> {
    match RefundVaultEvents::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())? {
        RefundVaultEvents::Released(e) => {
            Ok(Event::Released { beneficiary: e.beneficiary, amount: e.amount, released: e.released })
        }
        _ => Err("not decoded yet".to_owned()),
    }
}
