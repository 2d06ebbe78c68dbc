//! ERC-2612: an approval as a signature, so that a token is approved and paid in one transaction.

use alloy::{
    primitives::{Address, B256, Signature, U256, keccak256},
    sol_types::SolValue as _,
};
use anyhow::Result;

use super::send::Wallet;
use crate::contracts::{FixedPriceSale, SaleToken};

/// How long a permit is good for, in seconds of the chain.
const LIFETIME: u64 = 3_600;

/// A signed approval.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    deadline: U256,
    v: u8,
    r: B256,
    s: B256,
}

/// Signs an approval of `value` base units of `token` for `spender`. `None` where the token has no permit, or one in another
/// form: then it is approved by a transaction.
///
/// # Errors
/// Where the node fails or the key does not sign.
pub async fn sign(wallet: &Wallet, token: Address, spender: Address, value: U256) -> Result<Option<Permit>> {
    let contract = SaleToken::new(token, &wallet.node.provider);
    let (separator, nonce) = (contract.DOMAIN_SEPARATOR(), contract.nonces(wallet.address));
    let (separator, nonce) = tokio::join!(separator.call(), nonce.call());
    let (Ok(separator), Ok(nonce)) = (separator, nonce) else { return Ok(None) };
    if !is_own_domain(wallet, token, separator).await {
        return Ok(None);
    }
    let now = wallet.node.block(alloy::eips::BlockNumberOrTag::Latest).await?.timestamp;
    let deadline = U256::from(now.saturating_add(LIFETIME));
    let kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    let message = keccak256((kind, wallet.address, spender, value, nonce, deadline).abi_encode());
    let digest = keccak256([&[0x19, 0x01], separator.as_slice(), message.as_slice()].concat());
    let signature = wallet.sign(digest)?;
    let permit = Permit::new(deadline, &signature);
    // As the token sees it: some have a permit of another kind under the same domain.
    let call = SaleToken::permitCall {
        owner: wallet.address,
        spender,
        value,
        deadline,
        v: permit.v,
        r: permit.r,
        s: permit.s,
    };
    let accepted = wallet.simulate("", &wallet.call(token, &call, U256::ZERO), &Default::default()).await.is_ok();
    Ok(accepted.then_some(permit))
}

/// Whether the domain that a token names is its own on this chain: a signature for another's domain would be another's permit.
async fn is_own_domain(wallet: &Wallet, token: Address, separator: B256) -> bool {
    let contract = SaleToken::new(token, &wallet.node.provider);
    let (domain, name) = (contract.eip712Domain(), contract.name());
    let (domain, name) = tokio::join!(domain.call(), name.call());
    let mut names = Vec::new();
    if let Ok(domain) = domain {
        names.push((domain.name, domain.version));
    }
    if let Ok(name) = name {
        names.extend(["1", "2"].map(|version| (name.clone(), version.to_owned())));
    }
    let kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    let own = |(name, version): &(String, String)| {
        let chain_id = U256::from(wallet.node.chain_id);
        keccak256((kind, keccak256(name), keccak256(version), chain_id, token).abi_encode()) == separator
    };
    names.iter().any(own)
}

impl Permit {
    fn new(deadline: U256, signature: &Signature) -> Self {
        Self { deadline, v: 27 + u8::from(signature.v()), r: signature.r().into(), s: signature.s().into() }
    }

    /// The contribution that brings its approval with it.
    pub fn contribution(
        self,
        investor: Address,
        amount: U256,
        eligibility: alloy::primitives::Bytes,
    ) -> FixedPriceSale::contributeWithPermitCall {
        let Self { deadline, v, r, s } = self;
        FixedPriceSale::contributeWithPermitCall { investor, amount, eligibility, deadline, v, r, s }
    }
}
