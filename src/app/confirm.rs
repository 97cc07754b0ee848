//! What sets a verb off: its own key, Enter, a second key, or the subject's name typed; and the one way out for what is asked.
//!
//! Every command of the console declares its [`Confirm`] in the list of commands. A [`Confirmation`] at the end of a dialog asks
//! for it and alone makes a [`Consent`] that weighs more than Enter; [`release`] alone makes an [`Order`], after it has held the
//! consent against what the verb declares. So no key leads past it, and no verb can be added without it.

pub mod case;

use crate::app::command::{CommandId, confirm_of};
use crate::app::dialog::resume;
use crate::app::field::{paste_text, press_text};
use crate::app::keymap::Key;
use crate::app::message::Effect;
use crate::domain::tenant::TenantId;
use crate::engine::command::Command;
use crate::engine::status::TenantStatus;
use tui_input::Input;

/// The second key of what reaches one person by mail.
pub const SEND: char = 'S';
/// The second key of what is recorded as somebody's word.
pub const RECORD: char = 'R';
/// The second key of going on.
pub const GO: char = 'G';

/// What an operator must do before a verb is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Its own key is enough: it shows, moves, looks, or records what the program itself has seen.
    Plain,
    /// Enter at the end of a form in the operator's own words, which reach nobody and count for nobody else.
    Enter,
    /// A second key, named on the screen.
    Key(char),
    /// The second key where it concerns one person (or goes on with what has begun), else the subject's name.
    KeyForOne(char),
    /// The subject's name, typed.
    Name,
}

/// Whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One person, or nothing that was not begun already.
    One,
    /// Several, or everybody.
    Many,
}

/// What is asked for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nothing more.
    Nothing,
    /// Enter.
    Enter,
    /// This key.
    Key(char),
    /// The subject's name, then Enter.
    Name,
}

impl Confirm {
    /// In the words of the README.
    pub fn words(self) -> String {
        match self {
            Confirm::Plain => String::new(),
            Confirm::Enter => "`Enter` at the end of the form".into(),
            Confirm::Key(key) => format!("`{key}`"),
            Confirm::KeyForOne(GO) => format!("`{GO}` once the server was touched and nobody is mailed, else the name"),
            Confirm::KeyForOne(key) => format!("`{key}` for one person, the name for several"),
            Confirm::Name => "the name".into(),
        }
    }

    /// What is asked for at this reach.
    pub fn asks(self, reach: Reach) -> Ask {
        match (self, reach) {
            (Confirm::Plain, _) => Ask::Nothing,
            (Confirm::Enter, _) => Ask::Enter,
            (Confirm::Key(key), _) | (Confirm::KeyForOne(key), Reach::One) => Ask::Key(key),
            (Confirm::KeyForOne(_), Reach::Many) | (Confirm::Name, _) => Ask::Name,
        }
    }
}

/// What the operator gave. Only a [`Confirmation`] makes one that holds a key or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent(Given);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Enter,
    Key(char),
    Name(String),
}

impl Consent {
    /// The command's own key was pressed.
    pub fn plain() -> Self {
        Consent(Given::Nothing)
    }

    /// Enter was pressed at the end of a form.
    pub fn enter() -> Self {
        Consent(Given::Enter)
    }

    fn covers(&self, ask: Ask, name: &str) -> bool {
        match (ask, &self.0) {
            (Ask::Nothing, _) => true,
            (Ask::Enter, given) => *given != Given::Nothing,
            (Ask::Key(key), Given::Key(pressed)) => *pressed == key,
            (Ask::Name, Given::Name(typed)) => typed == name,
            (Ask::Key(_) | Ask::Name, _) => false,
        }
    }
}

/// A command on its way to the engine. Made by [`release`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    tenant: TenantId,
    command: Command,
}

impl Order {
    /// For which tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Both.
    pub fn into_parts(self) -> (TenantId, Command) {
        (self.tenant, self.command)
    }
}

/// The verb whose declaration counts for a command; `None` for what no key may ask for.
pub fn verb_of(command: &Command) -> Option<CommandId> {
    use CommandId as Id;
    Some(match command {
        Command::Plan { .. } => Id::Plan,
        Command::Reschedule { .. } => Id::Reschedule,
        Command::Notify { .. } => Id::Notify,
        Command::ResolveNotice { .. } | Command::ResolveStep { .. } => Id::Decide,
        Command::Answer { .. } => Id::Answer,
        Command::Waive { .. } => Id::Waive,
        Command::Check | Command::Recheck { .. } => Id::Check,
        Command::Rotate { .. } => Id::Rotate,
        Command::Resume => Id::Resume,
        Command::RollBack { .. } => Id::RollBack,
        Command::Verify => Id::Verify,
        Command::Back { .. } => Id::Back,
        Command::GatewayPing { .. } => Id::GatewayPing,
        Command::Finish { .. } => Id::Finish,
        Command::Cancel { .. } => Id::Cancel,
        Command::Note { .. } => Id::Note,
        Command::Approve { .. } | Command::ApproveSigned { .. } => Id::Approve,
        Command::Emergency { .. } => Id::Emergency,
        Command::CloseReview { .. } => Id::Review,
        Command::TakeOver { .. } => Id::TakeOver,
        Command::Recover { .. } => Id::Recover,
        Command::HandOver { .. } | Command::AcceptHandOver => Id::HandOver,
        Command::DecideMail { .. } | Command::AcceptSender { .. } => Id::ReadMail,
        Command::KeepWaiver { .. } => Id::KeepWaiver,
        Command::TakeBack { .. } => Id::TakeBack,
        Command::SetAside { .. } => Id::SetAside,
        Command::AcceptDomain { .. } | Command::TakeMails { .. } | Command::EndSilence | Command::SeenSince { .. } => {
            return None;
        }
    })
}

/// Whom these commands concern together.
pub fn reach(commands: &[Command], status: &TenantStatus) -> Reach {
    let one = match commands {
        [Command::Notify { only: Some(only), .. } | Command::KeepWaiver { only: Some(only) }] => only.len() == 1,
        [Command::Notify { only: None, .. } | Command::KeepWaiver { only: None }] => false,
        // Before the server was touched this is rotate, or the mails to everybody.
        [Command::Resume] => resume::mails_nobody(status),
        commands => commands.len() == 1,
    };
    if one { Reach::One } else { Reach::Many }
}

/// What is asked for before these commands go out.
pub fn ask_for(commands: &[Command], status: &TenantStatus) -> Ask {
    let reach = reach(commands, status);
    let asks = commands.iter().map(|command| match verb_of(command) {
        Some(verb) => confirm_of(verb).asks(reach),
        None => Ask::Name,
    });
    let weight = |ask: &Ask| match ask {
        Ask::Nothing => 0,
        Ask::Enter => 1,
        Ask::Key(_) => 2,
        Ask::Name => 3,
    };
    asks.max_by_key(weight).unwrap_or(Ask::Nothing)
}

/// Lets commands out if the consent covers them; else says what is missing, and nothing goes.
pub fn release(status: &TenantStatus, commands: Vec<Command>, consent: &Consent) -> Result<Vec<Effect>, String> {
    if commands.iter().any(|command| verb_of(command).is_none()) {
        return Err("that is not asked for by a key".into());
    }
    if !consent.covers(ask_for(&commands, status), &status.tenant.name) {
        return Err("what this would do has changed meanwhile: Esc, and read it again".into());
    }
    let order = |command| Effect::Run(Order { tenant: status.tenant.id.clone(), command });
    Ok(commands.into_iter().map(order).collect())
}

/// What came of a key that was given to a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It is set off.
    Given(Consent),
    /// It was taken, nothing follows.
    Taken,
    /// It was taken, and this is why nothing follows.
    Refused(String),
    /// It means nothing here.
    NotMine,
}

/// The end of a dialog: what sets it off.
#[derive(Clone, Debug)]
pub struct Confirmation {
    ask: Ask,
    typed: Input,
    /// Whether it was reached by Enter, Tab or an arrow: a letter that happens to come next sets nothing off.
    reached: bool,
    /// The key that opened the dialog.
    opened_by: Option<char>,
}

impl Confirmation {
    /// For a verb at this reach.
    pub fn of(verb: CommandId, reach: Reach) -> Self {
        let opened_by = crate::app::command::key_of(verb);
        Self { ask: confirm_of(verb).asks(reach), typed: Input::default(), reached: false, opened_by }
    }

    /// For what asks for this; `opened_by`: the key that opened the form.
    pub fn asking(ask: Ask, opened_by: Option<char>) -> Self {
        Self { ask, typed: Input::default(), reached: false, opened_by }
    }

    /// What is asked for.
    pub fn ask(&self) -> Ask {
        self.ask
    }

    /// Whether it has a place of its own below the fields.
    pub fn has_place(&self) -> bool {
        matches!(self.ask, Ask::Key(_) | Ask::Name)
    }

    /// The name as typed so far.
    pub fn typed(&self) -> &str {
        self.typed.value()
    }

    /// The name as typed, with its cursor.
    pub fn input(&self) -> &Input {
        &self.typed
    }

    /// Whether it has been reached.
    pub fn is_reached(&self) -> bool {
        self.reached
    }

    /// It is reached, or left.
    pub fn reach(&mut self, reached: bool) {
        self.reached = reached;
    }

    /// Forgets what was typed.
    pub fn clear(&mut self) {
        self.typed.reset();
        self.reached = false;
    }

    /// What opening key and name spell together: if that is another subject's name, it was meant as that.
    pub fn spelled(&self) -> Option<String> {
        self.opened_by.filter(|_| !self.reached).map(|key| format!("{key}{}", self.typed.value()))
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, name: &str) -> Pressed {
        match (self.ask, key) {
            (Ask::Key(_), Key::Enter) if !self.reached => {
                self.reached = true;
                Pressed::Taken
            }
            (Ask::Key(wanted), Key::Char(pressed)) if self.reached && pressed == wanted => {
                Pressed::Given(Consent(Given::Key(pressed)))
            }
            (Ask::Key(wanted), Key::Enter | Key::Char(_)) if self.reached => {
                Pressed::Refused(format!("only {wanted} sets this off; Esc leaves it"))
            }
            (Ask::Key(wanted), Key::Char(_)) => {
                Pressed::Refused(format!("Enter goes on, then {wanted}; Esc leaves it"))
            }
            (Ask::Name, Key::Enter) if self.typed.value() == name => {
                Pressed::Given(Consent(Given::Name(name.to_owned())))
            }
            (Ask::Name, Key::Enter) if self.typed.value().is_empty() => {
                Pressed::Refused(format!("type the name: {name}"))
            }
            (Ask::Name, Key::Enter) => {
                Pressed::Refused(format!("{:?} is not the name; it is {name}", self.typed.value()))
            }
            (Ask::Name, key) if press_text(&mut self.typed, key) => Pressed::Taken,
            _ => Pressed::NotMine,
        }
    }

    /// Takes pasted text into the name.
    pub fn paste(&mut self, text: &str) {
        if self.ask == Ask::Name {
            paste_text(&mut self.typed, text);
        }
    }
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
