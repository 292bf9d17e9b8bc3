//! Paths of parameters (10): what lies below a path, what a pattern means.
//!
//! `blocks.ffn.text` without index means that part of every element: an index may be left out at the end of any name.

/// Whether `path` lies at or below `above`.
///
/// ```
/// use chiasm::train::path::below;
/// assert!(below("blocks[3].ffn.up.w", "blocks.ffn"));
/// assert!(below("blocks[3].ffn.up.w", "blocks[3]"));
/// assert!(!below("blocks2.w", "blocks"));
/// ```
pub fn below(path: &str, above: &str) -> bool {
    let mut names = path.split('.');
    above.split('.').all(|wanted| names.next().is_some_and(|name| means(name, wanted)))
}

/// `blocks[3]` is meant by `blocks[3]` and by `blocks`.
fn means(name: &str, wanted: &str) -> bool {
    name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// Whether a whole path matches a pattern in which `*` stands for anything.
///
/// ```
/// use chiasm::train::path::matches;
/// assert!(matches("reader[0].norm1.gain", "*.norm1.gain"));
/// assert!(!matches("reader[0].norm1.gain", "norm1*"));
/// ```
pub fn matches(path: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return path == pattern };
    let Some(mut path) = path.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        let Some(at) = path.find(part) else { return false };
        path = &path[at + part.len()..];
    }
    path.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("a.b.c", "*") && matches("a.b.c", "a*c") && matches("a.b.c", "*b*"));
        assert!(!matches("a.b.c", "a*b") && !matches("ab", "ab*b"));
    }
}
