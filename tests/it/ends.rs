//! What an end wants a reason for, and what a reason covers: letters that nobody has read, those that come in meanwhile, and a
//! mailbox that can't be read.

use crate::scene::Scene;
use crate::senders::writes;
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::domain::key::KeyRole;
use changeguard::engine::command::Command;
use changeguard::engine::mailbox::Decision;
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Record};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_for_an_end_covers_no_letter_that_came_in_unread_and_what_was_refused_is_told_until_it_is_tried_again()
{
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let refused = scene.finish("").await.unwrap_err().to_string();
    let shut = scene.acme().rotation().unwrap().end_refused.clone().unwrap();
    assert_eq!(shut.1, refused);
    scene.everybody_returns().await;
    assert!(scene.status().next.text.starts_with("everybody is back"), "{}", scene.status().next.text);
    // Nobody has read the mailbox since: the letter lies there while the reason is for something else.
    writes(&scene, "acme", 0, None, "Since then I reach nothing any more, can you have a look?", 1);
    let error = scene.finish("the agent's log is a drill").await.unwrap_err();
    assert!(error.to_string().contains("a mail of a client is unread: that was not known"), "{error}");
    let rotation = scene.acme().rotation().unwrap();
    assert!(rotation.is_kept(KeyRole::Previous) && rotation.is_kept(KeyRole::Staged), "{:?}", rotation.keys);
    scene.finish("talked to them by phone").await.unwrap();
}

/// Somebody gives a reason for something else, and has never heard of the letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_counts_only_where_the_letter_that_it_goes_over_was_named_before() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    writes(&scene, "acme", 0, None, "Since then I reach nothing any more, can you have a look?", 1);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    let refused = scene.finish("the agent's log is a drill").await.unwrap_err().to_string();
    assert!(refused.contains("a mail of a client is unread: read it"), "{refused}");
    assert!(scene.acme().rotation().unwrap().is_kept(KeyRole::Previous));
    scene.finish("talked to them by phone").await.unwrap();
    // What is read behind the end leads as if it had come behind it.
    let mail = scene.status().mails[0].mail.clone();
    let (decision, note) = (Decision::NotBack, "phoned them".to_owned());
    scene.run(Command::DecideMail { mail, decision, note }).await.unwrap();
    let status = scene.status();
    assert!(status.next.text.contains("not back, by their own word"), "{:?}", status.next);
}

/// The letters of one person count in the order in which they came, whichever is read first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_letter_that_is_read_late_does_not_outdo_a_later_one_that_says_it_does_not_work() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    let says = |text: &str, at: usize| writes(&scene, "acme", 0, None, text, at);
    says("I think it might be back, or so it seems, whatever that means", 1);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    let earlier = scene.status().mails[0].mail.clone();
    says("It does not work any more, I am cut off.", 2);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    assert_eq!(scene.acme().rotation().unwrap().not_back().len(), 1);
    let (decision, note) = (Decision::Back, String::new());
    let said = scene.run(Command::DecideMail { mail: earlier, decision, note }).await.unwrap();
    assert!(said.contains("a later mail of theirs says that it does not work"), "{said}");
    assert_eq!(scene.acme().rotation().unwrap().not_back().len(), 1);
    assert!(scene.finish("").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_over_a_letter_that_nobody_has_read_wants_a_reason_that_stands_in_the_report() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    writes(&scene, "acme", 0, None, "Since then I reach nothing any more, can you have a look?", 1);
    let fleet = &scene.fleet;
    scene.wiring.post().unwrap().sort(fleet).await.unwrap();
    assert!(scene.acme().rotation().unwrap().open_mails().next().is_some(), "it is unclear");
    let refused = scene.finish("").await.unwrap_err().to_string();
    assert!(refused.contains("a mail of a client is unread: read it"), "{refused}");
    scene.finish("talked to them by phone").await.unwrap();
    let report = changeguard::cli::report::Line::of(&scene.acme().rotation().unwrap(), None);
    assert!(report.to_string().contains("BUT A MAIL OF A CLIENT IS UNREAD: talked"), "{report}");
    // The reason was for the end: what was written is to be read behind it, and leads until somebody has.
    let status = scene.status();
    let client = status.mails[0].client.clone();
    let thread = status.thread(&client);
    assert!(thread.iter().any(|line| line.from_client && line.to_decide.is_some()), "{thread:?}");
    assert!(status.attention.contains(&"1 mail of a client to be read by a person".into()), "{:?}", status.attention);
    assert_eq!(status.next.action, Act::ReadMail, "{:?}", status.next);
    assert!(status.attention.iter().any(|item| item.contains("was ended although a mail")), "{:?}", status.attention);
    let (mail, decision, note) = (status.mails[0].mail.clone(), Decision::Nothing, "phoned them".to_owned());
    scene.run(Command::DecideMail { mail, decision, note }).await.unwrap();
    let status = scene.status();
    assert!(!status.attention.iter().any(|item| item.contains("mail of a client")), "{:?}", status.attention);
    assert_eq!(status.next.action, Act::Plan, "{:?}", status.next);
}

/// It comes to the address of the announcement, for nobody has been told anything else yet: no window is declined behind the change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_to_the_windows_address_behind_the_change_is_read_by_a_person_and_declines_no_window() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let told = || scene.status().clients.iter().map(|view| view.standing).collect::<Vec<_>>();
    let before = told();
    writes(&scene, "acme", 0, None, "No, it does not work, I am still cut off.", 1);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    assert_eq!(told()[1..], before[1..]);
    assert_eq!(told()[0].word(), "to read");
    let rotation = scene.acme().rotation().unwrap();
    let mail = rotation.open_mails().next().unwrap();
    let (mail, client) = (mail.mail.clone(), mail.client.clone());
    let (decision, note) = (Decision::NotBack, "phoned them".to_owned());
    scene.run(Command::DecideMail { mail, decision, note }).await.unwrap();
    assert!(scene.acme().rotation().unwrap().not_back_by_word(&client).is_some());
    assert_eq!(told(), before, "they had agreed to the window, and that stays so");
}

/// What had shown that they are back was before they wrote: whoever says that it does not work is not back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_that_it_does_not_work_is_back_no_more_before_an_end_and_behind_it() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    assert!(scene.acme().rotation().unwrap().not_back().is_empty());
    let says = |text: &str, at: usize| writes(&scene, "acme", 0, None, text, at);
    says("It does not work any more, I am cut off.", 1);
    let refused = scene.finish("the agent's log is a drill").await.unwrap_err().to_string();
    assert!(refused.contains("not back"), "{refused}");
    let rotation = scene.acme().rotation().unwrap();
    let who = rotation.not_back()[0].id.clone();
    assert!(rotation.is_kept(KeyRole::Previous) && rotation.not_back_by_word(&who).is_some());
    // Nobody calls a handshake of before a proof, however often one looks.
    scene.run(Command::Verify).await.unwrap();
    assert_eq!(scene.acme().rotation().unwrap().not_back().len(), 1);
    let note = "it was their own firewall".to_owned();
    scene.run(Command::Back { client: who.clone(), note }).await.unwrap();
    scene.finish("").await.unwrap();
    // Behind the end there is no way back: it leads until somebody has helped.
    says("Now it does not work again, I am cut off.", 2);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    assert_eq!(scene.status().next.action, Act::ReadMail, "{:?}", scene.status().next);
    let mail = scene.status().mails.last().unwrap().mail.clone();
    let decide = |decision| Command::DecideMail { mail: mail.clone(), decision, note: "phoned them".to_owned() };
    scene.run(decide(Decision::NotBack)).await.unwrap();
    let status = scene.status();
    assert!(
        status.attention.iter().any(|item| item.contains("by their own word behind the end")),
        "{:?}",
        status.attention
    );
    assert!(status.next.text.contains("not back, by their own word"), "{:?}", status.next);
    scene.run(decide(Decision::Back)).await.unwrap();
    let status = scene.status();
    assert!(!status.attention.iter().any(|item| item.contains("by their own word")), "{:?}", status.attention);
    assert_eq!(status.next.action, Act::Plan, "{:?}", status.next);
}

/// The keys are being destroyed while a client writes: there is no way back any more, and they are heard all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_comes_in_while_the_keys_are_destroyed_or_behind_the_end_is_told_and_can_be_read() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    let slow = Fault::Delay(std::time::Duration::from_millis(300));
    scene.lab.faults().add(Rule::new(Service::Barbican, slow).method("DELETE").always());
    let kept = || scene.lab.world().secrets("").iter().filter(|secret| secret.name.contains("changeguard-")).count();
    let all = kept();
    let writing = async {
        while kept() == all {
            tokio::task::yield_now().await;
        }
        writes(&scene, "acme", 0, None, "Since then I reach nothing any more, can you have a look?", 1);
    };
    let (ended, ()) = tokio::join!(scene.finish(""), writing);
    ended.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let headline = changeguard::cli::report::Line::of(&rotation, None).to_string();
    assert!(
        headline.contains("BUT A MAIL OF A CLIENT IS UNREAD: that came in while step 8 was ending it"),
        "{headline}"
    );
    // And one more, an hour later.
    writes(&scene, "acme", 1, None, "Nothing works here either, what is going on?", 2);
    scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    let status = scene.status();
    assert!(
        status.attention.contains(&"2 mails of clients to be read by a person".to_owned()),
        "{:?}",
        status.attention
    );
    assert_eq!(status.next.action, Act::ReadMail, "{:?}", status.next);
    let (mail, decision, note) = (status.mails[0].mail.clone(), Decision::Nothing, "phoned them".to_owned());
    scene.run(Command::DecideMail { mail, decision, note }).await.unwrap();
    assert!(scene.status().attention.contains(&"1 mail of a client to be read by a person".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_with_a_mailbox_that_can_not_be_read_wants_a_reason() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    scene.lab.faults().add(Rule::new(Service::Imap, Fault::Close).always());
    let refused = scene.finish("").await.unwrap_err().to_string();
    assert!(refused.contains("whether a client has written is not known"), "{refused}");
    let next = scene.status().next.text;
    assert!(next.starts_with("finish was refused at ") && next.contains("the mailbox can't be read"), "{next}");
    let text = scene.finish("all were phoned").await.unwrap();
    assert!(text.contains("all were phoned (whether a client has written"), "{text}");
}

/// Nobody of them has the key that is live: whoever closes it all the same hears who stays cut off, and so does whoever looks later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_cut_off_behind_an_end_is_named_before_and_behind_it() {
    let scene = Scene::start().await;
    scene.confirmed_for(Cause::Compromise).await;
    scene.rotate().await.unwrap();
    scene.roll_back().await.unwrap();
    let clients = scene.status().clients;
    for view in &clients {
        let (client, reason) = (view.client.id.clone(), "on holiday".to_owned());
        scene.run(Command::Waive { client, reason }).await.unwrap();
    }
    let cut = format!("nothing shows that 3 have the fresh key, first {}: they stay cut off", clients[0].client.name);
    let refused = scene.finish("").await.unwrap_err().to_string();
    assert!(
        refused.starts_with(&format!("step 7 was never done, and nobody has reconfigured, and {cut}")),
        "{refused}"
    );
    scene.finish("all on holiday").await.unwrap();
    // Why is on record before the first key goes.
    let entries = scene.acme().entries();
    let place = |is: fn(&Record) -> bool| entries.iter().position(|entry| is(&entry.record)).unwrap();
    let why =
        place(|record| matches!(record, Record::Noted { text } if text.ends_with("all the same: all on holiday")));
    assert!(why < place(|record| matches!(record, Record::KeyDestroyed { .. })));
    let attention = scene.status().attention;
    let told = format!(
        "the last rotation was ended although step 7 was never done, and nobody has reconfigured: all on holiday; {cut}"
    );
    assert!(attention.contains(&told), "{attention:?}");
}
