//! Weight maps: from rules of the language to one source for every parameter (11).
//!
//! A rule maps a path, or everything below it. What lies below goes to the map of the module found at that path, with the
//! rule's text and a dot in front of its names. The longest path wins; among equals the last.
//! A path may begin with the name of a slow copy (its twins) or be that of a state. A list on the right is one tensor under
//! several names.

mod path;
mod source;
mod text;

use super::model::{Load, Source};
use super::object::{Object, Param};
use super::program::{MAIN, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{self, Expr, ExprKind, Rule};
use path::{Matched, Pattern, Step, Target, Wanted, matched, pattern, targets};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The rules of every map of the file and of the library, with their steps; none if the rule is no path.
struct Maps<'p>(FxHashMap<&'p str, Vec<(Option<Pattern<'p>>, &'p Rule)>>);

/// A map that is being applied.
struct Scope {
    map: String,
    base: usize,
    prefix: String,
}

impl<'p> Lower<'p> {
    /// The sources of everything that a map of the file covers.
    pub fn loads(&mut self, map: &str, at: Span) -> Eval<Vec<Load>> {
        let mut loads = Vec::new();
        let maps = Maps::of(&self.program.weights);
        let params: Vec<Rc<Param>> = self.params.values().cloned().collect();
        let copies: Vec<String> = self.rates.keys().cloned().collect();
        let states: Vec<(String, Option<Rc<Param>>)> =
            self.states.keys().map(|name| (name.clone(), self.owned.get(name).cloned())).collect();
        for target in targets(&params, &copies, &states) {
            let scope = Scope { map: map.to_string(), base: 0, prefix: String::new() };
            if let Some(source) = self.source_of(&maps, &target, &scope, at)? {
                loads.push(Load { key: target.key, source });
            }
        }
        self.idle_rules(map)?;
        Ok(loads)
    }

    fn source_of(
        &mut self,
        maps: &Maps<'p>,
        target: &Target<'_>,
        scope: &Scope,
        at: Span,
    ) -> Eval<Option<Source>> {
        let Some(rules) = maps.0.get(scope.map.as_str()) else {
            let message = format!("`{}` has no weight map of its own", scope.map);
            return self.fail(Code::E0204, at, message);
        };
        let rest = &target.path[scope.base..];
        let mut best: Option<(Matched, &'p Rule)> = None;
        for (pattern, rule) in rules {
            let Some(pattern) = pattern else {
                return self.fail(Code::E0611, rule.path.span, "this is not a path");
            };
            if let Some(found) = matched(pattern, rest)
                && best.as_ref().is_none_or(|(longest, _)| found.length >= longest.length)
            {
                best = Some((found, rule));
            }
        }
        match best {
            None => Ok(None),
            Some((found, rule)) => self.ruled(maps, target, scope, rule, &found),
        }
    }

    fn ruled(
        &mut self,
        maps: &Maps<'p>,
        target: &Target<'_>,
        scope: &Scope,
        rule: &'p Rule,
        found: &Matched,
    ) -> Eval<Option<Source>> {
        if matches!(&rule.value.kind, ExprKind::Name(name) if name == "fresh") {
            return Ok(Some(Source::Fresh));
        }
        if let ExprKind::Name(_) | ExprKind::Part { .. } | ExprKind::Index { .. } = &rule.value.kind
            && path_text(&rule.value).is_some()
        {
            let moved = self.moved(rule, &target.path[scope.base + found.length..], found)?;
            let kind = if target.key.starts_with("state/") { "state/" } else { "" };
            return Ok(Some(Source::Named(format!("{kind}{moved}"))));
        }
        let ExprKind::List(names) = &rule.value.kind else {
            return self.placed(maps, target, scope, rule, &rule.value, found);
        };
        let mut tied = Vec::new();
        for name in names {
            tied.extend(self.placed(maps, target, scope, rule, &name.value, found)?);
        }
        match tied.is_empty() {
            true => self.fail(Code::E0611, rule.value.span, "a list names one tensor or more"),
            false => Ok(Some(Source::Tied(tied))),
        }
    }

    /// One right side of a rule: a tensor, or the prefix of a module.
    fn placed(
        &mut self,
        maps: &Maps<'p>,
        target: &Target<'_>,
        scope: &Scope,
        rule: &'p Rule,
        value: &'p Expr,
        found: &Matched,
    ) -> Eval<Option<Source>> {
        let (below, bound) = (scope.base + found.length, &found.bound);
        if below == target.path.len() {
            return self.tensor_source(value, &scope.prefix, bound).map(Some);
        }
        let (text, chunk) = match &value.kind {
            ExprKind::Call { args, .. } if args.len() == 3 => {
                let (k, n) =
                    (self.rule_number(&args[1].value, bound)?, self.rule_number(&args[2].value, bound)?);
                (&args[0].value, Some((k, n)))
            }
            _ => (value, None),
        };
        let ExprKind::Text(text) = &text.kind else {
            return self.fail(Code::E0611, value.span, "what stands for a whole module is a name");
        };
        let name = self.interpolate(text, bound, value.span)?;
        let map = match &rule.via {
            Some(via) => via.text.clone(),
            None => match target.maker(below) {
                Some(constructor) => constructor.to_string(),
                None => return self.fail(Code::E0611, rule.path.span, "there is no module at this path"),
            },
        };
        let dot = if name.is_empty() || name.ends_with('.') { "" } else { "." };
        let inner = Scope { map, base: below, prefix: format!("{}{name}{dot}", scope.prefix) };
        let source = self.source_of(maps, target, &inner, value.span)?;
        match (source, chunk) {
            (None, _) => {
                let message = format!("`{}` is not covered by the map `{}`", target.key, inner.map);
                self.fail(Code::E0611, rule.path.span, message)
            }
            (Some(Source::Transposed(inner)), Some((k, n))) => {
                Ok(Some(Source::Transposed(Box::new(Source::Chunk(inner, k, n)))))
            }
            (Some(source), Some((k, n))) => Ok(Some(Source::Chunk(Box::new(source), k, n))),
            (source, None) => Ok(source),
        }
    }

    /// A path of another stage, with what lies below the rule's own path behind it.
    fn moved(&mut self, rule: &'p Rule, rest: &[Step<'_>], found: &Matched) -> Eval<String> {
        let mut path = self.source_path(&rule.value, &found.bound)?;
        let before = self.diagnostics.len();
        let list = matches!(self.eval(&rule.value, &Env::space(MAIN), None), Ok(Object::List(_)));
        self.diagnostics.truncate(before);
        if let (true, Some(index)) = (list, found.skipped.first()) {
            path += &format!("[{index}]");
        }
        for step in rest {
            match step {
                Step::Name(name) => path += &format!(".{name}"),
                Step::At(index) => path += &format!("[{index}]"),
            }
        }
        Ok(path)
    }
    /// Rules of a small map whose first name the model does not have.
    fn idle_rules(&mut self, map: &str) -> Eval<()> {
        let program = self.program;
        let Some(map) = program.weights.iter().find(|w| w.name.text == map) else { return Ok(()) };
        for rule in &map.rules {
            let first = pattern(&rule.path).and_then(|p| p.into_iter().next());
            let Some(Wanted::Name(first)) = first else { continue };
            if !program.spaces[MAIN.0].names.contains_key(first) {
                let message = format!("the model has no part `{first}`");
                return self.report(Diagnostic::error(Code::E0202, rule.path.span, message));
            }
        }
        Ok(())
    }
}

impl<'p> Maps<'p> {
    fn of(maps: &'p [tree::Weights]) -> Self {
        let rules =
            |map: &'p tree::Weights| map.rules.iter().map(|rule| (pattern(&rule.path), rule)).collect();
        // Of maps with the same name the first counts.
        Self(maps.iter().rev().map(|map| (map.name.text.as_str(), rules(map))).collect())
    }
}
