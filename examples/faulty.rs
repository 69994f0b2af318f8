//! The console on a source that panics after 300 ms. `tests/terminal.rs` runs it to check that the terminal is restored.

use std::future::Future;
use std::time::Duration;

use renewscope::app::Settings;
use renewscope::domain::zone::Zone;
use renewscope::protocol::{Answer, EventSource, Query, SourceError};
use renewscope::runtime::console;
use renewscope::ui::skin::Skin;

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
    let settings = Settings {
        title: "faulty".into(),
        reach: String::new(),
        filter: Default::default(),
        zone: Zone::Utc,
        other_zone: Zone::Utc,
        views: Vec::new(),
        databases: Vec::new(),
        notice: None,
        history: Vec::new(),
        keymap: Default::default(),
        columns: Default::default(),
        alert: None,
        size: (0, 0),
    };
    let ended = runtime.block_on(console::run(Faulty, settings, Skin::new(true, false, false), Default::default()));
    runtime.shutdown_background();
    match ended {
        Ok(_) => 0.into(),
        Err(error) => {
            eprintln!("{error}");
            1.into()
        }
    }
}
