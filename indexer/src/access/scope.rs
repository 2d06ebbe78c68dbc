//! What a key may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Reads sales, beyond the limits of the public.
    #[serde(rename = "sales:read")]
    SalesRead,
    /// Reads contributions and positions, beyond the limits of the public.
    #[serde(rename = "contributions:read")]
    ContributionsRead,
    /// Takes whole lists at once.
    #[serde(rename = "exports:read")]
    ExportsRead,
    /// Names who is told of events.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
    /// Places orders.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Lets investors in.
    #[serde(rename = "vouchers:write")]
    VouchersWrite,
    /// Makes, replaces and revokes keys: any key, so it is as good as all the others together.
    #[serde(rename = "keys:admin")]
    KeysAdmin,
}

/// There is no such scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no scope: take one of {}", Scope::ALL.map(Scope::as_str).join(" "))]
pub struct UnknownScope;

impl Scope {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::SalesRead,
        Self::ContributionsRead,
        Self::ExportsRead,
        Self::WebhooksWrite,
        Self::OrdersWrite,
        Self::VouchersWrite,
        Self::KeysAdmin,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SalesRead => "sales:read",
            Self::ContributionsRead => "contributions:read",
            Self::ExportsRead => "exports:read",
            Self::WebhooksWrite => "webhooks:write",
            Self::OrdersWrite => "orders:write",
            Self::VouchersWrite => "vouchers:write",
            Self::KeysAdmin => "keys:admin",
        }
    }

    /// Whether it changes nothing.
    pub fn only_reads(self) -> bool {
        self.as_str().ends_with(":read")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(UnknownScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_written_in_one_way() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        for wrong in ["", "keys", "keys:admin ", "KEYS:ADMIN", "*"] {
            assert_eq!(wrong.parse::<Scope>(), Err(UnknownScope));
        }
    }
}
