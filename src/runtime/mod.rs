//! The only place where things happen: tasks, effects, pollers, signals, the terminal, and the composition root.

pub mod alerts;
pub mod answers;
pub mod attend;
pub mod case;
pub mod cases;
pub mod cloud;
mod coming;
pub mod conductor;
pub mod discovery;
pub mod ending;
pub mod erasure;
pub mod fence;
pub mod fleet;
pub mod follow;
pub mod hardening;
pub mod inbox;
pub mod intake;
pub mod keys;
pub mod known;
pub mod lease;
pub mod look;
pub mod lookout;
pub mod mail;
pub mod paint;
pub mod post;
pub mod refusals;
#[cfg(debug_assertions)]
pub mod rehearsal;
pub mod reply_key;
pub mod run;
pub mod screen;
pub mod signals;
pub mod signing;
pub mod terminal;
pub mod watch;
pub mod watcher;
pub mod wiring;
