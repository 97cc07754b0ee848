//! The hands on the command line: what reaches several people or destroys a way back wants the name on a terminal, as on the
//! screen; and whoever stops reading what is printed changes nothing of what is done.

use crate::bastion::{Bastion, CYCLE, PATIENCE, signal};
use crate::pty::Program;
use changeguard::cli::Cli;
use clap::CommandFactory;
use std::collections::BTreeSet;
use std::process::Stdio;

fn typed(bastion: &Bastion, line: &str, more: &[&str]) -> Program {
    let mut arguments = vec!["--config", bastion.config().to_str().unwrap()];
    arguments.extend(line.split_whitespace());
    arguments.extend(more);
    Program::start(&arguments, &[], 120, 40)
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
}

async fn count(bastion: &Bastion, kind: &str) -> usize {
    bastion.records("acme").await.iter().filter(|entry| entry["record"]["record"] == kind).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_terminal_what_reaches_many_or_has_no_way_back_asks_for_the_name() {
    let bastion = Bastion::start(1, 2, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    let notify = "notify acme --kind announcement";
    // Anything but the whole name, its beginning too, leaves it.
    for slip in ["\r", "y\r", "acm\r", "ACME\r"] {
        let mut program = typed(&bastion, notify, &[]);
        let screen = program.shows("type acme to do it");
        assert!(screen.contains("mails the announcement to 2: "), "whom it reaches\n{screen}");
        program.keys(slip);
        assert_eq!(program.ends_within(PATIENCE), 2, "{}", program.screen());
        assert!(program.screen().contains("nothing was done"), "{}", program.screen());
    }
    assert_eq!(count(&bastion, "notice-queued").await, 0);
    let mut program = typed(&bastion, notify, &[]);
    program.shows("type acme to do it");
    program.keys("acme\r");
    assert_eq!(program.ends_within(PATIENCE), 0, "{}", program.screen());
    assert_eq!(count(&bastion, "notice-queued").await, 2);
    let mut program = typed(&bastion, "plan acme --change --length 90m --start", &[&now()]);
    program.shows("counts no more");
    program.keys("no\r");
    assert_eq!(program.ends_within(PATIENCE), 2, "{}", program.screen());
    assert_eq!(bastion.status("acme").await["window"]["revision"], 1);
    // Given on the line it is not asked for, and a wrong one is refused without a terminal, too.
    let line = "plan acme --change --length 90m --confirm";
    bastion.run(line, &["acne", "--start", &now()]).await.ends(2);
    let mut program = typed(&bastion, line, &["acme", "--start", &now()]);
    assert_eq!(program.ends_within(PATIENCE), 0, "{}", program.screen());
    assert_eq!(bastion.status("acme").await["window"]["revision"], 2);

    bastion.run("notify acme --kind announcement --confirm acme", &[]).await.ends(0);
    let people = bastion.lab.world().tenant("acme").unwrap().people;
    for person in &people {
        bastion.run("ack acme --by phone", &[&person.id]).await.ends(0);
    }
    bastion.run("rotate acme --confirm acme", &[]).await.ends(0);
    bastion.run("notify acme --kind reconfigure", &[]).await.ends(0);
    for person in &people {
        bastion.run("verify acme --back", &[&person.id]).await.ends(0);
    }
    let mut program = typed(&bastion, "finish acme", &[]);
    program.shows("NO WAY BACK");
    program.keys("yes\r");
    assert_eq!(program.ends_within(PATIENCE), 2, "{}", program.screen());
    assert_eq!(bastion.status("acme").await["phase"], "returning");
    let mut program = typed(&bastion, "finish acme", &[]);
    program.shows("type acme to do it");
    program.keys("acme\r");
    assert_eq!(program.ends_within(PATIENCE), 0, "{}", program.screen());
    assert_eq!(bastion.status("acme").await["outcome"], "rotated");
}

/// Every subcommand that ends by itself, in an order in which each has something to print; with its exit code.
pub const LINES: &[(&str, &[&str], i32)] = &[
    ("tui", &[], 2),
    ("demo --tenants 1", &[], 2),
    ("config check", &[], 0),
    ("config example", &[], 0),
    ("config unit", &[], 0),
    ("completions bash", &[], 0),
    ("man", &[], 0),
    ("troubles", &[], 0),
    ("rehearse on late", &[], 0),
    ("rehearse list", &[], 0),
    ("rehearse off all", &[], 0),
    ("help", &[], 0),
    ("status", &[], 0),
    ("status acme", &[], 0),
    ("plan acme --start", &["NOW"], 0),
    ("notify acme --preview --kind announcement", &[], 0),
    ("mail test acme --to ops@lab.example", &[], 0),
    ("notify acme --kind announcement", &[], 0),
    ("mail sync", &[], 0),
    ("mail strays", &[], 0),
    ("mail forget 0123456789ab", &[], 2),
    ("mail thread acme", &[], 0),
    ("mail alias acme", &[], 0),
    ("mail alias acme --domain acme.example", &["acme.test"], 0),
    ("mail judge", &["MAIL"], 0),
    ("mail decide acme 0123456789ab --as nothing", &[], 2),
    ("mail accept acme 0123456789ab", &[], 2),
    ("ack acme --by phone", &["PERSON"], 0),
    ("ack acme --take-back --reason slip", &["PERSON"], 0),
    ("waive acme --reason gone", &["PERSON"], 0),
    ("note acme hello", &[], 0),
    ("check acme", &[], 0),
    ("set-aside acme mailbox --reason broken", &[], 1),
    ("approve acme", &[], 5),
    ("approve acme --text", &[], 2),
    ("handover acme --note night", &[], 0),
    ("accept acme", &[], 1),
    ("rotate acme --confirm acme", &[], 0),
    ("purge acme --confirm acme", &[], 2),
    ("promote acme --confirm acme", &[], 2),
    ("distrust acme --confirm acme", &[], 2),
    ("settle acme ada --reason called", &[], 2),
    ("pause acme --reason tea", &[], 2),
    ("resume acme", &[], 0),
    ("resolve acme --step 4 --done true --reason seen", &[], 1),
    ("verify acme", &[], 0),
    ("rollback acme --confirm acme --reason broken", &[], 0),
    ("notify acme --kind reconfigure", &[], 0),
    ("verify acme --back", &["PERSON"], 0),
    ("finish acme", &[], 0),
    ("emergency acme --confirm acme --reason stolen", &[], 0),
    ("review acme --note fine", &[], 1),
    ("cancel acme --confirm acme --reason no", &[], 1),
    ("takeover acme --confirm acme --reason night", &[], 1),
    ("recover acme --confirm acme --reason gone", &[], 1),
    ("report acme", &[], 0),
    ("replay acme", &[], 0),
    ("report acme --list", &[], 0),
    ("audit head", &[], 0),
    ("audit verify", &[], 0),
    ("person export ADDRESS", &[], 0),
    ("watch --once", &[], 0),
    ("person erase ADDRESS --confirm ADDRESS --reason asked", &[], 1),
];

/// The names of all that can be asked for: `mail sync`.
pub fn leaves(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{before}{}", sub.get_name());
        if sub.has_subcommands() {
            leaves(sub, &format!("{name} "), found);
        } else {
            found.insert(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_pipe_stops_no_subcommand_and_changes_no_exit_code() {
    let mut all = BTreeSet::new();
    leaves(&Cli::command(), "", &mut all);
    // One runs until it is ended, below.
    all.retain(|name| !LINES.iter().any(|(line, _, _)| line.starts_with(name.as_str())));
    let own = ["lab"].map(str::to_owned);
    assert_eq!(all, BTreeSet::from(own), "each subcommand has its line");

    let bastion = Bastion::start(1, 1, CYCLE).await;
    let person = bastion.lab.world().tenant("acme").unwrap().people.remove(0);
    let mail = bastion.folder.path().join("mail.eml");
    std::fs::write(&mail, "From: a@acme.example\r\nSubject: hello\r\n\r\nyes\r\n").unwrap();
    let (now, mail) = (now(), mail.to_str().unwrap());
    let fill = |word: &str| match word {
        "NOW" => now.clone(),
        "MAIL" => mail.to_owned(),
        "PERSON" => person.id.clone(),
        word => word.to_owned(),
    };
    let mut wrong = Vec::new();
    for (line, more, code) in LINES {
        let line = line.replace("ADDRESS", &person.email);
        let more: Vec<String> = more.iter().map(|word| fill(word)).collect();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        for json in ["", " --json"] {
            let mut command = bastion.command(&format!("{line}{json}"), &more);
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            command.stdout(Stdio::from(writer));
            let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it never ended").unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // What was done with the first is not to be done again with the second.
            let fits = output.status.code() == Some(*code) || (!json.is_empty() && output.status.code() != Some(101));
            if !fits || said.contains("panicked") || said.to_lowercase().contains("broken pipe") {
                wrong.push(format!("{line}{json}: {:?}, not {code}: {said}", output.status.code()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_whose_configuration_nobody_reads_runs_until_it_is_ended() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let folder = bastion.folder.path().join("other");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = bastion.command("lab --tenants 1 --pace off --directory", &[folder.to_str().unwrap()]);
    let mut lab = command.stdout(Stdio::from(writer)).spawn().unwrap();
    let config = folder.join("changeguard.toml");
    // It prints right after it has written this.
    let lives = |_: &_| config.exists();
    assert!(bastion.lab.world().until(PATIENCE, lives).await);
    // Its services answer, after what it printed.
    let mut status = std::process::Command::new(env!("CARGO_BIN_EXE_changeguard"));
    let status = status.arg("--config").arg(&config).arg("status").output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    signal(lab.id().unwrap(), "TERM");
    let ended = tokio::time::timeout(PATIENCE, lab.wait()).await.expect("it never ended").unwrap();
    assert_eq!(ended.code(), Some(0));
}
