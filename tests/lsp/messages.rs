//! Diagnostics: the right ranges in every kind of text, what lies beside them, other open files.

use super::client::{Client, folder, model, under, uri};
use serde_json::{Value, json};

const FILE: &str = "file:///nowhere/a%20b.chi";

fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().filter_map(|one| one["code"].as_str()).collect()
}

#[test]
fn ranges_are_counted_in_utf16() {
    let mut client = Client::ready();
    for (name, text) in [
        ("plain", "x = frm(1)\n".to_string()),
        ("letters behind others", "task t on s { report = \"é𝄞\" data = frm }\n".into()),
        ("windows", "# 𝄞\r\nx = 1\r\ny = frm(x)\r\n".into()),
        ("a mark", "\u{feff}x = frm(1)\n".into()),
        ("no end", "a = 1\nx = frm".into()),
    ] {
        let uri = format!("file:///nowhere/{}.chi", name.replace(' ', "%20"));
        let found = client.open(&uri, &text);
        let one =
            found.iter().find(|one| one["code"] == "E0201").unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(under(&text, &one["range"]), "frm", "{name}");
        assert_eq!((&one["severity"], &one["source"]), (&json!(1), &json!("chiasm")), "{name}");
    }
    client.end();
}

#[test]
fn messages_follow_the_text() {
    let mut client = Client::ready();
    let good = model("");
    assert_eq!(codes(&client.open(FILE, &good)), [""; 0]);
    // Three characters go, one after the other: `contrastive` -> `contrasve`; only the last version matters.
    let line = good.lines().position(|line| line.contains("contrastive")).expect("a line");
    let start = good.lines().nth(line).and_then(|text| text.find("tive")).expect("a place");
    let cut = |from: usize, to: usize| {
        json!({ "range": {
            "start": { "line": line, "character": from }, "end": { "line": line, "character": to } }, "text": "" })
    };
    client.change(FILE, 2, json!([cut(start, start + 1)]));
    client.change(FILE, 3, json!([cut(start, start + 1)]));
    let found = client.published(FILE, 3);
    assert_eq!(codes(&found), ["E0201"]);
    assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("did you mean `contrastive`?")));
    assert_eq!(under(&good.replace("contrastive", "contrasve"), &found[0]["range"]), "contrasve");
    assert_eq!(codes(&client.rewrite(FILE, 4, &good)), [""; 0]);
    client.end();
}

#[test]
fn what_lies_beside_is_linked() {
    let mut client = Client::ready();
    let text = model("set width = 9");
    let found = client.open(FILE, &text);
    assert_eq!(codes(&found), ["E0106"]);
    let beside = &found[0]["relatedInformation"][0];
    assert_eq!(beside["location"]["uri"], FILE);
    assert_eq!(beside["location"]["range"]["start"]["line"], 0);
    // A mistake inside the library is shown at the user's call, with the library's line beside it.
    let text = model("").replace("ViT(width, 2, 2", "ViT(width, 2, 3");
    let found = client.rewrite(FILE, 2, &text);
    assert_eq!(codes(&found), ["E0305"]);
    let found = client.rewrite(FILE, 3, &model("y = take(1, 2)"));
    assert!(!found.is_empty());
    // What is never used is grey, and in a file of parts no mistake.
    let found = client.rewrite(FILE, 4, &model("y = 3"));
    assert_eq!(
        (codes(&found), &found[0]["tags"], &found[0]["severity"]),
        (vec!["E0207"], &json!([1]), &json!(1))
    );
    let found = client.rewrite(FILE, 5, "fn f(x) = x\n");
    assert_eq!(codes(&found), [""; 0]);
    client.end();
}

#[test]
fn an_open_text_comes_before_its_file() {
    let folder = folder("extend");
    let (base, variant) = (folder.join("base.chi"), folder.join("my variant.chi"));
    std::fs::write(&base, model("")).expect("a file");
    let text = "extend \"base.chi\"\nset width = 16\n";
    let (base, variant) = (uri(&base), uri(&variant));
    let mut client = Client::ready();
    assert_eq!(codes(&client.open(&variant, text)), [""; 0]);
    // The base is opened and changed, but not saved: its variant is checked again, with the new text.
    assert_eq!(codes(&client.open(&base, &model(""))), [""; 0]);
    let broken = model("").replace("Param([]", "Parm([]");
    client.change(&base, 2, json!([{ "text": broken }]));
    assert_eq!(codes(&client.published(&base, 2)), ["E0201"]);
    let found = loop {
        let found = client.published(&variant, 1);
        if !found.is_empty() {
            break found;
        }
    };
    assert_eq!(under(text, &found[0]["range"]), "extend \"base.chi\"");
    assert_eq!(
        found[0]["relatedInformation"][0]["location"]["uri"].as_str().map(str::to_lowercase),
        Some(base.to_lowercase())
    );
    client.end();
}

#[test]
fn missing_files_and_large_ones_are_said() {
    let mut client = Client::ready();
    let found = client.open("untitled:Untitled-1", "extend \"not there.chi\"\n");
    assert_eq!(codes(&found), ["E0108"]);
    let found = client.open(FILE, &"# a long text\n".repeat(20_000));
    assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("KiB")), "{found:?}");
    client.end();
}
