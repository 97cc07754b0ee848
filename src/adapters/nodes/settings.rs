//! The settings files of a node: the part of a script that prints the wanted options and nothing else of them, and how it is read. What
//! they mean is `domain::fernet::settings`.

use super::script::Lines;
use crate::domain::fernet::oslo::File;
use crate::domain::sanitize::sanitize;

/// Most files that are read.
pub(super) const MOST_FILES: usize = 64;

/// The options that leave the node. The same file holds the database's password and others: no line passes that is not one of these.
/// Of `backend_argument` only the address passes, and no address with the login that may stand in it.
const WANTED: &str = "token.provider token.expiration token.allow_expired_window token.caching token.cache_on_issue \
                      fernet_tokens.key_repository fernet_tokens.max_active_keys fernet_receipts.key_repository \
                      fernet_receipts.max_active_keys credential.key_repository cache.enabled cache.backend \
                      cache.memcache_servers cache.redis_server cache.redis_sentinels cache.backend_argument";

/// The shell function `settings FILE...`: every line of a file becomes a line `|...`, so that line numbers hold: a wanted option as it
/// is, anything else as a comment, and what oslo.config would not understand as something that it does not understand.
pub(super) fn function() -> String {
    let awk = r##"
BEGIN { n = split(wanted, list, " "); for (i = 1; i <= n; i++) want[list[i]] = 1 }
{ sub(/[ \t\r]+$/, "") }
/^$/ { print "|"; open = 0; next }
/^[ \t]/ { if (open == 0) print "| ?"; else if (open == 2) print "|" masked($0); else print "|#"; next }
/^\[/ { print "|" $0; section = tolower($0); gsub(/^\[|\]$/, "", section); open = 0; next }
/^[#;]/ { print "|#"; open = 0; next }
!/[:=]/ { print "|?"; open = 0; next }
{ key = $0; sub(/[ \t]*[:=].*$/, "", key)
  if (section == "") { print "|?"; open = 0; next }
  name = section "." key
  if (name in want) {
    if (key == "backend_argument" && $0 !~ /[:=][ \t]*url:/) { open = 1; print "|#"; next }
    open = 2; print "|" masked($0) } else { open = 1; print "|#" } }
function masked(s) { gsub(/\/\/[^, ]*@/, "//", s); gsub(/[^,= \/]*@/, "", s); return s }
"##;
    // awk's program stands in double quotes of nobody: it is set by a here-document, so that the script has no single quotes in it.
    format!(
        "A=$(cat <<\"EOA\"\n{awk}EOA\n)\nW=\"{WANTED}\"\nsettings() {{ for c in \"$@\"; do\n  if [ ! -e \"$c\" ]; then continue; fi\n  \
         printf \"@file\\t%s\\n\" \"$c\"\n  if [ -r \"$c\" ] && [ -f \"$c\" ]; then head -c 1048576 \"$c\" | awk -v wanted=\"$W\" \
         \"$A\"; else echo \"@unreadable\"; fi\ndone; }}\n"
    )
}

/// Reads the files of an answer, in their order. `text` is the whole answer, since lines of files do not begin with `@`.
pub(super) fn read(text: &str) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("@file\t") {
            is_open = files.len() < MOST_FILES;
            if is_open {
                files.push(File { path: sanitize(path), text: String::new() });
            }
        } else if line.starts_with('@') {
            is_open = false;
        } else if let (true, Some(of_file), Some(file)) = (is_open, line.strip_prefix('|'), files.last_mut()) {
            file.text.push_str(of_file);
            file.text.push('\n');
        }
    }
    files
}

/// The files that are there and can't be read.
pub(super) fn unreadable(answer: &Lines<'_>) -> Vec<String> {
    let pairs = answer.all.windows(2).filter(|pair| pair[0].0 == "file" && pair[1].0 == "unreadable");
    pairs.filter_map(|pair| pair[0].1.first().map(|path| sanitize(path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fernet::oslo::Options;
    use crate::domain::fernet::settings::Settings;

    fn passed(text: &str) -> (String, Vec<File>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystone.conf");
        std::fs::write(&path, text).unwrap();
        let script = format!("{}settings {}\necho @end\n", function(), path.display());
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let files = read(&said);
        (said, files)
    }

    const FILE: &str = "[DEFAULT]\ntransport_url = rabbit://me:PASSWORD@r\nadmin_token=PASSWORD\n  PASSWORD\n\n[database]\n\
                        connection = mysql+pymysql://k:PASSWORD@db/keystone\nPASSWORD_x = 1\n[Token]\nexpiration = 7200\n\
                        # PASSWORD\nallow_expired_window:60\n[cache]\nbackend = dogpile.cache.redis\n\
                        backend_argument = url:redis://u:PASSWORD@r:6379/0\nbackend_argument = password:PASSWORD\n\
                        memcache_servers = u:PASSWORD@m1:11211,m2:11211\n\n[fernet_tokens]\nmax_active_keys = 5\n";

    #[test]
    fn only_the_wanted_options_leave_the_node_and_no_password_does() {
        let (said, files) = passed(FILE);
        assert!(!said.contains("PASSWORD"), "{said}");
        assert_eq!(files[0].text.lines().count(), FILE.lines().count(), "line numbers hold");
        let settings = Settings::of(&Options::read(&files).unwrap()).unwrap();
        assert_eq!(
            (settings.expiration, settings.allow_expired_window, settings.tokens.max_active_keys),
            (7200, 60, 5)
        );
        assert!(settings.cache.is_shared());
        assert_eq!(settings.cache.servers, ["m1:11211", "m2:11211", "redis://r:6379/0"]);
    }

    #[test]
    fn what_passes_means_what_the_whole_file_means() {
        // Continuations of wanted and unwanted options, a blank line that ends one, odd spacing.
        let text = "[fernet_tokens]\nkey_repository =\n   /srv/keys\nother = 1\n  2\nmax_active_keys   :  7\n\n[token]\nexpiration= 9\n";
        let whole = Options::read(&[File { path: "x".into(), text: text.into() }]).unwrap();
        let part = Options::read(&passed(text).1).unwrap();
        for (section, key) in
            [("fernet_tokens", "key_repository"), ("fernet_tokens", "max_active_keys"), ("token", "expiration")]
        {
            assert_eq!(part.get(section, key), whole.get(section, key), "{key}");
            assert!(part.get(section, key).is_some());
        }
    }

    #[test]
    fn a_file_with_which_keystone_would_not_start_is_broken_here_at_the_same_line() {
        for text in [
            "[a]\nx = 1\nPASSWORD\n",
            "[a]\n\n  PASSWORD\n",
            "x = PASSWORD\n",
            "[token\nx=1\n",
            "[a]\n# c\n PASSWORD\n",
        ] {
            let whole = Options::read(&[File { path: "p".into(), text: text.into() }]).unwrap_err();
            let (said, files) = passed(text);
            assert_eq!(Options::read(&files).unwrap_err().line, whole.line, "{text:?}");
            assert!(!said.contains("PASSWORD"), "{said}");
        }
    }
}
