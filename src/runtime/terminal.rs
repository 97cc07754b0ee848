//! The terminal's guard: alternate screen and raw mode on, and surely off again, whatever ends the program.

use crate::adapters::inbox::read::READER;
use crate::app::manner::Notify;
use crate::runtime::paint::Paint;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::ClearType::All;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType};
use rustix::event::{PollFd, PollFlags};
use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is in our hands; restoring is done once however many ways lead to it.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A frame is one write: the buffer holds the largest.
const FRAME_BYTES: usize = 64 * 1024;

/// The screen. Dropping it gives the terminal back.
pub struct Screen {
    /// Never dropped: ratatui's own drop prints to standard error where the cursor can't be shown, and that panics once
    /// the terminal is gone. [`restore`] shows the cursor.
    terminal: ManuallyDrop<Terminal<Paint<BufWriter<Stdout>>>>,
}

impl Screen {
    /// Takes the terminal. Asks it nothing, so nothing is waited for.
    pub fn take() -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        enter(&mut out)?;
        Ok(Self { terminal: ManuallyDrop::new(Terminal::new(Paint::new(out))?) })
    }

    /// Takes it again after a rest: a shell has had it meanwhile, and left it as it likes.
    pub fn retake(&mut self) -> io::Result<()> {
        restore();
        enter(self.terminal.backend_mut())?;
        self.forget()
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Draws one frame with one write, synchronized where the terminal knows that.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(view)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Write::flush(self.terminal.backend_mut())
    }

    /// Forgets what is on the screen, so that the next frame paints all of it.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not Terminal::clear: that asks the terminal where its cursor is, and waits for the answer.
        self.terminal.backend_mut().clear_region(ClearType::All)?;
        self.terminal.swap_buffers();
        Ok(())
    }

    /// Puts public data on the operator's clipboard (OSC 52).
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Calls somebody back to the screen: the bell, and where it is wanted a notification of the desktop (OSC 9). The text is sanitized.
    pub fn call_back(&mut self, how: Notify, text: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        match how {
            Notify::Off => return Ok(()),
            Notify::Bell => write!(out, "\x07")?,
            Notify::Desktop => {
                let text: String = text.chars().take(TOLD).collect();
                write!(out, "\x1b]9;changeguard: {text}\x07\x07")?;
            }
        }
        Write::flush(out)
    }
}

/// How far a notification of the desktop goes, characters.
const TOLD: usize = 120;

fn enter(out: &mut impl Write) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    // Where the last program was killed the terminal is in the alternate screen still, with its picture on it.
    execute!(out, EnterAlternateScreen, Clear(All), EnableBracketedPaste, cursor::Hide)
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back; harmless when it was never taken or is back already.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        // Cleared first: where there is no other screen, as in GNU screen by default, the shell goes on in this one.
        // The terminal may be gone; there is nobody left to tell.
        let _ = queue!(out, EndSynchronizedUpdate, DisableBracketedPaste, Clear(All), cursor::MoveTo(0, 0));
        let _ = execute!(out, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// Whether the terminal still answers: a lost link is noticed even where no SIGHUP comes.
pub fn is_alive() -> bool {
    rustix::termios::tcgetattr(io::stdin()).is_ok()
}

/// Calls `then` when the terminal is gone, also where no SIGHUP comes. A thread that sleeps until then.
pub fn when_gone(then: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let stdin = io::stdin();
        // No event is asked for, so only the hang-up itself, which is always reported, ends the wait.
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        while rustix::event::poll(&mut watched, None) == Err(rustix::io::Errno::INTR) {}
        then();
    });
}

/// Makes every panic, in tasks too, give the terminal back before its text is printed.
pub fn restore_on_panic(then: impl Fn() + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // The thread that takes a hostile mail apart may panic, which is caught: it must not cost the screen.
        if std::thread::current().name() == Some(READER) {
            return;
        }
        restore();
        before(info);
        then();
    }));
}
