//! Every kind of data set, written for the test and, where there are some, as people made them.

use std::sync::Arc;

use chiasm::data::{
    Cells, Dataset, Error, Kind, Library, Loader, LoaderOptions, Problem, Values, Vocabulary,
};
use chiasm::data::{Wish, WishKind};
use chiasm::recipe::{Data, DataKind, Rows};

use super::real;
use super::sets::{Folder, png};

fn open(library: &Library, kind: DataKind, name: &str) -> Result<Dataset, Error> {
    library.open(&Data::sets(kind, [name]))
}

fn texts(set: &Dataset, column: &str) -> Vec<String> {
    (0..set.rows()).map(|row| set.text(column, row).to_string()).collect()
}

fn ids(set: &Dataset, column: &str) -> Vec<i32> {
    match set.cells(column) {
        Some(Cells::Ids(ids)) => ids.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn folders_are_classes_in_alphabetical_order() {
    let folder = Folder::new("labelled");
    for file in ["tulip/1.png", "red_rose/2.png", "red_rose/deep/1.png", "red_rose/note.txt"] {
        folder.write(&format!("sets/flowers/val/{file}"), png());
    }
    let set = open(&folder.library(), DataKind::Labelled, "flowers/val").unwrap();
    assert_eq!(
        (set.classes(), ids(&set, "label")),
        (&["red rose".into(), "tulip".into()][..], vec![0, 0, 1])
    );
    let template = "a photo of a {}.".to_string();
    let set = open(&folder.library(), DataKind::Captioned { template }, "flowers/val").unwrap();
    assert_eq!(texts(&set, "text")[2], "a photo of a tulip.");
    assert_eq!(ids(&set, "image_id"), [0, 1, 2]);
    let error = open(&folder.library(), DataKind::Labelled, "flowers/test").unwrap_err().to_string();
    assert!(error.contains("no rows of labelled(…) for split `test`"), "{error}");
}

#[test]
fn pictures_and_texts_stand_alone() {
    let folder = Folder::new("alone");
    folder.write("p/train/a.PNG", png());
    folder.write("p/train/deep/b.png", png());
    folder.write("p/val/c.png", png());
    assert_eq!(open(&folder.library(), DataKind::Images, "p").unwrap().rows(), 2);
    assert_eq!(open(&folder.library(), DataKind::Images, "p/val").unwrap().rows(), 1);
    folder.write("films/train.jsonl", "\u{FEFF}{\"text\": \"good\"}\r\nbroken\r\n\r\n{\"text\": \" \"}");
    let set = open(&folder.library(), DataKind::Texts, "films").unwrap();
    assert_eq!(texts(&set, "text"), ["good"]);
    assert_eq!(set.report().names(Problem::BrokenLine), ["line 2"]);
    assert_eq!(set.report().count(Problem::EmptyCaption), 1);
    folder.write("lines/val.txt", "one\ntwo");
    assert_eq!(
        texts(&open(&folder.library(), DataKind::Texts, "lines/val").unwrap(), "text"),
        ["one", "two"]
    );
    folder.write("none/val.jsonl", "[1, 2]");
    let error = open(&folder.library(), DataKind::Texts, "none/val").unwrap_err().to_string();
    assert!(error.contains("JSON lines with the field `text`"), "{error}");
    let error = open(&folder.library(), DataKind::Texts, "none").unwrap_err().to_string();
    assert!(error.ends_with("looked for train.jsonl, train.txt"), "{error}");
}

#[test]
fn verdicts_have_numbers_and_unlabelled_lines_are_counted() {
    let folder = Folder::new("entail");
    folder.write("ve/images/7.jpg", png());
    let line = |label: &str| {
        format!("{{\"Flickr30K_ID\": \"7\", \"sentence2\": \"s\", \"gold_label\": \"{label}\"}}\n")
    };
    let lines = ["entailment", "neutral", "-", "contradiction"].map(line).concat();
    folder.write("ve/snli_ve_train.jsonl", lines + &line("neutral").replace("\"7\"", "\"8\""));
    let set = open(&folder.library(), DataKind::Entail, "ve").unwrap();
    assert_eq!((ids(&set, "verdict"), set.pictures()), (vec![2, 1, 0], 1));
    assert_eq!(set.report().count(Problem::UnknownLabel), 1);
    assert_eq!(set.report().names(Problem::MissingFile), ["8.jpg"]);
}

#[test]
fn statements_have_two_pictures() {
    let folder = Folder::new("nlvr");
    for file in ["train-1-0-img0.png", "train-1-0-img1.png"] {
        folder.write(&format!("nlvr2/images/train/34/{file}"), png());
    }
    folder.write("nlvr2/images/one.png", png());
    let lines = r#"{"sentence": "a", "label": "True", "identifier": "train-1-0-1", "directory": 34}
{"sentence": "b", "label": false, "image": "one.png"}
{"sentence": "c", "label": "maybe", "image": "one.png"}"#;
    folder.write("nlvr2/data/train.json", lines);
    let set = open(&folder.library(), DataKind::Nlvr, "nlvr2").unwrap();
    assert_eq!(ids(&set, "truth"), [1, 0]);
    let sides: Vec<_> =
        (0..2).map(|row| (set.picture_in("left", row), set.picture_in("right", row))).collect();
    assert_eq!(sides, [(Some(0), Some(1)), (Some(2), Some(2))]);
    assert_eq!(set.report().count(Problem::UnknownLabel), 1);
}

const QUESTIONS: &str = r#"{"questions": [{"question_id": 1, "image_id": 5, "question": "what?"},
    {"question_id": 2, "image_id": 5, "question": "how many?"}]}"#;
const ANSWERS: &str = r#"{"annotations": [
    {"question_id": 1, "answers": [{"answer": "The dog"}, {"answer": "dog"}, {"answer": "cat"}]},
    {"question_id": 2, "answers": [{"answer": "two"}]}]}"#;

#[test]
fn questions_have_answers_with_shares_and_scores() {
    let folder = Folder::new("vqa");
    folder.write("v/train2014/COCO_train2014_000000000005.jpg", png());
    folder.write("v/v2_OpenEnded_mscoco_train2014_questions.json", QUESTIONS);
    folder.write("v/v2_mscoco_train2014_annotations.json", ANSWERS);
    let kind = DataKind::Vqa { answers: Some(2) };
    let set = open(&folder.library(), kind.clone(), "v").unwrap();
    assert_eq!(texts(&set, "question"), ["what?", "how many?"]);
    assert_eq!(texts(&set, "answer"), ["dog", "2"]);
    assert_eq!(set.classes(), ["dog", "2"]);
    let scores = Cells::Numbers { width: 2, values: vec![0.6, 0.0, 0.0, 1.0] };
    assert_eq!(set.cells("scores"), Some(&scores));
    let set = folder.library().open_for(&Data::sets(kind, ["v"]), &["answer"]).unwrap();
    assert_eq!(texts(&set, "answer"), ["dog", "cat", "2"]);
    let Some(Cells::Numbers { values, .. }) = set.cells("weight") else { panic!("no weights") };
    assert!((values[0] - 2.0 / 3.0).abs() < 1e-6 && values[2] == 1.0, "{values:?}");
}

#[test]
fn triples_are_questions_too_and_every_split_has_the_answers_of_train() {
    let folder = Folder::new("easy");
    folder.write("easy/train/images/0.png", png());
    folder.write("easy/val/images/3.png", png());
    folder.write(
        "easy/train/questions.json",
        r#"[["is it red?", "yes", 0], ["what?", "circle", 0], ["is it?", "yes", 0]]"#,
    );
    folder.write("easy/val/questions.json", r#"[["what?", "circle", 3], ["is it big?", "no", 3]]"#);
    let set = open(&folder.library(), DataKind::Vqa { answers: Some(2) }, "easy/val").unwrap();
    assert_eq!(set.classes(), ["yes", "circle"]);
    assert_eq!(set.cells("scores"), Some(&Cells::Numbers { width: 2, values: vec![0.0, 1.0, 0.0, 0.0] }));
}

#[test]
fn scenes_are_read_in_four_ways() {
    let library = Library::default();
    let set = open(&library, DataKind::Entail, "scenes/val").unwrap();
    let truths = ids(&set, "verdict");
    assert_eq!((set.rows(), set.pictures()), (2500, 500));
    let right = truths.iter().filter(|verdict| **verdict == 2).count();
    assert!((1150..1350).contains(&right) && truths.iter().all(|v| *v == 0 || *v == 2), "{right}");
    assert_eq!(open(&library, DataKind::Images, "scenes/val").unwrap().rows(), 500);
    assert_eq!(open(&library, DataKind::Texts, "scenes/val").unwrap().rows(), 2500);
    let error = open(&library, DataKind::Labelled, "scenes/val").unwrap_err().to_string();
    assert!(error.contains("cannot be read as labelled(…)"), "{error}");
}

#[test]
fn columns_have_other_names_and_other_rows() {
    let mut data = Data::pairs(["scenes/val"]);
    data.columns.push(chiasm::recipe::Column {
        name: "false_image".into(),
        from: "image".into(),
        other: true,
    });
    let dataset = Arc::new(Library::default().open(&data).unwrap());
    let words =
        Arc::new(Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &[], &Library::default()).unwrap());
    let renamed =
        |name: &str, from: &str, other, kind| Wish { from: from.into(), other, ..Wish::new(name, kind) };
    let wishes = vec![
        renamed("photo", "image", false, WishKind::Image { side: 8 }),
        renamed("false_image", "image", true, WishKind::Image { side: 8 }),
        renamed("who", "image_id", false, WishKind::Ids),
        renamed("other", "image_id", true, WishKind::Ids),
        renamed("said", "text", true, WishKind::Text { vocabulary: words, length: 8 }),
    ];
    let options = LoaderOptions { batch: 32, ..LoaderOptions::default() };
    let batch = Loader::new(dataset.clone(), wishes.clone(), options).unwrap().next().unwrap();
    let (Values::Ids(own), Values::Ids(other)) = (&batch.columns[2].values, &batch.columns[3].values) else {
        panic!("no ids")
    };
    assert!(own.iter().zip(other).all(|(own, other)| own != other));
    let (Values::Floats(photo), Values::Floats(wrong)) = (&batch.columns[0].values, &batch.columns[1].values)
    else {
        panic!("no pictures")
    };
    let picture = |id: i32| dataset.images(&[id as usize], 8, &[]).unwrap().values;
    assert_eq!(Values::Floats(photo[..192].to_vec()), picture(own[0]));
    assert_eq!(Values::Floats(wrong[..192].to_vec()), picture(other[0]));
    let missing =
        Loader::new(dataset, vec![Wish::ids("label")], LoaderOptions::default()).unwrap_err().to_string();
    assert!(missing.contains("no column `label`; it has image, text, image_id"), "{missing}");
}

#[test]
fn mixtures_are_read_as_one_and_must_have_the_same_columns() {
    let rows = |kinds: Vec<DataKind>| {
        let all = kinds.into_iter().map(|kind| Data::sets(kind, ["scenes/val"])).collect();
        Data { rows: Rows::Mixed(all), ..Data::pairs(["scenes/val"]) }
    };
    let pairs = DataKind::Pairs { prompt: None, wrong: 0.0 };
    let both = Library::default().open(&rows(vec![pairs.clone(), pairs.clone()])).unwrap();
    assert_eq!((both.rows(), both.image_of(2500)), (5000, 500));
    let error = Library::default().open(&rows(vec![pairs, DataKind::Images])).unwrap_err().to_string();
    assert!(error.contains("not all have a column"), "{error}");
}

#[test]
fn real_sets_of_every_kind_are_read() {
    let Some(folder) = real() else { return };
    let library = Library::new([folder]);
    for (kind, name, rows) in [
        (DataKind::Labelled, "flowers5/val", 250),
        (DataKind::Texts, "imdb/val", 484),
        (DataKind::Images, "photos/val", 1000),
        (DataKind::Entail, "entailment/val", 726),
        (DataKind::Nlvr, "nlvr/val", 3012),
        (DataKind::Vqa { answers: Some(13) }, "easy_vqa/val", 3762),
        (DataKind::Vqa { answers: Some(100) }, "daquar/val", 921),
    ] {
        let set = open(&library, kind, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(set.rows(), rows, "{name}: {}", set.report());
        assert!(set.report().is_empty(), "{name}: {}", set.report());
    }
}
