//! Reads a transaction that came signed: what it is, who signed it, and what it contributes. No I/O.

use alloy::{
    consensus::{Transaction as _, TxEnvelope},
    eips::eip2718::Decodable2718 as _,
    primitives::{Address, B256, U256, hex},
    sol_types::SolCall as _,
};

use crate::contracts::FixedPriceSale;

/// Most bytes of a signed transaction: a proof of a list of a million is not a kilobyte.
pub const MAX_RAW: usize = 8 * 1024;
/// Most gas of one: more fits into no block of the chains that are known.
const MAX_GAS: u64 = 30_000_000;

/// What a signed transaction would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What identifies it.
    pub hash: B256,
    /// As it came.
    pub raw: Vec<u8>,
    /// Who signed it.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// The contract that it calls.
    pub to: Address,
    /// Wei that it takes along.
    pub value: U256,
    /// What it calls with.
    pub data: Vec<u8>,
    /// Most gas.
    pub gas_limit: u64,
    /// Wei of a unit of gas, at most.
    pub max_fee: u128,
    /// Of it, to who includes it.
    pub priority_fee: u128,
    /// Whose position it adds to.
    pub investor: Address,
    /// Base units that it contributes.
    pub amount: U256,
}

/// Why it is none that is taken. Each reads as the end of a sentence that begins with the field's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawFault {
    /// No hexadecimal bytes.
    #[error("must be 0x and pairs of hexadecimal digits, as the wallet signed it")]
    Hex,
    /// Too long.
    #[error("is longer than {MAX_RAW} bytes, which no contribution is")]
    Long,
    /// No transaction.
    #[error("is no signed transaction: send all of the bytes, and nothing else, as eth_signTransaction gives them")]
    Form,
    /// Another kind.
    #[error("is a transaction of type {0}: sign one of type 0, 1 or 2")]
    Kind(u8),
    /// Good on every chain.
    #[error("names no chain, so that it could be sent on every one: sign it with EIP-155's chain id")]
    NoChain,
    /// Good on another chain.
    #[error("is signed for chain {found}, and the order is for chain {expected}")]
    OtherChain {
        /// The order's.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// A high `s`, or none that anybody made.
    #[error("has no good signature: nodes take the one with the lower s alone")]
    Signature,
    /// Creates a contract.
    #[error("creates a contract: an order goes to a sale")]
    Creates,
    /// Calls something else.
    #[error("calls something else than contribute or contributeWithPermit: an order contributes, and nothing more")]
    OtherCall,
    /// Contributes nothing.
    #[error("contributes nothing")]
    Nothing,
    /// Gas that cannot be.
    #[error("asks for {0} gas: name between 21000 and {MAX_GAS}")]
    Gas(u64),
    /// The fees contradict each other.
    #[error("gives who includes it more than it pays in all: its priority fee is above its fee")]
    Fees,
}

/// Reads it.
///
/// # Errors
/// The first fault.
pub fn decode(text: &str, chain_id: u64) -> Result<Decoded, RawFault> {
    let digits = text.strip_prefix("0x").ok_or(RawFault::Hex)?;
    if digits.len() > 2 * MAX_RAW {
        return Err(RawFault::Long);
    }
    let raw = hex::decode(digits).map_err(|_| RawFault::Hex)?;
    // Said by its type, as one with blobs does not decode without them.
    if let Some(kind @ 3..=0x7f) = raw.first() {
        return Err(RawFault::Kind(*kind));
    }
    let envelope = TxEnvelope::decode_2718_exact(&raw).map_err(|_| RawFault::Form)?;
    match envelope.chain_id() {
        None => return Err(RawFault::NoChain),
        Some(found) if found != chain_id => return Err(RawFault::OtherChain { expected: chain_id, found }),
        Some(_) => {}
    }
    let sender = signer(&envelope).ok_or(RawFault::Signature)?;
    let to = envelope.to().ok_or(RawFault::Creates)?;
    let (value, data) = (envelope.value(), envelope.input().to_vec());
    let (investor, amount) = contribution(sender, value, &data)?;
    if amount.is_zero() {
        return Err(RawFault::Nothing);
    }
    let gas_limit = envelope.gas_limit();
    if !(21_000..=MAX_GAS).contains(&gas_limit) {
        return Err(RawFault::Gas(gas_limit));
    }
    let max_fee = envelope.max_fee_per_gas();
    let priority_fee = envelope.max_priority_fee_per_gas().unwrap_or(max_fee);
    if priority_fee > max_fee {
        return Err(RawFault::Fees);
    }
    let (hash, nonce) = (*envelope.tx_hash(), envelope.nonce());
    Ok(Decoded { hash, raw, sender, nonce, to, value, data, gas_limit, max_fee, priority_fee, investor, amount })
}

/// Who signed it, with the lower `s`.
fn signer(envelope: &TxEnvelope) -> Option<Address> {
    let signature = envelope.signature();
    if signature.normalize_s().is_some() {
        return None;
    }
    signature.recover_address_from_prehash(&envelope.signature_hash()).ok()
}

/// Who gets what: by a plain transfer, or by one of the two calls that contribute, with not a byte beside them.
fn contribution(sender: Address, value: U256, data: &[u8]) -> Result<(Address, U256), RawFault> {
    if data.is_empty() {
        return Ok((sender, value));
    }
    if let Ok(call) = FixedPriceSale::contributeCall::abi_decode(data)
        && call.abi_encode() == data
    {
        return Ok((call.investor, call.amount));
    }
    match FixedPriceSale::contributeWithPermitCall::abi_decode(data) {
        Ok(call) if call.abi_encode() == data => Ok((call.investor, call.amount)),
        _ => Err(RawFault::OtherCall),
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        consensus::{SignableTransaction as _, TxEip1559, TxLegacy},
        eips::eip2718::Encodable2718 as _,
        primitives::{Bytes, Signature, TxKind, address},
        signers::{SignerSync as _, local::PrivateKeySigner},
    };

    use super::*;

    const SALE: Address = address!("00000000000000000000000000000000005a1e00");

    fn key() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).unwrap()
    }

    fn transfer() -> TxEip1559 {
        TxEip1559 {
            chain_id: 1,
            nonce: 7,
            gas_limit: 100_000,
            max_fee_per_gas: 10,
            max_priority_fee_per_gas: 2,
            to: TxKind::Call(SALE),
            value: U256::from(5),
            ..TxEip1559::default()
        }
    }

    fn signed(transaction: TxEip1559) -> String {
        let signature = key().sign_hash_sync(&transaction.signature_hash()).unwrap();
        hex::encode_prefixed(transaction.into_signed(signature).encoded_2718())
    }

    #[test]
    fn a_contribution_is_read_in_each_of_its_forms() {
        let plain = decode(&signed(transfer()), 1).unwrap();
        assert_eq!((plain.sender, plain.investor, plain.amount), (key().address(), key().address(), U256::from(5)));
        assert_eq!((plain.nonce, plain.to, plain.max_fee, plain.priority_fee), (7, SALE, 10, 2));

        let investor = Address::repeat_byte(9);
        let call =
            FixedPriceSale::contributeCall { investor, amount: U256::from(6), eligibility: Bytes::from(vec![1; 15]) };
        let read = decode(&signed(TxEip1559 { input: call.abi_encode().into(), ..transfer() }), 1).unwrap();
        assert_eq!((read.investor, read.amount), (investor, U256::from(6)));
    }

    #[test]
    fn anything_else_is_refused_and_says_why() {
        let other = |change: fn(&mut TxEip1559)| {
            let mut transaction = transfer();
            change(&mut transaction);
            decode(&signed(transaction), 1).unwrap_err()
        };
        assert_eq!(other(|t| t.chain_id = 5), RawFault::OtherChain { expected: 1, found: 5 });
        assert_eq!(other(|t| t.to = TxKind::Create), RawFault::Creates);
        assert_eq!(other(|t| t.value = U256::ZERO), RawFault::Nothing);
        assert_eq!(other(|t| t.input = vec![1, 2, 3, 4].into()), RawFault::OtherCall);
        assert_eq!(other(|t| t.gas_limit = 20_999), RawFault::Gas(20_999));
        assert_eq!(other(|t| t.gas_limit = u64::MAX), RawFault::Gas(u64::MAX));
        assert_eq!(other(|t| t.max_priority_fee_per_gas = 11), RawFault::Fees);
        let trailing = |t: &mut TxEip1559| {
            let call = FixedPriceSale::contributeCall { investor: SALE, amount: U256::ONE, eligibility: Bytes::new() };
            t.input = [call.abi_encode(), vec![0]].concat().into();
        };
        assert_eq!(other(trailing), RawFault::OtherCall);

        let whole = signed(transfer());
        for broken in [&whole[..whole.len() - 2], &format!("{whole}00"), "0x", "0x00", "0xc0", "0x01", "0x0200"] {
            assert_eq!(decode(broken, 1), Err(RawFault::Form), "{broken}");
        }
        for broken in ["", "00", &whole[..whole.len() - 1], "0xzz", "0x０１", &format!(" {whole}")] {
            assert_eq!(decode(broken, 1), Err(RawFault::Hex), "{broken}");
        }
        assert_eq!(decode("0x03c0", 1), Err(RawFault::Kind(3)));
        assert_eq!(decode("0x04c0", 1), Err(RawFault::Kind(4)));
        assert_eq!(decode(&format!("0x{}", "00".repeat(MAX_RAW + 1)), 1), Err(RawFault::Long));

        let everywhere =
            TxLegacy { gas_limit: 100_000, to: TxKind::Call(SALE), value: U256::ONE, ..TxLegacy::default() };
        let signature = key().sign_hash_sync(&everywhere.signature_hash()).unwrap();
        let text = hex::encode_prefixed(everywhere.into_signed(signature).encoded_2718());
        assert_eq!(decode(&text, 1), Err(RawFault::NoChain));
    }

    #[test]
    fn the_other_signature_of_the_same_transaction_is_refused() {
        let transaction = transfer();
        let signature = key().sign_hash_sync(&transaction.signature_hash()).unwrap();
        let order =
            U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap();
        let high = Signature::new(signature.r(), order - signature.s(), !signature.v());
        let text = hex::encode_prefixed(transaction.into_signed(high).encoded_2718());
        assert_eq!(decode(&text, 1), Err(RawFault::Signature));
    }
}
