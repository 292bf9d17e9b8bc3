//! How many captions that a model wrote about the pictures of `scenes/val` are true of them:
//! `cargo run --release --example truth -- runs/NAME/STAGE/captions-TASK.jsonl`
#![allow(clippy::print_stdout)]

use chiasm::data::scenes::{Object, Scene};
use chiasm::task::report::Caption;
use clap::Parser;
use std::path::PathBuf;

/// Counts true captions of drawn scenes.
#[derive(Parser)]
struct Arguments {
    /// What a `generate` task wrote about `scenes/val`.
    captions: PathBuf,
    /// How many false ones are shown.
    #[arg(long, default_value = "5")]
    show: usize,
}

/// Whether a text names an object with its colour and shape.
fn names(text: &str, object: &Object) -> bool {
    let words: Vec<&str> = text.split([' ', ',']).collect();
    words.windows(2).any(|two| two == [object.colour.word(), object.shape.word()])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { captions, show } = Arguments::parse();
    let text = std::fs::read_to_string(captions)?;
    let captions: Vec<Caption> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let scenes = Scene::all("val").ok_or("the data set scenes has no split val")?;
    let pairs: Vec<(&Caption, &Scene)> =
        captions.iter().filter_map(|caption| Some((caption, scenes.get(caption.row)?))).collect();
    let (right, wrong): (Vec<_>, Vec<_>) =
        pairs.iter().partition(|(caption, scene)| scene.agrees(&caption.text));
    let whole =
        |(caption, scene): &&(&Caption, &Scene)| scene.objects.iter().all(|o| names(&caption.text, o));
    let percent = |count: usize| 100.0 * count as f64 / pairs.len().max(1) as f64;
    println!("true              {:5.1} %", percent(right.len()));
    println!("true and complete {:5.1} %", percent(right.iter().filter(|pair| whole(pair)).count()));
    for (caption, _) in wrong.iter().take(show) {
        println!("false: {}; people wrote: {}", caption.text, caption.references.join(" / "));
    }
    Ok(())
}
