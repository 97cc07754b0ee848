//! The end of the program: it is asked for once; from then on nothing new is begun, and what runs stops at a record.
//!
//! The pair of DELETE and POST is no part of that: it is finished first, whatever asks for the end (see the swap).

use crate::adapters::openstack::{between_pairs, is_pair_running};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::record::Record;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::{RwLock, RwLockReadGuard, watch};

/// How long what runs may take to its next record by itself (a mail that is being handed over, the look behind a pair).
const TO_A_RECORD: Duration = Duration::from_secs(2);

static ASKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));
static WORK: RwLock<()> = RwLock::const_new(());

/// Held by whatever works under a lease, until the lease is given back.
pub struct Work(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>);

/// Asks everything in this process to stop at a record.
pub fn ask() {
    ASKED.send_replace(true);
}

/// Whether the end was asked for.
pub fn is_asked() -> bool {
    *ASKED.borrow()
}

/// Returns once the end was asked for.
pub async fn asked() {
    // The sender is never dropped, so the wait can't fail.
    ASKED.subscribe().wait_for(|asked| *asked).await.ok();
}

/// Work may begin: `None` once the end was asked for.
pub async fn begin() -> Option<Work> {
    let guard = WORK.read().await;
    (!is_asked()).then_some(Work(guard))
}

/// Returns once the end was asked for and what runs has had its time: no pair is under way, and none has ended just now.
/// Whoever waits for this drops what is left of a run; its journal then ends with its last record.
pub async fn is_due() {
    asked().await;
    loop {
        drop(between_pairs().await);
        tokio::time::sleep(TO_A_RECORD).await;
        if !is_pair_running() {
            return;
        }
    }
}

/// Returns when the end was asked for, no work is left and every lease is given back.
pub async fn all_ended() {
    asked().await;
    drop(WORK.write().await);
}

/// Errs for a record that begins something, once the end was asked for. What has come of things is written to the last.
pub fn permits(record: &Record) -> Result<(), Fault> {
    let begins = matches!(
        record,
        Record::StepStarted { .. }
            | Record::NoticeQueued { .. }
            | Record::KeyKeeping { .. }
            | Record::RotateConfirmed { .. }
            | Record::RollbackStarted { .. }
            | Record::Touching { .. }
    );
    if begins && is_asked() { Err(ended(&record.summary())) } else { Ok(()) }
}

/// What a run ends with.
pub fn ended(before: &str) -> Fault {
    Fault::new(Service::Journal, FaultKind::Refused, format!("ended by request before: {before}"))
        .hint("`changeguard status` shows what is true, `changeguard resume` looks and goes on")
}

/// Whether it is what [`ended`] gives.
pub fn is_end(fault: &Fault) -> bool {
    is_asked() && fault.service == Service::Journal && fault.kind == FaultKind::Refused
}
