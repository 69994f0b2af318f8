//! Findings on a SQLite file: its journal, its directory and its file system.
//!
//! Called by [`examine`](super::examine) for addresses that are files. It reads only, and must not create a file beside
//! the database.

use std::path::Path;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::file::{Opening, has_log_mode};
use crate::store::connect::session::Session;
use crate::store::doctor::Finding;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// Network file systems. A write-ahead log requires memory that all its users share, so it fails there.
const NETWORK: [&str; 12] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "fuse.sshfs",
    "fuse.glusterfs",
];

pub async fn examine(s: &mut Session, path: &Path) -> Result<Vec<Finding>, SourceError> {
    let size = std::fs::metadata(path).map_or(0, |m| m.len()).div_ceil(1024);
    let version = text(s, "SELECT sqlite_version()").await?;
    let mut findings =
        vec![Finding::ok("server", format!("SQLite {version}, the file '{}', {size} KiB", path.display()))];
    let mode = if has_log_mode(path) { "wal".to_owned() } else { text(s, "PRAGMA journal_mode").await? };
    findings.push(match mode.as_str() {
        "wal" => Finding::ok("journal", "write-ahead log: readers and the writer do not block each other"),
        mode => Finding::reduced(
            "journal",
            format!("mode '{mode}': a writer blocks readers"),
            "run 'PRAGMA journal_mode=WAL' on the file while no program uses it",
        ),
    });
    findings.push(opening(s)?);
    let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    findings.extend(absolute.parent().map(writable));
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    findings.push(match network(&mounts, &absolute) {
        None => Finding::ok("file system", "local"),
        Some(kind) => Finding::reduced(
            "file system",
            format!("network file system ({kind}): locks and the write-ahead log are unreliable"),
            "move the file to a local disk, or use PostgreSQL",
        ),
    });
    Ok(findings)
}

/// How the file is opened, and what that leaves beside it.
fn opening(s: &mut Session) -> Result<Finding, SourceError> {
    let found = match s.conn()? {
        Conn::Sqlite(conn) if matches!(conn.opening(), Opening::Immutable(_)) => {
            "the file is opened for reading only, without locks: its log is empty, and nothing is created beside it"
        }
        _ => "the file is opened for reading only, with shared locks",
    };
    Ok(Finding::ok("read only", found))
}

async fn text(s: &mut Session, sql: &str) -> Result<String, SourceError> {
    let rows = s.rows(&Sql::plain(Dialect::Sqlite, sql), &[CellType::Text]).await?;
    Ok(rows.into_iter().next().and_then(|mut r| r.string(0)).unwrap_or_default())
}

/// Whether the directory is writable: recovering a write-ahead log creates a lock file beside the database.
fn writable(directory: &Path) -> Finding {
    use rustix::fs::{Access, access};
    match access(directory, Access::WRITE_OK) {
        Ok(()) => Finding::ok("directory", "writable"),
        Err(_) => Finding::reduced(
            "directory",
            format!("'{}' is not writable: a log that a crash left cannot be recovered from here", directory.display()),
            "",
        ),
    }
}

/// The type of the network file system that holds a path; `None` for a local one. `mounts`: the text of `/proc/mounts`.
fn network(mounts: &str, path: &Path) -> Option<&'static str> {
    let mount = |line: &str| {
        let mut words = line.split(' ');
        let (place, kind) = (words.nth(1)?.replace("\\040", " "), words.next()?.to_owned());
        path.starts_with(&place).then_some((place.len(), kind))
    };
    // Of two mounts at one place, the later one hides the earlier.
    let (_, kind) = mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length)?;
    NETWORK.into_iter().find(|n| *n == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_file_system_is_recognized_by_its_mount() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nfiler:/home /home nfs4 rw 0 0\n/dev/sdb1 /home/local ext4 rw 0 0\n\
             //nas/x /mnt/two\\040words cifs rw 0 0\n";
        for (path, expected) in [
            ("/var/lib/a.db", None),
            ("/home/ann/a.db", Some("nfs4")),
            ("/home/local/a.db", None),
            ("/mnt/two words/a.db", Some("cifs")),
            ("/homes/a.db", None),
        ] {
            assert_eq!(network(mounts, Path::new(path)), expected, "{path}");
        }
    }
}
