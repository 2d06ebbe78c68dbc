//! A sale opens with the first block whose time is not before its own, and is told once: to whoever listens, whatever is reorged, and
//! however the chain was read.

use e2e::{Database, Draft, Indexer, Local, World, compare, ether, until};
use serde_json::Value;

use crate::webhooks::Serve;

/// A draft that opens so many seconds from now.
async fn opens_in(world: &World, seconds: u64, name: &str) -> Draft {
    let mut draft = Draft::new(world.owner(), world.beneficiary(), world.chain.now().await + seconds);
    name.clone_into(&mut draft.documents.name);
    draft.token.as_mut().unwrap().name = name.to_owned();
    draft
}

/// What a stream tells, event by event.
struct Listener {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug)]
struct Told {
    event: String,
    id: String,
    data: Value,
}

impl Listener {
    async fn start(url: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(url);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut listener = Self { response: request.send().await.unwrap(), text: String::new() };
        assert_eq!(listener.next().await.event, "ready");
        listener
    }

    async fn next(&mut self) -> Told {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| frame.lines().find_map(|l| l.strip_prefix(name)).unwrap_or("").to_owned();
                let told = (field("event: "), field("id: "), field("data: "));
                self.text = rest.to_owned();
                if !told.0.is_empty() {
                    let data = serde_json::from_str(&told.2).unwrap();
                    return Told { event: told.0, id: told.1, data };
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event about an opening; contributions and the rest are other tests'.
    async fn opening(&mut self) -> Told {
        loop {
            let told = self.next().await;
            if told.data["data"]["kind"] == "opened" {
                return told;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_is_told_taken_back_and_told_again() {
    let world = World::new(4).await;
    let mut indexer = world.index();
    let sale = world.create(&opens_in(&world, 60, "Aurora").await).await;
    let opens: u64 = sale.terms.opens.to();
    world.agree(&mut indexer).await;
    let serve = Serve::start(&world, &[]).await;
    let chain_id = world.database.number("SELECT chain_id FROM chain").await;
    let stream = format!("{}/v1/sales/{chain_id}/{}/events", serve.url, sale.address);
    let wallet = format!("{}/v1/investors/{}/events?chain={chain_id}", serve.url, world.owner());
    let (mut listener, mut owner) = (Listener::start(&stream, None).await, Listener::start(&wallet, None).await);

    // A second too early, then with a contribution in the very block.
    world.chain.mine_at(opens - 1, []).await;
    world.chain.mine_at(opens, [sale.send(world.investor(0), ether("1"))]).await;
    let head = world.chain.head().await.header;
    let first = listener.next().await;
    assert_eq!(first.event, "sale.opened", "before what happens in the block: {first:?}");
    let data = &first.data["data"];
    assert_eq!((&data["kind"], &data["sale"]), (&"opened".into(), &sale.address.to_string().into()));
    assert_eq!(data["account"], world.owner().to_string());
    assert!(data["transaction_hash"].is_null() && data["amount"].is_null() && data["text"].is_null(), "{data}");
    assert_eq!(data["block"]["number"], head.number);
    assert_eq!(data["block"]["hash"], head.hash.to_string());
    assert_eq!(data["block"]["log_index"], -1);
    assert!(first.id.ends_with(&format!("-{}--1", head.number)), "{}", first.id);
    let time = format!(r#"SELECT to_char(to_timestamp({opens}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#);
    assert_eq!(first.data["timestamp"], world.database.texts(&time).await[0]);
    assert_eq!(listener.next().await.event, "contribution.observed");
    assert_eq!(owner.opening().await.id, first.id, "its owner hears it as well");

    // The block is gone, and the next one comes too early.
    indexer.pause().await;
    world.chain.rollback(1).await;
    world.chain.mine_at(opens - 1, []).await;
    indexer.resume();
    let gone = listener.opening().await;
    assert_eq!((gone.event.as_str(), &gone.data["data"]["block"]["hash"]), ("sale.reorged", &data["block"]["hash"]));
    assert_eq!(gone.data["data"]["block"]["log_index"], -1);
    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM sale_opening").await, 0);

    // It opens again, with another sale, and here the place is another.
    let other = opens_in(&world, 24, "Borealis").await;
    world.chain.mine_at(opens + 3, [other.create(world.factory)]).await;
    let again = listener.opening().await;
    assert_eq!(again.event, "sale.opened");
    assert_ne!(again.data["data"]["block"]["hash"], data["block"]["hash"]);
    world.chain.mine_blocks(12).await;
    let last = listener.opening().await;
    assert_eq!(
        (last.event.as_str(), &last.data["data"]["block"]["hash"]),
        ("sale.finalized", &again.data["data"]["block"]["hash"])
    );
    world.agree(&mut indexer).await;

    // Who left when it opened goes on behind it.
    let mut late = Listener::start(&stream, Some(&again.id)).await;
    let told = late.opening().await;
    assert_eq!((told.event, told.id), (last.event, last.id));
    // Who left before hears the one that stands, and of the one that is gone nothing but that it was told in vain.
    let mut early = Listener::start(&stream, Some(&first.id)).await;
    let told = [early.opening().await, early.opening().await, early.opening().await].map(|told| (told.event, told.id));
    assert_eq!(told, [(gone.event, gone.id), (again.event, again.id), told[2].clone()]);
    assert_eq!(told[2].0, "sale.finalized");
}

/// Sales that open where nothing else happens, together, at once, and never.
async fn openings(world: &World) {
    let chain = &world.chain;
    let create = async |seconds: u64, name: &str| world.create(&opens_in(world, seconds, name).await).await;
    // Two with the same block; one is cancelled before it opens, and one by the block that opens it.
    create(12 * 40 - 5, "one").await;
    create(12 * 39 - 3, "two").await;
    let cancelled = create(12 * 60, "cancelled").await;
    let late = create(12 * 80, "cancelled as it opens").await;
    // One opens with the block that creates it.
    let at_once = opens_in(world, 12, "at once").await;
    let opens: u64 = at_once.terms.opens.to();
    chain.mine_at(opens, [at_once.create(world.factory)]).await;
    let never = create(12 * 100_000, "much later").await;
    chain.mine_blocks(30).await;
    chain.mine([cancelled.cancel()]).await;
    chain.mine_blocks(30).await;
    chain.mine_at(late.terms.opens.to(), [late.cancel()]).await;
    chain.mine_blocks(50).await;
    // A chain whose blocks come at once, and then none for a day.
    create(86_400, "behind a gap").await;
    for _ in 0..5 {
        let now = chain.now().await;
        chain.mine_at(now + 1, []).await;
    }
    let now = chain.now().await;
    chain.mine_at(now + 86_400 * 2, []).await;
    chain.mine_blocks(40).await;
    assert!(never.terms.opens.to::<u64>() > chain.now().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_block_is_the_same_however_the_chain_was_read() {
    let world = World::new(2).await;
    openings(&world).await;
    // Read in long ranges, most of whose blocks are never seen.
    let mut long = world.index();
    world.agree(&mut long).await;
    let all = "SELECT concat_ws(' ', o.block_number, o.log_index, encode(o.sale, 'hex'), encode(o.owner, 'hex'), b.has_events)
         FROM sale_opening o JOIN block b ON b.number = o.block_number ORDER BY o.block_number, o.log_index";
    let opened = world.database.texts(all).await;
    let places: Vec<i64> = opened.iter().map(|row| row.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(places, [1 << 30, -2, -1, -1, -1], "{opened:?}");
    long.kill();

    // Read in short ranges and small batches, killed now and then.
    for _ in 0..2 {
        let anew = Indexer::start(&world.flags().and("--reindex").with("--max-range", 7).with("--batch-events", 3));
        until("the new tables are live", async || {
            anew.output().contains("switched: the new tables are live").then_some(())
        })
        .await;
        assert_eq!(world.database.texts(all).await, opened);
        anew.kill();
    }
}

/// The newest migration of the last version that noted no openings.
const WITHOUT_OPENINGS: i64 = 17;

/// A copy of a database as it would be if nobody had noted openings: blocks were not kept for their sake.
async fn without_openings(indexed: &Database) -> Database {
    let old = indexed.as_of(WITHOUT_OPENINGS).await;
    let tables = "SELECT table_name::text FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
         WHERE table_schema = 'crowdsale' AND table_type = 'BASE TABLE' AND column_name = 'block_number'";
    let events: Vec<String> =
        old.texts(tables).await.iter().map(|table| format!("SELECT block_number FROM {table}")).collect();
    old.execute(&format!("UPDATE block SET has_events = number IN ({})", events.join(" UNION ALL "))).await;
    let pruned =
        old.execute("DELETE FROM block WHERE NOT has_events AND number < (SELECT finalized_number FROM checkpoint)");
    assert!(pruned.await > 0, "some open where nothing else happens");
    old
}

/// Waits until both hold the same rows in all tables.
async fn are_equal(left: &Database, right: &Database) {
    let mut last = String::new();
    let equal = until("both hold the same", async || {
        let differences = compare(left, right).await;
        last = differences.iter().map(ToString::to_string).collect();
        differences.is_empty().then_some(())
    });
    if tokio::time::timeout(e2e::PATIENCE / 2, equal).await.is_err() {
        panic!("{last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_before_there_were_openings_get_those_of_an_index_from_the_beginning() {
    let world = World::new(2).await;
    let chain = &world.chain;
    openings(&world).await;
    // One opens in a block that is not final yet.
    let recent = world.create(&opens_in(&world, 30, "recent").await).await;
    chain.mine_blocks(3).await;
    let options = Local::options(world.factory, 1);
    let follow = async |database: &Database| {
        let mut indexer = Local::follow(&chain.url, database, &options);
        indexer.reaches(database, chain.head().await.header.hash).await;
        indexer
    };
    let indexed = Database::create().await;
    follow(&indexed).await.stop().await;
    let (old, late) = (without_openings(&indexed).await, without_openings(&indexed).await);
    let outbox = "SELECT concat_ws(' ', seq, kind, from_block, to_block) FROM outbox ORDER BY seq";
    let told = old.texts(outbox).await;
    let tip = old.number("SELECT number FROM checkpoint").await;

    chain.mine_blocks(1).await;
    let fresh = Database::create().await;
    let (mut upgraded, mut anew) = (follow(&old).await, follow(&fresh).await);
    are_equal(&old, &fresh).await;
    assert_eq!(old.number("SELECT count(*) FROM sale_opening").await, 6);
    let of_recent = format!("SELECT block_number FROM sale_opening WHERE sale = decode('{:x}', 'hex')", recent.address);
    let opened = old.number(&of_recent).await;
    assert!(opened > old.number("SELECT finalized_number FROM checkpoint").await);
    // What opened long ago is no news.
    let now = old.texts(outbox).await;
    assert_eq!(now[..told.len()], told);
    for entry in &now[told.len()..] {
        let [_, kind, from, _] = entry.split(' ').collect::<Vec<_>>()[..] else { panic!("{entry}") };
        assert!(kind == "finalized" || kind == "applied" && from.parse::<i64>().unwrap() > tip, "{entry}");
    }

    // The block in which it opened is gone, for who noted it and for who has yet to.
    chain.rollback(3).await;
    chain.mine_at(recent.terms.opens.to::<u64>() - 1, []).await;
    chain.mine_blocks(4).await;
    let mut later = follow(&late).await;
    let head = chain.head().await.header.hash;
    upgraded.reaches(&old, head).await;
    anew.reaches(&fresh, head).await;
    are_equal(&old, &fresh).await;
    are_equal(&late, &fresh).await;
    assert_eq!(late.number(&of_recent).await, opened + 1);
    later.assert_running();
}
