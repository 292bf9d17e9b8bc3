//! Numbers and texts of a rule, in which the indices of its path are known.
//!
//! Example: `"layer.{i + half}"` with i = 2 and `set half = 6` is `layer.8`.

use crate::lower::program::{MAIN, Meaning};
use crate::lower::scope::Env;
use crate::lower::state::{Eval, Lower};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::Expr;
use std::collections::BTreeMap;

impl<'p> Lower<'p> {
    pub(super) fn rule_number(&mut self, expr: &'p Expr, bound: &BTreeMap<String, i64>) -> Eval<usize> {
        let text = self.program.sources.text(expr.span).to_string();
        let value = self.rule_arithmetic(&text, bound, expr.span)?;
        match usize::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => self.fail(Code::E0611, expr.span, format!("an index cannot be {value}")),
        }
    }

    /// `"layer.{i + half}"` with the numbers put in.
    pub(super) fn interpolate(
        &mut self,
        text: &str,
        bound: &BTreeMap<String, i64>,
        at: Span,
    ) -> Eval<String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((head, tail)) = rest.split_once('{') {
            let Some((inner, after)) = tail.split_once('}') else {
                return self.fail(Code::E0611, at, "this text has a `{` without `}`");
            };
            out += head;
            out += &self.rule_arithmetic(inner, bound, at)?.to_string();
            rest = after;
        }
        Ok(out + rest)
    }

    /// Sums and products of indices, numbers and `set`s.
    fn rule_arithmetic(&mut self, text: &str, bound: &BTreeMap<String, i64>, at: Span) -> Eval<i64> {
        let mut total = 0;
        for term in text.replace('-', "+ -1 *").split('+').map(str::trim).filter(|t| !t.is_empty()) {
            let mut product = 1;
            for factor in term.split('*').map(str::trim) {
                product = i64::saturating_mul(product, self.rule_factor(factor, bound, at)?);
            }
            total = i64::saturating_add(total, product);
        }
        Ok(total)
    }

    fn rule_factor(&mut self, factor: &str, bound: &BTreeMap<String, i64>, at: Span) -> Eval<i64> {
        if let Some(value) = bound.get(factor).copied().or_else(|| factor.parse().ok()) {
            return Ok(value);
        }
        let known = self.program.spaces[MAIN.0].names.get(factor).map(|d| &d.meaning);
        if matches!(known, Some(Meaning::Set(_))) {
            let object = self.lookup(factor, at, &Env::space(MAIN))?;
            return self.number(&object, at).map(|n| n as i64);
        }
        self.fail(Code::E0201, at, format!("unknown name `{factor}` in the text of a rule"))
    }
}
