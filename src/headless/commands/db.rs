//! `db`: creates, inspects and changes the schema, and prints what was done as rows.
//!
//! Called by the dispatch of commands. It composes no SQL and never changes a table that renewscope did not make.

use crate::config::Config;
use crate::config::cli::Db;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter};
use crate::headless::session;
use crate::headless::tell;
use crate::store::Address;
use crate::store::schema;
use crate::store::schema::{Found, IndexReport, IndexState, Moved, StepReport};
use crate::store::source::report;

/// Runs one of the schema commands.
pub async fn db(config: &Config, format: Format, command: Db) -> Result<Exit, Failure> {
    let address = &config.database.value;
    let report = Report { format, ascii: config.ascii };
    match command {
        Db::Init | Db::Migrate => {
            if config.embedded {
                session::create_default_file(config).await?;
            }
            beside_no_other(config).await?;
            report.moved(address, &schema::migrate(address).await?, "applied")
        }
        Db::Status => {
            let status = schema::status(address).await?;
            let fits = report::detect(address, &config.sources.profiles).await?;
            let fitting: Vec<_> = fits.iter().filter(|f| f.fits()).collect();
            match (&status.found, fitting.first()) {
                (Found::Nothing, Some(fit)) => {
                    tell(&format!("{address} is read as '{}'; renewscope does not change it", fit.profile.name));
                }
                (found, _) => describe(address, found),
            }
            let mut rows: Vec<Line> = Vec::new();
            let source = |name: &str, state: &str, about: &str| ["source", name, state, about].map(str::to_owned);
            rows.extend(fitting.iter().map(|f| source(&f.profile.name, "fits", &f.profile.about)));
            if let Some(name) = &config.sources.requested.value {
                rows.push(source(name, "chosen", &config.sources.requested.origin.to_string()));
            }
            if let Some(why) = &status.obstacle {
                tell(why);
            }
            rows.extend(steps(&status.steps, |s| match (s.newer, s.applied) {
                (true, _) => "newer",
                (_, true) => "applied",
                (_, false) => "missing",
            }));
            rows.extend(indexes(&status.indexes));
            report.print(&rows)
        }
        Db::Rollback { to, delete_events } => rollback(&report, address, to, delete_events).await,
        Db::Index { search, notify, no_notify } => {
            let mut made = match search {
                false => schema::index(address).await?,
                true => schema::index_search(address).await?,
            };
            if notify || no_notify {
                made.push(schema::notify(address, notify).await?);
            }
            report.print(&indexes(&made))
        }
    }
}

/// Fails if the database holds another source. renewscope's own tables take precedence over it: made beside it, they
/// would hide it behind an empty list, which looks like no failures.
async fn beside_no_other(config: &Config) -> Result<(), Failure> {
    let address = &config.database.value;
    let is_new = address.path().is_some_and(|path| !path.exists());
    if is_new || schema::status(address).await?.found != Found::Nothing {
        return Ok(());
    }
    let fits = report::detect(address, &config.sources.profiles).await?;
    let Some(fit) = fits.iter().find(|f| f.fits()) else { return Ok(()) };
    Err(Failure::Failed(format!(
        "cannot make the tables: {address} is read as '{}', which they would hide; give renewscope a separate database or \
         schema",
        fit.profile.name
    )))
}

/// Undoes migrations. The first one is the event table itself, so undoing it requires `delete`.
async fn rollback(report: &Report, address: &Address, to: Option<i64>, delete: bool) -> Result<Exit, Failure> {
    let applied: Vec<i64> =
        schema::status(address).await?.steps.iter().filter(|s| s.applied).map(|s| s.version).collect();
    let target = to.unwrap_or_else(|| applied.iter().max().map_or(0, |last| last - 1));
    if target < 0 {
        return Err(Failure::Usage(format!("--to {target} is no version; 0 is before the first")));
    }
    if target < 1 && applied.contains(&1) && !delete {
        return Err(Failure::Usage(
            "this would delete the event table with all events; export them, then repeat with --delete-events".into(),
        ));
    }
    report.moved(address, &schema::rollback(address, to).await?, "undone")
}

/// `kind name state detail`, one line of a report.
type Line = [String; 4];

struct Report {
    format: Format,
    ascii: bool,
}

impl Report {
    fn moved(&self, address: &Address, moved: &Moved, verb: &'static str) -> Result<Exit, Failure> {
        describe(address, &moved.found);
        if moved.steps.is_empty() {
            tell(&format!("nothing to do at {address}"));
        }
        self.print(&steps(&moved.steps, |_| verb))?;
        // A schema that renewscope did not make is left unchanged, so the request was not fulfilled.
        Ok(if matches!(moved.found, Found::Foreign { .. }) { Exit::Failed } else { Exit::Done })
    }

    fn print(&self, lines: &[Line]) -> Result<Exit, Failure> {
        let columns = ["kind", "name", "state", "detail"].map(|key| Column::new(key).at_most(200)).into();
        let mut writer = RowWriter::new(stdout(), self.format, columns, self.ascii);
        for line in lines {
            let cells = line.each_ref().map(|text| Cell::text(Some(text.as_str()).filter(|t| !t.is_empty())));
            writer.row(&cells).map_err(stdout_failed)?;
        }
        writer.finish().map_err(stdout_failed)?;
        Ok(Exit::Done)
    }
}

fn describe(address: &Address, found: &Found) {
    match found {
        Found::Own => {}
        Found::Nothing => tell(&format!("{address} has no event table; 'renewscope db init' makes it")),
        Found::Foreign { columns } => tell(&format!(
            "{address} has an event table that renewscope did not make and does not change; its columns: {}",
            columns.join(", ")
        )),
    }
}

fn steps(steps: &[StepReport], state: impl Fn(&StepReport) -> &'static str) -> Vec<Line> {
    let line = |s: &StepReport| {
        let detail = if s.differs { "applied with other SQL than this version has" } else { "" };
        ["migration".into(), format!("{} {}", s.version, s.name), state(s).into(), detail.into()]
    };
    steps.iter().map(line).collect()
}

fn indexes(reports: &[IndexReport]) -> Vec<Line> {
    let line = |r: &IndexReport| {
        let state = match r.state {
            IndexState::Exists => "exists",
            IndexState::Created => "created",
            IndexState::Rebuilt => "rebuilt",
            IndexState::Missing if r.on_request => "on request: db index --search",
            IndexState::Missing => "missing",
            IndexState::Removed => "removed",
        };
        let size = r.bytes.map(|b| format!(", {} KiB", b.div_ceil(1024))).unwrap_or_default();
        let note = r.note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
        let detail = format!("({}) for {}{size}{note}", r.columns, r.purpose);
        ["index".into(), r.name.clone(), state.into(), detail]
    };
    reports.iter().map(line).collect()
}
