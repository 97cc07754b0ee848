//! A cluster on the real screen, by keys alone, in the demo: from the list through check and rotate to the purge, and back.

use crate::pty::{PATIENCE, Program};
use crate::terminal::demo;
use std::time::Duration;

/// Presses a key until the screen says this: what runs before it makes it shut.
pub fn until(program: &mut Program, key: &str, says: &str) {
    for _ in 0..100 {
        if program.keys(key).comes(Duration::from_millis(500), |screen| screen.contains(says)) {
            return;
        }
    }
    program.shows(says);
}

/// Its page.
fn page(columns: u16, rows: u16) -> Program {
    let mut program = demo(&[], columns, rows);
    program.keys("/keystone\r").shows("next: (r)");
    program.keys("\r").shows("1 Steps");
    program.shows("node2");
    program
}

/// Checked and rotated: the purge waits for its word.
fn rotate(program: &mut Program) {
    program.keys("c").shows("1 of 8 steps done");
    until(program, "r", "Rotate: keystone/lab");
    let screen = program.shows("type lab to ROTATE");
    assert!(screen.contains("becomes the primary") && screen.contains("can be taken back"), "{screen}");
    // The name of something else begins nothing.
    program.keys("acme\r").shows("is not the name; it is lab");
    program.keys("\x15lab\r").shows("running");
    program.shows("7 of 8 steps done");
    program.shows("(P) purge: the gate is open");
}

#[test]
fn a_rotation_goes_by_keys_alone_to_the_purge_and_through_it() {
    let mut program = page(80, 24);
    rotate(&mut program);
    program.keys("5").shows("own/subject");
    program.keys("3").shows("step 7 done");
    until(&mut program, "P", "NO WAY BACK");
    let screen = program.shows("type lab to PURGE");
    assert!(screen.contains("on every node"), "{screen}");
    program.keys("\r\r").shows("type the name: lab");
    program.keys("lab\r").shows("the last one: done");
    program.shows("done: keystone/lab: purge: done");
    program.keys("q").shows("sorted by");
    program.keys("\x1b").hides("filter: keystone");
    program.shows("keystone/lab");
    program.keys("q");
    assert_eq!(program.ends_within(PATIENCE), 0);
    assert!(program.is_restored());
}

#[test]
fn what_was_changed_is_taken_back_with_a_reason_and_the_name() {
    let mut program = page(120, 40);
    rotate(&mut program);
    until(&mut program, "R", "Roll back: keystone/lab");
    program.keys("tokens are refused\rlab\r").shows("the last one: rolled back");
}
