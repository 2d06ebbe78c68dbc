//! `GET /v1/sales/{chain}/{sale}/{contributions,investors}.csv`: whole lists for spreadsheets, written while they are read.
//!
//! All rows are of one snapshot, read a page at a time, so an export holds a page in memory whatever its length. A snapshot keeps the tables
//! from being switched by a re-index and their old rows from being cleaned up: so exports are few at a time and end in time, and who
//! reads too slowly loses the connection. An export that does not end well breaks the connection: what is cut off never looks whole.

use std::{convert::Infallible, io, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

use super::{
    ApiState, ReadProblems,
    auth::Identity,
    extract::{CheckedPath, CheckedQuery},
    meta::{Condition, NoAnswer, Snapshot},
    problem::{Code, Problem},
    sale::{FullSale, SalePath, SaleQuery},
    shapes::{BlockRef, Time},
};
use crate::{
    access::Scope,
    db::{
        DbError,
        chains::Checkpoint,
        read::{
            contributions::{self, Contribution, Order},
            positions::{self, Figures},
        },
    },
    types::Addr,
};

/// Rows that are read and sent at once.
const PAGE: i64 = 1_000;
/// How long a client may take for as much.
const PATIENCE: Duration = Duration::from_secs(20);

const CONTRIBUTIONS: [&str; 21] = [
    "chain_id",
    "sale",
    "block_number",
    "block_hash",
    "log_index",
    "finality",
    "time",
    "transaction_hash",
    "investor",
    "payer",
    "phase",
    "amount",
    "currency",
    "currency_decimals",
    "currency_symbol",
    "tokens",
    "token",
    "token_decimals",
    "token_symbol",
    "paid_after",
    "raised_after",
];
const INVESTORS: [&str; 21] = [
    "chain_id",
    "sale",
    "investor",
    "contributions",
    "rejected",
    "currency",
    "currency_decimals",
    "currency_symbol",
    "paid",
    "withdrawn",
    "refunded",
    "excess_refunded",
    "rest_refunded",
    "paid_now",
    "token",
    "token_decimals",
    "token_symbol",
    "tokens",
    "claimed",
    "tokens_now",
    "last_block",
];

/// What is written, and after what it goes on.
#[derive(Debug)]
enum Table {
    Contributions(Option<(i64, i32)>),
    Investors(Option<Addr>),
}

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("a row cannot be written: {0}")]
    Row(#[from] csv::Error),
    #[error("the client is gone")]
    Gone,
    #[error("the client took more than {} s for {PAGE} rows", PATIENCE.as_secs())]
    Slow,
    #[error("it took longer than {} s; narrower lists are read by page", .0.as_secs())]
    Long(Duration),
}

/// A part of the file; `None` is its end, without which it is not whole.
type Part = Result<Option<Vec<u8>>, io::Error>;

impl Table {
    fn name(&self) -> &'static str {
        match self {
            Self::Contributions(_) => "contributions",
            Self::Investors(_) => "investors",
        }
    }

    fn header(&self) -> &'static [&'static str] {
        match self {
            Self::Contributions(_) => &CONTRIBUTIONS,
            Self::Investors(_) => &INVESTORS,
        }
    }

    /// The next rows; none are after the last.
    async fn next(&mut self, snapshot: &mut Snapshot, sale: &FullSale) -> Result<Vec<Vec<String>>, ExportError> {
        let (chain_id, address) = (sale.sale.chain_id, sale.sale.address);
        let Some(checkpoint) = snapshot.checkpoint(chain_id).cloned() else { return Ok(Vec::new()) };
        let connection = snapshot.connection();
        Ok(match self {
            Self::Contributions(after) => {
                let rows =
                    contributions::list(connection, chain_id, address, None, Order::OldestFirst, *after, PAGE).await?;
                *after = rows.last().map(|c| (c.block_number, c.log_index));
                rows.iter().map(|c| contribution(c, sale, &checkpoint)).collect()
            }
            Self::Investors(after) => {
                let rows = positions::list_figures(connection, chain_id, address, *after, PAGE).await?;
                *after = rows.last().map(|p| p.investor);
                rows.iter().map(|p| investor(p, sale)).collect()
            }
        })
    }
}

/// A text of somebody else's that a spreadsheet must not take for a formula: an apostrophe before it makes it a text there.
fn harmless(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

fn contribution(c: &Contribution, sale: &FullSale, checkpoint: &Checkpoint) -> Vec<String> {
    let block = BlockRef::new(checkpoint, c.block_number, c.block_hash, c.log_index);
    let (money, token) = (&sale.currency, &sale.token);
    vec![
        block.chain_id.to_string(),
        sale.sale.address.to_string(),
        block.number.to_string(),
        block.hash.to_string(),
        block.log_index.to_string(),
        block.finality.as_str().to_owned(),
        Time::from_unix(c.timestamp).to_string(),
        c.transaction_hash.to_string(),
        c.investor.to_string(),
        c.payer.to_string(),
        c.phase.to_string(),
        c.amount.to_string(),
        money.address.to_string(),
        money.decimals.to_string(),
        harmless(&money.symbol),
        c.tokens.to_string(),
        token.address.to_string(),
        token.decimals.to_string(),
        harmless(&token.symbol),
        c.paid.to_string(),
        c.raised.to_string(),
    ]
}

fn investor(p: &Figures, sale: &FullSale) -> Vec<String> {
    let (money, token) = (&sale.currency, &sale.token);
    vec![
        sale.sale.chain_id.to_string(),
        sale.sale.address.to_string(),
        p.investor.to_string(),
        p.contributions.to_string(),
        (p.rejections > 0).to_string(),
        money.address.to_string(),
        money.decimals.to_string(),
        harmless(&money.symbol),
        p.paid.to_string(),
        p.withdrawn.to_string(),
        p.refunded.to_string(),
        p.excess_refunded.to_string(),
        p.rest_refunded.to_string(),
        p.paid_now.to_string(),
        token.address.to_string(),
        token.decimals.to_string(),
        harmless(&token.symbol),
        p.tokens.to_string(),
        p.claimed.to_string(),
        p.tokens_now.to_string(),
        p.last_block.to_string(),
    ]
}

fn encode<T: AsRef<str>>(rows: &[Vec<T>]) -> Result<Vec<u8>, ExportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|field| field.as_ref().as_bytes()))?;
    }
    writer.into_inner().map_err(|e| ExportError::Row(e.into_error().into()))
}

async fn send(sender: &mpsc::Sender<Part>, part: Option<Vec<u8>>) -> Result<(), ExportError> {
    match timeout(PATIENCE, sender.send(Ok(part))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(ExportError::Gone),
        Err(_) => Err(ExportError::Slow),
    }
}

async fn write(
    table: &mut Table,
    snapshot: &mut Snapshot,
    sale: &FullSale,
    sender: &mpsc::Sender<Part>,
) -> Result<(), ExportError> {
    send(sender, Some(encode(&[table.header().to_vec()])?)).await?;
    loop {
        let rows = table.next(snapshot, sale).await?;
        if !rows.is_empty() {
            send(sender, Some(encode(&rows)?)).await?;
        }
        if i64::try_from(rows.len()).is_ok_and(|n| n < PAGE) {
            return send(sender, None).await;
        }
    }
}

/// Writes the table in a task of its own, which ends, with its snapshot, when the client is gone or the time is up.
fn body(
    mut table: Table,
    mut snapshot: Snapshot,
    sale: FullSale,
    limit: Duration,
    permit: OwnedSemaphorePermit,
) -> Body {
    let (sender, receiver) = mpsc::channel::<Part>(2);
    tokio::spawn(async move {
        let written = timeout(limit, write(&mut table, &mut snapshot, &sale, &sender)).await;
        // Before the last word is said: whoever waits for the connection need not wait for the client.
        drop(snapshot);
        drop(permit);
        if let Err(error) = written.unwrap_or(Err(ExportError::Long(limit))) {
            tracing::warn!(table = table.name(), %error, "an export was cut off");
            let _ = timeout(PATIENCE, sender.send(Err(io::Error::other(error)))).await;
        }
    });
    let parts = futures::stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Ok(Some(bytes))) => Some((Ok(bytes), Some(receiver))),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some((Err(error), None)),
            // The task is gone without a word: it panicked, or the process ends.
            None => Some((Err(io::Error::other("the export was cut off")), None)),
        }
    });
    // gzip asks once more after the end.
    Body::from_stream(parts.fuse())
}

async fn export(
    state: &ApiState,
    path: SalePath,
    query: SaleQuery,
    condition: Condition,
    (table, has_key): (Table, bool),
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let permit = state.exporting(has_key).try_acquire_owned().map_err(|_| {
        let detail = "as many exports are being written as this service writes at once; try again in a moment";
        Problem::new(Code::ExportsBusy, detail).retry_after(10)
    })?;
    let block = snapshot.checkpoint(path.chain.0).map(|c| c.number).unwrap_or_default();
    let name = format!("{}-{}-{}-at-{block}.csv", table.name(), path.chain.0, path.sale);
    // A tag that the client has already is answered without a body, and without a task that writes it.
    let head = snapshot.head();
    if let Some(not_modified) = head.not_modified() {
        return Ok(not_modified);
    }
    let body = body(table, snapshot, sale, state.options().export_timeout, permit);
    let mut response = head.respond(([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], body));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response.into_response())
}

/// Whether whoever asks has a key for exports: there are places for them, which nobody else takes.
#[derive(Clone, Copy, Debug)]
pub struct MayExport(bool);

impl<S: Sync> FromRequestParts<S> for MayExport {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let identity = parts.extensions.get::<Identity>();
        Ok(Self(matches!(identity, Some(Identity::Key(caller)) if caller.scopes().contains(&Scope::ExportsRead))))
    }
}

/// All contributions as CSV
///
/// Oldest first, of one snapshot, whose height is in the file's name; the first line names the columns. `amount`, `paid_after` and
/// `raised_after` are whole base units of `currency`, `tokens` of `token`: divide by ten to the power of `currency_decimals` or
/// `token_decimals`. `paid_after` and `raised_after` are the contract's running totals after the contribution. Read amounts as text: a
/// spreadsheet rounds them as numbers. A symbol that a spreadsheet would take for a formula has an apostrophe before it. A file is whole
/// if the answer ended without an error; one that takes longer than the service's limit (300 s unless set) is cut off with one.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/contributions.csv",
    tag = "exports",
    params(SalePath, SaleQuery),
    responses(
        (status = 200, description = "RFC 4180, with a line of columns.", body = String, content_type = "text/csv"),
        ReadProblems
    )
)]
pub async fn export_contributions(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<SaleQuery>,
    MayExport(has_key): MayExport,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    export(&state, path, query, condition, (Table::Contributions(None), has_key)).await
}

/// All investors as CSV
///
/// By address, of one snapshot, in the same form as the contributions. `paid` is what was ever paid; `withdrawn`, `refunded`,
/// `excess_refunded` and `rest_refunded` what went back; `paid_now` what the contract has of it. `tokens` are allotted (zero until
/// the outcome or the first claim where that allots them), `claimed` of them claimed, `tokens_now` what the contract has of them.
/// `last_block` is the height of the newest event.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/investors.csv",
    tag = "exports",
    params(SalePath, SaleQuery),
    responses(
        (status = 200, description = "RFC 4180, with a line of columns.", body = String, content_type = "text/csv"),
        ReadProblems
    )
)]
pub async fn export_investors(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<SaleQuery>,
    MayExport(has_key): MayExport,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    export(&state, path, query, condition, (Table::Investors(None), has_key)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n", "\u{3000}=1"] {
            assert!(harmless(text).starts_with('\''), "{text:?}");
        }
        for text in ["ETH", "", "A-B", "USD+"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let bytes = encode(&[vec!["a,b", "say \"x\"", "line\nbreak"]]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "\"a,b\",\"say \"\"x\"\"\",\"line\nbreak\"\n");
    }
}
