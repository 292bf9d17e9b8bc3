//! Pieces of the arena, as kernels see them.
//!
//! A [`View`] is a start and a length in words of 4 bytes: `f32` numbers, `i32` ids (their bits), or conditions (0.0, 1.0).
//! It is `Copy`, knows its length and may be shared by all workers; kernels check lengths and then write disjoint parts.
//! Whoever makes a view promises, once for all kernels, what the borrow checker cannot see across threads:
//!
//! ```
//! use chiasm::exec::cpu::view::View;
//! let mut arena = vec![0.0_f32; 64];
//! // SAFETY: the arena outlives the view, and nothing else touches it while kernels run.
//! let all = unsafe { View::new(arena.as_mut_ptr(), arena.len()) };
//! let row = all.part(16, 8);
//! assert_eq!(row.len(), 8);
//! ```

/// A piece of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    start: *mut f32,
    len: usize,
}

// SAFETY: a view is an address; `View::new` demands that its users do not race.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    /// A view of no words, for operands that are not there.
    pub const EMPTY: View = View { start: std::ptr::NonNull::dangling().as_ptr(), len: 0 };

    /// The words from `start` on.
    ///
    /// # Safety
    /// The words stay valid while the view or a part of it is used. Between two barriers nobody writes words that a
    /// kernel reads, or touches words that a kernel writes, unless that kernel allows the two to be the same.
    pub const unsafe fn new(start: *mut f32, len: usize) -> Self {
        Self { start, len }
    }

    /// Number of words.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether there are no words.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Address of the first word.
    pub(crate) const fn start(self) -> *mut f32 {
        self.start
    }

    /// `len` words from `from` on.
    ///
    /// # Panics
    /// If the view is shorter than that.
    #[must_use]
    #[inline]
    pub fn part(self, from: usize, len: usize) -> Self {
        assert!(from <= self.len && len <= self.len - from, "words {from}..+{len} of {}", self.len);
        // SAFETY: inside the words of `self`.
        Self { start: unsafe { self.start.add(from) }, len }
    }

    /// The words from `from` on.
    #[must_use]
    #[inline]
    pub fn from(self, from: usize) -> Self {
        self.part(from, self.len.saturating_sub(from))
    }

    /// The numbers, to read.
    #[inline]
    pub(crate) fn read<'a>(self) -> &'a [f32] {
        // SAFETY: promised by whoever called `new`: valid, and not written meanwhile.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// Copies another view of the same length, unless it is this one.
    #[inline]
    pub(crate) fn receive(self, from: View) {
        if self.start != from.start {
            self.write().copy_from_slice(from.read());
        }
    }

    /// The ids, to read.
    #[inline]
    pub(crate) fn read_ids<'a>(self) -> &'a [i32] {
        // SAFETY: as in `read`; the two types have one size and alignment.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }

    /// The numbers, to write.
    #[inline]
    pub(crate) fn write<'a>(self) -> &'a mut [f32] {
        // SAFETY: promised by whoever called `new`: valid, and touched by one worker at a time, which is the kernels' care.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// The ids, to write.
    #[inline]
    pub(crate) fn write_ids<'a>(self) -> &'a mut [i32] {
        // SAFETY: as in `write`; the two types have one size and alignment.
        unsafe { std::slice::from_raw_parts_mut(self.start.cast(), self.len) }
    }
}
