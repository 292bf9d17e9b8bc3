//! `chiasm weights`: what files of tensors hold, between public names and those of a model, and what two files differ in.

mod account;
mod columns;
mod convert;
mod diff;
mod map;
mod place;
mod show;

use super::Problem;
use clap::Subcommand;

/// `chiasm weights …`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the tensors of a file; or, with a model and a weight map, what becomes of every tensor and every parameter.
    #[command(after_help = "Example: chiasm weights show vit.safetensors --model albef.chi --as deit")]
    Show(show::Arguments),
    /// Turn a public file into a run folder, or a checkpoint into a public file.
    #[command(
        after_help = "Example: chiasm weights convert vit.safetensors runs/vit --model albef.chi --as deit, or back: \
                      chiasm weights convert runs/vit again.safetensors --model albef.chi --as deit"
    )]
    Convert(convert::Arguments),
    /// Print what two files differ in; exit with 1 if they do.
    #[command(after_help = "Example: chiasm weights diff vit.safetensors again.safetensors")]
    Diff(diff::Arguments),
}

/// Runs one of them.
pub fn run(command: &Command) -> Result<(), Problem> {
    match command {
        Command::Show(arguments) => show::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
    }
}
