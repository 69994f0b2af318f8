//! What the model wants of the world: a closed set of plain data. The event loop performs it.

use crate::domain::text::Clean;
use crate::protocol::survey::{FleetOrder, SurveyOrder};
use crate::protocol::tail::TailOrder;
use crate::protocol::{Request, Slot};

/// One wish. Nothing happens until the event loop performs it.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Run a query.
    Send(Request),
    /// Stop the slot's query, in the database too.
    Cancel(Slot),
    /// Follow new rows; replaces an earlier order.
    Tail(TailOrder),
    /// Survey a range; replaces an earlier order.
    Survey(SurveyOrder),
    /// List these devices; replaces an earlier order.
    Fleet(FleetOrder),
    /// Send to the terminal's clipboard.
    Copy(Clean),
    /// Notify the user.
    Alert(Means, Clean),
    /// Keep an applied filter for later runs.
    Remember(String),
    /// Keep the chosen columns for later runs.
    KeepColumns(Vec<&'static str>),
    /// Give the terminal back and stop the process, until the shell continues it.
    Suspend,
    /// Switch to another of the named databases.
    Open(String),
    Quit,
}

/// How an alert is delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Means {
    #[default]
    Bell,
    /// A desktop notification, if the terminal passes it on (OSC 9).
    Desktop,
}

impl Means {
    pub const ALL: [(&'static str, Self); 2] = [("bell", Self::Bell), ("desktop", Self::Desktop)];

    /// The bytes that the terminal gets. A notification starts with a fixed word, because OSC 9 with a number is a command to
    /// some terminals, and data must not select one.
    pub fn sign(self, words: &Clean) -> String {
        match self {
            Self::Bell => "\x07".to_owned(),
            Self::Desktop => format!("\x1b]9;renewscope: {words}\x07"),
        }
    }
    /// The one that a configuration names. `None` for any other name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(id, _)| *id == name).map(|(_, means)| *means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_data_never_selects_a_command_of_the_terminal() {
        let sign = Means::Desktop.sign(&Clean::line("6;Shell(\"new_console\",\"calc\")\x07\x1b]9;4;1;50"));
        assert!(sign.starts_with("\x1b]9;renewscope: 6;Shell"), "{sign:?}");
        assert_eq!(sign.matches('\x1b').count(), 1);
        assert_eq!(sign.matches('\x07').count(), 1);
        assert_eq!(Means::Bell.sign(&Clean::line("x")), "\x07");
    }
}
