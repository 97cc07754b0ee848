//! The rules of the house, read off the source: who may import whom, how long a file may be, how each file begins.

use changeguard::cli::Cli;
use clap::CommandFactory;
use std::path::{Path, PathBuf};

/// Each room with the rooms of this crate that it must not import.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("domain", &["engine", "runbooks", "app", "ui", "adapters", "runtime", "config", "cli"]),
    ("engine", &["runbooks", "app", "ui", "adapters", "runtime", "config", "cli"]),
    ("runbooks", &["app", "ui", "adapters", "runtime", "config", "cli"]),
    ("app", &["runbooks", "ui", "adapters", "runtime", "config", "cli"]),
    ("ui", &["runbooks", "adapters", "runtime", "config", "cli"]),
    ("adapters", &["runbooks", "app", "ui", "runtime", "config", "cli"]),
    ("config", &["engine", "runbooks", "app", "ui", "adapters", "runtime", "cli"]),
    ("runtime", &["cli"]),
];

/// Crates that have no business in the pure rooms.
const IMPURE: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "reqwest", "std::fs", "std::net", "std::time::SystemTime", "std::time::Instant", "ratatui"]),
    ("engine", &["tokio", "reqwest", "std::fs", "std::net", "std::time::SystemTime", "std::time::Instant", "ratatui"]),
    ("runbooks", &["tokio", "reqwest", "std::fs", "std::net", "std::time::Instant", "ratatui"]),
    ("app", &["tokio", "reqwest", "std::fs", "std::net", "std::time::Instant", "ratatui"]),
    ("ui", &["tokio", "reqwest", "std::fs", "std::net", "std::time::Instant"]),
];

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Every mention of `crate::room` (or `super::` paths that lead there) outside of comments.
fn violations(room: &str, text: &str) -> Vec<String> {
    let forbidden = FORBIDDEN.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, rooms)| rooms);
    let impure = IMPURE.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, crates)| crates);
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for other in forbidden {
            if code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};")) {
                found.push(format!("line {}: {room} imports {other}", number + 1));
            }
            if code.contains("crate::{") && code.contains(&format!("{other}::")) {
                found.push(format!("line {}: {room} imports {other} in a group", number + 1));
            }
        }
        for name in impure {
            if code.contains(&format!("{name}::")) || code.trim_start().starts_with(&format!("use {name}")) {
                found.push(format!("line {}: {room} uses {name}", number + 1));
            }
        }
    }
    found
}

fn room_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?.to_owned();
    Some(first.trim_end_matches(".rs").to_owned())
}

#[test]
fn no_room_imports_what_it_must_not() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for (path, text) in sources(&src) {
        let room = room_of(&path).unwrap();
        all.extend(violations(&room, &text).into_iter().map(|what| format!("{}: {what}", path.display())));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn adapters_do_not_see_one_another() {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters");
    let name = |path: &Path| {
        let inside = path.strip_prefix(&adapters).unwrap();
        inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let files = sources(&adapters);
    let mut all: Vec<String> = files.iter().map(|(path, _)| name(path)).filter(|name| name != "mod").collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 4, "{all:?}");
    for (path, text) in &files {
        for other in all.iter().filter(|other| **other != name(path)) {
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            let seen = code.into_iter().find(|code| code.contains(&format!("adapters::{other}")));
            assert!(seen.is_none() || name(path) == "mod", "{}: {seen:?}", path.display());
        }
    }
}

#[test]
fn every_child_process_is_started_through_one_door() {
    let starts = |text: &str| {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        code.any(|code| code.contains("Command::new(") || code.contains("process::Command"))
    };
    assert!(starts("let child = std::process::Command::new(\"ssh\");"));
    let doors: Vec<PathBuf> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .into_iter()
        .filter(|(path, text)| starts(text) && !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|(path, _)| path)
        .collect();
    assert!(matches!(&doors[..], [door] if door.ends_with("src/adapters/child.rs")), "{doors:?}");
}

#[test]
fn what_is_printed_goes_through_one_writer() {
    let prints = |text: &str| {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let macros = ["println!(", "print!(", "stdout()", "stderr()"];
        let asks = ["stdout().is_terminal()", "is_terminal(&std::io::stderr())", "ProgressDrawTarget::stderr()"];
        code.any(|code| macros.iter().any(|word| code.contains(word)) && !asks.iter().any(|word| code.contains(word)))
    };
    assert!(prints("eprintln!(\"a closed pipe makes this panic\");"));
    let doors: Vec<PathBuf> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .into_iter()
        .filter(|(path, text)| prints(text) && !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|(path, _)| path)
        .collect();
    // The screen has the terminal; the commands of the lab, which people don't call, write as they read.
    let ends = [
        "src/main.rs",
        "src/cli/print.rs",
        "src/cli/lab_client.rs",
        "src/runtime/terminal.rs",
        "src/adapters/lab/shell.rs",
    ];
    assert!(doors.iter().all(|door| ends.iter().any(|end| door.ends_with(end))), "{doors:?}");
    let main = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert_eq!(main.matches("stdout()").count(), 2, "whether it is a terminal");
}

#[test]
fn a_planted_violation_is_found() {
    assert_eq!(violations("domain", "use crate::engine::record::Record;\n").len(), 1);
    assert_eq!(violations("engine", "    let x = tokio::spawn(f);\n").len(), 1);
    assert_eq!(violations("ui", "use crate::{adapters::lab, app};\n").len(), 1);
    assert!(violations("engine", "// crate::adapters::lab is seen by runtime only\n").is_empty());
}

#[test]
fn no_file_is_longer_than_500_lines_and_each_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests", "benches"] {
        for (path, text) in sources(&root.join(folder)) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
            assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        }
    }
}

#[test]
fn nothing_in_the_source_unwraps_or_leaves_work_undone() {
    for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for mark in ["todo!(", "unimplemented!(", "FIXME", "XXX"] {
            assert!(!text.contains(mark), "{} has {mark}", path.display());
        }
    }
}

#[test]
fn the_readme_lists_the_keys_as_the_program_has_them() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = changeguard::app::command::markdown_table();
    assert!(readme.contains(table.trim()), "put this table into the README:\n{table}");
}

/// What a line of code tells an operator to type, in backquotes and without the program's name.
fn unnamed(line: &str, subcommands: &[String]) -> Option<String> {
    let code = line.trim_start();
    if code.starts_with("//") {
        return None;
    }
    let code = code.split(" // ").next().unwrap_or_default();
    // What stands between two backquotes is every second piece.
    let mut quoted = code.split('`').skip(1).step_by(2);
    quoted.find(|text| subcommands.iter().any(|word| text.split(' ').next() == Some(word))).map(str::to_owned)
}

#[test]
fn a_command_that_is_named_to_an_operator_bears_the_programs_name() {
    let subcommands: Vec<String> =
        Cli::command().get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    assert!(unnamed(r#"hint("see `audit verify`")"#, &subcommands).is_some());
    assert!(unnamed(r#"hint("see `changeguard audit verify`")"#, &subcommands).is_none());
    for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for (number, line) in text.lines().enumerate() {
            let found = unnamed(line, &subcommands);
            assert!(found.is_none(), "{}:{}: {}", path.display(), number + 1, found.unwrap_or_default());
        }
    }
}

#[test]
fn the_readme_lists_the_verbs_of_the_runbooks_as_their_specs_have_them() {
    use changeguard::engine::case::runbook::Runbook;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = changeguard::app::case::verbs::markdown_table(&[
        changeguard::runbooks::fernet::Fernet::spec(),
        changeguard::runbooks::kops::Kops::spec(),
    ]);
    assert!(readme.contains(table.trim()), "put this table into the README:\n{table}");
}

#[test]
fn the_screen_knows_no_word_of_a_runbook_that_has_a_page_made_of_values() {
    for room in ["app", "ui"] {
        for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)) {
            let text = text.to_lowercase();
            let word = ["fernet", "keystone", "kops", "kubernetes"].into_iter().find(|word| text.contains(word));
            assert_eq!(word, None, "{}", path.display());
        }
    }
}

/// What stands in the hints of faults, up to the end of the call.
fn hints(text: &str) -> Vec<String> {
    let rest = |(at, _): (usize, &str)| {
        let mut depth = 1;
        let is_in = |c: &char| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth > 0
        };
        text[at + ".hint(".len()..].chars().take_while(is_in).collect()
    };
    text.match_indices(".hint(").map(rest).collect()
}

#[test]
fn a_fault_of_a_runbook_of_stretches_carries_its_orders_as_values_and_not_as_words() {
    let names = |hint: &String| ["resume", "roll back", "cancel"].iter().any(|word| hint.contains(word));
    assert!(hints("fault.hint(format!(\"look (twice), then resume\")).leads(x)").iter().all(names));
    let mut seen = 0;
    let folders = ["fernet", "kops"].map(|kind| Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runbooks").join(kind));
    for (path, text) in folders.iter().flat_map(|folder| sources(folder)) {
        let hints = hints(&text);
        seen += hints.len();
        let wrong: Vec<&String> = hints.iter().filter(|hint| names(hint)).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}: say it with .leads", path.display());
    }
    assert!(seen > 10, "{seen}");
}
