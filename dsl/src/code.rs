//! Every code of a message: its name and, from `ERRORS.md`, what it means, where it comes from, what to do, examples.
//!
//! Invariant: a code once published keeps its meaning; `E01` is the text, `E02` names, `E03` shapes, `E04` modalities and
//! `with`, `E05` states, `E06` stages and tasks; `W07` are warnings. Every code has a section in `ERRORS.md`.
//!
//! ```
//! use chiasm_dsl::code::Code;
//! let code = Code::find("E0201").unwrap();
//! assert_eq!((code.name(), code.title()), ("E0201", "unknown name"));
//! assert!(code.page().wrong.contains("image_feats"));
//! ```

const PAGES: &str = include_str!("../ERRORS.md");

/// What `ERRORS.md` says about a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it means, its usual cause, what to do: paragraphs.
    pub text: &'static str,
    /// Lines that give it.
    pub wrong: &'static str,
    /// Lines that do not.
    pub right: &'static str,
}

macro_rules! codes {
    ($($code:ident $title:literal)*) => {
        /// The code of an error or a warning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// All codes in order.
            pub fn all() -> &'static [Code] {
                &[$(Code::$code),*]
            }

            /// `E0201`
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// What it says, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }
        }
    };
}

impl Code {
    /// The code of a name such as `E0203`, in small or capital letters.
    pub fn find(name: &str) -> Option<Code> {
        Code::all().iter().copied().find(|code| code.name().eq_ignore_ascii_case(name))
    }

    /// Its section of `ERRORS.md`.
    pub fn page(self) -> Page {
        let sections = PAGES.split("\n## ").skip(1);
        let Some(section) = sections.into_iter().find(|section| section.starts_with(self.name())) else {
            return Page::default();
        };
        let body = section.split_once('\n').map_or("", |(_, body)| body);
        let text = body.split("\n```").next().unwrap_or("").trim();
        let (wrong, right) = (block(body, "\n```chi-error\n"), block(body, "\n```chi\n"));
        Page { text, wrong: wrong.unwrap_or_default(), right: right.unwrap_or_default() }
    }
}

/// The lines between a fence and the next one.
fn block(body: &'static str, fence: &str) -> Option<&'static str> {
    let inside = &body[body.find(fence)? + 1..];
    let lines = inside.split_once('\n')?.1;
    lines.split("\n```").next()
}

codes! {
    E0101 "unexpected character"
    E0102 "unexpected word or sign"
    E0103 "text without closing quote"
    E0104 "reserved word as a name"
    E0105 "operator after a pipe"
    E0106 "defined twice"
    E0107 "a primitive cannot be redefined"
    E0108 "no such file"
    E0109 "`extend` comes first, and once"
    E0201 "unknown name"
    E0202 "no such part"
    E0203 "no such argument"
    E0204 "unknown stage, task or weights"
    E0205 "unknown parameter"
    E0206 "unknown field"
    E0207 "never used"
    E0208 "definitions in a circle"
    E0209 "unknown modality"
    E0210 "cannot be applied"
    E0211 "an argument is missing"
    E0212 "arguments do not fit"
    E0213 "unknown token or field of a vocabulary"
    E0214 "calls without end"
    E0215 "unknown column, or nothing was inherited"
    E0301 "shapes do not fit"
    E0302 "`@` does not fit"
    E0303 "an argument has the wrong shape"
    E0304 "the result has another type than promised"
    E0305 "a requirement of a module is not met"
    E0306 "two calls with different sizes"
    E0307 "index outside an axis"
    E0308 "padded differently"
    E0309 "a rearrangement is wrong"
    E0310 "a parameter depends on the batch size"
    E0311 "ids of another vocabulary, or not ids"
    E0312 "things to be put together differ"
    E0313 "a single number is needed"
    E0314 "a primitive refuses its arguments"
    E0315 "a tensor is needed, this is a module"
    E0316 "not a size"
    E0401 "the wrong modality"
    E0402 "no expert for this modality"
    E0403 "a mask speaks of absent modalities"
    E0404 "has seen the words after each word"
    E0405 "a causal mask needs equally many queries and keys"
    E0406 "no such part of a sequence"
    E0407 "does not depend on the replaced name"
    E0408 "cannot take the place"
    E0409 "cannot be replaced"
    E0410 "`with` does not apply"
    E0411 "a mask is needed"
    E0501 "a state changes its type"
    E0502 "a state begins with another type"
    E0601 "a required field is missing"
    E0602 "the data lacks an input of the stage"
    E0603 "nothing that trains can change this loss"
    E0604 "two stages do not fit together"
    E0605 "cannot be accumulated"
    E0606 "not a loss"
    E0607 "a path finds nothing"
    E0608 "must be computable alone"
    E0609 "written from left to right, but looks ahead"
    E0610 "the data lacks an input of the task"
    E0611 "a weight rule finds nothing, or something is left"
    E0612 "does not measure this"
    E0613 "not data, or not an answer"
    W0701 "a part or a local definition is never used"
    W0702 "no stage trains this"
    W0703 "a task reads what was never trained"
    W0704 "changes nothing here"
    W0705 "the warm-up is longer than the stage"
    W0706 "a stage without steps"
    W0707 "a start brings nothing"
}
