//! What the indexer must not touch: one clear error, an exit code, and not a byte written.

use e2e::{Api, Chain, Database, Flags, Indexer, World, deploy_factory, ether};

/// A world with something in its database, and nobody indexing it.
async fn indexed() -> World {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    world.agree(&mut indexer).await;
    indexer.kill();
    world
}

/// Starts an indexer that must refuse, and say why.
async fn refuses(world: &World, flags: &Flags, why: &str) {
    let before = world.database.dump(&[]).await;
    let output = Indexer::start(flags).refused().await;
    let errors: Vec<&str> = output.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "one error:\n{output}");
    assert!(errors[0].contains(why), "the error says {why:?}:\n{output}");
    assert_eq!(world.database.dump(&[]).await, before, "something was written");
}

#[tokio::test]
async fn another_chain_id() {
    let world = indexed().await;
    refuses(&world, &world.flags().with("--chain-id", 1), "serves chain 31337, not 1").await;
}

#[tokio::test]
async fn another_chain_id_and_an_empty_database() {
    let world = World::new(2).await;
    let flags = world.flags().with("--chain-id", 1);
    refuses(&world, &flags, "serves chain 31337, not 1").await;
    assert_eq!(world.database.dump(&[]).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_chain_of_the_same_id() {
    let world = indexed().await;
    let other = Chain::start_at(2, 1_800_000_000).await;
    let factory = deploy_factory(&other).await;
    assert_eq!(factory, world.factory, "only the genesis differs");
    other.mine_blocks(20).await;
    let mut flags = world.flags();
    flags.rpc_url = other.url.clone();
    refuses(&world, &flags, "another chain with id 31337").await;
    // The right one still finds its place.
    world.chain.mine_blocks(1).await;
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
}

#[tokio::test]
async fn another_factory() {
    let world = indexed().await;
    let mut flags = world.flags();
    flags.factory = deploy_factory(&world.chain).await;
    refuses(&world, &flags, "follows factory").await;
}

#[tokio::test]
async fn a_contract_that_is_no_factory() {
    let world = World::new(2).await;
    let mut flags = world.flags();
    flags.factory = world.open_sale().await.address;
    refuses(&world, &flags, "does not answer as a factory").await;
    assert_eq!(world.database.dump(&[]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_newer_schema() {
    let world = indexed().await;
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                  VALUES (9999, 'of a later version', true, '\\x00', 0)";
    assert_eq!(world.database.execute(insert).await, 1);
    refuses(&world, &world.flags(), "schema version 9999").await;
}

#[tokio::test]
async fn a_migration_that_was_changed() {
    let world = indexed().await;
    assert_eq!(world.database.execute("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").await, 1);
    refuses(&world, &world.flags(), "cannot migrate the database").await;
}

#[tokio::test]
async fn the_api_refuses_a_schema_that_it_does_not_know() {
    let empty = Database::create().await;
    let output = Api::refused(&empty.url).await;
    assert!(output.contains("error: the database has schema version 0"), "{output}");
    assert_eq!(empty.dump(&[]).await, Vec::<String>::new());

    let world = indexed().await;
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                  VALUES (9999, 'of a later version', true, '\\x00', 0)";
    assert_eq!(world.database.execute(insert).await, 1);
    // One that adds to what is read is no reason, one that takes away is: at the start, and while it runs.
    let api = Api::start(&world.database.url).await;
    api.get("/v1/sales").await;
    world.database.execute("UPDATE reader SET oldest = 9999").await;
    let output = Api::refused(&world.database.url).await;
    assert!(output.contains("error: the database has schema version 9999"), "{output}");
    let (status, body) = api.ask("/v1/sales").await;
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("a newer version has migrated the database"), "{body}");
}
