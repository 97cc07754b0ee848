//! What was waited for has come: a subject of which nothing was to be done but to wait has something to be done now, or needs somebody.

use crate::engine::case::status::Status;
use crate::engine::next::Act;
use crate::engine::status::TenantStatus;

/// Of a tenant, by what was known before; none where it was to be done already.
pub fn of_tenant(before: Option<&TenantStatus>, now: &TenantStatus) -> Option<String> {
    let waits = |status: &TenantStatus| matches!(status.next.action, Act::Wait | Act::Watch);
    let is_new = before.is_some_and(waits) && !waits(now);
    let more = before.is_some_and(|before| now.attention.len() > before.attention.len());
    match (is_new, more) {
        (true, _) => Some(format!("{}: {}", now.tenant.name, now.next.text)),
        (false, true) => Some(format!("{} needs attention", now.tenant.name)),
        _ => None,
    }
}

/// Of a subject that is no tenant.
pub fn of_case(before: Option<&Status>, now: &Status) -> Option<String> {
    let before = before?;
    match (before.next.order.is_none() && now.next.order.is_some(), now.attention.len() > before.attention.len()) {
        (true, _) => Some(format!("{}: {}", now.subject, now.next.text)),
        (false, true) => Some(format!("{} needs attention", now.subject)),
        _ => None,
    }
}
