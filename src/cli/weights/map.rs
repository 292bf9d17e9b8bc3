//! The options that name a model and one of its weight maps.

use crate::cli::options::Common;
use crate::cli::{Problem, model};
use crate::lower::model::{Model, Stage, Start};
use crate::train::convert::Mapped;
use crate::train::plan;
use clap::Args;
use std::path::PathBuf;

/// A model, a stage, a map.
#[derive(Debug, Args)]
pub struct Map {
    /// The model.
    #[arg(long, value_name = "FILE", requires = "map")]
    pub model: Option<PathBuf>,
    /// Its weight map: `weights NAME from "…"`.
    #[arg(long = "as", value_name = "MAP", requires = "model")]
    pub map: Option<String>,
    /// The stage whose parameters are meant; otherwise the first that starts from the map, or the first.
    #[arg(long, requires = "model")]
    pub stage: Option<String>,
}

impl Map {
    /// The model, if one is given.
    pub fn open(&self, common: &Common) -> Result<Option<Model>, Problem> {
        self.model.as_ref().map(|file| model::open_given(file, common)).transpose()
    }

    /// What the map says about the stage.
    pub fn of<'m>(&self, model: &'m Model) -> Result<Mapped<'m>, Problem> {
        let map = self.map.as_deref().unwrap_or_default();
        let stage = match &self.stage {
            Some(name) => plan::stage(model, name)?,
            None => first(model, map)
                .ok_or_else(|| Problem::new(1, "error: the file has no stage, so it has no parameters"))?,
        };
        let loads = model.loads(&stage.name, map);
        let loads = loads.map_err(|failure| Problem::new(1, failure.to_string()))?;
        Ok(Mapped { model, stage, loads })
    }
}

fn first<'m>(model: &'m Model, map: &str) -> Option<&'m Stage> {
    let starts = |start: &Start| matches!(start, Start::Weights { map: known, .. } if known == map);
    let from_it = model.stages.iter().find(|stage| stage.start.iter().any(starts));
    from_it.or(model.stages.first())
}
