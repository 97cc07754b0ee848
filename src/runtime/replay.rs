//! A past case on the screen, for the post-mortem: record after record, in the time it took or faster, forth and back.

use crate::app::keymap::Key;
use crate::app::message::{Effect, Msg};
use crate::app::model::{Model, ModelOptions};
use crate::app::update::{is_typing, update};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::Tenant;
use crate::engine::case::status::Status;
use crate::engine::status::TenantStatus;
use crate::runtime::past::Past;
use crate::runtime::screen::{Bell, read_keys};
use crate::runtime::signals;
use crate::runtime::terminal::Screen;
use crate::runtime::wiring::Wiring;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::time::Duration;

/// However long nothing was recorded, nobody looks at that for longer.
const LONGEST: Duration = Duration::from_secs(3);
/// How much faster than it was at the most, and how much slower.
const SPEEDS: (u32, u32) = (1, 3600);

/// What its keys do, on the message line.
const KEYS: &str =
    "Space stops and goes on, . and , are the next record and the one before, + and - the speed, q leaves";

/// What was true then.
pub enum Then {
    /// Of a tenant.
    Tenant(Arc<TenantStatus>),
    /// Of another subject.
    Case(Arc<Status>),
}

/// A case that is shown again.
pub struct Replay {
    wiring: Wiring,
    past: Arc<Past>,
    tenant: Option<Tenant>,
}

impl Replay {
    /// Of a past, with what the configuration says. `tenant`: whose it is, where it is a tenant's.
    pub fn new(wiring: Wiring, past: Arc<Past>, tenant: Option<Tenant>) -> Self {
        Self { wiring: wiring.in_the_past(past.clone()), past, tenant }
    }

    /// What it is wired to.
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// The past.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// What was true behind the record that was gone to. Errors: the subject is configured no more.
    pub async fn then(&self) -> Result<Then, Fault> {
        // Nobody is told: nothing happens by itself.
        let nobody = Arc::new(Bell::heard().0);
        if let Some(tenant) = &self.tenant {
            let fleet = self.wiring.fleet(vec![tenant.clone()], nobody)?;
            let none = || Fault::new(Service::Configuration, FaultKind::NotFound, "there is no such tenant");
            let conductor = fleet.conductors().first().ok_or_else(none)?;
            conductor.reload().await?;
            return Ok(Then::Tenant(Arc::new(conductor.status())));
        }
        let desks = self.wiring.desks(nobody)?;
        let none = || {
            let text = format!("{} is not configured any more", self.past.subject());
            Fault::new(Service::Configuration, FaultKind::NotFound, text)
        };
        let desk = desks.iter().find(|desk| desk.key() == self.past.subject()).ok_or_else(none)?;
        desk.reload().await?;
        Ok(Then::Case(Arc::new(desk.status())))
    }

    /// Shows it until the operator leaves. `speed`: how much faster than it was.
    pub async fn show(self, options: ModelOptions, speed: u32) -> Result<()> {
        let mut ending = signals::ending()?;
        let (bell, mut news) = Bell::heard();
        let mut screen = Screen::take().context("the terminal could not be taken")?;
        let mut model = Model::new(ModelOptions { size: screen.size(), ..options });
        read_keys(bell);
        let mut turn = Turn { speed: speed.clamp(SPEEDS.0, SPEEDS.1), is_paused: false };
        match &self.tenant {
            Some(tenant) => {
                update(&mut model, Msg::Fleet { tenants: vec![tenant.clone()], fault: None });
            }
            None => {
                update(&mut model, Msg::Subjects(vec![self.past.subject().clone()]));
            }
        }
        let mut is_open = false;
        loop {
            self.tell(&mut model, turn).await?;
            if !is_open {
                update(&mut model, Msg::Key(Key::Enter));
                update(&mut model, Msg::Info(KEYS.into()));
                is_open = true;
            }
            screen.draw(|frame| crate::ui::view(&model, frame))?;
            let msg = tokio::select! {
                Some(msg) = news.recv() => msg,
                () = tokio::time::sleep(turn.rest(&self.past)) => {
                    if !turn.is_paused {
                        self.past.go_to(self.past.at() + 1);
                    }
                    continue;
                }
                () = ending.recv() => return Ok(()),
            };
            if let Msg::Key(key) = &msg
                && !is_typing(&model)
                && turn.press(key, &self.past)
            {
                continue;
            }
            for effect in update(&mut model, msg) {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Copy(text) => screen.copy(&text)?,
                    Effect::Redraw => screen.forget()?,
                    // Nothing of the past is looked at, sent or done again.
                    _ => {}
                }
            }
            if model.quitting {
                return Ok(());
            }
        }
    }

    /// Puts the moment on the screen.
    async fn tell(&self, model: &mut Model, turn: Turn) -> Result<()> {
        use crate::engine::ports::Clock;
        update(model, Msg::Tick(self.past.now()));
        model.options.environment = turn.told(&self.past);
        match self.then().await? {
            Then::Tenant(status) => update(model, Msg::Status(status)),
            Then::Case(status) => update(model, Msg::Case(self.past.subject().clone(), status)),
        };
        Ok(())
    }
}

/// How it goes on.
#[derive(Clone, Copy)]
struct Turn {
    speed: u32,
    is_paused: bool,
}

impl Turn {
    /// How long the moment stays.
    fn rest(self, past: &Past) -> Duration {
        match past.until_the_next() {
            Some(gap) if !self.is_paused => (gap / self.speed).min(LONGEST),
            _ => LONGEST,
        }
    }

    /// Takes a key that is the replay's own.
    fn press(&mut self, key: &Key, past: &Past) -> bool {
        match key {
            Key::Char(' ') => self.is_paused = !self.is_paused,
            Key::Char('.') => {
                self.is_paused = true;
                past.go_to(past.at() + 1);
            }
            Key::Char(',') => {
                self.is_paused = true;
                past.go_to(past.at() - 1);
            }
            Key::Char('+') => self.speed = (self.speed * 2).min(SPEEDS.1),
            Key::Char('-') => self.speed = (self.speed / 2).max(SPEEDS.0),
            _ => return false,
        }
        true
    }

    /// `REPLAY 12 of 57, 60x`.
    fn told(self, past: &Past) -> String {
        let how = match (past.until_the_next(), self.is_paused) {
            (None, _) => "the end".to_owned(),
            (_, true) => "paused".to_owned(),
            _ => format!("{}x", self.speed),
        };
        format!("REPLAY {} of {}, {how}", past.at(), past.len())
    }
}
