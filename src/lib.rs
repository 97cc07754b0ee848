//! changeguard: placeholder of the architecture page.
pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod runbooks;
pub mod runtime;
pub mod ui;
