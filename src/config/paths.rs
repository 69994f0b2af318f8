//! Where the program keeps its own files, by the XDG rules. Makes none of them.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

const DIRECTORY: &str = "renewscope";

/// The event file for those who name no database. `None` where no home directory is known.
pub fn embedded_database() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.data_dir().join(DIRECTORY).join("events.db"))
}

/// The configuration file, where no other is named.
pub fn config_file() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join(DIRECTORY).join("config.toml"))
}

/// The directory of the user's own source profiles.
pub fn profiles_directory() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join(DIRECTORY).join("profiles"))
}

/// The directory of the log.
pub fn state_directory() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.state_dir()?.join(DIRECTORY))
}
