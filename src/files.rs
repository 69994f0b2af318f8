//! Opens files that the user or another program can have replaced: configuration, history, log, spool, certificates.
//!
//! `config`, `runtime`, `logging`, `headless` and `store` call it, because an open must not wait for the writer of a
//! named pipe, and a read must not follow a device without end. Nothing here knows what a file is for.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, FileType, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
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

/// Reads at most `most` bytes of a file, of stdin (`-`), or of a pipe. Devices are errors.
///
/// Stdin and a shell's `<(command)` are read to their end, which their command decides. A named pipe without a writer is
/// waited for until `wait`, one with a silent writer for twelve times as long after its last byte; what has come by then
/// is the content.
pub fn read_stream(path: &Path, most: u64, wait: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == OsStr::new("-") {
        io::stdin().take(most).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let file = open(OpenOptions::new().read(true), path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() {
        return read_pipe(file, most, Some(wait).filter(|_| !is_descriptor(path)));
    }
    if !kind.is_file() {
        return Err(irregular(kind));
    }
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a path names a file that this process has open, as a shell's `<(command)` does.
pub fn is_descriptor(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|directory| path.starts_with(directory))
}

/// Reads a pipe that is open without blocking. `wait` as for [`read_stream`]; `None`: it has or had a writer.
fn read_pipe(mut pipe: File, most: u64, wait: Option<Duration>) -> io::Result<Vec<u8>> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "nothing came from it");
    let deadline = wait.map(|wait| Instant::now() + wait);
    let silence = wait.and_then(|wait| Timespec::try_from(wait * 12).ok());
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    let mut has_writer = wait.is_none();
    while (bytes.len() as u64) < most {
        match pipe.read(&mut chunk) {
            Ok(0) if has_writer => break,
            Ok(0) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => return Err(silent()),
            Ok(0) => thread::sleep(Duration::from_millis(10)),
            Ok(n) => {
                has_writer = true;
                bytes.extend_from_slice(chunk.get(..n).unwrap_or_default());
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                has_writer = true;
                match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], silence.as_ref()) {
                    Ok(0) if bytes.is_empty() => return Err(silent()),
                    Ok(0) => break,
                    _ => {}
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
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
