//! A writer that commits rows through every fault and remembers which were committed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Between two rows.
const BEAT: Duration = Duration::from_millis(20);

/// Dated by the database when it is stored, so that a row that was tried for long is not an old one.
const INSERT: &str = "INSERT INTO certificate_renewal_events \
    (id, org_id, device_id, event_type, error_message, created_at) \
    SELECT $1, e.org_id, e.device_id, 'renewal_failed', $2, now() AT TIME ZONE 'UTC' \
    FROM certificate_renewal_events e LIMIT 1 ON CONFLICT (id) DO NOTHING";

pub struct Writer {
    state: Arc<Mutex<State>>,
    tasks: Vec<JoinHandle<()>>,
}

struct State {
    url: String,
    committed: Vec<Uuid>,
    ends: bool,
}

impl Writer {
    /// Begins at once. The table must have a row, whose device is taken.
    pub fn start(url: &str) -> Self {
        Self::many(url, 1, Duration::ZERO)
    }

    /// The given number of writers, each row a transaction; one in twenty stays open for up to `longest`.
    pub fn many(url: &str, writers: usize, longest: Duration) -> Self {
        let state = Arc::new(Mutex::new(State { url: url.to_owned(), committed: Vec::new(), ends: false }));
        let tasks = (0..writers).map(|_| tokio::spawn(write(Arc::clone(&state), longest))).collect();
        Self { state, tasks }
    }

    /// Goes on at another server when the one there is lost.
    pub fn point_to(&self, url: &str) {
        self.state.lock().unwrap().url = url.to_owned();
    }

    pub fn count(&self) -> usize {
        self.state.lock().unwrap().committed.len()
    }

    /// Waits until this many rows more are committed.
    pub async fn more(&self, rows: usize) {
        let wanted = self.count() + rows;
        let wait = async {
            while self.count() < wanted {
                tokio::time::sleep(BEAT).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the writer writes");
    }

    /// Ends, and returns what was committed.
    pub async fn finish(self) -> Vec<Uuid> {
        self.state.lock().unwrap().ends = true;
        for task in self.tasks {
            tokio::time::timeout(Duration::from_secs(60), task).await.expect("the last row is written").unwrap();
        }
        let mut committed = std::mem::take(&mut self.state.lock().unwrap().committed);
        committed.sort();
        committed
    }
}

async fn write(state: Arc<Mutex<State>>, longest: Duration) {
    let mut conn = None;
    while !state.lock().unwrap().ends {
        let id = Uuid::new_v4();
        let (dice, part) = (id.as_u128() % 20, id.as_u128() % 97);
        let open = if dice == 0 { longest * u32::try_from(part).unwrap() / 97 } else { Duration::ZERO };
        // The same row until it is in: whether a lost commit took place is not known.
        while !insert(&state, &mut conn, id, open).await {
            tokio::time::sleep(BEAT).await;
        }
        state.lock().unwrap().committed.push(id);
        tokio::time::sleep(BEAT).await;
    }
}

async fn insert(state: &Mutex<State>, conn: &mut Option<PgConnection>, id: Uuid, open: Duration) -> bool {
    if conn.is_none() {
        let url = state.lock().unwrap().url.clone();
        *conn = PgConnection::connect(&url).await.ok();
    }
    let Some(server) = conn.as_mut() else { return false };
    let stored = store(server, id, open).await.is_ok();
    if !stored {
        *conn = None;
    }
    stored
}

async fn store(server: &mut PgConnection, id: Uuid, open: Duration) -> Result<(), sqlx::Error> {
    let mut transaction = server.begin().await?;
    sqlx::query(INSERT).bind(id).bind(format!("row {id}")).execute(&mut *transaction).await?;
    if !open.is_zero() {
        tokio::time::sleep(open).await;
    }
    transaction.commit().await
}
