//! What a token says of itself.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider,
    sol_types::SolCall,
};

use super::{ChainError, Node};
use crate::contracts::SaleToken;

impl Node {
    /// Symbol, name and decimals of a token as of a block; what the contract does not have is empty or zero.
    ///
    /// # Errors
    /// Where the node no longer has that block: a reorg must not look like a token without decimals, for ever.
    pub async fn token(&self, address: Address, block: B256) -> Result<(String, String, u8), ChainError> {
        let id = BlockId::hash(block);
        let token = SaleToken::new(address, &self.provider);
        let (symbol, name, decimals) = (token.symbol().block(id), token.name().block(id), token.decimals().block(id));
        // At once: a batch at the head that brings sales waits for all their tokens.
        let (code, symbol, name, decimals) = tokio::try_join!(
            self.within("eth_getCode", self.provider.get_code_at(address).block_id(id)),
            self.within("eth_call", symbol.call()),
            self.within("eth_call", name.call()),
            // Read strictly: of a number that does not fit, the low bits would look like decimals.
            self.within("eth_call", decimals.call_raw()),
        )?;
        if code.map_err(|e| self.failed("eth_getCode", &e))?.is_empty() {
            return Ok((String::new(), String::new(), 0));
        }
        let (symbol, name) = (self.answer(symbol)?, self.answer(name)?);
        let decimals =
            self.answer(decimals)?.and_then(|word| SaleToken::decimalsCall::abi_decode_returns_validate(&word).ok());
        Ok((symbol.unwrap_or_default(), name.unwrap_or_default(), decimals.unwrap_or_default()))
    }

    /// A contract that reverts or answers something else has no such property. Any other error is the node's: a limit, a
    /// block that it does not have.
    fn answer<T>(&self, result: Result<T, alloy::contract::Error>) -> Result<Option<T>, ChainError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(alloy::contract::Error::TransportError(e)) => {
                let reverted = e.as_error_resp().is_some_and(|r| {
                    r.code == 3 || r.as_revert_data().is_some() || r.message.to_lowercase().contains("revert")
                });
                if reverted { Ok(None) } else { Err(self.failed("eth_call", &e)) }
            }
            Err(_) => Ok(None),
        }
    }
}
