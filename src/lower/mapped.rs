//! A weight map applied to a stage that need not start from it.
//!
//! ```
//! let model = chiasm::compile("models/albef.chi".as_ref(), &chiasm::Options::default())?;
//! let loads = model.loads("pretrain", "bert_base")?;
//! let dense = loads.iter().find(|load| load.key == "reader[0].ffn.up.w").expect("is mapped");
//! assert_eq!(dense.source.to_string(), "\"bert.encoder.layer.0.intermediate.dense.weight\"'");
//! # Ok::<(), chiasm::Failure>(())
//! ```

use super::Failure;
use super::model::{Load, Model};
use super::state::Lower;
use super::value::missing;
use crate::parallel;
use chiasm_dsl::code::Code;
use chiasm_dsl::tree::{Weights, WeightsSource};

impl Model {
    /// The sources of everything in a stage that a map covers, whether the stage starts from it or not. The map must be one
    /// of a public checkpoint.
    ///
    /// # Errors
    /// No such stage or map (E0204), or a rule that does not fit the stage.
    pub fn loads(&self, stage: &str, map: &str) -> Result<Vec<Load>, Failure> {
        let program = &*self.program;
        let wrong = |diagnostics| Failure::Wrong { sources: Box::new(self.sources.clone()), diagnostics };
        let stages = program.stages.iter().map(|s| s.name.text.as_str());
        let public = |w: &&Weights| matches!(w.source, WeightsSource::Checkpoint(_));
        let maps = program.weights.iter().filter(public).map(|w| w.name.text.as_str());
        let Some(protocol) = program.stages.iter().find(|s| s.name.text == stage) else {
            return Err(wrong(vec![missing(Code::E0204, "stage", stage, &stages.collect::<Vec<_>>())]));
        };
        let maps: Vec<&str> = maps.collect();
        let Some(at) = program.weights.iter().find(|w| w.name.text == map && maps.contains(&map)) else {
            return Err(wrong(vec![missing(Code::E0204, "map of a public checkpoint", map, &maps)]));
        };
        let fields = program.fields(protocol, &program.stages);
        let work = || {
            let mut lower = Lower::new(program, true);
            lower.options.given = true;
            let opened = lower.open(protocol, &fields, super::stage::FIELDS, &self.sets, &[]);
            let stage = opened.and_then(|fields| lower.stage(&fields));
            let loads = stage.and_then(|stage| Ok((lower.loads(map, at.name.span)?, stage)));
            let (mut loads, stage) = loads.map_err(|_| std::mem::take(&mut lower.diagnostics))?;
            // Rules reach slow copies of everything; the stage may have few.
            loads.retain(|load| stage.holds(&load.key));
            Ok(loads)
        };
        let loads = parallel::deep(work);
        loads.map_err(|error| Failure::Unreadable { path: self.name.clone(), error })?.map_err(wrong)
    }
}
