//! What surrounds a script on a node of the lab: the node's folder tree, and the few programs in front of `PATH` that speak for
//! the node instead of for this machine (`keystone-manage`, `sudo`, `crontab`, `systemctl`, `docker`, `hostname`, `uname`, `date`).
//! All else is this machine's own. Running the script is `session`.
//!
//! No root and no namespaces: a node's paths are real folders, and its `keystone.conf` names them. What a script reads by an
//! absolute path outside of them (`/etc/cron.d`) is this machine's.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::super::state::lock;
use super::keystone_manage::STOP_AFTER;
use super::repository;
use super::world::{Node, World};

/// Programs after which a session that is to be cut may be killed: those that change something.
const CUT_AT: [&str; 16] = [
    "cat",
    "chmod",
    "chown",
    "cp",
    "install",
    "keystone-manage",
    "ln",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "rmdir",
    "sync",
    "tar",
    "tee",
    "touch",
];

/// Runs the real program of its name, and kills the whole session when enough of them have ended.
const CUT: &str = "#!/bin/sh\n\
    real=$(PATH=${PATH#*:}; command -v \"${0##*/}\")\n\
    \"$real\" \"$@\"\n\
    status=$?\n\
    printf . >> \"$LAB_CUT_COUNT\"\n\
    [ \"$(wc -c < \"$LAB_CUT_COUNT\")\" -lt \"$LAB_CUT_AFTER\" ] || kill -9 0\n\
    exit $status\n";

const SUDO: &str = "#!/bin/sh\n\
    # Everybody is root here, unless the lab says otherwise.\n\
    [ ! -e \"$LAB_NODE/lab/sudo-refused\" ] || { echo 'sudo: a password is required' >&2; exit 1; }\n\
    while :; do case $1 in\n\
    -u|-g) shift 2 ;;\n\
    --) shift; break ;;\n\
    -*) shift ;;\n\
    *=*) export \"$1\"; shift ;;\n\
    *) break ;;\n\
    esac; done\n\
    exec \"$@\"\n";

const CRONTAB: &str = "#!/bin/sh\n\
    user=root\n\
    while [ $# -gt 0 ]; do case $1 in -u) user=$2; shift ;; esac; shift; done\n\
    [ \"$user\" != root ] || [ ! -e \"$LAB_NODE/lab/crontab\" ] || exec cat \"$LAB_NODE/lab/crontab\"\n\
    echo \"no crontab for $user\" >&2\n\
    exit 1\n";

const UNAME: &str = "#!/bin/sh\n\
    [ \"$*\" != -n ] || exec hostname\n\
    PATH=${PATH#*\"$LAB_NODE/bin:\"}\n\
    exec uname \"$@\"\n";

/// Lists what the lab has put into a file of this name; nothing where there is none.
fn lists(file: &str) -> String {
    format!("#!/bin/sh\n[ ! -e \"$LAB_NODE/lab/{file}\" ] || exec cat \"$LAB_NODE/lab/{file}\"\n")
}

/// Makes the node's folders and programs.
pub(super) fn build(node: &Node, program: &Path) -> io::Result<()> {
    for part in ["etc/keystone", "var/log/keystone", "home", "bin", "cut", "lab"] {
        repository::folder(&node.root.join(part))?;
    }
    // What went wrong at an earlier lab's end is over; a key that was moved away stays, for it is the node's.
    for left in ["lab/sudo-refused", "bin/date"] {
        std::fs::remove_file(node.root.join(left)).ok();
    }
    let manage = format!("#!/bin/sh\nexec {} lab-keystone-manage \"$@\"\n", quoted(&program.to_string_lossy()));
    let hostname = format!("#!/bin/sh\necho {}\n", node.name);
    for (name, text) in [
        ("keystone-manage", manage.as_str()),
        ("sudo", SUDO),
        ("crontab", CRONTAB),
        ("systemctl", &lists("timers")),
        ("docker", &lists("containers")),
        ("podman", &lists("containers")),
        ("hostname", &hostname),
        ("uname", UNAME),
    ] {
        program_file(&node.root.join("bin").join(name), text)?;
    }
    CUT_AT.iter().try_for_each(|name| program_file(&node.root.join("cut").join(name), CUT))
}

/// Writes an executable. Errors: the folder is not there.
pub(super) fn program_file(path: &Path, text: &str) -> io::Result<()> {
    // Renamed in: one that runs at the moment can't be written over.
    let beside = path.with_extension("new");
    std::fs::remove_file(&beside).ok();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&beside)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    std::fs::rename(beside, path)
}

/// In POSIX single quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `date` of a node whose clock is off; the program goes when it is right again.
pub(super) fn set_clock(node: &Node) -> io::Result<()> {
    let path = node.root.join("bin/date");
    match node.skew.load(Ordering::SeqCst) {
        0 => match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
        skew => program_file(
            &path,
            &format!("#!/bin/sh\nPATH=${{PATH#*\"$LAB_NODE/bin:\"}}\nexec date -d '{skew:+} seconds' \"$@\"\n"),
        ),
    }
}

/// What the shell of a login starts with.
pub(super) struct Login {
    /// What it shall do.
    pub(super) script: String,
    /// Where it starts.
    pub(super) home: PathBuf,
    /// All its variables.
    pub(super) variables: Vec<(&'static str, OsString)>,
}

/// A login at a node, as sshd makes it for a command: with the few variables of a login and none of ours. With `cut`, what it
/// starts is killed after so many programs.
pub(super) fn login(world: &World, number: usize, script: &str, cut: Option<u64>) -> Login {
    let node = &world.nodes[number];
    let bin = node.root.join("bin");
    let mut path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
    let home = node.root.join("home");
    let mut variables: Vec<(&'static str, OsString)> = vec![
        ("HOME", home.clone().into()),
        ("SHELL", "/bin/sh".into()),
        ("USER", "root".into()),
        ("LOGNAME", "root".into()),
        ("OS_KEYSTONE_CONFIG_DIR", node.etc().into()),
        ("LAB_NODE", node.root.clone().into()),
    ];
    if let Some(after) = cut {
        path = format!("{}:{path}", node.root.join("cut").display());
        let count = node.root.join("lab/cut-count");
        std::fs::remove_file(&count).ok();
        variables.extend([("LAB_CUT_AFTER", after.max(1).to_string().into()), ("LAB_CUT_COUNT", count.into())]);
    }
    variables.extend(lock(&node.stop_after).map(|steps| (STOP_AFTER, steps.to_string().into())));
    variables.push(("PATH", path.into()));
    Login { script: script.to_owned(), home, variables }
}
