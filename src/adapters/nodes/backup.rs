//! A repository saved beside itself, and the proof that it could be restored, in one connection. Encrypting it and where it goes from
//! there is left to the runbook.

use super::listing::{self, LIST};
use super::script::{HEAD, checked_tag, lines, variables};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::repository::Keys;
use crate::engine::ports::nodes::{Backup, Place};

/// Only the numbered files are saved: whatever else lies there is not the repository's. It becomes the backup by a rename when it is
/// whole and on the disk; one that is there already is the backup of this case and is never written again, since the live repository may
/// have been changed since.
const SAVE: &str = r#"hold "$R"
if [ ! -d "$B" ]; then
  rm -rf "$B.tmp"; mkdir "$B.tmp" || stop room "a folder beside $R can not be made"
  set --
  for f in "$R"/*; do case "${f##*/}" in *[!0-9]*) ;; *) if [ -f "$f" ]; then set -- "$@" "$f"; fi ;; esac; done
  if [ $# = 0 ]; then stop missing "there is no key in $R"; fi
  cp -p "$@" "$B.tmp/" || stop room "a key can not be saved"
  chmod 700 "$B.tmp" && chmod 600 "$B.tmp"/* || exit 1
  flush "$B.tmp"/* "$B.tmp"
  mv "$B.tmp" "$B" || exit 1
  flush "${B%/*}"
fi
list "$B"
"#;

/// The keys are put where a restoration would put them, beside the live repository, with its owners and modes, and read there.
const TRY: &str = r#"rm -rf "$B.try"; mkdir "$B.try" || stop room "a folder beside $R can not be made"
cp -p "$B"/* "$B.try/" || stop room "a key can not be restored"
o=$(stat -L -c %u:%g "$R"); chown "$o" "$B.try" "$B.try"/* || stop owner "owner $o can not be given"
list "$B.try"
rm -rf "$B.try"
echo @end
"#;

impl NodeShell {
    /// Saves the repository beside itself as [`Place::backup`], folder 0700, keys 0600, times kept; run twice it finds the first one.
    /// Then restores that into a folder of its own, reads it there, compares it with what was saved (by digest) and removes it again.
    ///
    /// Errors: there is no repository or no room beside it, the node can't be reached, its answer is none; what was saved, or what comes
    /// out of it, is not `keys`.
    pub async fn save(&self, place: &Place, tag: &str, keys: &Keys) -> Result<Backup, Fault> {
        let doing = "save the keys";
        let folder = place.backup(checked_tag(tag)?);
        let variables = variables(&[("R", place.live()), ("B", &folder)]);
        let output = self.change(doing, &format!("{HEAD}{LIST}{variables}{SAVE}{TRY}"), &[]).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let Ok([saved, tried]) = <[_; 2]>::try_from(seen) else {
            return Err(self.garbled(doing, "a folder is missing in the answer"));
        };
        let fault = |kind, what: &str| Fault::new(Service::Node, kind, format!("{doing} on {}: {what}", self.name()));
        if saved.digests() != *keys {
            let text = "what was saved is not what was seen at the check";
            return Err(fault(FaultKind::Conflict, text).hint("nothing was changed; somebody else is at work there"));
        }
        let is_whole = tried.digests() == *keys && tried.keys.len() == keys.len();
        if !is_whole || !tried.keys.values().all(|key| key.is_well_formed) {
            let text = "what comes out of the backup is not what was saved";
            return Err(fault(FaultKind::Refused, text).hint(
                "the live repository is as it was; look at the disk of the node, remove the backup and save again before anything \
                 is changed",
            ));
        }
        Ok(Backup { repository: saved })
    }
}
