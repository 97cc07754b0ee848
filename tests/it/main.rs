//! The integration tests, one binary: building it once is what takes the time.

mod config;
mod converge;
mod house;
mod lab;
mod openstack;
mod rotation;
mod scene;
mod screens;
mod store;
mod wireguard;
