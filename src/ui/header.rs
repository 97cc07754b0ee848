//! The first line of each screen: where one is, as whom, in which environment, how it stands; and words that several panels share.

use crate::app::Model;
use crate::engine::sources::{Source, SourceView};
use crate::engine::status::{Phase, Reconcile, TenantStatus};
use crate::ui::age;
use crate::ui::pen::{Pen, Piece, piece};
use jiff::Timestamp;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// The first line of every screen.
pub fn first_line(model: &Model, title: &str, more: &[Piece<'_>], width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let options = &model.options;
    let clock = model.now.strftime("%H:%M UTC").to_string();
    let right = format!("{}  {clock}", options.operator);
    let room = (right.width() as u16).min(width / 3);
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
    pieces.extend_from_slice(more);
    if let Some(line) = model.status().and_then(|status| status.unprotected.first()) {
        pieces.push(piece(format!("  UNPROTECTED: {line}"), theme.bad()));
    }
    pen.flow(0, 0, width - room - 1, &pieces);
}

/// How a tenant's case stands, behind its name: how far it is, and what is out of the ordinary of it.
pub fn state<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let unwritten = if model.late(status, Source::Journal).is_some() { pen.glyphs.stale } else { "" };
    let style = match status.phase {
        Phase::Idle => theme.plain(),
        Phase::RollingBack => theme.bad(),
        Phase::Rotating | Phase::Returning => theme.busy(),
        _ => theme.strong(),
    };
    let mut pieces = vec![piece(format!("   {unwritten}{}", status.phase.word()), style)];
    if let Some(holder) = &status.holder {
        pieces.push(piece(format!("   HELD by {}", holder.name), theme.warn()));
    }
    if let Some(review) = &status.review {
        let word = if model.now > review.review_due { "review OVERDUE" } else { "review due" };
        let of = review.of.word().to_uppercase();
        pieces.push(piece(format!("   {of} {word} {}", age::until(review.review_due, model.now)), theme.bad()));
    }
    if status.own_route.is_some() {
        pieces.push(piece("   OWN SESSION IN THIS TUNNEL", theme.bad()));
    }
    if let Some(reason) = &status.rollback {
        pieces.push(piece(format!("   {reason}"), theme.warn()));
    }
    pieces
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
pub fn late_age(model: &Model, late: &[&SourceView]) -> Option<String> {
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
