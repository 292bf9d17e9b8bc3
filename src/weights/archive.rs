//! Safetensors, one tensor at a time: a model of gigabytes is never in memory twice.
//!
//! Read: F32, F16, BF16, F64 as numbers, I32, I64, BOOL as ids. Written: F32, I32. A file is written in full, synced, and only
//! then useful; who writes beside an older file renames afterwards.

use super::WeightsError;
use crate::tensor::{Tensor, Values};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// An open safetensors file.
#[derive(Debug)]
pub struct Archive {
    path: String,
    file: File,
    start: u64,
    tensors: BTreeMap<String, TensorInfo>,
    notes: BTreeMap<String, String>,
}

impl Archive {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// The file cannot be read, is cut off, or is something else.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let shown = path.display().to_string();
        let read = |source| WeightsError::Read { path: shown.clone(), source };
        let format = |reason: String| WeightsError::Format { path: shown.clone(), reason };
        let mut file = File::open(path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| format(format!("it has {length} bytes")))?;
        let start = u64::from_le_bytes(size).saturating_add(8);
        if start > length {
            return Err(format(format!("its header should end at byte {start}, but it has {length} bytes")));
        }
        let mut header = vec![0; (start - 8) as usize];
        file.read_exact(&mut header).map_err(read)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|e| format(format!("its header says: {e}")))?;
        let tensors: BTreeMap<_, _> = metadata.tensors().into_iter().map(|(k, v)| (k, v.clone())).collect();
        check(&tensors, length - start).map_err(format)?;
        let notes = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { path: shown, file, start, tensors, notes })
    }

    /// Its place, for messages.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// What the writer noted.
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// The lengths of a tensor's axes.
    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// One tensor.
    ///
    /// # Errors
    /// It is not there, has elements that cannot be used, or the disk fails.
    pub fn read(&mut self, name: &str) -> Result<Tensor, WeightsError> {
        let info = self.tensors.get(name).cloned();
        let info =
            info.ok_or_else(|| WeightsError::Missing { path: self.path.clone(), name: name.to_string() })?;
        let (first, end) = info.data_offsets;
        let mut bytes = vec![0; end - first];
        let place = SeekFrom::Start(self.start + first as u64);
        let done = self.file.seek(place).and_then(|_| self.file.read_exact(&mut bytes));
        done.map_err(|source| WeightsError::Read { path: self.path.clone(), source })?;
        let values = decode(info.dtype, &bytes).map_err(|expected| WeightsError::Elements {
            path: self.path.clone(),
            name: name.to_string(),
            expected,
            found: format!("{:?}", info.dtype),
        })?;
        Ok(Tensor { dims: info.shape, values })
    }

    /// One tensor of numbers with the expected shape, all of them finite.
    ///
    /// # Errors
    /// As [`Self::read`], and another shape, ids, a NaN.
    pub fn floats(&mut self, name: &str, dims: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let tensor = self.read(name)?;
        let (path, name) = (self.path.clone(), name.to_string());
        if tensor.dims != dims {
            return Err(WeightsError::Shape { path, name, expected: dims.to_vec(), found: tensor.dims });
        }
        match tensor.values {
            Values::Floats(values) => match values.iter().position(|v| !v.is_finite()) {
                Some(index) => Err(WeightsError::NotFinite { path, name, index, value: values[index] }),
                None => Ok(values),
            },
            Values::Ids(_) => {
                Err(WeightsError::Elements { path, name, expected: "numbers", found: "ids".into() })
            }
        }
    }

    /// One tensor of ids with the expected shape.
    ///
    /// # Errors
    /// As [`Self::read`], and another shape, or numbers.
    pub fn ids(&mut self, name: &str, dims: &[usize]) -> Result<Vec<i32>, WeightsError> {
        let tensor = self.read(name)?;
        let (path, name) = (self.path.clone(), name.to_string());
        if tensor.dims != dims {
            return Err(WeightsError::Shape { path, name, expected: dims.to_vec(), found: tensor.dims });
        }
        match tensor.values {
            Values::Ids(values) => Ok(values),
            Values::Floats(_) => {
                Err(WeightsError::Elements { path, name, expected: "ids", found: "numbers".into() })
            }
        }
    }
}

/// Every tensor fills its range, and the ranges end where the file does.
fn check(tensors: &BTreeMap<String, TensorInfo>, bytes: u64) -> Result<(), String> {
    let mut last = 0;
    for (name, info) in tensors {
        let (first, end) = info.data_offsets;
        let elements = info.shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
        let wanted = elements.and_then(|n| n.checked_mul(info.dtype.bitsize())).map(|bits| bits / 8);
        if end < first || wanted != Some(end - first) {
            return Err(format!("`{name}` of shape {:?} has bytes {first}..{end}", info.shape));
        }
        last = last.max(end as u64);
    }
    if last == bytes {
        Ok(())
    } else {
        Err(format!("it should hold {last} bytes of numbers, but holds {bytes}"))
    }
}

fn words<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|word| read(*word)).collect()
}

fn decode(dtype: Dtype, bytes: &[u8]) -> Result<Values, &'static str> {
    Ok(match dtype {
        Dtype::F32 => Values::Floats(words(bytes, f32::from_le_bytes)),
        Dtype::F64 => Values::Floats(words(bytes, |b| f64::from_le_bytes(b) as f32)),
        Dtype::F16 => Values::Floats(words(bytes, |b| half(u16::from_le_bytes(b)))),
        Dtype::BF16 => {
            Values::Floats(words(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)))
        }
        Dtype::I32 => Values::Ids(words(bytes, i32::from_le_bytes)),
        Dtype::I64 => {
            let wide = words(bytes, i64::from_le_bytes);
            let narrow: Result<Vec<i32>, _> = wide.into_iter().map(i32::try_from).collect();
            Values::Ids(narrow.map_err(|_| "ids that fit 32 bits")?)
        }
        Dtype::BOOL => Values::Ids(bytes.iter().map(|byte| i32::from(*byte != 0)).collect()),
        _ => return Err("F32, F16, BF16, F64, I32, I64 or BOOL"),
    })
}

/// IEEE half precision to single.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match (exponent, fraction == 0.0) {
        (0, _) => sign * fraction * 2f32.powi(-24),
        (31, true) => sign * f32::INFINITY,
        (31, false) => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// A tensor on its way into a file.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
    /// Numbers.
    Floats(&'a [f32]),
    /// Ids.
    Ids(&'a [i32]),
    /// Ids kept as the bits of numbers.
    IdBits(&'a [f32]),
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
        end += entry.dims.iter().product::<usize>() * 4;
        let dtype = if matches!(entry.elements, Elements::Floats(_)) { "F32" } else { "I32" };
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
    fn half_precision() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 2f32.powi(-24))]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f32::NEG_INFINITY);
    }

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
