//! Everybody who is asked in step 2, at once; all checks of it, or one of them. Within a rotation what is found is journaled, before
//! there is one nothing is.

use super::clocks::Clocks;
use super::console::{console_check, needed};
use super::findings::{
    agent_check, barbican_check, fail, finding, from_result, log_check, mailbox_check, own_route_check, pass,
    sight_checks, swap_check, token_check, without_secret, write_check,
};
use super::keys::agreement;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::key::PublicKey;
use crate::domain::notice::NoticeKind;
use crate::domain::preflight::{
    Check as Finding, CheckState, DUPLICATES, KeyAgreement, MAILBOX, OWN_ROUTE, Preflight, SWAP,
};
use crate::engine::mailing;
use crate::engine::observe::{self, Before, Sights};
use crate::engine::ports::{SwapOrder, World};
use crate::engine::step::StepContext;
use crate::runbooks::wireguard::announce::see_people;
use crate::runbooks::wireguard::answers::{self, Heard};
use jiff::Timestamp;

/// What was found.
pub struct Survey {
    /// When, UTC.
    pub at: Timestamp,
    /// The checks that were asked for, in the order of the runbook.
    pub checks: Vec<Finding>,
    /// The keys, where secret, object and server were looked at.
    pub keys: KeyAgreement,
    /// Whether they were.
    pub looked: bool,
}

impl Survey {
    /// A whole run of step 2.
    pub fn preflight(self) -> Preflight {
        Preflight { at: self.at, checks: self.checks, keys: self.keys }
    }
}

/// The key that step 3 has made, while it is not live.
fn staged(context: &StepContext<'_>) -> Option<PublicKey> {
    let rotation = context.rotation();
    rotation.target().filter(|_| rotation.applied.is_none())
}

/// The checks that are asked by themselves; every other one follows from a look at all places.
const BY_THEMSELVES: [&str; 10] =
    ["keystone", "barbican", "write", "mail", "texts", MAILBOX, "agent", SWAP, "agent-log", "transport"];

/// Asks. `only`: that one check. Without a context there is no rotation yet: nothing is recorded, and what concerns its people is
/// not known.
///
/// Errs where the journal does, or where this host could not ask at all.
pub async fn survey(world: &World, context: Option<&StepContext<'_>>, only: Option<&str>) -> Result<Survey, Fault> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let looks = only.is_none_or(|only| !BY_THEMSELVES.contains(&only));
    let (token, listing, mail, heard, agent, log, own, sights, console) = futures_util::join!(
        asked(wanted("keystone") || looks, world.credentials.probe()),
        asked(wanted("barbican"), world.secrets.probe()),
        asked(wanted("mail") || wanted("clocks"), world.mailer.probe()),
        asked(wanted(MAILBOX), hear(context)),
        asked(wanted("agent") || wanted(SWAP), world.server.agent_mode()),
        asked(wanted("agent-log"), world.server.agent_log()),
        asked(wanted(OWN_ROUTE), world.server.own_addresses()),
        asked(looks, look(world, context)),
        asked(wanted("console"), async {
            match &world.console {
                Some(console) => Some(console.probe().await),
                None => None,
            }
        }),
    );
    let heard = heard.transpose()?;
    // No neighbour is found wanting by a host that could not ask it.
    let seen = |sights: &Sights| {
        let faults = [&sights.secret.fault, &sights.object.fault, &sights.server.fault, &sights.console.fault];
        faults.into_iter().flatten().map(|(_, fault)| fault.clone()).collect::<Vec<_>>()
    };
    let looked = match &sights {
        Some(Ok(sights)) => seen(sights),
        Some(Err(fault)) => vec![fault.clone()],
        None => Vec::new(),
    };
    let mailbox = if let Some(Some(Heard::Failed(fault))) = &heard { Some(fault) } else { None };
    let of = [
        token.as_ref().and_then(|token| token.as_ref().err()),
        listing.as_ref().and_then(|listing| listing.as_ref().err()),
        mail.as_ref().and_then(|mail| mail.as_ref().err()),
        mailbox,
        console.as_ref().and_then(|console| console.as_ref()?.as_ref().err()),
        log.as_ref().and_then(|log| log.as_ref()?.as_ref().err()),
    ];
    if let Some(fault) = of.into_iter().flatten().chain(&looked).find(|fault| fault.kind == FaultKind::Exhausted) {
        return Err(fault.clone());
    }
    let at = world.clock.now();
    let skew = token.as_ref().and_then(|token| token.as_ref().ok()).map(|token| token.skew_s);
    let mut clocks = vec![
        ("Keystone", skew),
        ("Barbican", world.secrets.skew()),
        ("Swift", world.object.skew()),
        ("mail server", world.mailer.skew()),
    ];
    clocks.extend(world.console.as_ref().map(|console| ("console API", console.skew())));
    let clocks = Clocks::new(at.as_second(), clocks);
    let mut checks: Vec<Finding> = Vec::new();
    checks.extend(token.map(|token| token_check(&token, at.as_second(), world.settings.pair_bound.as_secs())));
    checks.extend(listing.as_ref().map(barbican_check));
    checks.extend(wanted("write").then(write_check));
    checks.extend(mail.map(|mail| {
        from_result(
            "mail",
            mail.map(|()| "reachable, with the TLS and the password that the configuration asks for".to_owned()),
        )
    }));
    checks.extend(wanted("texts").then(|| texts_check(world, context)));
    checks.extend(heard.map(|heard| match heard {
        Some(heard) => mailbox_check(heard),
        None => finding(MAILBOX, CheckState::Unknown, "it is read once a rotation is planned", ""),
    }));
    let places = sights.as_ref().and_then(|sights| sights.as_ref().ok());
    let rotation = context.map(StepContext::rotation);
    let until = needed(world, rotation.as_deref(), at);
    let ahead = world.console.as_ref().and_then(|console| console.skew());
    checks.extend(console.flatten().map(|console| console_check(console, places, at, ahead, &until)));
    checks.extend(agent.as_ref().map(agent_check));
    checks.extend(agent.as_ref().filter(|_| world.settings.swap == SwapOrder::StoreFirst).map(swap_check));
    let clock = places.and_then(|sights| sights.server.value()).map_or(at.as_second(), |reading| reading.clock);
    let is_missing = places.and_then(|sights| sights.secret.value()).is_some_and(|secret| secret.count == 0);
    checks.extend(log.map(|log| without_secret(log_check(log, clock, &world.settings), is_missing)));
    let keys = match &sights {
        Some(Ok(sights)) => {
            checks.extend(own.map(|own| own_route_check(&own, sights)));
            checks.extend(sight_checks(sights, &clocks, rotation.as_deref(), context.and_then(staged)));
            if only == Some(DUPLICATES) && !checks.iter().any(|check| check.name == DUPLICATES) {
                // Of a whole run it is a part only where there are several.
                checks.push(match &sights.secret.fault {
                    Some((_, fault)) => fail(DUPLICATES, fault),
                    None => pass(DUPLICATES, "no more than one secret has the name"),
                });
            }
            agreement(sights)
        }
        Some(Err(fault)) => {
            checks.push(fail(only.unwrap_or("object"), fault));
            KeyAgreement::default()
        }
        None => KeyAgreement::default(),
    };
    // Last: what was allowed on the way is known only now.
    let unprotected = world.settings.transport.unprotected();
    if !unprotected.is_empty() {
        let text = format!("unprotected, as the configuration allows: {}", unprotected.join("; "));
        let advice = "everybody on the way can read and change it; see [security] in the configuration";
        checks.push(finding("transport", CheckState::Warn, text, advice));
    }
    checks.retain(|check| wanted(&check.name));
    Ok(Survey { at, checks, keys, looked: places.is_some() })
}

async fn asked<T>(is: bool, question: impl Future<Output = T>) -> Option<T> {
    if is { Some(question.await) } else { None }
}

async fn hear(context: Option<&StepContext<'_>>) -> Result<Option<Heard>, Fault> {
    match context {
        Some(context) => answers::hear(context).await.map(Some),
        None => Ok(None),
    }
}

async fn look(world: &World, context: Option<&StepContext<'_>>) -> Result<Sights, Fault> {
    if let Some(context) = context {
        return see_people(context).await;
    }
    let mut sights = Sights::default();
    if let Some(console) = &world.console {
        console.forget().await;
    }
    observe::look(world, &mut sights, &Before::default()).await;
    sights.people().map(|_| sights)
}

fn texts_check(world: &World, context: Option<&StepContext<'_>>) -> Finding {
    let Some(context) = context else {
        return finding("texts", CheckState::Unknown, "they are tried for everybody once a rotation is planned", "");
    };
    let rotation = context.rotation();
    let lacking: Vec<String> =
        mailing::lacking(world, &rotation, &NoticeKind::ALL).into_iter().map(|lack| lack.text).collect();
    match mailing::can_write(world, &rotation, None) {
        Err(fault) => fail("texts", &fault),
        Ok(_) if !lacking.is_empty() => {
            let advice = "whoever gets it must know when it happens and where to find what to do: put the names into the text, unless \
                          it says so in words of its own";
            finding("texts", CheckState::Warn, lacking.join("; "), advice)
        }
        Ok(mails) => pass("texts", format!("{mails} mails can be written: all kinds for all clients")),
    }
}
