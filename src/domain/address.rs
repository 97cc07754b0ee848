//! Mail addresses, as far as it matters whose they are.

/// An address without what says nothing about whose it is: case, and the detail behind a `+` (RFC 5233).
pub fn mailbox_of(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    match lower.rsplit_once('@') {
        Some((local, domain)) => {
            let plain = local.split_once('+').map_or(local, |(plain, _)| plain);
            format!("{}@{domain}", if plain.is_empty() { local } else { plain })
        }
        None => lower,
    }
}

/// Whether two addresses are one mailbox, case and detail aside.
pub fn same_mailbox(a: &str, b: &str) -> bool {
    mailbox_of(a) == mailbox_of(b)
}

/// Whether it is a plain mail address: one that something can be sent to. Whatever else stands where somebody is reached is for a person.
pub fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"@<>(),;:\\\"[]".contains(c));
    is_plain(local) && is_plain(domain) && domain.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_address_is_mailed_by_nobody() {
        assert!(is_mailbox("ada@x.example") && is_mailbox("ada+k8s@x.example"));
        for other in [
            "",
            "ada",
            "#platform",
            "ada@",
            "@x.example",
            "ada@host",
            "Ada <ada@x.example>",
            "a b@x.example",
            "a@b@x.example",
        ] {
            assert!(!is_mailbox(other), "{other}");
        }
    }

    #[test]
    fn case_and_detail_are_no_other_address_and_everything_else_is() {
        for same in ["ada@x.example", "Ada@X.Example", "ada+vpn@x.example", " ADA+a+b@x.example "] {
            assert!(same_mailbox(same, "ada@x.example"), "{same}");
        }
        for other in ["ada@y.example", "ad.a@x.example", "ada@x.example.y", "+ada@x.example", "ada", "", "+@x.example"]
        {
            assert!(!same_mailbox(other, "ada@x.example"), "{other}");
        }
    }
}
