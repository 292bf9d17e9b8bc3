//! Statements about boxes and about what is scattered in them.

use super::claim::{Claim, Count, ONCE, OfItem, Part, of};
use super::draw::{Draw, article, plural};
use super::scene::Item;
use std::collections::BTreeSet;

/// How many colours there are.
pub fn colors(items: &[Item]) -> usize {
    items.iter().map(Item::color).collect::<BTreeSet<_>>().len()
}

/// A statement about a box.
pub fn claim(draw: &mut Draw) -> Claim {
    let (color, other) = draw.two_colors();
    match draw.below(7) {
        0..2 => {
            let (count, text) = draw.some(7, "item");
            let part = Part::items(text, count, |_| true);
            let (count, text) = draw.there(3, "box", &format!("with {}", part.text));
            Claim::of_boxes(text, count, part)
        }
        2 => {
            let (count, text) = draw.some(7, "item");
            let text = format!("one of the grey boxes has {text}");
            Claim::of_boxes(text, ONCE, Part::items("", count, |_| true))
        }
        3 => {
            let (number, written) = draw.number(3, 7);
            let all = move |items: &[Item]| items.len() == number && colors(items) == 3;
            let text = format!("there is a box with {written} items of all 3 different colors");
            Claim::of_boxes(text, ONCE, Part::whole("", all))
        }
        4 => {
            let pair = move |items: &[Item]| {
                colors(items) == 2 && items.iter().all(|item| [color, other].contains(&item.color()))
            };
            let text = format!("there is a box with only {color} and {other} items");
            Claim::of_boxes(text, ONCE, Part::whole("", pair))
        }
        5 => {
            let one = Part::whole("", move |items| items.iter().all(of(color)));
            if draw.chance(50) {
                return Claim::of_boxes(
                    format!("there is a box with items of only {color} color"),
                    ONCE,
                    one,
                );
            }
            let (count, text) = draw.there(3, "box", &format!("with only {color} items"));
            Claim::of_boxes(text, count, one)
        }
        _ if draw.chance(30) => {
            let part = Part::items("", ONCE, of(color));
            Claim::of_boxes(format!("each box has at least 1 {color} item"), Count::Exactly(3), part)
        }
        _ => {
            let (count, text) = draw.some(3, &format!("{color} item"));
            let part = Part::items(text, count, of(color));
            let (count, text) = draw.there(3, "box", &format!("with {}", part.text));
            Claim::of_boxes(text, count, part)
        }
    }
}

/// A kind of thing: `yellow circle`, and its test.
fn kind(draw: &mut Draw) -> (String, impl Fn(&Item) -> bool + Clone + 'static) {
    let color = if draw.chance(75) { Some(draw.colors().0) } else { None };
    let shape = draw.one(&["item", "square", "circle", "triangle", "object"]);
    let name = color.map_or_else(|| shape.to_string(), |color| format!("{color} {shape}"));
    let any = matches!(shape, "item" | "object");
    let fits =
        move |item: &Item| color.is_none_or(|color| item.color() == color) && (any || item.shape() == shape);
    (name, fits)
}

/// Where something lies.
fn place(draw: &mut Draw) -> (&'static str, OfItem) {
    let at_wall = ["touching the wall", "touching the edge", "touching any edge"];
    match draw.below(8) {
        0..3 => (draw.one(&at_wall), Box::new(Item::at_wall)),
        3 => ("touching the base", Box::new(|item| item.walls()[3])),
        4 => ("closely touching the bottom of a box", Box::new(|item| item.walls()[3])),
        5 => (draw.one(&["touching the corner", "closely touching a corner"]), Box::new(Item::in_corner)),
        6 => ("closely touching right wall of a box", Box::new(|item| item.walls()[1])),
        _ => {
            (draw.one(&["not touching any edge", "not touching the edge"]), Box::new(|item| !item.at_wall()))
        }
    }
}

/// A statement about what is scattered.
pub fn scattered(draw: &mut Draw) -> Claim {
    let (name, fits) = kind(draw);
    match draw.below(11) {
        0..4 => {
            let (words, lies) = place(draw);
            let (count, text) = draw.there(4, &name, words);
            Claim::of_items(text, count, move |item| fits(item) && lies(item))
        }
        4 => {
            let (count, text) = draw.there(4, &name, "");
            Claim::of_items(text, count, fits)
        }
        5 => {
            let (count, text) = draw.some(3, &name);
            Claim::of_boxes(format!("there is a box with {text}"), ONCE, Part::items("", count, fits))
        }
        6..9 => together(draw, Part::items(format!("{} {name}", article(&name)), ONCE, fits)),
        9 => {
            let text = format!("none of the {} are touching any edge", plural(&name));
            Claim::of_items(text, Count::Exactly(0), move |item| fits(item) && item.at_wall())
        }
        _ => claim(draw),
    }
}

/// A box with several things.
fn together(draw: &mut Draw, first: Part) -> Claim {
    let (name, fits) = kind(draw);
    let all = match draw.below(3) {
        0 => first.and(Part::items(format!("{} {name}", article(&name)), ONCE, fits), " and "),
        1 => {
            let (count, text) = draw.some(3, &name);
            first.and(Part::items(text, count, fits), " and ")
        }
        _ => {
            let (third, more) = kind(draw);
            let two = first.and(Part::items(format!("{} {name}", article(&name)), ONCE, fits), ", ");
            two.and(Part::items(format!("{} {third}", article(&third)), ONCE, more), " and ")
        }
    };
    Claim::of_boxes(format!("there is a box with {}", all.text), ONCE, all)
}
