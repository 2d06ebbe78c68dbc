//! A chain with a factory, and a database beside it.

use alloy::{
    primitives::{Address, U256},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::{SolEvent, SolValue},
};
use crowdsale::contracts::{
    DevDollar, DutchAuctionSale, FixedPriceSale, ProRataSale, RefundVault, SaleFactory, TeamWallet, TokenFactory,
};
use tokio::sync::OnceCell;

use crate::{Api, Call, Chain, Database, Draft, Flags, Indexer, Sale};

/// Chain, factory, database. The index of an account tells its role: 0 creates and owns, 1 is the beneficiary, 2 is anybody,
/// the others invest.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The database.
    pub database: Database,
    /// The factory that is followed.
    pub factory: Address,
    pub(crate) api: OnceCell<Api>,
}

impl World {
    /// A new chain whose reorgs stay above `2 * slots` blocks below the head.
    pub async fn new(slots: u64) -> Self {
        Self::on(Chain::start(slots).await).await
    }

    /// The same on a chain that was started otherwise.
    pub async fn on(chain: Chain) -> Self {
        let factory = deploy_factory(&chain).await;
        Self { chain, api: OnceCell::new(), database: Database::create().await, factory }
    }

    /// Who creates and owns sales.
    pub fn owner(&self) -> Address {
        self.chain.account(0)
    }

    /// Who gets the money.
    pub fn beneficiary(&self) -> Address {
        self.chain.account(1)
    }

    /// Somebody without a role.
    pub fn anybody(&self) -> Address {
        self.chain.account(2)
    }

    /// An investor.
    pub fn investor(&self, index: usize) -> Address {
        self.chain.account(3 + index)
    }

    /// Flags of an indexer of this world.
    pub fn flags(&self) -> Flags {
        Flags {
            rpc_url: self.chain.url.clone(),
            database_url: self.database.url.clone(),
            factory: self.factory,
            more: Vec::new(),
        }
    }

    /// Starts an indexer.
    pub fn index(&self) -> Indexer {
        Indexer::start(&self.flags())
    }

    /// A draft, in ether, of a sale that opens with the block after the next.
    pub async fn draft(&self) -> Draft {
        Draft::new(self.owner(), self.beneficiary(), self.chain.now().await + 24)
    }

    /// Creates a sale; it is open in the next block if the draft is fresh.
    pub async fn create(&self, draft: &Draft) -> Sale {
        let receipts = self.chain.mine([draft.create(self.factory)]).await;
        draft.created(&receipts[0])
    }

    /// A sale in ether that is open in the next block.
    pub async fn open_sale(&self) -> Sale {
        let draft = self.draft().await;
        self.create(&draft).await
    }

    /// The sale that `draft` would make: its address is known before it exists.
    pub async fn predict(&self, draft: &Draft) -> Sale {
        let token = draft.token.clone().expect("a draft with a token of its own");
        let factory = SaleFactory::new(self.factory, &self.chain.provider);
        let predicted = factory
            .predictWithToken(
                draft.creator,
                draft.mode,
                draft.terms.clone(),
                draft.documents.clone(),
                draft.allocations.clone(),
                token,
            )
            .call()
            .await
            .unwrap();
        let mut terms = draft.terms.clone();
        terms.token = predicted.token;
        Sale { address: predicted.sale, vault: predicted.vault, token: predicted.token, terms }
    }

    /// The log with which the factory announced its first sale.
    pub async fn creation_log(&self) -> Log {
        let filter =
            Filter::new().address(self.factory).event_signature(SaleFactory::SaleCreated::SIGNATURE_HASH).from_block(0);
        self.chain.provider.get_logs(&filter).await.unwrap().remove(0)
    }

    /// A token with 6 decimals of which every investor has a million, and that may be spent by `spender`.
    pub async fn deploy_dollar(&self) -> Address {
        let receipts = self.chain.mine([Call::deploy(self.owner(), DevDollar::BYTECODE.clone())]).await;
        let dollar = receipts[0].contract_address.expect("a contract");
        let mints = (0..8).map(|i| {
            let call = DevDollar::mintCall { to: self.investor(i), amount: U256::from(1_000_000_000_000_u64) };
            Call::to(self.owner(), dollar, &call)
        });
        self.chain.mine(mints).await;
        dollar
    }
}

/// Deploys another factory.
pub async fn deploy_factory(chain: &Chain) -> Address {
    let deploy = async |code: Vec<u8>| {
        let receipts = chain.mine([Call::deploy(chain.account(0), code)]).await;
        receipts[0].contract_address.expect("a contract")
    };
    let with = |code: &[u8], argument: Address| [code, argument.abi_encode().as_slice()].concat();
    let vault = deploy(RefundVault::BYTECODE.to_vec()).await;
    let code = SaleFactory::Implementations {
        fixedPriceSale: deploy(with(&FixedPriceSale::BYTECODE, vault)).await,
        proRataSale: deploy(with(&ProRataSale::BYTECODE, vault)).await,
        dutchAuctionSale: deploy(with(&DutchAuctionSale::BYTECODE, vault)).await,
        refundVault: vault,
        teamWallet: deploy(TeamWallet::BYTECODE.to_vec()).await,
        tokenFactory: deploy(TokenFactory::BYTECODE.to_vec()).await,
    };
    deploy([&SaleFactory::BYTECODE[..], code.abi_encode().as_slice()].concat()).await
}
