//! CIDEr-D, BLEU and ROUGE-L against values recorded from pycocoevalcap, on captions that are words already.

use chiasm::task::captions::Pair;
use chiasm::task::captions::bleu::{bleu, bleu_each};
use chiasm::task::captions::cider::cider;
use chiasm::task::captions::rouge::rouge_l;
use chiasm::task::captions::tokens::tokens;
use serde_json::Value;

const BOUND: f64 = 1e-9;

fn recorded() -> Value {
    let text = std::fs::read_to_string("tests/fixtures/functions/caption_scores.json").expect("a fixture");
    serde_json::from_str(&text).expect("json")
}

fn words(text: &Value) -> Vec<String> {
    text.as_str().expect("a text").split(' ').map(str::to_string).collect()
}

fn pairs(recorded: &Value) -> Vec<Pair> {
    let references = recorded["in"]["references"].as_array().expect("references");
    let candidates = recorded["in"]["candidates"].as_array().expect("candidates");
    let pair = |(candidate, references): (&Value, &Value)| Pair {
        candidate: words(candidate),
        references: references.as_array().expect("a list").iter().map(words).collect(),
    };
    candidates.iter().zip(references).map(pair).collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (place, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= BOUND, "{what} of {place}: {a}, recorded {b}");
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn cider_d() {
    let recorded = recorded();
    let each = cider(&pairs(&recorded));
    close("CIDEr", &each, &numbers(&recorded["out"]["cider_each"]));
    close("mean CIDEr", &[mean(&each)], &[recorded["out"]["cider"].as_f64().expect("a number")]);
}

#[test]
fn bleu_of_all_and_of_each() {
    let recorded = recorded();
    let pairs = pairs(&recorded);
    let all: Vec<f64> = (1..=4).map(|n| bleu(&pairs, n)).collect();
    close("BLEU", &all, &numbers(&recorded["out"]["bleu"]));
    for n in 1..=4 {
        let each = numbers(&recorded["out"]["bleu_each"][n - 1]);
        close(&format!("BLEU-{n}"), &bleu_each(&pairs, n), &each);
    }
}

#[test]
fn rouge() {
    let recorded = recorded();
    let each = rouge_l(&pairs(&recorded));
    close("ROUGE-L", &each, &numbers(&recorded["out"]["rouge_l_each"]));
    close("mean ROUGE-L", &[mean(&each)], &[recorded["out"]["rouge_l"].as_f64().expect("a number")]);
}

/// The recorded texts were cut at spaces: words without an apostrophe stay what they are.
#[test]
fn words_stay_words() {
    let recorded = recorded();
    for pair in pairs(&recorded) {
        for text in pair.references.iter().chain([&pair.candidate]) {
            let text = text.join(" ");
            if !text.contains('\'') {
                assert_eq!(tokens(&text).join(" "), text);
            }
        }
    }
}
