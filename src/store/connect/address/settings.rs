//! The parameters of a server, from an address, a service file and the environment, before they mean anything.
//!
//! Values may be secrets: an error names a parameter that is known, and repeats no text. Nothing here opens a connection.

use std::collections::BTreeMap;

use crate::protocol::SourceError;

/// The parameters that have an effect, in libpq's names.
const USED: [&str; 19] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "options",
    "passfile",
    "password",
    "port",
    "service",
    "servicefile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
    "ssl",
];

/// libpq's parameters that change neither what is read nor how well it is protected here: skipped, with a warning.
const SKIPPED: [&str; 20] = [
    "channel_binding",
    "client_encoding",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "tcp_user_timeout",
];

/// The variables of the environment and their parameters.
const VARIABLES: [(&str, &str); 14] = [
    ("PGAPPNAME", "application_name"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGDATABASE", "dbname"),
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPASSFILE", "passfile"),
    ("PGPASSWORD", "password"),
    ("PGPORT", "port"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGUSER", "user"),
];

/// Where a value was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Address,
    Service,
    Variable(&'static str),
}

impl Origin {
    /// The value's place in a message: its parameter, or its variable.
    pub fn named(self, parameter: &str) -> String {
        match self {
            Self::Address => format!("'{parameter}' in the database address"),
            Self::Service => format!("'{parameter}' in the service file"),
            Self::Variable(name) => format!("the environment variable {name}"),
        }
    }
}

/// Values by parameter. The first value that is set wins.
#[derive(Default)]
pub struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
    /// Server settings given as `options[name]=value`.
    pub options: Vec<(String, String)>,
    /// What was skipped, in words.
    pub warnings: Vec<String>,
}

impl Settings {
    /// The value of a parameter; an empty one counts as not set.
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.values.get(parameter).map(|(value, _)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The place of a value in a message.
    pub fn place(&self, parameter: &str) -> String {
        self.values.get(parameter).map_or(Origin::Address, |(_, origin)| *origin).named(parameter)
    }

    /// Takes a value of the address. A later one of the same parameter wins, as in libpq.
    pub fn write(&mut self, parameter: &str, value: String) -> Result<(), SourceError> {
        if let Some(name) = parameter.strip_prefix("options[").and_then(|p| p.strip_suffix(']')) {
            self.options.push((name.to_owned(), value));
            return Ok(());
        }
        let Some(known) = self.known(parameter)? else { return Ok(()) };
        if value.contains('\0') {
            return Err(SourceError::Invalid(format!("'{known}' in the database address holds a NUL, which none may")));
        }
        match (known, value.as_str()) {
            ("ssl", "true" | "1") => self.values.insert("sslmode", ("require".to_owned(), Origin::Address)),
            ("ssl", _) => return Err(SourceError::Invalid("'ssl' in the database address; valid is 'true'".into())),
            _ => self.values.insert(known, (value, Origin::Address)),
        };
        Ok(())
    }

    /// Takes a value of a service file, unless the address has one.
    pub fn serve(&mut self, parameter: &str, value: &str) -> Result<(), SourceError> {
        if let Some(known) = self.known(parameter)? {
            self.values.entry(known).or_insert_with(|| (value.to_owned(), Origin::Service));
        }
        Ok(())
    }

    /// Takes what is left from the environment.
    pub fn complete(&mut self, variable: impl Fn(&str) -> Option<String>) {
        for (name, parameter) in VARIABLES {
            if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
                self.values.entry(parameter).or_insert((value, Origin::Variable(name)));
            }
        }
    }

    /// The parameter as it is known here; `None`: it is skipped.
    fn known(&mut self, parameter: &str) -> Result<Option<&'static str>, SourceError> {
        if let Some(known) = USED.iter().find(|known| **known == parameter) {
            return Ok(Some(known));
        }
        if let Some(skipped) = SKIPPED.iter().find(|skipped| **skipped == parameter) {
            let warning = format!("the address parameter '{skipped}' has no effect here");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            return Ok(None);
        }
        // Not repeated: of an address that was cut in the wrong place it may be a part of the password.
        Err(SourceError::Invalid(format!(
            "an unknown parameter in the database address; valid are {}; in a password write '?' as %3F and '&' as %26",
            USED.iter().filter(|p| !matches!(**p, "ssl" | "servicefile")).copied().collect::<Vec<_>>().join(", ")
        )))
    }
}
