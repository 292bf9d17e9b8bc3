//! Statements about towers of blocks, in the ways in which people write them most often.

use super::boxes;
use super::claim::{Claim, Count, ONCE, Part, of};
use super::draw::Draw;
use super::scene::Item;

fn stands(draw: &mut Draw) -> (bool, &'static str) {
    draw.one(&[(true, "top"), (false, "base")])
}

fn with(draw: &mut Draw) -> &'static str {
    draw.one(&["with", "with", "which has", "that has", "having"])
}

/// `exactly two blocks`
fn height(draw: &mut Draw, high: usize) -> Part {
    let (count, text) = draw.some(high, "block");
    Part::items(text, count, |_| true)
}

/// One statement.
pub fn claim(draw: &mut Draw) -> Claim {
    match draw.below(16) {
        0..3 => end(draw),
        3..5 => tall(draw),
        5..8 => above(draw),
        8..10 => blocks(draw),
        10..12 => colored(draw),
        12..14 => both_ends(draw),
        14 => stacked(draw),
        _ => boxes::claim(draw),
    }
}

/// The block at the top or at the base.
fn end(draw: &mut Draw) -> Claim {
    let ((color, _), (top, place)) = (draw.colors(), stands(draw));
    let part = Part::end(format!("a {color} block at the {place}"), top, color);
    match draw.below(5) {
        0..2 => {
            let rest = format!("{} {}", with(draw), part.text);
            let (count, text) = draw.there(3, "tower", &rest);
            Claim::of_boxes(text, count, part)
        }
        2 => {
            let (count, text) =
                draw.there(3, &format!("{color} block"), &format!("as the {place} of a tower"));
            Claim::of_boxes(text, count, part)
        }
        3 => {
            let tall = height(draw, 4);
            let rest = format!("as the {place} of a tower with {}", tall.text);
            let (count, text) = draw.there(3, &format!("{color} block"), &rest);
            Claim::of_boxes(text, count, part.and(tall, ""))
        }
        _ => {
            let (number, written) = draw.number(1, 4);
            let tall = Part::items("", Count::Exactly(number), |_| true);
            let text = format!("the {place} of a {written} blocks tower is {color}");
            Claim::of_boxes(text, ONCE, part.and(tall, ""))
        }
    }
}

/// How many blocks a tower has.
fn tall(draw: &mut Draw) -> Claim {
    let tall = height(draw, 4);
    if draw.chance(50) {
        let rest = format!("{} {}", with(draw), tall.text);
        let (count, text) = draw.there(3, "tower", &rest);
        return Claim::of_boxes(text, count, tall);
    }
    let ((color, _), (top, place)) = (draw.colors(), stands(draw));
    let both = tall.and(Part::end(format!("a {color} block at the {place}"), top, color), " having ");
    if draw.chance(50) {
        let (count, text) = draw.there(3, "tower", &format!("with {}", both.text));
        return Claim::of_boxes(text, count, both);
    }
    Claim::of_boxes(format!("the tower with {}", both.text.replace(" having ", " has ")), ONCE, both)
}

/// One block over another.
fn above(draw: &mut Draw) -> Claim {
    let (one, other) = draw.colors();
    let (over, word) =
        draw.one(&[(true, "over"), (true, "above"), (true, "on"), (false, "below"), (false, "below")]);
    let (upper, lower) = if over { (one, other) } else { (other, one) };
    let part = Part::above(format!("a {one} block {word} a {other} block"), upper, lower);
    if draw.chance(50) {
        let rest = format!("{} {}", with(draw), part.text);
        let (count, text) = draw.there(3, "tower", &rest);
        return Claim::of_boxes(text, count, part);
    }
    let (count, how) =
        draw.one(&[(ONCE, "a"), (ONCE, "a"), (ONCE, "at least one"), (Count::Exactly(0), "no")]);
    let rest = part.text.strip_prefix("a ").unwrap_or(&part.text);
    Claim::of_boxes(format!("there is {how} {rest}"), count, part)
}

/// Blocks of a colour, anywhere or at a wall.
fn blocks(draw: &mut Draw) -> Claim {
    let (color, _) = draw.colors();
    let noun = format!("{color} {}", draw.one(&["block", "block", "item"]));
    if draw.chance(20) {
        let (count, text) = draw.there(4, &noun, "touching the wall");
        return Claim::of_items(text, count, move |item| item.color() == color && item.at_wall());
    }
    let (count, text) = draw.there(5, &noun, "");
    Claim::of_items(text, count, of(color))
}

/// Towers by the colours of their blocks.
fn colored(draw: &mut Draw) -> Claim {
    let (color, _) = draw.colors();
    let only = move |items: &[Item]| items.iter().all(of(color));
    match draw.below(6) {
        0..2 => {
            let (count, text) = draw.some(3, &format!("{color} block"));
            let part = Part::items(text, count, of(color));
            let rest = format!("{} {}", with(draw), part.text);
            let (count, text) = draw.there(3, "tower", &rest);
            Claim::of_boxes(text, count, part)
        }
        2 => {
            let rest = format!("{} only {color} blocks", with(draw));
            let (count, text) = draw.there(3, "tower", &rest);
            Claim::of_boxes(text, count, Part::whole("", only))
        }
        3 => {
            let tall = Part::items(" with more than one block", Count::AtLeast(2), |_| true);
            let (part, rest) = match draw.chance(50) {
                true => (Part::whole("", only), ""),
                false => (Part::whole("", only).and(tall, ""), " with more than one block"),
            };
            Claim::of_boxes(format!("there is a {color} tower{rest}"), ONCE, part)
        }
        4 => {
            let all = |items: &[Item]| boxes::colors(items) == 3;
            let rest = format!("{} blocks of all three colors", with(draw));
            let (count, text) = draw.there(3, "tower", &rest);
            Claim::of_boxes(text, count, Part::whole("", all))
        }
        _ => {
            let part = Part::items("", ONCE, of(color));
            Claim::of_boxes(format!("each tower has at least 1 {color} block"), Count::Exactly(3), part)
        }
    }
}

/// The base and the top of one tower.
fn both_ends(draw: &mut Draw) -> Claim {
    let (color, other) = draw.colors();
    let (top, base) = (Part::end("", true, color), Part::end("", false, other));
    if draw.chance(50) {
        let rest = format!("{} a {color} block at the top and a {other} block at the base", with(draw));
        let (count, text) = draw.there(3, "tower", &rest);
        return Claim::of_boxes(text, count, top.and(base, ""));
    }
    let (number, written) = draw.number(2, 4);
    let tall = Part::items("", Count::Exactly(number), |_| true);
    let text = format!("there is a {written} blocks tower and the base is {other} and the top is {color}");
    Claim::of_boxes(text, ONCE, top.and(base, "").and(tall, ""))
}

/// Two blocks of a colour on each other, or a box whose last item has a colour.
fn stacked(draw: &mut Draw) -> Claim {
    let (color, _) = draw.colors();
    if draw.chance(50) {
        let (count, text) = draw.there(3, "tower", &format!("with 2 {color} blocks stacked together"));
        return Claim::of_boxes(text, count, Part::above("", color, color));
    }
    let (number, written) = draw.number(1, 4);
    let tall = Part::items("", Count::Exactly(number), |_| true);
    let items = if number == 1 { "item" } else { "items" };
    let text = format!("there is a box with {written} {items} and a {color} item on top");
    Claim::of_boxes(text, ONCE, Part::end("", true, color).and(tall, ""))
}
