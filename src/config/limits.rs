//! The limits of a command: how many rows it prints, and how long one statement may run.
//!
//! Called while the configuration is merged. It reads the environment through a function, and nothing else.

use std::time::Duration;

use super::file::File;
use super::{ConfigError, Origin, Setting, cli};
use crate::domain::text::Clean;

/// The variable that sets the statement timeout.
pub const VARIABLE: &str = "RENEWSCOPE_STATEMENT_TIMEOUT";
/// The statement timeout where none is set.
const DEFAULT: Duration = Duration::from_secs(30);
/// The server counts milliseconds in 31 bits.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// What bounds a command.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most rows; `None`: all. From `--limit`.
    pub rows: Option<u64>,
    /// How long the database may work on one statement; zero: without limit. At most about 24 days.
    pub statement: Setting<Duration>,
}

impl Limits {
    /// `--statement-timeout` overrides the variable, which overrides the configuration file. Fails for a text that is
    /// no duration and for one that the server cannot count.
    pub(super) fn resolve(
        global: &cli::Global,
        file: &File,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let set = variable(VARIABLE).filter(|text| !text.is_empty());
        let (text, origin) = match (&global.statement_timeout, set, &file.statement_timeout) {
            (Some(text), _, _) => (text.clone(), Origin::Option("--statement-timeout")),
            (None, Some(text), _) => (text, Origin::Variable(VARIABLE)),
            (None, None, Some(text)) => (text.clone(), Origin::File),
            (None, None, None) => {
                let statement = Setting { value: DEFAULT, origin: Origin::Default };
                return Ok(Self { rows: global.limit, statement });
            }
        };
        let value = duration(&text).filter(|value| *value <= LONGEST).ok_or_else(|| ConfigError::Limit {
            origin,
            why: format!(
                "'{}' is not a statement timeout; write a number and a unit, as in '90s', '5m' or '0' for none",
                Clean::line(&text)
            ),
        })?;
        Ok(Self { rows: global.limit, statement: Setting { value, origin } })
    }

    /// The statement timeout as it is typed. Whole seconds as `30s`, others as `250ms`, zero as `none`.
    pub fn shown(&self) -> String {
        match self.statement.value {
            Duration::ZERO => "none".to_owned(),
            value if value.subsec_millis() == 0 => format!("{}s", value.as_secs()),
            value => format!("{}ms", value.as_millis()),
        }
    }
}

/// A number and a unit; without a unit, seconds.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limits(option: Option<&str>, set: Option<&str>, file: Option<&str>) -> Result<Limits, String> {
        let global = cli::Global { statement_timeout: option.map(str::to_owned), ..cli::Global::default() };
        let file = File { statement_timeout: file.map(str::to_owned), ..File::default() };
        let variable = |name: &str| set.filter(|_| name == VARIABLE).map(str::to_owned);
        Limits::resolve(&global, &file, &variable).map_err(|e| e.to_string())
    }

    #[test]
    fn the_statement_timeout_comes_from_the_nearest_place() {
        for (option, set, file, expected, origin) in [
            (Some("5m"), Some("6m"), Some("7m"), "300s", "option --statement-timeout"),
            (None, Some("90"), Some("7m"), "90s", "environment RENEWSCOPE_STATEMENT_TIMEOUT"),
            (None, Some(""), Some("250ms"), "250ms", "configuration file"),
            (None, None, None, "30s", "default"),
            (Some("0"), None, None, "none", "option --statement-timeout"),
        ] {
            let limits = limits(option, set, file).unwrap();
            assert_eq!((limits.shown().as_str(), limits.statement.origin.to_string().as_str()), (expected, origin));
        }
        for wrong in ["soon", "5 days", "-1", "", "99999999h", "1.5s"] {
            let why = limits(Some(wrong), None, None).err().unwrap();
            assert!(why.starts_with("option --statement-timeout: ") && why.contains("'90s'"), "{wrong}: {why}");
        }
    }
}
