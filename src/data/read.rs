//! Rows of a data set in a given order, without chance: what tasks read.
//!
//! ```
//! use chiasm::data::{Library, Wish};
//! use chiasm::recipe::Data;
//! let dataset = Library::default().open(&Data::pairs(["scenes/val"]))?;
//! let columns = dataset.read(&[0, 7], &[Wish::image("image", 16), Wish::ids("image_id")], &[])?;
//! assert_eq!(columns[0].dims, [2, 3, 16, 16]);
//! # Ok::<(), chiasm::data::Error>(())
//! ```

use super::transform::Augmentation;
use super::{Cells, Column, Dataset, Error, Values, Vocabulary, Wish, WishKind};
use crate::recipe::Transform;
use std::thread;

impl Dataset {
    /// Whether a column holds what an input asks for.
    ///
    /// # Errors
    /// `Wish`: no such column, or one of another kind.
    pub fn grants(&self, wish: &Wish) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Wish { name: wish.name.clone(), reason });
        let Some(cells) = self.cells(&wish.from) else {
            let known = self.columns().join(", ");
            return refuse(format!("{} has no column `{}`; it has {known}", self.name(), wish.from));
        };
        match (&wish.kind, cells) {
            (WishKind::Image { side: 0 }, _) => refuse("an image has at least one pixel".into()),
            (WishKind::Text { length: 0 | 1, .. }, _) => {
                refuse("a text has at least two places, the first and last token".into())
            }
            (WishKind::Image { .. }, Cells::Pictures(_))
            | (WishKind::Text { .. }, Cells::Texts(_))
            | (WishKind::Ids, Cells::Ids(_)) => Ok(()),
            (WishKind::Numbers { dims }, Cells::Numbers { width, .. }) => {
                match dims.iter().product::<usize>() == *width {
                    true => Ok(()),
                    false => {
                        refuse(format!("has {dims:?} numbers a row, the column `{}` has {width}", wish.from))
                    }
                }
            }
            (_, cells) => refuse(format!("the column `{}` holds {}", wish.from, cells.kind())),
        }
    }

    /// What rows hold, one column a wish, in the order of the wishes. A picture that cannot be read is grey, and in the report.
    ///
    /// # Errors
    /// A wish that the data cannot grant; no readable picture at all.
    pub fn read(
        &self,
        rows: &[usize],
        wishes: &[Wish],
        transforms: &[Transform],
    ) -> Result<Vec<Column>, Error> {
        wishes.iter().map(|wish| self.column(rows, wish, transforms)).collect()
    }

    fn column(&self, rows: &[usize], wish: &Wish, transforms: &[Transform]) -> Result<Column, Error> {
        self.grants(wish)?;
        let column = match &wish.kind {
            WishKind::Image { side } => {
                let pictures: Vec<usize> =
                    rows.iter().filter_map(|row| self.picture_in(&wish.from, *row)).collect();
                self.images(&pictures, *side, transforms)?
            }
            WishKind::Text { vocabulary, length } => {
                let texts: Vec<&str> = rows.iter().map(|row| self.text(&wish.from, *row)).collect();
                vocabulary.column(&wish.name, &texts, *length)?
            }
            WishKind::Ids | WishKind::Numbers { .. } => self.numbers(rows, wish),
        };
        Ok(Column { name: wish.name.clone(), ..column })
    }

    /// Whole numbers and numbers of rows. The wish was granted.
    pub(super) fn numbers(&self, rows: &[usize], wish: &Wish) -> Column {
        let (rest, values) = match (&wish.kind, self.cells(&wish.from)) {
            (WishKind::Numbers { dims }, Some(Cells::Numbers { width, values })) => {
                let row = |row: &usize| &values[row * width..(row + 1) * width];
                (dims.clone(), Values::Floats(rows.iter().flat_map(row).copied().collect()))
            }
            (_, Some(Cells::Ids(ids))) => (vec![], Values::Ids(rows.iter().map(|row| ids[*row]).collect())),
            _ => (vec![], Values::Ids(vec![0; rows.len()])),
        };
        let dims = std::iter::once(rows.len()).chain(rest).collect();
        Column { name: wish.name.clone(), dims, values, lengths: None }
    }

    /// Pictures in the given order, `[n, 3, side, side]`, without chance: of the transforms only `center` counts, otherwise
    /// pictures are squashed to the square. A picture that cannot be read is grey, and in the report.
    ///
    /// # Errors
    /// `NothingReadable` if every picture of the set was found to be broken, `Wish` if `side` is 0.
    pub fn images(&self, pictures: &[usize], side: usize, transforms: &[Transform]) -> Result<Column, Error> {
        if side == 0 {
            return Err(Error::Wish {
                name: "image".into(),
                reason: "an image has at least one pixel".into(),
            });
        }
        let mut values = vec![0.5; pictures.len() * 3 * side * side];
        self.fill(&mut values, pictures, side, &Augmentation::fixed(transforms));
        match self.nothing_readable() {
            Some(error) => Err(error),
            None => {
                let dims = vec![pictures.len(), 3, side, side];
                Ok(Column { name: "image".into(), dims, values: Values::Floats(values), lengths: None })
            }
        }
    }

    /// Writes the pictures that can be read, on all cores.
    fn fill(&self, values: &mut [f32], pictures: &[usize], side: usize, augmentation: &Augmentation) {
        let size = 3 * side * side;
        let each = pictures.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
        let one = |picture: usize, out: &mut [f32]| {
            if let Ok(pixels) = self.load(picture, side) {
                augmentation.apply(pixels, side, None).write_on(side, out);
            }
        };
        thread::scope(|scope| {
            for (numbers, out) in pictures.chunks(each).zip(values.chunks_mut(each * size)) {
                scope.spawn(move || {
                    numbers.iter().zip(out.chunks_mut(size)).for_each(|(n, out)| one(*n, out))
                });
            }
        });
    }

    /// Captions in the given order, `[n, length]` ids with their lengths.
    ///
    /// # Errors
    /// `Wish` if `length` is below 2.
    pub fn texts(&self, rows: &[usize], vocabulary: &Vocabulary, length: usize) -> Result<Column, Error> {
        let captions: Vec<&str> = rows.iter().map(|row| self.caption(*row)).collect();
        vocabulary.column("text", &captions, length)
    }
}
