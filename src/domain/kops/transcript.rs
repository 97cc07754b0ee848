//! Every output of a real kops 1.36.2, as it was recorded, read by what reads it here.

use super::group::{self, Coverage, coverage};
use super::keypair::{Keypair, KeypairId, read};
use super::keyset::{GENERAL, Keysets, Role, is_rotatable};
use super::said::{self, Deed, DryRun, dry_run};
use super::track::{Standing, Track};
use super::version::{Procedure, Version};

const TRANSCRIPT: &str = include_str!("../../../tests/kops/transcript.txt");

/// A command with what it printed on standard output and on standard error, and its exit status.
struct Ran {
    command: String,
    out: String,
    err: String,
    exit: i32,
}

fn all() -> Vec<Ran> {
    let mut found: Vec<Ran> = Vec::new();
    let mut is_open = false;
    for line in TRANSCRIPT.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Ran { command: command.to_owned(), out: String::new(), err: String::new(), exit: -1 });
            is_open = true;
        } else if let Some(ran) = found.last_mut().filter(|_| is_open) {
            if let Some(exit) = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
                ran.exit = exit.parse().unwrap();
                is_open = false;
            } else if let Some(text) = line.strip_prefix("[stderr] ") {
                ran.err.push_str(&format!("{text}\n"));
            } else if let Some(text) = line.strip_suffix("<no newline>") {
                ran.out.push_str(text);
            } else {
                ran.out.push_str(&format!("{line}\n"));
            }
        }
    }
    assert!(found.len() > 50 && !is_open, "{}", found.len());
    found
}

fn outputs(command: &str) -> Vec<Ran> {
    all().into_iter().filter(|ran| ran.command == command).collect()
}

fn keysets(ran: &Ran) -> Keysets {
    Keysets::of(read(&ran.out).unwrap())
}

#[test]
fn every_listing_is_read_and_an_error_is_none() {
    let mut forms = [0; 3];
    for ran in all().iter().filter(|ran| ran.command.starts_with("kops get keypairs")) {
        let pairs = match read(&ran.out) {
            Ok(pairs) => pairs,
            Err(why) => {
                assert_eq!((ran.exit, ran.err.starts_with("Error: ")), (1, true), "{}: {why}", ran.command);
                continue;
            }
        };
        assert_eq!(ran.exit, 0, "{}", ran.command);
        forms[if ran.command.ends_with("json") { 0 } else { usize::from(!ran.command.ends_with("yaml")) + 1 }] += 1;
        let all = Keysets::of(pairs.clone());
        for keyset in all.names() {
            assert_eq!(pairs.iter().filter(|pair| pair.keyset == keyset && pair.primary).count(), 1, "{}", ran.command);
            assert!(all.pairs(keyset).iter().all(|pair| pair.has_private && !pair.issued.is_empty()), "{}", ran.out);
        }
    }
    assert_eq!(forms, [3, 1, 7], "as JSON, as YAML, as tables");
}

#[test]
fn the_forms_say_the_same() {
    let json = read(&outputs("kops get keypairs kubernetes-ca -o json")[0].out).unwrap();
    let yaml = read(&outputs("kops get keypairs kubernetes-ca -o yaml")[0].out).unwrap();
    assert_eq!(json, yaml);
    let table = read(&outputs("kops get keypairs")[0].out).unwrap();
    let day = |pair: Keypair| Keypair { issued: pair.issued[..10].into(), expires: pair.expires[..10].into(), ..pair };
    let general: Vec<Keypair> = table.into_iter().filter(|pair| pair.keyset == GENERAL).collect();
    assert_eq!(general, json.into_iter().map(day).collect::<Vec<_>>());
    // Of what is distrusted the table says since when, in a column of its own.
    let json = &outputs("kops get keypairs kubernetes-ca --distrusted -o json")[0];
    let table = keysets(&outputs("kops get keypairs --distrusted")[0]);
    let roles = |all: &Keysets| all.pairs(GENERAL).iter().map(|pair| all.role(pair)).collect::<Vec<_>>();
    assert_eq!(roles(&keysets(json)), [Role::Distrusted, Role::Primary]);
    assert_eq!(roles(&table), [Role::Distrusted, Role::Primary]);
    assert_eq!(table.pairs(GENERAL)[0].distrusted.as_deref(), Some("2026-11-23"));
    assert!(table.pairs(GENERAL)[1].distrusted.is_none() && table.pairs(GENERAL)[1].has_private);
}

#[test]
fn eight_keysets_can_be_rotated_and_each_goes_the_whole_way() {
    let tables = outputs("kops get keypairs");
    let before = keysets(&tables[0]);
    assert_eq!(before.rotatable().count(), 8);
    assert!(!is_rotatable("kubelet") && !is_rotatable("kube-proxy") && is_rotatable("discovery-ca"));
    let mut tracks: Vec<Track> = before.rotatable().map(|name| Track::begin(&before, name).unwrap()).collect();
    let staged = keysets(&tables[1]);
    for (at, track) in tracks.iter_mut().enumerate() {
        assert_eq!(track.standing(&staged), Ok(Standing::Before), "nothing was recorded yet");
        let left = track.left_by_a_create(&staged).unwrap();
        let created = said::read(&outputs("kops create keypair all")[0].out);
        assert!(created.contains(&(Deed::Created, track.keyset.clone(), left.clone().unwrap())), "{at}");
        track.new = left;
        assert_eq!(staged.of_role(&track.keyset, Role::Staged).count(), 1);
    }
    let standing = |text: &Ran| tracks.iter().map(|track| track.standing(&keysets(text))).collect::<Vec<_>>();
    let distrusted = &outputs("kops get keypairs --distrusted")[0];
    for (text, wanted) in
        [(&tables[1], Standing::Staged), (&tables[2], Standing::Promoted), (distrusted, Standing::Distrusted)]
    {
        assert!(standing(text).into_iter().all(|found| found == Ok(wanted)), "{wanted:?}");
    }
    // Without the flag a distrusted one is not listed: that looks as if it were gone.
    assert!(standing(&tables[3]).into_iter().all(|found| found.is_err()));
}

#[test]
fn what_somebody_else_has_changed_is_seen() {
    let tables = outputs("kops get keypairs");
    let (before, staged, promoted) = (keysets(&tables[0]), keysets(&tables[1]), keysets(&tables[2]));
    let track = Track::begin(&before, GENERAL).unwrap();
    assert!(track.standing(&promoted).unwrap_err().contains("is primary, which this case has not made so"));
    let mut two = staged.pairs(GENERAL).to_vec();
    let other = KeypairId::new("7711396150711816090542351999").unwrap();
    two.push(Keypair { id: other.clone(), ..two[1].clone() });
    let two = Keysets::of(two);
    assert!(track.left_by_a_create(&two).unwrap_err().contains("one was asked for"));
    let ours = Track { new: Some(staged.pairs(GENERAL)[1].id.clone()), ..track };
    assert!(ours.standing(&two).unwrap_err().contains("made by somebody else"));
    assert!(ours.standing(&before).unwrap_err().contains("is gone"));
}

#[test]
fn what_a_verb_says_is_read_in_any_order_and_silence_says_nothing() {
    for (command, deed) in [
        ("kops create keypair all", Deed::Created),
        ("kops promote keypair all", Deed::Promoted),
        ("kops distrust keypair all", Deed::Distrusted),
    ] {
        let ran = &outputs(command)[0];
        assert_eq!(said::read(&ran.out).iter().filter(|(said, ..)| *said == deed).count(), 8, "{command}");
    }
    assert!(said::read(&outputs("kops promote keypair all")[1].out).is_empty());
    let trusted = outputs("kops trust keypair kubernetes-ca 7711396117662330652182436515");
    assert_eq!((said::read(&trusted[0].out).len(), said::read(&trusted[1].out).len()), (1, 0));
}

#[test]
fn updates_groups_and_the_version_are_read() {
    assert_eq!(dry_run(&outputs("kops update cluster")[0].out), DryRun::NoChange);
    assert_eq!(dry_run(&outputs("kops update cluster --yes")[0].out), DryRun::Untold);
    let groups = group::read(&outputs("kops rolling-update cluster --cloudonly")[0].out).unwrap();
    assert_eq!(
        groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(),
        ["control-plane-main", "nodes-main"]
    );
    assert_eq!(coverage(&groups), Coverage::All(0));
    assert!(group::read(&outputs("kops rolling-update cluster")[0].out).is_err());
    let version = Version::read(&outputs("kops version")[0].out).unwrap();
    assert_eq!((version.to_string().as_str(), version.procedure(3)), ("1.36.2", Procedure::Graceful));
}

#[test]
fn ids_are_compared_as_numbers() {
    let id = |text: &str| KeypairId::new(text).unwrap();
    assert!(
        id("9") < id("10")
            && id("0") < id("1")
            && id("7711396117662330652182436515") < id("7711396150711816090542351578")
    );
    for bad in ["", "12a", "-1", "1 2", &"1".repeat(50)] {
        assert!(KeypairId::new(bad).is_err(), "{bad:?}");
    }
}
