//! Masks that follow from the file alone, as numbers: what [`facts`](super::facts) looks at to see who sees whom.
//!
//! `compare (range, range)` is known; what reads a parameter or an input is not. The lengths of the text are taken to be all its
//! places, or none: a place of a mask made from them has one of these two values.

use super::Request;
use crate::graph::Graph;
use crate::op::{Array, Context, Op, Value};
use crate::recipe::Timeline;
use crate::shape::Batch;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Larger values than this are not looked at.
const MOST: usize = 1 << 24;

/// Values that were asked for, for a batch of one row.
pub struct Known<'a> {
    graph: &'a Graph,
    request: &'a Request<'a>,
    found: BTreeMap<(Value, bool), Option<Rc<Array>>>,
}

impl<'a> Known<'a> {
    /// Nothing is known yet.
    pub fn new(graph: &'a Graph, request: &'a Request<'a>) -> Self {
        Self { graph, request, found: BTreeMap::new() }
    }

    /// The numbers of a value where the text has all its places (`full`) or none; nothing if they depend on more.
    pub fn value(&mut self, value: Value, full: bool) -> Option<Rc<Array>> {
        if let Some(found) = self.found.get(&(value, full)) {
            return found.clone();
        }
        let made = self.make(value, full).map(Rc::new);
        self.found.insert((value, full), made.clone());
        made
    }

    fn make(&mut self, value: Value, full: bool) -> Option<Array> {
        let node = self.graph.node(value);
        let batch = Batch::of(self.request.symbol, 1);
        let shape = node.shape.bind(&batch);
        if shape.sizes.iter().any(|size| size.number().is_none()) || shape.elements() > MOST {
            return None;
        }
        match &node.op {
            Op::Input(input) if Some(input.name.as_str()) == self.request.lengths => {
                let used = if full { self.request.places } else { 0 };
                Some(Array::filled(&shape.dims(), used as f64))
            }
            Op::Input(_) | Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Clock(_) => None,
            op => {
                let operands = self.graph.operands(value);
                let arrays: Vec<Rc<Array>> =
                    operands.iter().map(|v| self.value(*v, full)).collect::<Option<_>>()?;
                let arrays: Vec<&Array> = arrays.iter().map(Rc::as_ref).collect();
                Some(op.bind(&batch).eval(&arrays, &nowhere()))
            }
        }
    }
}

/// A context for values that look at none: draws are refused before.
fn nowhere() -> Context {
    let time = Timeline { length: 0, epoch: 1 };
    Context { seed: 0, stage: String::new(), step: 0, time, first_row: 0 }
}
