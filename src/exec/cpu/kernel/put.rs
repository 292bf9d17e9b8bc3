//! Places of one axis replaced: `out = x`, but `out[.., places[w], ..] = new[.., w, ..]`.
//!
//! Where `out` lies over `x`, only the new places are touched: what decoding does with a thousand kept places and one new one.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words in one job.
const JOB: usize = 4096;

/// Sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Places {
    /// Elements of the axes before.
    pub outer: usize,
    /// Places.
    pub places: usize,
    /// New ones.
    pub new: usize,
    /// Elements of the axes behind.
    pub inner: usize,
}

/// Replaces places; an id outside of the axis is left out.
pub fn put(worker: &Worker, size: Places, x: View, new: View, ids: View, out: View) {
    let (ids, row) = (ids.part(0, size.new).read_ids(), size.places * size.inner);
    worker.share_pieces(size.outer, JOB / row.max(1), |piece| {
        for b in piece {
            let to = out.part(b * row, row);
            to.receive(x.part(b * row, row));
            for (w, id) in ids.iter().enumerate().filter(|(_, id)| (0..size.places as i32).contains(*id)) {
                let from = new.part((b * size.new + w) * size.inner, size.inner);
                to.part(*id as usize * size.inner, size.inner).receive(from);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{ids, numbers, pools, view};

    #[test]
    fn only_the_new_places_change_in_place_or_not() {
        for pool in pools() {
            let size = Places { outer: 70, places: 9, new: 2, inner: 13 };
            let (x, new) = (numbers(1, 70 * 9 * 13), numbers(2, 70 * 2 * 13));
            let mut at = ids(3, 2, 9);
            at[1] = f32::from_bits(u32::MAX);
            let (out, mut over) = (vec![f32::NAN; x.len()], x.clone());
            pool.run(&|w| {
                put(w, size, view(&x), view(&new), view(&at), view(&out));
                put(w, size, view(&over), view(&new), view(&at), view(&over));
            });
            assert_eq!(out, over);
            for (i, found) in over.iter_mut().enumerate() {
                let (b, place, c) = (i / 117, i / 13 % 9, i % 13);
                let replaced = place == at[0].to_bits() as usize;
                assert_eq!(*found, if replaced { new[b * 26 + c] } else { x[i] });
            }
        }
    }
}
