// `albef.chi`, stage `pretrain`, in dfdx types. Written by `chiasm emit rust`: what is changed here
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
const ELSEWHERE: &str = "temp mlm_head";

/// The model: what its values read.
pub struct Albef<E: Dtype, D: Device<E>> {
    /// `vision`
    pub vision: ViT<E, D>,
    /// `to_image`
    pub to_image: Linear5<E, D>,
    /// `embed`
    pub embed: BertEmbed<E, D>,
    /// `reader`
    pub reader: Repeated<BertLayer<E, D>, 1>,
    /// `to_text`
    pub to_text: Linear5<E, D>,
    /// `fusion`
    pub fusion: Repeated<BertLayer2<E, D>, 1>,
    /// `itm_head`
    pub itm_head: Linear6<E, D>,
}

chiasm::parts!(Albef {
    vision: "vision",
    to_image: "to_image",
    embed: "embed",
    reader: "reader",
    to_text: "to_text",
    fusion: "fusion",
    itm_head: "itm_head",
});

impl<D: Engine> Albef<f32, D> {
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
    /// image `[B, 3, 32, 32]` to `[B, 32]`.
    pub fn image_feat<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<32>, Const<32>), D, T>,
    ) -> Result<Value<(usize, Const<32>), D, T>, EmbedError> {
        let b = image.shape().0;
        let vision = self.vision.forward(image)?;
        let part: Value<(usize, Const<1>, Const<64>), D, T> = op::slice(vision, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<64>), D, T> = op::reshape(part, (b, Const))?;
        let to_image = self.to_image.forward(reshaped)?;
        op::normalize(to_image)
    }

    /// The value `text_feat`.
    ///
    /// text `[B, 24]`, text_lengths `[B]` to `[B, 32]`.
    pub fn text_feat<T: Tracing<D>>(
        &self,
        text: Tensor<(usize, Const<24>), usize, D, T>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(usize, Const<32>), D, T>, EmbedError> {
        let (text, tape) = host::taped_ids(text);
        let text_lengths = host::ids(text_lengths);
        let b = text.sizes().0;
        let embed = self.embed.forward(&text)?;
        let used: Conditions<(usize, Const<24>)> = host::before(&text_lengths, 24)?;
        let reader = self.reader[0].forward(embed, &used)?;
        let part: Value<(usize, Const<1>, Const<64>), D, T> = op::slice(reader, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<64>), D, T> = op::reshape(part, (b, Const))?;
        let to_text = self.to_text.forward(reshaped)?;
        let unit: Value<(usize, Const<32>), D, T> = op::normalize(to_text)?;
        Ok(join(unit, tape))
    }

    /// The value `match`.
    ///
    /// image `[B, 3, 32, 32]`, text `[B, 24]`, text_lengths `[B]` to `[B, 2]`.
    pub fn r#match<T: Tracing<D>>(
        &self,
        image: Value<(usize, Const<3>, Const<32>, Const<32>), D, T>,
        text: &Tensor<(usize, Const<24>), usize, D>,
        text_lengths: &Tensor<(usize,), usize, D>,
    ) -> Result<Value<(usize, Const<2>), D, T>, EmbedError> {
        let text = host::ids(text);
        let text_lengths = host::ids(text_lengths);
        let b = image.shape().0;
        let embed = self.embed.forward(&text)?;
        let used: Conditions<(usize, Const<24>)> = host::before(&text_lengths, 24)?;
        let reader = self.reader[0].forward(embed, &used)?;
        let vision = self.vision.forward(image)?;
        let fusion = self.fusion[0].forward(reader, vision, &used)?;
        let part: Value<(usize, Const<1>, Const<64>), D, T> = op::slice(fusion, 1, 0, 1)?;
        let reshaped: Value<(usize, Const<64>), D, T> = op::reshape(part, (b, Const))?;
        self.itm_head.forward(reshaped)
    }
}

/// `ViT`: `vision`.
pub struct ViT<E: Dtype, D: Device<E>> {
    /// `vision.embed`
    pub embed: ImageEmbed<E, D>,
    /// `vision.blocks`
    pub blocks: Repeated<Layer<E, D>, 2>,
    /// `vision.norm`
    pub norm: LayerNorm<E, D>,
}

chiasm::parts!(ViT {
    embed: "embed",
    blocks: "blocks",
    norm: "norm",
});

impl<D: Engine> ViT<f32, D> {
    /// x `[B, 3, 32, 32]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<32>, Const<32>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        let embed = self.embed.forward(x)?;
        let mut hidden = embed;
        for layer in &self.blocks.modules {
            hidden = layer.forward(hidden)?;
        }
        self.norm.forward(hidden)
    }
}

/// `ImageEmbed`: `vision.embed`.
pub struct ImageEmbed<E: Dtype, D: Device<E>> {
    /// `vision.embed.cls`
    pub cls: Tensor<(Const<1>, Const<64>), E, D>,
    /// `vision.embed.proj`
    pub proj: Linear<E, D>,
    /// `vision.embed.pos`
    pub pos: Tensor<(Const<17>, Const<64>), E, D>,
}

chiasm::parts!(ImageEmbed {
    cls: "cls",
    proj: "proj",
    pos: "pos",
});

impl<D: Engine> ImageEmbed<f32, D> {
    /// x `[B, 3, 32, 32]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<3>, Const<32>, Const<32>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        let b = x.shape().0;
        let repeated: Value<(usize, Const<1>, Const<64>), D, T> =
            op::broadcast(&self.cls, &[1, 2], (b, Const, Const))?;
        let rescaled: Value<(usize, Const<3>, Const<32>, Const<32>), D, T> = op::rescale(
            x,
            &[0.48145466, 0.4578275, 0.40821073],
            &[0.26862954, 0.26130258, 0.27577711],
        )?;
        let reshaped: Value<(usize, Const<3>, Const<4>, Const<8>, Const<4>, Const<8>), D, T> =
            op::reshape(rescaled, (b, Const, Const, Const, Const, Const))?;
        let permuted: Value<(usize, Const<4>, Const<4>, Const<3>, Const<8>, Const<8>), D, T> =
            op::permute(reshaped, &[0, 2, 4, 1, 3, 5])?;
        let reshaped2: Value<(usize, Const<16>, Const<192>), D, T> =
            op::reshape(permuted, (b, Const, Const))?;
        let proj = self.proj.forward(reshaped2)?;
        let joined: Value<(usize, Const<17>, Const<64>), D, T> =
            op::concat(1, [op::part(repeated)?, op::part(proj)?])?;
        op::add(joined, &self.pos)
    }
}

/// `Linear`: `vision.embed.proj`.
pub struct Linear<E: Dtype, D: Device<E>> {
    /// `vision.embed.proj.w`
    pub w: Tensor<(Const<192>, Const<64>), E, D>,
    /// `vision.embed.proj.b`
    pub b: Tensor<(Const<64>,), E, D>,
}

chiasm::parts!(Linear { w: "w", b: "b" });

impl<D: Engine> Linear<f32, D> {
    /// x `[B, 16, 192]` to `[B, 16, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<16>, Const<192>), D, T>,
    ) -> Result<Value<(usize, Const<16>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Layer`: `vision.blocks[0]`, `vision.blocks[1]`.
pub struct Layer<E: Dtype, D: Device<E>> {
    /// `norm1`
    pub norm1: LayerNorm<E, D>,
    /// `attn`
    pub attn: Attention<E, D>,
    /// `norm2`
    pub norm2: LayerNorm<E, D>,
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
    /// x `[B, 17, 64]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        let norm1 = self.norm1.forward(fork(&x))?;
        let attn = self.attn.forward(norm1)?;
        let sum: Value<(usize, Const<17>, Const<64>), D, T> = op::add(x, attn)?;
        let norm2 = self.norm2.forward(fork(&sum))?;
        let ffn = self.ffn.forward(norm2)?;
        op::add(sum, ffn)
    }
}

/// `LayerNorm`: `vision.blocks[0].norm1`, `vision.blocks[0].norm2`, `vision.blocks[1].norm1` and 8
/// more.
pub struct LayerNorm<E: Dtype, D: Device<E>> {
    /// `gain`
    pub gain: Tensor<(Const<64>,), E, D>,
    /// `shift`
    pub shift: Tensor<(Const<64>,), E, D>,
}

chiasm::parts!(LayerNorm {
    gain: "gain",
    shift: "shift",
});

impl<D: Engine> LayerNorm<f32, D> {
    /// x `[B, 17, 64]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-6)
    }

    /// x `[B, 24, 64]` to `[B, 24, 64]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        op::layer_norm(x, &self.gain, &self.shift, 1e-12)
    }
}

/// `Attention`: `vision.blocks[0].attn`, `vision.blocks[1].attn`, `reader[0].attn` and 2 more.
pub struct Attention<E: Dtype, D: Device<E>> {
    /// `q`
    pub q: Linear2<E, D>,
    /// `k`
    pub k: Linear2<E, D>,
    /// `v`
    pub v: Linear2<E, D>,
    /// `out`
    pub out: Linear2<E, D>,
}

chiasm::parts!(Attention {
    q: "q",
    k: "k",
    v: "v",
    out: "out",
});

impl<D: Engine> Attention<f32, D> {
    /// x `[B, 17, 64]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        let q = self.q.forward(fork(&x))?;
        let k = self.k.forward(fork(&x))?;
        let v = self.v.forward(x)?;
        let attended: Value<(usize, Const<17>, Const<64>), D, T> =
            op::attend(Attend::heads(2), q, k, v)?;
        self.out.forward(attended)
    }

    /// x `[B, 24, 64]`, mask `[B, 24]` to `[B, 24, 64]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
        mask: &Conditions<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let q = self.q.forward2(fork(&x))?;
        let k = self.k.forward2(fork(&x))?;
        let v = self.v.forward2(x)?;
        let attended: Value<(usize, Const<24>, Const<64>), D, T> =
            op::attend(Attend::heads(2).mask(mask), q, k, v)?;
        self.out.forward2(attended)
    }

    /// x `[B, 24, 64]`, x2 `[B, 17, 64]` to `[B, 24, 64]`.
    pub fn forward3<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
        x2: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let q = self.q.forward2(x)?;
        let k = self.k.forward(fork(&x2))?;
        let v = self.v.forward(x2)?;
        let attended: Value<(usize, Const<24>, Const<64>), D, T> =
            op::attend(Attend::heads(2), q, k, v)?;
        self.out.forward2(attended)
    }
}

/// `Linear`: `vision.blocks[0].attn.q`, `vision.blocks[0].attn.k`, `vision.blocks[0].attn.v` and 17
/// more.
pub struct Linear2<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<64>, Const<64>), E, D>,
    /// `b`
    pub b: Tensor<(Const<64>,), E, D>,
}

chiasm::parts!(Linear2 { w: "w", b: "b" });

impl<D: Engine> Linear2<f32, D> {
    /// x `[B, 17, 64]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 64]` to `[B, 24, 64]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Mlp`: `vision.blocks[0].ffn`, `vision.blocks[1].ffn`, `reader[0].ffn` and 1 more.
pub struct Mlp<E: Dtype, D: Device<E>> {
    /// `up`
    pub up: Linear3<E, D>,
    /// `down`
    pub down: Linear4<E, D>,
}

chiasm::parts!(Mlp {
    up: "up",
    down: "down",
});

impl<D: Engine> Mlp<f32, D> {
    /// x `[B, 17, 64]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        let up = self.up.forward(x)?;
        let active: Value<(usize, Const<17>, Const<256>), D, T> = op::gelu(up)?;
        self.down.forward(active)
    }

    /// x `[B, 24, 64]` to `[B, 24, 64]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let up = self.up.forward2(x)?;
        let active: Value<(usize, Const<24>, Const<256>), D, T> = op::gelu(up)?;
        self.down.forward2(active)
    }
}

/// `Linear`: `vision.blocks[0].ffn.up`, `vision.blocks[1].ffn.up`, `reader[0].ffn.up` and 1 more.
pub struct Linear3<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<64>, Const<256>), E, D>,
    /// `b`
    pub b: Tensor<(Const<256>,), E, D>,
}

chiasm::parts!(Linear3 { w: "w", b: "b" });

impl<D: Engine> Linear3<f32, D> {
    /// x `[B, 17, 64]` to `[B, 17, 256]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<256>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 64]` to `[B, 24, 256]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<256>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `vision.blocks[0].ffn.down`, `vision.blocks[1].ffn.down`, `reader[0].ffn.down` and 1
/// more.
pub struct Linear4<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<256>, Const<64>), E, D>,
    /// `b`
    pub b: Tensor<(Const<64>,), E, D>,
}

chiasm::parts!(Linear4 { w: "w", b: "b" });

impl<D: Engine> Linear4<f32, D> {
    /// x `[B, 17, 256]` to `[B, 17, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<17>, Const<256>), D, T>,
    ) -> Result<Value<(usize, Const<17>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }

    /// x `[B, 24, 256]` to `[B, 24, 64]`.
    pub fn forward2<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<256>), D, T>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `Linear`: `to_image`, `to_text`.
pub struct Linear5<E: Dtype, D: Device<E>> {
    /// `w`
    pub w: Tensor<(Const<64>, Const<32>), E, D>,
    /// `b`
    pub b: Tensor<(Const<32>,), E, D>,
}

chiasm::parts!(Linear5 { w: "w", b: "b" });

impl<D: Engine> Linear5<f32, D> {
    /// x `[B, 64]` to `[B, 32]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<32>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}

/// `BertEmbed`: `embed`.
pub struct BertEmbed<E: Dtype, D: Device<E>> {
    /// `embed.words`
    pub words: Embedding<E, D>,
    /// `embed.pos`
    pub pos: Tensor<(Const<512>, Const<64>), E, D>,
    /// `embed.kind`
    pub kind: Tensor<(Const<2>, Const<64>), E, D>,
    /// `embed.norm`
    pub norm: LayerNorm<E, D>,
}

chiasm::parts!(BertEmbed {
    words: "words",
    pos: "pos",
    kind: "kind",
    norm: "norm",
});

impl<D: Engine> BertEmbed<f32, D> {
    /// ids `[B, 24]` to `[B, 24, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        ids: &Ids<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let words = self.words.forward(ids)?;
        let part: Value<(Const<24>, Const<64>), D, T> = op::slice(&self.pos, 0, 0, 24)?;
        let sum: Value<(usize, Const<24>, Const<64>), D, T> = op::add(words, part)?;
        let part2: Value<(Const<1>, Const<64>), D, T> = op::slice(&self.kind, 0, 0, 1)?;
        let reshaped: Value<(Const<64>,), D, T> = op::reshape(part2, (Const,))?;
        let sum2: Value<(usize, Const<24>, Const<64>), D, T> = op::add(sum, reshaped)?;
        self.norm.forward2(sum2)
    }
}

/// `Embedding`: `embed.words`.
pub struct Embedding<E: Dtype, D: Device<E>> {
    /// `embed.words.table`
    pub table: Tensor<(Const<30522>, Const<64>), E, D>,
}

chiasm::parts!(Embedding { table: "table" });

impl<D: Engine> Embedding<f32, D> {
    /// ids `[B, 24]` to `[B, 24, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        ids: &Ids<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        op::take(&self.table, ids)
    }
}

/// `BertLayer`: `reader[0]`.
pub struct BertLayer<E: Dtype, D: Device<E>> {
    /// `reader[0].attn`
    pub attn: Attention<E, D>,
    /// `reader[0].norm1`
    pub norm1: LayerNorm<E, D>,
    /// `reader[0].ffn`
    pub ffn: Mlp<E, D>,
    /// `reader[0].norm3`
    pub norm3: LayerNorm<E, D>,
}

chiasm::parts!(BertLayer {
    attn: "attn",
    norm1: "norm1",
    ffn: "ffn",
    norm3: "norm3",
});

impl<D: Engine> BertLayer<f32, D> {
    /// x `[B, 24, 64]`, mask `[B, 24]` to `[B, 24, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
        mask: &Conditions<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let attn = self.attn.forward2(fork(&x), mask)?;
        let sum: Value<(usize, Const<24>, Const<64>), D, T> = op::add(x, attn)?;
        let norm1 = self.norm1.forward2(sum)?;
        let ffn = self.ffn.forward2(fork(&norm1))?;
        let sum2: Value<(usize, Const<24>, Const<64>), D, T> = op::add(norm1, ffn)?;
        self.norm3.forward2(sum2)
    }
}

/// `BertLayer`: `fusion[0]`.
pub struct BertLayer2<E: Dtype, D: Device<E>> {
    /// `fusion[0].attn`
    pub attn: Attention<E, D>,
    /// `fusion[0].norm1`
    pub norm1: LayerNorm<E, D>,
    /// `fusion[0].cross`
    pub cross: Attention<E, D>,
    /// `fusion[0].norm2`
    pub norm2: LayerNorm<E, D>,
    /// `fusion[0].ffn`
    pub ffn: Mlp<E, D>,
    /// `fusion[0].norm3`
    pub norm3: LayerNorm<E, D>,
}

chiasm::parts!(BertLayer2 {
    attn: "attn",
    norm1: "norm1",
    cross: "cross",
    norm2: "norm2",
    ffn: "ffn",
    norm3: "norm3",
});

impl<D: Engine> BertLayer2<f32, D> {
    /// x `[B, 24, 64]`, x2 `[B, 17, 64]`, mask `[B, 24]` to `[B, 24, 64]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<24>, Const<64>), D, T>,
        x2: Value<(usize, Const<17>, Const<64>), D, T>,
        mask: &Conditions<(usize, Const<24>)>,
    ) -> Result<Value<(usize, Const<24>, Const<64>), D, T>, EmbedError> {
        let attn = self.attn.forward2(fork(&x), mask)?;
        let sum: Value<(usize, Const<24>, Const<64>), D, T> = op::add(x, attn)?;
        let norm1 = self.norm1.forward2(sum)?;
        let cross = self.cross.forward3(fork(&norm1), x2)?;
        let sum2: Value<(usize, Const<24>, Const<64>), D, T> = op::add(norm1, cross)?;
        let norm2 = self.norm2.forward2(sum2)?;
        let ffn = self.ffn.forward2(fork(&norm2))?;
        let sum3: Value<(usize, Const<24>, Const<64>), D, T> = op::add(norm2, ffn)?;
        self.norm3.forward2(sum3)
    }
}

/// `Linear`: `itm_head`.
pub struct Linear6<E: Dtype, D: Device<E>> {
    /// `itm_head.w`
    pub w: Tensor<(Const<64>, Const<2>), E, D>,
    /// `itm_head.b`
    pub b: Tensor<(Const<2>,), E, D>,
}

chiasm::parts!(Linear6 { w: "w", b: "b" });

impl<D: Engine> Linear6<f32, D> {
    /// x `[B, 64]` to `[B, 2]`.
    pub fn forward<T: Tracing<D>>(
        &self,
        x: Value<(usize, Const<64>), D, T>,
    ) -> Result<Value<(usize, Const<2>), D, T>, EmbedError> {
        op::linear(x, &self.w, &self.b)
    }
}
