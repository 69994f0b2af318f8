//! The lines that were refused: told to the person, the first of them, and kept as they were where a file is named.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use indicatif::ProgressBar;

use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::tell;

/// More lines than this are counted and not told.
const TOLD: u64 = 20;

pub struct Rejects {
    file: Option<BufWriter<File>>,
    name: String,
    /// Written before the first line, so that a kept CSV can be corrected and read again.
    header: Option<Vec<u8>>,
    count: u64,
}

impl Rejects {
    /// Tells, and keeps nothing.
    pub fn unkept() -> Self {
        Self { file: None, name: String::new(), header: None, count: 0 }
    }

    /// Keeps the lines in a file, made anew.
    pub fn in_file(path: &Path) -> Result<Self, Failure> {
        let name = Clean::line(&path.to_string_lossy()).as_str().to_owned();
        let file = File::create(path).map_err(|e| Failure::writing(&format!("'{name}'"), &e))?;
        Ok(Self { file: Some(BufWriter::new(file)), name, header: None, count: 0 })
    }

    pub fn keeps(&self) -> bool {
        self.file.is_some()
    }
    pub fn count(&self) -> u64 {
        self.count
    }
    pub fn set_header(&mut self, header: &[u8]) {
        self.header = Some(header.to_vec());
    }

    /// A line is no event, and why: a sentence that begins after "line 7".
    pub fn refuse(&mut self, line: u64, why: &str, raw: &[u8], bar: &ProgressBar) -> Result<(), Failure> {
        let kept = self.write_all(raw).and_then(|()| self.write_all(b"\n"));
        kept.map_err(|e| self.failed(&e))?;
        self.refuse_kept(line, why, bar)
    }

    /// As [`refuse`](Self::refuse), for what was written already.
    pub fn refuse_kept(&mut self, line: u64, why: &str, bar: &ProgressBar) -> Result<(), Failure> {
        self.count += 1;
        if self.count <= TOLD {
            bar.suspend(|| tell(&format!("line {line} {why}")));
        }
        Ok(())
    }

    /// Brings the file to the disk and tells how many were not told.
    pub fn finish(&mut self) -> Result<(), Failure> {
        if self.count > TOLD {
            tell(&format!("{} more lines were refused", self.count - TOLD));
        }
        let done = self.flush();
        done.map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::Failed(format!("cannot write '{}': {error}", self.name))
    }
}

/// What is written here is kept, if anything is.
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
