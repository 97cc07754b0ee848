//! What the operator sees and presses: whole screens as snapshots, and the rules of the keys as sentences.

#![allow(clippy::unwrap_used)]

mod answers;
mod behaviour;
mod cases;
mod cases_verbs;
mod cases_words;
mod fixture;
mod hands;
mod hostile;
mod pictures;
mod recorded;
mod standings;
mod tiny;
mod truth;
