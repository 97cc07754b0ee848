//! One case of a subject that is no tenant, for the ticket: what happened, when, by whom, and how it ended; as JSON or Markdown.

use super::markdown::plain;
use super::{at, told};
use crate::domain::step::StepState;
use crate::engine::audit::Verdict;
use crate::engine::case::core::{Core, Way};
use crate::engine::case::status::{Line, Said, stands};
use crate::engine::record::Entry;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// A case in a list.
#[derive(Serialize)]
pub struct CaseLine {
    case: String,
    opened: Timestamp,
    headline: String,
}

impl CaseLine {
    /// The line of a case.
    pub fn of(core: &Core) -> Self {
        Self { case: core.id.to_string(), opened: core.opened.at, headline: headline(core) }
    }
}

impl fmt::Display for CaseLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  opened {}  {}", self.case, at(self.opened), self.headline)
    }
}

/// How it ended, in capitals; more than one word where one would hide something.
fn headline(core: &Core) -> String {
    let mut text = match &core.end {
        Some((end, _, _)) => end.word().to_uppercase(),
        None if core.way == Way::Back => "ROLLING BACK, NOT FINISHED".to_owned(),
        None if core.way == Way::Out => "CANCELLING, NOT FINISHED".to_owned(),
        None if core.is_touched() => "HALF-DONE, NOT FINISHED".to_owned(),
        None => "NOT FINISHED".to_owned(),
    };
    if !core.set_aside.is_empty() {
        let facts: Vec<&str> = core.set_aside.keys().map(String::as_str).collect();
        text.push_str(&format!(", SET ASIDE: {}", facts.join(", ")));
    }
    text
}

#[derive(Serialize)]
struct Step {
    number: u8,
    title: &'static str,
    state: &'static str,
    at: Option<Timestamp>,
    detail: String,
}

/// Everything about one case.
#[derive(Serialize)]
pub struct CaseReport {
    headline: String,
    subject: String,
    runbook: &'static str,
    case: String,
    reference: String,
    opened: Said,
    /// Why it went back, or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    turned: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    note: String,
    set_aside: BTreeMap<String, Said>,
    steps: Vec<Step>,
    incidents: Vec<Line>,
    /// What the audit says of the subject's chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Verdict>,
    timeline: Vec<Line>,
    /// The records themselves.
    records: Vec<Entry>,
}

impl CaseReport {
    /// Gathers the report.
    pub fn new(core: &Core, lines: Vec<Line>, records: Vec<Entry>, audit: Option<Verdict>) -> Self {
        Self {
            headline: told(headline(core), audit.as_ref()),
            subject: core.subject.clone(),
            runbook: core.spec.name,
            case: core.id.to_string(),
            reference: core.reference.clone(),
            opened: Said::from(&core.opened),
            turned: core.turned.as_ref().map(Said::from),
            ended: core.end.as_ref().map(|(_, at, _)| *at),
            note: core.end.as_ref().map(|(_, _, note)| note.clone()).unwrap_or_default(),
            set_aside: core.set_aside.iter().map(|(fact, word)| (fact.clone(), Said::from(word))).collect(),
            steps: steps(core),
            incidents: lines.iter().filter(|line| line.incident).cloned().collect(),
            audit,
            timeline: lines,
            records,
        }
    }

    /// The whole report.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let mut line = |text: String| _ = writeln!(out, "{text}");
        line(format!("# {}: {} of {}\n", plain(&self.headline), self.runbook, plain(&self.subject)));
        line(format!("- case {}, opened {} by {}", self.case, at(self.opened.at), plain(&self.opened.by)));
        line(format!("- reference: {}", plain(&self.reference)));
        if let Some(ended) = self.ended {
            line(format!("- ended: {}", at(ended)));
        }
        if !self.note.is_empty() {
            line(format!("- note: {}", plain(&self.note)));
        }
        let said = |said: &Said| format!("{} by {}: {}", at(said.at), plain(&said.by), plain(&said.reason));
        if let Some(turned) = &self.turned {
            line(format!("- turned {}", said(turned)));
        }
        for (fact, word) in &self.set_aside {
            line(format!("- {} set aside {}", plain(fact), said(word)));
        }
        match &self.audit {
            Some(Verdict { finding: Some(finding), .. }) => {
                line(format!("- audit: NOT INTACT: {}", plain(&finding.to_string())));
            }
            Some(verdict) => line(format!("- audit: intact, {} records", verdict.records)),
            None => {}
        }
        line("\n## Steps\n\n| step | | state | when | |\n|---|---|---|---|---|".into());
        for step in &self.steps {
            let when = step.at.map(at).unwrap_or_default();
            line(format!("| {} | {} | {} | {when} | {} |", step.number, step.title, step.state, plain(&step.detail)));
        }
        line("\n## Incidents\n".into());
        if self.incidents.is_empty() {
            line("none".into());
        }
        let told = |line: &Line| format!("{} {}: {}", at(line.at), plain(&line.by), plain(&line.text));
        for incident in &self.incidents {
            line(format!("- {}", told(incident)));
        }
        line("\n## Timeline\n".into());
        for record in &self.timeline {
            line(format!("- {} {}", record.seq, told(record)));
        }
        out
    }
}

fn steps(core: &Core) -> Vec<Step> {
    let step = |step: &'static crate::engine::case::spec::StepSpec| {
        let (state, word) = stands(core, step.number);
        let (at, detail) = match state {
            StepState::Done { at, evidence } => (Some(at), evidence),
            StepState::Failed { at, fault } => (Some(at), fault.to_string()),
            StepState::Running { since } | StepState::Interrupted { since } => (Some(since), String::new()),
            StepState::Waiting => (None, String::new()),
        };
        Step { number: step.number.get(), title: step.title, state: word, at, detail }
    };
    core.spec.steps.iter().map(step).collect()
}
