//! The script that runs on the server, and how placeholders are filled.
//!
//! It can only read: the fields asked for are public. `wg show IF dump`, `showconf` and `private-key` print the private key
//! and must never stand here; a test holds that.

/// The fields that are read, in this order, with the section's name in the output.
pub(super) const FIELDS: [&str; 5] = ["public-key", "latest-handshakes", "endpoints", "transfer", "allowed-ips"];

/// The whole script. Words and `&&` only, so that any login shell takes it; the first failure ends it.
pub(super) fn read(wg: &str, interface: &str) -> String {
    let mut script = String::from("echo @clock && date +%s");
    for field in FIELDS {
        script.push_str(&format!(" && echo @{field} && {wg} show {interface} {field}"));
    }
    script.push_str(" && echo @end");
    script
}

/// What wg-quick accepts as an interface, and no shell interprets.
pub(super) fn is_interface(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.=+-".contains(&byte);
    (1..=15).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-')
}

/// A host that ssh can't take for an option.
pub(super) fn is_host(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@-".contains(&byte);
    (1..=253).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-')
}

/// Replaces placeholders in one pass: a value that looks like a placeholder is left alone.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_reads_public_fields_only() {
        let script = read("sudo -n wg", "wg0");
        let calls: Vec<&str> = script.split(" && ").filter(|part| part.contains("wg")).collect();
        let expected: Vec<String> = FIELDS.iter().map(|field| format!("sudo -n wg show wg0 {field}")).collect();
        assert_eq!(calls, expected);
        for forbidden in
            ["dump", "showconf", "private", "preshared", "set ", "syncconf", "all", ">", "|", "$", "`", ";"]
        {
            // "all" would also be refused inside "allowed-ips", which is the field's name
            assert!(!script.replace("allowed-ips", "").contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn names_that_a_shell_or_ssh_would_interpret_are_no_names() {
        for bad in ["", "wg0;x", "wg 0", "-a", "wg0\n", "sixteencharacter", "$x", "wg/0"] {
            assert!(!is_interface(bad), "{bad:?}");
        }
        assert!(is_interface("wg-acme_0.1"));
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "a'b"] {
            assert!(!is_host(bad), "{bad:?}");
        }
        assert!(is_host("ops@vpn-acme.example.net"));
    }

    #[test]
    fn values_are_not_filled_again() {
        let filled = fill("{server} {x} {read}", &[("{server}", "{read}"), ("{read}", "r")]);
        assert_eq!(filled, "{read} {x} r");
    }
}
