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

#[cfg(test)]
mod tests {
    use super::*;

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
