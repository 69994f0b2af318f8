//! The terminal's modes: entered once, and restored exactly once when the program ends for any reason.
//!
//! The console's loop and the panic hook call it. Nothing here may panic, not even on a terminal that is gone.

use std::fs::File;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the modes are on. Held while a frame is written, so that nothing restores in the middle of one.
static ENTERED: Mutex<bool> = Mutex::new(false);
/// How long a frame, or the bytes that restore the screen, may take. A terminal that does not read by then gets none.
pub const PATIENCE: Duration = Duration::from_millis(500);
/// Set by the panic hook, so that nothing more is drawn.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Enters raw mode, alternate screen and bracketed paste. No mouse mode: the terminal's text selection stays usable.
/// Fails if the terminal is gone or does not support raw mode.
pub fn enter() -> io::Result<()> {
    let mut entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    enable_raw_mode()?;
    *entered = true;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))?;
    write_all(&bytes)
}

/// Undoes [`enter`]; does nothing if that is done already. Never panics.
pub fn restore() {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let entered = match ENTERED.try_lock() {
            Ok(entered) => Some(entered),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match entered {
            Some(mut entered) => {
                if std::mem::take(&mut *entered) {
                    leave();
                }
                return;
            }
            // A frame is being written; a terminal that stopped reading keeps it so.
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            None => return leave(),
        }
    }
}

/// Writes the sequences that undo the modes, and ends raw mode.
fn leave() {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = queue!(bytes, DisableBracketedPaste, ResetColor, Show, LeaveAlternateScreen);
    let (done, written) = std::sync::mpsc::channel();
    // On a separate thread, since the terminal may not read; the write then ends with the program.
    let writer = thread::Builder::new().spawn({
        let bytes = bytes.clone();
        move || {
            let _ = write_all(&bytes);
            let _ = done.send(());
        }
    });
    match writer {
        Ok(_) => drop(written.recv_timeout(PATIENCE)),
        Err(_) => drop(write_all(&bytes)),
    }
    let _ = disable_raw_mode();
}

/// Past the buffer of stdout, whose lock another thread may hold.
fn write_all(bytes: &[u8]) -> io::Result<()> {
    File::from(stdout().as_fd().try_clone_to_owned()?).write_all(bytes)
}

/// Runs `write` unless the terminal is restored already.
pub fn with_screen<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    let entered = ENTERED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *entered && !has_panicked() { write().map(Some) } else { Ok(None) }
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
