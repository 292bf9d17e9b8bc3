//! What is said about a picture: five captions of different wording, all of them true.
//!
//! Invariant: every caption names every object with colour and shape, and has at most 22 words and commas.
//!
//! Example, for one picture: "a large red star left of a small blue circle", "the blue disc is right of the red star",
//! "a red star in the top left and a blue circle in the center", ...

use super::{CAPTIONS, Dice, Object, Scene, Shape, Size};

const PLACES: [&str; 9] = [
    "in the top left",
    "at the top",
    "in the top right",
    "on the left",
    "in the center",
    "on the right",
    "in the bottom left",
    "at the bottom",
    "in the bottom right",
];
const SHORT_PLACES: [&str; 9] =
    ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"];

pub(super) fn captions(scene: &Scene, dice: &mut Dice) -> Vec<String> {
    let wordings = dice.some(CAPTIONS, &[0, 1, 2, 3, 4, 5]);
    wordings.into_iter().map(|wording| caption(scene, wording, dice)).collect()
}

fn caption(scene: &Scene, wording: usize, dice: &mut Dice) -> String {
    let ground = scene.ground.word();
    let objects = dice.some(scene.objects.len(), &scene.objects);
    match objects[..] {
        [a] => one(a, ground, wording, dice),
        [a, b] => two([a, b], ground, wording, dice),
        [a, b, c] => three([a, b, c], ground, wording, dice),
        _ => String::new(),
    }
}

fn one(a: Object, ground: &str, wording: usize, dice: &mut Dice) -> String {
    let place = place(a);
    match wording {
        0 => format!("{} {place}", sized(a)),
        1 => format!("{} on a {ground} background", sized(a)),
        2 => format!("there is {} {place}", other(a, dice)),
        3 => format!("a picture of {} {place} on {ground}", plain(a)),
        4 => format!("the {} {} is {} and {place}", a.colour.word(), a.shape.word(), a.size.word()),
        _ => format!("only {}, {}", sized(a), SHORT_PLACES[cell(a)]),
    }
}

fn two([a, b]: [Object; 2], ground: &str, wording: usize, dice: &mut Dice) -> String {
    match wording {
        0 => format!("{} {} {}", sized(a), relation(a, b, dice), sized(b)),
        1 => format!("{} {} and {} {}", plain(a), place(a), plain(b), place(b)),
        2 => format!("there is {} and {}", other(a, dice), other(b, dice)),
        3 => format!("a picture of {} and {} on {ground}", plain(a), plain(b)),
        4 => format!("the {} {} is {} {}", a.colour.word(), a.shape.word(), relation(a, b, dice), sized(b)),
        _ => format!("{} {}, {} {}", sized(a), SHORT_PLACES[cell(a)], sized(b), SHORT_PLACES[cell(b)]),
    }
}

fn three([a, b, c]: [Object; 3], ground: &str, wording: usize, dice: &mut Dice) -> String {
    let short = |object: Object| format!("{} {}", plain(object), SHORT_PLACES[cell(object)]);
    match wording {
        0 => format!("{}, {} and {}", sized(a), sized(b), sized(c)),
        1 => format!("{}, {}, {}", short(a), short(b), short(c)),
        2 => format!("there is {} with {} and {}", other(a, dice), plain(b), plain(c)),
        3 => format!("a picture of {}, {} and {} on {ground}", plain(a), plain(b), plain(c)),
        4 => {
            let (left, right) = (relation(a, b, dice), relation(a, c, dice));
            format!("{} {left} {} and {right} {}", sized(a), plain(b), plain(c))
        }
        _ => format!("{} {} {}, and {}", plain(a), relation(a, b, dice), plain(b), sized(c)),
    }
}

/// "a red circle", "an orange star"
fn plain(object: Object) -> String {
    let colour = object.colour.word();
    let article = if colour.starts_with('o') { "an" } else { "a" };
    format!("{article} {colour} {}", object.shape.word())
}

/// "a large red circle"
fn sized(object: Object) -> String {
    format!("a {} {} {}", object.size.word(), object.colour.word(), object.shape.word())
}

/// The same in other words: "a big red disc".
fn other(object: Object, dice: &mut Dice) -> String {
    let size = match object.size {
        Size::Large => "big",
        Size::Small => "little",
    };
    let shape = match object.shape {
        Shape::Circle => dice.pick(&["circle", "disc"]),
        Shape::Square => dice.pick(&["square", "box"]),
        Shape::Cross => dice.pick(&["cross", "plus"]),
        shape => shape.word(),
    };
    format!("a {size} {} {shape}", object.colour.word())
}

fn cell(object: Object) -> usize {
    usize::from(object.row * 3 + object.column)
}

fn place(object: Object) -> &'static str {
    PLACES[cell(object)]
}

/// Where a is, seen from b: along the axis on which they are farther apart.
fn relation(a: Object, b: Object, dice: &mut Dice) -> &'static str {
    let (across, down) = (b.column.abs_diff(a.column), b.row.abs_diff(a.row));
    match (across >= down, a.column < b.column, a.row < b.row) {
        (true, true, _) => dice.pick(&["left of", "to the left of"]),
        (true, false, _) => dice.pick(&["right of", "to the right of"]),
        (false, _, true) => "above",
        (false, _, false) => "below",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn captions_name_everything_and_differ() {
        for (number, scene) in Scene::all("val").unwrap().iter().enumerate() {
            let captions = scene.captions("val", number);
            assert_eq!(captions.iter().collect::<HashSet<_>>().len(), CAPTIONS, "{captions:?}");
            for caption in &captions {
                assert!(scene.objects.iter().all(|o| caption.contains(o.colour.word())), "{caption}");
                assert!(caption.split([' ', ',']).count() <= 22, "{caption}");
            }
        }
    }

    #[test]
    fn left_and_right_are_the_viewers() {
        let scene = Scene::all("train").unwrap().swap_remove(0);
        let mut dice = Dice::new("scenes/words", "train", 0);
        let at = |column, row| Object { column, row, ..scene.objects[0] };
        assert!(relation(at(0, 1), at(2, 0), &mut dice).ends_with("left of"));
        assert!(relation(at(2, 1), at(1, 1), &mut dice).ends_with("right of"));
        assert_eq!(relation(at(1, 0), at(0, 2), &mut dice), "above");
        assert_eq!(relation(at(1, 2), at(1, 1), &mut dice), "below");
    }
}
