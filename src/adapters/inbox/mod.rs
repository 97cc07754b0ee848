//! The mailbox.

pub mod read;
