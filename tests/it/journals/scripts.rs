//! What happens in the richer frozen journals: answers by mail, reminders, another window, waivers, four eyes, a hand-over, a
//! take-over, faults, deaths, mails that bounce or are uncertain, silences, an erasure.

use super::freeze::{Bench, Order, Who};
use crate::offered::{TENANT, Way};
use Who::{Ada, Bob};
use changeguard::adapters::lab::{Fault, LabPerson, Loss, Moment, Rule, Service, Which};
use serde_json::Value;
use std::time::Duration;

/// Which story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Answers,
    FourEyes,
    Faults,
    Silenced,
    Erased,
}

/// The richer journals of a dialect.
pub fn all(dialect: &str) -> Vec<(Order, Script)> {
    let order = |name, clients, alerts, more| Order { name, clients, alerts, more, cluster: None };
    let four_eyes = "\n[approval]\nrequired = true\n";
    let mut all = vec![(order("four-eyes", 2, false, four_eyes), Script::FourEyes)];
    if dialect == "sqlite" {
        all.push((order("answers", 4, false, ""), Script::Answers));
        all.push((order("faults", 3, false, ""), Script::Faults));
        all.push((order("silenced", 2, true, ""), Script::Silenced));
        all.push((order("erased", 2, false, ""), Script::Erased));
    }
    all
}

/// Plays it.
pub async fn play(bench: &Bench, script: Script) {
    match script {
        Script::Answers => answers(bench).await,
        Script::FourEyes => four_eyes(bench).await,
        Script::Faults => faults(bench).await,
        Script::Silenced => bench.way(Way::Back, None).await,
        Script::Erased => {
            bench.way(Way::Forward, None).await;
            let address = people(bench)[1].email.clone();
            let erase = ["person", "erase", &address, "--confirm", &address, "--reason", "asked for it"];
            bench.does(Ada, &erase).await;
        }
    }
}

fn people(bench: &Bench) -> Vec<LabPerson> {
    bench.world().tenant(TENANT).unwrap().people
}

/// A client answers the last mail that they got.
fn says(bench: &Bench, person: &LabPerson, text: &str) {
    let mail = bench.world().mails_to(&person.email).pop().unwrap();
    let header = |name: &str| mail.header(name).unwrap();
    let number = bench.world().mailbox("INBOX").len();
    let raw = format!(
        "From: {} <{}>\r\nTo: {}\r\nSubject: Re: {}\r\nMessage-ID: <answer-{number}@acme.example>\r\nIn-Reply-To: {}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
        person.name,
        person.email,
        header("Reply-To"),
        header("Subject"),
        header("Message-ID")
    );
    bench.world().deliver_to_operator(raw.as_bytes());
}

/// The last mail to somebody comes back.
fn bounces(bench: &Bench, person: &LabPerson) {
    let mail = bench.world().mails_to(&person.email).pop().unwrap();
    let (id, to) = (mail.header("Message-ID").unwrap(), mail.header("Reply-To").unwrap());
    let raw = format!(
        "From: Mail Delivery System <mailer-daemon@mx.acme.example>\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n\
         Message-ID: <bounce@mx.acme.example>\r\nReturn-Path: <>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"r1\"\r\n\r\n--r1\r\n\
         Content-Type: text/plain\r\n\r\nThis is the mail system.\r\n\r\n--r1\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--r1\r\nContent-Type: message/rfc822\r\n\r\n\
         Message-ID: {id}\r\nSubject: VPN maintenance\r\n\r\n--r1--\r\n",
        person.email
    );
    bench.world().deliver_to_operator(raw.as_bytes());
}

/// Decides the one mail that needs a person.
async fn decides(bench: &Bench, meaning: &[&str]) {
    let status = bench.status(Ada).await;
    let open = |mail: &&Value| mail["decision"].is_null() && mail["verdict"] == "unclear";
    let mails = status["mails"].as_array().unwrap();
    let mail = mails.iter().rfind(open).unwrap_or_else(|| panic!("{mails:#?}"));
    let line = ["mail", "decide", TENANT, mail["mail"].as_str().unwrap(), "--as"];
    bench.does(Ada, &[&line[..], meaning].concat()).await;
}

async fn notify(bench: &Bench, kind: &str) {
    // Some mails may fail: that is what some stories are about.
    bench.run(Ada, &["notify", TENANT, "--kind", kind]).await;
}

async fn confirms(bench: &Bench, person: &LabPerson) {
    bench.does(Ada, &["ack", TENANT, &person.id, "--by", "phone", "--note", "fine with her"]).await;
}

async fn answers(bench: &Bench) {
    let people = people(bench);
    bench.plan(&[]).await;
    notify(bench, "announcement").await;
    says(bench, &people[0], "Confirmed, thanks!");
    says(bench, &people[1], "No, that does not work for me.");
    says(bench, &people[2], "Not then, please. Another time: 14:00");
    bench.does(Ada, &["mail", "sync"]).await;
    notify(bench, "reminder").await;
    says(bench, &people[3], "should be fine, will check tomorrow?");
    bench.does(Ada, &["mail", "sync"]).await;
    decides(bench, &["tentative", "--note", "asked her"]).await;
    bench.plan(&["--change"]).await;
    notify(bench, "announcement").await;
    says(bench, &people[0], "confirmed");
    says(bench, &people[1], "Yes.");
    says(bench, &people[2], "It depends on the weather, let me see");
    bench.does(Ada, &["mail", "sync"]).await;
    decides(bench, &["confirmed", "--note", "she said so"]).await;
    let tentative = ["ack", TENANT, &people[3].id, "--by", "chat", "--answer", "tentative"];
    bench.does(Ada, &tentative).await;
    bench.does(Ada, &["waive", TENANT, &people[3].id, "--reason", "left the company"]).await;
    bench.does(Ada, &["check", TENANT]).await;
    bench.does(Ada, &["rotate", TENANT, "--confirm", TENANT]).await;
    notify(bench, "reconfigure").await;
    bench.world().reimport(TENANT, &people[0].id).await;
    bench.run(Ada, &["verify", TENANT]).await;
    notify(bench, "are-you-back").await;
    says(bench, &people[1], "No, still not connected.");
    says(bench, &people[2], "Yes, I am back.");
    bench.does(Ada, &["mail", "sync"]).await;
    bench.does(Ada, &["verify", TENANT, "--ping", &people[0].id, "--note", "1.1 ms"]).await;
    bench.does(Ada, &["note", TENANT, "called the second one"]).await;
    bench.does(Ada, &["verify", TENANT, "--back", &people[1].id, "--note", "on the phone"]).await;
    notify(bench, "all-clear").await;
    bench.does(Ada, &["finish", TENANT, "--note", "all well"]).await;
    says(bench, &people[1], "works again, thank you");
    bench.does(Ada, &["mail", "sync"]).await;
}

async fn four_eyes(bench: &Bench) {
    let people = people(bench);
    bench.plan(&[]).await;
    notify(bench, "announcement").await;
    for person in &people {
        confirms(bench, person).await;
    }
    bench.does(Ada, &["check", TENANT]).await;
    bench.does(Ada, &["handover", TENANT, "--note", "only the approval is left", "--to", "bob"]).await;
    bench.does(Bob, &["accept", TENANT]).await;
    let status = bench.status(Bob).await;
    let digest = status["plan_digest"].as_str().unwrap();
    bench.does(Bob, &["approve", TENANT, "--digest", digest, "--note", "read it"]).await;
    bench.does(Ada, &["rotate", TENANT, "--confirm", TENANT]).await;
    notify(bench, "reconfigure").await;
    bench.world().reimport_all(TENANT).await;
    // Ada's process stands still in the middle of its look, under its lease.
    bench.lab.faults().trip(1, Moment::Before);
    let verify = bench.command(Ada, bench.lab.config_path(), &["verify", TENANT]).spawn().unwrap();
    bench.lab.faults().tripped().await;
    let takes = ["takeover", TENANT, "--confirm", TENANT, "--reason", "she is on the train"];
    bench.run(Bob, &takes).await;
    bench.lab.faults().release();
    verify.wait_with_output().await.unwrap();
    bench.run(Bob, &["verify", TENANT]).await;
    bench.does(Bob, &["finish", TENANT]).await;
}

/// Runs a subcommand and kills it when the rule has met its call, which is never answered.
async fn dies(bench: &Bench, line: &[&str], rule: Rule) {
    let id = bench.lab.faults().add(rule);
    let mut child = bench.command(Ada, bench.lab.config_path(), line).spawn().unwrap();
    let fired = bench.world().clone();
    let met = async {
        // Every call changes the lab's count; a call that hangs does so too.
        while bench.lab.faults().fired(id) == 0 {
            fired.until(Duration::from_millis(20), |_| false).await;
        }
    };
    tokio::select! {
        () = met => child.start_kill().unwrap(),
        ended = child.wait() => panic!("{line:?} ended by itself: {ended:?}"),
    }
    child.wait().await.unwrap();
    bench.lab.faults().clear();
}

async fn meets(bench: &Bench, line: &[&str], rule: Rule) {
    let id = bench.lab.faults().add(rule);
    bench.run(Ada, line).await;
    assert!(bench.lab.faults().fired(id) > 0, "{line:?} never met it");
    bench.lab.faults().clear();
}

async fn faults(bench: &Bench) {
    let people = people(bench);
    bench.plan(&[]).await;
    let refused = Rule::new(Service::Smtp, Fault::Status(450)).method("RCPT").path(&people[1].email).always();
    bench.lab.faults().add(refused);
    let lost = Rule::new(Service::Smtp, Fault::LoseAnswer(Loss::Close)).method(".").path(&people[2].email);
    meets(bench, &["notify", TENANT, "--kind", "announcement"], lost).await;
    let status = bench.status(Ada).await;
    let uncertain = |notice: &&Value| notice["delivery"]["delivery"] == "uncertain";
    let notice = status["notices"].as_array().unwrap().iter().find(uncertain).unwrap_or_else(|| panic!("{status:#}"));
    let mail = notice["message_id"].as_str().unwrap();
    bench.does(Ada, &["resolve", TENANT, "--mail", mail, "--done", "true", "--reason", "asked her"]).await;
    notify(bench, "announcement").await;
    bounces(bench, &people[0]);
    bench.does(Ada, &["mail", "sync"]).await;
    for person in &people {
        confirms(bench, person).await;
    }
    let down = |service| Rule::new(service, Fault::Status(503)).which(Which::Always);
    meets(bench, &["check", TENANT], down(Service::Barbican)).await;
    let rotate = ["rotate", TENANT, "--confirm", TENANT];
    meets(bench, &rotate, down(Service::Barbican).method("POST")).await;
    let post = |nth| Rule::new(Service::Barbican, Fault::Hang).method("POST").nth(nth);
    dies(bench, &["resume", TENANT], post(2)).await;
    dies(bench, &["resume", TENANT], Rule::new(Service::Barbican, Fault::Hang).method("DELETE")).await;
    dies(bench, &["resume", TENANT], post(1)).await;
    meets(bench, &["resume", TENANT], down(Service::Swift).method("PUT")).await;
    bench.does(Ada, &["resume", TENANT]).await;
    dies(bench, &["notify", TENANT, "--kind", "reconfigure"], Rule::new(Service::Smtp, Fault::Hang).method(".")).await;
    let status = bench.status(Ada).await;
    let mails = status["notices"].as_array().unwrap().iter().filter(|notice| uncertain(notice));
    for notice in mails {
        let mail = notice["message_id"].as_str().unwrap();
        let arrived = bench.world().mails().iter().any(|m| m.header("Message-ID").as_deref() == Some(mail));
        let arrived = arrived.to_string();
        bench.does(Ada, &["resolve", TENANT, "--mail", mail, "--done", &arrived, "--reason", "asked them"]).await;
    }
    notify(bench, "reconfigure").await;
    bench.world().reimport_all(TENANT).await;
    bench.run(Ada, &["verify", TENANT]).await;
    bench.does(Ada, &["finish", TENANT]).await;
}
