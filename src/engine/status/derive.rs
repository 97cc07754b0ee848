//! How the status follows from journal, sights and the moment; what it is made of stands in the parent.

use super::HeardView;
use super::alert;
use super::alive;
use super::attention;
use super::connections;
use super::keys::{arrived, judge_reconcile, keys_view, seen_since_check, served_otherwise};
use super::lease;
use super::mails;
use super::overtaken;
use super::server;
use super::since::changed_since;
use super::steps::step_views;
use super::whom;
use super::{ClientView, JournalLine, Phase, Reconcile, Standing, TenantStatus, Viewer};
use crate::domain::client::{Client, ClientId, Difference, People, Source};
use crate::domain::fault::Fault;
use crate::domain::freshness::{self, Peers, Presence, Under};
use crate::domain::gate::{Reason, Stand, Verdict};
use crate::domain::notice::NoticeKind;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::Tenant;
use crate::engine::approval::{self, Me};
use crate::engine::judging::{self, Beside};
use crate::engine::machine::Rules;
use crate::engine::next::{Act, NextAction, Outside, next_action, recover, unread_journal};
use crate::engine::observe::Sights;
use crate::engine::ports::{Settings, SwapOrder};
use crate::engine::record::{Cause, Entry};
use crate::engine::remind;
use crate::engine::rotation::Rotation;
use crate::engine::sources;
use crate::engine::truth;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Whether the journal knows whose peer it is that the places do not tell together any more: that the object names them no longer is
/// told by itself.
fn is_known_better(difference: &Difference, clients: &[Client]) -> bool {
    let owner = |is: &dyn Fn(&Client) -> bool| {
        let is_peer_only = |client: &Client| !client.sources.is_empty() && judging::is_unnamed(client);
        let is_theirs = |client: &&Client| client.public_key.is_some() && !is_peer_only(client) && is(client);
        clients.iter().find(is_theirs).is_some_and(|client| !client.sources.contains(&Source::Object))
    };
    match difference {
        Difference::PeerWithoutClient { public_key } => owner(&|client| client.keys().any(|key| key == *public_key)),
        Difference::ClientWithoutPeer { client: id } => owner(&|client| client.id == *id),
        _ => false,
    }
}

/// Derives the status. `titles` are the runbook's headings.
pub fn derive(
    tenant: &Tenant,
    rotation: Option<&Rotation>,
    journal: &[Entry],
    sights: &Sights,
    settings: &Settings,
    titles: &[&'static str; 8],
    viewer: Viewer<'_>,
) -> TenantStatus {
    let Viewer { person, now } = viewer;
    let open = rotation.filter(|rotation| rotation.outcome.is_none());
    let found = sights.people();
    let clients = people(open.or(rotation), &found, sights);
    let forgotten = clients.iter().filter(|client| client.sources.is_empty());
    let differences = (found.iter().flat_map(|people| &people.differences))
        .filter(|difference| !is_known_better(difference, &clients))
        .map(ToString::to_string)
        .chain(forgotten.map(|client| format!("{} was told and is named by no place any more", client.id)))
        .collect();
    let to_read = open.map(Rotation::clients_to_read).unwrap_or_default();
    let peers = sights.server.value().map(|reading| (reading.clock, Peers::of(reading)));
    let schedule = settings.reminders.as_ref();
    let under = alive::under(rotation, sights);
    let view = |client| {
        let mut view = client_view(client, open, &to_read, peers.as_ref(), under);
        if let Some(rotation) = open.filter(|_| view.standing == Standing::Silent) {
            view.standing = remind::silence(rotation, &view.client.id, schedule, now);
        }
        view
    };
    let views: Vec<ClientView> = clients.iter().map(view).collect();
    let settled = views.iter().filter(|view| view.standing.is_settled()).count();
    let answers = (if open.is_some() { settled } else { 0 }, views.len());
    let back = open.and_then(|rotation| rotation.applied.as_ref()).map(|_| {
        let back = views.iter().filter(|view| view.back.is_some() || view.standing == Standing::Waived).count();
        (back, views.len())
    });
    let keys = keys_view(rotation, sights, settings, now);
    let since_check = open.and_then(|rotation| seen_since_check(rotation, &keys));
    let gate = judge_gate(open, &clients, since_check.as_deref(), sights, settings, viewer);
    let phase = open.map_or(Phase::Idle, phase_of);
    let lost = sights.lost();
    // What is left of a journal can't say what must be live.
    let known = rotation.filter(|_| lost.is_none());
    let changed_since = changed_since(known, sights);
    let (reconcile, reconcile_deadline) = match changed_since {
        Some(_) => (Reconcile::Differs, None),
        None => judge_reconcile(known.or(open), &keys, settings, now),
    };
    let is_differ = open.is_none() && changed_since.is_none() && lost.is_none() && reconcile == Reconcile::Differs;
    let differ = is_differ.then(|| attention::differ(false, &keys));
    // What is left of a journal can't say who has changed what.
    let known = open.filter(|_| lost.is_none());
    let overtaken = open.map(|rotation| overtaken::steps(rotation, &keys)).unwrap_or_default();
    let seen = sights.secret.seen.as_ref().map(|(at, secret)| (*at, secret.count));
    let shown = sights.server.value().map(|reading| reading.public_key);
    let truth = truth::truth(rotation, seen, shown, lost.as_ref());
    let connections = known.and_then(|rotation| connections::of(rotation, &keys, sights, truth.as_ref()));
    let holder = sights.holder.as_ref();
    let rules = Rules::of(settings);
    let review = rotation.and_then(|rotation| rotation.open_review(rules.signing()));
    let unread = sights.journal.fault.as_ref().filter(|_| rotation.is_none() && holder.is_none());
    let arrived = open.and_then(|rotation| arrived(rotation, &keys));
    let next = match (&review, unread) {
        (Some(review), _) if open.is_none() && holder.is_none() => NextAction {
            action: Act::Review,
            mail: None,
            commands: Vec::new(),
            text: format!(
                "review the {} of {} (by {})",
                review.of.word(),
                review.at.strftime("%m-%d"),
                review.by_whom()
            ),
        },
        // There may be an open rotation in what can't be read.
        (_, Some((_, fault))) => unread_journal(fault),
        _ => {
            let collision = open.and_then(|rotation| whom::collision(rotation, &clients, sights));
            let gone = open.map(|rotation| server::gone(rotation, sights)).unwrap_or_default();
            let outside = Outside {
                tenant: &tenant.name,
                clients: &clients,
                gone: &gone,
                connections: connections.as_ref(),
                arrived,
                overtaken: &overtaken,
                collision: collision.as_deref(),
                interface_unasked: !settings.second_mail.interface,
                truth: truth.as_ref(),
                since: changed_since.as_ref(),
                differ: differ.as_deref(),
                ended: rotation.filter(|rotation| rotation.outcome.is_some()),
            };
            next_action(open, phase, &gate, back, holder, outside, viewer)
        }
    };
    let next = match (&lost, &truth) {
        // Nothing else that the journal says can be trusted.
        (Some(lost), _) if holder.is_none() => recover(lost, truth.as_ref()),
        // What is true of the subject comes before what is to be done.
        (_, Some(truth)) => NextAction { text: format!("{}; {}", truth.lead, next.text), ..next },
        _ => next,
    };
    let next = next.with_line(&tenant.name, open);
    let is_cut = |view: &&ClientView| view.back.is_some() || view.presence == Some(Presence::ProbablyBack);
    let rollback_cuts = views.iter().filter(is_cut).map(|view| view.client.id.clone()).collect();
    let mut status = TenantStatus {
        tenant: tenant.clone(),
        truth,
        changed_since,
        connections,
        phase,
        rotation: rotation.map(|rotation| rotation.id.to_string()),
        cause: rotation.map(|rotation| rotation.cause),
        reference: rotation.map(|rotation| rotation.reference.clone()).unwrap_or_default(),
        window: open.map(|rotation| rotation.window.clone()),
        outcome: rotation.and_then(|rotation| rotation.outcome.as_ref()).map(|(outcome, _, _)| *outcome),
        steps: rotation
            .map(|rotation| step_views(rotation, journal, titles, answers, back, &overtaken))
            .unwrap_or_default(),
        clients: views,
        differences,
        answers,
        back,
        keys,
        reconcile,
        reconcile_interval_ms: u64::try_from(settings.reconcile_interval.as_millis()).unwrap_or(u64::MAX),
        reconcile_deadline,
        gate,
        touched: open.is_some_and(|rotation| rotation.touched),
        // What a review is about stays in sight until it is closed.
        set_aside: open.or(rotation.filter(|_| review.is_some())).map(|r| r.set_aside.clone()).unwrap_or_default(),
        nobody: open.and_then(|rotation| rotation.nobody.clone()),
        preflight: rotation.and_then(|rotation| rotation.preflight.clone()),
        gap_us: rotation.and_then(|rotation| rotation.gap_us),
        overlap_us: rotation.and_then(|rotation| rotation.overlap_us),
        store_first: settings.swap == SwapOrder::StoreFirst,
        broken_gap: rotation.and_then(|rotation| rotation.broken_gap),
        earlier_gaps: rotation.map(|rotation| rotation.earlier_gaps.clone()).unwrap_or_default(),
        differ,
        despite: rotation.and_then(|rotation| rotation.ended_over.clone()),
        pair_bound_ms: u64::try_from(settings.pair_bound.as_millis()).unwrap_or(u64::MAX),
        next,
        attention: Vec::new(),
        lost,
        sources: sources::sources(sights),
        unprotected: settings.transport.unprotected(),
        holder: sights.holder.clone(),
        holder_quiet_since: sights.holder_quiet_since,
        server_ahead_s: sights.server_ahead_s,
        clock_skew_s: sights.clock_skew_s,
        rollback: open.and_then(|rotation| rotation.rollback.as_ref()).map(|rollback| rollback.reason.clone()),
        rollback_cuts,
        unfinished: open.filter(|rotation| rotation.applied.is_some()).and_then(Rotation::unfinished_told),
        notices: rotation.map(|rotation| rotation.notices.iter().cloned().collect()).unwrap_or_default(),
        mails: rotation.map(|rotation| rotation.mails.clone()).unwrap_or_default(),
        read_from: rotation.map(Rotation::read_from).unwrap_or_default(),
        answered_at: open.map(answered_at).unwrap_or_default(),
        next_reminder: next_reminder(open, settings),
        journal: journal_lines(journal),
        plan_digest: open.filter(|_| settings.approval_valid.is_some()).and_then(approval::digest),
        plan_covers: open.filter(|_| settings.approval_valid.is_some()).map(approval::covers).unwrap_or_default(),
        approval: open.and_then(|rotation| approval::shown(rotation, &settings.signing)),
        four_eyes: settings.approval_valid.map(|_| settings.signing.words(now)),
        review_overdue: review.as_ref().is_some_and(|review| now > review.review_due),
        review,
        hand_over: open.and_then(|rotation| rotation.hand_over.clone()),
        own_route: open.and_then(|rotation| rotation.own_route(person)).map(str::to_owned),
        second_mail_unasked: open
            .map(|rotation| rotation.unasked.clone())
            .filter(|unasked| !unasked.is_empty())
            .unwrap_or_else(|| settings.second_mail.unasked()),
        console_token_ends: sights.console_token_ends,
        people_seen: whom::seen(&found, open.or(rotation), journal, sights),
        heard: HeardView::of(open, settings.senders_verified),
    };
    status.attention = attention::of(&status, sights, arrived, open.and_then(Rotation::died_between), now);
    status.attention.extend(served_otherwise(rotation, &status.keys));
    status.attention.extend(mails::attention(open));
    status.attention.extend(mails::behind(rotation));
    status.attention.extend(server::attention(open, sights));
    status.attention.extend(lease::attention(&status, journal));
    status.attention.extend(status.heard.attention());
    status.attention.extend(alert::attention(open, rotation, sights, settings, now));
    status.attention.extend(open.and_then(|rotation| approval::touched_without(rotation, rules.approval.as_ref())));
    // Whose tunnel is down comes before what can wait.
    status.attention.splice(0..0, open.and_then(|rotation| server::peers_gone(rotation, sights)));
    if !sights.unwritten.is_empty() {
        let text = format!("done from here, and not in the journal: {}", sights.unwritten.join("; "));
        status.attention.insert(0, text);
    }
    let foreign = open.map(|rotation| rotation.foreign.as_slice()).unwrap_or_default();
    status.attention.extend(foreign.iter().map(|kept| {
        let key = kept.public_key.short();
        format!("somebody else's key {key} stood under the tenant's name: it is kept in Barbican as {}", kept.name)
    }));
    status.attention.extend(rotation.and_then(Rotation::ended_open));
    let cut_off = rotation.iter().flat_map(|rotation| rotation.cut_off_by_word());
    // Whose letter is to be read is told with that.
    let cut_off = cut_off.filter(|(_, mail)| mail.decision.is_some());
    status
        .attention
        .extend(cut_off.map(|(client, _)| format!("{} is not back, by their own word behind the end", client.name)));
    status.attention.extend(open.and_then(attention::of_attributes));
    status.attention.extend(rotation.and_then(attention::of_copy));
    status.attention.extend(sights.witnessed.note.clone());
    status.attention.extend(status.bear_servers_key());
    let waits = matches!(status.phase, Phase::Planned | Phase::Announced) && status.review.is_none();
    if status.cause == Some(Cause::Compromise) && waits {
        let text = "a compromise is suspected, and this rotation waits for every answer: emergency (E) rotates at once";
        status.attention.push(text.into());
    }
    status.attention.splice(0..0, status.leading());
    status
}

/// Asks the gate with the people as last seen, and whoever was told in this rotation.
fn judge_gate(
    open: Option<&Rotation>,
    clients: &[Client],
    seen_since: Option<&str>,
    sights: &Sights,
    settings: &Settings,
    viewer: Viewer<'_>,
) -> Verdict {
    let Viewer { person, now } = viewer;
    let unseen = sights.unseen();
    let unknown = (!unseen.is_empty()).then(|| unseen.join("; "));
    let holder = sights.holder.as_ref().map(ToString::to_string);
    let me = Me::looking(person);
    let beside = Beside { clients, unknown: unknown.as_deref(), held_by: holder.as_deref(), seen_since, me };
    let verdict = judging::judge(open, beside, &Rules::of(settings), now);
    match sights.lost() {
        Some(lost) => verdict.shut_by(Reason::JournalLost { lost: lost.to_string() }),
        None => verdict,
    }
}

/// Everybody who will be cut off by the last look, with those who were told in this rotation.
fn people(rotation: Option<&Rotation>, found: &Result<People, Fault>, sights: &Sights) -> Vec<Client> {
    match (found, rotation) {
        (Ok(people), Some(rotation)) => {
            let mut clients = rotation.with_told(people.clients.clone(), sights.unseen().is_empty());
            // Of whom only places that have just answered had ever known, and know no more, it is known that they are gone.
            let now: BTreeSet<&ClientId> = people.clients.iter().map(|client| &client.id).collect();
            clients.retain(|client| {
                let has_peer = client.sources.contains(&Source::Peer);
                now.contains(&client.id) || has_peer || rotation.is_told(&client.id) || sights.may_still_know(client)
            });
            clients
        }
        (Ok(people), None) => people.clients.clone(),
        (Err(_), Some(rotation)) if !rotation.clients.is_empty() => rotation.clients.clone(),
        // Who else there is, the object would say.
        (Err(_), _) => sights.named_without_object(),
    }
}

/// When the answers to the window in force came.
fn answered_at(rotation: &Rotation) -> Vec<Timestamp> {
    let present = rotation.acknowledgements.values().filter(|ack| ack.revision == rotation.window.revision);
    let mut moments: Vec<Timestamp> = present.map(|ack| ack.at).collect();
    moments.sort_unstable();
    moments
}

fn next_reminder(open: Option<&Rotation>, settings: &Settings) -> Option<(NoticeKind, Timestamp)> {
    let due = remind::due(open?, settings.reminders.as_ref()?)?;
    due.next().map(|at| (due.kind, at))
}

fn phase_of(rotation: &Rotation) -> Phase {
    // A key that was staged for another window begins nothing.
    let is_begun = |step| !matches!(rotation.step(step), StepState::Waiting | StepState::Done { .. });
    if rotation.rollback.is_some() {
        Phase::RollingBack
    } else if rotation.step(StepNumber::RECONCILE).is_done() {
        Phase::Returning
    } else if rotation.touched || rotation.confirmed_at.is_some() || is_begun(StepNumber::STAGE) {
        Phase::Rotating
    } else if rotation.notices.is_empty() {
        Phase::Planned
    } else {
        Phase::Announced
    }
}

fn client_view(
    client: &Client,
    open: Option<&Rotation>,
    to_read: &BTreeSet<ClientId>,
    reading: Option<&(i64, Peers<'_>)>,
    under: Under<'_>,
) -> ClientView {
    let peer = client.public_key.as_ref().and_then(|key| reading.and_then(|(_, peers)| peers.get(key)));
    let (standing, standing_detail) = open.map_or((Standing::ToTell, String::new()), |r| standing(client, r, to_read));
    let presence = open.and_then(|r| r.applied.as_ref()).zip(reading).map(|(applied, (_, peers))| {
        freshness::judge_person(&applied.baseline, peers, client.keys()).unwrap_or(Presence::NoPeer)
    });
    let last = open.and_then(|r| r.notices.of(&client.id).rfind(|n| r.on_leg(n)));
    let reconfigure = open.and_then(|r| r.notice(&client.id, NoticeKind::Reconfigure));
    let back = open.and_then(|r| r.back.get(&client.id));
    ClientView {
        client: client.clone(),
        standing,
        standing_detail,
        last_notice: last.map(|notice| (notice.kind, notice.delivery.word().to_owned())),
        reconfigure_notice: reconfigure.map(|notice| notice.delivery.word().to_owned()),
        presence,
        back: back.map(|back| (back.source.word().to_owned(), back.note.clone())),
        says_not_back: open.is_some_and(|r| back.is_none() && r.not_back_by_word(&client.id).is_some()),
        gateway_ping: open.and_then(|r| r.pings.get(&client.id)).map(|(answered, _, _)| *answered),
        activity: peer.zip(reading).map(|(peer, (clock, peers))| under.judge(peers, peer, *clock)),
        latest_handshake: peer
            .filter(|peer| peer.latest_handshake > 0)
            .and_then(|peer| Timestamp::from_second(peer.latest_handshake).ok()),
        endpoint: peer.and_then(|peer| peer.endpoint.clone()),
        transfer: peer.map(|peer| (peer.rx, peer.tx)),
    }
}

/// As the gate has it.
fn standing(client: &Client, rotation: &Rotation, to_read: &BTreeSet<ClientId>) -> (Standing, String) {
    let stand = judging::stand(client, rotation, to_read);
    // Whose turn in the mails that are being sent has not come yet is not in the journal; that they are being sent is.
    let is_sending = matches!(rotation.step(StepNumber::ANNOUNCE), StepState::Running { .. });
    if matches!(stand, Stand::Untold) && is_sending && client.email.is_some() {
        return (Standing::Queued, "its turn comes: the mails are being sent".into());
    }
    let to_read = matches!(stand, Stand::ToRead(_)).then(|| rotation.mails_of(&client.id).find(|mail| mail.is_open()));
    let to_read = to_read.flatten().map(|mail| mail.heard.verdict.to_string());
    let lapsed = rotation.hearing.lapsed.get(&client.id);
    let lapsed = lapsed.map(|lapsed| format!("waived for revision {} only: {}", lapsed.revision, lapsed.waiver.reason));
    let conflict = rotation.hearing.conflicts.get(&client.id).cloned();
    let said: Vec<String> = to_read
        .into_iter()
        .chain([stand.detail()])
        .chain(lapsed)
        .chain(conflict)
        .filter(|text| !text.is_empty())
        .collect();
    (stand.standing(), said.join("; "))
}

fn journal_lines(journal: &[Entry]) -> Vec<JournalLine> {
    let line = |entry: &Entry| JournalLine {
        seq: entry.seq,
        at: entry.at,
        by: format!("{}@{}", entry.by, entry.host),
        text: entry.record.summary(),
    };
    journal[journal.len().saturating_sub(500)..].iter().map(line).collect()
}
