//! `watch` on the command line: its lines on standard error, for people and for journald, or as JSON on standard output.

use crate::cli::{exit, print};
use crate::engine::tend::ChangeKind;
use crate::runtime::ending;
use crate::runtime::signals::Ending;
use crate::runtime::watch::{Line, Log, Watch, Whose};
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;

#[derive(Serialize)]
struct JsonLine<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    kind: &'a str,
    text: &'a str,
}

/// A line's word, its weight for journald (sd-daemon(3): 4 warning, 5 notice, 6 informational), and its text.
fn parts(line: &Line) -> (&'static str, u8, &str) {
    match line {
        Line::Changed(change) => {
            let (word, weight) = match change.kind {
                ChangeKind::Record => ("record", 6),
                ChangeKind::Holder => ("holder", 6),
                ChangeKind::Attention => ("attention", 4),
                ChangeKind::Over => ("over", 5),
                ChangeKind::Next => ("next", 5),
            };
            (word, weight, &change.text)
        }
        Line::Acts(text) => ("acts", 5, text),
        Line::Did(text) => ("did", 5, text),
        Line::Failed(text) => ("failed", 4, text),
        Line::Person(text) => ("person", 4, text),
    }
}

/// Where the lines go. `weighed`: standard error leads to journald, which takes a line's weight from its beginning.
pub fn log(json: bool, weighed: bool) -> Log {
    Arc::new(move |whose: Whose<'_>, line: Line| {
        let (tenant, subject) = match whose {
            Whose::Tenant(name) => (Some(name), None),
            Whose::Subject(subject) => (None, Some(subject)),
        };
        let name = tenant.or(subject).unwrap_or_default();
        let (kind, weight, text) = parts(&line);
        if json {
            let line = JsonLine { at: Timestamp::now(), tenant, subject, kind, text };
            let mut out = print::out();
            // Whoever read it may be gone; the watch goes on.
            let _ = serde_json::to_writer(&mut out, &line).map(|()| writeln!(out).and_then(|()| out.flush()));
        } else if weighed {
            print::say(format_args!("<{weight}>{name}: {kind}: {text}"));
        } else {
            let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
            print::say(format_args!("{now} {name}: {kind}: {text}"));
        }
    })
}

/// Watches. Gives the exit code: with `once` whether something needs a person; else 0 after the end was asked for.
pub async fn watch(watch: &Watch<'_>, once: bool, asked: &mut Ending) -> u8 {
    if !once {
        watch.forever(asked).await;
        return exit::DONE;
    }
    let tally = tokio::select! {
        tally = watch.once() => tally,
        () = asked.recv() => {
            ending::ask();
            return exit::FAILED;
        }
    };
    match (tally.blind, tally.persons) {
        (0, 0) => exit::DONE,
        (0, _) => exit::PERSON,
        _ => exit::FAILED,
    }
}
