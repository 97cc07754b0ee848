//! Searches everything that one long-lived process has for the private keys that went through it: its whole memory, its
//! arguments and environment, every file that it may have written, and every byte that it sent to its terminal.
//!
//! Reading the memory of a process that is not dumpable needs privilege (CAP_SYS_PTRACE). Without it the test proves that
//! this is refused.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use crate::live_watch::{files, find, forms, key_of};
use crate::pty::Program;
use crate::terminal::{confirm_all, insist, open, plan, send};
use changeguard::adapters::lab::{Fault, Rule, Service};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// A part of the address space.
struct Mapping {
    from: u64,
    to: u64,
    name: String,
    locked: bool,
}

/// Where a form of a key was found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hit {
    form: String,
    place: String,
    locked: bool,
}

/// Everything that is readable and can hold what the program has written: what is mapped read-only from a file can't.
fn mappings(pid: u32) -> std::io::Result<Vec<Mapping>> {
    let mut found: Vec<Mapping> = Vec::new();
    for line in std::fs::read_to_string(format!("/proc/{pid}/smaps"))?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            if let Some(last) = found.last_mut() {
                last.locked = flags.split_whitespace().any(|flag| flag == "lo");
            }
        } else if let [range, permissions, _, _, inode, name @ ..] = &words[..]
            && let Some((from, to)) = range.split_once('-')
            && let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16))
        {
            let written = permissions.contains('w') || *inode == "0";
            let name = format!("{} {permissions}", name.join(" "));
            let kept = permissions.starts_with('r') && written && !name.starts_with("[v");
            let to = if kept { to } else { from };
            found.push(Mapping { from, to, name, locked: false });
        }
    }
    found.retain(|mapping| mapping.to > mapping.from);
    Ok(found)
}

/// Looks for all needles in one pass.
struct Search {
    needles: Vec<(String, Vec<u8>)>,
    begins: Vec<bool>,
}

impl Search {
    fn new(keys: &[(&str, [u8; 32])]) -> Self {
        let named = |(name, key): &(&str, [u8; 32])| {
            let name = (*name).to_owned();
            forms(key)
                .into_iter()
                .map(move |(form, bytes)| (format!("{name} key as {form}"), bytes))
                .collect::<Vec<_>>()
        };
        let needles: Vec<(String, Vec<u8>)> = keys.iter().flat_map(named).collect();
        let mut begins = vec![false; 1 << 16];
        for (_, needle) in &needles {
            begins[usize::from(needle[0]) << 8 | usize::from(needle[1])] = true;
        }
        Self { needles, begins }
    }

    fn in_bytes(&self, bytes: &[u8], mut hit: impl FnMut(usize, &str)) {
        let mut before = 0usize;
        for (at, byte) in bytes.iter().enumerate() {
            before = (before << 8 | usize::from(*byte)) & 0xffff;
            if at > 0 && self.begins[before] {
                for (form, needle) in &self.needles {
                    if bytes[at - 1..].starts_with(needle) {
                        hit(at - 1, form);
                    }
                }
            }
        }
    }

    /// The whole memory of a process, which is stopped meanwhile.
    fn in_memory(&self, program: &Program) -> std::io::Result<(Vec<Hit>, u64)> {
        program.signal("STOP");
        let result = self.in_stopped(program.pid());
        program.signal("CONT");
        result
    }

    fn in_stopped(&self, pid: u32) -> std::io::Result<(Vec<Hit>, u64)> {
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let (mut hits, mut searched) = (Vec::new(), 0);
        for mapping in mappings(pid)? {
            let mut bytes = vec![0; (mapping.to - mapping.from) as usize];
            // A guard page within is not readable, and holds nothing.
            if memory.read_exact_at(&mut bytes, mapping.from).is_err() {
                continue;
            }
            searched += bytes.len() as u64;
            self.in_bytes(&bytes, |at, form| {
                let around = &bytes[at.saturating_sub(48)..at];
                let around: String =
                    around.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
                let place = format!("{} {:x} after {around:?}", mapping.name, mapping.from + at as u64);
                hits.push(Hit { form: form.to_owned(), place, locked: mapping.locked });
            });
        }
        Ok((hits, searched))
    }

    /// Searches until nothing is found: a look at Barbican that is under way holds the key for a moment.
    fn until_clean(&self, program: &Program) -> Vec<Hit> {
        let began = Instant::now();
        loop {
            let hits = self.in_memory(program).unwrap().0;
            if hits.is_empty() || began.elapsed() > PATIENCE {
                return hits;
            }
            // It is stopped while it is searched: without a pause it would never get to the end of its look.
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn summary(hits: &[Hit]) -> String {
    let mut counted: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for hit in hits {
        *counted.entry((hit.form.clone(), hit.locked)).or_default() += 1;
    }
    let line = |((form, locked), count): ((String, bool), usize)| {
        format!("  {count} x {form}, {}\n", if locked { "on locked pages" } else { "NOT LOCKED" })
    };
    counted.into_iter().map(line).collect()
}

/// The 32 bytes of the only secret whose name begins so.
fn kept(bastion: &Bastion, prefix: &str) -> [u8; 32] {
    let secrets = bastion.lab.world().secrets("");
    let mut found = secrets.iter().filter(|secret| secret.name.starts_with(prefix));
    key_of(found.next().unwrap().payload.as_ref().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_key_is_on_locked_pages_while_it_is_used_and_nowhere_after_it() {
    let bastion = Bastion::start(1, 3, CYCLE).await;
    // It looks when it is told to, so that a search does not meet a look by chance all the time.
    bastion.configure("poll_interval = \"2s\"", "poll_interval = \"1h\"");
    let previous = key_of(bastion.lab.world().key_secrets("acme")[0].payload.as_ref().unwrap());
    let config = bastion.config().to_str().unwrap();
    let home = bastion.folder.path().to_str().unwrap();
    let mut program = Program::start(&["--config", config], &[("HOME", home), ("TMPDIR", home)], 80, 24);
    program.shows("acme");
    let readable = Search::new(&[("previous", previous)]).in_memory(&program);
    if rustix::process::geteuid().as_raw() != 0 {
        let refused = readable.expect_err("nobody else may look into it").kind();
        assert_eq!(refused, std::io::ErrorKind::PermissionDenied);
        return;
    }
    open(&mut program, "acme", 3);
    plan(&mut program);
    send(&mut program, "announcement");
    confirm_all(&mut program, 3);

    // The pair is held open after the DELETE: the POST with the key is on its way.
    let held = Rule::new(Service::Barbican, Fault::Delay(Duration::from_secs(4))).method("POST").path("/v1/secrets");
    let fault = bastion.lab.faults().add(held.nth(3));
    insist(&mut program, "r", "Rotate the server key of acme");
    program.keys("\x15acme\r");
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await);
    let staged = kept(&bastion, "changeguard-staged");
    assert_eq!(kept(&bastion, "changeguard-previous"), previous);
    let search = Search::new(&[("staged", staged), ("previous", previous)]);
    let (during, searched) = search.in_memory(&program).unwrap();
    eprintln!("in the pair, {} MiB searched:\n{}", searched >> 20, summary(&during));
    assert!(searched > 1 << 20, "memory was read");
    assert!(during.iter().any(|hit| hit.form.starts_with("staged")), "the search finds what must be there");
    let loose: Vec<&Hit> = during.iter().filter(|hit| !hit.locked).collect();
    assert!(loose.is_empty(), "on pages that may be swapped: {loose:#?}");

    program.shows("0 of 3 back");
    let while_kept = search.until_clean(&program);
    assert!(while_kept.is_empty(), "kept in Barbican, and here nowhere: {while_kept:#?}");

    send(&mut program, "reconfigure");
    bastion.lab.world().reimport_all("acme").await;
    insist(&mut program, "v", "3 of 3 back");
    insist(&mut program, "f", "Finish the rotation of acme");
    program.keys("\t\tacme\r").shows("last rotation: rotated");
    assert!(bastion.lab.world().secrets("").iter().all(|secret| !secret.name.starts_with("changeguard-")));
    let after = search.until_clean(&program);
    assert!(after.is_empty(), "after the destruction: {after:#?}");

    let keys = [staged, previous];
    for what in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{}/{what}", program.pid())).unwrap();
        assert!(!bytes.is_empty() && find(&keys, &bytes).is_none(), "{what}");
    }
    let written = files(bastion.folder.path());
    assert!(written.iter().any(|(path, _)| path.contains("state")), "the journal is among them");
    for (path, bytes) in written {
        assert_eq!(find(&keys, &bytes), None, "{path}");
    }
    assert_eq!(find(&keys, &program.raw()), None, "the terminal");
}

/// A process that is not dumpable: no core file, and nothing of it belongs to its user.
#[tokio::test]
async fn no_core_file_can_be_made_of_it() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let config = bastion.config().to_str().unwrap();
    let mut program =
        Program::start(&["--config", config], &[("HOME", bastion.folder.path().to_str().unwrap())], 80, 24);
    program.shows("acme");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let checked = bastion.run("config check --json", &[]).await.ends(0).json();
    let memory = checked.as_array().unwrap().iter().find(|finding| finding["field"] == "memory").unwrap();
    assert!(memory["text"].as_str().unwrap().contains("swapped"), "{memory}");
}
