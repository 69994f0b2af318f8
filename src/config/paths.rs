//! The paths of the program's files, by the XDG Base Directory Specification. Creates and reads none of them.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

const DIRECTORY: &str = "renewscope";

/// The default database file. `None` if the home directory is unknown or not an absolute path; so for all paths here.
pub fn embedded_database() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.data_dir())?.join("events.db").into()
}

/// The default configuration file.
pub fn config_file() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.config_dir())?.join("config.toml").into()
}

/// The directory of the user's source profiles.
pub fn profiles_directory() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.config_dir())?.join("profiles").into()
}

/// The directory of the log and of what the console remembers.
pub fn state_directory() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.state_dir()?)
}

/// The program's directory below `base`. A relative one would follow the working directory.
fn absolute(base: PathBuf) -> Option<PathBuf> {
    base.is_absolute().then(|| base.join(DIRECTORY))
}
