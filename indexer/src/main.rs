//! The binary `crowdsale`.
fn main() {}
