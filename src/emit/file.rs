//! A whole Rust module: what it is, what it imports, its structs with their methods.

use super::Named;
use super::calls::Writer;
use super::cut::cut;
use super::layout::{self, comment, function};
use super::structs::{Method, Struct, Structs};
use super::tree::{Module, tree};
use crate::Model;
use crate::lower::model::{Parameter, Stage};

/// The text of a module.
pub fn text(model: &Model, stage: &Stage, values: &[Named], left_out: &[(String, String)]) -> String {
    let parameters = union(values);
    let tree = tree(&model.name, &parameters);
    let mut structs = Structs::of(&tree);
    for value in values {
        if let Some(output) = value.graph.output(&value.name) {
            let cut = cut(&value.graph, &tree, output);
            Writer { cut: &cut, tree: &tree, structs: &mut structs }.root(&value.name, &value.inputs);
        }
    }
    let mut body = elsewhere(stage, &tree);
    for (at, item) in structs.list.iter().enumerate() {
        body.push_str(&item_text(&structs, item, at == 0));
    }
    head(model, stage, left_out) + &imports(&body) + body.trim_end() + "\n"
}

/// All parameters that values read, in the order of the first reading.
fn union(values: &[Named]) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for parameter in values.iter().flat_map(|value| &value.parameters) {
        if !all.iter().any(|known| known.path == parameter.path) {
            all.push(parameter.clone());
        }
    }
    all
}

/// No inner comment, so that the text can be brought in by `include!`.
fn head(model: &Model, stage: &Stage, left_out: &[(String, String)]) -> String {
    let what = format!(
        "`{}.chi`, stage `{}`, in dfdx types. Written by `chiasm emit rust`: what is changed here is lost when it is written again.",
        model.name, stage.name
    );
    let mut text = comment(0, "//", &what);
    if !left_out.is_empty() {
        text.push_str("//\n// Left out:\n");
    }
    for (name, reason) in left_out {
        let line = comment(0, "//", &format!("- `{name}`: {reason}"));
        text.push_str(&line.replace("\n// ", "\n//   "));
    }
    text + "\n"
}

/// What a text may use, and how it shows.
const USES: [(&str, &str); 19] = [
    ("chiasm::embed::EmbedError", "EmbedError"),
    ("chiasm::embed::Engine", "D: Engine"),
    ("chiasm::embed::Tracing", "Tracing<D>"),
    ("chiasm::embed::typed", "typed::"),
    ("chiasm::embed::typed::Attend", "Attend::"),
    ("chiasm::embed::typed::Conditions", "Conditions<"),
    ("chiasm::embed::typed::Ids", "Ids<"),
    ("chiasm::embed::typed::Value", "Value<"),
    ("chiasm::embed::typed::fork", "fork("),
    ("chiasm::embed::typed::host", "host::"),
    ("chiasm::embed::typed::host::Relation", "Relation::"),
    ("chiasm::embed::typed::host::Stretch", "Stretch::"),
    ("chiasm::embed::typed::join", " join("),
    ("chiasm::embed::typed::op", "op::"),
    ("chiasm::embed::typed::split", " split("),
    ("dfdx::nn::modules::Repeated", "Repeated<"),
    ("dfdx::shapes::HasShape", ".shape()"),
    ("dfdx::tensor::NoneTape", "NoneTape"),
    ("std::path::Path", "Path"),
];

fn imports(body: &str) -> String {
    let always =
        ["dfdx::shapes::Const", "dfdx::shapes::Dtype", "dfdx::tensor::Tensor", "dfdx::tensor_ops::Device"];
    // What the docs say does not count.
    let code: String =
        body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let shows = |mark: &str| {
        code.contains(mark) || mark.starts_with(' ') && code.contains(&format!("({}", mark.trim_start()))
    };
    let used = USES.iter().filter(|(_, mark)| shows(mark)).map(|(path, _)| *path);
    let mut paths: Vec<&str> = used.chain(always).collect();
    paths.sort_by_key(|path| path.split("::").collect::<Vec<_>>());
    paths.iter().map(|path| format!("use {path};\n")).collect::<String>() + "\n"
}

/// The constant that names the parameters of other values.
fn elsewhere(stage: &Stage, tree: &Module) -> String {
    let mut paths: Vec<String> = Vec::new();
    for parameter in &stage.parameters {
        let steps = super::tree::steps(&parameter.path);
        if tree.part(&steps).is_some() {
            continue;
        }
        let ends = parameter.path.match_indices(['.', '[']).map(|(at, _)| at).chain([parameter.path.len()]);
        let unread = |end: &usize| tree.part(&super::tree::steps(&parameter.path[..*end])).is_none();
        let path =
            ends.into_iter().find(unread).map_or(parameter.path.as_str(), |end| &parameter.path[..end]);
        if !paths.iter().any(|known| known == path) {
            paths.push(path.to_string());
        }
    }
    let text = comment(4, "", &paths.join(" "));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let doc = "/// Parameters of the text that no value here reads; a file of weights may have them.\n";
    format!("{doc}const ELSEWHERE: &str = \"{}\";\n\n", lines.join(" \\\n    "))
}

fn item_text(structs: &Structs, item: &Struct, root: bool) -> String {
    let path = item.paths.first().map_or("", String::as_str);
    let fields = structs.fields(path, &item.module);
    let mut text = comment(0, "///", &about(item, root));
    text.push_str(&format!("pub struct {}<E: Dtype, D: Device<E>> {{\n", item.name));
    for (name, ty, key) in &fields {
        let path =
            if path.is_empty() || item.paths.len() > 1 { key.clone() } else { format!("{path}.{key}") };
        text.push_str(&comment(4, "///", &format!("`{path}`")));
        text.push_str(&format!("    pub {name}: {ty},\n"));
    }
    text.push_str("}\n\n");
    let keys: Vec<String> = fields.iter().map(|(name, _, key)| format!("{name}: \"{key}\"")).collect();
    text.push_str(&layout::parts(&item.name, &keys));
    if !item.methods.is_empty() || root {
        text.push_str(&format!("\nimpl<D: Engine> {}<f32, D> {{\n", item.name));
        let own = if root { vec![FILE.to_string()] } else { Vec::new() };
        let methods: Vec<String> =
            own.into_iter().chain(item.methods.iter().map(|method| method_text(method, root))).collect();
        text.push_str(&methods.join("\n"));
        text.push_str("}\n");
    }
    text + "\n"
}

const FILE: &str =
    "    /// The parameters of a safetensors file: a checkpoint's `model.safetensors`, or one that
    /// [`Self::save`] wrote.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, with both shapes; one that the model has no
    /// place for.
    pub fn load(file: &Path, device: &D) -> Result<Self, EmbedError> {
        typed::load(file, device, ELSEWHERE)
    }

    /// Writes all parameters under the names of the text.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, file: &Path) -> Result<(), EmbedError> {
        typed::save(self, file)
    }
";

fn about(item: &Struct, root: bool) -> String {
    if root {
        return "The model: what its values read.".to_string();
    }
    let some: Vec<String> = item.paths.iter().take(3).map(|path| format!("`{path}`")).collect();
    let more = match item.paths.len() {
        count if count > 3 => format!(" and {} more", count - 3),
        _ => String::new(),
    };
    format!("`{}`: {}{more}.", item.module.constructor, some.join(", "))
}

fn method_text(method: &Method, root: bool) -> String {
    let mut text = String::new();
    if root {
        text.push_str(&comment(4, "///", &format!("The value `{}`.", method.name.trim_start_matches("r#"))));
        text.push_str("    ///\n");
    }
    method.doc.iter().for_each(|line| text.push_str(&comment(4, "///", line)));
    let name = if method.taped { format!("{}<T: Tracing<D>>", method.name) } else { method.name.clone() };
    text.push_str(&function(4, &name, &method.arguments, &method.results));
    text.push_str(&method.body);
    text + "    }\n"
}
