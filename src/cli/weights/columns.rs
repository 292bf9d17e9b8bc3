//! Rows of cells under each other: words to the left, numbers to the right.

/// Rows in columns by their widest cell; columns in `right` end together.
pub fn columns(rows: &[Vec<String>], right: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let cell = |(at, text): (usize, &String)| match right.contains(&at) {
        true => format!("{text:>w$}", w = widths[at]),
        false => format!("{text:w$}", w = widths[at]),
    };
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `[2, 3]`
pub fn shape(dims: &[usize]) -> String {
    format!("{dims:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_together() {
        let rows = [vec!["a".to_string(), "10".into()], vec!["bcd".into(), "7".into()]];
        assert_eq!(columns(&rows, &[1]), "a    10\nbcd   7");
    }
}
