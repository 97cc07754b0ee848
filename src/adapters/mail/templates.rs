//! The texts of the mails: one per kind and language, built in, each replaceable by a file in a folder.
//!
//! What a text becomes as a message is `compose`, what its HTML looks like is `page`.

use super::built_in::built_in;
use super::page::Layout;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::Lack;
use minijinja::{Environment, UndefinedBehavior, Value, value::Serde};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands before the names of those that are.
const BUILT_IN: &str = "built in/";
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
    /// The key that was live before the rotation is live again.
    pub(super) previous_key: bool,
    /// Another was live since the rotation began, and clients may have it.
    pub(super) again: bool,
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
    previous_key: false,
    again: false,
};

/// All texts and the layout, checked. What can't be used is kept with its fault: it is said by whoever needs that text, and
/// stops nobody else.
pub(super) struct Templates {
    texts: Environment<'static>,
    /// In which language the texts at the top of the folder are.
    default: Language,
    /// The page's layout is the operator's own.
    has_own_layout: bool,
    layout: Result<Layout, Fault>,
    /// The texts that can't be used, by name.
    broken: BTreeMap<String, Fault>,
    /// What else stands in a folder and can't be meant: by the folder's path below the top, with a slash at its end.
    misplaced: Vec<(String, Fault)>,
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
    pub(super) fn load(folder: Option<&Path>, default: Language) -> Self {
        let mut texts = Environment::new();
        texts.set_undefined_behavior(UndefinedBehavior::Strict);
        texts.set_fuel(Some(FUEL));
        let own = folder.map(|folder| folder.join("layout.html")).filter(|path| path.exists());
        let has_own_layout = own.is_some();
        let layout = own.as_deref().map(read).transpose().and_then(Layout::load);
        let mut templates =
            Self { texts, default, has_own_layout, layout, broken: BTreeMap::new(), misplaced: Vec::new() };
        for language in Language::ALL {
            for kind in NoticeKind::ALL {
                let name = format!("{BUILT_IN}{}/{}", language.word(), file(kind));
                templates.add(name, Ok(built_in(language, kind).into()));
            }
        }
        if let Some(folder) = folder {
            templates.take(folder, "", Level::Top);
        }
        templates
    }

    /// Everything that can't be used: texts, the layout, and files that can't be meant.
    pub(super) fn faults(&self) -> impl Iterator<Item = &Fault> {
        let layout = self.layout.as_ref().err();
        layout.into_iter().chain(self.broken.values()).chain(self.misplaced.iter().map(|(_, fault)| fault))
    }

    /// The layout.
    pub(super) fn layout(&self) -> Result<&Layout, Fault> {
        self.layout.as_ref().map_err(Clone::clone)
    }

    /// Every text of a folder. `prefix` is the folder's path below the top, with a slash at its end.
    fn take(&mut self, folder: &Path, prefix: &str, level: Level) {
        let mut misplaced = |text: String| self.misplaced.push((prefix.to_owned(), invalid(text)));
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) => return misplaced(format!("{} can't be read: {error}", folder.display())),
        };
        paths.sort();
        for path in paths {
            let mut misplaced = |text: String| self.misplaced.push((prefix.to_owned(), invalid(text)));
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                let inner = match (level, Language::parse(name)) {
                    (Level::Top | Level::Tenant, Some(_)) => Level::Language,
                    (Level::Top, None) => Level::Tenant,
                    _ => {
                        misplaced(format!("{} is not a folder for texts; {LAYOUT}", path.display()));
                        continue;
                    }
                };
                self.take(&path, &format!("{prefix}{name}/"), inner);
            } else if let Some(word) = name.strip_suffix(".txt") {
                if !NoticeKind::ALL.iter().any(|kind| kind.word() == word) {
                    let known = NoticeKind::ALL.map(file).join(", ");
                    misplaced(format!("{} is not the name of a text; known are {known}", path.display()));
                    continue;
                }
                self.add(format!("{prefix}{name}"), read(&path));
            } else if name.ends_with(".html") && (level != Level::Top || name != "layout.html") {
                misplaced(format!("{} is not used; only layout.html in the top folder is", path.display()));
            }
        }
    }

    fn add(&mut self, name: String, text: Result<String, Fault>) {
        let added = text.and_then(|text| {
            self.texts.add_template_owned(name.clone(), text).map_err(|error| broken(&name, &error))?;
            self.known_names_only(&name)?;
            self.render(&name, &SAMPLE).map(drop)
        });
        if let Err(fault) = added {
            self.broken.insert(name, fault);
        }
    }

    /// Errs where a text says a name that has no value, also behind a condition that no sample fulfils.
    fn known_names_only(&self, name: &str) -> Result<(), Fault> {
        let template = self.texts.get_template(name).map_err(|error| broken(name, &error))?;
        let values = Value::from(Serde(&SAMPLE));
        let known: Vec<String> = values.try_iter().into_iter().flatten().map(|name| name.to_string()).collect();
        let is_known = |said: &String| known.contains(said) || self.texts.globals().any(|(global, _)| global == said);
        let unknown = template.undeclared_variables(true).into_iter().filter(|said| !is_known(said));
        // The first in the text, so that it is the same one each time.
        let first = unknown.map(|said| (line_of(template.source(), &said), said)).min();
        let Some((line, said)) = first else { return Ok(()) };
        let known = known.join(", ");
        Err(invalid(format!("the text {name} line {line}: undefined value {said}; known are {known}")))
    }

    /// What stands beside this tenant's texts and can't be meant: the text that was, is missing.
    fn misplaced(&self, tenant: &str, language: Language) -> Option<&Fault> {
        let word = language.word();
        let mut folders = vec![format!("{tenant}/{word}/"), format!("{tenant}/"), format!("{word}/")];
        folders.extend(Some(String::new()).filter(|_| language == self.default));
        self.misplaced.iter().find(|(folder, _)| folders.contains(folder)).map(|(_, fault)| fault)
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
            .find(|name| self.broken.contains_key(name) || self.texts.get_template(name).is_ok())
            .unwrap_or_else(|| format!("{BUILT_IN}{word}/{file}"))
    }

    /// Whether such a mail is in words that are built in, and so is its page.
    pub(super) fn is_built_in(&self, tenant: &str, language: Language, kind: NoticeKind) -> bool {
        !self.has_own_layout && self.name(tenant, language, kind).starts_with(BUILT_IN)
    }

    /// What a text of the operator's own leaves out that its readers need; it may say so in words of its own.
    pub(super) fn lacks(&self, tenant: &str, language: Language, kind: NoticeKind) -> Option<Lack> {
        let name = self.name(tenant, language, kind);
        let said = self.texts.get_template(&name).ok()?.undeclared_variables(false);
        let missing = needed(kind).iter().filter(|any| !any.iter().any(|wanted| said.contains(*wanted)));
        let missing: Vec<&[&str]> = missing.copied().collect();
        let names = missing.iter().map(|any| any.join(" or ")).collect::<Vec<_>>().join(", nor ");
        let text = format!("the text {name} does not say {names}");
        (!missing.is_empty()).then(|| Lack { when: missing.contains(&WHEN), text })
    }

    /// Subject and text. Errors name the text and its line.
    pub(super) fn write(
        &self,
        tenant: &str,
        language: Language,
        kind: NoticeKind,
        variables: &Variables<'_>,
    ) -> Result<(String, String), Fault> {
        let name = self.name(tenant, language, kind);
        match self.broken.get(&name).or_else(|| self.misplaced(tenant, language)) {
            Some(fault) => Err(fault.clone()),
            None => self.render(&name, variables),
        }
    }

    /// The same in the words that are built in.
    pub(super) fn built_in(
        &self,
        language: Language,
        kind: NoticeKind,
        variables: &Variables<'_>,
    ) -> Result<(String, String), Fault> {
        self.render(&format!("{BUILT_IN}{}/{}", language.word(), file(kind)), variables)
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

const WHEN: &[&str] = &["window", "window_utc"];
const WHERE: &[&str] = &["guide_url", "portal_url"];

/// What a mail of this kind must say, each by one of these names: when it happens, and where what to do is to be found.
fn needed(kind: NoticeKind) -> &'static [&'static [&'static str]] {
    match kind {
        NoticeKind::Announcement => &[WHEN, WHERE],
        NoticeKind::Reminder | NoticeKind::Change => &[WHEN],
        NoticeKind::Reconfigure | NoticeKind::Emergency => &[WHERE],
        NoticeKind::Cancellation | NoticeKind::AreYouBack | NoticeKind::AllClear => &[],
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
    let source = error.template_source().zip(error.range());
    if let Some(said) = source.and_then(|(source, range)| source.get(range)) {
        message.push_str(&format!(" {}", sanitize(said)));
    }
    if let Some(detail) = error.detail() {
        message.push_str(&format!(" ({detail})"));
    }
    invalid(message)
}

/// The line on which a text says a name: within braces, for it may be a word of the text as well.
fn line_of(source: &str, said: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let within = |at: usize| {
        let last = |marks: [&str; 2]| marks.into_iter().filter_map(|mark| source[..at].rfind(mark)).max();
        last(["{{", "{%"]) > last(["}}", "%}"])
    };
    let whole = |at: usize| {
        let after = source[at + said.len()..].chars().next();
        !source[..at].ends_with(is_word) && !after.is_some_and(is_word)
    };
    let mut places = source.match_indices(said).map(|(at, _)| at);
    let at = places.find(|at| within(*at) && whole(*at)).unwrap_or(0);
    source[..at].matches('\n').count() + 1
}

fn invalid(message: String) -> Fault {
    Fault::new(Service::Configuration, FaultKind::Invalid, message)
        .hint("correct the text in notices.templates, or take it away to use the built-in one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[(&str, &str)]) -> Templates {
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
        let templates = with(&[("reminder.txt", own)]);
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
            with(&files).write(tenant, language, NoticeKind::Change, &SAMPLE).unwrap().0
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
            let templates = with(&[(name, text)]);
            let fault = templates.faults().next().unwrap_or_else(|| panic!("{name}: {text}"));
            assert!(fault.message.contains(says), "{fault}");
        }
        assert_eq!(with(&[("README.md", "x"), ("layout.html", "{{ body }}")]).faults().count(), 0);
    }

    #[test]
    fn a_text_that_leaves_out_when_or_where_is_named_and_no_built_in_one_does() {
        let templates =
            with(&[("acme/announcement.txt", "Subject: x\n\nHello {{ client_name }}, something happens.\n")]);
        let lacks = |tenant: &str, language, kind| templates.lacks(tenant, language, kind);
        let told = lacks("acme", Language::English, NoticeKind::Announcement).unwrap();
        let wanted = "the text acme/announcement.txt does not say window or window_utc, nor guide_url or portal_url";
        assert_eq!(told, Lack { when: true, text: wanted.into() });
        for (language, kind) in Language::ALL.into_iter().flat_map(|one| NoticeKind::ALL.map(|kind| (one, kind))) {
            assert_eq!(lacks("globex", language, kind), None, "{} {}", language.word(), kind.word());
        }
    }

    #[test]
    fn a_name_without_a_value_is_found_behind_every_condition() {
        let places = [
            "{% if client_name == 'Grace' %}{{ nickname }}{% endif %}",
            "{% if revision > 7 %}\n{% else %}{% if zone == 'UTC' %}{{ nickname|upper }}{% endif %}{% endif %}",
            "{% for a in range(0) %}{{ nickname }}{% endfor %}",
            "{{ 'a' if revision == 1 else nickname }}",
            "{% if revision == 9 and nickname %}x{% endif %}",
            "{% if revision > 7 %}{{ client_name.nickname }}{% endif %}",
            "{% set a = nickname if revision > 7 else zone %}{{ a }}",
        ];
        for kind in NoticeKind::ALL {
            for place in places {
                let text = format!("Subject: x\n\nsaid of a nickname\n{place}\n");
                let templates = with(&[(&file(kind), &text)]);
                let fault = templates.faults().next().unwrap_or_else(|| panic!("{place}"));
                let line = 4 + place.split("nickname").next().unwrap().matches('\n').count();
                let names = format!("the text {} line {line}: undefined value", file(kind));
                assert!(fault.message.starts_with(&names) && fault.message.contains("nickname"), "{fault}");
                assert!(templates.write("acme", Language::English, kind, &SAMPLE).is_err());
            }
        }
    }

    #[test]
    fn what_is_wrong_with_one_text_stops_those_who_need_it_and_nobody_else() {
        let (typo, whole) = ("Subject: x\n\n{{ nmae }}\n", "Subject: x\n\ny\n");
        let (english, german) = (Language::English, Language::German);
        let writes =
            |files: &[(&str, &str)], tenant, language, kind| with(files).write(tenant, language, kind, &SAMPLE).is_ok();
        let all = |files: &[(&str, &str)], tenant, language| {
            NoticeKind::ALL.map(|kind| writes(files, tenant, language, kind))
        };
        let but_reminder = NoticeKind::ALL.map(|kind| kind != NoticeKind::Reminder);
        for (name, stops) in [("acme/reminder.txt", "acme"), ("acme/en/reminder.txt", "acme")] {
            assert_eq!(all(&[(name, typo)], stops, english), but_reminder, "{name}");
            assert_eq!(all(&[(name, typo)], "globex", english), [true; 8], "{name}");
        }
        assert_eq!(all(&[("reminder.txt", typo)], "globex", english), but_reminder);
        assert_eq!(all(&[("reminder.txt", typo)], "globex", german), [true; 8]);
        assert_eq!(
            all(&[("acme/remainder.txt", whole)], "acme", english),
            [false; 8],
            "which text was meant is not known"
        );
        assert_eq!(all(&[("acme/remainder.txt", whole)], "globex", english), [true; 8]);
        assert_eq!(all(&[("remainder.txt", whole)], "globex", german), [true; 8]);
    }
}
