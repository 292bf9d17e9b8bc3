//! A schedule as a single number, read once a step.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::recipe::Schedule;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A schedule as a single number, read once a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Its value at each step.
    pub schedule: Schedule,
}

impl Rule for Clock {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape::scalar())
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        Array::filled(&[], self.schedule.at(context.step, context.time))
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        vec![Sample::new(Self { schedule: Schedule::Constant(0.25) }, [])]
    }
}
