// `clip.chi`, stage `pretrain`, in dfdx types. Written by `chiasm emit rust`: what is changed here
// is lost when it is written again.

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
use chiasm::embed::typed::join;
use chiasm::embed::typed::op;
use dfdx::nn::modules::Repeated;
use dfdx::shapes::Const;
use dfdx::shapes::Dtype;
use dfdx::shapes::HasShape;
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::Device;
use std::path::Path;

/// Parameters of the text that no value here reads; a file of weights may have them.
const ELSEWHERE: &str = "";

/// The model: what its values read.
pub struct Clip<E: Dtype, D: Device<E>> {
    /// `vision`
    pub vision: ViT<E, D>,
    /// `to_image`
    pub to_image: Linear7<E, D>,
    /// `embed`
    pub embed: Embedding<E, D>,
    /// `place`
    pub place: Tensor<(Const<24>, Const<128>), E, D>,
    /// `reader`
    pub reader: Repeated<Layer<E, D>, 2>,
    /// `finish`
    pub finish: LayerNorm2<E, D>,
    /// `to_text`
    pub to_text: Linear7<E, D>,
    /// `scale`
    pub scale: Tensor<(), E, D>,
}

chiasm::parts!(Clip {
    vision: "vision",
    to_image: "to_image",
    embed: "embed",
    place: "place",
    reader: "reader",
    finish: "finish",
    to_text: "to_text",
    scale: "scale",
});

impl<D: Engine> Clip<f32, D> {
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
    /// image `[B, 3, 48, 48]` to `[B, 128]`.
    pub fn image_feat<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<Value<(usize, Const<128>), D, T>, EmbedError> {
        let b = image.shape().0;
        let vision = self.vision.forward(image)?;
        let part: Value<(usize, Const<1>, Const<128>), D, T> = op::slice(vision, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<128>), D, T> = op::reshape(part, (b, Const))?;
        let to_image = self.to_image.forward(reshaped)?;
        op::normalize(to_image)
    }

    /// The value `text_feat`.
    ///
    /// text `[B, 24]`, text_lengths `[B]` to `[B, 128]`.
    pub fn text_feat<T: Tracing<D>>(
        &self,
        text: Tensor<(usize, Const<24>), usize, D, T>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(usize, Const<128>), D, T>, EmbedError> {
        let (text, tape) = host::taped_ids(text);
        let text_lengths = host::ids(text_lengths);
        let embed = self.embed.forward(&text)?;
        let sum: Value<(usize, Const<24>, Const<128>), D, T> = op::add(embed, &self.place)?;
        let used: Conditions<(usize, Const<24>)> = host::before(&text_lengths, 24)?;
        let mut hidden = sum;
        for layer in &self.reader.modules {
            hidden = layer.forward2(hidden, &used)?;
        }
        let finish = self.finish.forward2(hidden)?;
        let last: Value<(usize, Const<128>), D, T> = op::last(finish, &used)?;
        let to_text = self.to_text.forward(last)?;
        let unit: Value<(usize, Const<128>), D, T> = op::normalize(to_text)?;
        Ok(join(unit, tape))
    }

    /// The value `con`.
    ///
    /// image `[B, 3, 48, 48]`, text `[B, 24]`, text_lengths `[B]` to `[]`.
    pub fn con<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
        text: &Tensor<(usize, Const<24>), usize, D>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(), D, T>, EmbedError> {
        let text = host::ids(text);
        let text_lengths = host::ids(text_lengths);
        let b = image.shape().0;
        let vision = self.vision.forward(image)?;
        let part: Value<(usize, Const<1>, Const<128>), D, T> = op::slice(vision, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<128>), D, T> = op::reshape(part, (b, Const))?;
        let to_image = self.to_image.forward(reshaped)?;
        let unit: Value<(usize, Const<128>), D, T> = op::normalize(to_image)?;
        let embed = self.embed.forward(&text)?;
        let sum: Value<(usize, Const<24>, Const<128>), D, T> = op::add(embed, &self.place)?;
        let used: Conditions<(usize, Const<24>)> = host::before(&text_lengths, 24)?;
        let mut hidden = sum;
        for layer in &self.reader.modules {
            hidden = layer.forward2(hidden, &used)?;
        }
        let finish = self.finish.forward2(hidden)?;
        let last: Value<(usize, Const<128>), D, T> = op::last(finish, &used)?;
        let to_text = self.to_text.forward(last)?;
        let unit2: Value<(usize, Const<128>), D, T> = op::normalize(to_text)?;
        let negate: Value<(), D, T> = op::negate(&self.scale)?;
        let exp: Value<(), D, T> = op::exp(negate)?;
        let product: Value<(usize, usize), D, T> = op::matmul_turned(&unit, &unit2)?;
        let quotient: Value<(usize, usize), D, T> = op::div(product, &exp)?;
        let places: Ids<(usize,)> = host::range(b)?;
        let loss: Value<(), D, T> = op::cross_entropy(quotient, &places, 0.0, false)?;
        let product2: Value<(usize, usize), D, T> = op::matmul_turned(unit2, unit)?;
        let quotient2: Value<(usize, usize), D, T> = op::div(product2, exp)?;
        let loss2: Value<(), D, T> = op::cross_entropy(quotient2, &places, 0.0, false)?;
        let sum2: Value<(), D, T> = op::add(loss, loss2)?;
        op::div(sum2, 2.0)
    }
}

/// `ViT`: `vision`.
pub struct ViT<E: Dtype, D: Device<E>> {
    /// `vision.embed`
    pub embed: OutlineEmbed<E, D>,
    /// `vision.stem`
    pub stem: LayerNorm2<E, D>,
    /// `vision.blocks`
    pub blocks: Repeated<Layer<E, D>, 4>,
    /// `vision.norm`
    pub norm: LayerNorm2<E, D>,
}

chiasm::parts!(ViT {
    embed: "embed",
    stem: "stem",
    blocks: "blocks",
    norm: "norm",
});

impl<D: Engine> ViT<f32, D> {
    /// x `[B, 3, 48, 48]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        let embed = self.embed.forward(x)?;
        let stem = self.stem.forward(embed)?;
        let mut hidden = stem;
        for layer in &self.blocks.modules {
            hidden = layer.forward(hidden)?;
        }
        self.norm.forward(hidden)
    }
}

/// `OutlineEmbed`: `vision.embed`.
pub struct OutlineEmbed<E: Dtype, D: Device<E>> {
    /// `vision.embed.colours`
    pub colours: ImageEmbed<E, D>,
    /// `vision.embed.norm`
    pub norm: LayerNorm<E, D>,
    /// `vision.embed.filters`
    pub filters: Linear2<E, D>,
    /// `vision.embed.mix`
    pub mix: Linear3<E, D>,
}

chiasm::parts!(OutlineEmbed {
    colours: "colours",
    norm: "norm",
    filters: "filters",
    mix: "mix",
});

impl<D: Engine> OutlineEmbed<f32, D> {
    /// x `[B, 3, 48, 48]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        let b = x.shape().0;
        let (colours, colours2) = self.colours.forward(x)?;
        let reshaped: Value<(usize, Const<9>, Const<3>, Const<256>), D, T> =
            op::reshape(colours, (b, Const, Const, Const))?;
        let norm = self.norm.forward(reshaped)?;
        let filters = self.filters.forward(norm)?;
        let active: Value<(usize, Const<9>, Const<3>, Const<64>), D, T> = op::gelu(filters)?;
        let reshaped2: Value<(usize, Const<9>, Const<192>), D, T> =
            op::reshape(active, (b, Const, Const))?;
        let mix = self.mix.forward(reshaped2)?;
        let filled: Value<(usize, Const<1>, Const<128>), D, T> =
            op::fill((b, Const, Const), 0.0, self.colours.cls.device())?;
        let joined: Value<(usize, Const<10>, Const<128>), D, T> =
            op::concat(1, [op::part(filled)?, op::part(mix)?])?;
        op::add(colours2, joined)
    }
}

/// `ImageEmbed`: `vision.embed.colours`.
pub struct ImageEmbed<E: Dtype, D: Device<E>> {
    /// `vision.embed.colours.cls`
    pub cls: Tensor<(Const<1>, Const<128>), E, D>,
    /// `vision.embed.colours.proj`
    pub proj: Linear<E, D>,
    /// `vision.embed.colours.pos`
    pub pos: Tensor<(Const<10>, Const<128>), E, D>,
}

chiasm::parts!(ImageEmbed {
    cls: "cls",
    proj: "proj",
    pos: "pos",
});

impl<D: Engine> ImageEmbed<f32, D> {
    /// x `[B, 3, 48, 48]` to `[B, 3, 3, 3, 16, 16]` and `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<48>, Const<48>), D, T>,
    ) -> Result<
        (
            Value<(usize, Const<3>, Const<3>, Const<3>, Const<16>, Const<16>), D, T>,
            Value<(usize, Const<10>, Const<128>), D, T>,
        ),
        EmbedError,
    > {
        let b = x.shape().0;
        let repeated: Value<(usize, Const<1>, Const<128>), D, T> =
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
        let joined: Value<(usize, Const<10>, Const<128>), D, T> =
            op::concat(1, [op::part(repeated)?, op::part(proj)?])?;
        let sum: Value<(usize, Const<10>, Const<128>), D, T> = op::add(joined, &self.pos)?;
        Ok((permuted, sum))
    }
}

/// `Linear`: `vision.embed.colours.proj`.
pub struct Linear<E: Dtype, D: Device<E>> {
    /// `vision.embed.colours.proj.w`
    pub w: Tensor<(Const<768>, Const<128>), E, D>,
    /// `vision.embed.colours.proj.b`
    pub b: Tensor<(Const<128>,), E, D>,
}

chiasm::parts!(Linear { w: "w", b: "b" });

impl<D: Engine> Linear<f32, D> {
    /// x `[B, 9, 768]` to `[B, 9, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<768>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `LayerNorm`: `vision.embed.norm`.
pub struct LayerNorm<E: Dtype, D: Device<E>> {
    /// `vision.embed.norm.gain`
    pub gain: Tensor<(Const<256>,), E, D>,
    /// `vision.embed.norm.shift`
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

/// `Linear`: `vision.embed.filters`.
pub struct Linear2<E: Dtype, D: Device<E>> {
    /// `vision.embed.filters.w`
    pub w: Tensor<(Const<256>, Const<64>), E, D>,
    /// `vision.embed.filters.b`
    pub b: Tensor<(Const<64>,), E, D>,
}

chiasm::parts!(Linear2 { w: "w", b: "b" });

impl<D: Engine> Linear2<f32, D> {
    /// x `[B, 9, 3, 256]` to `[B, 9, 3, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<3>, Const<256>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<3>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `vision.embed.mix`.
pub struct Linear3<E: Dtype, D: Device<E>> {
    /// `vision.embed.mix.w`
    pub w: Tensor<(Const<192>, Const<128>), E, D>,
    /// `vision.embed.mix.b`
    pub b: Tensor<(Const<128>,), E, D>,
}

chiasm::parts!(Linear3 { w: "w", b: "b" });

impl<D: Engine> Linear3<f32, D> {
    /// x `[B, 9, 192]` to `[B, 9, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<9>, Const<192>), D, T>,
    ) -> Result<Value<(usize, Const<9>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `LayerNorm`: `vision.stem`, `vision.blocks[0].norm1`, `vision.blocks[0].norm2` and 12 more.
pub struct LayerNorm2<E: Dtype, D: Device<E>> {
    /// `gain`
    pub gain: Tensor<(Const<128>,), E, D>,
    /// `shift`
    pub shift: Tensor<(Const<128>,), E, D>,
}

chiasm::parts!(LayerNorm2 {
    gain: "gain",
    shift: "shift",
});

impl<D: Engine> LayerNorm2<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-5)
    }

    /// x `[B, 24, 128]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-5)
    }
}

/// `Layer`: `vision.blocks[0]`, `vision.blocks[1]`, `vision.blocks[2]` and 3 more.
pub struct Layer<E: Dtype, D: Device<E>> {
    /// `norm1`
    pub norm1: LayerNorm2<E, D>,
    /// `attn`
    pub attn: Attention<E, D>,
    /// `norm2`
    pub norm2: LayerNorm2<E, D>,
    /// `ffn`
    pub ffn: Mlp<E, D>,
}

chiasm::parts!(Layer {
    norm1: "norm1",
    attn: "attn",
    norm2: "norm2",
    ffn: "ffn",
});

impl<D: Engine> Layer<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let sum: Value<(usize, Const<10>, Const<128>), D, T> = op::add(x, attn)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        op::add(sum, ffn)
    }

    /// x `[B, 24, 128]`, mask `[B, 24]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
        mask: &Conditions<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward2(fork(&x))?;
        let attn = self.attn.forward2(norm1, mask)?;
        let sum: Value<(usize, Const<24>, Const<128>), D, T> = op::add(x, attn)?;
        let norm2 = self.norm2.forward2(fork(&sum))?;
        let ffn = self.ffn.forward2(norm2)?;
        op::add(sum, ffn)
    }
}

/// `Attention`: `vision.blocks[0].attn`, `vision.blocks[1].attn`, `vision.blocks[2].attn` and 3
/// more.
pub struct Attention<E: Dtype, D: Device<E>> {
    /// `q`
    pub q: Linear4<E, D>,
    /// `k`
    pub k: Linear4<E, D>,
    /// `v`
    pub v: Linear4<E, D>,
    /// `out`
    pub out: Linear4<E, D>,
}

chiasm::parts!(Attention {
    q: "q",
    k: "k",
    v: "v",
    out: "out",
});

impl<D: Engine> Attention<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        let q = self.q.forward(fork(&x))?;
        let k = self.k.forward(fork(&x))?;
        let v = self.v.forward(x)?;
        let attended: Value<(usize, Const<10>, Const<128>), D, T> =
            op::attend(Attend::heads(4), q, k, v)?;
        self.out.forward(attended)
    }

    /// x `[B, 24, 128]`, mask `[B, 24]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
        mask: &Conditions<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        let q = self.q.forward2(fork(&x))?;
        let k = self.k.forward2(fork(&x))?;
        let v = self.v.forward2(x)?;
        let attended: Value<(usize, Const<24>, Const<128>), D, T> =
            op::attend(Attend::heads(4).causal().mask(mask), q, k, v)?;
        self.out.forward2(attended)
    }
}

/// `Linear`: `vision.blocks[0].attn.q`, `vision.blocks[0].attn.k`, `vision.blocks[0].attn.v` and 21
/// more.
pub struct Linear4<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<128>, Const<128>), E, D>,
    /// `b`
    pub b: Tensor<(Const<128>,), E, D>,
}

chiasm::parts!(Linear4 { w: "w", b: "b" });

impl<D: Engine> Linear4<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 128]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Mlp`: `vision.blocks[0].ffn`, `vision.blocks[1].ffn`, `vision.blocks[2].ffn` and 3 more.
pub struct Mlp<E: Dtype, D: Device<E>> {
    /// `up`
    pub up: Linear5<E, D>,
    /// `down`
    pub down: Linear6<E, D>,
}

chiasm::parts!(Mlp {
    up: "up",
    down: "down",
});

impl<D: Engine> Mlp<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        let up = self.up.forward(x)?;
        let product: Value<(usize, Const<10>, Const<512>), D, T> = op::mul(1.702, &up)?;
        let active: Value<(usize, Const<10>, Const<512>), D, T> = op::sigmoid(product)?;
        let product2: Value<(usize, Const<10>, Const<512>), D, T> = op::mul(up, active)?;
        self.down.forward(product2)
    }

    /// x `[B, 24, 128]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        let up = self.up.forward2(x)?;
        let product: Value<(usize, Const<24>, Const<512>), D, T> = op::mul(1.702, &up)?;
        let active: Value<(usize, Const<24>, Const<512>), D, T> = op::sigmoid(product)?;
        let product2: Value<(usize, Const<24>, Const<512>), D, T> = op::mul(up, active)?;
        self.down.forward2(product2)
    }
}

/// `Linear`: `vision.blocks[0].ffn.up`, `vision.blocks[1].ffn.up`, `vision.blocks[2].ffn.up` and 3
/// more.
pub struct Linear5<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<128>, Const<512>), E, D>,
    /// `b`
    pub b: Tensor<(Const<512>,), E, D>,
}

chiasm::parts!(Linear5 { w: "w", b: "b" });

impl<D: Engine> Linear5<f32, D> {
    /// x `[B, 10, 128]` to `[B, 10, 512]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<512>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 128]` to `[B, 24, 512]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<512>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `vision.blocks[0].ffn.down`, `vision.blocks[1].ffn.down`, `vision.blocks[2].ffn.down`
/// and 3 more.
pub struct Linear6<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<512>, Const<128>), E, D>,
    /// `b`
    pub b: Tensor<(Const<128>,), E, D>,
}

chiasm::parts!(Linear6 { w: "w", b: "b" });

impl<D: Engine> Linear6<f32, D> {
    /// x `[B, 10, 512]` to `[B, 10, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<10>, Const<512>), D, T>,
    ) -> Result<Value<(usize, Const<10>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 512]` to `[B, 24, 128]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<512>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `to_image`, `to_text`.
pub struct Linear7<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<128>, Const<128>), E, D>,
}

chiasm::parts!(Linear7 { w: "w" });

impl<D: Engine> Linear7<f32, D> {
    /// x `[B, 128]` to `[B, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<128>), D, T>,
    ) -> Result<Value<(usize, Const<128>), D, T>, EmbedError> {
        op::matmul(x, &self.w)
    }
}

/// `Embedding`: `embed`.
pub struct Embedding<E: Dtype, D: Device<E>> {
    /// `embed.table`
    pub table: Tensor<(Const<30522>, Const<128>), E, D>,
}

chiasm::parts!(Embedding { table: "table" });

impl<D: Engine> Embedding<f32, D> {
    /// ids `[B, 24]` to `[B, 24, 128]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        ids: &Ids<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<128>), D, T>, EmbedError> {
        op::take(&self.table, ids)
    }
}
