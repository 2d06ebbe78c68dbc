//! `GET /v1/sales/{chain}/{sale}/activity`: everything that ever happened in a sale.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, PageProblems,
    extract::{BlockNumber, CheckedPath, CheckedQuery, FromQuery, Limit, Reader},
    meta::{ChainMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, Page, QueryDigest},
    problem::Problem,
    sale::{FullSale, SalePath},
    shapes::{AmountOut, BlockRef, Time, Token},
};
use crate::{
    db::{
        chains::Checkpoint,
        read::activity::{self, Activity},
    },
    types::{Addr, Hash32, upright},
};

/// Which page of the activity.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityQuery {
    /// Most events on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for ActivityQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// An event of a sale, its vault, its team's wallets or its token. What an event does not have is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Activity)]
pub struct ActivityOut {
    /// What happened: `sale_created`, `token_created`, `allocation_created`, `opened`, `contributed`, `excess_returned`, `withdrawn`,
    /// `rejected`, `pause_changed`, `voucher_signer_changed`, `compliance_changed`, `ownership_offered`, `ownership_transferred`,
    /// `whitepaper_superseded`, `closed`, `cancelled`, `unsold_returned`, `settled`, `claimed`, `refunded`, `excess_refunded`, `swept`,
    /// `released`, `objected`, `tap_stopped`, `rest_refunded`, `allocation_released`, `allocation_reclaimed`, `holder_set`,
    /// `contract_admitted`, `contract_uri_changed` or `token_role_changed`. New kinds may come.
    #[schema(example = "contributed")]
    pub kind: String,
    /// Whose event it is: the investor, the new owner, signer, compliance or holder, the beneficiary; the owner (`opened`).
    pub account: Option<Addr>,
    /// Where money or tokens went.
    pub recipient: Option<Addr>,
    /// Who else acted: who paid, who rejected, the creator, the owner before, the registrar.
    pub actor: Option<Addr>,
    /// The contract, where it is not the sale or its vault: a wallet, a token, or whose owner changed.
    pub contract: Option<Addr>,
    /// Money: paid, withdrawn, refunded, released, kept (`settled`), raised (`closed`), an objection's weight, the rest.
    pub amount: Option<AmountOut>,
    /// Tokens: allotted, claimed, returned, put into a wallet or paid by it. A wallet's other tokens have no symbol and no decimals.
    pub tokens: Option<AmountOut>,
    /// Money that comes back to the investor (`settled`).
    pub excess: Option<AmountOut>,
    /// Money in all after it: `released`, or the weight of all objections (`objected`, `tap_stopped`).
    pub running: Option<AmountOut>,
    /// The phase (`contributed`), allocation, whitepaper's version or signer's epoch; decimal digits.
    pub number: Option<String>,
    /// Until when a holder is approved, or from when on an announced change of a token's admin can be made.
    pub until: Option<Time>,
    /// Whether contributions are paused from now on (`pause_changed`).
    pub paused: Option<bool>,
    /// `succeeded`, `failed` or `cancelled`.
    pub outcome: Option<String>,
    /// A name, a URI, a kind of token, or what happened to a role, as its author wrote it.
    pub text: Option<String>,
    /// SHA-256 of a document, or a token's role.
    pub hash: Option<Hash32>,
    /// The token that a wallet paid; the zero address is ether.
    pub asset: Option<Addr>,
    /// Time of its block.
    pub time: Time,
    /// Its transaction. Null of `opened`, which is no transaction's doing: the sale opens with the first block whose time is not before
    /// `opens`.
    pub transaction_hash: Option<Hash32>,
    /// Its place. That of `opened` is no log's: `log_index` is below zero, or 2^30 and above where the sale was created in this very block.
    pub block: BlockRef,
}

impl ActivityOut {
    fn new(a: Activity, sale: &FullSale, checkpoint: &Checkpoint) -> Self {
        let (money, token) = (&sale.currency, &sale.token);
        let kind = a.kind.as_str();
        // A wallet pays whatever token somebody put into it.
        let of_wallet = matches!(kind, "allocation_released" | "allocation_reclaimed");
        let asset = a.account.filter(|_| of_wallet);
        let unknown = Token::new(asset.unwrap_or_default(), "", "", 0);
        let token = if asset.is_some_and(|asset| asset != token.address) { &unknown } else { token };
        let other = a.other.as_ref().map(|other| money.amount(other));
        let is_time = matches!(kind, "holder_set" | "token_role_changed");
        let is_outcome = matches!(kind, "closed" | "cancelled");
        let seconds = a.number.as_ref().map(|n| i64::try_from(&n.0).unwrap_or(i64::MAX));
        Self {
            account: a.account.filter(|_| !of_wallet),
            recipient: a.recipient,
            actor: a.actor,
            contract: a.contract,
            amount: a.amount.map(|amount| money.amount(amount)),
            tokens: a.tokens.map(|tokens| token.amount(tokens)),
            excess: other.clone().filter(|_| kind == "settled"),
            running: other.filter(|_| kind != "settled"),
            number: a.number.filter(|_| !is_time).map(|n| n.to_string()),
            until: seconds.filter(|_| is_time).map(Time::from_unix),
            paused: a.flag.filter(|_| kind == "pause_changed"),
            outcome: a.word.clone().filter(|_| is_outcome),
            text: a.word.filter(|_| !is_outcome).map(|text| upright(&text)),
            hash: a.hash,
            asset,
            time: Time::from_unix(a.timestamp),
            transaction_hash: (a.transaction_hash != Hash32::default()).then_some(a.transaction_hash),
            block: BlockRef::new(checkpoint, a.block_number, a.block_hash, a.log_index),
            kind: a.kind,
        }
    }
}

/// Everything that happened in a sale
///
/// Every event of the sale, its vault, its team's wallets and its token, the newest first.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/activity",
    tag = "sales",
    params(SalePath, ActivityQuery),
    responses((status = 200, description = "A page of events.", body = Page<ActivityOut, ChainMeta>), PageProblems)
)]
pub async fn list_activity(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<ActivityQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    // Of tables of before there were openings, these are noted behind a tip that stays as it is.
    let has_opened = activity::has_opened(snapshot.connection(), path.chain.0, path.sale).await?;
    snapshot.also(&[u8::from(has_opened)])?;
    let digest = QueryDigest::new("activity", &path);
    let after = snapshot.resume(query.cursor, digest).await?.map(|c| (c.block_number, c.log_index));
    let Limit(limit) = query.limit;
    let chain_id = path.chain.0;
    let mut rows = activity::list(snapshot.connection(), chain_id, path.sale, after, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |a| Cursor {
        query: digest,
        chain_id,
        block_number: a.block_number,
        block_hash: a.block_hash,
        log_index: a.log_index,
        key: Vec::new(),
    });
    let checkpoint = snapshot.checkpoint(chain_id).ok_or_else(Problem::internal)?;
    let data = rows.into_iter().map(|a| ActivityOut::new(a, &sale, checkpoint)).collect();
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}
