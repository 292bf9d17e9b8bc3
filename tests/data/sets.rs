//! Data sets written for the test: every layout, every defect.

use std::path::PathBuf;

use chiasm::data::{Library, Problem, Values};

use super::open;

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chiasm-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn library(&self) -> Library {
        Library::new([&self.0])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

const COCO: &str = r#"{"images": [{"id": 4, "file_name": "a.png"}, {"id": "x", "file_name": "b.png"}],
    "annotations": [{"image_id": 4, "id": 1, "caption": "one"}, {"image_id": "x", "id": 2, "caption": "two"},
    {"image_id": 4, "id": 3, "caption": " three "}]}"#;

#[test]
fn captions_are_kept_with_their_picture() {
    let folder = Folder::new("coco");
    folder.write("set/annotations/captions_train.json", COCO);
    folder.write("set/images/train2017/a.png", png());
    folder.write("set/train/b.png", png());
    let set = open(&folder.library(), "set").unwrap();
    assert_eq!((set.rows(), set.pictures()), (3, 2));
    assert_eq!(set.captions_of(0).map(|row| set.caption(row)).collect::<Vec<_>>(), ["one", "three"]);
    assert_eq!((0..3).map(|row| set.image_of(row)).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(set.report().is_empty(), "{}", set.report());
    assert!(set.images(&[1, 0], 4, &[]).is_ok());
}

#[test]
fn the_folder_itself_or_its_file_may_be_given() {
    let folder = Folder::new("direct");
    folder.write("captions_train2014.json", COCO);
    folder.write("a.png", png());
    folder.write("b.png", png());
    for root in [folder.0.clone(), folder.0.join("captions_train2014.json")] {
        assert_eq!(open(&Library::new([root]), "anything").unwrap().rows(), 3);
    }
}

#[test]
fn karpathy_has_all_splits_in_one_file() {
    let folder = Folder::new("karpathy");
    let image = |split: &str, name: &str| {
        format!(
            r#"{{"split": "{split}", "filename": "{name}", "filepath": "p", "sentences": [{{"raw": "a cat"}}]}}"#
        )
    };
    let list = [image("train", "a.png"), image("restval", "b.png"), image("val", "c.png")].join(",");
    folder.write("set/dataset_set.json", format!(r#"{{"images": [{list}], "dataset": "set"}}"#));
    for name in ["a", "b", "c"] {
        folder.write(&format!("set/p/{name}.png"), png());
    }
    assert_eq!(open(&folder.library(), "set").unwrap().rows(), 2);
    assert_eq!(open(&folder.library(), "set/val").unwrap().rows(), 1);
    let error = open(&folder.library(), "set/vla").unwrap_err().to_string();
    assert!(error.contains("no captions of split `vla`; did you mean `val`?"), "{error}");
}

#[test]
fn defects_are_counted_and_named() {
    let folder = Folder::new("defects");
    let json = r#"{"images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "z.png"}, {"id": 2, "file_name": "gone.png"},
        {"id": 3, "file_name": "b.png"}, {"id": 4, "file_name": "a.png"}], "annotations": [{"id": 1, "image_id": 1, "caption": "ok"},
        {"id": 1, "image_id": 1, "caption": "again"}, {"id": 2, "image_id": 1, "caption": "  "}, {"id": 3, "image_id": 9, "caption": "x"},
        {"id": 4, "image_id": 2, "caption": "x"}, {"id": 5, "image_id": 3, "caption": "b~d"}, {"id": 6, "image_id": 1}]}"#;
    let json: Vec<u8> = json.bytes().map(|b| if b == b'~' { 0xFF } else { b }).collect();
    folder.write("set/annotations/captions_train.json", json);
    folder.write("set/train/a.png", png());
    folder.write("set/train/b.png", b"no picture");
    let set = open(&folder.library(), "set").unwrap();
    let report = set.report();
    let expected = [
        (Problem::DuplicateId, 2),
        (Problem::EmptyCaption, 2),
        (Problem::CaptionWithoutPicture, 1),
        (Problem::PictureWithoutCaption, 1),
        (Problem::MissingFile, 1),
        (Problem::NotUtf8, 1),
        (Problem::UnreadableFile, 0),
    ];
    for (problem, count) in expected {
        assert_eq!(report.count(problem), count, "{problem:?}: {report}");
    }
    assert_eq!(report.names(Problem::MissingFile), ["gone.png"]);
    assert!(set.images(&[0, 1], 4, &[]).is_ok());
    assert_eq!(set.report().count(Problem::UnreadableFile), 1);
    // A batch in which nothing can be read is grey as long as there is a picture elsewhere.
    assert_eq!(set.images(&[1], 4, &[]).unwrap().values, Values::Floats(vec![0.5; 48]));
    assert_eq!(set.report().count(Problem::UnreadableFile), 1);
}

#[test]
fn a_set_in_which_nothing_can_be_read_is_an_error() {
    let folder = Folder::new("unreadable");
    folder.write("set/captions_train.json", COCO);
    std::fs::create_dir_all(folder.0.join("set/train/a.png")).unwrap();
    folder.write("set/train/b.png", "no picture");
    let set = open(&folder.library(), "set").unwrap();
    assert!(set.images(&[0], 4, &[]).is_ok());
    let error = set.images(&[1], 4, &[]).unwrap_err().to_string();
    assert!(
        error.contains("none of the 2 pictures could be read") && error.contains("b.png is neither"),
        "{error}"
    );
    assert!(
        set.report().names(Problem::UnreadableFile)[0].contains("a.png cannot be read"),
        "{}",
        set.report()
    );
}

#[test]
fn line_ends_marks_and_names_of_all_kinds() {
    let folder = Folder::new("names");
    let json = "\u{FEFF}{\r\n\"images\": [{\"id\": 1, \"file_name\": \"with space äö 中.png\"}],\r\n\"annotations\": \
        [{\"image_id\": 1, \"caption\": \"a\\r\\nb\"}]}\r\n";
    folder.write("se t ü/annotations/captions_train.json", json);
    folder.write("se t ü/train/with space äö 中.png", png());
    let set = open(&folder.library(), "se t ü").unwrap();
    assert_eq!((set.rows(), set.report().is_empty()), (1, true));
    assert!(set.images(&[0], 4, &[]).is_ok());
}

#[test]
fn errors_name_place_and_cure() {
    let folder = Folder::new("errors");
    folder.write("broken/captions_train.json", "{\"images\": [],\n \"annotations\": [}");
    folder.write("wrong/captions_train.json", "[1, 2]");
    folder.write("empty/captions_train.json", "{\"images\": [], \"annotations\": []}");
    std::fs::create_dir_all(folder.0.join("bare")).unwrap();
    folder.write("nothing/captions_train.json", "");
    folder.write("wide/captions_train.json", [0xFF, 0xFE, b'{', 0, b'}', 0]);
    folder.write("questions/captions_train.json", "{\"questions\": [], \"info\": 1}");
    let message = |name: &str| open(&folder.library(), name).unwrap_err().to_string();
    let expected = [
        ("broken", "line 2 column"),
        ("wrong", "captions_train.json holds a list; expected captions as COCO"),
        ("nothing", "captions_train.json is empty; expected"),
        ("wide", "is UTF-16, not UTF-8"),
        ("questions", "is an object of `info`, `questions`; expected"),
        ("empty", "no usable row"),
        ("empty/trian", "has no captions of split `trian`; did you mean `train`?"),
        ("bare/val", "expected annotations/captions_val.json"),
        ("missing", "--data DIR"),
        ("brokn", "did you mean `broken`?"),
        ("scenes/test", "`train`, `few` and `val`"),
    ];
    for (name, text) in expected {
        assert!(message(name).contains(text), "{name}: {}", message(name));
    }
    let none = open(&Library::default(), "photos").unwrap_err().to_string();
    assert!(none.contains("no `--data` folder was given"), "{none}");
    let gone = open(&Library::new([folder.0.join("gone")]), "photos").unwrap_err().to_string();
    assert!(gone.contains("there is no such folder"), "{gone}");
}
