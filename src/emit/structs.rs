//! The structs of an emitted file: one for each kind of module, which is a constructor with its parts, and the methods they get.

use super::names::{Names, camel, snake};
use super::tree::{Module, Part, Step, alike, steps};
use std::collections::HashMap;

/// Names of types that the emitted file imports.
const TAKEN: [&str; 20] = [
    "Attend",
    "Conditions",
    "Const",
    "D",
    "Device",
    "Dtype",
    "E",
    "EmbedError",
    "Engine",
    "Ids",
    "NoneTape",
    "Path",
    "Relation",
    "Repeated",
    "Result",
    "Self",
    "Stretch",
    "T",
    "Tensor",
    "Value",
];

/// A struct.
#[derive(Debug)]
pub struct Struct {
    /// `BertLayer`
    pub name: String,
    /// What it is made of.
    pub module: Module,
    /// The modules that have this type.
    pub paths: Vec<String>,
    /// What calls of these modules compute.
    pub methods: Vec<Method>,
}

/// A method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    /// `forward`
    pub name: String,
    /// Comment lines.
    pub doc: Vec<String>,
    /// Whether it has a tape as a parameter.
    pub taped: bool,
    /// Behind `&self`.
    pub arguments: Vec<String>,
    /// The types of what it gives.
    pub results: Vec<String>,
    /// Its lines.
    pub body: String,
}

/// All structs, that of the file first.
#[derive(Debug, Default)]
pub struct Structs {
    /// In the order in which the file's text reaches them.
    pub list: Vec<Struct>,
    by_path: HashMap<String, usize>,
}

impl Structs {
    /// A struct for each kind of module in a tree.
    pub fn of(tree: &Module) -> Self {
        let mut structs = Self::default();
        structs.add("", tree, &mut Names::without(&TAKEN));
        structs
    }

    fn add(&mut self, path: &str, module: &Module, names: &mut Names) {
        let known = self.list.iter().position(|known| known.module == *module);
        let at = known.unwrap_or_else(|| {
            let name = names.fresh(&camel(&module.constructor));
            self.list.push(Struct { name, module: module.clone(), paths: Vec::new(), methods: Vec::new() });
            self.list.len() - 1
        });
        self.list[at].paths.push(path.to_string());
        self.by_path.insert(path.to_string(), at);
        for (name, part) in &module.parts {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.add_part(&path, part, names);
        }
    }

    fn add_part(&mut self, path: &str, part: &Part, names: &mut Names) {
        match part {
            Part::Tensor(_) => {}
            Part::Module(module) => self.add(path, module, names),
            Part::List(items) => {
                items.iter().for_each(|(at, item)| self.add_part(&format!("{path}[{at}]"), item, names));
            }
        }
    }

    /// Which struct a module is.
    pub fn at(&self, path: &str) -> usize {
        self.by_path.get(path).copied().unwrap_or_default()
    }

    /// The name of a method with this text, which it gets if no other has it.
    pub fn method(&mut self, path: &str, method: Method) -> String {
        let at = self.at(path);
        let methods = &mut self.list[at].methods;
        // Values of the file keep their names.
        let same = methods.iter().find(|known| {
            known.body == method.body
                && known.arguments == method.arguments
                && known.results == method.results
        });
        if let Some(known) = same.filter(|_| !path.is_empty()) {
            return known.name.clone();
        }
        let number =
            (2..).find(|at| !methods.iter().any(|known| known.name == format!("{}{at}", method.name)));
        let taken = methods.iter().any(|known| known.name == method.name);
        let name = match number.filter(|_| taken) {
            Some(at) => format!("{}{at}", method.name),
            None => method.name.clone(),
        };
        methods.push(Method { name: name.clone(), ..method });
        name
    }

    /// The fields of a struct: name, type, name in the text.
    pub fn fields(&self, path: &str, module: &Module) -> Vec<(String, String, String)> {
        let mut fields = Vec::new();
        for (name, part) in &module.parts {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.field(&path, name, part, &mut fields);
        }
        fields
    }

    fn field(&self, path: &str, name: &str, part: &Part, fields: &mut Vec<(String, String, String)>) {
        match part {
            Part::List(items) if !alike(items) => {
                let item = |(at, item): (&usize, &Part)| {
                    self.field(&format!("{path}[{at}]"), &format!("{name}[{at}]"), item, fields);
                };
                items.iter().for_each(item);
            }
            part => fields.push((snake(name), self.type_of(path, part), name.to_string())),
        }
    }

    fn type_of(&self, path: &str, part: &Part) -> String {
        match part {
            Part::Tensor(dims) => {
                let shape = crate::shape::Shape::float(dims.iter().copied());
                format!("Tensor<{}, E, D>", super::expr::type_of(&shape))
            }
            Part::Module(_) => format!("{}<E, D>", self.list[self.at(path)].name),
            Part::List(items) => {
                let item = items
                    .values()
                    .next()
                    .map_or(String::new(), |item| self.type_of(&format!("{path}[0]"), item));
                format!("Repeated<{item}, {}>", items.len())
            }
        }
    }
}

/// How a part is reached from a module: `self.blocks[3].attn`.
pub fn access(module: &Module, relative: &str) -> String {
    let all = steps(relative);
    let mut text = "self".to_string();
    let mut name = String::new();
    for (at, step) in all.iter().enumerate() {
        let list = match module.part(&all[..at]) {
            Some(Part::List(items)) => Some(alike(items)),
            _ => None,
        };
        match (step, list) {
            (Step::Name(word), _) => {
                if !name.is_empty() {
                    text.push_str(&format!(".{}", snake(&name)));
                }
                name = word.clone();
            }
            (Step::At(item), Some(true)) => {
                text.push_str(&format!(".{}[{item}]", snake(&name)));
                name.clear();
            }
            (Step::At(item), _) => name.push_str(&format!("[{item}]")),
        }
    }
    // A list in a list has no name of its own.
    if name.is_empty() { text } else { format!("{text}.{}", snake(&name)) }
}
