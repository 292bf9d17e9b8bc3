//! `chiasm weights show FILE`: one row for each tensor; or the account of a weight map.

use super::columns::{columns, shape};
use super::map::Map;
use super::{account, place};
use crate::cli::options::{Common, Format};
use crate::cli::{Problem, say};
use crate::weights::statistics::{Statistics, statistics};
use crate::weights::{Archive, WeightsError};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// `chiasm weights show FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// A safetensors file, a model.safetensors.index.json, a checkpoint or a run folder.
    file: PathBuf,
    #[command(flatten)]
    map: Map,
    #[command(flatten)]
    common: Common,
}

/// A tensor of the file.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    elements: usize,
    bytes: usize,
    /// Not of types that cannot be read.
    #[serde(flatten)]
    statistics: Option<Statistics>,
}

/// Prints tensors, or the account.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let mut archive = place::open(&arguments.file, arguments.map.stage.as_deref())?;
    if let Some(model) = arguments.map.open(&arguments.common)? {
        return account::print(&mut archive, &arguments.map.of(&model)?, arguments.common.format);
    }
    let names: Vec<String> = archive.names().map(str::to_string).collect();
    let rows: Result<Vec<Row>, WeightsError> =
        names.into_iter().map(|name| row(&mut archive, name)).collect();
    let rows = rows.map_err(|error| Problem::new(1, format!("error: {error}")))?;
    match arguments.common.format {
        Format::Json => rows.iter().for_each(|row| say::json("tensor", row)),
        Format::Text => say::line(text(&rows)),
    }
    Ok(())
}

fn row(archive: &mut Archive, name: String) -> Result<Row, WeightsError> {
    let found = match archive.read(&name) {
        Ok(tensor) => Some(statistics(&tensor)),
        Err(WeightsError::Elements { .. }) => None,
        Err(error) => return Err(error),
    };
    let info = archive.info(&name);
    let (shape, range) = info.map(|info| (info.shape.clone(), info.data_offsets)).unwrap_or_default();
    let dtype = info.map_or(String::new(), |info| format!("{:?}", info.dtype));
    let (elements, bytes) = (shape.iter().product(), range.1 - range.0);
    Ok(Row { name, dtype, shape, elements, bytes, statistics: found })
}

fn text(rows: &[Row]) -> String {
    let head = ["name", "type", "shape", "elements", "mean", "deviation", "not finite"];
    let head = head.map(str::to_string).to_vec();
    let table: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let (elements, bytes) =
        (rows.iter().map(|r| r.elements).sum(), rows.iter().map(|r| r.bytes as u64).sum());
    let (count, elements, bytes) = (say::grouped(rows.len()), say::grouped(elements), say::bytes(bytes));
    format!("{}\n{count} tensors, {elements} elements, {bytes}", columns(&table, &[3, 4, 5, 6]))
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.name.clone(), row.dtype.clone(), shape(&row.shape), say::grouped(row.elements)];
    if let Some(Statistics { mean, deviation, nan, infinite }) = row.statistics {
        let bad = [(nan, "NaN"), (infinite, "inf")].into_iter().filter(|(count, _)| *count > 0);
        let bad: Vec<String> = bad.map(|(count, what)| format!("{} {what}", say::grouped(count))).collect();
        cells.extend([format!("{mean:.4}"), format!("{deviation:.4}"), bad.join(", ")]);
    }
    cells
}
