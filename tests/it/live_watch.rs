//! Looks for private keys where none may be: arguments and environments of all processes while the program runs, files,
//! and what went to the terminal; in every form in which 32 bytes are commonly written.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Command lines by process, and the environment that belonged to each.
type Samples = BTreeMap<(u32, Vec<u8>), Vec<u8>>;

/// Samples `/proc` until it is asked what it saw.
pub struct Watch {
    seen: Arc<Mutex<Samples>>,
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Watch {
    /// Begins. Another command line of a process (after exec) is another sample.
    pub fn start() -> Self {
        let (seen, ended) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(AtomicBool::new(false)));
        let (shared, end) = (seen.clone(), ended.clone());
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                sample(&mut shared.lock().unwrap());
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { seen, ended, thread }
    }

    /// Ends; gives every command line with the environment that belonged to it.
    pub fn end(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.into_iter().map(|((_, command), environment)| (command, environment)).collect()
    }
}

fn sample(seen: &mut Samples) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between two reads.
        let Ok(command) = std::fs::read(entry.path().join("cmdline")) else { continue };
        if !command.is_empty() {
            seen.entry((pid, command))
                .or_insert_with(|| std::fs::read(entry.path().join("environ")).unwrap_or_default());
        }
    }
}

/// Each form of a key with its name.
pub fn forms(key: &[u8; 32]) -> Vec<(String, Vec<u8>)> {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let spaced = |by: &str| key.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(by);
    let plain = Base64Unpadded::encode_string(key);
    let mut forms = vec![
        ("raw bytes".to_owned(), key.to_vec()),
        ("hex".into(), hex.clone().into()),
        ("HEX".into(), hex.to_uppercase().into()),
        ("hex with colons".into(), spaced(":").into()),
        ("hex with spaces".into(), spaced(" ").into()),
        ("list of numbers".into(), format!("{key:?}").trim_matches(['[', ']']).as_bytes().to_vec()),
        // Padding comes behind it, so this finds both.
        ("base64".into(), plain.clone().into()),
        ("base64 for addresses".into(), Base64UrlUnpadded::encode_string(key).into()),
    ];
    // Barbican's own form is base64 of that text; and either may stand anywhere in something longer that was encoded.
    for (what, inner) in [("raw bytes", key.to_vec()), ("base64", plain.into_bytes())] {
        for shift in 0..3 {
            let mut longer = vec![0; shift];
            longer.extend(&inner);
            let whole = longer.len() / 3 * 4;
            let coded = Base64Unpadded::encode_string(&longer).into_bytes();
            let begin = if shift == 0 { 0 } else { 4 };
            forms.push((format!("base64 of {what}, shifted by {shift}"), coded[begin..whole].to_vec()));
        }
    }
    forms
}

/// Which form of which key is in there.
pub fn find(keys: &[[u8; 32]], hay: &[u8]) -> Option<String> {
    let all = keys.iter().flat_map(forms);
    all.into_iter().find(|(_, form)| contains(hay, form)).map(|(what, _)| what)
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    // Byte by byte only where the first one fits: `windows` compares at each place and takes minutes on a log.
    let mut at = 0;
    while let Some(next) = hay[at..].iter().position(|byte| *byte == needle[0]) {
        at += next;
        if hay[at..].starts_with(needle) {
            return true;
        }
        at += 1;
    }
    false
}

/// Every file below a folder with its bytes; sockets and what vanishes meanwhile are passed over.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file()
            && let Ok(bytes) = std::fs::read(&path)
        {
            found.push((path.display().to_string(), bytes));
        }
    }
    found
}

/// The 32 bytes of a stored key.
pub fn key_of(payload: &[u8]) -> [u8; 32] {
    let text = std::str::from_utf8(payload).unwrap().trim().trim_end_matches('=');
    Base64Unpadded::decode_vec(text).unwrap().try_into().unwrap()
}

#[test]
fn a_planted_key_is_found_in_every_form() {
    let key: [u8; 32] = std::array::from_fn(|at| (at * 37 + 11) as u8);
    let other = [9u8; 32];
    for (what, form) in forms(&key) {
        let hay = [b"before ".as_slice(), &form, b"= after"].concat();
        assert!(find(&[other, key], &hay).is_some(), "{what}");
        assert_eq!(find(&[other], &hay), None, "{what}");
    }
    let padded = base64ct::Base64::encode_string(&key);
    let in_json = base64ct::Base64::encode_string(format!("{{\"key\": \"{padded}\"}}").as_bytes());
    assert!(find(&[key], in_json.as_bytes()).is_some(), "inside something longer that was encoded");
}
