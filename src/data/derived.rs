//! Rows that a trained model made of others, as a file of lines: what `recaption(D, by: task)` writes and `keep(D, condition, on: stage)`
//! leaves. The first line says what made it and of which rows; every other is a row of D.
//!
//! ```text
//! {"derived":"keep(scenes, fits)","stage":"filter","checkpoint":"51c0…","request":"3e…","data":"77ab…","rows":6,"column":null}
//! {"row":0,"text":"a red star on the left"}
//! {"row":4,"text":"a big blue disc"}
//! ```
//!
//! Invariant: rows ascend and lie in D; a file that was not written to its end is none.

use super::dataset::Dataset;
use super::{Cell, Cells, Error};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// What made a file, and of which rows: two files with equal heads hold the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// As the language writes it.
    pub derived: String,
    /// The stage whose model was run.
    pub stage: String,
    /// A hash of its numbers.
    pub checkpoint: String,
    /// A hash of what was asked of it.
    pub request: String,
    /// A hash of the texts of D.
    pub data: String,
    /// How many rows D has.
    pub rows: usize,
    /// The column whose texts are replaced; none if rows are only left out.
    pub column: Option<String>,
}

/// A row of D that is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in D.
    pub row: usize,
    /// Its text; where a column is replaced, what stands there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// What made it.
    pub head: Head,
    /// The rows, ascending.
    pub lines: Vec<Line>,
}

impl Derived {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no such file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let json = |source| Error::Json { path: path.into(), expected: "rows that a stage derived", source };
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let head: Head = serde_json::from_str(head).map_err(json)?;
        let lines: Vec<Line> =
            rest.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(json)?;
        let rising = lines.windows(2).all(|pair| pair[0].row < pair[1].row);
        if rising && lines.last().is_none_or(|last| last.row < head.rows) {
            return Ok(Self { head, lines });
        }
        let reason = format!("its rows do not ascend below {}", head.rows);
        Err(Error::Derived { path: path.into(), reason })
    }

    /// What made a file, if it is one.
    pub fn head(path: &Path) -> Option<Head> {
        use std::io::BufRead;
        let mut line = String::new();
        std::io::BufReader::new(std::fs::File::open(path).ok()?).read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }

    /// The file as text.
    pub fn text(&self) -> String {
        let line = |line| serde_json::to_string(line).unwrap_or_default();
        let head = serde_json::to_string(&self.head).unwrap_or_default();
        std::iter::once(head).chain(self.lines.iter().map(line)).map(|line| line + "\n").collect()
    }

    /// Adds the rows that are left of D to a data set, groups as they were.
    ///
    /// # Errors
    /// D has other rows than those that the file was made of.
    pub(super) fn add(&self, path: &Path, from: Dataset, to: &mut Dataset) -> Result<(), Error> {
        if from.rows() != self.head.rows {
            let reason = format!("it was made of {} rows, but the data has {}", self.head.rows, from.rows());
            return Err(Error::Derived { path: path.into(), reason });
        }
        to.report_mut().merge(from.report());
        if !from.classes().is_empty() {
            to.name_classes(from.classes().to_vec());
        }
        let (mut left, mut moved) = (self.lines.iter().peekable(), HashMap::new());
        for group in from.first_rows().windows(2) {
            while let Some(line) = left.next_if(|line| line.row < group[1]) {
                let row = self.row(line, &from, to, &mut moved);
                to.extend_group(row);
            }
            to.end_group();
        }
        Ok(())
    }

    /// The cells of one row; pictures get new numbers as they are met.
    fn row(
        &self,
        line: &Line,
        from: &Dataset,
        to: &mut Dataset,
        moved: &mut HashMap<usize, usize>,
    ) -> Vec<(&'static str, Cell)> {
        let mut number =
            |old: usize| *moved.entry(old).or_insert_with(|| to.add_picture(from.picture(old).clone()));
        let picture = from.picture_in("image", line.row).map(&mut number);
        let cell = |(name, cells): (&'static str, &Cells)| {
            let cell = match (cells, picture) {
                (Cells::Texts(_), _) if Some(name) == self.head.column.as_deref() => {
                    Cell::Text(line.text.clone().unwrap_or_default())
                }
                (Cells::Pictures(old), _) => Cell::Picture(number(old[line.row] as usize)),
                (Cells::Ids(_), Some(picture)) if name == "image_id" => Cell::Id(picture as i32),
                (cells, _) => cells.cell(line.row),
            };
            (name, cell)
        };
        from.all_cells().map(cell).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::dataset::{Picture, image_and_text};

    /// Three pictures with two captions each.
    fn three() -> Dataset {
        let mut dataset = Dataset::new("three");
        for picture in 0..3 {
            let number = dataset.add_picture(Picture::File(format!("{picture}.png").into()));
            for caption in ["one", "two"] {
                dataset.extend_group(image_and_text(number, format!("{caption} of {picture}")));
            }
            dataset.end_group();
        }
        dataset
    }

    fn derived(column: Option<&str>, lines: &[(usize, &str)]) -> Derived {
        let text = |name: &str| name.to_string();
        let head = Head {
            derived: text("keep(…)"),
            stage: text("filter"),
            checkpoint: text("1"),
            request: text("2"),
            data: three().fingerprint(),
            rows: 6,
            column: column.map(text),
        };
        let line = |(row, text): &(usize, &str)| Line { row: *row, text: Some(text.to_string()) };
        Derived { head, lines: lines.iter().map(line).collect() }
    }

    fn added(derived: &Derived) -> Dataset {
        let mut dataset = three();
        derived.add(Path::new("file"), three(), &mut dataset).unwrap();
        dataset.usable().unwrap()
    }

    #[test]
    fn rows_that_are_left_keep_their_groups_and_pictures_get_new_numbers() {
        let dataset = added(&derived(None, &[(1, "two of 0"), (4, "one of 2"), (5, "two of 2")]));
        assert_eq!((dataset.rows(), dataset.pictures()), (9, 5));
        assert_eq!(dataset.first_rows(), [0, 2, 4, 6, 7, 9]);
        let texts: Vec<&str> = (6..9).map(|row| dataset.caption(row)).collect();
        assert_eq!(texts, ["two of 0", "one of 2", "two of 2"]);
        assert!(matches!(dataset.cells("image_id"), Some(Cells::Ids(ids)) if ids[6..] == [3, 4, 4]));
        assert!(matches!(dataset.picture(4), Picture::File(path) if path.ends_with("2.png")));
    }

    #[test]
    fn a_replaced_column_holds_what_was_written() {
        let dataset = added(&derived(Some("text"), &[(0, "a rose"), (2, "a tree"), (4, "a dog")]));
        let texts: Vec<&str> = (6..9).map(|row| dataset.caption(row)).collect();
        assert_eq!((texts, dataset.pictures()), (vec!["a rose", "a tree", "a dog"], 6));
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_what_is_none_is_refused() {
        let path = std::env::temp_dir().join(format!("chiasm-derived-{}.jsonl", std::process::id()));
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Derived::read(&path).unwrap_err().to_string()
        };
        let whole = derived(None, &[(1, "a"), (4, "b\n\"c\"")]);
        std::fs::write(&path, whole.text()).unwrap();
        assert_eq!(
            (Derived::read(&path).unwrap(), Derived::head(&path)),
            (whole.clone(), Some(whole.head.clone()))
        );
        for lines in [&[(4, "a"), (1, "b")][..], &[(6, "a")], &[(2, "a"), (2, "b")]] {
            let error = refused(&derived(None, lines).text());
            assert!(error.contains("do not ascend below 6") && error.contains("remove it"), "{error}");
        }
        assert!(refused("nothing").contains("rows that a stage derived"));
        let mut other = whole.clone();
        other.head.rows = 7;
        let error = other.add(&path, three(), &mut three()).unwrap_err().to_string();
        assert!(error.contains("made of 7 rows, but the data has 6"), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
