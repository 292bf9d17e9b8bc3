//! The rule that all leaves share: an executor supplies the value, so only its shape is known here.

/// `impl Rule` of an op with a field `shape` and no operands.
macro_rules! leaf {
    ($op:ty) => {
        impl Rule for $op {
            fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
                Ok(self.shape.clone())
            }

            fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
                // Executors supply it; nothing is known here.
                Array::filled(&self.shape.dims(), f64::NAN)
            }

            fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
                Facts::new(Class::Leaf, 0)
            }

            fn samples(_seed: u64) -> Vec<Sample> {
                Vec::new()
            }

            fn bind(&self, batch: &Batch) -> Self {
                Self { shape: self.shape.bind(batch), ..self.clone() }
            }
        }
    };
}

pub(super) use leaf;
