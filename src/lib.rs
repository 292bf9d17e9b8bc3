//! Chiasm: a vision-language model is one text file; this crate checks it, trains it, measures it and runs it.
//!
//! ```text
//! .chi text ──parse──▶ tree ──lower──▶ graph ──passes──▶ graph ──plan──▶ program ──run──▶ numbers
//!            chiasm-dsl       lower            pass            plan             exec
//! ```
//!
//! Three calls are enough to embed it: [`compile`] a file, [`train()`] its stages, run a [`Network`]. In a
//! program that computes with dfdx, [`embed`] makes it one of its layers.
//!
//! ```
//! use chiasm::{Host, Network, Options, TrainOptions};
//! # let folder = std::env::temp_dir().join(format!("chiasm-face-{}", std::process::id()));
//! # let file = std::path::Path::new("tests/train/speck.chi");
//! # /*
//! let file = Path::new("models/tiny/clip.chi");
//! # */
//! let model = chiasm::compile(file, &Options::default())?;
//!
//! let host = Host::default(); // the data set `scenes`, one thread a core
//! let options = TrainOptions { steps: Some(2), out: Some(folder.clone()), ..TrainOptions::default() };
//! let outcome = chiasm::train(&model, &options, &host, &mut |_event| {})?;
//! assert!(outcome.finished);
//!
//! let mut network = Network::trained(&model, "pretrain", &outcome.folder, &host)?;
//! let features = network.run("text_feat", &[("text", ["a red circle"].into())])?;
//! println!("{:?}", features.dims);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: parsing never fails, it returns a tree and diagnostics; an executor is handed verified graphs only; backward
//! is ordinary graph; same seed, same numbers, on any number of threads; no text, image, JSON or checkpoint makes it panic.

pub mod bench;
pub mod build;
pub mod cli;
pub mod data;
pub mod embed;
pub mod emit;
pub mod exec;
pub mod graph;
pub mod lower;
pub mod lsp;
pub mod network;
pub mod op;
pub mod parallel;
pub mod pass;
pub mod picture;
pub mod plan;
pub mod random;
pub mod recipe;
pub mod shape;
pub mod task;
pub mod tensor;
pub mod train;
pub mod weights;

pub use lower::{Failure, Model, Options, compile};
pub use network::{Input, Network, NetworkError};
pub use tensor::Tensor;
pub use train::run::{Event, Outcome};
pub use train::{Host, TrainError, TrainOptions, train};
