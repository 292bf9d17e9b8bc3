//! No kernel allocates: a counting allocator watches one run of each.

use chiasm::exec::cpu::kernel::attention::{self, Attention, Dropout, Heads};
use chiasm::exec::cpu::kernel::cross_entropy::{self, CrossEntropy, Target};
use chiasm::exec::cpu::kernel::pointwise::{Chain, Pattern, Step, Unary};
use chiasm::exec::cpu::kernel::{adamw, copy, ema, layer_norm, norm, normalize, reduce, softmax, take};
use chiasm::exec::cpu::level::Level;
use chiasm::exec::cpu::pool::{Pool, Worker};
use chiasm::exec::cpu::product::{self, Matrix, Product, Size, Then};
use chiasm::exec::cpu::view::View;
use chiasm::random::Stream;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is in a kernel; the test harness has threads of its own.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(usize::from(WATCHED.get()), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The first quarter of the arena is scratch, the rest is eight operands.
struct Arena(View);

impl Arena {
    const OPERAND: usize = 100_000;

    fn operand(&self, i: usize) -> View {
        self.0.part(self.0.len() / 4 + i * Self::OPERAND, Self::OPERAND)
    }

    fn scratch(&self) -> View {
        self.0.part(0, self.0.len() / 4)
    }
}

fn products(w: &Worker, arena: &Arena) {
    let matrix = |i, stride, transposed| Matrix { data: arena.operand(i), stride, step: 0, transposed };
    let product = Product {
        size: Size { batch: 1, m: 100, n: 130, k: 90 },
        a: matrix(0, 700, true),
        b: matrix(1, 90, true),
        c: matrix(2, 130, false),
        accumulate: true,
        bias: Some(arena.operand(3)),
        then: Then::Add(arena.operand(4)),
        column_sums: Some(arena.operand(5)),
    };
    product::product(w, &product, arena.scratch());
}

fn attentions(w: &Worker, arena: &Arena) {
    let dropout = Dropout { probability: 0.1, stream: Stream::new(1, "s", "p"), first_row: 0 };
    let a = Attention {
        batch: 2,
        heads: 3,
        queries: 20,
        keys: 30,
        width: 8,
        value_width: 8,
        scale: 0.3,
        causal: false,
        key_mask: Some(arena.operand(0)),
        mask: None,
        mask_step: 0,
        bias: None,
        dropout: Some(dropout),
    };
    let heads = |i| Heads { data: arena.operand(i), batch: 30 * 24, head: 8, token: 24 };
    let (q, k, v, saved) = (heads(1), heads(2), heads(3), arena.operand(5));
    attention::forward(
        w,
        &a,
        &attention::Forward { q, k, v, out: heads(4), saved: Some(saved) },
        arena.scratch(),
    );
    w.barrier();
    let (dout, dq, dk, dv) = (heads(4), heads(6), heads(7), heads(0));
    let on = attention::Backward { q, k, v, saved, dout, dq, dk, dv, dscores: None };
    attention::backward(w, &a, &on, arena.scratch());
}

fn rows(w: &Worker, arena: &Arena) {
    let (rows, width, at) = (50, 70, |i| arena.operand(i));
    let affine = Some((at(2), at(3)));
    let on =
        layer_norm::Forward { rows, width, epsilon: 1e-5, x: at(0), affine, y: at(1), saved: Some(at(4)) };
    layer_norm::forward(w, &on);
    w.barrier();
    let on = layer_norm::Backward {
        rows,
        width,
        x: at(0),
        gain: Some(at(2)),
        saved: at(4),
        dy: at(1),
        add: None,
        dx: at(5),
        daffine: Some((at(6), at(7))),
        accumulate: false,
    };
    layer_norm::backward(w, &on, arena.scratch());
    w.barrier();
    softmax::forward(w, rows, width, at(0), at(1));
    normalize::forward(w, rows, width, at(0), at(2), None);
    w.barrier();
    let on = CrossEntropy {
        rows,
        classes: width,
        smoothing: 0.1,
        logits: at(0),
        target: Target::Soft(at(1)),
        only: None,
        log_sums: at(3),
        losses: at(4),
        total: at(5),
    };
    cross_entropy::forward(w, &on);
    w.barrier();
    cross_entropy::backward(w, &on, at(5), at(6));
    w.barrier();
    let size = take::Table { rows, width, count: 9 };
    take::take(w, size, at(0), at(7), at(2));
    w.barrier();
    take::sum_by(w, size, at(2), at(7), at(3), false);
}

fn flat(w: &Worker, arena: &Arena, chain: &Chain, layout: &copy::Layout) {
    let at = |i| arena.operand(i);
    let rates =
        adamw::AdamW { rate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1, step: 3, clamp: None };
    chain.run(w, &[at(0), at(1)], &[Stream::new(1, "s", "p")], arena.scratch());
    w.barrier();
    adamw::step(w, &rates, at(0), at(1), at(2), at(3), None);
    ema::step(w, 0.9, at(4), at(5));
    w.barrier();
    copy::copy(w, layout, at(0), at(6));
    reduce::sum(w, reduce::Axis { outer: 2, n: 1000, inner: 20 }, 1.0, at(1), at(7), false, arena.scratch());
    w.barrier();
    norm::sum_of_squares(w, at(0), at(7), arena.scratch());
}

#[test]
fn kernels_do_not_allocate() {
    let mut words = vec![0.0_f32; 4 << 20];
    // SAFETY: the array outlives the kernels, which run one after the other.
    let arena = Arena(unsafe { View::new(words.as_mut_ptr(), words.len()) });
    let steps = [
        Step::Load { to: 0, operand: 0, pattern: Pattern::Full },
        Step::Unary { to: 0, function: Unary::Gelu, a: 0 },
        Step::Keep { to: 1, stream: 0, row: 100, probability: 0.5 },
        Step::Store { from: 1, operand: 1 },
    ];
    let chain = Chain::new(5000, &steps);
    let layout = copy::Layout::new(&[20, 30], &[1, 20], &[30, 1]);
    for level in Level::all() {
        let pool = Pool::new(2, level);
        pool.run(&|w| {
            WATCHED.set(true);
            products(w, &arena);
            w.barrier();
            attentions(w, &arena);
            w.barrier();
            rows(w, &arena);
            w.barrier();
            flat(w, &arena, &chain, &layout);
            WATCHED.set(false);
        });
        assert_eq!(CALLS.load(Ordering::Relaxed), 0, "a kernel allocates at {level:?}");
    }
}
