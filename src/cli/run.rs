//! `chiasm run`: named values of a model on pictures, texts and numbers, as numbers.
//!
//! Every input has as many rows as it is given times. Text output is one row a line, its numbers apart by spaces, under a line with the
//! name and the shape; JSON is one object a row.
//!
//! Example: `chiasm run albef.chi image_feat text_feat --input image=cat.jpg --input "text=a cat" --out runs/first`

use super::options::{Format, Job};
use super::{Problem, say};
use crate::data::image;
use crate::lower::model::{self, Reading};
use crate::network::{Input, NetworkError};
use crate::{Model, Network, Tensor};
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;

/// `chiasm run FILE VALUE...`
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Values of the file: features, logits, losses.
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
    /// A row of an input, again for more rows: a picture's file, a text, an id, or numbers as in 0.5,1
    #[arg(long = "input", value_name = "NAME=ROW", value_parser = row)]
    inputs: Vec<(String, String)>,
    /// The stage whose sizes and parameters count; else the first.
    #[arg(long)]
    stage: Option<String>,
    /// Initial values, drawn by `--seed`, in place of those that a run folder holds.
    #[arg(long, conflicts_with = "out")]
    fresh: bool,
}

/// A row of one value.
#[derive(serde::Serialize)]
struct Row<'a> {
    value: &'a str,
    row: usize,
    /// Of one row.
    dims: &'a [usize],
    numbers: &'a [f32],
}

/// Computes and prints.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = arguments.job.model()?;
    let mut network = open(arguments, &model)?;
    let given = read(&mut network, arguments)?;
    // One after the other: pictures and texts need not be as many.
    for name in &arguments.values {
        print(name, network.run(name, &given).map_err(wrong)?, arguments.job.common.format);
    }
    Ok(())
}

fn open(arguments: &Arguments, model: &Model) -> Result<Network, Problem> {
    let running = &arguments.job.running;
    let Some(stage) = arguments.stage.as_deref().or(model.stages.first().map(|stage| stage.name.as_str()))
    else {
        return Err(Problem::new(
            1,
            "error: the file has no stage, so its values have no sizes and no parameters",
        ));
    };
    match &running.out {
        Some(folder) => Network::trained(model, stage, folder, &running.host()),
        None if arguments.fresh => Network::fresh(model, stage, running.seed.unwrap_or(0), &running.host()),
        None => {
            return Err(Problem::new(
                2,
                "error: which parameters? --out DIR has those of a run, --fresh draws initial ones",
            ));
        }
    }
    .map_err(wrong)
}

/// The rows of every input, read as the values read it.
fn read<'a>(network: &mut Network, arguments: &'a Arguments) -> Result<Vec<(&'a str, Input)>, Problem> {
    let mut known: BTreeMap<String, model::Input> = BTreeMap::new();
    for value in &arguments.values {
        let inputs = network.inputs(value).map_err(wrong)?;
        known.extend(inputs.iter().map(|input| (input.name.clone(), input.clone())));
    }
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, row) in &arguments.inputs {
        rows.entry(name).or_default().push(row);
    }
    // What no value reads is handed on as text: the network says whether the file has it.
    let rows = rows.into_iter().map(|(name, rows)| match known.get(name) {
        Some(input) => Ok((name, converted(input, &rows)?)),
        None => Ok((name, Input::Texts(rows.iter().map(ToString::to_string).collect()))),
    });
    rows.collect()
}

fn converted(input: &model::Input, rows: &[&str]) -> Result<Input, Problem> {
    let bad = |row: &str, expected| {
        Problem::new(2, format!("error: the input `{}` is {expected}, found `{row}`", input.name))
    };
    match input.reading {
        Reading::Image { .. } => {
            let pictures: Result<Vec<_>, _> = rows.iter().map(|row| image::open(Path::new(row))).collect();
            Ok(Input::Images(pictures.map_err(|error| Problem::of(1, &error))?))
        }
        Reading::Ids => {
            let id = |row: &&str| row.parse().map_err(|_| bad(row, "a whole number a row"));
            let ids: Vec<i32> = rows.iter().map(id).collect::<Result<_, _>>()?;
            Ok(Input::Tensor(Tensor::ids([ids.len()], ids)))
        }
        Reading::Numbers => numbers(rows, |row| bad(row, "as many numbers a row, as in 0.5,1")),
        Reading::Text { .. } | Reading::WordMarks { .. } => {
            Ok(Input::Texts(rows.iter().map(ToString::to_string).collect()))
        }
    }
}

/// Rows of numbers, all as long as the first; one number a row has no second axis.
fn numbers(rows: &[&str], bad: impl Fn(&str) -> Problem) -> Result<Input, Problem> {
    let mut values = Vec::new();
    let width = rows.first().map_or(1, |row| row.split(',').count());
    for row in rows {
        let read: Result<Vec<f32>, _> = row.split(',').map(|number| number.trim().parse()).collect();
        values.extend(read.ok().filter(|read| read.len() == width).ok_or_else(|| bad(row))?);
    }
    let dims = if width == 1 { vec![rows.len()] } else { vec![rows.len(), width] };
    Ok(Input::Tensor(Tensor::floats(dims, values)))
}

fn print(name: &str, tensor: Tensor, format: Format) {
    let dims = tensor.dims.clone();
    let numbers = tensor.into_floats();
    if format == Format::Text {
        say::line(format!("{name} {dims:?}"));
    }
    // A value without rows, such as a loss, is one row of one number.
    let inner = dims.get(1..).unwrap_or(&[]);
    for (row, numbers) in numbers.chunks(inner.iter().product::<usize>().max(1)).enumerate() {
        let text = || numbers.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
        say::either(format, "row", &Row { value: name, row, dims: inner, numbers }, text);
    }
}

fn wrong(error: NetworkError) -> Problem {
    Problem::of(1, &error)
}

fn row(text: &str) -> Result<(String, String), String> {
    let found = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, row) = found.ok_or("expected NAME=ROW, as in image=cat.jpg")?;
    Ok((name.to_string(), row.to_string()))
}
