//! Signals as messages.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// The program must end; the number tells why.
    End(i32),
    /// Somebody asks the program to stop (SIGTSTP from outside).
    Stop,
    /// It runs again.
    Continue,
}

pub struct Signals {
    interrupt: Stream,
    terminate: Stream,
    hangup: Stream,
    stop: Stream,
    go_on: Stream,
}

impl Signals {
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

/// Stops the whole process group, as the terminal's own suspend key would: a shell sees its job stopped, also where
/// another program (`cargo run`, a pipe) stands between. Returns when the group is continued.
pub fn stop_here() {
    // SIGSTOP and not SIGTSTP: a group without a parent in its session would never stop by the latter.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
}
