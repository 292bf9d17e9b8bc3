//! Where a dfdx device lives: on the threads that use it.
//!
//! dfdx's `Cuda` must not change threads, while programs may. So an executor keeps how its device is made, and each thread
//! keeps the devices that it made: those of a GPU, with their kernels, outlive a run.

use super::value::{Done, Engine};
use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

/// How a device is made, and the threads on which it is used.
pub struct Place<D: Engine> {
    make: fn(usize) -> Done<D>,
    ordinal: usize,
    /// None on a system that starts no more threads; then the caller's is used.
    pool: Option<Arc<rayon::ThreadPool>>,
}

impl<D: Engine> Clone for Place<D> {
    fn clone(&self) -> Self {
        Self { make: self.make, ordinal: self.ordinal, pool: self.pool.clone() }
    }
}

thread_local! {
    static DEVICES: RefCell<Vec<(usize, Box<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

impl<D: Engine> Place<D> {
    /// A device by its number, used on a pool of so many threads.
    pub fn new(make: fn(usize) -> Done<D>, ordinal: usize, threads: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
        Self { make, ordinal, pool: pool.ok().map(Arc::new) }
    }

    /// Does something on a thread of the pool; dfdx's products use the others too.
    pub fn on_its_threads<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// The device of this thread; made at the first call.
    ///
    /// # Errors
    /// There is no such device.
    pub fn device(&self) -> Done<D> {
        DEVICES.with_borrow_mut(|devices| {
            let same = |(ordinal, device): &(usize, Box<dyn Any>)| {
                device.downcast_ref::<D>().filter(|_| *ordinal == self.ordinal).cloned()
            };
            if let Some(device) = devices.iter().find_map(same) {
                return Ok(device);
            }
            let device = (self.make)(self.ordinal)?;
            devices.push((self.ordinal, Box::new(device.clone())));
            Ok(device)
        })
    }
}
