//! Statuses and models made by hand, so that no other layer is needed to draw a screen.

use changeguard::app::keymap::Key;
use changeguard::app::{Charset, Effect, Model, ModelOptions, Msg, StepInfo, update};
use changeguard::domain::cadence::Due;
use changeguard::domain::client::{Client, ClientId, Source};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::freshness::{Activity, Presence};
use changeguard::domain::gate::{Reason, Verdict};
use changeguard::domain::key::PublicKey;
use changeguard::domain::notice::{Delivery, Notice, NoticeKind};
use changeguard::domain::preflight::{Check, CheckState, Preflight};
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::window::Window;
use changeguard::engine::acts::Author;
use changeguard::engine::closing::Review;
use changeguard::engine::command::Command;
use changeguard::engine::next::{Act, NextAction};
use changeguard::engine::record::Cause;
use changeguard::engine::review::{Declared, Emergency, Reviewed};
use changeguard::engine::status::{
    ClientView, JournalLine, KeySight, KeysView, Phase, Reconcile, Standing, StepView, TenantStatus,
};
use changeguard::engine::step::Trouble;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::BTreeSet;
use std::sync::Arc;

const fn step(number: StepNumber, title: &'static str) -> StepInfo {
    StepInfo {
        number,
        title,
        undo_text: "converge back to the previous key",
        troubles: &[Trouble {
            symptom: "Barbican returns 403 for the VPN server app credential",
            remedy: "the credential may lack secrets:get; check the role assignment with the platform team",
        }],
    }
}

pub static STEPS: [StepInfo; 8] = [
    step(StepNumber::ANNOUNCE, "Contact all clients"),
    step(StepNumber::CHECK, "Verify Barbican is available"),
    step(StepNumber::STAGE, "Stage a key pair"),
    step(StepNumber::SECRET, "Update the Barbican secret"),
    step(StepNumber::OBJECT, "Update the key in Swift"),
    step(StepNumber::RECONCILE, "Wait for the server"),
    step(StepNumber::RECONFIGURE, "Notify clients to reconfigure"),
    step(StepNumber::VERIFY, "Verify connectivity"),
];

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    at("2026-11-24T21:10:00Z")
}

pub fn options(size: (u16, u16)) -> ModelOptions {
    ModelOptions {
        now: now(),
        size,
        charset: Charset::Utf8,
        palette: changeguard::app::Palette::Sixteen,
        environment: "eu-1".into(),
        production: true,
        operator: "mira@bastion-2".into(),
        person: "mira".into(),
        lab: None,
        steps: &STEPS,
        zone: "Europe/Berlin".into(),
        length: "90m".into(),
        poll_interval: std::time::Duration::from_secs(20),
    }
}

pub fn tenant(name: &str) -> Tenant {
    let id = format!("{:0>8}-{}", name.len(), name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    Tenant { id: TenantId::new(id).unwrap(), name: name.into(), server: None, gateway: Some("10.8.0.1".into()) }
}

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

pub fn client(name: &str, standing: Standing) -> ClientView {
    let id = name.to_lowercase().replace(' ', ".");
    let told = standing != Standing::ToTell;
    let state = match standing {
        Standing::NotDelivered => "refused",
        Standing::Uncertain => "uncertain",
        _ => "sent",
    };
    let detail = match standing {
        Standing::Confirmed => "confirmed (by phone)",
        Standing::Waived => "on leave until January",
        Standing::NotDelivered => "550 5.1.1 no such user",
        Standing::Uncertain => "the connection broke after DATA",
        Standing::Silent | Standing::Sent => "announcement sent",
        Standing::Queued => "being sent",
        Standing::Bounced => "550 5.1.1 no such user",
        Standing::ToRead => "unclear: a question",
        Standing::Declined => "declined (by mailbox)",
        Standing::Tentative => "tentative (by mailbox)",
        Standing::OtherTime => "other time: Thursday after 6 (by mail)",
        Standing::OldAnswer => "to revision 1: confirmed (by chat)",
        Standing::ToTell => "",
    };
    ClientView {
        client: Client {
            email: Some(format!("{id}@example.com")),
            id: ClientId(id),
            name: name.into(),
            public_key: Some(key(name.len() as u8)),
            sources: BTreeSet::from([Source::Object]),
            also: Vec::new(),
        },
        standing,
        standing_detail: detail.into(),
        last_notice: told.then(|| (NoticeKind::Announcement, state.into())),
        reconfigure_notice: None,
        presence: None,
        back: None,
        says_not_back: false,
        gateway_ping: None,
        activity: Some(Activity::Active),
        latest_handshake: Some(at("2026-11-24T21:09:18Z")),
        endpoint: Some("198.51.100.7:51820".into()),
        transfer: Some((1_482_113, 22_418_020)),
    }
}

fn sight(byte: u8) -> KeySight {
    KeySight { key: Some(key(byte)), at: Some(at("2026-11-24T21:09:48Z")), fault: None }
}

/// A tenant in which nothing is going on.
pub fn idle(name: &str) -> TenantStatus {
    let clients = ["Ada Okafor", "Björn Lindqvist", "Chen Wei", "Dolores Haze", "Emeka Obi", "Fatma Yılmaz"];
    let mut clients: Vec<ClientView> = clients.iter().map(|name| client(name, Standing::ToTell)).collect();
    clients[4].activity = Some(Activity::Unknown);
    clients[4].latest_handshake = Some(at("2026-11-20T08:00:00Z"));
    clients[5].activity = Some(Activity::Never);
    clients[5].latest_handshake = None;
    TenantStatus {
        reconcile_interval_ms: 60_000,
        truth: None,
        plan_digest: None,
        plan_covers: Vec::new(),
        four_eyes: None,
        approval: None,
        review: None,
        review_overdue: false,
        hand_over: None,
        own_route: None,
        heard: Default::default(),
        tenant: tenant(name),
        phase: Phase::Idle,
        rotation: None,
        cause: None,
        reference: String::new(),
        window: None,
        outcome: None,
        steps: Vec::new(),
        answers: (0, clients.len()),
        clients,
        differences: Vec::new(),
        back: None,
        keys: KeysView {
            secret: sight(1),
            secret_count: Some(1),
            object: sight(1),
            interface: sight(1),
            created: Some(at("2025-11-30T09:00:00Z")),
            due: Some(at("2026-11-30T09:00:00Z")),
            due_state: Some(Due::Soon),
            ..KeysView::default()
        },
        reconcile: Reconcile::InSync,
        reconcile_deadline: None,
        gate: Verdict::Shut(vec![Reason::NotPlanned]),
        touched: false,
        set_aside: Default::default(),
        nobody: None,
        preflight: None,
        gap_us: None,
        overlap_us: None,
        store_first: false,
        broken_gap: None,
        earlier_gaps: Vec::new(),
        differ: None,
        despite: None,
        second_mail_unasked: Vec::new(),
        console_token_ends: None,
        people_seen: Some(at("2026-11-24T21:09:48Z")),
        pair_bound_ms: 60_000,
        next: offered(Act::Plan, "plan a window for a rotation"),
        lost: None,
        attention: vec!["key due soon".into()],
        sources: Vec::new(),
        unprotected: Vec::new(),
        holder: None,
        holder_quiet_since: None,
        server_ahead_s: None,
        clock_skew_s: None,
        rollback: None,
        rollback_cuts: Vec::new(),
        changed_since: None,
        connections: None,
        unfinished: None,
        notices: Vec::new(),
        mails: Vec::new(),
        read_from: (0, 0),
        answered_at: Vec::new(),
        next_reminder: None,
        journal: Vec::new(),
    }
}

fn steps_with(done: usize) -> Vec<StepView> {
    let done_at = at("2026-11-24T21:05:00Z");
    let view = |(at, info): (usize, &StepInfo)| StepView {
        number: info.number,
        title: info.title.into(),
        state: if at < done { StepState::Done { at: done_at, evidence: "seen".into() } } else { StepState::Waiting },
        detail: if at < done { "seen and journaled".into() } else { String::new() },
        work: None,
    };
    STEPS.iter().enumerate().map(view).collect()
}

fn journal() -> Vec<JournalLine> {
    let texts =
        ["planned for Tue 2026-11-24 22:00", "announcement queued for Ada Okafor", "announcement sent to Ada Okafor"];
    let line = |(n, text): (usize, &&str)| JournalLine {
        seq: n as u64 + 1,
        at: at("2026-11-17T10:00:00Z"),
        by: "mira@bastion-2".into(),
        text: (*text).into(),
    };
    texts.iter().enumerate().map(line).collect()
}

/// Told, some have answered, the window is open, the gate is shut.
pub fn announced(name: &str) -> TenantStatus {
    let mut status = idle(name);
    let standings = [
        Standing::Confirmed,
        Standing::Silent,
        Standing::NotDelivered,
        Standing::Waived,
        Standing::OtherTime,
        Standing::Uncertain,
    ];
    let names: Vec<String> = status.clients.iter().map(|view| view.client.name.clone()).collect();
    status.clients = names.iter().zip(standings).map(|(name, standing)| client(name, standing)).collect();
    status.phase = Phase::Announced;
    status.rotation = Some("20261117-100000-4f9c2a".into());
    status.cause = Some(Cause::Scheduled);
    status.reference = "CHG-1042".into();
    status.window = Some(Window::parse("2026-11-24 22:00", "90m", "Europe/Berlin", 1).unwrap());
    status.answers = (2, 6);
    status.steps = steps_with(0);
    status.steps[0].detail = "2 of 6 confirmed or waived".into();
    status.journal = journal();
    let uncertain = Delivery::Uncertain { why: "the connection broke after DATA".into() };
    status.notices = vec![Notice {
        client: ClientId("fatma.yılmaz".into()),
        email: "fatma.yılmaz@example.com".into(),
        kind: NoticeKind::Announcement,
        revision: 1,
        message_id: "<fatma.announcement@example.net>".into(),
        delivery: uncertain,
        at: at("2026-11-17T10:00:00Z"),
    }];
    let id = |name: &str| ClientId(name.to_lowercase().replace(' ', "."));
    let named = |name: &str| (id(name), name.to_owned());
    let (client, name) = named("Björn Lindqvist");
    let mut reasons = vec![Reason::NoAnswer { client, name }];
    let (client, name) = named("Chen Wei");
    reasons.push(Reason::NotDelivered { client, name, delivery: "refused".into(), dead: false });
    let (client, name) = named("Emeka Obi");
    reasons.push(Reason::NotConfirmed { client, name, answer: "other time: Thursday after 6".into() });
    let (client, name) = named("Fatma Yılmaz");
    reasons.push(Reason::NotDelivered { client, name, delivery: "uncertain".into(), dead: false });
    reasons.push(Reason::NotChecked);
    status.gate = Verdict::Shut(reasons);
    status.attention =
        vec!["1 not delivered".into(), "1 uncertain whether delivered".into(), "1 did not confirm".into()];
    status.next = offered(Act::Answers, "4 open; first: Björn Lindqvist has not answered");
    status
}

fn offered(action: Act, text: &str) -> NextAction {
    NextAction { action, text: text.into(), mail: None, commands: Vec::new() }
}

/// Everybody has confirmed; only the check is old.
pub fn ready(name: &str) -> TenantStatus {
    let mut status = announced(name);
    for view in &mut status.clients {
        *view = client(&view.client.name, Standing::Confirmed);
    }
    status.answers = (6, 6);
    status.gate = Verdict::Shut(vec![Reason::CheckTooOld { at: at("2026-11-24T19:00:00Z") }]);
    let check = |name: &str, state, finding: &str, advice: &str| {
        let (name, finding, advice) = (name.into(), finding.into(), advice.into());
        Check { name, state, finding, advice, until: None, is_proved: false }
    };
    status.preflight = Some(Preflight {
        at: at("2026-11-24T19:00:00Z"),
        checks: vec![
            check("keystone", CheckState::Pass, "token for 58 min", ""),
            check("barbican", CheckState::Pass, "1 secret of the name, key read", ""),
            check("alerts", CheckState::Unknown, "no silence can be set", "silence the Barbican fetch alert by hand"),
        ],
        keys: Default::default(),
    });
    status.attention.clear();
    status.next = offered(Act::Rotate, "the gate is open: rotate");
    status
}

/// Step 5 failed after the secret was swapped.
pub fn failed(name: &str) -> TenantStatus {
    let mut status = ready(name);
    status.phase = Phase::Rotating;
    status.steps = steps_with(4);
    status.touched = true;
    let fault =
        Fault::new(Service::Swift, FaultKind::ServerError(503), "503 service unavailable while writing the object");
    status.steps[4].detail = fault.to_string();
    status.steps[4].state = StepState::Failed { at: at("2026-11-24T21:07:00Z"), fault };
    status.gap_us = Some(84_000);
    status.keys.secret = sight(2);
    status.keys.object.fault = Some("Swift: 503 service unavailable".into());
    status.keys.object.at = Some(at("2026-11-24T21:03:00Z"));
    status.keys.staged = Some(key(2));
    status.keys.previous = Some(key(1));
    status.reconcile = Reconcile::Waiting;
    status.reconcile_deadline = Some(at("2026-11-24T21:11:25Z"));
    status.attention = vec!["step 5 failed: Swift: 503 service unavailable while writing the object".into()];
    let text = "step 5 failed: the service is in trouble; go on when it has recovered; then resume, or roll back";
    status.next = offered(Act::Resume, text);
    status
}

/// The key is live, some are back.
pub fn returning(name: &str) -> TenantStatus {
    let mut status = failed(name);
    status.phase = Phase::Returning;
    status.steps = steps_with(7);
    status.touched = true;
    status.steps[7].detail = "2 of 6 back or waived".into();
    for sight_of in [&mut status.keys.object, &mut status.keys.interface] {
        *sight_of = sight(2);
    }
    status.reconcile = Reconcile::InSync;
    status.reconcile_deadline = None;
    status.back = Some((2, 6));
    let presences =
        [Presence::Back, Presence::Back, Presence::ProbablyBack, Presence::NoSign, Presence::Never, Presence::NoPeer];
    for (view, presence) in status.clients.iter_mut().zip(presences) {
        view.presence = Some(presence);
        view.reconfigure_notice = Some("sent".into());
        if presence == Presence::Back {
            view.back = Some(("handshake".into(), "21:08:41 UTC under the live key".into()));
            status.rollback_cuts.push(view.client.id.clone());
        }
    }
    status.clients[0].gateway_ping = Some(true);
    status.attention = Vec::new();
    let text = "4 not back yet, first Chen Wei: verify, call them, or waive";
    status.next = offered(Act::Verify, text);
    status
}

/// On the way back, step 4 interrupted.
pub fn rolling_back(name: &str) -> TenantStatus {
    let mut status = returning(name);
    status.phase = Phase::RollingBack;
    status.rollback = Some("clients on macOS can't import".into());
    status.steps = steps_with(3);
    status.touched = true;
    status.steps[3].state = StepState::Interrupted { since: at("2026-11-24T21:09:00Z") };
    status.steps[3].detail = "ended in the middle; resume looks and goes on".into();
    status.back = None;
    status.reconcile = Reconcile::Waiting;
    status.attention = vec!["step 4 was interrupted".into()];
    let text = "step 4 was interrupted: resume looks first, then goes on";
    status.next = offered(Act::Resume, text);
    status
}

/// Declared by ada.
pub fn emergency(declared: &str, due: &str) -> Review {
    let (reason, person) = ("laptop stolen".to_owned(), "ada".to_owned());
    let author = Author { person: person.clone(), session: None, signer: None, unproven: false };
    let subject = Emergency {
        of: Reviewed::Emergency,
        reason: reason.clone(),
        person,
        at: at(declared),
        review_due: at(due),
        covers: Vec::new(),
        declared: vec![Declared { author, at: at(declared), reason, seq: 2, signature: None }],
        earlier: Vec::new(),
        closings: Vec::new(),
    };
    let (not_counted, closers) = (Vec::new(), Vec::new());
    Review { subject, reviewed: None, advisory: true, needs_two: false, not_counted, closers }
}

/// A model that shows one tenant.
pub fn showing(status: TenantStatus, size: (u16, u16)) -> Model {
    let mut model = Model::new(options(size));
    let tenants = vec![status.tenant.clone()];
    update(&mut model, Msg::Fleet { tenants, fault: None });
    update(&mut model, Msg::Status(Arc::new(status)));
    press(&mut model, &[Key::Enter]);
    model
}

/// A model with a small fleet in every phase.
pub fn fleet(size: (u16, u16)) -> Model {
    let mut model = Model::new(options(size));
    let mut overdue = idle("delta-archive");
    overdue.keys.due_state = Some(Due::Overdue);
    overdue.keys.due = Some(at("2026-09-01T09:00:00Z"));
    overdue.keys.created = Some(at("2025-09-01T09:00:00Z"));
    overdue.attention = vec!["key overdue".into()];
    let mut calm = idle("harbour");
    calm.keys.due_state = Some(Due::Later);
    calm.keys.due = Some(at("2027-08-01T09:00:00Z"));
    calm.keys.created = Some(at("2026-08-01T09:00:00Z"));
    calm.attention.clear();
    let statuses = [
        announced("acme"),
        failed("borealis"),
        returning("cobalt"),
        overdue,
        rolling_back("epsilon"),
        ready("foundry"),
        calm,
    ];
    let mut tenants: Vec<Tenant> = statuses.iter().map(|status| status.tenant.clone()).collect();
    tenants.push(tenant("not-seen-yet"));
    update(&mut model, Msg::Fleet { tenants, fault: None });
    for status in statuses {
        update(&mut model, Msg::Status(Arc::new(status)));
    }
    model
}

/// Presses keys one after the other; gives all effects.
pub fn press(model: &mut Model, keys: &[Key]) -> Vec<Effect> {
    keys.iter().flat_map(|key| update(model, Msg::Key(*key))).collect()
}

/// The commands among the effects.
pub fn commands(effects: &[Effect]) -> Vec<&Command> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Run(order) = effect { Some(order.command()) } else { None })
        .collect()
}

/// Types a text.
pub fn typed(model: &mut Model, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|c| update(model, Msg::Key(Key::Char(c)))).collect()
}

/// The text of the whole screen, lines without trailing spaces; checks that no cell is outside.
pub fn screen(model: &Model) -> String {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| changeguard::ui::view(model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut lines = Vec::new();
    for y in 0..height {
        let (mut line, mut skip) = (String::new(), 0);
        for x in 0..width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}
