//! Attention in both graphs. In the first it is cut like everything else; in a step it reads kept keys and values.
//!
//! ```text
//! keys of the text, seen when written   put (state cache/k, new keys, places), a mask of those up to the newest place
//! keys of the text, seen when given     state kept/k: the given places, for instance behind a prefix
//! keys of the subject                   state kept/k, one row a subject: its beams are further queries of it
//! ```

use super::cut::{Cut, Need, Stretch};
use super::facts::{Fact, Places};
use super::{Cache, Refusal};
use crate::op::{And, Attend, Compare, Put, Relation, Reshape, State, Value};
use crate::shape::Size;
use smallvec::smallvec;

/// The optional operands.
#[derive(Clone, Copy)]
struct Extras {
    mask: Option<Value>,
    bias: Option<Value>,
    relation: Option<Value>,
}

impl Cut<'_> {
    pub(super) fn attention(&mut self, value: Value, op: &Attend) -> Result<Value, Refusal> {
        let operands = self.graph.operands(value);
        let seen = self.facts.seen(value);
        let (mask, bias) = op.extras();
        let extras = Extras {
            mask: mask.map(|at| operands[at]).filter(|_| !seen.open),
            bias: bias.map(|at| operands[at]),
            relation: op.relation_at().map(|at| operands[at]),
        };
        let [q, k, v] = [operands[0], operands[1], operands[2]];
        match self.stretch {
            Stretch::First => self.first(value, op, [q, k, v], extras),
            Stretch::Step if seen.written => self.cached(value, op, [q, k, v], extras),
            Stretch::Step => self.on_kept(value, op, [q, k, v], extras),
        }
    }

    fn places(&self, value: Value) -> Option<Places> {
        self.facts.of(value).places()
    }

    /// An operand that has places of the keys on an axis, cut to those that are left.
    fn by_keys(&mut self, value: Value, axis: usize, keys: Option<Places>) -> Result<Value, Refusal> {
        match (self.facts.of(value), keys) {
            (Fact::Constant | Fact::Subject, Some(keys)) => self.part(value, axis, keys.offset),
            _ => self.value(value),
        }
    }

    /// A bias or relation `[.., N, M]`, its queries cut.
    fn by_queries(&mut self, value: Value, queries: Option<Places>) -> Result<Value, Refusal> {
        match queries {
            Some(own) => self.part(value, self.graph.shape(value).rank() - 2, own.offset),
            None => self.value(value),
        }
    }

    /// A bias or relation `[.., N, M]`: its queries cut to what is given, its keys by `cut`.
    fn pairs(
        &mut self,
        value: Value,
        [queries, keys]: [Option<Places>; 2],
        cut: impl Fn(&mut Self, Value, usize, isize, Value) -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        let made = self.by_queries(value, queries)?;
        match keys {
            Some(keys) => cut(self, made, self.graph.shape(value).rank() - 1, keys.offset, value),
            None => Ok(made),
        }
    }

    fn first(
        &mut self,
        value: Value,
        op: &Attend,
        [q, k, v]: [Value; 3],
        extras: Extras,
    ) -> Result<Value, Refusal> {
        let (queries, keys) = (self.places(q), self.places(k));
        let operands = [self.value(q)?, self.value(k)?, self.value(v)?];
        let mask = extras.mask.map(|mask| self.by_keys(mask, 1, keys)).transpose()?;
        let mut pairs =
            |of: Option<Value>| of.map(|of| self.pairs(of, [queries, keys], Self::pieces)).transpose();
        let (bias, relation) = (pairs(extras.bias)?, pairs(extras.relation)?);
        self.attend(value, op, operands, Extras { mask, bias, relation }, op.causal)
    }

    fn attend(
        &mut self,
        value: Value,
        op: &Attend,
        operands: [Value; 3],
        extras: Extras,
        causal: bool,
    ) -> Result<Value, Refusal> {
        let Extras { mask, bias, relation } = extras;
        let op = Attend {
            causal,
            mask: mask.is_some(),
            bias: bias.is_some(),
            relation: relation.is_some(),
            ..op.clone()
        };
        let all: Vec<Value> = operands.into_iter().chain(mask).chain(bias).chain(relation).collect();
        self.add(op, &all, value)
    }

    /// Keys that grow.
    fn cached(
        &mut self,
        value: Value,
        op: &Attend,
        [q, k, v]: [Value; 3],
        extras: Extras,
    ) -> Result<Value, Refusal> {
        let queries = self.places(q);
        let operands = [self.value(q)?, self.cache(k)?, self.cache(v)?];
        let mask = match extras.mask {
            Some(mask) if self.places(mask).is_some() => Some(self.cache(mask)?),
            other => other.map(|mask| self.value(mask)).transpose()?,
        };
        let bias = extras.bias.map(|bias| self.by_queries(bias, queries)).transpose()?;
        let mut relation = extras.relation.map(|pairs| self.by_queries(pairs, queries)).transpose()?;
        if let Some(own) = queries.filter(|_| op.causal) {
            let [line, at] = self.lines(self.facts.length(k, own.axis), own.offset, value)?;
            let causal = self.add(Compare { relation: Relation::LessEqual }, &[line, at], value)?;
            relation = Some(match relation {
                Some(pairs) => self.add(And, &[pairs, causal], value)?,
                None => causal,
            });
        }
        self.attend(value, op, operands, Extras { mask, bias, relation }, false)
    }

    /// All places of a value: the kept ones, and the newest put between them.
    fn cache(&mut self, value: Value) -> Result<Value, Refusal> {
        let Some(own) = self.places(value) else { return self.facts.refuse(value, "has no places to keep") };
        let name = format!("cache/{}", value.0);
        let kept = format!("keep/{name}");
        if let Some(known) = self.out.output(&kept) {
            return Ok(known);
        }
        let shape = self.graph.shape(value).bind(&self.batch());
        let new = self.value(value)?;
        let at = self.at(own.offset)?;
        let state = self.add(State { name: name.clone(), shape: shape.clone() }, &[], value)?;
        let put = self.add(Put { axis: own.axis }, &[state, new, at], value)?;
        self.out.name(kept, put);
        self.needs.insert(name.clone(), Need::Given(value));
        self.caches.insert(value, Cache { name, shape, axis: own.axis, offset: own.offset });
        Ok(put)
    }

    /// Keys that are there from the first; where nothing differs between the beams of a subject they are queries side by side.
    fn on_kept(
        &mut self,
        value: Value,
        op: &Attend,
        [q, k, v]: [Value; 3],
        extras: Extras,
    ) -> Result<Value, Refusal> {
        let (queries, keys) = (self.places(q), self.places(k));
        let query = self.value(q)?;
        let [k, v] = [self.kept(self.need(k))?, self.kept(self.need(v))?];
        let mask = extras.mask.map(|mask| self.kept(self.mask_need(mask, keys))).transpose()?;
        let pairs = extras.bias.is_some() || extras.relation.is_some();
        if op.heads.is_some() && !pairs && self.request.beams > 1 {
            let sizes = |rows: usize, places: usize, like: &[Size]| {
                smallvec![rows.into(), places.into(), like[2].clone()]
            };
            let shape = self.out.shape(query).clone();
            let together = self.request.beams * self.request.window();
            let all = Reshape { sizes: sizes(self.request.batch, together, &shape.sizes) };
            let query = self.add(all, &[query], value)?;
            let found =
                self.attend(value, op, [query, k, v], Extras { mask, bias: None, relation: None }, false)?;
            let width = self.out.shape(found).sizes.clone();
            let apart = Reshape { sizes: sizes(self.request.rows(), self.request.window(), &width) };
            return self.add(apart, &[found], value);
        }
        let [k, v] = [self.for_each_beam(k)?, self.for_each_beam(v)?];
        let mask = mask.map(|mask| self.for_each_beam(mask)).transpose()?;
        let mut cut = |of: Option<Value>| {
            of.map(|of| self.pairs(of, [queries, keys], Self::without_written)).transpose()
        };
        let (bias, relation) = (cut(extras.bias)?, cut(extras.relation)?);
        self.attend(value, op, [query, k, v], Extras { mask, bias, relation }, false)
    }

    fn need(&self, value: Value) -> Need {
        if self.places(value).is_some() { Need::Given(value) } else { Need::Whole(value) }
    }

    fn mask_need(&self, mask: Value, keys: Option<Places>) -> Need {
        match keys {
            Some(keys) if self.places(mask).is_none() => Need::Part(mask, 1, keys.offset),
            _ => self.need(mask),
        }
    }
}
