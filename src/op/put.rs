//! Places of one axis replaced: x [.., M, ..], new [.., W, ..], places ids [W] to [.., M, ..] with `new[w]` at place `places[w]`.
//!
//! C1: the axis exists in both. C2: the other axes and the kind agree. C3: there is one id a new place. Of equal ids the last
//! counts. It has no gradient; only decoding makes it, which keeps a state and replaces the newest places of it.

use super::pointwise::{count, of_kind};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Places of one axis replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Put {
    /// Which axis.
    pub axis: usize,
}

impl Rule for Put {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, new, places] = count(operands)?;
        of_kind(places, Kind::Ids)?;
        of_kind(new, x.kind)?;
        let Some(size) = new.sizes.get(self.axis) else {
            return Err(Misfit::new("C1", format!("{new} has no axis {}", self.axis)));
        };
        let mut sizes = new.sizes.clone();
        sizes[self.axis] = x.sizes.get(self.axis).cloned().unwrap_or_default();
        if sizes != x.sizes {
            return Err(Misfit::new("C2", format!("{new} differs from {x} elsewhere than on axis {}", self.axis)));
        }
        if places.sizes[..] != [size.clone()] {
            return Err(Misfit::new("C3", format!("expected {size} places, found {places}")));
        }
        Ok(x.clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, new, places] = [operands[0], operands[1], operands[2]];
        let (before, size, after) = x.around(self.axis);
        let mut y = x.clone();
        for b in 0..before {
            for (w, place) in places.data.iter().enumerate() {
                let (to, from) = ((b * size + *place as usize) * after, (b * places.data.len() + w) * after);
                y.data[to..to + after].copy_from_slice(&new.data[from..from + after]);
            }
        }
        y
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |x: &[usize], axis: usize, count: usize| {
            let mut new = x.to_vec();
            new[axis] = count;
            let places = Array::ids(seed, "p", &[count], x[axis] as u32);
            Sample::new(Self { axis }, [Array::random(seed, "x", x), Array::random(seed, "n", &new), places])
        };
        vec![case(&[2, 5, 3], 1, 2), case(&[4, 3], 0, 1), case(&[2, 3, 4, 2], 2, 3), case(&[3, 4], 1, 1)]
    }
}
