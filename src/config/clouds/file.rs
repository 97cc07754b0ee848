//! Which files there are, and what stands in them and in the `OS_*` variables; what it means together is left to `login`.

use super::{CloudError, Environment, Hidden};
use crate::config::trust::{self, Distrust};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Structs of texts. Every field is `Option<Hidden>`: into anything untyped the reader turns `password: 0123` into a number
/// (serde-saphyr makes numbers of digits where the type allows it), and any of them may be typed into the wrong line.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Default, Deserialize)]
        pub(super) struct $name {
            $(#[serde(default)] pub(super) $field: Option<Hidden>,)*
        }

        impl $name {
            /// These values, and those of `below` where there is none.
            fn over(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field),)* }
            }
        }
    };
}

texts! {
    /// What stands below `auth`.
    Auth {
        auth_url, username, user_id, password, token,
        user_domain_id, user_domain_name, domain_id, domain_name,
        project_id, project_name, tenant_id, tenant_name, project_domain_id, project_domain_name,
        application_credential_id, application_credential_name, application_credential_secret,
    }
}

texts! {
    /// What stands beside `auth`.
    Rest {
        auth_type, region_name, interface, endpoint_type, cacert, verify, insecure, profile,
        identity_endpoint_override, key_manager_endpoint_override, barbican_endpoint_override,
        object_store_endpoint_override, swift_endpoint_override,
    }
}

/// One cloud as written.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) auth: Auth,
    pub(super) rest: Rest,
}

impl Entry {
    fn over(self, below: Self) -> Self {
        Self { auth: self.auth.over(below.auth), rest: self.rest.over(below.rest) }
    }
}

#[derive(Deserialize)]
struct File<T> {
    #[serde(default = "Option::default")]
    clouds: Option<BTreeMap<String, Option<T>>>,
}

#[derive(Deserialize)]
struct WithAuth {
    #[serde(default)]
    auth: Option<Auth>,
}

/// Python's folders; but one's own goes before the one in which one happens to stand.
fn folders(sources: &Environment) -> Vec<PathBuf> {
    let home = sources.variable("HOME").map(PathBuf::from);
    let xdg = sources.variable("XDG_CONFIG_HOME").map(|xdg| Path::new(xdg).join("openstack"));
    let config = home.map(|home| home.join(".config/openstack"));
    let mut folders: Vec<PathBuf> = xdg.into_iter().chain(config).collect();
    folders.extend([sources.directory.clone(), "/etc/openstack".into()]);
    folders.dedup();
    folders
}

/// The first file of this stem that is there, and where was looked.
fn find(folders: &[PathBuf], stem: &str) -> Result<PathBuf, Vec<PathBuf>> {
    let names = ["yaml", "yml", "json"].map(|ending| format!("{stem}.{ending}"));
    let candidates = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    let mut searched = Vec::new();
    for path in candidates {
        if path.is_file() {
            return Ok(path);
        }
        searched.push(path);
    }
    Err(searched)
}

/// A file that was found where one happens to stand counts only if it is ours in a folder of ours: a foreign one would send
/// the password wherever it likes.
fn where_we_stand(sources: &Environment, path: &Path) -> Result<(), CloudError> {
    if path.parent() != Some(&sources.directory) {
        return Ok(());
    }
    let judged = trust::our_own(&sources.directory).and_then(|()| trust::our_own(path));
    judged.map_err(|distrust| {
        let why = format!(
            "it was found in the working folder; {}; or keep it in ~/.config/openstack, or name it in cloud.clouds_file",
            distrust.text(path)
        );
        CloudError::Untrusted { file: path.to_owned(), why }
    })
}

/// The files that were read (the one that names the clouds is the first), and the clouds with secure.yaml's values on top.
pub(super) fn clouds(
    sources: &Environment,
    wanted: &str,
) -> Result<(Vec<PathBuf>, BTreeMap<String, Entry>), CloudError> {
    let named = sources.file.as_ref().map(|file| sources.directory.join(file));
    let named = named.or_else(|| sources.variable("OS_CLIENT_CONFIG_FILE").map(|file| sources.path(file)));
    let mut folders = folders(sources);
    let path = match &named {
        Some(path) => path.clone(),
        None => {
            let missing = |searched| CloudError::NoFile { name: wanted.to_owned(), searched };
            let found = find(&folders, "clouds").map_err(missing)?;
            where_we_stand(sources, &found)?;
            found
        }
    };
    let mut clouds = parse(&path)?;
    // Passwords stand beside the file that was named, or where python looks for them.
    folders.splice(0..0, named.as_deref().and_then(Path::parent).map(Path::to_owned));
    let secure = match sources.variable("OS_CLIENT_SECURE_FILE") {
        Some(file) => Some(sources.path(file)),
        None => match find(&folders, "secure") {
            // Beside a file that was named it is named as well.
            Ok(found) if named.as_deref().and_then(Path::parent) == found.parent() => Some(found),
            Ok(found) => where_we_stand(sources, &found).map(|()| Some(found))?,
            Err(_) => None,
        },
    };
    if let Some(secure) = &secure {
        for (name, entry) in parse(secure)? {
            let below = clouds.remove(&name).unwrap_or_default();
            clouds.insert(name, entry.over(below));
        }
    }
    Ok((std::iter::once(path).chain(secure).collect(), clouds))
}

fn parse(path: &Path) -> Result<BTreeMap<String, Entry>, CloudError> {
    // A missing file is told below.
    if let Err(Distrust::Foreign(why)) = trust::trusted(path) {
        return Err(CloudError::Untrusted { file: path.to_owned(), why });
    }
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| CloudError::Unreadable { file: path.to_owned(), why: error.to_string() })?;
    // Read twice because `flatten` would go through untyped values.
    let rest: File<Rest> = typed(path, &text)?;
    let mut auth: File<WithAuth> = typed(path, &text)?;
    let clouds = rest.clouds.unwrap_or_default().into_iter();
    let entries = clouds.map(|(name, rest)| {
        let auth = auth.clouds.as_mut().and_then(|clouds| clouds.remove(&name)).flatten();
        let auth = auth.and_then(|auth| auth.auth).unwrap_or_default();
        (name, Entry { auth, rest: rest.unwrap_or_default() })
    });
    Ok(entries.collect())
}

fn typed<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, CloudError> {
    serde_saphyr::from_str(text).map_err(|error| {
        // The error's own text shows the lines around, passwords included.
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let right = "clouds.yaml has `clouds:`, below it each cloud by name with texts (region_name, ...) and `auth:`";
        CloudError::Malformed { file: path.to_owned(), line, column, right }
    })
}

/// The values that the `OS_*` variables give.
pub(super) fn of_variables(sources: &Environment) -> Entry {
    let text = |name: &str| sources.variable(name).map(|value| Hidden::new(value.to_owned()));
    Entry {
        auth: Auth {
            auth_url: text("OS_AUTH_URL"),
            username: text("OS_USERNAME"),
            user_id: text("OS_USER_ID"),
            password: text("OS_PASSWORD"),
            token: text("OS_TOKEN").or_else(|| text("OS_AUTH_TOKEN")),
            user_domain_id: text("OS_USER_DOMAIN_ID"),
            user_domain_name: text("OS_USER_DOMAIN_NAME"),
            domain_id: text("OS_DOMAIN_ID"),
            domain_name: text("OS_DOMAIN_NAME"),
            project_id: text("OS_PROJECT_ID"),
            project_name: text("OS_PROJECT_NAME"),
            tenant_id: text("OS_TENANT_ID"),
            tenant_name: text("OS_TENANT_NAME"),
            project_domain_id: text("OS_PROJECT_DOMAIN_ID"),
            project_domain_name: text("OS_PROJECT_DOMAIN_NAME"),
            application_credential_id: text("OS_APPLICATION_CREDENTIAL_ID"),
            application_credential_name: text("OS_APPLICATION_CREDENTIAL_NAME"),
            application_credential_secret: text("OS_APPLICATION_CREDENTIAL_SECRET"),
        },
        rest: Rest {
            auth_type: text("OS_AUTH_TYPE"),
            region_name: text("OS_REGION_NAME"),
            interface: text("OS_INTERFACE"),
            endpoint_type: text("OS_ENDPOINT_TYPE"),
            cacert: text("OS_CACERT"),
            verify: text("OS_VERIFY"),
            insecure: text("OS_INSECURE"),
            profile: None,
            identity_endpoint_override: text("OS_IDENTITY_ENDPOINT_OVERRIDE"),
            key_manager_endpoint_override: text("OS_KEY_MANAGER_ENDPOINT_OVERRIDE"),
            barbican_endpoint_override: text("OS_BARBICAN_ENDPOINT_OVERRIDE"),
            object_store_endpoint_override: text("OS_OBJECT_STORE_ENDPOINT_OVERRIDE"),
            swift_endpoint_override: text("OS_SWIFT_ENDPOINT_OVERRIDE"),
        },
    }
}
