//! The one list of what an operator can do here: footer, help, README table and the meaning of each key derive from it.
//!
//! Whether a command is possible now, and why not, stands in `availability`; what it does in `perform`.

use crate::app::confirm::{Confirm, GO, RECORD, SEND};
use crate::app::keymap::Key;
use crate::app::model::{Model, Screen};
use crate::app::open::to_hear;
use crate::app::panel::{Motion, Panel};
use crate::engine::next::Act;
use crate::engine::status::TenantStatus;

/// A command of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Told in the list below.
pub enum CommandId {
    Open,
    Filter,
    Sort,
    OpenRow,
    ReadMail,
    Plan,
    Reschedule,
    Notify,
    Answer,
    Waive,
    Check,
    Rotate,
    Resume,
    RollBack,
    Verify,
    Back,
    GatewayPing,
    Finish,
    Cancel,
    Decide,
    SetAside,
    TakeBack,
    KeepWaiver,
    Troubles,
    Note,
    Approve,
    HandOver,
    TakeOver,
    Recover,
    Emergency,
    Review,
    Copy,
    Look,
    Mark,
    MarkAll,
    Go(Panel),
    GoTab,
    NextPanel,
    PreviousPanel,
    Move(Motion),
    Messages,
    /// What needs attention, whole.
    Attention,
    Rehearse,
    Help,
    Leave,
    Up,
    Interrupt,
    Suspend,
    Redraw,
}

/// Where a command has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// In the list of tenants.
    Fleet,
    /// On a tenant's screen.
    Tenant,
    /// On the screen of a subject that is no tenant.
    Subject,
}

impl Context {
    /// The word in the help and in the README.
    pub fn word(self) -> &'static str {
        match self {
            Context::Everywhere => "everywhere",
            Context::Fleet => "fleet",
            Context::Tenant => "tenant",
            Context::Subject => "subject",
        }
    }
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct CommandInfo {
    /// Which.
    pub id: CommandId,
    /// Its keys, the one to show first.
    pub keys: &'static [Key],
    /// Where it has a meaning.
    pub context: Context,
    /// One or two words for the footer; empty keeps it out of the footer.
    pub title: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// What sets it off, beyond its key.
    pub confirm: Confirm,
}

const fn info(
    id: CommandId,
    keys: &'static [Key],
    context: Context,
    confirm: Confirm,
    title: &'static str,
    help: &'static str,
) -> CommandInfo {
    CommandInfo { id, keys, context, title, help, confirm }
}

use CommandId as Id;
use Confirm::{Enter, KeyForOne, Name, Plain};
use Context::{Everywhere, Fleet, Subject, Tenant};
use Key::{Char, Ctrl};

/// The list, in the order of the footer and of the help.
#[rustfmt::skip]
pub static COMMANDS: &[CommandInfo] = &[
    info(Id::Open, &[Key::Enter], Fleet, Plain, "open", "open the selected one"),
    info(Id::Sort, &[Char('s')], Fleet, Plain, "sort", "sort by attention, name, due, phase, answers"),
    info(Id::Plan, &[Char('p')], Tenant, Enter, "plan", "plan a window for a rotation"),
    info(Id::Reschedule, &[Char('e')], Tenant, Name, "window", "change the window; earlier answers become void"),
    info(Id::Notify, &[Char('n')], Tenant, KeyForOne(SEND), "notify", "read and send mails: announce, remind, reconfigure, all-clear"),
    info(Id::Answer, &[Char('a')], Tenant, KeyForOne(RECORD), "answer", "record the answer of the selected or marked clients"),
    info(Id::Waive, &[Char('w')], Tenant, KeyForOne(RECORD), "waive", "except the selected or marked clients, with a reason"),
    info(Id::Check, &[Char('c')], Tenant, Plain, "check", "run step 2: is everything as it must be"),
    info(Id::Rotate, &[Char('r')], Tenant, Name, "rotate", "steps 2 to 6, behind the gate; the tenant's name is typed"),
    info(Id::Resume, &[Char('u')], Tenant, KeyForOne(GO), "resume", "go on after a fault or an interruption: looks first"),
    info(Id::Decide, &[Char('d')], Tenant, Confirm::Key(RECORD), "decide", "say whether an interrupted step is done, or an uncertain mail arrived, with a reason"),
    info(Id::Verify, &[Char('v')], Tenant, Plain, "verify", "look who is back and record it"),
    info(Id::Back, &[Char('b')], Tenant, KeyForOne(RECORD), "back", "record that a client said they are back"),
    info(Id::GatewayPing, &[Char('g')], Tenant, KeyForOne(RECORD), "ping", "record a client's ping of the gateway"),
    info(Id::Finish, &[Char('f')], Tenant, Name, "finish", "everybody is back or waived: destroy the kept keys, close"),
    info(Id::RollBack, &[Char('R')], Tenant, Name, "roll back", "back to the previous key (or a fresh one); cuts clients off again"),
    info(Id::Cancel, &[Char('x')], Tenant, Name, "cancel", "end a rotation that has not touched the server"),
    info(Id::SetAside, &[Char('D')], Tenant, Name, "", "disregard a check that fails, or that nobody is known to ask, with a reason"),
    info(Id::TakeBack, &[Char('B')], Tenant, Confirm::Key(RECORD), "", "take back what was recorded of a client: an answer, a waiver, a mail's meaning, an address"),
    info(Id::KeepWaiver, &[Char('K')], Tenant, KeyForOne(RECORD), "", "let waivers of an earlier window count for this one"),
    info(Id::Troubles, &[Char('t')], Tenant, Plain, "trouble", "troubleshooting of the stuck or selected step"),
    info(Id::Note, &[Char('N')], Tenant, Enter, "note", "add a note to the journal"),
    info(Id::Approve, &[Char('A')], Tenant, Name, "approve", "approve the plan as a second operator"),
    info(Id::HandOver, &[Char('H')], Tenant, Confirm::Key(RECORD), "", "leave the rotation to the next operator, or accept what was left to you"),
    info(Id::TakeOver, &[Char('T')], Tenant, Name, "take over", "take the tenant from a process that holds it, with a reason"),
    info(Id::Recover, &[Char('J')], Tenant, Name, "recover", "go on although the end of the journal is lost, with a reason: looks at everything first"),
    info(Id::Emergency, &[Char('E')], Tenant, Name, "", "suspected compromise: tell everybody and rotate at once; a review stays open"),
    info(Id::Review, &[Char('C')], Tenant, Confirm::Key(RECORD), "review", "close the review of an emergency, as a second operator"),
    info(Id::OpenRow, &[Key::Enter], Tenant, Plain, "open", "open the row under the cursor: a client's mails, a reason, a record in full"),
    info(Id::ReadMail, &[Char('o')], Tenant, Confirm::Key(RECORD), "read", "open the mails of whom the next action names: read one that is unclear, and say what it means"),
    info(Id::Sort, &[Char('s')], Tenant, Plain, "", "clients: those who need something first, or as listed"),
    info(Id::Mark, &[Char(' ')], Tenant, Plain, "mark", "clients: mark the selected one, to act on several at once"),
    info(Id::MarkAll, &[Char('M')], Tenant, Plain, "", "clients: mark all shown, or none"),
    info(Id::OpenRow, &[Key::Enter], Subject, Plain, "open", "open the row under the cursor in full: a gate's reason, a step with its troubles, a record"),
    info(Id::GoTab, &[Char('1'), Char('2'), Char('3'), Char('4'), Char('5'), Char('6'), Char('7'), Char('8'), Char('9')], Subject, Plain, "", "go to the panel of that number"),
    info(Id::NextPanel, &[Key::Tab, Key::Right], Subject, Plain, "", "next panel"),
    info(Id::PreviousPanel, &[Key::BackTab, Key::Left], Subject, Plain, "", "previous panel"),
    info(Id::Filter, &[Char('/')], Everywhere, Plain, "filter", "type to narrow the list (on a subject's page: its journal); Enter keeps it, Esc drops it"),
    info(Id::Look, &[Char('l')], Everywhere, Plain, "look", "look at everything of the selected one now"),
    info(Id::Copy, &[Char('y')], Everywhere, Plain, "", "copy its id or name, or the selected public key, to the clipboard"),
    info(Id::Go(Panel::Clients), &[Char('1')], Tenant, Plain, "", "go to the clients"),
    info(Id::Go(Panel::Keys), &[Char('2')], Tenant, Plain, "", "go to the keys"),
    info(Id::Go(Panel::Peers), &[Char('3')], Tenant, Plain, "", "go to the peers"),
    info(Id::Go(Panel::Journal), &[Char('4')], Tenant, Plain, "", "go to the journal"),
    info(Id::Go(Panel::Gate), &[Char('5')], Tenant, Plain, "", "go to the gate and the checks"),
    info(Id::Go(Panel::Steps), &[Char('6')], Tenant, Plain, "", "go to the steps"),
    info(Id::NextPanel, &[Key::Tab, Key::Right], Tenant, Plain, "", "next panel"),
    info(Id::PreviousPanel, &[Key::BackTab, Key::Left], Tenant, Plain, "", "previous panel"),
    info(Id::Move(Motion::Up), &[Key::Up, Char('k')], Everywhere, Plain, "", "up"),
    info(Id::Move(Motion::Down), &[Key::Down, Char('j')], Everywhere, Plain, "", "down"),
    info(Id::Move(Motion::PageUp), &[Key::PageUp], Everywhere, Plain, "", "a page up"),
    info(Id::Move(Motion::PageDown), &[Key::PageDown], Everywhere, Plain, "", "a page down"),
    info(Id::Move(Motion::First), &[Key::Home], Everywhere, Plain, "", "to the first"),
    info(Id::Move(Motion::Last), &[Key::End], Everywhere, Plain, "", "to the last"),
    info(Id::Attention, &[Char('!')], Everywhere, Plain, "", "what needs attention and what is next, whole"),
    info(Id::Messages, &[Char('m')], Everywhere, Plain, "", "everything that was said on the message line"),
    info(Id::Rehearse, &[Char('F')], Everywhere, Plain, "rehearse", "in the lab only: let something go wrong there, to practise"),
    info(Id::Help, &[Char('?')], Everywhere, Plain, "help", "this list, with the reason where a key is shut"),
    info(Id::Leave, &[Char('q')], Everywhere, Plain, "back", "back to the fleet; from there, quit"),
    info(Id::Up, &[Key::Esc], Everywhere, Plain, "", "drop marks and filter, then back to the fleet; never quits"),
    info(Id::Interrupt, &[Ctrl('c')], Everywhere, Plain, "", "quit"),
    info(Id::Suspend, &[Ctrl('z')], Everywhere, Plain, "", "suspend"),
    info(Id::Redraw, &[Ctrl('l')], Everywhere, Plain, "", "paint the whole screen again"),
];

impl CommandInfo {
    /// Whether the command has a meaning on this screen.
    pub fn is_for(&self, screen: &Screen) -> bool {
        match self.context {
            Context::Everywhere => true,
            Context::Fleet => *screen == Screen::Fleet,
            Context::Tenant => matches!(screen, Screen::Tenant(_)),
            Context::Subject => matches!(screen, Screen::Subject(_)),
        }
    }

    /// The keys as text: `Up, k`.
    pub fn key_text(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(", ")
    }
}

/// The command that a key means on this screen.
pub fn command_for(key: Key, screen: &Screen) -> Option<&'static CommandInfo> {
    COMMANDS.iter().find(|command| command.is_for(screen) && command.keys.contains(&key))
}

/// What sets a verb off, as declared in the list. A verb that is not in it needs the name.
pub fn confirm_of(verb: CommandId) -> Confirm {
    COMMANDS.iter().find(|command| command.id == verb).map_or(Name, |command| command.confirm)
}

/// The letter that opens a verb, if it is a letter.
pub fn key_of(verb: CommandId) -> Option<char> {
    let command = COMMANDS.iter().find(|command| command.id == verb)?;
    command.keys.iter().find_map(|key| if let Char(key) = key { Some(*key) } else { None })
}

/// What the footer offers now: possible commands that have a short title.
pub fn footer(model: &Model) -> impl Iterator<Item = &'static CommandInfo> + '_ {
    COMMANDS.iter().filter(|command| {
        !command.title.is_empty() && command.is_for(&model.screen) && command.id.availability(model).is_ok()
    })
}

/// The command that the one safe next action means; `None` where there is nothing to press.
pub fn command_of(status: &TenantStatus) -> Option<&'static CommandInfo> {
    let id = match status.next.action {
        Act::Answers if to_hear(status).is_none() => Id::SetAside,
        Act::Plan => Id::Plan,
        Act::Reschedule => Id::Reschedule,
        Act::Announce | Act::Reconfigure => Id::Notify,
        Act::Answers | Act::ReadMail => Id::ReadMail,
        Act::Resolve => Id::Decide,
        Act::Cancel => Id::Cancel,
        Act::Check => Id::Check,
        Act::Rotate => Id::Rotate,
        Act::Resume => Id::Resume,
        Act::Verify => Id::Verify,
        Act::Finish => Id::Finish,
        Act::Accept => Id::HandOver,
        Act::Approve => Id::Approve,
        Act::Review => Id::Review,
        Act::Recover => Id::Recover,
        Act::Rollback => Id::RollBack,
        Act::Wait | Act::Watch => return None,
    };
    COMMANDS.iter().find(|command| command.id == id)
}

/// The table of keys for the README.
pub fn markdown_table() -> String {
    let mut table = String::from("| key | where | what it does | what sets it off |\n| --- | --- | --- | --- |\n");
    for command in COMMANDS {
        let keys: Vec<String> = command.keys.iter().map(|key| format!("`{}`", key.label())).collect();
        let (keys, place, confirm) = (keys.join(" "), command.context.word(), command.confirm.words());
        table.push_str(&format!("| {keys} | {place} | {} | {confirm} |\n", command.help));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tenant::TenantId;

    #[test]
    fn no_key_means_two_things_on_one_screen() {
        let tenant = Screen::Tenant(TenantId::new("t").unwrap());
        for screen in [Screen::Fleet, tenant] {
            let mut seen = Vec::new();
            for command in COMMANDS.iter().filter(|command| command.is_for(&screen)) {
                for key in command.keys {
                    assert!(!seen.contains(key), "{key:?} means two things on {screen:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn no_key_needs_what_a_terminal_may_keep_for_itself() {
        for key in COMMANDS.iter().flat_map(|command| command.keys) {
            assert!(!matches!(key, Ctrl('s' | 'q')), "flow control");
        }
    }

    #[test]
    fn the_second_key_is_another_than_the_first_and_never_enter() {
        for command in COMMANDS {
            let (Confirm::Key(second) | KeyForOne(second)) = command.confirm else { continue };
            assert!(
                second.is_ascii_uppercase(),
                "{:?}: {second} is found on every keyboard and in few names",
                command.id
            );
            let same = |key: &Key| matches!(key, Char(key) if key.eq_ignore_ascii_case(&second));
            assert!(!command.keys.iter().any(same), "{:?} is opened and set off by {second}", command.id);
        }
    }

    #[test]
    fn the_readme_table_has_every_command() {
        assert_eq!(markdown_table().lines().count(), COMMANDS.len() + 2);
    }
}
