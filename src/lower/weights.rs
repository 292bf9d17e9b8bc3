//! Weight maps: from rules of the language to one source for every parameter (11).
//!
//! A rule maps a path, or everything below it. What lies below goes to the map of the module found at that path, with the
//! rule's text and a dot in front of its names. The longest path wins; among equals the last.
//! A path may begin with the name of a slow copy (its twins) or be that of a state. A list on the right is one tensor under
//! several names.

use super::model::{Load, Source};
use super::object::{Object, Param};
use super::program::{MAIN, Meaning, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{self, Expr, ExprKind, Index, Rule};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'t> {
    Name(&'t str),
    At(usize),
}

/// Few enough steps to need no allocation.
type Steps<'t> = SmallVec<[Step<'t>; 12]>;

/// The steps of a rule's path.
type Pattern<'p> = SmallVec<[Wanted<'p>; 8]>;

/// The rules of every map of the file and of the library, with their steps; none if the rule is no path.
struct Maps<'p>(FxHashMap<&'p str, Vec<(Option<Pattern<'p>>, &'p Rule)>>);

/// One step of a rule's path.
enum Wanted<'p> {
    Name(&'p str),
    At(usize),
    Variable(&'p str),
}

/// Something that can be loaded.
struct Target<'t> {
    key: String,
    /// The slow copy whose parameter it is.
    copy: Option<&'t str>,
    path: Steps<'t>,
    /// The modules around it with what made them.
    owners: &'t [(Arc<str>, Arc<str>)],
}

/// A map that is being applied.
struct Scope {
    map: String,
    base: usize,
    prefix: String,
}

/// What a rule's path takes of a path.
#[derive(Clone, Default)]
struct Matched {
    /// How many steps.
    length: usize,
    /// Indices by the names that the rule gives them.
    bound: BTreeMap<String, i64>,
    /// Indices of lists that the rule names without one: every element.
    skipped: Vec<usize>,
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

    /// `blocks[i].ffn` as text, indices put in.
    fn source_path(&mut self, expr: &'p Expr, bound: &BTreeMap<String, i64>) -> Eval<String> {
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
    fn tensor_source(&mut self, expr: &'p Expr, prefix: &str, bound: &BTreeMap<String, i64>) -> Eval<Source> {
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

    fn rule_number(&mut self, expr: &'p Expr, bound: &BTreeMap<String, i64>) -> Eval<usize> {
        let text = self.program.sources.text(expr.span).to_string();
        let value = self.rule_arithmetic(&text, bound, expr.span)?;
        match usize::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => self.fail(Code::E0611, expr.span, format!("an index cannot be {value}")),
        }
    }

    /// `"layer.{i + half}"` with the numbers put in.
    fn interpolate(&mut self, text: &str, bound: &BTreeMap<String, i64>, at: Span) -> Eval<String> {
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

impl Target<'_> {
    /// What made the module that its first steps lead to.
    fn maker(&self, steps: usize) -> Option<&str> {
        let own = |path: &str| 1 + path.bytes().filter(|byte| matches!(byte, b'.' | b'[')).count();
        let count = |path: &str| usize::from(self.copy.is_some()) + own(path);
        let leads = |path: &str| count(path) == steps && full_path(self.copy, path)[..] == self.path[..steps];
        self.owners.iter().find(|(path, _)| leads(path)).map(|(_, constructor)| &**constructor)
    }
}

/// Parameters, those of slow copies, and states.
fn targets<'t>(
    params: &'t [Rc<Param>],
    copies: &'t [String],
    states: &'t [(String, Option<Rc<Param>>)],
) -> Vec<Target<'t>> {
    let copies = copies.iter().map(|copy| Some(copy.as_str()));
    let all = std::iter::once(None).chain(copies);
    let mut targets: Vec<Target<'t>> =
        all.flat_map(|copy| params.iter().map(move |param| parameter(copy, param))).collect();
    let state = |(name, owned): &'t (String, Option<Rc<Param>>)| Target {
        key: format!("state/{name}"),
        copy: None,
        path: full_path(None, name),
        owners: owned.as_ref().map_or(&[], |state| &state.owners),
    };
    targets.extend(states.iter().map(state));
    targets
}

fn parameter<'t>(copy: Option<&'t str>, param: &'t Param) -> Target<'t> {
    let key = match copy {
        Some(copy) => format!("{copy}/{}", param.path),
        None => param.path.clone(),
    };
    Target { key, copy, path: full_path(copy, &param.path), owners: &param.owners }
}

fn full_path<'t>(head: Option<&'t str>, path: &'t str) -> Steps<'t> {
    let mut steps: Steps<'t> = head.map(Step::Name).into_iter().collect();
    for part in path.split('.') {
        let mut pieces = part.split('[');
        steps.extend(pieces.next().map(Step::Name));
        steps.extend(pieces.filter_map(|p| p.trim_end_matches(']').parse().ok()).map(Step::At));
    }
    steps
}

fn pattern(expr: &Expr) -> Option<Pattern<'_>> {
    match &expr.kind {
        ExprKind::Name(name) => Some([Wanted::Name(name)].into_iter().collect()),
        ExprKind::Part { value, name } => {
            let mut steps = pattern(value)?;
            steps.push(Wanted::Name(&name.text));
            Some(steps)
        }
        ExprKind::Index { value, indices } => {
            let mut steps = pattern(value)?;
            let [Index::At(at)] = indices.as_slice() else { return None };
            steps.push(match &at.kind {
                ExprKind::Name(name) => Wanted::Variable(name),
                ExprKind::Number { value, .. } => Wanted::At(*value as usize),
                _ => return None,
            });
            Some(steps)
        }
        _ => None,
    }
}

/// What a rule takes of a path; `None` if it does not fit.
fn matched(pattern: &[Wanted<'_>], path: &[Step<'_>]) -> Option<Matched> {
    let mut found = Matched::default();
    for (place, wanted) in pattern.iter().enumerate() {
        match (wanted, path.get(found.length)?) {
            (Wanted::Name(want), Step::Name(have)) if want == have => found.length += 1,
            (Wanted::At(want), Step::At(have)) if want == have => found.length += 1,
            (Wanted::Variable(name), Step::At(have)) => {
                found.bound.insert(name.to_string(), *have as i64);
                found.length += 1;
            }
            _ => return None,
        }
        // A list without an index means every element.
        let next_is_name = matches!(pattern.get(place + 1), Some(Wanted::Name(_)));
        if let (true, Some(Step::At(index))) = (next_is_name, path.get(found.length)) {
            found.skipped.push(*index);
            found.length += 1;
        }
    }
    Some(found)
}
