//! Random numbers that a printed seed repeats.

use alloy::primitives::{Address, B256};

use std::{
    env,
    ops::Range,
    time::{SystemTime, UNIX_EPOCH},
};

/// SplitMix64: small, and good enough to choose moments.
#[derive(Clone, Debug)]
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

    /// Of a seed: the same numbers every time.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Another sequence, of this one's next number: what one part draws does not move what another draws.
    pub fn fork(&mut self) -> Self {
        Self(self.number() ^ 0x5851_f42d_4c95_7f2d)
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

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.within(0..1_000) < per_mille
    }

    /// One of them; `None` if there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.within(0..from.len() as u64) as usize) }
    }

    /// 32 random bytes.
    pub fn word(&mut self) -> B256 {
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.number().to_be_bytes());
        }
        B256::from(bytes)
    }

    /// A random address.
    pub fn address(&mut self) -> Address {
        Address::from_word(self.word())
    }
}
