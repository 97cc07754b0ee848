//! What keeps a key inside this process: no core file, nobody who may look in, and pages that are not swapped. Done before
//! anything else begins; what the system refuses is said and stops nothing.

use crate::engine::secret;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// How the memory of this process is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// What was achieved, a lower-case fragment.
    pub memory: &'static str,
    /// Whether pages that hold a key can be swapped out.
    pub may_swap: bool,
    /// What the system refused, one fragment each.
    pub refused: Vec<String>,
}

/// Hardens this process.
pub fn harden() -> Hardening {
    let mut refused = Vec::new();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        refused.push(format!("core files can't be forbidden: {error}"));
    }
    // Neither a core file nor another process of the same user shows the memory (prctl(2), PR_SET_DUMPABLE).
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        refused.push(format!("other processes of this user can't be kept from reading the memory: {error}"));
    }
    // Where the limit is lower, locking everything would make the program fail at some later allocation.
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    // As they are touched: a thread's whole stack need not be.
    let everything = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let (memory, may_swap) = if unlimited && mlockall(everything).is_ok() {
        secret::all_pages_are_locked();
        ("no page of this program is swapped", false)
    } else if secret::can_lock() {
        ("pages that hold a key are not swapped", false)
    } else {
        let text = "the system refuses to lock pages (RLIMIT_MEMLOCK): a page that holds a key may be swapped";
        (text, true)
    };
    Hardening { memory, may_swap, refused }
}
