//! The password prompt, before any screen is drawn.
//!
//! `store::connect` calls it through the address when a server wants a password. It writes to stderr, because stdout is
//! data, and does not echo the keys. It reads them one by one: in the terminal's line mode, an interrupt would end the
//! program and leave the echo off.

use std::io::{IsTerminal, Read, Write, stderr, stdin};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Set while a prompt waits for keys.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Whether a prompt is open. Nothing else may be written to the terminal then.
pub fn is_open() -> bool {
    OPEN.load(Ordering::Acquire)
}

/// Whether a person can answer a prompt: stdin and stderr are terminals.
pub fn is_available() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Prompts for the password of `of` and waits for it. `None`: there is no terminal, or the prompt was canceled. An
/// empty line and text that is not UTF-8 count as canceled. Blocks the calling thread.
pub fn password(of: &str) -> Option<String> {
    if !is_available() {
        return None;
    }
    let _mute = Mute::start()?;
    OPEN.store(true, Ordering::Release);
    let typed = prompt(of);
    OPEN.store(false, Ordering::Release);
    typed
}

/// Prints the prompt to stderr and reads the line.
fn prompt(of: &str) -> Option<String> {
    let mut out = stderr();
    write!(out, "\r\x1b[Krenewscope: password for {of}: ").and_then(|()| out.flush()).ok()?;
    let typed = read_line(stdin());
    // Ends the line, since the Enter key was not echoed.
    let _ = writeln!(out);
    typed
}

/// Reads a line of keys. Backspace, Ctrl-U, Ctrl-C and Ctrl-D work as on a terminal.
fn read_line(mut from: impl Read) -> Option<String> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        match from.read(&mut key) {
            Ok(1) => {}
            _ => return None,
        }
        match key {
            [b'\n' | b'\r'] => return String::from_utf8(line).ok().filter(|l| !l.is_empty()),
            [3 | 4] => return None,
            [8 | 0x7f] => {
                // A character can have several bytes: removes its continuation bytes too.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            [21] => line.clear(),
            [byte] => line.push(byte),
        }
    }
}

/// Turns the terminal's echo off until it is dropped.
struct Mute(Termios);

impl Mute {
    /// Discards keys typed before. `None` if stdin's modes cannot be read or set.
    fn start() -> Option<Self> {
        let before = tcgetattr(stdin()).ok()?;
        let mut mute = before.clone();
        mute.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(stdin(), OptionalActions::Flush, &mute).ok()?;
        Some(Self(before))
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        // A failure means that the terminal is gone, and then nothing needs to be restored.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::read_line;

    #[test]
    fn keys_make_a_line() {
        for (keys, line) in [
            ("pw\n", Some("pw")),
            ("px\x7fw\r", Some("pw")),
            ("p\u{fc}\x7fw\n", Some("pw")),
            ("wrong\x15right\n", Some("right")),
            ("\n", None),
            ("pw\x03", None),
            ("pw", None),
        ] {
            assert_eq!(read_line(keys.as_bytes()).as_deref(), line, "{keys:?}");
        }
    }
}
