//! Where ssh puts the socket of a shared connection: a private folder with a path that is short enough.
//!
//! Whether a connection is shared at all is the operator's `server.command`.

use crate::domain::fault::{Fault, FaultKind, Service};
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket, bytes: 104 with the closing zero on the smallest system.
const LONGEST: usize = 103;
/// What ssh adds: `/`, the 40 digits of `%C`, and while it binds a dot with 16 characters.
const ADDED: usize = 1 + 40 + 17;

/// The value for `ControlPath`, with its folder made. Errors: no private folder can be had.
pub(super) fn path(state: &Path, runtime: Option<&Path>) -> Result<String, Fault> {
    let uid = rustix::process::geteuid().as_raw();
    let places = [
        Some(state.join("ssh")),
        runtime.filter(|path| path.is_absolute()).map(|path| path.join("changeguard")),
        Some(PathBuf::from(format!("/tmp/changeguard-{uid}"))),
    ];
    let mut why = String::new();
    for place in places.into_iter().flatten().filter(|place| is_usable(place)) {
        match prepare(&place, uid) {
            Ok(()) => return Ok(format!("{}/%C", place.display())),
            Err(error) => why = error,
        }
    }
    Err(Fault::new(
        Service::Configuration,
        FaultKind::Refused,
        format!("there is no private folder for ssh's socket: {why}"),
    )
    .hint("set state.directory to a short path without spaces, or take ControlPath out of server.command"))
}

/// Short enough, and without anything that ssh's option would interpret (`%`, spaces, quotes, `$`).
fn is_usable(place: &Path) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    place.to_str().is_some_and(|text| text.len() + ADDED <= LONGEST && text.bytes().all(plain))
}

fn prepare(place: &Path, uid: u32) -> Result<(), String> {
    let shown = place.display();
    if let Some(parent) = place.parent()
        && !parent.exists()
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|error| format!("{shown} can't be made: {error}"))?;
    }
    match DirBuilder::new().mode(0o700).create(place) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(format!("{shown} can't be made: {error}")),
    }
    // Not followed: in /tmp somebody else may have put a link there.
    let metadata = std::fs::symlink_metadata(place).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_dir() || metadata.uid() != uid || metadata.mode() & 0o077 != 0 {
        return Err(format!("{shown} is not a folder that only we can enter"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_short_state_folder_holds_the_socket_and_a_long_one_does_not() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let short = path(folder.path(), None).unwrap();
        assert_eq!(short, format!("{}/ssh/%C", folder.path().display()));
        let long = folder.path().join("x".repeat(60));
        let runtime = folder.path().join("run");
        assert_eq!(path(&long, Some(&runtime)).unwrap(), format!("{}/changeguard/%C", runtime.display()));
        assert!(!long.exists());
        let odd = folder.path().join("a b%C");
        assert_eq!(path(&odd, Some(&runtime)).unwrap(), format!("{}/changeguard/%C", runtime.display()));
    }

    #[test]
    fn a_folder_that_others_can_enter_is_passed_over() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let runtime = folder.path().join("run");
        std::fs::create_dir(folder.path().join("ssh")).unwrap();
        std::fs::set_permissions(folder.path().join("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(path(folder.path(), Some(&runtime)).unwrap(), format!("{}/changeguard/%C", runtime.display()));
    }
}
