//! The text of a call of a module: its inputs, a line for each operation and each call of a part, its results.
//!
//! ```text
//! %5 = linear (%3, vision.proj.w, vision.proj.b)     self.proj.forward(x)
//! ```
//!
//! A value goes with its tape to its last reader; readers before it get it lent, so that each operation is on one tape.
//! Calls of all items of a list, each on the result of the one before, become a loop.

use super::cut::{Cut, Item, Operand, Wire};
use super::expr::{self, Around, Call, steers, tupled, type_of};
use super::layout;
use super::names::{Names, snake};
use super::structs::{Method, Structs, access};
use super::tree::{Module, Part, Step, alike, steps};
use crate::graph::Graph;
use crate::op::Op;
use crate::shape::{Kind, Shape, Size};
use std::collections::{BTreeMap, BTreeSet};

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
struct Statement {
    gives: Vec<usize>,
    what: What,
    reads: Vec<Operand>,
}

#[derive(Clone, Debug)]
enum What {
    Op(usize),
    Call {
        path: String,
        method: String,
    },
    /// The list, its range, the method, which operand is handed on.
    Loop {
        list: String,
        first: usize,
        end: usize,
        method: String,
        carried: usize,
    },
}

/// A body that is being written.
struct Body<'a> {
    graph: &'a Graph,
    cut: &'a Cut<'a>,
    tree: &'a Module,
    module: &'a Module,
    scope: String,
    tape: &'static str,
    names: BTreeMap<Wire, String>,
    /// Variables that are references.
    lent: BTreeSet<Wire>,
    given: Names,
    symbols: BTreeMap<String, String>,
    text: String,
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
        let module = self.tree.at(&scope).unwrap_or(self.tree);
        let mut body = Body {
            graph: self.cut.graph,
            cut: self.cut,
            tree: self.tree,
            module,
            scope: scope.clone(),
            tape: "T",
            names: BTreeMap::new(),
            lent: BTreeSet::new(),
            given: Names::without(&["op", "host", "fork", "join", "split", "tape", "device", "layer"]),
            symbols: BTreeMap::new(),
            text: String::new(),
        };
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

impl Around for Body<'_> {
    fn size(&mut self, size: &Size) -> String {
        let mut text = size.to_string().replace('*', " * ");
        for symbol in size.symbols() {
            let name = self.symbols.entry(symbol.to_string()).or_insert_with(|| snake(symbol)).clone();
            text = text.replace(symbol, &name);
        }
        text
    }

    fn device(&mut self) -> String {
        let path = self.module.first_tensor().unwrap_or_default();
        format!("{}.device()", access(self.module, &path))
    }
}

impl Body<'_> {
    fn write(
        &mut self,
        statements: &[Statement],
        outputs: &[usize],
        root: Option<(&str, &[String])>,
        result: &Operand,
    ) -> (Method, Vec<Wire>) {
        let results: Vec<Operand> = match root {
            Some(_) => vec![result.clone()],
            None => outputs.iter().map(|at| Operand::Wire(Wire::Op(*at))).collect(),
        };
        self.find_symbols(statements);
        let mut inputs = self.inputs(statements, &results);
        if let Some((_, order)) = root {
            let place = |wire: &Wire| match wire {
                Wire::Input(name) => order.iter().position(|known| known == name).unwrap_or(order.len()),
                _ => order.len(),
            };
            inputs.sort_by_key(place);
        }
        let real = |wire: &Wire| self.shape(wire).is_some_and(|shape| shape.kind == Kind::Float);
        let taped = inputs.iter().any(real)
            || root.is_some()
            || results.iter().any(|r| matches!(r, Operand::Wire(wire) if real(wire)));
        let untaped_root = root.is_some() && !inputs.iter().any(real);
        self.tape = if taped { "T" } else { "NoneTape" };
        let missing = self.bind_symbols(&inputs, root.is_some());
        inputs.extend(missing);
        let arguments = self.arguments(&inputs, root.is_some(), untaped_root);
        self.prelude(&inputs, root.is_some(), untaped_root);
        let joins = untaped_root && inputs.iter().any(|wire| matches!(wire, Wire::Input(_)));
        self.lines(statements, &results, joins);
        let given = self.result(&results);
        let doc = self.doc(&inputs, &results);
        let name = root.map_or("forward".to_string(), |(name, _)| snake(name));
        let body = std::mem::take(&mut self.text);
        (Method { name, doc, taped, arguments, results: given, body }, inputs)
    }

    fn find_symbols(&mut self, statements: &[Statement]) {
        for statement in statements {
            if let What::Op(at) = statement.what {
                let texts = vec![String::new(); statement.reads.len()];
                self.call_of(at, &texts);
            }
            for read in &statement.reads {
                if let Operand::Wire(Wire::Rows(symbol)) = read {
                    self.symbols.entry(symbol.clone()).or_insert_with(|| snake(symbol));
                }
            }
        }
    }

    fn call_of(&mut self, at: usize, texts: &[String]) -> Call {
        let value = self.cut.ops[at].value;
        let operands: Vec<Shape> =
            self.graph.operands(value).iter().map(|v| self.graph.shape(*v).clone()).collect();
        expr::call(self.graph.node(value), &operands, texts, self)
    }

    /// What is read and not made here: real numbers, then parameters of others, ids, conditions.
    fn inputs(&self, statements: &[Statement], results: &[Operand]) -> Vec<Wire> {
        let made: BTreeSet<usize> = statements.iter().flat_map(|s| s.gives.iter().copied()).collect();
        let mut inputs: Vec<Wire> = Vec::new();
        for read in statements.iter().flat_map(|s| &s.reads).chain(results) {
            let Operand::Wire(wire) = read else { continue };
            let here = match wire {
                Wire::Op(at) => made.contains(at),
                Wire::Parameter(path) => self.own(path).is_some(),
                Wire::Input(_) => false,
                Wire::Rows(_) => true,
            };
            if !here && !inputs.contains(wire) {
                inputs.push(wire.clone());
            }
        }
        inputs.sort_by_key(|wire| match (wire, self.shape(wire).map(|shape| shape.kind)) {
            (Wire::Parameter(_), _) => 1,
            (_, Some(Kind::Float)) => 0,
            _ => 2,
        });
        inputs
    }

    /// The path of a parameter from this module, if it is below it.
    fn own<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.scope.is_empty() {
            return Some(path);
        }
        path.strip_prefix(&self.scope)?.strip_prefix('.')
    }

    fn shape(&self, wire: &Wire) -> Option<Shape> {
        match wire {
            Wire::Op(at) => Some(self.graph.shape(self.cut.ops[*at].value).clone()),
            Wire::Parameter(path) => match self.tree.part(&steps(path)) {
                Some(Part::Tensor(dims)) => Some(Shape::float(dims.iter().copied())),
                _ => None,
            },
            Wire::Input(name) => self.graph.values().find_map(|value| match &self.graph.node(value).op {
                Op::Input(input) if input.name == *name => Some(input.shape.clone()),
                _ => None,
            }),
            Wire::Rows(_) => None,
        }
    }

    /// Names the inputs and the symbols; symbols that no input has become inputs.
    fn bind_symbols(&mut self, inputs: &[Wire], root: bool) -> Vec<Wire> {
        for name in self.symbols.values() {
            self.given.fresh(name);
        }
        for wire in inputs {
            let kind = self.shape(wire).map(|shape| shape.kind);
            let name = match (wire, kind) {
                (Wire::Input(name), _) if root => snake(name),
                (Wire::Parameter(path), _) => match steps(path).pop() {
                    Some(Step::Name(name)) => snake(&name),
                    _ => "weight".to_string(),
                },
                (_, Some(Kind::Ids)) => "ids".to_string(),
                (_, Some(Kind::Condition)) => "mask".to_string(),
                _ => "x".to_string(),
            };
            let name = self.given.fresh(&name);
            self.names.insert(wire.clone(), name);
        }
        let mut missing = Vec::new();
        let symbols = self.symbols.clone();
        for (symbol, name) in &symbols {
            match inputs.iter().find_map(|wire| self.read_symbol(wire, symbol)) {
                Some(text) => self.text.push_str(&format!("        let {name} = {text};\n")),
                None => {
                    missing.push(Wire::Rows(symbol.clone()));
                }
            }
            self.names.insert(Wire::Rows(symbol.clone()), name.clone());
        }
        missing
    }

    /// A symbol by the shape of an input.
    fn read_symbol(&self, wire: &Wire, symbol: &str) -> Option<String> {
        let shape = self.shape(wire)?;
        let at = shape.sizes.iter().position(|size| *size == Size::symbol(symbol))?;
        let sizes = if shape.kind == Kind::Float { "shape" } else { "sizes" };
        Some(format!("{}.{sizes}().{at}", self.names.get(wire)?))
    }

    fn arguments(&mut self, inputs: &[Wire], root: bool, untaped: bool) -> Vec<String> {
        let mut arguments = vec!["&self".to_string()];
        let mut first = true;
        for wire in inputs {
            let name = self.names[wire].clone();
            let Some(shape) = self.shape(wire) else {
                arguments.push(format!("{name}: usize"));
                continue;
            };
            let ty = type_of(&shape);
            arguments.push(match shape.kind {
                Kind::Float => format!("{name}: Value<{ty}, D, {}>", self.tape),
                _ if root && untaped && std::mem::take(&mut first) => {
                    format!("{name}: Tensor<{ty}, usize, D, T>")
                }
                _ if root => format!("{name}: &Tensor<{ty}, usize, D>"),
                Kind::Ids => format!("{name}: &Ids<{ty}>"),
                Kind::Condition => format!("{name}: &Conditions<{ty}>"),
            });
            if !root && shape.kind != Kind::Float {
                self.lent.insert(wire.clone());
            }
        }
        arguments
    }

    /// Ids that a caller gives come to the host, before symbols are read off them.
    fn prelude(&mut self, inputs: &[Wire], root: bool, untaped: bool) {
        if !root {
            return;
        }
        let mut lines = String::new();
        let mut first = untaped;
        for wire in inputs {
            let steers = self.shape(wire).is_some_and(|shape| shape.kind != Kind::Float);
            if !steers {
                continue;
            }
            let name = &self.names[wire];
            if std::mem::take(&mut first) {
                lines.push_str(&format!("        let ({name}, tape) = host::taped_ids({name});\n"));
            } else {
                lines.push_str(&format!("        let {name} = host::ids({name});\n"));
            }
        }
        self.text.insert_str(0, &lines);
    }

    fn result(&self, results: &[Operand]) -> Vec<String> {
        results
            .iter()
            .map(|result| match result {
                Operand::Wire(wire) => self.type_of(wire),
                Operand::Number(..) => format!("Value<(), D, {}>", self.tape),
            })
            .collect()
    }

    fn type_of(&self, wire: &Wire) -> String {
        let Some(shape) = self.shape(wire) else { return "usize".to_string() };
        let ty = type_of(&shape);
        match shape.kind {
            Kind::Float => format!("Value<{ty}, D, {}>", self.tape),
            Kind::Ids => format!("Ids<{ty}>"),
            Kind::Condition => format!("Conditions<{ty}>"),
        }
    }

    fn doc(&self, inputs: &[Wire], results: &[Operand]) -> Vec<String> {
        let sizes = |shape: &Shape| {
            let sizes: Vec<String> = shape.sizes.iter().map(Size::to_string).collect();
            format!("`[{}]`", sizes.join(", "))
        };
        let read: Vec<String> = inputs
            .iter()
            .filter_map(|wire| {
                Some(format!("{} {}", self.names[wire].trim_start_matches("r#"), sizes(&self.shape(wire)?)))
            })
            .collect();
        let given: Vec<String> = results
            .iter()
            .filter_map(|result| match result {
                Operand::Wire(wire) => Some(sizes(&self.shape(wire)?)),
                Operand::Number(..) => None,
            })
            .collect();
        vec![format!("{} to {}.", read.join(", "), given.join(" and "))]
    }
}

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
    fn lines(&mut self, statements: &[Statement], results: &[Operand], joins: bool) {
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
