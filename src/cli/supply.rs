//! What the options say about data and executors, as a run wants it.

use super::options::{Device, Running};
use crate::data::Library;
use crate::exec::Executor;
use crate::exec::cpu::Cpu;
use crate::exec::reference::Reference;
use crate::lower::model::{Stage, Task};
use crate::task::TaskError;
use crate::task::gallery::Gallery;
use crate::train::TrainError;
use crate::train::feed::Feed;
use crate::train::run::Supply;
use crate::train::source::{StageFeed, TaskGallery};

/// Opens data sets below the given folders and makes the executor of `--device`.
pub struct Supplier<'a> {
    running: &'a Running,
    library: Library,
}

impl<'a> Supplier<'a> {
    /// From the options.
    pub fn new(running: &'a Running) -> Self {
        Self { running, library: Library::new(running.data.clone()) }
    }
}

impl Supply for Supplier<'_> {
    fn feed(&self, stage: &Stage, seed: u64) -> Result<Box<dyn Feed>, TrainError> {
        Ok(Box::new(StageFeed::open(stage, &self.library, seed)?))
    }

    fn gallery(&self, task: &Task) -> Result<Box<dyn Gallery>, TaskError> {
        Ok(Box::new(TaskGallery::open(task, &self.library)?))
    }

    fn executor(&self) -> Result<Box<dyn Executor>, TrainError> {
        match self.running.device {
            Device::Reference => Ok(Box::new(Reference)),
            Device::Cpu => Ok(Box::new(Cpu::new(self.running.threads()))),
        }
    }
}
