//! A program on its own terminal: keys go in, a screen comes out.
//!
//! Tests wait for what the screen shows, never for time to pass; a wait that is in vain ends at a generous deadline
//! with a dump of the screen.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Far more than any answer takes; reached only by a test that fails.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running program and its terminal. Dropping it kills the program.
pub struct Screen {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    state: Arc<(Mutex<State>, Condvar)>,
    pid: Pid,
    /// The line settings before the program began.
    termios: String,
}

struct State {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// Every writer has closed the terminal.
    closed: bool,
    exit: Option<ExitStatus>,
}

impl Screen {
    /// Starts `renewscope` with these arguments.
    pub fn start(args: &[&str], env: &[(&str, &str)], rows: u16, cols: u16) -> Self {
        Self::start_program(env!("CARGO_BIN_EXE_renewscope"), args, env, rows, cols)
    }

    /// Starts any program. Its environment is the test's, without what would change how `renewscope` looks or what it
    /// connects to, and with `env`.
    pub fn start_program(program: &str, args: &[&str], env: &[(&str, &str)], rows: u16, cols: u16) -> Self {
        let pair = native_pty_system().openpty(size(rows, cols)).expect("a terminal");
        let termios = settings(&*pair.master);
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(std::env::current_dir().expect("a working directory"));
        for name in ["NO_COLOR", "COLORTERM", "DATABASE_URL", "LC_ALL", "TMUX", "SSH_TTY"] {
            command.env_remove(name);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RENEWSCOPE_") {
                command.env_remove(name);
            }
        }
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")].iter().chain(env) {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).expect("the program starts");
        // The terminal counts as closed only when nobody holds its other end.
        drop(pair.slave);
        let pid = child.process_id().and_then(|p| Pid::from_raw(p.cast_signed())).expect("a process id");
        let parser = vt100::Parser::new(at_least_one(rows), at_least_one(cols), 0);
        let state =
            Arc::new((Mutex::new(State { parser, raw: Vec::new(), closed: false, exit: None }), Condvar::new()));
        let mut output = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let n = output.read(&mut bytes).unwrap_or(0);
                let mut state = lock(&shared.0);
                match bytes.get(..n) {
                    Some(bytes) if n > 0 => {
                        state.raw.extend_from_slice(bytes);
                        state.parser.process(bytes);
                    }
                    _ => state.closed = true,
                }
                let closed = state.closed;
                drop(state);
                shared.1.notify_all();
                if closed {
                    return;
                }
            }
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let status = child.wait().expect("the program can be waited for");
            lock(&shared.0).exit = Some(status);
            shared.1.notify_all();
        });
        Self { master: pair.master, keyboard, state, pid, termios }
    }

    /// Types. `<Enter>` `<Esc>` `<Tab>` `<S-Tab>` `<BS>` `<Del>` `<Space>` `<Up>` `<Down>` `<Left>` `<Right>` `<Home>`
    /// `<End>` `<PgUp>` `<PgDn>` `<F1>` to `<F4>`, `<C-x>`, `<A-x>` and `<lt>` are keys; all else is typed as it is.
    pub fn keys(&mut self, keys: &str) {
        self.send(&encode(keys));
    }

    /// Pastes, as a terminal does that was set to mark pasted text.
    pub fn paste(&mut self, text: &str) {
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).and_then(|()| self.keyboard.flush()).expect("the terminal takes keys");
    }

    /// Waits until the screen shows `text` on one line.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("'{text}' on the screen"), |s| s.rows(0, s.size().1.get()).any(|r| r.contains(text)));
    }

    /// Waits until no line of the screen shows `text`.
    pub fn wait_gone(&self, text: &str) {
        self.wait_until(&format!("'{text}' gone"), |s| !s.rows(0, s.size().1.get()).any(|r| r.contains(text)));
    }

    /// Waits until the screen is as `test` wants it; `what` names that in the failure.
    pub fn wait_until(&self, what: &str, mut test: impl FnMut(&vt100::Screen) -> bool) {
        self.wait(what, |state| test(state.parser.screen()).then_some(()));
    }

    /// Waits for these bytes among all that were ever written; for what leaves no mark on a screen.
    pub fn wait_for_raw(&self, bytes: &[u8]) {
        let what = format!("'{}' written", bytes.escape_ascii());
        self.wait(&what, |state| find(&state.raw, bytes).map(drop));
    }

    /// Waits until the program has ended and all that it wrote is on the screen.
    pub fn wait_exit(&self) -> ExitStatus {
        self.wait("the program to end", |state| state.exit.clone().filter(|_| state.closed))
    }

    /// The lines of the screen, without the blanks at their ends.
    pub fn contents(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Reads from the screen what [`contents`](Self::contents) does not tell: cursor, colours, modes.
    pub fn look<T>(&self, read: impl FnOnce(&vt100::Screen) -> T) -> T {
        read(lock(&self.state.0).parser.screen())
    }

    /// All that was ever written, as it was written.
    pub fn raw_bytes(&self) -> Vec<u8> {
        lock(&self.state.0).raw.clone()
    }

    /// Changes the size of the terminal; the program is notified.
    pub fn resize(&self, rows: u16, cols: u16) {
        // The picture first: what the program draws for the new size must not meet the old one.
        lock(&self.state.0).parser.set_size(at_least_one(rows), at_least_one(cols));
        self.master.resize(size(rows, cols)).expect("the terminal takes a new size");
    }

    /// The process id of the program.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub fn signal(&self, signal: Signal) {
        assert!(lock(&self.state.0).exit.is_none(), "the program has ended already");
        kill_process(self.pid, signal).expect("the program takes a signal");
    }

    /// Waits until the program is stopped, as by SIGSTOP.
    pub fn wait_stopped(&self) {
        let until = Instant::now() + DEADLINE;
        let file = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        loop {
            let stat = std::fs::read_to_string(&file).expect("the program runs");
            // The state stands behind the name, which is in parentheses.
            if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')) {
                return;
            }
            assert!(Instant::now() < until, "waited for the program to stop: {stat}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What is not as the program found it. Empty when the terminal is restored.
    pub fn unrestored(&self) -> Vec<String> {
        let now = settings(&*self.master);
        let state = lock(&self.state.0);
        let screen = state.parser.screen();
        let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        let pushed = kitty_depth(&state.raw);
        [
            (screen.alternate_screen(), "the alternate screen is not left"),
            (screen.hide_cursor(), "the cursor is hidden"),
            (mouse, "the mouse is captured"),
            (screen.bracketed_paste(), "pasted text is marked"),
            (screen.application_cursor() || screen.application_keypad(), "the keypad is in application mode"),
            (
                screen.fgcolor() != vt100::Color::Default || screen.bgcolor() != vt100::Color::Default,
                "a colour is left",
            ),
            (screen.bold() || screen.inverse() || screen.underline(), "an attribute is left"),
            (is_on(&state.raw, 1004), "focus is reported"),
            (is_on(&state.raw, 2026), "an update is not ended"),
            (pushed != 0, "keyboard flags are left"),
        ]
        .iter()
        .filter(|(wrong, _)| *wrong)
        .map(|(_, what)| (*what).to_owned())
        .chain((now != self.termios).then(|| format!("line settings differ: {now}, before: {}", self.termios)))
        .collect()
    }

    /// Whether the terminal is as the program found it: alternate screen left, cursor shown, mouse, paste and focus
    /// modes off, line settings equal.
    pub fn restored(&self) -> bool {
        self.unrestored().is_empty()
    }

    /// Fails with what is not restored.
    #[track_caller]
    pub fn assert_restored(&self) {
        let wrong = self.unrestored();
        assert!(wrong.is_empty(), "{wrong:#?}\n{}", self.contents());
    }

    /// Whether the program has requested single keys: no echo, no lines.
    pub fn is_raw_mode(&self) -> bool {
        settings(&*self.master) != self.termios
    }

    fn wait<T>(&self, what: &str, mut test: impl FnMut(&State) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut state = lock(&self.state.0);
        loop {
            if let Some(found) = test(&state) {
                return found;
            }
            let over = state.closed && state.exit.is_some();
            let left = until.saturating_duration_since(Instant::now());
            if over || left.is_zero() {
                let why = if over { "the program ended" } else { "time is up" };
                let exit = &state.exit;
                panic!("waited for {what}; {why}. exit: {exit:?}. screen:\n{}", dump(state.parser.screen()));
            }
            state = self.state.1.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if lock(&self.state.0).exit.is_none() {
            // It may end at this very moment; there is nothing to do about it then.
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// A test that failed while it looked must not hide why.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|e| e.into_inner())
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn at_least_one(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("the terminal tells its settings"))
}

fn dump(screen: &vt100::Screen) -> String {
    let width = screen.size().1.get();
    let rule = "-".repeat(usize::from(width));
    let lines: Vec<_> = screen.rows(0, width).map(|r| format!("|{r}")).collect();
    format!("+{rule}\n{}\n+{rule}\ncursor at {:?}", lines.join("\n"), screen.cursor_position())
}

fn find(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|w| w == part)
}

/// Whether a private mode was last set, not reset.
fn is_on(raw: &[u8], mode: u16) -> bool {
    let last = |end: char| {
        let sequence = format!("\x1b[?{mode}{end}").into_bytes();
        raw.windows(sequence.len()).rposition(|w| w == sequence)
    };
    last('h') > last('l')
}

/// Keyboard flags pushed (`ESC [ > flags u`) and not popped (`ESC [ < n u`).
fn kitty_depth(raw: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(raw);
    let mut depth = 0;
    for sequence in text.split("\x1b[").skip(1) {
        let digits = |s: &str| s.chars().take_while(char::is_ascii_digit).collect::<String>();
        if let Some(rest) = sequence.strip_prefix('>')
            && rest.get(digits(rest).len()..).is_some_and(|r| r.starts_with('u'))
        {
            depth += 1;
        } else if let Some(rest) = sequence.strip_prefix('<')
            && rest.get(digits(rest).len()..).is_some_and(|r| r.starts_with('u'))
        {
            depth -= digits(rest).parse().unwrap_or(1);
        }
    }
    depth
}

fn encode(keys: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = keys;
    while let Some((plain, after)) = rest.split_once('<') {
        out.extend_from_slice(plain.as_bytes());
        let (name, tail) = after.split_once('>').unwrap_or_else(|| panic!("'<' without '>' in keys '{keys}'"));
        out.extend(named(name));
        rest = tail;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn named(name: &str) -> Vec<u8> {
    let sequence: &str = match name {
        "Enter" => "\r",
        "Esc" => "\x1b",
        "Tab" => "\t",
        "S-Tab" => "\x1b[Z",
        "BS" => "\x7f",
        "Del" => "\x1b[3~",
        "Space" => " ",
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "PgUp" => "\x1b[5~",
        "PgDn" => "\x1b[6~",
        "F1" => "\x1bOP",
        "F2" => "\x1bOQ",
        "F3" => "\x1bOR",
        "F4" => "\x1bOS",
        "lt" => "<",
        _ => match (name.strip_prefix("C-"), name.strip_prefix("A-")) {
            (Some(key), _) if key.len() == 1 => return key.bytes().map(|b| b & 0x1f).collect(),
            (_, Some(key)) if !key.is_empty() => return [b"\x1b", key.as_bytes()].concat(),
            _ => panic!("no key is named '<{name}>'"),
        },
    };
    sequence.as_bytes().to_vec()
}
