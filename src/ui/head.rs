//! The head of a tenant's screen: always there, always in this order. Sources, window, people, key, next; the labels stand in one
//! margin, and a narrow screen has the runbook as a strip.

use crate::app::command::command_of;
use crate::app::panel::is_overridden;
use crate::app::{Model, space};
use crate::domain::cadence::Due;
use crate::domain::gate::Verdict;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::window::{Window, WindowState};
use crate::engine::gap;
use crate::engine::next::Act;
use crate::engine::sources::Source;
use crate::engine::status::{ClientView, Phase, Reconcile, Standing, TenantStatus};
use crate::ui::header::{late_age, reconcile_style};
use crate::ui::pen::{Pen, Piece, piece};
use crate::ui::{age, plot, steps};
use jiff::Timestamp;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// Columns of the margin: one label a row.
pub const MARGIN: u16 = 12;

/// Draws the head below the first line.
pub fn draw(model: &Model, status: &TenantStatus, size: (u16, u16), pen: &mut Pen<'_>) {
    let (width, _) = size;
    let wide = space::is_wide(size);
    let airy = space::is_airy(size);
    let first = if airy { 2 } else { 1 };
    let row = |at: u16, label: &str, style: Style, pieces: &[Piece<'_>], pen: &mut Pen<'_>| {
        pen.put(0, first + at, MARGIN, label, style);
        pen.flow(MARGIN, first + at, width - MARGIN, pieces);
    };
    let quiet = pen.theme.quiet();
    let sources = sources(model, status, width, pen);
    row(0, "sources", quiet, &sources, pen);
    match status.headline() {
        // It takes the place of what matters less for as long as it is so.
        Some(text) => {
            let bad = pen.theme.bad();
            row(1, "alarm", bad, &[piece(text, bad)], pen);
        }
        None => {
            let (label, pieces) = window(model, status, width, pen);
            row(1, &label, quiet, &pieces, pen);
        }
    }
    let (label, pieces) = people(model, status, width, pen);
    row(2, label, quiet, &pieces, pen);
    let key = key(model, status, pen);
    row(3, "key", quiet, &key, pen);
    if !wide {
        let strip = runbook(model, status, pen);
        row(4, "runbook", quiet, &strip, pen);
    }
    let at = if airy {
        5
    } else if wide {
        4
    } else {
        5
    };
    let next = next(status, pen);
    row(at, "next", pen.theme.strong(), &next, pen);
}

/// How a source stands: a dot, and the age of its last answer, in steps while that is as it should be. Whoever has no room is
/// counted.
fn sources<'a>(model: &Model, status: &'a TenantStatus, width: u16, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let late = model.all_late(status);
    let is_late = |name| late.iter().any(|late| late.name == name);
    // Who does not answer comes first: those who do may be counted only.
    let lost = late.iter().map(|view| {
        let since = late_age(model, &[view]).unwrap_or_default();
        vec![piece(format!("{} {} {since}   ", pen.glyphs.lost, view.name.word()), theme.bad())]
    });
    let well = status.sources.iter().filter(|view| !is_late(view.name)).filter_map(|view| {
        let fresh = bucket(model.now.as_second() - view.seen_at?.as_second());
        let text = if width >= 100 { format!(" {fresh}   ") } else { "  ".to_owned() };
        let dot = piece(format!("{} ", pen.glyphs.alive), theme.good());
        Some(vec![dot, piece(view.name.word(), theme.plain()), piece(text, theme.quiet())])
    });
    let lost: Vec<_> = lost.collect();
    let (all, bad): (Vec<_>, usize) = (lost.iter().cloned().chain(well).collect(), lost.len());
    if all.is_empty() {
        return vec![piece("nobody was looked at yet", theme.quiet())];
    }
    let ends: Vec<usize> = all
        .iter()
        .scan(0, |used, pieces| {
            *used += pieces.iter().map(|(text, _)| text.width()).sum::<usize>();
            Some(*used)
        })
        .collect();
    let room = usize::from(width.saturating_sub(MARGIN));
    let blank = |at: usize| all[at].last().map_or(0, |(text, _)| text.width() - text.trim_end().width());
    let fits = |count: usize, most: usize| count == 0 || ends[count - 1] - blank(count - 1) <= most;
    if fits(all.len(), room) {
        return all.into_iter().flatten().collect();
    }
    let shown = (0..all.len()).rev().find(|count| fits(*count, room.saturating_sub(MORE))).unwrap_or(0);
    let style = if shown < bad { theme.bad() } else { theme.quiet() };
    let more = piece(format!("+{}", all.len() - shown), style);
    all.into_iter().take(shown).flatten().chain([more]).collect()
}

/// Columns of the count of those who have no room, with the blanks before it.
const MORE: usize = 6;

/// An age that is as it should be does not tick.
fn bucket(seconds: i64) -> &'static str {
    match seconds {
        ..5 => "<5s",
        5..15 => "<15s",
        15..60 => "<60s",
        60..300 => "<5min",
        _ => "<1h",
    }
}

fn window<'a>(model: &Model, status: &TenantStatus, width: u16, pen: &Pen<'_>) -> (String, Vec<Piece<'a>>) {
    let theme = pen.theme;
    match (&status.window, &status.outcome) {
        // Which of its revisions it is stands where nothing cuts it.
        (Some(window), _) => (format!("window r{}", window.revision), planned(window, status, model.now, width, pen)),
        (None, Some(outcome)) => {
            ("last".into(), vec![piece(format!("the last rotation: {}", status.ended_word(outcome)), theme.plain())])
        }
        (None, None) => ("last".into(), vec![piece("never rotated by changeguard", theme.plain())]),
    }
}

fn planned<'a>(window: &Window, status: &TenantStatus, now: Timestamp, width: u16, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let begun = matches!(status.phase, Phase::Rotating | Phase::Returning | Phase::RollingBack);
    let (word, style) = match window.state(now) {
        WindowState::Before => (format!("opens {}", age::until(window.start, now)), theme.warn()),
        WindowState::Open => (format!("OPEN, ends {}", age::until(window.end, now)), theme.good()),
        WindowState::After if begun => ("over".to_owned(), theme.quiet()),
        WindowState::After => ("OVER".to_owned(), theme.bad()),
    };
    let when = window.for_people();
    let mut pieces = vec![piece(format!("{when}  "), theme.plain())];
    let used = usize::from(MARGIN) + when.width() + 4 + word.width();
    let room = usize::from(width).saturating_sub(used).min(LONGEST_BAR);
    if room >= SHORTEST_BAR {
        pieces.extend(bar(window, now, room, pen));
        pieces.push(piece("  ", theme.plain()));
    }
    pieces.push(piece(word, style));
    pieces
}

const LONGEST_BAR: usize = 42;
const SHORTEST_BAR: usize = 12;

/// The window on a line that is time: what comes, its two ends, and now.
fn bar<'a>(window: &Window, now: Timestamp, columns: usize, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let (start, end, now) = (window.start.as_second(), window.end.as_second(), now.as_second());
    let (from, to) = (start.min(now), end.max(now));
    let margin = ((to - from) / 12).max(1);
    let (from, whole) = (from - margin, to - from + 2 * margin);
    let last = columns as i64 - 1;
    let place = |at: i64| ((at - from) * last / whole).clamp(0, last) as usize;
    let (first, until, here) = (place(start), place(end).max(place(start) + 1), place(now));
    let glyphs = pen.glyphs;
    (0..columns)
        .map(|at| match at {
            _ if at == here => piece(glyphs.now, theme.strong()),
            _ if at == first => piece(glyphs.opening, theme.plain()),
            _ if at == until => piece(glyphs.ending, theme.plain()),
            _ if at > first && at < until && at < here => piece(glyphs.span, theme.line()),
            _ if at > first && at < until && here > first => piece(glyphs.span, theme.busy()),
            _ if at > first && at < until => piece(glyphs.span, theme.hand()),
            _ => piece(glyphs.rule, theme.line()),
        })
        .collect()
}

/// What a person's square says, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Square {
    Settled,
    Waived,
    Probably,
    No,
    ToRead,
    Silent,
}

impl Square {
    const ALL: [Square; 6] =
        [Square::Settled, Square::Waived, Square::Probably, Square::No, Square::ToRead, Square::Silent];

    fn before(view: &ClientView) -> Self {
        match view.standing {
            Standing::Confirmed => Square::Settled,
            Standing::Waived => Square::Waived,
            Standing::Declined | Standing::OtherTime | Standing::Bounced | Standing::NotDelivered => Square::No,
            Standing::Tentative | Standing::ToRead | Standing::OldAnswer | Standing::Uncertain => Square::ToRead,
            Standing::ToTell | Standing::Queued | Standing::Sent | Standing::Silent => Square::Silent,
        }
    }

    fn after(view: &ClientView) -> Self {
        use crate::domain::freshness::Presence;
        match view.presence {
            _ if view.back.is_some() => Square::Settled,
            _ if view.standing == Standing::Waived => Square::Waived,
            _ if view.says_not_back => Square::No,
            Some(Presence::Back | Presence::ProbablyBack) => Square::Probably,
            _ => Square::Silent,
        }
    }

    fn look(self, pen: &Pen<'_>) -> (&'static str, Style) {
        let (theme, [yes, waived, probably, silent]) = (pen.theme, pen.glyphs.squares);
        match self {
            Square::Settled => (yes, theme.good()),
            Square::Waived => (waived, theme.warn()),
            Square::Probably => (probably, theme.warn()),
            Square::No => (pen.glyphs.bad, theme.bad()),
            Square::ToRead => (pen.glyphs.unknown, theme.warn()),
            Square::Silent => (silent, theme.quiet()),
        }
    }
}

/// A square each, as many as have room; of more, every state keeps at least one.
fn squares<'a>(of: &[Square], room: usize, plain: bool, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let spaced = of.len() <= 20 && of.len() * 2 <= room;
    let shown = of.len().min(room);
    let mut pieces = Vec::new();
    for square in Square::ALL {
        let count = of.iter().filter(|one| **one == square).count();
        let scaled = (count * shown).checked_div(of.len()).unwrap_or(0).max(usize::from(count > 0));
        let (glyph, style) = square.look(pen);
        let one = if spaced { format!("{glyph} ") } else { glyph.to_owned() };
        pieces.push(piece(one.repeat(scaled), if plain { pen.theme.plain() } else { style }));
    }
    pieces.push(piece(if spaced { " " } else { "  " }, pen.theme.plain()));
    pieces
}

fn people<'a>(model: &Model, status: &'a TenantStatus, width: u16, pen: &Pen<'_>) -> (&'static str, Vec<Piece<'a>>) {
    let theme = pen.theme;
    let count = status.clients.len();
    if status.phase == Phase::Idle {
        let known = if status.people_seen.is_some() { format!("{count} clients") } else { "not looked at yet".into() };
        return (
            "people",
            vec![piece(known, theme.plain()), piece(format!("   {}", status.live_sessions()), theme.quiet())],
        );
    }
    let (label, source, said, side) = match status.back {
        Some((back, of)) => {
            let waived =
                status.clients.iter().filter(|view| view.back.is_none() && view.standing == Standing::Waived).count();
            let waived_told = if waived == 0 { String::new() } else { format!(", {waived} waived") };
            let said = format!("{} of {of} back{waived_told}", back - waived.min(back));
            ("back", Source::Server, said, Square::after as fn(&ClientView) -> Square)
        }
        None => {
            let of = if status.people_seen.is_some() { status.answers.1.to_string() } else { "?".to_owned() };
            (
                "answers",
                Source::Mailbox,
                format!("{} of {of} settled", status.answers.0),
                Square::before as fn(&ClientView) -> Square,
            )
        }
    };
    let is_late = model.late(status, source).is_some();
    let stale = if is_late { pen.glyphs.stale } else { "" };
    let unverified = status.back.is_none() && status.heard.senders_verified == Some(false);
    let mut tail = vec![piece(format!("{stale}{said}"), theme.plain())];
    if unverified {
        tail.push(piece(" unverified", theme.warn()));
    }
    let gate = gate(model, status, pen);
    let fixed: usize = tail.iter().chain(&gate).map(|(text, _)| text.width()).sum();
    let room = usize::from(width - MARGIN).saturating_sub(fixed + 4).min(60);
    let of: Vec<Square> = status.clients.iter().map(side).collect();
    let mut pieces = squares(&of, room, is_late, pen);
    pieces.extend(tail);
    let used: usize = pieces.iter().map(|(text, _)| text.width()).sum();
    let free =
        usize::from(width - MARGIN).saturating_sub(used + gate.iter().map(|(text, _)| text.width()).sum::<usize>() + 1);
    if let Some((plot, span)) = plot::answers(status, pen.glyphs)
        && plot.width() + span.width() + 3 <= free
    {
        pieces.push(piece(format!("   {plot}{span}"), theme.quiet()));
    }
    if !gate.is_empty() {
        pieces.push(piece("   ", theme.plain()));
        pieces.extend(gate);
    }
    (label, pieces)
}

fn gate<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    if is_overridden(status) {
        return vec![piece("gate OVERRIDDEN", theme.bad())];
    }
    if !matches!(status.phase, Phase::Planned | Phase::Announced) {
        return Vec::new();
    }
    let count = |reasons: usize| if reasons == 1 { "1 reason".into() } else { format!("{reasons} reasons") };
    let (text, style) = match &status.gate {
        // It is open by what was seen last; whoever does not answer may say something else now.
        Verdict::Open if model.is_late(status) => (format!("gate {}open", pen.glyphs.stale), theme.warn()),
        Verdict::Open => ("gate open".to_owned(), theme.good()),
        Verdict::Shut(reasons) => (format!("gate SHUT, {}", count(reasons.len())), theme.bad()),
        Verdict::Unknown(reasons) => (format!("gate UNKNOWN, so shut, {}", count(reasons.len())), theme.bad()),
    };
    vec![piece(text, style)]
}

/// The places joined by what they have to do with one another, and what that means.
fn key<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let keys = &status.keys;
    let late = model.late_key(status).is_some();
    let style = if late { theme.plain() } else { reconcile_style(status.reconcile, pen) };
    let joint = |one: Option<_>, other: Option<_>| match (one, other) {
        (Some(one), Some(other)) if one == other => pen.glyphs.agree,
        (Some(_), Some(_)) => pen.glyphs.differ,
        _ => pen.glyphs.unknown,
    };
    let (secret, object, interface) = (keys.secret.key, keys.object.key, keys.interface.key);
    let places = format!("secret {} object {} interface", joint(secret, object), joint(object, interface));
    let stale = if late { pen.glyphs.stale } else { "" };
    let mut pieces = vec![piece(format!("{stale}{places}   "), style)];
    let all = secret.filter(|key| Some(*key) == object && Some(*key) == interface);
    pieces.push(match all {
        Some(key) => piece(format!("{}   ", key.short()), theme.plain()),
        None => piece("", theme.plain()),
    });
    let waits = status.reconcile == Reconcile::Waiting;
    let within = status.reconcile_deadline.filter(|_| waits).map(|at| match at.as_second() - model.now.as_second() {
        left @ 0.. => format!(", within {}", age::span(left)),
        past => format!(" for {} too long", age::span(-past)),
    });
    pieces.push(piece(format!("{stale}{}{}", status.reconcile.word(), within.unwrap_or_default()), style));
    if let Some(overlap) = status.overlap_us {
        pieces.push(piece(format!("   no gap, two for {}", gap::length(overlap)), theme.quiet()));
    } else if let Some(gap) = status.gap_us {
        let long = status.long_gap().is_some();
        let word = if long { " ABOVE NORMAL" } else { "" };
        pieces
            .push(piece(format!("   gap {}{word}", gap::length(gap)), if long { theme.warn() } else { theme.quiet() }));
    }
    pieces.extend(due(status, model.now, pen));
    pieces
}

/// When the key is due comes before how old it is.
fn due<'a>(status: &TenantStatus, now: Timestamp, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let due = match (status.keys.due, status.keys.due_state) {
        (Some(due), Some(Due::Overdue)) => {
            piece(format!("   OVERDUE {}", age::span(now.as_second() - due.as_second())), theme.bad())
        }
        (Some(due), Some(Due::Soon)) => piece(format!("   due {}", age::until(due, now)), theme.warn()),
        (Some(due), _) => piece(format!("   due {}", age::until(due, now)), theme.quiet()),
        (None, _) => piece("   its age is not known", theme.quiet()),
    };
    let made = status.keys.created.map(|made| format!(", made {}", age::ago(made, now))).unwrap_or_default();
    vec![due, piece(made, theme.quiet())]
}

/// The steps as a strip with the gate between them, and in words the one that is under way or comes next.
fn runbook<'a>(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    if status.steps.is_empty() {
        return vec![piece("no rotation is open", theme.quiet())];
    }
    let mut pieces = Vec::new();
    for step in &status.steps {
        let (glyph, style) = steps::look(&step.state, pen);
        pieces.push(piece(format!("{}{glyph} ", step.number), style));
        if step.number == StepNumber::CHECK {
            let style = match (&status.gate, status.touched || status.phase == Phase::Idle) {
                (_, true) => theme.line(),
                (Verdict::Open, false) => theme.good(),
                (_, false) => theme.bad(),
            };
            pieces.push(piece(format!("{} ", pen.glyphs.bar), style));
        }
    }
    let waiting = |state: &StepState| !state.is_done();
    if let Some(step) = status.steps.iter().find(|step| waiting(&step.state)).filter(|_| status.phase != Phase::Idle) {
        let detail = steps::detail(model, status, step);
        let colon = if detail.is_empty() { "" } else { ": " };
        pieces.push(piece(format!(" {} {}{colon}{detail}", step.number, step.title), theme.plain()));
    }
    pieces
}

/// The key of what is to be done as a chip, and the sentence.
fn next<'a>(status: &'a TenantStatus, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let key = command_of(status).and_then(|command| command.keys.first()).map(|key| key.label());
    let chip = match (key, status.next.action) {
        (Some(key), _) => piece(format!(" {key} "), theme.chip()),
        (None, Act::Wait | Act::Watch) => piece("wait", theme.busy()),
        (None, _) => piece("", theme.plain()),
    };
    let style = if status.lead().is_some() { theme.bad() } else { theme.strong() };
    vec![chip, piece(" ", theme.plain()), piece(status.next.text.as_str(), style)]
}
