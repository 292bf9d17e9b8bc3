//! How queries see keys, as a value: `op::attend(Attend::heads(12).causal(), q, k, v)`.

use super::Conditions;
use super::call::{Item, Operand};
use crate::embed::{EmbedError, Engine, Sizes, Tracing};
use crate::op;

/// How queries see keys.
pub struct Attend<D: Engine, T> {
    heads: Option<usize>,
    causal: bool,
    mask: Option<Item<D, T>>,
    bias: Option<Result<Item<D, T>, EmbedError>>,
    relation: Option<Item<D, T>>,
}

impl<D: Engine, T: Tracing<D>> Attend<D, T> {
    /// Heads lie side by side: `[B, N, heads * K]`.
    pub fn heads(heads: usize) -> Self {
        Self { heads: Some(heads), ..Self::apart() }
    }

    /// Heads have an axis of their own: `[B, H, N, K]`.
    pub fn apart() -> Self {
        Self { heads: None, causal: false, mask: None, bias: None, relation: None }
    }

    /// No key later than the query is visible.
    #[must_use]
    pub fn causal(self) -> Self {
        Self { causal: true, ..self }
    }

    /// Visible keys, `[B, M]`.
    #[must_use]
    pub fn mask<S: Sizes>(self, mask: &Conditions<S>) -> Self {
        Self { mask: Some(mask.item()), ..self }
    }

    /// Added to the products, `[H, N, M]`.
    #[must_use]
    pub fn bias(self, bias: impl Operand<D, T>) -> Self {
        Self { bias: Some(bias.item()), ..self }
    }

    /// Which queries see which keys, `[N, M]` or `[B, N, M]`.
    #[must_use]
    pub fn relation<S: Sizes>(self, relation: &Conditions<S>) -> Self {
        Self { relation: Some(relation.item()), ..self }
    }

    pub(super) fn op(&self) -> op::Attend {
        op::Attend {
            heads: self.heads,
            causal: self.causal,
            mask: self.mask.is_some(),
            bias: self.bias.is_some(),
            relation: self.relation.is_some(),
            drop: None,
        }
    }

    /// The operands behind queries, keys and values.
    pub(super) fn items(self) -> Result<impl Iterator<Item = Item<D, T>>, EmbedError> {
        let bias = self.bias.transpose()?;
        Ok(self.mask.into_iter().chain(bias).chain(self.relation))
    }
}
