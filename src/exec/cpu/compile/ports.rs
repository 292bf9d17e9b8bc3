//! Where values come in and go out: inputs, parameters and states; gradients, next states and named values.
//!
//! A gradient or next state is computed where it belongs; only a value that lies elsewhere, because it has two names or is a
//! part of another, is copied there. Other named values stay in the arena until they are asked for.

use super::{Compiler, Port};
use crate::exec::cpu::frame::{Home, Place};
use crate::exec::{ExecError, Slot};
use crate::op::{Op, Value};
use crate::plan::Life;
use std::collections::BTreeMap;

/// A step of the compiler.
type Step = Result<(), ExecError>;

impl<'a> Compiler<'a> {
    /// Gradients and next states are computed where they belong, unless a value has two names.
    pub(super) fn choose_homes(&mut self) -> Step {
        for (name, value) in self.graph.outputs() {
            let Some(home) = self.home_of_output(name)? else { continue };
            let seen = self.sight.seen(*value);
            let whole = seen.offset == 0 && self.count(seen.root) == self.count(*value);
            if whole
                && !matches!(
                    self.op(seen.root),
                    Op::Input(_) | Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Clock(_)
                )
            {
                self.homes.entry(seen.root).or_insert(home);
            }
        }
        Ok(())
    }

    fn home_of_output(&self, name: &str) -> Result<Option<Home>, ExecError> {
        if let Some(path) = name.strip_prefix("grad/") {
            return Ok(Some(Home::Gradients(self.slot(&self.layout.parameters, path)?.start)));
        }
        if let Some(state) = name.strip_prefix("keep/") {
            return Ok(Some(Home::States(self.slot(&self.layout.states, state)?.start)));
        }
        if let Some(state) = name.strip_prefix("next/") {
            return Ok(Some(Home::Next(self.slot(&self.layout.states, state)?.start)));
        }
        Ok(None)
    }

    fn slot(&self, slots: &'a BTreeMap<String, Slot>, name: &str) -> Result<&'a Slot, ExecError> {
        let missing = || {
            let [name, expected, found] = [name, "a place", "not there"].map(str::to_string);
            ExecError::Place { name, expected, found }
        };
        slots.get(name).ok_or_else(missing)
    }

    /// A value that is there before the first launch.
    pub(super) fn leaf(&mut self, value: Value) -> Step {
        let words = self.count(value);
        let (layout, op) = (self.layout, self.op(value));
        let place = match op {
            Op::Parameter(p) => {
                let slot = self.slot(&layout.parameters, &p.path)?;
                self.room(words, Home::Parameters(slot.start), Life::Outside)
            }
            Op::Twin(t) => {
                let slot = self.slot(&layout.twins, &t.path)?;
                self.room(words, Home::Twins(slot.start), Life::Outside)
            }
            Op::State(s) => {
                let slot = self.slot(&layout.states, &s.name)?;
                self.room(words, Home::States(slot.start), Life::Outside)
            }
            _ => self.room(words, Home::Arena, Life::Given),
        };
        self.places[value.0 as usize] = Some(place);
        match op {
            Op::Input(input) => {
                let (dims, kind) = (self.dims(value), self.graph.shape(value).kind);
                self.out.inputs.push(Port { name: input.name.clone(), place, dims, kind });
            }
            Op::Clock(clock) => self.out.clocks.push((place, clock.schedule)),
            _ => {}
        }
        Ok(())
    }

    /// Outputs that lie elsewhere are copied to where they belong; the others are kept.
    pub(super) fn finish(&mut self) -> Step {
        for (name, value) in self.graph.outputs().to_vec() {
            self.now = value;
            let place = self.place(value);
            match self.home_of_output(&name)? {
                Some(home) if self.out.homes[place.room] == home && place.offset == 0 => {}
                Some(home) => {
                    let slot = self.room(place.words, home, Life::Outside);
                    self.copy_words(place, slot);
                }
                None => {
                    let place = self.kept(place);
                    let (dims, kind) = (self.dims(value), self.graph.shape(value).kind);
                    self.out.outputs.push(Port { name, place, dims, kind });
                }
            }
        }
        Ok(())
    }

    /// A place that can be read after the run.
    fn kept(&mut self, place: Place) -> Place {
        if self.out.homes[place.room] != Home::Arena {
            let copy = self.room(place.words, Home::Arena, Life::Kept);
            self.copy_words(place, copy);
            return copy;
        }
        let room = &mut self.out.rooms[place.room];
        room.life = match room.life {
            Life::Given | Life::Always => Life::Always,
            _ => Life::Kept,
        };
        place
    }
}
