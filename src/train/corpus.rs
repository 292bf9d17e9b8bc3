//! The texts that a model reads with one of its vocabularies: what that vocabulary is learned from.
//!
//! Invariant: a column of data counts once, however many stages read it.
//!
//! ```
//! use chiasm::{data::Library, train::corpus};
//! # let folder = std::env::temp_dir().join(format!("chiasm-corpus-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let file = folder.join("mine.chi");
//! # std::fs::write(&file, "input text : text[B, ~8] of w\nw = WordPiece(\"mine\", size: 99)\ne = Embedding(w, 4)\nloss l = mean(e(text))\nstage s { data = texts(\"scenes\") minimise = l optimiser = adamw(1e-3) length = steps(1) batch = 2 }\n")?;
//! let model = chiasm::compile(&file, &chiasm::Options::default())?;
//! let vocabulary = corpus::wanted(&model, None)?;
//! let (texts, report) = corpus::texts(&model, &vocabulary, &Library::default())?;
//! assert_eq!((vocabulary.size, texts.len(), report.is_empty()), (Some(99), 100_000, true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::TrainError;
use crate::Model;
use crate::data::{Cells, Library, Report};
use crate::lower::model::{Reading, Vocabulary, VocabularyKind};
use crate::lower::vocabulary::known;
use crate::recipe::Data;

/// The vocabulary that has to be learned: the one of this name, or the only one whose size the file says.
///
/// # Errors
/// There is none, there are several, or it is not one of WordPiece.
pub fn wanted(model: &Model, name: Option<&str>) -> Result<Vocabulary, TrainError> {
    let mut open: Vec<&Vocabulary> = Vec::new();
    for (vocabulary, ..) in columns(model) {
        let learned = vocabulary.size.is_some() && !known().contains(&vocabulary.name.as_str());
        let asked = name.is_none_or(|name| name == vocabulary.name);
        if learned && asked && !open.contains(&vocabulary) {
            open.push(vocabulary);
        }
    }
    let wrong = |text: String| Err(TrainError::Data(text));
    match open[..] {
        [one] if one.kind == VocabularyKind::WordPiece => Ok(one.clone()),
        [one] => wrong(format!("`{}`: only vocabularies of WordPiece are learned here", one.name)),
        [] => wrong(format!(
            "no stage reads texts with {} whose size the file says, as in `WordPiece(\"mine\", size: 3000)`",
            name.map_or("a vocabulary".into(), |name| format!("a vocabulary `{name}`")),
        )),
        [one, other, ..] => wrong(format!("which one, `{}` or `{}`? say --name", one.name, other.name)),
    }
}

/// All texts that stages read with a vocabulary, and what of their data cannot be used.
///
/// # Errors
/// Data that is not there.
pub fn texts(
    model: &Model,
    vocabulary: &Vocabulary,
    library: &Library,
) -> Result<(Vec<String>, Report), TrainError> {
    let mut read: Vec<(&Data, &str)> = Vec::new();
    for (_, data, column) in columns(model).filter(|(of, ..)| *of == vocabulary) {
        if !read.iter().any(|(known, name)| known.rows == data.rows && *name == column) {
            read.push((data, column));
        }
    }
    let (mut texts, mut report) = (Vec::new(), Report::default());
    for (data, column) in read {
        let dataset =
            library.open_for(data, &[column]).map_err(|error| TrainError::Data(error.to_string()))?;
        if let Some(Cells::Texts(rows)) = dataset.cells(column) {
            texts.extend_from_slice(rows);
        }
        report.merge(dataset.report());
    }
    Ok((texts, report))
}

/// Every vocabulary that reads a column, with the data and its name there.
fn columns(model: &Model) -> impl Iterator<Item = (&Vocabulary, &Data, &str)> {
    let inputs = model.stages.iter().flat_map(|stage| stage.inputs.iter().map(move |input| (stage, input)));
    inputs.filter_map(|(stage, input)| {
        let Reading::Text { vocabulary, .. } = &input.reading else { return None };
        let data = &stage.feeds.get(stage.source_of(&input.name))?.data;
        let column = data.columns.iter().find(|column| column.name == input.name)?;
        Some((vocabulary, data, column.from.as_str()))
    })
}
