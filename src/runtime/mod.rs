//! The only place where things happen: tasks, effects, pollers, signals, the terminal, and the composition root.

pub mod conductor;
pub mod fleet;
pub mod run;
