//! Whether a picture entails a sentence: SNLI-VE's lines with `image` or `Flickr30K_ID`, `sentence2` and `gold_label`.
//!
//! The verdict is 0 for contradiction, 1 for neutral, 2 for entailment. Lines without a verdict (`-`) are left out and counted.

use super::super::dataset::Dataset;
use super::super::library::Ask;
use super::super::report::Problem;
use super::super::{Cell, Error};
use super::lines;
use super::pictures::Pictures;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Verdicts by number.
pub(in super::super) const VERDICTS: [&str; 3] = ["contradiction", "neutral", "entailment"];

#[derive(Deserialize)]
struct Line {
    image: Option<String>,
    #[serde(rename = "Flickr30K_ID")]
    flickr: Option<String>,
    #[serde(alias = "sentence", alias = "hypothesis")]
    sentence2: String,
    #[serde(alias = "label")]
    gold_label: String,
}

pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    let found = super::annotations(ask, |folder| candidates(folder, ask.split))?;
    let expected = "JSON lines with `image`, `sentence2` and `gold_label`";
    let lines: Vec<Line> = lines::read(&found.file, expected, dataset.report_mut())?;
    let mut pictures = Pictures::new(ask, &found.folder);
    for line in lines {
        let Some(verdict) = VERDICTS.iter().position(|verdict| *verdict == line.gold_label) else {
            dataset.report_mut().note(Problem::UnknownLabel, line.gold_label);
            continue;
        };
        let name = line.image.or_else(|| Some(format!("{}.jpg", line.flickr?))).unwrap_or_default();
        let Some(picture) = pictures.number(&name, dataset) else { continue };
        dataset.add_row([
            ("image", Cell::Picture(picture)),
            ("text", Cell::Text(line.sentence2)),
            ("verdict", Cell::Id(verdict as i32)),
        ]);
    }
    Ok(())
}

fn candidates(folder: &Path, split: &str) -> Vec<PathBuf> {
    let mut files = vec![folder.join(format!("{split}.jsonl"))];
    files.extend(super::ending(folder, &format!("_{split}.jsonl")));
    files
}
