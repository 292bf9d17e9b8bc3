//! One page, a form and a sentence, for each word that no file declares: primitives, words, fields, reserved words.
//!
//! Invariant: every primitive, word, field and reserved word of the language has a page, and the arguments in its form are
//! those that the compiler takes; the tests below and `tests/lsp.rs` hold them against each other.

/// Form and meaning of primitives and of words that stand in expressions. The first word of a form is its name.
pub const PAGES: &[(&str, &str)] = &[
    ("Param(shape, init, clamp, resize)", "A trainable tensor; its shape has no batch sizes."),
    ("State(shape, start)", "What a module remembers from step to step; `running` moves it."),
    (
        "running(kept, now, rate, by)",
        "`now` while training, and the state `kept` moves towards it, or towards `by`; else `kept`.",
    ),
    (
        "momentum(what, rate)",
        "A slow copy of the model or a module: `slow.x` is x, computed by it, without gradient.",
    ),
    ("stop(x)", "x, without gradient."),
    ("take(table, index)", "Rows of a table: `[K, *]` and `[..] of K` give `[.., *]`."),
    ("sum_by(x, index)", "Rows of x added up by index: the transpose of `take`."),
    ("concat(…, axis)", "Joins along an existing axis; the others must agree."),
    (
        "join(…)",
        "Token sequences side by side, `[B, N + M, D]`; each stretch keeps its modality and padding.",
    ),
    ("repeat(x, n)", "A new first axis of n equal parts."),
    (
        "rearrange(x, pattern, …)",
        "Axes in another order, split or merged: `\"b n (h k) -> b h n k\", h: heads`.",
    ),
    ("choose(where, yes, no)", "Element by element, one or the other."),
    ("range(n)", "The ids 0 .. n - 1."),
    ("fill(shape, value)", "The same number everywhere; a whole number gives ids."),
    ("eye(n)", "The condition `[n, n]` that holds on the diagonal."),
    ("last(x)", "The last valid place: `[B, N, *]` gives `[B, *]`."),
    ("hide(x, where)", "Makes the places where the condition `[B, N]` holds padding."),
    ("before(x, n)", "The condition `[B, N]`: position < n."),
    ("put(ids, at, value)", "One position replaced in every row."),
    ("exp(x)", "e^x; of a plain number a plain number."),
    ("log(x)", "The natural logarithm; of a plain number a plain number."),
    ("sqrt(x)", "The square root; of a plain number a plain number."),
    ("tanh(x)", "The hyperbolic tangent."),
    ("sigmoid(x)", "1 / (1 + e^-x)."),
    ("relu(x)", "max(x, 0)."),
    ("gelu(x)", "The exact GELU, by erf."),
    ("sum(x, axis)", "Over one axis, or everything."),
    ("mean(x, axis)", "Over one axis, or everything."),
    ("max(x, axis)", "Over one axis, or everything; also the larger of two plain numbers."),
    ("min(x, axis)", "Over one axis, or everything; also the smaller of two plain numbers."),
    ("softmax(x)", "Over the last axis."),
    ("normalize(x)", "The last axis to length one."),
    ("standardize(x, eps)", "The last axis to mean 0 and variance 1: `(x - mean) / sqrt(var + eps)`."),
    ("argmax(x)", "The place of the largest on the last axis; the first of equals."),
    (
        "attend(q, k, v, mask, bias, drop)",
        "Attention `[B, H, N, K]`: `softmax(q k' / sqrt(K) + bias)` over visible keys, times v.",
    ),
    ("sees(queries, keys)", "A mask: tokens of one modality see tokens of another."),
    ("prefix(n)", "A mask: the first n keys of each row are open, n `[B]`."),
    ("offsets(x, window, reach)", "Index of a table of relative positions for the stretches of x."),
    (
        "cross_entropy(logits, target, only, smooth, per)",
        "`-log p` of the target, the mean over valid positions where `only` holds; `per: rows` the sum of each row.",
    ),
    ("bce(logits, target)", "Binary cross entropy with logits, the mean over all entries."),
    ("dropout(x, p, per)", "Drops entries while training; `per: rows` whole rows."),
    ("uniform(shape)", "Even in [0, 1)."),
    ("randint(below, shape)", "Random ids."),
    ("shuffle(n)", "A random order of n things."),
    ("sample(weights)", "One column of each row, in proportion."),
    ("block_mask(image, patch, share)", "BEiT's rectangles of hidden patches."),
    ("pick_words(ids, rate)", "Whole words in random order, until the rate is reached."),
    ("pick_exactly(ids, rate)", "Just so many of the valid tokens after the first."),
    ("cut_point(ids)", "A random place in each row."),
    ("rescale(x, stats)", "`(x - mean) / std` by channel; stats are `half`, `clip`, `imagenet`."),
    ("resize(x, side)", "Pictures `[B, C, S, S]`, bicubic."),
    (
        "conv2d(x, w, b, pad, stride, groups)",
        "Convolution with weights `[O, C, k, k]`; with as many groups as channels `[C, 1, k, k]`.",
    ),
    ("max_pool(x, n)", "The largest of n by n."),
    ("transport(cost, rounds, beta)", "Optimal transport by proximal points (IPOT), without gradient."),
    ("kmeans(x, rounds)", "Start of a state `[K, D]`: centres by cosine."),
    ("none", "Nothing: an argument that is not given."),
    ("true", "A truth value."),
    ("false", "A truth value."),
    ("causal", "A mask: no later key. In front of a type: nothing has looked at later places."),
    ("zeros", "Initial values: 0."),
    ("ones", "Initial values: 1."),
    ("normal(deviation)", "Initial values: normal."),
    ("trunc(deviation, cut)", "Initial values: normal, cut at `cut` deviations."),
    ("fan_in", "Initial values: even in ±1/sqrt(inputs)."),
    ("sphere", "Initial values: rows of length one."),
    ("constant(value)", "A schedule: always the same."),
    ("ramp(from, to, over)", "A schedule: straight from one value to another."),
    ("linear(value, to, warmup, from)", "A schedule: warm-up, then straight to the end of the stage."),
    ("cosine(value, to, warmup, from)", "A schedule: warm-up, then half a cosine to the end of the stage."),
    (
        "decay(value, by, every, least, warmup)",
        "A schedule: times `by` after each `every`, at least `least`.",
    ),
    ("steps(n)", "A length of time."),
    ("epochs(n)", "A length of time: rounds through the data."),
    ("adamw(rate, decay, betas, eps, no_decay, layer_decay, over)", "An optimiser with decoupled decay."),
    ("lamb(rate, decay, betas, eps, no_decay, layer_decay, over)", "An optimiser for large batches."),
    ("adafactor(rate, decay, betas, no_decay, layer_decay, over)", "An optimiser with factored moments."),
    ("sgd(rate, momentum, decay, no_decay, layer_decay, over)", "Plain gradient steps."),
    ("vectors", "`no_decay`: parameters with one axis."),
    ("scalars", "`no_decay`: parameters without axes."),
    ("all", "`freeze`, `train`: everything."),
    ("model", "The whole model, as in `momentum(model, 0.995)`."),
    ("int", "Ids without a limit: `[B] of int`."),
    ("half", "Statistics of pictures: mean and deviation 0.5."),
    ("clip", "Statistics of pictures: those of CLIP."),
    ("imagenet", "Statistics of pictures: those of ImageNet."),
    ("rows", "`per: rows`: row by row."),
    ("grid", "A resize rule: extra rows kept, the square of the others bicubic."),
    ("offset_grid(extra)", "A resize rule for tables of relative positions."),
    ("crop(low, high)", "In data: a random crop, resized. As a resize rule: the rows that both have."),
    ("WordPiece(name, extra, size, special)", "A vocabulary. `.size .pad .cls .sep .mask .unk .id(\"…\")`."),
    ("Bpe(name, extra, size, special)", "A vocabulary. `.size .pad .cls .sep .mask .unk .id(\"…\")`."),
    (
        "SentencePiece(name, extra, size, special)",
        "A vocabulary. `.size .pad .cls .sep .mask .unk .id(\"…\")`.",
    ),
    (
        "pairs(…, prompt, wrong)",
        "Data: `image text image_id`. `wrong`: a share of wrong captions, of `scenes`.",
    ),
    ("captioned(name, template)", "Data: labels made into texts."),
    ("images(…)", "Data: `image`."),
    ("texts(…)", "Data: `text`."),
    ("labelled(…)", "Data: `image label`, and the names of the classes."),
    ("vqa(…, answers)", "Data: `image text question answer weight scores`."),
    ("nlvr(…)", "Data: `left right text truth`."),
    ("entail(…)", "Data: `image text verdict`."),
    ("other(column)", "In `with` of data: the column of another, random row."),
    ("recaption(data, by)", "Data whose texts a `generate` task writes."),
    ("keep(data, condition, on)", "The rows for which a value `[B]` holds."),
    ("flip", "Augmentation: mirrors half of the pictures."),
    ("randaug(n, m, set)", "Augmentation: n random operations of magnitude m."),
    ("jitter(s)", "Augmentation: colours."),
    ("center", "The shorter side to size, then the middle."),
    ("fit(short, long, step)", "Proportions kept; the rest of the square is -1."),
    ("retrieval(image, text, rerank, top)", "Answer of a task: all images against all texts."),
    ("zero_shot(image, text, prompts)", "Answer of a task: names of classes in prompts."),
    ("classify(logits, truth)", "Answer of a task: the likeliest class."),
    (
        "generate(logits, token, prompt, beam, top_p, min, max, probe, length_penalty)",
        "Answer of a task: writes the input `token` from left to right.",
    ),
    ("rank(logits, token, candidates, top)", "Answer of a task: given texts by likelihood."),
    ("measure(…)", "Answer of a task: means of scalars over the data."),
    ("recall(…)", "Metric of `retrieval`: R@k, both directions and their mean."),
    ("accuracy", "Metric of `zero_shot`, `classify`, `rank`."),
    ("vqa_score", "Metric of `classify`, `generate`, `rank`."),
    ("exact", "Metric of `generate`, `rank`: the same text."),
    ("cider", "Metric of `generate`."),
    ("bleu(n)", "Metric of `generate`."),
    ("average", "Metric of `measure`."),
    ("f32", "Precision: 32 bits."),
    ("bf16", "Precision: 16 bits with master weights."),
];

/// Fields of stages and tasks.
pub const FIELDS: &[(&str, &str)] = &[
    ("minimise", "Arithmetic on losses, numbers and schedules; what is trained follows from it."),
    ("data", "A source, or a list of them, with its augmentation."),
    ("batch", "Rows of a step: a number, or one for each source."),
    ("accumulate", "Pieces that the batch is cut into; no objective may then relate rows."),
    ("start", "Stages and weight maps that parameters come from, left to right."),
    ("freeze", "Modules, parameters and states that stay as they are."),
    ("train", "The only things that move."),
    ("optimiser", "`adamw(…)`, `lamb(…)`, `adafactor(…)` or `sgd(…)`."),
    ("clip", "The largest global norm of the gradient, or `none`."),
    ("precision", "`f32` or `bf16`."),
    ("seed", "The whole number that all draws start from."),
    ("length", "`epochs(n)` or `steps(n)`."),
    ("watch", "Values to log every step."),
    ("evaluate", "Tasks to run at the end, or `[task, every: epochs(1)]`."),
    ("answer", "What the task does: `retrieval`, `zero_shot`, `classify`, `generate`, `rank`, `measure`."),
    ("report", "A metric or a list of them."),
];

/// Words of the grammar.
pub const GRAMMAR: &[(&str, &str)] = &[
    ("extend \"file.chi\"", "Takes over a whole file; comes first, and once."),
    ("use \"file.chi\"", "Takes the modules and functions of a file."),
    ("modality name", "Declares a modality besides `image`, `text`, `fused`."),
    ("set name = value", "A static parameter; in a stage, its value there."),
    ("input name : type", "What data feeds."),
    ("state name : type = start then next", "Remembered from step to step."),
    ("loss name = value", "What a stage may minimise."),
    ("fn name(x: type) -> type = value", "A function; without a name it makes its module applicable."),
    ("module Name(parameter) { … }", "Parts, and the function that applies them."),
    ("weights name from \"checkpoint\" { path = \"name\" }", "How tensors of a checkpoint are called."),
    ("data name = source", "Data under a name."),
    ("stage name { … }", "A training: what it minimises, on which data."),
    ("task name on stage { … }", "A measurement of a trained stage."),
    ("if condition then a else b", "A static choice."),
    ("then", "The branch of an `if`; the next value of a state."),
    ("else", "The other branch of an `if`."),
    ("and", "Both hold, or both masks let see."),
    ("or", "One holds, or one mask lets see."),
    ("not", "What does not hold, or what a mask hides."),
    ("for", "A list of one entry for each value: `[e for i < n]`, `[e for x in xs]`."),
    ("in", "The list that a `for` walks."),
    (
        "x with { a = b }",
        "x, computed with b in the place of a; a module with other parts; a stage with other fields.",
    ),
    ("x as image", "The same value with another modality."),
    ("route x { image: e  text: e }", "Takes the arm of the modality of x."),
    ("return", "The value of a function with local definitions."),
    ("require condition", "What must hold for a module."),
    ("rate path = factor", "The learning rate below a path, times a factor."),
    ("on", "The stage of a task."),
    ("via", "The weight map that takes over below a path."),
    ("of", "The values that ids have: a size or a vocabulary."),
    ("from", "What a weight map reads."),
];

/// The name that a form speaks of.
fn name_of(form: &str) -> &str {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let mut words = form.split(word).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or("");
    if first == "x" { words.next().unwrap_or("") } else { first }
}

fn find(pages: &'static [(&str, &str)], name: &str) -> Option<&'static (&'static str, &'static str)> {
    pages.iter().find(|(form, _)| name_of(form) == name)
}

/// The page of a word, as markdown.
pub fn page(name: &str) -> Option<String> {
    let (form, says) = find(PAGES, name).or_else(|| find(GRAMMAR, name))?;
    Some(format!("```chiasm\n{form}\n```\n{says}"))
}

/// The page of a field.
pub fn field(name: &str) -> Option<String> {
    find(FIELDS, name).map(|(name, says)| format!("```chiasm\n{name} = …\n```\n{says}"))
}

/// The names by which the arguments of a primitive may be given.
pub fn arguments(name: &str) -> Vec<&'static str> {
    let Some((form, _)) = find(PAGES, name) else { return Vec::new() };
    let inner = form.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    inner.split(", ").filter(|argument| !argument.is_empty() && *argument != "…").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::analysis::{PRIMITIVES, STAGE_FIELDS, TASK_FIELDS, WORDS};
    use std::collections::BTreeSet;

    fn names(pages: &'static [(&str, &str)]) -> BTreeSet<&'static str> {
        let names: BTreeSet<&str> = pages.iter().map(|(form, _)| name_of(form)).collect();
        assert_eq!(names.len(), pages.len(), "a word has two pages");
        names
    }

    #[test]
    fn every_word_has_its_page() {
        let words = PRIMITIVES.iter().chain(WORDS).chain(&["none", "true", "false", "causal"]);
        assert_eq!(names(PAGES), words.copied().collect());
        assert_eq!(names(FIELDS), STAGE_FIELDS.iter().chain(TASK_FIELDS).copied().collect());
        let grammar = names(GRAMMAR);
        let words = chiasm_dsl::parse::WORDS.iter().chain(chiasm_dsl::token::RESERVED);
        let missing: Vec<_> = words.filter(|word| !grammar.contains(**word)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
