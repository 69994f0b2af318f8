//! Detects commits of other processes to a SQLite file from file metadata alone: no statement, no connection, a few
//! microseconds.
//!
//! A commit appends to the write-ahead log, restarts it, or writes the file itself: the modification time changes.
//! Because that time has a granularity of some milliseconds, a change is reported twice, when it is seen and once it
//! is older than the granularity; a reader that reads after both has read every commit. The regular poll finds what
//! the file system does not report. Called by [`Store::changes`](crate::store::Store::changes).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use crate::store::connect::file::beside;

/// Longer than the mtime granularity of any file system that SQLite can be trusted on.
const GRANULARITY: Duration = Duration::from_millis(50);
/// The number changes at least this often, even without a change.
const POLL_ANYWAY: Duration = Duration::from_secs(10);

/// Inode, size, and modification time in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

/// Counts the changes of one file; shared by the tasks that poll it.
#[derive(Default)]
pub struct Commits(Mutex<Option<Seen>>);

/// The state of the last call.
struct Seen {
    stamps: [Option<Stamp>; 2],
    since: Moment,
    settled: bool,
    reported: Moment,
    number: i64,
}

impl Commits {
    /// A number that differs from the previous one if the file may have been written to in between.
    pub fn number(&self, path: &Path) -> i64 {
        let stamps = [stamp(path), stamp(&beside(path, "-wal"))];
        let now = Moment::now();
        let Ok(mut seen) = self.0.lock() else { return 0 };
        let seen = seen.get_or_insert(Seen { stamps, since: now, settled: false, reported: now, number: 0 });
        let changed = seen.stamps != stamps;
        let settles = !seen.settled && !changed && now.duration_since(seen.since) >= GRANULARITY;
        if changed {
            (seen.stamps, seen.since, seen.settled) = (stamps, now, false);
        }
        seen.settled |= settles;
        if changed || settles || now.duration_since(seen.reported) >= POLL_ANYWAY {
            seen.reported = now;
            seen.number += 1;
        }
        seen.number
    }
}

/// The stamp of a file; `None` if it does not exist.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_change_is_reported_when_seen_and_when_settled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.db");
        fs::write(&path, "a").unwrap();
        let commits = Commits::default();
        let settled = || {
            let begun = Moment::now();
            while commits.number(&path) < 1 && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(5));
            }
            commits.number(&path)
        };
        let first = settled();
        assert_eq!(first, 1);
        fs::write(beside(&path, "-wal"), "frames").unwrap();
        assert_eq!(commits.number(&path), first + 1, "the log was written");
        std::thread::sleep(GRANULARITY);
        assert_eq!(commits.number(&path), first + 2, "a later write within the same granularity is read too");
        assert_eq!(commits.number(&path), first + 2);
        fs::remove_file(&path).unwrap();
        assert_eq!(commits.number(&path), first + 3, "the file is gone");
    }
}
