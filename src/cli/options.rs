//! Options that several commands share.

use super::{Problem, model};
use crate::train::Host;
use crate::{Model, exec};
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

/// Bytes as people write them: 16GiB, 900MB, 1.5 TiB, or a plain number.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected bytes, as in 16GiB or 900MB, found `{text}`");
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    Ok((number * factor) as u64)
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
    /// The machine as the options describe it.
    pub fn host(&self) -> Host {
        let device = match self.device {
            Device::Cpu => exec::Device::Cpu,
            Device::Reference => exec::Device::Reference,
            Device::Dfdx => exec::Device::Dfdx,
            Device::DfdxCuda => exec::Device::DfdxCuda,
        };
        Host { data: self.data.clone(), device, threads: self.threads, ..Host::default() }
    }

    /// Where public checkpoints may lie.
    pub fn weight_folders(&self) -> Vec<PathBuf> {
        self.weights.iter().chain(&self.data).cloned().collect()
    }
}

/// A model and the machine it runs on.
#[derive(Clone, Debug, Args)]
pub struct Job {
    /// The model.
    pub file: PathBuf,
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub running: Running,
}

impl Job {
    /// The checked model.
    pub fn model(&self) -> Result<Model, Problem> {
        model::open(&self.file, &self.common)
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
    /// dfdx's tensors and tape on the CPU: slow, and with gradients of its own.
    Dfdx,
    /// The same on a GPU, in a binary built with the feature of this name.
    DfdxCuda,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let found = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = found.ok_or("expected NAME=VALUE, as in size=384")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn memory_for_people() {
        assert_eq!([bytes("16GiB"), bytes("1.5 kb"), bytes("7")], [Ok(16 << 30), Ok(1500), Ok(7)]);
        assert!(["", "GiB", "16 apples", "-3"].iter().all(|text| bytes(text).is_err()));
    }
}
