//! Which vector instructions a kernel may use, found out once, when a plan is made.
//!
//! A kernel's inner loop is written once, as plain loops over slices, and compiled for every [`Level`] by `by_level!`:
//!
//! ```ignore
//! by_level! {
//!     fn double[F](x: &mut [f32]) { x.iter_mut().for_each(|x| *x = F::fma(*x, 1.0, *x)); }
//! }
//! double(worker.level, &mut row);
//! ```
//! `F` is [`Fused`] where the processor multiplies and adds in one instruction, else [`Split`].

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the target guarantees (SSE2, NEON, ...).
    Plain,
    /// 256 bits with fused multiply-add.
    Avx2,
    /// 512 bits.
    Avx512,
}

impl Level {
    /// The best that this processor has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            match (fma, wide) {
                (true, true) => return Self::Avx512,
                (true, false) => return Self::Avx2,
                _ => {}
            }
        }
        Self::Plain
    }

    /// Every level that this processor has, the plain one first.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Plain, Self::Avx2, Self::Avx512].into_iter().filter(|level| *level <= Self::detect())
    }
}

/// How a multiply-add is computed.
pub(crate) trait Arithmetic {
    /// `a * b + c`.
    fn fma(a: f32, b: f32, c: f32) -> f32;
}

/// In one instruction, rounded once.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
pub(crate) struct Fused;

/// In two instructions: without the hardware, a fused multiply-add is a slow library call.
#[cfg_attr(target_arch = "aarch64", allow(dead_code))]
pub(crate) struct Split;

/// What every processor of the target can do.
#[cfg(target_arch = "aarch64")]
pub(crate) type Least = Fused;
/// What every processor of the target can do.
#[cfg(not(target_arch = "aarch64"))]
pub(crate) type Least = Split;

impl Arithmetic for Fused {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Arithmetic for Split {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// Compiles a function once for every [`Level`]; the level to run becomes its first argument.
macro_rules! by_level {
    ($($(#[$note:meta])* $vis:vis fn $name:ident[$F:ident]($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$note])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(level: $crate::exec::cpu::level::Level, $($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body<$F: $crate::exec::cpu::level::Arithmetic>($($arg: $type),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $out)? { body::<$crate::exec::cpu::level::Fused>($($arg),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $out)? { body::<$crate::exec::cpu::level::Fused>($($arg),*) }
            match level {
                // SAFETY: the level is at most what the pool detected.
                #[cfg(target_arch = "x86_64")]
                $crate::exec::cpu::level::Level::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::exec::cpu::level::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<$crate::exec::cpu::level::Least>($($arg),*),
            }
        }
    )*};
}
pub(crate) use by_level;
