//! The command line of a next action, where the action is one subcommand with nothing to choose.

use super::Act;
use crate::domain::typed::Typed;
use crate::engine::rotation::Rotation;

/// The line. Those that ask for the tenant's name on a terminal are left to ask; where a reason is needed, it is still to be given.
pub(super) fn of(action: Act, tenant: &str, open: Option<&Rotation>) -> Option<String> {
    let line = |subcommand: &str| Typed::of(subcommand).word(tenant);
    let named = |subcommand: &str| line(subcommand).option("confirm", tenant).why();
    let typed = match action {
        Act::Check => line("check"),
        Act::Announce => line("notify").option("kind", "announcement"),
        Act::Rotate => line("rotate").option("confirm", tenant),
        Act::Resume => line("resume"),
        Act::Reconfigure => line("notify").option("kind", "reconfigure"),
        Act::Verify => line("verify"),
        Act::Finish if open.is_some_and(|rotation| !rotation.unfinished().is_empty()) => line("finish").why(),
        Act::Finish => line("finish"),
        Act::Accept => line("accept"),
        Act::Cancel => named("cancel"),
        Act::Rollback => named("rollback"),
        Act::Recover => named("recover"),
        // They want a window, a choice, another person, or nothing but patience.
        Act::Plan
        | Act::Reschedule
        | Act::Answers
        | Act::ReadMail
        | Act::Resolve
        | Act::Wait
        | Act::Watch
        | Act::Approve
        | Act::Review => return None,
    };
    Some(typed.to_string())
}
