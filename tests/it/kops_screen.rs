//! A Kubernetes cluster on the real screen, by keys alone, in the demo: rotated as far as people are waited for, settled, and taken back.

use super::keystone_screen::until;
use crate::terminal::demo;

#[test]
fn a_rotation_goes_by_keys_alone_and_is_taken_back() {
    let mut program = demo(&[], 120, 40);
    program.keys("/kops\r").shows("next: (r)");
    program.keys("\r").shows("1 Steps");
    program.keys("r").shows("type lab to ROTATE");
    program.keys("\x15lab\r").shows("running");
    program.shows("2 of 7 steps done");
    program.shows("holders: 3 of 3 holders");
    until(&mut program, "h", "Settle mira");
    program.keys("she has called\rR").shows("holders: 2 of 3 holders");
    // Whoever is under the cursor is meant.
    program.keys("7").shows("ci-deploy");
    program.keys("j");
    until(&mut program, "h", "Settle ci-deploy");
    program.keys("\x1b").hides("Settle ci-deploy");
    until(&mut program, "R", "Roll back: kops/lab");
    program.keys("trial\rlab\r").shows("the last one: rolled back");
}
