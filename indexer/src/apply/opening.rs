//! In which block of a batch a sale opens: the first whose time is not before the sale's.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    db::openings::{Opening, Upcoming},
    types::Block,
};

/// Blocks between two known ones that are asked for at a time: as many as fill a request or two.
const STEPS: u64 = 32;

/// The blocks of a batch, or some that are stored, and more of the same chain as they become known.
#[derive(Debug)]
pub struct Times {
    /// Height of the first block that may be meant, known or not.
    from: u64,
    known: BTreeMap<u64, Block>,
}

impl Times {
    /// Those of `blocks`, of a chain that begins with height `from`.
    pub fn new(from: u64, blocks: impl Iterator<Item = Block>) -> Self {
        Self { from, known: blocks.map(|block| (block.number, block)).collect() }
    }

    /// More of them.
    pub fn add(&mut self, blocks: impl Iterator<Item = Block>) {
        self.known.extend(blocks.map(|block| (block.number, block)));
    }

    /// The block at this height, if it is known.
    pub fn get(&self, number: u64) -> Option<&Block> {
        self.known.get(&number)
    }

    /// Whether the block below this one is the one that it stands on, as far as both are known.
    pub fn is_linked(&self, number: u64) -> bool {
        let below = number.checked_sub(1).and_then(|below| self.get(below));
        below.zip(self.get(number)).is_none_or(|(below, block)| block.parent_hash == below.hash)
    }

    /// Where the sales open, or the heights of blocks that have to be known to tell.
    pub fn place(&self, upcoming: &[Upcoming]) -> Result<Vec<Opening>, BTreeSet<u64>> {
        // By height, and so by time.
        let ordered: Vec<&Block> = self.known.values().collect();
        let (mut openings, mut missing) = (Vec::with_capacity(upcoming.len()), BTreeSet::new());
        for &Upcoming { sale, opens, created } in upcoming {
            let at_once = created.filter(|number| self.get(*number).is_some_and(|block| block.timestamp >= opens));
            if let Some(block) = at_once {
                openings.push(Opening { sale, block });
                continue;
            }
            let at = ordered.partition_point(|block| block.timestamp < opens);
            // One that opens behind the batch is the next one's.
            let Some(high) = ordered.get(at).map(|block| block.number) else { continue };
            let low = at.checked_sub(1).map_or(self.from, |before| ordered[before].number + 1);
            if low == high {
                openings.push(Opening { sale, block: high });
            } else {
                missing.extend((0..STEPS).map(|step| low + (high - low) * step / STEPS));
            }
        }
        if missing.is_empty() { Ok(openings) } else { Err(missing) }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};

    use super::*;
    use crate::types::Addr;

    /// Blocks of a chain whose time stands still for a while and then goes on in leaps.
    fn time(number: u64) -> u64 {
        1_000 + number / 3 * 7
    }

    fn block(number: u64) -> Block {
        let hash = B256::with_last_byte(number as u8);
        Block { number, hash, parent_hash: B256::ZERO, timestamp: time(number) }
    }

    fn upcoming(opens: u64) -> Upcoming {
        Upcoming { sale: Addr(Address::ZERO), opens, created: None }
    }

    /// How often blocks have to be asked for.
    fn find(times: &mut Times, sales: &[Upcoming]) -> (Vec<u64>, usize) {
        let mut rounds = 0;
        loop {
            match times.place(sales) {
                Ok(openings) => return (openings.iter().map(|o| o.block).collect(), rounds),
                Err(missing) => {
                    assert!(missing.iter().all(|n| times.get(*n).is_none()), "nothing is asked for twice");
                    times.add(missing.into_iter().map(block));
                    rounds += 1;
                }
            }
        }
    }

    #[test]
    fn the_block_is_the_same_however_few_are_known() {
        for opens in [1_000, 1_001, 1_007, 1_008, 1_700, 2_000, time(4_999)] {
            let expected = (0..5_000).find(|n| time(*n) >= opens).unwrap();
            let mut all = Times::new(0, (0..5_000).map(block));
            assert_eq!(find(&mut all, &[upcoming(opens)]), (vec![expected], 0), "{opens}");
            for ends in [vec![4_999], vec![17, 400, 4_999], vec![0, 1, 2, 4_998, 4_999]] {
                let mut few = Times::new(0, ends.iter().copied().map(block));
                let (found, rounds) = find(&mut few, &[upcoming(opens)]);
                assert_eq!(found, [expected], "{opens} of {ends:?}");
                assert!(rounds <= 3, "{rounds}");
            }
        }
    }

    #[test]
    fn many_sales_share_what_is_asked_for() {
        let sales: Vec<Upcoming> = (0..200).map(|n| upcoming(1_001 + n * 13)).collect();
        let expected: Vec<u64> = sales.iter().map(|s| (0..5_000).find(|n| time(*n) >= s.opens).unwrap()).collect();
        let mut times = Times::new(0, [block(4_999)].into_iter());
        let (found, rounds) = find(&mut times, &sales);
        assert_eq!(found, expected);
        assert!(rounds <= 3, "{rounds}");
    }

    #[test]
    fn a_sale_opens_no_earlier_than_it_is_created_and_no_later_than_it_says() {
        let times = Times::new(10, (10..40).map(block));
        let created = |number| Some(number);
        // Three blocks have this time, and it is created in the second.
        let sale = Upcoming { created: created(13), ..upcoming(time(13)) };
        assert_eq!(times.place(&[sale]).unwrap()[0].block, 13);
        let sale = Upcoming { created: created(13), ..upcoming(time(13) + 1) };
        assert_eq!(times.place(&[sale]).unwrap()[0].block, 15);
        assert_eq!(times.place(&[upcoming(time(39) + 1)]).unwrap(), [], "that is another batch's");
        assert_eq!(times.place(&[upcoming(time(9))]).unwrap()[0].block, 10, "the first of the batch");
    }

    #[test]
    fn a_block_of_another_branch_fits_neither_below_nor_above() {
        let linked = |number: u64| Block { parent_hash: block(number - 1).hash, ..block(number) };
        let of_another = Block { hash: B256::repeat_byte(9), parent_hash: B256::repeat_byte(8), ..block(11) };
        let times = Times::new(10, [linked(10), linked(11), linked(12)].into_iter());
        assert!((10..=13).all(|number| times.is_linked(number)), "what is not known contradicts nothing");
        let times = Times::new(10, [of_another, linked(12)].into_iter());
        assert!(times.is_linked(11) && !times.is_linked(12));
    }
}
