//! Safetensors written: F32, I32, and what is copied as it is.
//!
//! A file is written in full, synced, and only then useful; who writes beside an older file renames afterwards.

use super::WeightsError;
use crate::tensor::Values;
use safetensors::tensor::Dtype;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// A tensor on its way into a file.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
    /// Numbers.
    Floats(&'a [f32]),
    /// Ids.
    Ids(&'a [i32]),
    /// Ids kept as the bits of numbers.
    IdBits(&'a [f32]),
    /// Elements of any type, as they lie in a file.
    Bytes(Dtype, &'a [u8]),
}

impl<'a> Elements<'a> {
    /// The elements of a tensor.
    pub fn of(values: &'a Values) -> Self {
        match values {
            Values::Floats(values) => Elements::Floats(values),
            Values::Ids(values) => Elements::Ids(values),
        }
    }

    fn dtype(self) -> Dtype {
        match self {
            Elements::Floats(_) => Dtype::F32,
            Elements::Ids(_) | Elements::IdBits(_) => Dtype::I32,
            Elements::Bytes(dtype, _) => dtype,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Elements::Floats(values) | Elements::IdBits(values) => values.len() * 4,
            Elements::Ids(values) => values.len() * 4,
            Elements::Bytes(_, bytes) => bytes.len(),
        }
    }
}

/// Name, axes and elements of a tensor to write.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its key.
    pub name: String,
    /// Lengths of its axes.
    pub dims: &'a [usize],
    /// Its elements.
    pub elements: Elements<'a>,
}

/// Writes all tensors to a new file and syncs it.
///
/// # Errors
/// The disk refuses; the file is then unusable.
pub fn save(
    path: &Path,
    entries: &[Entry<'_>],
    notes: &BTreeMap<String, String>,
) -> Result<(), WeightsError> {
    let write = || {
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(path)?);
        write_to(&mut writer, entries, notes)?;
        writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    };
    write().map_err(|source| WeightsError::Write { path: path.display().to_string(), source })
}

/// Writes all tensors.
///
/// # Errors
/// Those of the writer.
pub fn write_to(
    writer: &mut impl Write,
    entries: &[Entry<'_>],
    notes: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    let mut header = header(entries, notes).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(&header)?;
    for entry in entries {
        match entry.elements {
            Elements::Floats(values) | Elements::IdBits(values) => put(writer, values, |v| v.to_bits())?,
            Elements::Ids(values) => put(writer, values, |v| *v as u32)?,
            Elements::Bytes(_, bytes) => writer.write_all(bytes)?,
        }
    }
    writer.flush()
}

fn header(entries: &[Entry<'_>], notes: &BTreeMap<String, String>) -> serde_json::Value {
    let mut header = serde_json::Map::new();
    if !notes.is_empty() {
        header.insert("__metadata__".into(), serde_json::json!(notes));
    }
    let mut end = 0;
    for entry in entries {
        let start = end;
        end += entry.elements.bytes();
        let dtype = entry.elements.dtype();
        let info = serde_json::json!({ "dtype": dtype, "shape": entry.dims, "data_offsets": [start, end] });
        header.insert(entry.name.clone(), info);
    }
    header.into()
}

fn put<T>(writer: &mut impl Write, values: &[T], bits: impl Fn(&T) -> u32) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(1 << 16);
    for part in values.chunks(1 << 14) {
        buffer.clear();
        part.iter().for_each(|value| buffer.extend_from_slice(&bits(value).to_le_bytes()));
        writer.write_all(&buffer)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_safetensors_crate_reads() {
        let entries = [
            Entry { name: "a".into(), dims: &[2, 1], elements: Elements::Floats(&[1.5, -2.0]) },
            Entry { name: "n".into(), dims: &[], elements: Elements::Ids(&[-7]) },
        ];
        let mut bytes = Vec::new();
        write_to(&mut bytes, &entries, &BTreeMap::from([("by".into(), "test".into())])).expect("memory");
        let read = safetensors::SafeTensors::deserialize(&bytes).expect("a whole file");
        assert_eq!(read.tensor("a").expect("there").shape(), [2, 1]);
        assert_eq!(read.tensor("n").expect("there").data(), (-7i32).to_le_bytes());
    }
}
