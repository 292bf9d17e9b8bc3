//! What a weight map takes of a public file: one line for every key of the model, and every tensor that is left over.
//!
//! ```text
//! vision.blocks[0].attn.q.w  [64, 64]  loaded   chunk("blocks.0.attn.qkv.weight", 0, 3)'
//! position_ids               [1, 512]  left over
//! ```

use super::load::load;
use super::resize::resize;
use super::{Archive, WeightsError, invert};
use crate::lower::model::{Load, Stage};
use crate::recipe::Resize;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Taken as it is.
    Loaded,
    /// Taken with another shape, by a resize rule.
    Resized,
    /// Keeps its initial value because the map says so.
    Fresh,
    /// Keeps its initial value because no rule speaks of it.
    Unnamed,
    /// The file does not have its tensor.
    Missing,
    /// The tensor cannot be brought to its shape.
    Unfit,
}

/// A key of the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// A path, `slow/…` or `state/…`.
    pub key: String,
    /// In the model.
    pub shape: Vec<usize>,
    /// What becomes of it.
    pub fate: Fate,
    /// Where it comes from, as the language writes it.
    pub source: Option<String>,
    /// What the source gives, if that is another shape.
    pub from: Option<Vec<usize>>,
    /// What is wrong.
    pub problem: Option<String>,
}

/// A tensor of the file that no rule reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// Its axes.
    pub shape: Vec<usize>,
}

/// Both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Every key of the model.
    pub rows: Vec<Row>,
    /// Every other tensor of the file.
    pub left: Vec<Left>,
}

/// Something that a checkpoint holds.
struct Place {
    key: String,
    dims: Vec<usize>,
    rule: Option<Resize>,
}

impl Account {
    /// How many keys fared so.
    pub fn count(&self, fate: Fate) -> usize {
        self.rows.iter().filter(|row| row.fate == fate).count()
    }

    /// Whether a rule could not do what it says.
    pub fn is_short(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.fate, Fate::Missing | Fate::Unfit))
    }
}

/// Applies a map to a file without keeping anything.
///
/// # Errors
/// The disk fails; what the file lacks is part of the account.
pub fn account(archive: &mut Archive, stage: &Stage, loads: &[Load]) -> Result<Account, WeightsError> {
    let sources: BTreeMap<&str, &Load> = loads.iter().map(|load| (load.key.as_str(), load)).collect();
    let mut rows = Vec::new();
    for place in places(stage) {
        let row = match sources.get(place.key.as_str()) {
            Some(load) => row(archive, place, load)?,
            None => told(place, Fate::Unnamed, None),
        };
        rows.push(row);
    }
    Ok(Account { rows, left: left(archive, loads) })
}

/// The tensors of a file that a map does not read.
pub fn left(archive: &Archive, loads: &[Load]) -> Vec<Left> {
    let read: BTreeSet<String> = invert::names(loads).collect();
    let left = archive.names().filter(|name| !read.contains(*name));
    left.map(|name| Left { name: name.into(), shape: archive.dims(name).unwrap_or_default().to_vec() })
        .collect()
}

fn places(stage: &Stage) -> Vec<Place> {
    let rule = |path: &str| stage.parameters.iter().find(|p| p.path == path).and_then(|p| p.resize);
    let parameters =
        stage.parameters.iter().map(|p| Place { key: p.path.clone(), dims: p.dims.clone(), rule: p.resize });
    let twins =
        stage.twins.iter().map(|t| Place { key: t.key.clone(), dims: t.dims.clone(), rule: rule(&t.of) });
    let state = |s: &crate::lower::model::State| Place {
        key: format!("state/{}", s.name),
        dims: s.shape.dims(),
        rule: None,
    };
    parameters.chain(twins).chain(stage.states.iter().map(state)).collect()
}

fn told(place: Place, fate: Fate, load: Option<&Load>) -> Row {
    let source = load.map(|load| load.source.to_string()).filter(|_| fate != Fate::Fresh);
    Row { key: place.key, shape: place.dims, fate, source, from: None, problem: None }
}

fn row(archive: &mut Archive, place: Place, by: &Load) -> Result<Row, WeightsError> {
    let tensor = match load(archive, &by.source) {
        Ok(Some(tensor)) => tensor,
        Ok(None) => return Ok(told(place, Fate::Fresh, Some(by))),
        Err(error @ WeightsError::Read { .. }) => return Err(error),
        Err(error) => {
            let missing = matches!(error, WeightsError::Missing { .. });
            let fate = if missing { Fate::Missing } else { Fate::Unfit };
            return Ok(Row { problem: Some(error.to_string()), ..told(place, fate, Some(by)) });
        }
    };
    if tensor.dims == place.dims {
        return Ok(told(place, Fate::Loaded, Some(by)));
    }
    let (from, fresh) = (tensor.dims.clone(), vec![0.0; place.dims.iter().product()]);
    let values = tensor.into_floats();
    let problem = resize(place.rule, &place.key, (&values, &from), (&fresh, &place.dims)).err();
    let fate = if problem.is_none() { Fate::Resized } else { Fate::Unfit };
    Ok(Row { from: Some(from), problem: problem.map(|e| e.to_string()), ..told(place, fate, Some(by)) })
}
