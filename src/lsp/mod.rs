//! A language server: what an editor asks and tells, over one connection.
//!
//! ```text
//!  didChange ──▶ desk (texts, analyses) ◀── checker (a thread: the newest text of each document)
//!  hover, definition, completion, formatting ──▶ desk ──▶ answer      checker ──▶ publishDiagnostics
//! ```
//!
//! Texts are checked behind the loop, so that every question is answered at once, from the newest analysis that knows the
//! place. Invariants: no message of an editor makes the server panic; what is said of a document belongs to its newest
//! text; nothing is written but the standard library, into the user's cache folder, when somebody is
//! pointed to a place in it.
//!
//! `tests/lsp.rs` speaks the protocol with it.

mod checker;
mod completion;
mod context;
mod definition;
mod desk;
mod diagnostics;
mod document;
mod hover;
mod library;
pub mod manual;
mod position;
mod protocol;
pub mod stdio;
mod uri;

use checker::Checker;
use desk::Shared;
use document::Document;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use protocol::{At, Changed, Closed, OfDocument, Opened};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Why the server ended other than by `shutdown` and `exit`.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The editor went away, or asked to exit without `shutdown`.
    #[error("the editor ended the connection without `shutdown` and `exit`")]
    Early,
}

/// Serves one editor until it says `exit`.
///
/// # Errors
/// The editor went away without saying so.
pub fn serve(connection: &Connection) -> Result<(), Ended> {
    let desk = Shared::default();
    let sender = connection.sender.clone();
    let checker = Checker::start(desk.clone(), move |message| sender.send(message).is_ok());
    let mut server = Server { connection, desk, checker: &checker, state: State::New };
    while let Ok(message) = connection.receiver.recv() {
        match message {
            Message::Request(request) => server.answer(request),
            Message::Notification(note) if note.method == "exit" => break,
            Message::Notification(note) => server.take(note),
            // The server asks nothing that needs an answer.
            Message::Response(_) => {}
        }
    }
    let ended = server.state == State::Shut;
    checker.stop();
    if ended { Ok(()) } else { Err(Ended::Early) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Ready,
    Shut,
}

struct Server<'a> {
    connection: &'a Connection,
    desk: Shared,
    checker: &'a Checker,
    state: State,
}

impl Server<'_> {
    fn answer(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let result = match (self.state, method.as_str()) {
            (State::New, "initialize") => Ok(self.initialize()),
            (State::New, _) => Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_string())),
            (State::Shut, _) => Err((ErrorCode::InvalidRequest, "after `shutdown` comes `exit`".to_string())),
            (State::Ready, "shutdown") => {
                self.state = State::Shut;
                Ok(Value::Null)
            }
            (State::Ready, method) => self.asked(method, params),
        };
        let response = match result {
            Ok(value) => Response::new_ok(id, value),
            Err((code, text)) => Response::new_err(id, code as i32, text),
        };
        // An editor that went away ends the loop at the next message.
        let _ = self.connection.sender.send(response.into());
    }

    fn initialize(&mut self) -> Value {
        self.state = State::Ready;
        json!({
            "capabilities": {
                "positionEncoding": "utf-16",
                "textDocumentSync": { "openClose": true, "change": 2 },
                "hoverProvider": true,
                "definitionProvider": true,
                "completionProvider": { "triggerCharacters": [".", ":", "(", " "] },
                "documentFormattingProvider": true,
            },
            "serverInfo": { "name": "chiasm", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    fn asked(&self, method: &str, params: Value) -> Result<Value, (ErrorCode, String)> {
        match method {
            "textDocument/hover" => {
                let at: At = read(params)?;
                Ok(self.desk.look(&at.text_document.uri, |desk| hover::answer(desk, &at)))
            }
            "textDocument/definition" => {
                let at: At = read(params)?;
                Ok(self.desk.look(&at.text_document.uri, |desk| definition::answer(desk, &at)))
            }
            "textDocument/completion" => {
                let at: At = read(params)?;
                Ok(self.desk.look(&at.text_document.uri, |desk| completion::answer(desk, &at)))
            }
            "textDocument/formatting" => {
                let of: OfDocument = read(params)?;
                let desk = self.desk.lock();
                Ok(desk.documents.get(&of.text_document.uri).map_or(Value::Null, Document::formatted))
            }
            _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not supported"))),
        }
    }

    fn take(&mut self, note: Notification) {
        if self.state != State::Ready {
            return;
        }
        match note.method.as_str() {
            "textDocument/didOpen" => self.opened(note.params),
            "textDocument/didChange" => self.changed(note.params),
            "textDocument/didClose" => self.closed(note.params),
            "workspace/didChangeWatchedFiles" => {
                let uris: Vec<String> = self.desk.lock().documents.keys().cloned().collect();
                uris.into_iter().for_each(|uri| self.checker.check(uri));
            }
            // `initialized`, `$/cancelRequest` (every answer is out before it can be cancelled), `didSave` and the like.
            _ => {}
        }
    }

    fn opened(&self, params: Value) {
        let Ok(Opened { text_document: item }) = serde_json::from_value(params) else { return };
        let document = Document::new(item.uri.clone(), item.text, item.version);
        self.desk.lock().documents.insert(item.uri.clone(), document);
        self.checker.check(item.uri);
    }

    fn changed(&self, params: Value) {
        let Ok(Changed { text_document, content_changes }) = serde_json::from_value(params) else { return };
        let mut desk = self.desk.lock();
        let Some(document) = desk.documents.get_mut(&text_document.uri) else { return };
        document.change(&content_changes, text_document.version);
        drop(desk);
        self.checker.check(text_document.uri);
    }

    fn closed(&self, params: Value) {
        let Ok(Closed { text_document }) = serde_json::from_value(params) else { return };
        let mut desk = self.desk.lock();
        if desk.close(&text_document.uri) {
            let cleared = json!({ "uri": text_document.uri, "diagnostics": [] });
            let cleared = Notification::new("textDocument/publishDiagnostics".into(), cleared);
            let _ = self.connection.sender.send(cleared.into());
        }
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}
