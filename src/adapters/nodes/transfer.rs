//! Keys from a node, and keys to a node: a tar stream on standard output and input. What is placed lies beside the live repository as
//! [`Place::next`]; putting it in force is `install`.

use super::listing::{self, LIST};
use super::script::{HEAD, checked_tag, lines, variables};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::repository::Keys;
use crate::engine::ports::nodes::{KeyArchive, Place, Placed};

const FETCH: &str = r#"if [ ! -d "$D" ]; then stop missing "there is no folder $D"; fi
cd "$D" || exit 1
set --
for f in *; do case "$f" in *[!0-9]*) ;; *) if [ -f "$f" ]; then set -- "$@" "$f"; fi ;; esac; done
if [ $# = 0 ]; then stop missing "there is no key in $D"; fi
exec tar -chf - -- "$@"
"#;

/// `W` is what must lie there, one `DIGEST  INDEX` a line as `sha256sum` prints it. Owner and mode are those of the live repository and its newest key. It becomes
/// `.next` by a rename when it is whole, right by every digest, and on the disk. What lies there of this very case (`K`) and is not this is
/// of a rotation that was killed before its result was known: it gives way.
const PLACE: &str = r#"hold "$R"
want=$(printf "%s\n" "$W" | sort)
same() { if [ "$(cd "$1" && sha256sum -- * 2>/dev/null | sort)" = "$want" ]; then return 0; fi
  [ "$(for f in "$1"/*; do printf "%s  %s\n" "$(sum "$f")" "${f##*/}"; done | sort)" = "$want" ]; }
if [ -d "$R.next" ]; then
  if same "$R.next"; then cat > /dev/null; echo "@found"; list "$R.next"; echo @end; exit 0; fi
  if [ "$(case_of "$R")" != "$K" ]; then stop content "$R.next is there and holds other keys than these"; fi
  rm -rf "$R.next"
fi
rm -rf "$R.next.tmp"; mkdir "$R.next.tmp" || stop room "a folder beside $R can not be made"
tar -xf - -C "$R.next.tmp" || { rm -rf "$R.next.tmp"; stop room "the keys could not be unpacked beside $R"; }
if ! same "$R.next.tmp"; then rm -rf "$R.next.tmp"; stop wrong "what arrived beside $R is not what was sent"; fi
like=$R; for f in "$R"/*; do case "${f##*/}" in *[!0-9]*) ;; *) if [ -f "$f" ]; then like=$f; fi ;; esac; done
o=$(stat -L -c %u:%g "$like"); m=600; if [ "$like" != "$R" ]; then m=$(stat -L -c %a "$like"); fi
chown "$o" "$R.next.tmp"/* && chmod "$m" "$R.next.tmp"/* || stop owner "owner $o and mode $m can not be given"
chown "$(stat -L -c %u:%g "$R")" "$R.next.tmp" && chmod "$(stat -L -c %a "$R")" "$R.next.tmp" || stop owner "the owner of $R can not be given"
flush "$R.next.tmp"/* "$R.next.tmp"
printf "%s" "$K" > "$R.next.case" && mv "$R.next.tmp" "$R.next" || exit 1
flush "${R%/*}"
list "$R.next"
echo @end
"#;

impl NodeShell {
    /// Fetches the keys of a folder (the prepared one, a backup, the live one), each checked against the digest that is expected of it.
    /// Changes nothing.
    ///
    /// Errors: there is no such folder, what comes is no stream of keys, or other keys than `expected`.
    pub async fn fetch(&self, folder: &str, expected: &Keys) -> Result<KeyArchive, Fault> {
        let doing = "fetch the keys";
        let script = format!("{HEAD}{}{FETCH}", variables(&[("D", Place::new(folder)?.live())]));
        let output = self.read(doing, &script).await?;
        let archive = KeyArchive::read(&output.0).map_err(|why| self.garbled(doing, why))?;
        if archive.digests() == *expected {
            return Ok(archive);
        }
        let text = format!("{doing} on {}: {folder} holds other keys than were seen there before", self.name());
        Err(Fault::new(Service::Node, FaultKind::Conflict, text)
            .hint("nothing was changed; somebody else is at work there: look again before anything is done"))
    }

    /// Places keys beside the live repository, with its owner and mode. Run twice it finds what it placed; what others have placed there
    /// is never overwritten. `tag` is the case's.
    ///
    /// Errors: the node can't be reached, there is no live repository, no room, what arrived is not what was sent, or something else lies
    /// there.
    pub async fn place(&self, place: &Place, tag: &str, archive: &KeyArchive) -> Result<Placed, Fault> {
        let doing = "place the next keys";
        let wanted: Vec<String> =
            archive.digests().iter().map(|(index, digest)| format!("{}  {index}", digest.hex())).collect();
        let variables = variables(&[("R", place.live()), ("K", checked_tag(tag)?), ("W", &wanted.join("\n"))]);
        let stream = archive.write();
        let output = self.change(doing, &format!("{HEAD}{LIST}{variables}{PLACE}"), &stream).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let next = seen.into_iter().next().ok_or_else(|| self.garbled(doing, "no folder was listed"))?;
        if next.digests() == archive.digests() {
            return Ok(Placed { next, was_there: answer.first("found").is_some() });
        }
        Err(self.garbled(doing, "the placed keys are not those that were sent"))
    }
}
