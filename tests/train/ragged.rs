//! Pictures of their own sizes: ViLT's canvas, from files to a step.

use super::{Cpu, Host, StageFeed, Trainer, compile, folder};
use chiasm::exec::Executor;
use chiasm::exec::reference::Reference;
use chiasm::recipe::Timeline;
use image::{DynamicImage, ImageFormat};
use std::path::{Path, PathBuf};

/// Widths and heights of the pictures, and the patches they have when their shorter side is 24 and the longer at most 48.
const SIZES: [((u32, u32), f32); 4] = [((50, 40), 9.0), ((30, 60), 18.0), ((90, 30), 12.0), ((40, 40), 9.0)];

/// A data set `ragged` of four pictures with a caption each.
fn photos(name: &str) -> PathBuf {
    let root = folder(name);
    let set = root.join("ragged");
    std::fs::create_dir_all(set.join("train")).expect("a folder");
    std::fs::create_dir_all(set.join("annotations")).expect("a folder");
    let (mut images, mut captions) = (Vec::new(), Vec::new());
    for (id, ((width, height), _)) in SIZES.iter().enumerate() {
        let colour = |x: u32, y: u32| image::Rgb([(x * 3) as u8, (y * 4) as u8, id as u8 * 60]);
        let picture = image::RgbImage::from_fn(*width, *height, colour);
        let file = format!("{id}.png");
        let path = set.join("train").join(&file);
        DynamicImage::ImageRgb8(picture).save_with_format(path, ImageFormat::Png).expect("a picture");
        images.push(serde_json::json!({"id": id, "file_name": file}));
        captions
            .push(serde_json::json!({"image_id": id, "id": id, "caption": format!("picture number {id}")}));
    }
    let all = serde_json::json!({"images": images, "annotations": captions});
    std::fs::write(set.join("annotations/captions_train.json"), all.to_string()).expect("a file");
    root
}

/// What a step watches, and its losses.
fn steps(executor: Box<dyn Executor>, root: &Path) -> (Vec<[f32; 2]>, Vec<f64>) {
    let model = compile("tests/train/ragged.chi".as_ref(), &chiasm::Options::default());
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    let stage = model.stages.iter().find(|stage| stage.name == "pretrain").expect("the stage");
    let host = Host { data: vec![root.to_path_buf()], ..Host::default() };
    let mut feed = StageFeed::open(stage, &host.library(), 1).expect("data");
    let time = Timeline { length: 3, epoch: 1 };
    let mut trainer = Trainer::new(stage, executor, 1, time).expect("a trainer");
    let (mut watched, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let batch = chiasm::train::feed::Feed::next_batch(&mut feed).expect("a batch");
        losses.push(trainer.step(&batch).expect("a step").loss);
        watched.push(["patches_seen", "patches_kept"].map(|name| {
            let value = trainer.output(&format!("watch/{name}")).expect("a value");
            value.as_floats().expect("a number")[0]
        }));
    }
    (watched, losses)
}

#[test]
fn pictures_of_their_own_sizes_train() {
    let root = photos("ragged-photos");
    let seen: f32 = SIZES.iter().map(|(_, patches)| patches).sum();
    // Twelve of a picture at most.
    let kept: f32 = SIZES.iter().map(|(_, patches)| patches.min(12.0)).sum();
    let (exact, losses) = steps(Box::new(Reference), &root);
    assert_eq!(exact, [[seen, kept]; 3]);
    let (fast, near) = steps(Box::new(Cpu::new(2)), &root);
    assert_eq!(fast, exact);
    for (a, b) in losses.iter().zip(&near) {
        assert!(a.is_finite() && (a - b).abs() < 1e-3 * a.abs(), "{losses:?} {near:?}");
    }
}
