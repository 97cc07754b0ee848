//! Brings the Barbican secret to one named state from whatever state it is in: exactly one secret of the name, with the
//! wanted key in it. Rotate, roll back and resume are all this one call.
//!
//! A request without an answer is not a request that failed (Barbican was seen to carry such requests out later), so
//! after every unknown outcome it looks again before it acts again. A look that sees everything as it was is the proof that
//! nothing was touched, and then the gate is judged anew before anything is sent again.

mod told;
mod until;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::key::PublicKey;
use crate::domain::secret_shape::SecretShape;
use crate::engine::observe::{SecretSight, look_at_secret};
use crate::engine::ports::{NewSecret, SecretRef, SwapOrder, Touch, World};
use crate::engine::secret::{PrivateKey, SecretBytes};
use crate::engine::truth::Live;
use std::time::Duration;
use told::{Known, NOT_KNOWN, UNLISTED};
use until::Until;

/// How often an act is tried again after a passing fault before the operator is asked.
const ROUNDS: u32 = 6;

/// Where nobody has answered, the request may be carried out still, so one look is no proof: Barbican's worker does not notice
/// that its client has gone, and goes on. What it has read it carries out within a second; this long after it was given up
/// the second look is taken. A worker that was stopped may come to it even later (seen: minutes), and no pause excludes that.
/// Then an old secret goes whose key is kept under its own name: the name is shown as empty, nothing goes on over it, and a
/// cancellation puts the key back before it destroys what is kept. No key is lost by it.
const SETTLES: Duration = Duration::from_secs(5);

/// How long it takes at most from the first request that changes something to the last word, where a pair takes `pair_bound`
/// at most: no round begins once a pair's time is over, and one is a look, a pair, and the look behind it.
pub fn longest(pair_bound: Duration) -> Duration {
    pair_bound * 3
}

/// How long a rotation may take from its first request that changes something until the server has the key, which it asks for
/// every `reconcile_interval`.
pub fn rotation_takes(pair_bound: Duration, reconcile_interval: Duration) -> Duration {
    longest(pair_bound) + reconcile_interval * 2
}

/// The state that is wanted.
pub struct Wanted<'a> {
    /// The secret's name.
    pub name: &'a str,
    /// The key's public half; decides what counts as "the wanted one".
    pub public_key: PublicKey,
    /// The private half, as it is kept.
    pub payload: &'a SecretBytes,
    /// The attributes that the secret must have.
    pub shape: &'a SecretShape,
    /// Asked right before anything is changed, for as long as nothing was.
    pub touch: &'a dyn Touch,
    /// What has just been seen under the name; without it that is looked at first.
    pub seen: Option<SecretSight>,
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Converged {
    /// The one secret.
    pub href: SecretRef,
    /// From the sending of the first DELETE that left no secret, to the answer of the POST that ended that; `None` if
    /// there was no such pair.
    pub gap: Option<Duration>,
    /// For how long two secrets had the name, where the new one was stored first.
    pub overlap: Option<Duration>,
    /// Attributes that could not be carried over.
    pub not_carried: Vec<String>,
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether this run has stored it.
    pub stored: bool,
}

/// A secret with the key that it holds.
type Held = (SecretRef, Option<PublicKey>);

/// What one look found, apart.
struct Found {
    wanted: Vec<SecretRef>,
    others: Vec<SecretRef>,
    all: Vec<Held>,
}

/// A request that may have been the first change, and of which it is not known whether it was carried out.
struct Unsettled {
    /// What was there before it.
    before: Before,
    /// Nobody answered, so it may be carried out still.
    is_lost: bool,
}

/// What was there before the first change.
enum Before {
    /// As this run has seen it.
    Seen(Vec<Held>),
    /// A run before this one has announced it, when this key was live.
    Live(PublicKey),
}

impl Unsettled {
    /// Everything is as it was: a secret's payload is never written over, so the same reference holds the same key.
    fn is_as_before(&self, found: &Found) -> bool {
        match &self.before {
            Before::Seen(all) => *all == found.all,
            Before::Live(key) => matches!(found.all[..], [(_, Some(only))] if only == *key),
        }
    }
}

fn sorted(sight: SecretSight, wanted: &Wanted<'_>) -> Found {
    let all = sight.hrefs.into_iter().zip(sight.keys).collect();
    let mut found = Found { wanted: Vec::new(), others: Vec::new(), all };
    for (href, key) in found.all.iter().cloned() {
        if key == Some(wanted.public_key) { &mut found.wanted } else { &mut found.others }.push(href);
    }
    found
}

/// Whether the wanted state holds now: one secret, this key, and (where a shape is given) its attributes. Changes nothing.
pub async fn holds(
    world: &World,
    public_key: PublicKey,
    shape: Option<&SecretShape>,
) -> Result<Result<(), String>, Fault> {
    let sight = look_at_secret(world, None).await?;
    match (sight.count, sight.only_key()) {
        (1, Some(key)) if key == public_key => {}
        (0, _) => return Ok(Err("no secret has the name".into())),
        (1, Some(key)) => return Ok(Err(format!("the secret holds {}", key.short()))),
        (1, None) => return Ok(Err("the secret does not hold a key".into())),
        (count, _) => return Ok(Err(format!("{count} secrets have the name"))),
    }
    if let Some(wanted) = shape
        && differs(&world.secrets.shape(&sight.hrefs[0]).await?, wanted)
    {
        return Ok(Err("the secret holds the key, but its ACL, metadata or consumers are not those of before".into()));
    }
    Ok(Ok(()))
}

/// Converges. On an error the fault says what is safe; calling again goes on from whatever state was left.
pub async fn converge(world: &World, wanted: &Wanted<'_>) -> Result<Converged, Fault> {
    let announced = wanted.touch.announced();
    let changed = announced.is_some();
    // What was seen to be empty since has been changed, whatever somebody has stored there again.
    let unsettled = announced.filter(|_| wanted.touch.known() != Live::Missing);
    let unsettled = unsettled.map(|key| Unsettled { before: Before::Live(key), is_lost: true });
    let known = match wanted.touch.known() {
        Live::There if unsettled.is_none() => Known::There,
        Live::There | Live::Unknown => Known::Unknown(NOT_KNOWN),
        Live::Missing => Known::Missing,
    };
    let since = changed.then(|| world.clock.now());
    // What was seen before a lost request is settled says nothing.
    let mut seen = wanted.seen.clone().filter(|_| !changed);
    let mut run = Run {
        world,
        wanted,
        since,
        gap: None,
        overlap: None,
        opened: None,
        known,
        changed,
        unsettled,
        stored: None,
        not_carried: None,
        first: None,
        deleted: Vec::new(),
    };
    let mut last = None;
    for round in 0..ROUNDS {
        if round > 0 {
            // The first try again is immediate: while no secret exists every moment counts.
            world.clock.sleep(Duration::from_millis(if round == 1 { 0 } else { 250 << round })).await;
            if run.is_over() {
                break;
            }
            if let Some(fault) = &last {
                let text = format!("{fault}; looking what Barbican holds, {} of {ROUNDS} times", round + 1);
                wanted.touch.tell(text);
            }
        }
        let found = match run.look(seen.take()).await {
            Ok(found) => found,
            Err(fault) if (fault.is_passing() || fault.kind == FaultKind::Conflict) && run.changed => {
                last = Some(run.met(fault));
                continue;
            }
            Err(fault) => return Err(run.give_up(fault).await),
        };
        match run.act(&found).await {
            Ok(None) => {}
            Ok(Some(href)) => return run.seal(href).await,
            Err(fault) if fault.is_passing() => last = Some(run.met(fault)),
            Err(fault) => return Err(run.give_up(fault).await),
        }
    }
    // What is told is what was seen after the last request. Where nothing can be seen now, that is told.
    match run.look(None).await {
        Ok(found) if found.others.is_empty() && found.wanted.len() == 1 => {
            return run.seal(found.wanted[0].clone()).await;
        }
        Ok(found) => last = last.or_else(|| Some(told::unsettled(&found.all, &run.deleted, &run.known))),
        Err(fault) => last = last.or(Some(fault)),
    }
    let unsettled = || told::unsettled(&[], &[], &Known::There);
    Err(run.give_up(last.unwrap_or_else(unsettled)).await)
}

struct Run<'a> {
    world: &'a World,
    wanted: &'a Wanted<'a>,
    /// When the first request that changes something was about to be sent.
    since: Option<jiff::Timestamp>,
    gap: Option<Duration>,
    overlap: Option<Duration>,
    /// When the DELETE was sent that left no secret, if none has been stored since.
    opened: Option<jiff::Timestamp>,
    known: Known,
    /// Something was changed, or may have been.
    changed: bool,
    /// Of what may have changed it this is not known.
    unsettled: Option<Unsettled>,
    /// What was stored last: read beside the list.
    stored: Option<SecretRef>,
    /// What the last store could not carry over; `None` if nothing was stored here.
    not_carried: Option<Vec<String>>,
    /// The first fault that was met.
    first: Option<Fault>,
    /// Those of which Barbican has said that it deleted them.
    deleted: Vec<SecretRef>,
}

impl Run<'_> {
    /// A fault after which it is tried again.
    fn met(&mut self, fault: Fault) -> Fault {
        self.first.get_or_insert_with(|| fault.clone());
        fault
    }

    /// Whether a pair's time has gone by since the first change: what is not known then is told, not waited for.
    fn is_over(&self) -> bool {
        let elapsed = self.since.map(|since| self.world.clock.now().duration_since(since));
        let elapsed = elapsed.and_then(|elapsed| Duration::try_from(elapsed).ok()).unwrap_or_default();
        self.changed && elapsed > self.world.settings.pair_bound
    }

    fn new_secret(&self) -> NewSecret {
        let key = PrivateKey::from_payload(self.wanted.payload);
        let newline = self.wanted.shape.trailing_newline;
        let payload = key.map_or_else(|| self.wanted.payload.duplicate(), |key| key.to_payload(newline));
        NewSecret { name: self.wanted.name.to_owned(), payload, shape: self.wanted.shape.clone() }
    }

    /// Looks; and where everything is as it was before a request of unknown outcome, the gate is in force again.
    async fn look(&mut self, seen: Option<SecretSight>) -> Result<Found, Fault> {
        let sight = match seen {
            Some(seen) => seen,
            None => look_at_secret(self.world, self.stored.as_ref()).await?,
        };
        let mut found = sorted(sight, self.wanted);
        if let Some(unsettled) = &self.unsettled {
            if unsettled.is_lost && unsettled.is_as_before(&found) {
                let wait = SETTLES.as_secs();
                self.wanted
                    .touch
                    .tell(format!("all is as it was; a lost request may still come: looking again in {wait} s"));
                self.world.clock.sleep(SETTLES).await;
                found = sorted(look_at_secret(self.world, None).await?, self.wanted);
            }
            if unsettled.is_as_before(&found) {
                self.wanted.touch.not_touched().await?;
                (self.changed, self.opened) = (false, None);
            }
            self.unsettled = None;
        }
        self.known = match found.all.is_empty() {
            true if self.is_there_unlisted().await => Known::Unknown(UNLISTED),
            true => Known::Missing,
            false => Known::There,
        };
        Ok(found)
    }

    /// What was stored is not listed and can be read: a second of it would make nothing better.
    async fn is_there_unlisted(&self) -> bool {
        let Some(href) = &self.stored else { return false };
        let payload = self.world.secrets.payload(href).await.ok();
        let key = payload.as_ref().and_then(PrivateKey::from_payload);
        key.is_some_and(|key| key.public() == self.wanted.public_key)
    }

    /// One act that the found state asks for; `Some` when the wanted state holds.
    async fn act(&mut self, found: &Found) -> Result<Option<SecretRef>, Fault> {
        match (found.wanted.split_first(), found.others.split_last()) {
            (Some((keep, [])), None) => return Ok(Some(keep.clone())),
            (Some((_, surplus)), _) => {
                self.give_way(&found.all).await?;
                // The wanted key is there, so none of these deletions leaves the server without it.
                for href in surplus.iter().chain(&found.others) {
                    self.delete(href, &found.all).await?;
                }
            }
            (None, None) if matches!(self.known, Known::Unknown(UNLISTED)) => {}
            (None, None) => self.store(&found.all).await?,
            (None, Some((old, surplus))) => {
                self.give_way(&found.all).await?;
                if self.world.settings.swap == SwapOrder::DeleteFirst {
                    for href in surplus {
                        self.delete(href, &found.all).await?;
                    }
                }
                self.swap(old, &found.all).await?;
            }
        }
        Ok(None)
    }

    /// What is about to be deleted and may be somebody else's work is kept by whoever knows the keys of this case.
    async fn give_way(&self, all: &[Held]) -> Result<(), Fault> {
        for (href, key) in all {
            if *key != Some(self.wanted.public_key) {
                self.wanted.touch.give_way(href, *key).await?;
            }
        }
        Ok(())
    }

    /// One of the requests that change the secret: judged before, and what it surely did not change is said.
    async fn change<T>(
        &mut self,
        before: &[Held],
        request: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        if !self.changed {
            self.wanted.touch.touch().await?;
            self.since = Some(self.world.clock.now());
        }
        let answer = request.await;
        self.came_of_it(before, answer.as_ref().err()).await?;
        answer
    }

    /// What the first change has come to, by the fault of its request.
    async fn came_of_it(&mut self, before: &[Held], fault: Option<&Fault>) -> Result<(), Fault> {
        match fault {
            _ if self.changed => {}
            Some(fault) if !fault.is_outcome_unknown() => self.wanted.touch.not_touched().await?,
            Some(fault) => {
                // Barbican itself (500), or who stands before it and reaches none (503), has done with a request that it has
                // answered; a gateway that got no answer (502, 504) has not.
                let is_lost = !matches!(fault.kind, FaultKind::ServerError(500 | 503));
                self.unsettled = Some(Unsettled { before: Before::Seen(before.to_vec()), is_lost });
                self.changed = true;
            }
            None => self.changed = true,
        }
        Ok(())
    }

    async fn delete(&mut self, href: &SecretRef, before: &[Held]) -> Result<(), Fault> {
        let world = self.world;
        self.change(before, world.secrets.delete(href)).await?;
        self.deleted.push(href.clone());
        Ok(())
    }

    async fn store(&mut self, before: &[Held]) -> Result<(), Fault> {
        let (world, new) = (self.world, self.new_secret());
        let stored = self.change(before, world.secrets.store(&new)).await;
        if stored.as_ref().is_err_and(Fault::is_outcome_unknown) {
            self.known = Known::Unknown("no secret had the name, and whether the new one was stored is not known yet");
        }
        let href = stored?;
        self.stored = Some(href.clone());
        self.close_gap();
        self.not_carried = Some(self.world.secrets.attach(&href, self.wanted.shape).await);
        Ok(())
    }

    async fn swap(&mut self, old: &SecretRef, before: &[Held]) -> Result<(), Fault> {
        let sent = self.world.clock.now();
        if !self.changed {
            self.since = Some(sent);
        }
        let touch = Until::of(self.wanted.touch, self.changed);
        let order = self.world.settings.swap;
        let swap = self.world.secrets.swap(old, self.new_secret(), order, &touch).await;
        if !self.changed && !touch.was_asked() {
            // It was not even asked whether it may be changed: what failed was the preparation, or the answer was no.
            return swap.deleted;
        }
        if swap.deleted.is_ok() {
            self.deleted.push(old.clone());
        }
        let (deleted, stored) = (swap.deleted.as_ref().err(), swap.stored.as_ref().map(|stored| stored.as_ref().err()));
        let is_unknown = |fault: Option<&Fault>| fault.is_some_and(Fault::is_outcome_unknown);
        // What the first request of the two came to.
        let first = match (order, stored) {
            (SwapOrder::StoreFirst, Some(fault)) => fault,
            _ => deleted,
        };
        self.came_of_it(before, first).await?;
        if order == SwapOrder::StoreFirst && is_unknown(stored.flatten()) {
            self.known = Known::Unknown("whether the new secret was stored beside the old one is not known yet");
        }
        if order == SwapOrder::DeleteFirst {
            if deleted.is_none() || is_unknown(deleted) {
                self.opened.get_or_insert(sent);
            }
            match (deleted, stored) {
                (None, Some(Some(fault))) if !fault.is_outcome_unknown() => self.known = Known::Missing,
                (None, Some(Some(_))) => {
                    let text = "the old secret is deleted, and whether the new one was stored is not known yet";
                    self.known = Known::Unknown(text);
                }
                (Some(fault), _) if fault.is_outcome_unknown() => {
                    self.known = Known::Unknown(NOT_KNOWN);
                }
                _ => {}
            }
        }
        match swap.stored {
            Some(Ok(href)) => {
                self.stored = Some(href);
                match (swap.gap, self.gap) {
                    (Some(gap), None) => (self.gap, self.opened) = (Some(gap), None),
                    _ => self.close_gap(),
                }
                self.known = Known::There;
                self.not_carried = Some(swap.not_carried);
                self.overlap = self.overlap.or(swap.overlap);
            }
            Some(Err(fault)) => return Err(fault),
            None => {}
        }
        swap.deleted
    }

    fn close_gap(&mut self) {
        self.known = Known::There;
        if let Some(opened) = self.opened.take() {
            let nanos = self.world.clock.now().as_nanosecond() - opened.as_nanosecond();
            self.gap = Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)));
        }
    }

    /// The wanted state holds: prove it by reading back, and say what was not carried over.
    async fn seal(mut self, href: SecretRef) -> Result<Converged, Fault> {
        if self.opened.is_some() {
            // A POST whose answer was lost has landed.
            self.close_gap();
        }
        let not_carried = match self.not_carried.take() {
            Some(not_carried) => not_carried,
            // Stored by a run that ended before it could set them, or by a request whose answer was lost.
            None if self.is_bare(&href).await => self.world.secrets.attach(&href, self.wanted.shape).await,
            None => Vec::new(),
        };
        Ok(Converged {
            href,
            gap: self.gap,
            overlap: self.overlap,
            not_carried,
            changed: self.changed,
            stored: self.stored.is_some(),
        })
    }

    async fn is_bare(&self, href: &SecretRef) -> bool {
        self.world.secrets.shape(href).await.map_or(true, |found| differs(&found, self.wanted.shape))
    }

    /// Ends badly: what is left of the secret is said to whoever keeps the journal, then to whoever asked.
    async fn give_up(&self, fault: Fault) -> Fault {
        let left = match self.known {
            Known::There => Live::There,
            Known::Missing => Live::Missing,
            Known::Unknown(_) => Live::Unknown,
        };
        let explained = told::explain(fault, self.changed, &self.known, self.first.as_ref());
        // Where even that can't be written the first cause stands: whoever writes next meets the same.
        match self.wanted.touch.left(left, self.gap).await {
            Ok(()) => explained,
            Err(unwritten) => {
                let hint = format!("{}; {unwritten}", explained.advice());
                explained.hint(hint)
            }
        }
    }
}

fn differs(found: &SecretShape, wanted: &SecretShape) -> bool {
    found.acl != wanted.acl || found.metadata != wanted.metadata || found.consumers != wanted.consumers
}
