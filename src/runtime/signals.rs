//! Signals as messages for the console's loop. A handler only reports the signal; the loop acts on it.

use std::io;

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
}

/// The listeners, one per signal.
pub struct Signals {
    interrupt: Stream,
    terminate: Stream,
    hangup: Stream,
    stop: Stream,
    go_on: Stream,
}

impl Signals {
    /// Replaces the default action of the signals. Needs a running tokio runtime. Fails if the system refuses a
    /// listener.
    pub fn new() -> io::Result<Self> {
        let raw = |s: rustix::process::Signal| signal(SignalKind::from_raw(s.as_raw()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            stop: raw(rustix::process::Signal::TSTP)?,
            go_on: raw(rustix::process::Signal::CONT)?,
        })
    }

    /// Waits for the next signal. SIGINT, SIGTERM and SIGHUP end the program; several at once come one by one, in any
    /// order.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::End(2),
            _ = self.terminate.recv() => Signal::End(15),
            _ = self.hangup.recv() => Signal::End(1),
            _ = self.stop.recv() => Signal::Stop,
            _ = self.go_on.recv() => Signal::Continue,
        }
    }
}

/// Stops the whole process group, as the terminal's suspend key does: the shell sees its job stopped, even if another
/// program (`cargo run`, a pipe) started this one. Returns when the group is continued.
pub fn stop_here() {
    // SIGSTOP and not SIGTSTP: the system ignores SIGTSTP for a group without a parent in its session.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
}
