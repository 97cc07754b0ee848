//! The texts of the mails: one per kind and language, built in, each replaceable by a file in a folder.
//!
//! What a text becomes as a message is `compose`, what its HTML looks like is `page`.

use super::built_in::built_in;
use super::page::Layout;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize::sanitize;
use minijinja::{Environment, UndefinedBehavior, value::Serde};
use std::path::{Path, PathBuf};

/// Steps that one text may take: a loop without end in a template must not stop the program.
pub(super) const FUEL: u64 = 100_000;

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

/// All texts and the layout, checked.
pub(super) struct Templates {
    texts: Environment<'static>,
    /// In which language the texts at the top of the folder are.
    default: Language,
    pub(super) layout: Layout,
}

/// Whose texts a folder holds.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// Those of all tenants, in the default language.
    Top,
    /// Those of one tenant.
    Tenant,
    /// Those of one language, of all tenants or of one.
    Language,
}

impl Templates {
    /// Takes the built-in texts and those of the folder, and tries each once.
    pub(super) fn load(folder: Option<&Path>, default: Language) -> Result<Self, Fault> {
        let mut texts = Environment::new();
        texts.set_undefined_behavior(UndefinedBehavior::Strict);
        texts.set_fuel(Some(FUEL));
        let own = folder.map(|folder| folder.join("layout.html")).filter(|path| path.exists());
        let layout = Layout::load(own.as_deref().map(read).transpose()?)?;
        let mut templates = Self { texts, default, layout };
        for language in Language::ALL {
            for kind in NoticeKind::ALL {
                templates
                    .add(format!("built in/{}/{}", language.word(), file(kind)), built_in(language, kind).into())?;
            }
        }
        if let Some(folder) = folder {
            templates.take(folder, "", Level::Top)?;
        }
        Ok(templates)
    }

    /// Every text of a folder. `prefix` is the folder's path below the top, with a slash at its end.
    fn take(&mut self, folder: &Path, prefix: &str, level: Level) -> Result<(), Fault> {
        let failed = |error: std::io::Error| invalid(format!("{} can't be read: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        for path in paths {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                let inner = match (level, Language::parse(name)) {
                    (Level::Top | Level::Tenant, Some(_)) => Level::Language,
                    (Level::Top, None) => Level::Tenant,
                    _ => return Err(invalid(format!("{} is not a folder for texts; {LAYOUT}", path.display()))),
                };
                self.take(&path, &format!("{prefix}{name}/"), inner)?;
            } else if let Some(word) = name.strip_suffix(".txt") {
                if !NoticeKind::ALL.iter().any(|kind| kind.word() == word) {
                    let known = NoticeKind::ALL.map(file).join(", ");
                    return Err(invalid(format!("{} is not the name of a text; known are {known}", path.display())));
                }
                self.add(format!("{prefix}{name}"), read(&path)?)?;
            } else if name.ends_with(".html") && (level != Level::Top || name != "layout.html") {
                let message = format!("{} is not used; only layout.html in the top folder is", path.display());
                return Err(invalid(message));
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, text: String) -> Result<(), Fault> {
        self.texts.add_template_owned(name.clone(), text).map_err(|error| broken(&name, &error))?;
        self.render(&name, &SAMPLE).map(drop)
    }

    /// The text that a tenant's clients get: the most particular one that there is.
    fn name(&self, tenant: &str, language: Language, kind: NoticeKind) -> String {
        let (word, file) = (language.word(), file(kind));
        // A name with a slash is no folder's, and one that is a language names that language's folder.
        let tenant = Some(tenant).filter(|name| !name.contains('/') && Language::parse(name).is_none());
        let own = tenant.into_iter().flat_map(|name| [format!("{name}/{word}/{file}"), format!("{name}/{file}")]);
        let default = Some(file.clone()).filter(|_| language == self.default);
        own.chain([format!("{word}/{file}")])
            .chain(default)
            .find(|name| self.texts.get_template(name).is_ok())
            .unwrap_or_else(|| format!("built in/{word}/{file}"))
    }

    /// Subject and text. Errors name the text and its line.
    pub(super) fn write(
        &self,
        tenant: &str,
        language: Language,
        kind: NoticeKind,
        variables: &Variables<'_>,
    ) -> Result<(String, String), Fault> {
        self.render(&self.name(tenant, language, kind), variables)
    }

    /// The same in the words that are built in.
    pub(super) fn built_in(
        &self,
        language: Language,
        kind: NoticeKind,
        variables: &Variables<'_>,
    ) -> Result<(String, String), Fault> {
        self.render(&format!("built in/{}/{}", language.word(), file(kind)), variables)
    }

    fn render(&self, name: &str, variables: &Variables<'_>) -> Result<(String, String), Fault> {
        let template = self.texts.get_template(name).map_err(|error| broken(name, &error))?;
        let whole = template.render(minijinja::Value::from(Serde(variables))).map_err(|error| broken(name, &error))?;
        let wrong = |what: &str| invalid(format!("the text {name} {what}"));
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

const LAYOUT: &str = "known are <tenant>/, <language>/ and <tenant>/<language>/";

fn file(kind: NoticeKind) -> String {
    format!("{}.txt", kind.word())
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| invalid(format!("{} can't be read: {error}", path.display())))
}

fn broken(name: &str, error: &minijinja::Error) -> Fault {
    let line = error.line().map_or(String::new(), |line| format!(" line {line}"));
    let mut message = format!("the text {name}{line}: {}", error.kind());
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

    fn with(files: &[(&str, &str)]) -> Result<Templates, Fault> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Templates::load(Some(folder.path()), Language::English)
    }

    #[test]
    fn a_file_replaces_one_text_and_only_that() {
        let own = "Subject: Hi {{ client_name }}\r\n\r\nOnly this.\r\n\r\n";
        let templates = with(&[("reminder.txt", own)]).unwrap();
        let written = |kind| templates.write("acme", Language::English, kind, &SAMPLE).unwrap();
        assert_eq!(written(NoticeKind::Reminder), ("Hi Ada".to_owned(), "Only this.\n".to_owned()));
        assert!(written(NoticeKind::Announcement).1.contains("interrupted"));
    }

    #[test]
    fn the_most_particular_text_is_taken() {
        let folders = [("acme/de/", "one's own German"), ("acme/", "one's own"), ("de/", "German"), ("", "top")];
        let texts = folders.map(|(folder, name)| (format!("{folder}change.txt"), format!("Subject: {name}\n\nx\n")));
        let subject = |present: &[(String, String)], tenant: &str, language| {
            let files: Vec<(&str, &str)> = present.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            with(&files).unwrap().write(tenant, language, NoticeKind::Change, &SAMPLE).unwrap().0
        };
        let german = Language::German;
        assert_eq!(subject(&texts, "acme", german), "one's own German");
        assert_eq!(subject(&texts[1..], "acme", german), "one's own");
        assert_eq!(subject(&texts[2..], "acme", german), "German");
        assert_eq!(subject(&texts, "globex", german), "German");
        assert_eq!(subject(&texts, "globex", Language::English), "top");
        // What is at the top is English here, so a German gets the built-in German.
        assert!(subject(&texts[3..], "acme", german).starts_with("Geändert: "));
        assert_eq!(subject(&texts, "acme/de", Language::English), "top");
    }

    #[test]
    fn each_broken_text_is_named_when_it_is_loaded() {
        let endless = "Subject: x\n\n{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        let table = [
            ("reminder.txt", "Subject: x\n\n{{ nmae }}\n", "reminder.txt line 3: undefined value"),
            ("acme/de/reminder.txt", "Subject: x\n\n{{ nmae }}\n", "acme/de/reminder.txt line 3: undefined value"),
            ("reminder.txt", "Subject: x\n\n{{ name\n", "reminder.txt line"),
            ("reminder.txt", "Hello\n\nx\n", "must begin with a line"),
            ("reminder.txt", "Subject: x\ny\n", "empty line after the subject"),
            ("reminder.txt", "Subject:\n\ny\n", "empty subject"),
            ("reminder.txt", "Subject: x", "one line only"),
            ("reminder.txt", endless, "fuel"),
            ("remainder.txt", "Subject: x\n\ny\n", "known are announcement.txt"),
            ("fr/remainder.txt", "Subject: x\n\ny\n", "fr/remainder.txt is not the name of a text"),
            ("acme/it/reminder.txt", "Subject: x\n\ny\n", "acme/it is not a folder for texts"),
            ("de/acme/reminder.txt", "Subject: x\n\ny\n", "de/acme is not a folder for texts"),
            ("acme/layout.html", "{{ body }}", "only layout.html in the top folder"),
            ("layout.html", "{{ boddy }}", "layout.html line 1: undefined value"),
        ];
        for (name, text, says) in table {
            let fault = with(&[(name, text)]).err().unwrap_or_else(|| panic!("{name}: {text}"));
            assert!(fault.message.contains(says), "{fault}");
        }
        assert!(with(&[("README.md", "x"), ("layout.html", "{{ body }}")]).is_ok());
    }
}
