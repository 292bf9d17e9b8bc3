//! Tree to text: one definition per line, two spaces of indent, one space between tokens.
//!
//! Invariant: parsing the text gives the same tree but for the spans, and printing that gives the same text. (A tree with
//! an `Error` in it, which stands for something unreadable, prints as `…`.) Comments are not in the tree and not printed.
//!
//! ```
//! use chiasm_dsl::{parse::parse, print::print, span::FileId};
//! let parsed = parse(FileId(0), "a=b'@[c,d:1 ..2]->e");
//! assert_eq!(print(&parsed.tree), "a = b' @ [c, d: 1..2] -> e\n");
//! ```

use crate::tree::{
    Arg, Arm, Axis, BinaryOp, Expr, ExprKind, Field, File, Form, Function, Index, Item, ItemKind, Module,
    ModuleBody, Over, Param, Part, Rule, Stage, StageField, Step, Task, Type, UnaryOp, Weights,
    WeightsSource,
};

/// A whole file.
pub fn print(file: &File) -> String {
    file.items.iter().map(|it| item(it) + "\n").collect()
}

/// A definition, without the end of its last line.
pub fn item(item: &Item) -> String {
    match &item.kind {
        ItemKind::Extend(file) => format!("extend \"{}\"", file.text),
        ItemKind::Use(file) => format!("use \"{}\"", file.text),
        ItemKind::Modality(name) => format!("modality {}", name.text),
        ItemKind::Set(it) => format!("set {}", field(it)),
        ItemKind::Input { name, ty: it } => format!("input {} : {}", name.text, ty(it)),
        ItemKind::Define(it) => field(it),
        ItemKind::Edit { name, block: fields } => format!("{} with {}", name.text, block(fields)),
        ItemKind::State { name, ty: it, start, then } => {
            let then = then.as_ref().map_or(String::new(), |then| format!(" then {}", expr(then)));
            format!("state {} : {} = {}{then}", name.text, ty(it), expr(start))
        }
        ItemKind::Loss(it) => format!("loss {}", field(it)),
        ItemKind::Fn(it) => function(it, ""),
        ItemKind::Module(it) => module(it),
        ItemKind::Weights(it) => weights(it),
        ItemKind::Data(it) => format!("data {}", field(it)),
        ItemKind::Stage(it) => stage(it),
        ItemKind::Task(it) => task(it),
    }
}

fn field(field: &Field) -> String {
    format!("{} = {}", field.name.text, expr(&field.value))
}

/// Lines in braces, indented.
fn lines(lines: impl Iterator<Item = String>) -> String {
    let inside: String = lines.map(|line| format!("  {line}\n")).collect();
    if inside.is_empty() { "{}".to_string() } else { format!("{{\n{inside}}}") }
}

fn module(module: &Module) -> String {
    let params = if module.params.is_empty() { "()".to_string() } else { params(&module.params) };
    let body = match &module.body {
        ModuleBody::Parts(parts) => lines(parts.iter().map(part)),
        ModuleBody::Derived(value) => format!("= {}", expr(value)),
    };
    format!("module {}{params} {body}", module.name.text)
}

fn part(part: &Part) -> String {
    match part {
        Part::Field(it) => field(it),
        Part::Fn(it) => function(it, "  "),
        Part::Require(value) => format!("require {}", expr(value)),
    }
}

fn function(function: &Function, indent: &str) -> String {
    let name = function.name.as_ref().map_or(String::new(), |name| name.text.clone());
    let result = function.result.as_ref().map_or(String::new(), |result| format!(" -> {}", ty(result)));
    let head = format!("fn {name}{}{result}", params(&function.params));
    let value = expr(&function.value);
    if function.locals.is_empty() {
        return format!("{head} = {value}");
    }
    let locals: String = function.locals.iter().map(|it| format!("{indent}  {}\n", field(it))).collect();
    format!("{head} {{\n{locals}{indent}  return {value}\n{indent}}}")
}

fn params(params: &[Param]) -> String {
    format!("({})", commas(params, param))
}

fn param(param: &Param) -> String {
    let ty = param.ty.as_ref().map_or(String::new(), |it| format!(": {}", ty(it)));
    let default = param.default.as_ref().map_or(String::new(), |value| format!(" = {}", expr(value)));
    format!("{}{ty}{default}", param.name.text)
}

fn weights(weights: &Weights) -> String {
    let source = match &weights.source {
        WeightsSource::Module => String::new(),
        WeightsSource::Checkpoint(name) => format!(" from \"{}\"", name.text),
        WeightsSource::Stage(name) => format!(" from {}", name.text),
        WeightsSource::Edit => " with".to_string(),
    };
    format!("weights {}{source} {}", weights.name.text, lines(weights.rules.iter().map(rule)))
}

fn rule(rule: &Rule) -> String {
    let via = rule.via.as_ref().map_or(String::new(), |map| format!(" via {}", map.text));
    format!("{} = {}{via}", expr(&rule.path), expr(&rule.value))
}

fn stage(stage: &Stage) -> String {
    format!("stage {}{} {}", stage.name.text, form(&stage.form), lines(stage.fields.iter().map(stage_field)))
}

fn task(task: &Task) -> String {
    let on = task.on.as_ref().map_or(String::new(), |stage| format!(" on {}", stage.text));
    let form = form(&task.form);
    format!("task {}{on}{form} {}", task.name.text, lines(task.fields.iter().map(stage_field)))
}

fn form(form: &Form) -> String {
    match form {
        Form::New => String::new(),
        Form::Edit => " with".to_string(),
        Form::Derived(name) => format!(" = {} with", name.text),
    }
}

fn stage_field(it: &StageField) -> String {
    match it {
        StageField::Field(it) => field(it),
        StageField::Set(it) => format!("set {}", field(it)),
        StageField::Rate { path, value } => format!("rate {} = {}", expr(path), expr(value)),
    }
}

/// A type.
pub fn ty(ty: &Type) -> String {
    let causal = if ty.causal { "causal " } else { "" };
    let label = ty.label.as_ref().map_or("", |label| label.text.as_str());
    let axes = ty.axes.as_ref().map_or(String::new(), |axes| format!("[{}]", commas(axes, axis)));
    let of = ty.of.as_ref().map_or(String::new(), |of| format!(" of {}", expr(of)));
    format!("{causal}{label}{axes}{of}")
}

fn axis(axis: &Axis) -> String {
    match axis {
        Axis::Rest(_) => "..".to_string(),
        Axis::Size { padded, size } => format!("{}{}", if *padded { "~" } else { "" }, expr(size)),
    }
}

/// An expression, on one line.
pub fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Number { value, whole } => number(*value, *whole),
        ExprKind::Text(text) => format!("\"{text}\""),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Group(inner) => format!("({})", expr(inner)),
        ExprKind::If { test, yes, no } => format!("if {} then {} else {}", expr(test), expr(yes), expr(no)),
        ExprKind::Pipe { from, step: it } => format!("{} -> {}", expr(from), step(it)),
        ExprKind::Unary { op: UnaryOp::Negate, value } => format!("-{}", expr(value)),
        ExprKind::Unary { op: UnaryOp::Not, value } => format!("not {}", expr(value)),
        ExprKind::Binary { op, left, right, .. } => format!("{} {} {}", expr(left), sign(*op), expr(right)),
        ExprKind::Call { callee, args: list } => format!("{}{}", expr(callee), args(list)),
        ExprKind::Index { value, indices } => format!("{}[{}]", expr(value), commas(indices, index)),
        ExprKind::Part { value, name } => format!("{}.{}", expr(value), name.text),
        ExprKind::Transpose(value) => format!("{}'", expr(value)),
        ExprKind::As { value, label } => format!("{} as {}", expr(value), label.text),
        ExprKind::With { value, block: fields } => format!("{} with {}", expr(value), block(fields)),
        ExprKind::List(list) => format!("[{}]", commas(list, arg)),
        ExprKind::Comprehension { body, name, over: it } => {
            format!("[{} for {} {}]", expr(body), name.text, over(it))
        }
        ExprKind::Route { value, arms } => format!("route {} {}", value.text, braces(arms.iter().map(arm))),
        ExprKind::Error => "…".to_string(),
    }
}

/// A whole number keeps being one; others keep a dot or an exponent.
fn number(value: f64, whole: bool) -> String {
    if whole { format!("{value}") } else { format!("{value:?}") }
}

fn step(step: &Step) -> String {
    expr(&step.path) + &step.args.as_ref().map_or(String::new(), |list| args(list))
}

fn args(list: &[Arg]) -> String {
    format!("({})", commas(list, arg))
}

fn arg(arg: &Arg) -> String {
    let name = arg.name.as_ref().map_or(String::new(), |name| format!("{}: ", name.text));
    let upper = arg.upper.as_ref().map_or(String::new(), |upper| format!("..{}", expr(upper)));
    format!("{name}{}{upper}", expr(&arg.value))
}

fn index(index: &Index) -> String {
    let end = |end: &Option<Expr>| end.as_ref().map_or(String::new(), expr);
    match index {
        Index::All(_) => ":".to_string(),
        Index::Range { low, high, .. } => format!("{}..{}", end(low), end(high)),
        Index::At(place) => expr(place),
    }
}

fn over(over: &Over) -> String {
    match over {
        Over::Below(end) => format!("< {}", expr(end)),
        Over::Elements(list) => format!("in {}", expr(list)),
    }
}

fn arm(arm: &Arm) -> String {
    let test = arm.test.as_ref().map_or(String::new(), |test| format!(" if {}", expr(test)));
    format!("{}{test}: {}", arm.label.text, expr(&arm.value))
}

fn block(fields: &[Field]) -> String {
    braces(fields.iter().map(field))
}

/// Entries in braces on one line, two spaces apart.
fn braces(entries: impl Iterator<Item = String>) -> String {
    let inside = entries.collect::<Vec<_>>().join("  ");
    if inside.is_empty() { "{}".to_string() } else { format!("{{ {inside} }}") }
}

fn commas<T>(list: &[T], one: impl Fn(&T) -> String) -> String {
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// An operator as it is written.
pub fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
        BinaryOp::Matmul => "@",
        BinaryOp::Power => "^",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
    }
}
