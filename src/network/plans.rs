//! Graphs and plans that are kept: a graph for every set of names, a plan for every number of rows it was run with.

use super::input::shape_of;
use super::{Network, NetworkError, Values};
use crate::exec::Program;
use crate::lower::model::Input;
use crate::pass::prepare;
use crate::shape::{Batch, Kind, Shape, Size};
use crate::tensor::Tensor;
use std::sync::Arc;

/// More plans than this are not kept: each has an arena of its own.
const KEPT: usize = 8;

/// Names and their graph.
#[derive(Clone)]
pub struct Wanted {
    /// As they were asked for.
    pub names: Vec<String>,
    /// What they need.
    pub values: Arc<Values>,
}

/// A graph made ready for a number of rows.
pub struct Plan {
    at: usize,
    batch: Rows,
    /// Ready to run.
    pub program: Box<dyn Program>,
}

/// Batch symbols and what they are.
type Rows = Vec<(String, usize)>;

impl Network {
    /// The place of the graph of some names; made at the first call.
    pub(crate) fn want(&mut self, names: &[&str]) -> Result<usize, NetworkError> {
        if let Some(known) = self.wanted.iter().position(|wanted| wanted.names == names) {
            return Ok(known);
        }
        let values = self.model.values(&self.stage.name, names)?;
        self.hold(&values.parameters, &values.twins, &values.states)?;
        let names = names.iter().map(|name| name.to_string()).collect();
        self.wanted.push(Wanted { names, values: Arc::new(values) });
        Ok(self.wanted.len() - 1)
    }

    /// How many rows the inputs have; all of them must agree with the file's shapes and with each other.
    pub(crate) fn batch(&self, at: usize, given: &[(String, Tensor)]) -> Result<Rows, NetworkError> {
        let mut rows = Rows::new();
        for input in &self.wanted[at].values.inputs {
            for (name, shape) in read_by(input) {
                let Some((_, tensor)) = given.iter().find(|(known, _)| *known == name) else { continue };
                meet(&name, &shape, tensor, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// The place of a plan; made at the first call with so many rows.
    pub(super) fn plan(&mut self, at: usize, batch: Rows) -> Result<usize, NetworkError> {
        if let Some(known) = self.plans.iter().position(|plan| plan.at == at && plan.batch == batch) {
            return Ok(known);
        }
        let wanted = &self.wanted[at];
        let bound = batch.iter().fold(Batch::default(), |all, (symbol, rows)| all.and(symbol, *rows));
        let graph = prepare::evaluation(&wanted.names.join(", "), &wanted.values.graph.bind(&bound)?)?;
        let program = self.executor.prepare(&graph, &self.memory.layout)?;
        if self.plans.len() == KEPT {
            self.plans.remove(0);
        }
        self.plans.push(Plan { at, batch, program });
        Ok(self.plans.len() - 1)
    }
}

/// An input and its lengths, with their shapes.
fn read_by(input: &Input) -> Vec<(String, Shape)> {
    let rows = input.shape.sizes.iter().take(1).cloned();
    let lengths = input.lengths.clone().map(|name| (name, Shape::float(rows).with_kind(Kind::Ids)));
    std::iter::once((input.name.clone(), input.shape.clone())).chain(lengths).collect()
}

/// Holds a tensor against the shape of its input; a batch symbol is what it was first.
fn meet(name: &str, shape: &Shape, tensor: &Tensor, rows: &mut Rows) -> Result<(), NetworkError> {
    let found = shape_of(tensor);
    for (size, length) in shape.sizes.iter().zip(&tensor.dims) {
        let symbol = size.symbols().next().filter(|symbol| *size == Size::symbol(symbol) && *length > 0);
        let Some(symbol) = symbol else { continue };
        if !rows.iter().any(|(known, _)| known == symbol) {
            rows.push((symbol.to_string(), *length));
        }
    }
    let bound = rows.iter().fold(Batch::default(), |all, (symbol, rows)| all.and(symbol, *rows));
    let expected = shape.bind(&bound);
    let ids = (expected.kind == Kind::Ids) == (found.kind == Kind::Ids);
    if ids && expected.sizes == found.sizes {
        return Ok(());
    }
    let expected = if expected.rank() == found.rank() { expected } else { shape.clone() };
    Err(NetworkError::Shape { name: name.into(), expected: expected.to_string(), found: found.to_string() })
}
