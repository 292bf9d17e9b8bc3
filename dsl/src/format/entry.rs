//! The tree as marks on its tokens: where definitions begin, which `=` are theirs, which signs stand apart.
//!
//! Everything in braces is a row of entries: parts, fields, rules, arms, local definitions. So is the file.

use super::piece::Piece;
use crate::token::Kind;
use crate::tree::{
    Arg, Axis, Expr, ExprKind, Field, File, Function, Index, Item, ItemKind, Module, ModuleBody, Over, Param,
    Part, Rule, StageField, Step, Type, UnaryOp,
};

/// What is aligned with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// `set`s.
    Set,
    /// Values, modules, losses, data, parts, fields, rules.
    Define,
    /// States, `:` and `=`.
    State,
    /// Inputs, `:` only.
    Input,
    /// Learning rates of a stage.
    Rate,
    /// Nothing is aligned; may share a line.
    Plain,
    /// Nothing is aligned; has its line to itself.
    Alone,
}

/// An entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it is.
    pub row: Row,
    /// Its `=`, if it has one.
    pub assign: Option<usize>,
    /// The `:` of an input or a state.
    pub colon: Option<usize>,
}

/// Marks, one for each piece.
pub struct Entries {
    /// The entry that begins here.
    pub starts: Vec<Option<Entry>>,
    /// A space stands before it, whatever it is.
    pub apart: Vec<bool>,
    /// A minus with one operand.
    pub unary: Vec<bool>,
    /// The bracket that closes or opens this one.
    pub partner: Vec<usize>,
    /// The innermost open bracket.
    pub inside: Vec<Option<usize>>,
    /// How many brackets are open.
    pub depth: Vec<usize>,
    /// The innermost entry, by its first piece.
    pub owner: Vec<usize>,
}

impl Entries {
    /// One past the last piece of the entry that begins at `start`: the next entry, or the closing brace.
    pub fn end(&self, start: usize) -> usize {
        let close = self.inside[start].map_or(self.starts.len() - 1, |open| self.partner[open]);
        let inside = |at: &usize| self.inside[*at] == self.inside[start] && self.starts[*at].is_some();
        (start + 1..close).find(inside).unwrap_or(close)
    }
}

/// Reads the marks off the tree.
pub fn entries(tree: &File, pieces: &[Piece]) -> Entries {
    let none = || vec![false; pieces.len()];
    let marks = Entries {
        starts: vec![None; pieces.len()],
        apart: none(),
        unary: none(),
        partner: vec![0; pieces.len()],
        inside: vec![None; pieces.len()],
        depth: vec![0; pieces.len()],
        owner: vec![0; pieces.len()],
    };
    let mut walk = Walk { pieces, marks };
    tree.items.iter().for_each(|item| walk.item(item));
    nest(pieces, &mut walk.marks);
    walk.marks
}

/// Brackets and owners of every piece.
fn nest(pieces: &[Piece], marks: &mut Entries) {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut owner = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if matches!(piece.kind, Kind::RightParen | Kind::RightBracket | Kind::RightBrace)
            && let Some((other, outer)) = open.pop()
        {
            (marks.partner[at], marks.partner[other]) = (other, at);
            owner = outer;
        }
        if marks.starts[at].is_some() {
            owner = at;
        }
        marks.inside[at] = open.last().map(|(open, _)| *open);
        (marks.depth[at], marks.owner[at]) = (open.len(), owner);
        if matches!(piece.kind, Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace) {
            open.push((at, owner));
        }
    }
}

struct Walk<'p, 't> {
    pieces: &'p [Piece<'t>],
    marks: Entries,
}

impl Walk<'_, '_> {
    /// The first piece at or behind a byte.
    fn find(&self, byte: u32) -> usize {
        self.pieces.partition_point(|piece| piece.start < byte).min(self.pieces.len() - 1)
    }

    fn start(&mut self, at: usize, row: Row, assign: Option<usize>, colon: Option<usize>) {
        self.marks.starts[at] = Some(Entry { row, assign, colon });
    }

    /// `name = value`, perhaps behind a word.
    fn field(&mut self, it: &Field, row: Row, words: usize) {
        let name = self.find(it.name.span.start);
        self.start(name - words, row, Some(name + 1), None);
        self.expr(&it.value);
    }

    fn fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|it| self.field(it, Row::Define, 0));
    }

    fn item(&mut self, item: &Item) {
        let first = self.find(item.span.start);
        match &item.kind {
            ItemKind::Set(it) => self.field(it, Row::Set, 1),
            ItemKind::Define(it) => self.field(it, Row::Define, 0),
            ItemKind::Loss(it) | ItemKind::Data(it) => self.field(it, Row::Define, 1),
            ItemKind::Input { ty, .. } => self.declared(first, Row::Input, ty, None),
            ItemKind::State { ty, start, then, .. } => {
                self.declared(first, Row::State, ty, Some(self.find(ty.span.end)));
                self.expr(start);
                then.iter().for_each(|it| self.expr(it));
            }
            ItemKind::Fn(it) => self.function(it),
            ItemKind::Module(it) => self.module(it, first),
            other => self.blocks(other, first),
        }
    }

    fn blocks(&mut self, item: &ItemKind, first: usize) {
        self.start(first, Row::Alone, None, None);
        match item {
            ItemKind::Edit { block, .. } => self.fields(block),
            ItemKind::Weights(it) => it.rules.iter().for_each(|it| self.rule(it)),
            ItemKind::Stage(it) => it.fields.iter().for_each(|it| self.stage_field(it)),
            ItemKind::Task(it) => it.fields.iter().for_each(|it| self.stage_field(it)),
            _ => {}
        }
    }

    /// `word name : type`
    fn declared(&mut self, first: usize, row: Row, ty: &Type, assign: Option<usize>) {
        self.start(first, row, assign, Some(first + 2));
        self.marks.apart[first + 2] = true;
        self.ty(ty);
    }

    fn module(&mut self, module: &Module, first: usize) {
        self.params(&module.params);
        match &module.body {
            ModuleBody::Parts(parts) => {
                self.start(first, Row::Alone, None, None);
                parts.iter().for_each(|it| self.part(it));
            }
            ModuleBody::Derived(value) => self.headed(first, value),
        }
    }

    /// `… = value`, where the `=` is not aligned.
    fn headed(&mut self, first: usize, value: &Expr) {
        let assign = self.find(value.span.start) - 1;
        self.start(first, Row::Alone, Some(assign), None);
        self.expr(value);
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Field(it) => self.field(it, Row::Define, 0),
            Part::Fn(it) => self.function(it),
            Part::Require(value) => {
                let at = self.find(value.span.start);
                self.start(at - 1, Row::Alone, None, None);
                self.marks.apart[at] = true;
                self.expr(value);
            }
        }
    }

    fn function(&mut self, function: &Function) {
        let first = self.find(function.span.start);
        self.marks.apart[first + 1] = true;
        self.params(&function.params);
        function.result.iter().for_each(|it| self.ty(it));
        let before = self.find(function.value.span.start) - 1;
        if self.pieces[before].kind == Kind::Assign {
            return self.headed(first, &function.value);
        }
        self.start(first, Row::Alone, None, None);
        self.start(before, Row::Alone, None, None);
        self.fields(&function.locals);
        self.expr(&function.value);
    }

    fn params(&mut self, params: &[Param]) {
        for param in params {
            param.ty.iter().for_each(|it| self.ty(it));
            param.default.iter().for_each(|it| self.expr(it));
        }
    }

    fn rule(&mut self, rule: &Rule) {
        self.path(&rule.path, Row::Define, 0);
        self.expr(&rule.value);
    }

    /// `path =`, perhaps behind a word.
    fn path(&mut self, path: &Expr, row: Row, words: usize) {
        let (first, assign) = (self.find(path.span.start), self.find(path.span.end));
        self.start(first - words, row, Some(assign), None);
        self.expr(path);
    }

    fn stage_field(&mut self, field: &StageField) {
        match field {
            StageField::Field(it) => self.field(it, Row::Define, 0),
            StageField::Set(it) => self.field(it, Row::Set, 1),
            StageField::Rate { path, value } => {
                self.path(path, Row::Rate, 1);
                self.expr(value);
            }
        }
    }

    fn ty(&mut self, ty: &Type) {
        if ty.causal {
            let first = self.find(ty.span.start);
            self.marks.apart[first + 1] = true;
        }
        for axis in ty.axes.iter().flatten() {
            if let Axis::Size { size, .. } = axis {
                self.expr(size);
            }
        }
        if let Some(of) = &ty.of {
            let at = self.find(of.span.start);
            self.marks.apart[at] = true;
            self.expr(of);
        }
    }

    fn expr(&mut self, value: &Expr) {
        match &value.kind {
            ExprKind::Group(inner) | ExprKind::Transpose(inner) => self.expr(inner),
            ExprKind::Part { value, .. } | ExprKind::As { value, .. } => self.expr(value),
            ExprKind::If { test, yes, no } => [test, yes, no].into_iter().for_each(|it| self.expr(it)),
            ExprKind::Pipe { from, step } => {
                self.expr(from);
                self.step(step);
            }
            ExprKind::Unary { op, value: inner } => {
                let at = self.find(value.span.start);
                self.marks.unary[at] = *op == UnaryOp::Negate;
                self.expr(inner);
            }
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|it| self.expr(it)),
            other => self.listed(other),
        }
    }

    /// Expressions with brackets.
    fn listed(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Call { callee, args } => {
                self.expr(callee);
                self.args(args);
            }
            ExprKind::Index { value, indices } => {
                self.expr(value);
                indices.iter().for_each(|it| self.index(it));
            }
            ExprKind::With { value, block } => {
                self.expr(value);
                self.fields(block);
            }
            ExprKind::List(list) => self.args(list),
            ExprKind::Comprehension { body, over, .. } => {
                self.expr(body);
                let (Over::Below(end) | Over::Elements(end)) = over.as_ref();
                self.expr(end);
            }
            ExprKind::Route { arms, .. } => {
                for arm in arms {
                    let first = self.find(arm.label.span.start);
                    self.start(first, Row::Plain, None, None);
                    arm.test.iter().chain([&arm.value]).for_each(|it| self.expr(it));
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, step: &Step) {
        self.expr(&step.path);
        step.args.iter().for_each(|it| self.args(it));
    }

    fn args(&mut self, args: &[Arg]) {
        args.iter()
            .flat_map(|arg| [Some(&arg.value), arg.upper.as_ref()])
            .flatten()
            .for_each(|it| self.expr(it));
    }

    fn index(&mut self, index: &Index) {
        match index {
            Index::All(_) => {}
            Index::Range { low, high, .. } => low.iter().chain(high).for_each(|it| self.expr(it)),
            Index::At(place) => self.expr(place),
        }
    }
}
