//! Chances: numbers, colours and ways to say how often.

use super::claim::Count;
use chiasm::random::Stream;

/// The colours of items.
pub const COLORS: [&str; 3] = ["yellow", "black", "blue"];
const NUMBERS: [&str; 8] = ["zero", "one", "two", "three", "four", "five", "six", "seven"];

/// Draws, one after the other.
pub struct Draw {
    stream: Stream,
    next: u32,
}

impl Draw {
    /// The same draws for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, "nlvr", "lessons"), next: 0 }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        self.stream.below(n.max(1) as u32, self.next, 0) as usize
    }

    /// Whether something of so many in a hundred happens.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A number from `low` to `high`, and as it is written.
    pub fn number(&mut self, low: usize, high: usize) -> (usize, String) {
        let number = low + self.below(high - low + 1);
        let text = if self.chance(50) { number.to_string() } else { NUMBERS[number].to_string() };
        (number, text)
    }

    /// Two colours, mostly different ones.
    pub fn colors(&mut self) -> (&'static str, &'static str) {
        let first = self.below(3);
        let second = if self.chance(33) { first } else { (first + 1 + self.below(2)) % 3 };
        (COLORS[first], COLORS[second])
    }

    /// Two different colours.
    pub fn two_colors(&mut self) -> (&'static str, &'static str) {
        let first = self.below(3);
        (COLORS[first], COLORS[(first + 1 + self.below(2)) % 3])
    }

    /// `at least 2 black items`: how often something is in a box, and the words for it.
    pub fn some(&mut self, high: usize, noun: &str) -> (Count, String) {
        let (number, written) = self.number(1, high);
        let (count, how) = match self.below(3) {
            0 => (Count::AtLeast(number), "at least "),
            1 => (Count::Exactly(number), "exactly "),
            _ => (Count::Exactly(number), ""),
        };
        (count, format!("{how}{written} {}", if number == 1 { noun.to_string() } else { plural(noun) }))
    }

    /// `there are 2 towers …`: how often something is there at all, and the sentence.
    pub fn there(&mut self, high: usize, noun: &str, rest: &str) -> (Count, String) {
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
        match self.below(100) {
            0..45 => {
                let (count, how) = self.one(&[
                    (Count::AtLeast(1), "a"),
                    (Count::AtLeast(1), "a"),
                    (Count::AtLeast(1), "at least one"),
                    (Count::AtLeast(1), "at least 1"),
                    (Count::Exactly(1), "exactly one"),
                    (Count::Exactly(1), "one"),
                    (Count::Exactly(1), "1"),
                    (Count::Exactly(1), "only one"),
                ]);
                let how = if how == "a" { article(noun) } else { how };
                (count, format!("there is {how} {noun}{rest}"))
            }
            45..52 => (Count::Exactly(0), format!("there is no {noun}{rest}")),
            _ => {
                let (number, written) = self.number(2, high);
                let (count, how) = self.one(&[
                    (Count::Exactly(number), ""),
                    (Count::Exactly(number), ""),
                    (Count::Exactly(number), "exactly "),
                    (Count::Exactly(number), "only "),
                    (Count::AtLeast(number), "at least "),
                ]);
                (count, format!("there are {how}{written} {}{rest}", plural(noun)))
            }
        }
    }
}

/// `a` or `an`
pub fn article(noun: &str) -> &'static str {
    if noun.starts_with(['i', 'o']) { "an" } else { "a" }
}

/// `black items`, `boxes`
pub fn plural(noun: &str) -> String {
    if noun.ends_with('x') { format!("{noun}es") } else { format!("{noun}s") }
}
