//! The stages of an installation, carried out on a node: temporary files beside the folder, a link or a rename into it. In which order
//! and why is `domain::fernet::install`; the pauses between them are the caller's.

use super::listing::{self, LIST};
use super::script::{HEAD, lines, variables};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::install::Stage;
use crate::domain::fernet::repository::{Digest, Keys, Repository};
use crate::engine::ports::nodes::{Done, KeyArchive, Place};
use std::fmt::Write as _;
use std::time::Duration;

/// Longest pause between two stages.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Keys that lie nowhere on the node are beside the repository as long as the script runs.
const LENT: &str = r#"trap 'rm -rf "$R.lent"' EXIT
mkdir "$R.lent" || stop room "a folder beside $R can not be made"
tar -xf - -C "$R.lent" || stop room "the keys could not be unpacked beside $R"
"#;

/// A key is looked for by its digest in `.next`, the backup, the live repository, and among those that were lent: under which index it
/// lies there does not matter, and what was read of the first three at once tells where; what is copied is read again.
/// Owner and mode are those of the live repository's newest key. `ln` without `-f` refuses a name that is there, so that no second
/// writer's key is ever overwritten; `mv -f` replaces `0` in one rename.
const STAGES: &str = r#"hold "$R"
rm -rf "$R.lent"
here() { if [ -e "$R/$1" ] || [ -h "$R/$1" ]; then sum "$R/$1"; fi; }
elsewhere() { for g in "$R"/*; do b=${g##*/}; case "$b" in *[!0-9]*|"$1") ;; *) if [ "$(sum "$g")" = "$2" ]; then return 0; fi ;; esac; done; return 1; }
highest() { h=0; for g in "$R"/*; do b=${g##*/}; case "$b" in *[!0-9]*) ;; *) if [ "$b" -gt $h ]; then h=$b; fi ;; esac; done; }
K="$N$(sha256sum "$R.next"/[0-9]* "$B"/[0-9]* "$R"/[0-9]* 2>/dev/null)$N"
held() {
  for g in "$R"/*; do b=${g##*/}
    case "$b" in 0|[1-9]*) ;; *) continue ;; esac
    case "$b" in *[!0-9]*) continue ;; esac
    if [ ${#b} -gt 9 ] || [ ! -f "$g" ]; then continue; fi
    x=${K%%"  $g$N"*}
    if [ "$1" = read ] && [ "$(wc -c < "$g")" -gt 4096 ]; then continue; fi
    if [ "$1" = read ] || [ "$x" = "$K" ]; then c=$(sum "$g"); else c=${x##*"$N"}; fi
    if [ -n "$c" ]; then printf "%s  %s\n" "$c" "$b"; fi
  done | sort
}
where() {
  x=${K#*"$N$1  "}; s=
  if [ "$x" != "$K" ]; then s=${x%%"$N"*}; case "${s##*/}" in *[!0-9]*) s= ;; esac; fi
  if [ -n "$s" ] && [ -f "$s" ]; then return 0; fi
  s=
  for d in "$R.next" "$B" "$R" "$R.lent"; do for g in "$d"/*; do case "${g##*/}" in *[!0-9]*) ;; *)
    if [ -z "$s" ] && [ -f "$g" ] && [ "$(sum "$g")" = "$1" ]; then s=$g; fi ;; esac; done; done
  [ -n "$s" ]
}
bring() {
  t=$R.tmp.$1; rm -f "$t"
  where "$2" || stop missing "key $1 lies neither beside $R nor in it"
  like=$R; highest; if [ $h -gt 0 ]; then like=$R/$h; elif [ -f "$R/0" ]; then like=$R/0; fi
  o=$(stat -L -c %u:%g "$like"); m=600; if [ "$like" != "$R" ]; then m=$(stat -L -c %a "$like"); fi
  cp -p "$s" "$t" && chown "$o" "$t" && chmod "$m" "$t" || { rm -f "$t"; stop room "key $1 could not be copied beside $R"; }
  if [ "$(sum "$t")" != "$2" ]; then rm -f "$t"; stop wrong "key $1 changed while it was copied"; fi
  flush "$t"
}
have() {
  if [ "$(here "$1")" = "$2" ]; then return 0; fi
  where "$2" || stop missing "key $1 lies neither beside $R nor in it"
}
add() {
  c=$(here "$1")
  if [ "$c" = "$2" ]; then echo "@was	$1"; rm -f "$R.tmp.$1"; return 0; fi
  if [ -e "$R/$1" ] || [ -h "$R/$1" ]; then stop content "key $1 is there already with another content"; fi
  bring "$1" "$2"
  if ! ln "$t" "$R/$1"; then rm -f "$t"
    if [ -e "$R/$1" ]; then stop content "key $1 has just been put there by somebody else"; fi
    stop system "nothing can be linked into $R from beside"; fi
  rm -f "$t"; echo "@did	$1"
}
staged() {
  c=$(here 0)
  if [ "$c" = "$2" ]; then echo "@was	0"; rm -f "$R.tmp.0"; return 0; fi
  if [ "$c" != "$1" ] || { [ -z "$c" ] && [ -e "$R/0" ]; }; then stop content "key 0 is neither the one that was there nor the one that is wanted"; fi
  bring 0 "$2"
  mv -f "$t" "$R/0" || exit 1
  echo "@did	0"
}
drop() {
  c=$(here "$2")
  if [ ! -e "$R/$2" ] && [ ! -h "$R/$2" ]; then echo "@was	$2"; return 0; fi
  if [ "$c" != "$3" ]; then stop content "key $2 has another content than it had"; fi
  highest
  case "$1" in
    demote) if ! elsewhere "$2" "$3"; then stop lost "key $2 lies nowhere else in $R"; fi ;;
    *) if [ "$2" = 0 ] || [ "$2" = $h ]; then stop lost "key $2 is in use there: the staged or the primary one"; fi ;;
  esac
  rm -f "$R/$2" || exit 1
  echo "@did	$2"
}
"#;

/// Nothing is done on what is not as it was planned on: `W`, a `DIGEST  INDEX` a line.
const AS_KNOWN: &str = r#"want=$(printf "%s\n" "$W" | sort)
if [ "$(held)" != "$want" ] && [ "$(held read)" != "$want" ]; then echo "@other"; list "$R"; echo @end; exit 0; fi
"#;

impl NodeShell {
    /// Carries out stages in their order with a pause after each that changed something and is not the last: a reader that had listed the
    /// folder before a stage must have opened its files before the next. Every stage looks whether it is done already; a kill between two,
    /// or within one, leaves what the same call completes. Several stages take one connection.
    ///
    /// `tag` names the case's backup, from which a way back takes its keys; `lent` are keys that lie nowhere there. A pause is at most 10 s.
    /// `known`: what the stages were planned on; where that is given and the folder holds something else by now, none of them is done
    /// ([`Done::is_other`]).
    ///
    /// Errors: an index holds another content than the plan says (nothing of it is overwritten; earlier stages stay done), a key lies
    /// nowhere, no room, the node can't be reached.
    pub async fn install(
        &self,
        place: &Place,
        tag: &str,
        known: Option<&Keys>,
        stages: &[Stage],
        lent: Option<&KeyArchive>,
        pause: Duration,
    ) -> Result<Done, Fault> {
        let doing = if stages.iter().any(|stage| matches!(stage, Stage::Purge { .. })) {
            "purge keys"
        } else {
            "install the keys"
        };
        let pause = pause.min(LONGEST_PAUSE);
        let mut script = script(place, tag, known, if lent.is_some() { LENT } else { "" })?;
        carried_out(&mut script, stages, pause);
        let stream = lent.map(KeyArchive::write);
        let stages_count = u32::try_from(stages.len()).unwrap_or(u32::MAX);
        let limit = self.timeout().saturating_add(pause.saturating_mul(stages_count));
        let output = self.change_within(doing, &script, stream.as_deref().map_or(&[], Vec::as_slice), limit).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let live = seen.into_iter().next().ok_or_else(|| self.garbled(doing, "no folder was listed"))?;
        if answer.first("other").is_some() {
            return Ok(Done { live, is_other: true, were_done: 0 });
        }
        if let Some(stage) = stages.iter().find(|stage| !is_done(stage, &live)) {
            let text =
                format!("{doing} on {}: {} is not what the folder shows afterwards", self.name(), stage.message());
            return Err(Fault::new(Service::Node, FaultKind::Conflict, text).hint(
                "somebody else is at work there; look at the digests of all nodes before anything else is done",
            ));
        }
        Ok(Done { live, is_other: false, were_done: answer.all.iter().filter(|(name, _)| *name == "was").count() })
    }
}

/// Whether a folder shows that a stage is done.
fn is_done(stage: &Stage, live: &Repository) -> bool {
    let held = live.keys.get(&stage.index()).and_then(|key| key.digest);
    match stage {
        Stage::Add { digest, .. } | Stage::Staged { to: digest, .. } => held == Some(*digest),
        Stage::Demote { index, .. } | Stage::Purge { index, .. } => !live.keys.contains_key(index),
    }
}

/// How a script of stages begins. `lent`: how it takes what is lent, where something is.
fn script(place: &Place, tag: &str, known: Option<&Keys>, lent: &str) -> Result<String, Fault> {
    let backup = place.backup(super::script::checked_tag(tag)?);
    let held = |(index, digest): (&u32, &Digest)| format!("{}  {index}", digest.hex());
    let held = known.map(|known| known.iter().map(held).collect::<Vec<_>>().join("\n"));
    let variables = variables(&[("R", place.live()), ("B", &backup), ("W", held.as_deref().unwrap_or_default())]);
    let as_known = if held.is_some() { AS_KNOWN } else { "" };
    Ok(format!("{HEAD}{LIST}{variables}{STAGES}{lent}{as_known}"))
}

fn carried_out(script: &mut String, stages: &[Stage], pause: Duration) {
    // Every key that is wanted is there before the first of them is put into force: half-way is for a kill, not for a lack.
    for stage in stages {
        let _ = match stage {
            Stage::Add { index, digest } => writeln!(script, "have {index} {}", digest.hex()),
            Stage::Staged { to, .. } => writeln!(script, "have 0 {}", to.hex()),
            Stage::Demote { .. } | Stage::Purge { .. } => Ok(()),
        };
    }
    for (at, stage) in stages.iter().enumerate() {
        let _ = match stage {
            Stage::Add { index, digest } => write!(script, "add {index} {}", digest.hex()),
            Stage::Staged { from, to } => {
                write!(script, "staged '{}' {}", from.map(|from| from.hex()).unwrap_or_default(), to.hex())
            }
            Stage::Demote { index, digest } => write!(script, "drop demote {index} {}", digest.hex()),
            Stage::Purge { index, digest } => write!(script, "drop purge {index} {}", digest.hex()),
        };
        script.push('\n');
        if at + 1 < stages.len() && !pause.is_zero() {
            let _ = writeln!(script, "sleep {}", pause.as_secs_f32().ceil());
        }
    }
    script.push_str("flush \"$R\"\nlist \"$R\"\necho @end\n");
}
