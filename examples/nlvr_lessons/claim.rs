//! A statement with its meaning: how often each box has what it speaks of, which items show that, and whether it is true.

use super::scene::{Boxes, Item};

/// A test of an item.
pub type OfItem = Box<dyn Fn(&Item) -> bool>;

/// A test for a colour.
pub fn of(color: &'static str) -> impl Fn(&Item) -> bool + Clone {
    move |item| item.color() == color
}

/// Once or more.
pub const ONCE: Count = Count::AtLeast(1);

/// How often.
#[derive(Clone, Copy, Debug)]
pub enum Count {
    /// At least so often.
    AtLeast(usize),
    /// Just so often.
    Exactly(usize),
}

impl Count {
    /// Whether a number is meant.
    pub fn holds(self, number: usize) -> bool {
        match self {
            Self::AtLeast(least) => number >= least,
            Self::Exactly(want) => number == want,
        }
    }
}

/// A condition on a box, in words, with the items that show it.
pub struct Part {
    /// `2 black items`
    pub text: String,
    holds: Box<dyn Fn(&[Item]) -> bool>,
    shown: Box<dyn Fn(&[Item]) -> Vec<usize>>,
}

impl Part {
    /// A condition that the whole box shows.
    pub fn whole(text: impl Into<String>, holds: impl Fn(&[Item]) -> bool + Clone + 'static) -> Self {
        let same = holds.clone();
        let shown = move |items: &[Item]| if same(items) { (0..items.len()).collect() } else { Vec::new() };
        Self { text: text.into(), holds: Box::new(holds), shown: Box::new(shown) }
    }

    /// So many items.
    pub fn items(
        text: impl Into<String>,
        count: Count,
        test: impl Fn(&Item) -> bool + Clone + 'static,
    ) -> Self {
        let same = test.clone();
        let holds = move |items: &[Item]| count.holds(items.iter().filter(|item| test(item)).count());
        let shown = move |items: &[Item]| (0..items.len()).filter(|place| same(&items[*place])).collect();
        Self { text: text.into(), holds: Box::new(holds), shown: Box::new(shown) }
    }

    /// The item that stands first or last has a colour.
    pub fn end(text: impl Into<String>, top: bool, color: &'static str) -> Self {
        let place = move |items: &[Item]| {
            let place = if top { items.len().checked_sub(1)? } else { 0 };
            items.get(place).filter(|item| item.color() == color).map(|_| place)
        };
        let holds = move |items: &[Item]| place(items).is_some();
        let shown = move |items: &[Item]| place(items).into_iter().collect();
        Self { text: text.into(), holds: Box::new(holds), shown: Box::new(shown) }
    }

    /// An item of one colour right above one of another.
    pub fn above(text: impl Into<String>, upper: &'static str, lower: &'static str) -> Self {
        let pair = move |pair: &[Item]| pair[0].color() == lower && pair[1].color() == upper;
        let holds = move |items: &[Item]| items.windows(2).any(pair);
        let shown = move |items: &[Item]| {
            let of_pair = |at: usize| pair(&items[at..at + 2]);
            let in_pair = |place: &usize| {
                (*place > 0 && of_pair(place - 1)) || (place + 1 < items.len() && of_pair(*place))
            };
            (0..items.len()).filter(in_pair).collect()
        };
        Self { text: text.into(), holds: Box::new(holds), shown: Box::new(shown) }
    }

    /// Both conditions.
    pub fn and(self, other: Self, between: &str) -> Self {
        let text = format!("{}{between}{}", self.text, other.text);
        let holds = move |items: &[Item]| (self.holds)(items) && (other.holds)(items);
        let shown = move |items: &[Item]| {
            let mut all = (self.shown)(items);
            all.extend((other.shown)(items));
            all.sort_unstable();
            all.dedup();
            all
        };
        Self { text, holds: Box::new(holds), shown: Box::new(shown) }
    }
}

/// What is counted.
enum Counted {
    Items(OfItem),
    Boxes(Part),
}

/// A statement.
pub struct Claim {
    /// As people write it.
    pub text: String,
    count: Count,
    counted: Counted,
}

impl Claim {
    /// So many boxes of which a condition holds.
    pub fn of_boxes(text: impl Into<String>, count: Count, part: Part) -> Self {
        Self { text: text.into(), count, counted: Counted::Boxes(part) }
    }

    /// So many items anywhere.
    pub fn of_items(text: impl Into<String>, count: Count, test: impl Fn(&Item) -> bool + 'static) -> Self {
        Self { text: text.into(), count, counted: Counted::Items(Box::new(test)) }
    }

    /// How often each box has it.
    pub fn often(&self, boxes: &Boxes) -> [usize; 3] {
        [0, 1, 2].map(|place| match &self.counted {
            Counted::Items(test) => boxes[place].iter().filter(|item| test(item)).count(),
            Counted::Boxes(part) => usize::from(!boxes[place].is_empty() && (part.holds)(&boxes[place])),
        })
    }

    /// Which items of each box show it.
    pub fn shown(&self, boxes: &Boxes) -> [Vec<usize>; 3] {
        [0, 1, 2].map(|place| match &self.counted {
            Counted::Items(test) => (0..boxes[place].len()).filter(|at| test(&boxes[place][*at])).collect(),
            Counted::Boxes(part) => (part.shown)(&boxes[place]),
        })
    }

    /// Whether it is true.
    pub fn holds(&self, boxes: &Boxes) -> bool {
        self.count.holds(self.often(boxes).iter().sum())
    }
}
