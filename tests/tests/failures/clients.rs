//! Other clients: Hardhat, and Ganache, which answers `[]` for blocks that it does not have and serves those that are gone.

use alloy::{
    primitives::{Address, U256},
    sol_types::SolEvent,
};
use crowdsale::{
    contracts::{FixedPriceSale::Contributed, SaleFactory::SaleCreated},
    sync::{self, Rewound, SyncError},
};
use e2e::{Client, ClientNode, Database, Draft, Local, peer::Mask, until};

/// A factory and a sale that say what they are told to, on a real client.
struct Scene {
    node: ClientNode,
    factory: Address,
    sale: Address,
    contributions: u64,
}

impl Scene {
    async fn new(client: Client) -> Self {
        let node = ClientNode::start(client).await;
        let (factory, sale) = (node.emitter().await, node.emitter().await);
        let draft = Draft::new(Address::repeat_byte(1), Address::repeat_byte(2), 2_000_000_000);
        let created = SaleCreated {
            sale,
            creator: draft.creator,
            token: Address::repeat_byte(3),
            vault: Address::repeat_byte(4),
            mode: 0,
            terms: draft.terms,
            documents: draft.documents,
        };
        node.emit(factory, &created.encode_log_data()).await;
        Self { node, factory, sale, contributions: 0 }
    }

    /// So many blocks with a contribution each; no two amounts are alike.
    async fn grow(&mut self, count: u64) {
        for _ in 0..count {
            self.contributions += 1;
            let contributed = Contributed {
                investor: Address::with_last_byte((self.contributions % 5) as u8 + 1),
                payer: Address::repeat_byte(9),
                phase: U256::ZERO,
                amount: U256::from(self.contributions),
                tokens: U256::from(1_000 * self.contributions),
                paid: U256::ZERO,
                raised: U256::ZERO,
                sold: U256::ZERO,
            };
            self.node.emit(self.sale, &contributed.encode_log_data()).await;
        }
    }

    async fn reaches_head(&self, indexer: &mut Local, database: &Database) {
        let head = self.node.head().await.header.hash;
        indexer.reaches(database, head).await;
    }

    /// A fresh index of the chain as it is now, and what the canonical blocks hold.
    async fn agree(&self, url: &str, database: &Database, amounts: &[u64]) {
        let rows = database.texts("SELECT amount::text FROM contribution ORDER BY block_number").await;
        assert_eq!(rows, amounts.iter().map(u64::to_string).collect::<Vec<_>>());
        let raised = database.texts("SELECT raised::text FROM sale_total").await;
        assert_eq!(raised, [amounts.iter().sum::<u64>().to_string()]);
        let fresh = Database::migrated().await;
        let mut again = Local::follow(url, &fresh, &Local::options(self.factory, 0));
        self.reaches_head(&mut again, &fresh).await;
        again.stop().await;
        const OF_THE_WAY: [&str; 5] = ["outbox", "reverted_event", "checkpoint", "_sqlx_migrations", "deferred_index"];
        assert_eq!(database.dump(&OF_THE_WAY).await, fresh.dump(&OF_THE_WAY).await);
    }
}

/// Nothing is final: each shape of reorg is undone.
async fn reorgs(client: Client) {
    let mut scene = Scene::new(client).await;
    let mask = Mask::start(&scene.node.url).await;
    let database = Database::migrated().await;
    let mut indexer = Local::follow(&mask.url, &database, &Local::options(scene.factory, 0));
    scene.grow(4).await;
    scene.reaches_head(&mut indexer, &database).await;
    let mut amounts: Vec<u64> = (1..=4).collect();
    scene.agree(&mask.url, &database, &amounts).await;
    // The same height on another branch, a longer branch, and a chain that only goes back.
    for (gone, grown) in [(1, 1), (3, 3), (2, 5), (3, 0), (2, 1)] {
        let snapshot = scene.node.snapshot().await;
        scene.grow(gone).await;
        scene.reaches_head(&mut indexer, &database).await;
        scene.node.revert(snapshot).await;
        let first = scene.contributions + 1;
        scene.grow(grown).await;
        amounts.extend(first..first + grown);
        scene.reaches_head(&mut indexer, &database).await;
        scene.agree(&mask.url, &database, &amounts).await;
    }
    indexer.stop().await;
}

/// These clients call their head final. When they take it back, that is said and nothing is touched, until somebody decides.
async fn what_was_final_is_taken_back(client: Client) {
    let mut scene = Scene::new(client).await;
    let options = Local::options(scene.factory, 0);
    let database = Database::migrated().await;
    let mut indexer = Local::follow(&scene.node.url, &database, &options);
    scene.grow(3).await;
    scene.reaches_head(&mut indexer, &database).await;
    let fork = scene.node.head().await.header.number;
    let snapshot = scene.node.snapshot().await;
    scene.grow(2).await;
    scene.reaches_head(&mut indexer, &database).await;
    let before = database.dump(&["checkpoint"]).await;
    scene.node.revert(snapshot).await;
    scene.grow(4).await;
    let error = indexer.fails().await;
    assert!(matches!(error, SyncError::Halted { .. }), "{error}");
    assert_eq!(database.dump(&["checkpoint"]).await, before, "what was indexed is still there");

    let chain = crowdsale::chain::Chain::connect(&[scene.node.url.clone()], None).await.unwrap();
    // The connection of the indexer that is gone may still hold the lock.
    let rewound = until("the chain can be written", async || {
        Some(sync::rewind(&chain, &database.options(), fork, |_| ()).await.unwrap()).filter(|r| *r != Rewound::Busy)
    })
    .await;
    assert!(matches!(rewound, Rewound::To(tip) if tip.number as u64 == fork), "{rewound:?}");
    let mut indexer = Local::follow(&scene.node.url, &database, &options);
    scene.reaches_head(&mut indexer, &database).await;
    scene.agree(&scene.node.url, &database, &[1, 2, 3, 6, 7, 8, 9]).await;
    indexer.stop().await;
}

#[tokio::test]
async fn hardhat_reorgs() {
    reorgs(Client::Hardhat).await;
}

#[tokio::test]
async fn ganache_reorgs() {
    reorgs(Client::Ganache).await;
}

#[tokio::test]
async fn hardhat_takes_back_what_was_final() {
    what_was_final_is_taken_back(Client::Hardhat).await;
}

#[tokio::test]
async fn ganache_takes_back_what_was_final() {
    what_was_final_is_taken_back(Client::Ganache).await;
}
