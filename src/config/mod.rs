//! config
pub mod clouds;
