//! Completion, at each kind of place; and the manual against what the compiler takes.

use super::client::{Client, folder, model, uri};
use chiasm::lower::analysis::{PRIMITIVES, Texts, analyse};
use chiasm::lsp::manual;

const FILE: &str = "file:///nowhere/x.chi";

/// What is offered at `|` of a text that is being written into a good one.
fn offers(client: &mut Client, version: i64, added: &str) -> Vec<String> {
    let marked = model(added);
    let text = marked.replacen('|', "", 1);
    client.rewrite(FILE, version, &text);
    let before = &marked[..marked.find('|').expect("a mark")];
    client.offers(FILE, &text, before, before.len())
}

#[test]
fn each_place_has_its_offers() {
    let mut client = Client::ready();
    client.open(FILE, &model(""));
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "y = |",
            &["image_feat", "vision", "contrastive", "Linear", "softmax", "if"],
            &["pretrain", "minimise"],
        ),
        ("y = im|", &["image_feat", "image"], &[]),
        ("y = image -> |", &["vision", "cls", "normalize"], &[]),
        ("y = reader.|", &["embed", "layers"], &["image_feat"]),
        ("y = reader.layers[0].at|", &["attn", "ffn"], &["embed"]),
        ("y = reader.layers[0].attn.|", &["q", "k", "heads"], &[]),
        ("y = bert.|", &["size", "mask", "id"], &["image_feat"]),
        ("y = join(image -> vision, text -> reader)\nz = y.|", &["image", "text"], &["image_feat"]),
        ("slow = momentum(model, 0.9)\ny = slow.|", &["image_feat", "itc"], &["vision_transformer"]),
        ("v = ViT(8, |", &["heads:", "patch:", "width"], &[]),
        ("y = text -> reader(|", &["mask:", "width"], &["x:"]),
        ("y = attend(|", &["q:", "mask:", "image_feat"], &[]),
        ("y = contrastive(image_feat, |", &["temp:", "i:"], &[]),
        ("y = image_feat as |", &["image", "text", "fused"], &["image_feat"]),
        ("modality audio\ninput sound : |", &["image", "audio"], &["image_feat"]),
        ("y = image_feat with { |", &["image", "vision"], &["contrastive"]),
        ("layer = BertLayer(2) with { |", &["attn", "ffn"], &["image_feat"]),
        ("stage more {\n  |\n}", &["minimise", "optimiser", "batch", "set", "rate"], &["answer"]),
        ("stage more {\n  data = pairs(\"scenes\")  pre|\n}", &["precision"], &["answer"]),
        ("stage more {\n  precision = |\n}", &["f32", "bf16"], &["image_feat"]),
        ("stage more {\n  start = |\n}", &["pretrain"], &["image_feat"]),
        ("task find on |", &["pretrain"], &["image_feat"]),
        ("task find on pretrain {\n  |\n}", &["answer", "report"], &["minimise"]),
        ("sta|", &["stage", "state", "set"], &["image_feat"]),
        ("# y = |", &[], &["image_feat"]),
        ("y = \"|\"", &[], &["image_feat"]),
    ];
    for (version, (added, wanted, unwanted)) in (2..).zip(cases) {
        let found = offers(&mut client, version, added);
        for name in *wanted {
            assert!(found.iter().any(|known| known == name), "{added}: no {name} in {found:?}");
        }
        for name in *unwanted {
            assert!(!found.iter().any(|known| known == name), "{added}: {name} in {found:?}");
        }
    }
    client.end();
}

#[test]
fn names_inside_functions_and_modules_are_offered() {
    let mut client = Client::ready();
    let whole = "module Part(out) {\n  up = Linear(out)\n  fn (given: [.., D]) {\n    half_way = given -> up\n    return half_way\n  }\n}\n\
                 part = Part(3)\nmore = image -> vision -> part";
    client.open(FILE, &model(whole));
    let written = whole.replace("return half_way", "return |");
    let found = offers(&mut client, 2, &written);
    for name in ["given", "half_way", "up", "out", "D", "image_feat"] {
        assert!(found.iter().any(|known| known == name), "no {name} in {found:?}");
    }
    // Each with its type.
    let text = written.replacen('|', "", 1);
    let text = model(&text);
    let answer = client.at("completion", FILE, &text, "    return ", 11);
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    let half = items.iter().find(|item| item["label"] == "half_way").expect("an offer");
    assert_eq!(half["detail"], "image[B, 5, 3]");
    client.end();
}

#[test]
fn a_variant_is_offered_what_it_inherits() {
    let folder = folder("offers");
    std::fs::write(folder.join("base.chi"), model("")).expect("a file");
    let file = uri(&folder.join("variant.chi"));
    let mut client = Client::ready();
    client.open(&file, "extend \"base.chi\"\n");
    let text = "extend \"base.chi\"\nim";
    client.rewrite(&file, 2, text);
    let found = client.offers(&file, text, "\nim", 3);
    assert!(found.contains(&"image_feat".to_string()) && found.contains(&"input".to_string()), "{found:?}");
    client.end();
}

/// The manual's arguments are those of the compiler: each primitive is called with one that it cannot have, and says which
/// it has.
#[test]
fn the_manual_has_the_arguments_of_the_compiler() {
    let mut seen = 0;
    for name in PRIMITIVES {
        let text =
            format!("stage s {{ data = pairs(\"scenes\") minimise = {name}(never_an_argument: 1) }}\n");
        let (path, mut texts) = (std::path::Path::new("x.chi"), Texts::default());
        texts.insert(path, text);
        let found = analyse(path, texts).expect("an analysis").diagnostics;
        let notes = found.iter().flat_map(|diagnostic| &diagnostic.notes);
        let Some(known) = notes.filter_map(|note| note.strip_prefix("its arguments: ")).next() else {
            continue;
        };
        assert_eq!(manual::arguments(name).join(", "), known, "{name}");
        seen += 1;
    }
    assert!(seen > 35, "only {seen} primitives said what they take");
}
