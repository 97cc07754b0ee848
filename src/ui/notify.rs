//! The dialog of mails: kinds, who gets one and what became of it, the letter, and the progress of sending.

use crate::app::confirm::Confirmation;
use crate::app::dialog::notify::{mail_reply, mail_state};
use crate::app::dialog::{Mark, NotifyDialog, Row};
use crate::app::{Model, space};
use crate::domain::notice::NoticeKind;
use crate::domain::second_mail::SecondMail;
use crate::engine::status::{ClientView, TenantStatus};
use crate::ui::dialog::{confirmation_keys, draw_confirmation, draw_lines, frame, wrap_rows};
use crate::ui::footer::job_pieces;
use crate::ui::pen::{Pen, piece, wrap};
use ratatui::layout::Rect;

/// What it does, in a word.
const DEED: &str = "send";

/// Draws the dialog; gives the cursor while the name is typed.
pub fn draw(
    model: &Model,
    dialog: &NotifyDialog,
    status: &TenantStatus,
    area: Rect,
    pen: &mut Pen<'_>,
) -> Option<(u16, u16)> {
    let width = area.width.saturating_sub(2).min(116);
    let ready = dialog.ask(model, status);
    let title = format!("Mails to the clients of {}", status.tenant.name);
    let keys = keys(dialog, status, ready.is_ok());
    let inner = frame(area, width, area.height.saturating_sub(1), &title, &keys, pen);
    kinds(dialog, status, inner, pen);
    let half = inner.height.saturating_sub(3) / 2;
    let people = Rect::new(inner.x, inner.y + 1, inner.width, half);
    recipients(dialog, status, people, pen);
    let below = Rect::new(inner.x, people.bottom(), inner.width, inner.height.saturating_sub(3 + half));
    let cursor = match &dialog.confirmation {
        Some(confirmation) => draw_stakes(dialog, confirmation, status, below, pen),
        None => {
            draw_letter(dialog, status, below, pen);
            None
        }
    };
    last_lines(model, dialog, status, inner, ready.err(), pen);
    cursor
}

/// The keys that work now.
fn keys(dialog: &NotifyDialog, status: &TenantStatus, ready: bool) -> String {
    if let Some(confirmation) = &dialog.confirmation {
        let keys = confirmation_keys(confirmation, DEED, &status.tenant.name, ready);
        return keys.into_iter().chain(["Esc back to the list".into()]).collect::<Vec<_>>().join("   ");
    }
    let all = [
        (ready, "Enter goes on to send"),
        (!status.clients.is_empty(), "Space only these"),
        (dialog.has_failed(status), "f only the failed"),
        (dialog.is_uncertain(status), "o settle uncertain"),
        (matches!(dialog.letters, Some(Ok(_))), "Tab letter"),
        (dialog.kinds.len() > 1, "Left/Right kind"),
        (true, "Esc close"),
    ];
    all.into_iter().filter(|(works, _)| *works).map(|(_, key)| key).collect::<Vec<_>>().join("  ")
}

/// Whom it reaches, and what sets it off.
fn draw_stakes(
    dialog: &NotifyDialog,
    confirmation: &Confirmation,
    status: &TenantStatus,
    area: Rect,
    pen: &mut Pen<'_>,
) -> Option<(u16, u16)> {
    pen.rule(area.x, area.y, area.width, "What this does", true);
    let recipients = dialog.recipients(status);
    let kind = dialog.kind();
    let names: Vec<&str> = recipients.iter().map(|view| view.client.name.as_str()).collect();
    let people = if names.len() == 1 { "1 person".to_owned() } else { format!("{} people", names.len()) };
    let second = recipients.iter().filter(|view| matches!(mail_state(view, kind), Some("sent" | "uncertain"))).count();
    let mut rows = vec![Row::new(Mark::Warn, format!("mails the {} to {people}: {}", kind.word(), names.join(", ")))];
    if second > 0 {
        rows.push(Row::new(Mark::Warn, format!("{second} of them may get it for the second time")));
    }
    if kind == NoticeKind::Reconfigure {
        rows.extend(SecondMail::told(&status.second_mail_unasked).map(|text| Row::new(Mark::Warn, text)));
    }
    let lines = wrap_rows(&rows, area.width, pen);
    let room = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(3));
    draw_lines(&lines, 0, room, pen);
    let at = Rect::new(area.x, area.bottom().saturating_sub(1), area.width, 1);
    draw_confirmation(confirmation, Some(true), DEED, &status.tenant.name, at, pen)
}

fn kinds(dialog: &NotifyDialog, status: &TenantStatus, inner: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let mut pieces = vec![piece("kind: ", theme.quiet())];
    for (at, kind) in dialog.kinds.iter().enumerate() {
        let is = at == dialog.at;
        let text = if is { format!("({}) ", kind.word()) } else { format!(" {}  ", kind.word()) };
        pieces.push(piece(text, if is { theme.strong() } else { theme.quiet() }));
    }
    let kind = dialog.kind();
    let count = |word: &str| status.clients.iter().filter(|view| mail_state(view, kind) == Some(word)).count();
    let failed = count("refused") + count("deferred");
    let text = format!("  sent {} of {}", count("sent"), status.clients.len());
    pieces.push(piece(text, theme.plain()));
    if failed > 0 {
        pieces.push(piece(format!(", {failed} failed"), theme.bad()));
    }
    if count("uncertain") > 0 {
        pieces.push(piece(format!(", {} uncertain", count("uncertain")), theme.warn()));
    }
    pen.flow(inner.x, inner.y, inner.width, &pieces);
}

fn recipients(dialog: &NotifyDialog, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let title = format!("To whom, {}/{}", dialog.cursor.min(status.clients.len()) + 1, status.clients.len());
    pen.rule(area.x, area.y, area.width, &title, !dialog.reading);
    let page = space::page(status.clients.len(), dialog.cursor, area.height.saturating_sub(1));
    for (y, at) in page.enumerate() {
        let Some(view) = status.clients.get(at) else { continue };
        let y = area.y + 1 + y as u16;
        recipient(dialog, view, Rect::new(area.x, y, area.width, 1), pen);
        if at == dialog.cursor {
            let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
            pen.put(area.x, y, 1, pen.glyphs.selected, strong);
            if !dialog.reading {
                pen.highlight(area.x, y, area.width, selected);
            }
        }
    }
}

fn recipient(dialog: &NotifyDialog, view: &ClientView, at: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let kind = dialog.kind();
    let (glyph, word, style) = match mail_state(view, kind) {
        None if view.client.email.is_none() => (pen.glyphs.bad, "NO ADDRESS", theme.bad()),
        None => (pen.glyphs.waiting, "not sent", theme.quiet()),
        Some("sent") => (pen.glyphs.good, "sent", theme.good()),
        Some(word @ "queued") => (pen.glyphs.running, word, theme.busy()),
        Some(word @ "uncertain") => (pen.glyphs.warn, word, theme.warn()),
        Some(word) => (pen.glyphs.bad, word, theme.bad()),
    };
    if dialog.picked.contains(&view.client.id) {
        pen.put(at.x + 1, at.y, 1, pen.glyphs.marked, theme.strong());
    }
    pen.put(at.x + 3, at.y, 20, &view.client.name, theme.plain());
    pen.flow(at.x + 24, at.y, 12, &[piece(glyph, style), piece(format!(" {word}"), style)]);
    let reply = mail_reply(view, kind);
    let address = view.client.email.as_deref().unwrap_or("waive, or add an address to the contacts");
    let text = if reply.is_empty() { address } else { reply };
    pen.put(at.x + 37, at.y, at.width.saturating_sub(37), text, theme.quiet());
}

fn draw_letter(dialog: &NotifyDialog, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    pen.rule(area.x, area.y, area.width, "The letter as it will be sent", dialog.reading);
    let inner = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(2));
    let theme = pen.theme;
    let text = match (&dialog.letters, dialog.letter(status)) {
        (None, _) => "composing".to_owned(),
        (Some(Err(failure)), _) => failure.line(),
        (Some(Ok(_)), None) => "everybody has got this one; pick somebody with Space to send it again".into(),
        (Some(Ok(_)), Some(letter)) => format!("To: {}\nSubject: {}\n\n{}", letter.to, letter.subject, letter.body),
    };
    let lines: Vec<_> = wrap(&text, usize::from(inner.width)).into_iter().map(|line| (line, theme.plain())).collect();
    draw_lines(&lines, dialog.scroll, inner, pen);
}

fn last_lines(
    model: &Model,
    dialog: &NotifyDialog,
    status: &TenantStatus,
    inner: Rect,
    shut: Option<String>,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let y = inner.bottom().saturating_sub(1);
    if let Some(job) = model.jobs.get(&status.tenant.id) {
        let pieces = job_pieces(model, job, pen);
        pen.flow(inner.x, y, inner.width, &pieces);
    } else if let Some(error) = &dialog.error {
        pen.put(inner.x, y, inner.width, &format!("{} {error}", pen.glyphs.bad), theme.bad());
    } else if dialog.confirmation.is_some() {
        // What it does stands above.
    } else if let Some(why) = shut {
        pen.put(inner.x, y, inner.width, &format!("shut: {why}"), theme.warn());
    } else {
        let count = dialog.recipients(status).len();
        let whom = match dialog.picked.len() {
            0 => format!("{count} of {}", status.clients.len()),
            _ => format!("the {count} picked, even if it is their second"),
        };
        pen.put(inner.x, y, inner.width, &format!("it would go to {whom}"), theme.plain());
    }
}
