//! Safetensors read one tensor at a time: a model of gigabytes is never in memory twice.
//!
//! A file, or several that an index puts together (`model.safetensors.index.json`); their elements as [`super::decode`] says.
//!
//! ```
//! use chiasm::weights::Archive;
//! let mut file = Archive::open("tests/fixtures/vit_hf/weights.safetensors".as_ref())?;
//! assert_eq!(file.dims("vit.embeddings.cls_token"), Some([1, 1, 32].as_slice()));
//! assert_eq!(file.read("classifier.bias")?.dims, [7]);
//! # Ok::<(), chiasm::weights::WeightsError>(())
//! ```

use super::WeightsError;
use super::decode::decode;
use super::shard::Shard;
use crate::tensor::{Tensor, Values};
use safetensors::tensor::TensorInfo;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// An open safetensors file, or the files that an index puts together.
#[derive(Debug)]
pub struct Archive {
    path: String,
    shards: Vec<Shard>,
    /// Which file holds a tensor.
    places: BTreeMap<String, usize>,
}

/// `model.safetensors.index.json`
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Archive {
    /// Opens a safetensors file, or all files of a `….index.json`, and checks their headers.
    ///
    /// # Errors
    /// A file cannot be read, is cut off, or is something else; the index and its files do not have the same tensors.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let shown = path.display().to_string();
        if !shown.ends_with(".index.json") {
            let shard = Shard::open(path)?;
            let places = shard.tensors.keys().map(|name| (name.clone(), 0)).collect();
            return Ok(Self { path: shown, shards: vec![shard], places });
        }
        let text =
            std::fs::read(path).map_err(|source| WeightsError::Read { path: shown.clone(), source })?;
        let index: Index = serde_json::from_slice(&text)
            .map_err(|e| WeightsError::Index { path: shown.clone(), reason: e.to_string() })?;
        Self::put_together(path, &index).map_err(|error| match error {
            Ok(reason) => WeightsError::Index { path: shown.clone(), reason },
            Err(error) => error,
        })
    }

    /// All files of an index; what is wrong with the index, or with a file.
    fn put_together(path: &Path, index: &Index) -> Result<Self, Result<String, WeightsError>> {
        let files: BTreeSet<&String> = index.weight_map.values().collect();
        let (mut shards, mut places) = (Vec::new(), BTreeMap::new());
        for file in files {
            if Path::new(file).file_name().is_none_or(|name| name != file.as_str()) {
                return Err(Ok(format!("`{file}` is not a file beside it")));
            }
            let shard = Shard::open(&path.with_file_name(file)).map_err(Err)?;
            for name in shard.tensors.keys() {
                if index.weight_map.get(name) != Some(file) {
                    return Err(Ok(format!("it does not say that `{name}` is in {file}")));
                }
                places.insert(name.clone(), shards.len());
            }
            shards.push(shard);
        }
        match index.weight_map.iter().find(|(name, _)| !places.contains_key(*name)) {
            Some((name, file)) => {
                Err(Ok(format!("it says that `{name}` is in {file}, which does not have it")))
            }
            None => Ok(Self { path: path.display().to_string(), shards, places }),
        }
    }

    /// Its place, for messages.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// What the writer noted; nothing for several files.
    pub fn note(&self, name: &str) -> Option<&str> {
        let [shard] = &self.shards[..] else { return None };
        shard.notes.get(name).map(String::as_str)
    }

    /// Type, axes and bytes of a tensor.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.shards[*self.places.get(name)?].tensors.get(name)
    }

    /// The lengths of a tensor's axes.
    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.info(name).map(|info| info.shape.as_slice())
    }

    /// One tensor as it lies in the file.
    ///
    /// # Errors
    /// It is not there, or the disk fails.
    pub fn raw(&mut self, name: &str) -> Result<(TensorInfo, Vec<u8>), WeightsError> {
        let missing = || WeightsError::Missing { path: self.path.clone(), name: name.to_string() };
        let place = *self.places.get(name).ok_or_else(missing)?;
        let info = self.shards[place].tensors.get(name).cloned().ok_or_else(missing)?;
        let bytes = self.shards[place].bytes(&info)?;
        Ok((info, bytes))
    }

    /// One tensor.
    ///
    /// # Errors
    /// It is not there, has elements that cannot be used, or the disk fails.
    pub fn read(&mut self, name: &str) -> Result<Tensor, WeightsError> {
        let (info, bytes) = self.raw(name)?;
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
