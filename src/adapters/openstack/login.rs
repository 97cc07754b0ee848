//! What is said to and heard from Keystone when a token is asked for; when and how often is left to the session.

use super::catalog::Entry;
use super::http::to_json;
use super::parameters::{Credential, Domain, Login, Named};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::secret::SecretBytes;
use jiff::Timestamp;
use jiff::civil::DateTime;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Keystone's address with `/v3` behind it. Errors: not an http(s) address, or the removed version 2.
pub(super) fn versioned(address: &str) -> Result<Url, Fault> {
    let invalid = |why: &str| {
        Fault::new(Service::Configuration, FaultKind::Invalid, format!("use auth_url {address:?}: {why}"))
            .hint("auth_url in clouds.yaml is Keystone's address, such as https://keystone.example.net:5000/v3")
    };
    let url = Url::parse(address).map_err(|error| invalid(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid("it is not an http or https address"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with("/v2.0") {
        return Err(invalid("version 2 of the API is gone"));
    }
    let mut url = url;
    url.set_query(None);
    url.set_path(&if path.ends_with("/v3") { path } else { format!("{path}/v3") });
    Ok(url)
}

/// Where tokens are.
pub(super) fn tokens(keystone: &Url) -> Url {
    super::http::below(keystone, ["auth", "tokens"])
}

#[derive(Serialize)]
struct Auth<'a> {
    identity: Identity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope<'a>>,
}

#[derive(Default, Serialize)]
struct Identity<'a> {
    methods: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Password<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_credential: Option<Application<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Given<'a>>,
}

#[derive(Serialize)]
struct Given<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Password<'a> {
    user: Reference<'a>,
}

#[derive(Serialize)]
struct Application<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Reference<'a>>,
    secret: &'a str,
}

#[derive(Serialize)]
struct Scope<'a> {
    project: Reference<'a>,
}

#[derive(Default, Serialize)]
struct Reference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Box<Reference<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

fn reference(named: &Named) -> Reference<'_> {
    match named {
        Named::Id(id) => Reference { id: Some(id), ..Default::default() },
        Named::Name { name, domain } => {
            let domain = match domain {
                Domain::Id(id) => Reference { id: Some(id), ..Default::default() },
                Domain::Name(name) => Reference { name: Some(name), ..Default::default() },
            };
            Reference { name: Some(name), domain: Some(Box::new(domain)), ..Default::default() }
        }
    }
}

fn scope(project: &Option<Named>) -> Option<Scope<'_>> {
    project.as_ref().map(|project| Scope { project: reference(project) })
}

/// The secret in a login, so that no message repeats it.
pub(super) fn secret(login: &Login) -> &[u8] {
    match login {
        Login::Password { password: secret, .. }
        | Login::ApplicationCredential { secret, .. }
        | Login::Token { token: secret, .. } => secret.expose(),
    }
}

/// The body that asks for a token, in a buffer that is wiped.
pub(super) fn body(login: &Login) -> Result<SecretBytes, Fault> {
    #[derive(Serialize)]
    struct Body<'a> {
        auth: Auth<'a>,
    }
    let text = std::str::from_utf8(secret(login)).map_err(|_| {
        Fault::new(Service::Configuration, FaultKind::Invalid, "authenticate: the password or secret is not UTF-8 text")
    })?;
    let auth = match login {
        Login::Password { user, project, .. } => {
            let user = Reference { password: Some(text), ..reference(user) };
            let password = Some(Password { user });
            Auth { identity: Identity { methods: ["password"], password, ..Default::default() }, scope: scope(project) }
        }
        // No scope: Keystone answers 401 "Application credentials cannot request a scope".
        Login::ApplicationCredential { credential, .. } => {
            let application = match credential {
                Credential::Id(id) => Application { id: Some(id), name: None, user: None, secret: text },
                Credential::Name { name, user } => {
                    Application { id: None, name: Some(name), user: Some(reference(user)), secret: text }
                }
            };
            let methods = ["application_credential"];
            let identity = Identity { methods, application_credential: Some(application), ..Default::default() };
            Auth { identity, scope: None }
        }
        Login::Token { project, .. } => {
            let identity = Identity { methods: ["token"], token: Some(Given { id: text }), ..Default::default() };
            Auth { identity, scope: scope(project) }
        }
    };
    // A character of the secret takes six bytes of JSON at most; names are bounded by Keystone (255).
    to_json(&Body { auth }, text.len() * 6 + 16 * 1024)
}

/// The answer's document.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) token: TokenDocument,
}

#[derive(Deserialize)]
pub(super) struct TokenDocument {
    pub(super) expires_at: String,
    pub(super) issued_at: Option<String>,
    pub(super) project: Option<Project>,
    #[serde(default)]
    pub(super) catalog: Vec<Entry>,
}

#[derive(Default, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) enabled: Option<bool>,
}

impl Document {
    /// Whether the token is for this project already (any, if none is asked for).
    pub(super) fn is_for(&self, wanted: Option<&Named>) -> bool {
        match (wanted, &self.token.project) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Named::Id(id)), Some(project)) => project.id == *id,
            (Some(Named::Name { name, .. }), Some(project)) => project.name == *name,
        }
    }
}

/// A page of projects.
#[derive(Deserialize)]
pub(super) struct ProjectPage {
    pub(super) projects: Vec<Project>,
    pub(super) links: Option<Links>,
}

#[derive(Deserialize)]
pub(super) struct Links {
    pub(super) next: Option<String>,
}

/// The query of a link.
pub(super) fn query_of(link: &str) -> Option<String> {
    Url::parse(link).ok()?.query().map(str::to_owned)
}

/// A time as OpenStack's services write it: with `Z`, or without a zone, which means UTC.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let civil =
        || text.parse::<DateTime>().ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp());
    text.parse().ok().or_else(civil)
}

/// The time of a `Date` header.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(login: &Login) -> String {
        String::from_utf8(body(login).unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn every_login_says_what_keystone_documents() {
        let domain = Domain::Id("default".into());
        let user = Named::Name { name: "op".into(), domain: domain.clone() };
        let project = Some(Named::Name { name: "ops".into(), domain });
        let password = SecretBytes::new(b"p\"w".to_vec());
        assert_eq!(
            said(&Login::Password { user: user.clone(), password, project }),
            r#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"op","domain":{"id":"default"},"password":"p\"w"}}},"scope":{"project":{"name":"ops","domain":{"id":"default"}}}}}"#
        );
        let secret = SecretBytes::new(b"s".to_vec());
        let credential = Credential::Name { name: "cg".into(), user };
        assert_eq!(
            said(&Login::ApplicationCredential { credential, secret }),
            r#"{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":"cg","user":{"name":"op","domain":{"id":"default"}},"secret":"s"}}}}"#
        );
        let token = SecretBytes::new(b"t".to_vec());
        assert_eq!(
            said(&Login::Token { token, project: Some(Named::Id("p".into())) }),
            r#"{"auth":{"identity":{"methods":["token"],"token":{"id":"t"}},"scope":{"project":{"id":"p"}}}}"#
        );
    }

    #[test]
    fn an_address_gets_its_version_once() {
        for (given, wanted) in [
            ("http://h:5000", "http://h:5000/v3"),
            ("http://h:5000/v3/", "http://h:5000/v3"),
            ("https://h/identity", "https://h/identity/v3"),
        ] {
            assert_eq!(versioned(given).unwrap().as_str(), wanted);
        }
        for bad in ["h:5000", "file:///x", "http://h/v2.0/"] {
            assert!(versioned(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        assert_eq!(timestamp("2026-11-23T15:59:23").unwrap(), timestamp("2026-11-23T15:59:23.000000Z").unwrap());
        assert_eq!(http_date("Mon, 23 Nov 2026 15:59:23 GMT").unwrap(), timestamp("2026-11-23T15:59:23").unwrap());
    }
}
