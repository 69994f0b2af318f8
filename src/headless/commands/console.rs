//! Opens the console from the command line: on the configured database, or on a simulated fleet.
//!
//! It settles what the console starts with and hands it to [`crate::runtime::console`]. It draws nothing.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::cli::When;
use crate::config::{Config, paths};
use crate::console::settings::{Settings, Start};
use crate::demo::Fleet;
use crate::domain::filter::Filter;
use crate::domain::zone::Zone;
use crate::protocol::SourceError;
use crate::runtime::clock;
use crate::runtime::console::{ConsoleError, End, run};
use crate::runtime::memory::Memory;
use crate::runtime::prompt;
use crate::store::{Access, Address, ConnectOptions, SearchBudget, Store};
use crate::ui::skin::{Skin, Theme};
use crate::views::Choices;
use crate::views::events::columns::default_columns;

use crate::headless::failure::{Exit, Failure};
use crate::headless::session::{connect, open};

/// Events of the fleet that one transaction stores.
const BATCH: usize = 2000;
/// A connection attempt that takes longer is reported.
const PATIENCE: Duration = Duration::from_millis(700);
/// The time between two batches of the simulated fleet.
const BEAT: Duration = Duration::from_millis(250);
/// By default tmux drops what a program sends to the clipboard.
const IN_TMUX: &str = "tmux needs 'set -s set-clipboard on'";
/// Fixed, so that every demo shows the same fleet; only its clock moves.
const SEED: u64 = 20_261_121;

/// Opens the console on the configured database, and on others that the user switches to.
pub async fn console(config: Config) -> Result<Exit, Failure> {
    need_terminal()?;
    let (mut store, mut config) = (reach(&config).await?, config);
    let mut notice = None;
    loop {
        let settings = settings_of(&config, &store);
        let settings = Start { notice: notice.take().or(settings.notice.clone()), ..settings };
        let left = show(&store, &config, settings).await?;
        // Stops in the database what still runs for the screen.
        store.close().await;
        let (name, filter) = match left {
            Left::Program(exit) => return Ok(exit),
            Left::ForDatabase(name, filter) => (name, filter),
        };
        config.filter.value = filter;
        // If the other database is unreachable, the console returns to this one.
        let opened = match config.on(&name) {
            Ok(other) => reach(&other).await.map(|store| (store, other)),
            Err(error) => Err(error.into()),
        };
        (store, config) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                notice = Some(format!("could not open '{name}': {}", failure.lines().join(", ")));
                (reach(&config).await?, config)
            }
        };
    }
}

/// The start of the console on a configured database, with the options that reach it from the command line.
fn settings_of(config: &Config, store: &Store) -> Start {
    let address = store.address().to_string();
    let (title, reach) = match (&config.database_name, config.embedded) {
        (Some(name), _) => (name.clone(), format!("--db {name}")),
        (None, true) => (address, String::new()),
        (None, false) => (address.clone(), format!("--db {address}")),
    };
    settings(config, at_home(title), reach)
}

/// Connects to the database. If its server does not answer, returns a store that connects later: the console shows the
/// outage and retries. An error that a retry would not change ends the command.
async fn reach(config: &Config) -> Result<Store, Failure> {
    let connecting = connect(config, for_the_screen());
    tokio::pin!(connecting);
    let connected = match tokio::time::timeout(PATIENCE, &mut connecting).await {
        Ok(connected) => connected,
        Err(_) if prompt::is_open() => connecting.await,
        Err(_) => {
            let _ = write!(std::io::stderr(), "renewscope: connecting to {} …", config.database.value);
            let connected = connecting.await;
            let _ = write!(std::io::stderr(), "\r\x1b[K");
            connected
        }
    };
    match connected {
        Err(SourceError::Unreachable { .. }) if config.database.value.path().is_none() => {
            Ok(open(config, for_the_screen()).await?)
        }
        connected => Ok(connected?),
    }
}

/// Opens the console on a simulated fleet with live events, in a file that is removed at the end.
pub async fn demo(config: Config) -> Result<Exit, Failure> {
    need_terminal()?;
    let place = Scratch::make()?;
    let address = Address::sqlite(place.0.join("fleet.db"));
    let options = ConnectOptions { access: Access::Write, create: true, ..ConnectOptions::default() };
    let writer = Store::connect(&address, &options).await?;
    let mut fleet = Fleet::new(SEED, clock::now());
    let _ = write!(std::io::stderr(), "renewscope: creating a fleet of 2,000 devices …");
    let history: Vec<_> = fleet.history().collect();
    for batch in history.chunks(BATCH) {
        writer.create_many(batch).await?;
    }
    drop(history);
    let _ = write!(std::io::stderr(), "\r\x1b[K");
    let living = tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            // A failed write shows as a fleet without new events; the demo ends with its console.
            let _ = writer.create_many(&fleet.live(clock::now())).await;
        }
    });
    let reader = Store::connect(&address, &for_the_screen()).await?;
    let mut settings = settings(&config, "demo fleet".into(), format!("--db {address}"));
    if settings.filter.is_empty() {
        // The simulated incident happens today.
        settings.filter = Filter::parse("since:24h").unwrap_or_default();
    }
    let ended = show(&reader, &config, settings).await;
    living.abort();
    ended.map(|left| if let Left::Program(exit) = left { exit } else { Exit::Done })
}

/// Shortens the home directory in a path to `~`, so that the end of the path is visible.
fn at_home(title: String) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    let short = title
        .strip_prefix("sqlite:")
        .and_then(|p| p.strip_prefix(&home))
        .filter(|p| !home.is_empty() && p.starts_with('/'));
    // The host and the database name matter more than the scheme.
    let server = title.strip_prefix("postgres://").unwrap_or(&title);
    short.map_or(server.to_owned(), |rest| format!("~{rest}"))
}

/// Refuses to start without a terminal on stdin and stdout, and on one that moves no cursor.
fn need_terminal() -> Result<(), Failure> {
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let why = match std::env::var("TERM") {
        _ if !is_terminal => ConsoleError::NoTerminal,
        Ok(term) if term == "dumb" => ConsoleError::Dumb,
        _ => return Ok(()),
    };
    Err(Failure::Usage(why.to_string()))
}

/// The start of the console: the settings, and what it remembers.
fn settings(config: &Config, title: String, reach: String) -> Start {
    let local = crate::config::zone::local(&|name: &str| std::env::var(name).ok());
    let zone = config.zone.value;
    let columns = memory().columns().or(config.console.columns.clone()).unwrap_or_else(default_columns);
    Start {
        title,
        reach,
        filter: config.filter.value.clone(),
        zone,
        notice: local.as_ref().err().cloned(),
        history: memory().filters(),
        choices: Choices { events: columns },
        size: (0, 0),
        settings: Settings {
            other_zone: local.ok().filter(|_| zone == Zone::Utc).unwrap_or(Zone::Utc),
            views: config.views.clone(),
            databases: others(config),
            keymap: config.console.keymap.clone(),
            policy: config.rules.policy,
            patience: config.rules.patience,
            alert: config.console.alert.clone(),
            copies: std::env::var_os("TMUX").map(|_| IN_TMUX.to_owned()),
        },
    }
}

/// The named databases except the open one.
fn others(config: &Config) -> Vec<String> {
    let names = config.databases.iter().map(|(name, _)| name);
    names.filter(|name| Some(*name) != config.database_name.as_ref()).cloned().collect()
}

/// Why the console ended.
enum Left {
    /// The user quit, or a signal came.
    Program(Exit),
    /// To open another named database with the current filter.
    ForDatabase(String, Filter),
}

/// Runs the console until the user quits or switches to another database.
async fn show(store: &Store, config: &Config, settings: Start) -> Result<Left, Failure> {
    let color = match config.color {
        When::Always => true,
        When::Never => false,
        When::Auto => std::env::var_os("TERM").is_some(),
    };
    let by_terminal = if has_light_background() { Theme::Light } else { Theme::Dark };
    let theme = if color { config.console.theme.unwrap_or(by_terminal) } else { Theme::Mono };
    let skin = Skin::themed(theme, config.ascii);
    match run(store.clone(), settings, skin, memory()).await {
        Ok(End::Open(name, filter)) => Ok(Left::ForDatabase(name, filter)),
        Ok(End::Quit) => Ok(Left::Program(Exit::Done)),
        Ok(End::Unanswered) => Ok(Left::Program(Exit::Unreachable)),
        Ok(End::Signal(number)) => Ok(Left::Program(Exit::Signal(u8::try_from(number).unwrap_or(0)))),
        Err(error) => Err(Failure::Failed(error.to_string())),
    }
}

/// The console's options: a query that no index answers returns in parts, so that the screen can show its progress.
fn for_the_screen() -> ConnectOptions {
    ConnectOptions { search_budget: Some(SearchBudget::default()), create: true, ..ConnectOptions::default() }
}

/// The console's files in the user's state directory.
fn memory() -> Memory {
    Memory::in_directory(paths::state_directory())
}

/// Whether the terminal says that its background is light: `COLORFGBG=0;15`, where 7 and 9 to 15 are light.
fn has_light_background() -> bool {
    let colors = std::env::var("COLORFGBG").ok();
    let background = colors.as_deref().and_then(|t| t.rsplit(';').next()?.parse::<u8>().ok());
    background.is_some_and(|b| b == 7 || (9..=15).contains(&b))
}

/// A temporary directory; the drop removes it.
struct Scratch(PathBuf);

impl Scratch {
    /// Creates the directory under a random name in the system's directory for temporary files.
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("renewscope-demo-{}", uuid::Uuid::new_v4().simple()));
        let made = std::fs::create_dir(&path);
        made.map_err(|e| Failure::Failed(format!("cannot create the directory '{}': {e}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover is removed by the system's cleanup of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
