//! What all scripts share: how they begin, how they stop, where things lie beside a repository, and how their lines are read.
//!
//! Scripts are for any POSIX sh with the tools of GNU or busybox (`stat -c`, `sha256sum`, `tar`, `awk`). They print lines of fields
//! divided by tabs, the first of which begins with `@`; the last line is `@end`, without which an answer counts as cut off.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use std::fmt::Write as _;

/// The exit status with which a script stops by its own decision; none of ssh's, sudo's or a shell's.
pub(super) const STOPPED: i32 = 64;

/// How every script begins. `stop KIND TEXT` ends it; `sum FILE` prints the digest of a key's trimmed content; `hold FOLDER` lets no
/// second script work on a folder: the kernel ends the lock with the process, and a script that has outlived its caller is met here. It
/// also sees to it that what lies beside can be renamed into it. `flush FILE...` waits until the disk has them. `case_of FOLDER` tells of
/// which case the prepared keys beside it are.
pub(super) const HEAD: &str = r#"LC_ALL=C; export LC_ALL; umask 077
T=$(printf "\t"); N="
"
stop() { printf "@stop\t%s\t%s\n" "$1" "$2"; exit 64; }
sum() { s=$(tr -d " \t\r\n" < "$1" 2>/dev/null | sha256sum 2>/dev/null) && [ -r "$1" ] && printf "%s" "${s%% *}"; }
hold() { if [ ! -d "$1" ]; then stop missing "$1 does not exist"; fi; exec 9< "$1"
  if command -v flock >/dev/null 2>&1; then flock -n 9 || stop busy "another script works on $1"; fi
  if [ "$(stat -L -c %d "$1")" != "$(stat -L -c %d "${1%/*}")" ]; then stop system "$1 is a file system of its own, so that nothing can be renamed into it from beside"; fi; }
flush() { sync "$@" 2>/dev/null || sync; }
case_of() { head -c 64 "$1.next.case" 2>/dev/null | tr -cd "a-z0-9-"; }
"#;

/// Longest part of a name that a case contributes.
const LONGEST_TAG: usize = 40;

/// Whether a case's name can be part of a folder's: 1 to 40 lower-case letters, digits and hyphens.
pub(super) fn is_tag(tag: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_TAG).contains(&tag.len()) && tag.bytes().all(is_known) && !tag.starts_with('-')
}

/// The tag, or the fault that it is none.
pub(super) fn checked_tag(tag: &str) -> Result<&str, Fault> {
    let text = || format!("name a backup {:?}: only lower-case letters, digits and hyphens, 40 at most", sanitize(tag));
    if is_tag(tag) { Ok(tag) } else { Err(Fault::new(Service::Configuration, FaultKind::Invalid, text())) }
}

/// A host that ssh can't take for an option.
pub(super) fn is_host(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@-".contains(&byte);
    (1..=253).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-')
}

/// In POSIX single quotes, in which nothing is special but the quote itself.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Replaces placeholders in one pass: a value that looks like a placeholder is left alone.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Shell variables set to these values, one a line.
pub(super) fn variables(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name}={}", quoted(value));
        text
    })
}

/// Why a script has stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    kind: String,
    text: String,
}

/// The word with which a script stopped.
pub(super) fn stop(output: &[u8]) -> Option<Stop> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().find_map(|line| line.strip_prefix("@stop\t"))?;
    let (kind, text) = line.split_once('\t')?;
    Some(Stop { kind: kind.to_owned(), text: sanitize(text) })
}

impl Stop {
    /// With what a program said that the script has called, where the stop is about that.
    pub(super) fn because(mut self, complaint: &str) -> Self {
        if self.kind == "unfinished" && !complaint.is_empty() {
            self.text = format!("{}: {complaint}", self.text);
        }
        self
    }

    pub(super) fn fault(&self, node: &str, doing: &str) -> Fault {
        let fault = |kind| Fault::new(Service::Node, kind, format!("{doing} on {node}: {}", self.text));
        match self.kind.as_str() {
            "content" => fault(FaultKind::Conflict).hint(
                "nothing was overwritten; somebody else has changed the keys there: look at the digests of all nodes before \
                 anything else is done",
            ),
            "missing" => fault(FaultKind::NotFound)
                .hint("no key that was there was changed, and what was done before stays done; look at the node, then go on"),
            "busy" => fault(FaultKind::TooMany)
                .hint("an earlier script is still at work there; it ends by itself, then go on"),
            "room" => fault(FaultKind::NoRoom).hint("no key that was there was changed; make room beside it, then go on"),
            "system" => fault(FaultKind::Refused).hint(
                "no key that was there was changed; name the folder by the path at which its file system holds others beside it (of a \
                 container's volume, the one on the host)",
            ),
            "unfinished" => fault(FaultKind::Refused).hint(
                "the live repository is as it was and the copy was removed; look what keystone-manage says when it is run by hand",
            ),
            "lost" => fault(FaultKind::Refused)
                .hint("nothing was removed; the key is in use or nowhere else: look at the digests of all nodes"),
            _ => fault(FaultKind::Refused).hint("the live repository is as it was; correct it on the node, then go on"),
        }
    }
}

/// The lines of an answer.
pub(super) struct Lines<'a> {
    /// Name (without `@`) and fields of each.
    pub(super) all: Vec<(&'a str, Vec<&'a str>)>,
}

/// Reads an answer; lines before the first `@` (a login shell's greeting) are passed over. Errors: it is not text, or was cut off.
pub(super) fn lines(output: &[u8]) -> Result<Lines<'_>, &'static str> {
    let text = std::str::from_utf8(output).map_err(|_| "the answer is not text")?;
    let marked = text.lines().filter_map(|line| line.strip_prefix('@'));
    let mut all: Vec<(&str, Vec<&str>)> = marked
        .map(|line| {
            let mut fields = line.split('\t');
            (fields.next().unwrap_or_default(), fields.collect())
        })
        .collect();
    match all.pop() {
        Some(("end", _)) => Ok(Lines { all }),
        _ => Err("the answer was cut off"),
    }
}

impl<'a> Lines<'a> {
    /// The fields of the first line of this name.
    pub(super) fn first(&self, name: &str) -> Option<&[&'a str]> {
        self.all.iter().find(|(of, _)| *of == name).map(|(_, fields)| fields.as_slice())
    }

    /// The first field of the first line of this name.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.first(name).and_then(|fields| fields.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ports::nodes::Place;

    #[test]
    fn paths_that_a_shell_could_read_otherwise_are_no_places() {
        for bad in
            ["", "/", "//", "keys", "/a/../b", "/a/./b", "/a//b", "/a b", "/a'b", "/a$b", "/a\n", "/a*", "/é", "/a;b"]
        {
            assert!(Place::new(bad).is_err(), "{bad:?}");
        }
        let place = Place::new("/etc/keystone/fernet-keys/").unwrap();
        assert_eq!(place.live(), "/etc/keystone/fernet-keys");
        assert_eq!(place.next(), "/etc/keystone/fernet-keys.next");
        assert_eq!(place.backup("c-1"), "/etc/keystone/fernet-keys.changeguard-c-1");
        for bad in ["", "A", "a/b", "-a", "a b", ".", &"a".repeat(41)] {
            assert!(checked_tag(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_or_is_not_text_is_refused() {
        assert!(lines(b"@key\t1\n").is_err());
        assert!(lines(b"").is_err() && lines(b"\xff@end\n").is_err());
        let answer = lines(b"Welcome!\n@key\t1\t2\n@key\t3\n@end\n").unwrap();
        assert_eq!((answer.text("key"), answer.all.len(), answer.first("none")), (Some("1"), 2, None));
    }

    #[test]
    fn values_are_not_filled_again_and_quotes_hold() {
        assert_eq!(fill("{node} {x} {script}", &[("{node}", "{script}"), ("{script}", "s")]), "{script} {x} s");
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        assert_eq!(variables(&[("R", "/a b")]), "R='/a b'\n");
    }

    #[test]
    fn the_last_stop_counts_and_is_sanitized() {
        let stop = stop(b"@x\n@stop\tcontent\tkey\x1b[2J 3\n").unwrap();
        assert_eq!(stop.fault("n", "install").message, "install on n: key [2J 3");
        assert_eq!(super::stop(b"@stopped\n"), None);
    }
}
