//! dfdx's operations in the forms that graphs need, with one tape through all of them.
//!
//! A dfdx tape belongs to a tensor; here it is lent to the tensor of each operation and taken back from its result, so that
//! a graph in which values are read many times has one tape. What carries no gradient gets a tape that is thrown away.
//! Invariant: every tensor that carries a gradient has a `source` of its own, and results are contiguous.
//!
//! Two properties of dfdx 0.13 are worked around: a tensor cannot be joined with itself, and a slice *overwrites* the
//! gradient of what it is taken from; so both work on copies.

use super::value::{Block, Done, Engine, Grid, Ranked, Real, Row, Taped, said, seen};
use crate::op::Array;
use dfdx::shapes::{Axes2, Axes3, Axes4, Axis, HasShape, Shape};
use dfdx::tensor::{Gradients, HasErr, OwnedTape, PutTape, SplitTape, Tensor, TensorFromVec};
use dfdx::tensor_ops::{
    Backward, BroadcastTo, ChooseFrom, GatherTo, PermuteTo, ReshapeTo, SelectTo, SumTo, TryConcatAlong,
    TryMatMul, TryMul,
};

/// The tape that runs through a graph.
pub struct Trail<D: Engine> {
    device: D,
    tape: OwnedTape<f32, D>,
    sources: u32,
}

/// What an operation of dfdx gives.
type Op<S, D> = Result<Taped<S, D>, <D as HasErr>::Err>;

impl<D: Engine> Trail<D> {
    /// An empty one.
    pub fn new(device: D) -> Self {
        Self { device, tape: OwnedTape::default(), sources: 0 }
    }

    /// One that goes on with a tape.
    pub fn with(device: D, tape: OwnedTape<f32, D>) -> Self {
        Self { device, tape, sources: 0 }
    }

    /// The tape, with everything that carries a gradient.
    pub fn into_tape(self) -> OwnedTape<f32, D> {
        self.tape
    }

    /// A tensor of the caller, copied: given under two names it is two tensors, which dfdx can join.
    pub fn given<S: Shape>(&mut self, x: Tensor<S, f32, D>, carries: bool) -> Done<Real<D>> {
        let dims: Vec<usize> = x.shape().concrete().into();
        let count: Row = (dims.iter().product(),);
        let y = self.on(carries, x, |x| x.try_reshape_like(&count)?.try_mul(1.0))?;
        self.made(y, &dims, carries)
    }

    /// A contiguous row of the caller as it is, so that the tape brings a gradient to it.
    pub fn leaf(&mut self, x: Tensor<Row, f32, D>, carries: bool) -> Done<Real<D>> {
        let dims = [x.shape().0];
        self.made(x, &dims, carries)
    }

    /// Runs an operation on a tensor, on the tape if its result carries a gradient.
    fn on<S: Shape, R: Shape>(
        &mut self,
        carries: bool,
        x: Tensor<S, f32, D>,
        op: impl FnOnce(Taped<S, D>) -> Op<R, D>,
    ) -> Done<Tensor<R, f32, D>> {
        let tape = if carries { std::mem::take(&mut self.tape) } else { OwnedTape::default() };
        let (y, tape) = op(x.put_tape(tape)).map_err(said)?.split_tape();
        if carries {
            self.tape = tape;
        }
        Ok(y)
    }

    fn made<S: Shape>(&mut self, y: Tensor<S, f32, D>, dims: &[usize], carries: bool) -> Done<Real<D>> {
        let row = seen(y, (dims.iter().product(),))?;
        self.sources += 1;
        Ok(Real { tensor: Ranked::new(row, dims)?, dims: dims.to_vec(), source: self.sources, carries })
    }

    /// Numbers of the host.
    pub fn bring(&mut self, numbers: Vec<f32>, dims: &[usize], carries: bool) -> Done<Real<D>> {
        let row = TensorFromVec::<f32>::try_tensor_from_vec(&self.device, numbers, (dims.iter().product(),));
        self.made::<Row>(row.map_err(said)?, dims, carries)
    }

    /// Numbers of the host, as definitions of ops give them.
    pub fn bring_array(&mut self, array: &Array) -> Done<Real<D>> {
        self.bring(array.data.iter().map(|x| *x as f32).collect(), &array.dims, false)
    }

    fn ids(&self, ids: Vec<usize>) -> Done<Tensor<Row, usize, D>> {
        let shape = (ids.len(),);
        TensorFromVec::<usize>::try_tensor_from_vec(&self.device, ids, shape).map_err(said)
    }

    /// The same elements in other axes: the same tensor to the tape.
    pub fn reshaped(&self, x: &Real<D>, dims: &[usize]) -> Done<Real<D>> {
        Ok(Real { tensor: Ranked::new(x.tensor.row()?, dims)?, dims: dims.to_vec(), ..x.clone() })
    }

    /// An equal tensor that is another one to the tape.
    pub fn copied(&mut self, x: &Real<D>, carries: bool) -> Done<Real<D>> {
        let y = self.on(carries, x.seen((x.count(),))?, |x| x.try_mul(1.0))?;
        self.made(y, &x.dims, carries)
    }

    /// A value without gradient.
    pub fn stopped(&mut self, x: &Real<D>) -> Done<Real<D>> {
        if x.carries { self.copied(x, false) } else { Ok(x.clone()) }
    }

    /// The second of two, as another tensor than the first.
    fn apart(&mut self, a: &Real<D>, b: &Real<D>) -> Done<Real<D>> {
        if a.source == b.source { self.copied(b, b.carries) } else { Ok(b.clone()) }
    }

    /// A function of each element.
    pub fn each(&mut self, x: &Real<D>, op: impl FnOnce(Taped<Row, D>) -> Op<Row, D>) -> Done<Real<D>> {
        let y = self.on(x.carries, x.seen((x.count(),))?, op)?;
        self.made(y, &x.dims, x.carries)
    }

    /// A function of each row.
    pub fn each_row(&mut self, x: &Real<D>, op: impl FnOnce(Taped<Grid, D>) -> Op<Grid, D>) -> Done<Real<D>> {
        let y = self.on(x.carries, x.seen(x.rows())?, op)?;
        self.made(y, &x.dims, x.carries)
    }

    /// A function of two elements each; the shorter operand is repeated before it.
    pub fn pair(
        &mut self,
        a: &Real<D>,
        b: &Real<D>,
        op: impl FnOnce(Taped<Grid, D>, Tensor<Grid, f32, D>) -> Op<Grid, D>,
    ) -> Done<Real<D>> {
        let b = &self.apart(a, b)?;
        let dims = if a.dims.len() >= b.dims.len() { &a.dims } else { &b.dims };
        let grid = over(dims, &[a, b]);
        let (x, y) = (wide(a, grid)?, wide(b, grid)?);
        let carries = a.carries || b.carries;
        let z = self.on(carries, x, |x| op(x, y))?;
        self.made(z, dims, carries)
    }

    /// `yes` where the condition holds, `no` elsewhere; the condition has an element for each of the result.
    pub fn chosen(&mut self, test: Vec<bool>, dims: &[usize], yes: &Real<D>, no: &Real<D>) -> Done<Real<D>> {
        let no = &self.apart(yes, no)?;
        let grid = over(dims, &[yes, no]);
        let test = TensorFromVec::<bool>::try_tensor_from_vec(&self.device, test, grid).map_err(said)?;
        let carries = yes.carries || no.carries;
        let no_grid = wide(no, grid)?;
        let y = self.on(carries, wide(yes, grid)?, |yes| test.try_choose(yes, no_grid))?;
        self.made(y, dims, carries)
    }

    /// `a @ b` of matrices stored with these sizes, either one turned first.
    pub fn product(
        &mut self,
        (a, a_size, a_turns): Side<'_, D>,
        (b, b_size, b_turns): Side<'_, D>,
    ) -> Done<Real<D>> {
        let b = &self.apart(a, b)?;
        let (rows, columns) = (turned(a_size, a_turns).0, turned(b_size, b_turns).1);
        let b_grid = b.seen(b_size)?;
        let carries = a.carries || b.carries;
        let turn = |x: Taped<Grid, D>| if a_turns { x.try_permute::<Grid, Axes2<1, 0>>() } else { Ok(x) };
        let right = if b_turns { b_grid.try_permute::<Grid, Axes2<1, 0>>().map_err(said)? } else { b_grid };
        let y = self.on(carries, a.seen(a_size)?, |x| turn(x)?.try_matmul(right))?;
        self.made(y, &[rows, columns], carries)
    }

    /// As [`Trail::product`], for so many pairs of matrices.
    pub fn products(
        &mut self,
        count: usize,
        (a, a_size, a_turns): Side<'_, D>,
        (b, b_size, b_turns): Side<'_, D>,
    ) -> Done<Real<D>> {
        let b = &self.apart(a, b)?;
        let (rows, columns) = (turned(a_size, a_turns).0, turned(b_size, b_turns).1);
        let b_block = b.seen((count, b_size.0, b_size.1))?;
        let carries = a.carries || b.carries;
        let turn =
            |x: Taped<Block, D>| if a_turns { x.try_permute::<Block, Axes3<0, 2, 1>>() } else { Ok(x) };
        let right =
            if b_turns { b_block.try_permute::<Block, Axes3<0, 2, 1>>().map_err(said)? } else { b_block };
        let y = self.on(carries, a.seen((count, a_size.0, a_size.1))?, |x| turn(x)?.try_matmul(right))?;
        self.made(y, &[count, rows, columns], carries)
    }

    /// Axes in another order: neighbouring groups of axes trade places until all stand right.
    pub fn permuted(&mut self, x: &Real<D>, axes: &[usize]) -> Done<Real<D>> {
        let mut order: Vec<usize> = (0..axes.len()).collect();
        let mut y = x.clone();
        for at in 0..axes.len() {
            let from = order.iter().position(|axis| *axis == axes[at]).unwrap_or(at);
            if from == at {
                continue;
            }
            let run = order[from..].iter().zip(&axes[at..]).take_while(|(a, b)| a == b).count();
            let size = |range: std::ops::Range<usize>| y.dims[range].iter().product::<usize>();
            let form = (size(0..at), size(at..from), size(from..from + run), size(from + run..axes.len()));
            order[at..from + run].rotate_left(from - at);
            let dims: Vec<usize> = order.iter().map(|axis| x.dims[*axis]).collect();
            y = self.traded(&y, form, &dims)?;
        }
        Ok(y)
    }

    fn traded(&mut self, x: &Real<D>, form: (usize, usize, usize, usize), dims: &[usize]) -> Done<Real<D>> {
        type Form = (usize, usize, usize, usize);
        let y = self
            .on(x.carries, x.seen(form)?, |x| x.try_permute::<Form, Axes4<0, 2, 1, 3>>()?.try_contiguous())?;
        self.made(y, dims, x.carries)
    }

    /// Places of one axis.
    pub fn sliced(&mut self, x: &Real<D>, axis: usize, places: std::ops::Range<usize>) -> Done<Real<D>> {
        let (form, mut dims) = (x.around(axis), x.dims.clone());
        dims[axis] = places.len();
        let x = if x.carries { &self.copied(x, true)? } else { x };
        let y = self.on(x.carries, x.seen(form)?, |x| x.try_slice((.., places, ..)))?;
        self.made(y, &dims, x.carries)
    }

    /// One after the other along an axis.
    pub fn joined(&mut self, a: &Real<D>, b: &Real<D>, axis: usize) -> Done<Real<D>> {
        let b = &self.apart(a, b)?;
        let mut dims = a.dims.clone();
        dims[axis] += b.dims[axis];
        let right = b.seen(b.around(axis))?;
        let carries = a.carries || b.carries;
        let y = self.on(carries, a.seen(a.around(axis))?, |x| (x, right).try_concat_along(Axis::<1>))?;
        self.made(y, &dims, carries)
    }

    /// A new axis before an axis (or behind the last) that repeats everything so often.
    pub fn repeated(&mut self, x: &Real<D>, axis: usize, times: usize) -> Done<Real<D>> {
        let mut dims = x.dims.clone();
        dims.insert(axis, times);
        let (before, after) = (x.dims[..axis].iter().product(), x.dims[axis..].iter().product());
        let block: Block = (before, times, after);
        let y = self.on(x.carries, x.seen((before, after))?, |x| {
            x.try_broadcast_like::<_, Axis<1>>(&block)?.try_contiguous()
        })?;
        self.made(y, &dims, x.carries)
    }

    /// Rows of a table `[rows, width]` by number: `[ids, width]`.
    pub fn gathered(&mut self, x: &Real<D>, table: Grid, ids: Vec<usize>) -> Done<Real<D>> {
        let dims = [ids.len(), table.1];
        let ids = self.ids(ids)?;
        let y = self.on(x.carries, x.seen(table)?, |x| x.try_gather::<Grid, Row>(ids))?;
        self.made(y, &dims, x.carries)
    }

    /// One number of each row, by its place.
    pub fn picked(&mut self, x: &Real<D>, places: Vec<usize>) -> Done<Real<D>> {
        let dims = [places.len()];
        let places = self.ids(places)?;
        let y = self.on(x.carries, x.seen(x.rows())?, |x| x.try_select::<Row, Row>(places))?;
        self.made(y, &dims, x.carries)
    }

    /// The sum over one axis.
    pub fn summed(&mut self, x: &Real<D>, axis: usize) -> Done<Real<D>> {
        let mut dims = x.dims.clone();
        dims.remove(axis);
        let y = self.on(x.carries, x.seen(x.around(axis))?, |x| x.try_sum::<Grid, Axis<1>>())?;
        self.made(y, &dims, x.carries)
    }

    /// What the tape says of the parameters: the gradient of a number for each of them, zeros if it does not depend on it.
    pub fn gradients(mut self, of: &Real<D>, parameters: &[Real<D>]) -> Done<Vec<Vec<f32>>> {
        let mut gradients: Gradients<f32, D> = match of.carries {
            true => of.seen(())?.put_tape(std::mem::take(&mut self.tape)).try_backward().map_err(said)?,
            false => Gradients::leaky(),
        };
        let mut found = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let row = parameter.tensor.row()?;
            gradients.get_or_alloc_mut(&row).map_err(said)?;
            found.push(gradients.get(&row).as_vec());
        }
        Ok(found)
    }
}

/// A factor: its tensor, rows and columns as stored, whether they trade places.
pub type Side<'a, D> = (&'a Real<D>, Grid, bool);

fn turned((a, b): Grid, turns: bool) -> Grid {
    if turns { (b, a) } else { (a, b) }
}

/// The grid in which operands are whole, or whole rows repeated.
fn over<D: Engine>(dims: &[usize], operands: &[&Real<D>]) -> Grid {
    let count: usize = dims.iter().product();
    let short = operands.iter().map(|x| x.count()).min().unwrap_or(1);
    (count / short.max(1), short)
}

/// An operand over a grid.
fn wide<D: Engine>(x: &Real<D>, grid: Grid) -> Done<Tensor<Grid, f32, D>> {
    if x.count() == grid.0 * grid.1 {
        return x.seen(grid);
    }
    x.seen((grid.1,))?.try_broadcast_like::<_, Axis<0>>(&grid).map_err(said)
}
