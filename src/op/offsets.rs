//! Which row of a table of relative positions belongs to each pair of tokens: ids [N, N].
//!
//! With S the window, n = (2S - 1)^2 + 3, r the reach, R = n, or n + 2r + 2 if r > 0; query i, key j:
//!
//! | pair | row |
//! |---|---|
//! | patch, patch | (y_i - y_j + S - 1)(2S - 1) + (x_i - x_j + S - 1) |
//! | image [CLS] to patch; patch to [CLS]; [CLS] to itself | n - 3; n - 2; n - 1 |
//! | text to image; image to text | n; n + 1 |
//! | word i to word j, counted from 0 after the [CLS] | (j - i) + (r - 2) + n + 2 |
//! | text [CLS] to word; word to [CLS]; [CLS] to itself | R - 3; R - 2; R - 1 |
//!
//! C1: patches fill the window, with or without a [CLS]. C2: a text has a reach, and is no longer than it. C3: at most 8192
//! tokens, a window of at most 8192 and a reach below 2^20.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Tokens of the longest sequence.
const LONGEST: usize = 8192;

/// A stretch of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// So many tokens of an image: all patches, perhaps a [CLS] in front.
    Image(usize),
    /// A [CLS] and words, so many in all.
    Text(usize),
}

/// Rows of a table of relative positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offsets {
    /// What the sequence is made of.
    pub stretches: Vec<Stretch>,
    /// Patches along a side.
    pub window: usize,
    /// The longest text; 0 if there is none.
    pub reach: usize,
}

/// A token of a sequence.
#[derive(Clone, Copy)]
enum Token {
    ImageMark,
    Patch(usize),
    TextMark,
    Word(usize),
}

impl Offsets {
    /// How many rows the table has.
    pub fn rows(&self) -> usize {
        let extra = if self.reach > 0 { 2 * self.reach + 5 } else { 3 };
        (2 * self.window).saturating_sub(1).pow(2) + extra
    }

    /// The rows of all pairs, by query.
    pub fn ids(&self) -> Vec<usize> {
        let tokens = self.tokens();
        tokens.iter().flat_map(|query| tokens.iter().map(|key| self.row(*query, *key))).collect()
    }

    fn tokens(&self) -> Vec<Token> {
        let patches = self.window * self.window;
        let of = |stretch: &Stretch| -> Vec<Token> {
            match *stretch {
                Stretch::Image(n) if n == patches => (0..n).map(Token::Patch).collect(),
                Stretch::Image(n) => {
                    (0..n).map(|i| if i == 0 { Token::ImageMark } else { Token::Patch(i - 1) }).collect()
                }
                Stretch::Text(n) => (0..n).map(|i| if i == 0 { Token::TextMark } else { Token::Word(i - 1) }).collect(),
            }
        };
        self.stretches.iter().flat_map(of).collect()
    }

    fn row(&self, query: Token, key: Token) -> usize {
        let (side, all) = (self.window, self.rows());
        let n = (2 * side - 1).pow(2) + 3;
        match (query, key) {
            (Token::Patch(i), Token::Patch(j)) => {
                let down = i / side + side - 1 - j / side;
                down * (2 * side - 1) + i % side + side - 1 - j % side
            }
            (Token::ImageMark, Token::Patch(_)) => n - 3,
            (Token::Patch(_), Token::ImageMark) => n - 2,
            (Token::ImageMark, Token::ImageMark) => n - 1,
            (Token::TextMark | Token::Word(_), Token::ImageMark | Token::Patch(_)) => n,
            (Token::ImageMark | Token::Patch(_), Token::TextMark | Token::Word(_)) => n + 1,
            (Token::Word(i), Token::Word(j)) => j + self.reach + n - i,
            (Token::TextMark, Token::Word(_)) => all - 3,
            (Token::Word(_), Token::TextMark) => all - 2,
            (Token::TextMark, Token::TextMark) => all - 1,
        }
    }
}

impl Rule for Offsets {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        if self.window > LONGEST || self.reach >= 1 << 20 {
            return Err(Misfit::new("C3", format!("a window of {} with a reach of {} is too large", self.window, self.reach)));
        }
        let patches = self.window * self.window;
        for stretch in &self.stretches {
            match *stretch {
                Stretch::Image(n) if self.window == 0 || (n != patches && n != patches + 1) => {
                    let message = format!("a window of {0} x {0} has {patches} patches, not {n}", self.window);
                    return Err(Misfit::new("C1", message));
                }
                Stretch::Text(n) if n > self.reach => {
                    return Err(Misfit::new("C2", format!("a text of {n} tokens is longer than the reach {}", self.reach)));
                }
                Stretch::Image(_) | Stretch::Text(_) => {}
            }
        }
        let length = |s: &Stretch| match s { Stretch::Image(n) | Stretch::Text(n) => *n };
        let n = self.stretches.iter().map(length).sum::<usize>();
        if n > LONGEST {
            return Err(Misfit::new("C3", format!("{n} tokens are too many for a table of all pairs")));
        }
        Ok(Shape { kind: Kind::Ids, ..Shape::float([n, n]) })
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        let n = self.tokens().len();
        Array { dims: vec![n, n], data: self.ids().into_iter().map(|id| id as f64).collect() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let op = |stretches: &[Stretch], window, reach| Self { stretches: stretches.to_vec(), window, reach };
        let (image, text) = (Stretch::Image(5), Stretch::Text(3));
        let ops = [op(&[image], 2, 0), op(&[Stretch::Image(9)], 3, 0), op(&[text], 2, 4), op(&[text, image], 2, 3)];
        ops.map(|op| Sample::new(op, [])).to_vec()
    }
}
