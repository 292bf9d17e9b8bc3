//! What the reference executor refuses, and what it writes to memory.

use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Layout, Memory};
use chiasm::graph::{Graph, Verified};
use chiasm::op::Context;
use chiasm::recipe::Timeline;
use chiasm::tensor::Tensor;

const TABLE: &str = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["3","2"]}} () : float[3, 2]
%1 = input {"name":"i","shape":{"kind":"ids","sizes":["2"]}} () : ids[2]
%2 = take (%0, %1) : float[2, 2]  # words
%3 = state {"name":"last","shape":{"kind":"ids","sizes":["2"]}} () : ids[2]
%4 = add (%3, %1) : ids[2]
output y = %2
output next/last = %4
output grad/w = %0
"#;

fn verified(text: &str) -> Verified {
    Graph::parse(text).expect("a graph").verify().expect("a sound graph")
}

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.add_parameter("w", &[3, 2]);
    layout.add_state("last", &[2], true);
    layout
}

/// The message of a run on these inputs.
fn refusal(inputs: &[(&str, &Tensor)]) -> String {
    let mut program = Reference.prepare(&verified(TABLE), &layout()).expect("a program");
    let context =
        Context { seed: 1, stage: "s".into(), step: 0, time: Timeline { length: 1, epoch: 1 }, first_row: 0 };
    let done = program.run(&mut Memory::new(&layout()), inputs, &context);
    done.expect_err("a refusal").to_string()
}

#[test]
fn inputs_are_checked() {
    assert_eq!(refusal(&[]), "the input `i` was not given");
    let floats = refusal(&[("i", &Tensor::floats([2], vec![0.0; 2]))]);
    assert_eq!(floats, "the input `i` should be ids[2], but is float[2] of 2 elements");
    let long = refusal(&[("i", &Tensor::ids([3], vec![0; 3]))]);
    assert_eq!(long, "the input `i` should be ids[2], but is ids[3] of 3 elements");
    let short = refusal(&[("i", &Tensor::ids([2], vec![0]))]);
    assert_eq!(short, "the input `i` should be ids[2], but is ids[2] of 1 elements");
}

#[test]
fn ids_outside_of_a_table_are_refused() {
    for id in [3, -1] {
        let message = refusal(&[("i", &Tensor::ids([2], vec![0, id]))]);
        assert_eq!(message, format!("`words`: the id {id} is outside of a table of 3 rows"));
    }
}

#[test]
fn what_has_no_place_or_size_is_not_prepared() {
    let refused = |text: &str, layout: &Layout| {
        Reference.prepare(&verified(text), layout).err().expect("an error").to_string()
    };
    assert_eq!(refused(TABLE, &Layout::default()), "`w` should be float[3, 2] in memory, but is not there");
    let open = r#"%0 = input {"name":"x","shape":{"kind":"float","sizes":["B"]}} () : float[B]  # x"#;
    assert!(refused(open, &Layout::default()).starts_with("the size of `x` is not known: float[B]"));
}

#[test]
fn gradients_and_next_states_land_in_memory() {
    let mut memory = Memory::new(&layout());
    memory.parameters[..6].copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    memory.states[..2].copy_from_slice(&[f32::from_bits(7), f32::from_bits(8)]);
    let mut program = Reference.prepare(&verified(TABLE), &layout()).expect("a program");
    let context =
        Context { seed: 1, stage: "s".into(), step: 0, time: Timeline { length: 1, epoch: 1 }, first_row: 0 };
    program.run(&mut memory, &[("i", &Tensor::ids([2], vec![2, 0]))], &context).expect("a run");
    assert_eq!(program.output("y"), Some(Tensor::floats([2, 2], vec![5.0, 6.0, 1.0, 2.0])));
    assert_eq!(memory.gradients[..6], memory.parameters[..6]);
    assert_eq!([memory.next[0].to_bits(), memory.next[1].to_bits()], [9, 8]);
}
