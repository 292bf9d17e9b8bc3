//! The command line. Exit codes: 0 fine, 1 the model or data is wrong, 2 the command line is wrong, 3 training stopped itself.

mod bench;
mod check;
mod emit;
mod eval;
mod explain;
mod fmt;
mod lsp;
mod model;
mod options;
mod run;
mod say;
mod show;
mod stop;
mod train;
mod vocabulary;
mod weights;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A compiler and trainer for a small language in which vision-language models are text.
#[derive(Debug, Parser)]
#[command(name = "chiasm", version, after_help = "Example: chiasm train models/tiny/clip.chi")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what a file means and costs, without running it.
    #[command(after_help = "Example: chiasm check albef.chi --set size=384 --memory 16GiB")]
    Check(check::Arguments),
    /// Train the stages of a file.
    #[command(after_help = "Example: chiasm train albef.chi --stage pretrain --data ~/data --out runs/first")]
    Train(train::Arguments),
    /// Run the tasks of a file on a trained run folder.
    #[command(after_help = "Example: chiasm eval albef.chi --task retrieve --data ~/data --out runs/first")]
    Eval(eval::Arguments),
    /// Compute named values for pictures and texts.
    #[command(
        after_help = "Example: chiasm run albef.chi image_feat text_feat --input image=cat.jpg --input \"text=a cat\" --out runs/first"
    )]
    Run(run::Arguments),
    /// Print the definitions with shapes and parameter counts.
    #[command(after_help = "Example: chiasm show albef.chi --stage pretrain --as text")]
    Show(show::Arguments),
    /// Write a model as Rust in dfdx types: a struct for each module, a method for each value.
    #[command(
        after_help = "Example: chiasm emit rust albef.chi --value image_feat --value text_feat --out src/albef.rs"
    )]
    Emit(emit::Arguments),
    /// Learn the word pieces of a model from the texts of its stages.
    #[command(after_help = "Example: chiasm vocabulary models/tiny/coca_photos.chi --data ~/data")]
    Vocabulary(vocabulary::Arguments),
    /// Look into files of weights, convert and compare them.
    #[command(after_help = "Example: chiasm weights show vit.safetensors")]
    Weights {
        #[command(subcommand)]
        command: weights::Command,
    },
    /// Write files in their one form.
    #[command(after_help = "Example: chiasm fmt --check models/*.chi")]
    Fmt(fmt::Arguments),
    /// Measure the speed of training steps: of a file's stages, or of a built-in case in place of a file: `blocks`, two ViT-B
    /// blocks on 4 x 197 tokens, or `clip`, a tiny CLIP.
    #[command(after_help = "Example: chiasm bench models/tiny/albef.chi --steps 20, or: chiasm bench blocks")]
    Bench(bench::Arguments),
    /// Serve an editor: diagnostics, hover, definitions, completion, formatting.
    #[command(
        after_help = "Example: an editor starts `chiasm lsp` and speaks the Language Server Protocol with it."
    )]
    Lsp {
        /// Accepted because editors pass it; there is no other way.
        #[arg(long)]
        stdio: bool,
    },
    /// Explain the code of an error or a warning.
    #[command(after_help = "Example: chiasm explain E0604")]
    Explain {
        /// As it stands in a message.
        code: String,
    },
}

/// Runs a command.
pub fn run(cli: &Cli) -> ExitCode {
    let result = match &cli.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Train(arguments) => train::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Emit(arguments) => emit::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Vocabulary(arguments) => vocabulary::run(arguments),
        Command::Weights { command } => weights::run(command),
        Command::Fmt(arguments) => fmt::run(arguments),
        Command::Lsp { .. } => lsp::run(),
        Command::Explain { code } => explain::run(code),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            if !problem.text.is_empty() {
                say::error(&problem.text);
            }
            ExitCode::from(problem.code)
        }
    }
}

/// Why a command failed, ready to print.
#[derive(Debug)]
pub struct Problem {
    text: String,
    code: u8,
}

impl Problem {
    fn new(code: u8, text: impl Into<String>) -> Self {
        Self { text: text.into(), code }
    }

    /// An error in its own words; a diagnostic of the language says already that it is one.
    fn of(code: u8, error: &impl std::fmt::Display) -> Self {
        let text = error.to_string();
        let lead = if text.starts_with("error") { "" } else { "error: " };
        Self { text: format!("{lead}{text}"), code }
    }
}

impl From<crate::train::TrainError> for Problem {
    fn from(error: crate::train::TrainError) -> Self {
        Self::of(error.exit_code(), &error)
    }
}
