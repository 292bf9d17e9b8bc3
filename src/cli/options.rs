//! Options that several commands share.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of every command that reads a model.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Replace a static parameter of the file: --set size=384
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub sets: Vec<(String, String)>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Options of every command that runs a model.
#[derive(Clone, Debug, Args)]
pub struct Running {
    /// Where data sets lie.
    #[arg(long, value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// Where public checkpoints lie.
    #[arg(long, value_name = "DIR")]
    pub weights: Vec<PathBuf>,
    /// The run folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The seed, before that of the stage.
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many threads compute.
    #[arg(long)]
    pub threads: Option<usize>,
    /// What computes.
    #[arg(long, value_enum, default_value = "cpu")]
    pub device: Device,
}

impl Running {
    /// Where public checkpoints may lie.
    pub fn weight_folders(&self) -> Vec<PathBuf> {
        self.weights.iter().chain(&self.data).cloned().collect()
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// Planned, with SIMD and threads.
    Cpu,
    /// Plain and slow: the definition.
    Reference,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let found = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = found.ok_or("expected NAME=VALUE, as in size=384")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

impl Running {
    /// As said, or one a core.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.unwrap_or_else(cores).max(1)
    }
}
