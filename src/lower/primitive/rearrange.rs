//! `rearrange(x, "b n (h k) -> b h n k", h: heads)`: split, permute, merge.

use super::Lower;
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Type};
use crate::op::Reshape;
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use smallvec::{SmallVec, smallvec};

/// One axis of a side: names in a group, none for a unit axis.
type Group<'t> = SmallVec<[&'t str; 2]>;
/// The axes of a side.
type Side<'t> = SmallVec<[Group<'t>; 4]>;
/// Sizes by name; so few are found faster than hashed.
#[derive(Default)]
struct Sizes<'t>(SmallVec<[(&'t str, Size); 6]>);

impl<'t> Sizes<'t> {
    fn get(&self, name: &str) -> Option<&Size> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, size)| size)
    }

    /// The last size that is given to a name counts.
    fn insert(&mut self, name: &'t str, size: Size) {
        self.0.insert(0, (name, size));
    }
}

impl<'p> Lower<'p> {
    /// A rearrangement by pattern.
    pub fn rearrange(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut given = given.into_iter();
        let (Some(x), Some(pattern)) = (given.next(), given.next()) else {
            return self.fail(Code::E0211, span, "`rearrange` needs a tensor and a pattern");
        };
        let x = self.tensor(x.value, x.span)?;
        let at = pattern.span;
        let Object::Text(text) = pattern.value else {
            return self.fail(Code::E0314, at, "the pattern of a rearrangement is a text");
        };
        let (left, right) = match sides(&text) {
            Ok(sides) => sides,
            Err(why) => return self.bad_pattern(&text, why, at),
        };
        let mut sizes = Sizes::default();
        for one in given {
            let Some(name) = one.name else {
                return self.fail(Code::E0212, one.span, "sizes of a pattern are given by name");
            };
            sizes.insert(name, self.size(&one.value, one.span)?);
        }
        if let Err(why) = self.measure(&x.ty, &left, &mut sizes) {
            return self.bad_pattern(&text, why, at);
        }
        self.split_permute_merge(&x, &left, &right, &sizes, &text, at)
    }

    fn bad_pattern<T>(&mut self, text: &str, why: String, at: Span) -> Eval<T> {
        self.report(
            Diagnostic::error(Code::E0309, at, format!("the pattern \"{text}\" does not fit")).note(why),
        )
    }

    /// The size of every name.
    fn measure<'t>(&self, ty: &Type, left: &[Group<'t>], sizes: &mut Sizes<'t>) -> Result<(), String> {
        if left.len() != ty.rank() {
            return Err(format!("the pattern has {} axes, {ty} has {}", left.len(), ty.rank()));
        }
        for (group, axis) in left.iter().zip(&ty.axes) {
            let unknown: Group<'t> = group.iter().copied().filter(|name| sizes.get(name).is_none()).collect();
            let known = group.iter().filter_map(|name| sizes.get(name));
            let product = { known }.try_fold(Size::from(1i64), |p, s| p.times(s));
            let Some(product) = product.and_then(|p| p.number()) else {
                if unknown.is_empty() && group.len() == 1 && sizes.get(group[0]) == Some(&axis.size) {
                    continue;
                }
                return Err("the product of two batch sizes is not a size".into());
            };
            match unknown.as_slice() {
                [] if Size::from(product) == axis.size => {}
                [] => {
                    return Err(format!(
                        "({}) is {product}, but the axis has {}",
                        group.join(" "),
                        axis.size
                    ));
                }
                [name] => {
                    let Some(rest) = axis.size.divided(product) else {
                        return Err(format!("{} is not divisible by {product}", axis.size));
                    };
                    sizes.insert(name, rest);
                }
                _ => return Err(format!("the sizes of {} must be given", group.join(", "))),
            }
        }
        Ok(())
    }

    fn split_permute_merge(
        &mut self,
        x: &Tensor,
        left: &[Group<'_>],
        right: &[Group<'_>],
        sizes: &Sizes<'_>,
        text: &str,
        at: Span,
    ) -> Eval<Tensor> {
        let flat: Group<'_> = left.iter().flatten().copied().collect();
        let order: Vec<usize> =
            right.iter().flatten().filter_map(|name| flat.iter().position(|n| n == name)).collect();
        let mut axes = Vec::new();
        for (group, axis) in left.iter().zip(&x.ty.axes) {
            if group.len() != 1 && axis.padding.is_some() {
                return self.bad_pattern(text, "a padded axis cannot be split".into(), at);
            }
            let single = group.len() == 1;
            let known = group.iter().filter_map(|name| sizes.get(name));
            axes.extend(known.map(|size| Axis {
                size: size.clone(),
                padding: if single { axis.padding.clone() } else { None },
            }));
        }
        let joined =
            x.ty.segments
                .as_ref()
                .and_then(|(axis, _)| left[*axis].first().filter(|_| left[*axis].len() == 1));
        let mut split = x.ty.with_axes(axes);
        split.segments =
            x.ty.segments.clone().and_then(|(_, s)| Some((flat.iter().position(|n| Some(n) == joined)?, s)));
        let split = self.reshaped(x, split)?;
        let moved = if order.iter().enumerate().all(|(i, o)| i == *o) {
            split
        } else {
            self.permute(&split, order, at)?
        };
        self.merge(&moved, right, text, at)
    }

    fn merge(&mut self, x: &Tensor, right: &[Group<'_>], text: &str, at: Span) -> Eval<Tensor> {
        let (mut axes, mut from, mut joined) = (Vec::new(), 0, None);
        for (place, group) in right.iter().enumerate() {
            let parts = &x.ty.axes[from..from + group.len()];
            if group.len() > 1 && parts.iter().any(|a| a.padding.is_some()) {
                return self.bad_pattern(text, "a padded axis cannot be merged with another".into(), at);
            }
            if group.len() == 1 && x.ty.segments.as_ref().is_some_and(|(axis, _)| *axis == from) {
                joined = Some(place);
            }
            axes.push(match parts {
                [one] => one.clone(),
                many => {
                    let product = many.iter().try_fold(Size::from(1i64), |p, a| p.times(&a.size));
                    let Some(size) = product else {
                        return self.fail(Code::E0316, at, "the product of two batch sizes is not a size");
                    };
                    Axis::full(size)
                }
            });
            from += group.len();
        }
        let mut ty = x.ty.with_axes(axes);
        ty.segments = x.ty.segments.clone().and_then(|(_, s)| Some((joined?, s)));
        if ty.segments.is_none() {
            ty.label = x.ty.modality();
        }
        self.reshaped(x, ty)
    }

    fn reshaped(&mut self, x: &Tensor, ty: Type) -> Eval<Tensor> {
        if ty.sizes() == x.ty.sizes() {
            return Ok(self.retype(x, ty));
        }
        self.emit(Reshape { sizes: ty.sizes() }, &[x.node], ty)
    }
}

/// The two sides of a pattern; every name stands once on each.
fn sides(text: &str) -> Result<(Side<'_>, Side<'_>), String> {
    let (left, right) = text.split_once("->").ok_or("it needs `->` between its sides")?;
    let (left, right) = (side(left)?, side(right)?);
    for (from, to) in [(&left, &right), (&right, &left)] {
        let names: Group<'_> = from.iter().flatten().copied().collect();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(format!("`{name}` stands twice on one side"));
            }
            if !to.iter().flatten().any(|n| n == name) {
                return Err(format!("`{name}` is on one side only"));
            }
        }
    }
    Ok((left, right))
}

fn side(text: &str) -> Result<Side<'_>, String> {
    let (mut groups, mut open) = (Side::new(), None::<Group<'_>>);
    for word in words(text) {
        match (word, &mut open) {
            ("(", None) => open = Some(Group::new()),
            (")", Some(_)) => groups.extend(open.take()),
            ("(" | ")", _) => return Err("its parentheses do not match".into()),
            ("1", None) => groups.push(Group::new()),
            (name, _) if !is_small(name) => return Err(format!("`{name}` is not a small name")),
            (name, Some(group)) => group.push(name),
            (name, None) => groups.push(smallvec![name]),
        }
    }
    if open.is_some() { Err("its parentheses do not match".into()) } else { Ok(groups) }
}

/// Names and parentheses; a parenthesis needs no space around it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split_inclusive(['(', ')']).flat_map(|piece| {
        let end = piece.len() - usize::from(piece.ends_with(['(', ')']));
        [&piece[..end], &piece[end..]]
    });
    pieces.flat_map(str::split_whitespace)
}

fn is_small(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
