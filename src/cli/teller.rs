//! What is told on standard error while something runs, whatever it is about.

use crate::cli::print;
use crate::domain::tenant::Tenant;
use crate::engine::step::Progress;
use crate::runtime::case::{Desk, Onlooker};
use crate::runtime::conductor::{Conductor, Watcher};
use crate::runtime::lease;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Shows progress: a bar on a terminal, a plain line for each change otherwise.
pub struct Teller {
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Teller {
    /// A bar if standard error is a terminal.
    pub fn new() -> Arc<Self> {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = terminal.then(|| {
            let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}");
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Arc::new(Self { bar, last: Mutex::default() })
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self, name: &str, progress: Progress) {
        let prefix = format!("{name} step {}", progress.step);
        if let Some(bar) = &self.bar {
            if progress.total == 0 && !progress.text.is_empty() {
                // What is said once must be read after the next change, too.
                bar.println(format!("{prefix}: {}", progress.text));
                return;
            }
            bar.set_prefix(prefix);
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.text);
            return;
        }
        let line = format!("{prefix}: {}/{} {}", progress.done, progress.total, progress.text);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != line {
            print::say(format_args!("{line}"));
            *last = line;
        }
    }
}

impl Watcher for Teller {
    fn changed(&self, _conductor: &Conductor) {}

    fn progress(&self, tenant: &Tenant, progress: Progress) {
        self.show(&tenant.name, progress);
    }

    fn waits(&self, tenant: &Tenant, text: &str) {
        print::say(format_args!("{}: {text}", tenant.name));
    }

    fn patience(&self) -> Duration {
        lease::PATIENCE
    }
}

impl Onlooker for Teller {
    fn changed(&self, _desk: &dyn Desk) {}

    fn progress(&self, desk: &dyn Desk, progress: Progress) {
        self.show(desk.subject(), progress);
    }

    fn waits(&self, subject: &str, text: &str) {
        print::say(format_args!("{subject}: {text}"));
    }

    fn patience(&self) -> Duration {
        lease::PATIENCE
    }
}
