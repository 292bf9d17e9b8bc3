//! A graph made ready for the reference executor: one array a node, dropped after its last use.

use super::super::{ExecError, Memory, Program, check, leaf, life};
use crate::graph::Verified;
use crate::op::{Array, Context, Value};
use crate::shape::Kind;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// A program of the reference executor.
#[derive(Clone, Debug)]
pub struct Walk {
    graph: Verified,
    /// Values that are read for the last time by each node.
    dropped: Vec<Vec<Value>>,
    outputs: BTreeMap<String, (Kind, Array)>,
}

impl Walk {
    pub(super) fn new(graph: Verified) -> Self {
        let dropped = life::last_uses(&graph);
        Self { graph, dropped, outputs: BTreeMap::new() }
    }

    /// A named value of the last run in `f64`.
    pub fn array(&self, name: &str) -> Option<&Array> {
        self.outputs.get(name).map(|(_, array)| array)
    }

    fn evaluate(
        &self,
        value: Value,
        values: &[Option<Array>],
        memory: &Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<Array, ExecError> {
        let node = self.graph.node(value);
        if let Some(array) = leaf::load(&node.op, memory, inputs)? {
            return Ok(array);
        }
        let operands = self.graph.operands(value);
        let arrays: Vec<&Array> = operands.iter().filter_map(|v| values[v.0 as usize].as_ref()).collect();
        check::indices(node, &arrays)?;
        Ok(node.op.eval(&arrays, context))
    }

    fn collect(&mut self, values: &[Option<Array>], memory: &mut Memory) {
        for (name, value) in self.graph.outputs() {
            if let Some(array) = &values[value.0 as usize] {
                leaf::store(name, array, memory);
                self.outputs.insert(name.clone(), (self.graph.shape(*value).kind, array.clone()));
            }
        }
    }
}

impl Program for Walk {
    fn run(
        &mut self,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), ExecError> {
        self.outputs.clear();
        let mut values: Vec<Option<Array>> = vec![None; self.graph.len()];
        for value in self.graph.values() {
            let array = self.evaluate(value, &values, memory, inputs, context)?;
            values[value.0 as usize] = Some(array);
            self.dropped[value.0 as usize].iter().for_each(|v| values[v.0 as usize] = None);
        }
        self.collect(&values, memory);
        Ok(())
    }

    fn output(&self, name: &str) -> Option<Tensor> {
        self.outputs.get(name).map(|(kind, array)| leaf::tensor(array, *kind))
    }

    fn peak_bytes(&self) -> usize {
        let bytes = |value: Value| self.graph.shape(value).elements() * size_of::<f64>();
        life::peak(&self.graph, &self.dropped, bytes)
    }
}
