//! Where parameters come from, as a weight map says it for one of them (11).
//!
//! A source is printed as the language writes it: `chunk("attn.qkv.weight", 0, 3)'`.

use std::fmt;

/// Where one parameter, twin or state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Path of a parameter, key of a twin (`slow/…`), or `state/` and a name.
    pub key: String,
    /// Its source.
    pub source: Source,
}

/// A tensor of a public checkpoint and what is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The initial value is kept.
    Fresh,
    /// A tensor by name.
    Named(String),
    /// Its last two axes swapped.
    Transposed(Box<Source>),
    /// One row of its first axis.
    Row(Box<Source>, usize),
    /// Some rows of its first axis.
    Rows(Box<Source>, usize, usize),
    /// The k-th of n equal parts of its first axis.
    Chunk(Box<Source>, usize, usize),
    /// Its axes in another order, by a pattern with small names, some of them with their lengths.
    Rearranged(Box<Source>, String, Vec<(String, usize)>),
    /// One tensor under several names.
    Tied(Vec<Source>),
}

impl Source {
    /// The tensor it is made of; `None` for what is fresh, and for tied ones.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Fresh | Self::Tied(_) => None,
            Self::Named(name) => Some(name),
            Self::Transposed(inner)
            | Self::Row(inner, _)
            | Self::Rows(inner, _, _)
            | Self::Chunk(inner, _, _)
            | Self::Rearranged(inner, _, _) => inner.name(),
        }
    }

    /// Whether it takes some rows, so that the tensor may have more.
    pub fn is_slice(&self) -> bool {
        match self {
            Self::Row(..) | Self::Rows(..) => true,
            Self::Fresh | Self::Named(_) => false,
            Self::Transposed(inner) | Self::Chunk(inner, _, _) | Self::Rearranged(inner, _, _) => {
                inner.is_slice()
            }
            Self::Tied(all) => all.iter().any(Source::is_slice),
        }
    }

    /// The same for each of its names.
    pub fn untied(&self) -> Vec<Source> {
        let each = |inner: &Source, wrap: &dyn Fn(Box<Source>) -> Source| {
            inner.untied().into_iter().map(|one| wrap(Box::new(one))).collect()
        };
        match self {
            Self::Fresh | Self::Named(_) => vec![self.clone()],
            Self::Transposed(inner) => each(inner, &Self::Transposed),
            Self::Row(inner, at) => each(inner, &|one| Self::Row(one, *at)),
            Self::Rows(inner, start, end) => each(inner, &|one| Self::Rows(one, *start, *end)),
            Self::Chunk(inner, k, n) => each(inner, &|one| Self::Chunk(one, *k, *n)),
            Self::Rearranged(inner, pattern, sizes) => {
                each(inner, &|one| Self::Rearranged(one, pattern.clone(), sizes.clone()))
            }
            Self::Tied(all) => all.iter().flat_map(Source::untied).collect(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("fresh"),
            Self::Named(name) => write!(f, "\"{name}\""),
            Self::Transposed(inner) => write!(f, "{inner}'"),
            Self::Row(inner, at) => write!(f, "{inner}[{at}]"),
            Self::Rows(inner, start, end) => write!(f, "{inner}[{start}..{end}]"),
            Self::Chunk(inner, k, n) => write!(f, "chunk({inner}, {k}, {n})"),
            Self::Rearranged(inner, pattern, sizes) => {
                write!(f, "rearrange({inner}, \"{pattern}\"")?;
                sizes.iter().try_for_each(|(name, size)| write!(f, ", {name}: {size}"))?;
                f.write_str(")")
            }
            Self::Tied(all) => {
                let all: Vec<String> = all.iter().map(Source::to_string).collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_in_the_language() {
        let named = |name: &str| Box::new(Source::Named(name.into()));
        let tied = Source::Tied(vec![*named("a"), *named("b")]);
        let all = Source::Transposed(Box::new(Source::Chunk(Box::new(tied), 0, 3)));
        assert_eq!(all.to_string(), "chunk([\"a\", \"b\"], 0, 3)'");
        let apart: Vec<String> = all.untied().iter().map(Source::to_string).collect();
        assert_eq!(apart, ["chunk(\"a\", 0, 3)'", "chunk(\"b\", 0, 3)'"]);
        let other = Source::Rearranged(
            Box::new(Source::Row(named("w"), 0)),
            "d -> 1 d".into(),
            vec![("d".into(), 4)],
        );
        assert_eq!(other.to_string(), "rearrange(\"w\"[0], \"d -> 1 d\", d: 4)");
        assert_eq!((other.name(), Source::Fresh.name()), (Some("w"), None));
    }
}
