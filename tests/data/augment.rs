//! RandAugment's operations against arrays recorded with OpenCV 4.6, through the code that ALBEF, BLIP and VLMo share.

use chiasm::data::image::Pixels;
use chiasm::data::randaugment::{Operation, perform};
use safetensors::SafeTensors;

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
