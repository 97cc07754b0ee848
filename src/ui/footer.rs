//! The last two lines: what was said or runs now, and the keys that are possible.

use crate::app::case::verbs;
use crate::app::command;
use crate::app::model::{Job, Severity};
use crate::app::update::is_typing;
use crate::app::{Model, Screen};
use crate::ui::age;
use crate::ui::pen::{Pen, Piece, piece};
use unicode_width::UnicodeWidthStr;

/// Draws both lines.
pub fn draw(model: &Model, (width, height): (u16, u16), pen: &mut Pen<'_>) {
    message(model, width, height - 2, pen);
    // While a dialog is open the keys are the dialog's, and it names its own.
    if model.dialog.is_none() {
        keys(model, width, height - 1, pen);
    }
}

fn message(model: &Model, width: u16, y: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let log = if width >= 100 { "  (m: all)" } else { "" };
    // What stands at the right edge, so that no long text before it hides it.
    let mut behind = String::new();
    let pieces: Vec<Piece<'_>> = if let Some(alarm) = &model.alarm {
        vec![piece("ALARM: ", theme.bad()), piece(alarm.as_str(), theme.bad())]
    } else if let Some(remark) = model.remark() {
        let style = match remark.severity {
            Severity::Info => theme.plain(),
            // It was so when it was said.
            Severity::Done if is_blind(model) => theme.plain(),
            Severity::Done => theme.good(),
            Severity::Refused => theme.warn(),
            Severity::Error => theme.bad(),
        };
        vec![
            piece(format!("{}: ", remark.severity.word()), style),
            piece(remark.text.as_str(), theme.plain()),
            piece(log, theme.quiet()),
        ]
    } else if let Some(job) = model.shown().and_then(|id| model.jobs.get(id)) {
        job_pieces(model, job, pen)
    } else if model.screen == Screen::Fleet && !model.jobs.is_empty() {
        vec![piece(format!("{} running now", model.jobs.len()), theme.busy())]
    } else {
        match model.attention() {
            [] => Vec::new(),
            [only] => {
                // What is cut opens.
                let is_cut = usize::from(width) < only.width() + 2;
                behind = if is_cut { "  (!)".into() } else { String::new() };
                vec![piece(format!("{} {only}", pen.glyphs.warn), theme.warn())]
            }
            [first, rest @ ..] => {
                behind = format!("  (! +{} more)", rest.len());
                vec![piece(format!("{} {first}", pen.glyphs.warn), theme.warn())]
            }
        }
    };
    let used = pen.flow(0, y, width.saturating_sub(behind.width() as u16), &pieces);
    let style = theme.quiet();
    pen.put(used, y, width.saturating_sub(used), &behind, style);
}

/// Whether somebody does not answer of the tenant that a command means now.
fn is_blind(model: &Model) -> bool {
    model.subject().and_then(|id| model.tenants.get(id)).is_some_and(|status| model.is_late(status))
}

/// What runs: bar, word, step, text, since when.
pub fn job_pieces<'a>(model: &Model, job: &'a Job, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let since = age::span(model.now.as_second() - job.since.as_second());
    let Some(progress) = &job.progress else {
        return vec![piece(format!("{} {} is running, {since}", pen.glyphs.running, job.what), theme.busy())];
    };
    let mut pieces = Vec::new();
    if progress.total > 0 {
        pieces.push(piece(format!("[{}] ", pen.bar(progress.done, progress.total, 16)), theme.busy()));
        pieces.push(piece(format!("{}/{} ", progress.done, progress.total), theme.busy()));
    } else {
        pieces.push(piece(format!("{} ", pen.glyphs.running), theme.busy()));
    }
    pieces.push(piece(format!("{}, step {}, {since}: ", job.what, progress.step), theme.busy()));
    pieces.push(piece(progress.text.as_str(), theme.plain()));
    pieces
}

fn keys(model: &Model, width: u16, y: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    // While a filter is typed every letter goes into it.
    if is_typing(model) {
        let keys = [("Enter", " keeps the filter   "), ("Esc", " drops it")];
        let pieces = keys.map(|(key, what)| [piece(key, theme.strong()), piece(what, theme.quiet())]);
        pen.flow(0, y, width, pieces.as_flattened());
        return;
    }
    let help = " ? help  q back";
    let room = width.saturating_sub(help.len() as u16);
    let mut used = 0;
    let needs = |key: &str, title: &str| (key.len() + title.len() + 3) as u16;
    let others: Vec<(String, &str)> = command::footer(model)
        .filter(|info| !matches!(info.id, command::CommandId::Help | command::CommandId::Leave))
        .map(|info| (info.keys.first().map(|key| key.label()).unwrap_or_default(), info.title))
        .collect();
    let verbs = verbs::open(model);
    // What is there on every screen stays in sight beside a subject's verbs.
    let kept: u16 = if verbs.is_empty() { 0 } else { others.iter().map(|(key, title)| needs(key, title)).sum() };
    let mut show = |key: String, title: &str, room: u16, pen: &mut Pen<'_>| {
        if used + needs(&key, title) > room {
            return false;
        }
        let pieces = [piece(key, theme.strong()), piece(format!(" {title}  "), theme.quiet())];
        used += pen.flow(used, y, room - used, &pieces);
        true
    };
    for verb in verbs {
        if !show(verb.key.to_string(), verbs::title(verb), room.saturating_sub(kept), pen) {
            break;
        }
    }
    for (key, title) in others {
        if !show(key, title, room, pen) {
            break;
        }
    }
    let leave = if model.screen == Screen::Fleet { "quit" } else { "back" };
    let last = [
        piece(" ?", theme.strong()),
        piece(" help  ", theme.quiet()),
        piece("q", theme.strong()),
        piece(format!(" {leave}"), theme.quiet()),
    ];
    pen.flow(room, y, width - room, &last);
}
