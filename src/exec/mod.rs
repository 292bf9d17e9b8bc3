//! Executors: what turns a verified graph into numbers.

pub mod cpu;
