//! What `keystone.conf` says about keys, tokens and caches, with Keystone's defaults, and whether all nodes say the same.
//! How the files are read is `oslo`.

use super::agreement::names;
use super::interval::{self, Lifetimes};
use super::oslo::Options;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where tokens' and receipts' keys lie by default (keystone/conf/fernet_tokens.py, fernet_receipts.py).
const KEYS: &str = "/etc/keystone/fernet-keys/";
/// Where credentials' keys lie by default (keystone/conf/credential.py).
const CREDENTIAL_KEYS: &str = "/etc/keystone/credential-keys/";

/// One repository's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySettings {
    /// The folder, without a slash at its end.
    pub path: String,
    /// How many keys a rotation leaves, the staged one included.
    pub max_active_keys: u32,
}

/// Where Keystone keeps what it has looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// `[cache] enabled`.
    pub is_enabled: bool,
    /// The dogpile backend.
    pub backend: String,
    /// Its servers as they are written, passwords never among them.
    pub servers: Vec<String>,
    /// Whether validated tokens are kept in it (`[token] caching`).
    pub keeps_tokens: bool,
    /// Whether issued tokens are put into it at once (`[token] cache_on_issue`).
    pub keeps_issued: bool,
}

impl Cache {
    /// Whether one node may answer for a token from what another has put into the cache: then a token that is accepted proves
    /// nothing about keys. Seen: a matrix of 200 everywhere while the key sets disagreed.
    pub fn is_shared(&self) -> bool {
        // Within one process, or nowhere.
        let own = ["dogpile.cache.null", "dogpile.cache.memory", "oslo_cache.dict", "dogpile.cache.memory_pickle"];
        self.is_enabled && (self.keeps_tokens || self.keeps_issued) && !own.contains(&self.backend.as_str())
    }
}

/// The settings of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `[token] provider`.
    pub provider: String,
    /// `[token] expiration`, s.
    pub expiration: u64,
    /// `[token] allow_expired_window`, s: so much longer may a service look up a user's expired token.
    pub allow_expired_window: u64,
    /// The tokens' keys.
    pub tokens: KeySettings,
    /// The receipts' keys.
    pub receipts: KeySettings,
    /// The credentials' folder, without a slash at its end.
    pub credential_path: String,
    /// The cache.
    pub cache: Cache,
}

/// A value that Keystone itself refuses, or that can't be understood from the file alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read [{section}] {key}: {value:?} {why}")]
pub struct BadValue {
    /// The section.
    pub section: &'static str,
    /// The option.
    pub key: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub why: &'static str,
}

struct Reading<'a>(&'a Options);

impl Reading<'_> {
    fn text(&self, section: &'static str, key: &'static str, default: &str) -> String {
        self.0.get(section, key).unwrap_or_else(|| default.to_owned())
    }

    fn number(&self, section: &'static str, key: &'static str, least: u64, default: u64) -> Result<u64, BadValue> {
        let Some(value) = self.0.get(section, key) else { return Ok(default) };
        // Python's int() takes underscores between digits and a plus sign too.
        let digits = value.trim().trim_start_matches('+').replace('_', "");
        match digits.parse::<u64>() {
            Ok(number) if number >= least => Ok(number),
            Ok(_) => Err(BadValue { section, key, value, why: "is below what Keystone permits" }),
            Err(_) => Err(BadValue { section, key, value, why: "is not a whole number" }),
        }
    }

    fn truth(&self, section: &'static str, key: &'static str, default: bool) -> Result<bool, BadValue> {
        let Some(value) = self.0.get(section, key) else { return Ok(default) };
        match value.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err(BadValue { section, key, value, why: "is neither true nor false" }),
        }
    }

    fn path(&self, section: &'static str, key: &'static str, default: &str) -> Result<String, BadValue> {
        let value = self.text(section, key, default);
        let bad = |why| BadValue { section, key, value: value.clone(), why };
        if value.contains('$') {
            return Err(bad("refers to an option that is not known here; write the path itself"));
        }
        if !value.starts_with('/') || value.chars().any(char::is_control) || value.split('/').any(|part| part == "..") {
            return Err(bad("is not an absolute path"));
        }
        let bare = value.trim_end_matches('/');
        if bare.is_empty() { Err(bad("is the root of the file system")) } else { Ok(bare.to_owned()) }
    }

    fn keys(&self, section: &'static str) -> Result<KeySettings, BadValue> {
        let max = self.number(section, "max_active_keys", 1, 3)?;
        let max_active_keys = u32::try_from(max).unwrap_or(u32::MAX);
        Ok(KeySettings { path: self.path(section, "key_repository", KEYS)?, max_active_keys })
    }
}

impl Settings {
    /// The settings, with Keystone's defaults (keystone/conf/) where nothing is said. Errors: a value that Keystone refuses too, or
    /// a path that refers to something unknown.
    pub fn of(options: &Options) -> Result<Self, BadValue> {
        let read = Reading(options);
        let servers = ["memcache_servers", "redis_server", "redis_sentinels"].map(|key| options.get("cache", key));
        let named =
            servers.into_iter().flatten().flat_map(|list| list.split(',').map(without_login).collect::<Vec<_>>());
        let urls = options.all("cache", "backend_argument").iter().filter_map(|argument| argument.strip_prefix("url:"));
        let mut servers: Vec<String> = named.chain(urls.map(without_login)).filter(|one| !one.is_empty()).collect();
        servers.dedup();
        Ok(Self {
            provider: read.text("token", "provider", "fernet"),
            expiration: read.number("token", "expiration", 0, 3600)?,
            allow_expired_window: read.number("token", "allow_expired_window", 0, 172_800)?,
            tokens: read.keys("fernet_tokens")?,
            receipts: read.keys("fernet_receipts")?,
            credential_path: read.path("credential", "key_repository", CREDENTIAL_KEYS)?,
            cache: Cache {
                // Keystone sets oslo.cache's own default (false) to true (keystone/conf/__init__.py).
                is_enabled: read.truth("cache", "enabled", true)?,
                backend: read.text("cache", "backend", "dogpile.cache.null"),
                servers,
                keeps_tokens: read.truth("token", "caching", true)?,
                keeps_issued: read.truth("token", "cache_on_issue", true)?,
            },
        })
    }

    /// Whether receipts have a repository of their own: then `fernet_rotate` rotates both, each by its own `max_active_keys`.
    pub fn has_own_receipts(&self) -> bool {
        self.tokens.path != self.receipts.path
    }

    /// How long a key is needed, with these margins in seconds.
    pub fn lifetimes(&self, distribution: u64, skew: u64) -> Lifetimes {
        Lifetimes { expiration: self.expiration, window: self.allow_expired_window, distribution, skew }
    }

    /// Why these settings forbid a rotation; each with its remedy. Empty where they permit it.
    pub fn objections(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        let mut say = |message: String, advice: String| found.push(Objection { message, advice });
        if self.provider != "fernet" {
            say(
                format!("[token] provider is {:?}: these tokens have no Fernet keys", self.provider),
                "set it to fernet, or leave this cluster out".into(),
            );
        }
        let mut sections = vec![("fernet_tokens", &self.tokens)];
        if self.has_own_receipts() {
            sections.push(("fernet_receipts", &self.receipts));
        }
        for (section, keys) in sections {
            if keys.max_active_keys < interval::LEAST_KEYS {
                let most = keys.max_active_keys;
                say(
                    format!("[{section}] max_active_keys is {most}: {}", interval::too_few(most)),
                    format!(
                        "set it to 3 or more on every node: with {} keys a token lives through one rotation",
                        interval::LEAST_KEYS
                    ),
                );
            }
        }
        for (what, path) in [("tokens", &self.tokens.path), ("receipts", &self.receipts.path)] {
            if *path == self.credential_path {
                say(
                    format!(
                        "{what} and credentials share {path}: a rotation would purge keys that stored credentials need"
                    ),
                    "give [credential] key_repository a folder of its own (keystone-manage doctor says so too)".into(),
                );
            }
        }
        found
    }

    /// The options as they are compared and shown, in a fixed order.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let cache = &self.cache;
        vec![
            ("[token] provider", self.provider.clone()),
            ("[token] expiration", self.expiration.to_string()),
            ("[token] allow_expired_window", self.allow_expired_window.to_string()),
            ("[fernet_tokens] key_repository", self.tokens.path.clone()),
            ("[fernet_tokens] max_active_keys", self.tokens.max_active_keys.to_string()),
            ("[fernet_receipts] key_repository", self.receipts.path.clone()),
            ("[fernet_receipts] max_active_keys", self.receipts.max_active_keys.to_string()),
            ("[credential] key_repository", self.credential_path.clone()),
            ("[cache] enabled", cache.is_enabled.to_string()),
            ("[cache] backend", cache.backend.clone()),
            ("[cache] servers", cache.servers.join(",")),
            ("[token] caching", cache.keeps_tokens.to_string()),
            ("[token] cache_on_issue", cache.keeps_issued.to_string()),
        ]
    }
}

/// A reason not to rotate that lies in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// What.
    pub message: String,
    /// What to do.
    pub advice: String,
}

/// An option on which nodes differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The option with its section.
    pub option: String,
    /// Each value with the nodes that have it, the most frequent first.
    pub values: Vec<(String, Vec<String>)>,
}

impl Divergence {
    /// `[token] expiration is 7200 on node2, 3600 on node0 and node1`.
    pub fn message(&self) -> String {
        let each = self.values.iter().rev().map(|(value, nodes)| format!("{value} on {}", names(nodes)));
        format!("{} is {}", self.option, each.collect::<Vec<_>>().join(", "))
    }
}

/// The options on which nodes differ.
pub fn divergences(nodes: &[(String, Settings)]) -> Vec<Divergence> {
    let mut found: Vec<(&'static str, BTreeMap<String, Vec<String>>)> = Vec::new();
    for (node, settings) in nodes {
        for (at, (option, value)) in settings.lines().into_iter().enumerate() {
            if found.len() == at {
                found.push((option, BTreeMap::new()));
            }
            found[at].1.entry(value).or_default().push(node.clone());
        }
    }
    let divergence = |(option, values): (&str, BTreeMap<String, Vec<String>>)| {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
        (values.len() > 1).then(|| Divergence { option: option.to_owned(), values })
    };
    found.into_iter().filter_map(divergence).collect()
}

/// The settings by which to reckon where nodes differ: the longest times and the fewest keys of all. None of no node.
pub fn strictest(nodes: &[(String, Settings)]) -> Option<Settings> {
    let mut all = nodes.iter().map(|(_, settings)| settings);
    let first = all.next()?.clone();
    Some(all.fold(first, |mut kept, one| {
        kept.expiration = kept.expiration.max(one.expiration);
        kept.allow_expired_window = kept.allow_expired_window.max(one.allow_expired_window);
        kept.tokens.max_active_keys = kept.tokens.max_active_keys.min(one.tokens.max_active_keys);
        kept.receipts.max_active_keys = kept.receipts.max_active_keys.min(one.receipts.max_active_keys);
        kept
    }))
}

/// An address without the user and password that may stand in it.
fn without_login(text: &str) -> String {
    let text = text.trim();
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &text[..scheme + 3], &text[at + 1..]),
        (None, Some(at)) => text[at + 1..].to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::oslo::File;
    use super::*;

    fn settings(text: &str) -> Result<Settings, BadValue> {
        Settings::of(&Options::read(&[File { path: "keystone.conf".into(), text: text.into() }]).unwrap())
    }

    #[test]
    fn an_empty_file_has_keystones_defaults() {
        let read = settings("").unwrap();
        assert_eq!((read.expiration, read.allow_expired_window, read.tokens.max_active_keys), (3600, 172_800, 3));
        assert_eq!(read.tokens.path, "/etc/keystone/fernet-keys");
        assert!(!read.has_own_receipts() && read.objections().is_empty() && !read.cache.is_shared());
    }

    #[test]
    fn one_and_two_keys_are_refused_with_the_reason() {
        for (most, why) in [(1, "one rotation ends every token"), (2, "one rotation ends every token")] {
            let read = settings(&format!("[fernet_tokens]\nmax_active_keys={most}\n")).unwrap();
            let objections = read.objections();
            assert_eq!(objections.len(), 1, "{objections:?}");
            assert!(objections[0].message.contains(why), "{}", objections[0].message);
        }
        assert!(settings("[fernet_tokens]\nmax_active_keys=0\n").is_err(), "Keystone's own minimum is 1");
        let own = "[fernet_receipts]\nkey_repository=/etc/keystone/receipts\nmax_active_keys=2\n";
        assert!(settings(own).unwrap().objections()[0].message.starts_with("[fernet_receipts]"));
        let shared = "[fernet_receipts]\nmax_active_keys=2\n";
        assert!(settings(shared).unwrap().objections().is_empty(), "of a shared folder only the tokens' number counts");
    }

    #[test]
    fn credentials_in_the_same_folder_are_refused_whatever_the_slash() {
        let read = settings("[credential]\nkey_repository=/etc/keystone/fernet-keys\n").unwrap();
        assert_eq!(read.objections().len(), 2, "tokens and receipts");
        assert!(read.objections()[0].message.contains("stored credentials"));
    }

    #[test]
    fn a_cache_is_shared_where_tokens_are_in_it_and_others_reach_it() {
        let memcached = "[cache]\nbackend=dogpile.cache.memcached\nmemcache_servers=10.0.0.1:11211,10.0.0.2:11211\n";
        let read = settings(memcached).unwrap();
        assert!(read.cache.is_shared());
        assert_eq!(read.cache.servers, ["10.0.0.1:11211", "10.0.0.2:11211"]);
        for change in [
            "[cache]\nenabled=off\n",
            "[cache]\nbackend=dogpile.cache.memory\n",
            "[token]\ncaching=0\ncache_on_issue=no\n",
        ] {
            assert!(!settings(&format!("{memcached}{change}")).unwrap().cache.is_shared(), "{change}");
        }
        assert!(
            settings(&format!("{memcached}[token]\ncaching=no\n")).unwrap().cache.is_shared(),
            "issued ones are put in"
        );
        let redis =
            settings("[cache]\nbackend_argument=url:redis://me:pass@r:6379/0\nmemcache_servers=u:p@m:1\n").unwrap();
        assert_eq!(redis.cache.servers, ["m:1", "redis://r:6379/0"]);
    }

    #[test]
    fn what_can_not_be_understood_is_refused_by_name() {
        for (text, says) in [
            ("[token]\nexpiration=soon\n", "read [token] expiration: \"soon\" is not a whole number"),
            ("[token]\nexpiration=-1\n", "is not a whole number"),
            ("[cache]\nenabled=maybe\n", "neither true nor false"),
            ("[fernet_tokens]\nkey_repository=$state/x\n", "refers to an option"),
            ("[fernet_tokens]\nkey_repository=keys\n", "not an absolute path"),
            ("[fernet_tokens]\nkey_repository=/a/../b\n", "not an absolute path"),
            ("[fernet_tokens]\nkey_repository=//\n", "root"),
        ] {
            let bad = settings(text).unwrap_err().to_string();
            assert!(bad.contains(says), "{bad}");
        }
    }

    #[test]
    fn settings_that_differ_are_named_with_their_nodes_and_the_strictest_counts() {
        let nodes: Vec<_> = [3600, 3600, 7200]
            .iter()
            .enumerate()
            .map(|(at, e)| (format!("node{at}"), settings(&format!("[token]\nexpiration={e}\n")).unwrap()))
            .collect();
        let told: Vec<_> = divergences(&nodes).iter().map(Divergence::message).collect();
        assert_eq!(told, ["[token] expiration is 7200 on node2, 3600 on node0 and node1"]);
        assert_eq!(strictest(&nodes).unwrap().expiration, 7200);
        assert!(divergences(&nodes[..2]).is_empty() && strictest(&[]).is_none());
    }
}
