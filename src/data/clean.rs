//! The cleaning that OpenAI's CLIP does before its byte pairs: what `ftfy`, `html.unescape` (twice) and white space collapsing leave.
//!
//! Of `ftfy` this does the parts that matter for text which was decoded rightly: entities, terminal colours, ligatures, wide and
//! narrow forms, curly quotes, line ends, control characters, NFC. Text that was decoded wrongly ("Ã©") is not repaired.
//!
//! Example: `“ﬁne”  &amp;lt;b&gt;` becomes `"fine" <b>`.

use std::borrow::Cow;

use tokenizers::NormalizedString;

/// Cleaned, with single spaces, lower case.
pub(super) fn clean(text: &str) -> String {
    let plain = fix(text);
    let once = html_escape::decode_html_entities(&plain);
    let twice = html_escape::decode_html_entities(&once);
    let words: Vec<&str> = twice.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn fix(text: &str) -> String {
    if text.is_ascii() && !text.contains(['&', '\u{1b}']) {
        return text.chars().filter(|c| !is_control(*c)).collect();
    }
    // As ftfy: entities only in text that does not look like HTML.
    let text = if text.contains('<') { Cow::Borrowed(text) } else { html_escape::decode_html_entities(text) };
    let text = uncoloured(&text);
    let mut fixed = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_control(*c)) {
        match replacement(c) {
            Some(plain) => fixed.push_str(plain),
            None => fixed.push_str(&usual_width(c)),
        }
    }
    let mut normal = NormalizedString::from(fixed);
    normal.nfc();
    normal.get().to_owned()
}

fn replacement(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{02BC}' => "'",
        '\u{201C}'..='\u{201F}' => "\"",
        '\u{2028}' | '\u{2029}' | '\u{0085}' => "\n",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "'n",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        _ => return None,
    })
}

/// Full-width Latin and half-width kana in their usual width, as NFKC has it.
fn usual_width(c: char) -> String {
    if !matches!(c, '\u{FF01}'..='\u{FFEF}' | '\u{3000}') {
        return c.into();
    }
    let mut normal = NormalizedString::from(c.to_string());
    normal.nfkc();
    normal.get().to_owned()
}

fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{E}'..='\u{1A}' | '\u{1C}'..='\u{1F}' | '\u{7F}' | '\u{FEFF}')
        || matches!(c, '\u{206A}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFC}')
}

/// Without the escape sequences that colour a terminal.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        let end = rest.strip_prefix(|c: char| c.is_ascii_alphabetic());
        plain.push_str(end.unwrap_or(part));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn odd_texts_become_plain() {
        assert_eq!(clean(" “ﬁne”  &amp;lt;b&gt;\tA "), "\"fine\" <b> a");
        assert_eq!(clean("ｆｕｌｌ，"), "full,");
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m"), "red");
    }
}
