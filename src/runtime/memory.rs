//! What the console remembers between runs: applied filters and chosen columns, in plain files of the user's state
//! directory.
//!
//! The console's loop and its start call it. A file that cannot be read or written must never stop the console, nor hold
//! it up; consoles that run at the same time must not lose each other's filters.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::files;
use crate::views::events::columns::{EventColumns, default_columns};

/// The most filters that are remembered.
const FILTERS: usize = 200;
/// The bytes at the end of a file that are read: far more than the filters of a person.
const TAIL: u64 = 256 << 10;
/// A file beyond this is cut to the filters that are remembered.
const CUT_BEYOND: u64 = 64 << 10;
/// How often, and for how long each time, a lock is waited for. Another console holds it for a rename.
const TRIES: (u32, Duration) = (10, Duration::from_millis(5));

/// The files in one directory; without a directory nothing is remembered.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// Reads and writes in `directory`, which is created on the first write.
    pub fn in_directory(directory: Option<PathBuf>) -> Self {
        Self(directory)
    }

    /// The filters of earlier runs, oldest first, each once. Cuts a file that has grown long.
    pub fn filters(&self) -> Vec<String> {
        let Some(path) = self.path("filters") else { return Vec::new() };
        let (filters, length) = match read(&path) {
            Ok(found) => found,
            Err(error) => {
                note(&error, &path);
                return Vec::new();
            }
        };
        if length > CUT_BEYOND
            && let Err(error) = cut(&path)
        {
            note(&error, &path);
        }
        filters
    }
    /// Appends a filter. Concurrent consoles append to the same file. A filter with a line break is not saved. A failed
    /// write is logged and otherwise ignored.
    pub fn remember(&self, filter: &str) {
        let Some(path) = self.path("filters").filter(|_| !filter.contains(['\n', '\r'])) else { return };
        if let Err(error) = append(&path, filter) {
            note(&error, &path);
        }
    }

    /// The columns of the last choice. `None` where none were saved, or a saved one is unknown.
    pub fn columns(&self) -> Option<EventColumns> {
        let text = files::read_text(&self.path("columns")?, 4096).ok()?;
        default_columns().named(text.split_whitespace()).ok()
    }
    /// Saves the chosen columns by their names.
    pub fn keep_columns(&self, names: &[&str]) {
        let Some(path) = self.path("columns") else { return };
        if let Err(error) = directory_of(&path).and_then(|_| replace(&path, &names.join(" "))) {
            note(&error, &path);
        }
    }

    /// The path of one of the files.
    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.0.as_deref()?.join(name))
    }
}

/// Logs an error, unless the file is only missing.
fn note(error: &io::Error, path: &Path) {
    if error.kind() != io::ErrorKind::NotFound {
        tracing::warn!(%error, path = %path.display(), "not remembered");
    }
}

/// The filters at the end of a file, each once, and the length of the file.
fn read(path: &Path) -> io::Result<(Vec<String>, u64)> {
    let mut file = files::open_read(path)?;
    let length = file.metadata()?.len();
    Ok((last_filters(&mut file, length)?, length))
}

/// The filters in the last part of a file of `length` bytes.
fn last_filters(file: &mut File, length: u64) -> io::Result<Vec<String>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line of a part begins before it.
    let lines = text.lines().skip(usize::from(length > TAIL));
    let mut filters: Vec<String> = Vec::new();
    for line in lines.filter(|l| !l.trim().is_empty()) {
        filters.retain(|f| f != line);
        filters.push(line.to_owned());
    }
    let surplus = filters.len().saturating_sub(FILTERS);
    filters.drain(..surplus);
    Ok(filters)
}

/// Writes the filters that are remembered to a new file, which takes the place of the old one.
fn cut(path: &Path) -> io::Result<()> {
    let Some(mut file) = locked(path)? else { return Ok(()) };
    let length = file.metadata()?.len();
    let filters = last_filters(&mut file, length)?;
    // The lock holds until the drop, after the rename.
    replace(path, &(filters.join("\n") + "\n"))
}

/// Appends under the lock, so that a console that cuts the file does not lose the line. After the last try it appends all
/// the same: a stopped console can hold the lock.
fn append(path: &Path, filter: &str) -> io::Result<()> {
    directory_of(path)?;
    let mut file = match locked(path)? {
        Some(file) => file,
        None => files::open_append(path, false)?,
    };
    files::append_line(&mut file, filter.as_bytes())
}

/// Opens and locks the file that has the name `path` now. `None`: another process holds the lock.
fn locked(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TRIES.0 {
        let file = files::open_append(path, false)?;
        match file.try_lock() {
            Ok(()) => {
                // While this one waited, another file may have taken the name.
                let (own, named) = (file.metadata()?, std::fs::metadata(path)?);
                if (own.dev(), own.ino()) == (named.dev(), named.ino()) {
                    return Ok(Some(file));
                }
            }
            Err(TryLockError::WouldBlock) => thread::sleep(TRIES.1),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Creates the directory of a file.
fn directory_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), files::make_directory)
}

/// Replaces a file by one that only its owner can read. Never a file in part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn memory() -> (tempfile::TempDir, Memory) {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory::in_directory(Some(dir.path().join("state")));
        (dir, memory)
    }

    #[test]
    fn the_last_filters_are_remembered_and_the_file_is_cut() {
        let (dir, memory) = memory();
        assert_eq!(memory.filters(), Vec::<String>::new());
        for n in 0..5000 {
            memory.remember(&format!("device:edge-{n:04}"));
        }
        let path = dir.path().join("state/filters");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let filters = memory.filters();
        assert_eq!((filters.len(), filters[0].as_str()), (FILTERS, "device:edge-4800"));
        assert!(std::fs::metadata(&path).unwrap().len() < 8192);
        assert_eq!((memory.filters(), mode(&path)), (filters, 0o600));
        memory.remember("two\nlines");
        memory.remember("device:edge-4900");
        assert_eq!(memory.filters().last().unwrap(), "device:edge-4900");
    }

    #[test]
    fn concurrent_consoles_lose_no_filter() {
        let (_dir, memory) = memory();
        let long = "x".repeat(1000);
        std::thread::scope(|scope| {
            for console in 0..4 {
                let (memory, long) = (memory.clone(), &long);
                scope.spawn(move || {
                    for n in 0..40 {
                        memory.remember(&format!("{console}-{n} {long}"));
                        memory.filters();
                    }
                });
            }
        });
        let filters = memory.filters();
        for console in 0..4 {
            for n in 0..40 {
                let start = format!("{console}-{n} ");
                assert!(filters.iter().any(|f| f.starts_with(&start)), "{start}");
            }
        }
    }

    #[test]
    fn neither_a_pipe_nor_a_device_nor_a_huge_file_holds_the_console_up() {
        let (dir, memory) = memory();
        let state = dir.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let path = state.join("filters");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        memory.remember("a");
        assert_eq!(memory.filters(), Vec::<String>::new());
        for device in ["/dev/zero", "/dev/full"] {
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(device, &path).unwrap();
            memory.remember("a");
            assert_eq!(memory.filters(), Vec::<String>::new());
        }
        std::fs::remove_file(&path).unwrap();
        File::create(&path).unwrap().set_len(1 << 32).unwrap();
        memory.remember("a");
        assert_eq!(memory.filters().last().unwrap(), "a");
        assert!(std::fs::metadata(&path).unwrap().len() <= TAIL + 2);
        std::fs::write(&path, "whole\ntorn").unwrap();
        memory.remember("next");
        assert_eq!(memory.filters(), ["whole", "torn", "next"]);
    }
}
