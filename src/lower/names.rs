//! Which names an expression mentions, and which definitions it can reach.
//!
//! Reaching is by text: a name that stands in an expression counts, whether or not an `if` takes its branch.

use super::program::{Definition, Meaning, Program};
use super::scope::SpaceId;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{
    Arg, Axis, Expr, ExprKind, Function, Index, Module, ModuleBody, Name, Over, Part, Type,
};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A mention of a name that is not bound inside the expression.
pub type Mention = Name;

/// Collects the free names of expressions.
#[derive(Default)]
pub struct Free {
    /// Every mention, in order.
    pub found: Vec<Mention>,
    /// Every `x.part`, for twins: the part's name counts as mentioned when x is a slow copy.
    pub parts: Vec<(String, Name)>,
    /// Every mention of a name that is bound inside, and where that name stands first.
    pub local: Vec<(Span, Span)>,
    /// Stretches of text with the names that are bound in them.
    pub scopes: Vec<(Span, Vec<Span>)>,
    bound: Vec<Name>,
    /// Whether this is data: what stands in its `with` is the name of a column.
    columns: bool,
}

impl Free {
    /// The free names of one expression.
    pub fn of(expr: &Expr) -> Self {
        let mut free = Self::default();
        free.expr(expr);
        free
    }

    /// The free names of a data expression, columns left out.
    pub fn of_data(expr: &Expr) -> Self {
        let mut free = Self { columns: true, ..Self::default() };
        free.expr(expr);
        free
    }

    fn name(&mut self, text: &str, span: Span) {
        match self.bound.iter().rev().find(|bound| bound.text == text) {
            Some(bound) => self.local.push((span, bound.span)),
            None => self.found.push(Name { text: text.to_string(), span }),
        }
    }

    /// Visits an expression.
    pub fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Error => {}
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Group(inner) | ExprKind::Transpose(inner) => self.expr(inner),
            ExprKind::If { test, yes, no } => [test, yes, no].into_iter().for_each(|e| self.expr(e)),
            ExprKind::Pipe { from, step } => {
                self.expr(from);
                self.expr(&step.path);
                step.args.iter().flatten().for_each(|arg| self.arg(arg));
            }
            ExprKind::Unary { value, .. } | ExprKind::As { value, .. } => self.expr(value),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            // What it takes are modalities, not values.
            ExprKind::Call { callee, .. } if matches!(&callee.kind, ExprKind::Name(n) if n == "sees") => {}
            ExprKind::Call { callee, args } => {
                self.expr(callee);
                args.iter().for_each(|arg| self.arg(arg));
            }
            ExprKind::Index { value, indices } => {
                self.expr(value);
                indices.iter().for_each(|index| self.index(index));
            }
            ExprKind::Part { value, name } => {
                self.expr(value);
                if let ExprKind::Name(owner) = &value.kind {
                    self.parts.push((owner.clone(), name.clone()));
                }
            }
            ExprKind::With { value, block } => {
                self.expr(value);
                if !self.columns {
                    block.iter().for_each(|field| self.expr(&field.value));
                }
            }
            ExprKind::List(args) => args.iter().for_each(|arg| self.arg(arg)),
            ExprKind::Comprehension { body, name, over } => {
                match over.as_ref() {
                    Over::Below(e) | Over::Elements(e) => self.expr(e),
                }
                self.binding(expr.span, vec![name.clone()], |free| free.expr(body));
            }
            ExprKind::Route { value, arms } => {
                self.name(&value.text, value.span);
                for arm in arms {
                    arm.test.iter().for_each(|test| self.expr(test));
                    self.expr(&arm.value);
                }
            }
        }
    }

    fn binding(&mut self, whole: Span, names: Vec<Name>, visit: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        self.scopes.push((whole, names.iter().map(|name| name.span).collect()));
        self.bound.extend(names);
        visit(self);
        self.bound.truncate(depth);
    }

    fn arg(&mut self, arg: &Arg) {
        self.expr(&arg.value);
        arg.upper.iter().for_each(|e| self.expr(e));
    }

    fn index(&mut self, index: &Index) {
        match index {
            Index::All(_) => {}
            Index::Range { low, high, .. } => low.iter().chain(high).for_each(|e| self.expr(e)),
            Index::At(e) => self.expr(e),
        }
    }

    /// Visits a type: sizes and vocabularies. Capitals are bound where they first stand, so they are left out.
    pub fn ty(&mut self, ty: &Type) {
        for axis in ty.axes.iter().flatten() {
            if let Axis::Size { size, .. } = axis {
                self.expr(size);
            }
        }
        ty.of.iter().for_each(|e| self.expr(e));
    }

    /// Visits a function: parameters, locals and capitals of its signature are bound.
    pub fn function(&mut self, function: &Function) {
        let mut names = signature_capitals(function);
        // The capital that stands first is the one that is bound.
        names.reverse();
        names.extend(function.params.iter().map(|p| p.name.clone()));
        names.extend(function.locals.iter().map(|f| f.name.clone()));
        self.binding(function.span, names, |free| {
            for param in &function.params {
                param.default.iter().for_each(|e| free.expr(e));
                param.ty.iter().for_each(|t| free.ty(t));
            }
            function.locals.iter().for_each(|f| free.expr(&f.value));
            function.result.iter().for_each(|t| free.ty(t));
            free.expr(&function.value);
        });
    }

    /// Visits a module: its parameters, parts and the capitals of its signatures are bound.
    pub fn module(&mut self, module: &Module, whole: Span) {
        let mut names: Vec<Name> = Vec::new();
        if let ModuleBody::Parts(parts) = &module.body {
            for part in parts {
                match part {
                    Part::Field(field) => names.push(field.name.clone()),
                    Part::Fn(f) => {
                        names.extend(f.name.clone());
                        names.extend(signature_capitals(f));
                    }
                    Part::Require(_) => {}
                }
            }
        }
        names.reverse();
        names.extend(module.params.iter().map(|p| p.name.clone()));
        self.binding(whole, names, |free| {
            module.params.iter().filter_map(|p| p.default.as_ref()).for_each(|e| free.expr(e));
            match &module.body {
                ModuleBody::Derived(e) => free.expr(e),
                ModuleBody::Parts(parts) => parts.iter().for_each(|part| free.part(part)),
            }
        });
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Field(field) => self.expr(&field.value),
            Part::Fn(f) => self.function(f),
            Part::Require(e) => self.expr(e),
        }
    }
}

/// The capitals that the parameter types of a function bind.
pub fn signature_capitals(function: &Function) -> Vec<Name> {
    let types = function.params.iter().filter_map(|p| p.ty.as_ref()).chain(&function.result);
    types.flat_map(type_capitals).collect()
}

/// The capitals that stand alone in a type.
pub fn type_capitals(ty: &Type) -> Vec<Name> {
    let sizes = ty.axes.iter().flatten().filter_map(|axis| match axis {
        Axis::Size { size, .. } => Some(size),
        Axis::Rest(_) => None,
    });
    let names = sizes.chain(&ty.of).filter_map(|e| match &e.kind {
        ExprKind::Name(name) if is_capital(name) => Some(Name { text: name.clone(), span: e.span }),
        _ => None,
    });
    names.collect()
}

/// Whether a name begins with a capital letter.
pub fn is_capital(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The names mentioned directly by a definition.
pub fn mentions(definition: &Definition) -> Free {
    let mut free = Free::default();
    match &definition.meaning {
        Meaning::Set(e) | Meaning::Value(e) | Meaning::Loss(e) | Meaning::Data(e) => free.expr(e),
        Meaning::Input(ty) => free.ty(ty),
        Meaning::State { ty, start, then } => {
            free.ty(ty);
            free.expr(start);
            then.iter().for_each(|e| free.expr(e));
        }
        Meaning::Fn(function) => free.function(function),
        Meaning::Module(module) => free.module(module, definition.span),
    }
    free
}

/// Which definitions of a space each definition reaches, found once and remembered.
#[derive(Default)]
pub struct Reach {
    known: HashMap<(SpaceId, String), Rc<BTreeSet<String>>>,
}

impl Reach {
    /// Everything that a definition reaches through values and functions, itself included. A state is reached, but
    /// nothing through it: reading it gives the value of the step before.
    pub fn of(&mut self, program: &Program, space: SpaceId, name: &str) -> Rc<BTreeSet<String>> {
        let key = (space, name.to_string());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let mut reached = BTreeSet::new();
        self.walk(program, space, name, &mut reached);
        let reached = Rc::new(reached);
        self.known.insert(key, reached.clone());
        reached
    }

    /// Everything that an expression reaches.
    pub fn expr(&mut self, program: &Program, space: SpaceId, expr: &Expr) -> BTreeSet<String> {
        let free = Free::of(expr);
        let mut reached = BTreeSet::new();
        for name in free.found.iter().map(|n| &n.text).chain(free.parts.iter().map(|(_, n)| &n.text)) {
            if program.spaces[space.0].names.contains_key(name) {
                reached.extend(self.of(program, space, name).iter().cloned());
            }
        }
        reached
    }

    fn walk(&self, program: &Program, space: SpaceId, name: &str, reached: &mut BTreeSet<String>) {
        let Some(definition) = program.spaces[space.0].names.get(name) else { return };
        if definition.home != space || !reached.insert(name.to_string()) {
            return;
        }
        if matches!(definition.meaning, Meaning::State { .. }) {
            return;
        }
        let free = mentions(definition);
        for mention in &free.found {
            self.walk(program, space, &mention.text, reached);
        }
        for (owner, part) in &free.parts {
            if is_momentum(program, space, owner) {
                self.walk(program, space, &part.text, reached);
            }
        }
    }
}

/// Whether a name is defined as a slow copy.
pub fn is_momentum(program: &Program, space: SpaceId, name: &str) -> bool {
    program.spaces[space.0].names.get(name).is_some_and(|d| {
        matches!(&d.meaning, Meaning::Value(Expr { kind: ExprKind::Call { callee, .. }, .. })
            if matches!(&callee.kind, ExprKind::Name(n) if n == "momentum"))
    })
}

/// Whether an expression makes a module, a parameter or a list of them: such definitions are never copied.
pub fn is_owner(program: &Program, space: SpaceId, expr: &Expr) -> bool {
    owns(program, space, expr, &mut BTreeSet::new())
}

/// `asked` holds the names that were followed: definitions may name each other in a circle.
fn owns<'p>(program: &'p Program, space: SpaceId, expr: &'p Expr, asked: &mut BTreeSet<&'p str>) -> bool {
    let names = &program.spaces[space.0].names;
    match &expr.kind {
        ExprKind::Call { callee, .. } => matches!(&callee.kind, ExprKind::Name(n)
            if n == "Param" || n == "momentum" || is_capital(n)),
        ExprKind::Group(e) | ExprKind::With { value: e, .. } | ExprKind::Index { value: e, .. } => {
            owns(program, space, e, asked)
        }
        ExprKind::Comprehension { body, name, over } => match over.as_ref() {
            Over::Elements(list) if base_name(body) == Some(name.text.as_str()) => {
                owns(program, space, list, asked)
            }
            _ => owns(program, space, body, asked),
        },
        ExprKind::List(args) => args.iter().any(|arg| owns(program, space, &arg.value, asked)),
        ExprKind::If { yes, no, .. } => owns(program, space, yes, asked) || owns(program, space, no, asked),
        ExprKind::Name(name) => match names.get(name).map(|d| &d.meaning) {
            Some(Meaning::Value(e)) => asked.insert(name) && owns(program, space, e, asked),
            _ => false,
        },
        ExprKind::Part { value, .. } => match &value.kind {
            ExprKind::Name(name) if is_momentum(program, space, name) => false,
            _ => owns(program, space, value, asked),
        },
        _ => false,
    }
}

/// The name that `with`, parts and indices stand behind.
fn base_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Group(e)
        | ExprKind::With { value: e, .. }
        | ExprKind::Part { value: e, .. }
        | ExprKind::Index { value: e, .. } => base_name(e),
        _ => None,
    }
}
