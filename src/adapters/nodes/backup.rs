//! A repository saved beside itself, and the proof that it could be restored. Encrypting it and where it goes from there is left to the
//! runbook.

use super::listing::{self, LIST};
use super::script::{HEAD, checked_tag, lines, variables};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::repository::Keys;
use crate::engine::ports::nodes::{Backup, Place};

/// Only the numbered files are saved: whatever else lies there is not the repository's. It becomes the backup by a rename when it is
/// whole and on the disk; one that is there already is the backup of this case and is never written again, since the live repository may
/// have been changed since.
const SAVE: &str = r#"if [ ! -d "$B" ]; then
  hold "$R"
  rm -rf "$B.tmp"; mkdir "$B.tmp" || stop room "a folder beside $R can not be made"
  for f in "$R"/*; do case "${f##*/}" in *[!0-9]*) ;; *) if [ -f "$f" ]; then cp -p "$f" "$B.tmp/" || stop room "a key can not be saved"; fi ;; esac; done
  chmod 700 "$B.tmp" && chmod 600 "$B.tmp"/* || stop missing "there is no key in $R"
  flush "$B.tmp"/* "$B.tmp"
  mv "$B.tmp" "$B" || exit 1
  flush "${B%/*}"
fi
list "$B"
echo @end
"#;

/// The keys are put where a restoration would put them, beside the live repository, with its owners and modes, and read there.
const TRY: &str = r#"if [ ! -d "$B" ]; then stop missing "there is no backup $B"; fi
hold "$B"
rm -rf "$B.try"; mkdir "$B.try" || stop room "a folder beside $R can not be made"
for f in "$B"/*; do cp -p "$f" "$B.try/" || stop room "a key can not be restored"; done
o=$(stat -L -c %u:%g "$R"); chown "$o" "$B.try" "$B.try"/* || stop owner "owner $o can not be given"
list "$B.try"
rm -rf "$B.try"
echo @end
"#;

impl NodeShell {
    /// Saves the repository beside itself as [`Place::backup`], folder 0700, keys 0600, times kept. Run twice it finds the first one and
    /// lists that.
    ///
    /// Errors: there is no repository or no room beside it, the node can't be reached, its answer is none.
    pub async fn back_up(&self, place: &Place, tag: &str) -> Result<Backup, Fault> {
        self.backup_script("save the keys", place, tag, SAVE).await
    }

    /// Restores a backup into a folder of its own, reads it there, compares it with what was saved (by digest) and removes it again.
    ///
    /// Errors: as above, and where what comes out is not `saved`.
    pub async fn try_restore(&self, place: &Place, tag: &str, saved: &Keys) -> Result<(), Fault> {
        let doing = "restore the saved keys (a try)";
        let tried = self.backup_script(doing, place, tag, TRY).await?;
        let is_whole = tried.repository.digests() == *saved && tried.repository.keys.len() == saved.len();
        let is_sound = tried.repository.keys.values().all(|key| key.is_well_formed);
        if is_whole && is_sound {
            return Ok(());
        }
        let text = format!("{doing} on {}: what comes out of the backup is not what was saved", self.name());
        Err(Fault::new(Service::Node, FaultKind::Refused, text).hint(
            "the live repository is as it was; look at the disk of the node, remove the backup and save again before anything \
             is changed",
        ))
    }

    async fn backup_script(&self, doing: &str, place: &Place, tag: &str, body: &str) -> Result<Backup, Fault> {
        let folder = place.backup(checked_tag(tag)?);
        let variables = variables(&[("R", place.live()), ("B", &folder)]);
        let output = self.change(doing, &format!("{HEAD}{LIST}{variables}{body}"), &[]).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let repository = seen.into_iter().next().ok_or_else(|| self.garbled(doing, "no folder was listed"))?;
        Ok(Backup { repository })
    }
}
