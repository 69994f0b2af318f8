//! The way from the command line to the console.

use super::failure::{Exit, Failure};
use crate::config::Config;

/// Opens the console on the configured database.
pub async fn console(_config: Config) -> Result<Exit, Failure> {
    Err(absent())
}

/// Opens the console on a simulated fleet.
pub async fn demo(_config: Config) -> Result<Exit, Failure> {
    Err(absent())
}

fn absent() -> Failure {
    Failure::Failed("no console in this build; use 'renewscope list', 'count', 'tail' or 'export'".to_owned())
}
