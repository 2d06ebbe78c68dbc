//! Sales to be created, and what can be done with them.

use alloy::{
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U40, U120},
        b256,
        utils::parse_ether,
    },
    rpc::types::TransactionReceipt,
    sol_types::SolCall as _,
};
pub use crowdsale::contracts::DevDollar;
use crowdsale::contracts::{
    FixedPriceSale, RefundVault,
    SaleFactory::{self, Allocation, Documents, Phase, SaleTerms, Tap, TokenTerms, Vesting},
    SaleToken,
};

use crate::Call;

const DAY: u64 = 86_400;

/// Base units of an amount of ether, or of a token with 18 decimals.
pub fn ether(amount: &str) -> U256 {
    parse_ether(amount).expect("an amount of ether")
}

/// A sale that does not exist yet: four phases of a day each, 10 to 100 units of money, 1,000 tokens a unit and dearer.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who creates it.
    pub creator: Address,
    /// Its terms.
    pub terms: SaleTerms,
    /// As the factory numbers them: fixed price, pro rata, auction.
    pub mode: u8,
    /// What the team keeps.
    pub allocations: Vec<Allocation>,
    /// Its documents.
    pub documents: Documents,
    /// The token that is created with it; `None` sells the one that the terms name.
    pub token: Option<TokenTerms>,
}

impl Draft {
    /// Opens at `opens`; paid in ether. `creator` owns it too.
    pub fn new(creator: Address, beneficiary: Address, opens: u64) -> Self {
        Self::priced(creator, beneficiary, opens, Address::ZERO, 18)
    }

    /// The same, paid in a token with `decimals`.
    pub fn priced(creator: Address, beneficiary: Address, opens: u64, currency: Address, decimals: u8) -> Self {
        let unit = U256::from(10).pow(U256::from(18 - decimals));
        let money = |amount: &str| (ether(amount) / unit).to::<U120>();
        let phase = |day: u64, cap: &str, price: &str| Phase {
            end: U40::from(opens + day * DAY),
            raisedUpTo: money(cap),
            price: (ether(price) / unit).to(),
            gate: 0,
            root: B256::ZERO,
        };
        Self {
            creator,
            terms: SaleTerms {
                owner: creator,
                compliance: Address::ZERO,
                signer: Address::ZERO,
                beneficiary,
                token: Address::ZERO,
                currency,
                opens: U40::from(opens),
                coolingOff: 0,
                vesting: Vesting { atOnce: 0, cliff: 0, duration: 0 },
                tap: Tap { atOnce: 0, duration: 0, objection: 0 },
                softCap: money("10"),
                hardCap: money("100"),
                minPaid: money("0.01"),
                maxPaid: money("50"),
                tokensForSale: ether("100000").to(),
                unsold: 0,
                phases: vec![
                    phase(1, "20", "0.001"),
                    phase(2, "40", "0.002"),
                    phase(3, "70", "0.003"),
                    phase(4, "100", "0.004"),
                ],
            },
            documents: Documents {
                name: "Aurora".to_owned(),
                saleHash: b256!("5a1e000000000000000000000000000000000000000000000000000000000001"),
                saleURI: "https://example.org/sale.toml".to_owned(),
                whitepaperHash: B256::ZERO,
                whitepaperURI: String::new(),
            },
            allocations: Vec::new(),
            mode: 0,
            token: Some(TokenTerms {
                kind: 0,
                name: "Aurora".to_owned(),
                symbol: "AUR".to_owned(),
                supply: ether("1000000"),
                contractURI: String::new(),
            }),
        }
    }

    /// In a mode with one price for all, where every phase reaches up to the hard cap; these are the phases' prices.
    pub fn uniform(mut self, mode: u8, prices: [&str; 4]) -> Self {
        self.mode = mode;
        for (phase, price) in self.terms.phases.iter_mut().zip(prices) {
            phase.raisedUpTo = self.terms.hardCap;
            phase.price = ether(price).to();
        }
        self
    }

    /// The transaction that creates it at `factory`.
    pub fn create(&self, factory: Address) -> Call {
        Call::send(self.creator, factory, U256::ZERO, self.data())
    }

    /// What that transaction says.
    pub fn data(&self) -> Vec<u8> {
        let (mode, terms, documents, allocations) =
            (self.mode, self.terms.clone(), self.documents.clone(), self.allocations.clone());
        match self.token.clone() {
            Some(token) => {
                SaleFactory::createWithTokenCall { mode, terms, documents, allocations, tokenTerms: token }.abi_encode()
            }
            None => SaleFactory::createCall { mode, terms, documents, allocations }.abi_encode(),
        }
    }

    /// The sale that this transaction created.
    pub fn created(&self, receipt: &TransactionReceipt) -> Sale {
        let event = receipt.decoded_log::<SaleFactory::SaleCreated>().expect("the transaction created a sale");
        Sale { address: event.sale, vault: event.vault, token: event.token, terms: event.data.terms }
    }

    /// First second after the sale.
    pub fn closes(&self) -> u64 {
        self.terms.phases.last().expect("a phase").end.to()
    }
}

/// A sale that exists.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The sale.
    pub address: Address,
    /// Its vault.
    pub vault: Address,
    /// What it sells.
    pub token: Address,
    /// Its terms.
    pub terms: SaleTerms,
}

impl Sale {
    /// A wallet's plain transfer of ether.
    pub fn send(&self, investor: Address, amount: U256) -> Call {
        Call::send(investor, self.address, amount, Bytes::new())
    }

    /// `contribute` by `payer` for `investor`.
    pub fn contribute(&self, payer: Address, investor: Address, amount: U256) -> Call {
        let data = FixedPriceSale::contributeCall { investor, amount, eligibility: Bytes::new() };
        let value = if self.terms.currency.is_zero() { amount } else { U256::ZERO };
        Call::send(payer, self.address, value, alloy::sol_types::SolCall::abi_encode(&data))
    }

    /// Lets the sale take the payer's money.
    pub fn approve(&self, payer: Address, amount: U256) -> Call {
        Call::to(payer, self.terms.currency, &SaleToken::approveCall { spender: self.address, value: amount })
    }

    /// `close`
    pub fn close(&self, caller: Address) -> Call {
        Call::to(caller, self.address, &FixedPriceSale::closeCall {})
    }

    /// `cancel`
    pub fn cancel(&self) -> Call {
        Call::to(self.terms.owner, self.address, &FixedPriceSale::cancelCall {})
    }

    /// `claim`
    pub fn claim(&self, caller: Address, investor: Address) -> Call {
        Call::to(caller, self.address, &FixedPriceSale::claimCall { investor })
    }

    /// `claimTo`
    pub fn claim_to(&self, investor: Address, to: Address) -> Call {
        Call::to(investor, self.address, &FixedPriceSale::claimToCall { to })
    }

    /// `refund`
    pub fn refund(&self, caller: Address, investor: Address) -> Call {
        Call::to(caller, self.address, &FixedPriceSale::refundForCall { investor })
    }

    /// `refundTo`
    pub fn refund_to(&self, investor: Address, to: Address) -> Call {
        Call::to(investor, self.address, &FixedPriceSale::refundToCall { to })
    }

    /// `withdraw`
    pub fn withdraw(&self, investor: Address) -> Call {
        Call::to(investor, self.address, &FixedPriceSale::withdrawCall {})
    }

    /// `reject`
    pub fn reject(&self, compliance: Address, investor: Address) -> Call {
        Call::to(compliance, self.address, &FixedPriceSale::rejectCall { investor })
    }

    /// The vault's `object`.
    pub fn object(&self, investor: Address) -> Call {
        Call::to(investor, self.vault, &RefundVault::objectCall {})
    }

    /// The vault's `refundFor`.
    pub fn refund_rest(&self, caller: Address, investor: Address) -> Call {
        Call::to(caller, self.vault, &RefundVault::refundForCall { investor })
    }

    /// The vault's `release`.
    pub fn release(&self, caller: Address) -> Call {
        Call::to(caller, self.vault, &RefundVault::releaseCall {})
    }
}

/// Creates a contract that emits what it is called with: three topics of 32 bytes, then data.
pub fn emitter_of_anything(from: Address) -> Call {
    // calldatacopy(0, 0, calldatasize) log3(96, calldatasize - 96, calldataload(0), calldataload(32), calldataload(64))
    const CODE: [u8; 35] = [
        0x60, 0x17, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 0x17, 0x60, 0x00, 0xf3, // returns the rest
        0x36, 0x60, 0x00, 0x60, 0x00, 0x37, 0x60, 0x40, 0x35, 0x60, 0x20, 0x35, 0x60, 0x00, 0x35, 0x60, 0x60, 0x36,
        0x03, 0x60, 0x60, 0xa3, 0x00,
    ];
    Call::deploy(from, CODE)
}
