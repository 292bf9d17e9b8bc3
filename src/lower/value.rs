//! Named values of a file outside of training: the graph of a few definitions, as a stage sees them, without dropout.
//!
//! Invariant: the graph's outputs are called as they were asked for, and it holds nothing that they do not need.
//!
//! ```
//! let model = chiasm::compile("models/tiny/clip.chi".as_ref(), &chiasm::Options::default())?;
//! let values = model.values("pretrain", &["image_feat"])?;
//! assert_eq!(values.graph.shape(values.graph.output("image_feat").unwrap()).to_string(), "float[B, 128]");
//! assert_eq!(values.inputs[0].name, "image");
//! let error = model.values("pretrain", &["image_feet"]).unwrap_err().to_string();
//! assert!(error.contains("did you mean `image_feat`?"), "{error}");
//! # Ok::<(), chiasm::Failure>(())
//! ```

use super::Failure;
use super::model::{Model, Values};
use super::program::{Definition, MAIN, Meaning, Program};
use super::state::{Eval, Lower, World};
use crate::parallel;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use std::collections::BTreeSet;

impl Model {
    /// Some definitions of the file as a graph: values, losses, states, `Param`s, or `slow.name`. Static parameters are
    /// those of the stage; dropout is off.
    ///
    /// # Errors
    /// An unknown stage (E0204) or name (E0201, with the nearest), or something that is no tensor (E0315).
    pub fn values(&self, stage: &str, names: &[&str]) -> Result<Values, Failure> {
        let program = &*self.program;
        let wrong = |diagnostics| Failure::Wrong { sources: Box::new(self.sources.clone()), diagnostics };
        let Some(protocol) = program.stages.iter().find(|s| s.name.text == stage) else {
            let known: Vec<&str> = program.stages.iter().map(|s| s.name.text.as_str()).collect();
            return Err(wrong(vec![missing(Code::E0204, "stage", stage, &known)]));
        };
        let fields = program.fields(protocol, &program.stages);
        let work = || {
            let mut lower = Lower::new(program, false);
            let opened = lower.open(protocol, &fields, super::stage::FIELDS, &self.sets, &[]);
            let values = opened.and_then(|_| lower.values(names));
            values.map_err(|_| std::mem::take(&mut lower.diagnostics))
        };
        let values = parallel::deep(work);
        values.map_err(|error| Failure::Unreadable { path: self.name.clone(), error })?.map_err(wrong)
    }

    /// The names of the file's inputs, in order.
    pub fn inputs(&self) -> Vec<&str> {
        let definitions = self.program.spaces.get(MAIN.0).into_iter().flat_map(|s| s.names.values());
        let inputs = definitions.filter(|d| matches!(d.meaning, Meaning::Input(_)));
        let mut inputs: Vec<&Definition> = inputs.collect();
        inputs.sort_by_key(|d| d.order);
        inputs.into_iter().map(|d| d.name.text.as_str()).collect()
    }
}

impl Lower<'_> {
    fn values(&mut self, names: &[&str]) -> Eval<Values> {
        for name in names {
            let known = &self.program.spaces[MAIN.0].names;
            if let Some(part) = wanted(name).into_iter().find(|part| !known.contains_key(*part)) {
                return self.report(missing(Code::E0201, "definition", part, &tensors(self.program)));
            }
            self.name_value(name, name.to_string())?;
        }
        let parts = self.parts(&BTreeSet::new())?;
        let (graph, inputs, parameters) = (parts.graph, parts.inputs, parts.parameters);
        Ok(Values { graph, inputs, parameters, twins: parts.twins, states: parts.states })
    }

    /// Makes a definition of the file, or `slow.name`, an output. Its names must be known.
    pub fn name_value(&mut self, value: &str, output: String) -> Eval<()> {
        let (slow, name) = match value.split_once('.') {
            Some((slow, name)) => (Some(slow), name),
            None => (None, value),
        };
        let at = self.program.spaces[MAIN.0].names[name].name.span;
        let world = self.enter(World { twin: slow.map(Into::into), ..World::default() });
        let object = self.within(world, |s| s.definition(MAIN, name))?;
        let tensor = self.within(world, |s| s.tensor(object, at))?;
        self.graph.name(output, tensor.node);
        Ok(())
    }
}

/// The names that `slow.name` or `name` speaks of.
pub fn wanted(value: &str) -> Vec<&str> {
    value.splitn(2, '.').collect()
}

/// Something that a caller asked for and the file does not have.
pub fn missing(code: Code, what: &str, name: &str, known: &[&str]) -> Diagnostic {
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let all = format!("there are: {}", known.join(", "));
    let (message, notes) = (format!("there is no {what} `{name}`"), near.into_iter().chain([all]));
    Diagnostic::everywhere(code, message).notes(notes)
}

/// Names that may be tensors, in the order of the file.
fn tensors(program: &Program) -> Vec<&str> {
    let may_be = |d: &&Definition| match &d.meaning {
        Meaning::Value(expr) => !super::names::is_owner(program, MAIN, expr),
        Meaning::Loss(_) | Meaning::State { .. } | Meaning::Input(_) => true,
        Meaning::Set(_) | Meaning::Fn(_) | Meaning::Module(_) | Meaning::Data(_) => false,
    };
    let mut found: Vec<&Definition> = program.spaces[MAIN.0].names.values().filter(may_be).collect();
    found.sort_by_key(|d| d.order);
    found.into_iter().map(|d| d.name.text.as_str()).collect()
}
