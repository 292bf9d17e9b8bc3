//! Data: from the names in a recipe to batches of numbers.
//!
//! ```text
//! recipe::Data ──Library──▶ Dataset (rows with columns) ──Loader──▶ Batch ──▶ the step
//!                              │                                        columns of pixels, token ids, image ids
//!                              └── read(), images(), texts(): rows in order, for evaluation
//! ```
//!
//! Invariant: a batch is a function of (data set, wishes, transforms, batch size, seed, stage, step) alone: not of the number of
//! threads, of time, or of where a run was resumed. No file, however broken, makes anything here panic.
//!
//! Example: the built-in scenes, one batch of two pictures with their captions.
//!
//! ```
//! use chiasm::data::{Kind, Library, Loader, LoaderOptions, Vocabulary, Wish};
//! use chiasm::recipe::Data;
//! use std::sync::Arc;
//! let data = Data::pairs(["scenes/val"]);
//! let dataset = Arc::new(Library::default().open(&data)?);
//! let words = Arc::new(Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &[], &Library::default())?);
//! let wishes = vec![Wish::image("image", 32), Wish::text("text", words, 24), Wish::ids("image_id")];
//! let mut loader = Loader::new(dataset, wishes, LoaderOptions { batch: 2, ..LoaderOptions::default() })?;
//! let batch = loader.next()?;
//! assert_eq!(batch.columns[0].dims, [2, 3, 32, 32]);
//! assert_eq!(batch.columns[1].dims, [2, 24]);
//! # Ok::<(), chiasm::data::Error>(())
//! ```

pub mod affine;
mod batch;
mod cells;
mod clean;
mod coco;
mod dataset;
pub mod derived;
mod error;
mod folder;
pub mod image;
pub mod jitter;
mod jpeg;
mod karpathy;
mod kinds;
mod library;
mod loader;
mod order;
mod orientation;
mod png;
pub mod randaugment;
mod read;
mod report;
pub mod resize;
pub mod scenes;
pub mod transform;
mod vocab;
mod vocabulary;
mod warp;
mod webp;

pub use batch::{Batch, Column, Values, Wish, WishKind};
pub use cells::{Cell, Cells};
pub use dataset::{Dataset, Picture};
pub use error::Error;
pub use kinds::plain_answer;
pub use library::Library;
pub use loader::{Loader, LoaderOptions};
pub use order::Order;
pub use report::{Problem, Report};
pub use vocab::learn::learn_pieces;
pub use vocabulary::{Kind, Vocabulary};
