//! The integration tests, one binary: building it once is what takes the time.

mod config;
mod house;
mod lab;
mod openstack;
mod store;
mod wireguard;
mod screens;
