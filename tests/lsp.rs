//! The language server as an editor meets it: the program is started and spoken to in JSON-RPC.

#[path = "lsp/client.rs"]
mod client;

#[path = "lsp/answers.rs"]
mod answers;
#[path = "lsp/grammar.rs"]
mod grammar;
#[path = "lsp/lifecycle.rs"]
mod lifecycle;
#[path = "lsp/messages.rs"]
mod messages;
#[path = "lsp/offers.rs"]
mod offers;
