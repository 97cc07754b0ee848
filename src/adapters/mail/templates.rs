//! The texts of the mails: one per kind, built in, each replaceable by a file of the same name in a folder.
//!
//! What a text becomes as a message is `compose`.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize::sanitize;
use minijinja::{Environment, UndefinedBehavior, value::Serde};
use std::path::Path;

/// Steps that one text may take: a loop without end in a template must not stop the program.
const FUEL: u64 = 100_000;

/// What a text may say. A name that is not here is an error when the text is loaded, not when the mail is due.
#[derive(serde::Serialize)]
pub(super) struct Variables<'a> {
    pub(super) client_name: &'a str,
    pub(super) tenant_name: &'a str,
    /// For people, with the zone.
    pub(super) window: &'a str,
    pub(super) window_utc: &'a str,
    pub(super) zone: &'a str,
    pub(super) revision: u32,
    pub(super) guide_url: &'a str,
    pub(super) portal_url: &'a str,
    pub(super) organisation: &'a str,
    pub(super) reply_address: &'a str,
}

const SAMPLE: Variables<'static> = Variables {
    client_name: "Ada",
    tenant_name: "acme",
    window: "Tue 2026-11-24 22:00 to 23:30 CET (UTC+01:00)",
    window_utc: "Tue 2026-11-24 21:00 to 22:30 UTC",
    zone: "Europe/Berlin",
    revision: 1,
    guide_url: "https://example.net/guide",
    portal_url: "https://example.net",
    organisation: "Example",
    reply_address: "ops@example.net",
};

fn built_in(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Announcement => include_str!("../../../assets/templates/announcement.txt"),
        NoticeKind::Reminder => include_str!("../../../assets/templates/reminder.txt"),
        NoticeKind::Change => include_str!("../../../assets/templates/change.txt"),
        NoticeKind::Cancellation => include_str!("../../../assets/templates/cancellation.txt"),
        NoticeKind::Reconfigure => include_str!("../../../assets/templates/reconfigure.txt"),
        NoticeKind::Emergency => include_str!("../../../assets/templates/emergency.txt"),
        NoticeKind::AreYouBack => include_str!("../../../assets/templates/are-you-back.txt"),
        NoticeKind::AllClear => include_str!("../../../assets/templates/all-clear.txt"),
    }
}

/// All texts, checked.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    /// Takes the built-in texts and those of the folder, and tries each once.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, Fault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        let mut templates = Self(environment);
        for kind in NoticeKind::ALL {
            templates.add(kind, built_in(kind).to_owned())?;
        }
        let Some(folder) = folder else {
            return Ok(templates);
        };
        let failed = |error: std::io::Error| invalid(format!("{} can't be read: {error}", folder.display()));
        for file in std::fs::read_dir(folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".txt"))
            else {
                continue;
            };
            let kind = NoticeKind::ALL.into_iter().find(|kind| kind.word() == name).ok_or_else(|| {
                let known: Vec<String> = NoticeKind::ALL.iter().map(|kind| format!("{}.txt", kind.word())).collect();
                invalid(format!("{} is not the name of a text; known are {}", path.display(), known.join(", ")))
            })?;
            let text = std::fs::read_to_string(&path)
                .map_err(|error| invalid(format!("{} can't be read: {error}", path.display())))?;
            templates.add(kind, text)?;
        }
        Ok(templates)
    }

    fn add(&mut self, kind: NoticeKind, text: String) -> Result<(), Fault> {
        self.0.add_template_owned(kind.word(), text).map_err(|error| broken(kind, &error))?;
        self.render(kind, &SAMPLE).map(drop)
    }

    /// Subject and text. Errors name the text and its line.
    pub(super) fn render(&self, kind: NoticeKind, variables: &Variables<'_>) -> Result<(String, String), Fault> {
        let template = self.0.get_template(kind.word()).map_err(|error| broken(kind, &error))?;
        let whole = template.render(minijinja::Value::from(Serde(variables))).map_err(|error| broken(kind, &error))?;
        let wrong = |what: &str| invalid(format!("the text {}.txt {what}", kind.word()));
        let (first, rest) = whole.split_once('\n').ok_or_else(|| wrong("has one line only"))?;
        let subject = first.strip_prefix("Subject:").ok_or_else(|| wrong("must begin with a line \"Subject: ...\""))?;
        let subject = sanitize(subject);
        if subject.is_empty() {
            return Err(wrong("has an empty subject"));
        }
        let text = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n'));
        let text = text.ok_or_else(|| wrong("must have an empty line after the subject"))?;
        let text = text.replace("\r\n", "\n");
        Ok((subject, format!("{}\n", text.trim_end())))
    }
}

fn broken(kind: NoticeKind, error: &minijinja::Error) -> Fault {
    let line = error.line().map_or(String::new(), |line| format!(" line {line}"));
    let mut message = format!("the text {}.txt{line}: {}", kind.word(), error.kind());
    if let Some(detail) = error.detail() {
        message.push_str(&format!(" ({detail})"));
    }
    invalid(message)
}

fn invalid(message: String) -> Fault {
    Fault::new(Service::Configuration, FaultKind::Invalid, message)
        .hint("correct the text in notices.templates, or take it away to use the built-in one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, text: &str) -> Result<Templates, Fault> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        Templates::load(Some(folder.path()))
    }

    #[test]
    fn a_file_replaces_one_text_and_only_that() {
        let templates = with("reminder.txt", "Subject: Hi {{ client_name }}\r\n\r\nOnly this.\r\n\r\n").unwrap();
        let (subject, text) = templates.render(NoticeKind::Reminder, &SAMPLE).unwrap();
        assert_eq!((subject.as_str(), text.as_str()), ("Hi Ada", "Only this.\n"));
        assert!(templates.render(NoticeKind::Announcement, &SAMPLE).unwrap().1.contains("interrupted"));
    }

    #[test]
    fn each_broken_text_is_named_when_it_is_loaded() {
        let table = [
            ("reminder.txt", "Subject: x\n\n{{ nmae }}\n", "reminder.txt line 3: undefined value"),
            ("reminder.txt", "Subject: x\n\n{{ name\n", "reminder.txt line"),
            ("reminder.txt", "Hello\n\nx\n", "must begin with a line"),
            ("reminder.txt", "Subject: x\ny\n", "empty line after the subject"),
            ("reminder.txt", "Subject:\n\ny\n", "empty subject"),
            ("reminder.txt", "Subject: x", "one line only"),
            (
                "reminder.txt",
                "Subject: x\n\n{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
                "fuel",
            ),
            ("remainder.txt", "Subject: x\n\ny\n", "known are announcement.txt"),
        ];
        for (name, text, says) in table {
            let fault = with(name, text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(fault.message.contains(says), "{fault}");
        }
        assert!(with("README.md", "x").is_ok());
    }
}
