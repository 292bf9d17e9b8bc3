//! Bytes of a file to elements: F32, F16, BF16, F64 become numbers, I32, I64, BOOL become ids. F16 and BF16 lose nothing.

use crate::tensor::Values;
use safetensors::tensor::Dtype;

fn words<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|word| read(*word)).collect()
}

/// Elements of one type, or which types there are.
///
/// # Errors
/// Another type, or an id that 32 bits cannot hold.
pub fn decode(dtype: Dtype, bytes: &[u8]) -> Result<Values, &'static str> {
    Ok(match dtype {
        Dtype::F32 => Values::Floats(words(bytes, f32::from_le_bytes)),
        Dtype::F64 => Values::Floats(words(bytes, |b| f64::from_le_bytes(b) as f32)),
        Dtype::F16 => Values::Floats(words(bytes, |b| half(u16::from_le_bytes(b)))),
        Dtype::BF16 => {
            Values::Floats(words(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)))
        }
        Dtype::I32 => Values::Ids(words(bytes, i32::from_le_bytes)),
        Dtype::I64 => {
            let wide = words(bytes, i64::from_le_bytes);
            let narrow: Result<Vec<i32>, _> = wide.into_iter().map(i32::try_from).collect();
            Values::Ids(narrow.map_err(|_| "ids that fit 32 bits")?)
        }
        Dtype::BOOL => Values::Ids(bytes.iter().map(|byte| i32::from(*byte != 0)).collect()),
        _ => return Err("F32, F16, BF16, F64, I32, I64 or BOOL"),
    })
}

/// IEEE half precision to single.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match (exponent, fraction == 0.0) {
        (0, _) => sign * fraction * 2f32.powi(-24),
        (31, true) => sign * f32::INFINITY,
        (31, false) => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 2f32.powi(-24))]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f32::NEG_INFINITY);
    }

    #[test]
    fn narrow_numbers_are_exact() {
        let bytes = [0x3f80u16, 0xc040].map(u16::to_le_bytes).concat();
        assert_eq!(decode(Dtype::BF16, &bytes), Ok(Values::Floats(vec![1.0, -3.0])));
        assert_eq!(decode(Dtype::BOOL, &[0, 1]), Ok(Values::Ids(vec![0, 1])));
        assert!(decode(Dtype::I64, &i64::MAX.to_le_bytes()).is_err() && decode(Dtype::U8, &[1]).is_err());
    }
}
