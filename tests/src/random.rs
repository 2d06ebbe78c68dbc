//! Random numbers that a printed seed repeats.

use std::{
    env,
    ops::Range,
    time::{SystemTime, UNIX_EPOCH},
};

/// SplitMix64: small, and good enough to choose moments.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by `E2E_SEED`, else by the clock; prints the seed, which a failed test shows.
    pub fn seeded() -> Self {
        let seed = env::var("E2E_SEED").ok().map_or_else(
            || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
            |text| text.parse().expect("E2E_SEED is a number"),
        );
        eprintln!("repeat with E2E_SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }
}
