//! The standard library: the text of every file in `std/`, embedded.
//!
//! Invariant: every file parses without a message.
//!
//! ```
//! assert!(chiasm_dsl::library::FILES.iter().any(|(name, text)| *name == "std/core.chi" && text.contains("module Linear")));
//! ```

/// Name and text of each file.
pub const FILES: &[(&str, &str)] = &[
    ("std/core.chi", include_str!("../std/core.chi")),
    ("std/vision.chi", include_str!("../std/vision.chi")),
    ("std/convolution.chi", include_str!("../std/convolution.chi")),
    ("std/text.chi", include_str!("../std/text.chi")),
    ("std/mome.chi", include_str!("../std/mome.chi")),
    ("std/objectives.chi", include_str!("../std/objectives.chi")),
    ("std/import.chi", include_str!("../std/import.chi")),
];
