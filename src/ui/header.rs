//! The head of each screen: where one is, as whom, in which environment; and on a tenant's screen window, gate and next.

use crate::app::Model;
use crate::app::command::command_of;
use crate::app::panel::is_overridden;
use crate::domain::gate::Verdict;
use crate::domain::window::{Window, WindowState};
use crate::engine::sources::{Source, SourceView};
use crate::engine::status::{Phase, Reconcile, TenantStatus};
use crate::ui::age;
use crate::ui::pen::{Pen, Piece, piece};
use crate::ui::plot;
use jiff::Timestamp;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// The first line of every screen.
pub fn first_line(model: &Model, title: &str, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let options = &model.options;
    let clock = model.now.strftime("%H:%M UTC").to_string();
    let right = format!("{}  {clock}", options.operator);
    let room = width / 3;
    pen.put_right(width - room, 0, room, &right, theme.quiet());
    let mut pieces: Vec<Piece<'_>> = vec![piece("changeguard ", theme.strong())];
    if options.production {
        pieces.push(piece(format!(" PRODUCTION {} ", options.environment), theme.production()));
    } else if !options.environment.is_empty() {
        pieces.push(piece(format!("[{}]", options.environment), theme.label()));
    }
    if let Some(lab) = &options.lab {
        pieces.push(piece(format!(" *{lab}*"), theme.label()));
    }
    pieces.push(piece("  ", theme.plain()));
    pieces.push(piece(title, theme.strong()));
    if let Some(line) = model.status().and_then(|status| status.unprotected.first()) {
        pieces.push(piece(format!("  UNPROTECTED: {line}"), theme.bad()));
    }
    pen.flow(0, 0, width - room - 1, &pieces);
}

/// Lines two to four of a tenant's screen.
pub fn tenant_lines(model: &Model, status: &TenantStatus, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let window = match (&status.window, &status.outcome) {
        (Some(window), _) => window_pieces(window, status, model.now, pen),
        (None, Some(outcome)) => {
            vec![piece(format!("last rotation: {}; {}", outcome.word(), key_age(status, model.now)), theme.plain())]
        }
        (None, None) => {
            vec![piece(format!("never rotated by changeguard; {}", key_age(status, model.now)), theme.plain())]
        }
    };
    match status.headline() {
        // It takes the place of what matters less for as long as it is so.
        Some(text) => pen.flow(0, 1, width, &[piece(text, theme.bad())]),
        None => pen.flow(0, 1, width, &window),
    };
    let unwritten = if model.late(status, Source::Journal).is_some() { pen.glyphs.stale } else { "" };
    let mut facts =
        vec![piece(format!("{unwritten}{}", status.phase.word()), theme.strong()), piece("   ", theme.plain())];
    facts.extend(gate_piece(model, status, pen));
    facts.push(piece("server ", theme.quiet()));
    facts.push(server_piece(model, status, pen));
    let after_server = facts.len();
    if status.phase != Phase::Idle {
        let (settled, of) = status.answers;
        facts.push(piece("   answers ", theme.quiet()));
        let stale = if model.late(status, Source::Mailbox).is_some() { pen.glyphs.stale } else { "" };
        let of = if status.people_seen.is_some() { of.to_string() } else { "?".to_owned() };
        facts.push(piece(format!("{stale}{settled}/{of}"), theme.plain()));
        if status.back.is_none() && status.heard.senders_verified == Some(false) {
            facts.push(piece(" unverified", theme.warn()));
        }
    }
    let used = facts.iter().map(|(text, _)| text.width()).sum::<usize>();
    let room = usize::from(width).saturating_sub(used + 3);
    let late = late_text(model, status, room).map(|text| piece(format!(" {} {text}", pen.glyphs.lost), theme.bad()));
    if let Some(late) = late {
        facts.insert(after_server, late);
    }
    let after_answers = facts.len();
    if let Some((back, of)) = status.back {
        facts.push(piece("   back ", theme.quiet()));
        let style = if model.late_key(status).is_some() { theme.plain() } else { theme.good() };
        facts.push(piece(format!("{back}/{of}"), if back == of { style } else { theme.warn() }));
    }
    if let Some(overlap) = status.overlap_us {
        facts.push(piece(format!("   no gap, two for {}", gap_text(overlap)), theme.quiet()));
    } else if let Some(gap) = status.gap_us {
        let long = status.long_gap().is_some();
        let word = if long { " ABOVE NORMAL" } else { "" };
        facts.push(piece(format!("   gap {}{word}", gap_text(gap)), if long { theme.warn() } else { theme.quiet() }));
    }
    if let Some(holder) = &status.holder {
        facts.push(piece(format!("   HELD by {holder}"), theme.warn()));
    }
    if let Some(review) = &status.review {
        let word = if model.now > review.review_due { "review OVERDUE" } else { "review due" };
        let of = review.of.word().to_uppercase();
        let text = format!("   {of} {word} {}", age::until(review.review_due, model.now));
        facts.push(piece(text, theme.bad()));
    }
    if status.own_route.is_some() {
        facts.push(piece("   OWN SESSION IN THIS TUNNEL", theme.bad()));
    }
    if let Some(reason) = &status.rollback {
        facts.push(piece(format!("   rolling back: {reason}"), theme.warn()));
    }
    if let Some((plot, span)) = plot::answers(status, pen.glyphs) {
        // As much of it as all that matters more leaves room for.
        let used = facts.iter().map(|(text, _)| text.width()).sum::<usize>() + 1;
        let room = usize::from(width).saturating_sub(used);
        if plot.width() <= room {
            let span = Some(span).filter(|span| plot.width() + span.width() <= room).unwrap_or_default();
            facts.insert(after_answers, piece(format!(" {plot}{span}"), theme.quiet()));
        }
    }
    pen.flow(0, 2, width, &facts);
    let key = command_of(status).and_then(|command| command.keys.first());
    let key = key.map_or(String::new(), |key| format!("({}) ", key.label()));
    pen.flow(
        0,
        3,
        width,
        &[
            piece("next: ", theme.strong()),
            piece(key, theme.busy()),
            piece(status.next.text.as_str(), if status.lead().is_some() { theme.bad() } else { theme.strong() }),
        ],
    );
}

fn window_pieces<'a>(window: &Window, status: &TenantStatus, now: Timestamp, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let begun = matches!(status.phase, Phase::Rotating | Phase::Returning | Phase::RollingBack);
    let (word, style) = match window.state(now) {
        WindowState::Before => (format!("opens {}", age::until(window.start, now)), theme.warn()),
        WindowState::Open => (format!("OPEN, ends {}", age::until(window.end, now)), theme.good()),
        WindowState::After if begun => ("over".to_owned(), theme.quiet()),
        WindowState::After => ("OVER".to_owned(), theme.bad()),
    };
    vec![piece(format!("window r{}: {}  ", window.revision, window.for_people()), theme.plain()), piece(word, style)]
}

fn gate_piece<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    if is_overridden(status) {
        return vec![piece("gate OVERRIDDEN", theme.bad()), piece("   ", theme.plain())];
    }
    if !matches!(status.phase, Phase::Planned | Phase::Announced) {
        return Vec::new();
    }
    let (text, style) = match &status.gate {
        // It is open by what was seen last; whoever does not answer may say something else now.
        Verdict::Open if model.is_late(status) => (format!("gate {}open", pen.glyphs.stale), theme.warn()),
        Verdict::Open => ("gate open".to_owned(), theme.good()),
        Verdict::Shut(reasons) => (format!("gate SHUT ({})", count_reasons(reasons.len())), theme.bad()),
        Verdict::Unknown(reasons) => (format!("gate UNKNOWN ({})", count_reasons(reasons.len())), theme.bad()),
    };
    vec![piece(text, style), piece("   ", theme.plain())]
}

fn count_reasons(count: usize) -> String {
    if count == 1 { "1 reason".into() } else { format!("{count} reasons") }
}

/// How the server stands; without colour where that is not known to be true any more.
pub fn server_piece<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Piece<'a> {
    match model.late_key(status) {
        None => piece(status.reconcile.word(), reconcile_style(status.reconcile, pen)),
        Some(_) => piece(format!("{}{}", pen.glyphs.stale, status.reconcile.word()), pen.theme.plain()),
    }
}

/// `45 s no answer: barbican, server`, with the age of the oldest; as many names as have room and the number of the others, at
/// least `barbican+1 45 s`. `None` while all of them answer.
pub fn late_text(model: &Model, status: &TenantStatus, room: usize) -> Option<String> {
    let late = model.all_late(status);
    let (age, (first, rest)) = (late_age(model, &late)?, late.split_first()?);
    let more = |count| if count == 0 { String::new() } else { format!("+{count}") };
    let named = |count: usize| {
        let names: Vec<&str> = late.iter().take(count).map(|view| view.name.word()).collect();
        format!("{age} no answer: {}{}", names.join(", "), more(late.len() - count))
    };
    let fitting = (1..=late.len()).rev().map(named).find(|text| text.width() <= room);
    Some(fitting.unwrap_or_else(|| format!("{}{} {age}", first.name.word(), more(rest.len()))))
}

/// How long ago the one of them answered that has not for the longest; `None`: there are none.
fn late_age(model: &Model, late: &[&SourceView]) -> Option<String> {
    let oldest = late.iter().map(|view| view.seen_at).min()?;
    Some(oldest.map_or_else(|| "never".into(), |at| age::span(model.now.as_second() - at.as_second())))
}

/// How the server stands, while that is known.
pub fn reconcile_style(reconcile: Reconcile, pen: &Pen<'_>) -> Style {
    match reconcile {
        Reconcile::InSync => pen.theme.good(),
        Reconcile::Waiting => pen.theme.busy(),
        Reconcile::Unknown => pen.theme.warn(),
        Reconcile::Late | Reconcile::Differs => pen.theme.bad(),
    }
}

/// The age of the key and when it is due.
pub fn key_age(status: &TenantStatus, now: Timestamp) -> String {
    match (status.keys.created, status.keys.due) {
        (Some(created), Some(due)) => {
            let overdue = if due < now { "OVERDUE, " } else { "due " };
            format!("key made {}, {overdue}{}", age::ago(created, now), age::until(due, now))
        }
        (Some(created), None) => format!("key made {}", age::ago(created, now)),
        _ => "age of the key unknown".into(),
    }
}

/// The measured gap, in the unit that fits.
pub fn gap_text(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        10_000..10_000_000 => format!("{} ms", us / 1000),
        _ => format!("{} s", us / 1_000_000),
    }
}
