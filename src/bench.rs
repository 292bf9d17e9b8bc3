//! Whole training steps of two known models, timed: `chiasm bench blocks` and `chiasm bench clip`.
//!
//! | case | what |
//! |---|---|
//! | [`Case::Blocks`] | two ViT-B blocks on 4 x 197 tokens, loss the mean of squares: bound by its products |
//! | [`Case::Clip`] | a tiny CLIP, batch 128, 65 image and 24 text tokens, width 128: bound by everything else |
//!
//! A step is forward, backward and AdamW. The graphs are written with the graph's own builder and go through the same passes
//! as any model, so the tests use them too.
//!
//! ```no_run
//! use chiasm::bench::{Case, time_steps};
//! let (batch, times) = time_steps(Case::Blocks, 2, 10, 3).unwrap();
//! assert_eq!((batch, times.len()), (4, 10));
//! ```

use crate::exec::cpu::Cpu;
use crate::exec::{ExecError, Executor, Group, Layout, Memory, Program as _, Update};
use crate::graph::{Builder, Graph, Origin, Verified};
use crate::op::{
    Add, Broadcast, Concat, CrossEntropy, Exp, Fill, Gelu, Input, LayerNorm, Linear, Matmul, Multiply,
};
use crate::op::{Attend, Build, Context, Op, Value};
use crate::op::{Normalize, Parameter, Permute, Range, Reshape, Slice, SumLeading, Take};
use crate::pass::{PassError, differentiate, fuse, tidy};
use crate::random::Stream;
use crate::recipe::{Method, Timeline};
use crate::shape::{Kind, Shape, Size};
use crate::tensor::Tensor;
use std::time::Instant;

/// A model to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Two ViT-B blocks.
    Blocks,
    /// A tiny CLIP.
    Clip,
}

/// Why nothing could be timed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The graph has no gradient.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The graph is faulty.
    #[error("{0}")]
    Faulty(String),
    /// The executor failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

/// Sizes of a transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the batch.
    pub batch: usize,
    /// Width of a token.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks.
    pub depth: usize,
}

/// A model under construction: nodes, parameters, inputs.
#[derive(Default)]
pub struct Net {
    /// The graph so far.
    pub graph: Graph,
    /// Its parameters.
    pub layout: Layout,
    /// Its inputs.
    pub inputs: Vec<(String, Tensor)>,
    fault: Option<String>,
}

fn sizes(dims: &[usize]) -> crate::shape::Sizes {
    dims.iter().map(|dim| Size::from(*dim)).collect()
}

impl Net {
    /// A node at a path; the first misfit is kept for later.
    pub fn add(&mut self, path: &str, op: impl Into<Op>, operands: &[Value]) -> Value {
        let origin = Origin { path: path.into(), ..Origin::default() };
        let mut builder = Builder::new(&mut self.graph, origin);
        let value = builder.add(op.into(), operands);
        if let Some(misfit) = builder.misfit {
            self.fault.get_or_insert(format!("{path}: {misfit}"));
        }
        value
    }

    fn dims(&self, value: Value) -> Vec<usize> {
        self.graph.shape(value).dims()
    }

    /// A parameter.
    pub fn parameter(&mut self, path: &str, dims: &[usize]) -> Value {
        self.layout.add_parameter(path, dims);
        let shape = Shape::float(dims.to_vec());
        self.add(path, Parameter { path: path.into(), shape }, &[])
    }

    /// Numbers between -1 and 1 from outside.
    pub fn numbers(&mut self, name: &str, dims: &[usize]) -> Value {
        let stream = Stream::new(7, "bench", name);
        let numbers = (0..dims.iter().product::<usize>()).map(|i| 2.0 * stream.uniform(0, i as u32) - 1.0);
        self.inputs.push((name.into(), Tensor::floats(dims, numbers.collect())));
        self.add(name, Input { name: name.into(), shape: Shape::float(dims.to_vec()) }, &[])
    }

    /// Ids below a bound from outside.
    pub fn ids(&mut self, name: &str, dims: &[usize], below: u32) -> Value {
        let stream = Stream::new(7, "bench", name);
        let ids = (0..dims.iter().product::<usize>()).map(|i| stream.below(below, 0, i as u32) as i32);
        self.inputs.push((name.into(), Tensor::ids(dims, ids.collect())));
        let shape = Shape::float(dims.to_vec()).with_kind(Kind::Ids);
        self.add(name, Input { name: name.into(), shape }, &[])
    }

    /// `x w + b`
    pub fn linear(&mut self, path: &str, x: Value, out: usize) -> Value {
        let width = self.dims(x).last().copied().unwrap_or(1);
        let w = self.parameter(&format!("{path}.w"), &[width, out]);
        let b = self.parameter(&format!("{path}.b"), &[out]);
        self.add(path, Linear, &[x, w, b])
    }

    /// A norm with gain and shift.
    pub fn norm(&mut self, path: &str, x: Value) -> Value {
        let width = self.dims(x).last().copied().unwrap_or(1);
        let gain = self.parameter(&format!("{path}.gain"), &[width]);
        let shift = self.parameter(&format!("{path}.shift"), &[width]);
        self.add(path, LayerNorm { eps: 1e-5 }, &[x, gain, shift])
    }

    /// Attention of x to a context, with its four linear maps.
    pub fn attention(&mut self, path: &str, x: Value, context: Value, heads: usize, causal: bool) -> Value {
        let width = self.dims(x).last().copied().unwrap_or(1);
        let q = self.linear(&format!("{path}.q"), x, width);
        let k = self.linear(&format!("{path}.k"), context, width);
        let v = self.linear(&format!("{path}.v"), context, width);
        let op = Attend { heads: Some(heads), causal, mask: false, bias: false, relation: false, drop: None };
        let y = self.add(path, op, &[q, k, v]);
        self.linear(&format!("{path}.out"), y, width)
    }

    /// Two linear maps with a GELU between.
    pub fn mlp(&mut self, path: &str, x: Value) -> Value {
        let width = self.dims(x).last().copied().unwrap_or(1);
        let h = self.linear(&format!("{path}.up"), x, 4 * width);
        let h = self.add(path, Gelu, &[h]);
        self.linear(&format!("{path}.down"), h, width)
    }

    /// A pre-norm block.
    pub fn block(&mut self, path: &str, x: Value, heads: usize, causal: bool) -> Value {
        let normed = self.norm(&format!("{path}.norm1"), x);
        let y = self.attention(&format!("{path}.attn"), normed, normed, heads, causal);
        let x = self.add(path, Add, &[x, y]);
        let normed = self.norm(&format!("{path}.norm2"), x);
        let y = self.mlp(&format!("{path}.mlp"), normed);
        self.add(path, Add, &[x, y])
    }

    /// A post-norm block with cross-attention, as in BERT.
    pub fn cross_block(&mut self, path: &str, x: Value, context: Value, heads: usize) -> Value {
        let y = self.attention(&format!("{path}.attn"), x, x, heads, false);
        let sum = self.add(path, Add, &[x, y]);
        let x = self.norm(&format!("{path}.norm1"), sum);
        let y = self.attention(&format!("{path}.cross"), x, context, heads, false);
        let sum = self.add(path, Add, &[x, y]);
        let x = self.norm(&format!("{path}.norm2"), sum);
        let y = self.mlp(&format!("{path}.mlp"), x);
        let sum = self.add(path, Add, &[x, y]);
        self.norm(&format!("{path}.norm3"), sum)
    }

    /// A plain number.
    pub fn number(&mut self, value: f64) -> Value {
        self.add("", Fill { shape: Shape::scalar(), value }, &[])
    }

    /// The mean of the squares of all elements.
    pub fn mean_square(&mut self, x: Value) -> Value {
        let shape = self.dims(x);
        let square = self.add("loss", Multiply, &[x, x]);
        let sum = self.add("loss", SumLeading { axes: shape.len() }, &[square]);
        let factor = self.number(1.0 / shape.iter().product::<usize>() as f64);
        self.add("loss", Multiply, &[sum, factor])
    }

    fn reshape(&mut self, x: Value, dims: &[usize]) -> Value {
        self.add("", Reshape { sizes: sizes(dims) }, &[x])
    }

    /// The graph with gradients of all parameters, through all passes, and its plain form.
    ///
    /// # Errors
    /// A node that does not fit, or has no gradient.
    pub fn finish(&mut self, loss: Value) -> Result<Verified, BenchError> {
        if let Some(fault) = self.fault.take() {
            return Err(BenchError::Faulty(fault));
        }
        self.graph.name("loss", loss);
        let graph = differentiate(&fuse(&self.graph), "loss", &|_| true)?;
        let graph = tidy(&graph);
        graph.verify().map_err(|faults| {
            BenchError::Faulty(faults.iter().map(|f| f.to_string()).collect::<Vec<_>>().join("\n"))
        })
    }
}

/// Pre-norm blocks on random tokens.
pub fn blocks(sizes: Sizes, tokens: usize) -> (Net, Value) {
    let mut net = Net::default();
    let mut x = net.numbers("x", &[sizes.batch, tokens, sizes.width]);
    for i in 0..sizes.depth {
        x = net.block(&format!("b[{i}]"), x, sizes.heads, false);
    }
    let loss = net.mean_square(x);
    (net, loss)
}

/// A CLIP on images of 3 channels, 8 by 8 patches of 8 by 8 points, and 24 words.
pub fn clip(sizes: Sizes, vocabulary: usize) -> (Net, Value) {
    let mut net = Net::default();
    let image = image_tower(&mut net, sizes);
    let text = text_tower(&mut net, sizes, vocabulary);
    let loss = contrastive(&mut net, image, text, sizes.batch);
    (net, loss)
}

fn image_tower(net: &mut Net, on: Sizes) -> Value {
    let image = net.numbers("image", &[on.batch, 3, 64, 64]);
    let cut = net.reshape(image, &[on.batch, 3, 8, 8, 8, 8]);
    let turned = net.add("patches", Permute { axes: vec![0, 2, 4, 1, 3, 5] }, &[cut]);
    let patches = net.reshape(turned, &[on.batch, 64, 192]);
    let patches = net.linear("vision.patch", patches, on.width);
    let class = net.parameter("vision.cls", &[on.width]);
    let class =
        net.add("vision", Broadcast { sizes: sizes(&[on.batch, 1, on.width]), axes: vec![2] }, &[class]);
    let tokens = net.add("vision", Concat { axis: 1 }, &[class, patches]);
    let places = net.parameter("vision.pos", &[65, on.width]);
    let mut x = net.add("vision", Add, &[tokens, places]);
    for i in 0..on.depth {
        x = net.block(&format!("vision.b[{i}]"), x, on.heads, false);
    }
    let x = net.norm("vision.norm", x);
    pick(net, "vision.out", x, 0)
}

fn text_tower(net: &mut Net, on: Sizes, vocabulary: usize) -> Value {
    let ids = net.ids("text", &[on.batch, 24], vocabulary as u32);
    let table = net.parameter("words.table", &[vocabulary, on.width]);
    let words = net.add("words", Take, &[table, ids]);
    let places = net.parameter("words.pos", &[24, on.width]);
    let mut x = net.add("words", Add, &[words, places]);
    for i in 0..on.depth {
        x = net.block(&format!("words.b[{i}]"), x, on.heads, true);
    }
    let x = net.norm("words.norm", x);
    pick(net, "words.out", x, 23)
}

/// One token of every row, mapped and of length one.
fn pick(net: &mut Net, path: &str, x: Value, token: usize) -> Value {
    let (dims, start) = (net.dims(x), Size::from(token));
    let one = net.add(path, Slice { axis: 1, start, end: Size::from(token + 1) }, &[x]);
    let row = net.reshape(one, &[dims[0], dims[2]]);
    let mapped = net.linear(path, row, dims[2]);
    net.add(path, Normalize, &[mapped])
}

fn contrastive(net: &mut Net, image: Value, text: Value, batch: usize) -> Value {
    let scale = net.parameter("scale", &[]);
    let scale = net.add("loss", Exp, &[scale]);
    let matmul = Matmul { transpose_left: false, transpose_right: true };
    let alike = net.add("loss", matmul, &[image, text]);
    let alike = net.add("loss", Multiply, &[alike, scale]);
    let turned = net.add("loss", Permute { axes: vec![1, 0] }, &[alike]);
    let target = net.add("loss", Range { n: Size::from(batch) }, &[]);
    let op = CrossEntropy { smooth: 0.0, per_row: false, only: false };
    let [a, b] = [alike, turned].map(|logits| net.add("loss", op.clone(), &[logits, target]));
    let sum = net.add("loss", Add, &[a, b]);
    let half = net.number(0.5);
    net.add("loss", Multiply, &[sum, half])
}

/// The model of a case.
pub fn model(case: Case) -> (Net, Value) {
    match case {
        Case::Blocks => blocks(Sizes { batch: 4, width: 768, heads: 12, depth: 2 }, 197),
        Case::Clip => clip(Sizes { batch: 128, width: 128, heads: 4, depth: 4 }, 30522),
    }
}

/// Memory with small random parameters; gains are one, shifts and biases zero.
pub fn memory(layout: &Layout) -> Memory {
    let mut memory = Memory::new(layout);
    for (path, slot) in &layout.parameters {
        let stream = Stream::new(3, "bench", path);
        let gain = path.ends_with("gain");
        for (i, word) in memory.parameters[slot.range()].iter_mut().enumerate() {
            let small = 0.035 * (2.0 * stream.uniform(0, i as u32) - 1.0);
            *word = if gain { 1.0 + small } else { small };
        }
    }
    memory
}

/// The first step of a run.
pub fn context(step: u64) -> Context {
    Context {
        seed: 1,
        stage: "bench".into(),
        step,
        time: Timeline { length: 1000, epoch: 100 },
        first_row: 0,
    }
}

/// AdamW over all parameters.
pub fn adam(layout: &Layout, count: u64) -> Update {
    let group = Group { decay: 0.02, ..Group::new(0, &[layout.words()[0]]) };
    let method = Method::AdamW { betas: [0.9, 0.999], eps: 1e-8 };
    Update { method, rate: 1e-4, count, clip: None, groups: vec![group] }
}

/// Times whole training steps on the CPU executor: rows of a batch, and milliseconds of each step after the warm-up.
///
/// # Errors
/// A graph that cannot be built or run.
pub fn time_steps(
    case: Case,
    threads: usize,
    steps: u64,
    warm_up: u64,
) -> Result<(usize, Vec<f64>), BenchError> {
    let (mut net, loss) = model(case);
    let graph = net.finish(loss)?;
    let cpu = Cpu::new(threads);
    let mut program = cpu.prepare(&graph, &net.layout)?;
    let mut memory = memory(&net.layout);
    let inputs: Vec<(&str, &Tensor)> =
        net.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut times = Vec::new();
    for step in 0..steps.max(1) + warm_up {
        let start = Instant::now();
        program.run(&mut memory, &inputs, &context(step))?;
        cpu.update(&mut memory, &adam(&net.layout, step + 1));
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let batch = inputs.first().and_then(|(_, tensor)| tensor.dims.first()).copied().unwrap_or(1);
    Ok((batch, times.split_off(warm_up as usize)))
}

/// Milliseconds of every launch of a step, by op and path, each launch for itself: the mean of some steps.
///
/// # Errors
/// A graph that cannot be built or run.
pub fn profile(case: Case, threads: usize, steps: u64) -> Result<Vec<(String, f64)>, BenchError> {
    let (mut net, loss) = model(case);
    let graph = net.finish(loss)?;
    let mut program = Cpu::new(threads).program(&graph, &net.layout)?;
    let mut memory = memory(&net.layout);
    let inputs: Vec<(&str, &Tensor)> =
        net.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    program.run(&mut memory, &inputs, &context(0))?;
    program.profile();
    for step in 0..steps.max(1) {
        program.run(&mut memory, &inputs, &context(step))?;
    }
    let mean = |(name, time)| (name, time / steps.max(1) as f64);
    Ok(program.times().into_iter().map(mean).collect())
}
