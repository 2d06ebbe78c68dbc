//! What moves no investor's money: roles, documents, the team's wallets, restricted tokens.

use alloy::primitives::{Address, B256, U256, Uint};
use crowdsale::contracts::{FixedPriceSale as S, RestrictedSaleToken as T, TeamWallet as W};

use super::{Emitted, Ledger, created::PLACEHOLDER};
use crate::Random;

impl Ledger {
    /// Something that only a sale's own log tells.
    pub fn manage(&mut self, random: &mut Random, sale: Address) -> Emitted {
        let who = random.address();
        match random.within(0..8) {
            0 => {
                let book = self.book(sale);
                book.paused = !book.paused;
                let paused = book.paused;
                self.by(sale, "pause_change", &S::PauseChanged { paused })
            }
            1 => {
                let book = self.book(sale);
                book.epoch += 1;
                let epoch = U256::from(book.epoch);
                self.by(sale, "voucher_signer_change", &S::VoucherSignerChanged { signer: who, epoch })
            }
            2 => self.by(sale, "compliance_change", &S::ComplianceChanged { compliance: who }),
            3 => {
                let event = S::OwnershipTransferStarted { previousOwner: random.address(), newOwner: who };
                self.by(sale, "ownership_transfer", &event)
            }
            4 => {
                let event = S::OwnershipTransferred { previousOwner: random.address(), newOwner: who };
                self.by(sale, "ownership_transfer", &event)
            }
            5 => {
                let book = self.book(sale);
                book.version += 1;
                let version = U256::from(book.version);
                let event = S::WhitepaperSuperseded { version, hash: random.word(), uri: PLACEHOLDER.to_owned() };
                let mut log = self.by(sale, "whitepaper", &event);
                log.break_texts();
                log
            }
            6 => {
                let amount = U256::from_be_bytes(random.word().0);
                self.by(sale, "excess_return", &S::ExcessReturned { payer: who, amount })
            }
            _ => {
                let tokens = U256::from(random.number());
                self.by(sale, "unsold_return", &S::UnsoldReturned { to: who, tokens })
            }
        }
    }

    /// Something of a team's wallet.
    pub fn manage_wallet(&mut self, random: &mut Random, wallet: Address, token: Address) -> Emitted {
        let amount = U256::from(random.number());
        let to = random.address();
        match random.within(0..4) {
            0 => self.by(wallet, "allocation_release", &W::ERC20Released { token, amount }),
            1 => self.by(wallet, "allocation_release", &W::EtherReleased { amount }),
            2 => self.by(wallet, "allocation_reclaim", &W::Reclaimed { token, to, amount }),
            _ => {
                let event = W::OwnershipTransferStarted { previousOwner: random.address(), newOwner: to };
                self.by(wallet, "ownership_transfer", &event)
            }
        }
    }

    /// Something of a restricted token.
    pub fn manage_token(&mut self, random: &mut Random, token: Address) -> Emitted {
        let (who, by) = (random.address(), random.address());
        let at = Uint::from(random.within(0..1 << 47));
        let role = "token_role_change";
        match random.within(0..9) {
            0 => {
                let until = if random.chance(300) { U256::MAX } else { U256::from(random.number()) };
                self.by(token, "holder_approval", &T::HolderSet { holder: who, until, by })
            }
            1 => self.by(token, "holder_approval", &T::Admitted { account: who }),
            2 => self.by(token, "contract_uri_change", &T::ContractURIUpdated {}),
            3 => self.by(token, role, &T::RoleGranted { role: random.word(), account: who, sender: by }),
            4 => self.by(token, role, &T::RoleRevoked { role: B256::ZERO, account: who, sender: by }),
            5 => self.by(token, role, &T::DefaultAdminTransferScheduled { newAdmin: who, acceptSchedule: at }),
            6 => self.by(token, role, &T::DefaultAdminTransferCanceled {}),
            7 => {
                let delay = Uint::from(random.within(0..100_000));
                self.by(token, role, &T::DefaultAdminDelayChangeScheduled { newDelay: delay, effectSchedule: at })
            }
            _ => self.by(token, role, &T::DefaultAdminDelayChangeCanceled {}),
        }
    }
}
