//! Names that Rust takes, from those of a file.

use std::collections::BTreeSet;

const WORDS: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// The name of a field, a function or a variable: `slow_copy`, `r#match`.
pub fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_uppercase() => {
                if !text.is_empty() && !text.ends_with('_') {
                    text.push('_');
                }
                text.push(c.to_ascii_lowercase());
            }
            c if c.is_ascii_alphanumeric() => text.push(c),
            _ if text.ends_with('_') => {}
            _ => text.push('_'),
        }
    }
    let text = text.trim_end_matches('_').to_string();
    match text.as_str() {
        "" => "value".to_string(),
        "self" | "super" | "crate" => format!("{text}_"),
        word if WORDS.contains(&word) => format!("r#{word}"),
        word if word.starts_with(|c: char| c.is_ascii_digit()) => format!("x{word}"),
        _ => text,
    }
}

/// The name of a type: `BertLayer`.
pub fn camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut text: String = words
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect();
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        text.insert_str(0, "Model");
    }
    text
}

/// Names that are given out once each.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// With names that are taken.
    pub fn without(taken: &[&str]) -> Self {
        Self(taken.iter().map(|name| name.to_string()).collect())
    }

    /// The name, or the name with the first number that makes it a new one.
    pub fn fresh(&mut self, name: &str) -> String {
        let plain = name.trim_start_matches("r#");
        let numbered = (2..).map(|at| format!("{plain}{at}"));
        let mut all = std::iter::once(name.to_string()).chain(numbered);
        let found = all.find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_rust() {
        assert_eq!(
            ["match", "imageFeat", "text.lengths", "self", "2d"].map(snake),
            ["r#match", "image_feat", "text_lengths", "self_", "x2d"]
        );
        assert_eq!(
            ["bert_layer", "ViT", "flickr-30k", "7b"].map(camel),
            ["BertLayer", "ViT", "Flickr30k", "Model7b"]
        );
        let mut names = Names::without(&["x"]);
        assert_eq!([names.fresh("x"), names.fresh("x"), names.fresh("r#match")], ["x2", "x3", "r#match"]);
        assert_eq!(names.fresh("r#match"), "match2");
    }
}
