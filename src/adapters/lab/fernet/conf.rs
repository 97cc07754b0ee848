//! The `keystone.conf` of a node: what the lab writes, and the few options that its Keystone and its `keystone-manage` read,
//! as oslo.config reads them. Who acts on them is left to `node` and `keystone_manage`.
//!
//! Unlike Keystone, which reads it when it starts, the lab's nodes read it at each request.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// No configuration is longer, bytes.
const LONGEST: u64 = 1 << 20;

/// One repository of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// The section it is configured in, which the log names.
    pub(super) section: &'static str,
    /// The folder.
    pub(super) folder: PathBuf,
    /// How many keys a rotation leaves there.
    pub(super) most: usize,
}

/// The options that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conf {
    /// `[fernet_tokens]`.
    pub(super) tokens: Keys,
    /// `[fernet_receipts]`.
    pub(super) receipts: Keys,
    /// `[token] expiration`, seconds.
    pub(super) expiration: u64,
    /// `[token] allow_expired_window`, seconds.
    pub(super) window: u64,
    /// Whether tokens are cached where all nodes see it: `[cache]` with memcached, and `[token]` not opted out.
    pub(super) shared_cache: bool,
    /// The log; `None`: none is configured.
    pub(super) log: Option<PathBuf>,
    /// `[DEFAULT] use_stderr`: whether the log goes to standard error as well.
    pub(super) to_stderr: bool,
}

/// Why a configuration could not be read, in oslo.config's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfError {
    /// It is not there, or may not be read.
    #[error("oslo_config.cfg.ConfigFilesNotFoundError: Failed to find some config files: {}", .0.display())]
    NotFound(PathBuf),
    /// An option is not of its kind.
    #[error("oslo_config.cfg.ConfigFileValueError: Value for option {0} is not valid")]
    Value(String),
}

impl Conf {
    /// Of several files, of which the later win.
    pub(super) fn read(files: &[PathBuf]) -> Result<Conf, ConfError> {
        let mut options = HashMap::new();
        for file in files {
            let not_found = || ConfError::NotFound(file.clone());
            let size = std::fs::metadata(file).map_err(|_| not_found())?.len();
            let text = std::fs::read_to_string(file).ok().filter(|_| size <= LONGEST).ok_or_else(not_found)?;
            parse(&text, &mut options);
        }
        Conf::of(&options)
    }

    fn of(options: &HashMap<(String, String), String>) -> Result<Conf, ConfError> {
        let text = |section: &str, name: &str, default: &str| -> String {
            options.get(&(section.to_owned(), name.to_owned())).cloned().unwrap_or_else(|| default.to_owned())
        };
        let number = |section: &str, name: &str, default: u64| -> Result<u64, ConfError> {
            let value = text(section, name, &default.to_string());
            value.parse().map_err(|_| ConfError::Value(format!("{section}.{name}")))
        };
        let keys = |section: &'static str| -> Result<Keys, ConfError> {
            let most = number(section, "max_active_keys", 3)?;
            if most == 0 {
                return Err(ConfError::Value(format!("{section}.max_active_keys")));
            }
            let folder = PathBuf::from(text(section, "key_repository", "/etc/keystone/fernet-keys/"));
            Ok(Keys { section, folder, most: usize::try_from(most).unwrap_or(usize::MAX) })
        };
        let on = |section: &str, name: &str, default: &str| text(section, name, default).eq_ignore_ascii_case("true");
        let memcached = text("cache", "backend", "dogpile.cache.null").contains("memcache");
        let tokens_cached = on("token", "caching", "true") || on("token", "cache_on_issue", "true");
        let log = text("DEFAULT", "log_file", "");
        let log = Path::new(&text("DEFAULT", "log_dir", "")).join(log);
        Ok(Conf {
            tokens: keys("fernet_tokens")?,
            receipts: keys("fernet_receipts")?,
            expiration: number("token", "expiration", 3600)?,
            window: number("token", "allow_expired_window", 172_800)?,
            shared_cache: on("cache", "enabled", "true") && memcached && tokens_cached,
            log: log.is_absolute().then_some(log),
            to_stderr: on("DEFAULT", "use_stderr", "false"),
        })
    }
}

/// Sections, `name = value` or `name: value`, comments, continued lines that begin with a blank.
fn parse(text: &str, options: &mut HashMap<(String, String), String>) {
    let (mut section, mut last) = ("DEFAULT".to_owned(), None);
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || line.starts_with(['#', ';']) {
            last = None;
        } else if line.starts_with([' ', '\t']) {
            if let Some(value) = last.as_ref().and_then(|name| options.get_mut(name)) {
                value.push('\n');
                value.push_str(trimmed);
            }
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (section, last) = (name.trim().to_owned(), None);
        } else if let Some((name, value)) = line.split_once(['=', ':']) {
            let value = value.trim();
            let quoted = |q| value.len() > 1 && value.starts_with(q) && value.ends_with(q);
            let value = if quoted('"') || quoted('\'') { &value[1..value.len() - 1] } else { value };
            let name = (section.clone(), name.trim().to_owned());
            options.insert(name.clone(), value.to_owned());
            last = Some(name);
        }
    }
}

/// What the lab writes into a new node's configuration.
#[derive(Clone, Debug)]
pub(super) struct Written<'a> {
    /// The node's `etc/keystone`.
    pub(super) folder: &'a Path,
    /// The node's `var/log/keystone`.
    pub(super) log: &'a Path,
    /// Seconds.
    pub(super) expiration: u64,
    /// Seconds.
    pub(super) window: u64,
    /// Of the tokens, and of the receipts.
    pub(super) most: (usize, usize),
    /// Whether the receipts have a folder of their own.
    pub(super) receipts_apart: bool,
    /// Whether all nodes cache tokens in one memcached.
    pub(super) shared_cache: bool,
}

impl Written<'_> {
    /// The file's text.
    pub(super) fn text(&self) -> String {
        let Written { expiration, window, most, .. } = self;
        let (etc, log) = (self.folder.display(), self.log.display());
        let receipts = if self.receipts_apart { "fernet-receipts" } else { "fernet-keys" };
        let caching = if self.shared_cache { "" } else { "caching = false\ncache_on_issue = false\n" };
        let cache = if self.shared_cache {
            "backend = dogpile.cache.memcached\nmemcache_servers = 127.0.0.1:11211\n"
        } else {
            "backend = dogpile.cache.memory\n"
        };
        format!(
            "[DEFAULT]\nlog_dir = {log}\nlog_file = keystone.log\nuse_stderr = false\ndebug = false\n\
             [token]\nprovider = fernet\nexpiration = {expiration}\nallow_expired_window = {window}\n{caching}\
             [fernet_tokens]\nkey_repository = {etc}/fernet-keys/\nmax_active_keys = {}\n\
             [fernet_receipts]\nkey_repository = {etc}/{receipts}/\nmax_active_keys = {}\n\
             [credential]\nkey_repository = {etc}/credential-keys/\n\
             [cache]\nenabled = true\n{cache}",
            most.0, most.1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(shared_cache: bool, receipts_apart: bool) -> String {
        let (folder, log) = (Path::new("/n/etc/keystone"), Path::new("/n/var/log/keystone"));
        Written { folder, log, expiration: 15, window: 60, most: (4, 3), receipts_apart, shared_cache }.text()
    }

    fn read(texts: &[&str]) -> Result<Conf, ConfError> {
        let mut options = HashMap::new();
        texts.iter().for_each(|text| parse(text, &mut options));
        Conf::of(&options)
    }

    #[test]
    fn what_is_written_is_read() {
        let conf = read(&[&written(false, true)]).unwrap();
        assert_eq!((conf.expiration, conf.window, conf.shared_cache), (15, 60, false));
        assert_eq!((conf.tokens.most, conf.receipts.most), (4, 3));
        assert_eq!(conf.receipts.folder, Path::new("/n/etc/keystone/fernet-receipts/"));
        assert_eq!(conf.log.unwrap(), Path::new("/n/var/log/keystone/keystone.log"));
        assert!(read(&[&written(true, false)]).unwrap().shared_cache);
    }

    #[test]
    fn without_options_the_defaults_of_keystone_hold() {
        let conf = read(&[""]).unwrap();
        assert_eq!((conf.expiration, conf.window, conf.tokens.most), (3600, 172_800, 3));
        assert_eq!(conf.tokens.folder, conf.receipts.folder);
        assert_eq!((conf.log, conf.shared_cache), (None, false));
    }

    #[test]
    fn a_later_file_wins_and_a_comment_does_not() {
        let more = "[fernet_tokens]\nkey_repository: /elsewhere\n# max_active_keys = 9\nmax_active_keys = 5\n";
        let conf = read(&[&written(false, false), more]).unwrap();
        assert_eq!((conf.tokens.folder.as_path(), conf.tokens.most), (Path::new("/elsewhere"), 5));
        assert_eq!(conf.receipts.folder, Path::new("/n/etc/keystone/fernet-keys/"));
    }

    #[test]
    fn a_value_that_is_no_number_and_a_file_that_is_not_there_are_errors() {
        assert!(matches!(read(&["[token]\nexpiration = soon\n"]), Err(ConfError::Value(_))));
        assert!(matches!(read(&["[fernet_tokens]\nmax_active_keys = 0\n"]), Err(ConfError::Value(_))));
        let missing = PathBuf::from("/nowhere.conf");
        assert_eq!(Conf::read(std::slice::from_ref(&missing)), Err(ConfError::NotFound(missing)));
    }
}
