//! Step 4: the Barbican secret `vpn-private-key-<tenant_id>` holds the target key, and nothing else has that name.

use super::announce::see_people_again;
use super::foreign::{keep_foreign, keep_payload};
use super::kept::{find_kept, keep_again, kept_keys};
use super::{answers, moment, silence};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::{KeyRole, PublicKey, holds_instead};
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::StepNumber;
use crate::engine::converge_secret::{self, Wanted};
use crate::engine::gap;
use crate::engine::observe::{self, Before, SecretSight};
use crate::engine::ports::{SecretRef, SwapOrder, Touch, World};
use crate::engine::record::{self, Record};
use crate::engine::rotation::KeptKey;
use crate::engine::secret::{PrivateKey, SecretBytes};
use crate::engine::step::{Probe, Progress, Step, StepContext, Trouble};
use crate::engine::truth::Live;
use async_trait::async_trait;
use std::time::Duration;

/// Step 4.
pub struct Secret;

#[async_trait]
impl Step for Secret {
    fn number(&self) -> StepNumber {
        StepNumber::SECRET
    }

    fn title(&self) -> &'static str {
        "Update the Barbican secret"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "\"No secret found\" on delete",
                remedy: "the secret may already have been deleted, or the name is wrong. changeguard lists the name and, where it is empty, goes straight to store",
            },
            Trouble {
                symptom: "SECRET MISSING: deleted, but not stored",
                remedy: "tunnels stay up: the server leaves the key untouched and tries again each cycle. While a rotation is open its key is kept under a name of its own in Barbican: correct what the message names, then resume, which stores that key. Behind an end no copy is kept: what the status offers leads on",
            },
            Trouble {
                symptom: "no answer within the time limit",
                remedy: "the request may still be carried out later. Resume looks at what is there before it acts; a second secret that arrives late is shown and removed",
            },
            Trouble {
                symptom: "Barbican returns 403",
                remedy: "the credential lacks the role to delete or create secrets on this project; ask the platform team for a role assignment, then resume",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "roll back: the previous key (or a fresh one) is put under the name in the same way"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        let Some(target) = rotation.target() else { return Probe::NotDone("no key is staged".into()) };
        // What could not be carried over is on record; asking for it again would never end. What others have set since it was is theirs.
        let is_set = rotation.step(StepNumber::SECRET).is_done() || !rotation.not_carried.is_empty();
        let shape = rotation.shape.as_ref().filter(|_| !is_set);
        match converge_secret::holds(context.world, target, shape).await {
            Ok(Ok(())) => Probe::Done(format!("the secret holds {}", target.short())),
            Ok(Err(found)) => Probe::NotDone(found),
            Err(fault) => Probe::Unclear(fault),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let chosen = moment::choose(context).await?;
        let rotation = context.rotation();
        let role = rotation.target_role();
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
        let kept = rotation.keys.get(&role).ok_or_else(none)?;
        // A look that fails here is taken once more by whoever needs it, and told by them.
        let (payload, seen) =
            futures_util::join!(kept_payload(context.world, kept), observe::look_at_secret(context.world, None));
        let Some(payload) = payload.map_err(unread)? else {
            return Err(gone(context, role, kept.name.clone()).await?);
        };
        let seen = seen.ok();
        let look = seen.as_ref().map(|secret| (context.world.clock.now(), secret.count));
        let shape = carried(context, seen.as_ref()).await?;
        let (shape, left_out) = shape.to_store(context.world.clock.now());
        let name = &context.world.settings.secret_name;
        let touch = Moment { context, before: Before { secret: seen.clone(), ..Before::default() } };
        let wanted =
            Wanted { name, public_key: kept.public_key, payload: &payload, shape: &shape, touch: &touch, seen };
        // The server's next look may fall into the gap; the alert of that is expected.
        let unsilenced = silence::begin(context).await?;
        let bound = context.world.settings.pair_bound.as_secs();
        let longest = converge_secret::longest(context.world.settings.pair_bound).as_secs();
        let pair = match context.world.settings.swap {
            SwapOrder::DeleteFirst => "DELETE and POST",
            SwapOrder::StoreFirst => "POST, then DELETE",
        };
        let text = format!(
            "{pair}; once begun they are finished whatever happens here, within {bound} s; an answer that is lost is looked \
             for, and within {longest} s there is a word"
        );
        context.ledger.progress(Progress { step: self.number(), done: 0, total: 0, text });
        let result = converge_secret::converge(context.world, &wanted).await?;
        let now = context.world.clock.now();
        let (gap_us, opened) = gap::of(&result, rotation.live.opened(), &context.rotation(), now);
        let is_empty = look.filter(|(_, count)| *count == 0 && result.stored && gap_us.is_none() && opened.is_none());
        let found_empty = is_empty.map(|(at, _)| at);
        let mut not_carried = result.not_carried.clone();
        not_carried.extend(left_out.map(|at| {
            let at = at.strftime("%Y-%m-%d %H:%M UTC");
            format!("expiration {at} (it has come or is near, and the key would be gone with it)")
        }));
        context
            .ledger
            .record(Record::Swapped(record::Swapped {
                public_key: kept.public_key,
                gap_us,
                not_carried: not_carried.clone(),
                opened,
                found_empty,
                overlap_us: micros(result.overlap),
            }))
            .await?;
        let holds = format!("one secret, holds {}", kept.public_key.short());
        let broken = context.rotation().broken_gap.map(|gap| format!(" ({gap})")).unwrap_or_default();
        let mut evidence = match gap_us {
            Some(_) if result.overlap.is_some() => {
                let overlap = micros(result.overlap).unwrap_or_default();
                format!("no gap: two secrets had the name for {}; {holds}", gap::length(overlap))
            }
            Some(us) => format!("gap {}{broken}, {holds}", gap::length(us)),
            // An earlier run has stored it first and did not live to delete the other one.
            None if broken.is_empty() && look.is_some_and(|(_, count)| count > 1) && !result.stored => {
                let announced = rotation.touched_as.as_ref().map(|(_, at)| *at).filter(|at| *at < now);
                let since = announced.map(|at| {
                    format!("; two secrets had the name, for how long is not known: at most {}", gap::between(at, now))
                });
                format!("{holds}{}", since.unwrap_or_default())
            }
            None if broken.is_empty() => holds,
            None => format!("gap{broken}, {holds}"),
        };
        if !not_carried.is_empty() {
            evidence.push_str(&format!("; NOT carried over: {}", not_carried.join("; ")));
        }
        for said in chosen.into_iter().chain(unsilenced) {
            evidence.push_str(&format!("; {said}"));
        }
        Ok(evidence)
    }
}

/// The attributes that the new secret gets: those of the one that gives way, as they are now, for whoever has corrected its access
/// control since step 3 has meant it. Of what is half-made, or somebody else's, those that the journal knows.
async fn carried(context: &StepContext<'_>, seen: Option<&SecretSight>) -> Result<SecretShape, Fault> {
    let rotation = context.rotation();
    let known = rotation.shape.clone().unwrap_or_default();
    let held = |role| rotation.keys.get(&role).map(|kept| kept.public_key);
    let giving_way = seen.filter(|seen| seen.count == 1 && seen.only_key() != rotation.target());
    let is_whole = |seen: &&SecretSight| match &rotation.forward {
        None => !rotation.touched && seen.only_key() == held(KeyRole::Previous),
        Some(steps) => {
            let is_stored = steps[StepNumber::SECRET.index()].is_done() && rotation.not_carried.is_empty();
            is_stored && seen.only_key() == held(KeyRole::Staged)
        }
    };
    let Some(seen) = giving_way.filter(is_whole) else { return Ok(known) };
    let now = match context.world.secrets.shape(&seen.hrefs[0]).await {
        Ok(now) => now,
        // The way back waits for nothing that it can do without.
        Err(_) if rotation.rollback.is_some() => return Ok(known),
        Err(fault) => return Err(unread(fault)),
    };
    if rotation.shape.as_ref() != Some(&now) {
        context.ledger.record(Record::ShapeSeen { shape: now.clone() }).await?;
    }
    Ok(now)
}

fn micros(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

/// Journals what an attempt that ends badly has left of the live secret, where that is news.
pub(super) async fn secret_left(
    context: &StepContext<'_>,
    step: StepNumber,
    left: Live,
    gap: Option<Duration>,
) -> Result<(), Fault> {
    let gap_us = micros(gap);
    match context.rotation().live.known() == left && gap_us.is_none() {
        true => Ok(()),
        false => context.ledger.record(Record::SecretLeft { step, left, gap_us }).await,
    }
}

/// The moment of touching: the gate is judged from what is true then.
struct Moment<'a> {
    context: &'a StepContext<'a>,
    /// What this step has seen first: the payload of the live secret is not read twice.
    before: Before,
}

#[async_trait]
impl Touch for Moment<'_> {
    async fn touch(&self) -> Result<(), Fault> {
        if self.context.rotation().touched {
            return Ok(());
        }
        // What is true now: a decline that has just come in, somebody who has just appeared, a place that has just failed.
        let previous = self.context.rotation().keys.get(&KeyRole::Previous).map(|kept| kept.public_key);
        let kept = async {
            match previous {
                Some(previous) => keep_again(self.context, previous).await,
                None => Ok(()),
            }
        };
        let (heard, seen, kept) = futures_util::join!(
            answers::hear_at_once(self.context),
            see_people_again(self.context, &self.before),
            kept
        );
        heard?;
        if self.context.rotation().emergency.is_none() {
            let refused = |fault: Fault| Fault { kind: FaultKind::Refused, ..fault };
            // A compromised key need not be kept, and whoever has taken its copy must not keep an emergency shut.
            kept.map_err(refused)?;
            let sights = seen.map_err(refused)?;
            // A served key that can't be read is no agreement.
            if let Some((_, fault)) = sights.served.fault {
                return Err(refused(fault));
            }
        }
        self.context.ledger.touch(StepNumber::SECRET).await.map_err(|fault| {
            fault.hint("nothing was changed in Barbican; when the gate is open again, resume, or cancel")
        })
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        // What was said to have changed something, or is not said to have begun at all, is not taken back.
        if !self.context.rotation().touching {
            return Ok(());
        }
        self.context.ledger.record(Record::NotTouched { step: StepNumber::SECRET }).await
    }

    fn announced(&self) -> Option<PublicKey> {
        let rotation = self.context.rotation();
        let previous = rotation.keys.get(&KeyRole::Previous).filter(|_| rotation.touching);
        previous.map(|kept| kept.public_key)
    }

    fn known(&self) -> Live {
        self.context.rotation().live.known()
    }

    fn tell(&self, text: String) {
        self.context.ledger.progress(Progress { step: StepNumber::SECRET, done: 0, total: 0, text });
    }

    async fn left(&self, left: Live, gap: Option<Duration>) -> Result<(), Fault> {
        secret_left(self.context, StepNumber::SECRET, left, gap).await
    }

    async fn give_way(&self, href: &SecretRef, key: Option<PublicKey>) -> Result<(), Fault> {
        match key {
            Some(key) => {
                // Before the first change that is asked with everything else.
                let rotation = self.context.rotation();
                if rotation.touched && rotation.emergency.is_none() {
                    keep_again(self.context, key).await?;
                }
                keep_foreign(self.context, href, key).await
            }
            None => keep_payload(self.context, href).await,
        }
    }
}

/// The key that is to be live is nowhere any more: journaled, and what leads on is said.
async fn gone(context: &StepContext<'_>, role: KeyRole, name: String) -> Result<Fault, Fault> {
    let instead: Vec<PublicKey> = kept_keys(context.world, &name).await?.into_iter().map(|(_, key)| key).collect();
    let (role_word, holds) = (role.word(), holds_instead(&instead));
    context.ledger.record(Record::KeyGone { role, name, instead }).await?;
    let text = format!("the {role_word} key is not in Barbican any more{holds}, and no record says that we removed it");
    let fault = Fault::new(Service::Barbican, FaultKind::Refused, text);
    Ok(match context.rotation().is_target_lost() {
        true => fault
            .hint("this attempt has changed nothing; a way back to a key that can still be had leads on: roll back"),
        false => fault.hint("this attempt has changed nothing; resume makes another, for nobody has had this one"),
    })
}

/// The kept key's payload: from where it is known to rest, else by its name, else from under the live name.
async fn kept_payload(world: &World, kept: &KeptKey) -> Result<Option<SecretBytes>, Fault> {
    if let Some(href) = &kept.href
        && let Ok(payload) = world.secrets.payload(href).await
        && PrivateKey::from_payload(&payload).is_some_and(|key| key.public() == kept.public_key)
    {
        return Ok(Some(payload));
    }
    for name in [&kept.name, &world.settings.secret_name] {
        if let Some((_, payload)) = find_kept(world, name, kept.public_key).await? {
            return Ok(Some(payload));
        }
    }
    Ok(None)
}

/// A fault of the reading before anything is sent: what that has left as it was, may be an empty name.
fn unread(fault: Fault) -> Fault {
    let hint = match fault.is_outcome_unknown() {
        true => "this attempt has sent nothing that changes anything; when it answers again, resume".to_owned(),
        false => format!("this attempt has sent nothing that changes anything; {}; then resume", fault.remedy()),
    };
    fault.hint(hint)
}
