//! Numbers from memory and from the caller as `f64` arrays, and back.

use super::{ExecError, Memory, Slot};
use crate::op::{Array, Input, Op};
use crate::shape::Kind;
use crate::tensor::{Tensor, Values};

/// The array of a leaf that lies outside of the graph; `None` for ops that are computed.
pub fn load(op: &Op, memory: &Memory, inputs: &[(&str, &Tensor)]) -> Result<Option<Array>, ExecError> {
    let layout = &memory.layout;
    let (name, slot, words) = match op {
        Op::Input(input) => return given(input, inputs).map(Some),
        Op::Parameter(leaf) => (&leaf.path, layout.parameters.get(&leaf.path), &memory.parameters),
        Op::Twin(leaf) => (&leaf.path, layout.twins.get(&leaf.path), &memory.twins),
        Op::State(leaf) => (&leaf.name, layout.states.get(&leaf.name), &memory.states),
        _ => return Ok(None),
    };
    slot.and_then(|slot| read(slot, words)).map(Some).ok_or_else(|| lacking(name))
}

/// Memory of another layout than the program was prepared for.
fn lacking(name: &str) -> ExecError {
    ExecError::Place {
        name: name.to_string(),
        expected: "as prepared".to_string(),
        found: "not there".to_string(),
    }
}

fn given(input: &Input, inputs: &[(&str, &Tensor)]) -> Result<Array, ExecError> {
    let found = inputs.iter().find(|(name, _)| *name == input.name).map(|(_, tensor)| *tensor);
    let tensor = found.ok_or_else(|| ExecError::Missing(input.name.clone()))?;
    let dims = input.shape.dims();
    let whole = input.shape.kind == Kind::Ids;
    let data: Vec<f64> = match &tensor.values {
        Values::Floats(values) => values.iter().map(|x| f64::from(*x)).collect(),
        Values::Ids(values) => values.iter().map(|x| f64::from(*x)).collect(),
    };
    if tensor.dims == dims && data.len() == input.shape.elements() && whole == (tensor.kind() == Kind::Ids) {
        return Ok(Array { dims, data });
    }
    let kind = if tensor.kind() == Kind::Ids { "ids" } else { "float" };
    let found = format!("{kind}{:?} of {} elements", tensor.dims, data.len());
    Err(ExecError::Input { name: input.name.clone(), expected: input.shape.to_string(), found })
}

/// The array of a slot.
fn read(slot: &Slot, words: &[f32]) -> Option<Array> {
    let number = |word: &f32| if slot.ids { f64::from(word.to_bits() as i32) } else { f64::from(*word) };
    Some(Array { dims: slot.dims.clone(), data: words.get(slot.range())?.iter().map(number).collect() })
}

/// Writes a named value to its slot, if the name is a gradient, a next state or a kept one, and there is room for it.
pub fn store(name: &str, array: &Array, memory: &mut Memory) {
    let layout = &memory.layout;
    let place = match name.split_once('/') {
        Some(("grad", path)) => layout.parameters.get(path).map(|slot| (slot, &mut memory.gradients)),
        Some(("next", state)) => layout.states.get(state).map(|slot| (slot, &mut memory.next)),
        Some(("keep", state)) => layout.states.get(state).map(|slot| (slot, &mut memory.states)),
        _ => None,
    };
    let Some((slot, words)) = place else { return };
    let word = |x: &f64| if slot.ids { f32::from_bits(*x as i32 as u32) } else { *x as f32 };
    if let Some(room) = words.get_mut(slot.range()) {
        room.iter_mut().zip(&array.data).for_each(|(to, from)| *to = word(from));
    }
}

/// An array on its way out.
pub fn tensor(array: &Array, kind: Kind) -> Tensor {
    match kind {
        Kind::Ids => Tensor::ids(array.dims.clone(), array.data.iter().map(|x| *x as i32).collect()),
        _ => Tensor::floats(array.dims.clone(), array.data.iter().map(|x| *x as f32).collect()),
    }
}
