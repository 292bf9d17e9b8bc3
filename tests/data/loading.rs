//! The loader: same batches whatever the threads and wherever it starts; broken pictures are replaced aloud.

use std::sync::Arc;

use chiasm::data::{
    Batch, Dataset, Error, Kind, Library, Loader, LoaderOptions, Problem, Values, Vocabulary, Wish,
};
use chiasm::recipe::Transform;

use super::open;

fn wishes(side: usize) -> Vec<Wish> {
    let words = Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &[], &Library::default()).unwrap();
    vec![Wish::image("image", side), Wish::text("text", Arc::new(words), 24), Wish::ids("image_id")]
}

fn options(start: u64, threads: usize) -> LoaderOptions {
    let transforms = vec![
        Transform::Crop { low: 0.5, high: 1.0 },
        Transform::RandAugment { count: 2, magnitude: 7.0, set: Default::default() },
    ];
    LoaderOptions {
        transforms,
        batch: 16,
        seed: 7,
        stage: "s".into(),
        start,
        threads,
        ..LoaderOptions::default()
    }
}

fn batches(set: &Arc<Dataset>, options: LoaderOptions, count: usize) -> Vec<Batch> {
    let mut loader = Loader::new(set.clone(), wishes(32), options).unwrap();
    (0..count).map(|_| loader.next().unwrap()).collect()
}

#[test]
fn batches_do_not_depend_on_threads_or_start() {
    let set = Arc::new(open(&Library::default(), "scenes/val").unwrap());
    let all = batches(&set, options(0, 1), 160); // an epoch has 156 steps
    assert!(batches(&set, options(0, 3), 160) == all);
    assert!(batches(&set, options(154, 2), 6) == all[154..]);
}

#[test]
fn columns_hold_what_was_asked_for() {
    let set = Arc::new(open(&Library::default(), "scenes/val").unwrap());
    for batch in batches(&set, options(0, 2), 3) {
        let [image, text, id] = &batch.columns[..] else { panic!() };
        assert_eq!(
            (&image.dims[..], &text.dims[..], &id.dims[..]),
            (&[16, 3, 32, 32][..], &[16, 24][..], &[16][..])
        );
        let (Values::Floats(pixels), Values::Ids(words), Values::Ids(ids)) =
            (&image.values, &text.values, &id.values)
        else {
            panic!()
        };
        assert!(pixels.len() == 16 * 3 * 32 * 32 && pixels.iter().all(|p| (0.0..=1.0).contains(p)));
        let lengths = text.lengths.as_ref().unwrap();
        for (row, length) in lengths.iter().enumerate() {
            let (used, rest) = words[row * 24..(row + 1) * 24].split_at(*length as usize);
            assert!(used[0] == 101 && used.last() == Some(&102) && rest.iter().all(|id| *id == 0));
        }
        assert_eq!(*ids, batch.rows.iter().map(|row| set.image_of(*row) as i32).collect::<Vec<_>>());
    }
}

#[test]
fn memory_given_back_changes_nothing() {
    let set = Arc::new(open(&Library::default(), "scenes/val").unwrap());
    let expected = batches(&set, options(0, 1), 12);
    let mut loader = Loader::new(set, wishes(32), options(0, 2)).unwrap();
    for expected in expected {
        let batch = loader.next().unwrap();
        assert!(batch == expected);
        loader.give_back(batch);
    }
}

#[test]
fn a_broken_picture_is_replaced_and_reported_once() {
    let folder = std::env::temp_dir().join(format!("chiasm-loader-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("set/train")).unwrap();
    let list = |n: i32, form: fn(i32) -> String| (0..n).map(form).collect::<Vec<_>>().join(",");
    let images = list(8, |i| format!(r#"{{"id": {i}, "file_name": "{i}.png"}}"#));
    let captions = list(8, |i| format!(r#"{{"image_id": {i}, "caption": "number {i}"}}"#));
    let json = format!(r#"{{"images": [{images}], "annotations": [{captions}]}}"#);
    std::fs::write(folder.join("set/captions_train.json"), json).unwrap();
    for i in 0..8 {
        image::DynamicImage::new_rgb8(9, 9).save(folder.join(format!("set/train/{i}.png"))).unwrap();
    }
    std::fs::write(folder.join("set/train/3.png"), "broken").unwrap();
    let set = Arc::new(open(&Library::new([&folder]), "set").unwrap());
    let options = |threads| LoaderOptions { batch: 4, threads, ..LoaderOptions::default() };
    let first = batches(&set, options(1), 8);
    assert!(first.iter().all(|batch| batch.rows.iter().all(|row| set.image_of(*row) != 3)));
    assert!(batches(&set, options(2), 8) == first);
    assert_eq!(set.report().count(Problem::UnreadableFile), 1);
    let set = Arc::new(open(&Library::new([&folder]), "set").unwrap());
    for i in 0..8 {
        std::fs::write(folder.join(format!("set/train/{i}.png")), "broken").unwrap();
    }
    let mut loader = Loader::new(set, vec![Wish::image("image", 8)], options(1)).unwrap();
    assert!(matches!(loader.next(), Err(Error::NothingReadable { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// One picture of 200 can be read: no luck in drawing is needed to find it.
#[test]
fn training_goes_on_with_the_last_readable_picture() {
    let folder = std::env::temp_dir().join(format!("chiasm-last-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("set/train")).unwrap();
    let list = |form: fn(i32) -> String| (0..200).map(form).collect::<Vec<_>>().join(",");
    let images = list(|i| format!(r#"{{"id": {i}, "file_name": "{i}.png"}}"#));
    let captions = list(|i| format!(r#"{{"image_id": {i}, "caption": "number {i}"}}"#));
    let json = format!(r#"{{"images": [{images}], "annotations": [{captions}]}}"#);
    std::fs::write(folder.join("set/captions_train.json"), json).unwrap();
    for i in 0..200 {
        std::fs::write(folder.join(format!("set/train/{i}.png")), "broken").unwrap();
    }
    image::DynamicImage::new_rgb8(9, 9).save(folder.join("set/train/77.png")).unwrap();
    let set = Arc::new(open(&Library::new([&folder]), "set").unwrap());
    let options = LoaderOptions { batch: 3, ..LoaderOptions::default() };
    let first = batches(&set, options, 2);
    assert!(first.iter().all(|batch| batch.rows == [77; 3]), "{:?}", first[0].rows);
    assert!((1..200).contains(&set.report().count(Problem::UnreadableFile)));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn impossible_wishes_are_refused() {
    let set = Arc::new(open(&Library::default(), "scenes/val").unwrap());
    let large = LoaderOptions { batch: 2501, ..LoaderOptions::default() };
    assert!(matches!(Loader::new(set.clone(), vec![], large), Err(Error::TooFew { .. })));
    assert!(Loader::new(set, vec![Wish::image("image", 0)], LoaderOptions::default()).is_err());
}

#[test]
#[ignore = "measures speed"]
fn speed_of_scenes() {
    let set = Arc::new(open(&Library::default(), "scenes").unwrap());
    let began = std::time::Instant::now();
    for picture in 0..2000 {
        std::hint::black_box(set.load(picture, 64).unwrap());
    }
    eprintln!("one scene of 64 x 64: {:?}", began.elapsed() / 2000);
    let options = LoaderOptions { batch: 128, threads: 1, ..LoaderOptions::default() };
    let mut loader = Loader::new(set, wishes(64), options).unwrap();
    loader.next().unwrap();
    let began = std::time::Instant::now();
    for _ in 0..100 {
        let batch = loader.next().unwrap();
        loader.give_back(batch);
    }
    eprintln!("a batch of 128 on one thread: {:?}", began.elapsed() / 100);
}
