//! A `.chi` model inside a dfdx program: typed dfdx tensors in, typed dfdx tensors out, on the caller's tape.
//!
//! [`Embedded`] runs any named value; [`Tower`] is one value of one tensor, with both shapes in its type, and a dfdx
//! `Module`. Both are a dfdx `TensorCollection`, so dfdx's optimisers move the model's parameters, alone or in a tuple with the
//! caller's own layers. All parameters lie in one tensor, `Tensor<(usize,), f32, D>`.
//!
//! ```
//! use chiasm::embed::{Embedded, Inputs, Tower};
//! use chiasm::{Host, Network, Options, compile};
//! use dfdx::optim::{Adam, AdamConfig};
//! use dfdx::prelude::*;
//!
//! let model = compile("tests/train/speck.chi".as_ref(), &Options::default())?;
//! let network = Network::fresh(&model, "pretrain", 0, &Host::default())?;
//! let device = Cpu::default();
//!
//! type Pictures = (usize, Const<3>, Const<16>, Const<16>);
//! let tower = Tower::<Pictures, (usize, Const<8>), Cpu>::new(network, "image", "image_feat", device.clone())?;
//! let pictures = device.zeros_like(&(2, Const, Const, Const));
//! let features: Tensor<(usize, Const<8>), f32, Cpu> = tower.try_forward(pictures.clone())?;
//! assert_eq!(features.shape().0, 2);
//!
//! // A step of an optimiser on a loss of the caller's own.
//! let mut tower = tower;
//! let mut adam = Adam::new(&tower, AdamConfig::default());
//! let loss = tower.try_forward(pictures.trace(tower.alloc_grads()))?.square().mean();
//! adam.update(&mut tower, &loss.backward())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is checked when:
//!
//! | | |
//! |---|---|
//! | by the compiler | a tensor given to a [`Tower`] has its type: constants that differ do not compile |
//! | when a [`Tower`] is made | its constants are the sizes of the file; symbols (`B`) fit `usize` and any constant |
//! | at a call | the tensors given have the shapes of the file, equal symbols are equal numbers, the result has its type |
//!
//! ```compile_fail,E0308
//! # use chiasm::embed::Tower;
//! # use dfdx::prelude::*;
//! # type Pictures = (usize, Const<3>, Const<16>, Const<16>);
//! fn features(tower: &Tower<Pictures, (usize, Const<8>), Cpu>, device: &Cpu) {
//!     let pictures: Tensor<(usize, Const<3>, Const<32>, Const<32>), f32, Cpu> =
//!         device.zeros_like(&(2, Const, Const, Const));
//!     let _ = tower.call(pictures); // 32 where the tower has 16
//! }
//! ```
//! ```
//! # use chiasm::embed::Tower;
//! # use dfdx::prelude::*;
//! # type Pictures = (usize, Const<3>, Const<16>, Const<16>);
//! fn features(tower: &Tower<Pictures, (usize, Const<8>), Cpu>, device: &Cpu) {
//!     let pictures: Tensor<(usize, Const<3>, Const<16>, Const<16>), f32, Cpu> =
//!         device.zeros_like(&(2, Const, Const, Const));
//!     let _ = tower.call(pictures);
//! }
//! ```
//! What a tower gives has its type as well, and so has what an embedded model is asked for:
//!
//! ```compile_fail,E0308
//! # use chiasm::embed::{EmbedError, Embedded, Inputs};
//! # use dfdx::prelude::*;
//! fn features(clip: &Embedded<Cpu>) -> Result<Tensor<(usize, Const<64>), f32, Cpu>, EmbedError> {
//!     clip.run::<(usize, Const<128>), _>("text_feat", Inputs::new().rows("text", "a red circle"))
//! }
//! ```
//! ```
//! # use chiasm::embed::{EmbedError, Embedded, Inputs};
//! # use dfdx::prelude::*;
//! fn features(clip: &Embedded<Cpu>) -> Result<Tensor<(usize, Const<128>), f32, Cpu>, EmbedError> {
//!     clip.run::<(usize, Const<128>), _>("text_feat", Inputs::new().rows("text", "a red circle"))
//! }
//! ```
//!
//! To have the types of all inner values too, and the model's parts as structs, [`emit`](mod@crate::emit) writes it as Rust
//! against [`typed`].
//!
//! Dropout is off, draws come from seed 0, and time stands at the end of the stage, as in [`Network`]. States do not move.
//! Invariant: values are those of [`Network::run`] up to rounding; a tape brings gradients to the parameters and to every
//! tensor that was given with a tape.

mod error;
mod inputs;
mod plan;
mod shapes;
mod tower;
pub mod typed;

pub use crate::exec::dfdx::Engine;
pub use error::EmbedError;
pub use inputs::{Inputs, Tracing};
pub use shapes::{Length, Sizes};
pub use tower::Tower;

use crate::network::Network;
use crate::weights::write;
use chiasm_dsl::diagnostic::nearest;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection, TensorOptions};
use dfdx::shapes::{Dim, Dtype, HasShape};
use dfdx::tensor::{Gradients, OwnedTape, SplitTape, Tensor, Trace};
use dfdx::tensor_ops::{Device, ReshapeTo};
use plan::Plan;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// A model on a dfdx device.
pub struct Embedded<D: Engine> {
    parameters: Tensor<(Length,), f32, D>,
    device: D,
    /// The values that may be run.
    opened: Vec<String>,
    kept: RefCell<Kept>,
}

/// What calls change: plans are made when they are first needed.
struct Kept {
    network: Network,
    plans: Vec<Plan>,
}

impl<D: Engine> Embedded<D> {
    /// Brings the numbers of a network to a device. All values that will be run are named here, because what they read
    /// decides which parameters there are.
    ///
    /// # Errors
    /// A name that the file does not have, a parameter that the network's file lacks, no memory on the device.
    pub fn new(mut network: Network, values: &[&str], device: D) -> Result<Self, EmbedError> {
        for value in values {
            network.want(&[value])?;
        }
        let numbers = network.memory.parameters.clone();
        let count = (Length(numbers.len()),);
        let parameters = device.try_tensor_from_vec(numbers, count).map_err(EmbedError::device)?;
        let opened = values.iter().map(|value| value.to_string()).collect();
        Ok(Self { parameters, device, opened, kept: RefCell::new(Kept { network, plans: Vec::new() }) })
    }

    /// A named value: `run::<(usize, Const<128>), _>("text_feat", Inputs::new().rows("text", ["a red circle"]))`.
    ///
    /// The result's type is the caller's choice: an axis is `usize`, or a constant that has to be the size it has. If an
    /// input has a tape, or the inputs began with one ([`Embedded::traced`]), the result has it, and it leads to the parameters.
    ///
    /// # Errors
    /// A value that was not named when the model was opened; an unknown, a missing, an unfitting input (both shapes); inputs
    /// with different numbers of rows; a result of another type; what dfdx cannot compute or not differentiate.
    pub fn run<S: Sizes, T: Tracing<D>>(
        &self,
        value: &str,
        inputs: Inputs<D, T>,
    ) -> Result<Tensor<S, f32, D, T>, EmbedError> {
        if !self.opened.iter().any(|known| known == value) {
            let near = nearest(value, self.opened.iter().map(String::as_str)).map(str::to_string);
            return Err(EmbedError::NotOpened { value: value.into(), near, opened: self.opened.clone() });
        }
        let Kept { network, plans } = &mut *self.kept.borrow_mut();
        plan::run(network, plans, (&self.parameters()?, &self.device), value, inputs)
    }

    /// Inputs with a tape, for values that read no tensor which could bring one: `model.traced(model.alloc_grads())`.
    pub fn traced(&self, gradients: Gradients<f32, D>) -> Inputs<D, OwnedTape<f32, D>> {
        let (_, tape) = self.parameters.trace(gradients).split_tape();
        Inputs { tape, real: Vec::new(), all: Vec::new() }
    }

    /// All parameters, one behind the other; [`Embedded::place`] says where each lies. It is the tensor for which
    /// `Gradients::get` has their gradients.
    ///
    /// # Errors
    /// What the device says.
    pub fn parameters(&self) -> Result<Tensor<(usize,), f32, D>, EmbedError> {
        let count = (self.parameters.shape().0.size(),);
        self.parameters.clone().try_reshape_like(&count).map_err(EmbedError::device)
    }

    /// Where the numbers of a parameter lie in [`Embedded::parameters`], row by row, and the lengths of its axes.
    ///
    /// # Errors
    /// There is no such parameter; the nearest.
    pub fn place(&self, path: &str) -> Result<(Range<usize>, Vec<usize>), EmbedError> {
        let network = &self.kept.borrow().network;
        network.parameter(path)?;
        let slot = &network.memory.layout.parameters[path];
        Ok((slot.range(), slot.dims.clone()))
    }

    /// Writes parameters, twins and states as safetensors under the names of the file; [`Network::saved`] reads them.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, path: &Path) -> Result<(), EmbedError> {
        let network = &mut self.kept.borrow_mut().network;
        network.memory.parameters.copy_from_slice(&self.parameters.as_vec());
        let (none, notes) = (BTreeMap::new(), crate::train::checkpoint::notes(env!("CARGO_PKG_VERSION")));
        let entries = crate::train::checkpoint::tensors(&network.memory, &none);
        write::save(path, &entries, &notes).map_err(|error| EmbedError::Network(error.into()))
    }

    /// The network with the parameters as they are now, to run it without dfdx.
    pub fn into_network(self) -> Network {
        let mut network = self.kept.into_inner().network;
        network.memory.parameters.copy_from_slice(&self.parameters.as_vec());
        network
    }
}

/// One tensor, `parameters`. Resetting leaves it as it is: initial values are the file's.
impl<D: Engine> TensorCollection<f32, D> for Embedded<D> {
    type To<E2: Dtype, D2: Device<E2>> = Tensor<(Length,), E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let options = TensorOptions::reset_with(|_| Ok(()));
        let parameters =
            Self::tensor("parameters", |model| &model.parameters, |model| &mut model.parameters, options);
        visitor.visit_fields((parameters,), |(parameters,)| parameters)
    }
}
