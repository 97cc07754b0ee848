//! Removing what was placed beside a live repository. The live one is never touched by this.

use super::script::{HEAD, checked_tag, variables};
use super::shell::NodeShell;
use crate::domain::fault::Fault;
use crate::engine::ports::nodes::Place;

/// Names are made of the checked path and fixed endings, so that nothing else can be meant; a link is removed and not followed.
const CLEAR: &str = r#"for d in "$R.next" "$R.next.tmp" "$R.next.conf" "$R.next.case" "$R.lent"; do
  if [ -h "$d" ]; then rm -f "$d"; else rm -rf "$d"; fi || exit 1
done
for d in "$R".tmp.[0-9]*; do case "${d#"$R".tmp.}" in *[!0-9]*) ;; *) if [ -f "$d" ]; then rm -f "$d" || exit 1; fi ;; esac; done
flush "${R%/*}"
"#;

const DROP: &str = r#"for d in "$B" "$B.tmp" "$B.try"; do
  if [ -h "$d" ]; then rm -f "$d"; else rm -rf "$d"; fi || exit 1
done
flush "${B%/*}"
"#;

/// Where the live one is gone there is nothing to be held, and what lies beside it is removed all the same.
const HOLD: &str = "if [ -d \"$R\" ]; then hold \"$R\"; fi\n";

impl NodeShell {
    /// Removes the prepared or placed repository beside the live one and every temporary file of ours; nothing there is fine.
    ///
    /// Errors: an earlier script is still at work on the repository, the node can't be reached.
    pub async fn clear(&self, place: &Place) -> Result<(), Fault> {
        self.remove("remove what was placed", &[("R", place.live())], &[HOLD, CLEAR]).await
    }

    /// Removes a case's backup: afterwards there is no way back to the purged keys from this node.
    ///
    /// Errors: the tag is none, the node can't be reached.
    pub async fn drop_backup(&self, place: &Place, tag: &str) -> Result<(), Fault> {
        self.remove("remove the saved keys", &[("B", &place.backup(checked_tag(tag)?))], &[DROP]).await
    }

    /// Both, in one connection.
    ///
    /// Errors: as of each of them.
    pub async fn tidy(&self, place: &Place, tag: &str) -> Result<(), Fault> {
        let (doing, backup) = ("remove what was placed and saved", place.backup(checked_tag(tag)?));
        self.remove(doing, &[("R", place.live()), ("B", &backup)], &[HOLD, CLEAR, DROP]).await
    }

    async fn remove(&self, doing: &str, pairs: &[(&str, &str)], parts: &[&str]) -> Result<(), Fault> {
        let script = format!("{HEAD}{}{}echo @end\n", variables(pairs), parts.concat());
        let output = self.change(doing, &script, &[]).await?;
        super::script::lines(&output.0).map(|_| ()).map_err(|why| self.garbled(doing, why))
    }
}
