//! Inputs, states and plain numbers as nodes.

use super::object::{Object, Tensor};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::types::{Axis, Elements, Padding, Range, Type};
use crate::op::{Before, Clock, Fill, Input, State};
use crate::shape::{Kind, Shape, Size};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree;
use smallvec::smallvec;
use std::rc::Rc;

impl<'p> Lower<'p> {
    /// An input: its node, and for each padded axis the node that says which places are used.
    pub fn input(&mut self, name: &str, ty: &'p tree::Type, env: &Env<'p>) -> Eval<Object<'p>> {
        let mut read = self.read_type(ty, env)?;
        let lengths = self.pad_input(name, ty, &mut read)?;
        let op = Input { name: name.to_string(), shape: read.shape() };
        let tensor = self.emit(op, &[], read)?;
        self.inputs.insert(name.to_string(), (tensor.clone(), lengths));
        Ok(Object::Tensor(tensor))
    }

    fn pad_input(&mut self, name: &str, ty: &'p tree::Type, read: &mut Type) -> Eval<Option<String>> {
        let padded = |axis: &tree::Axis| matches!(axis, tree::Axis::Size { padded: true, .. });
        let Some(at) = ty.axes.iter().flatten().position(padded) else { return Ok(None) };
        if at == 0 {
            return self.fail(Code::E0314, ty.span, "the rows of the batch cannot be padded");
        }
        let lengths = format!("{name}.lengths");
        let shape = Shape { sizes: smallvec![read.axes[0].size.clone()], kind: Kind::Ids };
        let plain = Type::plain(shape.sizes.clone(), Elements::Ids(Range::Any));
        let counts = self.emit(Input { name: lengths.clone(), shape }, &[], plain)?;
        let n = read.axes[at].size.clone();
        let sizes = [read.axes[0].size.clone(), n.clone()];
        let mask = self.emit(Before { n }, &[counts.node], Type::plain(sizes, Elements::Condition))?;
        self.owners.insert(mask.node, name.to_string());
        read.axes[at].padding = Some(Padding::of(mask.node));
        Ok(Some(lengths))
    }

    /// A state as it was before the step.
    pub fn state(&mut self, name: &str, ty: &'p tree::Type, env: &Env<'p>) -> Eval<Object<'p>> {
        let read = self.read_type(ty, env)?;
        if read.sizes().iter().any(|s| s.number().is_none()) {
            return self.fail(Code::E0310, ty.span, "a state cannot depend on the batch size");
        }
        let tensor = self.emit(State { name: name.to_string(), shape: read.shape() }, &[], read)?;
        self.states.insert(name.to_string(), tensor.clone());
        Ok(Object::Tensor(tensor))
    }

    /// A written type as a type; capitals that nothing has bound are batch symbols.
    pub fn read_type(&mut self, ty: &'p tree::Type, env: &Env<'p>) -> Eval<Type> {
        let mut axes = Vec::new();
        for axis in ty.axes.iter().flatten() {
            match axis {
                tree::Axis::Rest(span) => {
                    return self.fail(Code::E0314, *span, "`..` stands only in signatures");
                }
                tree::Axis::Size { size, .. } => {
                    let object = self.eval(size, env, None)?;
                    let length = self.size(&object, size.span)?;
                    if length.number().is_some_and(|n| n < 1) {
                        return self.fail(
                            Code::E0316,
                            size.span,
                            format!("an axis has at least one place, not {length}"),
                        );
                    }
                    axes.push(Axis::full(length));
                }
            }
        }
        let elements = match &ty.of {
            None => Elements::Float,
            Some(of) => Elements::Ids(self.range_of(of, env)?),
        };
        if let Some(label) = &ty.label {
            self.known_modality(label)?;
        }
        let label = ty.label.as_ref().map(|l| l.text.as_str().into());
        Ok(Type { label, axes, elements, segments: None, ahead: Default::default() })
    }

    fn range_of(&mut self, of: &'p tree::Expr, env: &Env<'p>) -> Eval<Range> {
        match self.eval(of, env, None)? {
            Object::Word(word) if word == "int" => Ok(Range::Any),
            Object::Vocabulary(vocabulary) => Ok(Range::Of(vocabulary)),
            object => self.size(&object, of.span).map(Range::Below),
        }
    }

    /// A batch size as a number, known in a run: a sum of ones.
    fn counted_rows(&mut self, size: &Size) -> Eval<Tensor> {
        let ones = Type::float([size.clone()]);
        let ones = self.emit(Fill { shape: ones.shape(), value: 1.0 }, &[], ones)?;
        self.emit(crate::op::Sum { axis: 0 }, &[ones.node], Type::float([]))
    }

    /// Anything that can stand for a tensor.
    pub fn tensor(&mut self, object: Object<'p>, span: Span) -> Eval<Tensor> {
        match object {
            Object::Tensor(tensor) => Ok(tensor),
            Object::Param(param) => self.read(&param),
            Object::Twin(inner, slow) => {
                let world = super::state::World { twin: Some(slow), ..self.worlds[self.world].clone() };
                let world = self.enter(world);
                self.within(world, |s| s.tensor(*inner, span))
            }
            Object::Schedule(schedule) => self.emit(Clock { schedule: *schedule }, &[], Type::float([])),
            Object::Real(value) => self.fill(value, Elements::Float),
            Object::Whole(size) => match size.number() {
                Some(value) => self.fill(value as f64, Elements::Float),
                None => self.counted_rows(&size),
            },
            Object::Truth(value) => self.fill(f64::from(u8::from(value)), Elements::Condition),
            other => {
                let message = format!("a tensor is needed here, but this is {}", other.describe());
                self.fail(Code::E0315, span, message)
            }
        }
    }

    /// A constant scalar.
    pub fn fill(&mut self, value: f64, elements: Elements) -> Eval<Tensor> {
        let ty = Type::plain([], elements);
        self.emit(Fill { shape: ty.shape(), value }, &[], ty)
    }

    /// A size: a whole number, a capital, or a vocabulary.
    pub fn size(&mut self, object: &Object<'p>, span: Span) -> Eval<Size> {
        match object {
            Object::Whole(size) => Ok(size.clone()),
            Object::Real(number) if number.fract() == 0.0 => Ok(Size::from(*number as i64)),
            Object::Vocabulary(vocabulary) => Ok(Size::from(super::vocabulary::size(vocabulary))),
            other => {
                let message = format!("a size must be a whole number, this is {}", other.describe());
                self.fail(Code::E0316, span, message)
            }
        }
    }

    /// A whole number that is known.
    pub fn count(&mut self, object: &Object<'p>, span: Span) -> Eval<usize> {
        let size = self.size(object, span)?;
        match size.number() {
            Some(n) if (0..=1 << 20).contains(&n) => Ok(n as usize),
            _ => self.fail(
                Code::E0316,
                span,
                format!("a whole number between 0 and 1048576 is needed, this is {size}"),
            ),
        }
    }

    /// A number that is known.
    pub fn number(&mut self, object: &Object<'p>, span: Span) -> Eval<f64> {
        match object {
            Object::Real(number) => Ok(*number),
            Object::Whole(size) if size.number().is_some() => Ok(size.number().unwrap_or(0) as f64),
            other => self.fail(
                Code::E0313,
                span,
                format!("this must be a single number, it is {}", other.describe()),
            ),
        }
    }

    /// An owner of padding in words.
    pub fn owner_name(&self, padding: &Padding) -> String {
        self.owners
            .get(&padding.owner)
            .map_or_else(|| "a selection of rows".into(), |name| format!("`{name}`"))
    }

    /// A tensor with the same type as another node.
    pub fn same_type(&mut self, op: impl Into<crate::op::Op>, x: &Tensor) -> Eval<Tensor> {
        self.emit(op, &[x.node], (*x.ty).clone())
    }

    /// Numbers from conditions and ids.
    pub fn floats(&mut self, x: &Tensor) -> Eval<Tensor> {
        if x.ty.elements == Elements::Float {
            return Ok(x.clone());
        }
        let ty = x.ty.with_elements(Elements::Float);
        self.emit(crate::op::ToFloat, &[x.node], ty)
    }

    /// Shares a type.
    pub fn retype(&self, x: &Tensor, ty: Type) -> Tensor {
        Tensor { node: x.node, ty: Rc::new(ty) }
    }
}
