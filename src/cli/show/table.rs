//! A stage as a table: one row for each definition, columns by their widest entry.

use super::rows::{Row, Rows};
use crate::cli::say;

/// The rows of a stage under a head.
pub fn text(rows: &Rows) -> String {
    let head = ["kind", "name", "made by", "type", "parameters"].map(String::from);
    let cells: Vec<[String; 5]> = std::iter::once(head).chain(rows.rows.iter().map(cells)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let text: Vec<String> =
            (0..4).map(|column| format!("{:w$}", row[column], w = widths[column])).collect();
        format!("{}  {:>w$}", text.join("  "), row[4], w = widths[4]).trim_end().to_string()
    };
    let lines: Vec<String> = cells.iter().map(line).collect();
    let totals = format!(
        "{} parameters, {} in slow copies, {} in states",
        say::grouped(rows.parameters),
        say::grouped(rows.twins),
        say::grouped(rows.states)
    );
    format!("stage {}\n{}\n{totals}", rows.stage, lines.join("\n"))
}

fn cells(row: &Row) -> [String; 5] {
    let what = if row.frozen { format!("{}, frozen", row.what) } else { row.what.clone() };
    [
        row.kind.into(),
        row.name.clone(),
        what,
        row.ty.clone(),
        row.parameters.map_or(String::new(), say::grouped),
    ]
}
