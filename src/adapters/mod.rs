//! The outside world, one room per service.
pub mod lab;
