//! The thread that checks: the newest text of each document, once its author pauses.
//!
//! Invariant: what is published for a document is about the version that is then open; a text that changed meanwhile is
//! checked again, and what was found of the old one is dropped.

use super::desk::{Desk, Shared};
use super::diagnostics;
use crate::lower::analysis::{Analysis, Texts, analyse};
use lsp_server::{Message, Notification};
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A pause of this length between two changes starts a check.
const PAUSE: Duration = Duration::from_millis(40);
/// Who types without pause is told something after so long.
const LONGEST: Duration = Duration::from_millis(300);

/// The thread, and how to reach it.
#[derive(Debug)]
pub struct Checker {
    jobs: Sender<String>,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    /// Starts it. `send` tells the editor something; false once it is gone.
    pub fn start(desk: Shared, send: impl Fn(Message) -> bool + Send + 'static) -> Self {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new().name("checker".into());
        // Without a thread nothing is checked, but all else works.
        let thread = thread.spawn(move || run(&desk, &waiting, &send)).ok();
        Self { jobs, thread }
    }

    /// Asks for a check of a document.
    pub fn check(&self, uri: String) {
        // Only a thread that could not be started does not listen.
        let _ = self.jobs.send(uri);
    }

    /// Ends it after the check that it is in.
    pub fn stop(self) {
        drop(self.jobs);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

fn run(desk: &Shared, waiting: &Receiver<String>, send: &impl Fn(Message) -> bool) {
    while let Ok(first) = waiting.recv() {
        let mut changed = vec![first];
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            let known = |uri: &String| desk.lock().checked.contains(uri);
            // A document that was just opened does not wait.
            let pause = if changed.iter().all(known) { PAUSE } else { Duration::ZERO };
            let Ok(more) = waiting.recv_timeout(pause) else { break };
            changed.push(more);
        }
        let all = with_users(&desk.lock(), changed);
        all.into_iter().for_each(|uri| check(desk, &uri, send));
    }
}

/// The documents themselves, then those that may read them.
fn with_users(desk: &Desk, changed: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let reads_others = |analysis: &Analysis| {
        let files = analysis.sources.files().iter().filter(|file| !file.library).count();
        let missing = analysis.diagnostics.iter().any(|d| d.code == chiasm_dsl::code::Code::E0108);
        files > 1 || missing
    };
    let users =
        desk.known.iter().filter(|(_, known)| reads_others(&known.newest)).map(|(uri, _)| uri.clone());
    for uri in changed.into_iter().chain(users) {
        if !all.contains(&uri) {
            all.push(uri);
        }
    }
    all
}

/// What is checked: the path of a document and all texts that are open.
struct Job {
    version: Option<i64>,
    path: PathBuf,
    text: Arc<str>,
    texts: Texts,
}

fn job(desk: &Desk, uri: &str) -> Option<Job> {
    let document =
        desk.documents.get(uri).filter(|document| super::library::name(&document.path).is_none())?;
    let mut texts = Texts::default();
    desk.documents.values().for_each(|open| texts.insert(&open.path, open.text.clone()));
    Some(Job { version: document.version, path: document.path.clone(), text: document.text.clone(), texts })
}

fn check(desk: &Shared, uri: &str, send: &impl Fn(Message) -> bool) {
    let Some(job) = job(&desk.lock(), uri) else { return };
    let path = job.path.clone();
    let found = catch_unwind(AssertUnwindSafe(|| analyse(&path, job.texts)));
    let mut desk_now = desk.lock();
    let unchanged = |document: &super::document::Document| {
        document.version == job.version && Arc::ptr_eq(&document.text, &job.text)
    };
    let Some(document) = desk_now.documents.get(uri).filter(|document| unchanged(document)) else { return };
    let (said, analysis) = match found {
        Ok(Ok(analysis)) => (diagnostics::all(&analysis, document), Some(analysis)),
        Ok(Err(error)) => (vec![diagnostics::whole(&format!("this cannot be read: {error}"))], None),
        Err(_) => {
            (vec![diagnostics::whole("the check failed on this text; please report it as a bug")], None)
        }
    };
    let told = json!({ "uri": uri, "version": job.version, "diagnostics": said });
    desk_now.checked.insert(uri.to_string());
    if let Some(analysis) = analysis {
        desk_now.learn(uri, Arc::new(analysis));
    }
    // Sent while the desk is held, so that nothing about a closed document comes behind its closing.
    send(Notification::new("textDocument/publishDiagnostics".into(), told).into());
    drop(desk_now);
    desk.tell();
}
