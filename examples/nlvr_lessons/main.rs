//! Lessons before NLVR's own statements, made from what its file says of the train pictures: which thing lies where
//! (`nlvr_see`), and made statements with their reasons among those that people wrote (`nlvr_why`). models/tiny/nlvr.chi learns from
//! them.
//!
//! ```text
//! cargo run --release --example nlvr_lessons -- DATA
//! ```
//! `DATA` holds `nlvr/train/train.json` and the pictures; the lessons are written beside, in the layout of VQA. Nothing of a
//! lesson is taken from the val split; `nlvr_see/val.json` only measures how well the eyes are.

#![allow(clippy::print_stdout)]

mod boxes;
mod claim;
mod draw;
mod scene;
mod towers;
mod words;

use claim::Claim;
use draw::Draw;
use scene::{PLACES, Strip};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::path::Path;

/// Statements to make.
const MADE: usize = 60_000;
/// How often each statement of a person is there, with each of its six pictures.
const WRITTEN: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1).ok_or("usage: nlvr_lessons DATA, the folder that holds nlvr/")?;
    let data = Path::new(&data);
    let (train, val) = (strips(data, "train")?, strips(data, "val")?);
    write(&data.join("nlvr_see/train.json"), &seen(&train, "train"))?;
    write(&data.join("nlvr_see/val.json"), &seen(&val, "val"))?;
    let why = [reasons(&train), verdicts(&train)].concat();
    write(&data.join("nlvr_why/train.json"), &why)
}

fn strips(data: &Path, split: &str) -> Result<Vec<Strip>, Box<dyn Error>> {
    let path = data.join(format!("nlvr/{split}/{split}.json"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let strip = |(at, line): (usize, &str)| {
        Strip::parse(line).map_err(|error| format!("{}, line {}: {error}", path.display(), at + 1).into())
    };
    text.lines().enumerate().map(strip).collect()
}

fn write(path: &Path, rows: &[Value]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, serde_json::to_string(rows)?)?;
    println!("{}: {} rows", path.display(), rows.len());
    Ok(())
}

/// All six pictures of every strip, cell by cell.
fn seen(strips: &[Strip], split: &str) -> Vec<Value> {
    let row = |strip: &Strip, k: usize| {
        let (image, answer) = (strip.image(split, k), words::words(strip, PLACES[k]));
        json!({ "image": image, "question": "what lies where", "answer": answer })
    };
    strips.iter().flat_map(|strip| (0..6).map(move |k| row(strip, k))).collect()
}

/// Statements, half of them true, each about a strip of its kind.
fn reasons(strips: &[Strip]) -> Vec<Value> {
    let (towers, scattered): (Vec<&Strip>, Vec<&Strip>) = strips.iter().partition(|strip| strip.has_towers());
    let (mut draw, mut rows, mut right) = (Draw::new(0), Vec::new(), 0);
    while rows.len() < MADE {
        // People write more about towers; and their statements differ more.
        let about_towers = draw.chance(68);
        let pool = if about_towers { &towers } else { &scattered };
        let claim = if about_towers { towers::claim(&mut draw) } else { boxes::scattered(&mut draw) };
        let verdict = 2 * right <= rows.len();
        let mut tries = (0..25).map(|_| pool[draw.below(pool.len())]);
        let Some(strip) = tries.find(|strip| claim.holds(&strip.boxes) == verdict) else { continue };
        rows.push(reason(&claim, strip, &mut draw, verdict));
        right += usize::from(verdict);
    }
    rows
}

/// What people wrote: only the verdict is known.
fn verdicts(strips: &[Strip]) -> Vec<Value> {
    let why = |strip: &Strip| format!("{} {}", u8::from(strip.label == "true"), ["unknown"; 78].join(" "));
    let row = |strip: &Strip, k: usize| json!({ "image": strip.image("train", k), "question": strip.sentence, "answer": why(strip) });
    let once = || strips.iter().flat_map(|strip| (0..6).map(move |k| row(strip, k)));
    (0..WRITTEN).flat_map(|_| once()).collect()
}

/// The verdict, how often each box has it, and the cells that show it.
fn reason(claim: &Claim, strip: &Strip, draw: &mut Draw, verdict: bool) -> Value {
    let k = draw.below(PLACES.len());
    let (often, shown) = (claim.often(&strip.boxes), claim.shown(&strip.boxes));
    let marked = PLACES[k].map(|place| {
        let mut cells = ["0"; 25];
        shown[place].iter().for_each(|at| cells[strip.boxes[place][*at].cell()] = "1");
        cells.join(" ")
    });
    let often = PLACES[k].map(|place| often[place].min(7).to_string());
    let why = format!("{} {} {}", u8::from(verdict), often.join(" "), marked.join(" "));
    json!({ "image": strip.image("train", k), "question": spoken(&claim.text, draw), "answer": why })
}

/// As a sentence, or as typed in haste.
fn spoken(text: &str, draw: &mut Draw) -> String {
    let mut letters = text.chars();
    match letters.next().filter(|_| draw.chance(50)) {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text.to_string(),
    }
}
