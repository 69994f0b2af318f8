//! Everything that can happen to the model: a closed set of plain data. What it wants of the world is
//! [`Effect`](crate::ui::effect::Effect).

use crossterm::event::KeyEvent;

use crate::domain::instant::Instant;
use crate::protocol::Reply;
use crate::protocol::survey::{FleetNews, SurveyNews};
use crate::protocol::tail::TailEvent;

/// One message of the event loop.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    /// A key as the terminal reports it.
    Key(KeyEvent),
    /// Text of a bracketed paste. It must never act as keys.
    Paste(String),
    /// The terminal's new size in columns and rows.
    Resize { width: u16, height: u16 },
    /// A query's outcome, which may be that of an older query.
    Reply(Reply),
    /// News of a tail, which may be that of an older order.
    Tail(TailEvent),
    /// News of the survey, which may be that of an older order.
    Survey(SurveyNews),
    /// News of the fleet, which may be that of an older order.
    Fleet(FleetNews),
    /// The time now, UTC; the only way in which the clock enters.
    Tick(Instant),
}
