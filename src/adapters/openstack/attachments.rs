//! What hangs on a secret of Barbican and is lost with it: access control list, user metadata, consumers. Read in a form
//! that can be compared and set again; the secret itself is left to `barbican`.

use super::barbican::{BARBICAN, Barbican};
use super::http::{below, request, to_json, wiped_body, with_json};
use super::secret_document::{Consumer, Metadata, secret_id};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::SecretRef;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An access control list. Barbican also tells when it was made and changed, and refuses a list that holds these.
#[derive(Default, Deserialize, Serialize)]
struct Acl {
    #[serde(default)]
    read: AclRead,
}

#[derive(Deserialize, Serialize)]
struct AclRead {
    #[serde(default)]
    users: Vec<String>,
    #[serde(default = "yes", rename = "project-access")]
    project_access: bool,
}

impl Default for AclRead {
    fn default() -> Self {
        Self { users: Vec::new(), project_access: true }
    }
}

fn yes() -> bool {
    true
}

/// User metadata.
#[derive(Deserialize, Serialize)]
struct UserMetadata {
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// The access control list as JSON text, users in order; `None` for the default one (the whole project may read).
pub(super) async fn acl(barbican: &Barbican, href: &SecretRef) -> Result<Option<String>, Fault> {
    let what = "read a secret's access control list";
    let mut acl: Acl = read(barbican, href, "acl", what).await?;
    if acl.read.users.is_empty() && acl.read.project_access {
        return Ok(None);
    }
    acl.read.users.sort();
    Ok(Some(text(&acl)?))
}

/// The user metadata.
pub(super) async fn metadata(barbican: &Barbican, href: &SecretRef) -> Result<BTreeMap<String, String>, Fault> {
    Ok(read::<UserMetadata>(barbican, href, "metadata", "read a secret's user metadata").await?.metadata)
}

/// The consumers, each as JSON text of what can be set again, in order.
///
/// The secret's document lists them from version 1.1; before there are none to be seen.
pub(super) async fn consumers(
    barbican: &Barbican,
    href: &SecretRef,
    document: &Metadata,
) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    struct Page {
        consumers: Vec<Consumer>,
    }
    let mut consumers = match &document.consumers {
        Some(consumers) if consumers.is_empty() => return Ok(Vec::new()),
        None => return Ok(Vec::new()),
        // The list of its own has pages of up to 100; a secret with more consumers is not a VPN server's.
        Some(_) => read::<Page>(barbican, href, "consumers?limit=100", "read a secret's consumers").await?.consumers,
    };
    consumers.sort();
    consumers.iter().map(text).collect()
}

/// Sets what `shape` holds on a stored secret. Gives a line for each that could not be set.
pub(super) async fn attach(barbican: &Barbican, href: &SecretRef, shape: &SecretShape) -> Vec<String> {
    let mut failed = Vec::new();
    if let Some(acl) = &shape.acl {
        let outcome = match serde_json::from_str::<Acl>(acl) {
            Ok(acl) => write(barbican, href, Method::PUT, "acl", &acl, "set the access control list").await,
            Err(_) => Err(invalid("set the access control list: the kept one can't be read")),
        };
        failed.extend(outcome.err());
    }
    if !shape.metadata.is_empty() {
        let metadata = UserMetadata { metadata: shape.metadata.clone() };
        failed.extend(write(barbican, href, Method::PUT, "metadata", &metadata, "set the user metadata").await.err());
    }
    for consumer in &shape.consumers {
        let outcome = match serde_json::from_str::<Consumer>(consumer) {
            Ok(consumer) => {
                let what = format!("register the consumer {} {}", consumer.service, consumer.resource_id);
                write(barbican, href, Method::POST, "consumers", &consumer, &what).await
            }
            Err(_) => Err(invalid("register a consumer: the kept one can't be read")),
        };
        failed.extend(outcome.err());
    }
    failed.into_iter().map(|fault| fault.message).collect()
}

fn invalid(message: &str) -> Fault {
    Fault::new(BARBICAN, FaultKind::Invalid, message)
}

fn text<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| invalid("keep a secret's attachment"))
}

/// Reads one of a secret's documents. `part` may carry a query.
async fn read<T>(barbican: &Barbican, href: &SecretRef, part: &str, what: &str) -> Result<T, Fault>
where
    T: serde::de::DeserializeOwned,
{
    let id = secret_id(href)?;
    let (part, query) = part.split_once('?').map_or((part, None), |(part, query)| (part, Some(query)));
    let answer = barbican
        .call(what, |base| {
            let mut url = below(base, ["secrets", id, part]);
            url.set_query(query);
            Ok(request(Method::GET, url))
        })
        .await?;
    answer.accept(BARBICAN, what)?.json(BARBICAN, what)
}

async fn write<T: Serialize>(
    barbican: &Barbican,
    href: &SecretRef,
    method: Method,
    part: &str,
    value: &T,
    what: &str,
) -> Result<(), Fault> {
    let id = secret_id(href)?;
    let body = wiped_body(to_json(value, 4 * 1024)?);
    let answer = barbican
        .call(what, |base| Ok(with_json(request(method.clone(), below(base, ["secrets", id, part])), body.clone())))
        .await?;
    answer.accept(BARBICAN, what).map(drop)
}
