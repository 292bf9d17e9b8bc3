//! Images: `rescale resize conv2d max_pool block_mask offsets`.

use super::{Args, Lower};
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Elements, Range, Type};
use crate::op::{
    Add, Bicubic, BlockMask, Broadcast, Conv2d, Depthwise, Fill, Matmul, Max, Offsets, Permute, Rescale,
    Reshape, Stretch, Window,
};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

/// The longest side of an image that is resized.
const LARGEST: usize = 8192;

/// Mean and deviation of each channel, by name.
const STATS: &[(&str, [f64; 3], [f64; 3])] = &[
    ("half", [0.5; 3], [0.5; 3]),
    ("clip", [0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]),
    ("imagenet", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
];

impl<'p> Lower<'p> {
    /// `rescale(x, stats)`: `(x - mean) / std` by channel.
    pub fn rescale(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("rescale", &["x", "stats"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let stats = self.need(&mut args, "stats")?;
        let known = match &stats.value {
            Object::Word(word) => STATS.iter().find(|(name, _, _)| name == word),
            _ => None,
        };
        let Some((_, mean, deviation)) = known else {
            let message =
                format!("statistics are half, clip or imagenet, this is {}", stats.value.describe());
            return self.fail(Code::E0314, stats.span, message);
        };
        if x.ty.rank() != 4 || x.ty.axes[1].size.number() != Some(3) {
            return self.fail(
                Code::E0314,
                at,
                format!("`rescale` takes images [B, 3, S, S], this is {}", x.ty),
            );
        }
        self.same_type(Rescale { mean: mean.to_vec(), deviation: deviation.to_vec() }, &x)
    }
    /// Sides of known images [B, C, H, W]: channels, height, width.
    fn image_sides(&mut self, what: &str, x: &Tensor, at: Span) -> Eval<[usize; 3]> {
        let known = |i: usize| x.ty.axes.get(i)?.size.number().and_then(|n| usize::try_from(n).ok());
        match (x.ty.rank(), known(1), known(2), known(3)) {
            (4, Some(channels), Some(height), Some(width)) => Ok([channels, height, width]),
            _ => self.fail(Code::E0314, at, format!("`{what}` takes images [B, C, H, W], this is {}", x.ty)),
        }
    }

    /// `resize(x, side)`: bicubic, with the filter that loads pictures.
    pub fn resize(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("resize", &["x", "side"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let [_, height, width] = self.image_sides("resize", &x, at)?;
        let side = self.need(&mut args, "side")?;
        let to = self.count(&side.value, side.span)?;
        if to == 0 || height == 0 || width == 0 || [to, height, width].into_iter().any(|n| n > LARGEST) {
            let message = format!("the sides of an image lie between 1 and {LARGEST} pixels");
            return self.fail(Code::E0316, side.span, message);
        }
        let x = self.floats(&x)?;
        let across = self.resampled(&x, width, to)?;
        let turned = self.permute(&across, vec![0, 1, 3, 2], span)?;
        let down = self.resampled(&turned, height, to)?;
        self.permute(&down, vec![0, 1, 3, 2], span)
    }

    /// The last axis resampled.
    fn resampled(&mut self, x: &Tensor, from: usize, to: usize) -> Eval<Tensor> {
        if from == to {
            return Ok(x.clone());
        }
        let matrix = self.emit(Bicubic { from, to }, &[], Type::float([to.into(), from.into()]))?;
        let turned = Type::float([Size::from(from), Size::from(to)]);
        let matrix = self.emit(Permute { axes: vec![1, 0] }, &[matrix.node], turned)?;
        let mut ty = (*x.ty).clone();
        if let Some(last) = ty.axes.last_mut() {
            *last = Axis::full(to);
        }
        self.emit(Matmul { transpose_left: false, transpose_right: false }, &[x.node, matrix.node], ty)
    }

    /// `conv2d(x, w, b, pad:, stride:, groups:)`: groups are 1, or as many as channels.
    pub fn conv2d(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        const NAMES: &[&str] = &["x", "w", "b", "pad", "stride", "groups"];
        let mut args = self.args("conv2d", NAMES, given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let (w, w_at) = self.need_tensor(&mut args, "w")?;
        let [channels, height, width] = self.image_sides("conv2d", &x, at)?;
        let dims = w.ty.shape().dims();
        let window = self.window(&mut args, dims.last().copied().unwrap_or(0))?;
        let groups = self.groups(&mut args, channels)?;
        let deep = if groups == 1 { channels } else { 1 };
        let square = dims.len() == 4 && dims[2] == dims[3] && dims[2] > 0 && window.stride > 0;
        let fits = square && dims[1] == deep && (groups == 1 || dims[0] == channels);
        let (Some(down), Some(across), true) = (window.places(height), window.places(width), fits) else {
            let message =
                format!("the weights {} with stride {} do not fit images {}", w.ty, window.stride, x.ty);
            return self.fail(Code::E0314, w_at, message);
        };
        let out = w.ty.axes[0].size.clone();
        let bias = self.bias(&mut args, &out)?;
        let (x, w) = (self.floats(&x)?, self.floats(&w)?);
        let mut ty = (*x.ty).clone();
        ty.axes = vec![x.ty.axes[0].clone(), Axis::full(out.clone()), Axis::full(down), Axis::full(across)];
        ty.absorb(&w.ty);
        if groups > 1 {
            let y = self.emit(Depthwise { window }, &[x.node, w.node], ty)?;
            return bias.map_or(Ok(y.clone()), |bias| self.by_channel(&y, &bias));
        }
        let bias = match bias {
            Some(bias) => bias,
            None => {
                let ty = Type::float([out]);
                self.emit(Fill { shape: ty.shape(), value: 0.0 }, &[], ty)?
            }
        };
        let Window { pad, after, stride, .. } = window;
        self.emit(Conv2d { pad, after, stride }, &[x.node, w.node, bias.node], ty)
    }

    /// `pad:`, one number or those before and behind, and `stride:`.
    fn window(&mut self, args: &mut Args<'p>, side: usize) -> Eval<Window> {
        let (pad, after) = match args.optional("pad") {
            None => (0, 0),
            Some(Given { value: Object::List(items), span, .. }) => match items.as_slice() {
                [before, after] => (self.count(before, span)?, self.count(after, span)?),
                _ => return self.fail(Code::E0314, span, "`pad` is a number, or two: [before, behind]"),
            },
            Some(given) => {
                let pad = self.count(&given.value, given.span)?;
                (pad, pad)
            }
        };
        let stride = args.optional("stride");
        let stride = stride.map_or(Ok(1), |given| self.count(&given.value, given.span))?;
        Ok(Window { side, stride, pad, after })
    }

    fn groups(&mut self, args: &mut Args<'p>, channels: usize) -> Eval<usize> {
        let Some(given) = args.optional("groups") else { return Ok(1) };
        let groups = self.count(&given.value, given.span)?;
        if groups == 1 || groups == channels {
            return Ok(groups);
        }
        let message = format!("groups are 1, or one for each of the {channels} channels, not {groups}");
        self.fail(Code::E0314, given.span, message)
    }

    fn bias(&mut self, args: &mut Args<'p>, out: &Size) -> Eval<Option<Tensor>> {
        match self.optional_tensor(args, "b")? {
            Some((bias, at)) if bias.ty.sizes()[..] != [out.clone()] => {
                let message =
                    format!("`conv2d` needs one bias for each of {out} outputs, this is {}", bias.ty);
                self.fail(Code::E0314, at, message)
            }
            bias => Ok(bias.map(|(bias, _)| bias)),
        }
    }

    /// One number added to each channel.
    fn by_channel(&mut self, y: &Tensor, bias: &Tensor) -> Eval<Tensor> {
        let all = Broadcast { sizes: y.ty.sizes(), axes: vec![1] };
        let all = self.emit(all, &[bias.node], Type::float(y.ty.sizes()))?;
        self.emit(Add, &[y.node, all.node], (*y.ty).clone())
    }

    /// `max_pool(x, n)`: the largest of each square of n by n.
    pub fn max_pool(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("max_pool", &["x", "n"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let [_, height, width] = self.image_sides("max_pool", &x, at)?;
        let n = self.need(&mut args, "n")?;
        let side = self.count(&n.value, n.span)?;
        if side == 0 || height % side != 0 || width % side != 0 {
            let message = format!("squares of {side} by {side} do not cover {height} by {width} places");
            return self.fail(Code::E0314, n.span, message);
        }
        let x = self.floats(&x)?;
        let axes = |sizes: &[usize]| {
            let first = x.ty.axes[..2].iter().cloned();
            first.chain(sizes.iter().map(|n| Axis::full(*n))).collect::<Vec<_>>()
        };
        let split = x.ty.with_axes(axes(&[height / side, side, width / side, side]));
        let split = self.emit(Reshape { sizes: split.sizes() }, &[x.node], split)?;
        let across = x.ty.with_axes(axes(&[height / side, side, width / side]));
        let across = self.emit(Max { axis: 5 }, &[split.node], across)?;
        let pooled = x.ty.with_axes(axes(&[height / side, width / side]));
        self.emit(Max { axis: 3 }, &[across.node], pooled)
    }

    /// `block_mask(image, patch: p, share: s)`
    pub fn block_mask(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("block_mask", &["image", "patch", "share"], given, span)?;
        let (image, at) = self.need_tensor(&mut args, "image")?;
        let [_, height, width] = self.image_sides("block_mask", &image, at)?;
        let patch = self.need(&mut args, "patch")?;
        let pixels = self.count(&patch.value, patch.span)?;
        if pixels == 0 || height != width || height % pixels != 0 {
            let message =
                format!("patches of {pixels} by {pixels} do not cover a square of {height} by {width}");
            return self.fail(Code::E0314, patch.span, message);
        }
        let share = self.need(&mut args, "share")?;
        let part = self.number(&share.value, share.span)?;
        if !(0.0..=1.0).contains(&part) {
            return self.fail(
                Code::E0314,
                share.span,
                format!("a share lies between 0 and 1, this is {part}"),
            );
        }
        let side = height / pixels;
        let target = (part * (side * side) as f64).round() as usize;
        let rows = image.ty.axes[0].size.clone();
        let draw = self.draw(&[], true, span);
        let ty = Type::plain([rows.clone(), Size::from(side * side)], Elements::Condition);
        self.emit(BlockMask { rows, side, target, draw }, &[], ty)
    }

    /// `offsets(x, window: w, reach: r)`
    pub fn offsets(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("offsets", &["x", "window", "reach"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let window = self.need(&mut args, "window")?;
        let window = self.count(&window.value, window.span)?;
        let reach = args.optional("reach");
        let reach = reach.map_or(Ok(0), |given| self.count(&given.value, given.span))?;
        let stretches = self.token_stretches(&x, at)?;
        let op = Offsets { stretches, window, reach };
        if let Err(misfit) = crate::op::Rule::infer(&op, &[]) {
            return self.fail(Code::E0314, at, format!("{}, and this is {}", misfit.message, x.ty));
        }
        let n = x.ty.axes[1].size.clone();
        let rows = Range::Below(Size::from(op.rows()));
        self.emit(op, &[], Type::plain([n.clone(), n], Elements::Ids(rows)))
    }

    fn token_stretches(&mut self, x: &Tensor, at: Span) -> Eval<Vec<Stretch>> {
        let parts: Vec<_> = match (&x.ty.segments, x.ty.rank()) {
            (Some((1, segments)), 3) => {
                segments.iter().map(|s| (Some(s.label.clone()), s.size.clone())).collect()
            }
            (None, 3) => vec![(x.ty.label.clone(), x.ty.axes[1].size.clone())],
            _ => Vec::new(),
        };
        let stretch = |(label, size): (Option<crate::lower::types::Label>, Size)| {
            let n = usize::try_from(size.number()?).ok()?;
            match label.as_deref() {
                Some("image") => Some(Stretch::Image(n)),
                Some("text") => Some(Stretch::Text(n)),
                _ => None,
            }
        };
        match parts.into_iter().map(stretch).collect::<Option<Vec<_>>>() {
            Some(stretches) if !stretches.is_empty() => Ok(stretches),
            _ => {
                let message = format!("`offsets` takes tokens [B, N, D] of image and text, this is {}", x.ty);
                self.fail(Code::E0314, at, message)
            }
        }
    }
}
