//! What lies beside the live keys of a cluster and is of no open case: who has left it, what it shuts, and how it is got rid of.

use super::fernet_case::{Watches, begin, desk, desk_of, is_clean, nothing_lost, world};
use super::fernet_rig::{Rig, copy};
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::engine::case::machine::{Order, Refusal};
use changeguard::engine::case::status::Status;
use changeguard::engine::step::Progress;
use changeguard::runbooks::fernet::Fernet;
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Does something when the journal's last line has this in it.
pub struct Once {
    line: &'static str,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Once {
    pub fn at(line: &'static str, act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self { line, act: Mutex::new(Some(Box::new(act))) })
    }
}

impl Onlooker for Once {
    fn changed(&self, desk: &dyn Desk) {
        if desk.status().journal.last().is_some_and(|line| line.text.contains(self.line))
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

fn beside(rig: &Rig, node: usize, end: &str) -> PathBuf {
    rig.cluster().etc(node).join(format!("fernet-keys{end}"))
}

async fn seen(desk: &CaseDesk<Fernet>) -> Status {
    desk.reload().await.unwrap();
    desk.look().await;
    desk.status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_keys_of_nobody_shut_the_rotation_and_what_takes_them_away_is_named() {
    let rig = Rig::new().await;
    let next = beside(&rig, 1, ".next");
    copy(&rig.keys(1), &next);
    let desk = desk(&rig, Arc::default()).await;
    let shut = desk.run(begin("rotate")).await.unwrap_err().to_string();
    let wanted = format!("rm -r {} on node1", next.display());
    assert!(shut.contains("beside: node1: ") && shut.contains(&wanted), "{shut}");
    let status = seen(&desk).await;
    assert!(status.case.is_none() && status.attention.iter().any(|item| item.contains("of no case that is known")));
    std::fs::remove_dir_all(next).unwrap();
    desk.run(begin("rotate")).await.unwrap();
    nothing_lost(&rig, "rotated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saved_keys_are_told_by_the_case_that_left_them_and_a_later_one_that_nobody_knows_shuts_everything() {
    let rig = Rig::new().await;
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    desk.run(begin("purge")).await.unwrap();
    let case = desk.status().case.unwrap();
    let (own, old) =
        (beside(&rig, 1, &format!(".changeguard-{case}")), beside(&rig, 2, ".changeguard-20200101-000000-aaaaaa"));
    copy(&rig.keys(1), &own);
    copy(&rig.keys(2), &old);
    let status = seen(&desk).await;
    let told = |text: &str| status.attention.iter().any(|item| item.contains(text));
    assert!(
        told(&format!("was left by the case {case}, which is over: there, rm -r {}", own.display())),
        "{:?}",
        status.attention
    );
    assert!(
        told("20200101-000000-aaaaaa, of which this journal knows nothing: see whose it is"),
        "{:?}",
        status.attention
    );
    assert!(status.gates["rotate"].is_open(), "what is saved is in nobody's way: {:?}", status.gates);
    std::fs::remove_dir_all(own).unwrap();
    std::fs::remove_dir_all(old).unwrap();
    let later = beside(&rig, 2, ".changeguard-20990101-000000-aaaaaa");
    copy(&rig.keys(2), &later);
    let status = seen(&desk).await;
    let lost = &status.attention[0];
    assert!(
        lost.starts_with("THE END OF THE JOURNAL IS LOST: node2 keeps keys of the case 20990101-000000-aaaaaa"),
        "{lost}"
    );
    assert!(lost.contains("or another changeguard with a journal of its own"), "{lost}");
    let refused = desk.run(begin("rotate")).await;
    assert!(matches!(refused, Err(RunFault::Refused(Refusal::JournalLost(_)))), "{refused:?}");
    let recover = Order::Recover { confirm: "lab".into(), reason: "the other one is off".into() };
    let said = desk.run(recover).await.unwrap();
    assert!(said.contains("nothing of the case is in force"), "{said}");
    desk.run(Order::Resume).await.unwrap();
    assert_eq!((desk.status().ended, later.exists()), (Some("cancelled"), false));
    nothing_lost(&rig, "recovered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_cancelled_without_a_node_that_is_away_only_by_taking_it_out_and_what_it_keeps_is_named_when_it_is_back()
 {
    let rig = Rig::new().await;
    let before = rig.names(0);
    // All have their copy, and the last is away before the first gets it in force.
    let (lab, away) =
        (rig.lab.world().clone(), Rule::new(Service::NodeShell, Fault::Status(255)).path("node2").always());
    let desk = desk_of(&rig, world(&rig), Once::at("step 5 started", move || _ = lab.faults().add(away))).await;
    desk.run(begin("rotate")).await.unwrap_err();
    let failed = desk.run(Order::Cancel { note: String::new() }).await.unwrap_err().to_string();
    assert!(failed.contains("node2"), "{failed}");
    let status = seen(&desk).await;
    let text = &status.next.text;
    assert!(text.contains("node2 keeps what the case has left there") && text.contains("in force nowhere"), "{text}");
    assert!(text.contains("take it out of nodes in the configuration; then resume"), "{text}");
    assert_eq!(status.next.order, Some(Order::Resume));
    let mut two = world(&rig);
    two.nodes.truncate(2);
    let without = desk_of(&rig, two, Arc::new(Watches::default())).await;
    without.run(Order::Resume).await.unwrap();
    assert_eq!(without.status().ended, Some("cancelled"));
    rig.lab.faults().clear();
    let status = seen(&desk).await;
    let shut = status.gates["rotate"].reasons().iter().find(|fact| fact.name == "beside").unwrap().to_string();
    assert!(shut.contains("fernet-keys.next") && shut.contains("on node2"), "{shut}");
    assert!(status.attention.iter().any(|item| item.contains("was left by the case")), "{:?}", status.attention);
    let all = std::fs::read_dir(rig.cluster().etc(2)).unwrap().map(|entry| entry.unwrap().path());
    for path in all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("fernet-keys.")) {
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
    assert!(seen(&desk).await.gates["rotate"].is_open());
    is_clean(&rig, &before.iter().map(String::as_str).collect::<Vec<_>>(), "cancelled");
}
