//! Whether others have written to a SQLite file, told by the files alone: no statement, no connection, some microseconds.
//!
//! A commit appends to the write-ahead log or begins it anew, or writes the file itself: it changes a time of modification.
//! That time has a grain of some milliseconds. So a change counts twice, when it is seen and when it is older than the
//! grain, and whoever reads after both has read every commit. What a file system does not tell is found by the look that is
//! due in any case.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

/// Longer than any file system's grain of times, as far as SQLite can be trusted to work on it.
const GRAIN: Duration = Duration::from_millis(50);
/// Without any sign of a change.
const IN_ANY_CASE: Duration = Duration::from_secs(10);

/// Inode, size, and time of modification.
type Stamp = (u64, u64, i64, i64);

#[derive(Default)]
pub struct Commits(Mutex<Option<Seen>>);

struct Seen {
    stamps: [Option<Stamp>; 2],
    since: Moment,
    settled: bool,
    told: Moment,
    number: i64,
}

impl Commits {
    /// A number that is another one when the file may have been written to since it was asked for before.
    pub fn number(&self, path: &Path) -> i64 {
        let stamps = [stamp(path), stamp(&log_of(path))];
        let now = Moment::now();
        let Ok(mut seen) = self.0.lock() else { return 0 };
        let seen = seen.get_or_insert(Seen { stamps, since: now, settled: false, told: now, number: 0 });
        let changed = seen.stamps != stamps;
        let settles = !seen.settled && !changed && now.duration_since(seen.since) >= GRAIN;
        if changed {
            (seen.stamps, seen.since, seen.settled) = (stamps, now, false);
        }
        seen.settled |= settles;
        if changed || settles || now.duration_since(seen.told) >= IN_ANY_CASE {
            seen.told = now;
            seen.number += 1;
        }
        seen.number
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_change_counts_when_it_is_seen_and_when_it_has_settled() {
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
        fs::write(log_of(&path), "frames").unwrap();
        assert_eq!(commits.number(&path), first + 1, "the log was written");
        std::thread::sleep(GRAIN);
        assert_eq!(commits.number(&path), first + 2, "what came within the same grain is read too");
        assert_eq!(commits.number(&path), first + 2);
        fs::remove_file(&path).unwrap();
        assert_eq!(commits.number(&path), first + 3, "the file is gone");
    }
}
