//! A chain is indexed anew beside the live tables, which are read and written until the new ones take their place.

use std::time::Duration;

use e2e::{Api, Database, Indexer, World, deploy_factory, ether, index_once, until};
use sqlx::{Connection, PgConnection};

const REINDEX: &str = "--reindex";
const SWITCHED: &str = "switched: the new tables are live";

/// A world with contributions in many blocks, most of it final, that an indexer has followed.
async fn filled() -> (World, Indexer) {
    let world = World::new(2).await;
    let sale = world.open_sale().await;
    for number in 0..12 {
        world.chain.mine([sale.send(world.investor(number % 5), ether("0.5"))]).await;
        world.chain.mine_blocks(number as u64 % 3).await;
    }
    world.chain.mine_blocks(6).await;
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    until("the finalized block is stored", async || {
        let finalized = world.database.number("SELECT finalized_number FROM checkpoint").await;
        (finalized as u64 == world.chain.head().await.header.number - 4).then_some(())
    })
    .await;
    (world, indexer)
}

async fn says(indexer: &mut Indexer, what: &str) {
    until(what, async || {
        indexer.assert_running();
        indexer.output().contains(what).then_some(())
    })
    .await;
}

/// Those of indexed tables. What does not follow from the chain stands beside, and no switch touches it.
async fn schemas(database: &Database) -> Vec<String> {
    let all = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'crowdsale%' AND nspname <> 'crowdsale_service' ORDER BY 1";
    database.texts(all).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_tables_take_the_place_of_the_live_ones_while_all_goes_on() {
    let (world, mut live) = filled().await;
    // A figure went wrong, and nobody knows how: that is what indexing anew is for.
    assert!(world.database.execute("UPDATE position SET paid = paid + 1").await > 0);
    world.database.execute("GRANT USAGE ON SCHEMA crowdsale TO PUBLIC").await;
    world.database.execute("GRANT SELECT ON sale_overview, position TO PUBLIC").await;
    world.database.execute("INSERT INTO crowdsale_service.secret VALUES ('kept', 'x')").await;
    let act = "INSERT INTO crowdsale_service.audit (actor, act, subject) VALUES ('operator:x', 'key.created', 'key_x')";
    world.database.execute(act).await;
    let outbox = "SELECT concat_ws(' ', seq, kind, from_block, to_block) FROM outbox ORDER BY seq";
    let told = world.database.texts(outbox).await;
    assert!(!told.is_empty());

    let api = Api::start(&world.database.url).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let asking = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut count = 0;
            let mut before = 0;
            while !stop.is_cancelled() {
                let all = ["/v1/sales", "/v1/status", "/readyz"].map(|path| api.ask(path));
                let answers = futures::future::join_all(all).await;
                for (status, body) in &answers {
                    assert_eq!(*status, 200, "{body}");
                }
                let sales: serde_json::Value = serde_json::from_str(&answers[0].1).unwrap();
                let block = sales["meta"]["chains"][0]["indexed_block"]["number"].as_i64().unwrap();
                assert!(block + 3 >= before, "the API went back from block {before} to {block}");
                before = block;
                count += 1;
            }
            count
        }
    });

    let mut anew = Indexer::start(&world.flags().and(REINDEX));
    let sale = world.open_sale().await;
    world.chain.mine_blocks(2).await;
    let mut reorgs = 0;
    while !anew.output().contains(SWITCHED) {
        anew.assert_running();
        live.assert_running();
        world.chain.mine([sale.send(world.investor(reorgs % 5), ether("0.25"))]).await;
        if reorgs < 4 {
            world.chain.rollback(2).await;
            world.chain.mine_blocks(3).await;
        }
        reorgs += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    // The figure is right, whoever of the two writes now; neither has to be started again.
    world.agree(&mut anew).await;
    live.assert_running();
    stop.cancel();
    assert!(asking.await.unwrap() > 0);

    assert_eq!(schemas(&world.database).await, ["crowdsale", "crowdsale_old"]);
    let kept =
        "SELECT (SELECT count(*) FROM crowdsale_service.secret) + (SELECT count(*) FROM crowdsale_service.audit)";
    assert_eq!(world.database.number(kept).await, 2);
    let granted =
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
        WHERE n.nspname = 'crowdsale' AND a.grantee = 0 AND relname IN ('sale_overview', 'position')";
    assert_eq!(world.database.number(granted).await, 2);
    let usage = "SELECT count(*) FROM pg_namespace n, aclexplode(nspacl) a WHERE nspname = 'crowdsale' AND grantee = 0";
    assert_eq!(world.database.number(usage).await, 1);
    // Who reads the outbox goes on where it was: nothing is told twice, and nothing is left out up to the tip.
    let now = world.database.texts(outbox).await;
    assert_eq!(now[..told.len()], told);
    let holes = "SELECT count(*) FROM contribution c WHERE NOT EXISTS (
        SELECT FROM outbox o WHERE o.kind = 'applied' AND c.block_number BETWEEN o.from_block AND o.to_block)";
    assert_eq!(world.database.number(holes).await, 0);

    // And once more: what the first has left makes room.
    live.kill();
    let mut again = Indexer::start(&world.flags().and(REINDEX));
    says(&mut again, SWITCHED).await;
    world.agree(&mut again).await;
    assert_eq!(schemas(&world.database).await, ["crowdsale", "crowdsale_old"]);
}

#[tokio::test]
async fn a_difference_in_what_is_final_is_told_and_switched_only_if_accepted() {
    let (world, mut live) = filled().await;
    let block = world.database.number("SELECT block_number FROM contribution ORDER BY 1 OFFSET 5 LIMIT 1").await;
    world.database.execute(&format!("UPDATE block SET digest = sha256(digest) WHERE number >= {block}")).await;
    live.assert_running();
    let before = world.database.dump(&["checkpoint"]).await;
    let output = Indexer::start(&world.flags().and(REINDEX)).refused().await;
    assert!(output.contains(&format!("differs from the live tables from block {block} on")), "{output}");
    assert!(output.contains("hint: nothing was switched") && output.contains("--accept-differences"), "{output}");
    assert_eq!(world.database.dump(&["checkpoint"]).await, before);
    live.assert_running();
    assert_eq!(schemas(&world.database).await, ["crowdsale", "crowdsale_next"], "what was filled is kept");

    let mut anew = Indexer::start(&world.flags().and(REINDEX).and("--accept-differences"));
    says(&mut anew, SWITCHED).await;
    assert!(anew.output().contains(&format!("the new tables differ from block {block} on, as accepted")));
    let taken_back = format!("SELECT count(*) FROM outbox WHERE kind = 'reverted' AND from_block = {block}");
    assert_eq!(world.database.number(&taken_back).await, 1, "whoever was told is told that it no longer holds");
    world.agree(&mut anew).await;
}

#[tokio::test]
async fn a_kill_loses_nothing_and_what_stands_in_the_way_is_named() {
    let (world, mut live) = filled().await;
    world.database.execute("CREATE SCHEMA reports").await;
    world.database.execute("CREATE VIEW reports.raised AS SELECT sale, raised FROM sale_total").await;
    let chain = "INSERT INTO chain SELECT 5, genesis_hash, factory, start_block FROM chain";
    world.database.execute(chain).await;
    let checkpoint =
        "INSERT INTO checkpoint SELECT 5, number, hash, block_timestamp, head_number, safe_number, finalized_number
                      FROM checkpoint";
    world.database.execute(checkpoint).await;

    let anew = Indexer::start(&world.flags().and(REINDEX).with("--max-range", 3).with("--batch-events", 2));
    let filled = "SELECT count(*) FROM crowdsale_next.contribution";
    until("a part is filled", async || {
        let there = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('crowdsale_next.contribution')";
        (world.database.number(there).await > 0 && world.database.number(filled).await > 2).then_some(())
    })
    .await;
    anew.kill();
    let mut anew = Indexer::start(&world.flags().and(REINDEX));
    says(&mut anew, "this chain is live too; run `crowdsale index --reindex` for it as well").await;
    assert_eq!(world.database.number(filled).await, 12, "nothing is twice");
    for table in ["checkpoint", "chain"] {
        world.database.execute(&format!("DELETE FROM {table} WHERE chain_id = 5")).await;
    }
    says(&mut anew, "these depend on the live tables").await;
    assert!(anew.output().contains("reports.raised"), "{}", anew.output());
    assert_eq!(schemas(&world.database).await, ["crowdsale", "crowdsale_next"]);

    // Somebody who reads for long is waited for, by name, and meanwhile the live tables are read and written.
    let mut reader =
        PgConnection::connect_with(&world.database.options().application_name("slow report")).await.unwrap();
    for statement in ["BEGIN", "SELECT FROM checkpoint"] {
        sqlx::query(statement).execute(&mut reader).await.unwrap();
    }
    let old = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slow report'
        AND xact_start < clock_timestamp() - interval '1 second'";
    until("it has read for a while", async || (world.database.number(old).await > 0).then_some(())).await;
    world.database.execute("DROP VIEW reports.raised").await;
    says(&mut anew, "somebody reads for long").await;
    until("the session is named", async || anew.output().contains("slow report").then_some(())).await;
    world.chain.mine_blocks(1).await;
    let head = world.chain.head().await.header.number;
    until("the live tables go on", async || world.database.checkpoint().await.filter(|c| c.number == head)).await;
    assert_eq!(schemas(&world.database).await, ["crowdsale", "crowdsale_next"]);
    reader.close().await.unwrap();
    says(&mut anew, SWITCHED).await;
    live.assert_running();
    world.agree(&mut anew).await;
}

#[tokio::test]
async fn there_must_be_something_to_stand_beside() {
    let world = World::new(2).await;
    let (ok, output) = index_once(&world.flags().and(REINDEX));
    assert!(!ok && output.contains("error: nothing is indexed in this database yet"), "{output}");
    assert!(output.contains("hint: run `crowdsale index` first"), "{output}");
    assert_eq!(schemas(&world.database).await, Vec::<String>::new());
    // Nor for another factory, or from another block: those who follow the live tables could not go on.
    let mut live = world.index();
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    world.agree(&mut live).await;
    let mut other = world.flags().and(REINDEX).and("--accept-differences");
    other.factory = deploy_factory(&world.chain).await;
    let (ok, output) = index_once(&other);
    assert!(!ok && output.contains("the database follows factory"), "{output}");
    let (ok, output) = index_once(&world.flags().and(REINDEX).with("--start-block", 3));
    assert!(!ok && output.contains("from block 0"), "{output}");
    let mut right = Indexer::start(&world.flags().and(REINDEX));
    says(&mut right, SWITCHED).await;
    right.kill();
    world.database.execute("ALTER SCHEMA crowdsale OWNER TO pg_monitor").await;
    let (ok, output) = index_once(&world.flags().and(REINDEX));
    assert!(
        !ok && output.contains("belong to role pg_monitor") && output.contains("hint: run --reindex as"),
        "{output}"
    );
    live.kill();

    let (ok, output) = index_once(&world.flags().and("--accept-differences"));
    assert!(!ok && output.contains("--reindex"), "{output}");
}
