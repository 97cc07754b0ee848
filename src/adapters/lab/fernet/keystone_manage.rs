//! `keystone-manage` as far as it turns keys: `fernet_rotate`, `fernet_setup`, `token_rotate`, `receipt_rotate` and their kin,
//! with the options, exit statuses, noise and log lines of the real one, and killable after each of its steps.
//!
//! Source: `keystone/cmd/cli.py` and `keystone/common/fernet_utils.py` of Keystone 30. It behaves as for root, who must name
//! Keystone's user and group; unlike the real one it leaves the files to whoever runs it.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::conf::{Conf, Keys};
use super::log::{Log, keystone_line};
use super::repository::{self, Reader};

/// Set by the lab for a run that shall die: after so many steps the process kills itself.
pub(super) const STOP_AFTER: &str = "CHANGEGUARD_LAB_STOP_AFTER";

const UTILS: &str = "keystone.common.fernet_utils";
/// What it says of itself whenever it is started.
const NOISE: &str = "/usr/lib/python3/dist-packages/oslo_service/backend/_eventlet/loopingcall.py:19: \
    EventletDeprecationWarning: \nEventlet is deprecated. It is currently being maintained in bugfix mode, and\n\
    we strongly recommend against using it for new projects.\n\nIf you are already using Eventlet, we recommend \
    migrating to a different\nframework.  For more detail see\n\
    https://eventlet.readthedocs.io/en/latest/asyncio/migration.html\n\n  from eventlet import event\n";
const COMMANDS: [(&str, Act); 6] = [
    ("fernet_rotate", Act { setup: false, tokens: true, receipts: true }),
    ("fernet_setup", Act { setup: true, tokens: true, receipts: true }),
    ("token_rotate", Act { setup: false, tokens: true, receipts: false }),
    ("token_setup", Act { setup: true, tokens: true, receipts: false }),
    ("receipt_rotate", Act { setup: false, tokens: false, receipts: true }),
    ("receipt_setup", Act { setup: true, tokens: false, receipts: true }),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Act {
    setup: bool,
    tokens: bool,
    receipts: bool,
}

/// What `changeguard lab-keystone-manage` is: runs one command with the words after the program's name, in the folder tree
/// that its configuration names. What the real one prints on standard error goes to `err`. Returns the exit status.
pub fn keystone_manage(words: &[String], err: &mut impl io::Write) -> u8 {
    err.write_all(NOISE.as_bytes()).ok();
    let left = std::env::var(STOP_AFTER).ok().and_then(|text| text.parse::<u64>().ok());
    let mut steps = 0;
    let mut step = || {
        steps += 1;
        if left == Some(steps) {
            // As kill -9 from outside does: nothing more of this process happens.
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        }
    };
    let done = run(words, &mut step, err);
    if let Err(said) = &done {
        err.write_all(said.text.as_bytes()).ok();
    }
    done.map_or_else(|said| said.status, |()| 0)
}

/// An end that is not good.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u8,
    /// For standard error.
    pub(super) text: String,
}

struct Order {
    files: Vec<PathBuf>,
    act: Act,
}

/// The same without the noise; `step` is called after each change of the folder.
pub(super) fn run<'a>(
    words: &[String],
    step: &'a mut (dyn FnMut() + 'a),
    err: &'a mut (dyn io::Write + 'a),
) -> Result<(), Said> {
    let (order, owners) = parse(words)?;
    let conf = Conf::read(&order.files)
        .map_err(|error| Said { status: 1, text: format!("Traceback (most recent call last):\n{error}\n") })?;
    let err = conf.to_stderr.then_some(err);
    let mut work = Work { log: Log::at(conf.log.as_deref()), err, step };
    let done = order.act.carry_out(&conf, &owners, &mut work);
    done.map_err(|error| {
        work.say("CRITICAL", "keystone", &format!("Unhandled error: {error}"));
        // The traceback is in the log alone.
        Said { status: 1, text: String::new() }
    })
}

impl Act {
    fn carry_out(self, conf: &Conf, owners: &Owners, work: &mut Work<'_>) -> io::Result<()> {
        if let Some((kind, name, _)) = owners.iter().find(|(.., known)| !known) {
            return Err(io::Error::other(format!("ValueError: Unknown {kind} '{name}' in --keystone-{kind}")));
        }
        let apart = conf.tokens.folder.components().ne(conf.receipts.folder.components());
        if self.setup && self.tokens && self.receipts && !apart && conf.tokens.most != conf.receipts.most {
            let text = "Receipt and Token fernet key directories are the same but `max_active_keys` is different. Receipt \
                        `max_active_keys` will be ignored in favor of Token `max_active_keys`.";
            work.say("WARNING", "keystone.cmd.cli", text);
        }
        if self.tokens {
            work.act(self, &conf.tokens)?;
        }
        if self.receipts && (apart || !self.tokens) {
            work.act(self, &conf.receipts)?;
        }
        Ok(())
    }
}

type Owners = Vec<(&'static str, String, bool)>;

fn parse(words: &[String]) -> Result<(Order, Owners), Said> {
    let mut words = words.iter().map(String::as_str);
    let mut files = Vec::new();
    let command = loop {
        match words.next() {
            Some("--config-file") => {
                files.push(PathBuf::from(words.next().ok_or_else(|| usage("expected one argument"))?))
            }
            Some("--config-dir") => {
                files.extend(in_folder(words.next().ok_or_else(|| usage("expected one argument"))?))
            }
            Some("--debug" | "-d" | "--nodebug") => {}
            Some(word) => match word.strip_prefix("--config-file=") {
                Some(file) => files.push(PathBuf::from(file)),
                None if word.starts_with('-') => return Err(usage(&format!("unrecognized arguments: {word}"))),
                None => break word,
            },
            None => return Err(usage("the following arguments are required: command")),
        }
    };
    let (_, act) = COMMANDS.iter().find(|(name, _)| *name == command).ok_or_else(|| {
        usage(&format!("argument command: invalid choice: '{command}' (the lab knows the commands for Fernet keys)"))
    })?;
    let (mut user, mut group) = (None, None);
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, words.next()),
        };
        let value = value.ok_or_else(|| usage(&format!("argument {name}: expected one argument")))?;
        match name {
            "--keystone-user" => user = Some(value.to_owned()),
            "--keystone-group" => group = Some(value.to_owned()),
            _ => return Err(usage(&format!("unrecognized arguments: {word}"))),
        }
    }
    let (Some(user), Some(group)) = (user, group) else {
        return Err(usage("the following arguments are required: --keystone-user, --keystone-group"));
    };
    if files.is_empty() {
        files.extend(default_file());
    }
    let owners = vec![
        ("user", user.clone(), is_known(&user, "/etc/passwd")),
        ("group", group.clone(), is_known(&group, "/etc/group")),
    ];
    Ok((Order { files, act: *act }, owners))
}

fn usage(why: &str) -> Said {
    let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    let text = format!("usage: keystone-manage [{}]\nkeystone-manage: error: {why}\n", names.join("|"));
    Said { status: 2, text }
}

/// The node's own, where there is one: Keystone too takes the folder from this variable.
fn default_file() -> Option<PathBuf> {
    let folder = std::env::var_os("OS_KEYSTONE_CONFIG_DIR").map_or_else(|| "/etc/keystone".into(), PathBuf::from);
    Some(folder.join("keystone.conf")).filter(|file| file.exists())
}

fn in_folder(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    files.sort();
    files
}

/// The lab's nodes know `keystone` without an entry; beside it, everybody of this machine by name or number.
fn is_known(name: &str, file: &str) -> bool {
    let entries = std::fs::read_to_string(file).unwrap_or_default();
    let is = |line: &str| {
        let mut fields = line.split(':');
        fields.next() == Some(name) || fields.nth(1) == Some(name)
    };
    name == "keystone" || entries.lines().any(is)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

struct Work<'a> {
    log: Log,
    /// Where the log goes as well.
    err: Option<&'a mut (dyn io::Write + 'a)>,
    step: &'a mut (dyn FnMut() + 'a),
}

impl Work<'_> {
    fn say(&mut self, level: &str, module: &str, text: &str) {
        let line = keystone_line(now(), level, module, text);
        self.log.line(&line);
        if let Some(err) = &mut self.err {
            err.write_all(format!("{line}\n").as_bytes()).ok();
        }
    }

    fn act(&mut self, act: Act, keys: &Keys) -> io::Result<()> {
        if act.setup { self.set_up(keys) } else { self.turn(keys) }
    }

    /// Whether there is a folder to work in; if not, one line of the log is all that tells.
    fn is_usable(&mut self, keys: &Keys) -> bool {
        let usable = std::fs::metadata(&keys.folder).is_ok_and(|meta| meta.is_dir() && Reader::here().may(&meta, 0o7));
        if !usable {
            self.say(
                "ERROR",
                UTILS,
                &format!(
                    "Either [{}] key_repository does not exist or Keystone does not have sufficient permission to \
                     access it: {}",
                    keys.section,
                    keys.folder.display()
                ),
            );
        }
        usable
    }

    fn set_up(&mut self, keys: &Keys) -> io::Result<()> {
        if !keys.folder.exists() {
            repository::folder(&keys.folder)?;
        }
        if !self.is_usable(keys) {
            return Ok(());
        }
        if keys.folder.join("0").exists() {
            self.say("INFO", UTILS, "Key repository is already initialized; aborting.");
            return Ok(());
        }
        self.make(&keys.folder)?;
        self.stage(&keys.folder)?;
        self.rotate(keys)
    }

    fn turn(&mut self, keys: &Keys) -> io::Result<()> {
        if self.is_usable(keys) { self.rotate(keys) } else { Ok(()) }
    }

    fn rotate(&mut self, keys: &Keys) -> io::Result<()> {
        let folder = &keys.folder;
        let read = repository::read(folder, Reader::here()).map_err(|broken| io::Error::other(broken.to_string()))?;
        let mut numbers: Vec<i64> = read.iter().map(|(number, _)| *number).collect();
        drop(read);
        let shown: Vec<String> =
            numbers.iter().map(|n| format!("'{}'", folder.join(n.to_string()).display())).collect();
        self.say(
            "INFO",
            UTILS,
            &format!("Starting key rotation with {} key files: [{}]", shown.len(), shown.join(", ")),
        );
        self.make(folder)?;
        let primary =
            *numbers.first().ok_or_else(|| io::Error::other("ValueError: max() iterable argument is empty"))?;
        let next = primary.checked_add(1).ok_or_else(|| io::Error::other("no number is higher"))?;
        self.say("INFO", UTILS, &format!("Current primary key is: {primary}"));
        self.say("INFO", UTILS, &format!("Next primary key will be: {next}"));
        let (from, to) = (folder.join("0"), folder.join(next.to_string()));
        std::fs::rename(&from, &to).map_err(|error| {
            io::Error::new(error.kind(), format!("{error}: '{}' -> '{}'", from.display(), to.display()))
        })?;
        (self.step)();
        self.say("INFO", UTILS, &format!("Promoted key 0 to be the primary: {next}"));
        self.stage(folder)?;
        numbers.retain(|number| *number != 0);
        numbers.insert(0, next);
        while numbers.len() > keys.most - 1 {
            let Some(lowest) = numbers.pop() else { break };
            let path = folder.join(lowest.to_string());
            self.say("INFO", UTILS, &format!("Excess key to purge: {}", path.display()));
            std::fs::remove_file(&path)?;
            (self.step)();
        }
        Ok(())
    }

    /// A new key beside the others, which counts for nothing yet.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let path = folder.join("0.tmp");
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(io::Error::other)?;
        // One that a killed run has left is written over, as there.
        std::fs::remove_file(&path).ok();
        repository::write(&path, &key)?;
        self.say("INFO", UTILS, &format!("Created a new temporary key: {}", path.display()));
        (self.step)();
        Ok(())
    }

    fn stage(&mut self, folder: &Path) -> io::Result<()> {
        let path = folder.join("0");
        std::fs::rename(folder.join("0.tmp"), &path)?;
        self.say("INFO", UTILS, &format!("Become a valid new key: {}", path.display()));
        (self.step)();
        Ok(())
    }
}
