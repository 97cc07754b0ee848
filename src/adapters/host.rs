//! What this host itself has run out of: told as that, and not as the fault of whichever neighbour was to be asked.

use crate::domain::fault::{Fault, FaultKind, Service};
use rustix::io::Errno;
use std::error::Error;
use std::io;

/// No file descriptor is left, of this process or of the whole host.
pub fn has_no_descriptor(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The disk, or our part of it, is full.
pub fn has_no_room(error: &io::Error) -> bool {
    [Errno::NOSPC, Errno::DQUOT, Errno::FBIG].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The fault where no descriptor was left, anywhere among the causes; `None`: something else went wrong.
pub fn exhausted(doing: &str, error: &(dyn Error + 'static)) -> Option<Fault> {
    let mut next = Some(error);
    while let Some(cause) = next {
        let io = cause.downcast_ref::<io::Error>();
        if io.is_some_and(has_no_descriptor) {
            return Some(no_descriptor(doing));
        }
        // An `io::Error` hides what it wraps from `source`.
        next = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// With fewer left than this a library that needs several at once (SQLite: the file, its log, its shared memory, the folder)
/// fails, gives back what it had, and knows no cause.
const FEW: usize = 8;

/// Whether so few descriptors are left that whatever could not be opened failed for that.
pub fn is_short_of_descriptors() -> bool {
    let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current else { return false };
    match std::fs::read_dir("/proc/self/fd") {
        Ok(open) => open.count().saturating_add(FEW) as u64 > limit,
        Err(error) => has_no_descriptor(&error),
    }
}

/// That fault, for one who was `doing` something.
pub fn no_descriptor(doing: &str) -> Fault {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.map(|limit| format!(", its limit is {limit}")).unwrap_or_default();
    Fault::new(
        Service::Host,
        FaultKind::Exhausted,
        format!("{doing}: this process can open no more files and connections (too many open files{limit})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_descriptor_is_found_among_the_causes_and_names_no_neighbour() {
        let inner = io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        let fault = exhausted("read the secret", &io::Error::other(inner)).unwrap();
        assert_eq!((fault.service, fault.kind.clone()), (Service::Host, FaultKind::Exhausted));
        assert!(fault.to_string().contains("too many open files"), "{fault}");
        assert!(exhausted("x", &io::Error::from(io::ErrorKind::ConnectionRefused)).is_none());
    }
}
