//! The kubeconfigs that the lab's `kops` writes: certificates and credentials that say whose they are, and nothing that is secret.

use base64ct::{Base64, Encoding};
use std::collections::BTreeSet;

/// One that trusts these, with a credential that this keypair has signed.
pub(super) fn write<'a>(trusted: impl Iterator<Item = &'a String>, issuer: Option<&str>) -> String {
    let pem = |id: &String| {
        let body = Base64::encode_string(id.as_bytes());
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    let authority = Base64::encode_string(trusted.map(pem).collect::<String>().as_bytes());
    let user = issuer.map_or_else(
        || "users: null\n".to_owned(),
        |issuer| {
            let data = Base64::encode_string(format!("issuer {issuer}").as_bytes());
            format!("users:\n- name: lab\n  user:\n    client-certificate-data: {data}\n    client-key-data: bGFi\n")
        },
    );
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {authority}\n    server: https://127.0.0.1\n  name: lab\nkind: Config\n{user}"
    )
}

/// Whose certificates it trusts, and which keypair has signed its credential.
pub(super) fn read(text: &str) -> (BTreeSet<String>, Option<String>) {
    let field = |name: &str| {
        let data = text.lines().find_map(|line| line.trim_start().strip_prefix(name))?;
        String::from_utf8(Base64::decode_vec(data.trim()).ok()?).ok()
    };
    let pem = field("certificate-authority-data:").unwrap_or_default();
    let bodies = pem.lines().filter(|line| !line.starts_with("-----"));
    let ids = bodies.filter_map(|line| String::from_utf8(Base64::decode_vec(line).ok()?).ok()).collect();
    let issuer = field("client-certificate-data:").and_then(|text| Some(text.strip_prefix("issuer ")?.to_owned()));
    (ids, issuer)
}
