//! Independent pieces of work on two threads, with stacks that nested work fits into.
//!
//! Work within [`deep`] and what it calls keep to the same two threads, so that memory which one step gives back is at hand
//! for the next. Invariant: the results are in the order of the pieces.
//!
//! ```
//! assert_eq!(chiasm::parallel::map(&[1, 2, 3], |n| n * n), [1, 4, 9]);
//! ```

use rayon::ThreadPoolBuilder;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of stack of each thread; only what is used of it takes memory. Evaluation follows the nesting of definitions and
/// calls, and as many levels as it allows fit into this.
pub const STACK: usize = 1 << 28;

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Does work on a thread with [`STACK`] bytes of stack, another such thread beside it.
///
/// # Errors
/// The system gives no thread.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    if DEEP.get() {
        return Ok(work());
    }
    let builder = ThreadPoolBuilder::new().num_threads(2).stack_size(STACK).start_handler(|_| DEEP.set(true));
    builder.build_scoped(|thread| thread.run(), |pool| pool.install(work)).map_err(std::io::Error::other)
}

/// The results of all pieces, each begun in its turn by the first thread that is free. If there are no threads, this one
/// does everything.
pub fn map<'p, T: Sync, R: Send>(pieces: &'p [T], work: impl Fn(&'p T) -> R + Sync) -> Vec<R> {
    deep(|| shared(pieces, &work)).unwrap_or_else(|_| pieces.iter().map(&work).collect())
}

fn shared<'p, T: Sync, R: Send>(pieces: &'p [T], work: &(impl Fn(&'p T) -> R + Sync)) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut results = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { break results };
            results.push((at, work(piece)));
        }
    };
    let (mut results, others) = rayon::join(share, share);
    results.extend(others);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::{deep, map};
    use std::collections::HashSet;
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

    #[test]
    fn work_within_work_keeps_to_the_same_two_threads() {
        let id = |_: &u64| std::thread::current().id();
        let inner = |_: &u64| map(&[0, 1, 2, 3], id);
        let ids: HashSet<_> =
            deep(|| map(&[0, 1, 2, 3], inner)).expect("threads").into_iter().flatten().collect();
        assert!(ids.len() <= 2 && !ids.contains(&std::thread::current().id()));
    }
}
