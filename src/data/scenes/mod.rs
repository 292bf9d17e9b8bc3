//! `scenes`: coloured shapes on a plain ground with captions, drawn in memory. No download, the same on every machine.
//!
//! A picture shows one to three objects, each a colour and a shape in one of two sizes, in different cells of a 3 x 3 grid. It has five
//! captions of different wording that name every object with colour and shape, and mostly sizes, places or relations. No caption is
//! longer than 24 WordPiece tokens, `[CLS]` and `[SEP]` included.
//!
//! `train` has 20,000 pictures, `few` 1,000 others like them, `val` 500. Every colour has one shape that `train` never shows in that
//! colour; every picture of `val`
//! has at least one of these eight, so `val` asks for what can only be put together from parts. No two pictures of `val` show the same
//! set of coloured shapes. Mirroring (`flip`) makes captions that say "left" false.
//!
//! ```
//! use chiasm::data::scenes::{Colour, Scene, Shape, held_out};
//! let scenes = Scene::all("val").unwrap();
//! assert!(scenes.iter().all(|scene| scene.objects.iter().any(|o| held_out(o.colour) == o.shape)));
//! assert_eq!(scenes[0].captions("val", 0).len(), 5);
//! assert_eq!(held_out(Colour::Red), Shape::Circle);
//! ```

mod claims;
mod compose;
mod draw;
mod pairs;
mod truths;
mod words;

use super::dataset::{Dataset, Picture};
use super::library::Ask;
use super::{Cell, Error};
use crate::random::Stream;
use crate::recipe::DataKind;

pub use compose::held_out;

/// Pictures of the training split.
pub const TRAIN: usize = 20_000;
/// Pictures of the split `few`, which are like those of `train` but others.
pub const FEW: usize = 1000;
/// Pictures of the validation split.
pub const VAL: usize = 500;
/// Captions of every picture.
pub const CAPTIONS: usize = 5;
/// What rows there are.
const KINDS: &str = "pairs(…), images(…), texts(…) and entail(…)";

/// What a picture shows: all there is to know for drawing and describing it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Behind the objects.
    pub ground: Ground,
    /// One to three, in different colours and cells.
    pub objects: Vec<Object>,
}

/// One thing in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    /// What colour.
    pub colour: Colour,
    /// What shape.
    pub shape: Shape,
    /// Large or small.
    pub size: Size,
    /// From the left, 0 to 2.
    pub column: u8,
    /// From the top, 0 to 2.
    pub row: u8,
    /// Off the middle of the cell, in 64ths of the picture.
    shift: [f32; 2],
    /// Which of five small turns.
    turn: u8,
    /// Brightness, about 1.
    shade: f32,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident $word:literal),* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum $name { $($variant),* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As captions say it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words!(
    /// The colour of an object.
    Colour {
        Red "red", Green "green", Blue "blue", Yellow "yellow",
        Purple "purple", Orange "orange", Pink "pink", White "white"
    }
);
words!(
    /// The shape of an object.
    Shape {
        Circle "circle", Square "square", Triangle "triangle", Star "star", Diamond "diamond", Cross "cross"
    }
);
words!(
    /// The size of an object.
    Size { Large "large", Small "small" }
);
words!(
    /// The colour of the ground.
    Ground { Black "black", Gray "gray", Brown "brown", Navy "navy" }
);

impl Scene {
    /// All pictures of a split (`train`, `few` or `val`), or nothing for another name.
    pub fn all(split: &str) -> Option<Vec<Self>> {
        match split {
            "train" => Some(compose::train(0..TRAIN)),
            "few" => Some(compose::train(TRAIN..TRAIN + FEW)),
            "val" => Some(compose::val(VAL)),
            _ => None,
        }
    }

    /// The captions of a picture with this number in a split.
    pub fn captions(&self, split: &str, number: usize) -> Vec<String> {
        words::captions(self, &mut Dice::new("scenes/words", split, number as u64))
    }

    /// Whether a text in the words of the captions is true of the picture: every coloured shape that it names is there, and sizes,
    /// places, relations and the ground are as it says. It need not name everything; what cannot be understood is not true.
    pub fn agrees(&self, text: &str) -> bool {
        claims::hold(self, text)
    }

    /// The picture at any size, antialiased.
    pub fn draw(&self, side: usize) -> super::image::Pixels {
        draw::draw(self, side)
    }
}

/// Adds a split to a data set, as rows of the kind that is asked for.
pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    let scenes = Scene::all(ask.split).ok_or_else(|| Error::NoSplit {
        name: "scenes".into(),
        split: ask.split.into(),
        known: "`train`, `few` and `val`".into(),
    })?;
    if let DataKind::Pairs { prompt, wrong } = ask.kind {
        pairs::add(&scenes, ask.split, prompt.as_deref(), *wrong, dataset);
        return Ok(());
    }
    for (number, scene) in scenes.into_iter().enumerate() {
        let captions = scene.captions(ask.split, number);
        match ask.kind {
            DataKind::Images => {
                let picture = dataset.add_picture(Picture::Scene(scene));
                dataset.add_row([("image", Cell::Picture(picture))]);
            }
            DataKind::Texts => {
                captions.into_iter().for_each(|text| dataset.add_row([("text", Cell::Text(text))]))
            }
            DataKind::Entail => truths::add(&scene, ask.split, number, dataset),
            kind => return Err(Error::NoKind { name: "scenes", kind: kind.name(), known: KINDS }),
        }
    }
    Ok(())
}

/// Draws of one picture, one after the other.
struct Dice {
    stream: Stream,
    row: u32,
    thrown: u32,
}

impl Dice {
    fn new(path: &str, split: &str, number: u64) -> Self {
        Self { stream: Stream::new(0, split, path).at_step(number), row: 0, thrown: 0 }
    }

    /// Other draws for the same picture.
    fn again(&mut self) {
        self.row += 1;
        self.thrown = 0;
    }

    fn below(&mut self, n: usize) -> usize {
        self.thrown += 1;
        self.stream.below(n as u32, self.row, self.thrown - 1) as usize
    }

    /// Even in -1..1.
    fn spread(&mut self) -> f32 {
        self.thrown += 1;
        self.stream.uniform(self.row, self.thrown - 1) * 2.0 - 1.0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// The first `n` of a shuffled list.
    fn some<T: Copy>(&mut self, n: usize, from: &[T]) -> Vec<T> {
        let mut left = from.to_vec();
        (0..n.min(from.len())).map(|_| left.swap_remove(self.below(left.len()))).collect()
    }
}
