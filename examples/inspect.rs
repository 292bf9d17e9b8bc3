//! Opens a model, runs a named value on given texts and reads parameters:
//! `cargo run --release --example inspect -- models/tiny/clip.chi pretrain text_feat "a red circle" "a blue square"`
#![allow(clippy::print_stdout)]

use chiasm::{Host, Network, Options, compile};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |i: usize, default: &str| words.get(i).cloned().unwrap_or(default.to_string());
    let (file, stage) = (word(0, "models/tiny/clip.chi"), word(1, "pretrain"));
    let value = word(2, "text_feat");
    let texts = match words.get(3..) {
        Some(texts) if !texts.is_empty() => texts.to_vec(),
        _ => vec!["a red circle".to_string(), "two blue squares".to_string()],
    };

    let model = compile(Path::new(&file), &Options::default())?;
    // `Network::trained(&model, &stage, "runs/clip-1".as_ref(), &host)` takes the values of a run instead.
    let mut network = Network::fresh(&model, &stage, 0, &Host::default())?;
    let found = network.run(&value, &[("text", texts.into())])?;
    println!("{value}: {:?}", found.dims);
    let width = found.dims.last().copied().unwrap_or(1).max(1);
    for row in found.into_floats().chunks(width) {
        println!("  {:.3?} ...", &row[..width.min(6)]);
    }

    println!("parameters of `{stage}`:");
    for parameter in network.parameters() {
        let mean = parameter.values.iter().sum::<f32>() / parameter.values.len().max(1) as f32;
        println!("  {:<40} {:?}, mean {mean:.4}", parameter.path, parameter.dims);
    }
    Ok(())
}
