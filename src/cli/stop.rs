//! Ctrl-C: the first one asks training to save and end, the second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// A flag that Ctrl-C sets.
pub fn flag() -> Arc<AtomicBool> {
    let flag = STOP.get_or_init(Arc::default).clone();
    listen();
    flag
}

#[cfg(unix)]
fn listen() {
    let handler = handle as extern "C" fn(libc::c_int);
    // SAFETY: the handler only touches atomics and the signal table, which is allowed in a signal handler.
    unsafe {
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
    }
}

#[cfg(not(unix))]
fn listen() {}

#[cfg(unix)]
extern "C" fn handle(signal: libc::c_int) {
    if let Some(flag) = STOP.get() {
        flag.store(true, Ordering::Relaxed);
    }
    // SAFETY: `signal` is async-signal-safe; the default action makes the second Ctrl-C end the program.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
    }
}
