//! The terms of a key that a body asks for, and what is wrong with them.

use ipnet::IpNet;

use super::shapes::{KeyMode, NewKey};
use crate::{
    access::{self, AccessError, KeyError, KeyTerms, Mode, PublicKey, PublicKeyForm},
    api::problem::{Code, Fault, Problem},
};

/// The public key that a body has.
pub(super) fn public_key(text: Option<&str>) -> Result<Option<PublicKey>, Problem> {
    text.map(str::parse).transpose().map_err(|form: PublicKeyForm| of_public_key(form.to_string()))
}

fn of_public_key(detail: String) -> Problem {
    Problem::faults(Code::InvalidBody, vec![Fault { pointer: "/body/public_key".to_owned(), detail }])
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Db(error) => error.into(),
            AccessError::Key(error) => {
                let code = match &error {
                    KeyError::KnownPublicKey | KeyError::Signs(_) | KeyError::DoesNotSign(_) => {
                        return of_public_key(format!("is wrong: {error}"));
                    }
                    KeyError::Unknown(_) => Code::KeyNotFound,
                    KeyError::NotActive { .. } | KeyError::Replaced { .. } => Code::KeyNotActive,
                    _ => Code::InvalidBody,
                };
                Self::new(code, error.to_string())
            }
            error => {
                // The master key is not the one that it was sealed with, or a row was changed: for the operator alone.
                tracing::error!(%error, "a secret cannot be opened");
                Self::internal()
            }
        }
    }
}

/// The terms that a body asks for, or all that is wrong with them.
pub(super) fn terms(body: NewKey) -> Result<KeyTerms, Problem> {
    let mut faults = Vec::new();
    let mut networks = Vec::new();
    for (index, text) in body.networks.iter().take(KeyTerms::MAX_NETWORKS + 1).enumerate() {
        match access::parse_network(text) {
            Some(network) => networks.push(network),
            None => faults.push(Fault {
                pointer: format!("/body/networks/{index}"),
                detail: "must be an address or a network, such as 203.0.113.0/24".to_owned(),
            }),
        }
    }
    let mode = if matches!(body.mode, KeyMode::Live) { Mode::Live } else { Mode::Test };
    let terms = KeyTerms {
        label: body.label,
        mode,
        scopes: body.scopes,
        networks: networks as Vec<IpNet>,
        expires_in_seconds: body.expires_in_seconds,
    };
    let of_terms = terms.faults().into_iter();
    faults.extend(
        of_terms.map(|(field, e)| Fault { pointer: format!("/body/{field}"), detail: format!("is wrong: {e}") }),
    );
    if faults.is_empty() { Ok(terms) } else { Err(Problem::faults(Code::InvalidBody, faults)) }
}
