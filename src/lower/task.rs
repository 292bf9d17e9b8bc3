//! A task: a protocol, what it asks of the graph, and what it reports (9).

use super::fields::Fields;
use super::model::{self, Answer, Metric, Search};
use super::object::{Object, Tensor};
use super::program::{MAIN, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::static_check::elements;
use crate::op::Op;
use crate::recipe::Data;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, Expr, ExprKind};
use std::collections::BTreeSet;

/// Fields of a task.
pub const FIELDS: &[&str] = &["answer", "data", "report", "batch", "seed"];

/// Arguments of each protocol, and the metrics it measures.
const PROTOCOLS: &[(&str, &[&str], &[&str])] = &[
    ("retrieval", &["image", "text", "rerank", "top"], &["recall"]),
    ("zero_shot", &["image", "text", "prompts"], &["accuracy"]),
    ("classify", &["logits", "truth"], &["accuracy", "vqa_score"]),
    (
        "generate",
        &["logits", "token", "prompt", "beam", "top_p", "min", "max", "probe", "length_penalty"],
        &["cider", "bleu", "exact", "vqa_score"],
    ),
    ("rank", &["logits", "token", "candidates", "top"], &["vqa_score", "accuracy", "exact"]),
    ("measure", &[], &["average"]),
];

/// A protocol as a task asks for it.
struct Asked<'a, 'p> {
    protocol: &'static str,
    args: &'p [Arg],
    /// Its values by argument, and where they stand.
    values: &'a [(String, Tensor, Span)],
    span: Span,
}

/// Arguments that are values of the graph.
const VALUES: &[&str] = &["image", "text", "rerank", "logits", "truth"];

impl<'p> Lower<'p> {
    /// A whole task.
    pub fn task(&mut self, fields: &Fields<'p>, stage: &str) -> Eval<model::Task> {
        let env = Env::space(MAIN);
        let answer = self.required(fields, "task", "answer")?;
        let (protocol, args) = self.protocol_call(answer)?;
        let values = self.protocol_values(protocol, args, &env)?;
        let asked = Asked { protocol, args, values: &values, span: answer.span };
        let answer = self.answer(&asked, &env)?;
        let report = self.metrics(fields, protocol, &env)?;
        let data = match fields.get("data") {
            None => None,
            Some(expr) => {
                let data = self.feed(expr, &env)?;
                self.data_answers(fields, &answer, &values, &data, expr.span)?;
                Some(data)
            }
        };
        for (name, tensor, _) in &values {
            self.graph.name(name.clone(), tensor.node);
        }
        self.finish_task(fields, stage, answer, data, report, &env)
    }

    /// The protocol with what the runtime must know of it, after the rules that it has.
    fn answer(&mut self, asked: &Asked<'_, 'p>, env: &Env<'p>) -> Eval<Answer> {
        let given = |name: &str| asked.values.iter().any(|(n, _, _)| n == name);
        match asked.protocol {
            "retrieval" => {
                self.alone(asked.values)?;
                let top = self.optional_count(asked, "top", env)?;
                if !given("image") && !given("text") && !given("rerank") {
                    return self.fail(
                        Code::E0211,
                        asked.span,
                        "`retrieval` needs `image` and `text`, or `rerank`",
                    );
                }
                self.pair_scores(asked)?;
                let rerank = given("rerank").then_some(top.unwrap_or(usize::MAX));
                Ok(Answer::Retrieval { image: given("image"), text: given("text"), rerank })
            }
            "zero_shot" => {
                self.needs(asked, &["image", "text"])?;
                self.alone(asked.values)?;
                Ok(Answer::ZeroShot { prompts: self.prompts(asked, env)? })
            }
            "classify" => {
                self.needs(asked, &["logits", "truth"])?;
                self.truth_fits(asked)?;
                Ok(Answer::Classify)
            }
            "generate" => self.generate(asked, env),
            "rank" => {
                self.needs(asked, &["logits", "token", "candidates"])?;
                let token = self.left_to_right(asked, env)?;
                let candidates = self.optional_text(asked, "candidates", env)?.unwrap_or_default();
                Ok(Answer::Rank { token, candidates, top: self.optional_count(asked, "top", env)? })
            }
            _ => {
                if asked.values.is_empty() {
                    return self.fail(Code::E0211, asked.span, "`measure` needs values");
                }
                if let Some((_, tensor, at)) = asked.values.iter().find(|(_, t, _)| t.ty.rank() != 0) {
                    let message = format!("what is measured is a single number, this is {}", tensor.ty);
                    return self.fail(Code::E0313, *at, message);
                }
                Ok(Answer::Measure(asked.values.iter().map(|(name, _, _)| name.clone()).collect()))
            }
        }
    }

    fn generate(&mut self, asked: &Asked<'_, 'p>, env: &Env<'p>) -> Eval<Answer> {
        self.needs(asked, &["logits", "token"])?;
        let token = self.left_to_right(asked, env)?;
        let beam = self.optional_count(asked, "beam", env)?;
        let nucleus = self.optional_real(asked, "top_p", env)?;
        let search = match (beam, nucleus) {
            (Some(_), Some(_)) => {
                let at = argument(asked.args, "top_p").map_or(asked.span, Arg::span);
                return self.fail(Code::E0314, at, "`generate` takes `beam` or `top_p`, not both");
            }
            (Some(beams), None) => Search::Beam(beams.max(1)),
            (None, Some(share)) => Search::Nucleus(self.share(asked, share)?),
            (None, None) => Search::Greedy,
        };
        let probe = match argument(asked.args, "probe") {
            None => None,
            Some(arg) => {
                let object = self.eval(&arg.value, env, None)?;
                Some(self.number(&object, arg.value.span)? as i64)
            }
        };
        Ok(Answer::Generate {
            token,
            prompt: self.optional_text(asked, "prompt", env)?,
            search,
            min: self.optional_count(asked, "min", env)?.unwrap_or(0),
            max: self.optional_count(asked, "max", env)?,
            probe,
            length_penalty: self.optional_real(asked, "length_penalty", env)?.unwrap_or(0.0),
        })
    }

    /// A share of probability.
    fn share(&mut self, asked: &Asked<'_, 'p>, share: f64) -> Eval<f64> {
        if share > 0.0 && share <= 1.0 {
            return Ok(share);
        }
        let at = argument(asked.args, "top_p").map_or(asked.span, Arg::span);
        self.fail(
            Code::E0314,
            at,
            format!("`top_p` is a share of the probability, above 0 and at most 1; this is {share}"),
        )
    }

    fn needs(&mut self, asked: &Asked<'_, 'p>, names: &[&str]) -> Eval<()> {
        let known =
            PROTOCOLS.iter().find(|(n, _, _)| *n == asked.protocol).map_or(&[][..], |(_, args, _)| args);
        let given = |name: &str| {
            let place = known.iter().position(|n| *n == name);
            argument(asked.args, name).is_some()
                || place.and_then(|at| asked.args.get(at)).is_some_and(|arg| arg.name.is_none())
        };
        match names.iter().find(|name| !given(name)) {
            None => Ok(()),
            Some(missing) => {
                let message = format!("`{}` needs `{missing}`", asked.protocol);
                let error = Diagnostic::error(Code::E0211, asked.span, message);
                self.report(error.note(format!("its arguments: {}", known.join(", "))))
            }
        }
    }

    fn optional_count(&mut self, asked: &Asked<'_, 'p>, name: &str, env: &Env<'p>) -> Eval<Option<usize>> {
        let Some(arg) = argument(asked.args, name) else { return Ok(None) };
        let object = self.eval(&arg.value, env, None)?;
        self.count(&object, arg.value.span).map(Some)
    }

    fn optional_real(&mut self, asked: &Asked<'_, 'p>, name: &str, env: &Env<'p>) -> Eval<Option<f64>> {
        let Some(arg) = argument(asked.args, name) else { return Ok(None) };
        let object = self.eval(&arg.value, env, None)?;
        self.number(&object, arg.value.span).map(Some)
    }

    fn optional_text(&mut self, asked: &Asked<'_, 'p>, name: &str, env: &Env<'p>) -> Eval<Option<String>> {
        let Some(arg) = argument(asked.args, name) else { return Ok(None) };
        match self.eval(&arg.value, env, None)? {
            Object::Text(text) => Ok(Some(text)),
            other => {
                let message = format!("`{name}` is a text, this is {}", other.describe());
                self.fail(Code::E0314, arg.value.span, message)
            }
        }
    }

    fn prompts(&mut self, asked: &Asked<'_, 'p>, env: &Env<'p>) -> Eval<Vec<String>> {
        let Some(arg) = argument(asked.args, "prompts") else { return Ok(vec!["a photo of a {}.".into()]) };
        let object = self.eval(&arg.value, env, None)?;
        let text = |object: Object<'p>| match object {
            Object::Text(text) if text.matches("{}").count() == 1 => Some(text),
            _ => None,
        };
        let prompts = match object {
            Object::List(items) if !items.is_empty() => {
                items.into_iter().map(text).collect::<Option<Vec<_>>>()
            }
            one => text(one).map(|one| vec![one]),
        };
        match prompts {
            Some(prompts) => Ok(prompts),
            None => self.fail(
                Code::E0314,
                arg.value.span,
                "prompts are texts with one `{}`, the place of a class name",
            ),
        }
    }

    /// Scores of pairs, and features: one number, and one vector, a row.
    fn pair_scores(&mut self, asked: &Asked<'_, 'p>) -> Eval<()> {
        for (name, tensor, at) in asked.values {
            let rank = if name == "rerank" { 1 } else { 2 };
            if tensor.ty.rank() != rank {
                let what = if rank == 1 { "one score a pair, [B]" } else { "features, [B, D]" };
                return self.fail(Code::E0314, *at, format!("`{name}` is {what}; this is {}", tensor.ty));
            }
        }
        Ok(())
    }

    /// `classify` takes logits [B, K] against ids [B] or scores [B, K].
    fn truth_fits(&mut self, asked: &Asked<'_, 'p>) -> Eval<()> {
        let of = |name: &str| asked.values.iter().find(|(n, _, _)| n == name);
        let (Some((_, logits, at)), Some((_, truth, truth_at))) = (of("logits"), of("truth")) else {
            return Ok(());
        };
        let sizes = logits.ty.sizes();
        if sizes.len() != 2 {
            return self.fail(Code::E0314, *at, format!("logits are [B, K], this is {}", logits.ty));
        }
        let ids = matches!(truth.ty.elements, super::types::Elements::Ids(_));
        let fits = if ids { truth.ty.sizes()[..] == sizes[..1] } else { truth.ty.sizes() == sizes };
        if fits {
            return Ok(());
        }
        let message =
            format!("the truth of {} is ids [B] or scores like it, this is {}", logits.ty, truth.ty);
        self.fail(Code::E0314, *truth_at, message)
    }

    fn protocol_call(&mut self, answer: &'p Expr) -> Eval<(&'static str, &'p [Arg])> {
        if let ExprKind::Call { callee, args } = &answer.kind
            && let ExprKind::Name(name) = &callee.kind
            && let Some((known, _, _)) = PROTOCOLS.iter().find(|(known, _, _)| known == name)
        {
            return Ok((known, args));
        }
        let known: Vec<&str> = PROTOCOLS.iter().map(|(name, _, _)| *name).collect();
        let message = format!("this is not a protocol; there are {}", known.join(", "));
        self.fail(Code::E0613, answer.span, message)
    }

    fn protocol_values(
        &mut self,
        protocol: &str,
        args: &'p [Arg],
        env: &Env<'p>,
    ) -> Eval<Vec<(String, Tensor, Span)>> {
        let known =
            PROTOCOLS.iter().find(|(name, _, _)| *name == protocol).map_or(&[][..], |(_, args, _)| args);
        let mut values = Vec::new();
        for (position, arg) in args.iter().enumerate() {
            let name = match &arg.name {
                Some(name) => name.text.clone(),
                None if protocol == "measure" => format!("value{position}"),
                None => match known.get(position) {
                    Some(name) => (*name).to_string(),
                    None => {
                        return self.fail(
                            Code::E0212,
                            arg.value.span,
                            format!("`{protocol}` takes {} arguments", known.len()),
                        );
                    }
                },
            };
            if protocol != "measure" && !known.contains(&name.as_str()) {
                let message = format!("`{protocol}` has no argument `{name}`");
                let error = Diagnostic::error(Code::E0203, arg.span(), message);
                return self.report(error.note(format!("its arguments: {}", known.join(", "))));
            }
            if VALUES.contains(&name.as_str()) || protocol == "measure" {
                let object = self.eval(&arg.value, env, None)?;
                values.push((name, self.tensor(object, arg.value.span)?, arg.span()));
            }
        }
        Ok(values)
    }

    /// A feature of a picture depends on no text, and the reverse (E0608).
    fn alone(&mut self, values: &[(String, Tensor, Span)]) -> Eval<()> {
        let own = |s: &Self, name: &str| -> BTreeSet<String> {
            let found = values.iter().find(|(n, _, _)| n == name);
            found.map(|(_, t, _)| s.inputs_of(&[t.node]).into_iter().collect()).unwrap_or_default()
        };
        for (name, other) in [("image", "text"), ("text", "image")] {
            let Some((_, tensor, span)) = values.iter().find(|(n, _, _)| n == name) else { continue };
            let inputs = own(self, name);
            let foreign: Vec<&String> = inputs.iter().filter(|i| self.label_of(i) == Some(other)).collect();
            if let Some(foreign) = foreign.first() {
                let message = format!("`{name}` must be computable alone, but it depends on `{foreign}`");
                let error =
                    Diagnostic::error(Code::E0608, *span, message).note(format!("it is {}", tensor.ty));
                return self.report(error.note("retrieval computes it once for each picture or text; what looks at both belongs into `rerank`"));
            }
        }
        Ok(())
    }

    fn label_of(&self, input: &str) -> Option<&str> {
        self.inputs.get(input).and_then(|(t, _)| t.ty.label.as_deref())
    }

    /// The input that a task writes; its logits must not look ahead over it (E0609).
    fn left_to_right(&mut self, asked: &Asked<'_, 'p>, env: &Env<'p>) -> Eval<String> {
        let Some(arg) = argument(asked.args, "token").or_else(|| asked.args.get(1)) else {
            return self.fail(Code::E0211, asked.span, "the input that is written is missing: token: text");
        };
        let object = self.eval(&arg.value, env, None)?;
        let token = self.tensor(object, arg.value.span)?;
        let owner = token.ty.axes.get(1).and_then(|a| a.padding.as_ref()).map(|p| p.owner);
        let name = match (&self.graph.node(token.node).op, owner) {
            (Op::Input(input), Some(_)) => input.name.clone(),
            _ => {
                let message = format!("what is written is an input of tokens [B, ~T], this is {}", token.ty);
                return self.fail(Code::E0314, arg.value.span, message);
            }
        };
        let Some((_, logits, _)) = asked.values.iter().find(|(n, _, _)| n == "logits") else {
            return Ok(name);
        };
        let at = argument(asked.args, "logits").map_or(asked.span, |a| a.value.span);
        if owner.is_some_and(|owner| logits.ty.ahead.contains(&owner)) {
            let message = "this text is written from left to right, but these logits look ahead";
            let error = Diagnostic::error(Code::E0609, at, message);
            let note = "some attention over these words has no causal mask: mask: causal";
            return self.report(error.note(format!("`{name}` is what is written")).note(note));
        }
        Ok(name)
    }

    /// What the answer needs and its protocol does not supply must be in the data (E0610).
    fn data_answers(
        &mut self,
        fields: &Fields<'p>,
        answer: &Answer,
        values: &[(String, Tensor, Span)],
        data: &Data,
        at: Span,
    ) -> Eval<()> {
        let roots: Vec<_> = values.iter().map(|(_, t, _)| t.node).collect();
        let mut needed = self.inputs_of(&roots);
        if matches!(answer, Answer::ZeroShot { .. }) {
            needed.retain(|name| self.label_of(name) != Some("text"));
            needed.push("label".into());
        }
        if let Answer::Generate { token, .. } | Answer::Rank { token, .. } = answer {
            needed.retain(|name| name != token);
        }
        let missing = needed.iter().find(|n| !data.columns.iter().any(|c| c.name == **n));
        let Some(missing) = missing else { return Ok(()) };
        let message = format!("task `{}` needs the input `{missing}`, but its data has none", fields.name);
        let has: Vec<&str> = data.columns.iter().map(|c| c.name.as_str()).collect();
        self.report(
            Diagnostic::error(Code::E0610, at, message).note(format!("the data has: {}", has.join(", "))),
        )
    }

    fn metrics(&mut self, fields: &Fields<'p>, protocol: &str, env: &Env<'p>) -> Eval<Vec<Metric>> {
        let Some(expr) = fields.get("report") else { return Ok(Vec::new()) };
        let measured = PROTOCOLS.iter().find(|(name, _, _)| *name == protocol).map_or(&[][..], |(_, _, m)| m);
        let mut metrics = Vec::new();
        for one in elements(expr) {
            let (name, args): (String, &'p [Arg]) = match &one.kind {
                ExprKind::Call { callee, args } => (path_text(callee).unwrap_or_default(), args),
                _ => (path_text(one).unwrap_or_default(), &[]),
            };
            if !measured.contains(&name.as_str()) {
                let message = format!("`{protocol}` does not measure `{name}`");
                let error = Diagnostic::error(Code::E0612, one.span, message);
                return self.report(error.note(format!("it measures: {}", measured.join(", "))));
            }
            let mut cuts = Vec::new();
            for arg in args {
                let object = self.eval(&arg.value, env, None)?;
                cuts.push(self.count(&object, arg.value.span)?);
            }
            metrics.push(match name.as_str() {
                "recall" => Metric::Recall(if cuts.is_empty() { vec![1, 5, 10] } else { cuts }),
                "accuracy" => Metric::Accuracy,
                "vqa_score" => Metric::VqaScore,
                "cider" => Metric::Cider,
                "bleu" => Metric::Bleu(cuts.first().copied().unwrap_or(4)),
                "exact" => Metric::Exact,
                _ => Metric::Average,
            });
        }
        Ok(metrics)
    }

    fn finish_task(
        &mut self,
        fields: &Fields<'p>,
        stage: &str,
        answer: Answer,
        data: Option<Data>,
        report: Vec<Metric>,
        env: &Env<'p>,
    ) -> Eval<model::Task> {
        let mut whole = |name: &str, missing: usize| -> Eval<usize> {
            let Some(expr) = fields.get(name) else { return Ok(missing) };
            let object = self.eval(expr, env, None)?;
            self.count(&object, expr.span)
        };
        let (batch, seed) = (whole("batch", 64)?.max(1), whole("seed", 0)? as u64);
        let parts = self.parts(&BTreeSet::new())?;
        if let (Some(data), Some(expr)) = (&data, fields.get("data")) {
            self.fits_in(data, &parts.inputs, expr.span)?;
        }
        let symbol =
            parts.inputs.iter().find_map(|i| i.shape.sizes.first()?.symbols().next().map(str::to_string));
        Ok(model::Task {
            name: fields.name.clone(),
            span: fields.span,
            stage: stage.to_string(),
            symbol: symbol.unwrap_or_else(|| "B".to_string()),
            graph: parts.graph,
            inputs: parts.inputs,
            parameters: parts.parameters,
            twins: parts.twins,
            states: parts.states,
            answer,
            data,
            report,
            batch,
            seed,
        })
    }
}

fn argument<'a>(args: &'a [Arg], name: &str) -> Option<&'a Arg> {
    args.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == name))
}
