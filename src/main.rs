//! The program: reads the command line, puts the rooms together, and turns what came of it into an exit code.

use anyhow::{Context, Result};
use changeguard::adapters::lab;
use changeguard::adapters::openstack::{between_pairs, is_pair_running};
use changeguard::app::model::{Charset, ModelOptions, StepInfo};
use changeguard::app::{Manner, Notify, Palette};
use changeguard::cli::act::{BadUsage, act};
use changeguard::cli::audit;
use changeguard::cli::desk::Desks as Meant;
use changeguard::cli::lab::{serve, start};
use changeguard::cli::lab_client::LabClient;
use changeguard::cli::teller::Teller;
use changeguard::cli::{Cli, ConfigVerb, LabArgs, Verb, exit, print, rehearse, replay, watch};
use changeguard::config::check::{Finding, Level};
use changeguard::config::clouds::Environment;
use changeguard::config::{self, Config, ConfigError};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::typed::{self, Typed};
use changeguard::engine::signing::Signing;
use changeguard::runtime::desks::Desks;
use changeguard::runtime::ending;
use changeguard::runtime::fleet::UnknownTenant;
use changeguard::runtime::hardening::{self, Hardening};
use changeguard::runtime::mail;
use changeguard::runtime::screen::Loop;
use changeguard::runtime::signals;
use changeguard::runtime::watch::{Logbook, Watch};
use changeguard::runtime::wiring::{Wiring, WiringError, environment, four_eyes};
use clap::{CommandFactory, Parser};
use std::alloc::System;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: so the copies that libraries make of a key (a read buffer, a request) do not stay in the heap.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    if LabClient::is_meant() {
        let run = LabClient::parse().run();
        return run.map_or_else(|error| ExitCode::from(told(&error.into(), false)), ExitCode::from);
    }
    // Before the command line is read, and before the first thread.
    let hardening = hardening::harden();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(misread(&error)),
    };
    let json = cli.json;
    // Those are there until they are asked to end.
    let is_asked = matches!(cli.command, Some(Verb::Lab(_) | Verb::Watch { once: false }));
    // The one provider of the whole program; a second call would be an error and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let code = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(ended(cli, &hardening));
            // A DELETE that was sent is followed by its POST, whatever else ends; then every lease is given back.
            ending::ask();
            runtime.block_on(ending::all_ended());
            let _between = runtime.block_on(between_pairs());
            runtime.shutdown_timeout(Duration::from_millis(100));
            // What had failed by then says more than who has ended it.
            signals::exit_code(is_asked).filter(|_| code == exit::DONE).unwrap_or(code)
        }
        Err(error) => told(&anyhow::Error::new(error).context("start the runtime"), json),
    };
    ExitCode::from(code)
}

/// What was typed is no command, or asks for help or the version. Gives the exit code.
fn misread(error: &clap::Error) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
    // It could not be read, so neither could this option; behind `--` it is none.
    let json = std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    match (json, error.use_stderr()) {
        (true, true) => {
            print::say(error);
            print::failure(error.to_string().trim(), "", code);
        }
        (true, false) => _ = print::text_or_json(&error.to_string(), true),
        (false, _) => _ = error.print(),
    }
    code
}

async fn ended(cli: Cli, hardening: &Hardening) -> u8 {
    let json = cli.json;
    match run(cli, hardening).await {
        Ok(code) => code,
        Err(error) => told(&error, json),
    }
}

/// Says what went wrong and what to do; gives the exit code.
fn told(error: &anyhow::Error, json: bool) -> u8 {
    print::say(format_args!("changeguard: {error:#}"));
    let of_wiring = match error.downcast_ref::<WiringError>() {
        Some(WiringError::Fault(fault)) => Some(fault),
        _ => None,
    };
    let fault = error.chain().find_map(|cause| cause.downcast_ref::<Fault>()).or(of_wiring);
    // A good configuration is not at fault for a full disk, or for a server that is down.
    let outside = |fault: &Fault| fault.is_passing() || fault.kind == FaultKind::NoRoom;
    if let Some(fault) = fault {
        print::say(format_args!("changeguard: {}", fault.advice()));
    }
    let usage = error.is::<BadUsage>()
        || error.is::<UnknownTenant>()
        || error.is::<ConfigError>()
        || error.is::<WiringError>() && !of_wiring.is_some_and(outside)
        || fault.is_some_and(|fault| fault.service == Service::Configuration);
    let code = if usage { exit::USAGE } else { exit::FAILED };
    if json {
        print::failure(&format!("{error:#}"), fault.map(Fault::advice).unwrap_or_default(), code);
    }
    code
}

async fn run(cli: Cli, hardening: &Hardening) -> Result<u8> {
    let path = cli.config.as_deref();
    if let Some(path) = path {
        typed::called_with(&path.to_string_lossy());
    }
    let label = cli.environment.unwrap_or_default();
    let term = environment("TERM").unwrap_or_default();
    let palette = Palette::choose(cli.theme.as_deref(), &term, environment("NO_COLOR").is_some()).map_err(BadUsage)?;
    let read_only = cli.read_only;
    let load = |path: Option<&Path>| -> Result<Config> {
        let mut config = load(path)?;
        config.read_only |= read_only;
        Ok(config)
    };
    let notify = Notify::of(cli.notify.as_deref()).map_err(BadUsage)?;
    let manner = Manner { read_only, captive: cli.captive, low_bandwidth: cli.low_bandwidth, notify };
    match cli.command.unwrap_or(Verb::Tui) {
        Verb::Tui | Verb::Demo(_) if cli.json => {
            Err(BadUsage("the screen is no JSON; `changeguard status --json` shows what it shows".into()).into())
        }
        Verb::Tui => {
            let wiring = Wiring::open(load(path)?).await?.in_environment(&label);
            let controls = rehearse::controls(wiring.config());
            screen(wiring, (label, palette, manner), None, controls).await
        }
        Verb::Demo(arguments) => demo(&arguments, palette, manner).await,
        Verb::Lab(arguments) => serve(&arguments, cli.json).await,
        Verb::Rehearse { verb } => {
            let changes = !matches!(verb, rehearse::RehearseVerb::List);
            rehearse::rehearse(&may(load(path)?, changes)?, verb, cli.json).await
        }
        Verb::Config { verb: ConfigVerb::Example } => {
            print::text_or_json(include_str!("../assets/changeguard.example.toml"), cli.json)?;
            Ok(exit::DONE)
        }
        Verb::Config { verb: ConfigVerb::Unit } => {
            print::text_or_json(include_str!("../assets/changeguard-watch.service"), cli.json)?;
            Ok(exit::DONE)
        }
        Verb::Watch { once } => keep_watch(may(load(path)?, true)?, once, cli.json, &label).await,
        Verb::Config { verb: ConfigVerb::Check } => config_check(&load(path)?, hardening, cli.json),
        Verb::Completions { shell } => {
            // It panics where it can't write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "changeguard", &mut script);
            print::text_or_json(&String::from_utf8(script)?, cli.json)?;
            Ok(exit::DONE)
        }
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            print::text_or_json(&String::from_utf8(page)?, cli.json)?;
            Ok(exit::DONE)
        }
        Verb::Troubles { step } => troubles(step, cli.json),
        Verb::Replay(verb) => {
            let replay = replay::open(load(path)?, &verb).await?;
            let is_seen = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
            if cli.json || !is_seen {
                return replay::print(&replay, cli.json).await;
            }
            let options = options(replay.wiring(), label, palette, manner, false)?;
            replay.show(options, verb.speed).await?;
            Ok(exit::DONE)
        }
        verb if audit::is_asked_here(&verb) => {
            audit::ask(&may(load(path)?, verb.changes())?, verb, cli.json, &label).await
        }
        verb => {
            let mut asked = signals::ending()?;
            let mut wiring = Wiring::open(may(load(path)?, verb.changes())?).await?.in_environment(&label);
            if std::io::stdin().is_terminal() {
                wiring = wiring.asking_on_the_terminal();
            }
            let bound = wiring.pair_bound().as_secs();
            signals::suspend_on_request(move || {
                print::say(format_args!("changeguard: rests once the swap is finished, within {bound} s"));
            })?;
            let teller = Teller::new();
            let desks = Meant::new(wiring.desks(teller.clone())?);
            // What is about no tenant needs none.
            let (tenants, fault) = match desks.meant(&verb)? {
                Some(_) => (Vec::new(), None),
                None => wiring.tenants().await,
            };
            if let Some(fault) = fault {
                print::say(format_args!("changeguard: {fault}; {}", fault.advice()));
            }
            let fleet = wiring.fleet(tenants, teller.clone())?;
            let mut acting = std::pin::pin!(act(&fleet, &desks, &wiring, &teller, verb, cli.json));
            tokio::select! {
                result = &mut acting => return result,
                () = asked.recv() => ending::ask(),
            }
            loop {
                match is_pair_running() {
                    true => print::say(format_args!(
                        "changeguard: asked to end; the swap that was begun is finished first, within {bound} s at most"
                    )),
                    false => print::say(format_args!("changeguard: asked to end; it stops at the next record")),
                }
                print::say(format_args!(
                    "changeguard: `changeguard status` shows what is true, `changeguard resume` looks and goes on"
                ));
                tokio::select! {
                    biased;
                    result = &mut acting => return result,
                    () = ending::all_ended() => anyhow::bail!("it was asked to end before this was done"),
                    // Another signal changes nothing but is answered.
                    () = asked.recv() => {}
                }
            }
        }
    }
}

/// The configuration for a verb. Errors: it is for looking only, and the verb changes something.
fn may(config: Config, changes: bool) -> Result<Config, BadUsage> {
    match config.read_only && changes {
        false => Ok(config),
        true => {
            Err(BadUsage("it is for looking only here (--read-only, or security.read_only): nothing was begun".into()))
        }
    }
}

async fn keep_watch(config: Config, once: bool, json: bool, label: &str) -> Result<u8> {
    let mut asked = signals::ending()?;
    signals::suspend_on_request(|| {})?;
    let interval = config.server.poll_interval;
    let wiring = Wiring::open(config).await?.in_environment(label).working_as("watch");
    let (tenants, fault) = wiring.tenants().await;
    if let Some(fault) = fault {
        print::say(format_args!("changeguard: {fault}; {}", fault.advice()));
    }
    let log = watch::log(json, environment("JOURNAL_STREAM").is_some());
    let logbook = Logbook::new(log.clone());
    let desks = Desks::new(wiring.desks(logbook.clone())?);
    let fleet = wiring.fleet(tenants, logbook)?;
    let watch = Watch::new(&fleet, &desks, wiring.post(), log, interval);
    Ok(watch::watch(&watch, once, &mut asked).await)
}

fn load(path: Option<&Path>) -> Result<Config> {
    Ok(config::load(path, &environment)?)
}

fn config_check(config: &Config, hardening: &Hardening, json: bool) -> Result<u8> {
    let mut findings = config::check::check(config);
    let sources = Environment::of_process(config.cloud.clouds_file.clone());
    findings.extend(config::check::check_cloud(config, &sources));
    let level = if hardening.may_swap { Level::Warning } else { Level::Note };
    findings.push(Finding { level, field: "memory", text: hardening.memory.into() });
    findings.extend(signers(config));
    let text = |fault: Fault| Finding { level: Level::Failure, field: "notices.templates", text: fault.message };
    if config.no_tenants().is_none() {
        findings.extend(mail::text_faults(config).into_iter().map(text));
    }
    let refused = hardening.refused.iter().cloned();
    findings.extend(refused.map(|text| Finding { level: Level::Warning, field: "memory", text }));
    if json {
        print::json(&findings)?;
    } else {
        for finding in &findings {
            print::line(format_args!("{}: {}: {}", finding.level.word(), finding.field, finding.text))?;
        }
        let clusters = match config.keystone.len() {
            1 => "1 Keystone cluster".to_owned(),
            count => format!("{count} Keystone clusters"),
        };
        let tenants = format!("{} tenants", config.tenant.len());
        let all = match (config.no_tenants().is_some(), config.keystone.is_empty()) {
            (true, _) => clusters,
            (false, true) => tenants,
            (false, false) => format!("{tenants}, {clusters}"),
        };
        print::line(format_args!("{}: {all}", config.path.display()))?;
    }
    let fails = findings.iter().any(|finding| finding.level == Level::Failure);
    Ok(if fails { exit::USAGE } else { exit::DONE })
}

/// What is to be said of the list of signers.
fn signers(config: &Config) -> Vec<Finding> {
    let find = |level, text| Finding { level, field: "approval.signers", text };
    match four_eyes(config) {
        None if config.approval.signers.is_some() => {
            vec![find(Level::Warning, "changes nothing without approval.required = true".into())]
        }
        None => Vec::new(),
        Some(Signing::ByLogin) => vec![find(Level::Warning, Signing::ByLogin.words(jiff::Timestamp::now()))],
        Some(Signing::Untrusted(why)) => vec![find(Level::Failure, why)],
        Some(Signing::Signers(roster)) => {
            let people = roster.signers.people(jiff::Timestamp::now());
            let mut findings: Vec<Finding> =
                roster.signers.passed_over().iter().map(|text| find(Level::Warning, text.clone())).collect();
            if people < 2 {
                findings.push(find(Level::Failure, format!("{people} people can sign now; four eyes need two")));
            }
            let mine = |own: &_| roster.signers.name_of(own).is_some();
            if !roster.own.as_ref().is_some_and(mine) {
                findings
                    .push(find(Level::Note, "your own key (approval.key) is not in the list: you can't sign".into()));
            }
            findings
        }
    }
}

fn troubles(only: Option<u8>, json: bool) -> Result<u8> {
    let runbooks = changeguard::runbooks::all();
    let steps = runbooks.iter().flat_map(|runbook| &runbook.steps);
    let steps: Vec<StepInfo> = steps
        .map(|step| step_info(step.as_ref()))
        .filter(|step| only.is_none_or(|only| step.number.get() == only))
        .collect();
    if let (Some(only), true) = (only, steps.is_empty()) {
        return Err(BadUsage(format!("there is no step {only}; `changeguard troubles` shows them all")).into());
    }
    if json {
        print::json(&steps)?;
        return Ok(exit::DONE);
    }
    let mut text = String::new();
    for step in steps {
        text.push_str(&format!("{} {}\n  undo: {}\n", step.number, step.title, step.undo_text));
        for trouble in step.troubles {
            text.push_str(&format!("  - {}\n      {}\n", trouble.symptom, trouble.remedy));
        }
    }
    print::text(&text)?;
    Ok(exit::DONE)
}

async fn demo(arguments: &LabArgs, palette: Palette, manner: Manner) -> Result<u8> {
    let started = start(arguments).await?;
    typed::called_with(&started.lab.config_path().to_string_lossy());
    let mut config = load(Some(started.lab.config_path()))?;
    config.read_only |= manner.read_only;
    let wiring = Wiring::open(config).await?;
    let controls = rehearse::controls(wiring.config());
    let code = screen(wiring, (String::new(), palette, manner), Some(&started.lab), controls).await;
    started.stop().await;
    code
}

/// Opens the terminal on a fleet. The first frame waits for nothing.
async fn screen(
    wiring: Wiring,
    (label, palette, manner): (String, Palette, Manner),
    lab: Option<&lab::Lab>,
    controls: Option<lab::Controls>,
) -> Result<u8> {
    let options = options(&wiring, label, palette, manner, controls.is_some())?;
    let bound = wiring.pair_bound();
    let the_loop = Loop::default().rehearsing(controls);
    let desks = wiring.desks(std::sync::Arc::new(the_loop.bell()))?;
    let the_loop = the_loop.with_desks(Desks::new(desks));
    if let Some(lab) = lab {
        let (mut events, bell) = (lab.events(), the_loop.bell());
        tokio::spawn(async move {
            while let Ok(event) = events.recv().await {
                bell.ring(changeguard::app::message::Msg::LabSaid(format!("{}: {}", event.tenant, event.text)));
            }
        });
    }
    let (place, bell) = (the_loop.place(), the_loop.bell());
    tokio::spawn(async move {
        let (tenants, fault) = wiring.tenants().await;
        match wiring.fleet(tenants, std::sync::Arc::new(bell)) {
            Ok(fleet) => {
                let fleet = place.put(fleet, fault);
                if let Some(post) = wiring.post().filter(|_| !wiring.config().read_only) {
                    place.attend(post, &fleet).await;
                }
            }
            Err(fault) => place.fail(fault),
        }
    });
    let result = the_loop.run(options).await.context("the screen");
    ending::ask();
    if is_pair_running() {
        let bound = bound.as_secs();
        print::say(format_args!("changeguard: the swap that was begun is finished first, within {bound} s at most"));
    }
    // The lab of the demo must live so long, too.
    ending::all_ended().await;
    for (subject, what) in result? {
        let status = Typed::of("status").word(&subject);
        print::say(format_args!("changeguard: {subject}: {what} was at work and was stopped; what is next: {status}"));
    }
    Ok(exit::DONE)
}

/// What the screen begins with. Errors: there is no terminal.
fn options(wiring: &Wiring, label: String, palette: Palette, manner: Manner, is_lab: bool) -> Result<ModelOptions> {
    let term = environment("TERM").unwrap_or_default();
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() || term == "dumb" || term.is_empty() {
        let text = "the screen needs a terminal; every view and action is also a subcommand, see `changeguard --help`";
        return Err(BadUsage(text.into()).into());
    }
    let steps: Vec<StepInfo> = wiring.runbook().steps.iter().map(|step| step_info(step.as_ref())).collect();
    let lang = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(environment).unwrap_or_default().to_uppercase();
    let utf8 = (lang.contains("UTF-8") || lang.contains("UTF8")) && term != "linux";
    let manner = Manner { read_only: wiring.config().read_only, ..manner };
    let production = label.to_lowercase().contains("prod");
    Ok(ModelOptions {
        now: jiff::Timestamp::now(),
        size: (80, 24),
        charset: if utf8 { Charset::Utf8 } else { Charset::Ascii },
        palette,
        manner,
        environment: label,
        production,
        operator: wiring.operator(),
        person: wiring.person().to_owned(),
        lab: is_lab.then(|| "EMBEDDED LAB".to_owned()),
        // The runbook lives as long as the program.
        steps: Vec::leak(steps),
        zone: environment("TZ").filter(|zone| zone.contains('/')).unwrap_or_else(|| "UTC".into()),
        length: "1h".into(),
        poll_interval: wiring.config().server.poll_interval,
    })
}

fn step_info(step: &dyn changeguard::engine::step::Step) -> StepInfo {
    StepInfo { number: step.number(), title: step.title(), undo_text: step.undo_text(), troubles: step.troubles() }
}
