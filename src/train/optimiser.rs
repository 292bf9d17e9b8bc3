//! A recipe's optimiser to steps over flat memory: which words decay, how fast they move, where they are kept.

use super::TrainError;
use super::path::{below, matches};
use crate::exec::{AdamGroup, AdamStep, Layout};
use crate::lower::model::{Parameter, Stage};
use crate::recipe::{AdamW, Optimiser, Schedule, Spared, Timeline};

/// An optimiser that knows its parameters.
#[derive(Clone, Debug)]
pub struct Mover {
    rate: Schedule,
    step: AdamStep,
}

impl Mover {
    /// What moves in a stage, in memory order; neighbours that are treated alike are one group.
    ///
    /// # Errors
    /// An optimiser that this version does not have.
    pub fn new(stage: &Stage, layout: &Layout) -> Result<Self, TrainError> {
        let Optimiser::AdamW(recipe) = &stage.optimiser else {
            let what = format!("the optimiser {} (stage `{}`)", stage.optimiser.name(), stage.name);
            return Err(TrainError::Later { what, instead: "use adamw".into() });
        };
        let moving = stage.parameters.iter().filter(|p| p.trained);
        let mut groups: Vec<AdamGroup> = moving.filter_map(|p| group(p, recipe, stage, layout)).collect();
        groups.sort_by_key(|group| group.start);
        groups.dedup_by(|next, group| join(group, next));
        let (betas, eps, clip) = (recipe.betas, recipe.eps, stage.clip);
        Ok(Self { rate: recipe.rate, step: AdamStep { rate: 0.0, betas, eps, count: 0, clip, groups } })
    }

    /// The step that follows `done` finished ones.
    pub fn after(&mut self, done: u64, time: Timeline) -> &AdamStep {
        self.step.rate = self.rate.at(done, time);
        self.step.count = done + 1;
        &self.step
    }
}

fn group(parameter: &Parameter, recipe: &AdamW, stage: &Stage, layout: &Layout) -> Option<AdamGroup> {
    let slot = layout.parameters.get(&parameter.path)?;
    let spared = recipe.no_decay.iter().any(|rule| spares(rule, parameter));
    let fitting = stage.rates.iter().rev().find(|(path, _)| below(&parameter.path, path));
    Some(AdamGroup {
        start: slot.start,
        end: slot.range().end,
        decay: if spared { 0.0 } else { recipe.decay },
        factor: fitting.map_or(1.0, |(_, factor)| *factor) * parameter.factor,
        clamp: parameter.clamp,
    })
}

fn spares(rule: &Spared, parameter: &Parameter) -> bool {
    match rule {
        Spared::Vectors => parameter.dims.len() == 1,
        Spared::Scalars => parameter.dims.is_empty(),
        Spared::Below(path) => below(&parameter.path, path),
        Spared::Pattern(pattern) => matches(&parameter.path, pattern),
    }
}

/// Takes `next` into `group` if only padding lies between them and both are treated alike.
fn join(group: &mut AdamGroup, next: &AdamGroup) -> bool {
    let neighbours = group.end.next_multiple_of(16) == next.start;
    let alike = (group.decay, group.factor) == (next.decay, next.factor);
    let joined = neighbours && alike && group.clamp.is_none() && next.clamp.is_none();
    if joined {
        group.end = next.end;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::testing::{parameter, stage};

    #[test]
    fn groups_follow_the_rules() {
        let mut stage = stage();
        stage.parameters = vec![
            parameter("a.w", &[4, 4]),
            parameter("b.w", &[4, 2]),
            parameter("b.b", &[2]),
            parameter("still", &[3, 3]),
            parameter("temp", &[]),
            parameter("blocks[1].ffn.w", &[2, 2]),
        ];
        stage.parameters[3].trained = false;
        stage.parameters[4].clamp = Some((0.1, 0.5));
        stage.rates = vec![("blocks".into(), 9.0), ("blocks.ffn".into(), 0.5)];
        let Optimiser::AdamW(adamw) = &mut stage.optimiser else { panic!("another optimiser") };
        (adamw.decay, adamw.no_decay) = (0.1, vec![Spared::Vectors, Spared::Scalars]);
        let mut layout = Layout::default();
        stage.parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
        let mut mover = Mover::new(&stage, &layout).expect("a mover");
        let step = mover.after(0, Timeline { length: 10, epoch: 5 });
        let found: Vec<_> = step.groups.iter().map(|g| (g.start, g.end, g.decay, g.factor)).collect();
        let wanted = [(0, 24, 0.1, 1.0), (32, 34, 0.0, 1.0), (64, 65, 0.0, 1.0), (80, 84, 0.1, 0.5)];
        assert_eq!(found, wanted);
        assert_eq!(step.groups[2].clamp, Some((0.1, 0.5)));
    }
}
