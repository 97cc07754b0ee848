//! The outside world, one room per service.
pub mod console;
pub mod lab;
pub mod openstack;
