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

#[test]
fn a_jpeg_is_decoded_as_by_pillow() {
    let decoded = decode(&std::fs::read(fixture("functions/image.jpg")).unwrap()).unwrap();
    let expected = recorded("in.pixels");
    let found = difference(&decoded, &expected);
    let sum: u32 = decoded.bytes.iter().zip(&expected.bytes).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    let mean = f64::from(sum) / expected.bytes.len() as f64;
    eprintln!("JPEG: differs by {found} at most, by {mean:.3} on average");
    // Colours between the halved samples are blended in another order of rounding than in libjpeg.
    assert!(found <= 8 && mean < 0.5);
}

#[test]
fn every_kind_of_picture_becomes_rgb() {
    let grey = DynamicImage::new_luma8(5, 3);
    let all = [
        grey.clone(),
        DynamicImage::new_luma_a8(5, 3),
        DynamicImage::new_rgb8(5, 3),
        DynamicImage::new_rgba8(5, 3),
        DynamicImage::new_luma16(5, 3),
        DynamicImage::new_rgb16(5, 3),
        DynamicImage::new_rgba16(5, 3),
    ];
    for picture in &all {
        assert_eq!(decode(&encode(picture, ImageFormat::Png)).unwrap(), Pixels::filled(5, 3, [0; 3]));
    }
    for format in [ImageFormat::WebP, ImageFormat::Jpeg] {
        let out = decode(&encode(&DynamicImage::new_rgb8(5, 3), format)).unwrap();
        assert_eq!((out.width, out.height), (5, 3));
    }
    assert_eq!(decode(&encode(&grey, ImageFormat::Jpeg)).unwrap(), Pixels::filled(5, 3, [0; 3]));
}

#[test]
fn alpha_is_dropped_and_sixteen_bits_are_scaled() {
    let clear = image::RgbaImage::from_pixel(2, 2, image::Rgba([10, 20, 30, 0]));
    assert_eq!(decode(&encode(&clear.into(), ImageFormat::Png)).unwrap().at(1, 1), [10, 20, 30]);
    let deep = image::ImageBuffer::from_pixel(2, 2, image::Rgb([65535_u16, 32896, 0]));
    assert_eq!(
        decode(&encode(&DynamicImage::ImageRgb16(deep), ImageFormat::Png)).unwrap().at(0, 0),
        [255, 128, 0]
    );
}

#[test]
fn palettes_cmyk_and_orientation() {
    let read = |name: &str| decode(&std::fs::read(fixture(&format!("images/{name}"))).unwrap()).unwrap();
    assert_eq!(read("palette.png").at(1, 0), [0, 255, 0]);
    let cmyk = read("cmyk.jpg");
    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3);
    assert!(near(cmyk.at(3, 3), [255, 0, 0]) && near(cmyk.at(12, 3), [0, 191, 191]), "{:?}", cmyk.at(12, 3));
    let turned = read("turned.jpg");
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
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32| (0..8).fold(c, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 });
    !bytes.iter().fold(!0, |c, b| step((c ^ u32::from(*b)) & 0xFF) ^ (c >> 8))
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let jpeg = std::fs::read(fixture("functions/image.jpg")).unwrap();
    let picture = DynamicImage::new_rgb8(40, 30);
    let files = [jpeg, encode(&picture, ImageFormat::Png), encode(&picture, ImageFormat::WebP)];
    for file in &files {
        let whole = decode(file).unwrap();
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
    assert_eq!(decode(b"").unwrap_err(), "is empty");
    assert_eq!(decode(b"GIF89a....").unwrap_err(), "is neither JPEG, PNG nor WebP");
}
