//! Whether a statement is true of two pictures: NLVR2's lines, whose `identifier` names the pictures (`train-10171-0-0` belongs to
//! `train-10171-0-img0.png` and `-img1.png`), or lines with `image` (both pictures are that one, as in NLVR) or `left` and `right`.

use super::super::dataset::Dataset;
use super::super::library::Ask;
use super::super::report::Problem;
use super::super::{Cell, Error};
use super::lines;
use super::pictures::Pictures;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Line {
    sentence: String,
    label: Label,
    image: Option<String>,
    left: Option<String>,
    right: Option<String>,
    #[serde(default)]
    identifier: String,
    directory: Option<serde_json::Value>,
}

/// True or false, or a text that says so.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Truth(bool),
    Word(String),
}

impl Label {
    fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Word(word) => word.to_lowercase().parse().ok(),
        }
    }
}

pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    let found = super::annotations(ask, |folder| candidates(folder, ask.split))?;
    let expected = "JSON lines with `sentence` and `label`";
    let lines: Vec<Line> = lines::read(&found.file, expected, dataset.report_mut())?;
    let mut pictures = Pictures::new(ask, &found.folder);
    for line in lines {
        let Some(truth) = line.label.truth() else {
            dataset.report_mut().note(Problem::UnknownLabel, line.identifier);
            continue;
        };
        let [left, right] = names(&line).map(|name| pictures.number(&name, dataset));
        let (Some(left), Some(right)) = (left, right) else { continue };
        dataset.add_row([
            ("left", Cell::Picture(left)),
            ("right", Cell::Picture(right)),
            ("text", Cell::Text(line.sentence)),
            ("truth", Cell::Id(i32::from(truth))),
        ]);
    }
    Ok(())
}

/// The files of both pictures.
fn names(line: &Line) -> [String; 2] {
    if let Some(image) = &line.image {
        return [image.clone(), image.clone()];
    }
    if let (Some(left), Some(right)) = (&line.left, &line.right) {
        return [left.clone(), right.clone()];
    }
    let (set, _) = line.identifier.rsplit_once('-').unwrap_or((&line.identifier, ""));
    // NLVR2 keeps the pictures of training in folders with numbers for names.
    let folder = match &line.directory {
        None => String::new(),
        Some(serde_json::Value::String(name)) => format!("{name}/"),
        Some(number) => format!("{number}/"),
    };
    [0, 1].map(|side| format!("{folder}{set}-img{side}.png"))
}

fn candidates(folder: &Path, split: &str) -> Vec<PathBuf> {
    let places = [folder.to_path_buf(), folder.join("data"), folder.join(split)];
    let names = [format!("pairs_{split}.jsonl"), format!("{split}.jsonl"), format!("{split}.json")];
    places.iter().flat_map(|place| names.iter().map(|name| place.join(name))).collect()
}
