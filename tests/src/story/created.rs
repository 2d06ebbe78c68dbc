//! Sales and tokens come to be.

use std::sync::Arc;

use alloy::primitives::{Address, B256, U256, Uint};
use crowdsale::contracts::{RestrictedSaleToken as T, SaleFactory as F};

use super::{Book, Emitted, Ledger, Mode, Token};

/// What a new sale is like; what is not said here does not matter to an index.
#[derive(Clone, Debug)]
pub struct SaleDraft {
    /// The sale; its vault and wallets are derived.
    pub address: Address,
    /// Who creates it.
    pub creator: Address,
    /// How it prices.
    pub mode: Mode,
    /// What is paid; zero is ether.
    pub currency: Address,
    /// What is sold.
    pub token: Address,
    /// Whether the factory creates that token in the same transaction, plain (`false`) or restricted (`true`).
    pub new_token: Option<bool>,
    /// What the tokens' contracts answer.
    pub answers: Token,
    /// Wallets of the team.
    pub wallets: u8,
    /// Phases, at least one.
    pub phases: u8,
    /// First second.
    pub opens: u64,
    /// Most that is kept.
    pub hard_cap: U256,
    /// The team's own words.
    pub name: String,
}

impl SaleDraft {
    /// A sale for ether of a plain token, in one phase.
    pub fn plain(address: Address) -> Self {
        Self {
            address,
            creator: Address::repeat_byte(0xc0),
            mode: Mode::FixedPrice,
            currency: Address::ZERO,
            token: address.create(7),
            new_token: Some(false),
            answers: Token::plain("AUR", "Aurora", 18),
            wallets: 1,
            phases: 1,
            opens: 1_000,
            hard_cap: U256::from(10).pow(U256::from(30)),
            name: "Aurora".to_owned(),
        }
    }

    fn vault(&self) -> Address {
        self.address.create(1)
    }

    fn wallet(&self, index: u8) -> Address {
        self.address.create(100 + u64::from(index))
    }
}

/// What becomes [`BROKEN`] bytes in the encoded event: a Rust string cannot hold them.
pub(super) const PLACEHOLDER: &str = "%BAD%";
/// NUL, then no UTF-8.
const BROKEN: [u8; 5] = [0, 0xff, 0xc3, 0x28, 0];

impl Ledger {
    /// All that the creation emits, in the contracts' order: a new token's own events first, the sale last.
    pub fn create(&mut self, draft: &SaleDraft) -> Vec<Emitted> {
        let SaleDraft { address: sale, creator, token, .. } = *draft;
        let mut logs = Vec::new();
        self.created += 1;
        self.tokens.insert(token, Arc::new(draft.answers.clone()));
        if !draft.currency.is_zero() && !self.tokens.contains_key(&draft.currency) {
            self.tokens.insert(draft.currency, Arc::new(draft.answers.clone()));
        }
        if let Some(restricted) = draft.new_token {
            if restricted {
                let (role, account) = (B256::ZERO, creator);
                let granted = T::RoleGranted { role, account, sender: super::FACTORY };
                logs.push(self.by(token, "token_role_change", &granted));
                logs.push(self.by(token, "holder_approval", &T::Admitted { account: sale }));
            }
            let terms = F::TokenTerms {
                kind: u8::from(restricted),
                name: draft.name.clone(),
                symbol: "AUR".to_owned(),
                supply: U256::MAX,
                contractURI: PLACEHOLDER.to_owned(),
            };
            logs.push(self.by_factory("token_created", &F::TokenCreated { token, creator, terms }));
        }
        for index in 0..draft.wallets {
            let allocation = F::Allocation {
                beneficiary: creator,
                amount: Uint::MAX,
                cliff: 86_400,
                duration: u64::from(index) * 1_000,
            };
            let (wallet, index) = (draft.wallet(index), U256::from(index));
            logs.push(self.by_factory("allocation", &F::AllocationCreated { sale, wallet, index, allocation }));
        }
        logs.push(self.by_factory("sale", &created(draft)));
        *self.rows.entry("sale_phase").or_default() += u64::from(draft.phases);
        let book = Book {
            address: sale,
            vault: draft.vault(),
            wallets: (0..draft.wallets).map(|i| draft.wallet(i)).collect(),
            token,
            restricted: draft.new_token == Some(true),
            mode: draft.mode,
            hard_cap: draft.hard_cap,
            version: 1,
            ..Book::default()
        };
        self.sales.insert(sale, Arc::new(book));
        for log in &mut logs {
            log.break_texts();
        }
        logs
    }
}

fn created(draft: &SaleDraft) -> F::SaleCreated {
    let phase = |index: u8| F::Phase {
        end: Uint::from(draft.opens + 1_000 * (u64::from(index) + 1)),
        raisedUpTo: Uint::from(draft.hard_cap),
        price: 1_000_000_000_000_000 + u128::from(index),
        gate: index % 3,
        root: if index % 3 == 2 { B256::repeat_byte(index) } else { B256::ZERO },
    };
    F::SaleCreated {
        sale: draft.address,
        creator: draft.creator,
        token: draft.token,
        vault: draft.vault(),
        mode: match draft.mode {
            Mode::FixedPrice => 0,
            Mode::ProRata => 1,
            Mode::DutchAuction => 2,
        },
        terms: F::SaleTerms {
            owner: draft.creator,
            compliance: draft.creator,
            signer: Address::ZERO,
            beneficiary: draft.creator,
            token: draft.token,
            currency: draft.currency,
            opens: Uint::from(draft.opens),
            coolingOff: u32::MAX,
            softCap: Uint::from(1),
            hardCap: Uint::from(draft.hard_cap),
            minPaid: Uint::from(1),
            maxPaid: Uint::MAX,
            tokensForSale: Uint::MAX,
            unsold: u8::from(draft.phases > 1),
            vesting: F::Vesting { atOnce: 1_000, cliff: 60, duration: 3_600 },
            tap: F::Tap { atOnce: 2_500, duration: 3_600, objection: 5_000 },
            phases: (0..draft.phases).map(phase).collect(),
        },
        documents: F::Documents {
            name: draft.name.clone(),
            saleHash: B256::repeat_byte(1),
            saleURI: PLACEHOLDER.to_owned(),
            whitepaperHash: B256::repeat_byte(2),
            whitepaperURI: "https://example.org/paper".to_owned(),
        },
    }
}

impl Emitted {
    /// Puts bytes that are no text where the placeholder stands.
    pub(super) fn break_texts(&mut self) {
        let mut data = self.data.data.to_vec();
        let width = PLACEHOLDER.len();
        for at in 0..data.len().saturating_sub(width - 1) {
            if data[at..at + width] == *PLACEHOLDER.as_bytes() {
                data[at..at + width].copy_from_slice(&BROKEN);
            }
        }
        self.data.data = data.into();
    }
}
