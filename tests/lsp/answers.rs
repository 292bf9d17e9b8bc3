//! Hover, definition and formatting.

use super::client::{Client, cache, folder, model, place, under, uri};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FILE: &str = "file:///nowhere/x.chi";

#[test]
fn hover_says_the_type_of_any_expression() {
    let mut client = Client::ready();
    let (uri, text) = client.open_file("models/albef.chi");
    for (mark, plus, wanted) in [
        ("image_tokens = image", 0, "image_tokens : image[B, 257, 768]"),
        ("text_feat    =", 3, "text_feat : text[B, 256]"),
        ("-> cls -> to_image", 3, "cls(…) : image[B, 768]"),
        ("-> cls -> to_image", 0, "image[B, 768]"),
        ("fusion(image_tokens)", 1, "list of 6: module BertLayer(heads = 12"),
        ("text_feat @ slow.image_feat'", 10, "text_feat @ slow.image_feat' : fused[B, B]"),
        ("slow.image_feat, slow.text_feat", 6, "image[B, 256]"),
        ("set queue", 5, "queue : 65536"),
        ("set queue", 5, "rows kept from earlier steps"),
        ("bert = Word", 1, "30522 ids"),
        ("loss mlm", 6, "mlm : []"),
        ("match[:, 1]", 6, "match[:, 1] : fused[B]"),
        ("momentum_contrast(", 3, "slow_t: text[B, D]"),
        ("momentum_contrast(", 3, "the keys come from a slow twin"),
        ("momentum_contrast(", 3, "std/objectives.chi:"),
        ("matching(match", 3, "Only logits that have met both modalities"),
        ("truth: share", 2, "truth = range(B)"),
        ("minimise  =", 2, "what is trained follows from it"),
        ("take(image_tokens", 1, "take(table, index)"),
        ("with { image_tokens", 1, "computed with b in the place of a"),
        ("i < half", 0, "i : 0"),
        ("retrieve on finetune", 14, "finetune"),
    ] {
        let found = client.hover(&uri, &text, mark, plus);
        assert!(found.contains(wanted), "at `{mark}` + {plus}: {wanted}, found:\n{found}");
    }
    assert_eq!(client.hover(&uri, &text, "# ALBEF", 3), "nothing", "a comment means nothing");
    client.end();
}

#[test]
fn mistakes_elsewhere_do_not_silence_it() {
    let mut client = Client::ready();
    let good = model("");
    client.open(FILE, &good);
    let versions = [
        (2, model("y = unknown_name"), "a name that nobody knows"),
        (3, model("y = image_feat @ text_feat"), "sizes that do not fit"),
        (4, model("y = f(1,"), "a bracket that is not closed"),
        (5, model("}}} ]] )"), "nonsense"),
    ];
    for (version, text, what) in versions {
        client.rewrite(FILE, version, &text);
        for (mark, plus, wanted) in [
            ("text_feat  =", 0, "text[B, 8]"),
            ("vision -> cls", 0, "module ViT("),
            ("contrastive(", 2, "fn contrastive("),
        ] {
            let found = client.hover(FILE, &text, mark, plus);
            assert!(found.contains(wanted), "{what}, at `{mark}`: {found}");
        }
    }
    // A new definition that nothing reaches yet has a type as well.
    let text = model("new = image_feat @ text_feat'");
    client.rewrite(FILE, 6, &text);
    assert!(client.hover(FILE, &text, "new =", 0).contains("new : fused[B, B]"));
    client.end();
}

#[test]
fn places_inside_functions_and_modules_are_known() {
    let mut client = Client::ready();
    let text = model(
        "# Twice as wide.\nmodule Wide(out, bias = true) {\n  up = Linear(out * 2, bias)\n  fn (x: [.., D]) -> [.., E] {\n    \
         h = x -> up\n    return h + 0\n  }\n}\nwide = Wide(3)\nwider = image -> vision -> wide\n",
    );
    client.open(FILE, &text);
    for (mark, plus, wanted) in [
        ("h = x", 0, "h : image[B, 5, 6]"),
        ("h + 0", 0, "h : image[B, 5, 6]"),
        ("x: [.., D]", 0, "x : image[B, 5, 8]"),
        ("D]) ->", 0, "D : 8"),
        ("out * 2", 0, "out : 3"),
        ("out, bias", 0, "out : 3"),
        ("up = Linear", 0, "module Linear(out = 6"),
        ("Wide(3)", 1, "module Wide(out, bias = true)"),
        ("Wide(3)", 1, "Twice as wide."),
        ("require", 0, "nothing"),
    ] {
        if text.contains(mark) {
            let found = client.hover(FILE, &text, mark, plus);
            assert!(found.contains(wanted), "at `{mark}`: {wanted}, found:\n{found}");
        }
    }
    client.end();
}

fn target(answer: &Value) -> (String, Value) {
    (answer["uri"].as_str().unwrap_or("nowhere").to_string(), answer["range"].clone())
}

#[test]
fn definitions_are_found_in_the_file_and_in_the_library() {
    let mut client = Client::ready();
    let text = model("fn twice(x, n = 2) = x * n\nok = twice(1, n: 3)");
    client.open(FILE, &text);
    for (mark, plus, wanted) in [
        ("image_feat, text_feat", 1, "image_feat = image"),
        ("twice(1", 0, "twice(x, n"),
        ("x * n", 0, "x, n = 2"),
        ("n: 3", 0, "n = 2) ="),
        ("minimise = itc", 12, "itc   ="),
        ("width, 2, 2, patch", 0, "width = 8"),
    ] {
        let (uri, range) = target(&client.at("definition", FILE, &text, mark, plus));
        assert_eq!(uri, FILE, "`{mark}`");
        assert_eq!(range["start"], place(&text, text.find(wanted).expect("a place")), "`{mark}`");
    }
    for (mark, plus, file, wanted) in [
        ("contrastive(", 2, "objectives.chi", "contrastive"),
        ("ViT(", 1, "vision.chi", "ViT"),
        ("patch: 8", 1, "vision.chi", "patch"),
    ] {
        let (uri, range) = target(&client.at("definition", FILE, &text, mark, plus));
        // The project may lie in a folder whose name has spaces.
        let name = uri.strip_prefix("file://").unwrap_or("").replace("%20", " ");
        assert!(name.ends_with(file) && name.starts_with(cache().to_str().unwrap_or("?")), "{uri}");
        let library = std::fs::read_to_string(&name).expect("a file that is there");
        assert_eq!(under(&library, &range), wanted);
        assert!(std::fs::metadata(&name).expect("a file").permissions().readonly());
        // There it goes on: types as this file makes them, definitions in turn.
        client.tell(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "chiasm", "version": 1, "text": library } }),
        );
        if file == "objectives.chi" {
            let found = client.hover(&uri, &library, "i @ t' / temp, range(B)", 0);
            assert!(found.contains("i : image[B, 8]"), "{found}");
        }
    }
    client.end();
}

#[test]
fn definitions_are_found_in_other_files() {
    let folder = folder("definition");
    std::fs::write(folder.join("base.chi"), model("")).expect("a file");
    std::fs::write(folder.join("parts.chi"), "# A part.\nmodule Part(n) { fn (x) = x * n }\n")
        .expect("a file");
    let file = uri(&folder.join("variant.chi"));
    let text = "extend \"base.chi\"\nuse \"parts.chi\"\npart = Part(2)\nimage_feat = image -> vision -> cls -> part -> normalize\n";
    let mut client = Client::ready();
    assert_eq!(client.open(&file, text), [] as [Value; 0]);
    for (mark, wanted) in [
        ("vision ->", "base.chi"),
        ("Part(2)", "parts.chi"),
        ("base.chi", "base.chi"),
        ("parts.chi", "parts.chi"),
    ] {
        let (found, _) = target(&client.at("definition", &file, text, mark, 1));
        assert!(found.ends_with(wanted), "`{mark}`: {found}");
        assert!(found.contains("%20") && found.contains("%C3%A9"), "{found}");
    }
    client.end();
}

#[test]
fn formatting_gives_the_one_form_or_nothing() {
    let mut client = Client::ready();
    let format = |client: &mut Client, uri: &str| {
        let options = json!({ "tabSize": 2, "insertSpaces": true });
        client
            .ask("textDocument/formatting", json!({ "textDocument": { "uri": uri }, "options": options }))
            .expect("an answer")
    };
    let text = "\u{feff}a=1\r\nb   =  [1,2]  # é𝄞";
    client.open(FILE, text);
    let edits = format(&mut client, FILE);
    assert_eq!(under(text, &edits[0]["range"]), text);
    let formed = edits[0]["newText"].as_str().expect("a text").to_string();
    assert!(formed.starts_with("a = 1\r\nb = [1, 2]") && formed.ends_with("# é𝄞\r\n"), "{formed:?}");
    client.rewrite(FILE, 2, &formed);
    assert_eq!(format(&mut client, FILE), json!([]));
    client.rewrite(FILE, 3, "a = (\n");
    assert_eq!(format(&mut client, FILE), Value::Null);
    assert_eq!(format(&mut client, "file:///never/opened.chi"), Value::Null);
    client.end();
}

#[test]
fn hover_is_answered_in_under_50_ms() {
    let mut client = Client::ready();
    let (uri, text) = client.open_file("models/albef.chi");
    let marks = [
        "image_tokens",
        "fusion(",
        "contrast",
        "slow.guess",
        "queue, joint",
        "randaug",
        "optimiser",
        "distil(",
    ];
    let mut taken: Vec<Duration> = Vec::new();
    for round in 0..40 {
        // A new text before each: the question is answered while it is checked.
        client.change(&uri, round + 2, json!([{ "text": format!("{text}# {round}\n") }]));
        let begun = Instant::now();
        client.hover(&uri, &text, marks[round as usize % marks.len()], 1);
        taken.push(begun.elapsed());
    }
    taken.sort();
    assert!(taken[20] < Duration::from_millis(50), "{taken:?}");
    client.end();
}
