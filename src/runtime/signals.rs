//! The signals that ask for the end, and those that ask for a rest. Registered before anything that needs cleaning up begins.
//!
//! What they lead to is `ending`'s. Nothing but SIGKILL and SIGSTOP acts at once: neither can be caught.

use crate::adapters::openstack::{between_pairs, is_pair_running};
use rustix::process::{Signal as Number, getpid, kill_process};
use std::io;
use std::sync::OnceLock;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Every signal whose default would end the program at once and that somebody may send: the closed terminal, `kill`,
/// Ctrl-C, Ctrl-\, a supervisor's watchdog (SIGABRT), a limit of CPU time, and those that people try next.
const ENDING: [Number; 11] = [
    Number::HUP,
    Number::TERM,
    Number::INT,
    Number::QUIT,
    Number::ABORT,
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::XCPU,
];

/// The signals that ask for the end, together.
pub struct Ending {
    signals: Vec<Signal>,
}

/// Registers the handlers; also where one of the signals was ignored by whoever started us. They stay for the whole life
/// of the process, so that a second signal does not cut short what the first one lets finish.
pub fn ending() -> io::Result<Ending> {
    // At a limit of file sizes the write fails instead, and says so.
    let _ = signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?;
    let signals = ENDING.iter().map(|number| signal(SignalKind::from_raw(number.as_raw())));
    Ok(Ending { signals: signals.collect::<io::Result<_>>()? })
}

impl Ending {
    /// Returns when one of them has come.
    pub async fn recv(&mut self) {
        let any = self.signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        let (_, which, _) = futures_util::future::select_all(any).await;
        // They stand in the order of the list. What came first is what it ended of.
        let _ = CAME.set(ENDING[which]);
    }
}

/// The first signal that has asked for the end.
static CAME: OnceLock<Number> = OnceLock::new();

/// What a program ends with that such a signal has ended and that had not failed by then: 128 and its number, as shells say it.
/// None where none has come. `is_asked`: of what is there until somebody asks it to end, which has then done what it was for.
pub fn exit_code(is_asked: bool) -> Option<u8> {
    let came = CAME.get().filter(|came| !(is_asked && matches!(**came, Number::TERM | Number::INT)))?;
    u8::try_from(128 + came.as_raw()).ok()
}

/// The signal of Ctrl-Z (SIGTSTP), which may stop the program only between pairs.
pub fn suspending() -> io::Result<Signal> {
    signal(SignalKind::from_raw(Number::TSTP.as_raw()))
}

/// The signal that says that a stopped program goes on (SIGCONT).
pub fn continuing() -> io::Result<Signal> {
    signal(SignalKind::from_raw(Number::CONT.as_raw()))
}

/// Stops this process; returns when it goes on. The caller holds [`between_pairs`], so that no pair is torn apart.
pub fn stop_now() {
    // SIGSTOP instead of SIGTSTP: that one has our handler.
    let _ = kill_process(getpid(), Number::STOP);
}

/// Obeys SIGTSTP for a program without a screen. `wait` is called when a pair must end first.
pub fn suspend_on_request(wait: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut suspending = suspending()?;
    tokio::spawn(async move {
        while suspending.recv().await.is_some() {
            if is_pair_running() {
                wait();
            }
            let between = between_pairs().await;
            stop_now();
            drop(between);
        }
    });
    Ok(())
}
