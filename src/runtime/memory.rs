//! What the console remembers between runs: applied filters and chosen columns, in plain files of the user's state
//! directory.
//!
//! The console's loop and its start call it. A file that cannot be read or written must never stop the console.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::views::events::columns::{EventColumns, default_columns};

/// The most filters that are remembered.
const FILTERS: usize = 200;

/// The files in one directory; without a directory nothing is remembered.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// Reads and writes in `directory`, which is created on the first write.
    pub fn in_directory(directory: Option<PathBuf>) -> Self {
        Self(directory)
    }

    /// The filters of earlier runs, oldest first, each once. At most 200, the newest; a longer file is shortened. Empty
    /// where nothing can be read.
    pub fn filters(&self) -> Vec<String> {
        let Some(text) = self.read("filters") else { return Vec::new() };
        let mut filters: Vec<String> = Vec::new();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            filters.retain(|f| f != line);
            filters.push(line.to_owned());
        }
        let surplus = filters.len().saturating_sub(FILTERS);
        filters.drain(..surplus);
        if surplus > 0 {
            self.write("filters", &(filters.join("\n") + "\n"), false);
        }
        filters
    }
    /// Appends a filter. Concurrent consoles append to the same file. A filter with a line break is not saved. A failed
    /// write is logged and otherwise ignored.
    pub fn remember(&self, filter: &str) {
        if !filter.contains('\n') {
            self.write("filters", &format!("{filter}\n"), true);
        }
    }

    /// The columns of the last choice. `None` where none were saved, or a saved one is unknown.
    pub fn columns(&self) -> Option<EventColumns> {
        default_columns().named(self.read("columns")?.split_whitespace()).ok()
    }
    /// Saves the chosen columns by their names.
    pub fn keep_columns(&self, names: &[&str]) {
        self.write("columns", &names.join(" "), false);
    }

    /// The content of a file of the directory; `None` if it cannot be read.
    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.as_deref()?.join(name)).ok()
    }

    /// Writes or appends to a file of the directory; a failure is logged.
    fn write(&self, name: &str, text: &str, append: bool) {
        let Some(directory) = &self.0 else { return };
        if let Err(error) = put(directory, name, text, append) {
            tracing::warn!(%error, name, "not remembered");
        }
    }
}

/// Writes a file that only its owner can read, because filters name devices and organizations.
fn put(directory: &Path, name: &str, text: &str, append: bool) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).mode(0o600).append(append).truncate(!append);
    options.open(directory.join(name))?.write_all(text.as_bytes())
}
