//! The target of data: stdout, or a file that appears complete or not at all. It knows no row and no format.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Stdout, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::config::cli::Format;

use crate::headless::failure::Failure;

/// The compression of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// The data as it is.
    Plain,
    /// The gzip format of RFC 1952.
    Gzip,
    /// The Zstandard format of RFC 8878.
    Zstd,
}

/// The format and compression by a file's name. The format is `None` for an unknown ending. The case of the name is
/// ignored.
pub fn by_name(path: &Path) -> (Option<Format>, Packing) {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let (name, packing) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
        (Some(inner), _) => (inner, Packing::Gzip),
        (_, Some(inner)) => (inner, Packing::Zstd),
        _ => (name.as_str(), Packing::Plain),
    };
    let format = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("ndjson" | "jsonl") => Some(Format::Ndjson),
        Some("csv") => Some(Format::Csv),
        Some("json") => Some(Format::Json),
        Some("md") => Some(Format::Md),
        _ => None,
    };
    (format, packing)
}

/// stdout with a buffer of 64 KiB.
pub fn stdout() -> BufWriter<Stdout> {
    BufWriter::with_capacity(64 * 1024, io::stdout())
}

/// The failure of a write to stdout.
pub fn stdout_failed(error: io::Error) -> Failure {
    Failure::writing("to stdout", &error)
}

/// A file being written. A drop before [`finish`](Target::finish) leaves no file.
pub struct Target {
    /// `None`: the target is finished.
    writer: Option<Writer>,
    /// The temporary path and the final one. `None`: a pipe or a device, written directly.
    rename: Option<(TempPath, PathBuf)>,
}

/// The file behind its compression.
enum Writer {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Target {
    /// Opens a new file `FILE.XXXXXX.part` beside the file; the random part keeps two exports, and a user's file of
    /// such a name, apart. A symbolic link is followed, so that it stays a link. An existing file keeps its mode. Fails
    /// for a directory, and where the file's directory cannot be written to.
    pub fn create(path: &Path, packing: Packing) -> io::Result<Self> {
        let special = fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir());
        let (file, rename) = if special {
            (File::options().write(true).open(path)?, None)
        } else {
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            if target.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
            }
            let (file, part) = beside(&target)?.into_parts();
            (file, Some((part, target)))
        };
        let file = BufWriter::with_capacity(256 * 1024, file);
        let writer = match packing {
            Packing::Plain => Writer::Plain(file),
            Packing::Gzip => Writer::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default())),
            Packing::Zstd => Writer::Zstd(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        };
        Ok(Self { writer: Some(writer), rename })
    }

    /// Syncs the file to the disk and renames it. A pipe or a device is only completed.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let file = writer.close()?;
        let Some((part, target)) = self.rename.take() else { return Ok(()) };
        file.sync_all()?;
        part.persist(target).map_err(|e| e.error)
    }
}

/// A new file in the directory of `target`, with the mode of `target`, else the usual one. The drop removes it.
fn beside(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mode = fs::metadata(target).map_or(0o666, |m| m.permissions().mode() & 0o777);
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let directory = target.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&name).suffix(".part").permissions(Permissions::from_mode(mode)).tempfile_in(directory)
}

impl Writer {
    /// Ends the compressed stream and returns the file.
    fn close(self) -> io::Result<File> {
        let file = match self {
            Self::Plain(w) => w,
            Self::Gzip(w) => w.finish()?,
            Self::Zstd(w) => w.finish()?,
        };
        file.into_inner().map_err(|e| e.into_error())
    }
    /// The outermost writer.
    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(w) => w,
            Self::Gzip(w) => w,
            Self::Zstd(w) => w,
        }
    }
}

impl Write for Target {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().map_or(Ok(buf.len()), |w| w.inner().write(buf))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), |w| w.inner().flush())
    }
}
