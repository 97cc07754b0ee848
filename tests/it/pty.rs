//! The program in a pseudo-terminal: keys go in, and what the terminal then shows is waited for and read.

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a test waits for anything, on the screen or elsewhere; a loaded machine is slow, a wrong program is for ever.
pub const PATIENCE: Duration = Duration::from_secs(180);

struct Seen {
    terminal: vt100::Parser,
    raw: Vec<u8>,
    /// A frame has begun and is not whole yet: nobody would be shown what stands there, and no test may judge it.
    half: bool,
    /// Nothing more comes from the terminal.
    ended: bool,
    /// The reader is to let the terminal go.
    hung_up: bool,
    exit: Option<u32>,
}

/// A program in a terminal.
pub struct Program {
    pid: u32,
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Seen {
    /// Takes what the program has written.
    fn takes(&mut self, written: &[u8]) {
        // A mark may be cut between two reads.
        let from = self.raw.len().saturating_sub(FRAME_BEGINS.len() - 1);
        self.terminal.process(written);
        self.raw.extend_from_slice(written);
        let mut marks = self.raw[from..].windows(FRAME_BEGINS.len());
        if let Some(mark) = marks.rfind(|bytes| [FRAME_BEGINS, FRAME_ENDS].contains(bytes)) {
            self.half = mark == FRAME_BEGINS;
        }
    }

    /// What the screen shows, once its frame is whole.
    fn shown(&self) -> Option<String> {
        (!self.half || self.ended).then(|| self.terminal.screen().contents())
    }
}

/// The marks of a synchronized update (mode 2026).
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// What the emulated terminal counts in.
fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Program {
    /// Starts changeguard with these arguments and variables in a terminal of this size.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_changeguard"));
        command.args(arguments);
        Self::start_command(command, variables, columns, rows)
    }

    /// The same where SIGHUP is ignored, as below nohup and some multiplexers.
    pub fn start_ignoring_hangup(arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_changeguard")]);
        command.args(arguments);
        Self::start_command(command, &[], columns, rows)
    }

    /// The same in a terminal that is in the alternate screen still, full of what a killed program has left there.
    pub fn start_over(left: &str, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new("sh");
        let script = "printf '\\033[?1049h'; for row in $(seq 1 \"$0\"); do printf '\\033[%s;1H%s' \"$row\" \"$1\"; done; \
                      shift; exec \"$@\"";
        command.args(["-c", script, &rows.to_string(), left, env!("CARGO_BIN_EXE_changeguard")]);
        command.args(arguments);
        Self::start_command(command, &[], columns, rows)
    }

    fn start_command(mut command: CommandBuilder, variables: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        for name in ["LC_ALL", "LC_CTYPE", "NO_COLOR", "CHANGEGUARD_ENVIRONMENT", "TZ"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in variables {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keyboard = pair.master.take_writer().unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let terminal = vt100::Parser::new(cells(rows), cells(columns), 0);
        let seen = Seen { terminal, raw: Vec::new(), half: false, ended: false, hung_up: false, exit: None };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 65536];
            loop {
                let count = output.read(&mut buffer).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap();
                seen.takes(&buffer[..count]);
                seen.ended |= count == 0 || seen.hung_up;
                shared.1.notify_all();
                if seen.ended {
                    return;
                }
            }
        });
        let (pid, shared) = (child.process_id().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let code = child.wait().unwrap().exit_code();
            shared.0.lock().unwrap().exit = Some(code);
            shared.1.notify_all();
        });
        Self { pid, master: Some(pair.master), keyboard, seen }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// Whether the screen satisfies the condition before the patience is over.
    pub fn comes(&self, patience: Duration, condition: impl Fn(&str) -> bool) -> bool {
        self.becomes_so(patience, condition).is_ok()
    }

    /// The whole screen that satisfies the condition, or the last one when the patience is over.
    fn becomes_so(&self, patience: Duration, condition: impl Fn(&str) -> bool) -> Result<String, String> {
        let seen = self.seen.0.lock().unwrap();
        let mut last = String::new();
        let mut satisfied = false;
        let waiting = |seen: &mut Seen| {
            if let Some(screen) = seen.shown() {
                satisfied = condition(&screen);
                last = screen;
            }
            !satisfied && !seen.ended
        };
        drop(self.seen.1.wait_timeout_while(seen, patience, waiting).unwrap());
        if satisfied { Ok(last) } else { Err(last) }
    }

    /// Waits until the screen satisfies the condition; shows the screen when it never does.
    pub fn wait(&mut self, what: &str, patience: Duration, condition: impl Fn(&str) -> bool) -> String {
        match self.becomes_so(patience, condition) {
            Ok(screen) => screen,
            Err(screen) => panic!("waited for {what}; the screen shows:\n{screen}"),
        }
    }

    /// Waits until the screen shows a text.
    pub fn shows(&mut self, text: &str) -> String {
        self.wait(text, PATIENCE, |screen| screen.contains(text))
    }

    /// Waits until the screen no longer shows a text.
    pub fn hides(&mut self, text: &str) -> String {
        self.wait(&format!("no {text}"), PATIENCE, |screen| !screen.contains(text))
    }

    /// What the screen shows now.
    pub fn screen(&self) -> String {
        self.becomes_so(PATIENCE, |_| true).unwrap_or_else(|last| last)
    }

    /// Whether the terminal is as it was before: no alternate screen, cursor visible, no bracketed paste.
    pub fn is_restored(&self) -> bool {
        is_restored(&self.seen.0.lock().unwrap())
    }

    /// Whether the terminal comes to be as it was before, or (`false`) to be taken: what was written may not be read yet.
    pub fn becomes(&self, restored: bool) -> bool {
        let seen = self.seen.0.lock().unwrap();
        let waiting = |seen: &mut Seen| !seen.ended && is_restored(seen) != restored;
        let seen = self.seen.1.wait_timeout_while(seen, PATIENCE, waiting).unwrap().0;
        is_restored(&seen) == restored
    }

    /// Every byte that was written to the terminal.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }

    /// What is in each place of the screen now.
    #[allow(clippy::significant_drop_tightening)] // the screen is borrowed from what is locked
    pub fn look<T>(&self, see: impl FnOnce(&vt100::Screen) -> T) -> T {
        let seen = self.seen.0.lock().unwrap();
        let drawing = |seen: &mut Seen| seen.half && !seen.ended;
        let seen = self.seen.1.wait_timeout_while(seen, PATIENCE, drawing).unwrap().0;
        see(seen.terminal.screen())
    }

    /// Makes the terminal as large as this; the program is told as by a real one.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.seen.0.lock().unwrap().terminal.screen_mut().set_size(cells(rows), cells(columns));
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
        self
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.pid.to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Closes the terminal's other end, as a lost SSH connection does. The reader holds it too: the frame that follows a
    /// resize wakes it, and it lets go.
    pub fn hang_up(&mut self) {
        self.seen.0.lock().unwrap().hung_up = true;
        self.master.as_ref().unwrap().resize(size(100, 30)).unwrap();
        let seen = self.seen.0.lock().unwrap();
        let seen = self.seen.1.wait_timeout_while(seen, PATIENCE, |seen| !seen.ended).unwrap().0;
        assert!(seen.ended, "no frame after a resize");
        drop(seen);
        self.keyboard = Box::new(std::io::sink());
        self.master = None;
    }

    /// Waits for the end and gives the exit code; the last output is read first.
    pub fn ends_within(&mut self, patience: Duration) -> u32 {
        let seen = self.seen.0.lock().unwrap();
        let running = |seen: &mut Seen| seen.exit.is_none() || !seen.ended;
        let seen = self.seen.1.wait_timeout_while(seen, patience, running).unwrap().0;
        let screen = seen.terminal.screen().contents();
        seen.exit.unwrap_or_else(|| panic!("still running after {patience:?}; the screen shows:\n{screen}"))
    }
}

fn is_restored(seen: &Seen) -> bool {
    let screen = seen.terminal.screen();
    !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
}

impl Drop for Program {
    fn drop(&mut self) {
        let running = |seen: &mut Seen| seen.exit.is_none();
        // Asked first, so that the demo removes its folder.
        for name in ["TERM", "KILL"] {
            let Ok(seen) = self.seen.0.lock() else { return };
            if seen.exit.is_some() {
                return;
            }
            let _ = std::process::Command::new("kill").args(["-s", name, &self.pid.to_string()]).status();
            let _ = self.seen.1.wait_timeout_while(seen, Duration::from_secs(10), running);
        }
    }
}
