//! What the pictures show: numbers of pictures become scenes.
//!
//! Invariant: `train` shows no held-out pair of colour and shape, every scene of `val` at least one; scenes of `val` differ from each
//! other in their sets of coloured shapes. Example: a red circle is held out, a red star is not.

use std::collections::HashSet;
use std::ops::Range;

use super::{Colour, Dice, Ground, Object, Scene, Shape, Size};

/// The shape that the training split never shows in a colour.
pub fn held_out(colour: Colour) -> Shape {
    match colour {
        Colour::Red | Colour::Pink => Shape::Circle,
        Colour::Green => Shape::Star,
        Colour::Blue => Shape::Square,
        Colour::Yellow => Shape::Cross,
        Colour::Purple | Colour::White => Shape::Triangle,
        Colour::Orange => Shape::Diamond,
    }
}

pub(super) fn train(numbers: Range<usize>) -> Vec<Scene> {
    numbers.map(|number| seen(&mut Dice::new("scenes", "train", number as u64))).collect()
}

pub(super) fn val(count: usize) -> Vec<Scene> {
    let mut known = HashSet::new();
    (0..count).map(|number| unseen(&mut Dice::new("scenes", "val", number as u64), &mut known)).collect()
}

/// A tenth shows one object; two and three are equally frequent.
fn seen(dice: &mut Dice) -> Scene {
    let count = dice.pick(&[1, 2, 2, 2, 2, 2, 3, 3, 3, 3]);
    scene(dice, count, |dice, _, colour| {
        let shapes: Vec<Shape> =
            Shape::ALL.iter().copied().filter(|shape| *shape != held_out(colour)).collect();
        dice.pick(&shapes)
    })
}

/// Two or three objects (one would leave eight different scenes), one of them of a held-out pair.
fn unseen(dice: &mut Dice, known: &mut HashSet<Vec<(Colour, Shape)>>) -> Scene {
    loop {
        let count = dice.pick(&[2, 2, 3, 3, 3]);
        let odd = dice.below(count);
        let scene = scene(dice, count, |dice, place, colour| match place == odd {
            true => held_out(colour),
            false => dice.pick(Shape::ALL),
        });
        let mut content: Vec<_> = scene.objects.iter().map(|object| (object.colour, object.shape)).collect();
        content.sort_unstable();
        if known.insert(content) {
            return scene;
        }
        dice.again();
    }
}

fn scene(dice: &mut Dice, count: usize, mut shape: impl FnMut(&mut Dice, usize, Colour) -> Shape) -> Scene {
    let ground = dice.pick(Ground::ALL);
    let cells: Vec<u8> = dice.some(count, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let colours = dice.some(count, Colour::ALL);
    let places = cells.into_iter().zip(colours).enumerate();
    let object = |(place, (cell, colour)): (usize, (u8, Colour))| Object {
        colour,
        shape: shape(dice, place, colour),
        size: dice.pick(Size::ALL),
        column: cell % 3,
        row: cell / 3,
        shift: [dice.spread(), dice.spread()],
        turn: dice.below(5) as u8,
        shade: 1.0 + 0.08 * dice.spread(),
    };
    Scene { ground, objects: places.map(object).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(scene: &Scene) -> bool {
        scene.objects.iter().any(|object| held_out(object.colour) == object.shape)
    }

    #[test]
    fn held_out_pairs_are_in_every_picture_of_val_and_in_none_of_train() {
        assert!(!train(0..super::super::TRAIN).iter().any(odd));
        assert!(val(super::super::VAL).iter().all(odd));
    }

    #[test]
    fn a_scene_depends_on_its_number_only() {
        assert_eq!(train(0..7)[6], train(0..30)[6]);
        assert_eq!(val(7)[6], val(30)[6]);
        assert_ne!(train(0..7)[5], train(0..7)[6]);
    }

    #[test]
    fn every_permitted_pair_is_shown_in_training() {
        let scenes = train(0..2000);
        let shown: HashSet<_> =
            scenes.iter().flat_map(|s| s.objects.iter().map(|o| (o.colour, o.shape))).collect();
        assert_eq!(shown.len(), Colour::ALL.len() * (Shape::ALL.len() - 1));
    }
}
