//! `GET /v1/tokenlist`: the tokens that sales sell, in the form of tokenlists.org that wallets and exchanges read.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{BlockNumber, ChainId, CheckedQuery, FromQuery, Reader},
    meta::{Condition, NoAnswer},
    sales::snapshot,
    shapes::Time,
};
use crate::{
    db::read::tokens::{self, SoldToken},
    types::Addr,
};

/// Most tokens on the list; its form allows 10,000.
const MAX_TOKENS: i64 = 10_000;

/// Which tokens.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TokenListQuery {
    /// Tokens on this chain.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub chain: Option<ChainId>,
    /// Height that must be indexed on `chain`. Waits briefly for it, then answers 503. Needs `chain`.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for TokenListQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { chain: reader.read("chain"), min_block: reader.read("min_block") }
    }
}

/// A list of tokens, as tokenlists.org defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenList {
    /// Name of the list.
    #[schema(example = "Crowdsale tokens")]
    pub name: &'static str,
    /// Time of the chain at which the newest of its tokens came on sale.
    pub timestamp: Time,
    /// Grows with the list: `minor` is the number of its tokens.
    pub version: Version,
    /// The tokens, by chain and address.
    #[schema(max_items = 10_000)]
    pub tokens: Vec<ListedToken>,
}

/// Version of a token list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Version {
    /// Always 1.
    #[schema(example = 1)]
    pub major: u32,
    /// Number of tokens.
    #[schema(example = 42)]
    pub minor: usize,
    /// Always 0.
    #[schema(example = 0)]
    pub patch: u32,
}

/// A token on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedToken {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// Its contract.
    pub address: Addr,
    /// ERC-20 symbol, as the contract says: anybody can take any symbol.
    #[schema(example = "TKN", max_length = 20)]
    pub symbol: String,
    /// ERC-20 name, as the contract says.
    #[schema(example = "Token", max_length = 60)]
    pub name: String,
    /// ERC-20 decimals.
    #[schema(example = 18)]
    pub decimals: i16,
}

/// Whether the list's form allows it: a reader may refuse a whole list for one token. Symbols are without white space, names without any
/// but the blank; characters that show nothing or turn the writing are in neither.
fn is_listable(token: &SoldToken) -> bool {
    let fits = |text: &str, most: usize, blank: bool| {
        (1..=most).contains(&text.chars().count())
            && text.chars().all(|c| c.is_alphanumeric() || c.is_ascii_graphic() || (blank && c == ' '))
    };
    fits(&token.symbol, 20, false) && fits(&token.name, 60, true) && token.chain_id > 0
}

fn show(tokens: &[SoldToken]) -> TokenList {
    let listed: Vec<_> = tokens.iter().filter(|t| is_listable(t)).collect();
    TokenList {
        name: "Crowdsale tokens",
        timestamp: Time::from_unix(listed.iter().map(|t| t.sold_since).max().unwrap_or_default()),
        version: Version { major: 1, minor: listed.len(), patch: 0 },
        tokens: listed
            .into_iter()
            .map(|t| ListedToken {
                chain_id: t.chain_id,
                address: t.address,
                symbol: t.symbol.clone(),
                name: t.name.clone(),
                decimals: t.decimals,
            })
            .collect(),
    }
}

/// Tokens on sale, as a token list
///
/// The first 10,000 tokens by chain and address that sales sell or sold, in the form of tokenlists.org, without an envelope. To be on it
/// recommends nothing: anybody can create a sale, of a token with any name. Tokens without a symbol or a name, or with characters that
/// the form does not allow, are left out.
#[utoipa::path(
    get,
    path = "/v1/tokenlist",
    tag = "tokens",
    params(TokenListQuery),
    responses((status = 200, description = "The list.", body = TokenList), ReadProblems)
)]
pub async fn get_token_list(
    State(state): State<ApiState>,
    CheckedQuery(query): CheckedQuery<TokenListQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = snapshot(&state, query.chain, query.min_block, condition).await?;
    let chain_id = query.chain.map(|c| c.0);
    let tokens = tokens::list_sold(snapshot.connection(), chain_id, MAX_TOKENS).await?;
    Ok(snapshot.answer(show(&tokens)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_would_spoil_the_list_is_left_out() {
        let token = |symbol: &str, name: &str| SoldToken {
            chain_id: 1,
            address: Addr::default(),
            symbol: symbol.to_owned(),
            name: name.to_owned(),
            decimals: 18,
            sold_since: 5,
        };
        assert!(is_listable(&token("TKN", "A Token (2)")));
        assert!(is_listable(&token("ÄÖ币", "名")));
        for (symbol, name) in [
            ("", "x"),
            ("x", ""),
            ("T N", "x"),
            ("T\u{202e}N", "x"),
            ("x", "a\nb"),
            ("x", "\u{200b}"),
            (&"x".repeat(21), "x"),
        ] {
            assert!(!is_listable(&token(symbol, name)), "{symbol:?} {name:?}");
        }
    }
}
