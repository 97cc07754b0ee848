//! What each answer of a neighbour means for the rotation, in one line, with what to do.

use super::clocks::Clocks;
use super::keys::{duplicates_check, keys_check, secret_check};
use crate::domain::agent_log::{self, AgentHealth};
use crate::domain::agent_looks::{self, AgentLooks};
use crate::domain::fault::{Fault, Service};
use crate::domain::key::PublicKey;
use crate::domain::lockout::{self, OwnAddresses};
use crate::domain::preflight::{AGENT_LOG, Check as Finding, CheckState, DUPLICATES, MAILBOX, OWN_ROUTE, SWAP};
use crate::engine::observe::Sights;
use crate::engine::ports::{AgentMode, Listed, Settings, SwapOrder, TokenReport};
use crate::engine::rotation::Rotation;
use crate::runbooks::wireguard::answers::Heard;
use std::time::Duration;

/// How long a token that was just got lives, s, by the clock that it was dated with.
pub(super) fn lives(token: &TokenReport, now: i64) -> u64 {
    u64::try_from(token.expires.as_second() - now - token.skew_s).unwrap_or(0)
}

/// Whether a token can be had that lives long enough for the pair, s.
pub(super) fn token_check(token: &Result<TokenReport, Fault>, now: i64, needed: u64) -> Finding {
    match token {
        Ok(token) if lives(token, now) < needed => {
            let lives = lives(token, now);
            let text = format!("Keystone: tokens live only {lives} s, and DELETE and POST may need {needed} s");
            let advice = "nothing was changed; have Keystone's tokens live longer, or set cloud.read_timeout lower (the \
                          pair may need six times as long), then check again";
            finding("keystone", CheckState::Fail, text, advice)
        }
        Ok(token) => {
            let text = format!("token for {} until {}", token.project, token.expires.strftime("%H:%M:%S UTC"));
            Finding { until: Some(token.expires), ..pass("keystone", text) }
        }
        Err(fault) => fail("keystone", fault),
    }
}

/// Whether Barbican can be listed, and keeps its connections open.
pub(super) fn barbican_check(listing: &Result<Listed, Fault>) -> Finding {
    match listing {
        Ok(Listed { secrets, closes: true }) => {
            let text =
                format!("answers; {secrets} secrets in the project; it closes the connection behind each answer");
            let advice = "DELETE and POST find no connection open, so the gap is longer by what opening one takes; \
                          have keep-alive switched on in Barbican's server, or in the proxy before it";
            finding("barbican", CheckState::Warn, text, advice)
        }
        Ok(Listed { secrets, .. }) => pass("barbican", format!("answers; {secrets} secrets in the project")),
        Err(fault) => fail("barbican", fault),
    }
}

/// Whether a secret may be stored and deleted is not tried: a secret of our own would prove nothing of the live one, which
/// another account may have made.
pub(super) fn write_check() -> Finding {
    let text = "not known before it is done: step 3 stores the staged key under a name of its own before anything is touched; \
                whether the live secret may be deleted shows only in step 4";
    let advice = "a refused DELETE changes nothing and step 4 says so; ask the platform team for the role creator or member \
                  on this project before the window, not in it";
    finding("write", CheckState::Unknown, text, advice)
}

pub(super) fn finding(name: &str, state: CheckState, finding: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { name: name.into(), state, finding: finding.into(), advice: advice.into(), until: None, is_proved: false }
}

pub(super) fn pass(name: &str, text: impl Into<String>) -> Finding {
    finding(name, CheckState::Pass, text, "")
}

pub(super) fn fail(name: &str, fault: &Fault) -> Finding {
    // A check only reads, so nothing of it can be carried out later.
    let advice = match fault.is_outcome_unknown() {
        true => "the service does not answer as it should: wait for it or ask its operators, then check again",
        false => fault.remedy(),
    };
    finding(name, CheckState::Fail, fault.to_string(), format!("nothing was changed; {advice}"))
}

/// Which neighbour a check is about.
pub(super) fn service_of(check: &str) -> Service {
    match check {
        "keystone" => Service::Keystone,
        "barbican" | "write" | "secret" | DUPLICATES => Service::Barbican,
        "object" => Service::Swift,
        "mail" | MAILBOX => Service::Mail,
        "texts" => Service::Configuration,
        "console" => Service::Console,
        _ => Service::Server,
    }
}

pub(super) fn from_result(name: &str, result: Result<String, Fault>) -> Finding {
    match result {
        Ok(text) => pass(name, text),
        Err(fault) => fail(name, &fault),
    }
}

pub(super) fn mailbox_check(heard: Heard) -> Finding {
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

pub(super) fn agent_check(mode: &AgentMode) -> Finding {
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
        AgentMode::Unknown { why, advice } => {
            let text = format!("how it finds its key is not known: {why}");
            let follows = "if it is pinned to an id, or reads a key of its own, it never takes the new key: step 6 fails after \
                           the secret was replaced, nobody can come back, and only a rollback leads on";
            finding("agent", CheckState::Warn, text, format!("{advice}; {follows}"))
        }
    }
}

/// For the length of the overlap two secrets have the name: what is known of how the agent takes that.
pub(super) fn swap_check(mode: &AgentMode) -> Finding {
    if *mode == AgentMode::ByName {
        return pass(
            SWAP,
            "store-first: the agent was seen to look the secret up by name, so it takes the first of two",
        );
    }
    let text =
        "store-first leaves two secrets of the name for a moment, and that the agent tolerates two is not proved";
    let advice = "set server.agent_check to find out how it finds its key, or wireguard.swap = \"delete-first\"; or, if you know \
                  that it takes the first of several, set the check `swap` aside with a reason";
    finding(SWAP, CheckState::Fail, text, advice)
}

/// Whether the agent is well, by its own log, and whether its looks can be seen there, by the server's clock, decides whether step 4 chooses its moment.
pub(super) fn log_check(log: Option<Result<String, Fault>>, clock: i64, settings: &Settings) -> Finding {
    let moment = match &log {
        // Two secrets for a moment are no gap.
        _ if settings.swap == SwapOrder::StoreFirst => None,
        None => Some("the moment of step 4 is not chosen".into()),
        Some(Err(_)) => None,
        Some(Ok(log)) => Some(match AgentLooks::of(log, clock, settings.reconcile_interval) {
            Ok(looks) => format!("step 4 begins right behind one of its looks, every {} s", looks.every_ms / 1000),
            Err(why) => format!("the moment of step 4 is not chosen: {why}"),
        }),
    };
    let quiet = match &log {
        Some(Ok(log)) => Some(agent_looks::silent_for(log, clock)),
        _ => None,
    };
    let mut found = health_check(log, clock, settings.reconcile_interval);
    match quiet.filter(|_| found.state != CheckState::Fail) {
        Some(Some(quiet)) if quiet.is_long(settings.reconcile_interval) => {
            let advice = format!(
                "it may have died since, and an agent that does not run {NEVER_TAKES}: look at its unit; {ASIDE}"
            );
            found = finding(AGENT_LOG, CheckState::Fail, format!("{quiet}; {}", found.finding), advice);
        }
        Some(None) => {
            let text = format!("how old its last look is can't be told; {}", found.finding);
            let advice =
                "let server.agent_log print the time of each line (journalctl -o short-iso), or look whether it runs";
            found = finding(AGENT_LOG, CheckState::Warn, text, advice);
        }
        _ => {}
    }
    // An agent that may not look is waited for by nobody.
    let moment = moment.filter(|_| found.state != CheckState::Fail);
    Finding { finding: [found.finding].into_iter().chain(moment).collect::<Vec<_>>().join("; "), ..found }
}

/// Where no secret has the name, an agent that says so is well: what it complains of is what a rotation ends.
pub(super) fn without_secret(found: Finding, is_missing: bool) -> Finding {
    match found.state {
        CheckState::Fail if is_missing => {
            let text = format!("{}; no secret has the name, so that is to be expected", found.finding);
            finding(
                &found.name,
                CheckState::Warn,
                text,
                "look at it again once there is one: step 6 waits for the server",
            )
        }
        _ => found,
    }
}

const NEVER_TAKES: &str = "never takes the new key";
/// The way out where the log tells less than the operator knows.
const ASIDE: &str = "or, if you know that it is well, set the check `agent-log` aside with a reason";

fn health_check(log: Option<Result<String, Fault>>, clock: i64, cycle: Duration) -> Finding {
    const NAME: &str = AGENT_LOG;
    match log.map(|log| log.map(|log| agent_log::judge(&log))) {
        None => finding(
            NAME,
            CheckState::Unknown,
            "whether the agent is well is not known: server.agent_log is not set",
            "set it, or look at the agent's log by hand before the window",
        ),
        Some(Err(fault)) => {
            let advice = format!("nothing was changed; {}; {ASIDE}", fault.remedy());
            finding(NAME, CheckState::Fail, format!("the agent's log can't be read: {fault}"), advice)
        }
        Some(Ok(AgentHealth::Silent)) => {
            let advice = format!(
                "it may not be running, or its environment file is missing and the unit is skipped: look at the unit, for an \
                 agent that does not run {NEVER_TAKES}; {ASIDE}"
            );
            finding(NAME, CheckState::Fail, "the agent's log says nothing of a reconcile", advice)
        }
        Some(Ok(AgentHealth::Well(times))) => pass(NAME, format!("in sync {times} times, no error")),
        Some(Ok(AgentHealth::Passed { errors, last, relapses })) if relapses > 1 => {
            let text = format!(
                "it comes and goes: in sync now, and {relapses} times an error came behind that; {errors} errors, the last: {last}"
            );
            let advice = format!("it may miss the new key for some cycles: find out why; {ASIDE}");
            finding(NAME, CheckState::Fail, text, advice)
        }
        Some(Ok(AgentHealth::Passed { errors, last, .. })) => {
            let text = format!("{errors} errors that have passed, the last: {last}");
            finding(NAME, CheckState::Warn, text, "transient: it was in sync after them")
        }
        Some(Ok(AgentHealth::Lasts { errors, last, means, remedy })) => {
            let text = agent_looks::unwell(means, errors, &last, clock, cycle);
            finding(NAME, CheckState::Fail, text, format!("nothing was changed; {remedy}, then check again"))
        }
    }
}

/// Whether the operator would cut off themselves: then the name is typed once more.
pub(super) fn own_route_check(own: &OwnAddresses, sights: &Sights) -> Finding {
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

/// What the places say: secret, object, server, clocks, keys, people.
/// `rotation`: the open one, if there is one; `next`: the key that it keeps and that is not live yet.
pub(super) fn sight_checks(
    sights: &Sights,
    clocks: &Clocks,
    rotation: Option<&Rotation>,
    next: Option<PublicKey>,
) -> Vec<Finding> {
    let mut checks = Vec::new();
    checks.push(secret_check(sights));
    checks.extend(duplicates_check(sights));
    checks.push(match (sights.object.value(), &sights.object.fault) {
        (_, Some((_, fault))) => fail("object", fault),
        (Some(object), None) => pass("object", format!("readable and well-formed, {} users", object.users.len())),
        (None, None) => finding("object", CheckState::Unknown, "not read", ""),
    });
    match (&sights.server.seen, &sights.server.fault) {
        (_, Some((_, fault))) => checks.push(fail("server", fault)),
        (Some((at, reading)), None) => {
            checks.push(pass("server", format!("`wg show` answers, {} peers", reading.peers.len())));
            checks.push(clocks.at(at.as_second()).with_server(reading.clock).check());
        }
        (None, None) => checks.push(finding("server", CheckState::Unknown, "not read", "")),
    }
    checks.push(keys_check(sights, rotation, next));
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
