//! A task: a protocol, what it asks of the graph, and what it reports (9).

use super::model::{self, Answer, Metric};
use super::object::Tensor;
use super::program::{MAIN, path_text};
use super::scope::Env;
use super::stage::Fields;
use super::state::{Eval, Lower};
use super::static_check::elements;
use super::types::Type;
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

/// Arguments that are values of the graph.
const VALUES: &[&str] = &["image", "text", "rerank", "logits", "truth"];

impl<'p> Lower<'p> {
    /// A whole task.
    pub fn task(&mut self, fields: &Fields<'p>, stage: &str) -> Eval<model::Task> {
        let env = Env::space(MAIN);
        let answer = self.required(fields, "task", "answer")?;
        let (protocol, args) = self.protocol_call(answer)?;
        let values = self.protocol_values(protocol, args, &env)?;
        self.protocol_rules(protocol, args, &values, &env)?;
        let report = self.metrics(fields, protocol, &env)?;
        let data = match fields.get("data") {
            None => None,
            Some(expr) => {
                let feed = self.feed(expr, &env)?;
                self.data_answers(fields, protocol, &values, &feed.columns, expr.span)?;
                feed.data
            }
        };
        let top = match argument(args, "top") {
            None => None,
            Some(arg) => {
                let object = self.eval(&arg.value, &env, None)?;
                Some(self.count(&object, arg.value.span)?)
            }
        };
        let given = |name: &str| values.iter().any(|(n, _, _)| n == name);
        let answer = match protocol {
            "retrieval" => Answer::Retrieval {
                image: given("image"),
                text: given("text"),
                rerank: given("rerank").then_some(top.unwrap_or(usize::MAX)),
            },
            other => Answer::Later(other.to_string()),
        };
        for (name, tensor, _) in &values {
            self.graph.name(name.clone(), tensor.node);
        }
        self.finish_task(fields, stage, answer, data, report, &env)
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

    fn protocol_rules(
        &mut self,
        protocol: &str,
        args: &'p [Arg],
        values: &[(String, Tensor, Span)],
        env: &Env<'p>,
    ) -> Eval<()> {
        match protocol {
            "retrieval" | "zero_shot" => self.alone(values),
            "generate" | "rank" => self.left_to_right(args, values, env),
            _ => Ok(()),
        }
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

    fn left_to_right(
        &mut self,
        args: &'p [Arg],
        values: &[(String, Tensor, Span)],
        env: &Env<'p>,
    ) -> Eval<()> {
        let Some((_, logits, _)) = values.iter().find(|(n, _, _)| n == "logits") else { return Ok(()) };
        let at = argument(args, "logits").map_or(Span::default(), |a| a.value.span);
        if argument(args, "probe").is_some() {
            return Ok(());
        }
        let Some(token) = argument(args, "token") else { return Ok(()) };
        let object = self.eval(&token.value, env, None)?;
        let token = self.tensor(object, token.value.span)?;
        let owner = token.ty.axes.iter().find_map(|a| a.padding.as_ref()).map(|p| p.owner);
        if owner.is_some_and(|owner| looks_ahead(&logits.ty, owner)) {
            let error = Diagnostic::error(
                Code::E0609,
                at,
                "this text is written from left to right, but these logits look ahead",
            );
            return self
                .report(error.note("some attention over these words has no causal mask: mask: causal"));
        }
        Ok(())
    }

    fn data_answers(
        &mut self,
        fields: &Fields<'p>,
        protocol: &str,
        values: &[(String, Tensor, Span)],
        columns: &[String],
        at: Span,
    ) -> Eval<()> {
        let roots: Vec<_> = values.iter().map(|(_, t, _)| t.node).collect();
        let needed = self.inputs_of(&roots);
        let supplied = |name: &String| protocol == "zero_shot" && self.label_of(name) == Some("text");
        let written = |_: &String| matches!(protocol, "generate" | "rank");
        let missing = needed.iter().find(|n| !columns.contains(n) && !supplied(n) && !written(n));
        let Some(missing) = missing else { return Ok(()) };
        let message = format!("task `{}` needs the input `{missing}`, but its data has none", fields.name);
        self.report(
            Diagnostic::error(Code::E0610, at, message).note(format!("the data has: {}", columns.join(", "))),
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
            metrics.push(if name == "recall" { Metric::Recall(cuts) } else { Metric::Later(name) });
        }
        Ok(metrics)
    }

    fn finish_task(
        &mut self,
        fields: &Fields<'p>,
        stage: &str,
        answer: Answer,
        data: Option<crate::recipe::Data>,
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

fn looks_ahead(ty: &Type, owner: crate::op::Value) -> bool {
    ty.ahead.contains(&owner)
}
