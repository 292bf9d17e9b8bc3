//! The right side of a rule: the tensor of a checkpoint that it names, or the path of another stage.
//!
//! Example: `chunk("attn.qkv.weight", 0, 3)'` is the first third of a tensor, transposed.

use crate::lower::model::Source;
use crate::lower::state::{Eval, Lower};
use chiasm_dsl::code::Code;
use chiasm_dsl::tree::{self, Expr, ExprKind, Index};
use std::collections::BTreeMap;

impl<'p> Lower<'p> {
    /// `blocks[i].ffn` as text, indices put in.
    pub(super) fn source_path(&mut self, expr: &'p Expr, bound: &BTreeMap<String, i64>) -> Eval<String> {
        match &expr.kind {
            ExprKind::Name(name) => Ok(name.clone()),
            ExprKind::Part { value, name } => {
                Ok(format!("{}.{}", self.source_path(value, bound)?, name.text))
            }
            ExprKind::Index { value, indices } => match indices.as_slice() {
                [Index::At(at)] => {
                    let index = self.rule_number(at, bound)?;
                    Ok(format!("{}[{index}]", self.source_path(value, bound)?))
                }
                _ => self.fail(Code::E0611, expr.span, "a list is indexed by one number"),
            },
            _ => self.fail(Code::E0611, expr.span, "this is not a path"),
        }
    }

    /// The right side of a rule for one tensor.
    pub(super) fn tensor_source(
        &mut self,
        expr: &'p Expr,
        prefix: &str,
        bound: &BTreeMap<String, i64>,
    ) -> Eval<Source> {
        match &expr.kind {
            ExprKind::Text(text) => {
                Ok(Source::Named(format!("{prefix}{}", self.interpolate(text, bound, expr.span)?)))
            }
            ExprKind::Group(inner) => self.tensor_source(inner, prefix, bound),
            ExprKind::Transpose(inner) => {
                Ok(Source::Transposed(Box::new(self.tensor_source(inner, prefix, bound)?)))
            }
            ExprKind::Index { value, indices } => {
                let inner = Box::new(self.tensor_source(value, prefix, bound)?);
                match indices.as_slice() {
                    [Index::At(at)] => Ok(Source::Row(inner, self.rule_number(at, bound)?)),
                    [Index::Range { low: Some(low), high: Some(high), .. }] => {
                        Ok(Source::Rows(inner, self.rule_number(low, bound)?, self.rule_number(high, bound)?))
                    }
                    _ => self.fail(
                        Code::E0611,
                        expr.span,
                        "a tensor of a checkpoint is indexed by w[i] or w[a..b]",
                    ),
                }
            }
            ExprKind::Call { callee, args } => match (&callee.kind, args.as_slice()) {
                (ExprKind::Name(name), [w, k, n]) if name == "chunk" => {
                    let inner = Box::new(self.tensor_source(&w.value, prefix, bound)?);
                    Ok(Source::Chunk(
                        inner,
                        self.rule_number(&k.value, bound)?,
                        self.rule_number(&n.value, bound)?,
                    ))
                }
                (
                    ExprKind::Name(name),
                    [w, tree::Arg { value: Expr { kind: ExprKind::Text(text), .. }, .. }, sizes @ ..],
                ) if name == "rearrange" => Ok(Source::Rearranged(
                    Box::new(self.tensor_source(&w.value, prefix, bound)?),
                    text.clone(),
                    self.lengths(sizes, bound)?,
                )),
                _ => self.fail(
                    Code::E0611,
                    expr.span,
                    "a source is a name, chunk(w, k, n) or rearrange(w, pattern)",
                ),
            },
            _ => self.fail(
                Code::E0611,
                expr.span,
                "a source is a name, chunk(w, k, n), rearrange(w, pattern) or fresh",
            ),
        }
    }

    /// `c: 3`
    fn lengths(
        &mut self,
        sizes: &'p [tree::Arg],
        bound: &BTreeMap<String, i64>,
    ) -> Eval<Vec<(String, usize)>> {
        let mut lengths = Vec::new();
        for size in sizes {
            let Some(name) = &size.name else {
                return self.fail(
                    Code::E0611,
                    size.value.span,
                    "lengths of a pattern are given by name: c: 3",
                );
            };
            lengths.push((name.text.clone(), self.rule_number(&size.value, bound)?));
        }
        Ok(lengths)
    }
}
