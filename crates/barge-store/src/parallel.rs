//! The same work on several items at once, over when one fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Enough to fill a line whatever one connection brings, and no more than servers like from one client.
const THREADS: usize = 4;

/// Works on all items. The work is told when to give up, because another item failed.
pub(crate) fn for_each<T: Sync, E: Send>(
    items: &[T],
    work: impl Fn(&T, &AtomicBool) -> Result<(), E> + Sync,
) -> Result<(), E> {
    for_each_on(THREADS, items, work)
}

/// The same on as many threads as are named.
pub(crate) fn for_each_on<T: Sync, E: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T, &AtomicBool) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failure = Mutex::new(None);
    let worker = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = work(item, &stop) {
                stop.store(true, Ordering::Relaxed);
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
    failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_on_all_or_stops_at_the_first_error() {
        let items: Vec<u64> = (0..100).collect();
        let sum = Mutex::new(0);
        let add = |item: &u64, _: &AtomicBool| {
            *sum.lock().unwrap() += item;
            Ok::<(), ()>(())
        };
        for_each(&items, add).unwrap();
        assert_eq!(*sum.lock().unwrap(), 4950);
        let fail = |item: &u64, _: &AtomicBool| match item {
            3 => Err("three"),
            _ => Ok(()),
        };
        assert!(for_each(&items, fail).is_err());
        assert!(for_each(&[], fail).is_ok());
    }
}
