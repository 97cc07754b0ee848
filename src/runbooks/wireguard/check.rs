//! Step 2: verify that Barbican is available, and everything else that must hold before anything is changed.
//!
//! Reads only. Its findings are journaled whole; a single failed check shuts the gate.

use super::announce::see_people;
use super::answers::{self, Heard};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::lockout::{self, OwnAddresses};
use crate::domain::preflight::{Check as Finding, CheckState, KeyAgreement, MAILBOX, OWN_ROUTE, Preflight};
use crate::domain::step::StepNumber;
use crate::engine::mailing;
use crate::engine::observe::Sights;
use crate::engine::ports::{AgentMode, TokenReport};
use crate::engine::record::Record;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;

/// Step 2.
pub struct Check;

/// Clocks that differ by more than this make handshake stamps and windows hard to judge, s.
const SKEW_WARN: i64 = 5;
/// Clocks that differ by more than this make them meaningless, s.
const SKEW_FAIL: i64 = 120;

#[async_trait]
impl Step for Check {
    fn number(&self) -> StepNumber {
        StepNumber::CHECK
    }

    fn title(&self) -> &'static str {
        "Check Barbican and the rest"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "Barbican answers with an HTTP error or not at all",
                remedy: "do not proceed: the server reads its key from there. Nothing was changed. 401: credential; 403: ask the platform team for a role assignment (creator or member); 5xx: wait for the service",
            },
            Trouble {
                symptom: "Barbican returns 403 for the VPN server's application credential",
                remedy: "the tenant's application credential may lack secrets:get in the Barbican policy; check with the platform team, a role assignment update may be required",
            },
            Trouble {
                symptom: "the keys do not agree",
                remedy: "somebody or something changed one place only. Find out which is right before rotating: clients hold what the object says, the server holds what the interface says, and at its next restart takes what Barbican says",
            },
            Trouble {
                symptom: "the server can't be read",
                remedy: "run the command of server.command by hand; ssh must reach the host without a question, its host key must be known, and sudo must permit `wg show` without a password",
            },
            Trouble {
                symptom: "the agent is pinned to a secret's id, or reads a key of its own",
                remedy: "this runbook would change nothing there. Pinned: have BARBICAN_SECRET_NAME set in the agent's environment file. Own key (a legacy server): rotate it by its own procedure over SSH",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "nothing to take back: it only reads"
    }

    async fn probe(&self, _context: &StepContext<'_>) -> Probe {
        Probe::NotDone("a check only reads; it is simply run again".into())
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let world = context.world;
        let (token, listing, mail, heard, agent, own, sights, console) = futures_util::join!(
            world.credentials.probe(),
            world.secrets.probe(),
            world.mailer.probe(),
            answers::hear(context),
            world.server.agent_mode(),
            world.server.own_addresses(),
            see_people(context),
            async {
                match &world.console {
                    Some(console) => Some(console.probe().await),
                    None => None,
                }
            }
        );
        // No neighbour is found wanting by a host that could not ask it.
        let seen = |sights: &Sights| {
            let faults = [&sights.secret.fault, &sights.object.fault, &sights.server.fault, &sights.console.fault];
            faults.into_iter().flatten().map(|(_, fault)| fault.clone()).collect::<Vec<_>>()
        };
        let looked = match &sights {
            Ok(sights) => seen(sights),
            Err(fault) => vec![fault.clone()],
        };
        let mailbox = if let Ok(Heard::Failed(fault)) = &heard { Some(fault) } else { None };
        let asked = [token.as_ref().err(), listing.as_ref().err(), mail.as_ref().err(), mailbox];
        if let Some(fault) = asked.into_iter().flatten().chain(&looked).find(|fault| fault.kind == FaultKind::Exhausted)
        {
            return Err(fault.clone());
        }
        let at = world.clock.now();
        let mut checks = vec![
            match &token {
                Ok(token) if lives(token, at.as_second()) < world.settings.pair_bound.as_secs() => {
                    let (lives, needed) = (lives(token, at.as_second()), world.settings.pair_bound.as_secs());
                    let text = format!("Keystone: tokens live only {lives} s, and DELETE and POST may need {needed} s");
                    let advice = "nothing was changed; have Keystone's tokens live longer, or set cloud.read_timeout lower (the \
                                  pair may need six times as long), then check again";
                    finding("keystone", CheckState::Fail, text, advice)
                }
                Ok(token) => pass(
                    "keystone",
                    format!("token for {} until {}", token.project, token.expires.strftime("%H:%M:%S UTC")),
                ),
                Err(fault) => fail("keystone", fault),
            },
            match &listing {
                Ok(count) => pass("barbican", format!("answers; {count} secrets in the project")),
                Err(fault) => fail("barbican", fault),
            },
            from_result("mail", mail.map(|()| "reachable, TLS and password accepted".to_owned())),
        ];
        let tried = mailing::can_write(world, &context.rotation(), None);
        checks.push(from_result("texts", tried.map(|mails| format!("{mails} mails can be written, all kinds for all clients"))));
        checks.push(mailbox_check(heard?));
        if let Some(console) = console {
            checks.push(console_check(console, sights.as_ref().ok()));
        }
        checks.push(agent_check(&agent));
        let keys = match &sights {
            Ok(sights) => {
                checks.push(own_route_check(&own, sights));
                checks.extend(sight_checks(sights, at.as_second(), token.as_ref().map_or(0, |token| token.skew_s)));
                agreement(sights)
            }
            Err(fault) => {
                checks.push(fail("object", fault));
                KeyAgreement::default()
            }
        };
        // Last: what was allowed on the way is known only now.
        let unprotected = world.settings.transport.unprotected();
        if !unprotected.is_empty() {
            let text = format!("unprotected, as the configuration allows: {}", unprotected.join("; "));
            let advice = "everybody on the way can read and change it; see [security] in the configuration";
            checks.push(finding("transport", CheckState::Warn, text, advice));
        }
        let preflight = Preflight { at, checks, keys };
        let rotation = context.rotation();
        let (aside, failed): (Vec<_>, Vec<_>) =
            preflight.failed().into_iter().partition(|name| rotation.set_aside.contains_key(name));
        let count = preflight.checks.len();
        let worst = preflight.checks.iter().find(|check| failed.contains(&check.name)).cloned();
        context.ledger.record(Record::Checked { preflight }).await?;
        match worst {
            None if aside.is_empty() => Ok(format!("{count} checks, none failed")),
            None => Ok(format!("{count} checks, set aside: {}", aside.join(", "))),
            Some(check) => {
                let text =
                    check.finding.strip_prefix(&format!("{}: ", service_of(&check.name))).unwrap_or(&check.finding);
                let message = format!("{text} (failed: {})", failed.join(", "));
                Err(Fault::new(service_of(&check.name), FaultKind::Refused, message).hint(check.advice))
            }
        }
    }
}

/// How long a token that was just got lives, s, by the clock that it was dated with.
fn lives(token: &TokenReport, now: i64) -> u64 {
    u64::try_from(token.expires.as_second() - now - token.skew_s).unwrap_or(0)
}

fn finding(name: &str, state: CheckState, finding: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { name: name.into(), state, finding: finding.into(), advice: advice.into() }
}

fn pass(name: &str, text: impl Into<String>) -> Finding {
    finding(name, CheckState::Pass, text, "")
}

fn fail(name: &str, fault: &Fault) -> Finding {
    // A check only reads, so nothing of it can be carried out later.
    let advice = match fault.is_outcome_unknown() {
        true => "the service does not answer as it should: wait for it or ask its operators, then check again",
        false => fault.remedy(),
    };
    finding(name, CheckState::Fail, fault.to_string(), format!("nothing was changed; {advice}"))
}

/// Which neighbour a check is about.
fn service_of(check: &str) -> Service {
    match check {
        "keystone" => Service::Keystone,
        "barbican" | "secret" => Service::Barbican,
        "object" => Service::Swift,
        "mail" | MAILBOX => Service::Mail,
        "texts" => Service::Configuration,
        "console" => Service::Console,
        _ => Service::Server,
    }
}

fn from_result(name: &str, result: Result<String, Fault>) -> Finding {
    match result {
        Ok(text) => pass(name, text),
        Err(fault) => fail(name, &fault),
    }
}

fn mailbox_check(heard: Heard) -> Finding {
    match heard {
        Heard::NoMailbox => pass(MAILBOX, "none is configured: answers are typed only"),
        Heard::Mails(0) => pass(MAILBOX, "read, nothing new for this rotation"),
        Heard::Mails(count) => pass(MAILBOX, format!("read, {count} new for this rotation")),
        Heard::Failed(fault) => {
            let advice = "a decline may lie there unread; put it right, or read it by another way, record what it says, and \
                          set the check `mailbox` aside with a reason";
            finding(MAILBOX, CheckState::Fail, fault.to_string(), advice)
        }
    }
}

/// The console API as a whole: who asks, whom it lists, and the key that it serves. What can't be read there is neither an
/// agreement nor an empty list.
fn console_check(probe: Result<String, Fault>, sights: Option<&Sights>) -> Finding {
    let faults = sights.into_iter().flat_map(|sights| [sights.console.fault.as_ref(), sights.served.fault.as_ref()]);
    match (probe, faults.flatten().next()) {
        (Ok(_), Some((_, fault))) => fail("console", fault),
        (probe, _) => from_result("console", probe),
    }
}

fn agent_check(mode: &AgentMode) -> Finding {
    let advice = "see the troubleshooting of step 2; nothing was changed";
    match mode {
        AgentMode::ByName => pass("agent", "looks the secret up by name"),
        AgentMode::Pinned => {
            let text = "pinned to a secret's id (BARBICAN_SECRET_ID): it would never see the new key";
            finding("agent", CheckState::Fail, text, advice)
        }
        AgentMode::OwnKey => {
            let text = "reads a key of its own (VPN_CONFIG_PRIVATE_KEY): it would never see the new key";
            finding("agent", CheckState::Fail, text, advice)
        }
        AgentMode::Unknown(why) => {
            let advice = "set server.agent_check to find out; if it is pinned, this rotation will fail in step 6";
            finding("agent", CheckState::Unknown, format!("how it finds its key is not known: {why}"), advice)
        }
    }
}

/// Whether the operator would cut off themselves: then the name is typed once more.
fn own_route_check(own: &OwnAddresses, sights: &Sights) -> Finding {
    let Some(reading) = sights.server.value() else {
        return finding(OWN_ROUTE, CheckState::Unknown, "not known: the server's peers could not be read", "");
    };
    if let Some(how) = lockout::through_tunnel(own, reading) {
        let advice =
            "it breaks when the server takes the key: go on from elsewhere, or type the tenant's name once more";
        return finding(OWN_ROUTE, CheckState::Warn, how, advice);
    }
    let session = own.session.map_or_else(|| "no ssh session is known".into(), |from| format!("session from {from}"));
    let way = match own.sources.first() {
        Some(source) => format!("this host would go to the server from {source}"),
        None => "the way of server.command is not known".into(),
    };
    pass(OWN_ROUTE, format!("not through the tunnel: {session}; {way}"))
}

fn sight_checks(sights: &Sights, now: i64, keystone_skew: i64) -> Vec<Finding> {
    let mut checks = Vec::new();
    checks.push(secret_check(sights));
    checks.push(match (sights.object.value(), &sights.object.fault) {
        (_, Some((_, fault))) => fail("object", fault),
        (Some(object), None) => pass("object", format!("readable and well-formed, {} users", object.users.len())),
        (None, None) => finding("object", CheckState::Unknown, "not read", ""),
    });
    match (sights.server.value(), &sights.server.fault) {
        (_, Some((_, fault))) => checks.push(fail("server", fault)),
        (Some(reading), None) => {
            checks.push(pass("server", format!("`wg show` answers, {} peers", reading.peers.len())));
            checks.push(clock_check(reading.clock - now, keystone_skew));
        }
        (None, None) => checks.push(finding("server", CheckState::Unknown, "not read", "")),
    }
    checks.push(keys_check(sights));
    let unseen = sights.unseen();
    if !unseen.is_empty() {
        let text = format!("who will be cut off is not surely known: {}", unseen.join("; "));
        let advice = "nothing was changed; put right what failed there, then check again";
        checks.push(finding("people", CheckState::Fail, text, advice));
    } else if let Ok(people) = sights.people() {
        let lines: Vec<String> = people.differences.iter().map(ToString::to_string).collect();
        let advice = "nobody is dropped: each of them needs an answer or a waiver";
        checks.push(if lines.is_empty() {
            pass("people", format!("{} clients, all places agree", people.clients.len()))
        } else {
            finding("people", CheckState::Warn, lines.join("; "), advice)
        });
    }
    checks
}

fn secret_check(sights: &Sights) -> Finding {
    let interface = sights.server.value().map(|reading| reading.public_key);
    match (sights.secret.value(), &sights.secret.fault) {
        (_, Some((_, fault))) => fail("secret", fault),
        (Some(secret), None) => match (secret.count, secret.only_key()) {
            (0, _) => finding(
                "secret",
                CheckState::Warn,
                "no secret has the tenant's name",
                "it will be stored without a delete; there is no previous key to keep, a rollback would make a fresh one",
            ),
            (1, Some(_)) => pass("secret", "one secret has the name, and it holds a key"),
            (1, None) => finding(
                "secret",
                CheckState::Warn,
                "the secret does not hold a key",
                "it will be replaced; there is no previous key to keep, a rollback would make a fresh one",
            ),
            (count, _) if interface.is_some() && secret.keys.contains(&interface) => finding(
                "secret",
                CheckState::Warn,
                format!("{count} secrets have the name; the server may take either"),
                "the one that the interface shows is kept as the previous key, and all of them are replaced by one",
            ),
            (count, _) => finding(
                "secret",
                CheckState::Fail,
                format!("{count} secrets have the name and none holds the interface's key"),
                "delete the wrong ones by hand, so that it is known which key is the server's",
            ),
        },
        (None, None) => finding("secret", CheckState::Unknown, "not read", ""),
    }
}

fn clock_check(server: i64, keystone: i64) -> Finding {
    let text = format!("server {server:+} s, Keystone {keystone:+} s against this host");
    match server.abs().max(keystone.abs()) {
        0..=SKEW_WARN => pass("clocks", text),
        skew if skew <= SKEW_FAIL => {
            finding("clocks", CheckState::Warn, text, "stamps are judged by the server's clock, so this is only untidy")
        }
        _ => finding("clocks", CheckState::Fail, text, "set the clocks (NTP) before rotating"),
    }
}

fn agreement(sights: &Sights) -> KeyAgreement {
    KeyAgreement {
        secret: sights.secret.value().and_then(|secret| {
            let interface = sights.server.value().map(|reading| reading.public_key);
            secret.only_key().or_else(|| secret.keys.iter().flatten().copied().find(|key| Some(*key) == interface))
        }),
        object: sights.object.value().and_then(|object| object.public_key),
        interface: sights.server.value().map(|reading| reading.public_key),
        console: sights.served.value().copied(),
    }
}

fn keys_check(sights: &Sights) -> Finding {
    let keys = agreement(sights);
    let show = |key: Option<PublicKey>| key.map_or_else(|| "none".to_owned(), |key| key.short());
    let mut text =
        format!("secret {}, object {}, interface {}", show(keys.secret), show(keys.object), show(keys.interface));
    if let Some(console) = keys.console {
        text.push_str(&format!(", console {}", console.short()));
    }
    let secret_gone = sights.secret.value().is_some_and(|secret| secret.only_key().is_none() && secret.count < 2);
    let rest_agrees = keys.object.is_some() && keys.object == keys.interface;
    if keys.agrees() {
        pass("keys", format!("all places show {}", show(keys.secret)))
    } else if secret_gone && rest_agrees {
        finding("keys", CheckState::Warn, text, "object and interface agree; Barbican has no key to compare")
    } else {
        finding(
            "keys",
            CheckState::Fail,
            text,
            "find out which is right before rotating: see the troubleshooting of step 2",
        )
    }
}
