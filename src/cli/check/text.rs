//! Facts to text: a name and its value a line, long values wrapped under themselves.
//!
//! ```text
//! stage pretrain
//!   length      30 epochs of 512 rows
//!   data        coco, vg: image, text
//!   itc         moves vision, embed, reader, to_image, to_text, temp
//!   parameters  209,937,725, all trained
//! ```

use super::facts::{Facts, Share, Source};
use crate::cli::say;
use crate::lower::model::Unused;
use crate::recipe::Duration;

/// Characters of a line where no terminal says how wide it is.
const WIDTH: usize = 80;
/// Of the names in front of values, with two spaces of indent.
const NAMES: usize = 14;

/// The width to write for: that of the terminal, if there is one.
pub fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    terminal.or(told).unwrap_or(WIDTH).clamp(24, 100)
}

/// The facts of a stage.
pub fn stage(facts: &Facts, memory: Option<u64>, width: usize) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut row = |name: &str, words: Vec<String>| rows.push((name.to_string(), words));
    row("length", words(&format!("{} of {} rows", length(facts.length), say::grouped(facts.batch))));
    for source in &facts.data {
        row("data", reads(source, facts.batch));
    }
    for objective in &facts.objectives {
        row(&objective.name, list("moves", &shares(&objective.moves)));
    }
    row("parameters", parameters(facts));
    for (name, some) in [("frozen", &facts.frozen), ("no gradient", &facts.unmoved)] {
        row(name, list("", &shares(some)));
    }
    row("start", list("", &facts.start));
    row("fresh", fresh(facts));
    for (name, elements) in [("twins", facts.twins), ("states", facts.states)] {
        row(name, if elements == 0 { Vec::new() } else { vec![say::grouped(elements)] });
    }
    row("compute", words(&format!("{:.1} GFLOP a sample", facts.flops_per_sample as f64 / 1e9)));
    let (peak, held) = (gibibytes(facts.peak_bytes), gibibytes(facts.held_bytes));
    row("memory", words(&format!("{peak}, {held} of it for any batch")));
    row("fits", memory.zip(facts.largest_batch).map_or(Vec::new(), |(bytes, rows)| fits(bytes, rows)));
    row("evaluates", list("", &facts.evaluate));
    let rows = rows.iter().filter(|(_, words)| !words.is_empty());
    let lines = rows.map(|(name, words)| wrapped(name, words, width));
    std::iter::once(format!("stage {}", facts.stage)).chain(lines).collect::<Vec<_>>().join("\n")
}

/// What a file holds and nothing uses; nothing if there is none.
pub fn unused(unused: &Unused, width: usize) -> Option<String> {
    let rows =
        [("definitions", &unused.definitions), ("inputs", &unused.inputs), ("weights", &unused.weights)];
    let rows = rows.iter().filter(|(_, names)| !names.is_empty());
    let lines: Vec<String> = rows.map(|(name, names)| wrapped(name, &list("", names), width)).collect();
    (!lines.is_empty()).then(|| format!("never used\n{}", lines.join("\n")))
}

fn reads(source: &Source, batch: usize) -> Vec<String> {
    let mut sets = source.sets.clone();
    let mut columns = source.columns.clone();
    if let Some(last) = sets.last_mut().filter(|_| !source.columns.is_empty()) {
        last.push(':');
    }
    if source.batch != batch {
        columns.push(format!("{} rows", say::grouped(source.batch)));
    }
    [list("", &sets), list("", &columns)].concat()
}

fn parameters(facts: &Facts) -> Vec<String> {
    let trained = match facts.trained {
        all if all == facts.parameters => "all trained".to_string(),
        some => format!("{} trained", say::grouped(some)),
    };
    words(&format!("{}, {trained}", say::grouped(facts.parameters)))
}

/// `vision`, or `blocks 50%` if only some of it is meant.
fn shares(shares: &[Share]) -> Vec<String> {
    let share = |share: &Share| {
        let percent = 100 * share.parameters / share.of.max(1);
        match (share.parameters == share.of, percent) {
            (true, _) => share.module.clone(),
            (_, 0) => format!("{}\u{a0}<1%", share.module),
            (_, percent) => format!("{}\u{a0}{percent}%", share.module),
        }
    };
    shares.iter().map(share).collect()
}

/// What nothing brings; a stage that starts from nothing says so by that.
fn fresh(facts: &Facts) -> Vec<String> {
    if facts.start.is_empty() {
        return Vec::new();
    }
    list("", &[shares(&facts.fresh), facts.fresh_states.clone()].concat())
}

fn length(length: Duration) -> String {
    let (count, unit) = match length {
        Duration::Steps(steps) => (say::grouped(steps as usize), "step"),
        Duration::Epochs(epochs) => (epochs.to_string(), "epoch"),
    };
    format!("{count} {unit}{}", if count == "1" { "" } else { "s" })
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}

fn fits(bytes: u64, rows: usize) -> Vec<String> {
    let rows =
        if rows == 0 { "not even one row".to_string() } else { format!("{} rows", say::grouped(rows)) };
    words(&format!("{rows} in {}", say::bytes(bytes)))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

/// Names with commas between them, behind a verb.
fn list(verb: &str, names: &[String]) -> Vec<String> {
    let verb = Some(verb.to_string()).filter(|verb| !verb.is_empty() && !names.is_empty());
    let comma =
        |(at, name): (usize, &String)| if at + 1 < names.len() { format!("{name},") } else { name.clone() };
    verb.into_iter().chain(names.iter().enumerate().map(comma)).collect()
}

/// A name and words in lines of at most `width` characters, as far as words are no longer.
fn wrapped(name: &str, words: &[String], width: usize) -> String {
    let mut text = format!("  {name:<w$}", w = NAMES - 2);
    let mut column = text.chars().count();
    let mut fresh = true;
    if name.chars().count() + 3 > NAMES {
        (text, column) = (format!("  {name}"), width);
    }
    for word in words {
        let length = word.chars().count();
        if column > NAMES && column + usize::from(!fresh) + length > width {
            text = format!("{}\n{:NAMES$}", text.trim_end(), "");
            (column, fresh) = (NAMES, true);
        }
        text = text + if fresh { "" } else { " " } + word;
        column += usize::from(!fresh) + length;
        fresh = false;
    }
    text.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_stay_under_themselves() {
        let value = words("one, two, three, four");
        assert_eq!(wrapped("data", &value, 29), "  data        one, two,\n              three, four");
        assert_eq!(
            wrapped("a_long_name_of_a_loss", &value, 80),
            "  a_long_name_of_a_loss\n              one, two, three, four"
        );
    }

    #[test]
    fn lengths_and_shares_read_well() {
        assert_eq!(
            [length(Duration::Epochs(1.0)), length(Duration::Steps(1500))],
            ["1 epoch", "1,500 steps"]
        );
        let share = |parameters, of| Share { module: "m".into(), parameters, of };
        assert_eq!(shares(&[share(3, 3), share(1, 2), share(1, 999)]), ["m", "m\u{a0}50%", "m\u{a0}<1%"]);
    }
}
