//! What becomes of an order by what a node shows of it. Pure.

use crate::{
    db::service::{order_transactions::EventRow, orders::Standing},
    types::Hash32,
};

/// What the transaction of an order that is in a block was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Original,
    SpeedUp,
    Cancel,
    /// Somebody else's, which does something else.
    Foreign,
}

impl Purpose {
    pub fn read(text: &str) -> Self {
        match text {
            "original" => Self::Original,
            "speed_up" => Self::SpeedUp,
            "cancel" => Self::Cancel,
            _ => Self::Foreign,
        }
    }
}

/// What a node shows of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is in a block.
    Mined { hash: Hash32, purpose: Purpose, block: i64, block_hash: Hash32, succeeded: bool, why: Option<String> },
    /// It waits to be.
    Waiting { hash: Hash32 },
    /// It is in the block where it was no more, as that is another one.
    BlockGone,
    /// The node has none of its transactions, and their nonce is not used. Why it took none, if it said so.
    Unknown { why: Option<String> },
}

/// Heights of one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub head: i64,
    pub finalized: i64,
}

/// Blocks that an order has to be unknown for before it counts as dropped, and as expired, if it ever does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub drop: i64,
    pub expire: Option<i64>,
}

/// What is said of an order that no node has had for so long.
const EXPIRED: &str = "no node has it, and its nonce is not used";

/// How the order stands now, and what happened in between.
pub(super) fn next(old: &Standing, seen: Seen, at: At, terms: Terms) -> (Standing, Vec<EventRow>) {
    match seen {
        Seen::Mined { hash, purpose, block, block_hash, succeeded, why } => {
            mined(old, (hash, purpose), (block, block_hash), (succeeded, why), at)
        }
        Seen::BlockGone => {
            let new = Standing { state: "reorged".to_owned(), ..Standing::default() };
            (new, vec![gone(old)])
        }
        Seen::Waiting { hash } => {
            let mut new = Standing { unseen_since: None, detail: None, ..old.clone() };
            if old.state == "pending" {
                return (new, Vec::new());
            }
            new.state = "pending".to_owned();
            (new, vec![EventRow { state: "pending".to_owned(), transaction_hash: Some(hash), ..EventRow::default() }])
        }
        Seen::Unknown { why } => {
            // A chain that went back counts on from where it is.
            let since = old.unseen_since.map_or(at.head, |since| since.min(at.head));
            let mut new = Standing { unseen_since: Some(since), ..old.clone() };
            if why.is_some() {
                new.detail.clone_from(&why);
            }
            let unknown_for = at.head.saturating_sub(since);
            let state = match old.state.as_str() {
                "expired" => "expired",
                _ if terms.expire.is_some_and(|expire| unknown_for >= expire) => "expired",
                "dropped" => "dropped",
                _ if unknown_for >= terms.drop => "dropped",
                state => state,
            };
            if state == old.state {
                return (new, Vec::new());
            }
            new.state = state.to_owned();
            let detail = if state == "expired" { Some(EXPIRED.to_owned()) } else { why };
            (new, vec![EventRow { state: state.to_owned(), detail, ..EventRow::default() }])
        }
    }
}

fn mined(
    old: &Standing,
    (hash, purpose): (Hash32, Purpose),
    (block, block_hash): (i64, Hash32),
    (succeeded, why): (bool, Option<String>),
    at: At,
) -> (Standing, Vec<EventRow>) {
    let state = match purpose {
        Purpose::Cancel => "cancelled",
        Purpose::Foreign => "replaced",
        _ if succeeded => "included",
        _ => "failed",
    };
    let event = |state: &str, detail: Option<&str>| EventRow {
        state: state.to_owned(),
        transaction_hash: Some(hash),
        block_number: Some(block),
        block_hash: Some(block_hash),
        detail: detail.map(str::to_owned),
        at: 0,
    };
    let mut events = Vec::new();
    let moved = old.block_hash != Some(block_hash) || old.mined_hash != Some(hash);
    if moved {
        if old.block_hash.is_some() {
            events.push(gone(old));
        }
        if purpose == Purpose::SpeedUp {
            events.push(event("replaced", Some("sped up")));
        }
        events.push(event(state, why.as_deref()));
    }
    let mut new = Standing {
        state: state.to_owned(),
        settled: false,
        unseen_since: None,
        mined_hash: Some(hash),
        block_number: Some(block),
        block_hash: Some(block_hash),
        detail: if moved { why } else { old.detail.clone() },
    };
    if block <= at.finalized {
        new.settled = true;
        if state == "included" {
            new.state = "final".to_owned();
        }
        events.push(event(&new.state, Some("final")));
    }
    (new, events)
}

fn gone(old: &Standing) -> EventRow {
    EventRow {
        state: "reorged".to_owned(),
        transaction_hash: old.mined_hash,
        block_number: old.block_number,
        block_hash: old.block_hash,
        detail: None,
        at: 0,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    const AT: At = At { head: 100, finalized: 50 };
    const TERMS: Terms = Terms { drop: 5, expire: None };

    fn hash(byte: u8) -> Hash32 {
        Hash32(B256::repeat_byte(byte))
    }

    fn fresh() -> Standing {
        Standing { state: "accepted".to_owned(), ..Standing::default() }
    }

    fn in_block(purpose: Purpose, block: i64, fork: u8, succeeded: bool) -> Seen {
        Seen::Mined { hash: hash(1), purpose, block, block_hash: hash(fork), succeeded, why: None }
    }

    fn states(events: &[EventRow]) -> Vec<&str> {
        events.iter().map(|e| e.state.as_str()).collect()
    }

    #[test]
    fn an_order_goes_its_way_and_tells_each_step_once() {
        let mut told = Vec::new();
        let mut standing = fresh();
        for (seen, at) in [
            (Seen::Unknown { why: None }, AT),
            (Seen::Waiting { hash: hash(1) }, AT),
            (Seen::Waiting { hash: hash(1) }, AT),
            (in_block(Purpose::Original, 99, 7, true), AT),
            (in_block(Purpose::Original, 99, 7, true), AT),
            (Seen::BlockGone, AT),
            (Seen::Waiting { hash: hash(1) }, AT),
            (in_block(Purpose::Original, 101, 8, true), At { head: 101, ..AT }),
            (in_block(Purpose::Original, 102, 9, true), At { head: 102, ..AT }),
            (in_block(Purpose::Original, 102, 9, true), At { head: 200, finalized: 102 }),
        ] {
            let (new, events) = next(&standing, seen, at, TERMS);
            told.extend(states(&events).into_iter().map(str::to_owned));
            standing = new;
        }
        let expected = ["pending", "included", "reorged", "pending", "included", "reorged", "included", "final"];
        assert_eq!(told, expected);
        assert_eq!((standing.state.as_str(), standing.settled, standing.block_number), ("final", true, Some(102)));
    }

    #[test]
    fn what_is_mined_decides_the_state() {
        for (purpose, succeeded, expected) in [
            (Purpose::Original, true, &["included"][..]),
            (Purpose::Original, false, &["failed"]),
            (Purpose::SpeedUp, true, &["replaced", "included"]),
            (Purpose::SpeedUp, false, &["replaced", "failed"]),
            (Purpose::Cancel, true, &["cancelled"]),
            (Purpose::Foreign, true, &["replaced"]),
        ] {
            let (new, events) = next(&fresh(), in_block(purpose, 99, 7, succeeded), AT, TERMS);
            assert_eq!(states(&events), expected, "{purpose:?}");
            assert!(!new.settled);
            let (new, _) = next(&new, in_block(purpose, 99, 7, succeeded), At { head: 200, finalized: 99 }, TERMS);
            assert!(new.settled);
        }
    }

    #[test]
    fn dropped_is_what_no_node_has_for_some_blocks_and_it_can_come_back() {
        let unknown = |why: &str| Seen::Unknown { why: Some(why.to_owned()) };
        let (new, events) = next(&fresh(), unknown("no funds"), AT, TERMS);
        assert_eq!((new.state.as_str(), new.unseen_since, events.len()), ("accepted", Some(100), 0));
        let (new, events) = next(&new, unknown("no funds"), At { head: 104, ..AT }, TERMS);
        assert!(events.is_empty());
        let (new, events) = next(&new, unknown("no funds"), At { head: 105, ..AT }, TERMS);
        assert_eq!((new.state.as_str(), new.settled, states(&events)), ("dropped", false, vec!["dropped"]));
        let (new, events) = next(&new, unknown("no funds"), At { head: 120, ..AT }, TERMS);
        assert!(events.is_empty());
        let (new, events) = next(&new, Seen::Waiting { hash: hash(1) }, At { head: 121, ..AT }, TERMS);
        assert_eq!((new.state.as_str(), new.unseen_since, states(&events)), ("pending", None, vec!["pending"]));
        // A chain that went back does not count the blocks it lost.
        let (new, events) = next(&Standing { unseen_since: Some(300), ..new }, unknown("no"), AT, TERMS);
        assert_eq!((new.state.as_str(), events.len()), ("pending", 0));
    }
    #[test]
    fn expired_is_what_no_node_has_for_long_and_it_is_recognised_if_it_is_mined_after_all() {
        let terms = Terms { drop: 5, expire: Some(30) };
        let at = |head: i64| At { head, ..AT };
        let unknown = || Seen::Unknown { why: None };
        let dropped = Standing { state: "dropped".to_owned(), unseen_since: Some(100), ..Standing::default() };
        assert_eq!(next(&dropped, unknown(), at(129), terms).0.state, "dropped");
        assert_eq!(next(&dropped, unknown(), at(1_000), TERMS).0.state, "dropped", "the operator's own never does");
        let (expired, events) = next(&dropped, unknown(), at(130), terms);
        assert_eq!((expired.state.as_str(), expired.settled, states(&events)), ("expired", false, vec!["expired"]));
        assert_eq!(events[0].detail.as_deref(), Some(EXPIRED));
        let (still, events) = next(&expired, unknown(), at(110), terms);
        assert_eq!((still.state.as_str(), events.len()), ("expired", 0), "told once, and not taken back by a reorg");
        let (new, events) = next(&expired, Seen::Waiting { hash: hash(1) }, at(140), terms);
        assert_eq!((new.state.as_str(), new.unseen_since, states(&events)), ("pending", None, vec!["pending"]));
        let (new, events) = next(&expired, in_block(Purpose::Original, 140, 7, true), at(140), terms);
        assert_eq!((new.state.as_str(), new.unseen_since, states(&events)), ("included", None, vec!["included"]));
        // Unknown anew, from now on.
        let (again, events) = next(&new, Seen::BlockGone, at(141), terms);
        assert_eq!(next(&again, unknown(), at(142), terms).0.unseen_since, Some(142), "{events:?}");
    }
}
