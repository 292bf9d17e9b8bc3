//! A recipe's optimiser to steps over flat memory: which words decay, how fast they move, where they are kept.

use super::path::{below, matches};
use crate::exec::{Group, Layout, Update};
use crate::lower::model::{Parameter, Stage};
use crate::recipe::{Method, Schedule, Spared, Timeline};

/// An optimiser that knows its parameters.
#[derive(Clone, Debug)]
pub struct Mover {
    rate: Schedule,
    update: Update,
}

impl Mover {
    /// What moves in a stage, in memory order; neighbours that are treated alike are one group, where it looks at no whole
    /// tensors.
    pub fn new(stage: &Stage, layout: &Layout) -> Self {
        let moving = stage.parameters.iter().filter(|p| p.trained);
        let mut groups: Vec<Group> = moving.filter_map(|p| group(p, stage, layout)).collect();
        groups.sort_by_key(|group| group.start);
        let method = stage.optimiser.method;
        if matches!(method, Method::AdamW { .. } | Method::Sgd { .. }) {
            groups.dedup_by(|next, group| join(group, next));
        }
        let update = Update { method, rate: 0.0, count: 0, clip: stage.clip, groups };
        Self { rate: stage.optimiser.rate, update }
    }

    /// The step that follows `done` finished ones.
    pub fn after(&mut self, done: u64, time: Timeline) -> &Update {
        self.update.rate = self.rate.at(done, time);
        self.update.count = done + 1;
        &self.update
    }
}

fn group(parameter: &Parameter, stage: &Stage, layout: &Layout) -> Option<Group> {
    let slot = layout.parameters.get(&parameter.path)?;
    let optimiser = &stage.optimiser;
    let spared = optimiser.no_decay.iter().any(|rule| spares(rule, parameter));
    let fitting = stage.rates.iter().rev().find(|(path, _)| below(&parameter.path, path));
    Some(Group {
        decay: if spared { 0.0 } else { optimiser.decay },
        factor: fitting.map_or(1.0, |(_, factor)| *factor) * parameter.factor,
        clamp: parameter.clamp,
        ..Group::new(slot.start, &slot.dims)
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
fn join(group: &mut Group, next: &Group) -> bool {
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
        (stage.optimiser.decay, stage.optimiser.no_decay) = (0.1, vec![Spared::Vectors, Spared::Scalars]);
        let mut layout = Layout::default();
        stage.parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
        let groups = |stage: &Stage| {
            Mover::new(stage, &layout).after(0, Timeline { length: 10, epoch: 5 }).groups.clone()
        };
        let ranges = |groups: &[Group]| -> Vec<_> {
            groups.iter().map(|g| (g.start, g.end, g.decay, g.factor)).collect()
        };
        let found = groups(&stage);
        let wanted = [(0, 24, 0.1, 1.0), (32, 34, 0.0, 1.0), (64, 65, 0.0, 1.0), (80, 84, 0.1, 0.5)];
        assert_eq!(ranges(&found), wanted);
        assert_eq!(found[2].clamp, Some((0.1, 0.5)));
        stage.optimiser.method = Method::Lamb { betas: [0.9, 0.999], eps: 1e-6 };
        assert_eq!(ranges(&groups(&stage))[..2], [(0, 16, 0.1, 1.0), (16, 24, 0.1, 1.0)]);
    }
}
