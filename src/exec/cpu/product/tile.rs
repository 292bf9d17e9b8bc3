//! The innermost loops of a product: one tile of C, at most [`Tiles::rows`] by exactly [`Tiles::columns`].
//!
//! The tile is kept in registers while k advances. B comes packed (`columns` numbers for each k, zeros past the edge); A is
//! read where it is: number (i, k) at `i * row + k * step`, where one of the two strides is 1. Sums are `f32`, in order of k.
//! Every function writes its tile out at once: an epilogue inside the k loop made the compiler keep the sums in memory.

use crate::exec::cpu::level::{Arithmetic, Least, Level};

/// A piece of A: address of its first number and the words between rows and between columns.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) at: *const f32,
    pub(crate) row: usize,
    pub(crate) step: usize,
}

/// `c = a b`, or `c += a b`: depth, A, packed B, C, words between rows of C, whether to add.
pub(crate) type Tile = unsafe fn(usize, Left, *const f32, *mut f32, usize, bool);

/// The tiles of a level.
pub(crate) struct Tiles {
    /// Most rows.
    pub(crate) rows: usize,
    /// Columns.
    pub(crate) columns: usize,
    /// For 1 row, 2 rows, ...
    table: &'static [Tile],
}

/// Most rows of any level.
pub(crate) const MOST_ROWS: usize = 14;
/// Most columns of any level.
pub(crate) const MOST_COLUMNS: usize = 32;

impl Tiles {
    /// The tiles of a level.
    pub(crate) fn of(level: Level) -> &'static Tiles {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &x86::AVX512,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &x86::AVX2,
            _ => &PLAIN,
        }
    }

    /// Computes a tile of `rows` rows and `columns` columns, of which there may be fewer than a full tile's.
    ///
    /// # Safety
    /// A, B and C cover what is read and written: `depth` columns of A, `depth` full packed rows of B.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub(crate) unsafe fn run(
        &self,
        rows: usize,
        columns: usize,
        depth: usize,
        a: Left,
        b: *const f32,
        c: *mut f32,
        stride: usize,
        add: bool,
    ) {
        let tile = self.table[rows - 1];
        if columns == self.columns {
            // SAFETY: promised by the caller.
            return unsafe { tile(depth, a, b, c, stride, add) };
        }
        let mut whole = [0.0_f32; MOST_ROWS * MOST_COLUMNS];
        // SAFETY: the buffer holds the largest tile; of C only the columns that exist are touched.
        unsafe {
            tile(depth, a, b, whole.as_mut_ptr(), self.columns, false);
            for i in 0..rows {
                for j in 0..columns {
                    let to = c.add(i * stride + j);
                    *to = whole[i * self.columns + j] + if add { *to } else { 0.0 };
                }
            }
        }
    }
}

static PLAIN: Tiles = Tiles { rows: 4, columns: 8, table: &[plain::<1>, plain::<2>, plain::<3>, plain::<4>] };

/// Arrays of eight, which fit the registers of SSE2 and NEON.
unsafe fn plain<const R: usize>(depth: usize, a: Left, b: *const f32, c: *mut f32, stride: usize, add: bool) {
    let mut sums = [[0.0_f32; 8]; R];
    for k in 0..depth {
        // SAFETY: packed rows of eight.
        let b = unsafe { &*b.add(k * 8).cast::<[f32; 8]>() };
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: inside A, as the caller promised.
            let x = unsafe { *a.at.add(i * a.row + k * a.step) };
            for j in 0..8 {
                sum[j] = Least::fma(x, b[j], sum[j]);
            }
        }
    }
    for (i, sum) in sums.iter().enumerate() {
        // SAFETY: inside C, as the caller promised.
        let c = unsafe { &mut *c.add(i * stride).cast::<[f32; 8]>() };
        for j in 0..8 {
            c[j] = sum[j] + if add { c[j] } else { 0.0 };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Left, Tile, Tiles};
    use std::arch::x86_64::*;

    /// Makes a pointer look new.
    #[inline(always)]
    fn hide(p: &mut *const f32) {
        // SAFETY: no instruction at all.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) * p, options(nostack, preserves_flags)) };
    }

    /// Repeats a statement for i = 0..R, unrolled by hand: the compiler gives up at 13 rows.
    macro_rules! each {
        ($R:ident, $i:ident, $do:block) => {
            each!(@ $R, $i, $do, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
        };
        (@ $R:ident, $i:ident, $do:block, $($n:literal)*) => {
            $(if $n < $R {
                let $i: usize = $n;
                $do
            })*
        };
    }

    /// Makes the tile functions of one instruction set: two vectors wide, any number of rows.
    macro_rules! tiles {
        ($name:ident, $vector:ident, $feature:literal, $lanes:literal, $zero:ident, $load:ident, $store:ident, $splat:ident, $fma:ident, $add:ident) => {
            mod $name {
                use super::*;

                /// A by columns (`row` is 1) or by rows (`step` is 1).
                #[target_feature(enable = $feature)]
                pub(super) unsafe fn tile<const R: usize>(
                    depth: usize,
                    a: Left,
                    b: *const f32,
                    c: *mut f32,
                    stride: usize,
                    add: bool,
                ) {
                    // SAFETY: promised by the caller.
                    unsafe {
                        let sums =
                            if a.row != 1 { by_rows::<R>(depth, a, b) } else { by_columns::<R>(depth, a, b) };
                        write(&sums, c, stride, add);
                    }
                }

                /// Every third row has a pointer and two more are reached from each: that fits the registers, if only the
                /// compiler does not know that the pointers are related.
                #[inline]
                #[target_feature(enable = $feature)]
                unsafe fn by_rows<const R: usize>(
                    depth: usize,
                    a: Left,
                    mut b: *const f32,
                ) -> [[$vector; 2]; R] {
                    let mut sums = [[$zero(); 2]; R];
                    let mut start: [*const f32; 5] =
                        std::array::from_fn(|i| a.at.wrapping_add(3 * i * a.row));
                    start.iter_mut().for_each(|p| hide(p));
                    for _ in 0..depth {
                        // SAFETY: `depth` numbers of each of R rows, `depth` packed rows of B.
                        unsafe {
                            let (b0, b1) = ($load(b), $load(b.add($lanes)));
                            each!(R, i, {
                                let x = $splat(*start[i / 3].wrapping_add(i % 3 * a.row));
                                sums[i][0] = $fma(x, b0, sums[i][0]);
                                sums[i][1] = $fma(x, b1, sums[i][1]);
                            });
                            b = b.add(2 * $lanes);
                        }
                        start.iter_mut().for_each(|p| *p = p.wrapping_add(1));
                    }
                    sums
                }

                #[inline]
                #[target_feature(enable = $feature)]
                unsafe fn by_columns<const R: usize>(
                    depth: usize,
                    a: Left,
                    mut b: *const f32,
                ) -> [[$vector; 2]; R] {
                    let mut sums = [[$zero(); 2]; R];
                    let mut at = a.at;
                    for _ in 0..depth {
                        // SAFETY: R numbers of each of `depth` columns, `depth` packed rows of B.
                        unsafe {
                            let (b0, b1) = ($load(b), $load(b.add($lanes)));
                            each!(R, i, {
                                let x = $splat(*at.add(i));
                                sums[i][0] = $fma(x, b0, sums[i][0]);
                                sums[i][1] = $fma(x, b1, sums[i][1]);
                            });
                            b = b.add(2 * $lanes);
                        }
                        at = at.wrapping_add(a.step);
                    }
                    sums
                }

                #[inline]
                #[target_feature(enable = $feature)]
                unsafe fn write<const R: usize>(
                    sums: &[[$vector; 2]; R],
                    c: *mut f32,
                    stride: usize,
                    add: bool,
                ) {
                    for i in 0..R {
                        for j in 0..2 {
                            // SAFETY: promised by the caller.
                            unsafe {
                                let to = c.add(i * stride + j * $lanes);
                                let sum = sums[i][j];
                                $store(to, if add { $add(sum, $load(to)) } else { sum });
                            }
                        }
                    }
                }
            }
        };
    }

    tiles!(
        wide,
        __m512,
        "avx512f",
        16,
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps
    );
    tiles!(
        half,
        __m256,
        "avx2,fma",
        8,
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps
    );

    pub(super) static AVX512: Tiles = Tiles { rows: 14, columns: 32, table: &WIDE };
    pub(super) static AVX2: Tiles = Tiles { rows: 6, columns: 16, table: &HALF };

    #[rustfmt::skip]
    const WIDE: [Tile; 14] = [
        wide::tile::<1>, wide::tile::<2>, wide::tile::<3>, wide::tile::<4>, wide::tile::<5>, wide::tile::<6>, wide::tile::<7>,
        wide::tile::<8>, wide::tile::<9>, wide::tile::<10>, wide::tile::<11>, wide::tile::<12>, wide::tile::<13>, wide::tile::<14>,
    ];
    #[rustfmt::skip]
    const HALF: [Tile; 6] = [
        half::tile::<1>, half::tile::<2>, half::tile::<3>, half::tile::<4>, half::tile::<5>, half::tile::<6>,
    ];
}
