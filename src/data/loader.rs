//! Batches, read ahead by worker threads: decoding, augmentation and tokenising happen beside the training step.
//!
//! Worker w of n makes batches w, w + n, w + 2n, ... of the stage and `next` takes from them in turn, so the order is fixed however
//! fast each one is. Invariant: the batch of a step does not depend on the number of workers or on the step that the loader started at.
//! A picture that cannot be read is replaced by another row, drawn from (seed, stage, step, row), and named in the data set's report.
//!
//! ```
//! # use chiasm::data::{Library, Loader, LoaderOptions, Wish};
//! # use chiasm::recipe::Data;
//! # let data = Data::pairs(["scenes/val"]);
//! let dataset = std::sync::Arc::new(Library::default().open(&data)?);
//! let options = LoaderOptions { batch: 4, ..LoaderOptions::default() };
//! let mut loader = Loader::new(dataset.clone(), vec![Wish::ids("image_id")], options.clone())?;
//! let (_, second) = (loader.next()?, loader.next()?);
//! let mut resumed = Loader::new(dataset, vec![Wish::ids("image_id")], LoaderOptions { start: 1, ..options })?;
//! assert_eq!(resumed.next()?, second);
//! # Ok::<(), chiasm::data::Error>(())
//! ```

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use super::image::Pixels;
use super::transform::Augmentation;
use super::{Batch, Column, Dataset, Error, Order, Values, Vocabulary, Wish, WishKind};
use crate::random::Stream;
use crate::recipe::Transform;

/// How many rows are drawn in place of one that cannot be read.
const TRIES: u32 = 64;

/// How a stage wants its batches.
#[derive(Clone, Debug)]
pub struct LoaderOptions {
    /// What is done to images.
    pub transforms: Vec<Transform>,
    /// Rows of a batch, at least 1.
    pub batch: usize,
    /// Of the stage.
    pub seed: u64,
    /// The name of the stage.
    pub stage: String,
    /// The first step that is delivered.
    pub start: u64,
    /// Worker threads; 0 takes half of the cores, at least one and at most eight.
    pub threads: usize,
    /// Batches that are kept ready.
    pub ahead: usize,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        let stage = String::new();
        Self { transforms: Vec::new(), batch: 1, seed: 0, stage, start: 0, threads: 0, ahead: 4 }
    }
}

/// Delivers the batches of a stage, one a step. Dropping it stops its threads.
#[derive(Debug)]
pub struct Loader {
    maker: Arc<Maker>,
    queues: Vec<Receiver<Result<Batch, Error>>>,
    workers: Vec<JoinHandle<()>>,
    turn: usize,
    step: u64,
}

impl Loader {
    /// Starts the workers.
    ///
    /// # Errors
    /// `TooFew` if the data does not fill one batch, `Wish` for an input that no column feeds.
    pub fn new(dataset: Arc<Dataset>, wishes: Vec<Wish>, options: LoaderOptions) -> Result<Self, Error> {
        let maker = Arc::new(Maker::new(dataset, wishes, &options)?);
        let threads = match options.threads {
            0 => (std::thread::available_parallelism().map_or(1, usize::from) / 2).clamp(1, 8),
            threads => threads,
        };
        let (mut queues, mut workers) = (Vec::new(), Vec::new());
        for worker in 0..threads as u64 {
            let (sender, queue) = sync_channel(options.ahead.div_ceil(threads).max(1));
            let (maker, first) = (maker.clone(), options.start + worker);
            workers.push(std::thread::spawn(move || {
                for step in (first..).step_by(threads) {
                    if sender.send(maker.batch(step)).is_err() {
                        return;
                    }
                }
            }));
            queues.push(queue);
        }
        Ok(Self { maker, queues, workers, turn: 0, step: options.start })
    }

    /// Full batches of an epoch.
    pub fn epoch_steps(&self) -> u64 {
        self.maker.order.epoch_steps()
    }

    /// The step whose batch comes next.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The next batch; waits for it.
    ///
    /// # Errors
    /// `NothingReadable` if every picture is broken.
    #[allow(clippy::should_implement_trait, reason = "a stage has no end, so this is no iterator")]
    pub fn next(&mut self) -> Result<Batch, Error> {
        let batch = self.queues[self.turn].recv().unwrap_or(Err(Error::Worker));
        self.turn = (self.turn + 1) % self.queues.len();
        self.step += 1;
        batch
    }

    /// Gives a batch back that is no longer needed, so that its memory serves a later one.
    pub fn give_back(&self, batch: Batch) {
        let mut spare = self.maker.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < 8 {
            spare.extend(batch.columns.into_iter().filter_map(|column| match column.values {
                Values::Floats(values) => Some(values),
                Values::Ids(_) => None,
            }));
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Without queues the workers cannot send, and end.
        self.queues.clear();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

/// Makes any batch of the stage.
#[derive(Debug)]
struct Maker {
    dataset: Arc<Dataset>,
    wishes: Vec<(Wish, Tokens)>,
    augmentation: Augmentation,
    order: Order,
    replacement: Stream,
    others: Stream,
    spare: Mutex<Vec<Vec<f32>>>,
}

/// A picture column, whether of another row, and the picture.
type Loaded<'w> = (&'w String, bool, Pixels);

/// The ids of texts that were read before.
type Tokens = Vec<OnceLock<Box<[i32]>>>;

impl Maker {
    fn new(dataset: Arc<Dataset>, wishes: Vec<Wish>, options: &LoaderOptions) -> Result<Self, Error> {
        if options.batch == 0 || dataset.rows() < options.batch {
            return Err(Error::TooFew { rows: dataset.rows(), batch: options.batch });
        }
        wishes.iter().try_for_each(|wish| dataset.grants(wish))?;
        let tokens = |wish: &Wish| match wish.kind {
            WishKind::Text { .. } => (0..dataset.rows()).map(|_| OnceLock::new()).collect(),
            WishKind::Image { .. } | WishKind::Ids | WishKind::Numbers { .. } => Vec::new(),
        };
        let wishes = wishes.into_iter().map(|wish| (wish.clone(), tokens(&wish))).collect();
        Ok(Self {
            wishes,
            augmentation: Augmentation::new(&options.transforms, options.seed, &options.stage),
            order: Order::new(dataset.first_rows(), options.batch, options.seed, &options.stage),
            replacement: Stream::new(options.seed, &options.stage, "data/replacement"),
            others: Stream::new(options.seed, &options.stage, "data/other"),
            spare: Mutex::default(),
            dataset,
        })
    }

    fn batch(&self, step: u64) -> Result<Batch, Error> {
        let mut rows = self.order.rows(step);
        let mut columns: Vec<Column> =
            self.wishes.iter().map(|(wish, _)| self.blank(wish, rows.len())).collect();
        for (place, row) in rows.iter_mut().enumerate() {
            self.pictures(step, place, row, &mut columns)?;
        }
        let others = self.other_rows(step, &rows);
        for ((wish, tokens), column) in self.wishes.iter().zip(&mut columns) {
            let rows = if wish.other { &others } else { &rows };
            match &wish.kind {
                WishKind::Image { .. } => {}
                WishKind::Ids | WishKind::Numbers { .. } => *column = self.dataset.numbers(rows, wish),
                WishKind::Text { vocabulary, length } => {
                    self.texts(rows, vocabulary, *length, (&wish.from, tokens), column)
                }
            }
        }
        Ok(Batch { columns, rows })
    }

    /// For every row another one, if some input wants that.
    fn other_rows(&self, step: u64, rows: &[usize]) -> Vec<usize> {
        let wanted = self.wishes.iter().any(|(wish, _)| wish.other);
        let rows = rows.iter().enumerate().filter(|_| wanted);
        rows.map(|(place, row)| self.other(step, place, *row)).collect()
    }

    /// A drawn row with another picture; of texts alone, another row.
    fn other(&self, step: u64, place: usize, row: usize) -> usize {
        let (stream, rows) = (self.others.at_step(step), self.dataset.rows());
        let differs = |other: &usize| {
            let picture = |row| self.dataset.picture_in("image", row);
            *other != row && (picture(*other).is_none() || picture(*other) != picture(row))
        };
        let drawn = (0..TRIES).map(|attempt| stream.below(rows as u32, place as u32, attempt) as usize);
        drawn.chain((1..rows).map(|far| (row + far) % rows)).find(differs).unwrap_or(row)
    }

    fn blank(&self, wish: &Wish, rows: usize) -> Column {
        let (dims, values) = match &wish.kind {
            WishKind::Image { side } => {
                let size = rows * 3 * side * side;
                let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut values = spare.unwrap_or_default();
                values.resize(size, 0.0);
                (vec![rows, 3, *side, *side], Values::Floats(values))
            }
            WishKind::Text { length, .. } => (vec![rows, *length], Values::Ids(Vec::new())),
            WishKind::Ids | WishKind::Numbers { .. } => (vec![rows], Values::Ids(Vec::new())),
        };
        Column { name: wish.name.clone(), dims, values, lengths: None }
    }

    /// Fills one row of every image column; another row takes the place of one with a broken picture.
    fn pictures(
        &self,
        step: u64,
        place: usize,
        row: &mut usize,
        columns: &mut [Column],
    ) -> Result<(), Error> {
        let sides = self.wishes.iter().filter_map(|(wish, _)| match wish.kind {
            WishKind::Image { side } => Some(self.augmentation.drawn(side)),
            WishKind::Text { .. } | WishKind::Ids | WishKind::Numbers { .. } => None,
        });
        let Some(side) = sides.max() else { return Ok(()) };
        let pixels = self.load(step, place, row, side)?;
        for ((wish, _), column) in self.wishes.iter().zip(columns) {
            if let (WishKind::Image { side }, Values::Floats(values)) = (&wish.kind, &mut column.values) {
                let size = 3 * side * side;
                let found =
                    pixels.iter().find(|(from, other, _)| (*from, *other) == (&wish.from, wish.other));
                let Some((.., pixels)) = found else { continue };
                let square = self.augmentation.apply(pixels.clone(), *side, Some((step, place as u32)));
                square.write_on(*side, &mut values[place * size..(place + 1) * size]);
            }
        }
        Ok(())
    }

    /// The pictures of a row; if one is broken, of a drawn row, in the end of the next row that can be read.
    fn load(&self, step: u64, place: usize, row: &mut usize, side: usize) -> Result<Vec<Loaded<'_>>, Error> {
        let (stream, rows) = (self.replacement.at_step(step), self.dataset.rows());
        for attempt in 0..TRIES + rows as u32 {
            if let Ok(pixels) = self.load_all(step, place, *row, side) {
                return Ok(pixels);
            }
            let drawn = || stream.below(rows as u32, place as u32, attempt) as usize;
            *row = if attempt < TRIES { drawn() } else { (*row + 1) % rows };
        }
        Err(self.dataset.nothing_readable().unwrap_or(Error::Worker))
    }

    /// Every picture column of a row that some input reads, each once.
    fn load_all(&self, step: u64, place: usize, row: usize, side: usize) -> Result<Vec<Loaded<'_>>, Error> {
        let mut loaded: Vec<Loaded<'_>> = Vec::new();
        for (wish, _) in self.wishes.iter().filter(|(wish, _)| matches!(wish.kind, WishKind::Image { .. })) {
            if loaded.iter().any(|(from, other, _)| (*from, *other) == (&wish.from, wish.other)) {
                continue;
            }
            let row = if wish.other { self.other(step, place, row) } else { row };
            let picture = self.dataset.picture_in(&wish.from, row).unwrap_or_default();
            loaded.push((&wish.from, wish.other, self.dataset.load(picture, side)?));
        }
        Ok(loaded)
    }

    fn texts(
        &self,
        rows: &[usize],
        vocabulary: &Vocabulary,
        length: usize,
        (from, tokens): (&str, &Tokens),
        column: &mut Column,
    ) {
        let mut ids = vec![vocabulary.pad(); rows.len() * length];
        let mut lengths = Vec::with_capacity(rows.len());
        for (row, ids) in rows.iter().zip(ids.chunks_mut(length)) {
            let caption = || vocabulary.tokens(self.dataset.text(from, *row), length).into_boxed_slice();
            let known = tokens[*row].get_or_init(caption);
            ids[..known.len()].copy_from_slice(known);
            lengths.push(known.len() as i32);
        }
        column.values = Values::Ids(ids);
        column.lengths = Some(lengths);
    }
}
