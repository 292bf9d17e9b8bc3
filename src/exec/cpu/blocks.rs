//! A measurement: one training step of two ViT-B blocks (4 x 197 x 768, 12 heads, 3072 inside), wired by hand.
//!
//! `cargo test --release --lib two_blocks -- --ignored --nocapture`, with `THREADS` and `STEPS` from the environment. It prints the
//! milliseconds of a step, its parts, and what the same step takes without some of them.

use super::kernel::attention::{self, Attention, Heads};
use super::kernel::pointwise::{Binary, Chain, Pattern, Step};
use super::kernel::{adamw, layer_norm};
use super::level::Level;
use super::pool::{Pool, Worker};
use super::product::{self, Activation, Matrix, Product, Size, Then};
use super::testing::numbers;
use super::view::View;
use std::cell::RefCell;
use std::time::Instant;

const ROWS: usize = 4 * 197;
const D: usize = 768;
const INSIDE: usize = 3072;

/// Hands out words of one array.
struct Arena {
    words: View,
    used: usize,
}

impl Arena {
    fn take(&mut self, words: usize) -> View {
        let part = self.words.part(self.used, words);
        self.used += words.next_multiple_of(16);
        part
    }
}

/// A linear map's parameters, or their gradients.
#[derive(Clone, Copy)]
struct Linear {
    w: View,
    b: View,
    input: usize,
    output: usize,
}

#[derive(Clone, Copy)]
struct Params {
    norms: [(View, View); 2],
    qkv: Linear,
    out: Linear,
    up: Linear,
    down: Linear,
}

impl Params {
    fn new(arena: &mut Arena) -> Self {
        let mut linear =
            |input, output| Linear { w: arena.take(input * output), b: arena.take(output), input, output };
        let (qkv, out, up, down) = (linear(D, 3 * D), linear(D, D), linear(D, INSIDE), linear(INSIDE, D));
        let mut norm = || (arena.take(D), arena.take(D));
        Self { norms: [norm(), norm()], qkv, out, up, down }
    }
}

/// What a block keeps for backward.
#[derive(Clone, Copy)]
struct Kept {
    x: View,
    h1: View,
    s1: View,
    qkv: View,
    p: View,
    o: View,
    x2: View,
    h2: View,
    s2: View,
    before: View,
    act: View,
    x3: View,
}

/// Times of the parts of a step, by worker 0.
type Times = RefCell<Vec<(&'static str, f64)>>;

struct Net<'a> {
    w: &'a Worker<'a>,
    scratch: View,
    attention: Attention,
    times: Option<&'a Times>,
}

fn rows(data: View, stride: usize, transposed: bool) -> Matrix {
    Matrix { data, stride, step: 0, transposed }
}

impl Net<'_> {
    fn timed(&self, name: &'static str, f: impl FnOnce()) {
        let start = Instant::now();
        f();
        self.w.barrier();
        if let (0, Some(times)) = (self.w.index, self.times) {
            times.borrow_mut().push((name, start.elapsed().as_secs_f64() * 1e3));
        }
    }

    fn forward(&self, name: &'static str, x: View, l: Linear, y: View, then: Then) {
        let size = Size { batch: 1, m: ROWS, n: l.output, k: l.input };
        let product = Product {
            size,
            a: rows(x, l.input, false),
            b: rows(l.w, l.output, false),
            c: rows(y, l.output, false),
            accumulate: false,
            bias: Some(l.b),
            then,
            column_sums: None,
        };
        self.timed(name, || product::product(self.w, &product, self.scratch));
    }

    #[allow(clippy::too_many_arguments)]
    fn backward(
        &self,
        name: [&'static str; 2],
        x: View,
        l: Linear,
        dy: View,
        dl: Linear,
        dx: View,
        then: Then,
    ) {
        let weights = Product {
            size: Size { batch: 1, m: l.input, n: l.output, k: ROWS },
            a: rows(x, l.input, true),
            b: rows(dy, l.output, false),
            c: rows(dl.w, l.output, false),
            accumulate: false,
            bias: None,
            then: Then::Nothing,
            column_sums: Some(dl.b),
        };
        let input = Product {
            size: Size { batch: 1, m: ROWS, n: l.input, k: l.output },
            a: rows(dy, l.output, false),
            b: rows(l.w, l.output, true),
            c: rows(dx, l.input, false),
            accumulate: false,
            bias: None,
            then,
            column_sums: None,
        };
        self.timed(name[0], || product::product(self.w, &weights, self.scratch));
        self.timed(name[1], || product::product(self.w, &input, self.scratch));
    }

    fn norm(&self, x: View, (gain, shift): (View, View), y: View, saved: View) {
        let on = layer_norm::Forward {
            rows: ROWS,
            width: D,
            epsilon: 1e-5,
            x,
            affine: Some((gain, shift)),
            y,
            saved: Some(saved),
        };
        self.timed("norm", || layer_norm::forward(self.w, &on));
    }

    fn norm_back(&self, x: View, norm: (View, View), dnorm: (View, View), saved: View, dy: View, d: View) {
        let on = layer_norm::Backward {
            rows: ROWS,
            width: D,
            x,
            gain: Some(norm.0),
            saved,
            dy,
            add: Some(d),
            dx: d,
            daffine: Some(dnorm),
            accumulate: false,
        };
        self.timed("norm back", || layer_norm::backward(self.w, &on, self.scratch));
    }

    fn block(&self, p: &Params, k: &Kept) {
        self.norm(k.x, p.norms[0], k.h1, k.s1);
        self.forward("qkv", k.h1, p.qkv, k.qkv, Then::Nothing);
        let on = attention::Forward {
            q: third(k.qkv, 0),
            k: third(k.qkv, 1),
            v: third(k.qkv, 2),
            out: Heads { data: k.o, batch: 197 * D, head: 64, token: D },
            saved: Some(k.p),
        };
        self.timed("attention", || attention::forward(self.w, &self.attention, &on, self.scratch));
        self.forward("proj", k.o, p.out, k.x2, Then::Add(k.x));
        self.norm(k.x2, p.norms[1], k.h2, k.s2);
        self.forward("fc1", k.h2, p.up, k.act, Then::Activate(Activation::Gelu, k.before));
        self.forward("fc2", k.act, p.down, k.x3, Then::Add(k.x2));
    }

    /// `d` is the gradient of the block's output and becomes that of its input.
    fn block_back(&self, p: &Params, g: &Params, k: &Kept, d: View, [wide, narrow]: [View; 2]) {
        self.backward(
            ["fc2 dW", "fc2 dX"],
            k.act,
            p.down,
            d,
            g.down,
            wide,
            Then::Derive(Activation::Gelu, k.before),
        );
        self.backward(["fc1 dW", "fc1 dX"], k.h2, p.up, wide, g.up, narrow, Then::Nothing);
        self.norm_back(k.x2, p.norms[1], g.norms[1], k.s2, narrow, d);
        self.backward(["proj dW", "proj dX"], k.o, p.out, d, g.out, narrow, Then::Nothing);
        let on = attention::Backward {
            q: third(k.qkv, 0),
            k: third(k.qkv, 1),
            v: third(k.qkv, 2),
            saved: k.p,
            dout: Heads { data: narrow, batch: 197 * D, head: 64, token: D },
            dq: third(wide, 0),
            dk: third(wide, 1),
            dv: third(wide, 2),
            dscores: None,
        };
        self.timed("attention back", || attention::backward(self.w, &self.attention, &on, self.scratch));
        self.backward(["qkv dW", "qkv dX"], k.h1, p.qkv, wide, g.qkv, narrow, Then::Nothing);
        self.norm_back(k.x, p.norms[0], g.norms[0], k.s1, narrow, d);
    }
}

/// Queries, keys or values inside `[B, N, 3 D]`.
fn third(qkv: View, which: usize) -> Heads {
    Heads { data: qkv.from(which * D), batch: 197 * 3 * D, head: 64, token: 3 * D }
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn two_blocks() {
    let number = |name: &str, or| std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(or);
    let pool = Pool::new(number("THREADS", 2), Level::detect());
    let mut words: Vec<f32> = numbers(1, 130 << 20);
    words.iter_mut().for_each(|x| *x *= 0.03);
    // SAFETY: the array outlives every kernel below.
    let mut arena = Arena { words: unsafe { View::new(words.as_mut_ptr(), words.len()) }, used: 0 };
    let flat = |arena: &mut Arena| {
        let start = arena.used;
        let params = [Params::new(arena), Params::new(arena)];
        (params, arena.words.part(start, arena.used - start))
    };
    let ((p, all_p), (g, all_g)) = (flat(&mut arena), flat(&mut arena));
    let (all_m, all_v) = (arena.take(all_p.len()), arena.take(all_p.len()));
    all_m.write().fill(0.0);
    all_v.write().fill(0.0);
    let attention = Attention {
        batch: 4,
        heads: 12,
        queries: 197,
        keys: 197,
        width: 64,
        value_width: 64,
        scale: 0.125,
        causal: false,
        key_mask: None,
        mask: None,
        mask_step: 0,
        bias: None,
        dropout: None,
    };
    let mut x = arena.take(ROWS * D);
    let kept = [(); 2].map(|()| {
        let mut take = |columns| arena.take(ROWS * columns);
        let (h1, s1, qkv, o) = (take(D), take(2), take(3 * D), take(D));
        let (x2, h2, s2, before, act, x3) = (take(D), take(D), take(2), take(INSIDE), take(INSIDE), take(D));
        let p = arena.take(attention::saved_words(&attention));
        let kept = Kept { x, h1, s1, qkv, p, o, x2, h2, s2, before, act, x3 };
        x = x3;
        kept
    });
    let (d, wide, narrow) = (arena.take(ROWS * D), arena.take(ROWS * INSIDE), arena.take(ROWS * D));
    let scratch = arena.words.from(arena.used);
    let slope = Chain::new(
        ROWS * D,
        &[
            Step::Load { to: 0, operand: 0, pattern: Pattern::Full },
            Step::Constant { to: 1, value: 2.0 / (ROWS * D) as f32 },
            Step::Binary { to: 0, function: Binary::Multiply, a: 0, b: 1 },
            Step::Store { from: 0, operand: 1 },
        ],
    );
    let rates = adamw::AdamW {
        rate: 1e-4,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.02,
        step: 1,
        clamp: None,
    };
    let step = |times: Option<&Times>| {
        // Only worker 0 touches the times.
        struct Alone<'a>(Option<&'a Times>);
        // SAFETY: as above.
        unsafe impl Sync for Alone<'_> {}
        let times = Alone(times);
        let times = &times;
        pool.run(&|w| {
            let net = Net { w, scratch, attention, times: times.0 };
            net.block(&p[0], &kept[0]);
            net.block(&p[1], &kept[1]);
            net.timed("loss", || slope.run(w, &[kept[1].x3, d], &[], scratch));
            net.block_back(&p[1], &g[1], &kept[1], d, [wide, narrow]);
            net.block_back(&p[0], &g[0], &kept[0], d, [wide, narrow]);
            net.timed("adamw", || adamw::step(w, &rates, all_p, all_g, all_m, all_v, None));
        });
    };
    (0..3).for_each(|_| step(None));
    let mut steps: Vec<f64> = (0..number("STEPS", 10))
        .map(|_| {
            let start = Instant::now();
            step(None);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    steps.sort_by(f64::total_cmp);
    println!("step: median {:.1} ms, least {:.1} ms", steps[steps.len() / 2], steps[0]);
    let mut least: Vec<(&str, f64)> = Vec::new();
    for round in 0..5 {
        let times = Times::default();
        step(Some(&times));
        for (i, (name, ms)) in times.into_inner().into_iter().enumerate() {
            if round == 0 { least.push((name, ms)) } else { least[i].1 = least[i].1.min(ms) }
        }
    }
    let mut names: Vec<&str> = Vec::new();
    least.iter().for_each(|(name, _)| {
        if !names.contains(name) {
            names.push(name)
        }
    });
    for name in names {
        let of: Vec<f64> = least.iter().filter(|(n, _)| *n == name).map(|(_, ms)| *ms).collect();
        println!("  {name:15} {:2} x {:6.2} ms", of.len(), of.iter().sum::<f64>() / of.len() as f64);
    }
}
