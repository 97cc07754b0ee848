//! What the expected alert says, in words: expected and silenced, or longer than the runbook allows.

use crate::domain::sanitize::name;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::alerts::{AlertSight, Quiet};
use crate::engine::observe::Sights;
use crate::engine::ports::Settings;
use crate::engine::rotation::Rotation;
use crate::engine::truth::{Live, live};
use jiff::{SignedDuration, Timestamp};

/// The lines for the operator: the alert while it fires, a silence that was left open, and where neither can be known.
pub(super) fn attention(
    open: Option<&Rotation>,
    newest: Option<&Rotation>,
    sights: &Sights,
    settings: &Settings,
    now: Timestamp,
) -> Vec<String> {
    let (mut items, alert) = (Vec::new(), &sights.alert);
    let seen = sights.secret.value().map(|secret| secret.count);
    let silence = newest.and_then(|rotation| rotation.silence.as_ref()).filter(|silence| silence.until > now);
    let since = |sight: &AlertSight| sight.firing.iter().map(|firing| firing.since).min();
    if let Some((sight, since)) = alert.value().and_then(|sight| Some((sight, since(sight)?))) {
        let clock = |at: Timestamp| at.strftime("%H:%M").to_string();
        let (alert, all_silenced) = (&sight.name, sight.firing.iter().all(|firing| firing.is_silenced));
        let by = sight.firing.iter().find_map(|firing| firing.by.as_ref());
        let quiet = match (all_silenced, silence, by) {
            (true, Some(silence), by) if by.is_none_or(|by| by.id == silence.id || silence.id.is_empty()) => {
                format!("silenced by this rotation until {} UTC", clock(silence.until))
            }
            (true, _, by) => foreign(by),
            (false, ..) => "not silenced".into(),
        };
        // Of a secret that somebody else has deleted nothing was expected.
        let is_ours = open.is_none_or(|rotation| live(Some(rotation), None) == Live::Missing) || seen != Some(0);
        items.push(match open.map(|rotation| expectation(rotation, settings, now)).filter(|_| is_ours) {
            Some(Some(true)) => format!("alert {alert} fires (expected, {quiet})"),
            Some(Some(false)) => format!(
                "alert {alert} fires since {} UTC, longer than two cycles after step 4 ({quiet}): see step 6",
                clock(since)
            ),
            _ => format!("alert {alert} fires since {} UTC ({quiet})", clock(since)),
        });
    }
    let is_left = sights.holder.is_none() && newest.is_some_and(|rotation| !rotation.is_alert_expected());
    if let Some(silence) = silence.filter(|_| is_left) {
        let until = silence.until.strftime("%H:%M UTC");
        items.push(format!(
            "the silence of the alert is still open: `changeguard watch` ends it, or it ends by itself at {until}"
        ));
    }
    if let Some((_, fault)) = alert.fault.as_ref().filter(|_| open.is_some_and(|rotation| rotation.touched)) {
        items.push(fault.to_string());
    }
    items
}

/// Longest comment of a silence that is shown, in characters.
const LONGEST: usize = 60;

/// A silence that others have made, and what follows from it.
fn foreign(by: Option<&Quiet>) -> String {
    let what = "it tells nobody of this alert whatever this rotation does, and it is left as it is";
    let Some(by) = by else { return format!("silenced by a silence that could not be looked at: {what}") };
    let mut comment: String = by.comment.chars().take(LONGEST).collect();
    if comment.len() < by.comment.len() {
        comment.push('…');
    }
    let until = by.until.strftime("%Y-%m-%d %H:%M UTC");
    format!("silenced by {} until {until} (\"{comment}\"), not by this rotation: {what}", name(&by.by))
}

/// Whether the rotation explains the alert: yes while step 4 runs and for two cycles after it, not any more after that,
/// and not at all where nothing was touched.
fn expectation(rotation: &Rotation, settings: &Settings, now: Timestamp) -> Option<bool> {
    let cycles = SignedDuration::try_from(settings.reconcile_interval * 2).unwrap_or(SignedDuration::MAX);
    match rotation.step(StepNumber::SECRET) {
        // It may wait long before it changes anything, and end without having done so.
        _ if rotation.touched_as.is_none() && !rotation.touched => None,
        StepState::Running { .. } => Some(true),
        StepState::Done { at, .. } => Some(now.duration_since(*at) <= cycles),
        StepState::Failed { at, .. } | StepState::Interrupted { since: at } => {
            // It may have waited long before it changed anything.
            let touched = rotation.touched_as.as_ref().map(|(_, touched)| *touched);
            Some(now.duration_since(touched.map_or(*at, |touched| touched.max(*at))) <= cycles)
        }
        StepState::Waiting => None,
    }
}
