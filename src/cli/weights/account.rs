//! What a weight map takes of a file, as a table of both sides.

use super::columns::{columns, shape};
use crate::cli::options::Format;
use crate::cli::{Problem, say};
use crate::train::convert::Mapped;
use crate::weights::Archive;
use crate::weights::account::{Account, Fate, Row, account};
use serde_json::json;

/// Prints the account; a rule that cannot do what it says is a failure.
pub fn print(archive: &mut Archive, mapped: &Mapped<'_>, format: Format) -> Result<(), Problem> {
    let account = account(archive, mapped.stage, &mapped.loads);
    let account = account.map_err(|error| Problem::new(1, format!("error: {error}")))?;
    match format {
        Format::Text => say::line(text(&mapped.stage.name, &account)),
        Format::Json => objects(&account),
    }
    if !account.is_short() {
        return Ok(());
    }
    let problems = account.rows.iter().filter_map(|row| Some(format!("error: {}", row.problem.as_ref()?)));
    Err(Problem::new(1, problems.collect::<Vec<_>>().join("\n")))
}

fn objects(account: &Account) {
    account.rows.iter().for_each(|row| say::json("key", row));
    account.left.iter().for_each(|left| say::json("left", left));
    let counts = counts(account).map(|(count, what)| (what.to_string(), json!(count)));
    say::json("account", &serde_json::Map::from_iter(counts));
}

fn counts(account: &Account) -> [(usize, &'static str); 7] {
    let fates = [Fate::Loaded, Fate::Resized, Fate::Fresh, Fate::Unnamed, Fate::Missing, Fate::Unfit]
        .map(|fate| (account.count(fate), word(fate)));
    let [loaded, resized, fresh, unnamed, missing, unfit] = fates;
    [loaded, resized, fresh, unnamed, missing, unfit, (account.left.len(), "left over in the file")]
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Loaded => "loaded",
        Fate::Resized => "resized",
        Fate::Fresh => "fresh",
        Fate::Unnamed => "without a rule",
        Fate::Missing => "missing",
        Fate::Unfit => "does not fit",
    }
}

fn text(stage: &str, account: &Account) -> String {
    let left =
        account.left.iter().map(|left| vec![left.name.clone(), shape(&left.shape), "left over".into()]);
    let head = ["name", "shape", "", "from"].map(str::to_string).to_vec();
    let rows: Vec<Vec<String>> =
        std::iter::once(head).chain(account.rows.iter().map(cells)).chain(left).collect();
    let some = counts(account).into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, what)| format!("{} {what}", say::grouped(count))).collect();
    format!("stage {stage}\n{}\n{}", columns(&rows, &[]), some.join(", "))
}

fn cells(row: &Row) -> Vec<String> {
    let source = match (&row.source, &row.from) {
        (Some(source), Some(from)) => format!("{source} {}", shape(from)),
        (Some(source), None) => source.clone(),
        (None, _) => String::new(),
    };
    vec![row.key.clone(), shape(&row.shape), word(row.fate).into(), source]
}
