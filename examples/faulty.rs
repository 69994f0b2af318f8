//! The console on a source that panics after 300 ms. `tests/terminal.rs` runs it to check that the terminal is restored.

use std::future::Future;
use std::time::Duration;

use renewscope::console::keymap::Keymap;
use renewscope::console::settings::{Settings, Start};
use renewscope::domain::filter::Filter;
use renewscope::domain::zone::Zone;
use renewscope::protocol::{Answer, EventSource, Query, SourceError};
use renewscope::runtime::console;
use renewscope::ui::skin::Skin;
use renewscope::views::Choices;
use renewscope::views::events::columns::default_columns;

#[derive(Clone)]
struct Faulty;

impl EventSource for Faulty {
    async fn answer(&self, query: &Query, cancelled: impl Future<Output = ()> + Send) -> Result<Answer, SourceError> {
        if matches!(query, Query::Count { .. }) {
            tokio::time::sleep(Duration::from_millis(300)).await;
            #[allow(clippy::panic)]
            {
                panic!("the source broke");
            }
        }
        cancelled.await;
        Err(SourceError::Cancelled)
    }
    fn changes(&self) -> Option<i64> {
        None
    }
}

fn main() -> std::process::ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        return 1.into();
    };
    let start = Start {
        title: "faulty".into(),
        reach: String::new(),
        filter: Filter::default(),
        zone: Zone::Utc,
        notice: None,
        history: Vec::new(),
        choices: Choices { events: default_columns() },
        size: (0, 0),
        settings: Settings {
            other_zone: Zone::Utc,
            views: Vec::new(),
            databases: Vec::new(),
            keymap: Keymap::default(),
            policy: None,
            patience: Default::default(),
            alert: None,
            copies: None,
        },
    };
    let ended = runtime.block_on(console::run(Faulty, start, Skin::new(true, false, false), Default::default()));
    runtime.shutdown_background();
    match ended {
        Ok(_) => 0.into(),
        Err(error) => {
            eprintln!("{error}");
            1.into()
        }
    }
}
