//! Images: `rescale`.

use super::Lower;
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::op::Rescale;
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

/// Mean and deviation of each channel, by name.
const STATS: &[(&str, [f64; 3], [f64; 3])] = &[
    ("half", [0.5; 3], [0.5; 3]),
    ("clip", [0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]),
    ("imagenet", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
];

impl<'p> Lower<'p> {
    /// `rescale(x, stats)`: `(x - mean) / std` by channel.
    pub fn rescale(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("rescale", &["x", "stats"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let stats = self.need(&mut args, "stats")?;
        let known = match &stats.value {
            Object::Word(word) => STATS.iter().find(|(name, _, _)| name == word),
            _ => None,
        };
        let Some((_, mean, deviation)) = known else {
            let message =
                format!("statistics are half, clip or imagenet, this is {}", stats.value.describe());
            return self.fail(Code::E0314, stats.span, message);
        };
        if x.ty.rank() != 4 || x.ty.axes[1].size.number() != Some(3) {
            return self.fail(
                Code::E0314,
                at,
                format!("`rescale` takes images [B, 3, S, S], this is {}", x.ty),
            );
        }
        self.same_type(Rescale { mean: mean.to_vec(), deviation: deviation.to_vec() }, &x)
    }
}
