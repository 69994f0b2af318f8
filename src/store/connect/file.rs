//! A SQLite file and the files beside it: which file it is, whether it changed, and how a reader may open it.
//!
//! An ordinary open of a file with a write-ahead log creates a log and a lock file beside it, which belong to the reader
//! and can keep the file's owner from writing. So a reader opens a file whose log is empty as immutable: SQLite then
//! creates nothing and takes no lock, and this module says whether the file is still the one that was opened. Called by
//! [`sqlite`](crate::store::connect::sqlite). It never writes, and runs no statement.

use std::fs::{self, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use crate::protocol::Why;

/// How often, and how long apart, a log without a lock file is looked at: a writer that ends removes the lock file first.
const CLOSING: (u32, Duration) = (50, Duration::from_millis(10));

/// Device and inode: a file that replaces another one under its name has others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity(u64, u64);

/// What changes when the file is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    identity: Identity,
    size: u64,
    modified: (i64, i64),
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// With locks, and with its log where it has one.
    Shared,
    /// Without locks, as it was at this stamp. No process has written to it since its log was emptied.
    Immutable(Stamp),
}

impl Identity {
    /// That of the file at this path; `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|m| Self::from(&m))
    }
}

impl From<&Metadata> for Identity {
    fn from(m: &Metadata) -> Self {
        Self(m.dev(), m.ino())
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let m = fs::metadata(path).ok()?;
        Some(Self { identity: Identity::from(&m), size: m.size(), modified: (m.mtime(), m.mtime_nsec()) })
    }
}

impl Opening {
    /// How a reader opens the file. The error says why it cannot be read without harm to its owner.
    pub async fn for_reading(path: &Path) -> Result<Self, Why> {
        let (attempts, pause) = CLOSING;
        for _ in 0..attempts {
            if !has_log_mode(path) {
                return Ok(Self::Shared);
            }
            if log_is_empty(path) {
                return Ok(Stamp::of(path).map_or(Self::Shared, Self::Immutable));
            }
            if beside(path, "-shm").exists() || may_recover(path) {
                return Ok(Self::Shared);
            }
            tokio::time::sleep(pause).await;
        }
        Err(unrecovered(path))
    }

    /// Whether what was opened is still what a new open would read.
    pub fn is_current(&self, path: &Path) -> bool {
        match self {
            Self::Shared => true,
            Self::Immutable(stamp) => Stamp::of(path).as_ref() == Some(stamp) && log_is_empty(path),
        }
    }
}

/// The name of a file beside the database file.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether the file's header says that it is written through a write-ahead log.
pub fn has_log_mode(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header.get(18..) == Some(&[2, 2])
}

/// Whether the log has no frames, so that the file alone holds every row.
fn log_is_empty(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).map_or(true, |m| m.len() == 0)
}

/// Whether the lock file that reading a left log creates belongs to the owner of the file. SQLite gives it to that one
/// where it runs as root.
fn may_recover(path: &Path) -> bool {
    let user = rustix::process::geteuid();
    let owns = user.is_root() || fs::metadata(path).is_ok_and(|m| m.uid() == user.as_raw());
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    owns && !is_read_only(path) && access(directory, Access::WRITE_OK).is_ok()
}

/// Whether the file system is mounted for reading only.
pub fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Why a file with a log that nobody recovered cannot be read, and what to do.
fn unrecovered(path: &Path) -> Why {
    let log = beside(path, "-wal");
    let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if is_read_only(path) {
        return Why::new(format!("its log '{name}' holds rows, and cannot be read on a read-only file system"))
            .step("copy the file and its log to a directory that can be written to, and read the copy");
    }
    Why::new(format!(
        "its log '{name}' was left by a process that crashed, and only the owner of the file may recover it"
    ))
    .step("open the file once as its owner, or copy the file and its log, and read the copy")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_without_a_log_is_immutable_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file:odd?.db");
        let mut content = b"SQLite format 3\0".to_vec();
        content.resize(100, 0);
        fs::write(&path, &content).unwrap();
        assert_eq!(Opening::for_reading(&path).await.unwrap(), Opening::Shared, "a rollback journal");
        content.splice(18..20, [2, 2]);
        fs::write(&path, &content).unwrap();
        let opened = Opening::for_reading(&path).await.unwrap();
        assert!(matches!(opened, Opening::Immutable(_)) && opened.is_current(&path));
        let log = dir.path().join("file:odd?.db-wal");
        fs::write(&log, "").unwrap();
        assert!(opened.is_current(&path));
        fs::write(&log, "frames").unwrap();
        assert!(!opened.is_current(&path));
        fs::write(dir.path().join("file:odd?.db-shm"), "").unwrap();
        assert_eq!(Opening::for_reading(&path).await.unwrap(), Opening::Shared);
        fs::remove_file(&log).unwrap();
        assert!(opened.is_current(&path));
        content.push(0);
        fs::write(&path, &content).unwrap();
        assert!(!opened.is_current(&path));
    }
}
