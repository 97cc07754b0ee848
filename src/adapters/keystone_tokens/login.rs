//! What is said to Keystone when a token is asked for (Identity API v3, `POST /v3/auth/tokens`); sending it is `client`.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::secret::SecretBytes;
use serde::Serialize;

/// A thing named by its id, or by its name and its domain's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// The id of its domain, such as `default`.
        domain: String,
    },
}

/// With what a token is asked for. Can't be printed beyond names.
#[derive(Debug)]
pub enum Credentials {
    /// A user's password.
    Password {
        /// Who.
        user: Named,
        /// The password.
        password: SecretBytes,
        /// The project to which the token is scoped; unscoped without.
        project: Option<Named>,
    },
    /// An application credential; it carries its project.
    ApplicationCredential {
        /// Its id.
        id: String,
        /// Its secret.
        secret: SecretBytes,
    },
}

#[derive(Serialize)]
struct Body<'a> {
    auth: Auth<'a>,
}

#[derive(Serialize)]
struct Auth<'a> {
    identity: Identity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope<'a>>,
}

#[derive(Serialize)]
struct Identity<'a> {
    methods: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Password<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_credential: Option<Application<'a>>,
}

#[derive(Serialize)]
struct Password<'a> {
    user: Reference<'a>,
}

#[derive(Serialize)]
struct Application<'a> {
    id: &'a str,
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
            let domain = Reference { id: Some(domain), ..Default::default() };
            Reference { name: Some(name), domain: Some(Box::new(domain)), ..Default::default() }
        }
    }
}

/// The secret in the credentials, so that no message repeats it.
pub(super) fn secret(credentials: &Credentials) -> &SecretBytes {
    match credentials {
        Credentials::Password { password: secret, .. } | Credentials::ApplicationCredential { secret, .. } => secret,
    }
}

/// The request's body, in a buffer that is wiped. Errors: the secret is not text.
pub(super) fn body(credentials: &Credentials) -> Result<SecretBytes, Fault> {
    let invalid = |why: &str| Fault::new(Service::Configuration, FaultKind::Invalid, format!("ask for a token: {why}"));
    let text = std::str::from_utf8(secret(credentials).expose())
        .map_err(|_| invalid("the password or secret is not UTF-8 text"))?;
    let auth = match credentials {
        Credentials::Password { user, project, .. } => {
            let password = Some(Password { user: Reference { password: Some(text), ..reference(user) } });
            let identity = Identity { methods: ["password"], password, application_credential: None };
            Auth { identity, scope: project.as_ref().map(|project| Scope { project: reference(project) }) }
        }
        // No scope: Keystone answers 401 "Application credentials cannot request a scope".
        Credentials::ApplicationCredential { id, .. } => {
            let application_credential = Some(Application { id, secret: text });
            let methods = ["application_credential"];
            Auth { identity: Identity { methods, password: None, application_credential }, scope: None }
        }
    };
    // A character of the secret takes six bytes of JSON at most; names are bounded by Keystone (255).
    let most = text.len() * 6 + 16 * 1024;
    let written = SecretBytes::write(most, |place| {
        let mut rest = &mut *place;
        serde_json::to_writer(&mut rest, &Body { auth })?;
        let left = rest.len();
        Ok(most - left)
    });
    written
        .map_err(|error: serde_json::Error| invalid(&format!("the request can't be written ({:?})", error.classify())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(credentials: &Credentials) -> String {
        String::from_utf8(body(credentials).unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn every_login_says_what_keystone_documents() {
        let named = |name: &str| Named::Name { name: name.into(), domain: "default".into() };
        let password = SecretBytes::new(b"p\"w".to_vec());
        assert_eq!(
            said(&Credentials::Password { user: named("op"), password, project: Some(named("ops")) }),
            r#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"op","domain":{"id":"default"},"password":"p\"w"}}},"scope":{"project":{"name":"ops","domain":{"id":"default"}}}}}"#
        );
        let secret = SecretBytes::new(b"s".to_vec());
        assert_eq!(
            said(&Credentials::ApplicationCredential { id: "a".into(), secret }),
            r#"{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"a","secret":"s"}}}}"#
        );
    }

    #[test]
    fn credentials_do_not_print_their_secret_and_one_that_is_no_text_is_refused() {
        let secret = SecretBytes::new(b"open-sesame".to_vec());
        let credentials = Credentials::ApplicationCredential { id: "a".into(), secret };
        assert!(!format!("{credentials:?}").contains("sesame"));
        let secret = SecretBytes::new(vec![0xff, 0xfe]);
        assert!(body(&Credentials::ApplicationCredential { id: "a".into(), secret }).is_err());
    }
}
