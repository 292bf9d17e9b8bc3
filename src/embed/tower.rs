//! One value of one tensor with both shapes in its type: a dfdx `Module`.

use super::shapes::check;
use super::{EmbedError, Embedded, Engine, Inputs, Length, Sizes, Tracing};
use crate::network::{Network, NetworkError};
use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection};
use dfdx::shapes::Dtype;
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::Device;
use std::marker::PhantomData;

/// A value of a model that reads one tensor: `I` its shape, `O` the shape of the value. Axes are `usize` or `Const<N>`.
///
/// As a dfdx `Module` it takes `Tensor<I, f32, D, T>` and gives `Tensor<O, f32, D, T>`, with or without a tape. Its error is
/// an [`EmbedError`], so in a tuple with dfdx's own layers it is a `TensorCollection` for their optimiser, while `forward` is
/// called on each.
pub struct Tower<I: Sizes, O: Sizes, D: Engine> {
    model: Embedded<D>,
    input: String,
    value: String,
    shapes: PhantomData<fn(I) -> O>,
}

impl<I: Sizes, O: Sizes, D: Engine> Tower<I, O, D> {
    /// `Tower::<(usize, Const<3>, Const<224>, Const<224>), (usize, Const<256>), Cpu>::new(network, "image", "image_feat", device)`.
    ///
    /// # Errors
    /// A name that the file does not have, a value that reads more than this input, constants other than the file's sizes.
    pub fn new(mut network: Network, input: &str, value: &str, device: D) -> Result<Self, EmbedError> {
        let at = network.want(&[value])?;
        let values = &network.wanted[at].values;
        let reads = || values.inputs.iter().map(|input| input.name.clone()).collect();
        let [read] = &values.inputs[..] else {
            return Err(EmbedError::Inputs { value: value.into(), input: input.into(), reads: reads() });
        };
        if read.name != input {
            return Err(EmbedError::Inputs { value: value.into(), input: input.into(), reads: reads() });
        }
        check::<I>(input, &read.shape)?;
        let output = values.graph.output(value);
        let output = output.ok_or_else(|| NetworkError::NoOutput { value: value.to_string() })?;
        check::<O>(value, values.graph.shape(output))?;
        let model = Embedded::new(network, &[value], device)?;
        Ok(Self { model, input: input.into(), value: value.into(), shapes: PhantomData })
    }

    /// The value of these rows.
    ///
    /// # Errors
    /// As [`Embedded::run`].
    pub fn call<T: Tracing<D>>(&self, x: Tensor<I, f32, D, T>) -> Result<Tensor<O, f32, D, T>, EmbedError> {
        self.model.run(&self.value, Inputs::of(&self.input, x))
    }

    /// The model.
    pub fn model(&self) -> &Embedded<D> {
        &self.model
    }

    /// The model, for instance to save it or to run it without dfdx.
    pub fn into_model(self) -> Embedded<D> {
        self.model
    }
}

impl<I: Sizes, O: Sizes, D: Engine, T: Tracing<D>> Module<Tensor<I, f32, D, T>> for Tower<I, O, D> {
    type Output = Tensor<O, f32, D, T>;
    type Error = EmbedError;

    fn try_forward(&self, x: Tensor<I, f32, D, T>) -> Result<Self::Output, EmbedError> {
        self.call(x)
    }
}

/// That of its model.
impl<I: Sizes, O: Sizes, D: Engine> TensorCollection<f32, D> for Tower<I, O, D> {
    type To<E2: Dtype, D2: Device<E2>> = Tensor<(Length,), E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let model = Self::module("model", |tower| &tower.model, |tower| &mut tower.model);
        visitor.visit_fields((model,), |(parameters,)| parameters)
    }
}
