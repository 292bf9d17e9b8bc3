//! A run of a prepared program, with its update, allocates nothing: a counting allocator watches whole steps.

use chiasm::bench::{self, Sizes, clip};
use chiasm::exec::Executor;
use chiasm::exec::cpu::Cpu;
use chiasm::tensor::Tensor;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
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

// One test only: threads of the harness would be counted too.
#[test]
fn steps_allocate_nothing() {
    let (mut net, loss) = clip(Sizes { batch: 3, width: 16, heads: 2, depth: 2 }, 40);
    let graph = net.finish(loss).expect("a graph");
    let cpu = Cpu::new(2);
    let mut program = cpu.prepare(&graph, &net.layout).expect("a program");
    let mut memory = bench::memory(&net.layout);
    let inputs: Vec<(&str, &Tensor)> =
        net.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut step = |adam: &chiasm::exec::Update, context: &chiasm::op::Context| {
        program.run(&mut memory, &inputs, context).expect("a run");
        cpu.update(&mut memory, adam);
    };
    let (adam, context) = (bench::adam(&net.layout, 1), bench::context(0));
    step(&adam, &context);
    let before = CALLS.load(Ordering::Relaxed);
    (0..3).for_each(|_| step(&adam, &context));
    assert_eq!(CALLS.load(Ordering::Relaxed) - before, 0);
}
