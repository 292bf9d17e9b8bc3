//! Messages over standard input and output, as [`serve`](super::serve) takes and gives them.
//!
//! ```text
//! stdin ─frames─▶ reader ─messages─▶ serve ─▶ writer ─frames─▶ stdout
//!                   └─ what is no message: window/logMessage ──┘
//! ```
//! Invariant: a frame whose content is no message costs that frame alone; reading ends with the input or with `exit`.

use lsp_server::{Connection, Message, Notification};
use serde_json::json;
use std::io::{self, BufRead, ErrorKind, Write};
use std::thread::{Builder, JoinHandle};

/// The type of a `window/logMessage` that is an error.
const ERROR: u8 = 1;

/// The threads that read and write.
pub struct Threads {
    reader: JoinHandle<io::Result<()>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Threads {
    /// Waits for both, once nobody holds the connection.
    ///
    /// # Errors
    /// Input or output that broke.
    pub fn join(self) -> io::Result<()> {
        let broken = |_| io::Error::other("a thread of the connection ended early");
        self.reader.join().map_err(broken)??;
        self.writer.join().map_err(broken)?
    }
}

/// A connection to whoever started this program.
///
/// # Errors
/// No threads.
pub fn connect() -> io::Result<(Connection, Threads)> {
    let (here, editor) = Connection::memory();
    let Connection { sender, receiver } = editor;
    let told = here.sender.clone();
    let reader = Builder::new().name("lsp-reader".into()).spawn(move || {
        let mut send = |message| sender.send(message).is_ok();
        read(&mut io::stdin().lock(), &mut send, &mut |note| told.send(note).is_ok())
    })?;
    let writer = Builder::new().name("lsp-writer".into()).spawn(move || {
        let mut output = io::stdout().lock();
        receiver.into_iter().try_for_each(|message| message.write(&mut output)).and_then(|()| output.flush())
    })?;
    Ok((here, Threads { reader, writer }))
}

/// Hands on every message until there are no more; says of what is none why.
fn read(
    input: &mut impl BufRead,
    send: &mut dyn FnMut(Message) -> bool,
    tell: &mut dyn FnMut(Message) -> bool,
) -> io::Result<()> {
    loop {
        let goes_on = match Message::read(input) {
            Ok(None) => false,
            Ok(Some(message)) => {
                let last = matches!(&message, Message::Notification(note) if note.method == "exit");
                send(message) && !last
            }
            // The frame is read, so the next one begins behind it.
            Err(error) if error.kind() == ErrorKind::InvalidData => tell(complaint(&error)),
            Err(error) => return Err(error),
        };
        if !goes_on {
            return Ok(());
        }
    }
}

fn complaint(error: &io::Error) -> Message {
    let text: String = format!("a message was skipped: {error}").chars().take(300).collect();
    let params = json!({ "type": ERROR, "message": text });
    Notification::new("window/logMessage".into(), params).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_is_no_message_is_skipped_and_told() {
        let frame = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
        let note = |method: &str| frame(&format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#));
        let input =
            [note("a"), frame("{\"method\""), frame("[1]"), note("b"), note("exit"), note("c")].concat();
        let (said, heard) = mpsc::channel();
        let mut told = 0;
        let mut send = |message: Message| said.send(message).is_ok();
        read(&mut input.as_bytes(), &mut send, &mut |_| {
            told += 1;
            true
        })
        .expect("an end");
        let method = |message| match message {
            Message::Notification(note) => note.method,
            other => panic!("{other:?}"),
        };
        assert_eq!(heard.try_iter().map(method).collect::<Vec<_>>(), ["a", "b", "exit"]);
        assert_eq!(told, 2);
    }
}
