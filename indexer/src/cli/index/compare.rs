//! `crowdsale index --compare`: whether another index holds the same, by the digests of both.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgConnectOptions};
use url::Url;

use crate::{
    cli::{
        failure::Failure,
        printer::{Printer, Report},
    },
    db::{self, chains, read::chains::find_digest},
    types::Hash32,
};

#[derive(Debug, Serialize)]
struct Compared {
    chain_id: i64,
    equal: bool,
    /// Height up to which both were compared: the lower of the two indexed blocks.
    compared_to: i64,
    /// The lowest block at which they differ.
    first_difference: Option<i64>,
    digest: Hash32,
    other_digest: Hash32,
}

impl Report for Compared {
    fn text(&self) -> String {
        match self.first_difference {
            None => format!("the same up to block {}: digest {}", self.compared_to, self.digest),
            Some(block) => format!(
                "different from block {block} on: digests here and there are {} and {}",
                self.digest, self.other_digest
            ),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    at: i64,
    digest: Option<alloy::primitives::B256>,
}

struct Other {
    client: reqwest::Client,
    url: Url,
}

impl Other {
    /// The digest as of a height, `None` below the first block that is stored there; with the height, which without `at` is the
    /// indexed block.
    async fn digest(&self, at: Option<i64>) -> Result<Option<(i64, Option<Hash32>)>> {
        let mut url = self.url.clone();
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("at", &at.to_string());
        }
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure::new(
                "cannot compare",
                error.to_string(),
                "check the URL: it is that of a `crowdsale serve`, as http://host:8080",
            )
        };
        let answer = self.client.get(url).send().await.map_err(|e| unreachable(&e.without_url()))?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND && at.is_some() {
            return Ok(None);
        }
        if !answer.status().is_success() {
            return Err(unreachable(&format!("the service answers {}", answer.status())));
        }
        let Answer { data } = answer.json().await.map_err(|e| unreachable(&e.without_url()))?;
        Ok(Some((data.at, data.digest.map(Hash32))))
    }
}

fn without_digests(whose: &str) -> anyhow::Error {
    Failure::new(
        "cannot compare",
        format!("{whose} index began before digests were kept"),
        "index the chain anew into an empty database",
    )
}

/// Below the first stored block nothing is indexed, and the digest is the one that both begin with.
async fn here(pool: &PgPool, chain_id: i64, at: i64) -> Result<Hash32> {
    let mut connection = pool.acquire().await?;
    match find_digest(&mut connection, chain_id, at).await? {
        None => Ok(Hash32::default()),
        Some(digest) => digest.ok_or_else(|| without_digests("this")),
    }
}

async fn there(other: &Other, at: i64) -> Result<Hash32> {
    match other.digest(Some(at)).await? {
        None => Ok(Hash32::default()),
        Some((_, digest)) => digest.ok_or_else(|| without_digests("the other")),
    }
}

/// Compares, and where the two differ finds the first block by halving. A difference is exit code 1.
pub async fn run(database: &PgConnectOptions, chain_id: i64, url: Url, printer: Printer) -> Result<()> {
    let pool = db::readers(database, 1).await?;
    let mut connection = pool.acquire().await?;
    let checkpoint = chains::find_checkpoint(&mut connection, chain_id).await?;
    drop(connection);
    let Some(checkpoint) = checkpoint else {
        return Err(Failure::new(
            "cannot compare",
            format!("nothing of chain {chain_id} is indexed in this database"),
            "run `crowdsale index` first",
        ));
    };
    let mut base = url;
    let path = format!("{}/v1/chains/{chain_id}/digest", base.path().trim_end_matches('/'));
    base.set_path(&path);
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(20)).build()?;
    let other = Other { client, url: base };
    let Some((indexed, _)) = other.digest(None).await? else {
        return Err(without_digests("the other"));
    };

    let compared_to = checkpoint.number.min(indexed);
    let (mut digest, mut other_digest) = (here(&pool, chain_id, compared_to).await?, there(&other, compared_to).await?);
    let mut first_difference = None;
    if digest != other_digest {
        // Once different, they stay so: each digest holds the one before it.
        let (mut same, mut different) = (-1, compared_to);
        while different - same > 1 {
            let middle = same + (different - same) / 2;
            let (a, b) = (here(&pool, chain_id, middle).await?, there(&other, middle).await?);
            if a == b {
                same = middle;
            } else {
                (different, digest, other_digest) = (middle, a, b);
            }
        }
        first_difference = Some(different);
    }
    let equal = first_difference.is_none();
    printer.result(&Compared { chain_id, equal, compared_to, first_difference, digest, other_digest })?;
    if let Some(block) = first_difference {
        return Err(Failure::new(
            "the two indexes differ",
            format!("their digests at block {block} are not the same"),
            "above the finalized block this can be a reorg under way: try again; else hold both against the chain with `crowdsale reconcile`",
        ));
    }
    Ok(())
}
