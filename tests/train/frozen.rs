//! Stages that run one after the other: each begins with what the last one left, and what is frozen does not move by a bit.

use super::{Host, TrainOptions, compile, folder, train};
use safetensors::SafeTensors;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The tensors of a stage's last checkpoint.
fn tensors(out: &Path, stage: &str) -> BTreeMap<String, Vec<u8>> {
    let file = out.join(stage).join("checkpoints/step-2/model.safetensors");
    let bytes = std::fs::read(file).expect("a checkpoint");
    let all = SafeTensors::deserialize(&bytes).expect("tensors");
    all.tensors().into_iter().map(|(name, tensor)| (name, tensor.data().to_vec())).collect()
}

#[test]
fn what_a_stage_freezes_stays_as_the_last_one_left_it() {
    let out = folder("frozen");
    let model = compile("tests/train/stages.chi".as_ref(), &chiasm::Options::default());
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    let options = TrainOptions { out: Some(out.clone()), ..TrainOptions::default() };
    train(&model, &options, &Host::default(), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    for pair in model.stages.windows(2) {
        let (before, after) = (tensors(&out, &pair[0].name), tensors(&out, &pair[1].name));
        let trained: BTreeSet<&str> =
            pair[1].parameters.iter().filter(|p| p.trained).map(|p| p.path.as_str()).collect();
        let both: Vec<&String> = before.keys().filter(|name| after.contains_key(*name)).collect();
        assert!(!both.is_empty(), "{} has nothing of {}", pair[1].name, pair[0].name);
        let moved = both.into_iter().filter(|name| before[*name] != after[*name]);
        let (free, frozen): (Vec<&String>, Vec<&String>) =
            moved.partition(|name| trained.contains(name.as_str()));
        assert!(!free.is_empty() && frozen.is_empty(), "{} moved {frozen:?}", pair[1].name);
    }
    assert_eq!(
        model.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(),
        ["vision", "language", "paired", "finetune"]
    );
}
