//! The operator's key. Never printed: its `Debug` is its address.

use std::fmt;

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559},
    eips::eip2718::Encodable2718 as _,
    primitives::{Address, B256},
    signers::{SignerSync as _, local::PrivateKeySigner},
};

use super::OrderError;

/// Signs for the operator.
#[derive(Clone)]
pub struct Signer {
    key: PrivateKeySigner,
    only_on: Option<u64>,
}

/// A transaction that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBytes {
    /// What identifies it.
    pub hash: B256,
    /// As nodes take it.
    pub raw: Vec<u8>,
}

impl Signer {
    /// A key; `only_on` is the chain that it is good for, where it is a published one.
    pub fn new(key: PrivateKeySigner, only_on: Option<u64>) -> Self {
        Self { key, only_on }
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// The key, for signatures on a chain.
    ///
    /// # Errors
    /// [`OrderError::Published`].
    pub fn on(&self, chain_id: u64) -> Result<&PrivateKeySigner, OrderError> {
        if self.only_on.is_none_or(|only| only == chain_id) { Ok(&self.key) } else { Err(OrderError::Published) }
    }

    /// Signs a transaction.
    ///
    /// # Errors
    /// [`OrderError::Published`], [`OrderError::Signing`].
    pub fn sign(&self, transaction: TxEip1559) -> Result<SignedBytes, OrderError> {
        let key = self.on(transaction.chain_id)?;
        let signature = key.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|e| OrderError::Signing(e.to_string()))?;
        let signed = transaction.into_signed(signature);
        Ok(SignedBytes { hash: *signed.hash(), raw: signed.encoded_2718() })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer(of {})", self.address())
    }
}
