//! How much of something that there is for all one may have at a time.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many at once for each `K`.
#[derive(Debug)]
pub struct Shares<K: Hash + Eq> {
    most: NonZeroUsize,
    taken: Mutex<HashMap<K, usize>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Share<K: Hash + Eq + Clone> {
    of: Arc<Shares<K>>,
    who: K,
}

impl<K: Hash + Eq + Clone> Shares<K> {
    /// So many for each.
    pub fn new(most: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// So many there are for each.
    pub fn most(&self) -> usize {
        self.most.get()
    }

    /// One more, if there is one left.
    pub fn take(self: &Arc<Self>, who: K) -> Option<Share<K>> {
        let mut taken = self.lock();
        let count = taken.entry(who.clone()).or_default();
        if *count >= self.most.get() {
            return None;
        }
        *count += 1;
        Some(Share { of: Arc::clone(self), who })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.of.lock();
        if let Some(count) = taken.get_mut(&self.who) {
            *count -= 1;
            // Who has none is forgotten.
            if *count == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_its_share_gets_no_more_until_it_gives_some_back() {
        let shares = Shares::new(NonZeroUsize::new(2).unwrap());
        let first = shares.take("a").unwrap();
        let _second = shares.take("a").unwrap();
        assert!(shares.take("a").is_none());
        let other = shares.take("b").unwrap();
        drop(first);
        let _third = shares.take("a").unwrap();
        assert!(shares.take("a").is_none());
        drop(other);
        assert_eq!(shares.lock().keys().copied().collect::<Vec<_>>(), ["a"]);
    }
}
