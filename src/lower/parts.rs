//! What a graph reads: inputs, parameters, twins and states, as the model lists them.

use super::model::{self, Beginning};
use super::object::Object;
use super::program::{MAIN, Meaning};
use super::scope::Env;
use super::state::{Eval, Frame, Lower, PathStep, Stopped};
use crate::graph::Graph;
use crate::op::Op;
use crate::recipe::Schedule;
use chiasm_dsl::code::Code;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// Everything a graph reads.
pub struct Parts {
    /// The graph, without what its outputs do not need.
    pub graph: Graph,
    /// Inputs in order.
    pub inputs: Vec<model::Input>,
    /// Parameters in order of first use.
    pub parameters: Vec<model::Parameter>,
    /// Twins in order of first use.
    pub twins: Vec<model::Twin>,
    /// States in order of first use.
    pub states: Vec<model::State>,
}

impl<'p> Lower<'p> {
    /// The graph that the outputs need, and what it reads.
    pub fn parts(&mut self, frozen: &BTreeSet<String>) -> Eval<Parts> {
        let names: Vec<String> = self.graph.outputs().iter().map(|(n, _)| n.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let graph = self.graph.keep(&names);
        let mut parts = Parts {
            graph: Graph::default(),
            inputs: Vec::new(),
            parameters: Vec::new(),
            twins: Vec::new(),
            states: Vec::new(),
        };
        self.reads(&graph, &|path| !frozen.contains(path), &mut parts)?;
        let mut at = 0;
        // What only the start of a state reads has to be there too; no gradient moves it.
        while let Some(state) = parts.states.get(at) {
            if let Beginning::Computed(start) = state.start.clone() {
                self.reads(&start, &|_| false, &mut parts)?;
            }
            at += 1;
        }
        self.originals(&mut parts, frozen);
        parts.graph = graph;
        Ok(parts)
    }

    /// Notes what a graph reads and is not noted yet.
    fn reads(&mut self, graph: &Graph, trained: &dyn Fn(&str) -> bool, parts: &mut Parts) -> Eval<()> {
        let mut known: FxHashSet<String> = parts.parameters.iter().map(|p| p.path.clone()).collect();
        for value in graph.values() {
            match &graph.node(value).op {
                Op::Input(input) => self.read_input(&input.name, parts),
                Op::Parameter(p) if known.insert(p.path.clone()) => {
                    parts.parameters.push(self.parameter_of(&p.path, trained(&p.path)));
                }
                Op::Twin(twin) if parts.twins.iter().all(|known| known.key != twin.path) => {
                    let rate = twin.path.split('/').next().and_then(|name| self.rates.get(name)).copied();
                    parts.twins.push(model::Twin {
                        key: twin.path.clone(),
                        of: twin.of.clone(),
                        dims: twin.shape.dims(),
                        rate: rate.unwrap_or(Schedule::Constant(1.0)),
                    });
                }
                Op::State(state) if parts.states.iter().all(|known| known.name != state.name) => {
                    let start = self.state_start(&state.name)?;
                    let (name, shape) = (state.name.clone(), state.shape.clone());
                    let advanced = self.graph.output(&format!("next/{name}")).is_some();
                    parts.states.push(model::State { name, shape, start, advanced });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An input, or the one whose lengths it holds.
    fn read_input(&self, name: &str, parts: &mut Parts) {
        let name = name.trim_end_matches(".lengths");
        if parts.inputs.iter().any(|known| known.name == name) {
            return;
        }
        parts.inputs.push(match self.tables.get(name) {
            None => self.input_of(name),
            Some((tensor, vocabulary)) => model::Input {
                name: name.to_string(),
                shape: tensor.ty.shape(),
                reading: model::Reading::WordMarks { vocabulary: (**vocabulary).clone() },
                lengths: None,
            },
        });
    }

    /// A twin needs its original, even where the graph reads only the twin.
    fn originals(&self, parts: &mut Parts, frozen: &BTreeSet<String>) {
        let known: BTreeSet<&String> = parts.parameters.iter().map(|p| &p.path).collect();
        let missing: BTreeSet<&String> =
            parts.twins.iter().map(|t| &t.of).filter(|of| !known.contains(of)).collect();
        let missing: Vec<model::Parameter> =
            missing.iter().map(|path| self.parameter_of(path, !frozen.contains(*path))).collect();
        parts.parameters.extend(missing);
    }

    fn parameter_of(&self, path: &str, trained: bool) -> model::Parameter {
        let param = &self.params[path];
        model::Parameter {
            path: param.path.clone(),
            dims: param.dims.clone(),
            init: param.init.clone(),
            clamp: param.clamp,
            resize: param.resize,
            trained,
            factor: self.factors.get(path).copied().unwrap_or(1.0),
            owners: param.owners.clone(),
        }
    }

    fn input_of(&self, name: &str) -> model::Input {
        use super::types::{Elements, Range};
        let (tensor, lengths) = &self.inputs[name];
        let ty = &tensor.ty;
        let square =
            ty.rank() == 4 && ty.axes[2].size == ty.axes[3].size && ty.axes[1].size.number() == Some(3);
        let reading = match &ty.elements {
            Elements::Float if square => model::Reading::Image { side: ty.axes[2].size.len() },
            Elements::Ids(Range::Of(vocabulary)) if ty.rank() == 2 => {
                model::Reading::Text { vocabulary: (**vocabulary).clone(), length: ty.axes[1].size.len() }
            }
            Elements::Ids(_) if ty.rank() == 1 => model::Reading::Ids,
            _ => model::Reading::Numbers,
        };
        model::Input { name: name.to_string(), shape: ty.shape(), reading, lengths: lengths.clone() }
    }

    /// What a state is before the first step: an initial value, or the graph of a value.
    fn state_start(&mut self, name: &str) -> Eval<Beginning> {
        if let Some(state) = self.owned.get(name) {
            return Ok(Beginning::Drawn(state.init.clone()));
        }
        let program = self.program;
        let Some(Meaning::State { start, .. }) = program.spaces[MAIN.0].names.get(name).map(|d| &d.meaning)
        else {
            return Err(Stopped);
        };
        let state = self.states[name].ty.clone();
        self.starting = Some((name.to_string(), (*state).clone()));
        let span = start.span;
        let frame =
            Frame { what: None, step: PathStep::Name(format!("{name} starts").into()), span, body: span };
        let object = self.inside(frame, |s| s.owned(name, |s| s.eval(start, &Env::space(MAIN), None)));
        self.starting = None;
        let object = object?;
        let Object::Tensor(first) = object else {
            return self.init(&object, start.span).map(Beginning::Drawn);
        };
        if first.ty.sizes() != state.sizes() || first.ty.kind() != state.kind() {
            let message = format!("the state `{name}` is {state}, but begins as {}", first.ty);
            return self.fail(Code::E0502, start.span, message);
        }
        let mut graph = self.graph.clone();
        graph.name("start", first.node);
        Ok(Beginning::Computed(Box::new(graph.keep(&["start"]))))
    }
}
