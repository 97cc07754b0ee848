//! What goes wrong round a rotation of Fernet keys, and what an operator may not do about it: a check that is old, a word that would
//! end tokens, a node whose API or shell is gone, somebody who rotates half-way, a node that is configured no more.

use super::fernet_case::{back, begin, desk, desk_of, is_clean, nothing_lost, world};
use super::fernet_rig::{Rig, own};
use changeguard::domain::step::StepState;
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::view::Shape;
use changeguard::engine::step::Progress;
use changeguard::runtime::case::{Desk, Onlooker};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Does something once a progress tells this.
struct Once {
    at: &'static str,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Onlooker for Once {
    fn changed(&self, _: &dyn Desk) {}
    fn progress(&self, _: &dyn Desk, progress: Progress) {
        if progress.text.contains(self.at)
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
    }
}

fn aside(fact: &str) -> Order {
    Order::SetAside { fact: fact.into(), reason: "agreed with the platform team".into() }
}

fn all(rig: &Rig) -> Vec<Vec<String>> {
    (0..3).map(|node| rig.names(node)).collect()
}

fn evidence(desk: &impl Desk, step: usize) -> String {
    match &desk.status().steps[step].state {
        StepState::Done { evidence, .. } => evidence.clone(),
        other => panic!("step {}: {other:?}", step + 1),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_looks_is_looked_at_again_before_any_key_changes_whatever_an_earlier_check_had_said() {
    let rig = Rig::new().await;
    let before = all(&rig);
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("check")).await.unwrap();
    rig.cluster().api(1, false);
    let refused = desk.run(begin("rotate")).await.unwrap_err().to_string();
    assert!(refused.contains("node1"), "{refused}");
    assert_eq!(all(&rig), before);
    let status = desk.status();
    assert!(!status.gates["rotate"].is_open(), "{:?}", status.gates);
    assert!(matches!(status.steps[1].state, StepState::Waiting), "nothing was begun: {:?}", status.steps[1]);
    rig.cluster().api(1, true);
    rig.answers(1).await;
    desk.run(begin("rotate")).await.unwrap();
    // The tokens of before are those of the check that this rotation has made.
    assert!(evidence(&desk, 5).contains("36 of 36 tokens accepted (old and new)"), "{}", evidence(&desk, 5));
    nothing_lost(&rig, "rotated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_before_its_time_is_shut_by_policy_and_a_word_with_a_reason_lets_it_through() {
    let rig = Rig::with(|options| options.rotated = Duration::from_secs(3600)).await;
    let mut world = world(&rig);
    world.rules.not_before_shuts_rotate = true;
    let desk = desk_of(&rig, world, Arc::new(Once { at: "-", act: Mutex::default() })).await;
    let shut = desk.run(begin("rotate")).await.unwrap_err().to_string();
    assert!(shut.contains("not-before"), "{shut}");
    assert!(desk.run(begin("check")).await.is_err());
    assert!(desk.run(begin("rotate")).await.is_err());
    desk.run(aside("not-before")).await.unwrap();
    desk.run(Order::Resume).await.unwrap();
    desk.run(begin("rotate")).await.unwrap();
    assert_eq!(desk.status().phase, "half-way");
    // The same word does not count where tokens would end.
    assert!(!desk.status().gates["purge"].is_open(), "{:?}", desk.status().gates);
    assert!(desk.run(begin("purge")).await.is_err());
    nothing_lost(&rig, "rotated before its time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_answers_no_more_holds_up_the_next_ones_at_every_try() {
    let rig = Rig::new().await;
    let before = rig.names(1);
    let cluster = rig.cluster().clone();
    let act: Box<dyn FnOnce() + Send> = Box::new(move || cluster.api(1, false));
    let onlooker = Arc::new(Once { at: "node0 has it in force", act: Mutex::new(Some(act)) });
    let desk = desk_of(&rig, world(&rig), onlooker).await;
    for order in [begin("rotate"), Order::Resume] {
        let failed = desk.run(order).await.unwrap_err().to_string();
        assert!(failed.contains("node1"), "{failed}");
        assert!(!failed.contains("node0 has not answered"), "who is silent is named: {failed}");
        assert_eq!((rig.names(1), rig.names(2)), (before.clone(), before.clone()), "nobody else gets it meanwhile");
        nothing_lost(&rig, "stopped behind the first node");
        let safe = desk.status().safe.unwrap();
        assert!(safe.contains("every token is valid on every node"), "{safe}");
    }
    // Another word goes no other way.
    let again = desk.run(begin("rotate")).await.unwrap_err().to_string();
    assert!(again.contains("has failed: resume"), "{again}");
    rig.cluster().api(1, true);
    rig.answers(1).await;
    desk.run(Order::Resume).await.unwrap();
    assert_eq!(desk.status().phase, "half-way");
    assert_eq!(rig.names(0), rig.names(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_keeps_no_other_from_being_put_back_and_is_put_back_once_it_is_there() {
    let rig = Rig::new().await;
    let before = rig.names(0);
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    let new = rig.token(0).await;
    rig.cluster().power(2, false);
    let failed = desk.run(back()).await.unwrap_err().to_string();
    assert!(failed.contains("node2") && failed.contains("the others are put back"), "{failed}");
    for node in [0, 1] {
        assert_eq!(rig.names(node).iter().filter(|name| before.contains(name)).count(), before.len(), "node{node}");
        assert_eq!(own(rig.port(node), &new).await, 200, "issued meanwhile");
    }
    let status = desk.status();
    assert_eq!(status.phase, "rolling back");
    assert!(matches!(status.steps[5].state, StepState::Waiting), "verified is no more: {:?}", status.steps[5]);
    rig.cluster().power(2, true);
    desk.run(Order::Resume).await.unwrap();
    let status = desk.status();
    assert_eq!(
        (status.ended, status.steps[4].word(), status.steps[5].word()),
        (Some("rolled back"), "undone", "waiting")
    );
    nothing_lost(&rig, "back");
    let names = rig.names(0);
    is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), "back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_rotates_half_way_is_no_dead_end_for_the_way_back() {
    let rig = Rig::new().await;
    let old = rig.token(1).await;
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    rig.rotate(0).await;
    desk.look().await;
    let gates = desk.status().gates;
    assert!(!gates["purge"].is_open(), "{gates:?}");
    // Tokens may be refused there now: that is nobody's waiting, and stands first.
    let first = desk.status().attention.into_iter().next().unwrap_or_default();
    assert!(first.starts_with("digests: ") && first.contains("node0"), "{first}");
    desk.run(back()).await.unwrap();
    assert_eq!(desk.status().ended, Some("rolled back"));
    assert_eq!((rig.names(0), rig.names(1)), (rig.names(1), rig.names(2)));
    for node in 0..3 {
        assert_eq!(own(rig.port(node), &old).await, 200, "what was saved is known to node{node} again");
        let token = rig.token(node).await;
        assert_eq!(own(rig.port((node + 1) % 3), &token).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_only_one_node_has_is_lent_to_the_others_on_the_way_back() {
    for how in ["rotates twice", "a key of his own"] {
        let rig = Rig::new().await;
        let old = rig.token(1).await;
        let desk = desk(&rig, Arc::default()).await;
        desk.run(begin("rotate")).await.unwrap();
        let node = if how == "rotates twice" { 0 } else { 1 };
        match node {
            0 => {
                rig.rotate(0).await;
                rig.rotate(0).await;
            }
            _ => {
                let key = "head -c 32 /dev/urandom | base64 | tr +/ -_ > $K/99; chown --reference=$K/0 $K/99; chmod 600 $K/99";
                rig.out(1, &format!("K={}; {key}", rig.keys(1).display())).await;
            }
        }
        let theirs = rig.token(node).await;
        desk.look().await;
        let back = desk.run(back()).await;
        assert!(back.is_ok(), "{how}: {}", back.unwrap_err());
        assert_eq!(desk.status().ended, Some("rolled back"), "{how}");
        for node in 0..3 {
            for (what, token) in [("what was saved", &old), ("what the colleague's key has encrypted", &theirs)] {
                assert_eq!(own(rig.port(node), token).await, 200, "{how}: {what} is known to node{node}");
            }
            let token = rig.token(node).await;
            assert_eq!(own(rig.port((node + 1) % 3), &token).await, 200, "{how}");
        }
        let left = rig.out(0, &format!("ls -d {}.*; true", rig.keys(0).display())).await;
        assert!(!left.contains("lent"), "{left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_copy_that_somebody_takes_away_half_way_is_lent_by_a_node_that_has_it() {
    let rig = Rig::new().await;
    let copy = rig.keys(1).with_extension("next");
    let act: Box<dyn FnOnce() + Send> = Box::new(move || std::fs::remove_dir_all(&copy).unwrap());
    let onlooker = Arc::new(Once { at: "node0 has it in force", act: Mutex::new(Some(act)) });
    let desk = desk_of(&rig, world(&rig), onlooker).await;
    desk.run(begin("rotate")).await.unwrap();
    assert_eq!((desk.status().phase, rig.names(0)), ("half-way", rig.names(1)));
    nothing_lost(&rig, "rotated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_in_roots_crontab_shuts_the_gate_wherever_cron_keeps_its_files() {
    let rig = Rig::new().await;
    rig.cluster()
        .lists(1, "crontab", "# keystone-manage fernet_rotate\n0 */6 * * * keystone-manage fernet_rotate\n")
        .unwrap();
    let desk = desk(&rig, Arc::default()).await;
    let refused = desk.run(begin("rotate")).await.unwrap_err().to_string();
    assert!(refused.contains("node1") && refused.contains("the crontab of root"), "{refused}");
    assert_eq!(rig.names(0), rig.names(1), "nothing was rotated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_configured_no_more_is_told_and_needs_a_word_before_it_is_left_behind() {
    let rig = Rig::new().await;
    desk(&rig, Arc::default()).await.run(begin("rotate")).await.unwrap();
    let mut two = world(&rig);
    two.nodes.truncate(2);
    let desk = desk_of(&rig, two, Arc::new(Once { at: "-", act: Mutex::default() })).await;
    desk.reload().await.unwrap();
    desk.look().await;
    let said = desk.status().attention.join("; ");
    assert!(said.contains("node2 took part in this case") && said.contains("fernet-keys.next"), "{said}");
    let shut = desk.run(begin("purge")).await.unwrap_err().to_string();
    assert!(shut.contains("left-out"), "{shut}");
    desk.run(aside("left-out")).await.unwrap();
    let done = desk.run(begin("purge")).await.unwrap();
    assert!(done.contains("node2 took part in this case"), "the end says what stays: {done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_panel_names_the_moment_of_the_gate_where_the_files_times_say_nothing_and_the_journal_does() {
    let rig = Rig::new().await;
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    let ahead = std::time::SystemTime::now() + Duration::from_secs(7 * 86_400);
    let staged = std::fs::File::options().append(true).open(rig.keys(0).join("0")).unwrap();
    staged.set_modified(ahead).unwrap();
    desk.look().await;
    let status = desk.status();
    let gate = &status.gates["purge"];
    let fact = gate.reasons().iter().find(|fact| fact.name == "not-before").unwrap();
    assert!(fact.until.is_some(), "{fact:?}");
    let panel = status.panels.iter().find(|panel| panel.title == "Not before").unwrap();
    let Shape::Lines { lines } = &panel.shape else { panic!("{panel:?}") };
    assert_eq!((lines[0].until, lines[0].text.clone()), (fact.until, format!("tokens: {}", fact.text)));
    let told = serde_json::to_value(&status).unwrap()["fernet"]["repositories"][0].clone();
    assert_eq!(told["sentence"], fact.text.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keystone_that_is_dead_on_a_node_whose_shell_answers_is_said_at_every_look() {
    let rig = Rig::new().await;
    let desk = desk(&rig, Arc::default()).await;
    desk.look().await;
    assert!(desk.status().seen.iter().all(|seen| seen.fault.is_none() && seen.at.is_some()));
    rig.cluster().api(2, false);
    desk.look().await;
    let status = desk.status();
    let (well, dead): (Vec<_>, Vec<_>) = status.seen.iter().partition(|seen| seen.fault.is_none());
    assert_eq!((well.len(), dead[0].name.as_str()), (2, "node2"));
    let why = dead[0].fault.clone().unwrap();
    assert!(why.starts_with("its Keystone does not answer (127.0.0.1:") && why.contains("refused"), "{why}");
    assert_eq!(status.attention, [format!("node2: {why}")]);
    let shut = &status.gates["rotate"];
    assert!(shut.reasons().iter().all(|fact| fact.name == "api" && fact.who == ["node2"]), "{shut:?}");
    assert!(!shut.is_open());
    assert_eq!(
        (status.next.order.clone(), status.next.text.matches("refused").count()),
        (None, 1),
        "{:?}",
        status.next
    );
    // A check says the same in one sentence, and measures nothing that can only fail.
    let failed = desk.run(begin("check")).await.unwrap_err().to_string();
    assert_eq!(failed.matches("refused").count(), 1, "{failed}");
    rig.cluster().api(2, true);
    rig.answers(2).await;
    desk.look().await;
    assert!(desk.status().attention.iter().all(|item| !item.starts_with("node2")), "{:?}", desk.status().attention);
    desk.run(begin("rotate")).await.unwrap();
    // There is no way back behind a purge: it waits for everybody.
    rig.cluster().api(2, false);
    desk.look().await;
    let shut = desk.status().gates["purge"].clone();
    assert!(
        !shut.is_open() && shut.reasons().iter().all(|fact| fact.name == "api" && fact.who == ["node2"]),
        "{shut:?}"
    );
    rig.cluster().api(2, true);
    rig.answers(2).await;
    desk.look().await;
    assert!(desk.status().gates["purge"].is_open(), "{:?}", desk.status().gates);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_clock_will_mean_is_read_before_the_name_is_typed() {
    let does = |status: &changeguard::engine::case::status::Status, verb: &str| {
        status.verbs.iter().find(|offer| offer.verb == verb).unwrap().does.join("; ")
    };
    let rig = Rig::with(|options| options.rotated = Duration::from_secs(3600)).await;
    let desk = desk(&rig, Arc::default()).await;
    desk.look().await;
    let told = does(&desk.status(), "rotate");
    assert!(told.contains("then purge waits 49 h, until ") || told.contains("then purge waits 48 h"), "{told}");
    let status = desk.status();
    // Everywhere it is one moment in one form.
    let moment = changeguard::domain::moment::minute(status.due.as_ref().unwrap().at.unwrap());
    let panel = status.panels.iter().find(|panel| panel.title == "Not before").unwrap();
    let Shape::Lines { lines } = &panel.shape else { panic!("{panel:?}") };
    assert!(told.contains(&moment) && lines[0].text.contains(&moment), "{moment}: {told} {lines:?}");
    assert!(!lines[0].text.contains("wait 4"), "how long that is counts where it stands: {lines:?}");
    let rig = Rig::new().await;
    let desk = super::fernet_case::desk(&rig, Arc::default()).await;
    desk.look().await;
    let told = does(&desk.status(), "rotate");
    assert!(told.contains("then purge may follow at once: the last token of key"), "{told}");
    desk.run(begin("rotate")).await.unwrap();
    let told = does(&desk.status(), "purge");
    assert!(told.contains("is refused from then on; the last token made with it ended"), "{told}");
    let status = desk.status();
    let panel = status.panels.iter().find(|panel| panel.title == "Not before").unwrap();
    let Shape::Lines { lines } = &panel.shape else { panic!("{panel:?}") };
    assert!(lines[0].text.contains("which no token needs any more"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_panels_keep_their_numbers_and_a_row_says_whose_word_it_is() {
    let rig = Rig::new().await;
    let desk = desk(&rig, Arc::default()).await;
    let titles = |status: &changeguard::engine::case::status::Status| -> Vec<String> {
        status.panels.iter().map(|panel| panel.title.clone()).collect()
    };
    let first = titles(&desk.status());
    assert_eq!(first, ["Keys: tokens", "Tokens (own/subject)", "Not before", "Answers"]);
    desk.look().await;
    assert_eq!(titles(&desk.status()), first);
    desk.run(begin("check")).await.unwrap();
    assert_eq!(titles(&desk.status()), first);
    rig.cluster().power(2, false);
    desk.look().await;
    let status = desk.status();
    let Shape::Matrix { rows, .. } = &status.panels[0].shape else { panic!("{:?}", status.panels[0]) };
    let of = |row: usize| rows[row].seen.clone().unwrap();
    assert!(of(0).fault.is_none() && of(0).at > of(2).at && of(2).fault.is_some(), "{:?} {:?}", of(0), of(2));
}

/// The next node was rotated by hand while the installation stood still: its own new staged key, and one key purged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_has_rotated_by_hand_within_the_installation_is_named_when_it_is_put_right() {
    let rig = Rig::new().await;
    let cluster = rig.cluster().clone();
    let act: Box<dyn FnOnce() + Send> = Box::new(move || cluster.api(1, false));
    let onlooker = Arc::new(Once { at: "node0 has it in force", act: Mutex::new(Some(act)) });
    let desk = desk_of(&rig, world(&rig), onlooker).await;
    desk.run(begin("rotate")).await.unwrap_err();
    rig.cluster().api(1, true);
    rig.answers(1).await;
    rig.rotate(1).await;
    let staged = rig.cluster().state().nodes[1].tokens.iter().find(|key| key.name == "0").unwrap().digest.clone();
    desk.run(Order::Resume).await.unwrap();
    let status = desk.status();
    let named = |item: &String| item.starts_with("node1: somebody else has rotated there: ");
    let told: Vec<&String> = status.attention.iter().filter(|item| named(item)).collect();
    assert!(told.iter().any(|item| item.contains(&format!("key 0 was {staged}"))), "{:?}", status.attention);
    assert!(told.iter().any(|item| item.contains("was gone: put back")), "{:?}", status.attention);
    nothing_lost(&rig, "rotated by hand within the installation");
    assert_eq!((rig.names(0), rig.names(1)), (rig.names(1), rig.names(2)));
}
