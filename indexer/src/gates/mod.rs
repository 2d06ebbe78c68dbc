//! Who may contribute to a sale that is not open to all: lists with a Merkle root, vouchers that a key signs, and the bytes that
//! `contribute` takes as proof of either. A leaf without I/O.

pub mod allowlist;
pub mod eligibility;
pub mod merkle;
pub mod voucher;
