//! The terminal's modes: entered once, and restored exactly once when the program ends for any reason.
//!
//! The console's loop and the panic hook call it. Nothing here may panic, not even on a terminal that is gone.

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
/// Set by the panic hook, before the terminal is restored.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Enters raw mode, alternate screen and bracketed paste. No mouse mode: the terminal's text selection stays usable.
/// Fails if the terminal is gone or does not support raw mode.
pub fn enter() -> io::Result<()> {
    let mut entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    enable_raw_mode()?;
    *entered = true;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
}

/// Undoes [`enter`]; does nothing if that is done already. Never panics.
pub fn restore() {
    // A panic while drawing holds the lock in this thread; then no other thread draws.
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

/// Writes the sequences that undo the modes, and ends raw mode.
fn leave() {
    let mut out = stdout();
    // Separately: the failure of one must not prevent the others. On a terminal that is gone all fail.
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, ResetColor, Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// Runs `draw` unless the terminal is restored already. `None` means that it was not run. The lock is held meanwhile,
/// so that no other thread restores in the middle.
pub fn with_screen<T>(draw: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    let entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *entered && !has_panicked() { draw().map(Some) } else { Ok(None) }
}

/// Restores the terminal before a panic in any thread is printed.
pub fn install_panic_hook() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        restore();
        print(info);
    }));
}

/// Whether a thread has panicked since the program started.
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Restores the terminal on drop.
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}
