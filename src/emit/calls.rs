//! The calls of a cut graph: for each a method of its module, those of its parts first, calls along a list as loops.
//!
//! ```text
//! x1 = blocks[0](x0)   x2 = blocks[1](x1)   x3 = blocks[2](x2)        for layer in blocks { hidden = layer(hidden) }
//! ```

use super::body::Body;
use super::cut::{Cut, Item, Operand, Wire};
use super::structs::Structs;
use super::tree::{Module, Part, alike, steps};
use std::collections::BTreeSet;

/// What a call of a run looks like.
#[derive(Clone, Debug)]
struct Known {
    method: String,
    inputs: Vec<Wire>,
    outputs: Vec<usize>,
}

/// Writes the methods of a cut graph.
pub struct Writer<'a, 'g> {
    /// The graph.
    pub cut: &'a Cut<'g>,
    /// All modules.
    pub tree: &'a Module,
    /// Where methods go.
    pub structs: &'a mut Structs,
}

/// A line, or a loop.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// What it computes.
    pub gives: Vec<usize>,
    /// How.
    pub what: What,
    /// Operands, or arguments.
    pub reads: Vec<Operand>,
}

/// What a line does.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// An operation.
    Op(usize),
    /// A method of a part.
    Call { path: String, method: String },
    /// The list, its range, the method, which operand is handed on.
    Loop { list: String, first: usize, end: usize, method: String, carried: usize },
}

impl Writer<'_, '_> {
    /// Writes the method of the file itself.
    pub fn root(&mut self, name: &str, inputs: &[String]) {
        self.run(0, Some((name, inputs)));
    }

    fn run(&mut self, run: usize, root: Option<(&str, &[String])>) -> Known {
        let statements = self.statements(run);
        let outputs = self.outputs(run);
        let scope = self.cut.runs[run].scope.clone();
        let mut body = Body::new(self.cut, self.tree, &scope);
        let (method, inputs) = body.write(&statements, &outputs, root, &self.cut.output);
        let name = self.structs.method(&scope, method);
        Known { method: name, inputs, outputs }
    }

    fn statements(&mut self, run: usize) -> Vec<Statement> {
        let mut statements = Vec::new();
        for item in self.cut.runs[run].items.clone() {
            statements.push(match item {
                Item::Op(at) => Statement {
                    gives: vec![at],
                    what: What::Op(at),
                    reads: self.cut.ops[at].operands.clone(),
                },
                Item::Call(inner) => {
                    let known = self.run(inner, None);
                    let path = self.cut.runs[inner].scope.clone();
                    let reads = known.inputs.into_iter().map(Operand::Wire).collect();
                    Statement { gives: known.outputs, what: What::Call { path, method: known.method }, reads }
                }
            });
        }
        self.loops(statements)
    }

    /// What is read outside of a run.
    fn outputs(&self, run: usize) -> Vec<usize> {
        let mut outputs = BTreeSet::new();
        for reader in &self.cut.ops {
            for operand in &reader.operands {
                if let Operand::Wire(Wire::Op(at)) = operand {
                    let leaves = self.cut.inside(*at, run) && !self.inside_of(reader.run, run);
                    outputs.extend(leaves.then_some(*at));
                }
            }
        }
        if let Operand::Wire(Wire::Op(at)) = &self.cut.output {
            outputs.extend(self.cut.inside(*at, run).then_some(*at));
        }
        outputs.into_iter().collect()
    }

    fn inside_of(&self, inner: usize, run: usize) -> bool {
        let mut at = inner;
        while at != run && at != 0 {
            at = self.cut.runs[at].parent;
        }
        at == run
    }

    /// Calls along a list become loops.
    fn loops(&self, statements: Vec<Statement>) -> Vec<Statement> {
        let mut folded: Vec<Statement> = Vec::new();
        let mut at = 0;
        while at < statements.len() {
            let (end, carried) = self.chain(&statements, at);
            let first = statements[at].clone();
            let along = self.list(&first).filter(|_| end - at > 1);
            if let (Some((list, start, method)), Some(carried)) = (along, carried) {
                let what = What::Loop { list, first: start, end: start + end - at, method, carried };
                folded.push(Statement { gives: statements[end - 1].gives.clone(), what, reads: first.reads });
            } else {
                folded.extend(statements[at..end].iter().cloned());
            }
            at = end;
        }
        folded
    }

    /// Where the calls end that hand on one value from here, and which operand it is.
    fn chain(&self, statements: &[Statement], start: usize) -> (usize, Option<usize>) {
        let (mut end, mut carried) = (start + 1, None);
        while end < statements.len() {
            let (last, next) = (&statements[end - 1], &statements[end]);
            let (Some(a), Some(b)) = (self.list(last), self.list(next)) else { break };
            let along = a.0 == b.0 && a.1 + 1 == b.1 && a.2 == b.2 && last.gives.len() == 1;
            let handed = Operand::Wire(Wire::Op(last.gives[0]));
            let differ: Vec<usize> =
                (0..next.reads.len()).filter(|i| last.reads.get(*i) != next.reads.get(*i)).collect();
            let others = statements.iter().filter(|s| s.reads.contains(&handed)).count();
            let fits = along && last.reads.len() == next.reads.len() && others == 1 && next.gives.len() == 1;
            match differ[..] {
                [i] if fits && next.reads[i] == handed && carried.is_none_or(|known| known == i) => {
                    carried = Some(i)
                }
                _ => break,
            }
            end += 1;
        }
        (end, carried)
    }

    /// The list that a call belongs to, its place there, and the method.
    fn list(&self, statement: &Statement) -> Option<(String, usize, String)> {
        let What::Call { path, method } = &statement.what else { return None };
        let (list, at) = path.strip_suffix(']')?.rsplit_once('[')?;
        let Some(Part::List(items)) = self.tree.part(&steps(list)) else { return None };
        alike(items).then_some((list.to_string(), at.parse().ok()?, method.clone()))
    }
}
