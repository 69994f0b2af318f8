//! Opens files that the user or another program can have replaced: configuration, history, log, spool, certificates.
//!
//! `config`, `runtime`, `logging`, `headless` and `store` call it, because an open must not wait for the writer of a
//! named pipe, and a read must not follow a device without end. Nothing here knows what a file is for.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, FileType, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;

/// Opens a regular file to read.
pub fn open_read(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true), path)
}

/// Reads a regular file of at most `most` bytes. A pipe, a device, a directory and a larger file are errors.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_read(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // Files of `/proc` say 0 and have content, and others grow.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// As [`read`], as text.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Reads at most `most` bytes of a file, of a pipe such as a shell's `<(command)`, or of stdin (`-`), for at most `wait`.
/// What has come by then is the content. Devices are errors.
pub fn read_stream(path: &Path, most: u64, wait: Duration) -> io::Result<Vec<u8>> {
    if path.as_os_str() == OsStr::new("-") {
        return within(io::stdin(), most, wait);
    }
    // A pipe is opened once and on a separate thread: without a writer yet the open waits, and after a second open the
    // writer's text could be gone with the first.
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return within(Late(Some(path.to_owned()), None), most, wait);
    }
    let file = open_read(path)?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file to append, for its owner only if it is new, and makes its directory. A symbolic link is
/// followed only if `follow`.
pub fn open_append(path: &Path, follow: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    if follow {
        return regular(&mut options, path);
    }
    options.custom_flags(NO_WAIT | flag(OFlags::NOFOLLOW));
    let is_link = |e: &io::Error| e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    let file = options.open(path).map_err(|e| match is_link(&e) {
        true => io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link"),
        false => e,
    })?;
    only_regular(file)
}

/// Appends a line in one write. A last line without its end, which a crash leaves, is ended first, so that it costs only
/// itself.
pub fn append_line(file: &mut File, line: &[u8]) -> io::Result<()> {
    let mut text = Vec::with_capacity(line.len() + 2);
    if file.metadata()?.size() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push(b'\n');
        }
    }
    text.extend_from_slice(line);
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    file.write_all(&text)
}

/// Leaves a file to its owner only.
pub fn make_private(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// Whether a path is that of a regular file; else an error that says what it is.
pub fn is_regular(path: &Path) -> io::Result<()> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_file() { Ok(()) } else { Err(irregular(kind)) }
}

/// Makes a directory and those above it, for their owner only.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens without waiting; the file must be a regular one.
fn regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    only_regular(open(options, path)?)
}

/// The file itself, unless it is a pipe, a device or a directory.
fn only_regular(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() { Ok(file) } else { Err(irregular(kind)) }
}

/// Neither waits for the other end of a pipe nor takes a terminal as the controlling one.
const NO_WAIT: i32 = flag(OFlags::NONBLOCK) | flag(OFlags::NOCTTY);

/// A flag as the standard library takes it.
const fn flag(flag: OFlags) -> i32 {
    flag.bits().cast_signed()
}

/// Opens without waiting for the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.custom_flags(NO_WAIT).open(path)
}

/// The error for what is not a regular file.
fn irregular(kind: FileType) -> io::Error {
    let what = if kind.is_dir() {
        "it is a directory"
    } else if kind.is_fifo() {
        "it is a named pipe, not a regular file"
    } else {
        "it is a device, not a regular file"
    };
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The error for a file of more than `most` bytes.
fn too_large(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} KiB", most >> 10))
}

/// Reads on a separate thread until the end, the limit or the deadline.
fn within(mut from: impl Read + Send + 'static, most: u64, wait: Duration) -> io::Result<Vec<u8>> {
    // Full, it makes the thread wait; it ends with the program.
    let (sender, chunks) = mpsc::sync_channel(2);
    thread::Builder::new().spawn(move || {
        loop {
            let mut chunk = vec![0; 64 << 10];
            let read = from.read(&mut chunk).map(|n| {
                chunk.truncate(n);
                chunk
            });
            let last = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || last {
                return;
            }
        }
    })?;
    let deadline = std::time::Instant::now() + wait;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < most {
        match chunks.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())) {
            Ok(chunk) => match chunk? {
                end if end.is_empty() => break,
                chunk => bytes.extend_from_slice(&chunk),
            },
            Err(_) if bytes.is_empty() => return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came from it")),
            Err(_) => break,
        }
    }
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// A pipe that is opened by its first read, since the open waits for a writer.
struct Late(Option<std::path::PathBuf>, Option<File>);

impl Read for Late {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(path) = self.0.take() {
            self.1 = Some(File::open(path)?);
        }
        self.1.as_mut().map_or(Ok(0), |file| file.read(buf))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pipe(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    #[test]
    fn neither_a_pipe_nor_a_device_nor_a_huge_file_holds_a_reader_up() {
        let dir = tempfile::tempdir().unwrap();
        let big = dir.path().join("big");
        File::create(&big).unwrap().set_len(1 << 40).unwrap();
        let pipe = pipe(dir.path());
        for (path, why) in [
            (pipe.as_path(), "named pipe"),
            (Path::new("/dev/zero"), "device"),
            (Path::new("/dev/full"), "device"),
            (dir.path(), "directory"),
            (&big, "larger than 1 KiB"),
        ] {
            let error = read(path, 1024).unwrap_err().to_string();
            assert!(error.contains(why), "{}: {error}", path.display());
            if path != big {
                assert!(open_append(path, true).is_err());
            }
        }
        assert!(read_stream(Path::new("/dev/zero"), 10, Duration::from_secs(5)).is_err());
        let silent = read_stream(&pipe, 10, Duration::from_millis(20)).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_pipe_with_a_writer_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = pipe(dir.path());
        let target = path.clone();
        let writer = thread::spawn(move || std::fs::write(target, "from a command").unwrap());
        assert_eq!(read_stream(&path, 100, Duration::from_secs(20)).unwrap(), b"from a command");
        writer.join().unwrap();
    }

    #[test]
    fn a_torn_last_line_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        std::fs::write(&path, "whole\ntorn").unwrap();
        let mut file = open_append(&path, true).unwrap();
        append_line(&mut file, b"next\n").unwrap();
        append_line(&mut file, b"last").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\ntorn\nnext\nlast\n");
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        assert!(open_append(&dir.path().join("link"), false).is_err());
    }
}
