//! One look at a node: settings, both repositories, clock, room, host's name, `keystone-manage`, rotation jobs, in one connection. What
//! is judged of it is `domain::fernet`.

use super::jobs;
use super::listing::{self, LIST};
use super::script::{HEAD, Lines, is_tag, lines, quoted, variables};
use super::settings::{self, MOST_FILES};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::oslo::Options;
use crate::domain::fernet::settings::Settings;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::nodes::{Backup, Beside, Look, LookAt, Place};

/// Most folders beside a repository that are kept of one node.
const MOST_BESIDE: usize = 50;

/// The shell function `beside FOLDER`: what cases have left beside it, whole or half.
const BESIDE: &str = r#"beside() { for d in "$1.next" "$1".changeguard-*; do if [ -d "$d" ]; then
  c=${d#"$1".changeguard-}; if [ "$d" = "$1.next" ]; then c=$(case_of "$1"); fi
  c=${c%.tmp}; printf "@beside\t%s\t%s\n" "$d" "${c%.try}"; fi; done; }
"#;

impl NodeShell {
    /// Looks at everything that is checked before a rotation. Changes nothing. One connection where the keys lie where they are
    /// believed to, else two.
    ///
    /// Errors: the node can't be reached, its answer is none, a settings file can't be read or is one with which Keystone does not
    /// start.
    pub async fn look(&self, at: &LookAt) -> Result<Look, Fault> {
        let doing = "look at the node";
        let at = at.on(self.name());
        let believed = Place::new(&at.believed)?;
        let output = self.read(doing, &script(&at, believed.live())?).await?;
        let text = std::str::from_utf8(&output.0).map_err(|_| self.garbled(doing, "the answer is not text"))?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let settings = self.settings(text, &answer)?;
        let (files, settings) = settings;
        let mut seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let wanted: Vec<String> = match settings.has_own_receipts() {
            true => vec![settings.tokens.path.clone(), settings.receipts.path.clone()],
            false => vec![settings.tokens.path.clone()],
        };
        for path in &wanted {
            Place::new(path)?;
        }
        let mut lies_beside = beside(&answer);
        if seen.len() != 1 || wanted != [seen[0].path.clone()] {
            let output = self.read(doing, &beside_all(&wanted)).await?;
            let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
            lies_beside = beside(&answer);
            seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        }
        let mut seen = seen.into_iter();
        let tokens = seen.next().ok_or_else(|| self.garbled(doing, "a folder is missing in the answer"))?;
        let clock_ms = answer.text("clock").and_then(clock_ms);
        Ok(Look {
            hostname: sanitize(answer.text("hostname").unwrap_or_default()),
            clock_ms: clock_ms.ok_or_else(|| self.garbled(doing, "its clock can't be understood"))?,
            keystone_manage: answer.text("manage").map(sanitize).filter(|path| !path.is_empty()),
            files,
            settings,
            tokens,
            receipts: seen.next(),
            free_kib: answer.text("free").and_then(|free| free.parse().ok()),
            jobs: jobs::read(self.name(), &answer),
            beside: lies_beside,
        })
    }

    fn settings(&self, text: &str, answer: &Lines<'_>) -> Result<(Vec<String>, Settings), Fault> {
        let node = self.name();
        let fault = |what: String| Fault::new(Service::Node, FaultKind::Invalid, format!("look at {node}: {what}"));
        if let Some(path) = settings::unreadable(answer).first() {
            return Err(fault(format!("{path} can't be read"))
                .hint("nothing was changed there; let the command that reaches the node run as root (sudo -n)"));
        }
        let files = settings::read(text);
        if files.is_empty() {
            return Err(fault("none of Keystone's configuration files is there".into())
                .hint("nothing was changed there; name the files in the cluster's configuration (in a container they lie elsewhere)"));
        }
        let options = Options::read(&files).map_err(|broken| {
            fault(format!("Keystone would not start with its configuration: {broken}"))
                .hint("nothing was changed there; correct the file on the node")
        })?;
        let read = Settings::of(&options).map_err(|bad| {
            fault(format!("{} in its configuration", sanitize(&bad.to_string())))
                .hint("nothing was changed there; correct the option on the node")
        })?;
        Ok((files.into_iter().map(|file| file.path).collect(), read))
    }

    /// Lists what a backup holds: for a resume. Errors as [`NodeShell::list`]; a backup that is not there is a folder that is missing.
    pub async fn look_at_backup(&self, place: &Place, tag: &str) -> Result<Backup, Fault> {
        let folder = place.backup(super::script::checked_tag(tag)?);
        let seen = self.list(&[folder]).await?.pop();
        seen.map(|repository| Backup { repository }).ok_or_else(|| self.garbled("look at the backup", "no answer"))
    }
}

/// Lists these folders, and what lies beside them.
fn beside_all(folders: &[String]) -> String {
    let each = |folder: &String| format!("{}list \"$D\"\nbeside \"$D\"\n", variables(&[("D", folder)]));
    format!("{HEAD}{LIST}{BESIDE}{}echo @end\n", folders.iter().map(each).collect::<String>())
}

fn beside(answer: &Lines<'_>) -> Vec<Beside> {
    let of = |(name, fields): &(&str, Vec<&str>)| match (*name, fields.as_slice()) {
        ("beside", [path, case]) => {
            let case = Some((*case).to_owned()).filter(|case| is_tag(case));
            Some(Beside { path: sanitize(path), is_next: path.ends_with(".next"), case })
        }
        _ => None,
    };
    answer.all.iter().filter_map(of).take(MOST_BESIDE).collect()
}

/// Seconds with or without a fraction; busybox prints the format itself where it knows no nanoseconds.
fn clock_ms(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let ms = fraction.get(..3).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(ms)
}

fn script(at: &LookAt, believed: &str) -> Result<String, Fault> {
    let mut files: Vec<String> = Vec::new();
    for path in at.files.iter().chain(&at.directory) {
        Place::new(path)?;
    }
    files.extend(at.files.iter().take(MOST_FILES).map(|path| quoted(path)));
    files.extend(at.directory.iter().map(|path| format!("{}/*.conf", quoted(path))));
    let variables = variables(&[("R", believed)]);
    let (settings, jobs) = (settings::function(), jobs::function());
    Ok(format!(
        r#"{HEAD}{LIST}{BESIDE}{settings}{jobs}{variables}printf "@clock\t%s\n" "$(date +%s.%N)"
printf "@hostname\t%s\n" "$(uname -n)"
printf "@manage\t%s\n" "$(command -v keystone-manage)"
settings {files}
list "$R"
beside "$R"
printf "@free\t%s\n" "$(df -Pk "$R" 2>/dev/null | awk "NR == 2 {{ print \$4 }}")"
jobs
echo @end
"#,
        files = files.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::shell::NodeParameters;
    use super::*;

    fn here() -> NodeShell {
        let command = ["sh", "-c", "sh -c {script}"].map(str::to_owned);
        NodeShell::new(NodeParameters::new("node1", &command)).unwrap()
    }

    fn at(folder: &std::path::Path, text: &str) -> LookAt {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        std::fs::create_dir_all(folder.join("conf.d")).unwrap();
        std::fs::create_dir_all(folder.join("keys")).unwrap();
        std::fs::write(folder.join("keystone.conf"), text.replace("HERE", folder.to_str().unwrap())).unwrap();
        LookAt { files: vec![path("keystone.conf")], directory: Some(path("conf.d")), believed: path("keys") }
    }

    #[tokio::test]
    async fn one_look_has_settings_of_all_files_folders_clock_room_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = at(
            folder.path(),
            "[fernet_tokens]\nkey_repository = HERE/keys/\n[fernet_receipts]\nkey_repository=HERE/receipts\n",
        );
        std::fs::write(folder.path().join("conf.d/b.conf"), "[token]\nexpiration=8\n").unwrap();
        std::fs::write(folder.path().join("conf.d/a.conf"), "[token]\nexpiration=7\n").unwrap();
        let look = here().look(&at).await.unwrap();
        assert_eq!((look.settings.expiration, look.files.len()), (8, 3), "the last name counts");
        assert!(look.clock_ms > 1_700_000_000_000 && !look.hostname.is_empty() && look.free_kib.is_some());
        assert!(look.tokens.path.ends_with("/keys") && look.tokens.keys.is_empty());
        assert_eq!(look.receipts.unwrap().folder, crate::domain::fernet::repository::Folder::Missing);
    }

    #[tokio::test]
    async fn settings_that_are_not_there_or_with_which_keystone_does_not_start_are_told_with_the_node() {
        let folder = tempfile::tempdir().unwrap();
        let broken = at(folder.path(), "[token]\nPASSWORD\n");
        let fault = here().look(&broken).await.unwrap_err();
        assert!(
            fault.message.starts_with("look at node1: Keystone would not start") && fault.message.contains("line 2"),
            "{fault}"
        );
        assert!(!fault.message.contains("PASSWORD"));
        let nowhere = LookAt { files: vec!["/nonexistent/keystone.conf".into()], ..broken.clone() };
        assert!(here().look(&nowhere).await.unwrap_err().message.contains("none of Keystone's"));
        let odd = LookAt { files: vec!["/a; reboot".into()], ..broken };
        assert_eq!(here().look(&odd).await.unwrap_err().service, Service::Configuration);
    }

    #[test]
    fn clocks_with_and_without_fractions_are_read() {
        assert_eq!(clock_ms("1700000000.123456789"), Some(1_700_000_000_123));
        assert_eq!([clock_ms("1700000000.%N"), clock_ms("1700000000")], [Some(1_700_000_000_000); 2]);
        assert_eq!([clock_ms(""), clock_ms("now"), clock_ms("99999999999999999999")], [None; 3]);
    }
}
