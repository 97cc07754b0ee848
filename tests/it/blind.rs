//! Every service is dead: the screen of a tenant and the fleet say so, with who and how long, and nothing stays green.

use crate::pty::{PATIENCE, Program};
use crate::terminal::open;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use vt100::{Color, Screen};

/// The embedded services as a process of their own, killed without a word.
struct Lab {
    child: Child,
    config: String,
}

impl Lab {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_changeguard"));
        command.args(["lab", "--clients", "3", "--tenants", "3", "--reconcile-interval", "1"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let path = |line: String| Some(line.split("--config ").nth(1)?.split(' ').next()?.to_owned());
        let config = lines.map_while(Result::ok).find_map(path).unwrap();
        Self { child, config }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = std::path::Path::new(&self.config).parent() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// The green texts of the screen, a row each.
fn green(screen: &Screen) -> Vec<String> {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let row = |row| {
        let cells = (0..columns).filter_map(|column| screen.cell(row, column));
        let green = cells.filter(|cell| matches!(cell.fgcolor(), Color::Idx(2 | 10)));
        green.map(|cell| cell.contents().to_owned()).collect::<String>()
    };
    (0..rows).map(row).filter(|text| !text.trim().is_empty()).collect()
}

#[test]
fn with_every_service_dead_a_tenant_and_the_fleet_say_so_and_nothing_stays_green() {
    let mut lab = Lab::start();
    let mut program = Program::start(&["--config", &lab.config], &[], 120, 40);
    program.shows("acme");
    open(&mut program, "acme", 3);
    program.keys("l").shows("looked: all answered");
    lab.kill();
    program.wait("who does not answer", PATIENCE, |screen| {
        screen.contains("no answer: barbican, swift, server") && screen.contains("server ~in sync")
    });
    program.keys("l").shows("looked: no answer from");
    program.keys("j");
    for panel in ["2", "3", "4", "5", "1"] {
        program.keys(panel).wait("the panel", PATIENCE, |screen| screen.contains(&format!("[{panel} ")));
        assert_eq!(program.look(green), Vec::<String>::new(), "panel {panel}\n{}", program.screen());
    }
    program.keys("\x1b").shows("sorted by");
    program.keys("\x1b").hides("filter: acme");
    program.wait("no tenant that is shown as true", 2 * PATIENCE, |screen| !screen.contains(" in sync"));
    let screen = program.screen();
    assert!(screen.matches("no answer: ").count() >= 3 && screen.contains("each looked at within"), "{screen}");
    assert_eq!(program.look(green), Vec::<String>::new(), "{screen}");
}
