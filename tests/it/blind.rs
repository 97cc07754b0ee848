//! What stops answering is seen: the real console on services that are killed, that hang, and that come back. Nothing of theirs
//! stays green, its age and its name are shown, and it is green again when it answers.

use crate::bastion::{Bastion, CYCLE, signal};
use crate::pty::{PATIENCE, Program};
use crate::sample;
use changeguard::adapters::lab::{Fault, Rule, Service};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The lab asks for a poll each 2 s; the fleet shows that each tenant is looked at within 15 of them, and what the last sweep has
/// taken: what a loaded machine makes of that is no test's to judge.
const PROMISED: &str = "each looked at within ";
/// So many tenants are in the lab, more than are looked at at once.
const TENANTS: &str = "10";

/// The embedded lab as a process of its own.
struct Services {
    process: Child,
    config: PathBuf,
    _folder: tempfile::TempDir,
}

impl Services {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_changeguard"));
        command.args(["lab", "--tenants", TENANTS, "--clients", "2", "--pace", "off", "--console", "--directory"]);
        command.arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("gateway") {
            line.clear();
            assert!(printed.read_line(&mut line).unwrap() > 0, "the lab has ended");
        }
        // Whoever does not read what a process prints stops it.
        std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
        Self { process, config: folder.path().join("changeguard.toml"), _folder: folder }
    }

    fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn console(config: &Path) -> Program {
    Program::start(&["--config", config.to_str().unwrap()], &[], 80, 24)
}

/// What is well, of 256 colours on a dark ground.
const GREEN: u8 = 108;

/// What is green on the screen, line by line.
fn green(program: &Program) -> Vec<String> {
    program.look(|screen| {
        let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
        let is_green =
            |cell: &&vt100::Cell| cell.fgcolor() == vt100::Color::Idx(GREEN) && !cell.contents().trim().is_empty();
        let line = |row| -> String {
            let cells = (0..columns).filter_map(|column| screen.cell(row, column)).filter(is_green);
            cells.map(|cell| cell.contents().to_owned()).collect()
        };
        (0..rows).map(line).filter(|line| !line.is_empty()).collect()
    })
}

/// All rows of the fleet are in sync.
fn fleet_is_green(program: &mut Program) {
    program.wait("a fleet in sync", PATIENCE, |screen| screen.matches("in sync").count() == 10);
    // The row of the cursor is one bar, wherever it stands.
    assert!(matches!(green(program).len(), 9 | 10), "the search for green works: {:?}", green(program));
}

/// No row is green, and each says who does not answer and how old it is.
fn fleet_is_blind(program: &mut Program, how: &str) {
    let screen = program.wait(&format!("a fleet without green, {how}"), PATIENCE, |screen| {
        !screen.contains("in sync") && screen.matches("○ barbican").count() == 10
    });
    assert!(green(program).is_empty(), "{how}: {:?}\n{screen}", green(program));
    for row in screen.lines().filter(|line| line.contains("○ barbican")) {
        assert!(row.contains(" ~") && row.trim_end().ends_with(" s"), "{how}: its age is in it: {row}");
    }
    assert!(screen.contains("no answer: barbican, swift, server"), "{how}: the selected one says all\n{screen}");
}

/// The first tenant: clusters stand among the subjects, too.
fn choose(program: &mut Program) {
    program.keys("/").keys("acme").keys("\r");
}

fn open(program: &mut Program) {
    choose(program);
    program.keys("\r").shows("6 Steps");
}

/// The tenant on the screen says that this one, and perhaps others, does not answer.
fn names(program: &mut Program, who: &str, how: &str) -> String {
    let told = |line: &str| who.split(", ").all(|one| line.contains(&format!("○ {one} "))) && line.contains(" s ");
    program.wait(&format!("no answer from {who}, {how}"), PATIENCE, |screen| screen.lines().any(told))
}

fn answers(program: &mut Program) {
    program.wait("that all answer", PATIENCE, |screen| screen.contains("in sync") && !screen.contains('○'));
    assert!(!program.screen().contains('~'), "no age stays\n{}", program.screen());
    assert!(green(program).iter().any(|line| line.contains("insync")), "{:?}", green(program));
}

/// Only the sources that answer still, the journal at least.
fn only_dots_are_green(program: &Program, screen: &str) {
    let green = green(program);
    assert!(green.iter().all(|line| line.chars().all(|one| one == '●')), "{green:?}\n{screen}");
}

#[test]
fn killed_services_are_seen_in_the_fleet_and_on_a_tenants_screen() {
    let services = Services::start();
    let (mut fleet, mut tenant) = (console(&services.config), console(&services.config));
    fleet_is_green(&mut fleet);
    assert!(fleet.screen().contains(PROMISED), "{}", fleet.screen());
    fleet_is_green(&mut tenant);
    open(&mut tenant);
    answers(&mut tenant);
    services.signal("KILL");
    let screen = names(&mut tenant, "barbican, swift, server", "killed");
    only_dots_are_green(&tenant, &screen);
    assert!(screen.contains("~in sync"), "{screen}");
    fleet_is_blind(&mut fleet, "killed");
    tenant.keys("l").shows("looked: nobody answered: barbican, swift, server, console");
    choose(&mut fleet);
    fleet.keys("l").shows("looked: nobody answered: barbican");
}

#[test]
fn services_that_hang_are_seen_as_well_and_all_is_green_again_when_they_go_on() {
    let services = Services::start();
    let (mut fleet, mut tenant) = (console(&services.config), console(&services.config));
    fleet_is_green(&mut fleet);
    fleet_is_green(&mut tenant);
    open(&mut tenant);
    answers(&mut tenant);
    services.signal("STOP");
    let screen = names(&mut tenant, "barbican, swift, server", "hanging");
    only_dots_are_green(&tenant, &screen);
    fleet_is_blind(&mut fleet, "hanging");
    services.signal("CONT");
    answers(&mut tenant);
    fleet_is_green(&mut fleet);
    fleet.wait("that all answer", PATIENCE, |screen| !screen.contains('○'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_that_fails_alone_is_named_alone_and_leaves_the_others_true() {
    let bastion = Bastion::all(1, 2, CYCLE).await;
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    let mut program = console(bastion.config());
    program.shows("in sync");
    open(&mut program);
    answers(&mut program);
    let cases = [
        (Service::Barbican, "barbican"),
        (Service::Swift, "swift"),
        (Service::Shell, "server"),
        (Service::Console, "console"),
        (Service::Alerts, "alerts"),
        (Service::Imap, "mailbox"),
    ];
    let all = cases.into_iter().flat_map(|case| [Fault::Close, Fault::Hang].map(|fault| (case, fault))).collect();
    // All of them in `.ci/walks`.
    for ((service, name), fault) in sample::chosen("services that fail alone", all, 4) {
        let how = format!("{fault:?}");
        bastion.lab.faults().add(Rule::new(service, fault).always());
        names(&mut program, name, &how);
        let of_the_key = matches!(service, Service::Barbican | Service::Swift | Service::Shell);
        // Another one that is slow on a loaded machine is shown as such for a moment, rightly.
        program.wait(&format!("what is {name}'s alone, {how}"), PATIENCE, |screen| {
            screen.contains(&format!("○ {name} "))
                && screen.contains("~in sync") == of_the_key
                && screen.contains("~0 of 2 settled") == (service == Service::Imap)
        });
        bastion.lab.faults().clear();
        answers(&mut program);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_quits_while_something_is_at_work_is_told_in_the_shell_what_was_left_and_how_to_go_on() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.configure("[cloud]\n", "[cloud]\nread_timeout = \"10m\"\n");
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    let mut program = console(bastion.config());
    program.shows("in sync");
    open(&mut program);
    answers(&mut program);
    bastion.lab.faults().add(Rule::new(Service::Barbican, Fault::Hang).always());
    program
        .keys("c")
        .wait("a check", PATIENCE, |screen| screen.contains("check is running") || screen.contains("check, step"));
    // Back to the fleet, out of the filter, and out.
    program.keys("q").keys("q").keys("q").shows("Quit while something runs?");
    program.keys("y");
    assert_eq!(program.ends_within(PATIENCE), 0);
    let shown = program.screen();
    let line = format!("changeguard --config {} status acme", bastion.config().display());
    assert!(shown.replace(['\n', '\r'], "").contains("acme: check was at work and was stopped"), "{shown}");
    assert!(shown.split_whitespace().collect::<String>().contains(&line.replace(' ', "")), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_was_moved_away_or_replaced_is_seen_and_nothing_is_written_into_it() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let mut program = console(bastion.config());
    program.shows("in sync");
    open(&mut program);
    answers(&mut program);
    let (here, away) = (bastion.folder.path().join("state"), bastion.folder.path().join("away"));
    let store = bastion.store().await;
    std::fs::rename(&here, &away).unwrap();
    let screen = names(&mut program, "journal", "moved away");
    assert!(screen.contains("~idle"), "{screen}");
    let told = |fault: changeguard::domain::fault::Fault| format!("{fault}; {}", fault.advice());
    let fault = told(changeguard::engine::journal::JournalStore::mark(&store).await.unwrap_err());
    assert!(fault.contains("journal.db is gone") && fault.contains("nothing was written"), "{fault}");
    // Another bastion has made a new one meanwhile: nobody of those who look there would see what went into the old one.
    bastion.run("plan acme --start", &["2031-01-01 10:00"]).await.ends(0);
    let fault = told(changeguard::engine::journal::JournalStore::mark(&store).await.unwrap_err());
    assert!(fault.contains("was replaced by another file"), "{fault}");
    program.keys("p").shows("Plan a rotation of acme");
    program.keys("\r\r\r\r\r").shows("ERROR: acme: plan: journal: ");
    program.keys("m").shows("replaced by another file");
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    program.keys("\x1b").hides("What was said");
    answers(&mut program);
    assert_eq!(bastion.status("acme").await["phase"], "idle", "nothing came into the old one");
}
