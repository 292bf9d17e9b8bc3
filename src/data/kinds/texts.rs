//! Texts alone: `S.jsonl` with the field `text`, or `S.txt` with a text a line.

use super::super::dataset::Dataset;
use super::super::library::Ask;
use super::super::report::Problem;
use super::super::{Cell, Error};
use super::lines;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Line {
    text: String,
}

pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    let file = super::annotations(ask, |folder| candidates(folder, ask.split))?.file;
    let texts: Vec<String> = match file.extension().is_some_and(|end| end == "txt") {
        true => lines::text(&file)?.lines().map(str::to_string).collect(),
        false => {
            let expected = "JSON lines with the field `text`";
            let lines: Vec<Line> = lines::read(&file, expected, dataset.report_mut())?;
            lines.into_iter().map(|line| line.text).collect()
        }
    };
    for (number, text) in texts.iter().map(|text| text.trim()).enumerate() {
        match text.is_empty() {
            true => dataset.report_mut().note(Problem::EmptyCaption, format!("text {}", number + 1)),
            false => dataset.add_row([("text", Cell::Text(text.to_string()))]),
        }
    }
    Ok(())
}

fn candidates(folder: &Path, split: &str) -> Vec<PathBuf> {
    ["jsonl", "txt"].map(|end| folder.join(format!("{split}.{end}"))).to_vec()
}
