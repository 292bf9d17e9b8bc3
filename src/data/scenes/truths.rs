//! Statements about pictures that are true or false: the captions of a picture, and those of the same picture with one shape changed.
//!
//! Every caption names every object with colour and shape, and colours differ, so a caption of the changed picture is false. Half of
//! the statements of either split are true. Invariant: no statement of `train` or `few` speaks of a held-out pair, so that being false cannot
//! be learned from such a pair.
//!
//! Example: of a red star and a blue circle, "a blue circle left of a red star" is true, "there is a red cross and a blue circle" not.

use super::super::Cell;
use super::super::dataset::{Dataset, Picture};
use super::{Dice, Scene, Shape, held_out};

/// Verdicts as `entail(…)` numbers them.
const FALSE: i32 = 0;
const TRUE: i32 = 2;

/// The five statements about a picture, as rows.
pub(super) fn add(scene: &Scene, split: &str, number: usize, dataset: &mut Dataset) {
    let mut dice = Dice::new("scenes/truths", split, number as u64);
    let (right, wrong) =
        (scene.captions(split, number), changed(scene, split, &mut dice).captions(split, number));
    let picture = dataset.add_picture(Picture::Scene(scene.clone()));
    for (right, wrong) in right.into_iter().zip(wrong) {
        let (text, verdict) = if dice.below(2) == 0 { (wrong, FALSE) } else { (right, TRUE) };
        dataset.extend_group([
            ("image", Cell::Picture(picture)),
            ("text", Cell::Text(text)),
            ("verdict", Cell::Id(verdict)),
        ]);
    }
    dataset.end_group();
}

/// The scene with another shape in the place of one.
fn changed(scene: &Scene, split: &str, dice: &mut Dice) -> Scene {
    let mut changed = scene.clone();
    let object = dice.below(changed.objects.len());
    let object = &mut changed.objects[object];
    let may = |shape: &Shape| *shape != object.shape && (split == "val" || *shape != held_out(object.colour));
    let shapes: Vec<Shape> = Shape::ALL.iter().copied().filter(may).collect();
    object.shape = dice.pick(&shapes);
    changed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_picture_differs_and_training_never_speaks_of_held_out_pairs() {
        for split in ["train", "few", "val"] {
            for (number, scene) in Scene::all(split).unwrap().iter().take(300).enumerate() {
                let other = changed(scene, split, &mut Dice::new("t", split, number as u64));
                let differ =
                    scene.objects.iter().zip(&other.objects).filter(|(a, b)| a.shape != b.shape).count();
                assert_eq!(differ, 1);
                let held = other.objects.iter().any(|o| held_out(o.colour) == o.shape);
                assert!(split == "val" || !held);
            }
        }
    }
}
