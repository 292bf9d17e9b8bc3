//! RandAugment's operations against recorded arrays: with OpenCV 4.6, through the code that ALBEF, BLIP and VLMo share, and with
//! Pillow 13, as ViLT and timm call it.

use chiasm::data::image::Pixels;
use chiasm::data::randaugment::pillow::{self, Ground};
use chiasm::data::randaugment::{Operation, perform, timm, vilt};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::fixture;

/// `rotate_-7` is the operation `rotate` at magnitude 7 with its sign drawn negative.
fn operation(name: &str) -> Operation {
    let (kind, level) = name.rsplit_once('_').unwrap_or((name, "0"));
    let level = level.parse::<f64>().unwrap_or(0.0) / 10.0;
    match kind {
        "brightness" => Operation::Brightness(0.1 + 1.8 * level),
        "sharpness" => Operation::Sharpness(0.1 + 1.8 * level),
        "shear_x" => Operation::ShearX(0.3 * level),
        "shear_y" => Operation::ShearY(0.3 * level),
        "translate_x" => Operation::TranslateX(10.0 * level),
        "translate_y" => Operation::TranslateY(10.0 * level),
        "rotate" => Operation::Rotate(30.0 * level),
        "autocontrast" => Operation::AutoContrast,
        "equalize" => Operation::Equalize,
        other => panic!("an operation {other}?"),
    }
}

#[test]
fn operations_equal_opencv() {
    let bytes = std::fs::read(fixture("randaugment/opencv.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let recorded = |name: &str| {
        let view = tensors.tensor(name).unwrap();
        Pixels { height: view.shape()[0], width: view.shape()[1], bytes: view.data().to_vec() }
    };
    let mut compared = 0;
    for name in tensors.names() {
        let Some(case) = name.strip_prefix("out.a.") else { continue };
        let mut picture = recorded("in.a");
        if case == "autocontrast" {
            picture.bytes.iter_mut().for_each(|value| *value = *value / 2 + 40);
        }
        let (found, expected) = (perform(picture, operation(case)), recorded(name));
        let far = found.bytes.iter().zip(&expected.bytes).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert_eq!(far, 0, "{case}");
        compared += 1;
    }
    assert_eq!(compared, 38);
}

/// `vilt.rotate_-9.0` is a turn by -9 degrees as ViLT's set has it.
fn pillow_operation(name: &str) -> (pillow::Operation, Ground) {
    use pillow::Operation;
    let ground = if name.starts_with("timm.") { timm::GROUND } else { vilt::GROUND };
    let name = name.trim_start_matches("timm.").trim_start_matches("vilt.");
    let (kind, level) = match name.rsplit_once('_').map(|(kind, level)| (kind, level.parse::<f64>())) {
        Some((kind, Ok(level))) => (kind, level),
        _ => (name, 0.0),
    };
    let operation = match kind {
        "autocontrast" => Operation::AutoContrast,
        "equalize" => Operation::Equalize,
        "invert" => Operation::Invert,
        "solarize" => Operation::Solarize(level),
        "brighten" => Operation::Brighten(level as u8),
        "brighten_all" => Operation::BrightenAll(level),
        "posterize" => Operation::Posterize(level as u32),
        "colour" => Operation::Colour(level),
        "contrast" => Operation::Contrast(level),
        "brightness" => Operation::Brightness(level),
        "sharpness" => Operation::Sharpness(level),
        "rotate" => Operation::Rotate(level),
        "shear_x" => Operation::ShearX(level),
        "shear_y" => Operation::ShearY(level),
        "translate_x" => Operation::TranslateX(level),
        "translate_y" => Operation::TranslateY(level),
        other => panic!("an operation {other}?"),
    };
    (operation, ground)
}

#[test]
fn operations_of_the_other_sets_equal_pillow() {
    let given = std::fs::read(fixture("randaugment/opencv.safetensors")).unwrap();
    let given = SafeTensors::deserialize(&given).unwrap();
    let bytes = std::fs::read(fixture("randaugment/pillow.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let pixels = |view: TensorView<'_>| Pixels {
        height: view.shape()[0],
        width: view.shape()[1],
        bytes: view.data().to_vec(),
    };
    let mut faults = Vec::new();
    for name in tensors.names() {
        let case = name.strip_prefix("out.a.").expect("a case");
        let mut picture = pixels(given.tensor("in.a").unwrap());
        if case == "autocontrast" || case == "equalize" {
            picture.bytes.iter_mut().for_each(|value| *value = *value / 2 + 40);
        }
        let (operation, ground) = pillow_operation(case);
        let (found, expected) =
            (pillow::perform(picture, operation, ground), pixels(tensors.tensor(name).unwrap()));
        let far = found.bytes.iter().zip(&expected.bytes).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        if far > 0 {
            faults.push(format!("{case}: {far} of 255"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(tensors.names().len(), 45);
}
