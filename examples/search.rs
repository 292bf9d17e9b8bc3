//! Trains the small CLIP for a while, then finds the pictures that fit a text:
//! `cargo run --release --example search -- "two red circles" --steps 100`
#![allow(clippy::print_stdout)]

use chiasm::recipe::Data;
use chiasm::{Event, Host, Network, Options, TrainOptions, compile, train};
use clap::Parser;
use std::path::{Path, PathBuf};

/// Trains the small CLIP, then finds drawn pictures by a text.
#[derive(Parser)]
struct Arguments {
    /// What to look for.
    #[arg(default_value = "a red circle")]
    text: String,
    /// How long to train; the file itself says 400.
    #[arg(long, default_value = "40")]
    steps: u64,
    /// Take this run folder instead of training.
    #[arg(long)]
    run: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { text, steps, run } = Arguments::parse();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/clip.chi");
    let (model, host) = (compile(&file, &Options::default())?, Host::default());
    let options = TrainOptions { steps: Some(steps), ..TrainOptions::default() };
    let mut print = |event: Event<'_>| {
        if let Event::Step(row) = event {
            println!("step {} loss {:.3}", row.step, row.loss);
        }
    };
    let folder = match run {
        Some(folder) => folder,
        None => train(&model, &options, &host, &mut print)?.folder,
    };
    let mut network = Network::trained(&model, "pretrain", &folder, &host)?;
    let wanted = network.run("text_feat", &[("text", text.as_str().into())])?.into_floats();
    let data = host.library().open(&Data::pairs(["scenes/val"]))?;
    let mut found = Vec::new();
    for first in (0..data.pictures()).step_by(50) {
        let pictures: Vec<_> = (first..first + 50).map(|i| data.load(i, 48)).collect::<Result<_, _>>()?;
        let features = network.run("image_feat", &[("image", pictures.into())])?.into_floats();
        for (i, row) in features.chunks(wanted.len()).enumerate() {
            let close: f32 = row.iter().zip(&wanted).map(|(a, b)| a * b).sum();
            found.push((close, first + i));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (close, picture) in found.iter().take(5) {
        println!("{close:.3}  picture {picture}: {}", data.caption(data.captions_of(*picture).start));
    }
    println!("trained in {}; search again with --run", folder.display());
    Ok(())
}
