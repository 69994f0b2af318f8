//! Everything that can happen to the model: a closed set of plain data. What it wants of the world is
//! [`Effect`](crate::ui::effect::Effect).

use crossterm::event::KeyEvent;

use crate::domain::instant::Instant;
use crate::protocol::Reply;
use crate::protocol::tail::TailEvent;

/// One message of the event loop.
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
    /// The time now, UTC; the only way in which the clock enters.
    Tick(Instant),
}
