//! What goes wrong with kOps by name: a create that dies half-way, an update that nobody sees, a roll that fails at an instance or is not
//! let in, a second writer, a store that is away, a deploy host that is lost, a version that can't. Each is told, and each has its ways out.

use super::fernet_case::Watches;
use super::kops_rig::{Rig, alarm, back, begin, go, told, way};
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::engine::case::machine::Order;
use changeguard::runtime::case::{Desk, RunFault};
use std::sync::Arc;

fn aside(fact: &str) -> Order {
    Order::SetAside { fact: fact.into(), reason: "agreed with the platform team".into() }
}

fn fault(result: Result<String, RunFault>) -> String {
    match result.unwrap_err() {
        RunFault::Fault(fault) => format!("{}; {}", fault.message, fault.advice()),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_that_dies_after_five_of_eight_goes_on_with_the_other_three() {
    let rig = Rig::new().await;
    rig.kops().spoil(|mischief| mischief.creates_left = Some(5));
    let desk = rig.desk().await;
    let said = fault(desk.run(begin("rotate")).await);
    assert!(said.contains("create keypair etcd-peers-ca-main: error storing keyset"), "{said}");
    let made = |rig: &Rig| rig.kops().state().keysets.values().filter(|pairs| pairs.len() == 2).count();
    assert_eq!(made(&rig), 5);
    rig.kops().spoil(|mischief| mischief.creates_left = None);
    desk.run(Order::Resume).await.unwrap();
    assert_eq!(made(&rig), 8);
    let creates = rig.kops().words().iter().filter(|words| words.starts_with("create ")).count();
    assert_eq!(creates, 9, "five, the one that died, and three");
    rig.hand_over(&desk).await;
    go(&rig, &desk, &way("forward")[1..]).await.unwrap();
    rig.is_clean(Some("done"), "gone on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_created_in_a_keyset_that_was_never_come_to_is_neither_used_nor_distrusted() {
    let rig = Rig::new().await;
    rig.kops().spoil(|mischief| mischief.creates_left = Some(2));
    let desk = rig.desk().await;
    desk.run(begin("rotate")).await.unwrap_err();
    rig.kops().somebody_creates("service-account");
    rig.kops().spoil(|mischief| mischief.creates_left = None);
    let said = fault(desk.run(Order::Resume).await);
    assert!(said.contains("service-account: ") && said.contains("is staged, and not by this case"), "{said}");
    desk.run(back()).await.unwrap();
    let words = rig.kops().words();
    assert!(words.iter().any(|words| words.starts_with("distrust keypair kubernetes-ca ")), "{words:?}");
    assert!(words.iter().all(|words| !words.starts_with("distrust keypair service-account ")), "{words:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_no_instance_needs_is_an_alarm_with_two_ways_out() {
    for way_out in ["force", "back"] {
        let rig = Rig::new().await;
        rig.kops().spoil(|mischief| mischief.nothing_needs_update = true);
        let desk = rig.desk().await;
        let said = fault(desk.run(begin("rotate")).await);
        assert!(said.contains("0 of 7 instances need one, though each holds a changed keyset"), "{said}");
        assert!(said.contains("roll-1: where it is set aside"), "{said}");
        let status = desk.status();
        assert!(status.attention[0].contains("0 of 7"), "{:?}", status.attention);
        assert_eq!(alarm(&status), Some("roll-1"));
        assert!(
            status.journal.iter().any(|line| line.incident && line.text.starts_with("ALARM")),
            "{:?}",
            status.journal
        );
        // Whoever only goes on is met by it again.
        assert!(fault(desk.run(Order::Resume).await).contains("0 of 7"));
        let shut = fault(desk.run(begin("promote")).await);
        assert!(shut.contains("step 1 has failed"), "{shut}");
        if way_out == "force" {
            desk.run(aside("roll-1")).await.unwrap();
            desk.run(Order::Resume).await.unwrap();
            let words = rig.kops().words();
            assert_eq!(words.iter().filter(|words| words.contains("--force")).count(), 2, "{words:?}");
            rig.kops().spoil(|mischief| mischief.nothing_needs_update = false);
            rig.hand_over(&desk).await;
            go(&rig, &desk, &way("forward")[1..]).await.unwrap();
            rig.is_clean(Some("done"), way_out);
        } else {
            desk.run(back()).await.unwrap();
            rig.is_clean(Some("rolled back"), way_out);
            let words = rig.kops().words();
            assert!(
                !words.iter().any(|words| words.contains("rolling-update cluster --yes")),
                "none had rolled: {words:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_is_seen_late_is_waited_for() {
    let rig = Rig::new().await;
    let desk = rig.desk().await;
    // The look before takes one.
    rig.kops().spoil(|mischief| mischief.lag = 4);
    desk.run(begin("rotate")).await.unwrap();
    rig.is_well("late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roll_that_fails_at_an_instance_goes_on_with_what_is_left_of_it() {
    let rig = Rig::new().await;
    rig.kops().spoil(|mischief| mischief.roll_fails_at = Some(3));
    let desk = rig.desk().await;
    let said = fault(desk.run(begin("rotate")).await);
    assert!(said.contains("cluster did not validate within"), "{said}");
    let parts = told(&desk.status())["case"]["parts"].clone();
    assert_eq!((&parts[0]["updated"], parts[0]["rolled"].as_array().unwrap().len()), (&true.into(), 0), "{parts}");
    let attention = desk.status().attention;
    assert!(
        attention.iter().any(|line| line.contains("no new node can join") && line.contains("2 of 2 replicas")),
        "{attention:?}"
    );
    rig.kops().spoil(|mischief| mischief.roll_fails_at = None);
    desk.run(Order::Resume).await.unwrap();
    rig.is_well("gone on");
    rig.hand_over(&desk).await;
    go(&rig, &desk, &way("forward")[1..]).await.unwrap();
    rig.is_clean(Some("done"), "gone on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roll_that_is_not_let_in_behind_distrust_is_told_and_led_back_from() {
    let rig = Rig::new().await;
    let desk = rig.desk().await;
    go(&rig, &desk, &way("forward")[..2]).await.unwrap();
    rig.kops().spoil(|mischief| mischief.roll_unauthorized = true);
    let said = fault(desk.run(begin("distrust")).await);
    assert!(said.contains("Unauthorized") && said.contains("api-5: where it is set aside"), "{said}");
    assert_eq!(alarm(&desk.status()), Some("api-5"));
    let said = fault(desk.run(back()).await);
    assert!(said.contains("api-5-back"), "{said}");
    desk.run(aside("api-5-back")).await.unwrap();
    rig.kops().spoil(|mischief| mischief.roll_unauthorized = false);
    go(&rig, &desk, &[Order::Resume]).await.unwrap();
    assert_eq!(desk.status().ended, Some("rolled back"));
    rig.is_clean(Some("rolled back"), "not let in");
    let words = rig.kops().words();
    assert!(words.iter().any(|words| words.contains("--force --cloudonly")), "{words:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_is_seen_and_not_worked_against() {
    let rig = Rig::new().await;
    let desk = rig.desk().await;
    go(&rig, &desk, &[begin("rotate")]).await.unwrap();
    rig.kops().somebody_creates("service-account");
    let shut = fault(desk.run(begin("promote")).await);
    assert!(shut.contains("keysets: service-account: ") && shut.contains("was made by somebody else"), "{shut}");
    rig.kops().somebody_promotes("service-account");
    let shut = fault(desk.run(begin("promote")).await);
    assert!(shut.contains("service-account: "), "{shut}");
    let refused = fault(desk.run(back()).await);
    assert!(refused.contains("service-account") && refused.contains("find out who else is at work"), "{refused}");
    assert!(!rig.kops().words().iter().any(|words| words.starts_with("promote ")), "nothing is promoted on top of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_has_begun_here_shuts_the_gate() {
    let rig = Rig::new().await;
    rig.kops().somebody_creates("kubernetes-ca");
    let desk = rig.desk().await;
    let shut = fault(desk.run(begin("rotate")).await);
    assert!(
        shut.contains("is staged, and by no case that is known here")
            && shut.contains("kops distrust keypair kubernetes-ca "),
        "{shut}"
    );
    let rig = Rig::new().await;
    rig.kops().spoil(|mischief| mischief.store_away = true);
    let desk = rig.desk().await;
    let shut = fault(desk.run(begin("rotate")).await);
    assert!(shut.contains("keypairs: get keypairs: error reading cluster configuration"), "{shut}");
    assert!(desk.status().case.is_none(), "nothing was begun");
    let rig = Rig::new().await;
    let desk =
        rig.desk_of(rig.world_of(|_| {}, |parameters| parameters.backup.clear()), Arc::<Watches>::default()).await;
    let shut = fault(desk.run(begin("rotate")).await);
    assert!(shut.contains("backup: nobody says whether the state store has versions or a copy"), "{shut}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_decides_what_is_offered() {
    let of = async |version: &str, leave_out: &[&str]| {
        let rig = Rig::with(|options| options.version = version.into()).await;
        let leave_out = leave_out.iter().map(|name| (*name).to_owned()).collect();
        let world = rig.world_of(|rules| rules.leave_out = leave_out, |_| {});
        let desk = rig.desk_of(world, Arc::<Watches>::default()).await;
        desk.reload().await.unwrap();
        desk.look().await;
        format!("{:?}", desk.status().gates["rotate"])
    };
    assert!(of("1.21.4", &[]).await.contains("only the disruptive procedure"));
    let etcd = of("1.23.2", &[]).await;
    assert!(etcd.contains("breaks etcd") && etcd.contains("etcd-peers-ca-main"), "{etcd}");
    let all = [
        "etcd-clients-ca",
        "etcd-manager-ca-events",
        "etcd-manager-ca-main",
        "etcd-peers-ca-events",
        "etcd-peers-ca-main",
    ];
    assert_eq!(of("1.23.2", &all).await, "Open");
    assert_eq!(of("1.24.1", &[]).await, "Open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_host_that_is_lost_in_the_middle_of_a_roll_is_looked_at_before_anything_else() {
    let rig = Rig::new().await;
    let (ssh, rule) =
        (rig.kops().ssh(), Rule::new(Service::Kops, Fault::ResetMidBody).method("rolling-update").path("--yes"));
    let rule = rig.lab.faults().add(rule);
    let desk = rig.desk_of(rig.world_of(|_| {}, |parameters| parameters.ssh = ssh), Arc::<Watches>::default()).await;
    let said = fault(desk.run(begin("rotate")).await);
    assert_eq!(rig.lab.faults().fired(rule), 1);
    assert!(said.contains("the deploy host can't be reached, or was lost"), "{said}");
    let behind = rig.kops().words().len();
    desk.run(Order::Resume).await.unwrap();
    let words = rig.kops().words();
    let rolls = words[behind..].iter().position(|words| words.contains("rolling-update cluster --yes")).unwrap();
    let looks = words[behind..].iter().position(|words| words == "rolling-update cluster").unwrap();
    assert!(looks < rolls, "{:?}", &words[behind..]);
    rig.is_well("gone on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_changed_nothing_is_cancelled() {
    let rig = Rig::new().await;
    let rule = Rule::new(Service::Kops, Fault::Status(1)).method("export").path("-before");
    rig.lab.faults().add(rule.always());
    let desk = rig.desk().await;
    let said = fault(desk.run(begin("rotate")).await);
    assert!(said.contains("export kubeconfig"), "{said}");
    desk.run(Order::Cancel { note: "another day".into() }).await.unwrap();
    assert_eq!(desk.status().ended, Some("cancelled"));
    rig.is_clean(Some("cancelled"), "cancelled");
    let words = rig.kops().words();
    assert!(words.iter().all(|words| !words.contains("--yes") && !words.starts_with("create")), "{words:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_holds_a_changed_keyset_rolls_and_nobody_is_asked_for_what_is_not_theirs() {
    let rig = Rig::new().await;
    let world = rig.world_of(|rules| rules.only = vec!["service-account".into(), "etcd-clients-ca".into()], |_| {});
    let desk = rig.desk_of(world, Arc::<Watches>::default()).await;
    go(&rig, &desk, &way("forward")).await.unwrap();
    assert_eq!(desk.status().ended, Some("done"));
    let words = rig.kops().words();
    let rolled =
        |group: &str| words.iter().filter(|words| words.ends_with(&format!("--yes --instance-group {group}"))).count();
    assert_eq!((rolled("control-plane-main"), rolled("nodes-main")), (3, 0), "{words:?}");
    assert!(desk.status().journal.iter().all(|line| !line.text.contains("is settled")), "nobody was asked");
    rig.is_well("at the end");
}
