//! What the journal knows of a rotation's keys: which is to be live, which is kept, which is lost; and what must hold of people
//! and keys before a leg may end.

use crate::domain::client::Client;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::{Delivery, KeyTold};
use crate::domain::preflight::{DUPLICATES, KEYS};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::mailbox::ReadMail;
use crate::engine::ports::SecretRef;
use crate::engine::record::{BackSource, KeyLeft, Outcome};
use crate::engine::rotation::{Rollback, Rotation};
use jiff::Timestamp;

/// A key that rests in Barbican under a name of its own until the rotation is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// Its public half.
    pub public_key: PublicKey,
    /// The secret's name.
    pub name: String,
    /// Where it was stored and read back; `None` if only the intent is journaled.
    pub href: Option<SecretRef>,
    /// Barbican's answer to its deletion.
    pub destroyed: Option<String>,
    /// It was looked for and is not there any more, and not by us.
    pub gone: bool,
    /// The keys that stood under its name when it was missed: somebody else's.
    pub instead: Vec<PublicKey>,
}

impl KeptKey {
    /// A key that is kept there; `None`: it is about to be.
    pub fn new(public_key: PublicKey, name: String, href: Option<SecretRef>) -> Self {
        Self { public_key, name, href, destroyed: None, gone: false, instead: Vec::new() }
    }
}

/// What is known of the copy of the object's content of before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyWord {
    /// Why it is kept nowhere, where it was to be kept.
    pub not_kept: Option<String>,
    /// It stays behind the end, and somebody must remove it: why, and by which name.
    pub stays: Option<String>,
}

/// Barbican's answer to the deletion of a kept key begins so where nothing was to be deleted.
pub const NOT_THERE: &str = "it was not there any more";

/// What an end may be asked for a reason over, and what is over once it was read.
pub(super) const UNREAD: &str = "A MAIL OF A CLIENT IS UNREAD";

/// The object may have given out the key of that leg.
fn has_given(steps: &[StepState; 8]) -> bool {
    !matches!(steps[StepNumber::OBJECT.index()], StepState::Waiting)
}

impl Rotation {
    pub(super) fn turn_back(&mut self, reason: String, role: KeyRole, at: Timestamp) {
        self.rollback = Some(Rollback { reason, role, at });
        self.forward.get_or_insert_with(|| self.steps.clone());
        let mut steps: [StepState; 8] = Default::default();
        steps[0] = self.steps[0].clone();
        steps[1] = self.steps[1].clone();
        if self.keys.get(&role).is_some_and(|key| key.href.is_some()) {
            let evidence = format!("the {} key is kept in Barbican", role.word());
            steps[2] = StepState::Done { at, evidence };
        }
        self.steps = steps;
        (self.gap_us, self.overlap_us) = (None, None);
        self.copy_word.not_kept = None;
        self.unasked.clear();
        self.applied = None;
        self.back.clear();
        self.pings.clear();
    }

    /// A kept key is not there any more. Where it is the one that is to be live, step 3 is not done.
    pub(super) fn lose_key(&mut self, role: KeyRole, instead: Vec<PublicKey>) {
        if let Some(key) = self.keys.get_mut(&role) {
            (key.href, key.gone, key.instead) = (None, true, instead);
        }
        let step = self.step(StepNumber::STAGE);
        if role == self.target_role() && step.is_done() {
            self.steps[StepNumber::STAGE.index()] = StepState::Waiting;
        }
    }

    /// The key that the present leg makes live: staged on the way forward, previous or fresh on the way back.
    pub fn target(&self) -> Option<PublicKey> {
        self.keys.get(&self.target_role()).map(|key| key.public_key)
    }

    /// The role of that key.
    pub fn target_role(&self) -> KeyRole {
        self.rollback.as_ref().map_or(KeyRole::Staged, |rollback| rollback.role)
    }

    /// On the way back, the key that was live before the rotation is put back, and clients have it in their configurations.
    pub fn is_back_to_previous(&self) -> bool {
        self.rollback.is_some() && self.target_role() == KeyRole::Previous && self.was_served()
    }

    /// The object gave clients the previous key at the check, as far as it could be read.
    pub fn was_served(&self) -> bool {
        let object = self.preflight.as_ref().and_then(|run| run.keys.object);
        let previous = self.keys.get(&KeyRole::Previous).map(|kept| kept.public_key);
        object.is_none() || previous.is_none() || object == previous
    }

    /// A key of this rotation that is kept in Barbican under a name of its own.
    pub fn copy_of(&self, key: PublicKey) -> Option<&KeptKey> {
        self.keys
            .values()
            .find(|kept| kept.public_key == key && kept.href.is_some() && kept.destroyed.is_none() && !kept.gone)
    }

    /// Of which no copy is kept under a name of its own any more, by the journal.
    pub fn kept_no_more(&self) -> Vec<KeyRole> {
        self.keys.iter().filter(|(_, key)| key.destroyed.is_some()).map(|(role, _)| *role).collect()
    }

    /// Whether the journal knows of the key of this role that it is kept in Barbican.
    pub fn is_kept(&self, role: KeyRole) -> bool {
        self.keys.get(&role).is_some_and(|key| key.href.is_some() && key.destroyed.is_none())
    }

    /// The key that is to be live is kept nowhere any more, and step 3 must not make another in its place: it is the previous
    /// one, or clients may have it already. Only a way back leads on.
    pub fn is_target_lost(&self) -> bool {
        let gone = self.keys.get(&self.target_role()).is_some_and(|key| key.gone);
        let is_known = self.applied.is_some() || self.step(StepNumber::OBJECT).is_done();
        match self.target_role() {
            KeyRole::Previous => gone,
            KeyRole::Staged | KeyRole::Fresh => gone && self.touched && is_known,
        }
    }

    /// Whether a way back may begin, or begin anew: once, and again to a fresh key where the one to go back to is lost.
    pub fn may_turn_back(&self) -> bool {
        self.touched && (self.rollback.is_none() || self.is_target_lost())
    }

    /// What leads out besides going on, for the end of a sentence: only what would be accepted is named.
    pub fn or_out(&self) -> &'static str {
        match (self.touched, self.may_turn_back()) {
            (false, _) => ", or cancel",
            (true, true) => ", or roll back",
            (true, false) => "",
        }
    }

    /// The key that object and interface had at the check; what the secret had, where a check of those was set aside.
    pub fn proven_key(&self) -> Option<PublicKey> {
        let keys = &self.preflight.as_ref()?.keys;
        match (keys.object, keys.interface) {
            (Some(object), Some(interface)) if object == interface => Some(object),
            _ => keys.secret,
        }
    }

    /// A key that clients may have in their configurations: the one of before, or one that the object has given out since, on this leg
    /// or on the one before it.
    pub fn may_have(&self, key: PublicKey) -> bool {
        self.had_before(key) || self.is_given(&self.steps, self.target_role(), key)
    }

    /// The same of what was given out before this leg.
    pub fn had_before(&self, key: PublicKey) -> bool {
        let object = self.preflight.as_ref().and_then(|run| run.keys.object);
        let before = [self.proven_key(), object, self.left_before.map(|left| left.key)];
        before.contains(&Some(key))
            || self.forward.as_ref().is_some_and(|steps| self.is_given(steps, KeyRole::Staged, key))
    }

    fn is_given(&self, steps: &[StepState; 8], role: KeyRole, key: PublicKey) -> bool {
        has_given(steps) && self.keys.get(&role).is_some_and(|kept| kept.public_key == key)
    }

    /// What stands behind the object's name in that of the copy of its content of before.
    pub fn object_copy(&self) -> String {
        format!("changeguard-previous-{}", self.id)
    }

    /// The previous key is kept (or there is none), and it is still the one that was live at the last check.
    pub fn is_previous_settled(&self) -> bool {
        let kept = self.keys.get(&KeyRole::Previous).filter(|_| self.is_kept(KeyRole::Previous));
        let is_right = kept.is_some_and(|kept| self.proven_key().is_none_or(|proven| proven == kept.public_key));
        let is_missing = kept.is_none() && self.previous_missing.is_some() && !self.had_its_key();
        self.shape.is_some() && (is_right || is_missing)
    }

    /// One of this rotation's keys, or what a place had at the check.
    pub fn is_known(&self, key: PublicKey) -> bool {
        let seen = self.preflight.as_ref().map(|run| [run.keys.secret, run.keys.object, run.keys.interface]);
        self.keys.values().any(|kept| kept.public_key == key) || seen.is_some_and(|seen| seen.contains(&Some(key)))
    }

    /// The secret held a key when it was checked, and not another one than clients have, as somebody has put up with.
    fn had_its_key(&self) -> bool {
        let held = self.preflight.as_ref().and_then(|run| run.keys.secret);
        held.is_some_and(|held| !self.is_replaced_knowingly(held))
    }

    /// At the check one secret held another key than clients have, and the server had one of the two: whoever has the private half
    /// of theirs may store it again, and else nobody keeps the VPN whatever is done.
    pub fn is_live_key_replaced(&self) -> bool {
        let Some(run) = &self.preflight else { return false };
        let (Some(object), Some(shown)) = (run.keys.object, run.keys.interface) else { return false };
        let is_one = !run.failed().iter().any(|check| check == DUPLICATES);
        match run.keys.secret {
            Some(secret) => is_one && secret != object && [secret, object].contains(&shown),
            // There is none, and what the server has is from elsewhere.
            None => shown != object,
        }
    }

    /// The secret held this key at the check, clients and server had another, and a person has set that aside with a reason.
    pub fn is_replaced_knowingly(&self, key: PublicKey) -> bool {
        let keys = self.preflight.as_ref().map(|run| &run.keys);
        // What the server has taken is the key of before, whoever has stored it.
        let is_seen = keys.is_some_and(|keys| keys.secret == Some(key) && keys.interface != Some(key));
        self.set_aside.contains_key(KEYS) && is_seen && self.is_live_key_replaced()
    }

    /// The key that the check has seen in all three places.
    fn seen_everywhere(&self) -> Option<PublicKey> {
        let keys = &self.preflight.as_ref()?.keys;
        keys.secret.filter(|key| [keys.object, keys.interface] == [Some(*key); 2])
    }

    /// The key that must be live as long as nothing of this rotation is touched, or since it has ended. `None`: nobody knows.
    pub fn must_be_live(&self) -> Option<KeyLeft> {
        let Some((outcome, since, _)) = self.outcome else { return self.left_before.filter(|_| !self.touched) };
        let left = |key: PublicKey| Some(KeyLeft { key, since });
        match outcome {
            Outcome::Rotated | Outcome::RolledBack => left(self.target()?),
            // What it had begun to change was seen as it was; a late request may land behind that.
            Outcome::Cancelled if self.touched_as.is_some() => left(self.keys.get(&KeyRole::Previous)?.public_key),
            // What it has kept is the last of it, or it would have been destroyed.
            Outcome::Cancelled => self.left_before.or_else(|| {
                let kept = self.keys.get(&KeyRole::Previous).and_then(|kept| self.copy_of(kept.public_key));
                left(kept.map(|kept| kept.public_key).or(self.put_back).or_else(|| self.seen_everywhere())?)
            }),
            Outcome::Lost => None,
        }
    }

    /// Every single client is back, and each by a sign of their own: nobody needs the mail of step 7 any more.
    pub fn is_everybody_back(&self) -> bool {
        let shown = |client: &Client| self.back.get(&client.id).is_some_and(|back| back.source != BackSource::Client);
        !self.clients.is_empty() && self.clients.iter().all(shown)
    }

    /// Nobody needs the mail of step 7: everybody is back, and on the way back nobody had ever been told anything. Whoever was
    /// told of the change hears that the key was put back, although a handshake shows that they never left it.
    pub fn is_call_needless(&self) -> bool {
        let told = || self.notices.iter().any(|mail| !matches!(mail.delivery, Delivery::Failed { .. }));
        self.is_everybody_back() && (self.rollback.is_none() || !told())
    }

    /// Who stays cut off behind an end now, in words: nothing shows that they have the key that is live, and they had another.
    pub fn still_cut_off(&self) -> Option<String> {
        if self.is_back_to_previous() || self.applied.is_none() {
            return None;
        }
        let names: Vec<&str> =
            self.clients.iter().filter(|c| !self.back.contains_key(&c.id)).map(|c| c.name.as_str()).collect();
        let fresh = if self.target_role() == KeyRole::Fresh { "the fresh key" } else { "the live key" };
        match names.len() {
            0 => None,
            count => Some(format!("nothing shows that {count} have {fresh}, first {}: they stay cut off", names[0])),
        }
    }

    /// What is not to be forgotten of one that has ended, in words: why it was closed although something was open, and who stays cut
    /// off.
    pub fn ended_open(&self) -> Option<String> {
        let over = self.ended_over.as_ref()?.split(", AND ");
        let left: Vec<&str> = over.filter(|what| *what != UNREAD || self.open_mails().next().is_some()).collect();
        let (despite, what) = (self.despite.as_ref().filter(|_| !left.is_empty())?, left.join(", and ").to_lowercase());
        let cut = self.still_cut_off().map(|cut| format!("; {cut}")).unwrap_or_default();
        Some(format!("the last rotation was ended although {what}: {despite}{cut}"))
    }

    /// What an end needs a reason for: step 7 was never done, nobody has reconfigured, somebody has written and nobody has said
    /// what it means. Empty: it may end as it is.
    pub fn unfinished(&self) -> Vec<&'static str> {
        let never_called = !self.step(StepNumber::RECONFIGURE).is_done() && !self.is_call_needless();
        let was_begun = *self.step(StepNumber::RECONFIGURE) != StepState::Waiting;
        let called = if was_begun { "STEP 7 DID NOT END WELL" } else { "STEP 7 WAS NEVER DONE" };
        let all = [
            (never_called, called),
            (!self.clients.is_empty() && self.back.is_empty(), "NOBODY HAS RECONFIGURED"),
            (self.open_mails().next().is_some(), UNREAD),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect()
    }

    /// What an end that was given a reason goes over: what needed it by the journal, or what only the operator was told.
    pub fn open_told(&self) -> String {
        let complains = self.mails.iter().skip(self.heard_before_end).any(ReadMail::complains);
        let other = if complains { "A CLIENT HAS WRITTEN THAT IT DOES NOT WORK" } else { "SOMETHING WAS MISSING" };
        self.unfinished_told().unwrap_or_else(|| other.into())
    }

    /// All of that in one sentence.
    pub fn unfinished_told(&self) -> Option<String> {
        let all = self.unfinished();
        (!all.is_empty()).then(|| all.join(", AND "))
    }

    /// What clients are told of the key that is live now.
    pub fn key_told(&self) -> KeyTold {
        match &self.forward {
            Some(_) if self.is_back_to_previous() => KeyTold::Previous,
            Some(forward) if has_given(forward) => KeyTold::Again,
            _ => KeyTold::New,
        }
    }
}
