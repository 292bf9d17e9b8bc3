//! Golden loss curves: training from a seed gives the same losses, digit for digit.
//!
//! A change that should not alter the arithmetic leaves every file of `tests/golden` as it is. `UPDATE=1` records them anew;
//! such a change says why. The short curves use the plain instructions, so all x86-64 machines show the same digits. The
//! curves of whole runs on photos belong to the instructions they were recorded with, which their names say.

use chiasm::exec::cpu::level::Level;
use chiasm::task::report::{Found, Report};
use chiasm::train::run::{Event, train};
use chiasm::{Host, TrainOptions, compile};
use std::path::{Path, PathBuf};

/// Two threads, and the instructions of a level.
fn host(data: impl IntoIterator<Item = PathBuf>, level: Level) -> Host {
    Host { data: data.into_iter().collect(), threads: Some(2), level: Some(level), ..Host::default() }
}

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Trains a file, or one stage of it, and writes a line for every `every`-th step, and one for each measured task.
fn curve(file: &str, stage: Option<&str>, host: &Host, every: u64) -> String {
    let model = compile(&path(file), &chiasm::Options::default()).unwrap_or_else(|error| panic!("{error}"));
    // The short curve of a model and its whole run have one name.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{}", file.replace('/', "-")));
    let _ = std::fs::remove_dir_all(&out);
    let stage = stage.map(str::to_string);
    let options = TrainOptions { out: Some(out), seed: Some(0), stage, ..TrainOptions::default() };
    let mut lines = String::new();
    let listener = &mut |event: Event<'_>| match event {
        Event::Begins(summary) => lines.push_str(&format!("stage {}\n", summary.stage)),
        Event::Step(row) if row.step % every == 0 => {
            let parts: String =
                row.losses.iter().fold(String::new(), |all, (name, loss)| format!("{all} {name} {loss}"));
            lines.push_str(&format!("{} {}{parts} norm {}\n", row.step, row.loss, row.norm));
        }
        Event::Measured(report) => lines.push_str(&measured(report)),
        _ => {}
    };
    train(&model, &options, host, listener).unwrap_or_else(|error| panic!("{error}"));
    lines
}

/// What a task found, as a line.
fn measured(Report { task, found, .. }: &Report) -> String {
    match found {
        Found::Retrieval(found) => {
            format!("{task} {:?} {:?}\n", found.recall.text.percent, found.recall.image.percent)
        }
        Found::Scores(found) => format!("{task} {:?}\n", found.scores),
    }
}

/// Compares with the record, or makes it under `UPDATE=1`.
fn compare(record: &str, found: &str) {
    let file = path("tests/golden").join(record);
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(file, found).expect("is written");
    }
    let expected = std::fs::read_to_string(&file).expect("a record; UPDATE=1 makes one");
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "line {} of tests/golden/{record}", number + 1);
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "lines of tests/golden/{record}");
}

fn short(name: &str, stage: Option<&str>) {
    let host = host([], Level::Plain);
    compare(&format!("{name}.txt"), &curve(&format!("tests/golden/{name}.chi"), stage, &host, 1));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_small_clip_learns_as_recorded() {
    short("clip", None);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_small_albef_learns_as_recorded() {
    short("albef", None);
}

/// Pairs, pictures and texts side by side.
#[cfg(target_arch = "x86_64")]
#[test]
fn sources_side_by_side_learn_as_recorded() {
    short("beside", Some("pretrain"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn batches_in_pieces_learn_as_recorded() {
    short("pieces", Some("pretrain"));
}

/// A state that begins as the k-means of the first batch.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_code_book_begins_as_recorded() {
    short("codes", Some("pretrain"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn optimisers_move_as_recorded() {
    ["lamb", "adafactor", "sgd"].iter().for_each(|name| short(name, None));
}

/// A whole run of a tiny model, up to a stage if one is named; needs a record made with the same instructions.
#[allow(clippy::print_stderr)]
fn whole(name: &str, stage: Option<&str>, data: Option<PathBuf>) {
    let level = Level::detect();
    let record = format!("{name}.{}.txt", format!("{level:?}").to_lowercase());
    if std::env::var_os("UPDATE").is_none() && !path("tests/golden").join(&record).exists() {
        return eprintln!("SKIPPED: there is no tests/golden/{record}; UPDATE=1 makes one");
    }
    compare(&record, &curve(&format!("models/tiny/{name}.chi"), stage, &host(data, level), 10));
}

/// On real data; needs `CHIASM_DATA`.
#[allow(clippy::print_stderr)]
fn real(name: &str, stage: Option<&str>) {
    match std::env::var_os("CHIASM_DATA") {
        Some(data) => whole(name, stage, Some(PathBuf::from(data))),
        None => eprintln!("SKIPPED: {name} needs real data; set CHIASM_DATA to their folder"),
    }
}

#[test]
#[ignore = "trains for two minutes; cargo test --release --test golden clip_finds_scenes -- --ignored"]
fn clip_finds_scenes() {
    whole("clip", None, None);
}

/// Its words are those of `chiasm vocabulary models/tiny/coca_photos.chi --data DIR`.
#[test]
#[ignore = "trains for a quarter of an hour; CHIASM_DATA=DIR cargo test --release --test golden coca_on_photos -- --ignored"]
fn coca_on_photos() {
    real("coca_photos", Some("pretrain"));
}

#[test]
#[ignore = "trains for a quarter of an hour; CHIASM_DATA=DIR cargo test --release --test golden albef_on_photos -- --ignored"]
fn albef_on_photos() {
    real("albef_photos", None);
}

#[test]
#[ignore = "trains for a quarter of an hour; after the example nlvr_lessons: CHIASM_DATA=DIR cargo test --release --test golden nlvr_after_lessons -- --ignored"]
fn nlvr_after_lessons() {
    real("nlvr", None);
}

#[test]
#[ignore = "trains for a quarter of an hour; CHIASM_DATA=DIR cargo test --release --test golden vlmo_on_films -- --ignored"]
fn vlmo_on_films() {
    real("vlmo_films", Some("language"));
}

#[test]
#[ignore = "trains for ten minutes; cargo test --release --test golden albef_tells_true_from_false -- --ignored"]
fn albef_tells_true_from_false() {
    whole("albef_truth", Some("truth"), None);
}

#[test]
#[ignore = "trains for ten minutes; cargo test --release --test golden coca_finds_and_describes -- --ignored"]
fn coca_finds_and_describes() {
    whole("coca", Some("pretrain"), None);
}

#[test]
#[ignore = "trains for a quarter of an hour; cargo test --release --test golden beit3_finds_and_describes -- --ignored"]
fn beit3_finds_and_describes() {
    whole("beit3", Some("captioning"), None);
}

#[test]
#[ignore = "trains for ten minutes; cargo test --release --test golden vlmo_goes_through_its_stages -- --ignored"]
fn vlmo_goes_through_its_stages() {
    whole("vlmo", None, None);
}

#[test]
#[ignore = "trains for twenty minutes; cargo test --release --test golden blip_cleans_its_captions -- --ignored"]
fn blip_cleans_its_captions() {
    whole("blip", Some("bootstrap"), None);
}

#[test]
#[ignore = "trains for ten minutes; cargo test --release --test golden simvlm_describes -- --ignored"]
fn simvlm_describes() {
    whole("simvlm", None, None);
}

#[test]
#[ignore = "trains for ten minutes; cargo test --release --test golden beit2_names_hidden_patches -- --ignored"]
fn beit2_names_hidden_patches() {
    whole("beit2", Some("pretrain"), None);
}

#[test]
#[ignore = "trains for twenty minutes; cargo test --release --test golden vlbeit_finds -- --ignored"]
fn vlbeit_finds() {
    whole("vlbeit", Some("retrieval"), None);
}
