//! Times whole training steps of the benchmark models:
//! `cargo run --release --example step_times -- [blocks|clip] [threads] [steps] [profile]`.
#![allow(clippy::print_stdout)]

use chiasm::bench::{BenchError, Case, profile, time_steps};
use std::collections::BTreeMap;

fn main() -> Result<(), BenchError> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |i: usize| words.get(i).map_or("", String::as_str);
    let case = if word(0) == "clip" { Case::Clip } else { Case::Blocks };
    let (threads, steps) = (word(1).parse().unwrap_or(2), word(2).parse().unwrap_or(20));
    if word(3) == "profile" {
        let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for (name, time) in profile(case, threads, steps)? {
            let sum = sums.entry(name.split(['[', ']']).step_by(2).collect::<String>()).or_default();
            *sum = (sum.0 + time, sum.1 + 1);
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
        sums.iter().for_each(|(name, (time, count))| println!("{time:9.3} ms  {count:3} x {name}"));
    }
    let times = time_steps(case, threads, steps)?;
    println!(
        "{case:?}: {:.1} ms a step ({:.1} to {:.1}), loss {}",
        times.median, times.least, times.most, times.loss
    );
    Ok(())
}
