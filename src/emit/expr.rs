//! One operation as a call of the typed library.
//!
//! ```text
//! linear (%3, w, b)                         op::linear(x, &self.w, &self.b)
//! slice {"axis":1,"end":"1","start":"0"}    op::slice(x, 1, 0, 1)
//! ```

use crate::graph::Node;
use crate::op::{Attend, Op, Relation, Stretch, Window};
use crate::shape::{Kind, Shape, Size};

/// A call: what is called, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `op::linear`
    pub function: String,
    /// As they are written.
    pub arguments: Vec<String>,
}

/// What the text around an operation provides.
pub trait Around {
    /// A size as a number that runs, `b` or `2 * b + 5`.
    fn size(&mut self, size: &Size) -> String;
    /// An expression for the device.
    fn device(&mut self) -> String;
}

/// Whether a result is ids or conditions.
pub fn steers(node: &Node) -> bool {
    node.shape.kind != Kind::Float
}

/// Why an operation has no text; nothing if it has one.
pub fn refused(node: &Node) -> Option<String> {
    let reason = match &node.op {
        Op::Twin(twin) => format!("it reads `{}`, a slow copy, which only training moves", twin.path),
        Op::State(state) => format!("it reads the state `{}`, which only training moves", state.name),
        Op::Clock(_) => "it depends on the step of a training".to_string(),
        Op::Uniform(_)
        | Op::RandomIds(_)
        | Op::SampleIds(_)
        | Op::Dropout(_)
        | Op::Shuffle(_)
        | Op::BlockMask(_)
        | Op::PickWords(_) => "it is drawn anew at every step".to_string(),
        Op::Attend(attend) if attend.drop.is_some() => "it is drawn anew at every step".to_string(),
        Op::Transport(_) | Op::Fold(_) | Op::Put(_) | Op::PutLast(_) => {
            "dfdx cannot compute it with a gradient".to_string()
        }
        Op::Standardize(_) | Op::Max(_) if node.shape.rank() == 0 => "it has no axis".to_string(),
        op if gradient(op) => "it belongs to a backward graph".to_string(),
        _ if node.shape.rank() > 6 => {
            format!("dfdx has tensors of up to six axes, this one is {}", node.shape)
        }
        _ => return None,
    };
    Some(reason)
}

fn gradient(op: &Op) -> bool {
    matches!(
        op,
        Op::GeluSlope(_)
            | Op::DepthwiseGrad(_)
            | Op::DepthwiseWeightGrad(_)
            | Op::SoftmaxGrad(_)
            | Op::NormalizeGrad(_)
            | Op::LayerNormGrad(_)
            | Op::LayerNormScaleGrad(_)
            | Op::AttendGrad(_)
            | Op::CrossEntropyGrad(_)
    )
}

/// What a result is called.
pub fn noun(op: &Op) -> &'static str {
    match op {
        Op::Add(_) => "sum",
        Op::Subtract(_) => "difference",
        Op::Multiply(_) | Op::Matmul(_) => "product",
        Op::Divide(_) => "quotient",
        Op::Reshape(_) => "reshaped",
        Op::Permute(_) => "permuted",
        Op::Slice(_) => "part",
        Op::Concat(_) => "joined",
        Op::Broadcast(_) => "repeated",
        Op::Take(_) => "rows",
        Op::Attend(_) => "attended",
        Op::Gelu(_) | Op::Relu(_) | Op::Sigmoid(_) | Op::Tanh(_) => "active",
        Op::Softmax(_) => "shares",
        Op::Normalize(_) => "unit",
        Op::LayerNorm(_) | Op::Standardize(_) => "normed",
        Op::Linear(_) => "projected",
        Op::Rescale(_) => "rescaled",
        Op::Before(_) => "used",
        Op::Choose(_) => "chosen",
        Op::Sum(_) | Op::SumLeading(_) | Op::SumBy(_) => "total",
        Op::CrossEntropy(_) | Op::BinaryCrossEntropy(_) => "loss",
        Op::Range(_) => "places",
        Op::Eye(_) => "diagonal",
        Op::Fill(_) => "filled",
        Op::Unfold(_) => "patches",
        Op::Stop(_) => "still",
        op => op.name(),
    }
}

/// The call for a node; operands as they are written, those of ids and conditions as references.
pub fn call(node: &Node, operands: &[Shape], texts: &[String], around: &mut impl Around) -> Call {
    let (room, mut arguments) = (if steers(node) { "host" } else { "op" }, texts.to_vec());
    let name = match &node.op {
        Op::Matmul(op) => {
            if op.transpose_left {
                arguments[0] = format!("op::turned({})?", arguments[0]);
            }
            if op.transpose_right { "matmul_turned" } else { "matmul" }
        }
        Op::Attend(op) => {
            arguments = attend(op, texts);
            "attend"
        }
        Op::Concat(op) => {
            arguments = vec![op.axis.to_string(), parts(texts, steers(node))];
            "concat"
        }
        Op::CrossEntropy(op) => {
            arguments.extend([number(op.smooth), op.per_row.to_string()]);
            if op.only { "cross_entropy_where" } else { "cross_entropy" }
        }
        Op::Compare(op) => {
            arguments.insert(0, relation(op.relation).to_string());
            "compare"
        }
        Op::Choose(_)
            if !steers(node)
                && operands[1..].iter().all(|shape| shape.rank() == 0)
                && literal(&texts[1])
                && literal(&texts[2]) =>
        {
            arguments.push(around.device());
            "choose_number"
        }
        Op::Subtract(_) => "sub",
        Op::Multiply(_) => "mul",
        Op::Divide(_) => "div",
        op => {
            arguments.extend(attributes(op, node, operands, around));
            op.name()
        }
    };
    Call { function: format!("{room}::{name}"), arguments }
}

/// Arguments behind the operands.
fn attributes(op: &Op, node: &Node, operands: &[Shape], around: &mut impl Around) -> Vec<String> {
    match op {
        Op::LayerNorm(op) => vec![number(op.eps)],
        Op::Standardize(op) => vec![number(op.eps)],
        Op::Rescale(op) => vec![numbers(&op.mean), numbers(&op.deviation)],
        Op::Reshape(_) => vec![tuple(&node.shape, around)],
        Op::Broadcast(op) => vec![list(&op.axes), tuple(&node.shape, around)],
        Op::Permute(op) => vec![list(&op.axes)],
        Op::Slice(op) => vec![op.axis.to_string(), around.size(&op.start), around.size(&op.end)],
        Op::Pad(op) => vec![op.axis.to_string(), around.size(&op.before), around.size(&op.after)],
        Op::Sum(op) => vec![op.axis.to_string()],
        Op::SumLeading(op) => vec![op.axes.to_string()],
        Op::Max(op) => vec![op.axis.to_string()],
        Op::SumBy(op) => vec![around.size(&op.rows)],
        Op::Before(op) => vec![around.size(&op.n)],
        Op::Range(op) => vec![around.size(&op.n)],
        Op::Eye(op) => vec![around.size(&op.n)],
        Op::Fill(op) if steers(node) => vec![tuple(&node.shape, around), number(op.value)],
        Op::Fill(op) => vec![tuple(&node.shape, around), number(op.value), around.device()],
        Op::Bicubic(op) => vec![op.from.to_string(), op.to.to_string(), around.device()],
        Op::ToFloat(_) => vec![around.device()],
        Op::Offsets(op) => {
            let stretches: Vec<String> = op.stretches.iter().map(stretch).collect();
            vec![format!("&[{}]", stretches.join(", ")), op.window.to_string(), op.reach.to_string()]
        }
        Op::Unfold(op) => vec![window(op.window)],
        Op::Depthwise(op) => vec![window(op.window)],
        Op::Conv2d(op) => {
            let side = operands[1].sizes.last().map_or(0, Size::len);
            vec![window(Window { side, stride: op.stride, pad: op.pad, after: op.after })]
        }
        _ => Vec::new(),
    }
}

fn attend(op: &Attend, texts: &[String]) -> Vec<String> {
    let mut how = match op.heads {
        Some(heads) => format!("Attend::heads({heads})"),
        None => "Attend::apart()".to_string(),
    };
    let (mask, bias) = op.extras();
    if op.causal {
        how.push_str(".causal()");
    }
    for (name, at) in [("mask", mask), ("bias", bias), ("relation", op.relation_at())] {
        if let Some(text) = at.and_then(|at| texts.get(at)) {
            how.push_str(&format!(".{name}({text})"));
        }
    }
    std::iter::once(how).chain(texts.iter().take(3).cloned()).collect()
}

fn parts(texts: &[String], steers: bool) -> String {
    let part = |text: &String| if steers { text.clone() } else { format!("op::part({text})?") };
    let parts: Vec<String> = texts.iter().map(part).collect();
    format!("{}[{}]", if steers { "&" } else { "" }, parts.join(", "))
}

fn literal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "Relation::Equal",
        Relation::NotEqual => "Relation::NotEqual",
        Relation::Less => "Relation::Less",
        Relation::LessEqual => "Relation::LessEqual",
        Relation::Greater => "Relation::Greater",
        Relation::GreaterEqual => "Relation::GreaterEqual",
    }
}

fn stretch(stretch: &Stretch) -> String {
    match stretch {
        Stretch::Image(count) => format!("Stretch::Image({count})"),
        Stretch::Text(count) => format!("Stretch::Text({count})"),
    }
}

fn window(window: Window) -> String {
    format!("op::window({}, {}, {}, {})", window.side, window.stride, window.pad, window.after)
}

/// A number that reads as one with a point.
pub fn number(value: f64) -> String {
    format!("{value:?}")
}

fn numbers(values: &[f64]) -> String {
    format!("&[{}]", values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "))
}

fn list(values: &[usize]) -> String {
    format!("&[{}]", values.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// The sizes of a type: `(b, Const, Const)`.
fn tuple(shape: &Shape, around: &mut impl Around) -> String {
    let size = |size: &Size| if size.number().is_some() { "Const".to_string() } else { around.size(size) };
    tupled(&shape.sizes.iter().map(size).collect::<Vec<_>>())
}

/// The type of a shape: `(usize, Const<17>, Const<128>)`.
pub fn type_of(shape: &Shape) -> String {
    let axis = |size: &Size| match size.number() {
        Some(count) => format!("Const<{count}>"),
        None => "usize".to_string(),
    };
    tupled(&shape.sizes.iter().map(axis).collect::<Vec<_>>())
}

/// A Rust tuple.
pub fn tupled(items: &[String]) -> String {
    match items {
        [one] => format!("({one},)"),
        items => format!("({})", items.join(", ")),
    }
}
