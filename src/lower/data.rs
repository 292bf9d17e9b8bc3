//! Data expressions: which columns they bring, and what the loader must do (7).

use super::object::Object;
use super::scope::Env;
use super::state::{Eval, Lower};
use crate::recipe::{Data, DataKind, Transform};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, Expr, ExprKind, Step};

/// A data expression after checking.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Names of its columns.
    pub columns: Vec<String>,
    /// What the loader does; missing where this version cannot load it yet.
    pub data: Option<Data>,
    /// The form that cannot be loaded yet.
    pub later: Option<String>,
}

/// Columns of each source.
const SOURCES: &[(&str, &[&str])] = &[
    ("pairs", &["image", "text", "image_id"]),
    ("captioned", &["image", "text", "image_id"]),
    ("images", &["image"]),
    ("texts", &["text"]),
    ("labelled", &["image", "label"]),
    ("vqa", &["image", "text", "question", "answer", "weight", "scores"]),
    ("nlvr", &["left", "right", "text", "truth"]),
    ("entail", &["image", "text", "verdict"]),
];

impl<'p> Lower<'p> {
    /// A data expression.
    pub fn feed(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Feed> {
        match &expr.kind {
            ExprKind::Group(inner) => self.feed(inner, env),
            ExprKind::Name(name) => {
                match self.program.spaces[env.space_id().0].names.get(name).map(|d| &d.meaning) {
                    Some(super::program::Meaning::Data(inner)) => self.feed(inner, env),
                    _ => self.no_data(expr.span),
                }
            }
            ExprKind::Call { callee, args } => self.source(callee, args, expr.span, env),
            ExprKind::Pipe { from, step } => {
                let feed = self.feed(from, env)?;
                self.transform(feed, step, env)
            }
            ExprKind::Binary { left, right, .. } => {
                let (a, b) = (self.feed(left, env)?, self.feed(right, env)?);
                let columns = a.columns.into_iter().filter(|c| b.columns.contains(c)).collect();
                Ok(Feed { columns, data: None, later: Some("a mixture of sources".into()) })
            }
            ExprKind::With { value, block } => {
                let mut feed = self.feed(value, env)?;
                for field in block {
                    feed = self.rename(feed, &field.name.text, &field.value)?;
                }
                Ok(feed)
            }
            ExprKind::List(args) => {
                let mut columns = Vec::new();
                for arg in args {
                    columns.extend(self.feed(&arg.value, env)?.columns);
                }
                Ok(Feed { columns, data: None, later: Some("several sources side by side".into()) })
            }
            _ => self.no_data(expr.span),
        }
    }

    fn no_data<T>(&mut self, at: Span) -> Eval<T> {
        self.fail(Code::E0613, at, "this is not data; a source is pairs(…), images(…), texts(…) and so on")
    }

    fn source(&mut self, callee: &'p Expr, args: &'p [Arg], at: Span, env: &Env<'p>) -> Eval<Feed> {
        let ExprKind::Name(name) = &callee.kind else { return self.no_data(at) };
        if matches!(name.as_str(), "recaption" | "keep") {
            let Some(first) = args.first() else { return self.no_data(at) };
            let feed = self.feed(&first.value, env)?;
            return Ok(Feed { data: None, later: Some(format!("{name}(…)")), ..feed });
        }
        let Some((_, columns)) = SOURCES.iter().find(|(known, _)| known == name) else {
            return self.no_data(at);
        };
        let (mut names, mut prompt, mut other) = (Vec::new(), None, None);
        for arg in args {
            let value = self.eval(&arg.value, env, None)?;
            match (arg.name.as_ref().map(|n| n.text.as_str()), value) {
                (None, Object::Text(text)) => names.push(text),
                (Some("prompt"), Object::Text(text)) => prompt = Some(text),
                (None | Some("prompt"), _) => {
                    return self.fail(Code::E0613, arg.value.span, "a data set is named by a text");
                }
                (Some(name), _) => other = Some(name.to_string()),
            }
        }
        let columns = columns.iter().map(|c| c.to_string()).collect();
        if name == "pairs" {
            if let Some(other) = other {
                return self.fail(Code::E0203, at, format!("`pairs` has no argument `{other}`"));
            }
            let data = Data { kind: DataKind::Pairs { prompt }, names, transforms: Vec::new() };
            return Ok(Feed { columns, data: Some(data), later: None });
        }
        Ok(Feed { columns, data: None, later: Some(format!("{name}(…)")) })
    }

    fn rename(&mut self, mut feed: Feed, new: &str, old: &'p Expr) -> Eval<Feed> {
        let old_span = old.span;
        let (old, takes) = match &old.kind {
            ExprKind::Name(name) => (name.clone(), true),
            ExprKind::Call { args, .. } => match args.first().map(|a| &a.value.kind) {
                Some(ExprKind::Name(name)) => (name.clone(), false),
                _ => return self.no_data(old.span),
            },
            _ => return self.no_data(old.span),
        };
        if !feed.columns.contains(&old) {
            let message = format!("unknown column `{old}`; the data has: {}", feed.columns.join(", "));
            return self.fail(Code::E0215, old_span, message);
        }
        if takes {
            feed.columns.retain(|c| *c != old);
        }
        feed.columns.push(new.to_string());
        Ok(Feed { data: None, later: Some("renamed columns".into()), ..feed })
    }

    fn transform(&mut self, mut feed: Feed, step: &'p Step, env: &Env<'p>) -> Eval<Feed> {
        let ExprKind::Name(name) = &step.path.kind else { return self.no_data(step.span) };
        let mut numbers = Vec::new();
        let mut set = None;
        for arg in step.args.iter().flatten() {
            let value = self.eval(&arg.value, env, None)?;
            match value {
                Object::Text(text) => set = Some(text),
                other => numbers.push(self.number(&other, arg.value.span)?),
            }
        }
        let transform = match (name.as_str(), numbers.as_slice(), set.as_deref()) {
            ("crop", [low, high], None) => Transform::Crop { low: *low, high: *high },
            ("flip", [], None) => Transform::Flip,
            ("center", [], None) => Transform::Center,
            ("randaug", [count, magnitude], None | Some("albef")) => {
                Transform::RandAugment { count: *count as usize, magnitude: *magnitude }
            }
            ("randaug" | "jitter", _, _) => {
                let later = Some(format!("{name} with these arguments"));
                return Ok(Feed { data: None, later, ..feed });
            }
            _ => {
                let message = "augmentation is crop(low, high), flip, randaug(n, m), jitter(s) or center";
                return self.fail(Code::E0613, step.span, message);
            }
        };
        if let Some(data) = &mut feed.data {
            data.transforms.push(transform);
        }
        Ok(feed)
    }
}
