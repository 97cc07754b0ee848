//! The program in a pseudo-terminal: keys go in, and what the terminal then shows is waited for and read.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything on the screen is waited for; a loaded machine is slow, a wrong program is for ever.
pub const PATIENCE: Duration = Duration::from_secs(60);

struct Seen {
    terminal: vt100::Parser,
    raw: Vec<u8>,
    ended: bool,
}

/// A program in a terminal.
pub struct Program {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Program {
    /// Starts changeguard with these arguments and variables in a terminal of this size.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_changeguard"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keyboard = pair.master.take_writer().unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let terminal = vt100::Parser::new(rows, columns, 0);
        let seen = Arc::new((Mutex::new(Seen { terminal, raw: Vec::new(), ended: false }), Condvar::new()));
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 65536];
            loop {
                let count = output.read(&mut buffer).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap();
                seen.terminal.process(&buffer[..count]);
                seen.raw.extend_from_slice(&buffer[..count]);
                seen.ended |= count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, master: Some(pair.master), keyboard, seen }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// Waits until the screen satisfies the condition; shows the screen when it never does.
    pub fn wait(&mut self, what: &str, patience: Duration, condition: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + patience;
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            let screen = seen.terminal.screen().contents();
            if condition(&screen) {
                return screen;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.ended, "waited for {what}; the screen shows:\n{screen}");
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
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
        self.seen.0.lock().unwrap().terminal.screen().contents()
    }

    /// Whether the terminal is as it was before: no alternate screen, cursor visible, no bracketed paste.
    pub fn is_restored(&self) -> bool {
        let seen = self.seen.0.lock().unwrap();
        let screen = seen.terminal.screen();
        !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    }

    /// Every byte that was written to the terminal.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Closes the terminal's other end, as a lost SSH connection does.
    pub fn hang_up(&mut self) {
        self.master = None;
        self.keyboard = Box::new(std::io::sink());
    }

    /// Waits for the end and gives the exit code; the last output is read first.
    pub fn end(&mut self) -> u32 {
        let status = self.child.wait().unwrap();
        let seen = self.seen.0.lock().unwrap();
        let _ = self.seen.1.wait_timeout_while(seen, PATIENCE, |seen| !seen.ended).unwrap();
        status.exit_code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
