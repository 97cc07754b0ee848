//! Swift as the store of one object: read with everything that identifies and belongs to this version, write with an MD5
//! check on arrival. What the bytes mean is left to the engine.

use super::answer::Answer;
use super::catalog::Kind;
use super::http::{DOCUMENT, below, request, with};
use super::keystone::Session;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::{Fence, ObjectStore, StoredObject};
use async_trait::async_trait;
use bytes::Bytes;
use md5::{Digest, Md5};
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use std::fmt::Write as _;
use std::sync::Arc;

const SWIFT: Service = Service::Swift;

/// The largest object that is read: the file of a tenant's users is some kilobytes.
const LARGEST: usize = 32 * 1024 * 1024;

/// Headers besides `X-Object-Meta-*` that belong to an object and are lost by an upload that does not repeat them.
const KEPT: [&str; 4] = ["content-encoding", "content-disposition", "cache-control", "x-delete-at"];

/// One object of one container.
pub(super) struct Swift {
    session: Arc<Session>,
    fence: Arc<dyn Fence>,
    container: String,
    object: String,
}

impl Swift {
    pub(super) fn new(session: Arc<Session>, fence: Arc<dyn Fence>, container: String, object: String) -> Self {
        Self { session, fence, container, object }
    }

    /// The object's address. A slash in its name stays one; a container's name has none.
    fn url(&self, account: &Url) -> Url {
        self.url_of(account, &self.object)
    }

    fn url_of(&self, account: &Url, object: &str) -> Url {
        below(account, std::iter::once(self.container.as_str()).chain(object.split('/')))
    }

    fn named(&self) -> String {
        format!("{} in container {}", self.object, self.container)
    }

    async fn send(&self, method: Method, what: &str, most: usize) -> Result<Answer, Fault> {
        let build = |account: &Url| {
            // All replicas are asked and the newest version is given.
            Ok(with(request(method.clone(), self.url(account)), "x-newest", "true"))
        };
        self.session.send(&*self.fence, Kind::ObjectStore, what, most, build).await
    }

    /// Whether there is such an object. A missing container is `false` as well.
    pub(super) async fn exists(&self) -> Result<bool, Fault> {
        let what = format!("look for {}", self.named());
        let answer = self.send(Method::HEAD, &what, DOCUMENT).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            _ => answer.accept(SWIFT, &what).map(|_| true),
        }
    }

    /// The answer if it says 2xx. 404 does not tell what is missing, so the container is asked.
    async fn accept(&self, answer: Answer, what: &str) -> Result<Answer, Fault> {
        if answer.status != StatusCode::NOT_FOUND {
            return answer.accept(SWIFT, what);
        }
        let build = |account: &Url| Ok(request(Method::HEAD, below(account, [self.container.as_str()])));
        let container =
            self.session.send(&*self.fence, Kind::ObjectStore, "look for the container", DOCUMENT, build).await?;
        let missing = |text: String, hint: &str| Err(Fault::new(SWIFT, FaultKind::NotFound, text).hint(hint));
        if container.status.is_success() {
            return missing(
                format!("{what}: container {} exists but holds no object {}", self.container, self.object),
                "check wireguard.object; the console API writes this file when a user of the tenant is added or removed",
            );
        }
        if container.status != StatusCode::NOT_FOUND {
            return container.accept(SWIFT, "look for the container");
        }
        missing(
            format!("{what}: there is no container {} in this project", self.container),
            "check the tenant's id, wireguard.container and that the credential is for the right project; the platform \
             makes the container when the tenant is created",
        )
    }
}

#[async_trait]
impl ObjectStore for Swift {
    fn skew(&self) -> Option<i64> {
        self.session.http.skew(SWIFT)
    }

    async fn get(&self) -> Result<StoredObject, Fault> {
        let what = format!("read {}", self.named());
        let answer = self.send(Method::GET, &what, LARGEST).await?;
        object_of(self.accept(answer, &what).await?, &what)
    }

    /// From the list of versions (Swift's object versioning; without it the query is ignored, and each name stands once).
    async fn replaced(&self, read: &str) -> Result<Option<StoredObject>, Fault> {
        let what = format!("list the versions of {}", self.named());
        let build = |account: &Url| {
            let mut url = below(account, [self.container.as_str()]);
            url.query_pairs_mut()
                .append_pair("format", "json")
                .append_pair("prefix", &self.object)
                .append_pair("limit", "20")
                .append_pair("versions", "");
            Ok(request(Method::GET, url))
        };
        let answer = self.session.send(&*self.fence, Kind::ObjectStore, &what, DOCUMENT, build).await?;
        let versions: Vec<Version> = answer.accept(SWIFT, &what)?.json(SWIFT, &what)?;
        // Newest first for each name.
        let mut of_ours = versions.into_iter().filter(|version| version.name == self.object);
        let Some(Version { version_id: Some(_), is_latest: true, .. }) = of_ours.next() else { return Ok(None) };
        let Some(before) = of_ours.next().filter(|version| version.hash != read) else { return Ok(None) };
        let Some(id) = before.version_id else { return Ok(None) };
        let what = format!("read the version that was replaced of {}", self.named());
        let build = |account: &Url| {
            let mut url = self.url(account);
            url.query_pairs_mut().append_pair("version-id", &id);
            Ok(request(Method::GET, url))
        };
        let answer = self.session.send(&*self.fence, Kind::ObjectStore, &what, LARGEST, build).await?;
        object_of(self.accept(answer, &what).await?, &what).map(Some)
    }

    async fn etag(&self) -> Result<String, Fault> {
        let what = format!("look at {}", self.named());
        let answer = self.send(Method::HEAD, &what, DOCUMENT).await?;
        etag_of(&self.accept(answer, &what).await?, &what)
    }

    /// An empty body is refused: Swift would put it over a good object.
    async fn put(&self, object: &StoredObject) -> Result<(), Fault> {
        let what = format!("write {}", self.named());
        let answer = self.upload(&self.object, object, &what, false).await?;
        self.accept(answer, &what).await.map(drop)
    }

    async fn keep(&self, object: &StoredObject, suffix: &str) -> Result<String, Fault> {
        let name = format!("{}.{suffix}", self.object);
        let what = format!("keep the content of before as {name}");
        let answer = self.upload(&name, object, &what, false).await?;
        answer.accept(SWIFT, &what).map(|_| name)
    }

    async fn kept(&self, suffix: &str) -> Result<Option<StoredObject>, Fault> {
        let name = format!("{}.{suffix}", self.object);
        let what = format!("read {name}");
        let build = |account: &Url| Ok(with(request(Method::GET, self.url_of(account, &name)), "x-newest", "true"));
        let answer = self.session.send(&*self.fence, Kind::ObjectStore, &what, LARGEST, build).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => object_of(answer.accept(SWIFT, &what)?, &what).map(Some),
        }
    }

    /// `If-None-Match: *` is honoured on PUT (412 where there is one).
    async fn put_first(&self, object: &StoredObject) -> Result<bool, Fault> {
        let what = format!("write {} again", self.named());
        let answer = self.upload(&self.object, object, &what, true).await?;
        match answer.status {
            StatusCode::PRECONDITION_FAILED => Ok(false),
            _ => self.accept(answer, &what).await.map(|_| true),
        }
    }

    async fn discard(&self, suffix: &str) -> Result<bool, Fault> {
        let name = format!("{}.{suffix}", self.object);
        let what = format!("remove {name}");
        let build = |account: &Url| Ok(request(Method::DELETE, self.url_of(account, &name)));
        let answer = self.session.send(&*self.fence, Kind::ObjectStore, &what, DOCUMENT, build).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            _ => answer.accept(SWIFT, &what).map(|_| true),
        }
    }
}

impl Swift {
    /// Uploads, `first`: only where there is nothing of the name.
    async fn upload(&self, name: &str, object: &StoredObject, what: &str, first: bool) -> Result<Answer, Fault> {
        if object.bytes.is_empty() || object.bytes.len() > LARGEST {
            let text = format!("{what}: {} bytes are not a file of users", object.bytes.len());
            return Err(Fault::new(SWIFT, FaultKind::Refused, text));
        }
        let bytes = Bytes::copy_from_slice(&object.bytes);
        let headers = headers_of(object).map_err(|name| {
            let text = format!("{what}: the header {name} can't be sent again");
            Fault::new(SWIFT, FaultKind::Invalid, text)
        })?;
        let limit = self.session.http.limits().upload;
        let build = |account: &Url| {
            let mut request: Request = request(Method::PUT, self.url_of(account, name));
            if first {
                request = with(request, "if-none-match", "*");
            }
            request.headers_mut().extend(headers.iter().cloned());
            *request.timeout_mut() = Some(limit);
            *request.body_mut() = Some(bytes.clone().into());
            Ok(request)
        };
        let answer = self.session.send(&*self.fence, Kind::ObjectStore, what, DOCUMENT, build).await?;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            let text = format!("{what}: the upload arrived damaged (its MD5 differs); the object is as it was");
            return Err(Fault::new(SWIFT, FaultKind::Unexpected(422), text).hint("try again"));
        }
        Ok(answer)
    }
}

/// One line of a list of versions.
#[derive(serde::Deserialize)]
struct Version {
    name: String,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(default)]
    is_latest: bool,
}

/// An object with all that belongs to it.
fn object_of(mut answer: Answer, what: &str) -> Result<StoredObject, Fault> {
    let etag = etag_of(&answer, what)?;
    let text = |name: &HeaderName| answer.header(name.as_str()).unwrap_or_default().to_owned();
    let kept = |name: &&HeaderName| name.as_str().starts_with("x-object-meta-") || KEPT.contains(&name.as_str());
    let metadata = answer.headers.keys().filter(kept).map(|name| (name.to_string(), text(name))).collect();
    let (content_type, written) = (text(&CONTENT_TYPE), answer.header("x-timestamp").unwrap_or_default().to_owned());
    Ok(StoredObject { bytes: std::mem::take(&mut *answer.body), etag, written, content_type, metadata })
}

/// The ETag without quotes.
fn etag_of(answer: &Answer, what: &str) -> Result<String, Fault> {
    let etag = answer.header(ETAG.as_str()).map(|etag| etag.trim_matches('"').to_owned());
    etag.filter(|etag| !etag.is_empty()).ok_or_else(|| {
        Fault::new(SWIFT, FaultKind::Malformed, format!("{what}: the answer has no ETag; is this an object store?"))
    })
}

/// Everything that is sent with the bytes; the name of the first header that can't be.
fn headers_of(object: &StoredObject) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let md5 = Md5::digest(&object.bytes).iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let own = [(ETAG.as_str().to_owned(), md5), (CONTENT_TYPE.as_str().to_owned(), object.content_type.clone())];
    own.iter()
        .chain(&object.metadata)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let pair = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()));
            match pair {
                (Ok(name), Ok(value)) => Ok((name, value)),
                _ => Err(name.clone()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_carries_the_md5_the_type_and_the_metadata() {
        let object = StoredObject {
            bytes: b"abc".to_vec(),
            etag: "old".into(),
            written: String::new(),
            content_type: "application/json".into(),
            metadata: vec![("x-object-meta-owner".into(), "iaas-api".into())],
        };
        let headers = headers_of(&object).unwrap();
        let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        assert_eq!(header("etag").unwrap(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(header("content-type").unwrap(), "application/json");
        assert_eq!(header("x-object-meta-owner").unwrap(), "iaas-api");
    }
}
