//! The lines of a body: a value with its tape to its last reader, lent to the readers before.

use super::body::Body;
use super::calls::{Statement, What};
use super::cut::{Operand, Wire};
use super::expr::{self, Around, Call, steers, tupled};
use super::layout;
use super::names::snake;
use super::structs::access;
use super::tree::{Part, Step, steps};
use crate::shape::Kind;
use std::collections::BTreeMap;

/// One reading of a real variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    statement: usize,
    read: usize,
    /// Whether it may take the tape.
    takes: bool,
}

impl Body<'_> {
    /// All lines, then the results.
    pub fn lines(&mut self, statements: &[Statement], results: &[Operand], joins: bool) {
        let uses = self.uses(statements, results);
        for (at, statement) in statements.iter().enumerate() {
            let tail =
                at + 1 == statements.len() && !joins && !matches!(statement.what, What::Loop { .. }) && {
                    let given: Vec<Operand> =
                        statement.gives.iter().map(|op| Operand::Wire(Wire::Op(*op))).collect();
                    given == results
                };
            self.statement(at, statement, &uses, tail);
            if tail {
                return;
            }
        }
        let names: Vec<String> = results.iter().map(|result| self.named(result)).collect();
        let whole = if let [one] = &names[..] { one.clone() } else { tupled(&names) };
        let whole = if joins { format!("join({whole}, tape)") } else { whole };
        self.text.push_str(&format!("        Ok({whole})\n"));
    }

    fn named(&mut self, result: &Operand) -> String {
        match result {
            Operand::Number(value, _) => {
                format!("op::fill((), {}, {})?", expr::number(*value), self.device())
            }
            Operand::Wire(Wire::Parameter(path)) if self.own(path).is_some() => {
                format!("{}.retaped()", access(self.module, self.own(path).unwrap_or(path)))
            }
            Operand::Wire(wire) => self.names.get(wire).cloned().unwrap_or_default(),
        }
    }

    fn uses(&self, statements: &[Statement], results: &[Operand]) -> BTreeMap<Wire, Vec<Use>> {
        let mut uses: BTreeMap<Wire, Vec<Use>> = BTreeMap::new();
        let last = Statement {
            gives: Vec::new(),
            what: What::Call { path: String::new(), method: String::new() },
            reads: results.to_vec(),
        };
        for (at, statement) in statements.iter().chain([&last]).enumerate() {
            let looks = match statement.what {
                What::Op(op) => steers(self.graph.node(self.cut.ops[op].value)),
                _ => false,
            };
            for (read, operand) in statement.reads.iter().enumerate() {
                let Operand::Wire(wire) = operand else { continue };
                let real = self.shape(wire).is_some_and(|shape| shape.kind == Kind::Float);
                let own = matches!(wire, Wire::Parameter(path) if self.own(path).is_some());
                if real && !own {
                    uses.entry(wire.clone()).or_default().push(Use { statement: at, read, takes: !looks });
                }
            }
        }
        uses
    }

    fn statement(&mut self, at: usize, statement: &Statement, uses: &BTreeMap<Wire, Vec<Use>>, tail: bool) {
        let mut loaned = Vec::new();
        let texts: Vec<String> = (0..statement.reads.len())
            .map(|read| self.read(at, statement, read, uses, &mut loaned))
            .collect();
        match &statement.what {
            What::Op(op) => {
                let call = self.call_of(*op, &texts);
                let node = self.graph.node(self.cut.ops[*op].value);
                let name = self.given.fresh(expr::noun(&node.op));
                let head = format!("let {name}: {} = ", self.type_of(&Wire::Op(*op)));
                self.names.insert(Wire::Op(*op), name);
                let text =
                    if tail { layout::call(8, "", &call, "") } else { layout::call(8, &head, &call, "?;") };
                self.text.push_str(&text);
            }
            What::Call { path, method } => {
                let relative = self.own(path).unwrap_or(path).to_string();
                let function = format!("{}.{method}", access(self.module, &relative));
                let call = Call { function, arguments: texts };
                let names = self.results_of(statement, &relative);
                let head = format!("let {names} = ");
                let text = if tail {
                    layout::method(8, "", &call, "")
                } else {
                    layout::method(8, &head, &call, "?;")
                };
                self.text.push_str(&text);
            }
            What::Loop { list, first, end, method, carried } => {
                let relative = self.own(list).unwrap_or(list).to_string();
                let name = self.given.fresh("hidden");
                let mut start = texts[*carried].clone();
                for tape in loaned {
                    start = format!("join({start}, {tape})");
                }
                self.text.push_str(&format!("        let mut {name} = {start};\n"));
                let modules = format!("{}.modules", access(self.module, &relative));
                let count = match self.module.part(&steps(&relative)) {
                    Some(Part::List(items)) => items.len(),
                    _ => 0,
                };
                let range = match (*first, *end) {
                    (0, end) if end == count => String::new(),
                    (0, end) => format!("[..{end}]"),
                    (first, end) if end == count => format!("[{first}..]"),
                    (first, end) => format!("[{first}..{end}]"),
                };
                self.text.push_str(&format!("        for layer in &{modules}{range} {{\n"));
                let mut arguments = texts;
                arguments[*carried] = name.clone();
                let call = Call { function: format!("layer.{method}"), arguments };
                self.text.push_str(&layout::call(12, &format!("{name} = "), &call, "?;"));
                self.text.push_str("        }\n");
                statement.gives.iter().for_each(|op| {
                    self.names.insert(Wire::Op(*op), name.clone());
                });
            }
        }
    }

    /// Names what a call gives, after the part that is called.
    fn results_of(&mut self, statement: &Statement, path: &str) -> String {
        let word = match steps(path).into_iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name),
            Step::At(_) => None,
        }) {
            Some(name) => snake(&name),
            None => "value".to_string(),
        };
        let names: Vec<String> = statement
            .gives
            .iter()
            .map(|op| {
                let name = self.given.fresh(&word);
                self.names.insert(Wire::Op(*op), name.clone());
                name
            })
            .collect();
        if let [one] = &names[..] { one.clone() } else { tupled(&names) }
    }

    /// How an operand is written. `loaned` gets tapes that values keep which a loop only borrows.
    fn read(
        &mut self,
        at: usize,
        statement: &Statement,
        read: usize,
        uses: &BTreeMap<Wire, Vec<Use>>,
        loaned: &mut Vec<String>,
    ) -> String {
        let called = !matches!(statement.what, What::Op(_));
        let host = match statement.what {
            What::Op(op) => steers(self.graph.node(self.cut.ops[op].value)),
            _ => false,
        };
        let wire = match &statement.reads[read] {
            Operand::Number(value, kind) => return number(*value, *kind, host),
            Operand::Wire(wire) => wire,
        };
        if let Wire::Parameter(path) = wire
            && let Some(own) = self.own(path)
        {
            let text = access(self.module, own);
            return match statement.what {
                What::Op(_) => format!("&{text}"),
                What::Call { .. } => self.lend(own, &text),
                What::Loop { .. } => format!("fork(&{})", self.lend(own, &text)),
            };
        }
        let name = self.names.get(wire).cloned().unwrap_or_default();
        let Some(all) = uses.get(wire) else {
            return if self.lent.contains(wire) || matches!(wire, Wire::Rows(_)) {
                name
            } else {
                format!("&{name}")
            };
        };
        if host {
            return format!("&{name}");
        }
        let last = all.iter().rposition(|u| u.takes).map(|i| all[i]);
        let is_last = last == Some(Use { statement: at, read, takes: true });
        if let What::Loop { carried, .. } = statement.what
            && carried != read
        {
            if is_last {
                let tape = self.given.fresh("tape");
                self.text.push_str(&format!("        let ({name}, {tape}) = split({name});\n"));
                loaned.push(tape);
            }
            return format!("fork(&{name})");
        }
        if is_last {
            self.keep_for_lookers(all, at, wire, &name);
            return name;
        }
        let again = last.is_some_and(|last| last.statement == at);
        if called || again { format!("fork(&{name})") } else { format!("&{name}") }
    }

    /// A parameter for a call, as a variable.
    fn lend(&mut self, path: &str, text: &str) -> String {
        let word = match steps(path).pop() {
            Some(Step::Name(name)) => snake(&name),
            _ => "weight".to_string(),
        };
        let name = self.given.fresh(&word);
        self.text.push_str(&format!("        let {name} = {text}.retaped::<{}>();\n", self.tape));
        name
    }

    /// Who only looks at a value after its tape is gone looks at a copy.
    fn keep_for_lookers(&mut self, all: &[Use], at: usize, wire: &Wire, name: &str) {
        if all.iter().any(|u| u.statement > at && !u.takes) {
            let seen = self.given.fresh(&format!("{}_seen", name.trim_start_matches("r#")));
            self.text.push_str(&format!("        let {seen} = {name}.retaped::<NoneTape>();\n"));
            self.names.insert(wire.clone(), seen);
        }
    }
}

fn number(value: f64, kind: Kind, host: bool) -> String {
    match (kind, host) {
        (Kind::Ids, _) => format!("&{value:.0}_i64"),
        (Kind::Condition, _) => format!("&{}", value != 0.0),
        (Kind::Float, true) => format!("&{}", expr::number(value)),
        (Kind::Float, false) => expr::number(value),
    }
}
