//! Asking a person for a password, before any screen is there.
//!
//! The question goes to stderr, so that stdout stays data; what is typed is not echoed. Keys are read one by one: with
//! the terminal's own line editing, an interrupt would end the program and leave the terminal mute.

use std::io::{IsTerminal, Read, Write, stderr, stdin};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

static ASKING: AtomicBool = AtomicBool::new(false);

/// Whether a question stands on the terminal: nothing else may be written there meanwhile.
pub fn is_asking() -> bool {
    ASKING.load(Ordering::Acquire)
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks for the password of what is named, and waits for the answer. `None`: nobody can be asked, or they would not say.
pub fn password(of: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    let _mute = Mute::start()?;
    ASKING.store(true, Ordering::Release);
    let typed = ask(of);
    ASKING.store(false, Ordering::Release);
    typed
}

fn ask(of: &str) -> Option<String> {
    let mut out = stderr();
    write!(out, "\r\x1b[Krenewscope: password for {of}: ").and_then(|()| out.flush()).ok()?;
    let typed = read_line(stdin());
    // The line that the key would have ended.
    let _ = writeln!(out);
    typed
}

/// A line of keys; backspace, Ctrl-U, Ctrl-C and Ctrl-D mean what they mean on a terminal.
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
                // A character may be several bytes; those that only continue one go with it.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            [21] => line.clear(),
            [byte] => line.push(byte),
        }
    }
}

/// The terminal without echo, until it is dropped.
struct Mute(Termios);

impl Mute {
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
        // A terminal that is gone needs no settings.
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
