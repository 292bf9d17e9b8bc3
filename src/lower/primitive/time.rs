//! Words that are called: schedules, durations, initial values, optimisers, vocabularies (6).

use super::{Args, Lower};
use crate::lower::model::VocabularyKind;
use crate::lower::object::{Given, Object};
use crate::lower::state::Eval;
use crate::recipe::{Duration, Init, Method, Optimiser, Resize, Schedule, Spared};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// Calls a word.
    pub fn call_word(&mut self, word: &str, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        match word {
            "normal" => {
                let mut args = self.args("normal", &["deviation"], given, span)?;
                let deviation = self.need_number(&mut args, "deviation")?;
                Ok(Object::Init(Init::Normal(deviation)))
            }
            "trunc" => {
                let mut args = self.args("trunc", &["deviation", "cut"], given, span)?;
                let deviation = self.need_number(&mut args, "deviation")?;
                let cut = self.optional_number(&mut args, "cut", 2.0)?;
                Ok(Object::Init(Init::Truncated { deviation, cut }))
            }
            "offset_grid" => {
                let mut args = self.args("offset_grid", &["extra"], given, span)?;
                let extra = self.need(&mut args, "extra")?;
                let extra = self.count(&extra.value, extra.span)?;
                Ok(Object::Resize(Resize::OffsetGrid { extra }))
            }
            "steps" => {
                let mut args = self.args("steps", &["n"], given, span)?;
                let n = self.need_number(&mut args, "n")?;
                Ok(Object::Duration(Duration::Steps(n.max(0.0) as u64)))
            }
            "epochs" => {
                let mut args = self.args("epochs", &["n"], given, span)?;
                self.need_number(&mut args, "n").map(|n| Object::Duration(Duration::Epochs(n)))
            }
            "constant" | "ramp" | "linear" | "cosine" | "decay" => self.make_schedule(word, given, span),
            "adamw" => self.adam("adamw", given, span, |betas, eps| Method::AdamW { betas, eps }),
            "lamb" => self.adam("lamb", given, span, |betas, eps| Method::Lamb { betas, eps }),
            "adafactor" => self.adafactor(given, span),
            "sgd" => self.sgd(given, span),
            "WordPiece" => self.make_vocabulary(VocabularyKind::WordPiece, given, span),
            "Bpe" => self.make_vocabulary(VocabularyKind::Bpe, given, span),
            "SentencePiece" => self.make_vocabulary(VocabularyKind::SentencePiece, given, span),
            _ => self.fail(Code::E0210, span, format!("the word `{word}` cannot be applied here")),
        }
    }

    fn need_number(&mut self, args: &mut Args<'p>, name: &str) -> Eval<f64> {
        let given = self.need(args, name)?;
        self.number(&given.value, given.span)
    }

    fn duration(&mut self, args: &mut Args<'p>, name: &str) -> Eval<Option<Duration>> {
        match args.optional(name) {
            None => Ok(None),
            Some(given) => match given.value {
                Object::Duration(duration) => Ok(Some(duration)),
                other => {
                    let message =
                        format!("a length of time is steps(n) or epochs(n), this is {}", other.describe());
                    self.fail(Code::E0314, given.span, message)
                }
            },
        }
    }

    fn make_schedule(&mut self, word: &str, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        let zero = Duration::Steps(0);
        let schedule = match word {
            "constant" => {
                let mut args = self.args("constant", &["value"], given, span)?;
                Schedule::Constant(self.need_number(&mut args, "value")?)
            }
            "ramp" => {
                let mut args = self.args("ramp", &["from", "to", "over"], given, span)?;
                let (from, to) = (self.need_number(&mut args, "from")?, self.need_number(&mut args, "to")?);
                Schedule::Ramp { from, to, over: self.duration(&mut args, "over")?.unwrap_or(zero) }
            }
            "decay" => {
                let mut args =
                    self.args("decay", &["value", "by", "every", "least", "warmup"], given, span)?;
                let (value, by) = (self.need_number(&mut args, "value")?, self.need_number(&mut args, "by")?);
                let every = self.duration(&mut args, "every")?.unwrap_or(Duration::Epochs(1.0));
                let least = self.optional_number(&mut args, "least", 0.0)?;
                let warmup = self.duration(&mut args, "warmup")?.unwrap_or(zero);
                Schedule::Decay { value, by, every, least, warmup }
            }
            _ => {
                let name = if word == "linear" { "linear" } else { "cosine" };
                let mut args = self.args(name, &["value", "to", "warmup", "from"], given, span)?;
                let (value, to) = (self.need_number(&mut args, "value")?, self.need_number(&mut args, "to")?);
                let warmup = self.duration(&mut args, "warmup")?.unwrap_or(zero);
                let from = self.optional_number(&mut args, "from", 0.0)?;
                match name {
                    "linear" => Schedule::Linear { value, to, warmup, from },
                    _ => Schedule::Cosine { value, to, warmup, from },
                }
            }
        };
        Ok(Object::Schedule(Box::new(schedule)))
    }

    /// A schedule, or a number that never changes.
    pub fn schedule(&mut self, object: &Object<'p>, span: Span) -> Eval<Schedule> {
        match object {
            Object::Schedule(schedule) => Ok(**schedule),
            other => self.number(other, span).map(Schedule::Constant),
        }
    }

    fn adam(
        &mut self,
        name: &'static str,
        given: Vec<Given<'p>>,
        span: Span,
        method: impl Fn([f64; 2], f64) -> Method,
    ) -> Eval<Object<'p>> {
        const NAMES: &[&str] = &["rate", "decay", "betas", "eps", "no_decay", "layer_decay", "over"];
        let mut args = self.args(name, NAMES, given, span)?;
        let betas = args.optional("betas").map_or(Ok([0.9, 0.999]), |given| self.betas(&given))?;
        let eps = self.optional_number(&mut args, "eps", 1e-8)?;
        self.optimiser_of(method(betas, eps), args)
    }

    fn adafactor(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        const NAMES: &[&str] = &["rate", "decay", "betas", "no_decay", "layer_decay", "over"];
        let mut args = self.args("adafactor", NAMES, given, span)?;
        let betas = args.optional("betas").map_or(Ok([0.9, 0.999]), |given| self.betas(&given))?;
        self.optimiser_of(Method::Adafactor { betas }, args)
    }

    fn sgd(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        const NAMES: &[&str] = &["rate", "momentum", "decay", "no_decay", "layer_decay", "over"];
        let mut args = self.args("sgd", NAMES, given, span)?;
        let momentum = self.optional_number(&mut args, "momentum", 0.0)?;
        self.optimiser_of(Method::Sgd { momentum }, args)
    }

    /// What all optimisers are told alike.
    fn optimiser_of(&mut self, method: Method, mut args: Args<'p>) -> Eval<Object<'p>> {
        let rate = self.need(&mut args, "rate")?;
        let rate = self.schedule(&rate.value, rate.span)?;
        let decay = self.optional_number(&mut args, "decay", 0.0)?;
        let no_decay = match args.optional("no_decay") {
            None => vec![Spared::Vectors, Spared::Scalars],
            Some(given) => self.spared(given.value, given.span)?,
        };
        self.decay_by_layer(&mut args)?;
        Ok(Object::Optimiser(Optimiser { method, rate, decay, no_decay }.into()))
    }

    fn decay_by_layer(&mut self, args: &mut Args<'p>) -> Eval<()> {
        let (Some(given), over) = (args.optional("layer_decay"), args.optional("over")) else {
            return Ok(());
        };
        let factor = self.number(&given.value, given.span)?;
        if factor == 1.0 {
            return Ok(());
        }
        match over {
            Some(Given { value: Object::List(list), .. }) => {
                self.layer_decay = Some((factor, list));
                Ok(())
            }
            Some(other) => {
                let message = format!("`over` is a list of layers, this is {}", other.value.describe());
                self.fail(Code::E0314, other.span, message)
            }
            None => self.fail(Code::E0211, given.span, "`layer_decay` needs `over`, the list of layers"),
        }
    }

    fn betas(&mut self, given: &Given<'p>) -> Eval<[f64; 2]> {
        match &given.value {
            Object::List(items) if items.len() == 2 => {
                Ok([self.number(&items[0], given.span)?, self.number(&items[1], given.span)?])
            }
            other => self.fail(
                Code::E0314,
                given.span,
                format!("betas are two numbers, this is {}", other.describe()),
            ),
        }
    }

    /// What is spared from weight decay, as paths.
    fn spared(&mut self, object: Object<'p>, span: Span) -> Eval<Vec<Spared>> {
        let Object::List(items) = object else {
            let message = format!("what is spared from decay is a list, this is {}", object.describe());
            return self.fail(Code::E0314, span, message);
        };
        let mut spared = Vec::new();
        for item in items {
            match item {
                Object::Spared(one) => spared.push(*one),
                Object::Text(pattern) => spared.push(Spared::Pattern(pattern)),
                Object::Param(param) => spared.push(Spared::Below(param.path.clone())),
                Object::Module(instance) => {
                    let mut paths = std::collections::BTreeSet::new();
                    crate::lower::trains::parameters_in(&Object::Module(instance.clone()), &mut paths);
                    let elsewhere = |p: &String| !crate::lower::trains::lies_below(p, &instance.path);
                    spared.push(Spared::Below(instance.path.to_string()));
                    spared.extend(paths.into_iter().filter(elsewhere).map(Spared::Below));
                }
                list @ Object::List(_) => spared.extend(self.spared(list, span)?),
                other => {
                    let message = format!(
                        "decay spares vectors, scalars, modules, parameters and paths, not {}",
                        other.describe()
                    );
                    return self.fail(Code::E0314, span, message);
                }
            }
        }
        Ok(spared)
    }

    fn make_vocabulary(
        &mut self,
        kind: VocabularyKind,
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<Object<'p>> {
        let mut args = self.args("a vocabulary", &["name", "extra", "size", "special"], given, span)?;
        let name = self.need(&mut args, "name")?;
        let Object::Text(text) = name.value else {
            return self.fail(Code::E0314, name.span, "the name of a vocabulary is a text");
        };
        let extra = match args.optional("extra") {
            None => Vec::new(),
            Some(given) => self.tokens(given)?,
        };
        let size = args.optional("size");
        let size = size.map(|given| self.count(&given.value, given.span)).transpose()?;
        let special = args.optional("special").map(|given| self.special(&given)).transpose()?;
        self.vocabulary(kind, text, extra, (size, special), name.span)
    }

    /// Ids of `pad`, `cls`, `sep`, `mask` and `unk`.
    fn special(&mut self, given: &Given<'p>) -> Eval<[i64; 5]> {
        let id = |item: &Object<'p>| match item {
            Object::Whole(id) => id.number().filter(|id| *id >= -1),
            _ => None,
        };
        let ids: Option<Vec<i64>> = match &given.value {
            Object::List(items) => items.iter().map(id).collect(),
            _ => None,
        };
        match ids.and_then(|ids| ids.try_into().ok()) {
            Some(ids) => Ok(ids),
            None => self.fail(
                Code::E0314,
                given.span,
                "special tokens are a list of five ids, of pad, cls, sep, mask and unk; -1 where there is none",
            ),
        }
    }

    fn tokens(&mut self, given: Given<'p>) -> Eval<Vec<String>> {
        let text = |item: Object<'p>| if let Object::Text(text) = item { Some(text) } else { None };
        let tokens = match given.value {
            Object::List(items) => items.into_iter().map(text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        match tokens {
            Some(tokens) => Ok(tokens),
            None => self.fail(Code::E0314, given.span, "extra tokens are a list of texts"),
        }
    }
}
