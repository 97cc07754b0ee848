//! The catalogue that comes with a token: which address each service has in the region and on the interface asked for.

use super::parameters::CloudParameters;
use crate::domain::fault::{Fault, FaultKind, Service};
use reqwest::Url;
use serde::Deserialize;

/// A service of the catalogue that is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Identity,
    KeyManager,
    ObjectStore,
}

impl Kind {
    /// The service, as faults name it.
    pub(super) fn service(self) -> Service {
        match self {
            Kind::Identity => Service::Keystone,
            Kind::KeyManager => Service::Barbican,
            Kind::ObjectStore => Service::Swift,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Identity => "identity",
            Kind::KeyManager => "key-manager",
            Kind::ObjectStore => "object-store",
        }
    }
}

/// A service as the catalogue lists it.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

/// The addresses of the services, or why there is none.
pub(super) struct Catalog {
    identity: Result<Url, Fault>,
    key_manager: Result<Url, Fault>,
    object_store: Result<Url, Fault>,
}

impl Catalog {
    /// Chooses by interface and region; overrides win. A service that is missing is a fault only when it is used.
    pub(super) fn new(entries: Vec<Entry>, project: &str, parameters: &CloudParameters) -> Self {
        let overrides = &parameters.overrides;
        let choose = |kind: Kind, given: &Option<String>| match given {
            Some(url) => {
                // The notation of openstacksdk.
                let url = ["%(project_id)s", "%(tenant_id)s", "$(project_id)s", "$(tenant_id)s"]
                    .iter()
                    .fold(url.clone(), |url, mark| url.replace(mark, project));
                address(kind, &url)
            }
            None => listed(&entries, kind, parameters).and_then(|url| address(kind, url)),
        };
        Self {
            // Requests to Keystone go to auth_url, whatever its catalogue says.
            identity: super::login::versioned(overrides.identity.as_deref().unwrap_or(&parameters.auth_url)),
            // Keystone lists Barbican without /v1, some sites with it.
            key_manager: choose(Kind::KeyManager, &overrides.key_manager).map(|mut url| {
                let path = url.path().trim_end_matches('/').to_owned();
                url.set_path(&if path.ends_with("/v1") { path } else { format!("{path}/v1") });
                url
            }),
            object_store: choose(Kind::ObjectStore, &overrides.object_store),
        }
    }

    /// The address of a service.
    pub(super) fn endpoint(&self, kind: Kind) -> Result<Url, Fault> {
        match kind {
            Kind::Identity => &self.identity,
            Kind::KeyManager => &self.key_manager,
            Kind::ObjectStore => &self.object_store,
        }
        .clone()
    }
}

fn address(kind: Kind, url: &str) -> Result<Url, Fault> {
    match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => Ok(url),
        _ => Err(Fault::new(
            kind.service(),
            FaultKind::Invalid,
            format!("use the {} endpoint {url:?}: it is not an http or https address", kind.word()),
        )),
    }
}

fn listed<'a>(entries: &'a [Entry], kind: Kind, parameters: &CloudParameters) -> Result<&'a str, Fault> {
    let interface = parameters.interface.as_str();
    let region = parameters.region.as_deref();
    let all = || entries.iter().filter(|entry| entry.kind == kind.word()).flat_map(|entry| &entry.endpoints);
    let fits = |endpoint: &&Endpoint| {
        let here = endpoint.region_id.as_deref().or(endpoint.region.as_deref());
        endpoint.interface == interface && region.is_none_or(|wanted| here == Some(wanted))
    };
    if let Some(endpoint) = all().find(fits) {
        return Ok(&endpoint.url);
    }
    let found: Vec<String> = all()
        .map(|endpoint| {
            let region = endpoint.region_id.as_deref().or(endpoint.region.as_deref()).unwrap_or("no region");
            format!("{} in {region}", endpoint.interface)
        })
        .collect();
    let found = if found.is_empty() { "none".into() } else { found.join(", ") };
    let wanted = region.map_or_else(|| interface.to_owned(), |region| format!("{interface} in {region}"));
    let word = kind.word();
    Err(Fault::new(
        kind.service(),
        FaultKind::Invalid,
        format!("find the {word} endpoint ({wanted}) in Keystone's catalogue; there is: {found}"),
    )
    .hint(format!(
        "correct region_name or interface in clouds.yaml, scope the login to a project, or set {}_endpoint_override",
        word.replace('-', "_")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::openstack::parameters::{Credential, Limits, Login, Overrides};
    use crate::engine::secret::SecretBytes;

    fn parameters(region: Option<&str>) -> CloudParameters {
        let credential = Credential::Id("x".into());
        CloudParameters {
            auth_url: "http://k:5000".into(),
            login: Login::ApplicationCredential { credential, secret: SecretBytes::new(vec![]) },
            region: region.map(str::to_owned),
            interface: "public".into(),
            ca_file: None,
            verify: true,
            overrides: Overrides { object_store: Some("http://s/v1/AUTH_%(project_id)s".into()), ..Default::default() },
            limits: Limits::default(),
            transport: Default::default(),
        }
    }

    fn entries() -> Vec<Entry> {
        serde_json::from_str(
            r#"[{"type": "key-manager", "endpoints": [
                {"interface": "internal", "region_id": "one", "url": "http://inner"},
                {"interface": "public", "region_id": "one", "url": "http://b1/key-manager/"},
                {"interface": "public", "region_id": "two", "url": "http://b2/v1"}]}]"#,
        )
        .unwrap()
    }

    #[test]
    fn region_interface_and_overrides_choose_and_the_version_is_added_once() {
        let catalog = |region| Catalog::new(entries(), "p1", &parameters(region));
        assert_eq!(catalog(None).endpoint(Kind::KeyManager).unwrap().as_str(), "http://b1/key-manager/v1");
        assert_eq!(catalog(Some("two")).endpoint(Kind::KeyManager).unwrap().as_str(), "http://b2/v1");
        assert_eq!(catalog(None).endpoint(Kind::ObjectStore).unwrap().as_str(), "http://s/v1/AUTH_p1");
    }

    #[test]
    fn a_region_that_is_not_there_is_told_with_those_that_are() {
        let catalog = Catalog::new(entries(), "p1", &parameters(Some("three")));
        let fault = catalog.endpoint(Kind::KeyManager).unwrap_err();
        assert!(fault.message.contains("public in two"), "{}", fault.message);
    }
}
