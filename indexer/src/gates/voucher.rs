//! A voucher: a key, or a contract such as a Safe, signs by EIP-712 what one investor may pay into one sale, in which phases,
//! and until when. Chain and sale are in the signature's domain; the epoch is the sale's, which takes back every voucher of
//! an earlier one.

use alloy::{
    primitives::{Address, B256, Bytes, Signature, U256},
    signers::{Error, SignerSync},
    sol,
    sol_types::{Eip712Domain, SolStruct as _, eip712_domain},
};
use serde_json::{Value, json};

use super::eligibility::{Deadline, MaxPaid, Phases, pack_voucher};

sol! {
    /// As the contract hashes it.
    struct Voucher {
        address investor;
        uint256 maxPaid;
        uint256 phases;
        uint256 deadline;
        uint256 epoch;
    }
}

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoucherTerms {
    /// EIP-155 id of the sale's chain.
    pub chain_id: u64,
    /// The sale.
    pub sale: Address,
    /// Who may have the position, whoever pays.
    pub investor: Address,
    /// Up to what sum in all, in base units.
    pub max_paid: MaxPaid,
    /// In which phases.
    pub phases: Phases,
    /// Until when.
    pub deadline: Deadline,
    /// The sale's epoch of vouchers.
    pub epoch: U256,
}

/// Why a voucher would be of no use in its sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VoucherFault {
    /// The zero address.
    #[error("the zero address is nobody's")]
    Nobody,
    /// A phase that the sale has not.
    #[error("the sale has {count} phases, counted from 0, and phase {phase} is none of them")]
    Phase {
        /// The phase.
        phase: u8,
        /// Phases of the sale.
        count: usize,
    },
    /// A time that is over by the chain's clock.
    #[error("second {deadline} is over: the chain's clock is at {now}")]
    Over {
        /// Until when it would be good.
        deadline: u64,
        /// The chain's clock.
        now: u64,
    },
}

impl VoucherTerms {
    /// Whether it can be of use in a sale with so many phases, at this second of the chain's clock.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, phases: usize, now: u64) -> Result<(), VoucherFault> {
        if self.investor.is_zero() {
            return Err(VoucherFault::Nobody);
        }
        if let Some(phase) = self.phases.indices().find(|p| usize::from(*p) >= phases) {
            return Err(VoucherFault::Phase { phase, count: phases });
        }
        let deadline = self.deadline.seconds();
        if deadline <= now { Err(VoucherFault::Over { deadline, now }) } else { Ok(()) }
    }

    fn domain(&self) -> Eip712Domain {
        eip712_domain! {
            name: "Crowdsale",
            version: "1",
            chain_id: self.chain_id,
            verifying_contract: self.sale,
        }
    }

    fn message(&self) -> Voucher {
        Voucher {
            investor: self.investor,
            maxPaid: self.max_paid.get(),
            phases: U256::from(self.phases.bits()),
            deadline: U256::from(self.deadline.seconds()),
            epoch: self.epoch,
        }
    }

    /// The digest that is signed.
    pub fn signing_hash(&self) -> B256 {
        self.message().eip712_signing_hash(&self.domain())
    }

    /// Signs it.
    ///
    /// # Errors
    /// The signer's.
    pub fn sign(&self, signer: &impl SignerSync) -> Result<Signature, Error> {
        signer.sign_hash_sync(&self.signing_hash())
    }

    /// Who made a key's signature; `None` where it is none. The contract takes the lower `s` and a `v` of 27 or 28 alone, which
    /// the bytes have that come with it.
    pub fn recover(&self, signature: &[u8]) -> Option<(Address, Bytes)> {
        let signature = Signature::from_raw(signature).ok()?;
        let signature = signature.normalize_s().unwrap_or(signature);
        let signer = signature.recover_address_from_prehash(&self.signing_hash()).ok()?;
        Some((signer, signature.as_bytes().into()))
    }

    /// What `contribute` takes.
    pub fn eligibility(&self, signature: &[u8]) -> Bytes {
        pack_voucher(self.max_paid, self.phases, self.deadline, signature)
    }

    /// The argument of `eth_signTypedData_v4`: numbers are strings, because wallets read JSON numbers as floats.
    pub fn typed_data(&self) -> Value {
        let field = |name: &str, of: &str| json!({"name": name, "type": of});
        let message = self.message();
        json!({
            "types": {
                "EIP712Domain": [
                    field("name", "string"),
                    field("version", "string"),
                    field("chainId", "uint256"),
                    field("verifyingContract", "address"),
                ],
                "Voucher": [
                    field("investor", "address"),
                    field("maxPaid", "uint256"),
                    field("phases", "uint256"),
                    field("deadline", "uint256"),
                    field("epoch", "uint256"),
                ],
            },
            "primaryType": "Voucher",
            "domain": {
                "name": "Crowdsale",
                "version": "1",
                // The one number: wallets compare it with the id of the chain that they are on.
                "chainId": self.chain_id,
                "verifyingContract": self.sale.to_string(),
            },
            "message": {
                "investor": message.investor.to_string(),
                "maxPaid": message.maxPaid.to_string(),
                "phases": message.phases.to_string(),
                "deadline": message.deadline.to_string(),
                "epoch": message.epoch.to_string(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        primitives::{address, b256, hex},
        signers::local::PrivateKeySigner,
    };

    use super::*;

    /// What `cast wallet sign --data` 1.7.1 gives for [`terms`] as typed data and the key 0x11…11.
    const SIGNED: [u8; 65] = hex!(
        "fbcd6c08ee29ed5dc0da245bc42b4770bbccd52fdc17b18b645074da7e18bbb7"
        "5b79cd61e3b8e80954ae4376ef8240d2f79582ccb677344d8af7997b06d68656"
        "1c"
    );
    const SIGNER: Address = address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");

    fn terms() -> VoucherTerms {
        VoucherTerms {
            chain_id: 31337,
            sale: address!("8464135c8F25Da09e49BC8782676a84730C318bC"),
            investor: address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
            max_paid: MaxPaid::new(U256::from(2_500_000_000_000_000_000_u64)).unwrap(),
            phases: Phases::new([0, 2]).unwrap(),
            deadline: Deadline::new(1_930_226_400).unwrap(),
            epoch: U256::from(3),
        }
    }

    #[test]
    fn hash_and_signature_are_those_of_cast() {
        let digest = b256!("b9b3df0e511377a0731b178e2251319286483e01fda48a4275ad90353f86a13b");
        assert_eq!(terms().signing_hash(), digest);
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).unwrap();
        assert_eq!(terms().sign(&key).unwrap().as_bytes(), SIGNED);
        assert_eq!(terms().recover(&SIGNED), Some((SIGNER, SIGNED.into())));

        let elsewhere = VoucherTerms { chain_id: 1, epoch: U256::ZERO, ..terms() };
        let signed = hex!(
            "f31d1dfc27b72ce35de475d1350a7e148bf7f490eb4d39a19d62f872c8268754"
            "3cee547eaf23a4c409cc9a26b33b4fcae9d4abb986b484dc3b6ad2bb5da94a57"
            "1c"
        );
        assert_eq!(elsewhere.sign(&key).unwrap().as_bytes(), signed);
    }

    #[test]
    fn every_field_is_in_the_hash() {
        let t = terms();
        let others = [
            VoucherTerms { chain_id: 1, ..t },
            VoucherTerms { sale: t.investor, ..t },
            VoucherTerms { investor: t.sale, ..t },
            VoucherTerms { max_paid: MaxPaid::new(U256::ONE).unwrap(), ..t },
            VoucherTerms { phases: Phases::new([0]).unwrap(), ..t },
            VoucherTerms { deadline: Deadline::new(0).unwrap(), ..t },
            VoucherTerms { epoch: U256::ZERO, ..t },
        ];
        for other in others {
            assert_ne!(other.signing_hash(), t.signing_hash(), "{other:?}");
            assert_ne!(other.recover(&SIGNED).map(|(who, _)| who), Some(SIGNER), "{other:?}");
        }
    }

    #[test]
    fn other_forms_of_a_signature_become_the_one_that_contracts_take() {
        // A hardware wallet's `v` of 0 or 1.
        let mut ledger = SIGNED;
        ledger[64] -= 27;
        assert_eq!(terms().recover(&ledger), Some((SIGNER, SIGNED.into())));
        // The higher `s` of the same signature.
        let order = alloy::primitives::uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
        let mut high = SIGNED;
        let s = order - U256::from_be_slice(&SIGNED[32..64]);
        high[32..64].copy_from_slice(&s.to_be_bytes::<32>());
        high[64] = 27;
        assert_eq!(terms().recover(&high), Some((SIGNER, SIGNED.into())));
        for broken in [&SIGNED[..64], &[0; 65], &[]] {
            assert_eq!(terms().recover(broken), None);
        }
    }

    #[test]
    fn a_wallet_is_asked_for_the_same() {
        // What was given to cast.
        insta::assert_snapshot!(serde_json::to_string_pretty(&terms().typed_data()).unwrap());
    }

    #[test]
    fn what_would_be_of_no_use_is_said_before_it_is_signed() {
        let good = terms();
        let now = good.deadline.seconds() - 1;
        assert_eq!(good.check(8, now), Ok(()));
        assert_eq!(good.check(2, now), Err(VoucherFault::Phase { phase: 2, count: 2 }));
        let deadline = now + 1;
        assert_eq!(good.check(8, deadline), Err(VoucherFault::Over { deadline, now: deadline }));
        let nobody = VoucherTerms { investor: Address::ZERO, ..good };
        assert_eq!(nobody.check(8, now), Err(VoucherFault::Nobody));
    }

    #[test]
    fn packs_the_signature_last() {
        let packed = terms().eligibility(&SIGNED);
        assert_eq!(packed.len(), 86);
        assert_eq!(packed[15], 5);
        assert_eq!(packed[21..], SIGNED);
    }
}
