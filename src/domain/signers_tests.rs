//! The list of signers, line by line, as ssh-keygen(1) has it.

use super::*;

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICdjFt8DNEVTGtzB9laj0CuBA/LBZGVvla9a6vq64SeV";
const SK: &str = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=";

fn key(line: &str) -> SignerKey {
    SignerKey::parse(line).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOW: &str = "2026-11-24T22:00:00Z";

fn list(text: &str) -> Signers {
    Signers::parse(text, &TimeZone::UTC).unwrap()
}

fn who(text: &str, line: &str) -> Result<String, String> {
    list(text).who(&key(line), at(NOW)).map(|signer| signer.person)
}

#[test]
fn a_listed_key_is_its_persons_and_another_is_nobodys() {
    let text = format!("# who may approve\n\nada@example.net {A} ada's laptop\nbob@example.net\t{B}\n");
    assert_eq!(who(&text, A), Ok("ada@example.net".into()));
    assert_eq!(who(&text, B), Ok("bob@example.net".into()));
    assert!(who(&text, SK).unwrap_err().contains("is not in the list"));
    assert_eq!(list(&text).people(at(NOW)), 2);
}

#[test]
fn whoever_shares_a_name_or_a_key_is_one_person() {
    let two_keys = format!("ada {A}\nada@work,ada {B}\n");
    assert_eq!(who(&two_keys, B), Ok("ada".into()));
    let one_key = format!("ada {A}\nbob {B}\neve {A}\neve {SK}\n");
    assert_eq!(
        (who(&one_key, A), who(&one_key, SK), who(&one_key, B)),
        (Ok("ada".into()), Ok("ada".into()), Ok("bob".into()))
    );
    // In a chain, whatever the order.
    let chain = format!("one {A}\ntwo {B}\nthree,two {SK}\nthree,one {SK}\n");
    assert_eq!(list(&chain).people(at(NOW)), 1);
}

#[test]
fn a_key_counts_from_and_until_the_moments_that_are_listed() {
    for (options, counts) in [
        ("valid-before=\"20261125Z\"", true),
        ("valid-before=20261124Z", false),
        ("valid-before=\"202611242200Z\"", true),
        ("valid-before=\"20261124215959Z\"", false),
        ("valid-after=\"20261124\",valid-before=20261201", true),
        ("valid-after=20261125Z", false),
        ("VALID-AFTER=\"20261124220001Z\"", false),
    ] {
        let found = who(&format!("ada {options} {A}"), A);
        assert_eq!(found.is_ok(), counts, "{options}: {found:?}");
    }
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let list = Signers::parse(&format!("ada valid-before=202611242230 {A}"), &berlin).unwrap();
    assert!(list.who(&key(A), at("2026-11-24T21:29:00Z")).is_ok());
    assert!(
        list.who(&key(A), at("2026-11-24T21:31:00Z")).unwrap_err().contains("was valid until 2026-11-24 21:30 UTC")
    );
}

#[test]
fn a_key_counts_only_for_what_it_is_listed_for() {
    for (options, counts) in [
        ("namespaces=\"approval@changeguard\"", true),
        ("namespaces=\"git,approval@*\"", true),
        ("namespaces=\"file\"", false),
        ("namespaces=\"*,!approval@changeguard\"", false),
        ("namespaces=\"approval@changeguar?\"", true),
        ("namespaces=\"\"", false),
    ] {
        let found = who(&format!("ada {options} {A}"), A);
        assert_eq!(found.is_ok(), counts, "{options}: {found:?}");
    }
}

#[test]
fn what_is_right_but_can_not_be_used_here_is_passed_over_and_named() {
    let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQDe";
    let text = format!("*@example.net {A}\nada cert-authority {A}\nbob {rsa}\n!eve,ada {A}\nbob@example.net {B}\n");
    let list = list(&text);
    assert!(list.who(&key(A), at(NOW)).is_err(), "neither a pattern nor an authority is a person");
    assert!(list.who(&key(B), at(NOW)).is_ok());
    let told = list.passed_over().join("\n");
    for part in [
        "line 1 names no person",
        "line 2 is a certificate authority",
        "line 3 is a key of a kind",
        "line 4 names no person",
    ] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
}

#[test]
fn a_list_with_a_line_that_can_not_be_read_counts_as_a_whole_for_nothing() {
    for line in [
        "ada",
        "ada ssh-ed25519",
        "ada ssh-ed25519 AAAA",
        "ada ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM",
        &format!("ada unknown-option {A}"),
        &format!("ada valid-before=tomorrow {A}"),
        &format!("ada valid-before=20261345 {A}"),
        &format!("ada valid-before=2026112 {A}"),
        &format!("ada valid-after=20261201Z,valid-before=20261101Z {A}"),
        &format!("\"ada {A}"),
        &format!(",ada {A}"),
        &format!("a\u{202e}da {A}"),
    ] {
        let text = format!("bob {B}\n{line}\n");
        let refused = Signers::parse(&text, &TimeZone::UTC);
        assert!(refused.as_ref().is_err_and(|why| why.starts_with("line 2 ")), "{line:?}: {refused:?}");
    }
}

#[test]
fn patterns_match_as_those_of_ssh_do_and_cost_little() {
    for (pattern, text, matches) in
        [("a*c", "abbbc", true), ("a*c", "ab", false), ("*", "", true), ("?", "", false), ("a?c", "abc", true)]
    {
        assert_eq!(matches_glob(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
    }
    let (pattern, text) = ("*a".repeat(200) + "b", "a".repeat(2000));
    assert!(!matches_glob(pattern.as_bytes(), text.as_bytes()));
}
