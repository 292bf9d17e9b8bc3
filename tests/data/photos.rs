//! Real photos, where there are some.

use std::sync::Arc;
use std::time::Instant;

use chiasm::data::{Library, Loader, LoaderOptions, Wish};
use chiasm::recipe::Transform;

use super::{open, real};

#[test]
fn photos_and_coco_open_in_both_forms() {
    let Some(folder) = real() else { return };
    let library = Library::new([&folder]);
    for (name, pictures, rows) in
        [("photos", 4500, 22_500), ("photos/val", 1000, 5000), ("coco_mini/val", 125, 625)]
    {
        let set = open(&library, name).unwrap();
        assert_eq!((set.pictures(), set.rows()), (pictures, rows), "{}: {}", set.describe(), set.report());
        assert!(set.report().is_empty(), "{}", set.report());
    }
    let karpathy = Library::new([folder.join("photos/annotations/karpathy_flickr8k.json")]);
    assert_eq!(open(&karpathy, "photos").unwrap().pictures(), 4500);
    assert_eq!(open(&karpathy, "photos/val").unwrap().pictures(), 1000);
    assert_eq!(open(&Library::new([folder.join("coco_mini")]), "coco").unwrap().pictures(), 80);
}

#[test]
fn photos_are_all_readable() {
    let Some(folder) = real() else { return };
    let set = open(&Library::new([&folder]), "coco_mini/val").unwrap();
    let all: Vec<usize> = (0..set.pictures()).collect();
    assert_eq!(set.images(&all, 64, &[Transform::Center]).unwrap().dims, [125, 3, 64, 64]);
    assert!(set.report().is_empty());
}

#[test]
#[ignore = "measures speed"]
fn speed_of_photos() {
    let Some(folder) = real() else { return };
    let set = Arc::new(open(&Library::new([&folder]), "photos").unwrap());
    let transforms = vec![
        Transform::Crop { low: 0.5, high: 1.0 },
        Transform::Flip,
        Transform::RandAugment { count: 2, magnitude: 7.0, set: Default::default() },
    ];
    for side in [64, 224] {
        let options = LoaderOptions {
            transforms: transforms.clone(),
            batch: 64,
            threads: 1,
            ..LoaderOptions::default()
        };
        let mut loader = Loader::new(set.clone(), vec![Wish::image("image", side)], options).unwrap();
        loader.next().unwrap();
        let began = Instant::now();
        for _ in 0..10 {
            let batch = loader.next().unwrap();
            loader.give_back(batch);
        }
        eprintln!("a photo at {side}: {:?}", began.elapsed() / 640);
    }
}
