//! What lies in the boxes of a strip, as NLVR's `structured_rep` tells it.
//!
//! A box has 100 x 100 pixels and is cut into 5 x 5 cells; y grows downwards. Invariant: the items of a box stand from below to
//! above, so a tower reads from its base to its top.

use serde::Deserialize;

/// A colour as NLVR writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
enum Color {
    Yellow,
    Black,
    #[serde(rename = "#0099ff")]
    Blue,
}

/// A shape as NLVR writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Square,
    Circle,
    Triangle,
}

/// A thing in a box.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    color: Color,
    #[serde(rename = "type")]
    shape: Shape,
    /// 10, 20 or 30 pixels.
    pub size: i64,
    #[serde(rename = "x_loc")]
    x: i64,
    #[serde(rename = "y_loc")]
    y: i64,
}

/// Three boxes.
pub type Boxes = [Vec<Item>; 3];

/// A line of NLVR's files.
#[derive(Debug, Deserialize)]
pub struct Strip {
    directory: String,
    split: String,
    identifier: String,
    /// What a person wrote about it, and whether that is `true`.
    pub sentence: String,
    pub label: String,
    /// Its boxes, as image 0 shows them.
    #[serde(rename = "structured_rep")]
    pub boxes: Boxes,
}

/// Which box image k shows at its three places.
pub const PLACES: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Item {
    /// One of three words.
    pub fn color(&self) -> &'static str {
        match self.color {
            Color::Yellow => "yellow",
            Color::Black => "black",
            Color::Blue => "blue",
        }
    }

    /// One of three words.
    pub fn shape(&self) -> &'static str {
        match self.shape {
            Shape::Square => "square",
            Shape::Circle => "circle",
            Shape::Triangle => "triangle",
        }
    }

    /// Whether it touches the left, right, upper and lower wall.
    pub fn walls(&self) -> [bool; 4] {
        [self.x <= 0, self.x + self.size >= 100, self.y <= 0, self.y + self.size >= 100]
    }

    /// Whether it touches any wall.
    pub fn at_wall(&self) -> bool {
        self.walls().contains(&true)
    }

    /// Whether it touches two.
    pub fn in_corner(&self) -> bool {
        self.walls().iter().filter(|touches| **touches).count() > 1
    }

    /// The cell in which its middle lies, row by row.
    pub fn cell(&self) -> usize {
        let place = |at: i64| ((at + self.size / 2) / 20).clamp(0, 4) as usize;
        place(self.y) * 5 + place(self.x)
    }
}

impl Strip {
    /// The line of a file.
    ///
    /// # Errors
    /// What is not as NLVR writes it.
    pub fn parse(line: &str) -> serde_json::Result<Self> {
        let mut strip: Self = serde_json::from_str(line)?;
        strip.boxes.iter_mut().for_each(|items| items.sort_by_key(|item| (-(item.y + item.size), item.x)));
        Ok(strip)
    }

    /// Image k of six, below the folder of all data.
    pub fn image(&self, folder: &str, k: usize) -> String {
        format!("nlvr/{folder}/images/{}/{}-{}-{k}.png", self.directory, self.split, self.identifier)
    }

    /// Whether its boxes hold towers of blocks.
    pub fn has_towers(&self) -> bool {
        let block = |item: &Item| item.shape() == "square" && item.size == 20 && item.x == 40;
        self.boxes.iter().flatten().all(block)
    }
}
