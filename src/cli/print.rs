//! The views without a screen: the same status as plain lines, or as JSON on standard output.

use crate::app::clients::{mail_word, ping_word, return_word};
use crate::app::panel;
use crate::domain::gate::{Reason, Verdict};
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::preflight::Check;
use crate::domain::typed::Typed;
use crate::engine::gap;
use crate::engine::next::Act;
use crate::engine::status::{ClientView, KeySight, TenantStatus};
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, StdoutLock, Write};

/// Standard output, for all that the program prints.
pub fn out() -> Out<StdoutLock<'static>> {
    Out(Some(std::io::stdout().lock()))
}

/// Writes for as long as somebody reads. Whoever has closed the pipe has seen enough: what was done is done, and the exit code
/// says how it ended. Everything else that fails, such as a full disk, is an error.
pub struct Out<W>(Option<W>);

impl<W: Write> Out<W> {
    fn to<T>(&mut self, nothing: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        match self.0.as_mut().map(write) {
            Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => self.0 = None,
            Some(written) => return written,
            None => {}
        }
        Ok(nothing)
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to((), |out| out.flush())
    }
}

/// Prints a value as one JSON document.
pub fn json(value: &impl Serialize) -> Result<()> {
    let mut out = out();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Prints a text as it is, or as `{"text": …}`.
pub fn text_or_json(whole: &str, as_json: bool) -> Result<()> {
    #[derive(Serialize)]
    struct Text<'a> {
        text: &'a str,
    }
    if as_json {
        return json(&Text { text: whole });
    }
    Ok(text(whole)?)
}

/// What `--json` prints where something could not be done, beside the words on standard error.
pub fn failure(error: &str, advice: &str, exit: u8) {
    #[derive(Serialize)]
    struct Failure<'a> {
        ok: bool,
        error: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        advice: &'a str,
        exit: u8,
    }
    // Who can't be told is not to be told otherwise either: the exit code says it.
    let _ = json(&Failure { ok: false, error, advice, exit });
}

/// Prints a text as it is.
pub fn text(text: &str) -> io::Result<()> {
    out().write_all(text.as_bytes())
}

/// Prints a line.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(out(), "{text}")
}

/// Says something on standard error. Nobody may be left to read it, and that is no reason to panic.
pub fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// So many tenants are named beside a fault.
const NAMED: usize = 5;

/// The fleet, a line a tenant.
pub fn fleet(statuses: &[TenantStatus]) -> Result<()> {
    let mut out = out();
    let width = statuses.iter().map(|s| s.tenant.name.chars().count()).max().unwrap_or(0).clamp(6, 24);
    writeln!(out, "{:width$}  {:12}  {:>9}  {:9}  {:10}  NEXT", "TENANT", "PHASE", "ANSWERS", "SERVER", "KEY DUE")?;
    for status in statuses {
        let due = status.keys.due.map_or_else(|| "unknown".to_owned(), |due| due.strftime("%Y-%m-%d").to_string());
        let answers = match status.people_seen {
            None => "?".to_owned(),
            Some(_) => format!("{}/{}", status.answers.0, status.answers.1),
        };
        writeln!(
            out,
            "{:width$}  {:12}  {:>9}  {:9}  {:10}  {}",
            status.tenant.name,
            status.phase.word(),
            answers,
            status.reconcile.word(),
            due,
            status.next.text
        )?;
    }
    // Each fault once, however many tenants it hides.
    let mut silent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for status in statuses {
        for fault in status.sources.iter().filter_map(|source| source.fault.as_deref()) {
            let tenants = silent.entry(fault).or_default();
            if tenants.last() != Some(&status.tenant.name.as_str()) {
                tenants.push(&status.tenant.name);
            }
        }
    }
    for (fault, tenants) in silent {
        let more = tenants.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        writeln!(out, "NO ANSWER {fault} ({}{more})", tenants[..tenants.len().min(NAMED)].join(", "))?;
    }
    Ok(())
}

/// What a run of step 2 has found, a line a check.
pub fn checks(checks: &[Check]) -> Result<()> {
    for check in checks {
        line(format_args!("{:7} {}", check.state.word(), check.in_full()))?;
    }
    Ok(())
}

/// One check of it, and which of the others had failed when they were asked.
pub fn one_check(one: Option<&Check>, status: &TenantStatus) -> Result<()> {
    checks(one.map_or(&[], std::slice::from_ref))?;
    let failed = status.preflight.iter().flat_map(|run| run.failed());
    let others: Vec<String> = failed.filter(|name| one.is_none_or(|one| one.name != *name)).collect();
    if !others.is_empty() {
        line(format_args!("others FAIL, each when it was asked last: {}", others.join(", ")))?;
    }
    Ok(())
}

/// One tenant, whole.
pub fn tenant(status: &TenantStatus) -> Result<()> {
    let mut out = out();
    writeln!(out, "{} ({})", status.tenant.name, status.tenant.id)?;
    let leading = status.leading();
    for text in &leading {
        writeln!(out, "{text}")?;
    }
    writeln!(out, "phase     {}", status.phase.word())?;
    if let Some(window) = &status.window {
        writeln!(out, "window    {} (revision {})", window.for_people(), window.revision)?;
    }
    if let Some(holder) = &status.holder {
        let heartbeat = holder.heartbeat.strftime("%H:%M:%S UTC");
        writeln!(out, "held by   {holder}; last sign of life {heartbeat} by their clock")?;
    }
    if let Some(reason) = &status.rollback {
        writeln!(out, "ROLLBACK  {reason}")?;
    }
    if let Some(outcome) = status.outcome {
        writeln!(out, "last      {}", outcome.word())?;
    }
    for step in &status.steps {
        let work = step.work.as_ref().map(|work| format!(" ({work})")).unwrap_or_default();
        writeln!(out, "  {} {:48} {:12} {}{work}", step.number, step.title, step.state.word(), step.detail)?;
    }
    match &status.gate {
        Verdict::Open => writeln!(out, "gate      {}", panel::open_word(status))?,
        verdict => {
            let word = if matches!(verdict, Verdict::Unknown(_)) { "unknown" } else { "shut" };
            writeln!(out, "gate      {word}")?;
            for reason in verdict.reasons() {
                match reason {
                    // What each of them has found stands here whole; the next action says what is first.
                    Reason::CheckFailed { found, .. } if !found.is_empty() => {
                        writeln!(out, "            {reason}")?;
                        for found in found {
                            writeln!(out, "              {found}")?;
                        }
                    }
                    reason => writeln!(out, "            {reason}")?,
                }
            }
        }
    }
    for token in status.tokens(Timestamp::now()) {
        writeln!(out, "token     {token}")?;
    }
    keys(&mut out, status)?;
    writeln!(out, "clients   {}", status.settled(""))?;
    for view in &status.clients {
        writeln!(out, "  {}", client_line(view, status.back.is_some()))?;
    }
    for difference in &status.differences {
        writeln!(out, "  differs: {difference}")?;
    }
    // They lead it, too.
    for item in status.attention.iter().skip(leading.len()) {
        writeln!(out, "ATTENTION {item}")?;
    }
    for line in &status.unprotected {
        writeln!(out, "UNPROTECTED {line}, as the configuration allows")?;
    }
    writeln!(out, "next      {}", status.next.text)?;
    for line in to_run(status) {
        writeln!(out, "run       {line}")?;
    }
    Ok(())
}

/// The lines that lead on and that the next action does not say itself; where there are two ways, both in their order.
pub fn to_run(status: &TenantStatus) -> impl Iterator<Item = &String> {
    let both =
        status.next.action == Act::Resolve || status.next.action == Act::ReadMail && status.next.commands.len() > 1;
    status.next.commands.iter().filter(move |line| both || !status.next.text.contains(line.as_str()))
}

/// One client in one line, with all that the screen says of them. `after`: the key is live.
pub fn client_line(view: &ClientView, after: bool) -> String {
    let back = match &view.back {
        Some((source, note)) => format!("back ({source}) {note}"),
        None => return_word(view, after).to_owned(),
    };
    let ping = ping_word(view).map(|word| format!("; {word}")).unwrap_or_default();
    let (id, name, standing) = (&view.client.id, &view.client.name, view.standing.word());
    let mail = mail_word(view);
    format!("{id:16} {name:24} {standing:14} {} {back}{ping}; mail: {mail}", view.standing_detail)
}

/// The plan that a second operator approves, and how.
pub fn plan(status: &TenantStatus) -> Result<()> {
    let mut out = out();
    let name = &status.tenant.name;
    let Some(window) = &status.window else {
        writeln!(out, "{name}: nothing is planned")?;
        return Ok(());
    };
    writeln!(out, "{name}: {}, revision {}", window.for_people(), window.revision)?;
    let keys = status.preflight.as_ref().map(|run| &run.keys);
    match (keys, &status.plan_digest) {
        (Some(_), Some(digest)) => {
            writeln!(out, "an approval covers:")?;
            for line in &status.plan_covers {
                writeln!(out, "  {line}")?;
            }
            writeln!(out, "  digest: {digest}")?;
            if let Some(words) = &status.four_eyes {
                writeln!(out, "{words}")?;
            }
            let line = Typed::of("approve").word(name).option("digest", digest.get(..12).unwrap_or(digest));
            writeln!(out, "approve with: {line}")?;
        }
        (_, None) if keys.is_some() => writeln!(out, "no approval is asked for here")?,
        _ => writeln!(
            out,
            "check first ({}): the approval is bound to the key that it sees",
            Typed::of("check").word(name)
        )?,
    }
    Ok(())
}

fn keys(out: &mut impl Write, status: &TenantStatus) -> Result<()> {
    let show_as = |key: Option<String>, sight: &KeySight| {
        let none = if sight.at.is_none() { "not read" } else { "none" };
        let key = key.unwrap_or_else(|| none.to_owned());
        let age = sight.at.map_or_else(String::new, |at| format!("  seen {}", moment(at)));
        let fault = sight.fault.as_ref().map_or_else(String::new, |fault| format!("  ({fault})"));
        format!("{key}{age}{fault}")
    };
    let show = |sight: &KeySight| show_as(sight.key.map(|key| key.to_string()), sight);
    let secret = status.keys.secret_words(PublicKey::to_string);
    writeln!(out, "keys      {}", status.reconcile.word())?;
    writeln!(out, "  secret     {}", show_as(secret, &status.keys.secret))?;
    writeln!(out, "  object     {}", show(&status.keys.object))?;
    writeln!(out, "  interface  {}", show(&status.keys.interface))?;
    if let Some(console) = &status.keys.console {
        writeln!(out, "  console    {}", show(console))?;
    }
    if let Some(staged) = status.keys.staged {
        writeln!(out, "  staged     {staged}{}", status.keys.kept_no_more(KeyRole::Staged))?;
    }
    if let Some(previous) = status.keys.previous {
        writeln!(out, "  previous   {previous}{}", status.keys.kept_no_more(KeyRole::Previous))?;
    }
    if let Some(us) = status.overlap_us {
        writeln!(out, "gap       none; two secrets had the name for {}", gap::length(us))?;
    } else if let Some(us) = status.gap_us {
        let above = if status.long_gap().is_some() { " ABOVE NORMAL (under 1 s)" } else { "" };
        let broken = status.broken_gap.map(|gap| format!(" ({gap})")).unwrap_or_default();
        writeln!(out, "gap       {}{above}{broken}", gap::length(us))?;
    } else if let Some(gap) = status.broken_gap {
        writeln!(out, "gap       {gap}")?;
    }
    Ok(())
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
