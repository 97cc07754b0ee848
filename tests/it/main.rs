//! Everything that is tested through the library's doors, in one test binary so that it links once.

mod config;
