//! What outlives a step: flat arrays with a slot for every parameter, twin and state.
//!
//! Gradients and moments share the parameters' slots, so the optimiser is one sweep. Slots start at multiples of 16 words.
//!
//! ```
//! use chiasm::exec::{Layout, Memory};
//! let mut layout = Layout::default();
//! layout.add_parameter("head.w", &[2, 3]);
//! let memory = Memory::new(&layout);
//! assert_eq!(memory.parameters.len(), 16);
//! ```

use std::collections::BTreeMap;

/// The place of one tensor in a flat array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// First word.
    pub start: usize,
    /// Lengths of the axes.
    pub dims: Vec<usize>,
    /// Whether the words are ids (`i32` bits) instead of `f32`.
    pub ids: bool,
}

impl Slot {
    /// How many words.
    pub fn words(&self) -> usize {
        self.dims.iter().product()
    }

    /// Its words in the flat array.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.words()
    }

    /// Writes ids into its words, as bits.
    pub fn write_ids(&self, all: &mut [f32], ids: &[i32]) {
        all[self.range()].iter_mut().zip(ids).for_each(|(word, id)| *word = f32::from_bits(*id as u32));
    }
}

/// Where every parameter, twin and state lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// By path.
    pub parameters: BTreeMap<String, Slot>,
    /// By key: `slow/` and the path of the original.
    pub twins: BTreeMap<String, Slot>,
    /// By name.
    pub states: BTreeMap<String, Slot>,
    ends: [usize; 3],
}

fn place(slots: &mut BTreeMap<String, Slot>, end: &mut usize, name: &str, dims: &[usize], ids: bool) {
    let slot = Slot { start: *end, dims: dims.to_vec(), ids };
    *end += slot.words().next_multiple_of(16);
    slots.insert(name.to_string(), slot);
}

impl Layout {
    /// One more parameter, with its gradient and moments.
    pub fn add_parameter(&mut self, path: &str, dims: &[usize]) {
        place(&mut self.parameters, &mut self.ends[0], path, dims, false);
    }

    /// One more twin.
    pub fn add_twin(&mut self, key: &str, dims: &[usize]) {
        place(&mut self.twins, &mut self.ends[1], key, dims, false);
    }

    /// One more state.
    pub fn add_state(&mut self, name: &str, dims: &[usize], ids: bool) {
        place(&mut self.states, &mut self.ends[2], name, dims, ids);
    }

    /// Words of all parameters, all twins, all states, padding included.
    pub fn words(&self) -> [usize; 3] {
        self.ends
    }
}

/// The flat arrays.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Where things lie.
    pub layout: Layout,
    /// All parameters.
    pub parameters: Vec<f32>,
    /// Their gradients; empty in evaluation.
    pub gradients: Vec<f32>,
    /// First moments; empty in evaluation, and if the optimiser has none.
    pub first: Vec<f32>,
    /// Second moments; empty in evaluation, and if the optimiser has none. Of a factored matrix those of its rows, then those
    /// of its columns, then nothing.
    pub second: Vec<f32>,
    /// All twins.
    pub twins: Vec<f32>,
    /// States as they were before the step.
    pub states: Vec<f32>,
    /// States as they will be after it.
    pub next: Vec<f32>,
}

impl Memory {
    /// Zeros, with room for training.
    pub fn new(layout: &Layout) -> Self {
        Self::with_moments(layout, [true, true])
    }

    /// Zeros, with room for training by an optimiser that has these moments.
    pub fn with_moments(layout: &Layout, [first, second]: [bool; 2]) -> Self {
        let [parameters, _, _] = layout.words();
        let zeros = |wanted: bool| if wanted { vec![0.0; parameters] } else { Vec::new() };
        Self {
            gradients: zeros(true),
            first: zeros(first),
            second: zeros(second),
            ..Self::for_evaluation(layout)
        }
    }

    /// Zeros, without gradients and moments.
    pub fn for_evaluation(layout: &Layout) -> Self {
        let [parameters, twins, states] = layout.words().map(|words| vec![0.0; words]);
        let next = states.clone();
        Self { layout: layout.clone(), parameters, twins, states, next, ..Self::default() }
    }

    /// The states take their next values.
    pub fn advance(&mut self) {
        self.states.copy_from_slice(&self.next);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let arrays = [
            &self.parameters,
            &self.gradients,
            &self.first,
            &self.second,
            &self.twins,
            &self.states,
            &self.next,
        ];
        arrays.iter().map(|a| a.len() * 4).sum()
    }
}
