//! Convolutions of each channel by itself: images `[planes, height, width]`, results `[planes, down, across]`, weights
//! `[channels, side, side]`; plane p is of channel `p % channels`.
//!
//! A row of a result gets one weight times a stretch of a row of the image at a time, so with stride 1 the inner loop is a
//! multiply-add over neighbours. Sums of the weights' gradient are kept in `f64` from row to row.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;
use crate::op::Window;

/// Sizes of a convolution by channel.
#[derive(Clone, Copy, Debug)]
pub struct Planes {
    /// The window.
    pub window: Window,
    /// Rows of the batch times channels.
    pub planes: usize,
    /// Channels.
    pub channels: usize,
    /// Of the images.
    pub height: usize,
    /// Of the images.
    pub width: usize,
}

impl Planes {
    fn down(&self) -> usize {
        self.window.places(self.height).unwrap_or(0)
    }

    fn across(&self) -> usize {
        self.window.places(self.width).unwrap_or(0)
    }

    /// The stretch of a result's row that column `v` of the window brings together with the image: its ends, and the
    /// place of the image under its first.
    fn stretch(&self, v: usize) -> (usize, usize, usize) {
        let Window { stride, pad, .. } = self.window;
        let first = pad.saturating_sub(v).div_ceil(stride);
        let end = (self.width + pad).saturating_sub(v).div_ceil(stride).min(self.across()).max(first);
        (first, end, (first * stride + v).saturating_sub(pad))
    }

    /// Every row of a result with a row of the image that lies under row `u` of its window.
    fn rows(&self, u: usize) -> impl Iterator<Item = (usize, usize)> {
        let (window, height) = (self.window, self.height);
        (0..self.down()).filter_map(move |i| Some((i, window.under(i, u, height)?)))
    }

    /// The weights of a plane.
    fn weights<'w>(&self, w: &'w [f32], plane: usize) -> &'w [f32] {
        let square = self.window.side * self.window.side;
        &w[plane % self.channels * square..][..square]
    }
}

/// `y` from images and weights.
pub fn forward(worker: &Worker, at: Planes, x: View, w: View, y: View) {
    let (image, result) = (at.height * at.width, at.down() * at.across());
    worker.share(at.planes, |plane| {
        let weights = at.weights(w.read(), plane);
        let y = y.part(plane * result, result).write();
        convolve(worker.level, at, x.part(plane * image, image).read(), weights, y);
    });
}

/// `dx` from `dy` and weights.
pub fn backward(worker: &Worker, at: Planes, dy: View, w: View, dx: View) {
    let (image, result) = (at.height * at.width, at.down() * at.across());
    worker.share(at.planes, |plane| {
        let weights = at.weights(w.read(), plane);
        let dx = dx.part(plane * image, image).write();
        spread(worker.level, at, dy.part(plane * result, result).read(), weights, dx);
    });
}

/// `dw` from `dy` and images.
pub fn weights(worker: &Worker, at: Planes, dy: View, x: View, dw: View) {
    let square = at.window.side * at.window.side;
    worker.share(at.channels, |channel| {
        let dw = dw.part(channel * square, square).write();
        correlate(worker.level, at, channel, dy.read(), x.read(), dw);
    });
}

by_level! {
    fn convolve[F](at: Planes, x: &[f32], w: &[f32], y: &mut [f32]) {
        y.fill(0.0);
        let (side, across, stride) = (at.window.side, at.across(), at.window.stride);
        for (place, w) in w.iter().enumerate() {
            let (first, end, from) = at.stretch(place % side);
            for (i, row) in at.rows(place / side) {
                let y = &mut y[i * across + first..i * across + end];
                let x = &x[(row * at.width + from).min(x.len())..];
                if stride == 1 {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = F::fma(*w, *x, *y));
                } else {
                    y.iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, x)| *y = F::fma(*w, *x, *y));
                }
            }
        }
    }

    fn spread[F](at: Planes, dy: &[f32], w: &[f32], dx: &mut [f32]) {
        dx.fill(0.0);
        let (side, across, stride) = (at.window.side, at.across(), at.window.stride);
        for (place, w) in w.iter().enumerate() {
            let (first, end, from) = at.stretch(place % side);
            for (i, row) in at.rows(place / side) {
                let dy = &dy[i * across + first..i * across + end];
                let start = (row * at.width + from).min(dx.len());
                let dx = &mut dx[start..];
                if stride == 1 {
                    dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = F::fma(*w, *dy, *dx));
                } else {
                    dx.iter_mut().step_by(stride).zip(dy).for_each(|(dx, dy)| *dx = F::fma(*w, *dy, *dx));
                }
            }
        }
    }

    fn correlate[F](at: Planes, channel: usize, dy: &[f32], x: &[f32], dw: &mut [f32]) {
        let (side, across, stride) = (at.window.side, at.across(), at.window.stride);
        let (image, result) = (at.height * at.width, at.down() * across);
        for (place, dw) in dw.iter_mut().enumerate() {
            let (first, end, from) = at.stretch(place % side);
            let mut sum = 0.0_f64;
            for plane in (channel..at.planes).step_by(at.channels) {
                for (i, row) in at.rows(place / side) {
                    let dy = &dy[plane * result + i * across + first..plane * result + i * across + end];
                    let start = (row * at.width + from).min(image);
                    let x = &x[plane * image + start..(plane + 1) * image];
                    if stride == 1 {
                        let length = dy.len().min(x.len());
                        sum += lanes::sum_two(&x[..length], &dy[..length], |x, dy| x * dy);
                    } else {
                        let near = x.iter().step_by(stride).zip(dy);
                        sum += near.map(|(x, dy)| f64::from(x * dy)).sum::<f64>();
                    }
                }
            }
            *dw = sum as f32;
        }
    }
}
