//! The log: a file in the user's state directory, written only when `RENEWSCOPE_LOG` is set.
//!
//! [`headless::main`](crate::headless::main) starts it once, before any command runs. Only this program's records reach
//! it: a driver's records can hold addresses with passwords and the text of events, so no setting lets them in. Only its
//! owner can read it.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::{self, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::paths;
use crate::files;

/// The variable: a level, or targets with levels, separated by commas: `debug`, `renewscope::store=trace`.
pub const VARIABLE: &str = "RENEWSCOPE_LOG";

/// Starts the log if the variable is set. The guard must live until the program ends, or the last lines are lost. The
/// error is a message for stderr; the caller continues without a log.
pub fn start() -> Result<Option<WorkerGuard>, String> {
    let Some(directives) = std::env::var(VARIABLE).ok().filter(|v| !v.is_empty()) else { return Ok(None) };
    let levels: Targets = directives.parse().map_err(|e: ParseError| format!("invalid {VARIABLE}: {e}"))?;
    let directory = paths::state_directory().ok_or("no log: the home directory is unknown; set HOME")?;
    let failed = |e: std::io::Error| format!("no log: cannot write in '{}': {e}", directory.display());
    files::make_directory(&directory).map_err(failed)?;
    // Another user could have put a link there, to have a file of this one written to.
    let file = files::open_append(&directory.join("renewscope.log"), false);
    let (writer, guard) = tracing_appender::non_blocking(file.map_err(failed)?);
    let ours = filter::filter_fn(|meta| meta.target().starts_with(env!("CARGO_PKG_NAME")));
    let layer = fmt::layer().with_writer(writer).with_ansi(false).with_filter(ours);
    tracing_subscriber::registry().with(levels).with(layer).try_init().map_err(|e| format!("no log: {e}"))?;
    Ok(Some(guard))
}
