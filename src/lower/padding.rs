//! Lengths that travel: what slices, selections of rows and joins make of the padding of an axis (3.4).

use super::object::Tensor;
use super::state::{Eval, Lower};
use super::types::{Elements, Padding, Piece, Segment, Type};
use crate::op::{Concat, Fill, Slice, Take, Value};
use crate::shape::Size;

impl<'p> Lower<'p> {
    /// The padding of places `low..high`. Inside of one piece of a joined axis it is that piece's own.
    pub fn cut_padding(&mut self, padding: &Padding, low: &Size, high: &Size) -> Eval<Option<Padding>> {
        let mut start = Size::from(0i64);
        let mut pieces = Vec::new();
        for piece in &padding.pieces {
            let end = start.clone() + piece.size.clone();
            let (from, to) = (low.clone() - start.clone(), high.clone() - start.clone());
            if start.at_most(low) && high.at_most(&end) {
                return self.cut_piece(piece, &from, &to).map(|piece| piece.padding);
            }
            // The part of the piece that is left; sizes of tokens are numbers.
            let zero = Size::from(0i64);
            let from = if zero.at_most(&from) { from } else { zero };
            let to = if to.at_most(&piece.size) { to } else { piece.size.clone() };
            if from.at_most(&to) && from != to {
                pieces.push(self.cut_piece(piece, &from, &to)?);
            }
            start = end;
        }
        let whole = self.graph.shape(padding.mask).sizes.clone();
        if low.is_empty() && *high == whole[1] {
            return Ok(Some(padding.clone()));
        }
        let ty = Type::plain([whole[0].clone(), high.clone() - low.clone()], Elements::Condition);
        let cut = Slice { axis: 1, start: low.clone(), end: high.clone() };
        let mask = self.emit(cut, &[padding.mask], ty)?.node;
        Ok(Some(Padding { owner: padding.owner, mask, pieces }))
    }

    fn cut_piece(&mut self, piece: &Piece, from: &Size, to: &Size) -> Eval<Piece> {
        let padding = match &piece.padding {
            None => None,
            Some(padding) => self.cut_padding(padding, from, to)?,
        };
        Ok(Piece { size: to.clone() - from.clone(), padding })
    }

    /// Rows carry their lengths along: the same selection of the same owner is the same new owner.
    pub fn taken_padding(&mut self, padding: &Padding, index: &Tensor, ty: &mut Type) -> Eval<Padding> {
        let moved = |s: &mut Self, mask| {
            let sizes = [index.ty.axes[0].size.clone(), s.graph.shape(mask).sizes[1].clone()];
            s.emit(Take, &[mask, index.node], Type::plain(sizes, Elements::Condition))
        };
        let (owner, mask) = (moved(self, padding.owner)?.node, moved(self, padding.mask)?.node);
        if ty.ahead.contains(&padding.owner) {
            ty.ahead.insert(owner);
        }
        let name = format!("a selection of {}", self.owner_name(padding));
        self.owners.entry(owner).or_insert(name);
        let mut pieces = Vec::new();
        for piece in &padding.pieces {
            let inner = piece.padding.as_ref().map(|p| self.taken_padding(p, index, ty)).transpose()?;
            pieces.push(Piece { size: piece.size.clone(), padding: inner });
        }
        Ok(Padding { owner, mask, pieces })
    }

    /// The stretches of a joined axis after a selection of rows.
    pub fn taken_segments(
        &mut self,
        segments: &[Segment],
        index: &Tensor,
        ty: &mut Type,
    ) -> Eval<Vec<Segment>> {
        let mut moved = Vec::new();
        for segment in segments {
            let padding = segment.padding.as_ref().map(|p| self.taken_padding(p, index, ty)).transpose()?;
            moved.push(Segment { padding, ..segment.clone() });
        }
        Ok(moved)
    }

    /// The padding of rows put below each other: one for each part, with its number of rows.
    pub fn stacked_padding(
        &mut self,
        parts: &[(Option<Padding>, Size)],
        places: &Size,
        ty: &mut Type,
    ) -> Eval<Option<Padding>> {
        if parts.iter().all(|(padding, _)| padding.is_none()) {
            return Ok(None);
        }
        let mut masks = Vec::new();
        for (padding, rows) in parts {
            masks.push(self.condition_of(padding, rows, places)?);
        }
        let rows = parts.iter().fold(Size::from(0i64), |sum, (_, rows)| sum + rows.clone());
        let stacked = Type::plain([rows, places.clone()], Elements::Condition);
        let mask = self.emit(Concat { axis: 0 }, &masks, stacked)?.node;
        self.owners.entry(mask).or_insert_with(|| "rows of several sequences".into());
        if parts.iter().any(|(p, _)| p.as_ref().is_some_and(|p| ty.ahead.contains(&p.owner))) {
            ty.ahead.insert(mask);
        }
        let pieces = self.stacked_pieces(parts, ty)?;
        Ok(Some(Padding { owner: mask, mask, pieces }))
    }

    /// Pieces stay pieces where all parts were joined alike.
    fn stacked_pieces(&mut self, parts: &[(Option<Padding>, Size)], ty: &mut Type) -> Eval<Vec<Piece>> {
        let sizes = |p: &Padding| p.pieces.iter().map(|piece| piece.size.clone()).collect::<Vec<_>>();
        let Some(first) = parts[0].0.as_ref().map(sizes) else { return Ok(Vec::new()) };
        if !parts.iter().all(|(p, _)| p.as_ref().map(sizes).as_ref() == Some(&first)) {
            return Ok(Vec::new());
        }
        let mut pieces = Vec::new();
        for (i, size) in first.into_iter().enumerate() {
            let of = |(p, rows): &(Option<Padding>, Size)| {
                (p.as_ref().and_then(|p| p.pieces[i].padding.clone()), rows.clone())
            };
            let each: Vec<_> = parts.iter().map(of).collect();
            let padding = self.stacked_padding(&each, &size, ty)?;
            pieces.push(Piece { size, padding });
        }
        Ok(pieces)
    }

    /// The condition `[rows, places]` of an axis, all true where nothing is padded.
    pub fn condition_of(&mut self, padding: &Option<Padding>, rows: &Size, places: &Size) -> Eval<Value> {
        if let Some(padding) = padding {
            return Ok(padding.mask);
        }
        let ty = Type::plain([rows.clone(), places.clone()], Elements::Condition);
        Ok(self.emit(Fill { shape: ty.shape(), value: 1.0 }, &[], ty)?.node)
    }
}
