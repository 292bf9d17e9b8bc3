//! Embeds drawn pictures as dfdx tensors and finds those that fit a text. With the run folder of a trained small CLIP:
//! `cargo run --release --example dfdx_search -- "two red circles" runs/clip`
#![allow(clippy::print_stdout)]

use chiasm::embed::{Embedded, Inputs};
use chiasm::recipe::Data;
use chiasm::{Host, Network, Options, compile};
use dfdx::prelude::*;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or_else(|| "a red circle".to_string());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/clip.chi");
    let (model, host, device) = (compile(&file, &Options::default())?, Host::default(), Cpu::default());
    let network = match arguments.next() {
        Some(folder) => Network::trained(&model, "pretrain", folder.as_ref(), &host)?,
        None => Network::fresh(&model, "pretrain", 0, &host)?,
    };
    let clip = Embedded::new(network, &["image_feat", "text_feat"], device)?;

    let data = host.library().open(&Data::pairs(["scenes/val"]))?;
    let pictures: Vec<_> = (0..100).map(|i| data.load(i, 48)).collect::<Result<_, _>>()?;
    let pictures: Tensor<(usize, Const<128>), f32, Cpu> =
        clip.run("image_feat", Inputs::new().rows("image", pictures))?;
    let wanted: Tensor<(Const<1>, Const<128>), f32, Cpu> =
        clip.run("text_feat", Inputs::new().rows("text", text.as_str()))?;

    let close = pictures.matmul(wanted.permute::<Rank2<128, 1>, _>()).as_vec();
    let mut order: Vec<usize> = (0..close.len()).collect();
    order.sort_by(|a, b| close[*b].total_cmp(&close[*a]));
    for picture in &order[..5] {
        println!(
            "{:.3}  picture {picture}: {}",
            close[*picture],
            data.caption(data.captions_of(*picture).start)
        );
    }
    Ok(())
}
