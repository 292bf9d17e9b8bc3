//! A caption as the words that metrics count: after the Penn Treebank, in lower case, without punctuation.
//!
//! COCO's evaluation uses Stanford's tokenizer for this. Here are its rules that captions meet: punctuation stands apart and is
//! dropped, a hyphen or dot inside of a word stays, `n't`, `'s`, `'re` and their like are words of their own.
//!
//! ```
//! use chiasm::task::captions::tokens::tokens;
//! assert_eq!(tokens("A man's t-shirt (red), isn't it?"), ["a", "man", "'s", "t-shirt", "red", "is", "n't", "it"]);
//! ```

/// Endings that are words of their own.
const ENDINGS: [&str; 7] = ["n't", "'s", "'re", "'ve", "'ll", "'d", "'m"];

/// The words of a caption.
pub fn tokens(caption: &str) -> Vec<String> {
    let lower = caption.to_lowercase().replace('’', "'");
    let letters: String = lower.chars().map(|c| if is_kept(c) { c } else { ' ' }).collect();
    letters.split_whitespace().map(trimmed).filter(|word| !word.is_empty()).flat_map(parts).collect()
}

/// Letters, digits, and what may stand inside of a word.
fn is_kept(c: char) -> bool {
    c.is_alphanumeric() || "'-.,&$%#@*+/".contains(c)
}

/// Without punctuation at its ends; an ending such as `'s` that stands alone keeps its apostrophe.
fn trimmed(word: &str) -> &str {
    let mark = |c: char| "'-.,".contains(c);
    if ENDINGS.contains(&word) { word } else { word.trim_matches(mark) }
}

/// A word and its ending; a comma inside stays between digits only.
fn parts(word: &str) -> Vec<String> {
    let number = word.chars().all(|c| c.is_ascii_digit() || ",.".contains(c));
    let words = word.split(|c| c == ',' && !number);
    words.filter(|word| !word.is_empty()).flat_map(halves).collect()
}

fn halves(word: &str) -> Vec<String> {
    let split = |ending: &&str| word.strip_suffix(*ending).filter(|stem| !stem.is_empty());
    let ending = ENDINGS.iter().find_map(|ending| Some((split(ending)?, *ending)));
    match ending {
        Some((stem, ending)) => vec![stem.to_string(), ending.to_string()],
        None => vec![word.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn punctuation_is_no_word() {
        assert_eq!(
            tokens(" Two dogs, one cat... - and 1,000 \"birds\"!"),
            ["two", "dogs", "one", "cat", "and", "1,000", "birds"]
        );
        assert_eq!(tokens("the dog 's bowl . "), ["the", "dog", "'s", "bowl"]);
        assert!(tokens(" .,-' ").is_empty());
    }
}
