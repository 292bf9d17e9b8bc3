//! Pictures with their captions, of which a share may be wrong, as texts beside pictures on the web are: `pairs("scenes", wrong: 0.4)`.
//!
//! A wrong caption is one of another picture of the split that is not true of this one. Which captions are wrong, and what they say,
//! depends on the split, the picture and the share alone. Invariant: what is wrong at some share is wrong at a larger one, and says the
//! same.
//!
//! Example: of a red star and a blue circle, "a green box above a pink cross".

use super::super::dataset::{Dataset, Picture};
use super::{CAPTIONS, Dice, Scene};

/// The pictures of a split with their captions, put into the prompt.
pub(super) fn add(scenes: &[Scene], split: &str, prompt: Option<&str>, wrong: f64, dataset: &mut Dataset) {
    for (number, scene) in scenes.iter().enumerate() {
        let captions = scene.captions(split, number).into_iter().enumerate().map(|(place, right)| {
            let caption = false_caption(scenes, split, number, place, wrong).unwrap_or(right);
            prompt.map_or(caption.clone(), |prompt| prompt.replace("{}", &caption))
        });
        dataset.add_captioned(Picture::Scene(scene.clone()), captions);
    }
}

/// What stands in the place of a caption, if it is one of those that are wrong.
fn false_caption(scenes: &[Scene], split: &str, number: usize, place: usize, wrong: f64) -> Option<String> {
    if wrong <= 0.0 {
        return None;
    }
    let mut dice = Dice::new("scenes/wrong", split, (number * CAPTIONS + place) as u64);
    if f64::from(dice.spread() + 1.0) / 2.0 >= wrong {
        return None;
    }
    loop {
        let other = dice.below(scenes.len());
        let caption = scenes[other].captions(split, other).swap_remove(place);
        if !scenes[number].agrees(&caption) {
            return Some(caption);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn captions(split: &str, wrong: f64) -> (Vec<Scene>, Vec<Vec<String>>) {
        let mut scenes = Scene::all(split).unwrap();
        scenes.truncate(400);
        let mut dataset = Dataset::new("scenes");
        add(&scenes, split, None, wrong, &mut dataset);
        let of = |picture| dataset.captions_of(picture).map(|row| dataset.caption(row).to_string()).collect();
        let captions = (0..scenes.len()).map(of).collect();
        (scenes, captions)
    }

    #[test]
    fn the_share_is_wrong_and_the_rest_is_right() {
        for split in ["train", "few", "val"] {
            let ((scenes, some), (_, most)) = (captions(split, 0.4), captions(split, 0.8));
            let mut lies = 0;
            for (number, scene) in scenes.iter().enumerate() {
                let right = scene.captions(split, number);
                for ((some, most), right) in some[number].iter().zip(&most[number]).zip(&right) {
                    assert!(some == right || !scene.agrees(some), "{some}");
                    assert!(some == right || some == most, "{some} becomes {most}");
                    lies += usize::from(some != right);
                }
            }
            let share = lies as f64 / (CAPTIONS * scenes.len()) as f64;
            assert!((share - 0.4).abs() < 0.04, "{share} of {split}");
        }
    }

    #[test]
    fn without_wrong_captions_every_picture_keeps_its_own() {
        let (scenes, all) = captions("val", 0.0);
        assert!(
            scenes.iter().enumerate().all(|(number, scene)| scene.captions("val", number) == all[number])
        );
        let mut dataset = Dataset::new("scenes");
        add(&scenes[..1], "val", Some("a picture of {}"), 0.0, &mut dataset);
        assert_eq!(dataset.caption(2), format!("a picture of {}", all[0][2]));
    }
}
