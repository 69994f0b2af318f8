//! The time zone setting: `--tz`, the configuration file, `TZ` and the system's zone.
//!
//! Configuration and the console's settings call this module. It is the only place that reads the machine's zone.

use jiff::tz::TimeZone;

use super::file::File;
use super::{ConfigError, Origin, Setting, cli};
use crate::domain::text::Clean;
use crate::domain::zone::Zone;

/// The zone of `--tz`, else that of the configuration file, else UTC. `variable` reads the environment. `local` takes
/// the machine's zone. The error says which option or file names the unknown zone.
pub(super) fn zone(
    global: &cli::Global,
    file: &File,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Setting<Zone>, ConfigError> {
    let (name, origin) = match (&global.tz, &file.tz) {
        (Some(name), _) => (name, Origin::Option("--tz")),
        (None, Some(name)) => (name, Origin::File),
        (None, None) => return Ok(Setting { value: Zone::Utc, origin: Origin::Default }),
    };
    let value = if name.eq_ignore_ascii_case("local") {
        local(variable)
    } else {
        // A rule is accepted, so that the option takes what the console prints for a zone of `TZ`.
        Zone::parse(name).or_else(|error| Zone::of_rule(name).ok_or(error)).map_err(|e| e.to_string())
    };
    let value = value.map_err(|why| ConfigError::Zone { origin, why: Clean::line(&why).as_str().to_owned() })?;
    Ok(Setting { value, origin })
}

/// The zone of this process: that of the variable `TZ` where it is set, else the system's. The error says what is wrong
/// and what to do. Fails where `TZ` names no zone, and where the system's zone is unknown.
pub fn local(variable: &impl Fn(&str) -> Option<String>) -> Result<Zone, String> {
    if let Some(content) = variable("TZ") {
        return Zone::of_variable(&content).map_err(|e| format!("environment TZ: {e}"));
    }
    let unknown = || "the system's time zone is unknown; name one, as in '--tz Europe/Berlin'".to_owned();
    TimeZone::try_system().ok().and_then(|rules| Zone::of_system(&rules)).ok_or_else(unknown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_takes_precedence_over_the_system() {
        let of = |content: &'static str| local(&move |name: &str| (name == "TZ").then(|| content.to_owned()));
        for (content, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            (":America/New_York", "America/New_York"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
            ("", "UTC"),
        ] {
            assert_eq!(of(content).unwrap().name(), name, "{content}");
        }
        let why = "environment TZ: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?";
        assert_eq!(of("Europe/Berln"), Err(why.to_owned()));
        assert!(local(&|_: &str| None).is_ok());
    }

    #[test]
    fn the_option_takes_names_rules_and_local() {
        let of = |tz: &str| {
            let global = cli::Global { tz: Some(tz.into()), ..cli::Global::default() };
            zone(&global, &File::default(), &|_: &str| Some("Asia/Tokyo".into())).map(|zone| zone.value.name())
        };
        for (tz, name) in [
            ("utc", "UTC"),
            ("europe/berlin", "Europe/Berlin"),
            ("<+0530>-5:30", "<+0530>-5:30"),
            ("Local", "Asia/Tokyo"),
        ] {
            assert_eq!(of(tz).unwrap(), name, "{tz}");
        }
        assert!(of("Berlin").is_err() && of("").is_err());
    }
}
