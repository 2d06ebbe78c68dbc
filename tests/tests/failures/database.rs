//! Postgres: connections that break, answers that are lost, servers that are read-only, statements that fail.

use e2e::{Database, Local, Proxy, Stage, until};

use super::{FAR, NEAR};

/// Commits happen and nobody hears of it, while ranges are read, at the head, and in a reorg.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_not_repeated() {
    let mut stage = Stage::new(1, NEAR).await;
    stage.grow(100);
    stage.options.max_range = 5;
    let proxy = Proxy::start(&stage.database).await;
    let mut indexer = Local::start(&[stage.peer.url.clone()], &proxy.options, &stage.options);
    until("it has begun", async || stage.database.checkpoint().await).await;
    for _ in 0..10 {
        let before = proxy.lost();
        proxy.lose_commits(1);
        stage.grow(2);
        until("an answer was lost", async || (proxy.lost() > before).then_some(())).await;
        stage.reorg(2, 3);
        stage.rest(&mut indexer).await;
    }
    assert!(proxy.connections() > 10, "it came back each time");
    stage.agree(&mut indexer).await;
}

/// The migrations' commits are lost too.
#[tokio::test]
async fn migrations_whose_answers_are_lost_are_taken_up() {
    let mut stage = Stage::new(2, NEAR).await;
    stage.database = Database::create().await;
    stage.grow(20);
    let proxy = Proxy::start(&stage.database).await;
    proxy.lose_commits(4);
    let mut indexer = Local::start(&[stage.peer.url.clone()], &proxy.options, &stage.options);
    stage.rest(&mut indexer).await;
    assert_eq!(proxy.lost(), 4);
    stage.agree(&mut indexer).await;
}

/// The network cuts the connection again and again, at whatever is going on.
#[tokio::test]
async fn connections_that_are_cut_lose_nothing() {
    let mut stage = Stage::new(3, FAR).await;
    stage.grow(20);
    let proxy = Proxy::start(&stage.database).await;
    let mut indexer = Local::start(&[stage.peer.url.clone()], &proxy.options, &stage.options);
    stage.rest(&mut indexer).await;
    for round in 0..20 {
        if round % 3 == 2 {
            stage.reorg(3, 4)
        } else {
            stage.grow(2)
        }
        let before = proxy.connections();
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        proxy.cut();
        until("it has come back", async || (proxy.connections() > before).then_some(())).await;
        // Or the pauses between tries would grow.
        stage.rest(&mut indexer).await;
    }
    stage.agree(&mut indexer).await;
}

/// After a failover the same address is a standby for a while. Nothing is written, nothing ends, and then it goes on.
#[tokio::test]
async fn a_writer_that_meets_a_standby_waits_for_another_server() {
    let mut stage = Stage::new(4, NEAR).await;
    stage.grow(20);
    let proxy = Proxy::start(&stage.database).await;
    let mut indexer = Local::start(&[stage.peer.url.clone()], &proxy.options, &stage.options);
    stage.rest(&mut indexer).await;
    let before = stage.database.dump(&["checkpoint"]).await;
    let name = stage.database.texts("SELECT current_database()::text").await.remove(0);
    stage.database.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    proxy.cut();
    stage.grow(3);
    let tried = proxy.connections();
    until("it has tried often", async || (proxy.connections() > tried + 3).then_some(())).await;
    indexer.assert_running();
    assert_eq!(stage.database.dump(&["checkpoint"]).await, before, "a standby takes no writes");
    stage.database.execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    stage.agree(&mut indexer).await;
}

/// The writer's host is gone without a word, in the middle of a transaction or not: the server is told to notice, and the next
/// writer takes over when it does.
#[tokio::test]
async fn a_writer_that_is_gone_leaves_no_lock_for_ever() {
    let mut stage = Stage::new(5, NEAR).await;
    stage.grow(20);
    let proxy = Proxy::start(&stage.database).await;
    let mut dead = Local::start(&[stage.peer.url.clone()], &proxy.options, &stage.options);
    stage.rest(&mut dead).await;
    for setting in ["idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout"] {
        assert!(proxy.was_sent(setting), "the server was told {setting}");
    }
    // A table that it cannot write: it dies with the transaction open.
    let held = stage.database.hold("block").await;
    stage.author.grow(&mut stage.peer.core().tree, 3);
    held.wanted().await;
    proxy.freeze(true);
    // The server is not told of the end either.
    std::mem::forget(dead);
    let mut indexer = stage.index();
    assert_eq!(stage.database.cut_connections().await, 1, "the dead writer held the lock until the server noticed");
    drop(held);
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}

/// Every table that a batch writes fails once: neither the cursor nor any other table may be ahead of it.
#[tokio::test]
async fn the_cursor_and_its_data_are_one_transaction() {
    let mut stage = Stage::new(6, FAR).await;
    stage.grow(40);
    let tables = stage
        .database
        .texts(
            "SELECT DISTINCT c.table_name::text FROM information_schema.columns c
             JOIN information_schema.tables t USING (table_schema, table_name)
             WHERE c.table_schema = current_schema() AND c.column_name = 'chain_id' AND t.table_type = 'BASE TABLE'
                 AND c.table_name <> 'chain' ORDER BY 1",
        )
        .await;
    stage.database.execute("CREATE SCHEMA trouble").await;
    stage.database.execute("CREATE SEQUENCE trouble.struck").await;
    let function = "CREATE FUNCTION trouble.strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM nextval('trouble.struck'); RAISE EXCEPTION 'trouble' USING ERRCODE = '53100'; END $$";
    stage.database.execute(function).await;
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    indexer.kill().await;
    let struck = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM trouble.struck";
    let mut hit = Vec::new();
    for table in &tables {
        let before = stage.database.dump(&[]).await;
        stage
            .database
            .execute(&format!(
                "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION trouble.strike()"
            ))
            .await;
        stage.grow(25);
        let old = stage.database.number(struck).await;
        let mut indexer = stage.index();
        let head = stage.view().head().hash;
        until("it has failed, or nothing was there to fail", async || {
            indexer.assert_running();
            let fails = stage.database.number(struck).await > old;
            (fails || stage.database.checkpoint().await.is_some_and(|c| c.hash == head)).then_some(())
        })
        .await;
        indexer.kill().await;
        if stage.database.number(struck).await > old {
            assert_eq!(stage.database.dump(&[]).await, before, "something was written though {table} failed");
            hit.push(table.clone());
        }
        stage.database.execute(&format!("DROP TRIGGER trouble ON {table}")).await;
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        indexer.kill().await;
    }
    assert!(hit.len() > 10, "{hit:?}");
    for table in ["block", "checkpoint", "contribution", "position", "sale_total"] {
        assert!(hit.iter().any(|t| t == table), "{table} was among {hit:?}");
    }
    let mut indexer = stage.index();
    stage.agree(&mut indexer).await;
}
