//! Every error code, one row each.

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// See the table.
    E0201,
}

impl Code {
    /// `E0201`
    pub fn name(self) -> &'static str {
        "E0201"
    }
}
