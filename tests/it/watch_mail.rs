//! `watch` and the mailbox: the silent are reminded once, who has answered is not, and what belongs to nobody is listed.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use changeguard::adapters::lab::Mail;
use std::io::Write;

/// A configuration in which a reminder is due as soon as a question was asked.
async fn reminding() -> Bastion {
    let bastion = Bastion::start(1, 3, CYCLE).await;
    let mut file = std::fs::OpenOptions::new().append(true).open(bastion.config()).unwrap();
    file.write_all(
        b"\n[reminders]\nenabled = true\nfirst_after = \"1s\"\nevery = \"12h\"\nquiet = \"\"\nweekends = true\n",
    )
    .unwrap();
    bastion.configure("poll_interval = \"2s\"", "poll_interval = \"1s\"");
    bastion
}

fn kinds(mails: &[std::sync::Arc<Mail>]) -> Vec<String> {
    let subject = |mail: &std::sync::Arc<Mail>| mail.header("Subject").unwrap();
    let kind = |subject: String| if subject.starts_with("Reminder") { "reminder" } else { "announcement" }.to_owned();
    mails.iter().map(subject).map(kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_reads_answers_reminds_the_silent_once_and_lists_what_belongs_to_nobody() {
    let bastion = reminding().await;
    let world = bastion.lab.world();
    let start = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 6 * 3600).unwrap();
    let start = start.strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    let people = world.tenant("acme").unwrap().people;
    let told = world.mails_to(&people[0].email);
    let reply_to = told[0].header("Reply-To").unwrap();
    let subject = told[0].header("Subject").unwrap();
    let answer = |to: &str, who: &str, text: &str| {
        let mail = format!(
            "From: {who}\r\nTo: {to}\r\nSubject: Re: {subject}\r\nMessage-ID: <{}@people.example>\r\n\r\n{text}\r\n",
            text.len()
        );
        world.deliver_to_operator(mail.as_bytes());
    };
    answer(&reply_to, &people[0].email, "confirmed");
    answer("vpn-ops@lab.example", "Nobody <nobody@elsewhere.example>", "where is the canteen?");
    let mut watch = bastion.begin("watch");
    watch.says("acme: acts: reminder to 2").await;
    watch.says("mailbox: person: 1 mail belongs to no client").await;
    let arrived = |world: &changeguard::adapters::lab::LabWorld| {
        people[1..].iter().all(|person| world.mails_to(&person.email).len() == 2)
    };
    assert!(world.until(PATIENCE, arrived).await, "never came");
    watch.signal("TERM");
    watch.ends().await.ends(0);
    assert_eq!(kinds(&world.mails_to(&people[0].email)), ["announcement"], "has answered");
    for person in &people[1..] {
        assert_eq!(kinds(&world.mails_to(&person.email)), ["announcement", "reminder"]);
    }
    bastion.run("watch --once", &[]).await;
    assert_eq!(world.mails().len(), 5, "the next is due in twelve hours");
    let status = bastion.status("acme").await;
    let standings: Vec<&str> =
        status["clients"].as_array().unwrap().iter().map(|client| client["standing"].as_str().unwrap()).collect();
    assert_eq!(standings.iter().filter(|standing| **standing == "confirmed").count(), 1, "{standings:?}");

    let strays = bastion.run("mail strays --json", &[]).await.ends(0).json();
    let [stray] = strays.as_array().unwrap().as_slice() else { panic!("{strays}") };
    assert!(stray["from"].as_str().unwrap().contains("nobody@elsewhere.example"), "{stray}");
    let id = &stray["mail"].as_str().unwrap()[..12];
    bastion.run("mail forget", &["ffffffffffff"]).await.ends(2);
    bastion.run("mail forget", &[id]).await.ends(0);
    assert_eq!(bastion.run("mail strays --json", &[]).await.ends(0).json().as_array().unwrap().len(), 0);
}
