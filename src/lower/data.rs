//! Data expressions: which columns they bring, what the loader must do, and which batch symbol their rows have (7).

use super::model::{Feed, Input, Reading};
use super::object::Object;
use super::program::{Meaning, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use crate::recipe::{AugmentSet, Column, Data, DataKind, Rows, Transform};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::print;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, BinaryOp, Expr, ExprKind, Field, Step};
use std::collections::BTreeSet;

/// The sources that name data sets.
const SOURCES: &[&str] = &["pairs", "captioned", "images", "texts", "labelled", "vqa", "nlvr", "entail"];

impl<'p> Lower<'p> {
    /// The sources of a stage, side by side.
    pub fn feeds(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Vec<Data>> {
        match &expr.kind {
            ExprKind::Group(inner) => self.feeds(inner, env),
            ExprKind::List(args) if !args.is_empty() => {
                args.iter().map(|arg| self.feed(&arg.value, env)).collect()
            }
            _ => Ok(vec![self.feed(expr, env)?]),
        }
    }

    /// The data of one source.
    pub fn feed(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Data> {
        match &expr.kind {
            ExprKind::Group(inner) => self.feed(inner, env),
            ExprKind::Name(name) => self.named_data(name, expr.span, env),
            ExprKind::Call { callee, args } => self.source(callee, args, expr.span, env),
            ExprKind::Pipe { from, step } => {
                let mut data = self.feed(from, env)?;
                data.transforms.push(self.transform(step, env)?);
                Ok(data)
            }
            ExprKind::Binary { op: BinaryOp::Add, left, right, op_span } => {
                let parts = [self.feed(left, env)?, self.feed(right, env)?];
                self.mixed(parts, *op_span)
            }
            ExprKind::With { value, block } => {
                let data = self.feed(value, env)?;
                self.renamed(data, block)
            }
            _ => self.no_data(expr.span),
        }
    }

    fn no_data<T>(&mut self, at: Span) -> Eval<T> {
        let error = Diagnostic::error(Code::E0613, at, "this is not data");
        self.report(error.note(format!("a source is one of {}, or recaption, keep", SOURCES.join(", "))))
    }

    fn named_data(&mut self, name: &str, at: Span, env: &Env<'p>) -> Eval<Data> {
        let space = env.space_id();
        let program = self.program;
        let definition = program.spaces[space.0].names.get(name);
        let Some((name, Meaning::Data(inner))) = definition.map(|d| (d.name.text.as_str(), &d.meaning))
        else {
            return self.no_data(at);
        };
        let key = (usize::MAX, space, name);
        if self.active.contains(&key) {
            return self.fail(Code::E0208, inner.span, format!("the data `{name}` depends on itself"));
        }
        self.active.push(key);
        let data = self.feed(inner, env);
        self.active.pop();
        data
    }

    /// `a + b`: the columns that both have.
    fn mixed(&mut self, parts: [Data; 2], at: Span) -> Eval<Data> {
        let [a, b] = &parts;
        let both = |c: &&Column| b.columns.iter().any(|d| d.name == c.name);
        let own = |c: &Column| Column { name: c.name.clone(), from: c.name.clone(), other: false };
        let columns: Vec<Column> = a.columns.iter().filter(both).map(own).collect();
        if columns.is_empty() {
            return self.fail(Code::E0613, at, "these two sources have no column in common");
        }
        let flat = |data: Data| match data {
            Data { rows: Rows::Mixed(all), transforms, .. } if transforms.is_empty() => all,
            data => vec![data],
        };
        let all = parts.into_iter().flat_map(flat).collect();
        Ok(Data { rows: Rows::Mixed(all), columns, transforms: Vec::new() })
    }

    fn source(&mut self, callee: &'p Expr, args: &'p [Arg], at: Span, env: &Env<'p>) -> Eval<Data> {
        let ExprKind::Name(name) = &callee.kind else { return self.no_data(at) };
        match name.as_str() {
            "recaption" => self.recaptioned(args, at, env),
            "keep" => self.kept(args, at, env),
            name if SOURCES.contains(&name) => self.sets(name, args, at, env),
            _ => self.no_data(at),
        }
    }

    /// `recaption(D, by: task)`
    fn recaptioned(&mut self, args: &'p [Arg], at: Span, env: &Env<'p>) -> Eval<Data> {
        let [data, by] = self.two(args, "recaption", "by", at)?;
        let data = self.feed(&data.value, env)?;
        let (program, task) = (self.program, path_text(&by.value).unwrap_or_default());
        let found = program.tasks.iter().find(|t| t.name.text == task);
        let Some(on) = found.and_then(|found| super::on_stage(program, found)) else {
            let known = program.tasks.iter().map(|t| t.name.text.as_str()).collect();
            return self.unknown_stage(&task, by.value.span, known);
        };
        let on = on.text.clone();
        Ok(derived(data, |data| Rows::Recaptioned { data, by: task, on }))
    }

    /// `keep(D, condition, on: stage)`
    fn kept(&mut self, args: &'p [Arg], at: Span, env: &Env<'p>) -> Eval<Data> {
        let [data, condition, on] = args else {
            let message = "`keep` needs data, a condition and a stage: keep(D, fits, on: filter)";
            return self.fail(Code::E0211, at, message);
        };
        self.named_last(on, "keep", "on")?;
        let data = self.feed(&data.value, env)?;
        let stage = path_text(&on.value).unwrap_or_default();
        if !self.program.stages.iter().any(|s| s.name.text == stage) {
            let known = self.program.stages.iter().map(|s| s.name.text.as_str()).collect();
            return self.unknown_stage(&stage, on.value.span, known);
        }
        let condition = print::expr(&condition.value);
        Ok(derived(data, |data| Rows::Kept { data, condition, on: stage }))
    }

    fn two(&mut self, args: &'p [Arg], name: &str, last: &str, at: Span) -> Eval<[&'p Arg; 2]> {
        let [first, second] = args else {
            return self.fail(Code::E0211, at, format!("`{name}` needs data and `{last}`"));
        };
        self.named_last(second, name, last)?;
        Ok([first, second])
    }

    fn named_last(&mut self, arg: &'p Arg, name: &str, last: &str) -> Eval<()> {
        match &arg.name {
            Some(given) if given.text == last => Ok(()),
            Some(given) => {
                let message = format!("`{name}` has no argument `{}`; there is `{last}`", given.text);
                self.fail(Code::E0203, given.span, message)
            }
            None => {
                self.fail(Code::E0211, arg.value.span, format!("this argument is given by name: {last}: …"))
            }
        }
    }

    /// `pairs("a", …, prompt: "…")` and the other sources that name data sets.
    fn sets(&mut self, name: &str, args: &'p [Arg], at: Span, env: &Env<'p>) -> Eval<Data> {
        let (mut names, mut prompt, mut wrong, mut answers) = (Vec::new(), None, 0.0, None);
        for arg in args {
            let value = self.eval(&arg.value, env, None)?;
            let place = arg.value.span;
            match (name, arg.name.as_ref().map(|n| n.text.as_str())) {
                (_, None) => names.push(self.text_of(value, place, "a data set is named by a text")?),
                ("pairs", Some("prompt")) => prompt = Some(self.template(value, place)?),
                ("pairs", Some("wrong")) => wrong = self.wrong_share(&value, place)?,
                ("vqa", Some("answers")) => answers = Some(self.count(&value, place)?),
                (_, Some(other)) => {
                    let message = format!("`{name}` has no argument `{other}`");
                    return self.fail(Code::E0203, arg.span(), message);
                }
            }
        }
        let kind = match name {
            "pairs" => DataKind::Pairs { prompt, wrong },
            "captioned" => {
                let text = names.pop().unwrap_or_default();
                DataKind::Captioned { template: self.template(Object::Text(text), at)? }
            }
            "images" => DataKind::Images,
            "texts" => DataKind::Texts,
            "labelled" => DataKind::Labelled,
            "vqa" => DataKind::Vqa { answers },
            "nlvr" => DataKind::Nlvr,
            _ => DataKind::Entail,
        };
        if names.is_empty() {
            return self.fail(Code::E0211, at, format!("`{name}` needs the name of a data set"));
        }
        Ok(Data::sets(kind, names))
    }

    /// The share of captions that are made wrong.
    fn wrong_share(&mut self, value: &Object<'p>, at: Span) -> Eval<f64> {
        let share = self.number(value, at)?;
        if (0.0..=1.0).contains(&share) {
            return Ok(share);
        }
        self.fail(Code::E0613, at, format!("`wrong` is a share of the captions, 0 to 1; this is {share}"))
    }

    fn text_of(&mut self, value: Object<'p>, at: Span, why: &str) -> Eval<String> {
        match value {
            Object::Text(text) => Ok(text),
            _ => self.fail(Code::E0613, at, why),
        }
    }

    /// A text with a place for another one.
    fn template(&mut self, value: Object<'p>, at: Span) -> Eval<String> {
        let text = self.text_of(value, at, "a text with `{}` in it is needed here")?;
        if text.matches("{}").count() == 1 {
            return Ok(text);
        }
        self.fail(Code::E0613, at, format!("\"{text}\" needs one `{{}}`, the place of the text"))
    }

    /// `D with { photo = image  other_image = other(image) }`
    fn renamed(&mut self, mut data: Data, block: &'p [Field]) -> Eval<Data> {
        let known: Vec<Column> = data.columns.clone();
        for field in block {
            let (old, other) = match &field.value.kind {
                ExprKind::Name(name) => (name, false),
                ExprKind::Call { callee, args } => match (&callee.kind, args.as_slice()) {
                    (ExprKind::Name(f), [Arg { value: Expr { kind: ExprKind::Name(name), .. }, .. }])
                        if f == "other" =>
                    {
                        (name, true)
                    }
                    _ => return self.no_column(field),
                },
                _ => return self.no_column(field),
            };
            let Some(column) = known.iter().find(|c| c.name == *old) else {
                return self.unknown_column(old, field.value.span, &known);
            };
            if !other {
                data.columns.retain(|c| c.name != *old || c.other);
            }
            data.columns.retain(|c| c.name != field.name.text);
            data.columns.push(Column { name: field.name.text.clone(), from: column.from.clone(), other });
        }
        Ok(data)
    }

    fn no_column<T>(&mut self, field: &'p Field) -> Eval<T> {
        self.fail(Code::E0613, field.value.span, "a column is a name, or other(name): that of another row")
    }

    fn unknown_column<T>(&mut self, name: &str, at: Span, known: &[Column]) -> Eval<T> {
        let names: Vec<&str> = known.iter().map(|c| c.name.as_str()).collect();
        let mut error = Diagnostic::error(Code::E0215, at, format!("unknown column `{name}`"));
        if let Some(near) = nearest(name, names.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("the data has: {}", names.join(", "))))
    }

    fn transform(&mut self, step: &'p Step, env: &Env<'p>) -> Eval<Transform> {
        let ExprKind::Name(name) = &step.path.kind else { return self.no_transform(step.span) };
        let (mut numbers, mut set) = (Vec::new(), None);
        for arg in step.args.iter().flatten() {
            match (arg.name.as_ref().map(|n| n.text.as_str()), self.eval(&arg.value, env, None)?) {
                (Some("set"), Object::Text(text)) => set = Some(text),
                (Some(_), _) => return self.no_transform(arg.span()),
                (None, value) => numbers.push(self.number(&value, arg.value.span)?),
            }
        }
        let share = |x: f64| (0.0..=1.0).contains(&x);
        Ok(match (name.as_str(), numbers.as_slice(), set.as_deref()) {
            ("crop", [low, high], None) if 0.0 < *low && low <= high && share(*high) => {
                Transform::Crop { low: *low, high: *high }
            }
            ("flip", [], None) => Transform::Flip,
            ("center", [], None) => Transform::Center,
            ("fit", [short, long, step], None) if is_fit([*short, *long, *step]) => {
                Transform::Fit { short: *short as usize, long: *long as usize, step: *step as usize }
            }
            ("jitter", [strength], None) if share(*strength) => Transform::Jitter(*strength),
            ("randaug", [count, magnitude], set) if *count >= 0.0 && *magnitude >= 0.0 => {
                let set = match set {
                    None | Some("albef") => AugmentSet::Albef,
                    Some("vilt") => AugmentSet::Vilt,
                    Some("timm") => AugmentSet::Timm,
                    Some(_) => return self.no_transform(step.span),
                };
                Transform::RandAugment { count: *count as usize, magnitude: *magnitude, set }
            }
            _ => return self.no_transform(step.span),
        })
    }

    fn no_transform<T>(&mut self, at: Span) -> Eval<T> {
        let error = Diagnostic::error(Code::E0613, at, "this is no augmentation");
        self.report(error.note(
            "there are crop(low, high) with 0 < low <= high <= 1, flip, randaug(n, m, set: \"albef\" | \"vilt\" | \"timm\"), jitter(s) with s below 1, center, and fit(short, long, step) with step <= short <= long",
        ))
    }

    /// Pictures that keep their proportions are no larger than the inputs they go to.
    pub fn fits_in(&mut self, data: &Data, inputs: &[Input], at: Span) -> Eval<()> {
        let largest = data.transforms.iter().filter_map(|transform| match transform {
            Transform::Fit { long, step, .. } => Some(long / step * step),
            _ => None,
        });
        let Some(largest) = largest.max() else { return Ok(()) };
        let small = inputs.iter().find_map(|input| match input.reading {
            Reading::Image { side } if side < largest => Some((&input.name, side)),
            _ => None,
        });
        let Some((name, side)) = small.filter(|(name, _)| data.columns.iter().any(|c| c.name == **name))
        else {
            return Ok(());
        };
        let message =
            format!("`fit` gives pictures of up to {largest} pixels a side, but `{name}` has {side}");
        self.fail(Code::E0613, at, message)
    }

    /// Sources with the batch symbols of the inputs they feed: one a source, and no two alike (E0613).
    pub fn with_symbols(
        &mut self,
        sources: Vec<Data>,
        batches: &[usize],
        inputs: &[Input],
        at: Span,
    ) -> Eval<Vec<Feed>> {
        if batches.len() != 1 && batches.len() != sources.len() {
            let message = format!("there are {} sources, but {} batch sizes", sources.len(), batches.len());
            return self.fail(Code::E0613, at, message);
        }
        sources.iter().try_for_each(|data| self.fits_in(data, inputs, at))?;
        let mut feeds: Vec<Feed> = Vec::new();
        for (i, data) in sources.into_iter().enumerate() {
            let fed =
                |input: &&Input| self.options.given || data.columns.iter().any(|c| c.name == input.name);
            let symbols: BTreeSet<&str> = inputs
                .iter()
                .filter(fed)
                .filter_map(|input| input.shape.sizes.first()?.symbols().next())
                .collect();
            let all: Vec<&str> = symbols.iter().copied().collect();
            if all.len() > 1 {
                let message = format!(
                    "rows of one source have one batch symbol, but its inputs have {}",
                    all.join(" and ")
                );
                return self.fail(Code::E0613, at, message);
            }
            let symbol = all.first().map_or_else(String::new, |s| s.to_string());
            if !symbol.is_empty() && feeds.iter().any(|feed| feed.symbol == symbol) {
                let error = format!("inputs of different sources share the batch symbol {symbol}");
                let error = Diagnostic::error(Code::E0613, at, error);
                return self.report(error.note("give the inputs of each source a symbol of their own"));
            }
            feeds.push(Feed { data, symbol, batch: batches[if batches.len() == 1 { 0 } else { i }] });
        }
        Ok(feeds)
    }
}

/// Whole numbers of pixels, in order.
fn is_fit([short, long, step]: [f64; 3]) -> bool {
    let whole = [short, long, step].iter().all(|x| x.fract() == 0.0 && (1.0..=8192.0).contains(x));
    whole && step <= short && short <= long
}

/// Rows made of others: the columns are theirs, and what is done to their pictures is done to those that are left.
fn derived(data: Data, rows: impl FnOnce(Box<Data>) -> Rows) -> Data {
    let (columns, transforms) = (data.columns.clone(), data.transforms.clone());
    Data { rows: rows(data.into()), columns, transforms }
}
