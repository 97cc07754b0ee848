//! Mails to the holders of a cluster's kubeconfigs, by the binary's subcommands on the lab's own configuration: whom and how many is shown
//! first, each gets the certificates that they must take and nothing else, and what they answer opens the gate or keeps it shut.

use super::kops_rig::Rig;
use crate::bastion::{Bastion, Ran};
use crate::pty::PATIENCE;
use base64ct::{Base64, Encoding};
use changeguard::adapters::lab::{Fault, Loss, Rule, Service};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

struct Site(Bastion, AtomicU32);

/// A mail as it lies in the lab.
struct Mail {
    subject: String,
    id: String,
    reply_to: String,
    text: String,
    file: String,
}

impl Site {
    async fn start() -> Self {
        let Rig { lab, folder, .. } = Rig::with(|options| (options.control_plane, options.nodes) = (2, 1)).await;
        Self(Bastion { lab, folder }, AtomicU32::default())
    }

    async fn run(&self, line: &str) -> Ran {
        self.0.run(line, &[]).await
    }

    async fn told(&self) -> Value {
        self.run("status kops/lab --json").await.json()["kops"].clone()
    }

    async fn holder(&self, name: &str) -> Value {
        let told = self.told().await;
        let found = told["holders"].as_array().unwrap().iter().find(|holder| holder["name"] == name).cloned();
        found.unwrap()
    }

    fn mails(&self, name: &str) -> Vec<Mail> {
        let address = format!("{name}@lab.example");
        self.0.lab.world().mails_to(&address).iter().map(|mail| read(&String::from_utf8_lossy(&mail.raw))).collect()
    }

    /// An answer to the last mail to this holder, from an address.
    fn answers(&self, name: &str, from: &str, words: &str) {
        let mail = self.mails(name).pop().unwrap();
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        let raw = format!(
            "From: {name} <{from}>\r\nTo: {}\r\nSubject: Re: {}\r\nMessage-ID: <{number}@answers.example>\r\nIn-Reply-To: {}\r\nReferences: {}\r\n\
             Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n",
            mail.reply_to, mail.subject, mail.id, mail.id
        );
        self.0.lab.world().deliver_to_operator(raw.as_bytes());
    }

    /// The certificates that a round has exported.
    async fn exported(&self, round: &str) -> String {
        let told = self.told().await;
        let path =
            told["case"]["exported"][round]["authority_path"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
        std::fs::read_to_string(path).unwrap()
    }

    fn takes(&self, name: &str, round: &str, told: &Value) {
        let path = told["case"]["exported"][round]["path"].as_str().unwrap();
        self.0.lab.kops().unwrap().take(name, Path::new(path)).unwrap();
    }

    fn is_well(&self) {
        assert_eq!(self.0.lab.kops().unwrap().locked_out(), Vec::<String>::new());
    }
}

fn read(raw: &str) -> Mail {
    let header = |name: &str| {
        let line = raw.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with(name));
        line.map(|line| line[name.len()..].trim().to_owned()).unwrap_or_default()
    };
    let reply_to = header("Reply-To:");
    let reply_to =
        reply_to.rsplit_once('<').map_or(reply_to.clone(), |(_, rest)| rest.trim_end_matches('>').to_owned());
    let behind = raw.split("application/x-pem-file").nth(1).unwrap_or_default();
    let body = behind.split("\r\n\r\n").nth(1).unwrap_or_default();
    let body: String = body.lines().take_while(|line| !line.starts_with("--")).collect();
    let file = String::from_utf8(Base64::decode_vec(&body).unwrap_or_default()).unwrap();
    let text = raw.split("text/plain").nth(1).unwrap_or_default().split("text/html").next().unwrap_or_default();
    Mail { subject: header("Subject:"), id: header("Message-ID:"), reply_to, text: text.to_owned(), file }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_mail_takes_the_certificates_to_every_holder_and_their_answers_open_the_gate() {
    let site = Site::start().await;
    let early = site.run("notify kops/lab --confirm lab").await.ends(1);
    assert!(early.err.contains("has no case"), "{}", early.err);
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    // What is next is to tell them.
    let status = site.run("status kops/lab").await.ends(0).out;
    assert!(status.contains("notify kops/lab --confirm lab"), "{status}");
    let preview = site.run("notify kops/lab --preview").await.ends(0).out;
    assert!(preview.contains("To: mira@lab.example") && preview.contains("kubectl config set-cluster"), "{preview}");
    // Whom and how many is shown, and the name is asked for.
    let refused = site.run("notify kops/lab").await.ends(2);
    assert!(
        refused.err.contains("goes to 3: mira@lab.example, ci-deploy@lab.example, portal@lab.example"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("type the name, lab"), "{}", refused.err);
    site.run("notify kops/lab --kind reminder --confirm lab").await.ends(2);
    assert!(site.mails("mira").is_empty());
    let said = site.run("notify kops/lab --confirm lab").await.ends(0).out;
    assert!(said.contains("3 accepted by the mail server"), "{said}");
    let both = site.exported("certificates").await;
    assert_eq!(both.matches("BEGIN CERTIFICATE").count(), 2);
    let ids: Vec<String> = ["mira", "ci-deploy", "portal"]
        .map(|name| {
            let mails = site.mails(name);
            assert_eq!(mails.len(), 1, "{name}");
            assert_eq!(mails[0].file.replace("\r\n", "\n"), both, "{name}");
            assert!(mails[0].text.contains("on the first line"), "{}", mails[0].text);
            let raw = site.0.lab.world().mails_to(&format!("{name}@lab.example"));
            let raw = String::from_utf8_lossy(&raw[0].raw).into_owned();
            for secret in ["PRIVATE KEY", "client-key-data", "client-certificate-data"] {
                assert!(!raw.contains(secret) && !mails[0].file.contains(secret), "{secret}");
            }
            mails[0].reply_to.clone()
        })
        .into();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "bound to the person: {ids:?}");
    // Nobody twice unnoticed.
    let again = site.run("notify kops/lab --confirm lab").await.ends(1);
    assert!(again.err.contains("has the mail, or may have it"), "{}", again.err);
    site.run("notify kops/lab --confirm lab --only mira --again").await.ends(0);
    assert_eq!(site.mails("mira").len(), 2);
    assert_ne!(site.mails("mira")[0].id, site.mails("mira")[1].id);

    let told = site.told().await;
    for name in ["mira", "ci-deploy", "portal"] {
        site.takes(name, "certificates", &told);
    }
    site.answers("mira", "mira@lab.example", "yes");
    site.answers("portal", "portal@lab.example", "no\r\nx509: certificate signed by unknown authority");
    site.answers("ci-deploy", "eve@elsewhere.example", "yes");
    let sorted = site.run("mail sync").await.ends(0).out;
    assert!(sorted.contains("kops/lab: 2 answers or bounces, 1 to be read by a person"), "{sorted}");
    let holder = site.holder("mira").await;
    assert_eq!(
        (&holder["answers"][0]["verdict"], &holder["answers"][0]["about"]),
        (&"confirmed".into(), &"certificates".into())
    );
    let shut = site.run("promote kops/lab --confirm lab --json").await.ends(3).json();
    assert_eq!(shut["reasons"][0]["who"], serde_json::json!(["ci-deploy", "portal"]), "{shut}");
    let text = site.run("status kops/lab").await.out;
    assert!(text.contains("confirmed") && text.contains("declined") && text.contains("unclear"), "{text}");
    // An account is settled by its operator; the gate reads the mailbox by itself.
    site.0.run("settle kops/lab ci-deploy --reason", &["its pipeline uses it"]).await.ends(0);
    site.answers("portal", "portal@lab.example", "yes");
    site.run("promote kops/lab --confirm lab").await.ends(0);
    site.is_well();
    // No admin credential goes by mail.
    let none = site.run("notify kops/lab --confirm lab").await.ends(1);
    assert!(none.err.contains("nobody can be asked anything by mail now"), "{}", none.err);
    let report = site.run("report kops/lab").await.ends(0).out;
    assert!(report.contains("portal has answered (certificates)"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_mail_a_later_no_shuts_the_gate_again_and_an_unread_mailbox_opens_none() {
    let site = Site::start().await;
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    site.run("notify kops/lab --confirm lab").await.ends(0);
    let told = site.told().await;
    for name in ["mira", "ci-deploy", "portal"] {
        site.takes(name, "certificates", &told);
        site.answers(name, &format!("{name}@lab.example"), "yes");
    }
    site.answers("mira", "mira@lab.example", "no, it does not work");
    let shut = site.run("promote kops/lab --confirm lab --json").await.ends(3).json();
    assert_eq!(shut["reasons"][0]["who"], serde_json::json!(["mira"]), "{shut}");
    site.answers("mira", "mira@lab.example", "yes");
    site.0.lab.world().set_down(Service::Imap, true);
    let shut = site.run("promote kops/lab --confirm lab --json").await.ends(3).json();
    let names: Vec<&str> =
        shut["reasons"].as_array().unwrap().iter().map(|reason| reason["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"mailbox"), "{shut}");
    site.0.lab.world().set_down(Service::Imap, false);
    site.run("promote kops/lab --confirm lab").await.ends(0);
    site.is_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_mail_of_which_nobody_knows_whether_it_went_out_is_said_wherever_one_looks() {
    let site = Site::start().await;
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    let lab = &site.0.lab;
    let lost = Rule::new(Service::Smtp, Fault::LoseAnswer(Loss::Hang)).method(".").path("ci-deploy");
    lab.faults().add(lost);
    let sending = site.0.begin("notify kops/lab --confirm lab");
    assert!(lab.world().until(PATIENCE, |_| site.mails("ci-deploy").len() == 1).await);
    sending.signal("KILL");
    sending.ends().await;
    lab.faults().clear();
    let said = "whether ci-deploy has the mail about certificates is not known";
    let status = site.run("status kops/lab").await.out;
    assert!(status.contains(said), "{status}");
    let rest = site.run("notify kops/lab --confirm lab").await.ends(0);
    assert!(rest.err.contains("goes to 1") && rest.out.contains(said), "{}{}", rest.err, rest.out);
    let status = site.run("status kops/lab --json").await.json();
    assert!(status["attention"].to_string().contains(said), "{:#}", status["attention"]);
    site.run("notify kops/lab --confirm lab --only ci-deploy --again").await.ends(0);
    let status = site.run("status kops/lab").await.out;
    assert!(!status.contains(said) && site.mails("ci-deploy").len() == 2, "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_mail_behind_a_way_back_the_certificates_of_before_go_out() {
    let site = Site::start().await;
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    site.run("notify kops/lab --confirm lab").await.ends(0);
    let before = site.exported("before").await;
    assert_eq!(before.matches("BEGIN CERTIFICATE").count(), 1);
    site.run("rollback kops/lab --confirm lab --reason trial").await.ends(0);
    site.run("notify kops/lab --confirm lab").await.ends(0);
    let mails = site.mails("portal");
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].file.replace("\r\n", "\n"), before);
    assert!(!mails[1].text.contains("on the first line"), "nothing is asked: {}", mails[1].text);
    // What was changed on this host since is sent to nobody.
    let site = Site::start().await;
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    let told = site.told().await;
    std::fs::write(
        told["case"]["exported"]["certificates"]["authority_path"].as_str().unwrap(),
        "-----BEGIN CERTIFICATE-----\n",
    )
    .unwrap();
    let refused = site.run("notify kops/lab --confirm lab").await.ends(1);
    assert!(refused.err.contains("is not the certificates that were exported"), "{}", refused.err);
    assert!(site.mails("mira").is_empty());
}
