//! A case of any runbook: one run of a written procedure for one subject. Plain data and pure functions; what only one runbook
//! knows stands in its own folder, behind [`runbook::Runbook`].
//!
//! A case is the fold of its journal ([`core`]); an operator's word is judged by [`machine::judge`], and what follows it by
//! [`machine::ahead`], from the journal alone, so that whoever takes over goes on with the same act. [`next`] offers an order
//! that can be executed, [`offer`] says which others are taken, and [`tend`] what may be done without a person. What a step does, what shuts a gate and what the screen shows are the runbook's.

pub mod core;
pub mod gate;
pub mod letter;
pub mod machine;
pub mod next;
pub mod offer;
pub mod order;
pub mod record;
pub mod runbook;
pub mod spec;
pub mod status;
pub mod tend;
pub mod view;

#[cfg(test)]
mod tests;
