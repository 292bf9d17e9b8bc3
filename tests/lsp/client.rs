//! An editor in a few lines: it starts the server, asks, and waits for what is published.

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// A started server.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: i32,
    told: Vec<Notification>,
}

impl Client {
    /// A server that has not been greeted. Its cache is a folder of this test run.
    pub fn new() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chiasm"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", cache())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a started server");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, input, output, next: 0, told: Vec::new() }
    }

    /// A server that is ready.
    pub fn ready() -> Self {
        let mut client = Self::new();
        client.ask("initialize", json!({ "capabilities": {}, "processId": null })).expect("capabilities");
        client.tell("initialized", json!({}));
        client
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.into(), params).into());
    }

    /// Sends a frame, whatever is in it.
    pub fn frame(&mut self, content: &str) {
        let input = self.input.as_mut().expect("an open input");
        write!(input, "Content-Length: {}\r\n\r\n{content}", content.len()).expect("a living server");
    }

    fn send(&mut self, message: Message) {
        message.write(self.input.as_mut().expect("an open input")).expect("a living server");
    }

    /// Asks and waits for the answer, or the code of its error.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, i32> {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.send(Request::new(id.clone(), method.into(), params).into());
        loop {
            match Message::read(&mut self.output).expect("a message").expect("a living server") {
                Message::Response(response) if response.id == id => {
                    return response.response_result.map_err(|error| error.code);
                }
                Message::Notification(note) => self.told.push(note),
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Waits for what is published for a version of a document.
    pub fn published(&mut self, uri: &str, version: i64) -> Vec<Value> {
        let wanted = |note: &Notification| {
            note.method == "textDocument/publishDiagnostics"
                && note.params["uri"] == uri
                && note.params["version"] == version
        };
        loop {
            if let Some(at) = self.told.iter().position(wanted) {
                let note = self.told.remove(at);
                return note.params["diagnostics"].as_array().cloned().expect("a list");
            }
            match Message::read(&mut self.output).expect("a message").expect("a living server") {
                Message::Notification(note) => self.told.push(note),
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Opens a text and waits for its messages.
    pub fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let item = json!({ "uri": uri, "languageId": "chiasm", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": item }));
        self.published(uri, 1)
    }

    /// Opens a file of this repository under its own address.
    pub fn open_file(&mut self, path: &str) -> (String, String) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = std::fs::read_to_string(&path).expect("a file");
        let uri = uri(&path);
        self.open(&uri, &text);
        (uri, text)
    }

    /// Changes a text; a change is a range and what takes its place, or the whole text.
    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// Replaces a whole text and waits for its messages.
    pub fn rewrite(&mut self, uri: &str, version: i64, text: &str) -> Vec<Value> {
        self.change(uri, version, json!([{ "text": text }]));
        self.published(uri, version)
    }

    /// Asks about the place at the first `mark` of a text, plus some units.
    pub fn at(&mut self, question: &str, uri: &str, text: &str, mark: &str, plus: usize) -> Value {
        let position = place(text, text.find(mark).unwrap_or_else(|| panic!("no `{mark}`")) + plus);
        let params = json!({ "textDocument": { "uri": uri }, "position": position });
        self.ask(&format!("textDocument/{question}"), params).expect("an answer")
    }

    /// The text of a hover.
    pub fn hover(&mut self, uri: &str, text: &str, mark: &str, plus: usize) -> String {
        let answer = self.at("hover", uri, text, mark, plus);
        answer["contents"]["value"].as_str().unwrap_or("nothing").to_string()
    }

    /// The labels of what is offered.
    pub fn offers(&mut self, uri: &str, text: &str, mark: &str, plus: usize) -> Vec<String> {
        let answer = self.at("completion", uri, text, mark, plus);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|item| Some(item["label"].as_str()?.to_string())).collect()
    }

    /// Says nothing more and waits for the end.
    pub fn wait(mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().expect("an end")
    }

    /// Ends as the protocol says.
    pub fn end(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Ok(Value::Null));
        self.tell("exit", Value::Null);
        assert_eq!(self.wait().code(), Some(0));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A test that failed leaves no server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The place of a byte, counted as an editor counts.
pub fn place(text: &str, byte: usize) -> Value {
    let head = &text[..byte];
    let line = head.rfind('\n').map_or(0, |end| end + 1);
    let character: usize = head[line..].chars().map(char::len_utf16).sum();
    json!({ "line": head.matches('\n').count(), "character": character })
}

/// The text in a range.
pub fn under(text: &str, range: &Value) -> String {
    let byte = |at: &Value| {
        let line = at["line"].as_u64().expect("a line") as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = at["character"].as_u64().expect("a character") as usize;
        let mut end = start;
        for c in text[start..].chars().take_while(|_| true) {
            if units == 0 {
                break;
            }
            units -= c.len_utf16();
            end += c.len_utf8();
        }
        end
    };
    text[byte(&range["start"])..byte(&range["end"])].to_string()
}

pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("lsp-cache")
}

/// A fresh folder whose path has a space and a letter that is not ASCII.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lsp {name} é"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

/// The address of a path.
pub fn uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    for byte in path.to_str().expect("a path").bytes() {
        match byte {
            b' ' | 128.. => uri += &format!("%{byte:02x}"),
            _ => uri.push(byte as char),
        }
    }
    uri
}

/// A small model whose stage reaches everything; what is added stands before it.
pub fn model(added: &str) -> String {
    format!(
        "set width = 8\n{added}\nbert = WordPiece(\"bert-base-uncased\")\n\
         input image : image[B, 3, 16, 16]\ninput text  : text[B, ~12] of bert\n\
         vision = ViT(width, 2, 2, patch: 8)\nreader = Bert(bert, width, 2, 2)\ntemp   = Param([], 0.07)\n\
         image_feat = image -> vision -> cls -> normalize\ntext_feat  = text -> reader -> cls -> normalize\n\
         loss itc   = contrastive(image_feat, text_feat, temp)\n\
         stage pretrain {{\n  data     = pairs(\"scenes\")\n  minimise = itc\n}}\n"
    )
}
