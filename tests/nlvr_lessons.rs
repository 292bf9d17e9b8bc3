//! The lessons that examples/nlvr_lessons writes: a box in words, and statements that are true when they say so.

#[path = "../examples/nlvr_lessons/boxes.rs"]
mod boxes;
#[path = "../examples/nlvr_lessons/claim.rs"]
mod claim;
#[path = "../examples/nlvr_lessons/draw.rs"]
mod draw;
#[path = "../examples/nlvr_lessons/scene.rs"]
mod scene;
#[path = "../examples/nlvr_lessons/towers.rs"]
mod towers;
#[path = "../examples/nlvr_lessons/words.rs"]
mod words;

use claim::Claim;
use draw::Draw;
use scene::{Item, PLACES, Strip};

fn item(shape: &str, color: &str, size: i64, x: i64, y: i64) -> String {
    format!(r#"{{"type": "{shape}", "color": "{color}", "size": {size}, "x_loc": {x}, "y_loc": {y}}}"#)
}

fn strip(boxes: [Vec<String>; 3]) -> Strip {
    let boxes = boxes.map(|items| format!("[{}]", items.join(", "))).join(", ");
    let head = r#""directory": "3", "split": "dev", "identifier": "7-1", "sentence": "There is a box.", "label": "true""#;
    Strip::parse(&format!(r#"{{{head}, "structured_rep": [{boxes}]}}"#)).expect("a strip")
}

fn block(color: &str, place: i64) -> String {
    item("square", color, 20, 40, 80 - 21 * place)
}

fn towers_of(colors: [&[&str]; 3]) -> Strip {
    strip(colors.map(|tower| (0..).zip(tower).map(|(place, color)| block(color, place)).collect()))
}

#[test]
fn a_box_in_words_names_each_cell_and_counts() {
    let corner = item("triangle", "#0099ff", 10, 90, 0);
    let strip = strip([vec![corner], vec![block("Black", 0)], Vec::new()]);
    assert!(!strip.has_towers());
    assert_eq!((strip.sentence.as_str(), strip.label.as_str()), ("There is a box.", "true"));
    assert_eq!(strip.image("train", 4), "nlvr/train/images/3/dev-7-1-4.png");
    let said = words::words(&strip, PLACES[2]);
    let said: Vec<&str> = said.split(' ').collect();
    assert_eq!(said.len(), 3 * 133);
    assert_eq!(
        said[5 * 22..5 * 23],
        ["black", "square", "medium", "bottom", "none"],
        "image 2 shows box 1 first"
    );
    assert_eq!(said[133 + 5 * 4..133 + 5 * 5], ["blue", "triangle", "small", "corner", "none"]);
    assert_eq!(said[133 + 125..2 * 133], ["one", "zero", "zero", "one", "zero", "zero", "one", "one"]);
    assert_eq!(said[2 * 133..][..5], ["none"; 5]);
}

#[test]
fn a_tower_reads_from_its_base() {
    let strip = towers_of([&["Black", "Yellow"], &["Yellow"], &["Yellow", "Black", "#0099ff"]]);
    assert!(strip.has_towers());
    assert_eq!(strip.boxes[2].iter().map(Item::color).collect::<Vec<_>>(), ["yellow", "black", "blue"]);
}

/// What a plain statement of counts means, read anew from its words.
fn plain(text: &str, strip: &Strip) -> Option<bool> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let noun = words.pop()?.trim_end_matches('s');
    let color = words.pop().filter(|word| draw::COLORS.contains(word) && noun == "block")?;
    let found = strip.boxes.iter().flatten().filter(|item| item.color() == color).count();
    let how =
        words.strip_prefix(&["there", "is"]).or_else(|| words.strip_prefix(&["there", "are"]))?.join(" ");
    Some(match how.as_str() {
        "no" => found == 0,
        "a" | "at least one" | "at least 1" => found >= 1,
        "one" | "1" | "only one" | "exactly one" => found == 1,
        other => {
            let written = ["two", "three", "four", "five"];
            let at_least = other.strip_prefix("at least ");
            let exactly = other.strip_prefix("exactly ").or_else(|| other.strip_prefix("only "));
            let number = at_least.or(exactly).unwrap_or(other);
            let place = written.iter().position(|word| *word == number);
            let number = place.map_or_else(|| number.parse().ok(), |place| Some(place + 2))?;
            if at_least.is_some() { found >= number } else { found == number }
        }
    })
}

#[test]
fn statements_are_true_when_they_say_so_and_show_why() {
    let strips = [
        towers_of([&["Black", "Yellow"], &["Yellow"], &["Yellow", "Black", "#0099ff"]]),
        towers_of([&["Black", "Black"], &["#0099ff", "Black", "Black"], &["Black"]]),
    ];
    let (mut draw, mut read) = (Draw::new(1), 0);
    for _ in 0..4000 {
        let Claim { text, .. } = &towers::claim(&mut draw);
        assert!(text.starts_with(char::is_lowercase) && !text.contains("  "), "{text}");
        let claim = &towers::claim(&mut draw);
        for strip in &strips {
            let (often, shown) = (claim.often(&strip.boxes), claim.shown(&strip.boxes));
            for (place, shown) in shown.iter().enumerate() {
                assert!(
                    often[place] == 0 || !shown.is_empty() || claim.text.contains("box"),
                    "{}",
                    claim.text
                );
            }
            if let Some(expected) = plain(&claim.text, strip) {
                assert_eq!(claim.holds(&strip.boxes), expected, "{}", claim.text);
                read += 1;
            }
        }
    }
    assert!(read > 500, "only {read} plain statements");
}

#[test]
fn what_is_scattered_is_counted_where_it_lies() {
    let at = |shape, color, x, y| item(shape, color, 10, x, y);
    let left =
        vec![at("circle", "Yellow", 0, 40), at("square", "Black", 40, 90), at("circle", "Black", 50, 50)];
    let strip = strip([left, vec![at("triangle", "#0099ff", 90, 90)], Vec::new()]);
    let mut draw = Draw::new(3);
    let claims = (0..60_000).map(|_| boxes::scattered(&mut draw));
    let found: std::collections::BTreeMap<String, [usize; 3]> =
        claims.map(|claim| (claim.text.clone(), claim.often(&strip.boxes))).collect();
    let expected = [
        ("there is a circle touching the wall", [1, 0, 0]),
        ("there is an item not touching any edge", [1, 0, 0]),
        ("there is an object touching the corner", [0, 1, 0]),
        ("there is an item touching the base", [1, 1, 0]),
        ("there is a black item", [2, 0, 0]),
        ("there is a box with only yellow and black items", [1, 0, 0]),
        ("there is a box with a black circle and a yellow circle", [1, 0, 0]),
        ("none of the circles are touching any edge", [1, 0, 0]),
        ("each box has at least 1 blue item", [0, 1, 0]),
    ];
    for (text, often) in expected {
        assert_eq!(found.get(text), Some(&often), "{text}");
    }
}

#[test]
fn both_ends_and_neighbours_are_told_apart() {
    let strip = towers_of([&["Black", "Yellow"], &["Yellow"], &["Yellow", "Black", "#0099ff"]]);
    let mut draw = Draw::new(2);
    let mut found = std::collections::BTreeMap::new();
    for _ in 0..40_000 {
        let claim = towers::claim(&mut draw);
        let holds = claim.holds(&strip.boxes);
        found.insert(claim.text, holds);
    }
    let expected = [
        ("there is a tower with a yellow block at the top", true),
        ("there is one tower with a yellow block at the base", false),
        ("there is a tower with a black block above a yellow block", true),
        ("there is a tower with a black block below a yellow block", true),
        ("there is a tower with a yellow block above a blue block", false),
        ("there is no tower with a blue block at the base", true),
        ("there is a tower with only yellow blocks", true),
        ("there is a tower with blocks of all three colors", true),
        ("each tower has at least 1 yellow block", true),
        ("each tower has at least 1 black block", false),
    ];
    for (text, holds) in expected {
        assert_eq!(found.get(text), Some(&holds), "{text}");
    }
}
