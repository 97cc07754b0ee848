//! The situations of a node's folder and what Keystone answers in each: one table, held against the lab here and against a real
//! Keystone in `fernet_live`.

use super::fernet_rig::{Rig, http, issue, own, subject};

/// Issue, own, as another's, version: the statuses at a node; 0: the connection was closed without an answer.
pub type Statuses = [u16; 4];

/// What is done to the folder `$K` (a shell script, as root of the node), and what is answered after it.
pub const SITUATIONS: [(&str, &str, Statuses); 16] = [
    ("healthy", "true", [201, 200, 200, 200]),
    ("the token's key is missing", "$NEW > $K/9; $OWN $K/9; mv $K/$P $K.away", [201, 401, 404, 200]),
    ("a key cut short", "head -c 20 $K/$P > $K.cut; cat $K.cut > $K/$P", [500, 500, 500, 200]),
    ("junk under a number", "echo junk > $K/99; $OWN $K/99", [500, 500, 500, 200]),
    ("a stray file that can't be read", "echo x > $K/backup.tgz; chmod 000 $K/backup.tgz", [0, 500, 500, 200]),
    ("a stray file that can be read", "echo x > $K/notes; chmod 644 $K/notes", [201, 200, 200, 200]),
    ("a temporary key", "$NEW > $K/0.tmp; $OWN $K/0.tmp", [201, 200, 200, 200]),
    ("a key that can't be read", "chmod 000 $K/0", [0, 500, 500, 200]),
    ("no staged key", "mv $K/0 $K.away", [201, 200, 200, 200]),
    ("an empty file under a number", ": > $K/7; chmod 644 $K/7", [201, 200, 200, 200]),
    ("a newline behind a key", "echo >> $K/$P", [201, 200, 200, 200]),
    ("a folder under a number", "mkdir $K/8", [201, 200, 200, 200]),
    ("the folder is missing", "mv $K $K.away", [500, 500, 500, 200]),
    ("the folder is empty", "mv $K $K.away; mkdir $K; chmod 755 $K", [500, 500, 500, 200]),
    ("the folder is closed", "chmod 000 $K", [500, 500, 500, 200]),
    ("the folder can be listed and not entered", "chmod 444 $K", [500, 500, 500, 200]),
];

/// Before each script: `$P` is the primary, `$NEW` prints a new key, `$OWN` gives a file to the folder's owner with a key's mode.
pub fn script(keys: &str, situation: &str) -> String {
    format!(
        "set -e; K={keys}; rm -rf $K.saved $K.away $K.cut; cp -a $K $K.saved; P=$(ls $K | sort -n | tail -n 1)\n\
         new() {{ head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\\n'; }}; NEW=new\n\
         own() {{ chown --reference=$K.saved $1; chmod 600 $1; }}; OWN=own\n{situation}"
    )
}

/// Puts the saved folder back.
pub fn cure(keys: &str) -> String {
    format!("set -e; K={keys}; rm -rf $K; mv $K.saved $K; rm -rf $K.away $K.cut")
}

/// Asks a node in a situation: a token that it had issued before is validated there.
pub async fn statuses(port: u16, body: &str, before: &str) -> Statuses {
    let (issued, caller) = issue(port, body).await;
    // Where none is issued any more, the earlier token speaks for itself.
    let caller = caller.as_deref().unwrap_or(before);
    let version = http(port, "GET", "/v3", &[], "").await.status;
    [issued, own(port, before).await, subject(port, caller, before, false).await, version]
}

#[tokio::test]
async fn a_node_answers_in_every_situation_of_its_folder_as_keystone_does() {
    let rig = Rig::new().await;
    let keys = rig.keys(1).display().to_string();
    for (name, situation, expected) in SITUATIONS {
        let before = rig.token(1).await;
        rig.out(1, &script(&keys, situation)).await;
        assert_eq!(statuses(rig.port(1), &rig.body(), &before).await, expected, "{name}");
        rig.out(1, &cure(&keys)).await;
        assert_eq!(own(rig.port(1), &before).await, 200, "cured of: {name}");
        // What happens at one node is nothing to another.
        assert_eq!(own(rig.port(0), &before).await, 200, "at another node: {name}");
    }
}
