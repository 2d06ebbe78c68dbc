//! Logs that an index must leave out, or keep as what they are: undecodable.

use alloy::{
    primitives::{Address, B256, LogData, U256, keccak256},
    sol_types::SolEvent,
};
use crowdsale::{
    contracts::{FixedPriceSale as S, RefundVault as V, SaleFactory as F, SaleToken},
    decode::TOPICS,
};

use super::{Emitted, FACTORY, Ledger, SaleDraft};
use crate::Random;

/// A kind of noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// A stranger emits one of our events.
    Stranger,
    /// A stranger says that it created a sale.
    FalseFactory,
    /// A known token emits what nobody asked for.
    Transfer,
    /// A log without a topic.
    Anonymous,
    /// A known sale's event that ends too early: to be kept raw.
    Cut,
    /// A known sale's event of a number that cannot be: to be kept raw.
    Impossible,
    /// A vault emits what only a sale says: to be kept raw.
    Misplaced,
    /// The factory says that it created a sale of a mode nobody knows: to be kept raw, and that sale stays unknown.
    UnknownMode,
}

impl Noise {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Stranger,
        Self::FalseFactory,
        Self::Transfer,
        Self::Anonymous,
        Self::Cut,
        Self::Impossible,
        Self::Misplaced,
        Self::UnknownMode,
    ];
}

impl Ledger {
    /// Emits noise; of a known contract if there is one.
    pub fn noise(&mut self, random: &mut Random, noise: Noise) -> Emitted {
        let books: Vec<(Address, Address, Address)> =
            self.sales.values().map(|b| (b.address, b.vault, b.token)).collect();
        let Some(&(sale, vault, token)) = random.pick(&books) else {
            return stranger(random);
        };
        let contributed = |random: &mut Random, phase: u64| S::Contributed {
            investor: random.address(),
            payer: random.address(),
            phase: U256::from(phase),
            amount: U256::from(5),
            tokens: U256::from(5),
            paid: U256::from(5),
            raised: U256::from(5),
            sold: U256::from(5),
        };
        match noise {
            Noise::Stranger => stranger(random),
            Noise::FalseFactory => {
                let mut false_draft = SaleDraft::plain(random.address());
                false_draft.new_token = None;
                false_draft.wallets = 0;
                let mut elsewhere = Self::default();
                let mut log = elsewhere.create(&false_draft).remove(0);
                log.address = random.address();
                log
            }
            Noise::Transfer => {
                let event = SaleToken::Transfer { from: sale, to: random.address(), value: U256::MAX };
                Emitted { address: token, data: event.encode_log_data() }
            }
            Noise::Anonymous => {
                Emitted { address: sale, data: LogData::new_unchecked(Vec::new(), random.word().0.to_vec().into()) }
            }
            Noise::Cut => {
                let mut log = self.by(sale, "quarantined_log", &contributed(random, 0));
                let whole = log.data.data.len();
                log.data.data = log.data.data.slice(..whole - 40);
                log
            }
            Noise::Impossible => self.by(sale, "quarantined_log", &contributed(random, 1_000)),
            Noise::Misplaced => self.by(vault, "quarantined_log", &contributed(random, 0)),
            Noise::UnknownMode => {
                let mut false_draft = SaleDraft::plain(random.address());
                false_draft.new_token = None;
                false_draft.wallets = 0;
                let mut log = Self::default().create(&false_draft).remove(0);
                // The second word of the data, after the vault.
                let mut data = log.data.data.to_vec();
                data[63] = 9;
                log.data.data = data.into();
                self.count("quarantined_log");
                log.address = FACTORY;
                log
            }
        }
    }
}

/// Anybody can emit our topics.
fn stranger(random: &mut Random) -> Emitted {
    let address = random.address();
    let data = match random.within(0..3) {
        0 => {
            V::Released { beneficiary: address, to: address, amount: U256::MAX, released: U256::MAX }.encode_log_data()
        }
        1 => F::TokenCreated {
            token: address,
            creator: address,
            terms: F::TokenTerms {
                kind: 1,
                name: String::new(),
                symbol: String::new(),
                supply: U256::ZERO,
                contractURI: String::new(),
            },
        }
        .encode_log_data(),
        _ => {
            let topic = random.pick(&TOPICS).copied().unwrap_or_else(|| keccak256("none"));
            LogData::new_unchecked(vec![topic, B256::ZERO], Vec::new().into())
        }
    };
    Emitted { address, data }
}
