//! The integration tests, one binary: building it once is what takes the time.

mod house;
mod lab;
