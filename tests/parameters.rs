//! Parameters, twins and states of the shipped models, to the integer (tests/language/params.json).

use chiasm::lower::model::Stage;
use chiasm::{Options, compile};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

fn elements<'a>(dims: impl Iterator<Item = &'a Vec<usize>>) -> u64 {
    dims.map(|d| d.iter().product::<usize>() as u64).sum()
}

/// What a stage counts, written as the file of counts has it.
fn counted(stage: &Stage) -> Value {
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for parameter in &stage.parameters {
        let part = parameter.path.split(['.', '[']).next().unwrap_or_default();
        *parts.entry(part.to_string()).or_default() += elements([&parameter.dims].into_iter());
    }
    serde_json::json!({
        "parameters": elements(stage.parameters.iter().map(|p| &p.dims)),
        "trained": elements(stage.parameters.iter().filter(|p| p.trained).map(|p| &p.dims)),
        "twins": elements(stage.twins.iter().map(|t| &t.dims)),
        "state": stage.states.iter().map(|s| s.shape.elements() as u64).sum::<u64>(),
        "parts": parts,
    })
}

fn complaints(file: &str, wanted: &Map<String, Value>) -> Vec<String> {
    let path = format!("models/{file}");
    let model = match compile(path.as_ref(), &Options::default()) {
        Ok(model) => model,
        Err(error) => return vec![format!("{file}: {error}")],
    };
    let names: Vec<&String> = model.stages.iter().map(|s| &s.name).collect();
    let missing = wanted.keys().filter(|name| !names.contains(name));
    let mut complaints: Vec<String> = missing.map(|name| format!("{file}: no stage {name}")).collect();
    for stage in &model.stages {
        let found = counted(stage);
        if wanted.get(&stage.name) != Some(&found) {
            let wanted = wanted.get(&stage.name).map_or("nothing".into(), Value::to_string);
            complaints.push(format!("{file}, stage {}: {found}\n  for {wanted}", stage.name));
        }
    }
    complaints
}

#[test]
fn counts_are_met_exactly() {
    let text = std::fs::read_to_string("tests/language/params.json").expect("the counts");
    let counts: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let complaints: Vec<String> = counts
        .iter()
        .flat_map(|(file, stages)| complaints(file, stages.as_object().expect("stages")))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
