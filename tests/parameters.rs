//! Parameters, twins and states of the shipped models, to the integer (tests/language/params.json).

use chiasm::{Options, compile};
use serde_json::Value;

const FILES: [&str; 6] = [
    "clip.chi",
    "albef.chi",
    "tiny/clip.chi",
    "tiny/albef.chi",
    "variants/albef_gated.chi",
    "variants/albef_mome.chi",
];

fn elements<'a>(dims: impl Iterator<Item = &'a Vec<usize>>) -> u64 {
    dims.map(|d| d.iter().product::<usize>() as u64).sum()
}

#[test]
fn counts_are_met_exactly() {
    let text = std::fs::read_to_string("tests/language/params.json").expect("the counts");
    let counts: Value = serde_json::from_str(&text).expect("JSON");
    for file in FILES {
        let path = format!("models/{file}");
        let model = compile(path.as_ref(), &Options::default()).unwrap_or_else(|e| panic!("{e}"));
        for stage in &model.stages {
            let wanted = &counts[file][&stage.name];
            let found = [
                ("parameters", elements(stage.parameters.iter().map(|p| &p.dims))),
                ("trained", elements(stage.parameters.iter().filter(|p| p.trained).map(|p| &p.dims))),
                ("twins", elements(stage.twins.iter().map(|t| &t.dims))),
                ("state", stage.states.iter().map(|s| s.shape.elements() as u64).sum()),
            ];
            for (name, count) in found {
                assert_eq!(wanted[name].as_u64(), Some(count), "{file}, stage {}, {name}", stage.name);
            }
            let parts = wanted["parts"].as_object().expect("parts");
            for (part, count) in parts {
                let below = |path: &str| path.split(['.', '[']).next() == Some(part.as_str());
                let own = stage.parameters.iter().filter(|p| below(&p.path)).map(|p| &p.dims);
                assert_eq!(count.as_u64(), Some(elements(own)), "{file}, stage {}, part {part}", stage.name);
            }
        }
    }
}
