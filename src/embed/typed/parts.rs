//! The parameters of emitted structs: brought from a file by their paths, written back, found by dfdx's optimisers.
//!
//! [`parts!`](crate::parts) says once what a struct is made of; its fields are tensors, other such structs and
//! `Repeated` ones. A field is called as in the model's text, so its path is.
//!
//! ```
//! use chiasm::embed::typed::{Weights, load, save};
//! use dfdx::prelude::*;
//!
//! pub struct Linear<E: Dtype, D: Device<E>> {
//!     pub w: Tensor<(Const<3>, Const<2>), E, D>,
//!     pub b: Tensor<(Const<2>,), E, D>,
//! }
//! chiasm::parts!(Linear { w: "w", b: "b" });
//!
//! let device = Cpu::default();
//! let layer: Linear<f32, Cpu> = Linear { w: device.ones(), b: device.zeros() };
//! let file = std::env::temp_dir().join(format!("chiasm-parts-{}.safetensors", std::process::id()));
//! save(&layer, &file)?;
//! let again: Linear<f32, Cpu> = load(&file, &device, "")?;
//! assert_eq!(again.w.as_vec(), layer.w.as_vec());
//! assert_eq!(again.num_trainable_params(), 8);
//! # std::fs::remove_file(file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::embed::{EmbedError, Engine};
use crate::weights::Archive;
use crate::weights::write::{self, Elements, Entry};
use dfdx::nn::modules::Repeated;
use dfdx::shapes::{ConstShape, HasShape};
use dfdx::tensor::{Tensor, TensorFromVec};
use dfdx::tensor_ops::ReshapeTo;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file of weights that is being read, and where in the model.
pub struct Weights<D> {
    archive: Archive,
    device: D,
    path: String,
    read: BTreeSet<String>,
}

impl<D: Engine> Weights<D> {
    /// A part by its name: `w`, `attn`, `blocks[3]`.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, no memory on the device.
    pub fn part<P: Part<D>>(&mut self, name: &str) -> Result<P, EmbedError> {
        let before = self.path.len();
        if !self.path.is_empty() && !name.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(name);
        let part = P::load(self);
        self.path.truncate(before);
        part
    }

    fn tensor<S: ConstShape>(&mut self) -> Result<Tensor<S, f32, D>, EmbedError> {
        let shape = S::default();
        let dims: Vec<usize> = shape.concrete().into();
        let numbers = self.archive.floats(&self.path, &dims)?;
        self.read.insert(self.path.clone());
        TensorFromVec::<f32>::try_tensor_from_vec(&self.device, numbers, shape).map_err(EmbedError::device)
    }
}

/// What is told of a parameter: its path, the lengths of its axes, and all its numbers in a row, which is the same tensor to
/// dfdx, so that `Gradients::get` of it is the parameter's gradient.
pub type Visit<'a, D> = dyn FnMut(&str, &[usize], Tensor<(usize,), f32, D>) + 'a;

/// What has parameters: a tensor, a list, or a struct of parts.
pub trait Part<D: Engine>: Sized {
    /// Brings its numbers.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, no memory on the device.
    fn load(weights: &mut Weights<D>) -> Result<Self, EmbedError>;

    /// Tells of its parameters; `path` is its own.
    ///
    /// # Errors
    /// No memory on the device.
    fn each(&self, path: &str, visit: &mut Visit<'_, D>) -> Result<(), EmbedError>;
}

impl<S: ConstShape, D: Engine> Part<D> for Tensor<S, f32, D> {
    fn load(weights: &mut Weights<D>) -> Result<Self, EmbedError> {
        weights.tensor()
    }

    fn each(&self, path: &str, visit: &mut Visit<'_, D>) -> Result<(), EmbedError> {
        let dims: Vec<usize> = self.shape().concrete().into();
        let count = (dims.iter().product::<usize>(),);
        visit(path, &dims, self.clone().try_reshape_like(&count).map_err(EmbedError::device)?);
        Ok(())
    }
}

impl<P: Part<D>, D: Engine, const N: usize> Part<D> for Repeated<P, N> {
    fn load(weights: &mut Weights<D>) -> Result<Self, EmbedError> {
        let modules = (0..N).map(|at| weights.part(&format!("[{at}]"))).collect::<Result<_, _>>()?;
        Ok(Self { modules })
    }

    fn each(&self, path: &str, visit: &mut Visit<'_, D>) -> Result<(), EmbedError> {
        self.modules.iter().enumerate().try_for_each(|(at, part)| part.each(&format!("{path}[{at}]"), visit))
    }
}

/// The path of a part of something.
#[doc(hidden)]
pub fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// A model from a safetensors file under the names of the text: a checkpoint's `model.safetensors`, or what [`save`] and
/// `chiasm weights convert` write. `elsewhere` has the paths of the text's other parameters, with spaces between them, which the file may have too;
/// states and slow copies are passed over.
///
/// # Errors
/// A tensor that is missing, one of another shape (with both), one that the model has no place for.
pub fn load<P: Part<D>, D: Engine>(file: &Path, device: &D, elsewhere: &str) -> Result<P, EmbedError> {
    let archive = Archive::open(file)?;
    let mut weights = Weights { archive, device: device.clone(), path: String::new(), read: BTreeSet::new() };
    let model = P::load(&mut weights)?;
    let below = |name: &str, path: &str| {
        name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    // `slow/vision.norm.gain`, `state/queue`
    let known = |name: &str| name.contains('/') || elsewhere.split_whitespace().any(|path| below(name, path));
    let extra = weights.archive.names().filter(|name| !weights.read.contains(*name) && !known(name));
    let names: Vec<String> = extra.take(10).map(str::to_string).collect();
    if names.is_empty() {
        Ok(model)
    } else {
        Err(EmbedError::Extra { path: file.display().to_string(), names })
    }
}

/// Writes all parameters as safetensors under the names of the text.
///
/// # Errors
/// The disk refuses.
pub fn save<P: Part<D>, D: Engine>(model: &P, file: &Path) -> Result<(), EmbedError> {
    let mut saved: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    model.each("", &mut |path, dims, row| saved.push((path.to_string(), dims.to_vec(), row.as_vec())))?;
    let entries: Vec<Entry<'_>> = saved
        .iter()
        .map(|(name, dims, numbers)| Entry { name: name.clone(), dims, elements: Elements::Floats(numbers) })
        .collect();
    let notes: BTreeMap<String, String> = crate::train::checkpoint::notes(env!("CARGO_PKG_VERSION"));
    Ok(write::save(file, &entries, &notes)?)
}

/// Says of a struct with parameters `<E: Dtype, D: Device<E>>` what it is made of: each field, and its name in the model's text.
/// It becomes a dfdx `TensorCollection`, so that dfdx's optimisers move it, and a [`Part`](crate::embed::typed::Part).
#[macro_export]
macro_rules! parts {
    ($name:ident { $($field:ident: $path:literal),* $(,)? }) => {
        impl<E: ::dfdx::shapes::Dtype, D: ::dfdx::tensor_ops::Device<E>> ::dfdx::nn::TensorCollection<E, D> for $name<E, D> {
            type To<E2: ::dfdx::shapes::Dtype, D2: ::dfdx::tensor_ops::Device<E2>> = $name<E2, D2>;

            fn iter_tensors<V: ::dfdx::nn::ModuleVisitor<Self, E, D>>(
                visitor: &mut V,
            ) -> ::std::result::Result<::std::option::Option<Self::To<V::E2, V::D2>>, V::Err> {
                visitor.visit_fields(
                    $crate::parts!(@fields $($field: $path,)*),
                    |$crate::parts!(@names $($field,)*)| $name { $($field),* },
                )
            }
        }

        impl<D: $crate::embed::Engine> $crate::embed::typed::Part<D> for $name<f32, D> {
            fn load(
                weights: &mut $crate::embed::typed::Weights<D>,
            ) -> ::std::result::Result<Self, $crate::embed::EmbedError> {
                ::std::result::Result::Ok(Self { $($field: weights.part($path)?),* })
            }

            fn each(
                &self,
                path: &str,
                visit: &mut $crate::embed::typed::Visit<'_, D>,
            ) -> ::std::result::Result<(), $crate::embed::EmbedError> {
                $($crate::embed::typed::Part::<D>::each(
                    &self.$field,
                    &$crate::embed::typed::below(path, $path),
                    visit,
                )?;)*
                ::std::result::Result::Ok(())
            }
        }
    };
    (@fields) => { () };
    (@fields $field:ident: $path:literal, $($rest:tt)*) => {
        (
            Self::module($path, |part| &part.$field, |part| &mut part.$field),
            $crate::parts!(@fields $($rest)*),
        )
    };
    (@names) => { () };
    (@names $field:ident, $($rest:tt)*) => { ($field, $crate::parts!(@names $($rest)*)) };
}
