//! Exit codes, stable: what a script may rely on.

/// Done.
pub const DONE: u8 = 0;
/// Failed: something outside, or not in this state.
pub const FAILED: u8 = 1;
/// Bad usage or configuration.
pub const USAGE: u8 = 2;
/// The gate is shut, or not everybody is back.
pub const SHUT: u8 = 3;
/// Somebody else holds the tenant.
pub const HELD: u8 = 4;
/// Only a person can decide.
pub const PERSON: u8 = 5;
// And 128 with a signal's number where one has asked for the end and nothing had failed by then (`runtime::signals`).
