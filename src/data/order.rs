//! Which rows make up which batch: a shuffle of every epoch that keeps captions of one picture apart.
//!
//! An epoch takes every row once, but for the last ones that do not fill a batch. It goes in rounds: a round takes one caption of every
//! picture that still has one, pictures in random order, captions of a picture in random order. A batch across two rounds is kept free
//! of duplicates by moving pictures back in the later round. So no batch holds two captions of a picture as long as every round it
//! touches has at least `batch` pictures.
//!
//! Invariant: the order is a function of (rows of every picture, batch, seed, stage) alone.
//!
//! ```
//! use chiasm::data::Order;
//! let order = Order::new(&[0, 5, 10, 15], 3, 1, "pretrain"); // three pictures with five captions each
//! assert_eq!(order.epoch_steps(), 5);
//! let mut pictures: Vec<_> = order.rows(7).iter().map(|row| row / 5).collect();
//! pictures.sort();
//! assert_eq!(pictures, [0, 1, 2]);
//! ```

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::random::Stream;

/// The order of rows in a stage.
#[derive(Debug)]
pub struct Order {
    /// The first row of every picture, and the number of rows.
    first: Vec<usize>,
    batch: usize,
    pictures: Stream,
    captions: Stream,
    /// Epochs in use: workers at the end of one are beside workers at the start of the next.
    known: Mutex<Vec<(u64, Arc<Vec<u32>>)>>,
}

impl Order {
    /// `first` holds the first row of every picture and, last, the number of rows; `batch` is at least 1.
    pub fn new(first: &[usize], batch: usize, seed: u64, stage: &str) -> Self {
        Self {
            first: first.to_vec(),
            batch: batch.max(1),
            pictures: Stream::new(seed, stage, "data/order"),
            captions: Stream::new(seed, stage, "data/order/captions"),
            known: Mutex::default(),
        }
    }

    /// Full batches of an epoch.
    pub fn epoch_steps(&self) -> u64 {
        (self.first.last().copied().unwrap_or(0) / self.batch) as u64
    }

    /// The rows of a step of the stage; empty if there is no full batch.
    pub fn rows(&self, step: u64) -> Vec<usize> {
        let steps = self.epoch_steps();
        if steps == 0 {
            return Vec::new();
        }
        let start = (step % steps) as usize * self.batch;
        let epoch = self.epoch(step / steps);
        epoch[start..start + self.batch].iter().map(|row| *row as usize).collect()
    }

    fn epoch(&self, number: u64) -> Arc<Vec<u32>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = known.iter().find(|(n, _)| *n == number) {
            return order.clone();
        }
        let order = Arc::new(self.shuffle(number));
        known.retain(|(n, _)| n + 1 == number || *n == number + 1);
        known.push((number, order.clone()));
        order
    }

    fn shuffle(&self, epoch: u64) -> Vec<u32> {
        let captions = self.captions_in_order(epoch);
        let most = captions.iter().map(Vec::len).max().unwrap_or(0);
        let mut order = Vec::with_capacity(self.first.last().copied().unwrap_or(0));
        for round in 0..most {
            let stream = self.pictures.at_step(epoch << 16 | round as u64);
            let mut pictures = stream.permutation(captions.len());
            pictures.retain(|picture| captions[*picture as usize].len() > round);
            self.part(&order, &mut pictures);
            order.extend(pictures.into_iter().map(|p| (p, captions[p as usize][round])));
        }
        order.into_iter().map(|(_, row)| row).collect()
    }

    /// The rows of every picture, shuffled.
    fn captions_in_order(&self, epoch: u64) -> Vec<Vec<u32>> {
        let stream = self.captions.at_step(epoch);
        let shuffled = |(picture, ends): (usize, &[usize])| {
            let mut rows: Vec<u32> = (ends[0] as u32..ends[1] as u32).collect();
            for i in (1..rows.len()).rev() {
                rows.swap(i, stream.below(i as u32 + 1, picture as u32, i as u32) as usize);
            }
            rows
        };
        self.first.windows(2).enumerate().map(shuffled).collect()
    }

    /// Moves pictures of the batch begun by the last round out of the places that complete it.
    fn part(&self, order: &[(u32, u32)], pictures: &mut [u32]) {
        let begun: HashSet<u32> =
            order[order.len() - order.len() % self.batch..].iter().map(|(p, _)| *p).collect();
        let wanted = if begun.is_empty() { 0 } else { self.batch - begun.len().min(self.batch) };
        let mut free = wanted;
        for place in 0..wanted.min(pictures.len()) {
            if begun.contains(&pictures[place]) {
                while free < pictures.len() && begun.contains(&pictures[free]) {
                    free += 1;
                }
                if free == pictures.len() {
                    return;
                }
                pictures.swap(place, free);
                free += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(first: &[usize], row: usize) -> usize {
        first.partition_point(|start| *start <= row) - 1
    }

    #[test]
    fn an_epoch_takes_every_row_once_and_never_two_of_a_picture_in_a_batch() {
        let first: Vec<usize> = (0..=101).map(|p| p * 5).collect();
        for batch in [2, 7, 32, 100, 101] {
            let order = Order::new(&first, batch, 3, "s");
            for epoch in 0..3 {
                let steps = order.epoch_steps();
                let mut rows = Vec::new();
                for step in epoch * steps..(epoch + 1) * steps {
                    let batch_rows = order.rows(step);
                    let pictures: HashSet<_> = batch_rows.iter().map(|row| picture(&first, *row)).collect();
                    assert_eq!(pictures.len(), batch);
                    rows.extend(batch_rows);
                }
                rows.sort_unstable();
                rows.dedup();
                assert_eq!(rows.len(), 505 / batch * batch);
            }
        }
    }

    #[test]
    fn uneven_numbers_of_captions_are_all_read() {
        let first = [0, 1, 4, 9, 10, 17];
        let order = Order::new(&first, 1, 3, "s");
        let mut rows: Vec<_> = (0..17).flat_map(|step| order.rows(step)).collect();
        rows.sort_unstable();
        assert_eq!(rows, (0..17).collect::<Vec<_>>());
    }

    #[test]
    fn epochs_seeds_and_stages_differ() {
        let first: Vec<usize> = (0..=50).collect();
        let rows = |seed, stage: &str, step| Order::new(&first, 50, seed, stage).rows(step);
        assert_eq!(rows(1, "a", 1), rows(1, "a", 1));
        assert_ne!(rows(1, "a", 1), rows(1, "a", 2));
        assert_ne!(rows(1, "a", 1), rows(2, "a", 1));
        assert_ne!(rows(1, "a", 1), rows(1, "b", 1));
    }
}
