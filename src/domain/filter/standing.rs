//! Conditions on how a device stands: `state` and `left`.
//!
//! They hold for no event: queries of events reject them, and the fleet evaluates them; see
//! [`Selection`](crate::domain::fleet::Selection). They hold no time, so that what is typed is also the criterion.

use std::fmt::{self, Write as _};

use super::lex::Value;
use super::parse::{FilterError, compared, plain, zero_or_length};
use super::print::length_or_zero;
use super::{Key, Order};
use crate::domain::instant::Span;
use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::domain::when::Length;

/// The words of `state`, in the order of completion.
pub const STATES: [&str; 9] =
    ["failing", "failed", "gave_up", "stalled", "in_flight", "silent", "expired", "ok", "unknown"];
/// Values proposed for `left`.
pub(super) const LEFT: [&str; 6] = ["<1d", "<7d", "<30d", "<10%", "<20%", "<=0"];

/// A condition on how a device stands. Lists mean "any of these" and are never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// One of [`STATES`] holds.
    State(Vec<&'static str>),
    /// The time left to its certificate satisfies one of these.
    Left(Vec<Left>),
}

/// A comparison of the time that is left to a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    /// How the time is compared with the amount.
    pub order: Order,
    /// What it is compared with.
    pub amount: Amount,
}

/// An amount of time that is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// Percent of the certificate's whole life, at most 100.
    Share(u8),
    /// A length of time.
    Time(Length),
}

impl Standing {
    /// Its key.
    pub const fn key(&self) -> Key {
        match self {
            Self::State(_) => Key::State,
            Self::Left(_) => Key::Left,
        }
    }

    /// Reads the values of `state`.
    pub(super) fn states(values: &[Value]) -> Result<Self, FilterError> {
        let word = |value: &Value| {
            let text = plain(Key::State, value)?;
            STATES.into_iter().find(|word| word.eq_ignore_ascii_case(text)).ok_or_else(|| {
                let suggestion = match nearest(text, STATES) {
                    Some(word) => format!("did you mean '{word}'?"),
                    None => format!("valid are {}", STATES.join(", ")),
                };
                FilterError::new(value.column, format!("unknown state '{}'", Clean::line(text)), suggestion)
            })
        };
        values.iter().map(word).collect::<Result<_, _>>().map(Self::State)
    }

    /// Reads the values of `left`.
    pub(super) fn left(values: &[Value]) -> Result<Self, FilterError> {
        values.iter().map(Left::parse).collect::<Result<_, _>>().map(Self::Left)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(words) => f.write_str(&words.join(",")),
            Self::Left(any) => {
                for (i, left) in any.iter().enumerate() {
                    if i > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{}{}", left.order.sign(), left.amount)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(percent) => write!(f, "{percent}%"),
            Self::Time(length) => length_or_zero(f, *length),
        }
    }
}

impl Left {
    /// Reads a comparison and a length or a share: `<7d`, `<=0`, `<20%`.
    fn parse(value: &Value) -> Result<Self, FilterError> {
        let text = plain(Key::Left, value)?;
        let fail = |what: &str| {
            let message = format!("'{}' {what}", Clean::line(text));
            FilterError::new(
                value.column,
                message,
                "compare with a length of time or with a share: '<7d', '<=0', '<20%'",
            )
        };
        let (order, rest) = compared(text).ok_or_else(|| fail("lacks a comparison"))?;
        let amount = match rest.strip_suffix('%') {
            Some(number) => {
                let percent = number.trim().parse().ok().filter(|percent| *percent <= 100);
                Amount::Share(percent.ok_or_else(|| fail("is no share from 0% to 100%"))?)
            }
            None => Amount::Time(zero_or_length(rest).map_err(|e| FilterError::time(value.column, e))?),
        };
        Ok(Self { order, amount })
    }

    /// Whether it holds for a certificate with that time left, negative after its end. A share of an unknown life holds
    /// for none, except that of an expired certificate less than nothing is left.
    pub fn holds(&self, left: Span, life: Option<Span>) -> bool {
        let bound = match self.amount {
            Amount::Time(length) => length.span(),
            // An i64 of microseconds divided by 100 first loses less than a hundredth of a millisecond.
            Amount::Share(percent) => match life {
                Some(life) => Span(life.0 / 100 * i64::from(percent)),
                None if left.0 <= 0 => Span(0),
                None => return false,
            },
        };
        match self.order {
            Order::Less => left < bound,
            Order::AtMost => left <= bound,
            Order::Equal => left == bound,
            Order::AtLeast => left >= bound,
            Order::More => left > bound,
        }
    }
}
