//! A rotation in a copy beside the live repository, which stays as it is: the digests of the result are known before any node changes.
//! Whether the copy is one rotation away is judged by `domain::fernet::rotation`, from what lies there and never from an exit status:
//! `keystone-manage fernet_rotate` ends with 0 when it has rotated nothing.

use super::listing::{self, LIST};
use super::script::{HEAD, checked_tag, lines, quoted, variables};
use super::shell::NodeShell;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::nodes::{Place, Prepare, Prepared};
use std::fmt::Write as _;

/// The configuration that overrides: both paths, and no log file. One that root's `keystone-manage` makes would be root's, and Keystone
/// could not write to it any more.
const OVERRIDE: &str = "[DEFAULT]\nlog_dir =\nlog_file =\nuse_stderr = true\nuse_syslog = false\n[fernet_tokens]\nkey_repository = TOKENS\n\
                        [fernet_receipts]\nkey_repository = RECEIPTS\n";

impl NodeShell {
    /// Copies the repositories, lets Keystone rotate in the copies once, and names them [`Place::next`]. Run twice it finds the first
    /// result and rotates nothing: one promotion a case. Killed before the end it leaves copies of which nobody has heard, and begins
    /// anew.
    ///
    /// Errors: the node can't be reached, there is no repository, no room, or Keystone has not rotated or not finished in a copy (which
    /// is removed then), with what it said. A result that is refused by `judge_prepared` is to be removed by [`NodeShell::clear`].
    pub async fn prepare(&self, prepare: &Prepare) -> Result<Prepared, Fault> {
        let doing = "prepare the next keys";
        let (output, said) = self.rotate(doing, &script(prepare)?).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let mut seen = listing::read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        let count = prepare.places().len();
        if seen.len() != 2 * count {
            return Err(self.garbled(doing, "a folder is missing in the answer"));
        }
        let next = seen.split_off(count);
        let status = answer.text("code").and_then(|code| code.parse().ok());
        Ok(Prepared { live: seen, next, was_there: answer.first("found").is_some(), status, said })
    }
}

fn script(prepare: &Prepare) -> Result<String, Fault> {
    let invalid =
        |what: &str| Fault::new(Service::Configuration, FaultKind::Invalid, format!("prepare the next keys: {what}"));
    let is_name = |text: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        (1..=32).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-')
    };
    if !is_name(&prepare.reader.user) || !is_name(&prepare.reader.group) {
        return Err(invalid("the user or group that Keystone runs as is no name"));
    }
    for path in &prepare.files {
        Place::new(path)?;
    }
    let places = prepare.places();
    let list = |suffix: &str| {
        places.iter().fold(String::new(), |mut text, place| {
            let _ = write!(text, " {}", quoted(&format!("{}{suffix}", place.live())));
            text
        })
    };
    let work = |place: &Place| format!("{}.next.tmp", place.live());
    let receipts = prepare.receipts.as_ref().unwrap_or(&prepare.tokens);
    let config = OVERRIDE.replace("TOKENS", &work(&prepare.tokens)).replace("RECEIPTS", &work(receipts));
    let files: String = prepare.files.iter().map(|path| format!(" --config-file {}", quoted(path))).collect();
    let variables = variables(&[
        ("R", prepare.tokens.live()),
        ("C", &config),
        ("K", checked_tag(&prepare.tag)?),
        ("U", &prepare.reader.user),
        ("G", &prepare.reader.group),
    ]);
    // A copy of what links lead to: a copied link would let Keystone rotate the live repository. Where two repositories are prepared,
    // the tokens' gets its name last: it stands for both.
    Ok(format!(
        r#"{HEAD}{LIST}{variables}hold "$R"
show() {{ for d in{all}; do list "$d"; done; for d in{all}; do list "$d.next"; done; echo @end; exit 0; }}
if [ -d "$R.next" ]; then
  c=$(case_of "$R"); if [ -n "$c" ] && [ "$c" != "$K" ]; then stop content "$R.next is there, of the case $c"; fi
  echo "@found"; show
fi
for d in{all}; do
  if [ ! -f "$d/0" ]; then stop missing "there is no staged key in $d"; fi
  rm -rf "$d.next.tmp" "$d.next"; mkdir "$d.next.tmp" && cp -RpL "$d/." "$d.next.tmp/" || stop room "a copy beside $d can not be made"
  chown "$(stat -L -c %u:%g "$d")" "$d.next.tmp" && chmod "$(stat -L -c %a "$d")" "$d.next.tmp" || stop owner "the owner of $d can not be given"
done
printf "%s" "$C" > "$R.next.conf" || stop room "a file beside $R can not be written"
chmod 644 "$R.next.conf"
{manage}{files} --config-file "$R.next.conf" fernet_rotate --keystone-user "$U" --keystone-group "$G" < /dev/null >&2
code=$?
echo "@code	$code"
rm -f "$R.next.conf"
for d in{all}; do
  if [ ! -f "$d.next.tmp/0" ] || [ -e "$d.next.tmp/0.tmp" ]; then rm -rf{copies}; stop unfinished "keystone-manage (status $code) has not finished its rotation in a copy of $d"; fi
  if [ "$(sum "$d/0")" = "$(sum "$d.next.tmp/0")" ]; then rm -rf{copies}; stop unfinished "keystone-manage (status $code) has rotated nothing in a copy of $d"; fi
  flush "$d.next.tmp"/* "$d.next.tmp"
done
for d in{backwards}; do printf "%s" "$K" > "$d.next.case" && mv "$d.next.tmp" "$d.next" || exit 1; done
flush "${{R%/*}}"
show
"#,
        all = list(""),
        copies = list(".next.tmp"),
        backwards = places.iter().rev().fold(String::new(), |text, place| format!("{text} {}", quoted(place.live()))),
        manage = quoted(&prepare.keystone_manage),
    ))
}
