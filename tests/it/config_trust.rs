//! The configuration file: whom it lets speak unprotected, and by whom it may be changed.

use crate::config::{Folder, SMALLEST, load, with};
use changeguard::config::ConfigError;
use changeguard::config::check::{self, Level};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn plain_http_to_another_machine_must_be_allowed_by_name() {
    let folder = Folder::new();
    let token = folder.write("token", "x", 0o600);
    let sections = |security: &str| {
        let console = format!("[console]\nurl = \"http://10.0.0.5/api\"\ntoken_file = {token:?}\n");
        format!("{SMALLEST}{security}{console}[alerts]\nurl = \"http://10.0.0.6:9093\"\n")
    };
    let told = |text: &str| match folder.load(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(|p| (p.field.clone(), p.message.clone())).collect(),
    };
    let both = told(&sections(""));
    let fields: Vec<&str> = both.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["console.url", "alerts.url"]);
    assert!(
        both[0].1.contains("http://10.0.0.5 ") && both[0].1.contains("allow_plain_http = [\"console\"]"),
        "{both:?}"
    );
    let one = told(&sections("[security]\nallow_plain_http = [\"console\"]\n"));
    assert!(matches!(&one[..], [(field, _)] if field == "alerts.url"), "{one:?}");
    let text = sections("[security]\nallow_plain_http = [\"console\", \"http://10.0.0.6:9093\"]\n");
    let findings = check::check(&folder.load(&text).unwrap());
    for field in ["console.url", "alerts.url"] {
        let found = findings.iter().find(|finding| finding.field == field).unwrap();
        assert!(found.level == Level::Warning && found.text.contains("security.allow_plain_http allows"), "{found:?}");
    }
    let wrong =
        told(&format!("{SMALLEST}[security]\nallow_plain_http = [\"*\"]\nallow_unverified_tls = [\"console\"]\n"));
    let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["security.allow_plain_http", "security.allow_unverified_tls"]);
    // Mail without TLS can't be allowed at all.
    for section in ["[smtp]", "[inbox]"] {
        let (text, _) = with(section, "security = \"none\"");
        let text = text.replace("localhost", "mail.example.net");
        let text = text.replace("[inbox]", "[inbox]\nhost = \"imap.example.net\"\nuser = \"ops\"");
        let field = format!("{}.security", section.trim_matches(['[', ']']));
        assert!(told(&text).iter().any(|(named, _)| *named == field), "{section}: {:?}", told(&text));
    }
}

#[test]
fn files_that_others_can_change_are_refused_with_what_to_do() {
    let folder = Folder::new();
    for mode in [0o664, 0o646, 0o666] {
        let path = folder.write("changeguard.toml", SMALLEST, mode);
        let error = load(&path).unwrap_err();
        assert!(matches!(error, ConfigError::Untrusted(_)), "{error}");
        assert!(error.to_string().contains(&format!("run: chmod go-w {}", path.display())), "{error}");
    }
    let refused = |section: &str, line: &str, field: &str| {
        let error = folder.load(&with(section, line).0).unwrap_err();
        let problem = error.problems().iter().find(|problem| problem.field == field);
        assert!(
            problem.is_some_and(|problem| problem.message.contains("can be written by others")),
            "{field}: {error}"
        );
    };
    let contact = "[[contact]]\ntenant = \"acme\"\nclient = \"ada\"\nemail = \"ada@example.net\"\n";
    folder.write("people.toml", contact, 0o666);
    refused("[tenants]", "contacts = \"people.toml\"", "tenants.contacts");
    folder.write("ca.pem", "x", 0o664);
    refused("[smtp]", "ca_file = \"ca.pem\"", "smtp.ca_file");
    fs::create_dir(folder.0.path().join("texts")).unwrap();
    folder.write("texts/announcement.txt", "x", 0o666);
    refused("[notices]", "templates = \"texts\"", "notices.templates");
    for name in ["people.toml", "ca.pem", "texts/announcement.txt"] {
        fs::set_permissions(folder.0.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let (text, _) = with("[tenants]", "contacts = \"people.toml\"");
    folder.load(&format!("{text}\n[wireguard]\n")).unwrap();
    // A folder in which others can put another file in the place of this one.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = folder.load(SMALLEST).unwrap_err();
    assert!(error.to_string().contains("can be replaced by others"), "{error}");
}
