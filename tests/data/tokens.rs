//! Vocabularies against ids that the reference implementations gave.

use chiasm::data::{Kind, Library, Vocabulary, scenes::Scene};
use serde_json::Value;

use super::{fixture, real};

fn built_in(kind: Kind, name: &str) -> Vocabulary {
    Vocabulary::open(kind, name, &[], &Library::default()).unwrap()
}

fn ids(value: &Value) -> Vec<i32> {
    value.as_array().unwrap().iter().map(|id| id.as_i64().unwrap() as i32).collect()
}

/// How many lines are equal; the others are printed.
fn equal(name: &str, vocabulary: &Vocabulary, lines: &[(String, Vec<i32>)]) -> usize {
    let same = |(text, ids): &&(String, Vec<i32>)| {
        let found = vocabulary.tokens(text, 1000);
        if found != *ids {
            eprintln!("{name}: {text:?}\n  {found:?}, not\n  {ids:?}");
        }
        found == *ids
    };
    let count = lines.iter().filter(same).count();
    eprintln!("{name}: {count} of {} texts equal", lines.len());
    count
}

#[test]
fn invented_texts_have_the_recorded_ids() {
    let text = std::fs::read_to_string(fixture("tokenizers/golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    for (name, kind, key) in [("bert-base-uncased", Kind::WordPiece, "bert"), ("clip", Kind::Bpe, "clip")] {
        let lines = golden["lines"].as_array().unwrap();
        let lines: Vec<_> =
            lines.iter().map(|l| (l["text"].as_str().unwrap().into(), ids(&l[key]))).collect();
        assert_eq!(equal(name, &built_in(kind, name), &lines), lines.len());
    }
}

/// The small vocabulary writes every caption of the scenes, and knows no other word.
#[test]
fn scenes_have_words_of_their_own() {
    let words = built_in(Kind::WordPiece, "scenes");
    assert_eq!((words.size(), words.pad(), words.cls(), words.sep()), (54, 0, 2, 3));
    let mut used = std::collections::BTreeSet::new();
    for (number, scene) in Scene::all("few").unwrap().iter().enumerate() {
        for caption in scene.captions("few", number) {
            let ids = words.tokens(&caption, 24);
            assert_eq!(words.decode(&ids).replace(" ,", ","), caption);
            used.extend(ids);
        }
    }
    let left: Vec<i32> = (0..54).filter(|id| !used.contains(id)).collect();
    assert_eq!(left, [0, 1, 4, 5], "[PAD], [UNK], [MASK] and the full stop");
}

/// An extra word is a word like others, though it is part of longer ones; an extra special token is not written.
#[test]
fn extra_words_are_written_and_extra_special_tokens_are_not() {
    let extra = ["inn", "pin", "[DEC]"].map(String::from);
    let words = Vocabulary::open(Kind::WordPiece, "scenes", &extra, &Library::default()).unwrap();
    assert_eq!(words.size(), 57);
    let ids = words.tokens("[DEC] a pin in the inn is pink", 24);
    assert_eq!(ids, [2, 56, 7, 55, 17, 9, 54, 11, 39, 3]);
    assert_eq!(words.decode(&ids), "a pin in the inn is pink");
    let twice = Vocabulary::open(Kind::WordPiece, "scenes", &["of".into()], &Library::default());
    let message = twice.err().map(|e| e.to_string());
    assert_eq!(
        message.as_deref(),
        Some("vocabulary scenes: has the token `of` already: leave it out of `extra`")
    );
}

#[test]
fn captions_have_the_recorded_ids() {
    let Some(folder) = real() else { return };
    let text = std::fs::read_to_string(folder.join("tokenizers/golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let lines = |key: &str| -> Vec<(String, Vec<i32>)> {
        let texts = golden["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned());
        texts.zip(golden[key].as_array().unwrap().iter().map(ids)).collect()
    };
    let file = |path: &str| Vocabulary::read(&folder.join("tokenizers").join(path), "file", &[]).unwrap();
    let all = [
        ("built-in BERT", "bert", built_in(Kind::WordPiece, "bert-base-uncased")),
        ("BERT's vocab.txt", "bert", file("bert-base-uncased/vocab.txt")),
        ("BERT's tokenizer.json", "bert", file("bert-base-uncased/tokenizer.json")),
        ("built-in CLIP", "clip_openai", built_in(Kind::Bpe, "clip")),
        ("CLIP's tokenizer.json", "clip_hf", file("clip/tokenizer.json")),
        ("BEiT-3's pieces", "beit3", file("beit3/beit3.spm")),
    ];
    for (name, key, vocabulary) in all {
        let lines = lines(key);
        assert_eq!(equal(name, &vocabulary, &lines), lines.len());
    }
}

#[test]
fn special_tokens_and_cutting() {
    let bert = built_in(Kind::WordPiece, "bert-base-uncased");
    assert_eq!((bert.size(), bert.pad(), bert.cls(), bert.sep()), (30522, 0, 101, 102));
    assert_eq!((bert.mask(), bert.unk(), bert.id("[DEC]")), (Some(103), Some(100), None));
    assert_eq!(bert.encode("", 4), (vec![101, 102, 0, 0], 2));
    assert_eq!(bert.encode("a cat on a mat", 4), (vec![101, 1037, 4937, 102], 4));
    let clip = built_in(Kind::Bpe, "clip");
    assert_eq!((clip.size(), clip.cls(), clip.sep(), clip.mask()), (49408, 49406, 49407, None));
    assert_eq!(clip.encode("a photo", 5), (vec![49406, 320, 1125, 49407, 0], 4));
    assert_eq!(clip.decode(&[49406, 320, 1125, 49407]).trim(), "a photo");
}

/// A field of a protocol buffer.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[(number << 3) | 2, bytes.len() as u8][..], bytes].concat()
}

/// A small unigram model; pieces with scores, and what follows them.
fn pieces(pieces: &[(&str, f32)], rest: &[u8]) -> Vec<u8> {
    let piece = |(text, score): &(&str, f32)| {
        let score = [&[(2 << 3) | 5][..], &score.to_le_bytes()].concat();
        field(1, &[field(1, text.as_bytes()), score].concat())
    };
    pieces.iter().flat_map(piece).chain(rest.iter().copied()).collect()
}

const SMALL: [(&str, f32); 8] = [
    ("<unk>", 0.0),
    ("<s>", 0.0),
    ("</s>", 0.0),
    ("▁", -3.0),
    ("▁a", -2.0),
    ("▁ca", -4.0),
    ("c", -9.0),
    ("ts", -3.0),
];

fn small(name: &str, bytes: &[u8]) -> Result<Vocabulary, String> {
    let folder = std::env::temp_dir().join(format!("chiasm-pieces-{}-{name}", std::process::id()));
    std::fs::create_dir_all(folder.join("tiny")).unwrap();
    std::fs::write(folder.join("tiny/tiny.model"), bytes).unwrap();
    let library = Library::new([folder.clone()]);
    let opened = Vocabulary::open(Kind::SentencePiece, "tiny", &["[DEC]".to_owned()], &library);
    std::fs::remove_dir_all(&folder).unwrap();
    opened.map_err(|error| error.to_string())
}

/// By hand: `▁a ▁ca ts` is the likeliest cut; `x` has no piece.
#[test]
fn pieces_of_a_small_model() {
    let words = small("small", &pieces(&SMALL, &[])).unwrap();
    assert_eq!((words.size(), words.cls(), words.pad(), words.sep()), (11, 0, 1, 2));
    assert_eq!((words.unk(), words.mask(), words.id("[DEC]")), (Some(3), Some(9), Some(10)));
    assert_eq!(words.encode("  a   cats ", 8), (vec![0, 5, 6, 8, 2, 1, 1, 1], 5));
    assert_eq!(words.tokens("cx", 8), [0, 4, 7, 3, 2]);
    assert_eq!(words.tokens("", 8), [0, 2]);
    // What a text says is no special token.
    assert_eq!(words.tokens("a <mask>", 8), [0, 5, 4, 3, 2]);
    assert_eq!(words.decode(&[0, 5, 6, 8, 2]), "a cats");
    let marks = words.word_marks();
    assert_eq!(marks, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn other_models_and_broken_files_say_so() {
    let whole = pieces(&SMALL, &[]);
    for cut in [1, 2, 5, 20, whole.len() - 1] {
        assert!(small("cut", &whole[..cut]).is_err(), "{cut}");
    }
    let error = |bytes: &[u8]| small("other", bytes).expect_err("a reason");
    assert!(error(&pieces(&SMALL, &field(2, &[3 << 3, 2]))).contains("no unigram model"));
    assert!(error(&pieces(&SMALL[1..], &[])).contains("does not begin with <unk>"));
    let own = field(1, &[field(1, b"own"), vec![3 << 3, 4]].concat());
    assert!(error(&pieces(&SMALL, &own)).contains("user-defined piece `own`"));
    assert!(error(&pieces(&SMALL, &field(3, &field(2, &[9; 3])))).contains("tiny"));
}

#[test]
fn extra_tokens_come_last_in_order() {
    let extra = ["[DEC]".to_owned(), "[ENC]".to_owned()];
    let words = Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &extra, &Library::default()).unwrap();
    assert_eq!((words.id("[DEC]"), words.id("[ENC]"), words.size()), (Some(30522), Some(30523), 30524));
}

#[test]
fn unknown_and_broken_vocabularies_say_so() {
    let library = Library::new(["/nowhere"]);
    let error = Vocabulary::open(Kind::WordPiece, "other", &[], &library).unwrap_err().to_string();
    assert!(error.contains("/nowhere/tokenizers/other/vocab.txt"), "{error}");
    let folder = std::env::temp_dir().join(format!("chiasm-vocabulary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in [("vocab.txt", "a\nb\n"), ("tokenizer.json", "{\"model\": 3")] {
        std::fs::write(folder.join(name), text).unwrap();
        assert!(Vocabulary::read(&folder.join(name), "x", &[]).is_err());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn captions_of_scenes_fit_in_24_tokens() {
    let bert = built_in(Kind::WordPiece, "bert-base-uncased");
    let mut longest = 0;
    for split in ["train", "val"] {
        for (number, scene) in Scene::all(split).unwrap().iter().enumerate().step_by(3) {
            for caption in scene.captions(split, number) {
                let ids = bert.tokens(&caption, 100);
                assert!(!ids.contains(&100), "{caption}");
                longest = longest.max(ids.len());
            }
        }
    }
    eprintln!("the longest caption of a scene has {longest} tokens");
    assert!(longest <= 24);
}
