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
echo @end
"#;

const DROP: &str = r#"for d in "$B" "$B.tmp" "$B.try"; do
  if [ -h "$d" ]; then rm -f "$d"; else rm -rf "$d"; fi || exit 1
done
flush "${B%/*}"
echo @end
"#;

impl NodeShell {
    /// Removes the prepared or placed repository beside the live one and every temporary file of ours; nothing there is fine.
    ///
    /// Errors: an earlier script is still at work on the repository, the node can't be reached.
    pub async fn clear(&self, place: &Place) -> Result<(), Fault> {
        let variables = variables(&[("R", place.live())]);
        // Where the live one is gone there is nothing to be held, and what lies beside it is removed all the same.
        let hold = "if [ -d \"$R\" ]; then hold \"$R\"; fi\n";
        self.remove("remove what was placed", &format!("{HEAD}{variables}{hold}{CLEAR}")).await
    }

    /// Removes a case's backup: afterwards there is no way back to the purged keys from this node.
    ///
    /// Errors: the tag is none, the node can't be reached.
    pub async fn drop_backup(&self, place: &Place, tag: &str) -> Result<(), Fault> {
        let folder = place.backup(checked_tag(tag)?);
        self.remove("remove the saved keys", &format!("{HEAD}{}{DROP}", variables(&[("B", &folder)]))).await
    }

    async fn remove(&self, doing: &str, script: &str) -> Result<(), Fault> {
        let output = self.change(doing, script, &[]).await?;
        super::script::lines(&output.0).map(|_| ()).map_err(|why| self.garbled(doing, why))
    }
}
