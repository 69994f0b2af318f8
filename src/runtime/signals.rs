//! Signals as messages for the console's loop. A handler only reports the signal; the loop acts on it.

use std::future;
use std::io;
use std::task::Poll;

use rustix::process::Signal as Raw;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// A signal that the console handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// The program must end; the number is the signal's.
    End(i32),
    /// SIGTSTP from another process: the program must stop.
    Stop,
    /// SIGCONT: the program runs again.
    Continue,
    /// SIGWINCH: the terminal has another size.
    Resize,
}

/// The listeners, one per signal.
pub struct Signals {
    /// Those that end the program, each with its number.
    ending: [(Stream, i32); 7],
    /// SIGTSTP.
    stop: Stream,
    /// SIGCONT.
    go_on: Stream,
    /// SIGWINCH.
    resize: Stream,
}

impl Signals {
    /// Replaces the default action of the signals. Needs a running tokio runtime. Fails if the system refuses a
    /// listener.
    pub fn new() -> io::Result<Self> {
        let raw = |s: Raw| signal(SignalKind::from_raw(s.as_raw()));
        let ending = |s: Raw| raw(s).map(|stream| (stream, s.as_raw()));
        Ok(Self {
            ending: [
                ending(Raw::INT)?,
                ending(Raw::TERM)?,
                ending(Raw::HUP)?,
                // Their default ends the program too, but leaves the terminal in raw mode.
                ending(Raw::QUIT)?,
                ending(Raw::USR1)?,
                ending(Raw::USR2)?,
                ending(Raw::ALARM)?,
            ],
            stop: raw(Raw::TSTP)?,
            go_on: raw(Raw::CONT)?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next signal. SIGINT, SIGTERM and SIGHUP end the program; several at once come one by one, in any
    /// order.
    pub async fn next(&mut self) -> Signal {
        let ended = future::poll_fn(|context| {
            let come = |(stream, number): &mut (Stream, i32)| stream.poll_recv(context).is_ready().then_some(*number);
            self.ending.iter_mut().find_map(come).map_or(Poll::Pending, Poll::Ready)
        });
        tokio::select! {
            number = ended => Signal::End(number),
            _ = self.stop.recv() => Signal::Stop,
            _ = self.go_on.recv() => Signal::Continue,
            _ = self.resize.recv() => Signal::Resize,
        }
    }
}

/// Stops the whole process group, as the terminal's suspend key does: the shell sees its job stopped, even if another
/// program (`cargo run`, a pipe) started this one. Returns when the group is continued.
pub fn stop_here() {
    // SIGSTOP and not SIGTSTP: the system ignores SIGTSTP for a group without a parent in its session.
    let _ = rustix::process::kill_current_process_group(Raw::STOP);
}
