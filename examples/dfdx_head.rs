//! Trains a dfdx layer on the frozen image tower of the small CLIP: is there something red in the picture?
//! `cargo run --release --example dfdx_head -- runs/clip`, or without a run folder on a tower that has learnt nothing.
#![allow(clippy::print_stdout)]

use chiasm::embed::{Embedded, Inputs};
use chiasm::recipe::Data;
use chiasm::{Host, Network, Options, compile};
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/clip.chi");
    let (model, host, device) = (compile(&file, &Options::default())?, Host::default(), Cpu::default());
    let network = match std::env::args().nth(1) {
        Some(folder) => Network::trained(&model, "pretrain", folder.as_ref(), &host)?,
        None => Network::fresh(&model, "pretrain", 0, &host)?,
    };
    let tower = Embedded::new(network, &["image_feat"], device.clone())?;

    let data = host.library().open(&Data::pairs(["scenes/val"]))?;
    let pictures: Vec<_> = (0..200).map(|i| data.load(i, 48)).collect::<Result<_, _>>()?;
    // Without a tape: the tower is frozen, and its features are computed once.
    let features: Tensor<(usize, Const<128>), f32, Cpu> =
        tower.run("image_feat", Inputs::new().rows("image", pictures))?;
    let red = |i: usize| data.caption(data.captions_of(i).start).contains("red");
    let one_hot = (0..200).flat_map(|i| if red(i) { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
    let wanted: Tensor<(usize, Const<2>), f32, Cpu> = device.tensor_from_vec(one_hot, (200, Const));

    let mut head = device.build_module::<Linear<128, 2>, f32>();
    let mut adam = Adam::new(&head, AdamConfig { lr: 1e-2, ..AdamConfig::default() });
    for step in 0..=200 {
        let loss = cross_entropy_with_logits_loss(
            head.forward(features.clone().traced(head.alloc_grads())),
            wanted.clone(),
        );
        if step % 50 == 0 {
            println!("step {step} loss {:.3}", loss.array());
        }
        adam.update(&mut head, &loss.backward())?;
    }
    let logits = head.forward(features).as_vec();
    let right = logits.chunks(2).enumerate().filter(|(i, row)| (row[1] > row[0]) == red(*i)).count();
    println!("{right} of 200 right, {} have something red", (0..200).filter(|i| red(*i)).count());
    Ok(())
}
