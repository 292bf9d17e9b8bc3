//! Addresses of documents to paths and back.
//!
//! Only `file:` has a path on disk. Any other address, such as `untitled:1`, is its own path: nothing lies there, but the
//! text that the editor holds is found by it.

use std::path::{Path, PathBuf};

/// The path of a document.
pub fn path(uri: &str) -> PathBuf {
    let Some(rest) = uri.strip_prefix("file://") else { return PathBuf::from(uri) };
    // What stands before the first slash is a host, in practice nothing or `localhost`.
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    let path = decoded(path.split(['?', '#']).next().unwrap_or(""));
    let drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    PathBuf::from(if drive { &path[1..] } else { &path })
}

/// The address of a path.
pub fn uri(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && !text.starts_with('/')) {
        return text.into_owned();
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut uri = String::from("file://");
    let text = path.to_string_lossy().replace('\\', if cfg!(windows) { "/" } else { "\\" });
    if !text.starts_with('/') {
        uri.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(byte as char)
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

/// `%20` and the like as what they stand for; what is no such code stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back() {
        for text in ["/a b/c#d.chi", "/é/100%.chi", "untitled:Untitled-1"] {
            assert_eq!(path(&uri(Path::new(text))), Path::new(text));
        }
        assert_eq!(path("file:///a%20b/x.chi"), Path::new("/a b/x.chi"));
        assert_eq!(path("file:///%zz%"), Path::new("/%zz%"));
        assert_eq!(uri(Path::new("/a b")), "file:///a%20b");
    }
}
