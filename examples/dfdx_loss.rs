//! A loss of one's own on an ALBEF, written in dfdx: each pair of a picture and a text is judged alone, as in SigLIP.
//! `cargo run --release --example dfdx_loss`
#![allow(clippy::print_stdout)]

use chiasm::embed::{Embedded, Inputs};
use chiasm::recipe::Data;
use chiasm::{Host, Network, Options, compile};
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;
use std::path::Path;

const ROWS: usize = 16;
type Features = (usize, Const<32>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dfdx/albef.chi");
    let (model, host, device) = (compile(&file, &Options::default())?, Host::default(), Cpu::default());
    let network = Network::fresh(&model, "pretrain", 0, &host)?;
    let mut albef = Embedded::new(network, &["image_feat", "text_feat"], device.clone())?;
    let mut adam = Adam::new(&albef, AdamConfig { lr: 5e-4, ..AdamConfig::default() });

    // 1 for pairs that belong together, -1 for the others.
    let signs = (0..ROWS * ROWS).map(|i| if i % (ROWS + 1) == 0 { 1.0 } else { -1.0 }).collect();
    let signs: Tensor<(usize, usize), f32, Cpu> = device.tensor_from_vec(signs, (ROWS, ROWS));
    let data = host.library().open(&Data::pairs(["scenes"]))?;
    for step in 0..20 {
        let rows = step * ROWS..(step + 1) * ROWS;
        let pictures: Vec<_> = rows.clone().map(|i| data.load(i, 32)).collect::<Result<_, _>>()?;
        let texts: Vec<_> = rows.map(|i| data.caption(data.captions_of(i).start).to_string()).collect();

        // Two values on two tapes; the product joins them.
        let traced = albef.traced(albef.alloc_grads()).rows("image", pictures);
        let images = albef.run::<Features, _>("image_feat", traced)?;
        let texts = albef.run::<Features, _>("text_feat", Inputs::retaped().rows("text", texts))?;
        let logits = images.matmul(texts.permute::<(Const<32>, usize), _>()) * 10.0 - 2.0;
        let loss = (logits * signs.clone()).sigmoid().ln().mean().negate();
        println!("step {step} loss {:.3}", loss.array());
        adam.update(&mut albef, &loss.backward())?;
    }
    albef.save(&std::env::temp_dir().join("albef.safetensors"))?;
    Ok(())
}
