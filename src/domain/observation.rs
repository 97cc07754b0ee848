//! The last value seen of something outside, when it was seen, and the last fault. It ages; a failed poll never erases it.

use crate::domain::fault::Fault;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A value with its age, beside the fault that a later look met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation<T> {
    /// The last value seen and when, UTC.
    pub seen: Option<(Timestamp, T)>,
    /// The fault of the last look, if it failed after the value was seen.
    pub fault: Option<(Timestamp, Fault)>,
}

impl<T> Default for Observation<T> {
    fn default() -> Self {
        Self { seen: None, fault: None }
    }
}

impl<T> Observation<T> {
    /// Takes in one look: a value clears the fault, a fault leaves the value.
    pub fn take(&mut self, at: Timestamp, look: Result<T, Fault>) {
        match look {
            Ok(value) => *self = Self { seen: Some((at, value)), fault: None },
            Err(fault) => self.fault = Some((at, fault)),
        }
    }

    /// The last value, however old.
    pub fn value(&self) -> Option<&T> {
        self.seen.as_ref().map(|(_, value)| value)
    }

    /// Whether anything was ever learned, a value or a fault.
    pub fn is_known(&self) -> bool {
        self.seen.is_some() || self.fault.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind, Service};

    #[test]
    fn a_failed_look_keeps_the_value_and_a_good_look_clears_the_fault() {
        let (t1, t2) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        let mut seen = Observation::default();
        seen.take(t1, Ok(1));
        seen.take(t2, Err(Fault::new(Service::Server, FaultKind::TimedOut, "15 s without an answer")));
        assert_eq!(seen.value(), Some(&1));
        assert!(seen.fault.is_some());
        seen.take(t2, Ok(2));
        assert!(seen.fault.is_none());
    }
}
