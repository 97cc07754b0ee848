//! The answers that the proxy makes itself.

/// A whole answer of HTTP.
pub fn made(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let retry = if matches!(status, 429 | 503) { "retry-after: 1\r\n" } else { "" };
    let length = body.len();
    format!("HTTP/1.1 {status} Spoiled\r\ncontent-type: {kind}\r\n{retry}content-length: {length}\r\n\r\n{body}").into()
}

/// A refusal as an OpenStack service words it.
pub fn refusal(status: u16) -> Vec<u8> {
    made(
        status,
        "application/json",
        &format!("{{\"code\": {status}, \"title\": \"Spoiled\", \"description\": \"by the proxy\"}}"),
    )
}

/// The like of it in SMTP.
pub fn refused(status: u16) -> Vec<u8> {
    let code = match status {
        401 => "535 5.7.8 authentication",
        403 | 404 => "550 5.1.1 mailbox",
        409 | 412 => "554 5.0.0 transaction",
        503 => "421 4.3.2 closing",
        _ => "451 4.3.0 later",
    };
    format!("{code} spoiled by the proxy\r\n").into()
}
