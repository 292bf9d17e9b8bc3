//! `Param`, `State` and `momentum`: what a file or module owns.

use super::{Args, Lower};
use crate::lower::eval::Naming;
use crate::lower::object::{Given, Object, Param};
use crate::lower::state::Eval;
use crate::recipe::{Init, Resize};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use std::rc::Rc;
use std::sync::Arc;

impl<'p> Lower<'p> {
    /// `Param(shape, init, clamp: a..b, resize: rule)`
    pub fn param(&mut self, given: Vec<Given<'p>>, span: Span, naming: Option<&Naming>) -> Eval<Object<'p>> {
        let mut args = self.args("Param", &["shape", "init", "clamp", "resize"], given, span)?;
        let Some(naming) = naming else {
            return self.fail(
                Code::E0210,
                span,
                "a parameter must have a name: write a definition or a part",
            );
        };
        let dims = self.owned_dims(&mut args, "parameter")?;
        let init = self.need(&mut args, "init")?;
        let init = self.init(&init.value, init.span)?;
        let clamp = args.optional("clamp");
        let clamp = clamp.map(|given| self.clamp(&given)).transpose()?;
        let resize = args.optional("resize");
        let resize = resize.map(|given| self.resize_rule(&given)).transpose()?;
        let (path, owners) = (naming.path.clone(), naming.owners.clone());
        Ok(Object::Param(Rc::new(Param { path, dims, init, clamp, resize, owners, state: false })))
    }

    /// `State(shape, start)`, the part of a module that `running` moves.
    pub fn owned_state(
        &mut self,
        given: Vec<Given<'p>>,
        span: Span,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let mut args = self.args("State", &["shape", "start"], given, span)?;
        let Some(naming) = naming.filter(|naming| !naming.owners.is_empty()) else {
            let message = "`State` is a part of a module; a file writes: state name : [..] = start then next";
            return self.fail(Code::E0210, span, message);
        };
        let dims = self.owned_dims(&mut args, "state")?;
        let start = self.need(&mut args, "start")?;
        let init = self.init(&start.value, start.span)?;
        let (path, owners) = (naming.path.clone(), naming.owners.clone());
        let state = Param { path, dims, init, clamp: None, resize: None, owners, state: true };
        Ok(Object::Param(Rc::new(state)))
    }

    /// The shape of what is owned: known numbers.
    fn owned_dims(&mut self, args: &mut Args<'p>, what: &str) -> Eval<Vec<usize>> {
        let span = args.span;
        let (sizes, _) = self.need_sizes(args, "shape")?;
        if let Some(size) = sizes.iter().find(|s| s.number().is_none()) {
            let error =
                Diagnostic::error(Code::E0310, span, format!("a {what} cannot depend on the batch size"));
            return self.report(error.note(format!("{size} is known only in a run")));
        }
        if let Some(size) = sizes.iter().find(|s| s.number().is_some_and(|n| n < 1)) {
            let message = format!("a {what} needs at least one element an axis, this has {size}");
            return self.fail(Code::E0316, span, message);
        }
        let elements = sizes.iter().fold(1u128, |product, s| product.saturating_mul(s.len() as u128));
        if elements > 1 << 40 {
            let message = format!("a {what} of about {:e} elements is too large", elements as f64);
            return self.fail(Code::E0316, span, message);
        }
        Ok(sizes.iter().map(crate::shape::Size::len).collect())
    }

    /// An initial value.
    pub fn init(&mut self, object: &Object<'p>, span: Span) -> Eval<Init> {
        match object {
            Object::Init(init) => Ok(init.clone()),
            other => self.number(other, span).map(Init::Fill),
        }
    }

    fn clamp(&mut self, given: &Given<'p>) -> Eval<(f64, f64)> {
        let Some(upper) = &given.upper else {
            return self.fail(Code::E0314, given.span, "a range is needed here, as in `clamp: 0.001..0.5`");
        };
        let (low, high) = (self.number(&given.value, given.span)?, self.number(upper, given.span)?);
        if low > high {
            return self.fail(Code::E0314, given.span, format!("the range {low}..{high} is empty"));
        }
        Ok((low, high))
    }

    fn resize_rule(&mut self, given: &Given<'p>) -> Eval<Resize> {
        match &given.value {
            Object::Resize(rule) => Ok(*rule),
            Object::Word(word) if word == "crop" => Ok(Resize::Crop),
            other => {
                let message =
                    format!("a resize rule is grid, offset_grid(n) or crop, this is {}", other.describe());
                self.fail(Code::E0314, given.span, message)
            }
        }
    }

    /// `momentum(model, rate)`
    pub fn momentum(
        &mut self,
        given: Vec<Given<'p>>,
        span: Span,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let mut args = self.args("momentum", &["what", "rate"], given, span)?;
        let Some(naming) = naming else {
            return self.fail(Code::E0210, span, "a slow copy must have a name: write a definition");
        };
        let what = self.need(&mut args, "what")?;
        let rate = self.need(&mut args, "rate")?;
        let rate = self.schedule(&rate.value, rate.span)?;
        self.rates.insert(naming.path.clone(), rate);
        let name: Arc<str> = naming.path.as_str().into();
        match what.value {
            Object::Word(word) if word == "model" => Ok(Object::Momentum(name, None)),
            module @ (Object::Module(_) | Object::List(_)) => {
                Ok(Object::Momentum(name, Some(Box::new(module))))
            }
            other => {
                let message =
                    format!("a slow copy is of `model` or of a module, this is {}", other.describe());
                self.fail(Code::E0314, what.span, message)
            }
        }
    }
}
