//! One cluster: each verb as a command, and what it prints as a value.

use super::files::Files;
use super::refusal::{self, Effect};
use super::run::{Ended, Reach};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::group::{self, Group};
use crate::domain::kops::keypair::{self, Keypair, KeypairId};
use crate::domain::kops::said::{self, Deed};
use crate::domain::kops::version::Version;
use crate::engine::ports::kops::{Export, Exported, Hears, KopsCluster, Roll};
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The most lines of a dry run that are kept.
const MOST_LINES: usize = 200;
/// The kubeconfig with which the commands themselves reach the API.
const OWN: &str = "own";

/// What must be known of a cluster.
#[derive(Clone, Debug)]
pub struct KopsParameters {
    /// Its full name.
    pub cluster: String,
    /// Where its state store lies.
    pub state: String,
    /// The words that run `kops`.
    pub command: Vec<String>,
    /// What stands before them: the words of ssh up to the deploy host; empty: they run here.
    pub ssh: Vec<String>,
    /// Variables of ours that they get, by name.
    pub environment: Vec<String>,
    /// The folder of its files on this host.
    pub directory: PathBuf,
    /// The same on the deploy host.
    pub far_directory: String,
    /// A command that ends with 0 where a copy of the state store can be gone back to; empty: there is none.
    pub backup: Vec<String>,
    /// A command that says in a line what the autoscaler does; empty: there is none.
    pub autoscaler: Vec<String>,
    /// How long an admin credential lasts.
    pub admin: Duration,
    /// For a command that reads, or changes one keypair.
    pub timeout: Duration,
    /// For an update.
    pub update_timeout: Duration,
    /// For the roll of one instance group.
    pub roll_timeout: Duration,
}

/// A cluster. Cheap to keep; every call is a process of its own.
#[derive(Debug)]
pub struct Kops {
    parameters: KopsParameters,
    reach: Reach,
    files: Files,
    /// When it got a credential of its own last.
    signed: tokio::sync::Mutex<Option<Instant>>,
}

impl Kops {
    /// Runs nothing.
    ///
    /// Errors: the command is empty, or a word is one that `kops` or a shell would take for something else.
    pub fn new(parameters: KopsParameters) -> Result<Self, Fault> {
        let invalid = |message: String| Fault::new(Service::Configuration, FaultKind::Invalid, message);
        if parameters.command.first().is_none_or(String::is_empty) {
            return Err(invalid(format!("reach {}: its command is empty", parameters.cluster)));
        }
        for word in [&parameters.cluster, &parameters.state] {
            let is_plain = !word.is_empty() && !word.starts_with('-') && word.chars().all(|c| c.is_ascii_graphic());
            if !is_plain {
                return Err(invalid(format!("{word:?} is no name of a cluster or state store")));
            }
        }
        let reach = Reach { ssh: parameters.ssh.clone(), environment: parameters.environment.clone() };
        let here = parameters.directory.clone();
        let there = if reach.is_far() { parameters.far_directory.clone() } else { here.to_string_lossy().into_owned() };
        Ok(Self { reach, files: Files { here, there }, parameters, signed: tokio::sync::Mutex::default() })
    }

    #[cfg(test)]
    pub(super) fn parameters_for_tests(&self) -> KopsParameters {
        self.parameters.clone()
    }

    /// Runs `kops VERB … --name C --state S`.
    async fn kops(
        &self,
        words: &[&str],
        effect: Effect,
        limit: Duration,
        hears: Option<Hears<'_>>,
    ) -> Result<Ended, Fault> {
        let KopsParameters { command, cluster, state, .. } = &self.parameters;
        let own = ["--name", cluster, "--state", state];
        let given = words.iter().chain(&own).map(|word| (*word).to_owned());
        let argv: Vec<String> = command.iter().cloned().chain(given).collect();
        let kubeconfig = self.files.kubeconfig(OWN);
        let doing = words.iter().take_while(|word| !word.starts_with('-')).copied().collect::<Vec<_>>().join(" ");
        let mark = (effect == Effect::Changes).then(|| self.files.mark());
        let ended = self.reach.run_marked(&[("KUBECONFIG", &kubeconfig)], &argv, mark.as_deref(), limit, hears).await;
        let ended = ended.map_err(|failure| refusal::failure(&doing, failure, limit, effect))?;
        if ended.code == Some(0) { Ok(ended) } else { Err(refusal::judge(&doing, &ended, self.reach.is_far(), effect)) }
    }

    async fn read(&self, words: &[&str]) -> Result<String, Fault> {
        let ended = self.kops(words, Effect::Reads, self.parameters.timeout, None).await?;
        Ok(String::from_utf8_lossy(&ended.out).into_owned())
    }

    async fn change(&self, words: &[&str]) -> Result<String, Fault> {
        let ended = self.kops(words, Effect::Changes, self.parameters.timeout, None).await?;
        Ok(String::from_utf8_lossy(&ended.out).into_owned())
    }

    /// Makes the folder where `kops` runs, without what lies under this tag.
    async fn clear(&self, tag: &str) -> Result<(), Fault> {
        let (doing, limit) = ("make the folder of its kubeconfigs", self.parameters.timeout);
        let ended = self.reach.run(&[], &self.files.clear(tag), limit, None).await;
        let ended = ended.map_err(|failure| refusal::failure(doing, failure, limit, Effect::Reads))?;
        match ended.code {
            Some(0) => Ok(()),
            _ => Err(refusal::judge(doing, &ended, self.reach.is_far(), Effect::Reads)),
        }
    }

    /// Gives the case's own kubeconfig a new credential. Only who holds `signed` may.
    async fn sign(&self) -> Result<(), Fault> {
        // Put in its place at once: another process may be reading it.
        let beside = format!("{OWN}-{}", std::process::id());
        self.write(&beside, Some(self.parameters.admin)).await?;
        let (doing, limit) = ("put the kubeconfig in its place", self.parameters.timeout);
        let ended = self.reach.run(&[], &self.files.rename(&beside, OWN), limit, None).await;
        let ended = ended.map_err(|failure| refusal::failure(doing, failure, limit, Effect::Reads))?;
        match ended.code {
            Some(0) => Ok(()),
            _ => Err(refusal::judge(doing, &ended, self.reach.is_far(), Effect::Reads)),
        }
    }

    /// Runs what asks the API. Where it is not let in, or there is no kubeconfig yet, it gets a new credential and is asked once more.
    async fn asking(&self, words: &[&str], limit: Duration) -> Result<Ended, Fault> {
        let before = Instant::now();
        let first = self.kops(words, Effect::Reads, limit, None).await;
        match &first {
            Err(fault) if matches!(fault.kind, FaultKind::Unauthorized | FaultKind::Unreachable) => {}
            _ => return first,
        }
        let mut signed = self.signed.lock().await;
        // Somebody beside us has just signed in.
        if signed.is_none_or(|signed| signed < before) {
            if self.sign().await.is_err() {
                return first;
            }
            *signed = Some(Instant::now());
        }
        drop(signed);
        self.kops(words, Effect::Reads, limit, None).await
    }

    /// Runs a command of the configuration that only looks; none where there is none.
    async fn ask(&self, doing: &str, words: &[String]) -> Option<Result<String, Fault>> {
        if words.is_empty() {
            return None;
        }
        let (limit, own) = (self.parameters.timeout, self.files.kubeconfig(OWN));
        Some(match self.reach.run(&[("KUBECONFIG", &own)], words, limit, None).await {
            Ok(ended) if ended.code == Some(0) => Ok(String::from_utf8_lossy(&ended.out).into_owned()),
            Ok(ended) => Err(refusal::judge(doing, &ended, self.reach.is_far(), Effect::Reads)),
            Err(failure) => Err(refusal::failure(doing, failure, limit, Effect::Reads)),
        })
    }

    async fn write(&self, tag: &str, admin: Option<Duration>) -> Result<(), Fault> {
        self.clear(tag).await?;
        let path = self.files.kubeconfig(tag);
        let mut words = vec!["export", "kubeconfig"];
        let lasts = admin.map(|admin| format!("--admin={}", duration(admin)));
        words.extend(lasts.as_deref());
        words.extend(["--kubeconfig", &path]);
        self.read(&words).await.map(|_| ())
    }
}

/// As Go reads it.
fn duration(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn unread(doing: &str, why: &str) -> Fault {
    Fault::new(Service::Kops, FaultKind::Malformed, format!("{doing}: {why}"))
        .hint("nothing was changed; run it by hand: it must be kops, and print nothing else")
        .leads(&[Lead::Resume])
}

#[async_trait]
impl KopsCluster for Kops {
    async fn version(&self) -> Result<Version, Fault> {
        let said = self.read(&["version"]).await?;
        Version::read(&said).map_err(|why| unread("version", &why))
    }

    async fn keypairs(&self) -> Result<Vec<Keypair>, Fault> {
        let said = self.read(&["get", "keypairs", "--distrusted", "-o", "json"]).await?;
        keypair::read(&said).map_err(|why| unread("get keypairs", &why))
    }

    async fn create(&self, keyset: &str) -> Result<Option<KeypairId>, Fault> {
        let said = said::read(&self.change(&["create", "keypair", keyset]).await?);
        let ours = |(deed, of, id): (Deed, String, KeypairId)| (deed == Deed::Created && of == keyset).then_some(id);
        Ok(said.into_iter().find_map(ours))
    }

    async fn promote(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault> {
        self.change(&["promote", "keypair", keyset, id.as_str()]).await.map(|_| ())
    }

    async fn distrust(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault> {
        self.change(&["distrust", "keypair", keyset, id.as_str()]).await.map(|_| ())
    }

    async fn trust(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault> {
        self.change(&["trust", "keypair", keyset, id.as_str()]).await.map(|_| ())
    }

    async fn dry_update(&self) -> Result<Vec<String>, Fault> {
        let limit = self.parameters.update_timeout;
        let ended = self.kops(&["update", "cluster"], Effect::Reads, limit, None).await?;
        let text = String::from_utf8_lossy(&ended.out).into_owned();
        let lines: Vec<String> = text.lines().map(refusal::shown).filter(|line| !line.trim().is_empty()).collect();
        // The end says whether anything would change.
        let cut = lines.len().saturating_sub(MOST_LINES);
        let note = (cut > 0).then(|| format!("({cut} lines more before these)"));
        Ok(note.into_iter().chain(lines.into_iter().skip(cut)).collect())
    }

    async fn update(&self) -> Result<(), Fault> {
        let limit = self.parameters.update_timeout;
        self.kops(&["update", "cluster", "--yes"], Effect::Changes, limit, None).await.map(|_| ())
    }

    async fn groups(&self, cloud_only: bool) -> Result<Vec<Group>, Fault> {
        let limit = self.parameters.update_timeout;
        let ended = match cloud_only {
            true => self.kops(&["rolling-update", "cluster", "--cloudonly"], Effect::Reads, limit, None).await?,
            false => self.asking(&["rolling-update", "cluster"], limit).await?,
        };
        group::read(&String::from_utf8_lossy(&ended.out)).map_err(|why| unread("rolling-update cluster", &why))
    }

    async fn roll(&self, group: &str, how: Roll, hears: Hears<'_>) -> Result<(), Fault> {
        let mut words = vec!["rolling-update", "cluster", "--yes", "--instance-group", group];
        words.extend(how.force.then_some("--force"));
        words.extend(how.cloud_only.then_some("--cloudonly"));
        let limit = self.parameters.roll_timeout;
        self.kops(&words, Effect::Changes, limit, Some(hears)).await.map(|_| ())
    }

    async fn validate(&self) -> Result<String, Fault> {
        let limit = self.parameters.update_timeout;
        let ended = self.asking(&["validate", "cluster"], limit).await?;
        let text = String::from_utf8_lossy(&ended.out).into_owned();
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it is ready");
        Ok(refusal::shown(last))
    }

    async fn export(&self, export: &Export) -> Result<Exported, Fault> {
        self.write(&export.tag, export.admin).await?;
        self.files.read(&self.reach, &export.tag, self.parameters.timeout).await
    }

    async fn kept(&self, path: &str, wanted: &str) -> Result<Vec<u8>, Fault> {
        self.files.kept(path, wanted)
    }

    async fn sign_in(&self) -> Result<(), Fault> {
        // A look beside a step may want one at the same moment: one after the other.
        let mut signed = self.signed.lock().await;
        self.sign().await?;
        *signed = Some(Instant::now());
        Ok(())
    }

    async fn sign_out(&self) -> Result<(), Fault> {
        self.clear(OWN).await
    }

    async fn has_backup(&self) -> Option<Result<(), Fault>> {
        let said = self.ask("look for a copy of the state store", &self.parameters.backup).await?;
        Some(said.map(|_| ()))
    }

    async fn autoscaler(&self) -> Option<Result<String, Fault>> {
        let said = self.ask("ask the autoscaler", &self.parameters.autoscaler).await?;
        let first = |said: String| said.lines().map(refusal::shown).find(|line| !line.is_empty()).unwrap_or_default();
        Some(said.map(first))
    }
}
