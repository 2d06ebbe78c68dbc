//! Bindings of the contracts, made from `contracts/abi` at compile time: neither forge nor a compiler is needed to build.

#![allow(missing_docs, reason = "documented in the Solidity interfaces that these are generated from")]
#![allow(clippy::too_many_arguments, reason = "generated")]

use alloy::sol;

sol!(
    #[sol(rpc, all_derives)]
    SaleFactory,
    "../contracts/abi/SaleFactory.json"
);

sol!(
    #[sol(rpc, all_derives)]
    FixedPriceSale,
    "../contracts/abi/FixedPriceSale.json"
);

sol!(
    #[sol(rpc, all_derives)]
    RefundVault,
    "../contracts/abi/RefundVault.json"
);

sol!(
    #[sol(rpc, all_derives)]
    SaleToken,
    "../contracts/abi/SaleToken.json"
);

sol!(
    #[sol(rpc, all_derives)]
    DevDollar,
    "../contracts/abi/DevDollar.json"
);

sol!(
    #[sol(rpc, all_derives)]
    ProRataSale,
    "../contracts/abi/ProRataSale.json"
);

sol!(
    #[sol(rpc, all_derives)]
    DutchAuctionSale,
    "../contracts/abi/DutchAuctionSale.json"
);

sol!(
    #[sol(rpc, all_derives)]
    TeamWallet,
    "../contracts/abi/TeamWallet.json"
);

sol!(
    #[sol(rpc, all_derives)]
    TokenFactory,
    "../contracts/abi/TokenFactory.json"
);

sol!(
    #[sol(rpc, all_derives)]
    RestrictedSaleToken,
    "../contracts/abi/RestrictedSaleToken.json"
);
