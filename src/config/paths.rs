//! The paths of the program's files, by the XDG Base Directory Specification. Creates and reads none of them.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

/// The program's directory below each of the user's base directories.
const DIRECTORY: &str = "renewscope";

/// The default database file. `None` if the home directory is unknown; so for all paths here. Usually
/// `~/.local/share/renewscope/events.db`.
pub fn embedded_database() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.data_dir())?.join("events.db").into()
}

/// The default configuration file. Usually `~/.config/renewscope/config.toml`.
pub fn config_file() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.config_dir())?.join("config.toml").into()
}

/// The directory of the user's source profiles. Usually `~/.config/renewscope/profiles`.
pub fn profiles_directory() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.config_dir())?.join("profiles").into()
}

/// The directory of the log and of what the console remembers. Usually `~/.local/state/renewscope`.
pub fn state_directory() -> Option<PathBuf> {
    absolute(Xdg::new().ok()?.state_dir()?)
}

/// The program's directory below `base`. A relative one would follow the working directory.
fn absolute(base: PathBuf) -> Option<PathBuf> {
    base.is_absolute().then(|| base.join(DIRECTORY))
}
