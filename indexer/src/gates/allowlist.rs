//! An allowlist and the file that publishes it: who may pay how much, the root that the sale keeps, and each investor's proof.
//!
//! ```json
//! {"format": "crowdsale-allowlist-v1", "decimals": 18, "root": "0x…", "count": 1, "investors": {
//!   "0x…": {"max_paid": "2500000000000000000", "proof": ["0x…"]}
//! }}
//! ```

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::{
    eligibility::{MaxPaid, pack_membership},
    merkle::Tree,
};
use crate::types::Amount;

/// The form that is written and read here.
pub const FORMAT: &str = "crowdsale-allowlist-v1";

/// Why a file is not an allowlist, or not the one that was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AllowlistError {
    /// Not JSON, or not of this shape.
    #[error("it is not an allowlist file: {0}")]
    Form(#[from] serde_json::Error),
    /// Of another version.
    #[error("its format is {0:?}, and this program reads {FORMAT:?}")]
    Format(String),
    /// Nobody is on it.
    #[error("nobody is on the list")]
    Empty,
    /// An investor whose address is mistyped.
    #[error("{0:?} is not an address with its EIP-55 checksum")]
    Address(String),
    /// An investor whose limit is none.
    #[error("the limit of {investor}, {text:?}, is not a number of base units between 1 and 2^120 - 1")]
    MaxPaid {
        /// Whose.
        investor: Address,
        /// What is written.
        text: String,
    },
    /// More or fewer investors than it says.
    #[error("it says that {written} investors are on it, and has {found}: it was changed after it was built")]
    Count {
        /// What is written.
        written: usize,
        /// What is there.
        found: usize,
    },
    /// Lines that give another root.
    #[error("its lines give the root {right}, and it says {written}: it was changed after it was built")]
    Root {
        /// What is written.
        written: B256,
        /// What the lines give.
        right: B256,
    },
    /// A proof that is not the one that leads to the root.
    #[error("the proof of {0} does not lead to the root: it was changed after it was built")]
    Proof(Address),
}

/// A list with its tree.
#[derive(Clone, Debug)]
pub struct Allowlist {
    decimals: u8,
    lines: BTreeMap<Address, MaxPaid>,
    tree: Tree,
}

/// What a list says of one investor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// What the investor may have paid in all.
    pub max_paid: MaxPaid,
    /// From the investor's line to the root.
    pub proof: Vec<B256>,
}

impl Membership {
    /// What `contribute` takes.
    pub fn eligibility(&self) -> Bytes {
        pack_membership(self.max_paid, &self.proof)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn {
    format: String,
    decimals: u8,
    root: B256,
    count: usize,
    investors: BTreeMap<String, LineIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    max_paid: String,
    proof: Vec<B256>,
}

#[derive(Serialize)]
struct LineOut<'a> {
    max_paid: MaxPaid,
    proof: &'a [B256],
}

impl Allowlist {
    /// A list whose limits were written in units of so many decimals. `None` where nobody is on it.
    pub fn new(decimals: u8, lines: BTreeMap<Address, MaxPaid>) -> Option<Self> {
        let tree = Tree::new(lines.iter().map(|(who, max_paid)| (*who, *max_paid)))?;
        Some(Self { decimals, lines, tree })
    }

    /// Reads a file and believes nothing of it: count, root and every proof are worked out from the lines again.
    ///
    /// # Errors
    /// [`AllowlistError`]: the first thing that does not fit.
    pub fn parse(text: &str) -> Result<Self, AllowlistError> {
        let file: FileIn = serde_json::from_str(text)?;
        if file.format != FORMAT {
            return Err(AllowlistError::Format(file.format));
        }
        if file.count != file.investors.len() {
            return Err(AllowlistError::Count { written: file.count, found: file.investors.len() });
        }
        let mut lines = BTreeMap::new();
        let mut proofs = Vec::with_capacity(file.count);
        for (investor, LineIn { max_paid, proof }) in file.investors {
            let Ok(investor) = Address::parse_checksummed(&investor, None) else {
                return Err(AllowlistError::Address(investor));
            };
            let limit = max_paid.parse::<Amount>().ok().and_then(|raw| MaxPaid::new(raw.0).ok());
            let limit = limit.ok_or(AllowlistError::MaxPaid { investor, text: max_paid })?;
            lines.insert(investor, limit);
            proofs.push((investor, proof));
        }
        let list = Self::new(file.decimals, lines).ok_or(AllowlistError::Empty)?;
        if list.root() != file.root {
            return Err(AllowlistError::Root { written: file.root, right: list.root() });
        }
        // One tree has one proof for each: comparing needs no hashing.
        for (investor, proof) in proofs {
            if list.tree.find_proof(investor).as_ref() != Some(&proof) {
                return Err(AllowlistError::Proof(investor));
            }
        }
        Ok(list)
    }

    /// Writes the file, a line an investor, by address: the same list is the same bytes.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        let (decimals, root, count) = (self.decimals, self.root(), self.len());
        write!(
            out,
            "{{\"format\": \"{FORMAT}\", \"decimals\": {decimals}, \"root\": \"{root}\", \"count\": {count}, \"investors\": {{"
        )?;
        for (index, (investor, max_paid)) in self.lines.iter().enumerate() {
            let proof = self.tree.find_proof(*investor).unwrap_or_default();
            write!(out, "{}\n  \"{investor}\": ", if index == 0 { "" } else { "," })?;
            serde_json::to_writer(&mut out, &LineOut { max_paid: *max_paid, proof: &proof })?;
        }
        out.write_all(b"\n}}\n")
    }

    /// What the sale keeps of the list.
    pub fn root(&self) -> B256 {
        self.tree.root()
    }

    /// Digits after the point of the units that the limits were written in.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// How many investors are on it, one at least.
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Every investor with the limit, by address.
    pub fn lines(&self) -> &BTreeMap<Address, MaxPaid> {
        &self.lines
    }

    /// An investor's limit and proof; `None` for whoever is not on the list.
    pub fn find(&self, investor: Address) -> Option<Membership> {
        let max_paid = *self.lines.get(&investor)?;
        Some(Membership { max_paid, proof: self.tree.find_proof(investor)? })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{U256, keccak256};

    use super::*;
    use crate::gates::merkle;

    fn who(i: u64) -> Address {
        Address::from_slice(&keccak256(i.to_be_bytes())[12..])
    }

    fn list(n: u64) -> Allowlist {
        let lines = (0..n).map(|i| (who(i), MaxPaid::new(U256::from(i + 1)).unwrap())).collect();
        Allowlist::new(6, lines).unwrap()
    }

    fn text(list: &Allowlist) -> String {
        let mut out = Vec::new();
        list.write_json(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        for n in [1, 2, 5, 33] {
            let list = list(n);
            let read = Allowlist::parse(&text(&list)).unwrap();
            assert_eq!((read.root(), read.decimals(), read.lines()), (list.root(), 6, list.lines()));
            let membership = read.find(who(0)).unwrap();
            assert!(merkle::verify(read.root(), who(0), membership.max_paid, &membership.proof));
            assert!(read.find(who(n)).is_none());
        }
        let value: serde_json::Value = serde_json::from_str(&text(&list(2))).unwrap();
        assert_eq!((&value["format"], &value["count"]), (&FORMAT.into(), &2.into()));
        assert_eq!(value["investors"][who(1).to_string()]["max_paid"], "2");
        assert!(Allowlist::new(18, BTreeMap::new()).is_none());
    }

    #[test]
    fn whatever_was_changed_is_seen() {
        let list = list(5);
        let good = text(&list);
        let fails = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            Allowlist::parse(&good.replacen(from, to, 1)).unwrap_err()
        };
        let one = who(1).to_string();
        let proof = list.find(who(1)).unwrap().proof[0].to_string();
        let zero = B256::ZERO.to_string();
        assert!(matches!(fails("\"max_paid\":\"2\"", "\"max_paid\":\"3\""), AllowlistError::Root { .. }));
        assert!(matches!(fails(&list.root().to_string(), &zero), AllowlistError::Root { .. }));
        assert!(matches!(fails(&one, &who(9).to_string()), AllowlistError::Root { .. }));
        assert!(matches!(fails(&proof, &zero), AllowlistError::Proof(_)));
        assert!(matches!(fails("\"count\": 5", "\"count\": 6"), AllowlistError::Count { written: 6, found: 5 }));
        assert!(matches!(fails(&one, &one.to_lowercase()), AllowlistError::Address(_)));
        for limit in ["0", "", "-1", "1.5", "0x2", "1329227995784915872903807060280344576"] {
            let error = fails("\"max_paid\":\"2\"", &format!("\"max_paid\":\"{limit}\""));
            assert!(matches!(error, AllowlistError::MaxPaid { .. }), "{limit:?}: {error}");
        }
        assert!(matches!(fails("-v1", "-v2"), AllowlistError::Format(_)));
        assert!(matches!(fails("\"decimals\": 6", "\"decimals\": 6, \"more\": 1"), AllowlistError::Form(_)));
        assert!(matches!(fails("}}", "}"), AllowlistError::Form(_)));
        let empty =
            format!("{{\"format\":\"{FORMAT}\",\"decimals\":18,\"root\":\"{zero}\",\"count\":0,\"investors\":{{}}}}");
        assert!(matches!(Allowlist::parse(&empty), Err(AllowlistError::Empty)));
    }
}
