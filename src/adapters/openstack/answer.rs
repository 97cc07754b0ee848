//! An answer of an OpenStack service, whole: its JSON, or the fault that its status and the text of its body mean; sending
//! is left to `http`.

use crate::domain::fault::{Fault, FaultKind, Service};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use zeroize::Zeroizing;

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Wiped when dropped: it may be a payload.
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the connection ends with this answer, by the word of whoever gave it.
    pub(super) fn closes(&self) -> bool {
        let says = self.headers.get_all("connection").iter().filter_map(|value| value.to_str().ok());
        says.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("close"))
    }

    /// The answer if it says 2xx, else the fault that its status and text mean. `what` is what failed.
    pub(super) fn accept(self, service: Service, what: &str) -> Result<Self, Fault> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal(service, what, &[])) }
    }

    /// The fault that a status other than 2xx means. Texts that repeat a piece of `hidden` are not shown: Barbican quotes
    /// what it did not understand.
    pub(super) fn refusal(&self, service: Service, what: &str, hidden: &[&[u8]]) -> Fault {
        let code = self.status.as_u16();
        let mut text = self.description();
        if hidden.iter().any(|secret| repeats(&text, secret)) {
            text = "(the answer repeats what was sent and is not shown)".into();
        }
        let quota = text.to_ascii_lowercase().contains("quota");
        let kind = match code {
            401 => FaultKind::Unauthorized,
            403 | 413 if quota => FaultKind::Quota,
            413 if service == Service::Swift => FaultKind::Quota,
            403 => FaultKind::Forbidden,
            404 => FaultKind::NotFound,
            409 | 412 => FaultKind::Conflict,
            429 => FaultKind::TooMany,
            500..=599 => FaultKind::ServerError(code),
            _ => FaultKind::Unexpected(code),
        };
        let reason = self.status.canonical_reason().unwrap_or_default().to_lowercase();
        let colon = if text.is_empty() { "" } else { ": " };
        Fault::new(service, kind, format!("{what}: {code} {reason}{colon}{text}"))
    }

    /// The answer read as JSON.
    pub(super) fn json<'a, T: serde::Deserialize<'a>>(&'a self, service: Service, what: &str) -> Result<T, Fault> {
        // serde_json's message names a place and never the content of a string.
        serde_json::from_slice(&self.body).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Fault::new(service, FaultKind::Malformed, format!("{what}: the answer is not the JSON expected ({place})"))
        })
    }

    /// The sentence in an error's body: Barbican's `description`, the middleware's and Keystone's `error.message`, or the
    /// text of Swift's HTML.
    fn description(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Inner {
            message: Option<String>,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            description: Option<String>,
            message: Option<String>,
            error: Option<Inner>,
        }
        let end = self.body.len().min(8 * 1024);
        match serde_json::from_slice::<Body>(&self.body) {
            Ok(body) => {
                body.description.or(body.error.and_then(|inner| inner.message)).or(body.message).unwrap_or_default()
            }
            Err(_) => without_tags(&String::from_utf8_lossy(&self.body[..end])),
        }
    }
}

/// Whether the text holds any 8 bytes in a row of the secret (or all of a shorter one).
fn repeats(text: &str, secret: &[u8]) -> bool {
    let piece = secret.len().min(8);
    piece > 3 && secret.windows(piece).any(|window| text.as_bytes().windows(piece).any(|part| part == window))
}

/// The text of an HTML page, without its tags and its title.
fn without_tags(page: &str) -> String {
    let page = match (page.find("<title>"), page.find("</title>")) {
        (Some(start), Some(end)) if start < end => format!("{} {}", &page[..start], &page[end..]),
        _ => page.to_owned(),
    };
    let mut text = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn a_quota_and_a_missing_role_are_told_apart_by_the_text() {
        let refusal = |body| answer(403, body).refusal(Service::Barbican, "store", &[]);
        let quota = r#"{"code": 403, "description": "Creation not allowed because a quota has been reached."}"#;
        assert_eq!(refusal(quota).kind, FaultKind::Quota);
        let role = r#"{"code": 403, "description": "Secret creation attempt not allowed"}"#;
        assert_eq!(refusal(role).kind, FaultKind::Forbidden);
        assert_eq!(refusal(role).message, "store: 403 forbidden: Secret creation attempt not allowed");
    }

    #[test]
    fn the_text_of_every_kind_of_body_is_found() {
        let text = |body| answer(503, body).description();
        assert_eq!(text(r#"{"error": {"code": 401, "title": "Unauthorized", "message": "who?"}}"#), "who?");
        assert_eq!(text("<html><title>x</title><h1>Down</h1><p>Later.</p></html>"), "Down Later.");
        assert_eq!(text(""), "");
    }

    #[test]
    fn an_answer_that_quotes_the_payload_is_not_shown() {
        let body = r#"{"description": "'xxSECRETKEYxx' is not valid"}"#;
        let fault = answer(400, body).refusal(Service::Barbican, "store", &[b"AASECRETKEYAA"]);
        assert!(!fault.message.contains("SECRETK"), "{}", fault.message);
    }
}
