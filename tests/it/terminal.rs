//! The console as an operator meets it: whole rotations by keys alone, ends of every kind, poor terminals and hostile names.

use crate::pty::{PATIENCE, Program};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

const DEMO: &[&str] = &["demo", "--pace", "instant", "--reconcile-interval", "1", "--clients", "3"];

/// Starts the demo and waits until the fleet is there.
pub fn demo(variables: &[(&str, &str)], columns: u16, rows: u16) -> Program {
    let mut program = Program::start(DEMO, variables, columns, rows);
    program.shows("acme");
    program
}

/// Narrows the fleet to one tenant and opens it.
pub fn open(program: &mut Program, tenant: &str, clients: u16) {
    program.keys("/").keys(tenant).keys("\r");
    program.wait("one tenant that was looked at", PATIENCE, |screen| {
        screen.contains("in sync") && !screen.contains("hooli") && screen.contains(tenant)
    });
    program.keys("\r").shows("6 Steps");
    program.shows(&format!("1 Clients {clients}"));
}

/// Presses a key that is shut while a job runs, until it is open; only for keys that mean nothing more then.
pub fn insist(program: &mut Program, key: &str, title: &str) {
    for _ in 0..100 {
        if program.keys(key).comes(Duration::from_millis(500), |screen| screen.contains(title)) {
            return;
        }
    }
    program.shows(title);
}

/// Reads the letter and sends it to everybody.
pub fn send(program: &mut Program, kind: &str) {
    insist(program, "n", &format!("kind: ({kind})"));
    program.shows("Subject:");
    program.keys("\r").shows("type acme to send");
    program.keys("acme\r").shows("sent 3 of 3");
    program.keys("\x1b").hides("To whom");
}

/// Plans a window that is open now.
pub fn plan(program: &mut Program) {
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    insist(program, "p", "Plan a rotation of acme");
    program.keys("\x15").keys(&start).keys("\r\r\r\r\r").hides("Plan a rotation of acme");
    program.shows("0 of ");
}

/// Marks everybody and records that they confirmed.
pub fn confirm_all(program: &mut Program, clients: u16) {
    // The marks and the form wait until the job before has ended.
    program.wait("the end of notify", PATIENCE, |screen| {
        !screen.contains("notify is running") && !screen.contains("notify, step")
    });
    program.keys("M").shows(&format!("{clients} marked"));
    insist(program, "a", "Answer of Ada");
    // Nothing is chosen at first: the answer, the channel, no note, and the name, for they are several.
    program.keys(" \r \r\r").shows("type acme to record");
    program.keys("acme\r").shows(&format!("{clients} of {clients} settled"));
}

/// From nothing to the live key.
fn rotate(program: &mut Program) {
    open(program, "acme", 3);
    plan(program);
    send(program, "announcement");
    confirm_all(program, 3);
    insist(program, "r", "Rotate the server key of acme");
    program.keys("\x15acme\r").shows("0 of 3 back");
}

#[test]
fn a_whole_rotation_is_driven_by_keys_alone() {
    let mut program = demo(&[], 80, 24);
    rotate(&mut program);
    assert!(program.screen().contains("gap "), "{}", program.screen());
    send(&mut program, "reconfigure");
    program.shows("3 of 3 back");
    insist(&mut program, "f", "Finish the rotation of acme");
    program.keys("\r\r\r").shows("type the name: acme");
    program.keys("acme\r").shows("finish: rotated");
    program.shows("last rotation: rotated");
    program.keys("q").shows("sorted by");
    program.keys("\x1b").hides("filter: acme");
    program.keys("q");
    assert_eq!(program.ends_within(PATIENCE), 0);
    assert!(program.is_restored());
}

#[test]
fn a_rollback_is_driven_by_keys_alone_and_never_called_rotated() {
    let mut program = demo(&[], 80, 24);
    rotate(&mut program);
    insist(&mut program, "R", "Roll back acme");
    program.keys("clients can not connect\racme\r").shows("0 of 3 back");
    send(&mut program, "reconfigure");
    program.shows("3 of 3 back");
    insist(&mut program, "f", "Finish the rotation of acme");
    program.keys("\r\racme\r").shows("finish: rolled back");
    assert!(!program.screen().contains("rotation: rotated"), "{}", program.screen());
}

#[test]
fn what_once_happened_by_mistake_happens_no_more() {
    let mut program = demo(&[], 80, 24);
    open(&mut program, "acme", 3);
    plan(&mut program);
    program.shows("Clients 3");
    // A tenant's name where no field is open: `n` in it opens the mails, and Enter does not send them.
    insist(&mut program, "n", "kind: (announcement)");
    program.shows("Subject:");
    program.keys("\x1b").hides("To whom");
    program.keys("initech").shows("Subject:");
    program.keys("\r\r\r").shows("type the name: acme");
    program.keys("\x1b").hides("type acme");
    program.shows("sent 0 of 3");
    program.keys("\x1b").hides("To whom");
    assert!(program.screen().contains("planned"), "nobody was told\n{}", program.screen());
    // An unchanged window makes no revision.
    insist(&mut program, "e", "Change the window of acme");
    program.keys("\r\r\racme\r").shows("nothing changed");
    program.keys("\x1b").hides("Change the window");
    assert!(program.screen().contains("window r1"), "{}", program.screen());
    // No answer is chosen by itself, for one or for all.
    for keys in ["a", "Ma"] {
        insist(&mut program, keys, "Answer of Ada");
        program.keys("\r\r\r\r\r").shows("choose what they answered");
        program.keys("\x1b").hides("Answer of Ada");
        program.shows("0 of 3 settled");
    }
    // Enter opens the row under the cursor.
    program.keys("\x1b").hides("3 marked");
    program.keys("4\r").shows("Record ");
    program.keys("\x1b").hides("Record ");
    program.keys("1");
    send(&mut program, "announcement");
    confirm_all(&mut program, 3);
    insist(&mut program, "r", "Rotate the server key of acme");
    program.keys("acme\r").shows("0 of 3 back");
    send(&mut program, "reconfigure");
    program.shows("3 of 3 back");
    insist(&mut program, "f", "Finish the rotation of acme");
    let screen = program.keys("\r\r\r").shows("type the name: acme");
    assert!(screen.contains("NO WAY BACK"), "{screen}");
    program.keys("\x1b").hides("Finish the rotation");
    program.shows("returning");
    // Esc leads to the fleet and no further.
    program.keys("\x1b").shows("sorted by");
    program.keys("\x1b").hides("filter: acme");
    program.keys("\x1b").shows("q quits");
    program.keys("q");
    assert_eq!(program.ends_within(PATIENCE), 0);
}

#[test]
fn what_a_killed_program_left_on_the_screen_is_cleared() {
    let mut command = DEMO.to_vec();
    command.extend(["--tenants", "2"]);
    let mut program = Program::start_over("THE OLD PICTURE", &command, 80, 24);
    program.shows("acme");
    program.hides("THE OLD PICTURE");
}

fn private(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_first_frame_and_the_keys_wait_for_no_network() {
    // Connections are taken by the kernel, and nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    private(
        &folder.path().join("clouds.yaml"),
        &format!(
            "clouds:\n  mute:\n    auth:\n      auth_url: http://127.0.0.1:{port}/v3\n      username: a\n      \
             password: b\n      project_name: ops\n      user_domain_id: default\n      project_domain_id: default\n    \
             region_name: RegionOne\n"
        ),
    );
    let path = folder.path().join("changeguard.toml");
    private(
        &path,
        &format!(
            "[cloud]\nname = \"mute\"\nclouds_file = \"clouds.yaml\"\n[state]\ndirectory = \"state\"\n\
             [server]\ncommand = [\"sleep\", \"600\", \"{{server}}\", \"{{read}}\"]\n\
             [smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"ops@lab.example\"\n\
             [notices]\nguide_url = \"https://portal.lab.example/guide\"\nportal_url = \"https://portal.lab.example\"\n\
             organisation = \"Lab\"\n[tenants]\ndiscover = true\n\
             [[tenant]]\nid = \"0123456789abcdef0123456789abcdef\"\nname = \"acme\"\nserver = \"vpn-acme\"\n"
        ),
    );
    let mut program = Program::start(&["--config", path.to_str().unwrap()], &[], 80, 24);
    program.shows("changeguard");
    program.keys("?").shows("narrow the list");
    program.keys("\x1b").hides("narrow the list");
    program.keys("jjkk").keys("?").shows("narrow the list");
    program.keys("q").hides("narrow the list");
    program.keys("q");
    assert_eq!(program.ends_within(PATIENCE), 0, "a look that hangs does not hold the end back");
    assert!(program.is_restored());
}

#[test]
fn a_signal_restores_the_terminal_and_ends_the_program_soon_with_its_number() {
    for (name, number, with_dialog) in [
        ("TERM", 15, false),
        ("HUP", 1, false),
        ("INT", 2, false),
        ("ABRT", 6, false),
        ("XCPU", 24, false),
        ("TERM", 15, true),
    ] {
        let mut program = demo(&[], 80, 24);
        assert!(!program.is_restored());
        if with_dialog {
            program.keys("?").shows("narrow the list");
        }
        program.signal(name);
        assert_eq!(program.ends_within(PATIENCE), 128 + number, "after {name}");
        assert!(program.is_restored(), "after {name}");
    }
}

#[test]
fn a_closed_terminal_ends_the_program_even_where_hangups_are_ignored() {
    let mut program = demo(&[], 80, 24);
    program.hang_up();
    program.ends_within(PATIENCE);
    let mut program = Program::start_ignoring_hangup(DEMO, 80, 24);
    program.shows("acme");
    program.hang_up();
    program.ends_within(PATIENCE);
}

#[test]
fn ctrl_c_leaves_a_dialog_first_and_quits_then() {
    let mut program = demo(&[], 80, 24);
    program.keys("?").shows("narrow the list");
    program.keys("\x03").hides("narrow the list");
    program.keys("?").shows("narrow the list");
    program.keys("\x03").hides("narrow the list");
    program.keys("\x03");
    assert_eq!(program.ends_within(PATIENCE), 0);
    assert!(program.is_restored());
}

/// The control sequences in the bytes: `[` and what follows up to the final byte. Other escapes are told as they are.
fn sequences(raw: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        rest = &rest[at + 1..];
        let end = match rest.first() {
            Some(b'[') => rest.iter().skip(1).position(|byte| (0x40..=0x7e).contains(byte)).map_or(1, |at| at + 2),
            _ => 1,
        };
        found.push(String::from_utf8_lossy(&rest[..end.min(rest.len())]).into_owned());
    }
    found
}

fn sets_a_colour(sequence: &str) -> bool {
    let Some(numbers) = sequence.strip_prefix('[').and_then(|rest| rest.strip_suffix('m')) else { return false };
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    numbers.split([';', ':']).map(number).any(|n| matches!(n, 30..=38 | 40..=48 | 90..=97 | 100..=107))
}

/// The demo in a terminal of this kind, led over its main screens; every byte that it wrote.
fn written_with(variables: &[(&str, &str)]) -> Vec<u8> {
    let mut program = demo(variables, 80, 24);
    open(&mut program, "acme", 3);
    plan(&mut program);
    insist(&mut program, "n", "kind: (announcement)");
    program.shows("Subject:");
    program.keys("\x1b").hides("To whom");
    for tab in ["2", "3", "4", "5", "1"] {
        program.keys(tab);
    }
    program.keys("?").shows("Esc close");
    program.signal("TERM");
    program.ends_within(PATIENCE);
    assert!(program.is_restored());
    program.raw()
}

#[test]
fn no_mouse_is_captured_and_the_terminal_is_asked_nothing() {
    let raw = written_with(&[]);
    let sequences = sequences(&raw);
    assert!(sequences.iter().any(|sequence| sets_a_colour(sequence)), "the search itself works");
    for mode in [9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016] {
        assert!(!sequences.contains(&format!("[?{mode}h")), "mode {mode} is switched on");
    }
    for sequence in &sequences {
        let asks = sequence.starts_with('[') && (sequence.ends_with('n') || sequence.ends_with('c'));
        let kitty = sequence.starts_with("[>") || sequence.ends_with('u');
        assert!(!asks && !kitty, "{sequence:?}");
    }
    let text = String::from_utf8_lossy(&raw);
    assert!(!text.contains("\x1b]1") && !text.contains("\x1bP"), "colours and capabilities are not asked for");
    assert!(!sequences.iter().any(|sequence| sequence.contains("8;2;")), "no 24-bit colours");
}

#[test]
fn with_no_color_no_colour_is_written() {
    let raw = written_with(&[("NO_COLOR", "1")]);
    let coloured: Vec<String> = sequences(&raw).into_iter().filter(|sequence| sets_a_colour(sequence)).collect();
    assert!(coloured.is_empty(), "{coloured:?}");
}

#[test]
fn a_terminal_without_utf_8_gets_ascii_only() {
    for variables in [&[("LANG", "C")], &[("TERM", "linux")]] {
        let raw = written_with(variables);
        let beyond = String::from_utf8_lossy(&raw).chars().find(|c| !c.is_ascii());
        assert_eq!(beyond, None, "with {variables:?}");
    }
}

#[test]
fn a_terminal_of_few_colours_gets_no_code_of_256_or_more() {
    for term in ["vt100", "linux", "xterm"] {
        let sequences = sequences(&written_with(&[("TERM", term)]));
        let beyond = sequences.iter().find(|sequence| sequence.contains("8;5;") || sequence.contains("8;2;"));
        assert_eq!(beyond, None, "with {term}");
    }
}

#[test]
fn a_dumb_terminal_is_refused_with_a_hint_and_left_as_it_was() {
    let mut program = Program::start(DEMO, &[("TERM", "dumb")], 80, 24);
    assert_eq!(program.ends_within(PATIENCE), 2);
    let screen = program.screen();
    assert!(screen.contains("needs a terminal") && screen.contains("--help"), "{screen}");
    assert!(sequences(&program.raw()).is_empty());
}

#[test]
fn a_terminal_of_one_cell_and_back_is_survived() {
    let mut program = demo(&[], 80, 24);
    for (columns, rows) in [(1, 1), (2, 1), (1, 40), (300, 2), (59, 17), (200, 60)] {
        program.resize(columns, rows).keys("jk");
    }
    // Keys are taken again once the program knows the size; nothing else tells a test when that is.
    program.resize(80, 24);
    insist(&mut program, "s", "sorted by name");
    open(&mut program, "acme", 3);
    program.resize(1, 1).keys("Rr").resize(80, 24);
    program.shows("6 Steps");
    insist(&mut program, "p", "Plan a rotation of acme");
    program.resize(1, 1).resize(80, 24).shows("Plan a rotation of acme");
}

#[test]
fn hostile_names_move_nothing_and_colour_nothing() {
    let mut arguments = DEMO.to_vec();
    arguments.extend(["--tenants", "4"]);
    let mut program = Program::start(&arguments, &[], 80, 24);
    program.shows("acme");
    open(&mut program, "umbra", 3);
    let screen = program.shows("Mallory");
    assert!(screen.contains("6 Steps"), "the name did not clear the screen\n{screen}");
    for tab in ["2", "3", "4", "5", "1"] {
        program.keys(tab);
    }
    program.keys("p").shows("Plan a rotation of umbra");
    program.signal("TERM");
    program.ends_within(PATIENCE);
    let raw = program.raw();
    let text = String::from_utf8(raw.clone()).unwrap();
    let bidi = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(|c| bidi(c) || matches!(c, '\u{7}' | '\u{80}'..='\u{9f}')));
    assert!(!sequences(&raw).contains(&"[31m".to_owned()), "our own red is written otherwise");
}
