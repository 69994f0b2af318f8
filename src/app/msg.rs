//! Everything that can happen to the model, and everything it can want of the world. Two closed sets of plain data.

use crossterm::event::KeyEvent;

use super::alert::Means;
use crate::domain::instant::Instant;
use crate::domain::text::Clean;
use crate::protocol::tail::{TailEvent, TailOrder};
use crate::protocol::{Reply, Request, Slot};

#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    Resize {
        width: u16,
        height: u16,
    },
    Reply(Reply),
    Tail(TailEvent),
    /// The time now; the only way in which the clock enters.
    Tick(Instant),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    Ask(Request),
    /// Stop the question of this slot, in the database too.
    Cancel(Slot),
    Tail(TailOrder),
    /// Send to the terminal's clipboard.
    Copy(Clean),
    /// Tell the user, wherever the eyes are.
    Alert(Means, Clean),
    /// Keep an applied filter for later runs.
    Remember(String),
    /// Keep the chosen columns for later runs.
    KeepColumns(Vec<&'static str>),
    Suspend,
    /// Go on in another of the named databases.
    Open(String),
    Quit,
}
