//! Whether a stage fits into memory, known before anything is loaded.
//!
//! A step holds parameters, gradients, the moments of its optimiser, twins and states, and between its first and last op the values that the
//! plan has counted. Invariant: what is refused could not have run in the memory that was there.

use super::TrainError;
use super::stage::layout;
use crate::exec::{Executor, Layout};
use crate::lower::model::{Beginning, Stage};
use crate::pass::prepare;
use std::path::Path;

/// More rows than this are not looked for.
const MOST_ROWS: usize = 1 << 20;

/// What a training step costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes that outlive a step: parameters, gradients, moments, twins, states.
    pub held: u64,
    /// Most bytes of values at one time within a step.
    pub values: u64,
}

impl Cost {
    /// Bytes of everything at the worst moment.
    pub fn bytes(&self) -> u64 {
        self.held + self.values
    }
}

/// What a step of `batch` rows costs on an executor; nothing is allocated for it.
///
/// # Errors
/// A graph that does not hold for the batch, or that the executor cannot run.
pub fn cost(stage: &Stage, batch: usize, executor: &dyn Executor) -> Result<Cost, TrainError> {
    let layout = layout(&stage.parameters, &stage.twins, &stage.states);
    let rows = stage.rows_at(batch.div_ceil(stage.accumulate));
    let cost = executor.cost(&prepare::measured(stage, &rows, executor.backward())?, &layout)?;
    let counts = prepare::counts(stage, &rows)?.map(|graph| executor.cost(&graph, &layout)).transpose()?;
    let counts = counts.unwrap_or_default();
    let [parameters, twins, states] = layout.words();
    let moments = stage.optimiser.method.moments().into_iter().filter(|kept| *kept).count();
    let gradients = if stage.accumulate > 1 { 2 } else { 1 };
    let held = 4 * ((1 + gradients + moments) * parameters + twins + 2 * states) as u64;
    let starts = starts(stage, batch, executor, &layout)?;
    let flops = (cost.flops + counts.flops) * stage.accumulate as u64;
    Ok(Cost { flops, held, values: cost.peak + counts.peak + starts })
}

/// Most bytes of values while a state that begins as a value is computed, beside those of the first step.
fn starts(stage: &Stage, batch: usize, executor: &dyn Executor, layout: &Layout) -> Result<u64, TrainError> {
    let mut most = 0;
    for state in &stage.states {
        if let Beginning::Computed(graph) = &state.start {
            let graph = prepare::start(&state.name, graph, &stage.rows_at(batch))?;
            most = most.max(executor.cost(&graph, layout)?.peak);
        }
    }
    Ok(most)
}

/// For every stage the first one that has the same step, and so the same cost.
pub fn same_steps(stages: &[Stage]) -> Vec<usize> {
    let same = |at: usize| (0..at).find(|first| same_step(&stages[*first], &stages[at])).unwrap_or(at);
    (0..stages.len()).map(same).collect()
}

/// Whether two stages do the same in a step, with as many rows.
fn same_step(a: &Stage, b: &Stage) -> bool {
    (a.rows(), a.accumulate) == (b.rows(), b.accumulate)
        && a.optimiser.method.moments() == b.optimiser.method.moments()
        && a.parameters == b.parameters
        && a.twins == b.twins
        && a.states == b.states
        && a.graph.computes(&b.graph)
}

/// The most rows a step may have within `bytes`; none if not even one fits. Memory grows nearly in proportion to the rows,
/// so guessing between what fits and what does not takes a few plans only.
pub fn largest_batch(stage: &Stage, executor: &dyn Executor, bytes: u64) -> Option<usize> {
    let need = |rows: usize| cost(stage, rows, executor).map_or(u64::MAX, |cost| cost.bytes());
    let mut low = (1, need(1));
    if low.1 > bytes {
        return None;
    }
    let mut high = (stage.batch().max(2), need(stage.batch().max(2)));
    while high.1 <= bytes {
        if high.0 >= MOST_ROWS {
            return Some(high.0);
        }
        low = high;
        high = (2 * high.0, need(2 * high.0));
    }
    let mut halve = false;
    while low.0 + 1 < high.0 {
        let share = (bytes - low.1) as f64 / (high.1 - low.1) as f64;
        let share = if halve { 0.5 } else { share };
        let rows = low.0 + ((high.0 - low.0) as f64 * share) as usize;
        let rows = rows.clamp(low.0 + 1, high.0 - 1);
        let found = (rows, need(rows));
        // A guess that moves only one end is followed by a halving, so that a bent line cannot stall it.
        halve = !halve;
        if found.1 <= bytes { low = found } else { high = found }
    }
    // A batch is cut into equal pieces.
    Some(low.0 / stage.accumulate * stage.accumulate).filter(|rows| *rows > 0)
}

/// Bytes that this process may still take, as Linux tells: what is available, and what its container leaves. None elsewhere.
pub fn available() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let system = 1024 * entry(&meminfo, "MemAvailable:")?;
    Some(container().map_or(system, |left| left.min(system)))
}

/// What a container's limit leaves. Its cache of files is given up when memory is needed, so only what processes hold counts.
fn container() -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(Path::new("/sys/fs/cgroup").join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let held = |name: &str, key: &str| entry(&read(name)?, key);
    let (limit, held) = match number("memory.max") {
        Some(limit) => (limit, held("memory.stat", "anon")?),
        None => (number("memory/memory.limit_in_bytes")?, held("memory/memory.stat", "total_rss")?),
    };
    Some(limit.saturating_sub(held))
}

/// The number behind a word at the beginning of a line.
fn entry(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| if words.next() == Some(key) { words.next()?.parse().ok() } else { None })
}

/// Refuses a stage that needs more than `limit` bytes, or more than there are.
///
/// # Errors
/// [`TrainError::TooLarge`] with the batch that would fit.
pub fn demand(stage: &Stage, executor: &dyn Executor, limit: Option<u64>) -> Result<(), TrainError> {
    let Some(available) = limit.or_else(available) else { return Ok(()) };
    let needed = cost(stage, stage.batch(), executor)?.bytes();
    if needed <= available {
        return Ok(());
    }
    let fits = largest_batch(stage, executor, available);
    Err(TrainError::TooLarge { stage: stage.name.clone(), batch: stage.batch(), needed, available, fits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::Cpu;

    #[test]
    fn the_largest_batch_fits_and_the_next_does_not() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/speck.chi");
        let model = crate::compile(&file, &crate::Options::default()).expect("a model");
        let (stage, cpu) = (&model.stages[0], Cpu::new(2));
        let bytes = |rows| cost(stage, rows, &cpu).expect("a cost").bytes();
        for limit in [bytes(1), bytes(37), bytes(300) - 1] {
            let rows = largest_batch(stage, &cpu, limit).expect("fits");
            assert!(bytes(rows) <= limit && limit < bytes(rows + 1), "{rows} rows for {limit} bytes");
        }
        assert_eq!(largest_batch(stage, &cpu, bytes(1) - 1), None);
        demand(stage, &cpu, Some(bytes(stage.batch()))).expect("fits");
        let error = demand(stage, &cpu, Some(bytes(3))).expect_err("is too large");
        assert!(error.to_string().contains("`batch = 3`") && error.exit_code() == 3, "{error}");
    }

    #[test]
    fn the_system_says_what_it_has() {
        assert!(available().is_none_or(|bytes| bytes > 1 << 20));
        assert_eq!(entry("MemFree: 3 kB\nMemAvailable:   12 kB\n", "MemAvailable:"), Some(12));
        assert_eq!(entry("anon_thp 5\nanon 7", "anon"), Some(7));
    }
}
