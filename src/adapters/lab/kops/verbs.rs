//! What each verb does and prints, as a recorded kops 1.36.2 does and prints it.

use super::super::state::{epoch, lock, utc};
use super::client::{Asked, Printed};
use super::cluster::{GENERAL, KopsPair, KopsState, NAME, STORE, World};
use super::kubeconfig;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// The words of a command, sorted.
struct Words<'a> {
    plain: Vec<&'a str>,
    flags: Vec<(&'a str, Option<&'a str>)>,
}

/// The flags that have a value behind them.
const VALUED: [&str; 6] = ["--name", "--state", "-o", "--output", "--instance-group", "--kubeconfig"];

impl<'a> Words<'a> {
    fn of(words: &'a [String]) -> Self {
        let (mut plain, mut flags) = (Vec::new(), Vec::new());
        let mut all = words.iter().map(String::as_str);
        while let Some(word) = all.next() {
            match word.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => flags.push((flag, Some(value))),
                _ if VALUED.contains(&word) => flags.push((word, all.next())),
                _ if word.starts_with('-') => flags.push((word, None)),
                _ => plain.push(word),
            }
        }
        Self { plain, flags }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == flag)
    }

    fn value(&self, flag: &str) -> Option<&'a str> {
        self.flags.iter().find(|(name, _)| *name == flag).and_then(|(_, value)| *value)
    }
}

fn fine(out: impl Into<String>) -> Printed {
    Printed { out: out.into(), ..Printed::default() }
}

fn error(text: impl AsRef<str>) -> Printed {
    Printed { err: format!("Error: {}\n", text.as_ref()), status: 1, ..Printed::default() }
}

/// A line of klog.
fn klog(at: &str, text: &str) -> String {
    format!("I{} 4711 {at}] {text}\n", utc(epoch(), "%m%d %H:%M:%S.000001"))
}

/// Carries a command out. `most`: no more instances than this roll; `gone`: whoever asked is gone.
pub(super) async fn run(world: &World, asked: &Asked, gone: &AtomicBool, most: Option<usize>) -> Printed {
    let words = Words::of(&asked.words);
    note(world, asked, &words);
    if let Some(name) = words.value("--name").filter(|name| *name != NAME) {
        return error(format!("Cluster.kops.k8s.io \"{name}\" not found"));
    }
    if lock(&world.mischief).store_away && words.plain != ["version"] {
        return error("error reading cluster configuration: RequestError: send request failed, dial tcp: i/o timeout");
    }
    let printed = match words.plain.as_slice() {
        ["version"] => fine(format!("Client version: {}\n", world.options.version)),
        ["get", "keypairs", keysets @ ..] => get(&lock(&world.state), &words, keysets),
        ["create", "keypair", rest @ ..] => create(world, rest),
        ["promote", "keypair", rest @ ..] => promote(world, rest),
        ["distrust", "keypair", rest @ ..] => distrust(world, rest),
        ["trust", "keypair", rest @ ..] => trust(world, rest),
        ["update", "cluster"] => update(world, asked, words.has("--yes")),
        ["rolling-update", "cluster"] => rolling_update(world, asked, &words, gone, most).await,
        ["validate", "cluster"] => validate(world, asked),
        ["export", "kubeconfig" | "kubecfg"] => export(world, asked, &words),
        _ => error(format!("unknown command {:?} for \"kops\"", words.plain.join(" "))),
    };
    world.keep();
    printed
}

/// Keeps what was asked, and what nobody may ask so.
fn note(world: &World, asked: &Asked, words: &Words<'_>) {
    let own = ["--name", "--state"];
    let mut told: Vec<&str> = Vec::new();
    let mut all = asked.words.iter().map(String::as_str);
    while let Some(word) = all.next() {
        if own.contains(&word) {
            all.next();
        } else {
            told.push(word);
        }
    }
    let text = told.join(" ");
    let forbid = |what: &str| lock(&world.forbidden).push(format!("{what}: {text}"));
    if words.value("--name").is_none() || words.value("--state") != Some(STORE) {
        forbid("cluster and store are not named");
    }
    let home = std::env::var("HOME").unwrap_or_default();
    match &asked.kubeconfig {
        None => forbid("there is no KUBECONFIG of its own"),
        Some(path) if *path == format!("{home}/.kube/config") => forbid("it has the operator's KUBECONFIG"),
        Some(_) => {}
    }
    if words.plain.get(2) == Some(&"all") {
        forbid("all takes no id");
    }
    if matches!(words.plain.as_slice(), ["promote" | "distrust", "keypair", _]) {
        forbid("no id is named");
    }
    lock(&world.words).push(text);
}

fn get(state: &KopsState, words: &Words<'_>, keysets: &[&str]) -> Printed {
    let is_asked = |name: &String| keysets.is_empty() || keysets.contains(&name.as_str());
    let with_distrusted = words.has("--distrusted");
    let all: Vec<(&String, &KopsPair)> = state
        .keysets
        .iter()
        .filter(|(name, _)| is_asked(name))
        .flat_map(|(name, pairs)| pairs.iter().map(move |pair| (name, pair)))
        .filter(|(_, pair)| with_distrusted || pair.distrusted.is_none())
        .collect();
    if all.is_empty() {
        return error("no keypairs found");
    }
    match words.value("-o").or(words.value("--output")).unwrap_or("table") {
        "json" => {
            let pair = |(name, pair): &(&String, &KopsPair)| {
                let mut told = serde_json::json!({ "name": name, "id": pair.id, "subject": format!("CN={name}"), "issuer": format!("CN={name}"), "isCA": true, "notBefore": pair.issued, "notAfter": pair.expires, "keyLength": 2048, "hasPrivateKey": true });
                if pair.primary {
                    told["isPrimary"] = true.into();
                }
                if let Some(at) = &pair.distrusted {
                    told["distrustTimestamp"] = at.as_str().into();
                }
                told
            };
            // In no order, and without an end of the line.
            let mut told: Vec<_> = all.iter().map(pair).collect();
            let half = told.len() / 2;
            told.rotate_left(half);
            fine(serde_json::to_string(&told).unwrap_or_default())
        }
        "table" => fine(table(&all, with_distrusted)),
        other => error(format!("unknown output format: {other:?}")),
    }
}

fn table(all: &[(&String, &KopsPair)], with_distrusted: bool) -> String {
    let day = |text: &String| text.chars().take(10).collect::<String>();
    let mark = |is: bool| if is { "*".to_owned() } else { String::new() };
    let mut rows =
        vec![["NAME", "ID", "ISSUED", "EXPIRES", "DISTRUSTED", "PRIMARY", "HASPRIVATE"].map(String::from).to_vec()];
    for (name, pair) in all {
        let distrusted = pair.distrusted.as_ref().map(day).unwrap_or_default();
        let cells = [
            (*name).clone(),
            pair.id.clone(),
            day(&pair.issued),
            day(&pair.expires),
            distrusted,
            mark(pair.primary),
            mark(true),
        ];
        rows.push(cells.to_vec());
    }
    if !with_distrusted {
        rows.iter_mut().for_each(|row| _ = row.remove(4));
    }
    tabbed(&rows)
}

/// Columns that are filled with tabs to the next multiple of eight.
pub(super) fn tabbed(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widest = rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        (widest / 8 + 1) * 8
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if column + 1 < columns {
                let missing = widths[column] - cell.len();
                line.push_str(&"\t".repeat(missing.div_ceil(8)));
            }
        }
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The rotatable keysets that exist, in an order that means nothing; or the one that is named.
fn meant(world: &World, keyset: &str, what: &str) -> Result<Vec<String>, Printed> {
    let state = lock(&world.state);
    let mut all: Vec<String> = state.keysets.keys().cloned().collect();
    if keyset == "all" {
        lock(&world.chance).shuffle(&mut all);
        return Ok(all);
    }
    if keyset != "service-account" && !keyset.contains("-ca") {
        return Err(error(format!("{what} to {keyset:?} is not supported")));
    }
    if all.iter().all(|name| name != keyset) {
        return Err(error("the first keypair added to a keyset must be primary"));
    }
    Ok(vec![keyset.to_owned()])
}

fn create(world: &World, rest: &[&str]) -> Printed {
    let [keyset] = rest else { return error("must specify name of keyset to add keypair to") };
    let keysets = match meant(world, keyset, "adding keypair") {
        Ok(keysets) => keysets,
        Err(printed) => return printed,
    };
    let mut out = String::new();
    for keyset in keysets {
        {
            let mut mischief = lock(&world.mischief);
            match &mut mischief.creates_left {
                Some(0) => return Printed { out, err: "Error: error storing keyset: i/o timeout\n".into(), status: 1 },
                Some(left) => *left -= 1,
                None => {}
            }
        }
        let id = world.create(&keyset);
        let _ = writeln!(out, "Created {keyset} {id}");
    }
    fine(out)
}

fn promote(world: &World, rest: &[&str]) -> Printed {
    let (keyset, id) = match rest {
        ["all", _] => return error("cannot specify ID with \"all\""),
        [keyset] => (*keyset, None),
        [keyset, id] => (*keyset, Some(*id)),
        _ => return error("can only promote to one keyset at a time"),
    };
    let keysets = match meant(world, keyset, "promoting keypairs") {
        Ok(keysets) => keysets,
        Err(printed) => return printed,
    };
    let mut state = lock(&world.state);
    let mut out = String::new();
    for keyset in keysets {
        let pairs = state.keysets.entry(keyset.clone()).or_default();
        let primary = pairs.iter().find(|pair| pair.primary).map(|pair| pair.id.clone()).unwrap_or_default();
        let wanted = match id {
            Some(id) => pairs.iter().find(|pair| pair.id == id),
            None => pairs.iter().rfind(|pair| pair.distrusted.is_none()),
        };
        match wanted {
            None => return error("keypair not found"),
            Some(pair) if pair.distrusted.is_some() => return error("keypair is distrusted"),
            Some(pair) if pair.id == primary => {
                let _ = writeln!(out, "No {keyset} keypair newer than current primary {primary}");
            }
            Some(pair) => {
                let wanted = pair.id.clone();
                pairs.iter_mut().for_each(|pair| pair.primary = pair.id == wanted);
                let _ = writeln!(out, "Promoted {keyset} {wanted}");
            }
        }
    }
    fine(out)
}

fn distrust(world: &World, rest: &[&str]) -> Printed {
    let Some((keyset, ids)) = rest.split_first() else { return error("must specify name of keyset") };
    if *keyset == "all" && !ids.is_empty() {
        return error("cannot specify ID with \"all\"");
    }
    let keysets = match meant(world, keyset, "distrusting keypairs") {
        Ok(keysets) => keysets,
        Err(_) => return error("keyset not found"),
    };
    let mut state = lock(&world.state);
    let (mut out, mut err) = (String::new(), String::new());
    for keyset in keysets {
        let pairs = state.keysets.entry(keyset.clone()).or_default();
        let number = |pair: &KopsPair| pair.id.parse::<u128>().unwrap_or(0);
        let primary = pairs.iter().find(|pair| pair.primary).map_or(0, number);
        let older: Vec<String> = pairs
            .iter()
            .filter(|pair| number(pair) < primary && pair.distrusted.is_none())
            .map(|pair| pair.id.clone())
            .collect();
        if ids.is_empty() && older.is_empty() {
            err.push_str(&klog("distrust_keypair.go:164", &format!("No {keyset} keypairs older than the primary.")));
        }
        let wanted = if ids.is_empty() { older } else { ids.iter().map(|id| (*id).to_owned()).collect() };
        for id in wanted {
            let Some(pair) = pairs.iter_mut().find(|pair| pair.id == id) else { return error("keypair not found") };
            if pair.primary {
                return error("cannot distrust the primary keypair");
            }
            if pair.distrusted.is_none() {
                pair.distrusted = Some(utc(epoch(), "%Y-%m-%dT%H:%M:%SZ"));
                let _ = writeln!(out, "Distrusted {keyset} {id}");
            }
        }
    }
    Printed { out, err, status: 0 }
}

fn trust(world: &World, rest: &[&str]) -> Printed {
    let [keyset, ids @ ..] = rest else { return error("must specify names of keypairs to trust keypair in") };
    if ids.is_empty() {
        return error("must specify names of keypairs to trust keypair in");
    }
    let mut state = lock(&world.state);
    let Some(pairs) = state.keysets.get_mut(*keyset) else { return error(format!("keyset {keyset:?} not found")) };
    let mut out = String::new();
    for id in ids {
        let Some(pair) = pairs.iter_mut().find(|pair| pair.id == *id) else { return error("keypair not found") };
        if pair.distrusted.take().is_some() {
            let _ = writeln!(out, "Trusted {keyset} {id}");
        }
    }
    fine(out)
}

fn update(world: &World, asked: &Asked, yes: bool) -> Printed {
    let mut state = lock(&world.state);
    let wanted = state.view();
    if !yes {
        return fine(match wanted == state.applied {
            true => "No changes need to be applied\n",
            false => {
                "Will modify resources:\n  LaunchTemplate/control-plane-main\n  \tUserData\n\nMust specify --yes to apply changes\n"
            }
        });
    }
    state.applied = wanted;
    let trusted: Vec<String> = state.applied[GENERAL].trusted.iter().cloned().collect();
    drop(state);
    if let Some(path) = &asked.kubeconfig {
        place(path, &kubeconfig::write(trusted.iter(), None));
    }
    let out = format!(
        "kOps has set your kubectl context to {NAME}\n\nCluster changes have been applied to the cloud.\n\n\nChanges may require instances to restart: kops rolling-update cluster\n\n"
    );
    let err = klog("update_cluster.go:419", "Exporting kubeconfig for cluster")
        + &klog(
            "update_cluster.go:439",
            "Exported kubeconfig with no user authentication; use --admin, --user or --auth-plugin flags with `kops export kubeconfig`",
        );
    Printed { out, err, status: 0 }
}

fn place(path: &str, text: &str) {
    // As kops does it: 0600, in a folder that is there.
    super::super::files::private(std::path::Path::new(path), text).ok();
}

/// Whether the API lets the command itself in, by the kubeconfig that it was given; why not.
fn access(world: &World, asked: &Asked) -> Result<(), Printed> {
    const AWAY: &str = "Unable to reach the kubernetes API.\nUse --cloudonly to do a rolling-update without confirming progress with the k8s API\n";
    let nodes = "error listing nodes in cluster: Get \"https://127.0.0.1/api/v1/nodes\"";
    let text = asked.kubeconfig.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    let Some(text) = text else {
        let err = format!("{AWAY}Error: {nodes}: dial tcp 127.0.0.1:443: connect: connection refused\n");
        return Err(Printed { err, status: 1, ..Printed::default() });
    };
    let (trusts, issuer) = kubeconfig::read(&text);
    let why = match issuer {
        _ if lock(&world.mischief).unauthorized => Some("Unauthorized"),
        None => Some("Unauthorized"),
        Some(issuer) => lock(&world.state).refuses(&trusts, Some(&issuer)),
    };
    match why {
        None => Ok(()),
        Some(why) => Err(Printed { err: format!("{AWAY}Error: {nodes}: {why}\n"), status: 1, ..Printed::default() }),
    }
}

async fn rolling_update(
    world: &World,
    asked: &Asked,
    words: &Words<'_>,
    gone: &AtomicBool,
    most: Option<usize>,
) -> Printed {
    if !words.has("--cloudonly") {
        if let Err(printed) = access(world, asked) {
            return printed;
        }
        if words.has("--yes") && lock(&world.mischief).roll_unauthorized {
            return error("error listing nodes in cluster: Unauthorized");
        }
    }
    let only = words.value("--instance-group");
    let (force, yes) = (words.has("--force"), words.has("--yes"));
    let listed = {
        let mut mischief = lock(&world.mischief);
        let is_late = mischief.lag > 0;
        mischief.lag = mischief.lag.saturating_sub(1);
        groups(&lock(&world.state), only, is_late || mischief.nothing_needs_update)
    };
    let Some((text, any)) = listed else {
        return error(format!("instance group {:?} not found", only.unwrap_or_default()));
    };
    if !yes {
        let last = if any || force { "Must specify --yes to rolling-update." } else { "No rolling-update required." };
        return fine(format!("{text}\n{last}\n"));
    }
    let blind = lock(&world.mischief).nothing_needs_update && !force;
    let mut rolled = 0;
    let names: Vec<String> = lock(&world.state).groups.iter().map(|group| group.name.clone()).collect();
    let mut err = String::new();
    for name in names.iter().filter(|name| only.is_none_or(|only| only == name.as_str())) {
        let count =
            lock(&world.state).groups.iter().find(|group| group.name == *name).map_or(0, |group| group.instances.len());
        for number in 0..count {
            let needs = {
                let state = lock(&world.state);
                let found = state.groups.iter().find(|group| group.name == *name);
                found.is_some_and(|group| state.needs_update(group, &group.instances[number]))
            };
            if blind || !(needs || force) {
                continue;
            }
            if most.is_some_and(|most| rolled >= most) || gone.load(Ordering::SeqCst) {
                return Printed { out: text, err, status: 255 };
            }
            if lock(&world.mischief).roll_fails_at == Some(rolled + 1) {
                err.push_str("Error: error validating cluster after terminating instance: cluster did not validate within a duration of \"15m0s\"\n");
                return Printed { out: text, err, status: 1 };
            }
            tokio::time::sleep(world.options.roll).await;
            let mut state = lock(&world.state);
            let (applied, signer) = (state.applied.clone(), state.signer());
            if let Some(group) = state.groups.iter_mut().find(|group| group.name == *name) {
                let issuer = if group.control { applied[GENERAL].primary.clone() } else { signer };
                group.instances[number] = super::cluster::KopsInstance { boot: applied, issuer };
            }
            rolled += 1;
            err.push_str(&klog("instancegroups.go:423", &format!("Rolled instance {} of {name}.", number + 1)));
        }
    }
    err.push_str(&klog("rollingupdate.go:236", &format!("Completed rolling update for cluster {NAME:?}")));
    Printed { out: text, err, status: 0 }
}

/// The table, and whether anything needs an update. None: there is no such group.
fn groups(state: &KopsState, only: Option<&str>, is_late: bool) -> Option<(String, bool)> {
    let mut rows = vec![["NAME", "STATUS", "NEEDUPDATE", "READY", "MIN", "TARGET", "MAX"].map(String::from).to_vec()];
    let mut any = false;
    for group in state.groups.iter().filter(|group| only.is_none_or(|only| only == group.name)) {
        let all = group.instances.len();
        let need =
            if is_late { 0 } else { group.instances.iter().filter(|one| state.needs_update(group, one)).count() };
        any |= need > 0;
        let status = if need > 0 { "NeedsUpdate" } else { "Ready" };
        let all_text = all.to_string();
        let cells = [
            group.name.clone(),
            status.into(),
            need.to_string(),
            (all - need).to_string(),
            all_text.clone(),
            all_text.clone(),
            all_text,
        ];
        rows.push(cells.to_vec());
    }
    (rows.len() > 1).then(|| (tabbed(&rows), any))
}

fn validate(world: &World, asked: &Asked) -> Printed {
    let head = format!("Validating cluster {NAME}\n\n");
    if let Err(printed) = access(world, asked) {
        let why = printed.err.lines().last().unwrap_or_default().trim_start_matches("Error: ").to_owned();
        let err = format!("Error: validation failed: unexpected error during validation: {why}\n");
        return Printed { out: head, err, status: 1 };
    }
    if lock(&world.mischief).unwell {
        let err = "Error: validation failed: machine \"i-1\" has not yet joined cluster\n".into();
        return Printed { out: head, err, status: 2 };
    }
    fine(format!("{head}Your cluster {NAME} is ready\n"))
}

fn export(world: &World, asked: &Asked, words: &Words<'_>) -> Printed {
    let path = words.value("--kubeconfig").or(asked.kubeconfig.as_deref());
    let Some(path) = path else { return error("no kubeconfig") };
    let state = lock(&world.state);
    let view = state.view();
    let issuer = words.has("--admin").then(|| view[GENERAL].primary.clone());
    place(path, &kubeconfig::write(view[GENERAL].trusted.iter(), issuer.as_deref()));
    fine(format!("kOps has set your kubectl context to {NAME}\n"))
}
