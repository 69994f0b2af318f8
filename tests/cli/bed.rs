//! Runs the program in a separate directory with a separate database and nothing of the caller's environment.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub struct Bed {
    pub dir: TempDir,
    pub db: Option<String>,
}

/// What a run left behind.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
    /// stdout of a run that went well and had nothing to say.
    #[track_caller]
    pub fn data(self) -> String {
        self.exits(0);
        self.stdout
    }
    pub fn last_line(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}

impl Bed {
    /// With a SQLite file that is not there yet.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let db = format!("sqlite:{}", dir.path().join("t.db").display());
        Self { dir, db: Some(db) }
    }
    pub fn at(db: &str) -> Self {
        Self { dir: TempDir::new().unwrap(), db: Some(db.to_owned()) }
    }
    /// Names no database.
    pub fn unnamed() -> Self {
        Self { dir: TempDir::new().unwrap(), db: None }
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }
    pub fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
        command.args(args).current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        if let Some(db) = &self.db {
            command.env("RENEWSCOPE_DB", db);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
    /// Runs with something on stdin.
    pub fn run_with(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.as_ref().to_vec();
        // A program that stops reading is no failure of the test.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let ran = Ran::of(child.wait_with_output().unwrap());
        feeder.join().unwrap();
        ran
    }
    /// All rows, in a form that can be compared.
    pub fn rows(&self) -> String {
        self.run(&["export"]).data()
    }
}

pub fn lines(from: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(from).lines().map_while(Result::ok)
}

pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Events of a hundred devices, one a second.
pub fn many(count: usize) -> String {
    let line = |n: usize| {
        format!(
            "{{\"device\":\"edge-{}\",\"event_type\":\"renewal_failed\",\"error_message\":\"number {n}\",\"created_at\":\"2026-11-20T{:02}:{:02}:{:02}Z\"}}\n",
            n % 100,
            n / 3600,
            n / 60 % 60,
            n % 60
        )
    };
    (0..count).map(line).collect()
}
