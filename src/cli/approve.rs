//! Approving with a signature that was made elsewhere: the text to sign, and the signature back.
//!
//! Where the operator's own agent signs, none of this is needed.

use crate::cli::act::BadUsage;
use crate::cli::{exit, print};
use crate::domain::signature::NAMESPACE;
use crate::domain::typed::Typed;
use crate::engine::command::Command;
use crate::runtime::conductor::Conductor;
use anyhow::Result;
use jiff::Timestamp;
use std::io::Read;
use std::path::PathBuf;

/// The largest file that is read for a signature, bytes.
const LARGEST: u64 = 8 * 1024;

/// Prints the text that approves the plan, and on standard error how to sign it.
pub fn text(conductor: &Conductor, json: bool) -> Result<u8> {
    let (text, digest, until) = conductor.approval_text()?;
    if json {
        print::json(&serde_json::json!({ "text": text, "digest": digest, "until": until }))?;
    } else {
        print::text(&text)?;
    }
    let (name, short) = (&conductor.tenant().name, digest.get(..12).unwrap_or(&digest));
    print::say(format_args!("sign this very text: ssh-keygen -Y sign -n {NAMESPACE} -f YOUR_KEY TEXT_FILE"));
    print::say(format_args!(
        "then: {}",
        Typed::of("approve")
            .word(name)
            .option("digest", short)
            .option("until", &until.to_string())
            .option("signature", "TEXT_FILE.sig")
    ));
    Ok(exit::DONE)
}

/// The approval, with a signature if one was handed over.
pub fn command(digest: String, note: String, signed: Option<(PathBuf, Timestamp)>) -> Result<Command> {
    let Some((path, expires)) = signed else { return Ok(Command::Approve { digest, note }) };
    let mut signature = String::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(LARGEST).read_to_string(&mut signature))
        .map_err(|error| BadUsage(format!("{} can't be read: {error}", path.display())))?;
    Ok(Command::ApproveSigned { digest, note, signature, expires })
}
