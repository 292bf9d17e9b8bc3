//! The tower of `tower.chi` once more, written as plainly as possible in `f64`: what it computes, and what its norms have seen.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Numbers by path.
pub type Numbers = BTreeMap<String, Vec<f64>>;

/// Pictures or maps `[rows, channels, side, side]`.
#[derive(Clone)]
pub struct Maps {
    pub dims: [usize; 4],
    pub data: Vec<f64>,
}

impl Maps {
    fn of(dims: [usize; 4], at: impl Fn([usize; 4]) -> f64) -> Self {
        let [b, c, h, w] = dims;
        let place = |i: usize| [i / (c * h * w), i / (h * w) % c, i / w % h, i % w];
        Self { dims, data: (0..b * c * h * w).map(|i| at(place(i))).collect() }
    }

    fn at(&self, [b, c, y, x]: [usize; 4]) -> f64 {
        let [_, channels, h, w] = self.dims;
        self.data[((b * channels + c) * h + y) * w + x]
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { dims: self.dims, data: self.data.iter().map(|x| f(*x)).collect() }
    }

    fn plus(&self, other: &Self) -> Self {
        Self { dims: self.dims, data: self.data.iter().zip(&other.data).map(|(a, b)| a + b).collect() }
    }

    /// The mean of a channel in one row.
    fn mean(&self, b: usize, c: usize) -> f64 {
        let [_, _, h, w] = self.dims;
        (0..h * w).map(|i| self.at([b, c, i / w, i % w])).sum::<f64>() / (h * w) as f64
    }

    fn pooled(&self, n: usize) -> Self {
        let [b, c, h, w] = self.dims;
        Self::of([b, c, h / n, w / n], |[b, c, y, x]| {
            (0..n * n).map(|i| self.at([b, c, y * n + i / n, x * n + i % n])).sum::<f64>() / (n * n) as f64
        })
    }
}

fn swish(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

/// A tower with its parameters; norms use `kept` where it is given, and note what they see.
pub struct Tower<'n> {
    pub numbers: &'n Numbers,
    pub kept: &'n Numbers,
    /// Mean and unbiased variance by the norm's path.
    pub seen: RefCell<BTreeMap<String, (Vec<f64>, Vec<f64>)>>,
}

impl Tower<'_> {
    fn get(&self, path: &str) -> &[f64] {
        &self.numbers[path]
    }

    /// `pad` zeros before, as many behind as `places` needs.
    fn conv(&self, path: &str, x: &Maps, (side, stride, pad, places): (usize, usize, usize, usize)) -> Maps {
        let w = self.get(&format!("{path}.w"));
        let [b, c, h, across] = x.dims;
        Maps::of([b, w.len() / (c * side * side), places, places], |[b, o, y, z]| {
            let mut sum = 0.0;
            for (k, weight) in w[o * c * side * side..][..c * side * side].iter().enumerate() {
                let (row, column) = (y * stride + k / side % side, z * stride + k % side);
                if row >= pad && column >= pad && row - pad < h && column - pad < across {
                    sum += weight * x.at([b, k / (side * side), row - pad, column - pad]);
                }
            }
            sum
        })
    }

    fn depthwise(
        &self,
        path: &str,
        x: &Maps,
        (side, stride, pad, places): (usize, usize, usize, usize),
    ) -> Maps {
        let w = self.get(&format!("{path}.w"));
        let [b, c, h, across] = x.dims;
        Maps::of([b, c, places, places], |[b, c, y, z]| {
            let mut sum = 0.0;
            for (k, weight) in w[c * side * side..][..side * side].iter().enumerate() {
                let (row, column) = (y * stride + k / side, z * stride + k % side);
                if row >= pad && column >= pad && row - pad < h && column - pad < across {
                    sum += weight * x.at([b, c, row - pad, column - pad]);
                }
            }
            sum
        })
    }

    fn norm(&self, path: &str, x: &Maps, eps: f64) -> Maps {
        let [b, c, h, w] = x.dims;
        let n = (b * h * w) as f64;
        let moments: Vec<(f64, f64)> = (0..c)
            .map(|c| {
                let all = || (0..b).flat_map(|b| (0..h * w).map(move |i| [b, c, i / w, i % w]));
                let mean = all().map(|at| x.at(at)).sum::<f64>() / n;
                (mean, all().map(|at| (x.at(at) - mean).powi(2)).sum::<f64>() / n)
            })
            .collect();
        let unbiased = moments.iter().map(|(_, v)| v * n / (n - 1.0)).collect();
        self.seen
            .borrow_mut()
            .insert(path.to_string(), (moments.iter().map(|(mean, _)| *mean).collect(), unbiased));
        let (gain, shift) = (self.get(&format!("{path}.gain")), self.get(&format!("{path}.shift")));
        let kept = |part: &str| self.kept.get(&format!("{path}.{part}"));
        Maps::of(x.dims, |at| {
            let c = at[1];
            let mean = kept("centre").map_or(moments[c].0, |kept| kept[c]);
            let variance = kept("variance").map_or(moments[c].1, |kept| kept[c]);
            (x.at(at) - mean) / (variance + eps).sqrt() * gain[c] + shift[c]
        })
    }

    fn linear(&self, path: &str, x: &[f64]) -> Vec<f64> {
        let (w, b) = (self.get(&format!("{path}.w")), self.get(&format!("{path}.b")));
        let out = b.len();
        (0..out).map(|o| b[o] + x.iter().enumerate().map(|(i, x)| x * w[i * out + o]).sum::<f64>()).collect()
    }

    fn mb_conv(&self, path: &str, x: &Maps, window: (usize, usize, usize, usize)) -> Maps {
        let part = |name: &str| format!("{path}.{name}");
        let up = self.conv(&part("up"), x, (1, 1, 0, x.dims[2]));
        let up = self.norm(&part("up_norm"), &up, 1e-3).map(swish);
        let deep = self.depthwise(&part("deep"), &up, window);
        let deep = self.norm(&part("deep_norm"), &deep, 1e-3).map(swish);
        let gates: Vec<Vec<f64>> = (0..deep.dims[0])
            .map(|b| {
                let means: Vec<f64> = (0..deep.dims[1]).map(|c| deep.mean(b, c)).collect();
                let few: Vec<f64> = self.linear(&part("reduce"), &means).into_iter().map(swish).collect();
                let open = self.linear(&part("gate"), &few);
                open.into_iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect()
            })
            .collect();
        let open = Maps::of(deep.dims, |at| deep.at(at) * gates[at[0]][at[1]]);
        let down = self.conv(&part("down"), &open, (1, 1, 0, open.dims[2]));
        let down = self.norm(&part("down_norm"), &down, 1e-3);
        if down.dims == x.dims { down.plus(x) } else { down }
    }

    fn residual(&self, path: &str, x: &Maps) -> Maps {
        let part = |name: &str| format!("{path}.{name}");
        let relu = |x: f64| x.max(0.0);
        let y = self.norm(&part("norm1"), &self.conv(&part("conv1"), x, (1, 1, 0, x.dims[2])), 1e-5);
        let y = self.conv(&part("conv2"), &y.map(relu), (3, 1, 1, x.dims[2]));
        let y = self.norm(&part("norm2"), &y, 1e-5).map(relu).pooled(2);
        let y = self.norm(&part("norm3"), &self.conv(&part("conv3"), &y, (1, 1, 0, y.dims[2])), 1e-5);
        let short = self.conv(&part("short"), &x.pooled(2), (1, 1, 0, y.dims[2]));
        y.plus(&self.norm(&part("norm"), &short, 1e-5)).map(relu)
    }

    /// One row of maps to one vector, by two heads.
    fn attention_pool(&self, path: &str, x: &Maps, b: usize) -> Vec<f64> {
        let [_, c, h, w] = x.dims;
        let part = |name: &str| format!("{path}.{name}");
        let place = self.get(&part("place"));
        let token = |n: usize, c: usize| {
            if n == 0 { x.mean(b, c) } else { x.at([b, c, (n - 1) / w, (n - 1) % w]) }
        };
        let tokens: Vec<Vec<f64>> = (0..=h * w)
            .map(|n| (0..c).map(|channel| token(n, channel) + place[n * c + channel]).collect())
            .collect();
        let query = self.linear(&part("q"), &tokens[0]);
        let keys: Vec<Vec<f64>> = tokens.iter().map(|t| self.linear(&part("k"), t)).collect();
        let values: Vec<Vec<f64>> = tokens.iter().map(|t| self.linear(&part("v"), t)).collect();
        let mut joined = vec![0.0; c];
        for head in [0..c / 2, c / 2..c] {
            let score = |key: &Vec<f64>| {
                let product = head.clone().map(|i| query[i] * key[i]).sum::<f64>();
                (product / ((c / 2) as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = keys.iter().map(score).collect();
            let total: f64 = scores.iter().sum();
            for i in head {
                joined[i] = scores.iter().zip(&values).map(|(s, v)| s / total * v[i]).sum();
            }
        }
        self.linear(&part("joined"), &joined)
    }

    /// All rows.
    pub fn out(&self, image: &Maps) -> Vec<f64> {
        let x = self.conv("stem", image, (3, 2, 0, 8));
        let x = self.norm("norm", &x, 1e-3).map(swish);
        let x = self.mb_conv("same", &x, (5, 1, 2, 8));
        let x = self.mb_conv("down", &x, (3, 2, 0, 4));
        let x = self.residual("block", &x);
        (0..image.dims[0]).flat_map(|b| self.attention_pool("head", &x, b)).collect()
    }
}
