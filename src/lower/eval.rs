//! Expressions to objects.
//!
//! One function a form of expression. A `Naming` is handed down only where a constructor may stand: to the right of a `=`,
//! into list elements, branches, and arguments of other constructors.

use super::instance::Owners;
use super::object::{Given, Object, Thunk};
use super::scope::{Env, Layer, Locals, Names};
use super::state::{Eval, Lower};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, BinaryOp, Expr, ExprKind, Field, Name, Over, Step, UnaryOp};
use std::rc::Rc;

/// So many elements of lists are made for one stage, so that every file is checked in bounded time and memory.
const MOST_ELEMENTS: usize = 100_000;

/// The path that a constructor gives its module.
#[derive(Clone, Debug)]
pub struct Naming {
    /// `fusion[3].attn`
    pub path: String,
    /// The modules around.
    pub owners: Owners,
    /// The constructor's name, where a derived one stands for another.
    pub called: Option<String>,
}

impl Naming {
    /// A definition of the file.
    pub fn of(name: &str) -> Self {
        Self { path: name.to_string(), owners: Owners::default(), called: None }
    }

    /// A list element.
    #[must_use]
    pub fn at(&self, index: usize) -> Self {
        let (owners, called) = (self.owners.clone(), self.called.clone());
        Self { path: format!("{}[{index}]", self.path), owners, called }
    }

    /// An argument or a part.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), owners: self.owners.clone(), called: None }
    }
}

/// Whether an expression may build something that wants a name.
fn may_build(expr: &Expr) -> bool {
    use ExprKind::{Call, Comprehension, Group, If, List, With};
    matches!(expr.kind, Group(_) | If { .. } | Call { .. } | With { .. } | List(_) | Comprehension { .. })
}

impl<'p> Lower<'p> {
    /// The meaning of an expression.
    pub fn eval(&mut self, expr: &'p Expr, env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        let value = self.descend(expr.span, |s| s.meaning(expr, env, naming));
        if let Ok(object) = &value {
            self.note(expr.span, object);
        }
        value
    }

    fn meaning(&mut self, expr: &'p Expr, env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        match &expr.kind {
            ExprKind::Number { value, whole: true } => Ok(Object::whole(*value as i64)),
            ExprKind::Number { value, .. } => Ok(Object::Real(*value)),
            ExprKind::Text(text) => Ok(Object::Text(text.clone())),
            ExprKind::Name(name) => self.lookup(name, expr.span, env),
            ExprKind::Group(inner) => self.eval(inner, env, naming),
            ExprKind::If { test, yes, no } => {
                let test = self.eval(test, env, None)?;
                let branch = if self.holds(&test) { yes } else { no };
                self.eval(branch, env, naming)
            }
            ExprKind::Pipe { from, step } => self.pipe(from, step, env),
            ExprKind::Unary { op, value } => self.unary(*op, value, expr.span, env),
            ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, env),
            ExprKind::Call { callee, args } => {
                let object = self.eval(callee, env, None)?;
                if matches!(object, Object::Primitive("sees")) {
                    return self.sees(args, expr.span);
                }
                let mut given = Vec::with_capacity(args.len());
                self.arguments(args, env, &object, naming, &mut given)?;
                let result = self.call(object, given, expr.span, naming)?;
                self.note_result(callee.span, &result);
                Ok(result)
            }
            ExprKind::Index { value, indices } => {
                let object = self.eval(value, env, None)?;
                self.index(object, indices, expr.span, env)
            }
            ExprKind::Part { value, name } => {
                let object = self.eval(value, env, None)?;
                self.part_of(object, name)
            }
            ExprKind::Transpose(value) => {
                let tensor = self.eval(value, env, None)?;
                let tensor = self.tensor(tensor, value.span)?;
                self.transpose(&tensor, expr.span).map(Object::Tensor)
            }
            ExprKind::As { value, label } => self.relabel(value, label, env),
            ExprKind::With { value, block } => self.with(value, block, expr.span, env, naming),
            ExprKind::List(args) => self.list(args, env, naming),
            ExprKind::Comprehension { body, name, over } => self.comprehension(body, name, over, env, naming),
            ExprKind::Route { value, arms } => self.route(value, arms, expr.span, env),
            ExprKind::Error => Err(super::state::Stopped),
        }
    }

    /// Whether a static condition holds: a number, a truth value, or anything that is there.
    pub fn holds(&self, object: &Object<'p>) -> bool {
        match object {
            Object::None | Object::Truth(false) => false,
            Object::Whole(size) => *size != Size::from(0i64),
            Object::Real(number) => *number != 0.0,
            _ => true,
        }
    }

    fn pipe(&mut self, from: &'p Expr, step: &'p Step, env: &Env<'p>) -> Eval<Object<'p>> {
        let value = self.eval(from, env, None)?;
        let callee = self.eval(&step.path, env, None)?;
        let args = step.args.as_deref().unwrap_or(&[]);
        let mut given = Vec::with_capacity(1 + args.len());
        given.push(Given { name: None, name_span: None, value, upper: None, span: step.span });
        self.arguments(args, env, &callee, None, &mut given)?;
        let result = self.call(callee, given, step.span, None)?;
        self.note_result(step.path.span, &result);
        Ok(result)
    }

    /// Evaluates arguments; those of a constructor get names below its own.
    fn arguments(
        &mut self,
        args: &'p [Arg],
        env: &Env<'p>,
        callee: &Object<'p>,
        naming: Option<&Naming>,
        given: &mut Vec<Given<'p>>,
    ) -> Eval<()> {
        for (position, arg) in args.iter().enumerate() {
            let below = match (callee, naming) {
                (Object::Constructor(c), Some(naming)) if may_build(&arg.value) => {
                    let name = arg.name.as_ref().map(|n| n.text.as_str());
                    let name = name.or_else(|| c.module.params.get(position).map(|p| p.name.text.as_str()));
                    name.map(|name| naming.part(name))
                }
                _ => None,
            };
            let value = self.eval(&arg.value, env, below.as_ref())?;
            let upper = arg.upper.as_ref().map(|e| self.eval(e, env, None)).transpose()?;
            let (name, name_span) =
                (arg.name.as_ref().map(|n| n.text.as_str()), arg.name.as_ref().map(|n| n.span));
            let span = if arg.upper.is_some() { arg.span() } else { arg.value.span };
            given.push(Given { name, name_span, value, upper, span });
        }
        Ok(())
    }

    fn unary(&mut self, op: UnaryOp, value: &'p Expr, span: Span, env: &Env<'p>) -> Eval<Object<'p>> {
        let object = self.eval(value, env, None)?;
        match (op, object) {
            (UnaryOp::Negate, object) => self.arithmetic(BinaryOp::Subtract, span, Object::whole(0), object),
            (UnaryOp::Not, Object::Truth(t)) => Ok(Object::Truth(!t)),
            (UnaryOp::Not, Object::Mask(mask)) => Ok(Object::Mask(Rc::new(super::object::Mask::Not(mask)))),
            (UnaryOp::Not, object @ (Object::Tensor(_) | Object::Param(_))) => {
                let tensor = self.tensor(object, value.span)?;
                self.negation(&tensor, span).map(Object::Tensor)
            }
            (UnaryOp::Not, object) => Ok(Object::Truth(!self.holds(&object))),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &'p Expr,
        right: &'p Expr,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        let a = self.eval(left, env, None)?;
        let short =
            matches!((op, &a), (BinaryOp::And, Object::Truth(false)) | (BinaryOp::Or, Object::Truth(true)));
        if short {
            return Ok(a);
        }
        let b = self.eval(right, env, None)?;
        match op {
            BinaryOp::Matmul => {
                let (a, b) = (self.tensor(a, left.span)?, self.tensor(b, right.span)?);
                self.matmul(&a, &b, op_span).map(Object::Tensor)
            }
            BinaryOp::And | BinaryOp::Or => self.logic(op, op_span, a, b),
            _ => self.arithmetic(op, op_span, a, b),
        }
    }

    fn list(&mut self, args: &'p [Arg], env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        let mut items = Vec::new();
        for (i, arg) in args.iter().enumerate() {
            items.push(self.eval(&arg.value, env, naming.map(|n| n.at(i)).as_ref())?);
        }
        Ok(Object::List(items))
    }

    fn comprehension(
        &mut self,
        body: &'p Expr,
        name: &'p Name,
        over: &'p Over,
        env: &Env<'p>,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let values = match over {
            Over::Below(limit) => {
                let object = self.eval(limit, env, None)?;
                let count = self.count(&object, limit.span)?;
                self.repeated = self.repeated.saturating_add(count);
                if self.repeated > MOST_ELEMENTS {
                    let message = format!("lists have at most {MOST_ELEMENTS} elements together");
                    return self.fail(Code::E0314, limit.span, message);
                }
                (0..count as i64).map(Object::whole).collect()
            }
            Over::Elements(list) => match self.eval(list, env, None)? {
                Object::List(items) => items,
                other => {
                    let message = format!("only a list can be walked, this is {}", other.describe());
                    return self.fail(Code::E0314, list.span, message);
                }
            },
        };
        let mut items = Vec::new();
        for (i, value) in values.into_iter().enumerate() {
            let locals = Locals::default();
            locals.world.set(self.world);
            self.note(name.span, &value);
            locals.set(&name.text, value);
            let inner = env.with(Layer::Locals(locals));
            items.push(self.eval(body, &inner, naming.map(|n| n.at(i)).as_ref())?);
        }
        Ok(Object::List(items))
    }

    fn relabel(&mut self, value: &'p Expr, label: &'p Name, env: &Env<'p>) -> Eval<Object<'p>> {
        self.known_modality(label)?;
        let object = self.eval(value, env, None)?;
        let mut tensor = self.tensor(object, value.span)?;
        let ty = Rc::make_mut(&mut tensor.ty);
        ty.label = Some(label.text.as_str().into());
        ty.segments = None;
        Ok(Object::Tensor(tensor))
    }

    /// Refuses labels that nobody declared.
    pub fn known_modality(&mut self, label: &Name) -> Eval<()> {
        let mut known = vec!["image", "text", "fused"];
        known.extend(self.program.modalities.iter().map(String::as_str));
        if known.contains(&label.text.as_str()) {
            return Ok(());
        }
        let mut error =
            Diagnostic::error(Code::E0209, label.span, format!("unknown modality `{}`", label.text));
        if let Some(near) = nearest(&label.text, known) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error)
    }

    /// The replaced parts of a block as thunks.
    pub fn thunks(&self, block: &'p [Field], env: &Env<'p>) -> Names<'p, Thunk<'p>> {
        block.iter().map(|f| (f.name.text.as_str(), Thunk { expr: &f.value, env: env.clone() })).collect()
    }
}
