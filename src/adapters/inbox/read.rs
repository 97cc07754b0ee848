//! Placeholder.

use crate::domain::letter::Incoming;

/// Placeholder.
pub fn read(_raw: &[u8], _whole: bool) -> Incoming {
    Incoming::default()
}
