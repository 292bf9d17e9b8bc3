//! Independent pieces of work on two threads; the results are in the order of the pieces.
//!
//! ```
//! assert_eq!(chiasm::parallel::map(&[1, 2, 3], |n| n * n), [1, 4, 9]);
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Bytes of stack: as many as the first thread of a program usually has.
const STACK: usize = 8 << 20;

/// The results of all pieces. If a second thread cannot be had, the first one does everything.
pub fn map<'p, T: Sync, R: Send>(pieces: &'p [T], work: impl Fn(&'p T) -> R + Sync) -> Vec<R> {
    map_deep(STACK, pieces, work)
}

/// As [`map`], for work that nests deeper than usual: the second thread has so many bytes of stack.
pub fn map_deep<'p, T: Sync, R: Send>(
    stack: usize,
    pieces: &'p [T],
    work: impl Fn(&'p T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    let share = |done: mpsc::Sender<(usize, R)>| loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(piece) = pieces.get(at) else { break };
        // The receiver lives until all results are in.
        let _ = done.send((at, work(piece)));
    };
    let share = &share;
    thread::scope(|scope| {
        if pieces.len() > 1 {
            let done = done.clone();
            let _ = thread::Builder::new().stack_size(stack).spawn_scoped(scope, move || share(done));
        }
        share(done);
    });
    let mut results: Vec<(usize, R)> = results.iter().collect();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::map;
    use std::time::Duration;

    #[test]
    fn results_are_in_order_whoever_is_first() {
        let slow_first = |n: &u64| {
            std::thread::sleep(Duration::from_millis(20 - n));
            *n
        };
        assert_eq!(map(&[0, 5, 10, 15], slow_first), [0, 5, 10, 15]);
        assert_eq!(map(&[], slow_first), [0; 0]);
    }
}
