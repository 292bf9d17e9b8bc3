//! A method for a call of a module: its inputs, its symbols, its results; its lines are those of `lines.rs`.
//!
//! ```text
//! %5 = linear (%3, vision.proj.w, vision.proj.b)     self.proj.forward(x)
//! ```
//!
//! Inputs are numbers, then parameters of other modules, ids and conditions, then batch symbols that no input has.

use super::calls::{Statement, What};
use super::cut::{Cut, Operand, Wire};
use super::expr::{self, Around, Call, type_of};
use super::names::{Names, snake};
use super::structs::{Method, access};
use super::tree::{Module, Part, Step, steps};
use crate::graph::Graph;
use crate::op::Op;
use crate::shape::{Kind, Shape, Size};
use std::collections::{BTreeMap, BTreeSet};

/// A body that is being written.
pub(super) struct Body<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// Its calls.
    pub cut: &'a Cut<'a>,
    tree: &'a Module,
    /// The module that is called.
    pub module: &'a Module,
    scope: String,
    /// How the type of the tape is called.
    pub tape: &'static str,
    /// Variables.
    pub names: BTreeMap<Wire, String>,
    /// Variables that are references.
    pub lent: BTreeSet<Wire>,
    /// Names that are taken.
    pub given: Names,
    symbols: BTreeMap<String, String>,
    /// The lines so far.
    pub text: String,
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

impl<'a> Body<'a> {
    /// An empty one for a call of a module.
    pub fn new(cut: &'a Cut<'a>, tree: &'a Module, scope: &str) -> Self {
        Self {
            graph: cut.graph,
            cut,
            tree,
            module: tree.at(scope).unwrap_or(tree),
            scope: scope.to_string(),
            tape: "T",
            names: BTreeMap::new(),
            lent: BTreeSet::new(),
            given: Names::without(&["op", "host", "fork", "join", "split", "tape", "device", "layer"]),
            symbols: BTreeMap::new(),
            text: String::new(),
        }
    }

    /// The method, and what it reads, in the order of its arguments.
    pub fn write(
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

    pub fn call_of(&mut self, at: usize, texts: &[String]) -> Call {
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
    pub fn own<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.scope.is_empty() {
            return Some(path);
        }
        path.strip_prefix(&self.scope)?.strip_prefix('.')
    }

    pub fn shape(&self, wire: &Wire) -> Option<Shape> {
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

    pub fn type_of(&self, wire: &Wire) -> String {
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
