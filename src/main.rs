//! The program `chiasm`.

use clap::Parser;
use std::process::ExitCode;

/// Graphs are many small allocations, made on several threads: a check takes a fifth less time with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chiasm::cli::run(&chiasm::cli::Cli::parse())
}
