//! What a run finds on this machine: folders with data, and something that computes.
//!
//! ```
//! use chiasm::train::{Host, run::Supply};
//! let host = Host { threads: Some(2), ..Host::default() };
//! assert_eq!(host.executor().unwrap().name(), "cpu");
//! ```

use super::TrainError;
use super::asked::{TaskGallery, TaskTable};
use super::feed::Feed;
use super::run::Supply;
use super::source::StageFeed;
use super::subjects::TaskSubjects;
use crate::data::Library;
use crate::exec::cpu::{Cpu, level::Level};
use crate::exec::dfdx::Dfdx;
use crate::exec::reference::Reference;
use crate::exec::{self, Device, Executor};
use crate::lower::model::{Condition, Stage, Task};
use crate::recipe::Data;
use crate::task::TaskError;
use crate::task::gallery::Gallery;
use crate::task::subjects::Subjects;
use crate::task::table::Table;
use std::path::{Path, PathBuf};

/// This machine. The default has the built-in data set `scenes` and computes with one thread a core.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Folders in which the data sets and tokenizers that a file names are looked for, in order.
    pub data: Vec<PathBuf>,
    /// What computes.
    pub device: Device,
    /// How many threads compute; none is one a core.
    pub threads: Option<usize>,
    /// Vector instructions that the CPU may use; none is the best it has.
    pub level: Option<Level>,
}

impl Host {
    /// Where names of data sets and vocabularies become files.
    pub fn library(&self) -> Library {
        Library::new(self.data.clone())
    }

    /// How many threads compute, at least one.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

impl Supply for Host {
    fn feed(&self, stage: &Stage, seed: u64, run: &Path) -> Result<Box<dyn Feed>, TrainError> {
        Ok(Box::new(StageFeed::open(stage, &self.library().of_run(run), seed)?))
    }

    fn gallery(&self, task: &Task, run: &Path) -> Result<Box<dyn Gallery>, TaskError> {
        Ok(Box::new(TaskGallery::open(task, &self.library().of_run(run))?))
    }

    fn table(&self, task: &Task, run: &Path) -> Result<Box<dyn Table>, TaskError> {
        Ok(Box::new(TaskTable::open(task, &self.library().of_run(run))?))
    }

    fn subjects(&self, task: &Task, run: &Path) -> Result<Box<dyn Subjects>, TaskError> {
        Ok(Box::new(TaskSubjects::open(task, &self.library().of_run(run))?))
    }

    fn rows(&self, condition: &Condition, data: &Data, run: &Path) -> Result<Box<dyn Table>, TaskError> {
        Ok(Box::new(TaskTable::of_condition(condition, data, &self.library().of_run(run))?))
    }

    fn executor(&self) -> Result<Box<dyn Executor>, TrainError> {
        match self.device {
            Device::Reference => Ok(Box::new(Reference)),
            Device::Dfdx => Ok(Box::new(Dfdx::cpu(self.threads()))),
            Device::DfdxCuda => Ok(exec::dfdx::on_gpu(0, self.threads())?),
            Device::Cpu => {
                Ok(Box::new(Cpu::at_level(self.threads(), self.level.unwrap_or_else(Level::detect))))
            }
        }
    }
}
