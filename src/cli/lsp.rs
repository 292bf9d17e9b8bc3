//! `chiasm lsp`: a language server over standard input and output.

use super::Problem;
use crate::lsp::stdio;

/// Serves the editor that started this program.
pub fn run() -> Result<(), Problem> {
    let broken = |error: std::io::Error| Problem::new(1, format!("error: {error}"));
    let (connection, threads) = stdio::connect().map_err(broken)?;
    let ended = crate::lsp::serve(&connection);
    // The writer ends once nobody can send any more.
    drop(connection);
    threads.join().map_err(broken)?;
    ended.map_err(|error| Problem::new(1, format!("error: {error}")))
}
