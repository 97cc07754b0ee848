//! The console as The Elm Architecture: a model, messages, a pure update, and effects as values.
//!
//! No IO, no clock and no widget here: time comes in with [`message::Msg::Tick`], what must happen goes out as
//! [`message::Effect`], and `ui` draws the [`model::Model`].

pub mod arrival;
pub mod availability;
pub mod case;
pub mod clients;
pub mod command;
pub mod confirm;
pub mod dialog;
pub mod failure;
pub mod field;
pub mod fleet;
pub mod keymap;
pub mod manner;
pub mod message;
pub mod model;
pub mod open;
pub mod palette;
pub mod panel;
pub mod perform;
pub mod space;
pub mod totals;
pub mod truth;
pub mod update;

pub use manner::{Manner, Notify};
pub use message::{Effect, Msg};
pub use model::{Charset, Model, ModelOptions, Screen, StepInfo};
pub use palette::Palette;
pub use update::update;
