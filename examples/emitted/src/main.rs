//! Finds drawn pictures that fit a text, with a CLIP that is part of this program: its types are those of `clip.rs`, which the
//! build script wrote. With the weights of a trained one:
//! `cargo run --release -- "two red circles" runs/clip/pretrain/checkpoints/step-400/model.safetensors`

use chiasm::data::{Kind, Library, Vocabulary};
use chiasm::recipe::Data;
use clip::Clip;
use dfdx::prelude::*;
use std::path::{Path, PathBuf};

// It has every value of the model; this program needs two of them.
#[allow(dead_code)]
mod clip {
    include!(concat!(env!("OUT_DIR"), "/clip.rs"));
}

/// How many pictures.
const COUNT: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or_else(|| "a red circle".to_string());
    let device = Cpu::default();
    let file = arguments.next().map_or_else(untrained, |file| Ok(PathBuf::from(file)))?;
    let clip = Clip::load(&file, &device)?;

    let library = Library::default();
    let data = library.open(&Data::pairs(["scenes/val"]))?;
    let mut pixels = vec![0.0; COUNT * 3 * 48 * 48];
    for (at, place) in pixels.chunks_mut(3 * 48 * 48).enumerate() {
        data.load(at, 48)?.write(place);
    }
    let pictures = clip.image_feat(device.tensor_from_vec(pixels, (COUNT, Const, Const, Const)))?;

    let words = Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &[], &library)?;
    let (ids, length) = words.encode(&text, 24);
    let ids = ids.into_iter().map(|id| id as usize).collect();
    let ids: Tensor<(usize, Const<24>), usize, Cpu> = device.tensor_from_vec(ids, (1, Const));
    let wanted = clip.text_feat(ids, &device.tensor_from_vec(vec![length], (1,)))?;

    // The types of both features are known here: 128 numbers each.
    let close = pictures.matmul(wanted.permute::<(Const<128>, usize), _>()).as_vec();
    let mut order: Vec<usize> = (0..COUNT).collect();
    order.sort_by(|a, b| close[*b].total_cmp(&close[*a]));
    for at in &order[..5] {
        let caption = data.caption(data.captions_of(*at).start);
        println!("similarity {:.4}  picture {at}: {caption}", close[*at]);
    }
    Ok(())
}

/// A file with the weights with which a training would begin.
fn untrained() -> Result<PathBuf, Box<dyn std::error::Error>> {
    use chiasm::embed::Embedded;
    use chiasm::{Host, Network, Options, compile};
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny/clip.chi");
    let network = Network::fresh(&compile(&model, &Options::default())?, "pretrain", 0, &Host::default())?;
    let file = std::env::temp_dir().join("untrained_clip.safetensors");
    Embedded::new(network, &["image_feat", "text_feat"], Cpu::default())?.save(&file)?;
    Ok(file)
}
