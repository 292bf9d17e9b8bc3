//! The beginning, the end, and everything that should not happen in between.

use super::client::{Client, model, place};
use serde_json::{Value, json};

const FILE: &str = "file:///nowhere/x.chi";
const NOT_INITIALIZED: i32 = -32002;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;

#[test]
fn the_order_of_the_protocol_is_kept() {
    let mut client = Client::new();
    assert_eq!(client.ask("textDocument/hover", json!({})), Err(NOT_INITIALIZED));
    client.tell("textDocument/didOpen", json!({ "textDocument": 3 }));
    let said = client.ask("initialize", json!({ "capabilities": {} })).expect("capabilities");
    assert_eq!(said["capabilities"]["hoverProvider"], true);
    assert_eq!(said["capabilities"]["positionEncoding"], "utf-16");
    client.tell("initialized", json!({}));
    assert_eq!(client.ask("initialize", json!({})), Err(METHOD_NOT_FOUND));
    assert_eq!(client.ask("textDocument/rename", json!({})), Err(METHOD_NOT_FOUND));
    assert_eq!(client.ask("textDocument/hover", json!({ "position": "here" })), Err(INVALID_PARAMS));
    client.tell("$/cancelRequest", json!({ "id": 1 }));
    client.tell("$/setTrace", json!({ "value": "off" }));
    client.tell("textDocument/didChange", json!([]));
    let nowhere = json!({ "textDocument": { "uri": FILE }, "position": { "line": 0, "character": 0 } });
    for question in ["hover", "definition", "completion"] {
        let answer = client.ask(&format!("textDocument/{question}"), nowhere.clone());
        assert_eq!(answer, Ok(Value::Null), "{question} of a document that is not open");
    }
    assert_eq!(client.ask("shutdown", Value::Null), Ok(Value::Null));
    assert_eq!(client.ask("textDocument/hover", nowhere), Err(INVALID_REQUEST));
    client.tell("exit", Value::Null);
    assert_eq!(client.wait().code(), Some(0));
}

#[test]
fn an_early_end_is_an_error_but_no_crash() {
    let mut client = Client::ready();
    client.tell("exit", Value::Null);
    assert_eq!(client.wait().code(), Some(1));
    let mut client = Client::ready();
    client.open(FILE, &model(""));
    assert_eq!(client.wait().code(), Some(1), "the editor went away");
    assert_eq!(Client::new().wait().code(), Some(1));
}

#[test]
fn a_closed_document_is_forgotten() {
    let mut client = Client::ready();
    let text = model("y = frm");
    assert!(!client.open(FILE, &text).is_empty());
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": FILE } }));
    let params = json!({ "textDocument": { "uri": FILE }, "position": { "line": 0, "character": 5 } });
    assert_eq!(client.ask("textDocument/hover", params), Ok(Value::Null));
    assert!(!client.open(FILE, &text).is_empty(), "and may be opened again");
    client.end();
}

#[test]
fn what_is_no_message_costs_itself_alone() {
    let mut client = Client::ready();
    for content in ["{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\"", "", "3", "\u{7f}é"] {
        client.frame(content);
        assert_eq!(client.ask("textDocument/rename", json!({})), Err(METHOD_NOT_FOUND), "after {content:?}");
    }
    client.end();
}

/// A cheap generator: the same texts every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

#[test]
fn hostile_texts_are_survived() {
    let mut client = Client::ready();
    client.open(FILE, &model(""));
    let mut dice = Dice(7);
    let good = model("module M(a) { p = Linear(a) fn (x: [B, D]) { y = x -> p return y } }\nm = M(3)");
    let mut texts = vec![
        "(".repeat(50_000),
        "a = [".repeat(3_000),
        "a.".repeat(40_000),
        "x = x\n".repeat(3_000),
        "xs = [i for i < 10000]\nys = [xs for i < 1000]\n".to_string() + &"z = xs\n".repeat(2_000),
        "fn f(x) = f(x)\na = f(1)\n".into(),
        format!("input x : [{}]\n{}", "1, ".repeat(5_000) + "1", "y = x\n".repeat(10)),
        "extend \"x.chi\"\n".into(),
        model(&((0..1800).map(|i| format!("a{i} = a{} + 1\n", i + 1)).collect::<String>() + "a1800 = 1")),
        "a = \"é𝄞\u{0}\u{feff}\r\r\n\u{2028}".into(),
    ];
    for _ in 0..40 {
        let mut bytes: Vec<char> = good.chars().collect();
        for _ in 0..1 + dice.below(6) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, ['.', '(', '{', '}', '=', '𝄞', '"', '\n', '[', ':'][dice.below(10)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        texts.push(bytes.into_iter().collect());
    }
    for (version, text) in (2..).zip(&texts) {
        client.change(FILE, version, json!([{ "text": text }]));
        // Some questions come before the check, some behind it.
        if dice.below(2) == 0 {
            client.published(FILE, version);
        }
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for question in ["hover", "definition", "completion"] {
            let position = place(text, bytes[dice.below(bytes.len())]);
            let params = json!({ "textDocument": { "uri": FILE }, "position": position });
            client.ask(&format!("textDocument/{question}"), params).expect("an answer");
        }
        let far = json!({ "textDocument": { "uri": FILE }, "position": { "line": 4_000_000_000u32, "character": 4_000_000_000u32 } });
        client.ask("textDocument/completion", far).expect("an answer");
        let of = json!({ "textDocument": { "uri": FILE }, "options": {} });
        client.ask("textDocument/formatting", of).expect("an answer");
    }
    client.end();
}
