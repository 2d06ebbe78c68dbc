//! A chain of real sales with as many contributions as asked for, a hundred in a block.

use alloy::{
    primitives::{Address, U256, aliases::U120},
    providers::{Provider, ext::AnvilApi},
    rpc::types::{TransactionReceipt, anvil::MineOptions},
    sol,
    sol_types::SolCall,
};
use e2e::{Call, Chain, Sale, World, ether};

sol!(
    #[sol(all_derives)]
    Crowd,
    "../contracts/abi/Crowd.json"
);

/// Contributions in a block.
pub const PER_BLOCK: u64 = 100;

/// The chain, its factory, and what is on it.
pub struct Fixture {
    pub world: World,
    pub sales: Vec<Sale>,
    pub crowd: Address,
    pub investors: u64,
}

impl Fixture {
    /// Sales that are open, and a crowd with money.
    pub async fn new(chain: Chain, sales: u64, investors: u64) -> Self {
        let world = World::on(chain).await;
        let mut created = Vec::new();
        for number in 0..sales {
            let mut draft = world.draft().await;
            draft.terms.softCap = U120::from(1);
            draft.terms.hardCap = ether("1000000").to();
            draft.terms.minPaid = U120::from(1);
            draft.terms.maxPaid = ether("1000").to();
            draft.terms.tokensForSale = ether("1000000000000").to();
            for phase in &mut draft.terms.phases {
                phase.raisedUpTo = draft.terms.hardCap;
            }
            draft.documents.name = format!("Sale {number}");
            draft.token.as_mut().expect("a token of its own").supply = ether("1000000000000");
            created.push(world.create(&draft).await);
        }
        let receipts = world.chain.mine([Call::deploy(world.owner(), Crowd::BYTECODE.clone())]).await;
        let crowd = receipts[0].contract_address.expect("a contract");
        world.chain.mine([Call::send(world.owner(), crowd, ether("5000"), Vec::new())]).await;
        Self { world, sales: created, crowd, investors }
    }

    /// One block of contributions, from the `from`-th on.
    pub async fn block(&self, from: u64, count: u64) {
        let call = Crowd::contributeCall {
            sales: self.sales.iter().map(|s| s.address).collect(),
            from: U256::from(from),
            count: U256::from(count),
            investors: U256::from(self.investors),
            amount: U256::from(1_000_000_000_000_u64 + from),
        };
        let Call::New(request) = Call::send(self.world.owner(), self.crowd, U256::ZERO, call.abi_encode()) else {
            unreachable!("a new call")
        };
        let mut request = *request;
        request.gas = Some(900_000_000);
        let provider = &self.world.chain.provider;
        let hash =
            provider.client().request::<_, alloy::primitives::B256>("eth_sendTransaction", (request,)).await.unwrap();
        provider.evm_mine(Some(MineOptions::Options { timestamp: None, blocks: Some(1) })).await.expect("anvil mines");
        if from == 0 {
            let receipt: TransactionReceipt = provider.get_transaction_receipt(hash).await.unwrap().expect("mined");
            assert!(receipt.status(), "the crowd contributes");
            assert_eq!(receipt.logs().len() as u64, count, "one event a contribution");
        }
    }

    /// So many contributions, and then blocks without any until all are final.
    pub async fn fill(&self, events: u64) -> u64 {
        for block in 0..events.div_ceil(PER_BLOCK) {
            let from = block * PER_BLOCK;
            self.block(from, PER_BLOCK.min(events - from)).await;
            if block % 500 == 499 {
                eprintln!("bench: {} of {events} contributions are mined", from + PER_BLOCK);
            }
        }
        let last = self.world.chain.head().await.header.number;
        self.world.chain.mine_blocks(8).await;
        last
    }
}
