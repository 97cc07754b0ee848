//! Values and rules, and nothing else: no IO, no clock, no randomness, no async, no other layer of this crate.
//!
//! Whatever a rule needs to know about the world comes in as an argument; whatever it decides goes out as a value.

pub mod acknowledgement;
pub mod address;
pub mod agent_log;
pub mod agent_looks;
pub mod cadence;
pub mod client;
pub mod document;
pub mod fault;
pub mod fernet;
pub mod freshness;
pub mod gate;
pub mod key;
pub mod kops;
pub mod language;
pub mod letter;
pub mod lockout;
pub mod moment;
pub mod notice;
pub mod notices;
pub mod observation;
pub mod preflight;
pub mod reminder;
pub mod reply;
pub mod sanitize;
pub mod second_mail;
pub mod secret_shape;
pub mod signature;
pub mod signers;
pub mod step;
pub mod tenant;
pub mod token;
pub mod transport;
pub mod typed;
pub mod window;

/// A moment, UTC. Everything that is stored or compared uses this; zones are for people.
pub use jiff::Timestamp;
