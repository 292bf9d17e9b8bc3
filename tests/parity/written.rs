//! Captions that the peers' beam search wrote (`generate.safetensors`), beside those of ours.
//!
//! The recording changes some weights, so that texts differ and end: see `generate` in the config.json of the case.

use crate::case::Case;
use crate::given;
use chiasm::exec::{Executor, Memory};
use chiasm::lower::model::{Answer, Task};
use chiasm::recipe::Timeline;
use chiasm::task::generate::beam::Beam;
use chiasm::task::generate::hypotheses::{Hypotheses, Rules, Written};
use chiasm::task::generate::single::{Choice, Single};
use chiasm::task::generate::writer::{Plan, Writer};
use chiasm::tensor::Tensor;
use chiasm::train::plan;
use chiasm::train::stage::Trainer;

/// First, padding and end token of the recorded vocabulary.
const FIRST: i32 = 0;
const END: i32 = 2;

/// The recorded searches: beams and length penalty.
pub const SEARCHES: [(usize, f64); 3] = [(1, 1.0), (3, 0.6), (4, 0.0)];

/// A model that writes, and its pictures.
pub struct Desk {
    task: Task,
    memory: Memory,
    executor: Box<dyn Executor>,
    image: Tensor,
    probe: i32,
    max: usize,
}

impl Desk {
    /// The task `describe` of a case with the changed weights.
    pub fn open(case: &Case, executor: fn() -> Box<dyn Executor>) -> Self {
        let (stage, task) = (case.stage(), case.task("describe"));
        let time = Timeline { length: 1000, epoch: 1000 };
        let mut trainer = Trainer::new(&stage, executor(), 0, time).expect("a trainer");
        given::bring(case, &stage, &mut trainer);
        let Answer::Generate { probe: Some(probe), max: Some(max), .. } = task.answer else {
            panic!("{:?}", task.answer)
        };
        let mut memory = plan::memory_of(&task, &trainer).expect("parameters of the task");
        change(&mut memory, probe as usize);
        let inputs = given::inputs(case, &stage);
        let image = inputs.into_iter().find(|(name, _)| name == "image").expect("pictures").1;
        Self { task, memory, executor: executor(), image, probe: probe as i32, max }
    }

    /// What is written about all pictures, so many at a time.
    pub fn write(
        &mut self,
        (batch, beams): (usize, usize),
        draft: impl Fn(Rules) -> Box<dyn Hypotheses>,
        penalty: f64,
    ) -> Vec<Written> {
        let rules = Rules { end: END, min: 0, max: self.max, length_penalty: penalty };
        let task = Task { batch, ..self.task.clone() };
        let layout = self.memory.layout.clone();
        let plan = Plan::new(&task, "text", Some(self.probe)).expect("a plan");
        let mut writer =
            Writer::new(&plan, (&[FIRST], beams), self.executor.as_ref(), &layout).expect("a writer");
        assert_eq!(writer.way(), "cached");
        let count = self.image.dims[0];
        let mut written = Vec::new();
        for start in (0..count).step_by(batch) {
            let rows: Vec<usize> = (start..(start + batch).min(count)).collect();
            let drafts = rows.iter().map(|_| draft(rules)).collect();
            let image = chiasm::task::gallery::choose(&self.image, &rows);
            let inputs = vec![("image".to_string(), image)];
            written.extend(writer.write(inputs, drafts, &mut self.memory).expect("is written"));
        }
        written
    }

    pub fn beam(&mut self, batch: usize, beams: usize, penalty: f64) -> Vec<Written> {
        self.write((batch, beams), |rules| Box::new(Beam::new(rules, beams, &[FIRST])), penalty)
    }

    pub fn greedy(&mut self) -> Vec<Written> {
        self.write((4, 1), |rules| Box::new(Single::new(rules, Choice::Greedy, &[FIRST])), 0.0)
    }
}

/// The word and position tables times 20, the end likelier, the mask all but impossible.
fn change(memory: &mut Memory, mask: usize) {
    for table in ["embed.table", "place"] {
        let range = memory.layout.parameters[table].range();
        memory.parameters[range].iter_mut().for_each(|x| *x *= 20.0);
    }
    let bias = memory.layout.parameters["word_head.b"].range();
    memory.parameters[bias.start + END as usize] += 1.2;
    memory.parameters[bias.start + mask] -= 20.0;
}

/// The recorded texts without the stray mask and the padding, with their scores.
pub fn recorded(case: &Case, beams: usize) -> Vec<Written> {
    let mut file = case.file("generate").expect("recorded captions");
    let ids = given::ids(&mut file, &format!("ids_beam{beams}")).expect("ids");
    let scores = file.read(&format!("score_beam{beams}")).expect("scores");
    let mask = case.number("mask_id") as i32;
    let text = |row: &[i32]| row.iter().copied().filter(|id| *id != mask && *id != 1).collect();
    let rows = ids.as_ids().expect("ids").chunks(ids.dims[1]);
    let scores = scores.as_floats().expect("numbers").iter();
    rows.zip(scores).map(|(row, score)| Written { tokens: text(row), score: f64::from(*score) }).collect()
}
