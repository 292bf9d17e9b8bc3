//! Who sees whom in an attention with keys of the text: the proof that no place needs a later one that is written.
//!
//! ```text
//!                       keys   image, given   written
//! queries  image, given         any            none, or they are not clean afterwards
//!          written i            any            those up to i
//! ```
//! A pair counts as seen unless the mask, as far as it is known, says no.

use super::Refusal;
use super::facts::{Fact, Facts, Places, Seen};
use crate::op::{Array, Attend, Value};
use std::rc::Rc;

/// Masks of an attention as far as they are known.
struct Masks {
    causal: bool,
    keys: usize,
    relation: Option<Rc<Array>>,
    /// Of keys, where the text has all its places, and where it has none.
    key: Option<[Rc<Array>; 2]>,
}

impl Masks {
    fn sees(&self, query: usize, key: usize) -> bool {
        let place = query * self.keys + key;
        let holds = |array: &Rc<Array>, at: usize| array.data.get(at).is_none_or(|x| *x != 0.0);
        (!self.causal || key <= query)
            && self.relation.as_ref().is_none_or(|relation| holds(relation, place))
            && self.key.as_ref().is_none_or(|[full, empty]| holds(full, key) || holds(empty, key))
    }

    fn hides_nothing(&self) -> bool {
        self.key.as_ref().is_some_and(|[full, _]| full.data.iter().all(|x| *x != 0.0))
    }
}

/// Where a token stands: before what is written (given places too), at a place that is written, behind it.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    Beside(usize),
    Written(usize),
}

impl Facts<'_> {
    fn stand(&self, at: usize, places: Option<Places>) -> Stand {
        let Some(own) = places else { return Stand::Beside(0) };
        let [first, behind] = [self.request.given, self.request.places].map(|place| own.at(place));
        match at {
            _ if at < first => Stand::Beside(0),
            _ if at < behind => Stand::Written(at - first),
            _ => Stand::Beside(1),
        }
    }

    /// The fact of an attention of whose operands some have the places of the text.
    pub(super) fn attention(&mut self, value: Value, op: &Attend, below: &[Fact]) -> Result<Fact, Refusal> {
        let axis = if op.heads.is_some() { 1 } else { 2 };
        let [queries, keys, values] = [0, 1, 2].map(|i| below.get(i).and_then(|fact| fact.places()));
        let placed = |own: Option<Places>| own.is_none_or(|own| own.axis == axis);
        let offset = |own: Option<Places>| own.map(|own| own.offset);
        if !placed(queries) || !placed(keys) || offset(keys) != offset(values) {
            return self.refuse(value, "has the text elsewhere than its tokens, or values unlike keys");
        }
        let (mask, bias) = op.extras();
        let fact = |at: Option<usize>| at.and_then(|at| below.get(at)).copied().unwrap_or(Fact::Constant);
        if fact(bias) != Fact::Constant || fact(op.relation_at()) != Fact::Constant {
            return self.refuse(value, "has a bias or a mask of pairs that is made from inputs");
        }
        if fact(mask).places().is_some_and(|own| (own.axis, Some(own.offset)) != (1, offset(keys))) {
            return self.refuse(value, "has a mask over other places than its keys");
        }
        if op.causal && queries.is_some() && offset(queries) != offset(keys) {
            return self.refuse(value, "is causal over unlike places");
        }
        let Some(keys) = keys else { return Ok(queries.map_or(Fact::Subject, Fact::Text)) };
        let clean = values.map_or([true; 2], |own| [0, 1].map(|side| own.clean[side] && keys.clean[side]));
        self.look(value, op, queries, Places { clean, ..keys })
    }

    fn look(
        &mut self,
        value: Value,
        op: &Attend,
        queries: Option<Places>,
        keys: Places,
    ) -> Result<Fact, Refusal> {
        let operands = self.graph.operands(value);
        let [n, m] = [0, 1].map(|i| self.length(operands[i], keys.axis));
        let masks = self.masks(op, &operands, m);
        let mut seen = Seen { written: false, open: masks.hides_nothing() };
        let mut clean = queries.map_or([true; 2], |own| own.clean);
        for (i, j) in (0..n).flat_map(|i| (0..m).map(move |j| (i, j))).filter(|(i, j)| masks.sees(*i, *j)) {
            match (self.stand(i, queries), self.stand(j, Some(keys))) {
                (Stand::Written(query), Stand::Written(key)) => {
                    seen.written = true;
                    if key > query {
                        return self.refuse(value, "looks at later places of the text");
                    }
                }
                (Stand::Written(_), Stand::Beside(side)) if !keys.clean[side] => {
                    return self.refuse(value, "looks at places that have seen what is written");
                }
                (Stand::Beside(side), Stand::Written(_)) => clean[side] = false,
                (Stand::Beside(side), Stand::Beside(key)) if !keys.clean[key] => clean[side] = false,
                _ => {}
            }
        }
        self.seen.insert(value, seen);
        match queries {
            Some(own) => Ok(Fact::Text(Places { clean, ..own })),
            None if clean[0] => Ok(Fact::Subject),
            None => self.refuse(value, "reads all of the text from elsewhere"),
        }
    }

    fn masks(&mut self, op: &Attend, operands: &[Value], keys: usize) -> Masks {
        let relation = op.relation_at().and_then(|at| self.known.value(operands[at], true));
        let mask = op.extras().0.map(|at| operands[at]);
        let mut known = |full| self.known.value(mask?, full);
        let key = known(true).zip(known(false)).map(|(full, empty)| [full, empty]);
        Masks { causal: op.causal, keys, relation, key }
    }
}
