//! What a cloud's values mean together: which login they make, what is missing, and where a variable may step in. Files are
//! left to `file`.

use super::file::{Auth as Values, Entry};
use super::{Auth, Cloud, CloudError, Credential, Domain, Environment, Hidden, Named};

type Text = Option<Hidden>;

/// The logins that are known here.
#[derive(Clone, Copy)]
enum Kind {
    Password,
    ApplicationCredential,
    Token,
}

/// Names the place of an error.
struct Place<'a> {
    name: &'a str,
    place: &'a str,
}

impl Place<'_> {
    fn error(&self, field: &'static str, right: impl Into<String>) -> CloudError {
        CloudError::Field { name: self.name.into(), place: self.place.into(), field, right: right.into() }
    }

    fn required(&self, value: Text, field: &'static str, right: &str) -> Result<Hidden, CloudError> {
        value.filter(|value| !value.expose().is_empty()).ok_or_else(|| self.error(field, right))
    }
}

/// Puts a cloud together from what the files say and, where they are silent, what the variables say.
pub(super) fn resolve(
    sources: &Environment,
    name: &str,
    place: &str,
    entry: Entry,
    variables: Entry,
) -> Result<Cloud, CloudError> {
    let at = Place { name, place };
    let (file, env) = (entry.rest, variables.rest);
    if entry.auth.auth_url.is_none() && file.profile.is_some() {
        return Err(at.error("profile", "is not known here; write auth_url instead"));
    }
    let kind = kind(&at, file.auth_type, &entry.auth)?
        .map_or_else(|| kind(&at, env.auth_type, &variables.auth), |k| Ok(Some(k)));
    let (mut file_auth, mut env_auth) = (entry.auth, variables.auth);
    let auth_url = file_auth.auth_url.take().or(env_auth.auth_url.take());
    let auth_url = at.required(auth_url, "auth_url", "is missing; it is Keystone's address, with or without /v3")?;
    let auth = match kind? {
        None => {
            let right = "holds no login: username with password, application_credential_id with its secret, or token";
            return Err(at.error("auth", right));
        }
        Some(Kind::Password) => password(&at, file_auth, env_auth)?,
        Some(Kind::ApplicationCredential) => application_credential(&at, file_auth, env_auth)?,
        Some(Kind::Token) => {
            let token = file_auth.token.take().or(env_auth.token.take());
            let token = at.required(token, "token", "is missing (or OS_TOKEN)")?;
            Auth::Token { token, project: project(file_auth, env_auth) }
        }
    };
    let interface = text(file.interface.or(file.endpoint_type).or(env.interface).or(env.endpoint_type));
    let interface = interface.unwrap_or_else(|| "public".into()).trim_end_matches("URL").to_owned();
    if !matches!(interface.as_str(), "public" | "internal" | "admin") {
        return Err(at.error("interface", "must be public, internal or admin"));
    }
    // `insecure` is the older word for the opposite.
    let verify = match (flag(&at, file.verify, "verify")?, flag(&at, file.insecure, "insecure")?) {
        (Some(verify), _) => verify,
        (None, Some(insecure)) => !insecure,
        (None, None) => match (flag(&at, env.verify, "OS_VERIFY")?, flag(&at, env.insecure, "OS_INSECURE")?) {
            (Some(verify), _) => verify,
            (None, insecure) => !insecure.unwrap_or(false),
        },
    };
    let cacert = text(file.cacert.or(env.cacert)).map(|path| sources.path(&path));
    if let Some(path) = cacert.as_ref().filter(|path| !path.is_file()) {
        return Err(at.error("cacert", format!("names {}, which is no file", path.display())));
    }
    let override_of = |values: [Text; 4]| text(values.into_iter().flatten().next());
    Ok(Cloud {
        name: name.to_owned(),
        files: Vec::new(),
        auth_url: auth_url.expose().to_owned(),
        auth,
        region: text(file.region_name.or(env.region_name)),
        interface,
        cacert,
        verify,
        identity_endpoint: text(file.identity_endpoint_override.or(env.identity_endpoint_override)),
        key_manager_endpoint: override_of([
            file.key_manager_endpoint_override,
            file.barbican_endpoint_override,
            env.key_manager_endpoint_override,
            env.barbican_endpoint_override,
        ]),
        object_store_endpoint: override_of([
            file.object_store_endpoint_override,
            file.swift_endpoint_override,
            env.object_store_endpoint_override,
            env.swift_endpoint_override,
        ]),
    })
}

/// The login that is named, or else the one that the values show. `None`: nothing points to any.
fn kind(at: &Place<'_>, named: Text, values: &Values) -> Result<Option<Kind>, CloudError> {
    match named.as_ref().map(Hidden::expose) {
        Some("password" | "v3password") => Ok(Some(Kind::Password)),
        Some("v3applicationcredential") => Ok(Some(Kind::ApplicationCredential)),
        Some("token" | "v3token") => Ok(Some(Kind::Token)),
        Some(_) => {
            let right = "is a login that changeguard does not know; it knows v3password, v3applicationcredential and \
                         v3token (for any other: openstack token issue, then v3token)";
            Err(at.error("auth_type", right))
        }
        None if values.application_credential_id.is_some() || values.application_credential_name.is_some() => {
            Ok(Some(Kind::ApplicationCredential))
        }
        None if values.token.is_some() => Ok(Some(Kind::Token)),
        None if values.username.is_some() || values.user_id.is_some() || values.password.is_some() => {
            Ok(Some(Kind::Password))
        }
        None => Ok(None),
    }
}

fn password(at: &Place<'_>, mut file: Values, mut env: Values) -> Result<Auth, CloudError> {
    let password = file.password.take().or(env.password.take());
    let password = at.required(password, "password", "is missing (in secure.yaml, or OS_PASSWORD)")?;
    let user = user(&mut file, &mut env);
    let user = user.ok_or_else(|| at.error("username", "is missing (or user_id)"))?;
    let project = project(file, env);
    let project =
        project.ok_or_else(|| at.error("project_name", "is missing (or project_id): a token needs a project"))?;
    Ok(Auth::Password { user, password, project })
}

fn application_credential(at: &Place<'_>, mut file: Values, mut env: Values) -> Result<Auth, CloudError> {
    let secret = file.application_credential_secret.take().or(env.application_credential_secret.take());
    let right = "is missing (in secure.yaml, or OS_APPLICATION_CREDENTIAL_SECRET)";
    let secret = at.required(secret, "application_credential_secret", right)?;
    let [id, name] = either(
        [file.application_credential_id.take(), file.application_credential_name.take()],
        [env.application_credential_id.take(), env.application_credential_name.take()],
    );
    let credential = match (text(id), text(name)) {
        (Some(id), _) => Credential::Id(id),
        (None, Some(name)) => {
            let user = user(&mut file, &mut env);
            let right = "is missing (or user_id): the name of an application credential is unique only for its user";
            Credential::Name { name, user: user.ok_or_else(|| at.error("username", right))? }
        }
        (None, None) => {
            return Err(at.error("application_credential_id", "is missing (or application_credential_name)"));
        }
    };
    Ok(Auth::ApplicationCredential { credential, secret })
}

fn user(file: &mut Values, env: &mut Values) -> Option<Named> {
    let [id, name] = either([file.user_id.take(), file.username.take()], [env.user_id.take(), env.username.take()]);
    let domain = either(
        [
            file.user_domain_id.take().or(file.domain_id.clone()),
            file.user_domain_name.take().or(file.domain_name.clone()),
        ],
        [env.user_domain_id.take().or(env.domain_id.clone()), env.user_domain_name.take().or(env.domain_name.clone())],
    );
    named(id, name, domain)
}

fn project(file: Values, env: Values) -> Option<Named> {
    let [id, name] = either(
        [file.project_id.or(file.tenant_id), file.project_name.or(file.tenant_name)],
        [env.project_id.or(env.tenant_id), env.project_name.or(env.tenant_name)],
    );
    let domain = either(
        [file.project_domain_id.or(file.domain_id), file.project_domain_name.or(file.domain_name)],
        [env.project_domain_id.or(env.domain_id), env.project_domain_name.or(env.domain_name)],
    );
    named(id, name, domain)
}

/// The file's id and name, or the environment's if the file has neither: one of each would be two different things.
fn either(file: [Text; 2], env: [Text; 2]) -> [Text; 2] {
    if file.iter().any(Option::is_some) { file } else { env }
}

/// The id wins; a name without a domain is in the domain `default`, as for the openstack command.
fn named(id: Text, name: Text, [domain_id, domain_name]: [Text; 2]) -> Option<Named> {
    if let Some(id) = text(id) {
        return Some(Named::Id(id));
    }
    let domain = match (text(domain_id), text(domain_name)) {
        (Some(id), _) => Domain::Id(id),
        (None, Some(name)) => Domain::Name(name),
        (None, None) => Domain::Id("default".into()),
    };
    Some(Named::Name { name: text(name)?, domain })
}

fn text(value: Text) -> Option<String> {
    value.map(|value| value.expose().to_owned()).filter(|value| !value.is_empty())
}

fn flag(at: &Place<'_>, value: Text, field: &'static str) -> Result<Option<bool>, CloudError> {
    match text(value).map(|value| value.to_lowercase()).as_deref() {
        None => Ok(None),
        Some("true" | "yes" | "on" | "1") => Ok(Some(true)),
        Some("false" | "no" | "off" | "0") => Ok(Some(false)),
        Some(_) => Err(at.error(field, "must be true or false")),
    }
}
