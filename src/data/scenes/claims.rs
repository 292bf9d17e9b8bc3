//! Whether a text is true of a picture: for captions that a model wrote.
//!
//! A text claims things, always about what it named last: that a coloured shape is there, how large it is, where it is, where it is
//! seen from the next one, what is behind. It is true if it names a coloured shape and all of its claims hold. It need not name
//! everything. Its words are those of the captions; a text with other words, or one that breaks off, is not true.
//!
//! Example: of a large red star left of a blue circle, "a red star" and "a big red star left of a blue disc" are true; "a red circle",
//! "a blue circle left of a red star" and "a red star left of" are not.

use super::{Colour, Ground, Object, Scene, Shape, Size};

/// Words between claims.
const BETWEEN: [&str; 14] =
    ["a", "an", "the", "there", "is", "picture", "of", "and", "with", ",", "in", "at", "on", "background"];

/// Whether all claims hold.
pub(super) fn hold(scene: &Scene, text: &str) -> bool {
    let text = text.to_lowercase().replace(',', " , ");
    let words: Vec<&str> = text.trim_end_matches(['.', ' ']).split_whitespace().collect();
    let mut reader = Reader { scene, words: &words, named: None, subject: None, relation: None };
    let mut understood = Some(());
    while understood.is_some() && !reader.words.is_empty() {
        understood = reader.claim();
    }
    understood.is_some() && reader.named.is_some() && reader.relation.is_none()
}

#[derive(Clone, Copy, PartialEq)]
enum Relation {
    Left,
    Right,
    Above,
    Below,
}

struct Reader<'a> {
    scene: &'a Scene,
    /// What is left to read.
    words: &'a [&'a str],
    /// What was named last.
    named: Option<Object>,
    /// Of what the last relation spoke.
    subject: Option<Object>,
    /// A relation whose second object is not named yet.
    relation: Option<Relation>,
}

impl Reader<'_> {
    /// Reads one claim or one word between claims; nothing if it is false or not understood.
    fn claim(&mut self) -> Option<()> {
        let second = self.words.get(1).copied();
        if let (["and", ..], Some(subject)) = (self.words, self.subject)
            && relation(&self.words[1..]).is_some()
        {
            self.named = Some(subject);
        }
        if let Some((relation, length)) = relation(self.words) {
            return self.begin(relation, length);
        }
        if let Some((cell, length)) = place(self.words) {
            self.words = &self.words[length..];
            return self.named.is_some_and(|o| (o.column, o.row) == cell).then_some(());
        }
        let first = *self.words.first()?;
        match (size(first), colour(first)) {
            (Some(size), _) if second.is_some_and(|word| colour(word).is_some()) => self.name(Some(size), 1),
            (Some(size), _) => self.next(self.named.is_some_and(|object| object.size == size)),
            (None, Some(_)) => self.name(None, 0),
            (None, None) if first == "only" => self.next(self.scene.objects.len() == 1),
            (None, None) if BETWEEN.contains(&first) => self.next(true),
            (None, None) => self.next(self.scene.ground == ground(first)?),
        }
    }

    /// Goes on behind one word if what it says is so.
    fn next(&mut self, is_so: bool) -> Option<()> {
        self.words = &self.words[1..];
        is_so.then_some(())
    }

    /// A relation between what was named last and what comes next.
    fn begin(&mut self, relation: Relation, length: usize) -> Option<()> {
        self.words = &self.words[length..];
        self.subject = Some(self.named.filter(|_| self.relation.is_none())?);
        self.relation = Some(relation);
        Some(())
    }

    /// A colour and a shape, `at` words ahead.
    fn name(&mut self, size: Option<Size>, at: usize) -> Option<()> {
        let (colour, shape) = (colour(self.words.get(at)?)?, shape(self.words.get(at + 1)?)?);
        let fits = |o: &&Object| o.colour == colour && o.shape == shape && size.is_none_or(|s| o.size == s);
        let named = *self.scene.objects.iter().find(fits)?;
        self.words = &self.words[at + 2..];
        self.named = Some(named);
        match (self.relation.take(), self.subject) {
            (Some(relation), Some(subject)) => relates(relation, &subject, &named).then_some(()),
            _ => Some(()),
        }
    }
}

fn relates(relation: Relation, a: &Object, b: &Object) -> bool {
    match relation {
        Relation::Left => a.column < b.column,
        Relation::Right => a.column > b.column,
        Relation::Above => a.row < b.row,
        Relation::Below => a.row > b.row,
    }
}

/// A relation at the beginning, and how many words it has.
fn relation(words: &[&str]) -> Option<(Relation, usize)> {
    match words {
        ["to", "the", "left", "of", ..] => Some((Relation::Left, 4)),
        ["to", "the", "right", "of", ..] => Some((Relation::Right, 4)),
        ["left", "of", ..] => Some((Relation::Left, 2)),
        ["right", "of", ..] => Some((Relation::Right, 2)),
        ["above", ..] => Some((Relation::Above, 1)),
        ["below", ..] => Some((Relation::Below, 1)),
        _ => None,
    }
}

/// Column and row of a place at the beginning, and how many words it has.
fn place(words: &[&str]) -> Option<((u8, u8), usize)> {
    match words {
        ["top", "left", ..] => Some(((0, 0), 2)),
        ["top", "right", ..] => Some(((2, 0), 2)),
        ["bottom", "left", ..] => Some(((0, 2), 2)),
        ["bottom", "right", ..] => Some(((2, 2), 2)),
        ["top", ..] => Some(((1, 0), 1)),
        ["left", ..] => Some(((0, 1), 1)),
        ["center", ..] => Some(((1, 1), 1)),
        ["right", ..] => Some(((2, 1), 1)),
        ["bottom", ..] => Some(((1, 2), 1)),
        _ => None,
    }
}

fn size(word: &str) -> Option<Size> {
    match word {
        "large" | "big" => Some(Size::Large),
        "small" | "little" => Some(Size::Small),
        _ => None,
    }
}

fn shape(word: &str) -> Option<Shape> {
    match word {
        "disc" => Some(Shape::Circle),
        "box" => Some(Shape::Square),
        "plus" => Some(Shape::Cross),
        _ => Shape::ALL.iter().copied().find(|shape| shape.word() == word),
    }
}

fn colour(word: &str) -> Option<Colour> {
    Colour::ALL.iter().copied().find(|colour| colour.word() == word)
}

fn ground(word: &str) -> Option<Ground> {
    Ground::ALL.iter().copied().find(|ground| ground.word() == word)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_caption_is_true_of_its_picture_and_hardly_any_of_another() {
        for split in ["train", "val"] {
            let scenes: Vec<Scene> = Scene::all(split).unwrap().into_iter().take(500).collect();
            let mut elsewhere = 0;
            for (number, scene) in scenes.iter().enumerate() {
                let other = &scenes[(number + 1) % scenes.len()];
                for caption in scene.captions(split, number) {
                    assert!(scene.agrees(&caption), "{caption}: {scene:?}");
                    elsewhere += usize::from(other.agrees(&caption));
                }
            }
            assert!(elsewhere < 25, "{elsewhere} of 2500 captions are true of the next picture");
        }
    }

    #[test]
    fn each_kind_of_claim_can_be_false() {
        let mut scene = Scene::all("train").unwrap().swap_remove(0);
        let at = |colour, shape, size, column, row| Object {
            colour,
            shape,
            size,
            column,
            row,
            ..scene.objects[0]
        };
        let star = at(Colour::Red, Shape::Star, Size::Large, 0, 1);
        let circle = at(Colour::Blue, Shape::Circle, Size::Small, 2, 0);
        scene.objects = vec![star, circle];
        scene.ground = Ground::Navy;
        for text in [
            "a red star",
            "A large red star left of a small blue disc.",
            "the red star is large and on the left",
            "a blue circle above a red star and right of a red star",
            "a red star left, a blue circle top right",
            "a picture of a blue circle and a red star on navy",
        ] {
            assert!(scene.agrees(text), "{text}");
        }
        for text in [
            "",
            "a picture of",
            "a red",
            "a red circle",
            "a small red star",
            "a red star in the top left",
            "a blue circle left of a red star",
            "a red star left of",
            "left of a red star",
            "a red star on a black background",
            "only a red star",
            "a red star dances",
            "a red star and a green star",
        ] {
            assert!(!scene.agrees(text), "{text}");
        }
    }
}
