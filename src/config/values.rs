//! How single values are written: durations, placeholders, host names, addresses, URLs, paths and private files.
//!
//! Each function says what would be right; where the value stands is added by the caller.

use super::{Security, trust};
use crate::domain::language::Language;
use crate::domain::sanitize::sanitize;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest duration accepted.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// `90s`, `5m` or `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration; write \"90s\", \"5m\" or \"2h\" (1 s to 7 days)");
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<u32>().ok().and_then(|n| u64::from(n).checked_mul(factor)).ok_or_else(wrong)?;
    let duration = Duration::from_secs(seconds);
    if duration.is_zero() || duration > LONGEST {
        return Err(wrong());
    }
    Ok(duration)
}

/// One line without control or invisible characters, not empty.
pub(super) fn line(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("is empty".into());
    }
    if sanitize(text) != text {
        return Err(
            "holds control characters, spaces at an end or invisible characters, or is too long; write plain text"
                .into(),
        );
    }
    Ok(text.to_owned())
}

/// Every `{...}` is one of these. Errors name the unknown one.
pub(super) fn placeholders(text: &str, known: &[&str]) -> Result<(), String> {
    let right = || format!("known here: {}", known.join(", "));
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let tail = &rest[at..];
        let Some(hit) = known.iter().find(|name| tail.starts_with(**name)) else {
            let end = tail.find('}').map_or(tail.len(), |end| end + 1);
            return Err(format!("{:?} is no placeholder; {}", &tail[..end], right()));
        };
        rest = &tail[hit.len()..];
    }
    Ok(())
}

/// A host as ssh takes it: `[A-Za-z0-9._:@-]`, not beginning with `-`, which ssh would take for an option.
pub(super) fn host(text: &str) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@-".contains(&byte);
    if text.is_empty() || text.starts_with('-') || text.len() > 253 || !text.bytes().all(known) {
        return Err(format!(
            "{text:?} is not a host name; letters, digits and . _ : @ - are allowed, not - as the first"
        ));
    }
    Ok(text.to_owned())
}

/// An IP address.
pub(super) fn ip(text: &str) -> Result<String, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(format!("{text:?} is not an IP address; write for example \"10.77.1.1\"")),
    }
}

/// `http://` or `https://` with a host.
pub(super) fn url(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not a URL; write \"https://host/path\"");
    let parsed = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let usable = matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && parsed.password().is_none();
    if !usable || sanitize(text) != text || text.contains(' ') {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

/// `Name <address>` or `address`.
pub(super) fn mailbox(text: &str) -> Result<String, String> {
    let parsed = text.parse::<lettre::message::Mailbox>();
    if parsed.is_err() || sanitize(text) != text {
        return Err(format!(
            "{text:?} is not a mail address; write \"Name <user@example.net>\" or \"user@example.net\""
        ));
    }
    Ok(text.to_owned())
}

/// `en`, `de`, `fr` or `es`.
pub(super) fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| format!("{text:?} is not a language; write \"en\", \"de\", \"fr\" or \"es\""))
}

/// `starttls`, `tls` or `none`.
pub(super) fn security(text: &str) -> Result<Security, String> {
    match text {
        "starttls" => Ok(Security::StartTls),
        "tls" => Ok(Security::Tls),
        "none" => Ok(Security::None),
        _ => Err(format!("{text:?} is not known; write \"starttls\", \"tls\" or \"none\"")),
    }
}

/// `address` alone.
pub(super) fn address(text: &str) -> Result<String, String> {
    match text.parse::<lettre::Address>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("{text:?} is not a mail address; write \"user@example.net\"")),
    }
}

/// `~/` is the home folder; a relative path starts at the folder of the file in which it is written.
pub(super) fn path(text: &str, home: Option<&str>, folder: &Path) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("is not a path".into());
    }
    if let Some(rest) = text.strip_prefix("~/") {
        let home = home.filter(|home| !home.is_empty()).ok_or("begins with ~/ but HOME is not set")?;
        return Ok(Path::new(home).join(rest));
    }
    if text.starts_with('~') {
        return Err(format!("{text:?} can't be resolved; only \"~/\" is, write the whole path"));
    }
    Ok(folder.join(text))
}

/// The file is there and nobody else may read, write or replace it.
pub(super) fn private(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown} can't be read: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(format!(
            "{shown} can be read or written by others (mode {:04o}); run: chmod 600 {shown}",
            metadata.mode() & 0o7777
        ));
    }
    trust::trusted(path).map_err(|distrust| distrust.text(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_one_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["", "s", "90", "0s", "-1s", "1.5h", "1h30m", "90 s", "8d", "99999999999999999999s", "169h", "5é"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        let known = ["{server}", "{read}"];
        assert_eq!(placeholders("--{server}--{read}{read}", &known), Ok(()));
        assert!(placeholders("{sever}", &known).unwrap_err().contains("\"{sever}\""));
        assert!(placeholders("{", &known).is_err());
        assert!(placeholders("a}", &known).is_err());
    }

    #[test]
    fn hosts_that_ssh_would_take_for_options_are_refused() {
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "a$b", "ä"] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
        for good in ["vpn-acme", "ops@vpn.example.net", "fe80::1", "a_b"] {
            assert!(host(good).is_ok(), "{good:?}");
        }
    }
}
