//! The texts of mails: whatever is wrong in one of them, and for whomever, is found before the first mail is sent; and it stops
//! nobody who does not need it.

use crate::bastion::{Bastion, CYCLE};
use crate::scene::Scene;
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::Cause;
use changeguard::runtime::run::RunError;
use std::path::Path;

const TELL: Command = Command::Notify { kind: NoticeKind::Announcement, only: None, again: false };

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

async fn planned(folder: &Path) -> Scene {
    let folder = folder.to_owned();
    let scene = Scene::start_with(|config| config.notices.templates = Some(folder)).await;
    let (window, cause, reference) = (Scene::open_window(), Cause::Scheduled, String::new());
    scene.run(Command::Plan { window, cause, reference }).await.unwrap();
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_text_is_tried_for_every_person_before_the_first_mail_is_sent() {
    // What is wrong shows for the last person only: a name without a value, what is no filter, what never ends.
    let wrong = [
        ("{{ nickname }}", "undefined value nickname"),
        ("{{ client_name.nickname }}", "nickname"),
        ("{{ client_name|backwards }}", "backwards"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "fuel"),
    ];
    let last = {
        let scene = Scene::start().await;
        scene.lab.world().tenant("acme").unwrap().people.last().unwrap().clone()
    };
    for kind in NoticeKind::ALL {
        for (text, says) in wrong {
            let folder = tempfile::tempdir().unwrap();
            let hidden =
                format!("Subject: x\n\nHello.\n{{% if client_name == '{}' %}}{text}{{% endif %}}\n", last.name);
            let name = format!("acme/{}.txt", kind.word());
            write(folder.path(), &name, &hidden);
            let scene = planned(folder.path()).await;
            let ended = scene.run(TELL).await;
            let Err(RunError::Fault(fault)) = ended else { panic!("{name} {text}: {ended:?}") };
            let said = fault.to_string();
            assert!(said.contains(&name) && said.contains("line 4") && said.contains(says), "{said}");
            // What no value can make right is wrong for everybody.
            let of_one = text.contains("backwards") || text.contains("range");
            assert!(!of_one || said.contains(&last.name), "{said}");
            assert!(said.contains(&format!("in the {} for ", kind.word())), "{said}");
            assert!(fault.advice().starts_with("nothing was sent"), "{}", fault.advice());
            assert!(scene.lab.world().mails().is_empty(), "{name}: nobody is told before everybody can be");
            let checked = scene.run(Command::Check).await;
            assert!(matches!(checked, Err(RunError::Fault(fault)) if fault.to_string().contains("texts")), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typo_in_one_tenants_text_stops_neither_the_others_nor_any_look() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    bastion.configure("[notices]\n", "[notices]\ntemplates = \"texts\"\n");
    write(&bastion.folder.path().join("texts"), "globex/reconfigure.txt", "Subject: x\n\n{{ portal }}\n");
    bastion.run("status", &[]).await.ends(0);
    bastion.run("status globex", &[]).await.ends(0);
    bastion.run("watch --once", &[]).await.ends(0);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&now]).await.ends(0);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    bastion.run("plan globex --start", &[&now]).await.ends(0);
    let refused = bastion.run("notify globex --kind announcement", &[]).await.ends(1);
    assert!(refused.err.contains("the text globex/reconfigure.txt line 3: undefined value portal"), "{}", refused.err);
    assert_eq!(bastion.lab.world().mails().len(), 1, "only the one who needs no wrong text");
    let checked = bastion.run("config check", &[]).await.ends(2);
    assert!(checked.out.contains("FAIL: notices.templates: the text globex/reconfigure.txt line 3"), "{}", checked.out);
    write(&bastion.folder.path().join("texts"), "globex/reconfigure.txt", "Subject: x\n\n{{ portal_url }}\n");
    bastion.run("config check", &[]).await.ends(0);
    bastion.run("resume globex", &[]).await.ends(0);
    assert_eq!(bastion.lab.world().mails().len(), 2);
}
