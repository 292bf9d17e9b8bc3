//! The threads of the executor: one program, every thread runs all of it.
//!
//! [`Pool::run`] hands one closure to all threads; inside, a kernel gives out its jobs with [`Worker::share`] and
//! dependent kernels are parted by [`Worker::barrier`]. Jobs are claimed from a counter, so a slow thread takes fewer. Which
//! thread runs a job never shows in the numbers: jobs are cut by shape and write disjoint words.
//!
//! ```
//! use chiasm::exec::cpu::{level::Level, pool::Pool};
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! let pool = Pool::new(2, Level::detect());
//! let sum = AtomicUsize::new(0);
//! pool.run(&|worker| {
//!     worker.share(10, |job| { sum.fetch_add(job, Ordering::Relaxed); });
//!     worker.barrier();
//!     assert_eq!(sum.load(Ordering::Relaxed), 45);
//! });
//! ```

use super::level::Level;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Kernels between two barriers; more of them put a barrier in by themselves.
const COUNTERS: usize = 64;
/// Looks at a flag before giving the processor away; about 20 microseconds.
const SPINS: u32 = 2000;

/// What every thread calls.
type Job<'a> = &'a (dyn Fn(&Worker) + Sync);

/// Alone on its cache line.
#[repr(align(128))]
#[derive(Default)]
struct Apart<T>(T);

/// What the threads share.
struct Shared {
    count: usize,
    level: Level,
    job: Mutex<Option<Job<'static>>>,
    round: Apart<AtomicUsize>,
    finished: Apart<AtomicUsize>,
    arrived: Apart<AtomicUsize>,
    phase: Apart<AtomicUsize>,
    counters: [Apart<AtomicUsize>; COUNTERS],
    panicked: AtomicBool,
    stop: AtomicBool,
}

/// Persistent threads; the caller of [`Pool::run`] is one of them.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    running: Mutex<()>,
}

/// One thread's part in a run.
pub struct Worker<'a> {
    /// Which thread: 0 is the caller.
    pub index: usize,
    /// How many threads.
    pub count: usize,
    /// The instructions kernels may use.
    pub level: Level,
    shared: &'a Shared,
    turn: Cell<usize>,
}

impl Pool {
    /// A pool of `threads` threads (at least one), which run kernels at a level, lowered to what the processor has.
    pub fn new(threads: usize, level: Level) -> Self {
        let shared = Arc::new(Shared::new(threads.max(1), level.min(Level::detect())));
        let threads = (1..shared.count).map(|index| start(index, Arc::clone(&shared))).collect();
        Self { shared, threads, running: Mutex::new(()) }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.shared.count
    }

    /// The level of its kernels.
    pub fn level(&self) -> Level {
        self.shared.level
    }

    /// Calls `job` on all threads and returns when all have returned.
    ///
    /// # Panics
    /// If the job panics on some thread.
    pub fn run(&self, job: Job) {
        let _alone = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: only the lifetime changes; the threads forget the job before `run` returns.
        let held: Job<'static> = unsafe { std::mem::transmute::<Job, Job<'static>>(job) };
        self.shared.begin(held);
        self.threads.iter().for_each(|thread| thread.thread().unpark());
        let outcome = self.shared.work(0, held);
        wait(&self.shared.finished.0, |n| n == self.shared.count);
        self.shared.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
        assert!(!self.shared.panicked.load(Ordering::Acquire), "a worker panicked");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.round.0.fetch_add(1, Ordering::AcqRel);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A worker catches every panic, so there is nothing to learn from its end.
            let _ended = thread.join();
        }
    }
}

/// Starts one thread, which parks between runs.
fn start(index: usize, shared: Arc<Shared>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut seen = 0;
        loop {
            seen = next_round(&shared, seen);
            if shared.stop.load(Ordering::Acquire) {
                return;
            }
            let job = *shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(job) = job {
                // The caller learns of a panic from the flag.
                let _outcome = shared.work(index, job);
            }
        }
    })
}

/// Waits for a round other than `seen`: spins briefly, then parks.
fn next_round(shared: &Shared, seen: usize) -> usize {
    for _ in 0..SPINS {
        let round = shared.round.0.load(Ordering::Acquire);
        if round != seen {
            return round;
        }
        std::hint::spin_loop();
    }
    loop {
        let round = shared.round.0.load(Ordering::Acquire);
        if round != seen {
            return round;
        }
        std::thread::park();
    }
}

/// Waits until a number satisfies `done`, giving the processor away if that takes long.
fn wait(number: &AtomicUsize, done: impl Fn(usize) -> bool) {
    let mut spins = 0;
    while !done(number.load(Ordering::Acquire)) {
        spins += 1;
        if spins % SPINS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
}

impl Shared {
    fn new(count: usize, level: Level) -> Self {
        Self {
            count,
            level,
            job: Mutex::new(None),
            round: Apart::default(),
            finished: Apart::default(),
            arrived: Apart::default(),
            phase: Apart::default(),
            counters: std::array::from_fn(|_| Apart::default()),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    /// Sets everything to the start of a run and lets the threads go.
    fn begin(&self, job: Job<'static>) {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.panicked.store(false, Ordering::Relaxed);
        self.finished.0.store(0, Ordering::Relaxed);
        self.arrived.0.store(0, Ordering::Relaxed);
        self.counters.iter().for_each(|counter| counter.0.store(0, Ordering::Relaxed));
        self.round.0.fetch_add(1, Ordering::AcqRel);
    }

    /// One thread's part of a run; a panic frees those who wait at a barrier.
    fn work(&self, index: usize, job: Job) -> std::thread::Result<()> {
        let worker = Worker { index, count: self.count, level: self.level, shared: self, turn: Cell::new(0) };
        let outcome = catch_unwind(AssertUnwindSafe(|| job(&worker)));
        if outcome.is_err() {
            self.panicked.store(true, Ordering::Release);
        }
        self.finished.0.fetch_add(1, Ordering::AcqRel);
        outcome
    }
}

impl Worker<'_> {
    /// Calls `job` for 0..`jobs`, each number on one thread; does not wait for the others. All workers must come here.
    pub fn share(&self, jobs: usize, mut job: impl FnMut(usize)) {
        if self.turn.get() == COUNTERS {
            self.barrier();
        }
        let counter = &self.shared.counters[self.turn.get()].0;
        self.turn.set(self.turn.get() + 1);
        loop {
            let claimed = counter.fetch_add(1, Ordering::Relaxed);
            if claimed >= jobs {
                return;
            }
            job(claimed);
        }
    }

    /// As [`Worker::share`], in pieces: calls `job` with ranges of at most `piece` that cover 0..`total`.
    pub fn share_pieces(&self, total: usize, piece: usize, mut job: impl FnMut(std::ops::Range<usize>)) {
        let piece = piece.max(1);
        self.share(total.div_ceil(piece), |i| job(i * piece..((i + 1) * piece).min(total)));
    }

    /// Waits until all workers are here; then all that they wrote can be read.
    ///
    /// # Panics
    /// If another worker panicked and will never come.
    pub fn barrier(&self) {
        let shared = self.shared;
        self.turn.set(0);
        let phase = shared.phase.0.load(Ordering::Acquire);
        if shared.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.count {
            shared.counters.iter().for_each(|counter| counter.0.store(0, Ordering::Relaxed));
            shared.arrived.0.store(0, Ordering::Relaxed);
            shared.phase.0.store(phase.wrapping_add(1), Ordering::Release);
            return;
        }
        let lost = || shared.panicked.load(Ordering::Acquire);
        wait(&shared.phase.0, |now| now != phase || lost());
        assert!(shared.phase.0.load(Ordering::Acquire) != phase, "another worker panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_runs_once_and_barriers_hold() {
        let pool = Pool::new(3, Level::Plain);
        let hits: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        for round in 1..50 {
            pool.run(&|worker| {
                for kernel in 0..100 {
                    let before = (round - 1) * 100 + kernel;
                    worker.share(hits.len(), |i| assert_eq!(hits[i].fetch_add(1, Ordering::Relaxed), before));
                    worker.barrier();
                    assert!(hits.iter().all(|hit| hit.load(Ordering::Relaxed) == before + 1));
                    worker.barrier();
                }
            });
        }
    }

    #[test]
    fn more_kernels_than_counters_need_no_barrier() {
        let pool = Pool::new(2, Level::Plain);
        let sum = AtomicUsize::new(0);
        pool.run(&|worker| {
            (0..200).for_each(|_| {
                worker.share(3, |i| {
                    sum.fetch_add(i, Ordering::Relaxed);
                })
            })
        });
        assert_eq!(sum.into_inner(), 600);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2, Level::Plain);
        let fails = |worker: &Worker| {
            assert_ne!(worker.index, 1, "on purpose");
            worker.barrier();
        };
        assert!(catch_unwind(AssertUnwindSafe(|| pool.run(&fails))).is_err());
        let calls = AtomicUsize::new(0);
        pool.run(&|_| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(calls.into_inner(), 2);
    }
}
