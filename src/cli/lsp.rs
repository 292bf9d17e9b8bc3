//! `chiasm lsp`: a language server over standard input and output.

use super::Problem;
use lsp_server::Connection;

/// Serves the editor that started this program.
pub fn run() -> Result<(), Problem> {
    let (connection, threads) = Connection::stdio();
    let ended = crate::lsp::serve(&connection);
    // The writer ends once nobody can send any more.
    drop(connection);
    threads.join().map_err(|error| Problem::new(1, format!("error: {error}")))?;
    ended.map_err(|error| Problem::new(1, format!("error: {error}")))
}
