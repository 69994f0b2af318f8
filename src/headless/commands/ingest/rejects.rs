//! The lines that `ingest` rejects: the first are printed, and all are copied unchanged to the `--rejects` file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use indicatif::ProgressBar;

use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::tell;

/// The most lines that are printed; further ones are only counted.
const PRINTED: u64 = 20;

/// The rejected lines of a run: their count, and their copies.
pub struct Rejects {
    /// `None`: rejected lines are not copied.
    file: Option<BufWriter<File>>,
    /// The file for messages, cleaned.
    name: String,
    /// Written before the first line, so that a CSV of rejects can be corrected and read again.
    header: Option<Vec<u8>>,
    count: u64,
}

impl Rejects {
    /// Prints the lines and copies none.
    pub fn unkept() -> Self {
        Self { file: None, name: String::new(), header: None, count: 0 }
    }

    /// Copies the lines to a file, which is replaced.
    pub fn in_file(path: &Path) -> Result<Self, Failure> {
        let name = Clean::line(&path.to_string_lossy()).as_str().to_owned();
        let file = File::create(path).map_err(|e| Failure::writing(&format!("'{name}'"), &e))?;
        Ok(Self { file: Some(BufWriter::new(file)), name, header: None, count: 0 })
    }

    /// Whether rejected lines are copied, so that their text is needed.
    pub fn keeps(&self) -> bool {
        self.file.is_some()
    }
    /// How many lines were rejected so far.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// Sets the CSV header for the copies.
    pub fn set_header(&mut self, header: &[u8]) {
        self.header = Some(header.to_vec());
    }

    /// Rejects a line. `why` completes "line 7 …".
    pub fn refuse(&mut self, line: u64, why: &str, raw: &[u8], bar: &ProgressBar) -> Result<(), Failure> {
        let kept = self.write_all(raw).and_then(|()| self.write_all(b"\n"));
        kept.map_err(|e| self.failed(&e))?;
        self.refuse_kept(line, why, bar)
    }

    /// As [`refuse`](Self::refuse), for a line that is copied already.
    pub fn refuse_kept(&mut self, line: u64, why: &str, bar: &ProgressBar) -> Result<(), Failure> {
        self.count += 1;
        if self.count <= PRINTED {
            bar.suspend(|| tell(&format!("line {line} {why}")));
        }
        Ok(())
    }

    /// Flushes the file and prints how many lines were not printed.
    pub fn finish(&mut self) -> Result<(), Failure> {
        if self.count > PRINTED {
            tell(&format!("{} more lines were rejected", self.count - PRINTED));
        }
        let done = self.flush();
        done.map_err(|e| self.failed(&e))
    }

    /// The failure of a write to the file.
    fn failed(&self, error: &io::Error) -> Failure {
        Failure::Failed(format!("cannot write '{}': {error}", self.name))
    }
}

/// Bytes written here are copied to the file, if there is one.
impl Write for Rejects {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(buf.len()) };
        if let Some(header) = self.header.take() {
            file.write_all(&header)?;
            file.write_all(b"\n")?;
        }
        file.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}
