use super::*;
use crate::exec::cpu::testing::{check, numbers, pools, view, wide};

/// The plain computation in f64, with its gradients by the chain rule, for `[B, N, H K]` operands.
struct Exact {
    out: Vec<f64>,
    dq: Vec<f64>,
    dk: Vec<f64>,
    dv: Vec<f64>,
    dbias: Vec<f64>,
}

fn weight(a: &Attention, b: usize, h: usize, i: usize, j: usize) -> f64 {
    let Some(dropout) = a.dropout else { return 1.0 };
    let element = ((h * a.queries + i) * a.keys + j) as u32;
    let kept = dropout.stream.uniform(dropout.first_row + b as u32, element) >= dropout.probability;
    if kept { f64::from(draw::factor(dropout.probability)) } else { 0.0 }
}

fn sees(a: &Attention, b: usize, i: usize, j: usize) -> bool {
    let (n, m) = (a.queries, a.keys);
    (!a.causal || j <= i)
        && a.key_mask.is_none_or(|mask| mask.read()[b * m + j] != 0.0)
        && a.mask.is_none_or(|mask| mask.read()[b * a.mask_step + i * m + j] != 0.0)
        && n > 0
}

fn exact(a: &Attention, q: &[f64], k: &[f64], v: &[f64], dout: &[f64]) -> Exact {
    let (n, m, kw, vw, hs) = (a.queries, a.keys, a.width, a.value_width, a.heads);
    let zeros = |x: &[f64]| vec![0.0; x.len()];
    let (mut out, mut dq, mut dk, mut dv) = (zeros(dout), zeros(q), zeros(k), zeros(v));
    let mut dbias = vec![0.0; hs * n * m];
    for (b, h) in (0..a.batch).flat_map(|b| (0..hs).map(move |h| (b, h))) {
        let at = |tokens: usize, w: usize, t: usize, c: usize| ((b * tokens + t) * hs + h) * w + c;
        for i in 0..n {
            let score = |j: usize| {
                let dot: f64 = (0..kw).map(|c| q[at(n, kw, i, c)] * k[at(m, kw, j, c)]).sum();
                dot * f64::from(a.scale)
                    + a.bias.map_or(0.0, |bias| f64::from(bias.read()[(h * n + i) * m + j]))
            };
            let e: Vec<f64> = (0..m).map(|j| if sees(a, b, i, j) { score(j).exp() } else { 0.0 }).collect();
            let sum: f64 = e.iter().sum();
            let p: Vec<f64> = e.iter().map(|e| if sum > 0.0 { e / sum } else { 0.0 }).collect();
            let dp: Vec<f64> = (0..m)
                .map(|j| {
                    let dot: f64 = (0..vw).map(|c| dout[at(n, vw, i, c)] * v[at(m, vw, j, c)]).sum();
                    dot * weight(a, b, h, i, j)
                })
                .collect();
            let mean: f64 = p.iter().zip(&dp).map(|(p, dp)| p * dp).sum();
            for j in 0..m {
                let kept = p[j] * weight(a, b, h, i, j);
                for c in 0..vw {
                    out[at(n, vw, i, c)] += kept * v[at(m, vw, j, c)];
                    dv[at(m, vw, j, c)] += kept * dout[at(n, vw, i, c)];
                }
                let ds = p[j] * (dp[j] - mean);
                dbias[(h * n + i) * m + j] += ds;
                for c in 0..kw {
                    dq[at(n, kw, i, c)] += ds * f64::from(a.scale) * k[at(m, kw, j, c)];
                    dk[at(m, kw, j, c)] += ds * f64::from(a.scale) * q[at(n, kw, i, c)];
                }
            }
        }
    }
    Exact { out, dq, dk, dv, dbias }
}

/// `[B, T, H W]`
fn heads(a: &Attention, words: &[f32], tokens: usize, width: usize) -> Heads {
    Heads { data: view(words), batch: tokens * a.heads * width, head: width, token: a.heads * width }
}

fn compare(a: &Attention) {
    let (bn, bm) = (a.batch * a.queries * a.heads, a.batch * a.keys * a.heads);
    let (q, k) = (numbers(1, bn * a.width), numbers(2, bm * a.width));
    let (v, dout) = (numbers(3, bm * a.value_width), numbers(4, bn * a.value_width));
    let exact = exact(a, &wide(&q), &wide(&k), &wide(&v), &wide(&dout));
    let blank = |x: &[f32]| vec![f32::NAN; x.len()];
    for pool in pools() {
        let (out, dq, dk, dv) = (blank(&dout), blank(&q), blank(&k), blank(&v));
        let (saved, dscores) = (vec![f32::NAN; saved_words(a)], vec![f32::NAN; saved_words(a)]);
        let scratch = vec![f32::NAN; scratch_words(a, pool.threads())];
        let dbias = vec![f32::NAN; exact.dbias.len()];
        let of = |x: &[f32], tokens, width| heads(a, x, tokens, width);
        let (n, m) = (a.queries, a.keys);
        let (q, k, v) = (of(&q, n, a.width), of(&k, m, a.width), of(&v, m, a.value_width));
        let mut on = Forward { q, k, v, out: of(&out, n, a.value_width), saved: None };
        pool.run(&|w| forward(w, a, &on, view(&scratch)));
        check("out, not saved", &out, &exact.out, 2e-6);
        on.saved = Some(view(&saved));
        let back = Backward {
            q,
            k,
            v,
            saved: view(&saved),
            dout: of(&dout, n, a.value_width),
            dq: of(&dq, n, a.width),
            dk: of(&dk, m, a.width),
            dv: of(&dv, m, a.value_width),
            dscores: a.bias.map(|_| view(&dscores)),
        };
        pool.run(&|w| {
            forward(w, a, &on, view(&scratch));
            w.barrier();
            backward(w, a, &back, view(&scratch));
            w.barrier();
            if a.bias.is_some() {
                bias_gradient(w, a, view(&dscores), view(&dbias), false);
            }
        });
        check("out", &out, &exact.out, 2e-6);
        check("dv", &dv, &exact.dv, 2e-6);
        check("dq", &dq, &exact.dq, 4e-6);
        check("dk", &dk, &exact.dk, 4e-6);
        if a.bias.is_some() {
            check("dbias", &dbias, &exact.dbias, 4e-6);
        }
    }
}

fn sized(
    batch: usize,
    heads: usize,
    queries: usize,
    keys: usize,
    width: usize,
    value_width: usize,
) -> Attention {
    Attention {
        batch,
        heads,
        queries,
        keys,
        width,
        value_width,
        scale: 1.0 / (width as f32).sqrt(),
        causal: false,
        key_mask: None,
        mask: None,
        mask_step: 0,
        bias: None,
        dropout: None,
    }
}

#[test]
fn plain_attention_of_many_sizes() {
    for (n, m, k, v) in [(1, 1, 1, 1), (7, 5, 3, 4), (33, 50, 64, 64), (197, 197, 64, 64), (16, 100, 32, 8)] {
        compare(&sized(2, 3, n, m, k, v));
    }
}

#[test]
fn masks_biases_and_dropout() {
    let (n, m) = (21, 21);
    // The second row of the batch sees no key at all.
    let keys: Vec<f32> = (0..2 * m).map(|i| if i < m && i % 4 != 1 { 1.0 } else { 0.0 }).collect();
    let mask: Vec<f32> = numbers(8, 2 * n * m).iter().map(|x| if *x > 0.0 { 1.0 } else { 0.0 }).collect();
    let bias = numbers(9, 3 * n * m);
    let stream = Stream::new(1, "s", "p").at_step(4);
    for flags in 0..32 {
        let mut a = sized(2, 3, n, m, 8, 8);
        a.causal = flags & 1 > 0;
        a.key_mask = (flags & 2 > 0).then(|| view(&keys));
        a.mask = (flags & 4 > 0).then(|| view(&mask));
        a.mask_step = n * m;
        a.bias = (flags & 8 > 0).then(|| view(&bias));
        a.dropout = (flags & 16 > 0).then_some(Dropout { probability: 0.3, stream, first_row: 5 });
        compare(&a);
    }
}
