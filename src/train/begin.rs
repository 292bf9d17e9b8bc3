//! States that begin as a value: computed once from the first batch, before the first step.
//!
//! ```text
//! state book : [8192, 32] = kmeans(points, rounds: 10) then …      kmeans of the points of the first batch
//! ```
//!
//! Invariant: a state is computed after those that its value reads. What another stage brings is not computed.

use super::TrainError;
use crate::exec::{Executor, Memory};
use crate::graph::Graph;
use crate::lower::model::{Beginning, Stage};
use crate::op::{Context, Op};
use crate::pass::prepare;
use crate::shape::Batch;
use crate::tensor::{Tensor, Values};

/// The states that are still to be computed, in order.
pub(super) struct Beginnings {
    rows: Batch,
    waiting: Vec<(String, Graph)>,
}

impl Beginnings {
    /// Those of a stage.
    ///
    /// # Errors
    /// Values that read each other's states.
    pub fn of(stage: &Stage) -> Result<Self, TrainError> {
        let computed = stage.states.iter().filter_map(|state| match &state.start {
            Beginning::Computed(graph) => Some((state.name.clone(), graph.as_ref().clone())),
            Beginning::Drawn(_) => None,
        });
        Ok(Self { rows: stage.rows(), waiting: in_order(computed.collect())? })
    }

    /// A state that has its values already.
    pub fn has(&mut self, state: &str) {
        self.waiting.retain(|(name, _)| name != state);
    }

    /// Computes all that wait.
    ///
    /// # Errors
    /// A graph that the executor cannot run, an input that does not fit.
    pub fn compute(
        &mut self,
        executor: &dyn Executor,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), TrainError> {
        for (name, graph) in std::mem::take(&mut self.waiting) {
            let graph = prepare::start(&name, &graph, &self.rows)?;
            let mut program = executor.prepare(&graph, &memory.layout)?;
            program.run(memory, inputs, context)?;
            if let Some(values) = program.output("start") {
                put(memory, &name, &values);
            }
        }
        Ok(())
    }
}

/// Sorted so that each comes after those it reads.
fn in_order(mut computed: Vec<(String, Graph)>) -> Result<Vec<(String, Graph)>, TrainError> {
    let mut order: Vec<(String, Graph)> = Vec::new();
    while !computed.is_empty() {
        let ready = |(_, graph): &(String, Graph)| !computed.iter().any(|(name, _)| reads(graph, name));
        let Some(at) = computed.iter().position(ready) else {
            return Err(TrainError::Endless(computed.into_iter().map(|(name, _)| name).collect()));
        };
        order.push(computed.remove(at));
    }
    Ok(order)
}

fn reads(graph: &Graph, state: &str) -> bool {
    graph.values().any(|value| matches!(&graph.node(value).op, Op::State(read) if read.name == state))
}

fn put(memory: &mut Memory, state: &str, values: &Tensor) {
    let Some(slot) = memory.layout.states.get(state) else { return };
    for all in [&mut memory.states, &mut memory.next] {
        match &values.values {
            Values::Floats(numbers) => all[slot.range()].copy_from_slice(numbers),
            Values::Ids(ids) => slot.write_ids(all, ids),
        }
    }
}
