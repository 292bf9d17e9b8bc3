//! Pictures of every kind, decoded and resized.

use std::io::Cursor;

use chiasm::data::image::{Pixels, decode};
use chiasm::data::resize::{Filter, resize};
use chiasm::data::transform::{center, cut};
use image::{DynamicImage, ImageFormat};
use safetensors::SafeTensors;

use super::fixture;

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn recorded(name: &str) -> Pixels {
    let bytes = std::fs::read(fixture("functions/image_preprocess.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let view = tensors.tensor(name).unwrap();
    Pixels { height: view.shape()[0], width: view.shape()[1], bytes: view.data().to_vec() }
}

fn difference(a: &Pixels, b: &Pixels) -> u8 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    a.bytes.iter().zip(&b.bytes).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn resizing_equals_pillow() {
    let filters =
        [("bicubic", Filter::Bicubic), ("bilinear", Filter::Bilinear), ("lanczos", Filter::Lanczos)];
    for (name, filter) in filters {
        for (width, height) in [(31, 17), (40, 32)] {
            let expected = recorded(&format!("out.{name}_{width}x{height}"));
            let found = difference(&resize(recorded("in.pixels"), width, height, filter), &expected);
            eprintln!("{name} {width}x{height}: differs by {found}");
            assert_eq!(found, 0);
        }
    }
    let corner = cut(&recorded("in.pixels"), 0, 0, 20, 16);
    assert_eq!(resize(corner, 45, 37, Filter::Bicubic), recorded("out.up"));
}

#[test]
fn preparing_equals_the_peers() {
    let bytes = std::fs::read(fixture("functions/image_preprocess.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let squash = resize(recorded("in.pixels"), 24, 24, Filter::Bicubic);
    for (name, pixels) in [("out.clip", center(recorded("in.pixels"), 32)), ("out.square", squash)] {
        let expected = tensors.tensor(name).unwrap();
        let expected = expected.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let mut values = vec![0.0; pixels.bytes.len()];
        pixels.write(&mut values);
        let size = pixels.width * pixels.height;
        let (mean, deviation) =
            ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_6, 0.275_777_1]);
        for (i, expected) in expected.enumerate() {
            let value = (values[i] - mean[i / size]) / deviation[i / size];
            assert!((value - expected).abs() <= 1e-5, "{name}: {value} for {expected}");
        }
    }
}

/// Arrays that Pillow 13 gave for the files beside them.
fn by_pillow() -> Vec<(String, Pixels)> {
    let bytes = std::fs::read(fixture("images/pillow.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let pixels = |view: &safetensors::tensor::TensorView<'_>| Pixels {
        height: view.shape()[0],
        width: view.shape()[1],
        bytes: view.data().to_vec(),
    };
    tensors.tensors().iter().map(|(name, view)| (name.clone(), pixels(view))).collect()
}

fn read(name: &str) -> Pixels {
    decode(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

#[test]
fn a_photograph_is_decoded_as_by_pillow() {
    assert_eq!(difference(&read("functions/image.jpg"), &recorded("in.pixels")), 0);
}

/// Every kind of JPEG (colours halved or not, progressive, restarts, grey, RGB, CMYK, YCCK), PNG (palette and grey with and without
/// a clear colour, one bit, alpha, 16 bit) and WebP (lossy, lossless, alpha, moving).
#[test]
fn every_kind_of_file_is_decoded_as_by_pillow() {
    for (name, expected) in by_pillow() {
        let found = read(&format!("images/{name}"));
        match &name[..] {
            // Pillow clips 16-bit grey at 255, which leaves white; we keep the upper 8 bits.
            "grey16.png" => {
                assert!(expected.bytes.iter().all(|b| *b == 255) && found.bytes.iter().any(|b| *b < 60))
            }
            _ => assert_eq!(difference(&found, &expected), 0, "{name}"),
        }
    }
}

#[test]
fn sixteen_bits_keep_the_upper_eight() {
    let deep = image::ImageBuffer::from_pixel(2, 2, image::Rgb([65535_u16, 32767, 255]));
    let file = encode(&DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    assert_eq!(decode(&file).unwrap().at(0, 0), [255, 127, 0]);
    let grey = image::ImageBuffer::from_pixel(2, 2, image::LumaA([32767_u16, 9]));
    let file = encode(&DynamicImage::ImageLumaA16(grey), ImageFormat::Png);
    assert_eq!(decode(&file).unwrap().at(0, 0), [127; 3]);
}

#[test]
fn pictures_are_turned_upright() {
    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3);
    let turned = read("images/turned.jpg");
    assert_eq!((turned.width, turned.height), (8, 24));
    assert!(near(turned.at(4, 3), [254, 0, 0]) && near(turned.at(4, 20), [0, 0, 254]));
}

#[test]
fn extreme_sizes_are_fine_or_refused() {
    for (width, height) in [(1, 1), (20_000, 2), (2, 20_000)] {
        let out = decode(&encode(&DynamicImage::new_rgb8(width, height), ImageFormat::Png)).unwrap();
        assert_eq!((out.width as u32, out.height as u32), (width, height));
    }
    let mut bomb = encode(&DynamicImage::new_rgb8(8, 8), ImageFormat::Png);
    bomb[16..24].copy_from_slice(&[0, 0, 0x60, 0, 0, 0, 0x60, 0]);
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(decode(&bomb).unwrap_err(), "has 24576 x 24576 pixels, more than 200000000");
    let mut bomb = std::fs::read(fixture("functions/image.jpg")).unwrap();
    let frame = bomb.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0x00, 0xFF, 0x00]);
    assert_eq!(decode(&bomb).unwrap_err(), "has 65280 x 65280 pixels, more than 200000000");
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32| (0..8).fold(c, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 });
    !bytes.iter().fold(!0, |c, b| step((c ^ u32::from(*b)) & 0xFF) ^ (c >> 8))
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let names = ["functions/image.jpg", "images/progressive.jpg", "images/cmyk_adobe.jpg", "images/rgba.png"];
    let names = names.iter().chain(&["images/lossy.webp", "images/lossless.webp"]);
    for file in names.map(|name| std::fs::read(fixture(name)).unwrap()) {
        let whole = decode(&file).unwrap();
        for end in (0..file.len()).step_by(1 + file.len() / 97) {
            // What follows the last pixel may be missing.
            assert!(decode(&file[..end]).map_or(true, |pixels| pixels == whole), "{end} of {}", file.len());
        }
        for place in (0..file.len()).step_by(1 + file.len() / 211) {
            let mut broken = file.clone();
            broken[place] ^= 0x5A;
            let _ = decode(&broken);
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let jpeg = std::fs::read(fixture("functions/image.jpg")).unwrap();
    let said = |bytes: &[u8]| decode(bytes).unwrap_err();
    assert_eq!(said(b""), "is empty");
    assert_eq!(said(b"GIF89a...."), "is a GIF file; JPEG, PNG and WebP can be read");
    let page = "is neither JPEG, PNG nor WebP; it begins with \"<!DOCTYPE html><html>Not\"";
    assert_eq!(said(b"<!DOCTYPE html><html>Not found</html>"), page);
    for end in [jpeg.len() - 1, jpeg.len() - 2, jpeg.len() / 2] {
        assert_eq!(said(&jpeg[..end]), "is damaged: the end of the JPEG is missing");
    }
    assert!(said(&jpeg[..20]).starts_with("is damaged: "), "{}", said(&jpeg[..20]));
    // What a phone or an editor appends is no part of the picture, even if it looks like one.
    let longer = [&jpeg[..], b"more \xFF\xDA and more"].concat();
    assert_eq!(decode(&longer), decode(&jpeg));
}
