// `vlmo.chi`, stage `paired`, in dfdx types. Written by `chiasm emit rust`: what is changed here is
// lost when it is written again.

use chiasm::embed::EmbedError;
use chiasm::embed::Engine;
use chiasm::embed::Tracing;
use chiasm::embed::typed;
use chiasm::embed::typed::Attend;
use chiasm::embed::typed::Conditions;
use chiasm::embed::typed::Ids;
use chiasm::embed::typed::Value;
use chiasm::embed::typed::fork;
use chiasm::embed::typed::host;
use chiasm::embed::typed::host::Stretch;
use chiasm::embed::typed::op;
use dfdx::shapes::Const;
use dfdx::shapes::Dtype;
use dfdx::shapes::HasShape;
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::Device;
use std::path::Path;

/// Parameters of the text that no value here reads; a file of weights may have them.
const ELSEWHERE: &str = "mlm_head";

/// The model: what its values read.
pub struct Vlmo<E: Dtype, D: Device<E>> {
    /// `patches`
    pub patches: OutlineEmbed<E, D>,
    /// `is_image`
    pub is_image: Tensor<(Const<96>,), E, D>,
    /// `blocks[0]`
    pub blocks_0: MomeLayer<E, D>,
    /// `blocks[1]`
    pub blocks_1: MomeLayer2<E, D>,
    /// `blocks[2]`
    pub blocks_2: MomeLayer3<E, D>,
    /// `blocks[3]`
    pub blocks_3: MomeLayer4<E, D>,
    /// `norm`
    pub norm: LayerNorm2<E, D>,
    /// `to_image`
    pub to_image: Linear5<E, D>,
    /// `embed`
    pub embed: BertEmbed<E, D>,
    /// `is_text`
    pub is_text: Tensor<(Const<96>,), E, D>,
    /// `to_text`
    pub to_text: Linear5<E, D>,
    /// `scale`
    pub scale: Tensor<(), E, D>,
    /// `to_image_joint`
    pub to_image_joint: Linear5<E, D>,
    /// `to_text_joint`
    pub to_text_joint: Linear5<E, D>,
    /// `scale_joint`
    pub scale_joint: Tensor<(), E, D>,
    /// `pooler`
    pub pooler: Linear4<E, D>,
    /// `itm_head`
    pub itm_head: Linear8<E, D>,
}

chiasm::parts!(Vlmo {
    patches: "patches",
    is_image: "is_image",
    blocks_0: "blocks[0]",
    blocks_1: "blocks[1]",
    blocks_2: "blocks[2]",
    blocks_3: "blocks[3]",
    norm: "norm",
    to_image: "to_image",
    embed: "embed",
    is_text: "is_text",
    to_text: "to_text",
    scale: "scale",
    to_image_joint: "to_image_joint",
    to_text_joint: "to_text_joint",
    scale_joint: "scale_joint",
    pooler: "pooler",
    itm_head: "itm_head",
});

impl<D: Engine> Vlmo<f32, D> {
    /// The parameters of a safetensors file: a checkpoint's `model.safetensors`, or one that
    /// [`Self::save`] wrote.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, with both shapes; one that the model has no
    /// place for.
    pub fn load(file: &Path, device: &D) -> Result<Self, EmbedError> {
        typed::load(file, device, ELSEWHERE)
    }

    /// Writes all parameters under the names of the text.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, file: &Path) -> Result<(), EmbedError> {
        typed::save(self, file)
    }

    /// The value `image_feat`.
    ///
    /// image `[B, 3, 48, 48]` to `[B, 96]`.
    pub fn image_feat<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<Value<(usize, Const<96>), D, T>, EmbedError> {
        let b = image.shape().0;
        let patches = self.patches.forward(image)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(patches, &self.is_image)?;
        let blocks = self.blocks_0.forward(sum)?;
        let blocks2 = self.blocks_1.forward(blocks)?;
        let blocks3 = self.blocks_2.forward(blocks2)?;
        let blocks4 = self.blocks_3.forward(blocks3)?;
        let norm = self.norm.forward(blocks4)?;
        let part: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<96>), D, T> = op::reshape(part, (b, Const))?;
        let to_image = self.to_image.forward2(reshaped)?;
        op::normalize(to_image)
    }

    /// The value `itc`.
    ///
    /// image `[B, 3, 48, 48]`, text `[B, 18]`, text_lengths `[B]` to `[]`.
    pub fn itc<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
        text: &Tensor<(usize, Const<18>), usize, D>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(), D, T>, EmbedError> {
        let text = host::ids(text);
        let text_lengths = host::ids(text_lengths);
        let b = image.shape().0;
        let patches = self.patches.forward(image)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(patches, &self.is_image)?;
        let blocks = self.blocks_0.forward(sum)?;
        let blocks2 = self.blocks_1.forward(blocks)?;
        let blocks3 = self.blocks_2.forward(blocks2)?;
        let (blocks4, blocks5, blocks6) = self.blocks_3.forward2(blocks3)?;
        let norm = self.norm.forward(blocks6)?;
        let part: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<96>), D, T> = op::reshape(part, (b, Const))?;
        let to_image = self.to_image.forward2(reshaped)?;
        let unit: Value<(usize, Const<96>), D, T> = op::normalize(to_image)?;
        let embed = self.embed.forward(&text)?;
        let sum2: Value<(usize, Const<18>, Const<96>), D, T> = op::add(embed, &self.is_text)?;
        let used: Conditions<(usize, Const<18>)> = host::before(&text_lengths, 18)?;
        let blocks7 = self.blocks_0.forward2(sum2, &used)?;
        let blocks8 = self.blocks_1.forward2(blocks7, &used)?;
        let blocks9 = self.blocks_2.forward2(blocks8, &used)?;
        let (blocks10, blocks11, blocks12) = self.blocks_3.forward3(blocks9, &used)?;
        let norm2 = self.norm.forward4(blocks12)?;
        let part2: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm2, 1, 0, 1)?;
        let reshaped2: Value<(usize, Const<96>), D, T> = op::reshape(part2, (b, Const))?;
        let to_text = self.to_text.forward2(reshaped2)?;
        let unit2: Value<(usize, Const<96>), D, T> = op::normalize(to_text)?;
        let negate: Value<(), D, T> = op::negate(&self.scale)?;
        let exp: Value<(), D, T> = op::exp(negate)?;
        let product: Value<(usize, usize), D, T> = op::matmul_turned(&unit, &unit2)?;
        let quotient: Value<(usize, usize), D, T> = op::div(product, &exp)?;
        let places: Ids<(usize,)> = host::range(b)?;
        let loss: Value<(), D, T> = op::cross_entropy(quotient, &places, 0.0, false)?;
        let product2: Value<(usize, usize), D, T> = op::matmul_turned(unit2, unit)?;
        let quotient2: Value<(usize, usize), D, T> = op::div(product2, exp)?;
        let loss2: Value<(), D, T> = op::cross_entropy(quotient2, &places, 0.0, false)?;
        let sum3: Value<(), D, T> = op::add(loss, loss2)?;
        let quotient3: Value<(), D, T> = op::div(sum3, 2.0)?;
        let blocks13 = self.blocks_3.forward4(blocks5)?;
        let sum4: Value<(usize, Const<10>, Const<96>), D, T> = op::add(blocks4, blocks13)?;
        let norm3 = self.norm.forward(sum4)?;
        let part3: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm3, 1, 0, 1)?;
        let reshaped3: Value<(usize, Const<96>), D, T> = op::reshape(part3, (b, Const))?;
        let to_image_joint = self.to_image_joint.forward2(reshaped3)?;
        let unit3: Value<(usize, Const<96>), D, T> = op::normalize(to_image_joint)?;
        let blocks14 = self.blocks_3.forward5(blocks11)?;
        let sum5: Value<(usize, Const<18>, Const<96>), D, T> = op::add(blocks10, blocks14)?;
        let norm4 = self.norm.forward4(sum5)?;
        let part4: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm4, 1, 0, 1)?;
        let reshaped4: Value<(usize, Const<96>), D, T> = op::reshape(part4, (b, Const))?;
        let to_text_joint = self.to_text_joint.forward2(reshaped4)?;
        let unit4: Value<(usize, Const<96>), D, T> = op::normalize(to_text_joint)?;
        let negate2: Value<(), D, T> = op::negate(&self.scale_joint)?;
        let exp2: Value<(), D, T> = op::exp(negate2)?;
        let product3: Value<(usize, usize), D, T> = op::matmul_turned(&unit3, &unit4)?;
        let quotient4: Value<(usize, usize), D, T> = op::div(product3, &exp2)?;
        let loss3: Value<(), D, T> = op::cross_entropy(quotient4, &places, 0.0, false)?;
        let product4: Value<(usize, usize), D, T> = op::matmul_turned(unit4, unit3)?;
        let quotient5: Value<(usize, usize), D, T> = op::div(product4, exp2)?;
        let loss4: Value<(), D, T> = op::cross_entropy(quotient5, &places, 0.0, false)?;
        let sum6: Value<(), D, T> = op::add(loss3, loss4)?;
        let quotient6: Value<(), D, T> = op::div(sum6, 2.0)?;
        let sum7: Value<(), D, T> = op::add(quotient3, quotient6)?;
        op::div(sum7, 2.0)
    }

    /// The value `match`.
    ///
    /// image `[B, 3, 48, 48]`, text `[B, 18]`, text_lengths `[B]` to `[B, 2]`.
    pub fn r#match<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
        text: &Tensor<(usize, Const<18>), usize, D>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(usize, Const<2>), D, T>, EmbedError> {
        let text = host::ids(text);
        let text_lengths = host::ids(text_lengths);
        let b = image.shape().0;
        let embed = self.embed.forward(&text)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(embed, &self.is_text)?;
        let patches = self.patches.forward(image)?;
        let sum2: Value<(usize, Const<10>, Const<96>), D, T> = op::add(patches, &self.is_image)?;
        let joined: Value<(usize, Const<28>, Const<96>), D, T> =
            op::concat(1, [op::part(sum)?, op::part(sum2)?])?;
        let used: Conditions<(usize, Const<18>)> = host::before(&text_lengths, 18)?;
        let filled: Conditions<(usize, Const<10>)> = host::fill((b, Const), 1.0)?;
        let joined2: Conditions<(usize, Const<28>)> = host::concat(1, &[&used, &filled])?;
        let blocks = self.blocks_0.forward3(joined, &joined2)?;
        let blocks2 = self.blocks_1.forward3(blocks, &joined2)?;
        let blocks3 = self.blocks_2.forward3(blocks2, &joined2)?;
        let blocks4 = self.blocks_3.forward6(blocks3, &joined2)?;
        let norm = self.norm.forward8(blocks4)?;
        let part: Value<(usize, Const<1>, Const<96>), D, T> = op::slice(norm, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<96>), D, T> = op::reshape(part, (b, Const))?;
        let pooler = self.pooler.forward4(reshaped)?;
        let active: Value<(usize, Const<96>), D, T> = op::tanh(pooler)?;
        self.itm_head.forward(active)
    }
}

/// `OutlineEmbed`: `patches`.
pub struct OutlineEmbed<E: Dtype, D: Device<E>> {
    /// `patches.colours`
    pub colours: ImageEmbed<E, D>,
    /// `patches.norm`
    pub norm: LayerNorm<E, D>,
    /// `patches.filters`
    pub filters: Linear2<E, D>,
    /// `patches.mix`
    pub mix: Linear3<E, D>,
}

chiasm::parts!(OutlineEmbed {
    colours: "colours",
    norm: "norm",
    filters: "filters",
    mix: "mix",
});

impl<D: Engine> OutlineEmbed<f32, D> {
    /// x `[B, 3, 48, 48]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let b = x.shape().0;
        let (colours, colours2) = self.colours.forward(x)?;
        let reshaped: Value<(usize, Const<9>, Const<3>, Const<256>), D, T> =
            op::reshape(colours, (b, Const, Const, Const))?;
        let norm = self.norm.forward(reshaped)?;
        let filters = self.filters.forward(norm)?;
        let active: Value<(usize, Const<9>, Const<3>, Const<48>), D, T> = op::gelu(filters)?;
        let reshaped2: Value<(usize, Const<9>, Const<144>), D, T> =
            op::reshape(active, (b, Const, Const))?;
        let mix = self.mix.forward(reshaped2)?;
        let filled: Value<(usize, Const<1>, Const<96>), D, T> =
            op::fill((b, Const, Const), 0.0, self.colours.cls.device())?;
        let joined: Value<(usize, Const<10>, Const<96>), D, T> =
            op::concat(1, [op::part(filled)?, op::part(mix)?])?;
        op::add(colours2, joined)
    }
}

/// `ImageEmbed`: `patches.colours`.
pub struct ImageEmbed<E: Dtype, D: Device<E>> {
    /// `patches.colours.cls`
    pub cls: Tensor<(Const<1>, Const<96>), E, D>,
    /// `patches.colours.proj`
    pub proj: Linear<E, D>,
}

chiasm::parts!(ImageEmbed {
    cls: "cls",
    proj: "proj",
});

impl<D: Engine> ImageEmbed<f32, D> {
    /// x `[B, 3, 48, 48]` to `[B, 3, 3, 3, 16, 16]` and `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<3>, Const<3>, Const<3>, Const<16>, Const<16>), D, T>,
            Value<(usize, Const<10>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        let b = x.shape().0;
        let repeated: Value<(usize, Const<1>, Const<96>), D, T> =
            op::broadcast(&self.cls, &[1, 2], (b, Const, Const))?;
        let rescaled: Value<(usize, Const<3>, Const<48>, Const<48>), D, T> =
            op::rescale(x, &[0.5, 0.5, 0.5], &[0.5, 0.5, 0.5])?;
        let reshaped: Value<(usize, Const<3>, Const<3>, Const<16>, Const<3>, Const<16>), D, T> =
            op::reshape(rescaled, (b, Const, Const, Const, Const, Const))?;
        let permuted: Value<(usize, Const<3>, Const<3>, Const<3>, Const<16>, Const<16>), D, T> =
            op::permute(reshaped, &[0, 2, 4, 1, 3, 5])?;
        let reshaped2: Value<(usize, Const<9>, Const<768>), D, T> =
            op::reshape(&permuted, (b, Const, Const))?;
        let proj = self.proj.forward(reshaped2)?;
        let joined: Value<(usize, Const<10>, Const<96>), D, T> =
            op::concat(1, [op::part(repeated)?, op::part(proj)?])?;
        Ok((permuted, joined))
    }
}

/// `Linear`: `patches.colours.proj`.
pub struct Linear<E: Dtype, D: Device<E>> {
    /// `patches.colours.proj.w`
    pub w: Tensor<(Const<768>, Const<96>), E, D>,
    /// `patches.colours.proj.b`
    pub b: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(Linear { w: "w", b: "b" });

impl<D: Engine> Linear<f32, D> {
    /// x `[B, 9, 768]` to `[B, 9, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<768>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `LayerNorm`: `patches.norm`.
pub struct LayerNorm<E: Dtype, D: Device<E>> {
    /// `patches.norm.gain`
    pub gain: Tensor<(Const<256>,), E, D>,
    /// `patches.norm.shift`
    pub shift: Tensor<(Const<256>,), E, D>,
}

chiasm::parts!(LayerNorm {
    gain: "gain",
    shift: "shift",
});

impl<D: Engine> LayerNorm<f32, D> {
    /// x `[B, 9, 3, 256]` to `[B, 9, 3, 256]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<3>, Const<256>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<3>, Const<256>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 0.001)
    }
}

/// `Linear`: `patches.filters`.
pub struct Linear2<E: Dtype, D: Device<E>> {
    /// `patches.filters.w`
    pub w: Tensor<(Const<256>, Const<48>), E, D>,
    /// `patches.filters.b`
    pub b: Tensor<(Const<48>,), E, D>,
}

chiasm::parts!(Linear2 { w: "w", b: "b" });

impl<D: Engine> Linear2<f32, D> {
    /// x `[B, 9, 3, 256]` to `[B, 9, 3, 48]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<3>, Const<256>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<3>, Const<48>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `patches.mix`.
pub struct Linear3<E: Dtype, D: Device<E>> {
    /// `patches.mix.w`
    pub w: Tensor<(Const<144>, Const<96>), E, D>,
    /// `patches.mix.b`
    pub b: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(Linear3 { w: "w", b: "b" });

impl<D: Engine> Linear3<f32, D> {
    /// x `[B, 9, 144]` to `[B, 9, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<144>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `MomeLayer`: `blocks[0]`.
pub struct MomeLayer<E: Dtype, D: Device<E>> {
    /// `blocks[0].norm1`
    pub norm1: LayerNorm2<E, D>,
    /// `blocks[0].attn`
    pub attn: Attention<E, D>,
    /// `blocks[0].gain1`
    pub gain1: Scale<E, D>,
    /// `blocks[0].norm2`
    pub norm2: Blocks0Norm2<E, D>,
    /// `blocks[0].ffn`
    pub ffn: Blocks0Ffn<E, D>,
    /// `blocks[0].gain2`
    pub gain2: Scale<E, D>,
}

chiasm::parts!(MomeLayer {
    norm1: "norm1",
    attn: "attn",
    gain1: "gain1",
    norm2: "norm2",
    ffn: "ffn",
    gain2: "gain2",
});

impl<D: Engine> MomeLayer<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let gain1 = self.gain1.forward(attn)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        let gain2 = self.gain2.forward(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 18, 96]`, mask `[B, 18]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward4(fork(&x))?;
        let attn = self.attn.forward2(norm1, mask)?;
        let gain1 = self.gain1.forward2(attn)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward2(fork(&sum))?;
        let ffn = self.ffn.forward2(norm2)?;
        let gain2 = self.gain2.forward2(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 28, 96]`, mask `[B, 28]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<28>)>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward8(fork(&x))?;
        let attn = self.attn.forward3(norm1, mask)?;
        let gain1 = self.gain1.forward3(attn)?;
        let sum: Value<(usize, Const<28>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward3(fork(&sum))?;
        let ffn = self.ffn.forward3(norm2)?;
        let gain2 = self.gain2.forward3(ffn)?;
        op::add(sum, gain2)
    }
}

/// `LayerNorm`: `blocks[0].norm1`, `blocks[0].norm2.image`, `blocks[0].norm2.text` and 12 more.
pub struct LayerNorm2<E: Dtype, D: Device<E>> {
    /// `gain`
    pub gain: Tensor<(Const<96>,), E, D>,
    /// `shift`
    pub shift: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(LayerNorm2 {
    gain: "gain",
    shift: "shift",
});

impl<D: Engine> LayerNorm2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-6)
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]` and `[B, 10, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<10>, Const<96>), D, T>,
            Value<(usize, Const<10>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        let normed: Value<(usize, Const<10>, Const<96>), D, T> = op::standardize(x, 1e-6)?;
        let product: Value<(usize, Const<10>, Const<96>), D, T> = op::mul(&normed, &self.gain)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(product, &self.shift)?;
        Ok((normed, sum))
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-12)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-6)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]` and `[B, 18, 96]`.
    pub fn forward5<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<18>, Const<96>), D, T>,
            Value<(usize, Const<18>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        let normed: Value<(usize, Const<18>, Const<96>), D, T> = op::standardize(x, 1e-6)?;
        let product: Value<(usize, Const<18>, Const<96>), D, T> = op::mul(&normed, &self.gain)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(product, &self.shift)?;
        Ok((normed, sum))
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward6<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let product: Value<(usize, Const<10>, Const<96>), D, T> = op::mul(x, &self.gain)?;
        op::add(product, &self.shift)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward7<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let product: Value<(usize, Const<18>, Const<96>), D, T> = op::mul(x, &self.gain)?;
        op::add(product, &self.shift)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward8<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-6)
    }
}

/// `Attention`: `blocks[0].attn`, `blocks[1].attn`, `blocks[2].attn` and 1 more.
pub struct Attention<E: Dtype, D: Device<E>> {
    /// `q`
    pub q: Linear4<E, D>,
    /// `k`
    pub k: Linear5<E, D>,
    /// `v`
    pub v: Linear4<E, D>,
    /// `relative`
    pub relative: RelativeBias<E, D>,
    /// `out`
    pub out: Linear4<E, D>,
}

chiasm::parts!(Attention {
    q: "q",
    k: "k",
    v: "v",
    relative: "relative",
    out: "out",
});

impl<D: Engine> Attention<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let q = self.q.forward(fork(&x))?;
        let k = self.k.forward(fork(&x))?;
        let v = self.v.forward(x)?;
        let relative = self.relative.forward()?;
        let attended: Value<(usize, Const<10>, Const<96>), D, T> =
            op::attend(Attend::heads(3).bias(relative), q, k, v)?;
        self.out.forward(attended)
    }

    /// x `[B, 18, 96]`, mask `[B, 18]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let q = self.q.forward2(fork(&x))?;
        let k = self.k.forward3(fork(&x))?;
        let v = self.v.forward2(x)?;
        let relative = self.relative.forward2()?;
        let attended: Value<(usize, Const<18>, Const<96>), D, T> =
            op::attend(Attend::heads(3).mask(mask).bias(relative), q, k, v)?;
        self.out.forward2(attended)
    }

    /// x `[B, 28, 96]`, mask `[B, 28]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<28>)>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let q = self.q.forward3(fork(&x))?;
        let k = self.k.forward4(fork(&x))?;
        let v = self.v.forward3(x)?;
        let relative = self.relative.forward3()?;
        let attended: Value<(usize, Const<28>, Const<96>), D, T> =
            op::attend(Attend::heads(3).mask(mask).bias(relative), q, k, v)?;
        self.out.forward3(attended)
    }
}

/// `Linear`: `blocks[0].attn.q`, `blocks[0].attn.v`, `blocks[0].attn.out` and 10 more.
pub struct Linear4<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<96>, Const<96>), E, D>,
    /// `b`
    pub b: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(Linear4 { w: "w", b: "b" });

impl<D: Engine> Linear4<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 96]` to `[B, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `blocks[0].attn.k`, `blocks[1].attn.k`, `blocks[2].attn.k` and 5 more.
pub struct Linear5<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<96>, Const<96>), E, D>,
}

chiasm::parts!(Linear5 { w: "w" });

impl<D: Engine> Linear5<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        op::matmul(x, &self.w)
    }

    /// x `[B, 96]` to `[B, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<96>), D, T>, EmbedError> {
        op::matmul(x, &self.w)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::matmul(x, &self.w)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        op::matmul(x, &self.w)
    }
}

/// `RelativeBias`: `blocks[0].attn.relative`, `blocks[1].attn.relative`, `blocks[2].attn.relative`
/// and 1 more.
pub struct RelativeBias<E: Dtype, D: Device<E>> {
    /// `table`
    pub table: Tensor<(Const<78>, Const<3>), E, D>,
}

chiasm::parts!(RelativeBias { table: "table" });

impl<D: Engine> RelativeBias<f32, D> {
    /// to `[3, 10, 10]`.
    pub fn forward<T: Tracing<D>>(
        &self,
    ) -> Result<Value<(Const<3>, Const<10>, Const<10>), D, T>, EmbedError> {
        let offsets: Ids<(Const<10>, Const<10>)> = host::offsets(&[Stretch::Image(10)], 3, 24)?;
        let rows: Value<(Const<10>, Const<10>, Const<3>), D, T> = op::take(&self.table, &offsets)?;
        op::permute(rows, &[2, 0, 1])
    }

    /// to `[3, 18, 18]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
    ) -> Result<Value<(Const<3>, Const<18>, Const<18>), D, T>, EmbedError> {
        let offsets: Ids<(Const<18>, Const<18>)> = host::offsets(&[Stretch::Text(18)], 3, 24)?;
        let rows: Value<(Const<18>, Const<18>, Const<3>), D, T> = op::take(&self.table, &offsets)?;
        op::permute(rows, &[2, 0, 1])
    }

    /// to `[3, 28, 28]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
    ) -> Result<Value<(Const<3>, Const<28>, Const<28>), D, T>, EmbedError> {
        let offsets: Ids<(Const<28>, Const<28>)> =
            host::offsets(&[Stretch::Text(18), Stretch::Image(10)], 3, 24)?;
        let rows: Value<(Const<28>, Const<28>, Const<3>), D, T> = op::take(&self.table, &offsets)?;
        op::permute(rows, &[2, 0, 1])
    }
}

/// `Scale`: `blocks[0].gain1`, `blocks[0].gain2`, `blocks[1].gain1` and 5 more.
pub struct Scale<E: Dtype, D: Device<E>> {
    /// `gain`
    pub gain: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(Scale { gain: "gain" });

impl<D: Engine> Scale<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        op::mul(x, &self.gain)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::mul(x, &self.gain)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        op::mul(x, &self.gain)
    }
}

/// `blocks[0].norm2`: `blocks[0].norm2`.
pub struct Blocks0Norm2<E: Dtype, D: Device<E>> {
    /// `blocks[0].norm2.image`
    pub image: LayerNorm2<E, D>,
    /// `blocks[0].norm2.text`
    pub text: LayerNorm2<E, D>,
}

chiasm::parts!(Blocks0Norm2 {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks0Norm2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward4(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward4(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `blocks[0].ffn`: `blocks[0].ffn`.
pub struct Blocks0Ffn<E: Dtype, D: Device<E>> {
    /// `blocks[0].ffn.image`
    pub image: Mlp<E, D>,
    /// `blocks[0].ffn.text`
    pub text: Mlp<E, D>,
}

chiasm::parts!(Blocks0Ffn {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks0Ffn<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward2(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward2(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `Mlp`: `blocks[0].ffn.image`, `blocks[0].ffn.text`, `blocks[1].ffn.image` and 6 more.
pub struct Mlp<E: Dtype, D: Device<E>> {
    /// `up`
    pub up: Linear6<E, D>,
    /// `down`
    pub down: Linear7<E, D>,
}

chiasm::parts!(Mlp {
    up: "up",
    down: "down",
});

impl<D: Engine> Mlp<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let up = self.up.forward(x)?;
        let active: Value<(usize, Const<10>, Const<384>), D, T> = op::gelu(up)?;
        self.down.forward(active)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let up = self.up.forward2(x)?;
        let active: Value<(usize, Const<18>, Const<384>), D, T> = op::gelu(up)?;
        self.down.forward2(active)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let up = self.up.forward3(x)?;
        let active: Value<(usize, Const<28>, Const<384>), D, T> = op::gelu(up)?;
        self.down.forward3(active)
    }
}

/// `Linear`: `blocks[0].ffn.image.up`, `blocks[0].ffn.text.up`, `blocks[1].ffn.image.up` and 6
/// more.
pub struct Linear6<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<96>, Const<384>), E, D>,
    /// `b`
    pub b: Tensor<(Const<384>,), E, D>,
}

chiasm::parts!(Linear6 { w: "w", b: "b" });

impl<D: Engine> Linear6<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 384]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<384>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 18, 96]` to `[B, 18, 384]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<384>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 28, 96]` to `[B, 28, 384]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<384>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `blocks[0].ffn.image.down`, `blocks[0].ffn.text.down`, `blocks[1].ffn.image.down` and
/// 6 more.
pub struct Linear7<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<384>, Const<96>), E, D>,
    /// `b`
    pub b: Tensor<(Const<96>,), E, D>,
}

chiasm::parts!(Linear7 { w: "w", b: "b" });

impl<D: Engine> Linear7<f32, D> {
    /// x `[B, 10, 384]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<384>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 18, 384]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<384>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 28, 384]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<384>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `MomeLayer`: `blocks[1]`.
pub struct MomeLayer2<E: Dtype, D: Device<E>> {
    /// `blocks[1].norm1`
    pub norm1: LayerNorm2<E, D>,
    /// `blocks[1].attn`
    pub attn: Attention<E, D>,
    /// `blocks[1].gain1`
    pub gain1: Scale<E, D>,
    /// `blocks[1].norm2`
    pub norm2: Blocks1Norm2<E, D>,
    /// `blocks[1].ffn`
    pub ffn: Blocks1Ffn<E, D>,
    /// `blocks[1].gain2`
    pub gain2: Scale<E, D>,
}

chiasm::parts!(MomeLayer2 {
    norm1: "norm1",
    attn: "attn",
    gain1: "gain1",
    norm2: "norm2",
    ffn: "ffn",
    gain2: "gain2",
});

impl<D: Engine> MomeLayer2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let gain1 = self.gain1.forward(attn)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        let gain2 = self.gain2.forward(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 18, 96]`, mask `[B, 18]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward4(fork(&x))?;
        let attn = self.attn.forward2(norm1, mask)?;
        let gain1 = self.gain1.forward2(attn)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward2(fork(&sum))?;
        let ffn = self.ffn.forward2(norm2)?;
        let gain2 = self.gain2.forward2(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 28, 96]`, mask `[B, 28]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<28>)>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward8(fork(&x))?;
        let attn = self.attn.forward3(norm1, mask)?;
        let gain1 = self.gain1.forward3(attn)?;
        let sum: Value<(usize, Const<28>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward3(fork(&sum))?;
        let ffn = self.ffn.forward3(norm2)?;
        let gain2 = self.gain2.forward3(ffn)?;
        op::add(sum, gain2)
    }
}

/// `blocks[1].norm2`: `blocks[1].norm2`.
pub struct Blocks1Norm2<E: Dtype, D: Device<E>> {
    /// `blocks[1].norm2.image`
    pub image: LayerNorm2<E, D>,
    /// `blocks[1].norm2.text`
    pub text: LayerNorm2<E, D>,
}

chiasm::parts!(Blocks1Norm2 {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks1Norm2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward4(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward4(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `blocks[1].ffn`: `blocks[1].ffn`.
pub struct Blocks1Ffn<E: Dtype, D: Device<E>> {
    /// `blocks[1].ffn.image`
    pub image: Mlp<E, D>,
    /// `blocks[1].ffn.text`
    pub text: Mlp<E, D>,
}

chiasm::parts!(Blocks1Ffn {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks1Ffn<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward2(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward2(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `MomeLayer`: `blocks[2]`.
pub struct MomeLayer3<E: Dtype, D: Device<E>> {
    /// `blocks[2].norm1`
    pub norm1: LayerNorm2<E, D>,
    /// `blocks[2].attn`
    pub attn: Attention<E, D>,
    /// `blocks[2].gain1`
    pub gain1: Scale<E, D>,
    /// `blocks[2].norm2`
    pub norm2: Blocks2Norm2<E, D>,
    /// `blocks[2].ffn`
    pub ffn: Blocks2Ffn<E, D>,
    /// `blocks[2].gain2`
    pub gain2: Scale<E, D>,
}

chiasm::parts!(MomeLayer3 {
    norm1: "norm1",
    attn: "attn",
    gain1: "gain1",
    norm2: "norm2",
    ffn: "ffn",
    gain2: "gain2",
});

impl<D: Engine> MomeLayer3<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let gain1 = self.gain1.forward(attn)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        let gain2 = self.gain2.forward(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 18, 96]`, mask `[B, 18]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward4(fork(&x))?;
        let attn = self.attn.forward2(norm1, mask)?;
        let gain1 = self.gain1.forward2(attn)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward2(fork(&sum))?;
        let ffn = self.ffn.forward2(norm2)?;
        let gain2 = self.gain2.forward2(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 28, 96]`, mask `[B, 28]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<28>)>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward8(fork(&x))?;
        let attn = self.attn.forward3(norm1, mask)?;
        let gain1 = self.gain1.forward3(attn)?;
        let sum: Value<(usize, Const<28>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward3(fork(&sum))?;
        let ffn = self.ffn.forward3(norm2)?;
        let gain2 = self.gain2.forward3(ffn)?;
        op::add(sum, gain2)
    }
}

/// `blocks[2].norm2`: `blocks[2].norm2`.
pub struct Blocks2Norm2<E: Dtype, D: Device<E>> {
    /// `blocks[2].norm2.image`
    pub image: LayerNorm2<E, D>,
    /// `blocks[2].norm2.text`
    pub text: LayerNorm2<E, D>,
}

chiasm::parts!(Blocks2Norm2 {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks2Norm2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward4(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward4(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `blocks[2].ffn`: `blocks[2].ffn`.
pub struct Blocks2Ffn<E: Dtype, D: Device<E>> {
    /// `blocks[2].ffn.image`
    pub image: Mlp<E, D>,
    /// `blocks[2].ffn.text`
    pub text: Mlp<E, D>,
}

chiasm::parts!(Blocks2Ffn {
    image: "image",
    text: "text",
});

impl<D: Engine> Blocks2Ffn<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward2(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let part: Value<(usize, Const<18>, Const<96>), D, T> = op::slice(&x, 1, 0, 18)?;
        let text = self.text.forward2(part)?;
        let part2: Value<(usize, Const<10>, Const<96>), D, T> = op::slice(x, 1, 18, 28)?;
        let image = self.image.forward(part2)?;
        op::concat(1, [op::part(text)?, op::part(image)?])
    }
}

/// `MomeLayer`: `blocks[3]`.
pub struct MomeLayer4<E: Dtype, D: Device<E>> {
    /// `blocks[3].norm1`
    pub norm1: LayerNorm2<E, D>,
    /// `blocks[3].attn`
    pub attn: Attention<E, D>,
    /// `blocks[3].gain1`
    pub gain1: Scale<E, D>,
    /// `blocks[3].norm2`
    pub norm2: Blocks3Norm2<E, D>,
    /// `blocks[3].ffn`
    pub ffn: Blocks3Ffn<E, D>,
    /// `blocks[3].gain2`
    pub gain2: Scale<E, D>,
}

chiasm::parts!(MomeLayer4 {
    norm1: "norm1",
    attn: "attn",
    gain1: "gain1",
    norm2: "norm2",
    ffn: "ffn",
    gain2: "gain2",
});

impl<D: Engine> MomeLayer4<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let gain1 = self.gain1.forward(attn)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        let gain2 = self.gain2.forward(ffn)?;
        op::add(sum, gain2)
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]` and `[B, 10, 96]` and `[B, 10, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<10>, Const<96>), D, T>,
            Value<(usize, Const<10>, Const<96>), D, T>,
            Value<(usize, Const<10>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let gain1 = self.gain1.forward(attn)?;
        let sum: Value<(usize, Const<10>, Const<96>), D, T> = op::add(x, gain1)?;
        let (norm2, norm22) = self.norm2.forward2(fork(&sum))?;
        let ffn = self.ffn.forward(norm22)?;
        let gain2 = self.gain2.forward(ffn)?;
        let sum2: Value<(usize, Const<10>, Const<96>), D, T> = op::add(&sum, gain2)?;
        Ok((sum, norm2, sum2))
    }

    /// x `[B, 18, 96]`, mask `[B, 18]` to `[B, 18, 96]` and `[B, 18, 96]` and `[B, 18, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<18>)>,
    ) -> Result<
        (
            Value<(usize, Const<18>, Const<96>), D, T>,
            Value<(usize, Const<18>, Const<96>), D, T>,
            Value<(usize, Const<18>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        let norm1 = self.norm1.forward4(fork(&x))?;
        let attn = self.attn.forward2(norm1, mask)?;
        let gain1 = self.gain1.forward2(attn)?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(x, gain1)?;
        let (norm2, norm22) = self.norm2.forward3(fork(&sum))?;
        let ffn = self.ffn.forward2(norm22)?;
        let gain2 = self.gain2.forward2(ffn)?;
        let sum2: Value<(usize, Const<18>, Const<96>), D, T> = op::add(&sum, gain2)?;
        Ok((sum, norm2, sum2))
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        let norm2 = self.norm2.forward4(x)?;
        let ffn = self.ffn.forward3(norm2)?;
        self.gain2.forward(ffn)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward5<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let norm2 = self.norm2.forward5(x)?;
        let ffn = self.ffn.forward4(norm2)?;
        self.gain2.forward2(ffn)
    }

    /// x `[B, 28, 96]`, mask `[B, 28]` to `[B, 28, 96]`.
    pub fn forward6<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
        mask: &Conditions<(usize, Const<28>)>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward8(fork(&x))?;
        let attn = self.attn.forward3(norm1, mask)?;
        let gain1 = self.gain1.forward3(attn)?;
        let sum: Value<(usize, Const<28>, Const<96>), D, T> = op::add(x, gain1)?;
        let norm2 = self.norm2.forward6(fork(&sum))?;
        let ffn = self.ffn.forward5(norm2)?;
        let gain2 = self.gain2.forward3(ffn)?;
        op::add(sum, gain2)
    }
}

/// `blocks[3].norm2`: `blocks[3].norm2`.
pub struct Blocks3Norm2<E: Dtype, D: Device<E>> {
    /// `blocks[3].norm2.image`
    pub image: LayerNorm2<E, D>,
    /// `blocks[3].norm2.text`
    pub text: LayerNorm2<E, D>,
    /// `blocks[3].norm2.fused`
    pub fused: LayerNorm2<E, D>,
}

chiasm::parts!(Blocks3Norm2 {
    image: "image",
    text: "text",
    fused: "fused",
});

impl<D: Engine> Blocks3Norm2<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]` and `[B, 10, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<10>, Const<96>), D, T>,
            Value<(usize, Const<10>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        self.image.forward2(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]` and `[B, 18, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<18>, Const<96>), D, T>,
            Value<(usize, Const<18>, Const<96>), D, T>,
        ),
        EmbedError,
    > {
        self.text.forward5(x)
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.fused.forward6(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward5<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.fused.forward7(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward6<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        self.fused.forward8(x)
    }
}

/// `blocks[3].ffn`: `blocks[3].ffn`.
pub struct Blocks3Ffn<E: Dtype, D: Device<E>> {
    /// `blocks[3].ffn.image`
    pub image: Mlp<E, D>,
    /// `blocks[3].ffn.text`
    pub text: Mlp<E, D>,
    /// `blocks[3].ffn.fused`
    pub fused: Mlp<E, D>,
}

chiasm::parts!(Blocks3Ffn {
    image: "image",
    text: "text",
    fused: "fused",
});

impl<D: Engine> Blocks3Ffn<f32, D> {
    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.image.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.text.forward2(x)
    }

    /// x `[B, 10, 96]` to `[B, 10, 96]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<96>), D, T>, EmbedError> {
        self.fused.forward(x)
    }

    /// x `[B, 18, 96]` to `[B, 18, 96]`.
    pub fn forward4<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<18>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        self.fused.forward2(x)
    }

    /// x `[B, 28, 96]` to `[B, 28, 96]`.
    pub fn forward5<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<28>, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<28>, Const<96>), D, T>, EmbedError> {
        self.fused.forward3(x)
    }
}

/// `BertEmbed`: `embed`.
pub struct BertEmbed<E: Dtype, D: Device<E>> {
    /// `embed.words`
    pub words: Embedding<E, D>,
    /// `embed.kind`
    pub kind: Tensor<(Const<2>, Const<96>), E, D>,
    /// `embed.norm`
    pub norm: LayerNorm2<E, D>,
}

chiasm::parts!(BertEmbed {
    words: "words",
    kind: "kind",
    norm: "norm",
});

impl<D: Engine> BertEmbed<f32, D> {
    /// ids `[B, 18]` to `[B, 18, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        ids: &Ids<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        let words = self.words.forward(ids)?;
        let part: Value<(Const<1>, Const<96>), D, T> = op::slice(&self.kind, 0, 0, 1)?;
        let reshaped: Value<(Const<96>,), D, T> = op::reshape(part, (Const,))?;
        let sum: Value<(usize, Const<18>, Const<96>), D, T> = op::add(words, reshaped)?;
        self.norm.forward3(sum)
    }
}

/// `Embedding`: `embed.words`.
pub struct Embedding<E: Dtype, D: Device<E>> {
    /// `embed.words.table`
    pub table: Tensor<(Const<54>, Const<96>), E, D>,
}

chiasm::parts!(Embedding { table: "table" });

impl<D: Engine> Embedding<f32, D> {
    /// ids `[B, 18]` to `[B, 18, 96]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        ids: &Ids<(usize, Const<18>)>,
    ) -> Result<Value<(usize, Const<18>, Const<96>), D, T>, EmbedError> {
        op::take(&self.table, ids)
    }
}

/// `Linear`: `itm_head`.
pub struct Linear8<E: Dtype, D: Device<E>> {
    /// `itm_head.w`
    pub w: Tensor<(Const<96>, Const<2>), E, D>,
    /// `itm_head.b`
    pub b: Tensor<(Const<2>,), E, D>,
}

chiasm::parts!(Linear8 { w: "w", b: "b" });

impl<D: Engine> Linear8<f32, D> {
    /// x `[B, 96]` to `[B, 2]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<96>), D, T>,
    ) -> Result<Value<(usize, Const<2>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}
