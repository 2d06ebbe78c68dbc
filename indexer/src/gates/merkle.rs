//! The tree behind an allowlist: that of OpenZeppelin's `StandardMerkleTree` over `["address", "uint256"]`, so that roots and
//! proofs can be made and checked with their JavaScript library too.
//!
//! - A leaf is `keccak256(keccak256(abi.encode(investor, maxPaid)))`: hashed twice, so that no inner node can pass for a leaf.
//! - An inner node is the hash of its two children, the smaller first: a proof needs no left and right.
//! - The tree is an array: root first, children of `i` at `2i + 1` and `2i + 2`, leaves sorted by hash from the end backwards.

use std::collections::HashMap;

use alloy::primitives::{Address, B256, Keccak256, keccak256};

use super::eligibility::MaxPaid;

/// The hash that stands for one line of a list.
pub fn leaf(investor: Address, max_paid: MaxPaid) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(investor.into_word());
    hasher.update(max_paid.get().to_be_bytes::<32>());
    keccak256(hasher.finalize())
}

fn node(a: B256, b: B256) -> B256 {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let mut hasher = Keccak256::new();
    hasher.update(low);
    hasher.update(high);
    hasher.finalize()
}

/// Whether a proof leads from this line to the root.
pub fn verify(root: B256, investor: Address, max_paid: MaxPaid, proof: &[B256]) -> bool {
    proof.iter().fold(leaf(investor, max_paid), |hash, sibling| node(hash, *sibling)) == root
}

/// The tree of a list.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<B256>,
    /// Where an investor's leaf is in `nodes`.
    places: HashMap<Address, usize>,
}

impl Tree {
    /// The tree of these lines, in whatever order; each investor once. `None` of no lines: nothing has no root.
    pub fn new(lines: impl IntoIterator<Item = (Address, MaxPaid)>) -> Option<Self> {
        let mut leaves: Vec<_> = lines.into_iter().map(|(who, max_paid)| (leaf(who, max_paid), who)).collect();
        // Largest first: the array ends with the smallest.
        leaves.sort_unstable_by(|a, b| b.cmp(a));
        let inner = leaves.len().checked_sub(1)?;
        let places = leaves.iter().enumerate().map(|(i, (_, who))| (*who, inner + i)).collect();
        let mut nodes = vec![B256::ZERO; inner];
        nodes.extend(leaves.iter().map(|(hash, _)| *hash));
        for i in (0..inner).rev() {
            nodes[i] = node(nodes[2 * i + 1], nodes[2 * i + 2]);
        }
        Some(Self { nodes, places })
    }

    /// What the sale keeps of the list.
    pub fn root(&self) -> B256 {
        self.nodes[0]
    }

    /// The siblings on the way from an investor's leaf to the root; empty where the leaf is the root. `None` for whoever is not
    /// on the list.
    pub fn find_proof(&self, investor: Address) -> Option<Vec<B256>> {
        let mut place = *self.places.get(&investor)?;
        let mut proof = Vec::new();
        while place > 0 {
            // Left children have odd places, their right siblings the next.
            proof.push(self.nodes[if place % 2 == 1 { place + 1 } else { place - 1 }]);
            place = (place - 1) / 2;
        }
        Some(proof)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::{U256, b256, uint};
    use proptest::prelude::*;

    use super::*;

    /// Line `i` of the lists that the vectors below were made of, the same rule in JavaScript.
    fn line(i: u64) -> (Address, MaxPaid) {
        let k = U256::from(i + 1);
        let who = k * uint!(0x0123456789abcdef0123456789abcdef01234567_U256);
        let limit = if i % 7 == 6 {
            (U256::ONE << 120) - U256::from(i + 1)
        } else {
            k.pow(U256::from(5)) * U256::from(10_u64.pow(12)) + U256::from(i)
        };
        (Address::from_word(who.into()), MaxPaid::new(limit).unwrap())
    }

    fn tree(n: u64) -> Tree {
        Tree::new((0..n).map(line)).unwrap()
    }

    #[test]
    fn roots_are_those_of_openzeppelin() {
        // `StandardMerkleTree.of(rows, ["address", "uint256"]).root` of @openzeppelin/merkle-tree 1.0.8.
        let vectors = [
            (1, b256!("bbe32008519daa55cb212fabd5157029b012d43a8a3e4b91bc8c19d34eb94102")),
            (2, b256!("7b10e3205f22426168b0df2b26e44262e813acdbe6f7cc2e33b2e4128f24360f")),
            (3, b256!("eb6f3c3cadd9df29927d25f6eb38fe53ba4c179608c6b5b1934bd0713574f8fe")),
            (7, b256!("d0f58e83d2dcf6087b2e53a9a719d2c55b170da281bcfa12bfe73f4add7fe9f5")),
            (100, b256!("d8723df5fe8608ef6c08dbd4f6d5fb2d7a9689327ebefe26e6a2be3dbc0ee772")),
        ];
        for (n, root) in vectors {
            assert_eq!(tree(n).root(), root, "{n} lines");
        }
    }

    #[test]
    fn proofs_are_those_of_openzeppelin() {
        let proof = |n, i| tree(n).find_proof(line(i).0).unwrap();
        assert_eq!(proof(1, 0), [B256::ZERO; 0]);
        assert_eq!(
            proof(3, 2),
            [
                b256!("6e0749f267629ffccf5a9efdb9c6c8d22786a5c481c6a879846e539bae43c3d0"),
                b256!("bbe32008519daa55cb212fabd5157029b012d43a8a3e4b91bc8c19d34eb94102"),
            ]
        );
        assert_eq!(
            proof(7, 6),
            [
                b256!("6e0749f267629ffccf5a9efdb9c6c8d22786a5c481c6a879846e539bae43c3d0"),
                b256!("7100088e1586c8c00b6a346ae28869c59586e84031ce3e5484ede4ed0b555b86"),
                b256!("33e26d27e6a0741ad375e8f419779f706ffee8d24c440a42a90d25a15f728387"),
            ]
        );
        assert_eq!(
            proof(100, 41),
            [
                b256!("8b7a33882d52061ff57571d5d2163dac30be973df40bd91f3337e6d4e73e4f72"),
                b256!("fee232ca6e760db43b4f5e2e3d898c5da89a2a4e8c46c04f78c467c6aefc7342"),
                b256!("68c8c88850446c421bb8b2560b137ebd1ce16a22230a42031c346be1b68e8913"),
                b256!("22284c8e6564076ec70fce63c9c467961d92e938eef476655bfe614832766837"),
                b256!("b297ac0bd4a3dad1428d5a5440c661d34efc8d09cd50583f21a6a0c8aa72e5ba"),
                b256!("eb0c6097670a3d050b5617541bb119b490dcd0f9003cf362cbc2dd3dc8812411"),
                b256!("8d1542013043b01b7138af5a1315e9722a3479357b4344bbfbf3751fbd0084d5"),
            ]
        );
    }

    #[test]
    fn the_order_of_lines_does_not_matter_and_nothing_has_no_root() {
        assert_eq!(Tree::new((0..100).rev().map(line)).unwrap().root(), tree(100).root());
        assert!(Tree::new([]).is_none());
    }

    proptest! {
        #[test]
        fn members_verify_and_nobody_else(
            list in prop::collection::btree_map(any::<[u8; 20]>(), any::<u128>(), 1..40),
            stranger: [u8; 20],
            other: u128,
        ) {
            let limit = |n: u128| MaxPaid::new(U256::from(n >> 8)).unwrap();
            let list: BTreeMap<_, _> = list.into_iter().map(|(who, n)| (Address::from(who), limit(n))).collect();
            let tree = Tree::new(list.iter().map(|(who, n)| (*who, *n))).unwrap();
            let (stranger, other) = (Address::from(stranger), limit(other));
            for (who, max_paid) in &list {
                let proof = tree.find_proof(*who).unwrap();
                prop_assert!(verify(tree.root(), *who, *max_paid, &proof));
                prop_assert!(other == *max_paid || !verify(tree.root(), *who, other, &proof));
                prop_assert!(list.contains_key(&stranger) || !verify(tree.root(), stranger, *max_paid, &proof));
                // Less or more than the whole way leads elsewhere.
                prop_assert!(proof.is_empty() || !verify(tree.root(), *who, *max_paid, &proof[1..]));
                let longer = [&proof[..], &[tree.root()]].concat();
                prop_assert!(!verify(tree.root(), *who, *max_paid, &longer));
            }
            prop_assert!(list.contains_key(&stranger) || tree.find_proof(stranger).is_none());
        }
    }
}
