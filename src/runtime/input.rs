//! Keys, pastes and their bytes: a thread that reads the terminal, and the parser of what it sends.
//!
//! The console's loop takes the events. The parser is not the terminal library's, because that one waits forever for the
//! end of a paste, with every key and Ctrl-C swallowed; here a paste ends after a second of silence. Nothing here acts on
//! a key.
//!
//! Sources of the sequences: ECMA-48 section 5.4, the control sequences of xterm ("PC-Style Function Keys", "Bracketed
//! Paste Mode").

mod parse;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use parse::{Parser, Waiting};

/// Batches of events that wait for the loop; a full channel makes the thread wait, and with it the terminal.
const BATCHES: usize = 16;
/// The most bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// The terminal's input. The drop stops the thread, so that another program can read the terminal.
pub struct Input {
    events: mpsc::Receiver<io::Result<Vec<Event>>>,
    /// Its drop wakes the thread, which then ends.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Input {
    /// Starts to read stdin.
    pub fn start() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(BATCHES);
        let (stop, stopped) = UnixStream::pair()?;
        let thread = thread::Builder::new().name("input".to_owned()).spawn(move || read(&sender, &stopped))?;
        Ok(Self { events, stop: Some(stop), thread: Some(thread) })
    }

    /// The next events: at least one, and all that came with it. The end of the terminal is an error.
    pub async fn next(&mut self) -> io::Result<Vec<Event>> {
        self.events.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }

    /// Events that are there already.
    pub fn ready(&mut self) -> Option<io::Result<Vec<Event>>> {
        self.events.try_recv().ok()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.events.close();
        self.stop.take();
        // It ends at once: both of what it can wait for are closed.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads until it is stopped, or the terminal or the loop is gone.
fn read(sender: &mpsc::Sender<io::Result<Vec<Event>>>, stopped: &UnixStream) {
    let stdin = io::stdin();
    let mut parser = Parser::default();
    let mut bytes = vec![0; CHUNK];
    loop {
        let wait = parser.waiting().map(Waiting::time);
        let events = match wait_for(&stdin, stopped, wait) {
            Ok(Ready::Stopped) => return,
            Ok(Ready::Silence) => parser.silence(),
            Ok(Ready::Bytes) => match rustix::io::read(&stdin, &mut bytes) {
                Ok(0) => {
                    let _ = sender.blocking_send(Err(io::ErrorKind::UnexpectedEof.into()));
                    return;
                }
                Ok(n) => parser.feed(bytes.get(..n).unwrap_or_default()),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
                Err(error) => {
                    let _ = sender.blocking_send(Err(error.into()));
                    return;
                }
            },
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => {
                let _ = sender.blocking_send(Err(error.into()));
                return;
            }
        };
        if !events.is_empty() && sender.blocking_send(Ok(events)).is_err() {
            return;
        }
    }
}

/// What the thread woke up for.
enum Ready {
    Bytes,
    /// Nothing came in time.
    Silence,
    Stopped,
}

/// Waits for bytes, for the stop, or for `wait`; `None`: without a limit.
fn wait_for(stdin: &impl AsFd, stopped: &UnixStream, wait: Option<Duration>) -> rustix::io::Result<Ready> {
    let mut fds = [PollFd::new(stdin, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    let wait = wait.and_then(|w| Timespec::try_from(w).ok());
    let ready = poll(&mut fds, wait.as_ref())?;
    let [input, stop] = &fds;
    Ok(match ready {
        0 => Ready::Silence,
        _ if !stop.revents().is_empty() => Ready::Stopped,
        _ if !input.revents().is_empty() => Ready::Bytes,
        _ => Ready::Silence,
    })
}
