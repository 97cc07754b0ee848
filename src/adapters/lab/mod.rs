//! The embedded lab.
