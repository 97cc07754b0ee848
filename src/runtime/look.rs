//! How a conductor looks at the world between commands: at each source by itself, so that one that hangs delays no other, and
//! a fault is shown when it is met.

use crate::domain::client;
use crate::domain::fault::Fault;
use crate::domain::freshness::{Peers, Presence, judge_person};
use crate::domain::observation::Observation;
use crate::engine::command::Command;
use crate::engine::observe::{self, Before, Sights};
use crate::engine::sources::{Looked, Source};
use crate::engine::status::untold;
use crate::runbooks::wireguard::signs_of_loss;
use crate::runtime::conductor::Conductor;
use jiff::Timestamp;
use std::time::Duration;

/// A source that has not answered for this long is shown as such, although its answer may still come.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// All that one look asks by themselves. Whose key the console's script serves is asked behind [`Source::Swift`], which names the users.
pub const LOOKED_AT: [Source; 6] =
    [Source::Barbican, Source::Swift, Source::Server, Source::Console, Source::Alerts, Source::Journal];

impl Conductor {
    /// One look at everything outside, and at the journal. Faults become part of the status. Gives how it ended.
    pub async fn look(&self) -> Looked {
        self.look_within(Duration::MAX).await
    }

    /// The same, waiting for no source longer than this: one that is cut off counts as one that did not answer.
    pub async fn look_within(&self, limit: Duration) -> Looked {
        let began = self.world.clock.now();
        let asked = tokio::time::Instant::now();
        let within = async |source| {
            // Whoever is asked behind another has what that has left of it.
            let left = limit.saturating_sub(asked.elapsed());
            if tokio::time::timeout(left, self.look_at(source, PATIENCE.min(left))).await.is_err() {
                self.take_sight(source, |sights, at| sights.overdue(at, source, left));
            }
        };
        let looks = LOOKED_AT.map(async |source| {
            within(source).await;
            if source == Source::Swift {
                within(Source::Script).await;
            }
        });
        futures_util::future::join_all(looks).await;
        // A journal that does not answer is not waited for once more.
        if self.fault_of(Source::Journal).is_none() {
            self.see_who_is_back().await;
            self.write_what_others_changed().await;
        }
        self.watcher.changed(self);
        Looked::since(&self.known().sights, began)
    }

    /// Those that did not answer at their last look.
    pub fn failing(&self) -> Vec<Source> {
        let known = self.known();
        let asked = LOOKED_AT.into_iter().chain([Source::Script]);
        asked.filter(|source| known.sights.fault_of(*source).is_some()).collect()
    }

    /// Why a source did not answer at its last look.
    pub fn fault_of(&self, source: Source) -> Option<Fault> {
        self.known().sights.fault_of(source).cloned()
    }

    /// What a look into the mailbox met: of weight where answers are awaited, so while a rotation is open.
    pub fn take_mailbox(&self, look: Result<(), Fault>) {
        if self.known().rotation.as_ref().is_none_or(|rotation| rotation.outcome.is_some()) {
            self.known().sights.mailbox = Observation::default();
            return;
        }
        self.take_sight(Source::Mailbox, |sights, at| sights.mailbox.take(at, look));
    }

    /// Tells the watcher what is true now.
    pub fn tell(&self) {
        self.watcher.changed(self);
    }

    /// One look at one source. A fault is shown as soon as it is met, and a source that says nothing for `patience` as such:
    /// none waits for another.
    pub async fn look_at(&self, source: Source, patience: Duration) {
        if source == Source::Journal {
            let looking = futures_util::future::join(self.reload(), self.compare_clocks());
            // What it met is in the sights.
            let _ = self.patiently(source, patience, looking).await;
            return;
        }
        let before = match source {
            Source::Barbican => self.known().before(),
            Source::Script => {
                let users = self.known().sights.object.value().map(|object| object.users.clone()).unwrap_or_default();
                Before { users, ..Before::default() }
            }
            _ => Before::default(),
        };
        self.ask(source, &before, patience).await;
        if source == Source::Barbican {
            self.look_for_signs().await;
        }
    }

    /// Whether anything stands outside of an open case of which its journal knows nothing; what can't be asked is as before.
    async fn look_for_signs(&self) {
        let rotation = self.known().rotation.clone();
        let Some(rotation) = rotation else { return self.known().sights.sign = None };
        let before = self.known().before();
        if let Ok(sign) = signs_of_loss(&self.world, &rotation, &before).await {
            self.known().sights.sign = sign;
        }
    }

    async fn ask(&self, source: Source, before: &Before, patience: Duration) {
        if !observe::is_asked(&self.world, source) {
            return;
        }
        let asked = self.world.clock.now();
        let looking = observe::look_at(&self.world, source, before);
        if let Some(sight) = self.patiently(source, patience, looking).await {
            // A key that has changed was changed by somebody whose journal says so before they touch it: that is read first.
            if self.known().sights.is_news(&sight) {
                let _ = self.reload().await;
            }
            self.take_sight(source, |sights, answered| sights.take_answer(asked, answered, sight));
        }
    }

    /// Waits for an answer; after `patience` the source is shown as one that does not answer, and is waited for.
    async fn patiently<T>(&self, source: Source, patience: Duration, looking: impl Future<Output = T>) -> T {
        futures_util::pin_mut!(looking);
        match tokio::time::timeout(patience, &mut looking).await {
            Ok(answer) => answer,
            Err(_) => {
                self.take_sight(source, |sights, at| sights.overdue(at, source, patience));
                looking.await
            }
        }
    }

    fn take_sight(&self, source: Source, take: impl FnOnce(&mut Sights, Timestamp)) {
        let turned = {
            let mut known = self.known();
            let sights = &mut known.sights;
            let failed = sights.fault_of(source).is_some();
            take(sights, self.world.clock.now());
            sights.contacts = self.world.contacts.clone();
            sights.console_token_ends = self.world.console.as_ref().and_then(|console| console.token_ends());
            sights.fault_of(source).is_some() != failed
        };
        if turned {
            self.watcher.changed(self);
        }
    }

    /// How far this host's clock is from the store's, where that has one: shown, never used.
    async fn compare_clocks(&self) {
        let before = self.world.clock.now();
        let Ok(Some(theirs)) = self.world.store.clock().await else { return };
        let after = self.world.clock.now();
        let ours = (before.as_millisecond() + after.as_millisecond()) / 2;
        self.known().sights.clock_skew_s = Some((ours - theirs.as_millisecond()) / 1000);
    }

    /// Records who newly is back, at once, so that it is known even if the next reading fails; somebody else's lease is
    /// respected.
    pub async fn see_who_is_back(&self) {
        if self.busy.try_lock().is_ok() && self.known().sights.holder.is_none() && self.somebody_is_newly_back() {
            let _ = self.run(Command::Verify).await;
        }
    }

    /// Writes what others have changed behind the end, once; somebody else's lease is respected.
    pub async fn write_what_others_changed(&self) {
        let untold = {
            let known = self.known();
            let is_quiet = !known.running && known.sights.holder.is_none() && known.sights.lost().is_none();
            known.rotation.as_ref().filter(|_| is_quiet).and_then(|rotation| untold(rotation, &known.sights))
        };
        if let Some(text) = untold.filter(|_| self.busy.try_lock().is_ok()) {
            // What can't be written now is seen again by the next look.
            let _ = self.run(Command::SeenSince { text }).await;
        }
    }

    fn somebody_is_newly_back(&self) -> bool {
        let known = self.known();
        let Some(rotation) = known.rotation.as_ref().filter(|rotation| rotation.outcome.is_none()) else {
            return false;
        };
        let (Some(applied), Some(reading)) = (&rotation.applied, known.sights.server.value()) else { return false };
        let peers = Peers::of(reading);
        let newly = |client: &client::Client| {
            judge_person(&applied.baseline, &peers, client.keys()) >= Some(Presence::ProbablyBack)
        };
        !known.running && known.sights.lost().is_none() && rotation.not_back().into_iter().any(newly)
    }
}
