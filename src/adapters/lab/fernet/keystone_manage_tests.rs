//! `keystone-manage` of the lab against what was observed of the real one.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::keystone_manage::run;
use super::repository::{fill, state};

struct Stand {
    root: tempfile::TempDir,
}

impl Stand {
    /// A folder in steady state with so many keys, and its configuration.
    fn new(most: usize) -> Stand {
        let stand = Stand { root: tempfile::tempdir().unwrap() };
        let last = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let key = |n: u64| Zeroizing::new([n as u8; 32]);
        fill(&stand.keys(), most, last, Duration::from_secs(1000), &key).unwrap();
        stand.configure("keystone.conf", &stand.keys(), &stand.keys(), most);
        stand
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn keys(&self) -> PathBuf {
        self.path("keys")
    }

    fn configure(&self, name: &str, tokens: &Path, receipts: &Path, most: usize) {
        let (tokens, receipts, log) = (tokens.display(), receipts.display(), self.root.path().display());
        let text = format!(
            "[DEFAULT]\nlog_dir = {log}\nlog_file = log\n[fernet_tokens]\nkey_repository = {tokens}\n\
             max_active_keys = {most}\n[fernet_receipts]\nkey_repository = {receipts}\nmax_active_keys = {most}\n"
        );
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Exit status, and what went to standard error.
    fn manage(&self, words: &str, step: &mut dyn FnMut()) -> (u8, String) {
        let conf = self.path("keystone.conf").display().to_string();
        let words: Vec<String> = format!("--config-file {conf} {words}").split(' ').map(str::to_owned).collect();
        let mut err = Vec::new();
        let done = run(&words, step, &mut err);
        let err = String::from_utf8(err).unwrap();
        match done {
            Ok(()) => (0, err),
            Err(said) => (said.status, err + &said.text),
        }
    }

    fn rotate(&self) -> u8 {
        self.manage(&format!("fernet_rotate {OWNER}"), &mut || {}).0
    }

    fn names(&self) -> Vec<String> {
        state(&self.keys()).into_iter().map(|key| key.name).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

const OWNER: &str = "--keystone-user keystone --keystone-group keystone";

#[test]
fn a_rotation_promotes_the_staged_key_makes_a_new_one_and_purges_the_lowest() {
    let stand = Stand::new(3);
    let before = state(&stand.keys());
    assert_eq!(stand.rotate(), 0);
    let after = state(&stand.keys());
    assert_eq!(stand.names(), ["0", "17", "18"]);
    // The promoted file is the staged one, with its time: a rename keeps it.
    assert_eq!((&after[2].digest, after[2].modified), (&before[0].digest, before[0].modified));
    assert_eq!(after[1], before[2]);
    assert_ne!(after[0].digest, before[0].digest);
    assert!(after.iter().all(|key| key.mode == 0o600));
    assert_eq!(std::fs::metadata(stand.keys().join("0")).unwrap().len(), 44);
    let log = stand.log();
    for said in
        ["Starting key rotation with 3 key files", "Promoted key 0 to be the primary: 18", "Excess key to purge: "]
    {
        assert!(log.contains(said), "{log}");
    }
}

#[test]
fn a_lowered_bound_purges_several_at_once_and_a_raised_one_none() {
    let stand = Stand::new(5);
    stand.configure("keystone.conf", &stand.keys(), &stand.keys(), 3);
    assert_eq!((stand.rotate(), stand.names()), (0, ["0", "17", "18"].map(str::to_owned).to_vec()));
    stand.configure("keystone.conf", &stand.keys(), &stand.keys(), 9);
    assert_eq!((stand.rotate(), stand.names()), (0, ["0", "17", "18", "19"].map(str::to_owned).to_vec()));
    stand.configure("keystone.conf", &stand.keys(), &stand.keys(), 1);
    assert_eq!((stand.rotate(), stand.names()), (0, vec!["0".to_owned()]));
}

#[test]
fn an_overriding_configuration_rotates_a_copy_and_leaves_the_live_folder_alone() {
    let stand = Stand::new(3);
    let copy = stand.path("keys.next");
    let last = UNIX_EPOCH + Duration::from_secs(1_000_000);
    fill(&copy, 3, last, Duration::from_secs(1000), &|n| Zeroizing::new([n as u8; 32])).unwrap();
    stand.configure("next.conf", &copy, &copy, 4);
    let before = state(&stand.keys());
    let next = stand.path("next.conf").display().to_string();
    assert_eq!(stand.manage(&format!("--config-file={next} fernet_rotate {OWNER}"), &mut || {}).0, 0);
    assert_eq!(state(&stand.keys()), before);
    let names: Vec<String> = state(&copy).into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["0", "16", "17", "18"]);
}

#[test]
fn a_missing_or_closed_folder_is_a_line_in_the_log_and_exit_status_0() {
    let stand = Stand::new(3);
    std::fs::rename(stand.keys(), stand.path("away")).unwrap();
    assert_eq!(stand.rotate(), 0);
    assert!(
        stand.log().contains("ERROR keystone.common.fernet_utils [-] Either [fernet_tokens] key_repository does not")
    );
    assert!(!stand.keys().exists());
}

#[test]
fn without_a_staged_key_a_rotation_fails_and_leaves_its_temporary_file() {
    let stand = Stand::new(3);
    std::fs::remove_file(stand.keys().join("0")).unwrap();
    assert_eq!((stand.rotate(), stand.names()), (1, ["0.tmp", "16", "17"].map(str::to_owned).to_vec()));
    std::fs::rename(stand.keys().join("0.tmp"), stand.keys().join("0")).unwrap();
    assert_eq!((stand.rotate(), stand.names()), (0, ["0", "17", "18"].map(str::to_owned).to_vec()));
}

#[test]
fn setup_does_nothing_where_a_staged_key_is_and_rotates_where_it_is_missing() {
    let stand = Stand::new(3);
    let before = state(&stand.keys());
    let set_up = format!("fernet_setup {OWNER}");
    assert_eq!((stand.manage(&set_up, &mut || {}).0, state(&stand.keys())), (0, before));
    assert!(stand.log().contains("Key repository is already initialized; aborting."));
    std::fs::remove_file(stand.keys().join("0")).unwrap();
    assert_eq!(
        (stand.manage(&set_up, &mut || {}).0, stand.names()),
        (0, ["0", "17", "18"].map(str::to_owned).to_vec())
    );
    std::fs::remove_dir_all(stand.keys()).unwrap();
    assert_eq!((stand.manage(&set_up, &mut || {}).0, stand.names()), (0, ["0", "1"].map(str::to_owned).to_vec()));
}

#[test]
fn receipts_of_a_folder_of_their_own_are_rotated_too_and_each_alone_when_asked() {
    let stand = Stand::new(3);
    let receipts = stand.path("receipts");
    let last = UNIX_EPOCH + Duration::from_secs(1_000_000);
    fill(&receipts, 3, last, Duration::from_secs(1000), &|n| Zeroizing::new([n as u8 + 100; 32])).unwrap();
    stand.configure("keystone.conf", &stand.keys(), &receipts, 3);
    let primaries = || [stand.keys(), receipts.clone()].map(|folder| state(&folder).last().unwrap().name.clone());
    assert_eq!((stand.rotate(), primaries()), (0, ["18", "18"].map(str::to_owned)));
    assert_eq!(stand.manage(&format!("token_rotate {OWNER}"), &mut || {}).0, 0);
    assert_eq!(primaries(), ["19", "18"]);
    assert_eq!(stand.manage(&format!("receipt_rotate {OWNER}"), &mut || {}).0, 0);
    assert_eq!(primaries(), ["19", "19"]);
}

#[test]
fn wrong_words_are_usage_and_unknown_people_and_files_are_errors() {
    let stand = Stand::new(3);
    let before = state(&stand.keys());
    for (words, status, said) in [
        ("fernet_rotate", 2, "--keystone-user, --keystone-group"),
        ("fernet_rotate --keystone-user keystone", 2, "required"),
        ("fernet_twist --keystone-user keystone --keystone-group keystone", 2, "invalid choice: 'fernet_twist'"),
        ("--no-such fernet_rotate", 2, "unrecognized"),
        ("fernet_rotate --keystone-user nobody-of-that-name --keystone-group keystone", 1, ""),
        ("--config-file /nowhere.conf fernet_rotate", 2, "required"),
        (
            "--config-file /nowhere.conf fernet_rotate --keystone-user keystone --keystone-group keystone",
            1,
            "/nowhere.conf",
        ),
    ] {
        let (code, text) = stand.manage(words, &mut || {});
        assert_eq!(code, status, "{words}: {text}");
        assert!(text.contains(said), "{words}: {text}");
    }
    assert!(stand.log().contains("Unknown user 'nobody-of-that-name' in --keystone-user"));
    assert_eq!(state(&stand.keys()), before);
}

#[test]
fn the_steps_of_a_rotation_are_four_and_each_leaves_what_a_kill_there_would() {
    let stand = Stand::new(3);
    let keys = stand.keys();
    let mut seen: Vec<Vec<String>> = Vec::new();
    let look = || state(&keys).into_iter().map(|key| key.name).collect();
    assert_eq!(stand.manage(&format!("fernet_rotate {OWNER}"), &mut || seen.push(look())).0, 0);
    let expected: [&[&str]; 4] =
        [&["0", "0.tmp", "16", "17"], &["0.tmp", "16", "17", "18"], &["0", "16", "17", "18"], &["0", "17", "18"]];
    assert_eq!(seen, expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()));
}

#[test]
fn without_a_log_file_the_log_is_on_standard_error_where_the_configuration_says_so() {
    let stand = Stand::new(3);
    let quiet = stand.path("quiet.conf");
    std::fs::write(&quiet, "[DEFAULT]\nlog_dir =\nlog_file =\nuse_stderr = true\n").unwrap();
    let words = format!("--config-file {} fernet_rotate {OWNER}", quiet.display());
    let (code, text) = stand.manage(&words, &mut || {});
    assert!(code == 0 && text.contains("Promoted key 0 to be the primary: 18"), "{text}");
    assert_eq!(stand.log(), "");
    assert_eq!(stand.manage(&format!("fernet_rotate {OWNER}"), &mut || {}), (0, String::new()));
    assert!(stand.log().contains("Promoted key 0 to be the primary: 19"));
}
