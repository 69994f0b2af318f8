//! The terminal's modes: entered once, left exactly once however the program ends.

use std::io::{self, Write, stdout};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::ResetColor;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// Whether the modes are on. Held while drawing, so that a panic elsewhere cannot restore in the middle of a frame.
static ENTERED: Mutex<bool> = Mutex::new(false);
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Raw mode, alternate screen, bracketed paste. No mouse: the terminal's own selection stays usable.
pub fn enter() -> io::Result<()> {
    let mut entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    enable_raw_mode()?;
    *entered = true;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
}

/// Undoes [`enter`]; does nothing where that was done already. Never panics, not even on a dead terminal.
pub fn restore() {
    // A panic inside of a frame holds the lock in this very thread; then nobody else is drawing.
    match ENTERED.try_lock() {
        Ok(mut entered) => {
            if std::mem::take(&mut *entered) {
                leave();
            }
        }
        Err(std::sync::TryLockError::Poisoned(poisoned)) => {
            if std::mem::take(&mut *poisoned.into_inner()) {
                leave();
            }
        }
        Err(std::sync::TryLockError::WouldBlock) => leave(),
    }
}

fn leave() {
    let mut out = stdout();
    // Each on its own: a failure of one must not keep the others from being tried. On a dead terminal all fail.
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, ResetColor, Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// Runs `draw` unless the terminal has been given back.
pub fn with_screen<T>(draw: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    let entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *entered && !has_panicked() { draw().map(Some) } else { Ok(None) }
}

/// Gives the terminal back before a panic in any thread is printed.
pub fn install_panic_hook() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        restore();
        print(info);
    }));
}

pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Gives the terminal back when it goes out of scope.
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}
