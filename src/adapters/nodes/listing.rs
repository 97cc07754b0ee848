//! What lies in a folder of keys, by digest: the part of a script that prints it, and how it is read. What is judged of it is
//! `domain::fernet`.

use super::script::{Lines, checked_tag, lines, variables};
use super::shell::NodeShell;
use crate::domain::fault::Fault;
use crate::domain::fernet::repository::{Access, Digest, Folder, KeyFile, MOST_KEYS, Repository, Stray};
use crate::domain::sanitize::sanitize;
use crate::engine::ports::nodes::Place;

/// Most strays that are kept of one folder.
const MOST_STRAYS: usize = 100;

/// The shell function `list FOLDER`. A key larger than 4 KiB is not read, and names are printed without what is not printable, so that
/// no name can look like a line of ours. Hidden files are files too: Keystone opens them.
///
/// Each program is asked once for all keys, for starting programs is what a listing costs. A file of 44 bytes with a line of a key's 44
/// characters is that line and nothing else, so its digest needs no trimming; what is otherwise is read by itself.
pub(super) const LIST: &str = r#"list() {
  printf "@folder\t%s\t" "$1"
  if [ ! -e "$1" ]; then echo missing; return 0; fi
  if [ ! -d "$1" ]; then echo "unreadable${T}it is no folder"; return 0; fi
  if [ ! -r "$1" ] || [ ! -x "$1" ]; then echo "unreadable${T}permission denied"; return 0; fi
  stat -L -c "seen${T}%a${T}%U${T}%G" "$1" || echo unreadable
  n=0; l=$1; set --
  for f in "$l"/* "$l"/.[!.]* "$l"/..?*; do
    if [ ! -e "$f" ] && [ ! -h "$f" ]; then continue; fi
    n=$((n+1)); if [ $n -gt 700 ]; then echo "@more"; break; fi
    b=${f##*/}
    case "$b" in
      0|[1-9]) k=1 ;;
      [1-9]*) case "${b#?}" in *[!0-9]*) k=0 ;; *) k=1 ;; esac ;;
      *) k=0 ;;
    esac
    if [ $k = 1 ] && [ ${#b} -le 9 ] && [ -f "$f" ]; then
      set -- "$@" "$f"
    else
      t=other; if [ -f "$f" ]; then t=file; fi
      printf "@stray\t%s\t%s\n" "$t" "$(printf "%s" "$b" | tr -c "[:print:]" "?")"
    fi
  done
  if [ $# = 0 ]; then return 0; fi
  a=$(stat -L -c "%n${T}%s${T}%Y${T}%a${T}%U${T}%G" "$@" 2>/dev/null)
  set --
  while IFS=$T read -r f size m; do if [ "$size" = 44 ]; then set -- "$@" "$f"; fi; done <<EOL
$a
EOL
  h=; w=
  if [ $# -gt 0 ]; then h="$N$(sha256sum "$@" 2>/dev/null)$N"; w="$N$(grep -lEx "[A-Za-z0-9_-]{43}=" "$@" 2>/dev/null)$N"; fi
  while IFS=$T read -r f size m; do
    if [ -z "$f" ]; then continue; fi
    d=-; k=0; x=${h%%"  $f$N"*}
    case "$w" in *"$N$f$N"*) if [ "$x" != "$h" ]; then d=${x##*"$N"}; k=1; fi ;; esac
    if [ $k = 0 ] && [ "$size" -le 4096 ]; then
      d=$(sum "$f") || d=-
      if tr -d "\n" < "$f" 2>/dev/null | grep -Eqx "[[:space:]]*[A-Za-z0-9_-]{43}=[[:space:]]*"; then k=1; fi
    fi
    printf "@key\t%s\t%s\t%s\t%s\t%s\n" "${f##*/}" "${d:--}" "$k" "$size" "$m"
  done <<EOL
$a
EOL
}
"#;

/// Reads all folders of an answer, in their order. Errors: a line that no such script prints.
pub(super) fn read(node: &str, answer: &Lines<'_>) -> Result<Vec<Repository>, &'static str> {
    let mut all: Vec<Repository> = Vec::new();
    for (name, fields) in &answer.all {
        match (*name, fields.as_slice()) {
            ("folder", [path, rest @ ..]) => {
                let folder = match rest {
                    ["missing"] => Folder::Missing,
                    ["unreadable", why] => Folder::Unreadable(sanitize(why)),
                    ["seen", mode, owner, group] => Folder::Seen(access(mode, owner, group)?),
                    _ => return Err("a line about a folder can't be understood"),
                };
                let path = sanitize(path);
                all.push(Repository { node: node.to_owned(), path, folder, keys: Default::default(), strays: vec![] });
            }
            ("key", [index, digest, is_well_formed, bytes, mtime, mode, owner, group]) => {
                let into = all.last_mut().ok_or("a key without a folder")?;
                if into.keys.len() == MOST_KEYS {
                    return Err("there are more than 512 keys in a folder");
                }
                let number = |text: &str| text.parse::<u64>().map_err(|_| "a number can't be understood");
                let digest = match *digest {
                    "-" => None,
                    text => Some(Digest::parse(text).map_err(|_| "a digest can't be understood")?),
                };
                let key = KeyFile {
                    digest,
                    is_well_formed: *is_well_formed == "1",
                    bytes: number(bytes)?,
                    mtime: mtime.parse().map_err(|_| "a time can't be understood")?,
                    access: access(mode, owner, group)?,
                };
                let index = index.parse().map_err(|_| "an index can't be understood")?;
                into.keys.insert(index, key);
            }
            ("stray", [kind, name]) => {
                let into = all.last_mut().ok_or("a file without a folder")?;
                if into.strays.len() < MOST_STRAYS {
                    into.strays.push(Stray { name: sanitize(name), is_file: *kind == "file" });
                }
            }
            ("more", _) => return Err("there are more than 700 files in a folder"),
            _ => {}
        }
    }
    Ok(all)
}

fn access(mode: &str, owner: &str, group: &str) -> Result<Access, &'static str> {
    let mode = u32::from_str_radix(mode, 8).map_err(|_| "a mode can't be understood")?;
    Ok(Access { owner: sanitize(owner), group: sanitize(group), mode: mode & 0o7777 })
}

impl NodeShell {
    /// Lists folders of keys: the live repositories, or what lies beside them ([`Place::next`], [`Place::backup`]). Changes nothing.
    ///
    /// Errors: the node can't be reached, or its answer is none.
    pub async fn list(&self, folders: &[String]) -> Result<Vec<Repository>, Fault> {
        let doing = "list the keys";
        let mut script = [super::script::HEAD, LIST].concat();
        for folder in folders {
            script.push_str(&variables(&[("D", folder)]));
            script.push_str("list \"$D\"\n");
        }
        script.push_str("echo @end\n");
        let output = self.read(doing, &script).await?;
        let answer = lines(&output.0).map_err(|why| self.garbled(doing, why))?;
        let seen = read(self.name(), &answer).map_err(|why| self.garbled(doing, why))?;
        if seen.len() == folders.len() {
            Ok(seen)
        } else {
            Err(self.garbled(doing, "a folder is missing in the answer"))
        }
    }

    /// The live repository and, where a case has saved it under `tag`, the prepared one and the backup beside it: what a resume looks at.
    /// Changes nothing. Errors as [`NodeShell::list`].
    pub async fn list_all(&self, place: &Place, tag: &str) -> Result<[Repository; 3], Fault> {
        let folders = [place.live().to_owned(), place.next(), place.backup(checked_tag(tag)?)];
        let seen = self.list(&folders).await?;
        seen.try_into().map_err(|_| self.garbled("list the keys", "a folder is missing in the answer"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shell::NodeParameters;
    use super::*;
    use crate::domain::fernet::finding::findings;
    use sha2::{Digest as _, Sha256};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn here() -> NodeShell {
        let command = ["sh", "-c", "sh -c {script}"].map(str::to_owned);
        NodeShell::new(NodeParameters::new("node1", &command)).unwrap()
    }

    #[tokio::test]
    async fn a_folder_is_read_by_digest_and_whatever_else_lies_in_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let key = "A".repeat(43) + "=";
        let write = |name: &str, text: &str| {
            std::fs::write(path.join(name), text).unwrap();
            std::fs::set_permissions(path.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        };
        write("0", &key);
        write("12", &format!("{key}\n"));
        write("3", "half");
        write("01", &key);
        write("0.tmp", &key);
        write(".hidden", "x");
        write("line\nbreak\t@key", "x");
        std::fs::create_dir(path.join("7")).unwrap();
        symlink("/nonexistent", path.join("dangling")).unwrap();
        let text = path.to_str().unwrap().to_owned();
        let seen = here().list(&[text.clone(), format!("{text}/none")]).await.unwrap();
        let digest = Digest::from_bytes(Sha256::digest(&key).into());
        let keys: Vec<_> =
            seen[0].keys.iter().map(|(i, k)| (*i, k.digest == Some(digest), k.is_well_formed, k.bytes)).collect();
        assert_eq!(keys, [(0, true, true, 44), (3, false, false, 4), (12, true, true, 45)]);
        assert!(seen[0].keys.values().all(|key| key.access.mode == 0o600 && key.mtime > 1_700_000_000));
        let mut strays: Vec<_> = seen[0].strays.iter().map(|s| (s.name.as_str(), s.is_file)).collect();
        strays.sort();
        assert_eq!(
            strays,
            [
                (".hidden", true),
                ("0.tmp", true),
                ("01", true),
                ("7", false),
                ("dangling", false),
                ("line?break?@key", true)
            ]
        );
        assert_eq!(seen[1].folder, Folder::Missing);
        assert!(findings(&seen[0], None).len() >= 7);
    }

    #[test]
    fn lines_that_no_script_prints_are_refused() {
        let refused = |text: &str| read("n", &lines(format!("{text}\n@end\n").as_bytes()).unwrap()).is_err();
        assert!(refused("@key\t0\t-\t1\t44\t1\t600\ta\tb"), "a key without a folder");
        assert!(refused("@folder\t/a\tseen\t9\ta\tb"));
        assert!(refused("@folder\t/a\tsomehow"));
        let head = "@folder\t/a\tmissing\n";
        assert!(refused(&format!("{head}@key\t0\tzz\t1\t44\t1\t600\ta\tb")));
        assert!(refused(&format!("{head}@key\t0\t-\t1\t44\tx\t600\ta\tb")));
        assert!(refused(&format!("{head}@more")));
        let many: String = (0..600).map(|n| format!("@key\t{n}\t-\t1\t44\t1\t600\ta\tb\n")).collect();
        assert!(refused(&format!("{head}{many}")));
        assert!(!refused(&format!("{head}@key\t0\t-\t1\t44\t1\t600\ta\tb")));
    }
}
