//! `chiasm explain E0604`: what an error code means.

use super::Problem;

/// Prints the row of a code.
pub fn run(code: &str) -> Result<(), Problem> {
    Err(Problem::new(2, format!("error: there is no error code `{code}`; codes look like E0604")))
}
