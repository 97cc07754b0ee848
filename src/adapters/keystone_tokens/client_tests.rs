//! The client against a small server on loopback that answers what it is told to and keeps what it was sent.

use super::*;
use crate::domain::transport::Exceptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers each connection with the next of these, then ends; gives the requests.
async fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let mut buffer = [0; 4096];
            while !is_whole(&text) {
                let count = stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the request was cut off: {text}");
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            requests.push(text);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (url, serving)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn client(url: &str) -> TokenClient {
    TokenClient::new(parameters(url)).unwrap()
}

fn parameters(url: &str) -> TokenParameters {
    TokenParameters {
        node: "node1".into(),
        url: url.into(),
        ca_file: None,
        verify: true,
        transport: Transport::new(Exceptions::default()),
        connect: Duration::from_secs(5),
        read: Duration::from_secs(30),
    }
}

fn credentials() -> Credentials {
    Credentials::ApplicationCredential { id: "a".into(), secret: SecretBytes::new(b"open-sesame".to_vec()) }
}

#[tokio::test]
async fn a_token_is_issued_and_shown_in_both_ways() {
    let issued = answer("201 CREATED", "X-Subject-Token: gAAAA-one\r\n", "{}");
    let told =
        r#"{"token": {"issued_at": "2026-11-24T22:00:00.000000Z", "expires_at": "2026-11-24T23:00:00.000000Z"}}"#;
    let second = answer("201 CREATED", "X-Subject-Token: gAAAA-two\r\n", told);
    let answers = vec![issued, second, answer("401 U", "", "{}"), answer("404 N", "", "{}")];
    let (url, serving) = server(answers).await;
    let client = client(&url);
    let (one, two) = (client.issue(&credentials()).await.unwrap(), client.issue(&credentials()).await.unwrap());
    assert!(!format!("{one:?}").contains("gAAAA"));
    assert_eq!((one.life, two.life), (None, Some(std::time::Duration::from_secs(3600))));
    let own = client.validate_own(&one).await.unwrap();
    let subject = client.validate_subject(&one, &two).await.unwrap();
    assert_eq!((own.way, own.status, subject.way, subject.status), (Way::Own, 401, Way::Subject, 404));
    let requests = serving.await.unwrap();
    assert!(requests[0].starts_with("POST /v3/auth/tokens?nocatalog HTTP/1.1") && requests[0].contains("open-sesame"));
    assert!(requests[2].starts_with("GET /v3/auth/tokens?nocatalog HTTP/1.1"));
    assert!(requests[2].contains("x-auth-token: gAAAA-one") && requests[2].contains("x-subject-token: gAAAA-one"));
    assert!(requests[3].contains("x-auth-token: gAAAA-two") && requests[3].contains("x-subject-token: gAAAA-one"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed_and_nothing_is_sent_twice() {
    let issued = answer("201 CREATED", "x-subject-token: t\r\n", "{}");
    let away = answer("302 Found", "location: /elsewhere\r\n", "");
    let (url, serving) = server(vec![issued, away, answer("503 S", "", "")]).await;
    let client = client(&url);
    let token = client.issue(&credentials()).await.unwrap();
    let statuses =
        [client.validate_own(&token).await.unwrap().status, client.validate_own(&token).await.unwrap().status];
    assert_eq!(statuses, [302, 503]);
    assert_eq!(serving.await.unwrap().len(), 3, "three connections, one request each");
}

#[tokio::test]
async fn a_refused_login_names_the_node_and_never_repeats_the_secret() {
    let said = r#"{"error": {"code": 401, "message": "no: open-sesame is wrong"}}"#;
    let (url, serving) =
        server(vec![answer("401 U", "", said), answer("500 I", "", "{"), answer("201 C", "", "{}")]).await;
    let client = client(&url);
    let fault = client.issue(&credentials()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(fault.message.starts_with("issue a token at node1: 401") && !fault.message.contains("sesame"), "{fault}");
    let fault = client.issue(&credentials()).await.unwrap_err();
    assert!(fault.kind == FaultKind::ServerError(500) && fault.advice().contains("repository"), "{fault}");
    let fault = client.issue(&credentials()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed, "201 without a token");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_not_there_or_breaks_off_is_told_by_name_and_address() {
    let (url, serving) = server(vec!["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".into()]).await;
    let at = client(&url);
    let fault = at.issue(&credentials()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Reset, "{fault}");
    serving.await.unwrap();
    // A port that was free a moment ago may be another test's by now; nobody listens at this one.
    let fault = client("http://127.0.0.1:1/v3").issue(&credentials()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    assert!(fault.message.contains("node1 (127.0.0.1:"), "{fault}");
}

#[test]
fn addresses_that_are_none_or_are_not_protected_are_refused_before_anything_is_sent() {
    let fault = |url: &str| TokenClient::new(parameters(url)).map(|_| ()).unwrap_err();
    for bad in ["node1:5000", "file:///x", "http://me:pass@127.0.0.1/"] {
        assert_eq!(fault(bad).kind, FaultKind::Invalid, "{bad}");
        assert!(!fault(bad).message.contains("pass"));
    }
    assert_eq!(fault("http://10.0.0.1:5000/v3").kind, FaultKind::Refused);
    for (given, wanted) in
        [("https://h:5000", "/v3/auth/tokens"), ("https://h/identity/v3/", "/identity/v3/auth/tokens")]
    {
        assert_eq!(tokens("n", given).unwrap().path(), wanted);
    }
}
