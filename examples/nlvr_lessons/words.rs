//! A box in words: five for each of its cells, then eight counts; what the stage `see` learns to say.

use super::scene::{Item, Strip};

const NUMBERS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The words of the three boxes, in the order in which an image shows them.
pub fn words(strip: &Strip, places: [usize; 3]) -> String {
    let towers = strip.has_towers();
    places.map(|place| of_box(&strip.boxes[place], towers).join(" ")).join(" ")
}

fn of_box(items: &[Item], tower: bool) -> Vec<&'static str> {
    let mut words = vec!["none"; 125];
    // Where two items lie in a cell, the lower one is told.
    for (place, item) in items.iter().enumerate().rev() {
        let size = ["small", "medium", "big"][(item.size / 10 - 1).clamp(0, 2) as usize];
        let role = if tower { role(place, items.len()) } else { "none" };
        words[item.cell() * 5..][..5].copy_from_slice(&[item.color(), item.shape(), size, touch(item), role]);
    }
    let count = |test: &dyn Fn(&Item) -> bool| NUMBERS[items.iter().filter(|item| test(item)).count().min(9)];
    words.push(count(&|_| true));
    words.extend(["yellow", "black", "blue"].map(|color| count(&|item| item.color() == color)));
    words.extend(["square", "circle", "triangle"].map(|of| count(&|item| item.shape() == of)));
    words.push(count(&Item::at_wall));
    words
}

fn touch(item: &Item) -> &'static str {
    match item.walls() {
        _ if item.in_corner() => "corner",
        [true, ..] => "left",
        [_, true, ..] => "right",
        [_, _, true, _] => "top",
        [.., true] => "bottom",
        _ => "none",
    }
}

fn role(place: usize, of: usize) -> &'static str {
    match place {
        _ if of == 1 => "only",
        0 => "bottom",
        _ if place + 1 == of => "top",
        _ => "center",
    }
}
