//! The program `chiasm`.

use clap::Parser;
use std::process::ExitCode;

/// Graphs are many small allocations, made on several threads: the system's allocator took a quarter of a check.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chiasm::cli::run(&chiasm::cli::Cli::parse())
}
