//! The entry of the program, and every command but the console's screen.
//!
//! `main.rs` calls [`main`]. stdout carries data and nothing else; stderr carries messages for people. This is the one
//! place where errors become text and exit codes. No command draws, and none holds a whole result in memory.

pub mod commands;
mod failure;
pub mod output;
mod pem;
mod session;
mod slices;
mod values;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::{CommandFactory, Parser};

use crate::config::cli::{Cli, Command, Format};
use crate::config::file::File;
use crate::config::negations::lift_negations;
use crate::config::{Config, Origin, paths};
use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::logging;
use crate::runtime::prompt;

use commands::{
    about, attempts, console, count, db, devices, doctor, errors, export, ingest, list, record, sig, sources, tail,
};
use failure::{Exit, Failure};
use session::Interrupt;

/// Runs the command that the arguments name and returns the exit code. All messages are printed by then.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(lift_negations(args)) {
        Ok(cli) => cli,
        // Help and version take this path too, on stdout and with code 0. A failed print has nowhere to be reported.
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    // Held to the end: its drop writes the last lines of the log.
    let _log = logging::start().unwrap_or_else(|why| {
        tell(&why);
        None
    });
    let code = match start(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            failure.lines().iter().for_each(|line| tell(line));
            if matches!(failure, Failure::Source(_) | Failure::Failed(_)) {
                tell_few_files();
            }
            failure.exit()
        }
    };
    code.into()
}

/// After a failure: says that few files can be open at once, since no error of a database says so.
fn tell_few_files() {
    const ENOUGH: u64 = 64;
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.filter(|n| *n < ENOUGH) {
        tell(&format!(
            "only {most} files can be open at once, which may be the cause; raise it with 'ulimit -n {ENOUGH}'"
        ));
    }
}

/// Threads that a command needs at once, at least.
const THREADS: usize = 6;

/// Starts as many threads as a command needs, and ends them. The runtime would panic where none can be started.
fn try_threads() -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::Failed(format!("cannot start a thread: {e}; end other programs of this user, or raise 'ulimit -u'"))
    };
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let wait = || {
        let held = Arc::clone(&held);
        // Returns when the sender is dropped.
        move || drop(held.lock().map(|held| held.recv()))
    };
    let started: Result<Vec<_>, _> = (0..THREADS).map(|_| std::thread::Builder::new().spawn(wait())).collect();
    drop(release);
    for thread in started.map_err(failed)? {
        let _ = thread.join();
    }
    Ok(())
}

/// Prints one line for people on stderr, with unsafe characters made visible. A closed stderr is no error.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "renewscope: {}", Clean::line(&with_database(line)));
}

/// The database of `--db`, without its password, once it is known.
static DATABASE: OnceLock<String> = OnceLock::new();

/// A text whose commands to copy, such as `'renewscope db init'`, name the database of `--db`. Without it they would act
/// on another one.
pub(crate) fn with_database(text: &str) -> Cow<'_, str> {
    const COMMAND: &str = "'renewscope ";
    let Some(database) = DATABASE.get().filter(|_| text.contains(COMMAND)) else { return Cow::Borrowed(text) };
    let mut parts = text.split(COMMAND);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = part.starts_with("--db") || part.starts_with("--help");
        out.push_str(COMMAND);
        out.push_str(&if named { part.to_owned() } else { format!("--db {database} {part}") });
    }
    Cow::Owned(out)
}

/// Merges the settings and runs the command on an asynchronous runtime.
fn start(cli: Cli) -> Result<Exit, Failure> {
    // Commands about the program itself need no database and must not fail without one.
    match &cli.command {
        Some(Command::Completions { shell }) => return about::completions(*shell),
        Some(Command::Man) => return about::man(),
        Some(Command::Sig { file }) => return sig::sig(file, cli.global.limit),
        _ => {}
    }
    if let (None, [word]) = (&cli.command, cli.filter.as_slice()) {
        refuse_mistyped(word)?;
    }
    let filter: &[String] = match &cli.command {
        None => &cli.filter,
        Some(Command::List(c)) => &c.filter,
        Some(Command::Tail(c)) => &c.filter,
        Some(Command::Count(c)) => &c.filter,
        Some(Command::Devices(c)) => &c.filter,
        Some(Command::Errors(c)) => &c.filter,
        Some(Command::Attempts(c)) => &c.filter,
        Some(Command::Export(c)) => &c.filter,
        Some(_) => &[],
    };
    let file = match &cli.global.config {
        Some(path) => File::read(path, true)?,
        None => paths::config_file().map_or(Ok(File::default()), |path| File::read(&path, false))?,
    };
    let file = if cli.command.is_some() { File { view: None, ..file } } else { file };
    // Text that is not UTF-8 is set, too: it must be refused and not skipped.
    let variable = |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned());
    let config = Config::resolve(&cli.global, filter, file, variable)?;
    if !matches!(cli.command, None | Some(Command::Devices(_))) {
        devices::refuse_terms_of_devices(&config.filter.value)?;
    }
    config.database.value.warnings().iter().for_each(|warning| tell(warning));
    if config.database.origin == Origin::Option("--db") {
        let name = config.database_name.clone().unwrap_or_else(|| config.database.value.to_string());
        // Set once: one command runs in a process.
        let _ = DATABASE.set(name);
    }
    if prompt::is_available() {
        config.database.value.set_prompt(Arc::new(prompt::password));
    }
    session::check_file(&config.database.value)?;
    try_threads()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::Failed(format!("cannot start: {e}")))?;
    let done = runtime.block_on(command(cli, config));
    // A task that waits for a dead server must not delay the exit.
    runtime.shutdown_background();
    done
}

/// Words that people try as commands, and what does it.
const MEANT: [(&str, &str); 13] = [
    ("device", "devices"),
    ("runway", "devices"),
    ("silent", "devices state:silent"),
    ("failures", "errors"),
    ("report", "export -o report.md"),
    ("status", "doctor"),
    ("check", "doctor"),
    ("init", "db init"),
    ("migrate", "db migrate"),
    ("import", "ingest"),
    ("follow", "tail"),
    ("watch", "tail"),
    ("version", "--version"),
];

/// Refuses a lone word that is nearly a command, since it is more likely a typing mistake than a text search.
fn refuse_mistyped(word: &str) -> Result<(), Failure> {
    if word.contains([':', '"']) {
        return Ok(());
    }
    let commands: Vec<String> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let meant = MEANT.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, meant)| *meant);
    let command = meant.or_else(|| nearest(word, commands.iter().map(String::as_str))).or_else(|| {
        let near = nearest(word, MEANT.map(|(known, _)| known))?;
        MEANT.iter().find(|(known, _)| *known == near).map(|(_, meant)| *meant)
    });
    command.map_or(Ok(()), |command| {
        let hint = format!("no command '{word}'; did you mean '{command}'? To search for the word write '\"{word}\"'");
        Err(Failure::Usage(hint))
    })
}

/// Dispatches the command.
async fn command(cli: Cli, config: Config) -> Result<Exit, Failure> {
    let format = cli.global.format;
    let table = format.unwrap_or(Format::Table);
    match cli.command {
        None => console::console(config).await,
        Some(Command::Demo) => console::demo(config).await,
        Some(Command::List(_)) => list::list(&config, table, &Interrupt::watch()).await,
        Some(Command::Get { id }) => list::get(&config, table, &id, &Interrupt::watch()).await,
        Some(Command::Tail(c)) => tail::tail(&config, table, c.since.as_deref(), &Interrupt::watch()).await,
        Some(Command::Count(c)) => match c.by {
            Some(by) => {
                let groups = count::Groups { by, fail_if: c.fail_if };
                count::by(&config, table, groups, &Interrupt::watch()).await
            }
            None => count::count(&config, format, c.fail_if, &Interrupt::watch()).await,
        },
        Some(Command::Devices(c)) => devices::devices(&config, table, &c, &Interrupt::watch()).await,
        Some(Command::Errors(c)) => errors::errors(&config, table, &c, &Interrupt::watch()).await,
        Some(Command::Attempts(c)) => attempts::attempts(&config, table, &c, &Interrupt::watch()).await,
        Some(Command::Export(c)) => export::export(&config, format, &c.output, &Interrupt::watch()).await,
        Some(Command::Ingest(c)) => ingest::ingest(&config, &c, &Interrupt::watch()).await,
        Some(Command::Record(c)) => record::record(&config, *c).await,
        Some(Command::Db(c)) => db::db(&config, table, c).await,
        Some(Command::Doctor) => doctor::doctor(&config, table, &Interrupt::watch()).await,
        Some(Command::Sources(c)) => sources::sources(&config, table, c, &Interrupt::watch()).await,
        Some(Command::Config { .. }) => about::config(&config, table),
        Some(Command::Completions { shell }) => about::completions(shell),
        Some(Command::Man) => about::man(),
        Some(Command::Sig { file }) => sig::sig(&file, config.limits.rows),
    }
}
