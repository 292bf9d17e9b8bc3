//! The program `chiasm`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    chiasm::cli::run(&chiasm::cli::Cli::parse())
}
