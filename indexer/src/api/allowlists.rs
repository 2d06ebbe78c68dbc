//! `GET /v1/allowlists/{root}/{investor}`: an investor's proof for a sale with a list.

use std::{collections::HashMap, sync::Arc};

use alloy::primitives::{B256, Bytes};
use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AllowlistProblems, ApiState,
    extract::{CheckedPath, CheckedQuery, FromPath, FromQuery, Reader},
    problem::{Code, Problem},
};
use crate::{
    gates::allowlist::Allowlist,
    types::{Addr, Hash32},
};

/// The lists that this service answers for, by root. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Allowlists(Arc<HashMap<B256, Allowlist>>);

impl FromIterator<Allowlist> for Allowlists {
    fn from_iter<I: IntoIterator<Item = Allowlist>>(lists: I) -> Self {
        Self(Arc::new(lists.into_iter().map(|list| (list.root(), list)).collect()))
    }
}

/// A list and an investor in the path.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MemberPath {
    /// Root of the list, which the sale keeps.
    pub root: Hash32,
    /// Address of the investor.
    pub investor: Addr,
}

impl FromPath for MemberPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        let (root, investor) = (reader.read("root"), reader.read("investor"));
        Some(Self { root: root?, investor: investor? })
    }
}

/// No parameters: one that is not known is refused.
#[derive(Clone, Copy, Debug)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    fn read(_: &mut Reader) -> Self {
        Self
    }
}

/// What a list says of an investor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Membership)]
pub struct MembershipOut {
    /// Root of the list.
    pub root: Hash32,
    /// The investor.
    pub investor: Addr,
    /// What the investor may have paid in all, in base units of the currency of the sale.
    #[schema(example = "1500000000000000000", pattern = "^[1-9][0-9]*$")]
    pub max_paid: String,
    /// Siblings from the investor's leaf to the root, as OpenZeppelin's `MerkleProof` takes them. Empty on a list of one.
    pub proof: Vec<Hash32>,
    /// `eligibility` of the contract's `contribute`: the limit in 15 bytes, then the proof.
    #[schema(value_type = String, example = "0x0000000000000014d1120d7b160000", pattern = "^0x([0-9a-f]{2})+$")]
    pub eligibility: Bytes,
}

/// Proof of an investor on an allowlist
///
/// From the lists that the operator serves; the root is what a sale with a list keeps. There is no `meta`: a list is no data of
/// a chain, and what its root stands for never changes.
#[utoipa::path(
    get,
    path = "/v1/allowlists/{root}/{investor}",
    tag = "investors",
    params(MemberPath),
    responses((status = 200, description = "The limit and its proof.", body = MembershipOut), AllowlistProblems)
)]
pub async fn get_membership(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<MemberPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<impl IntoResponse, Problem> {
    let MemberPath { root, investor } = path;
    let list =
        state.allowlists().0.get(&root.0).ok_or_else(|| {
            Problem::new(Code::AllowlistNotFound, format!("no list with the root {root} is served here"))
        })?;
    let member = list.find(investor.0).ok_or_else(|| {
        Problem::new(Code::InvestorNotListed, format!("{investor} is not on the list with the root {root}"))
    })?;
    let answer = MembershipOut {
        root,
        investor,
        max_paid: member.max_paid.to_string(),
        eligibility: member.eligibility(),
        proof: member.proof.into_iter().map(Hash32).collect(),
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=86400, immutable")], Json(answer)))
}
