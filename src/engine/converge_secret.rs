//! Brings the Barbican secret to one named state from whatever state it is in: exactly one secret of the name, with the
//! wanted key in it. Rotate, roll back and resume are all this one call.
//!
//! A request without an answer is not a request that failed (Barbican was seen to carry such requests out later), so
//! after every unknown outcome it looks again before it acts again.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{NewSecret, SecretRef, SwapOrder, Touch, World};
use crate::engine::secret::{PrivateKey, SecretBytes};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often an act is tried again after a passing fault before the operator is asked.
const ROUNDS: u32 = 6;

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
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Converged {
    /// The one secret.
    pub href: SecretRef,
    /// From the sending of the first DELETE that left no secret, to the answer of the POST that ended that; `None` if
    /// there was no such pair.
    pub gap: Option<Duration>,
    /// Attributes that could not be carried over.
    pub not_carried: Vec<String>,
    /// Whether anything was changed.
    pub changed: bool,
}

/// What one look found, apart.
struct Found {
    wanted: Vec<SecretRef>,
    others: Vec<SecretRef>,
}

async fn look(world: &World, wanted: &Wanted<'_>) -> Result<Found, Fault> {
    let sight = super::observe::look_at_secret(world).await?;
    let mut found = Found { wanted: Vec::new(), others: Vec::new() };
    for (href, key) in sight.hrefs.into_iter().zip(sight.keys) {
        if key == Some(wanted.public_key) { &mut found.wanted } else { &mut found.others }.push(href);
    }
    Ok(found)
}

/// Whether the wanted state holds now: one secret, this key, and (where a shape is given) its attributes. Changes nothing.
pub async fn holds(
    world: &World,
    public_key: PublicKey,
    shape: Option<&SecretShape>,
) -> Result<Result<(), String>, Fault> {
    let sight = super::observe::look_at_secret(world).await?;
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
    let mut run = Run { world, wanted, gap: None, opened: None, stored: false, changed: false, not_carried: None };
    let mut last = None;
    for round in 0..ROUNDS {
        if round > 0 {
            // The first try again is immediate: while no secret exists every moment counts.
            world.clock.sleep(Duration::from_millis(if round == 1 { 0 } else { 250 << round })).await;
        }
        let found = match look(world, wanted).await {
            Ok(found) => found,
            Err(fault) if fault.is_passing() && run.changed => {
                last = Some(fault);
                continue;
            }
            Err(fault) => return Err(run.explain(fault)),
        };
        match run.act(&found).await {
            Ok(None) => {}
            Ok(Some(href)) => return run.seal(href).await,
            Err(fault) if fault.is_passing() => last = Some(fault),
            Err(fault) => return Err(run.explain(fault)),
        }
    }
    let unsettled = || Fault::new(Service::Barbican, FaultKind::Conflict, "the secret kept changing under our hands");
    Err(run.explain(last.unwrap_or_else(unsettled)))
}

struct Run<'a> {
    world: &'a World,
    wanted: &'a Wanted<'a>,
    gap: Option<Duration>,
    /// When the DELETE was sent that left no secret, if none has been stored since.
    opened: Option<jiff::Timestamp>,
    stored: bool,
    changed: bool,
    /// What the last store could not carry over; `None` if nothing was stored here.
    not_carried: Option<Vec<String>>,
}

impl Run<'_> {
    fn new_secret(&self) -> NewSecret {
        let key = PrivateKey::from_payload(self.wanted.payload);
        let newline = self.wanted.shape.trailing_newline;
        let payload = key.map_or_else(|| self.wanted.payload.duplicate(), |key| key.to_payload(newline));
        NewSecret { name: self.wanted.name.to_owned(), payload, shape: self.wanted.shape.clone() }
    }

    /// One act that the found state asks for; `Some` when the wanted state holds.
    async fn act(&mut self, found: &Found) -> Result<Option<SecretRef>, Fault> {
        match (found.wanted.split_first(), found.others.split_last()) {
            (Some((keep, [])), None) => return Ok(Some(keep.clone())),
            (Some((_, surplus)), _) => {
                // The wanted key is there, so none of these deletions leaves the server without it.
                for href in surplus.iter().chain(&found.others) {
                    self.delete(href).await?;
                }
            }
            (None, None) => self.store().await?,
            (None, Some((old, surplus))) => {
                if self.world.settings.swap == SwapOrder::DeleteFirst {
                    for href in surplus {
                        self.delete(href).await?;
                    }
                }
                self.swap(old).await?;
            }
        }
        Ok(None)
    }

    /// One of the requests that change the secret: judged before, and what it surely did not change is said.
    async fn change<T>(&mut self, request: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        if !self.changed {
            self.wanted.touch.touch().await?;
        }
        let answer = request.await;
        match &answer {
            Err(fault) if !fault.is_outcome_unknown() => self.refused().await?,
            _ => self.changed = true,
        }
        answer
    }

    /// A request was surely not carried out.
    async fn refused(&mut self) -> Result<(), Fault> {
        if self.changed { Ok(()) } else { self.wanted.touch.not_touched().await }
    }

    async fn delete(&mut self, href: &SecretRef) -> Result<(), Fault> {
        let world = self.world;
        self.change(world.secrets.delete(href)).await
    }

    async fn store(&mut self) -> Result<(), Fault> {
        let (world, new) = (self.world, self.new_secret());
        let href = self.change(world.secrets.store(&new)).await?;
        self.close_gap();
        self.not_carried = Some(self.world.secrets.attach(&href, self.wanted.shape).await);
        Ok(())
    }

    async fn swap(&mut self, old: &SecretRef) -> Result<(), Fault> {
        let sent = self.world.clock.now();
        let touch = Until { touch: self.wanted.touch, changed: self.changed, asked: AtomicBool::new(false) };
        let swap = self.world.secrets.swap(old, self.new_secret(), self.world.settings.swap, &touch).await;
        let asked = touch.asked.into_inner();
        if !self.changed && !asked {
            // It was not even asked whether it may be changed: what failed was the preparation, or the answer was no.
            return swap.deleted;
        }
        let unchanged = |fault: &Fault| !fault.is_outcome_unknown();
        let stored = swap.stored.as_ref().is_some_and(|stored| !stored.as_ref().is_err_and(unchanged));
        self.changed |= stored || !swap.deleted.as_ref().is_err_and(unchanged);
        if asked {
            self.refused().await?;
        }
        if self.world.settings.swap == SwapOrder::DeleteFirst
            && (swap.deleted.is_ok() || swap.deleted.as_ref().is_err_and(Fault::is_outcome_unknown))
        {
            self.opened.get_or_insert(sent);
        }
        match swap.stored {
            Some(Ok(_)) => {
                match (swap.gap, self.gap) {
                    (Some(gap), None) => (self.gap, self.opened) = (Some(gap), None),
                    _ => self.close_gap(),
                }
                self.stored = true;
                self.not_carried = Some(swap.not_carried);
            }
            Some(Err(fault)) => return Err(fault),
            None => {}
        }
        swap.deleted
    }

    fn close_gap(&mut self) {
        self.stored = true;
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
        Ok(Converged { href, gap: self.gap, not_carried, changed: self.changed })
    }

    async fn is_bare(&self, href: &SecretRef) -> bool {
        self.world.secrets.shape(href).await.map_or(true, |found| differs(&found, self.wanted.shape))
    }

    /// The fault with what is true now and what is safe.
    fn explain(&self, fault: Fault) -> Fault {
        if !self.changed {
            // Only readings have failed, so nothing can be carried out later.
            let advice = if fault.is_outcome_unknown() { "when it answers again, resume" } else { fault.advice() };
            let hint = format!("nothing was changed in Barbican; {advice}");
            return fault.hint(hint);
        }
        if self.opened.is_some() && !self.stored {
            let hint = format!(
                "SECRET MISSING: the old secret is deleted and the new one is not stored; tunnels stay up, and the key is \
                 kept in Barbican under its own name. {}; resume stores the same key",
                fault.advice()
            );
            return fault.hint(hint);
        }
        let hint = format!("the key is kept under its own name; {}; resume looks and goes on", fault.advice());
        fault.hint(hint)
    }
}

/// Asks only while nothing was changed, and remembers that it may be: what was refused before it was asked changed nothing.
struct Until<'a> {
    touch: &'a dyn Touch,
    changed: bool,
    asked: AtomicBool,
}

#[async_trait]
impl Touch for Until<'_> {
    async fn touch(&self) -> Result<(), Fault> {
        if !self.changed {
            self.touch.touch().await?;
            self.asked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        self.touch.not_touched().await
    }
}

fn differs(found: &SecretShape, wanted: &SecretShape) -> bool {
    found.acl != wanted.acl || found.metadata != wanted.metadata || found.consumers != wanted.consumers
}
