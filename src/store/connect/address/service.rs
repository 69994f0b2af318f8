//! Service files: named parameters of servers, as libpq reads them.
//!
//! `~/.pg_service.conf`, or what `PGSERVICEFILE` names, is searched first, then `pg_service.conf` in `PGSYSCONFDIR`.

use std::path::{Path, PathBuf};

use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::store::connect::address::settings::Settings;

/// Where Debian and others put the file of the machine.
const SYSTEM: &str = "/etc/postgresql-common";

/// Completes the parameters with those of a service. The error names the service and the files that were searched.
pub fn complete(
    name: &str,
    settings: &mut Settings,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), SourceError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = settings.get("servicefile").map(str::to_owned).or_else(|| set("PGSERVICEFILE")).map(PathBuf::from);
    let own = named.or_else(|| set("HOME").map(|home| Path::new(&home).join(".pg_service.conf")));
    let system = Path::new(&set("PGSYSCONFDIR").unwrap_or_else(|| SYSTEM.to_owned())).join("pg_service.conf");
    let files: Vec<PathBuf> = own.into_iter().chain([system]).collect();
    for file in &files {
        let text = match std::fs::read(file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => {
                return Err(SourceError::Invalid(format!("the service file '{}' cannot be read: {e}", file.display())));
            }
        };
        if let Some(lines) = section(&text, name) {
            for line in lines {
                let Some((parameter, value)) = line.split_once('=') else {
                    let file = file.display();
                    return Err(SourceError::Invalid(format!("the service file '{file}' has a line without '='")));
                };
                settings.serve(parameter.trim(), value.trim())?;
            }
            return Ok(());
        }
    }
    let searched: Vec<_> = files.iter().map(|file| format!("'{}'", file.display())).collect();
    let name = Clean::line(name);
    Err(SourceError::Invalid(format!(
        "no service '{name}' in {}; check PGSERVICE and the address",
        searched.join(" or ")
    )))
}

/// The lines of a section; `None` if the file has no such section.
fn section<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let heading = format!("[{name}]");
    let mut inside = lines.skip_while(|line| *line != heading);
    inside.next()?;
    Some(inside.take_while(|line| !line.starts_with('[')).collect())
}
