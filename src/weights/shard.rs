//! One safetensors file: its header, checked before anything is read, and the bytes of its tensors.

use super::WeightsError;
use safetensors::tensor::{Metadata, TensorInfo};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// An open file.
#[derive(Debug)]
pub struct Shard {
    /// Its place, for messages.
    pub path: String,
    /// Type, axes and bytes of every tensor.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// What the writer noted.
    pub notes: BTreeMap<String, String>,
    file: File,
    start: u64,
}

impl Shard {
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
        Ok(Self { path: shown, tensors, notes, file, start })
    }

    /// The bytes of a tensor that the header has.
    ///
    /// # Errors
    /// The disk fails.
    pub fn bytes(&mut self, info: &TensorInfo) -> Result<Vec<u8>, WeightsError> {
        let (first, end) = info.data_offsets;
        let mut bytes = vec![0; end - first];
        let place = SeekFrom::Start(self.start + first as u64);
        let done = self.file.seek(place).and_then(|_| self.file.read_exact(&mut bytes));
        done.map_err(|source| WeightsError::Read { path: self.path.clone(), source })?;
        Ok(bytes)
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
