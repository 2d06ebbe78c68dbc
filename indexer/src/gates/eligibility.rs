//! The bytes that `contribute(investor, amount, eligibility)` takes, packed without padding:
//!
//! ```text
//! list     maxPaid (15) | proof (32 each)
//! voucher  maxPaid (15) | phases (1) | deadline (5) | signature (65 of a key: r, s, v; of any length of a contract)
//! ```

use std::fmt;

use alloy::primitives::{B256, Bytes, U256};
use serde::{Serialize, Serializer};

/// What an investor may have paid in all, in base units of the payment currency: the contract keeps it in 120 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxPaid(U256);

/// The phases that a voucher is for: bit `i` is phase `i`, counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phases(u8);

/// The last second that a voucher is good for, Unix time: the contract keeps it in 40 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(u64);

/// Why a number cannot be packed. Each reads as the end of a sentence that begins with the number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EligibilityError {
    /// A limit of 2^120 base units or more.
    #[error("is too large: a limit stays below 2^120 base units")]
    MaxPaid,
    /// A limit of nothing.
    #[error("lets the investor pay nothing: leave out who may not contribute")]
    ZeroMaxPaid,
    /// No phase.
    #[error("names no phase: a voucher is for one phase at least")]
    NoPhase,
    /// A ninth phase.
    #[error("is no phase: a sale has at most eight, counted from 0 to 7")]
    Phase,
    /// A time after 2^40 seconds.
    #[error("is too late: the contract counts to second 1099511627775, in the year 36812")]
    Deadline,
}

impl MaxPaid {
    /// A limit in base units.
    ///
    /// # Errors
    /// Of zero, and from 2^120 on.
    pub fn new(raw: U256) -> Result<Self, EligibilityError> {
        if raw.is_zero() {
            Err(EligibilityError::ZeroMaxPaid)
        } else if raw.bit_len() > 120 {
            Err(EligibilityError::MaxPaid)
        } else {
            Ok(Self(raw))
        }
    }

    /// Base units.
    pub fn get(self) -> U256 {
        self.0
    }

    fn packed(self) -> [u8; 15] {
        let mut packed = [0; 15];
        packed.copy_from_slice(&self.0.to_be_bytes::<32>()[17..]);
        packed
    }
}

impl fmt::Display for MaxPaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for MaxPaid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Phases {
    /// Of the phases' indices, from zero.
    ///
    /// # Errors
    /// Of none, and of an index above 7.
    pub fn new(indices: impl IntoIterator<Item = u8>) -> Result<Self, EligibilityError> {
        let bits = indices.into_iter().try_fold(0, |bits, i| match 1_u8.checked_shl(u32::from(i)) {
            Some(bit) => Ok(bits | bit),
            None => Err(EligibilityError::Phase),
        })?;
        if bits == 0 { Err(EligibilityError::NoPhase) } else { Ok(Self(bits)) }
    }

    /// The bitmap.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The indices, from zero.
    pub fn indices(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |i| self.0 >> i & 1 == 1)
    }
}

impl Deadline {
    /// Of Unix seconds.
    ///
    /// # Errors
    /// From 2^40 on.
    pub fn new(seconds: u64) -> Result<Self, EligibilityError> {
        if seconds >> 40 == 0 { Ok(Self(seconds)) } else { Err(EligibilityError::Deadline) }
    }

    /// Unix seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// For a phase with a list.
pub fn pack_membership(max_paid: MaxPaid, proof: &[B256]) -> Bytes {
    let mut packed = max_paid.packed().to_vec();
    packed.extend(proof.iter().flatten());
    packed.into()
}

/// For a phase with vouchers.
pub fn pack_voucher(max_paid: MaxPaid, phases: Phases, deadline: Deadline, signature: &[u8]) -> Bytes {
    let mut packed = max_paid.packed().to_vec();
    packed.push(phases.0);
    packed.extend_from_slice(&deadline.0.to_be_bytes()[3..]);
    packed.extend_from_slice(signature);
    packed.into()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::hex;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_membership_is_its_limit_and_its_proof() {
        let max_paid = MaxPaid::new(U256::from(0x0102_u64)).unwrap();
        let packed = pack_membership(max_paid, &[B256::repeat_byte(0xaa), B256::repeat_byte(0xbb)]);
        let expected = format!("{:0>30}{}{}", "0102", "aa".repeat(32), "bb".repeat(32));
        assert_eq!(hex::encode(packed), expected);
        // The only one on a list.
        assert_eq!(pack_membership(max_paid, &[]).len(), 15);
    }

    #[test]
    fn a_voucher_is_limit_phases_deadline_signature() {
        let max_paid = MaxPaid::new((U256::ONE << 120) - U256::ONE).unwrap();
        let (phases, deadline) = (Phases::new([0, 2]).unwrap(), Deadline::new(0x01_0203_0405).unwrap());
        let packed = pack_voucher(max_paid, phases, deadline, &[0xee; 65]);
        assert_eq!(hex::encode(&packed), format!("{}05{}{}", "ff".repeat(15), "0102030405", "ee".repeat(65)));
        assert_eq!(packed.len(), 86);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(MaxPaid::new(U256::ZERO), Err(EligibilityError::ZeroMaxPaid));
        assert_eq!(MaxPaid::new(U256::ONE << 120), Err(EligibilityError::MaxPaid));
        assert_eq!(MaxPaid::new(U256::MAX), Err(EligibilityError::MaxPaid));
        assert_eq!(Phases::new([]), Err(EligibilityError::NoPhase));
        assert_eq!(Phases::new([8]), Err(EligibilityError::Phase));
        assert_eq!(Phases::new([255]), Err(EligibilityError::Phase));
        assert_eq!(Deadline::new(1 << 40), Err(EligibilityError::Deadline));
        assert_eq!(Deadline::new((1 << 40) - 1).unwrap().seconds(), 1_099_511_627_775);
    }

    proptest! {
        #[test]
        fn what_is_packed_can_be_read_back(raw in 1_u128..1 << 120, bits in 1_u8.., seconds in 0_u64..1 << 40, tail: Vec<u8>) {
            let max_paid = MaxPaid::new(U256::from(raw)).unwrap();
            let phases = Phases::new((0..8).filter(|i| bits >> i & 1 == 1)).unwrap();
            prop_assert_eq!(phases.bits(), bits);
            prop_assert_eq!(Phases::new(phases.indices()), Ok(phases));
            let packed = pack_voucher(max_paid, phases, Deadline::new(seconds).unwrap(), &tail);
            prop_assert_eq!(U256::from_be_slice(&packed[..15]), U256::from(raw));
            prop_assert_eq!(packed[15], bits);
            prop_assert_eq!(U256::from_be_slice(&packed[16..21]), U256::from(seconds));
            prop_assert_eq!(&packed[21..], &tail[..]);
        }
    }
}
