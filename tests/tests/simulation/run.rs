//! One simulation.

use std::{
    collections::BTreeMap,
    fmt,
    ops::AddAssign,
    sync::{Arc, Mutex},
    time::Duration,
};

use e2e::{
    Database, Local, Proxy, Template, mistakes,
    peer::{Fault, Peer},
    rest,
    story::FACTORY,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::plan::{Outside, Plan};

/// Longest that one seed may take; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What simulations did, to be seen in the output: a fault that never strikes tests nothing.
#[derive(Debug, Default)]
pub struct Report {
    seeds: u64,
    exchanges: u64,
    reorgs: u64,
    outside: BTreeMap<String, u64>,
    struck: BTreeMap<String, u64>,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.exchanges += other.exchanges;
        self.reorgs += other.reorgs;
        for (sum, more) in [(&mut self.outside, other.outside), (&mut self.struck, other.struck)] {
            for (name, count) in more {
                *sum.entry(name).or_default() += count;
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} seeds, {} exchanges, {} reorgs", self.seeds, self.exchanges, self.reorgs)?;
        writeln!(f, "outside: {:?}", self.outside)?;
        write!(f, "faults: {:?}", self.struck)
    }
}

/// Statements that fail: a countdown that no rollback turns back, asked by triggers of the tables that every batch writes.
pub async fn prepare() -> Template {
    const SCRIPT: &str = "
        CREATE SCHEMA trouble;
        CREATE SEQUENCE trouble.countdown INCREMENT -1 MINVALUE -1000000000 MAXVALUE 1000000000 START -1;
        CREATE FUNCTION trouble.strike() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('trouble.countdown') = 0 THEN
                RAISE EXCEPTION 'trouble' USING ERRCODE = '53100';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER trouble AFTER INSERT OR UPDATE OR DELETE ON checkpoint EXECUTE FUNCTION trouble.strike();
        CREATE TRIGGER trouble AFTER INSERT OR DELETE ON block EXECUTE FUNCTION trouble.strike();
        CREATE TRIGGER trouble AFTER INSERT OR DELETE ON contribution EXECUTE FUNCTION trouble.strike();
        CREATE TRIGGER trouble AFTER INSERT OR DELETE ON sale EXECUTE FUNCTION trouble.strike();
        CREATE CONSTRAINT TRIGGER trouble_at_commit AFTER INSERT OR UPDATE ON checkpoint DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION trouble.strike();";
    Template::with(SCRIPT).await
}

/// Runs a seed to its end.
///
/// # Errors
/// What is wrong with the database afterwards, or that it never got there.
pub async fn simulate(template: Template, seed: u64) -> Result<Report, String> {
    let task = tokio::spawn(async move { timeout(PATIENCE, story(&template, seed)).await });
    match task.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("it never came to rest".to_owned()),
        Err(panic) => Err(format!("{panic}")),
    }
}

async fn story(template: &Template, seed: u64) -> Result<Report, String> {
    let chain_id = 1_000 + seed;
    let (plan, core) = Plan::new(chain_id, seed);
    let options = Local::options(FACTORY, plan.start_block);
    let peer = Peer::start(core).await;
    let database = template.database().await;
    let proxy = Proxy::start(&database).await;
    let (sender, mut receiver) = unbounded_channel();
    let plan = Arc::new(Mutex::new(plan));
    let acting = plan.clone();
    peer.direct(Box::new(move |core, _| acting.lock().unwrap().advance(core, &sender)));

    let urls = [peer.url.clone()];
    let start = || Local::start(&urls, &proxy.options, &options);
    let mut indexers = vec![start()];
    let mut report = Report { seeds: 1, ..Report::default() };
    act(&mut receiver, &mut indexers, start, &database, &proxy, &mut report).await;

    let target = {
        let mut core = peer.core();
        let mut plan = plan.lock().unwrap();
        core.director = None;
        plan.finish(&mut core);
        report.exchanges = core.exchanges;
        report.reorgs = plan.reorgs;
        report.struck = core.faults.struck.iter().map(|(f, n): (&Fault, &u64)| (format!("{f:?}"), *n)).collect();
        core.tree.now().clone()
    };
    rest(&database, &target, &mut indexers).await;
    for indexer in indexers {
        indexer.kill().await;
    }
    let wrong = mistakes(&peer, &options, &database, &template.database().await).await;
    if wrong.is_empty() { Ok(report) } else { Err(wrong.join("\n")) }
}

/// Does what the plan asks for, until it ends.
async fn act(
    receiver: &mut UnboundedReceiver<Outside>,
    indexers: &mut Vec<Local>,
    start: impl Fn() -> Local,
    database: &Database,
    proxy: &Proxy,
    report: &mut Report,
) {
    loop {
        let what = tokio::select! {
            what = receiver.recv() => what.expect("the node is there"),
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                indexers.iter_mut().for_each(Local::assert_running);
                continue;
            }
        };
        let name = format!("{what:?}");
        *report.outside.entry(name.split('(').next().unwrap_or_default().to_owned()).or_default() += 1;
        match what {
            Outside::Kill | Outside::Restart => {
                let elder = indexers.remove(0);
                if what == Outside::Kill {
                    elder.kill().await
                } else {
                    elder.stop().await
                }
                indexers.push(start());
            }
            Outside::Twin if indexers.len() < 2 => indexers.push(start()),
            Outside::Twin => {}
            Outside::Terminate => drop(database.cut_connections().await),
            Outside::Cut => proxy.cut(),
            Outside::LoseCommit => proxy.lose_commits(1),
            Outside::Fail(after) => {
                database.texts(&format!("SELECT setval('trouble.countdown', {after})::text")).await;
            }
            Outside::End => break,
        }
    }
    proxy.lose_commits(0);
    database.texts("SELECT setval('trouble.countdown', -1)::text").await;
}
