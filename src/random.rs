//! Counter-based random numbers: the same place always draws the same number.
//!
//! A draw is addressed by (seed, stage, step, row, path, element); Philox 4x32-10 (Salmon et al., 2011) turns the address
//! into 32 random bits. Nothing is remembered, so threads, recomputation, resuming and the batch split change no draw.
//!
//! ```
//! use chiasm::random::Stream;
//! let stream = Stream::new(1, "pretrain", "drop").at_step(7);
//! assert_eq!(stream.uniform(3, 9), stream.uniform(3, 9));
//! assert_ne!(stream.uniform(3, 9), stream.uniform(4, 9));
//! ```

/// The draws of one path in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    step: u64,
    /// What is row 0 of those that draw.
    first_row: u32,
}

impl Stream {
    /// The stream of a path (a definition and the calls below it) in a stage.
    pub fn new(seed: u64, stage: &str, path: &str) -> Self {
        let mixed = mix(seed ^ hash(stage).rotate_left(17)) ^ hash(path);
        let key = mix(mixed);
        Self { key: [key as u32, (key >> 32) as u32], step: 0, first_row: 0 }
    }

    /// The same stream at another step.
    #[must_use]
    pub fn at_step(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// The same stream for rows that begin with this one of the batch.
    #[must_use]
    pub fn at_row(self, first_row: u32) -> Self {
        Self { first_row, ..self }
    }

    /// Four times 32 random bits: elements `4 * block .. 4 * block + 4` of a row.
    #[inline]
    pub fn block(self, row: u32, block: u32) -> [u32; 4] {
        philox(
            [block, self.first_row.wrapping_add(row), self.step as u32, (self.step >> 32) as u32],
            self.key,
        )
    }

    /// `L` blocks side by side: word w of block `first + l` is `[w][l]`. Written so that it becomes vector code.
    #[inline(always)]
    pub fn blocks<const L: usize>(self, row: u32, first: u32) -> [[u32; L]; 4] {
        let row = self.first_row.wrapping_add(row);
        let mut counter = [[0; L], [row; L], [self.step as u32; L], [(self.step >> 32) as u32; L]];
        counter[0] = std::array::from_fn(|l| first.wrapping_add(l as u32));
        let mut key = self.key;
        for _ in 0..10 {
            #[allow(clippy::needless_range_loop, reason = "lanes run side by side")]
            for l in 0..L {
                let next = round(std::array::from_fn(|w| counter[w][l]), key);
                for w in 0..4 {
                    counter[w][l] = next[w];
                }
            }
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        counter
    }

    /// 32 random bits for one element of a row.
    #[inline]
    pub fn bits(self, row: u32, element: u32) -> u32 {
        self.block(row, element / 4)[(element % 4) as usize]
    }

    /// A number in [0, 1), a multiple of 2^-24, so exact in `f32`.
    #[inline]
    pub fn uniform(self, row: u32, element: u32) -> f32 {
        to_unit(self.bits(row, element))
    }

    /// A whole number below `n` (`n > 0`); the bias is below n / 2^32.
    #[inline]
    pub fn below(self, n: u32, row: u32, element: u32) -> u32 {
        ((u64::from(self.bits(row, element)) * u64::from(n)) >> 32) as u32
    }

    /// A standard normal number (Box-Muller on elements `2e` and `2e + 1`).
    pub fn normal(self, row: u32, element: u32) -> f64 {
        let pair = self.block(row, element / 2);
        let half = (element % 2) as usize * 2;
        let radius = (f64::from(pair[half]) + 0.5) / 4_294_967_296.0;
        let angle = f64::from(pair[half + 1]) / 4_294_967_296.0 * std::f64::consts::TAU;
        (-2.0 * radius.ln()).sqrt() * angle.cos()
    }

    /// A permutation of `0..n` (Fisher-Yates over the elements of row 0).
    pub fn permutation(self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u32 + 1, 0, i as u32) as usize);
        }
        order
    }
}

/// The upper 24 bits as a number in [0, 1).
#[inline]
pub fn to_unit(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// FNV-1a, finished by a mixer; names become keys with it.
pub fn hash(text: &str) -> u64 {
    hash_of([text.as_bytes()])
}

/// The same of bytes in pieces.
pub fn hash_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = pieces.into_iter().flatten();
    mix(bytes.fold(start, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)))
}

/// The finaliser of SplitMix64.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[inline]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        counter = round(counter, key);
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

/// One of Philox's ten rounds.
#[inline(always)]
fn round(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let a = u64::from(counter[0]) * 0xD251_1F53;
    let b = u64::from(counter[2]) * 0xCD9E_8D57;
    [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_equals_the_published_vectors() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }

    #[test]
    fn blocks_side_by_side_are_the_same_blocks() {
        let stream = Stream::new(5, "s", "p").at_step(1 << 40);
        let blocks = stream.blocks::<16>(3, 70);
        assert!((0..16).all(|l| stream.block(3, 70 + l as u32) == std::array::from_fn(|w| blocks[w][l])));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let stream = Stream::new(3, "s", "p");
        let draws: Vec<f64> = (0..40_000).map(|e| stream.normal(0, e)).collect();
        let mean = draws.iter().sum::<f64>() / 4e4;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 4e4;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn a_permutation_holds_everything_once() {
        let mut order = Stream::new(3, "s", "p").permutation(1000);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, x)| i as u32 == *x));
    }
}
