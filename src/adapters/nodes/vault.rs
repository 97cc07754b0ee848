//! Keeps keys encrypted on this host, by a command of the operator's that reads them on its standard input: in clear they rest nowhere
//! here. Whether what is kept can be opened is tried where a command for that is configured.
//!
//! That a command encrypts can't be seen; that it does not, can: whatever encrypts well gives other bytes each time (of one key and one
//! text too, by a nonce or a salt), and what only encodes or packs gives the same. So it is run twice.

use super::run;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::nodes::{Kept, KeyArchive, KeyVault};
use async_trait::async_trait;
use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The command, and the folder.
pub struct Vault {
    folder: PathBuf,
    encrypt: Vec<String>,
    open: Vec<String>,
    timeout: Duration,
}

impl Vault {
    /// Encrypts with one argv, and tries with another whether that can be opened, where it is not empty. Runs nothing yet.
    pub fn new(folder: PathBuf, encrypt: Vec<String>, open: Vec<String>, timeout: Duration) -> Self {
        Self { folder, encrypt, open, timeout }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.tar.encrypted"))
    }

    async fn run(&self, argv: &[String], input: &[u8], doing: &str) -> Result<run::Output, Fault> {
        let program = argv.first().map(String::as_str).unwrap_or_default();
        let fault = |kind, what: String| {
            let hint = "nothing was changed; see archive in the configuration";
            Fault::new(Service::Host, kind, format!("{doing}: {what}")).hint(hint)
        };
        let limit = self.timeout.as_secs();
        match run::run(argv, input, self.timeout).await {
            Ok(ended) if ended.code == Some(0) => Ok(ended.output),
            // Nothing of what it prints is told: the keys went in, and may come out there.
            Ok(ended) => {
                let code = ended.code.unwrap_or(-1);
                let text = format!("{program} ended with {code}; what it said is not shown, for it may hold keys");
                Err(fault(FaultKind::Exited(code), text))
            }
            Err(run::Failure::NotStarted(why)) => Err(fault(FaultKind::NotStarted, why)),
            Err(run::Failure::Exhausted(why)) => Err(why),
            Err(run::Failure::TooLong) => {
                Err(fault(FaultKind::TimedOut, format!("{program} has not ended within {limit} s")))
            }
            Err(run::Failure::TooMuch) => Err(fault(FaultKind::Malformed, format!("{program} prints too much"))),
            Err(run::Failure::Broken(why)) => Err(fault(FaultKind::Reset, why)),
        }
    }
}

#[async_trait]
impl KeyVault for Vault {
    fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    async fn keep(&self, name: &str, archive: &KeyArchive) -> Result<Kept, Fault> {
        let stream = archive.write();
        let sealed = self.run(&self.encrypt, &stream, "encrypt the keys").await?;
        let again = self.run(&self.encrypt, &stream, "encrypt the keys").await?;
        if let Some(why) = objection(archive, &sealed.0, &again.0) {
            let text = format!("encrypt the keys: {why}; nothing was kept");
            return Err(Fault::new(Service::Configuration, FaultKind::Invalid, text)
                .hint("nothing was changed; see archive in the configuration"));
        }
        let is_opened = match self.open.is_empty() {
            true => false,
            false => {
                let opened = self.run(&self.open, &sealed.0, "open the encrypted keys again").await?;
                match KeyArchive::read(&opened.0) {
                    Ok(read) if read.digests() == archive.digests() => true,
                    _ => {
                        let text =
                            "open the encrypted keys again: what comes out is not what went in; nothing was kept";
                        return Err(Fault::new(Service::Host, FaultKind::Malformed, text)
                            .hint("nothing was changed; see archive in the configuration"));
                    }
                }
            }
        };
        let path = self.path(name);
        write(&path, &sealed.0).map_err(|error| {
            let text = format!("keep the encrypted keys at {}: {error}", path.display());
            Fault::new(Service::Host, FaultKind::Invalid, text)
                .hint("nothing was changed; make room there, or let us write")
        })?;
        Ok(Kept { path: path.display().to_string(), is_opened })
    }
}

/// Why what came of two runs is not encrypted.
fn objection(archive: &KeyArchive, one: &[u8], two: &[u8]) -> Option<&'static str> {
    if one.is_empty() || archive.is_readable_in(one) {
        return Some("the command prints them as they are, or nothing");
    }
    if one.len() < archive.least_bytes() {
        return Some("the command prints less than the keys are, so they can't be in it");
    }
    // A header may be the same, and the frame of an armour.
    (2 * shared(one, two) > one.len()).then_some(
        "the command gives the same bytes twice, so it only encodes or packs them: whatever encrypts gives others each time",
    )
}

/// How many bytes of one stand in the other as well, wherever, eight in a row at least.
fn shared(one: &[u8], two: &[u8]) -> usize {
    const ROW: usize = 8;
    let known: HashSet<&[u8]> = two.windows(ROW).collect();
    let (mut count, mut counted) = (0, 0);
    for (at, _) in one.windows(ROW).enumerate().filter(|(_, row)| known.contains(row)) {
        let end = at + ROW;
        count += end - counted.max(at);
        counted = end;
    }
    count
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(std::process::id().to_string());
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn keys() -> KeyArchive {
        let tar = KeyArchive::sample(&[
            (0, "qmC_Aj7l0TZ9vGxUNmCXG3l0xcGkzeZV9tLxPz4Tzk8="),
            (7, "eM4gpSUr7pS1xwWLH9cBk4Zu0CQjYx6m0wGkTn3pR5A="),
        ]);
        KeyArchive::read(&tar.write()).unwrap()
    }

    async fn kept(encrypt: &[&str], open: &[&str]) -> (Result<Kept, Fault>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let vault = Vault::new(folder.path().join("archive"), argv(encrypt), argv(open), Duration::from_secs(60));
        let kept = vault.keep("keystone-lab-1-tokens", &keys()).await;
        assert_eq!(vault.has("keystone-lab-1-tokens"), kept.is_ok());
        (kept, folder)
    }

    /// No tool of encryption is needed to test it: a stream of random bytes over the text, its seed before it.
    const SEAL: [&str; 3] = [
        "perl",
        "-0777ne",
        "$s = int rand 2 ** 31; srand $s; print pack('N', $s), map { chr(ord ^ int rand 256) } split //",
    ];
    const OPEN: [&str; 3] =
        ["perl", "-0777ne", "srand unpack 'N', $_; print map { chr(ord ^ int rand 256) } split //, substr $_, 4"];

    #[tokio::test]
    async fn what_is_kept_is_not_readable_and_is_opened_again_where_that_is_configured() {
        let (kept, _folder) = kept(&SEAL, &OPEN).await;
        let kept = kept.unwrap();
        assert!(kept.is_opened);
        let bytes = std::fs::read(&kept.path).unwrap();
        assert!(!keys().is_readable_in(&bytes) && !bytes.is_empty());
        assert_eq!(std::fs::metadata(&kept.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn it_is_said_where_it_was_not_opened() {
        assert!(!kept(&SEAL, &[]).await.0.unwrap().is_opened);
        let armoured = SEAL[2].replace("print ", "print pack 'u', join '', ");
        let armoured = [SEAL[0], SEAL[1], &armoured];
        assert!(kept(&armoured, &[]).await.0.is_ok(), "as text it is encrypted still");
    }

    #[tokio::test]
    async fn a_command_that_does_not_encrypt_or_does_not_give_back_or_fails_keeps_nothing() {
        let twice = "gives the same bytes twice";
        let fixed = SEAL[2].replace("int rand 2 ** 31;", "7;");
        let fixed = [SEAL[0], SEAL[1], &fixed];
        let wrong: [(&[&str], &[&str], &str); 12] = [
            (&["base64"], &["base64", "-d"], twice),
            (&["base64", "-w0"], &[], twice),
            (&["gzip", "-c"], &["gzip", "-dc"], twice),
            (&["sh", "-c", "date +%s%N; od -An -tx1"], &[], twice),
            (&["sh", "-c", "date +%s%N; gzip -c; date +%s%N"], &[], twice),
            (&fixed, &[], twice),
            (&["sh", "-c", "cat > /dev/null; echo short"], &[], "less than the keys are"),
            (&["cat"], &[], "prints them as they are"),
            (&["sh", "-c", "echo a; cat"], &[], "prints them as they are"),
            (&["sh", "-c", "cat > /dev/null"], &[], "or nothing"),
            (&SEAL, &["sh", "-c", "cat > /dev/null; echo x"], "not what went in"),
            (&["sh", "-c", "cat >&2; exit 3"], &[], "sh ended with 3; what it said is not shown"),
        ];
        for (encrypt, open, said) in wrong {
            let (kept, folder) = kept(encrypt, open).await;
            let fault = kept.unwrap_err();
            assert!(fault.message.contains(said), "{encrypt:?}: {fault}");
            assert!(!keys().is_readable_in(format!("{fault} {}", fault.advice()).as_bytes()), "{encrypt:?}");
            assert!(!folder.path().join("archive").exists(), "{encrypt:?}");
        }
    }
}
