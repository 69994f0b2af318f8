//! The data set of the benchmarks: the same events in a PostgreSQL database and in a SQLite file.
//!
//! Made by the databases themselves from the number of a row, so that a million take seconds and every run measures
//! the same rows. Indexes are dropped for the load and made again: what is left is the schema of the migrations.

use std::path::Path;
use std::time::SystemTime;

use renewscope::store::{Address, schema};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::pg;

/// How much there is. Devices are `edge-10000` and so on, organizations `org-10` and so on; the first of twenty owns more
/// than a third of the devices, the last less than two in a hundred.
#[derive(Clone, Copy)]
pub struct Fleet {
    pub rows: u64,
    pub devices: u64,
    pub orgs: u64,
}

const DAYS: u64 = 90;

impl Fleet {
    /// The usual fleet of 20,000 devices in 20 organizations.
    pub const fn of(rows: u64) -> Self {
        Self { rows, devices: 20_000, orgs: 20 }
    }
}

/// How the databases differ.
struct Words {
    numbers: fn(&str, u64) -> String,
    /// The 16 bytes of two numbers, of 32 and of 96 bits.
    uuid: fn(&str, &str) -> String,
    /// A time from microseconds since 1970.
    time: fn(&str) -> String,
}

const POSTGRES: Words = Words {
    numbers: |name, n| format!("(SELECT {name} FROM generate_series(0::int8, {n} - 1) {name}) AS numbers"),
    uuid: |a, b| format!("(lpad(to_hex({a}), 8, '0') || lpad(to_hex({b}), 24, '0'))::uuid"),
    time: |micros| format!("(TIMESTAMP 'epoch' + ({micros}) * INTERVAL '1 microsecond')"),
};

const SQLITE: Words = Words {
    numbers: |name, n| {
        format!(
            "(WITH RECURSIVE r({name}) AS (SELECT 0 UNION ALL SELECT {name} + 1 FROM r WHERE {name} < {n} - 1) SELECT {name} FROM r)"
        )
    },
    uuid: |a, b| format!("unhex(printf('%08x%024x', {a}, {b}))"),
    time: |micros| format!("({micros})"),
};

/// A new PostgreSQL database with the events of a fleet that end now; its address.
pub async fn postgres(fleet: Fleet) -> String {
    let url = pg::migrated().await;
    fill_postgres(&url, fleet).await;
    url
}

/// Where commits do not wait for the log, VACUUM does not take their rows for visible to all, and no later read could do
/// without the table: an index alone would answer nothing.
const WAIT_FOR_COMMITS: &str = "SET synchronous_commit = on";

/// Fills a database that has the schema and no rows. Vacuumed and analysed, as a server does by itself with a table that
/// has come to rest.
pub async fn fill_postgres(url: &str, fleet: Fleet) {
    let mut conn = pg::connect(url).await;
    let found = sqlx::query(
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'certificate_renewal_events' \
         AND indexname NOT LIKE '%_pkey'",
    );
    let indexes: Vec<(String, String)> =
        found.fetch_all(&mut conn).await.unwrap().iter().map(|r| (r.get(0), r.get(1))).collect();
    // Without the checks of the references, which hold by construction, and with the ids sorted once instead of found one
    // by one.
    run(&mut conn, WAIT_FOR_COMMITS).await;
    let mut script = "SET session_replication_role = replica; SET maintenance_work_mem = '512MB'; \
        ALTER TABLE certificate_renewal_events DROP CONSTRAINT certificate_renewal_events_pkey;"
        .to_owned();
    script.push_str(&load(&POSTGRES, fleet, &indexes));
    script.push_str("ALTER TABLE certificate_renewal_events ADD PRIMARY KEY (id); RESET session_replication_role;");
    run(&mut conn, &script).await;
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();
}

/// A new SQLite file with the events of a fleet that end now; its address.
pub async fn sqlite(path: &Path, fleet: Fleet) -> String {
    let url = format!("sqlite:{}", path.display());
    schema::migrate(&Address::parse(&url).unwrap()).await.unwrap();
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let found = sqlx::query(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'certificate_renewal_events' \
         AND sql IS NOT NULL",
    );
    let indexes: Vec<(String, String)> =
        found.fetch_all(&mut conn).await.unwrap().iter().map(|r| (r.get(0), r.get(1))).collect();
    let mut script =
        "PRAGMA foreign_keys = off; PRAGMA synchronous = off; PRAGMA cache_size = -1048576; PRAGMA journal_mode = off; BEGIN;".to_owned();
    script.push_str(&load(&SQLITE, fleet, &indexes));
    // Without a log, which would be as large as the file.
    script.push_str("COMMIT; PRAGMA journal_mode = wal;");
    run(&mut conn, &script).await;
    conn.close().await.unwrap();
    url
}

async fn run<'c, C: Connection>(conn: &'c mut C, script: &str)
where
    &'c mut C: sqlx::Executor<'c>,
{
    use sqlx::Executor as _;
    conn.execute(sqlx::raw_sql(AssertSqlSafe(script.to_owned()))).await.unwrap();
}

/// The statements that fill the three tables.
fn load(words: &Words, fleet: Fleet, indexes: &[(String, String)]) -> String {
    let Fleet { rows, devices, orgs } = fleet;
    let Words { numbers, uuid, time } = words;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    let step = DAYS * 86_400 * 1_000_000 / rows.max(1);
    let dice = |n: &str| format!("({n} * 2654435761 % 4294967296)");
    let org = |device: &str| format!("({device} * {device} * {device} * {orgs} / {})", devices.pow(3));
    let org_id = |n: &str| uuid(&dice(n), n);
    let device_id = org_id;
    let mut script: String = indexes.iter().map(|(name, _)| format!("DROP INDEX {name};")).collect();
    script.push_str(&format!(
        "INSERT INTO organizations (id, name) SELECT {}, 'org-' || (10 + n) FROM {};",
        org_id("n"),
        numbers("n", orgs)
    ));
    script.push_str(&format!(
        "INSERT INTO devices (id, org_id, name) SELECT {}, {}, 'edge-' || (10000 + n) FROM {};",
        device_id("n"),
        org_id(&org("n")),
        numbers("n", devices)
    ));
    let at = format!("({now} - ({rows} - n) * {step})");
    let old = time(&format!("{at} + (h % 3456000 - 259200) * 1000000"));
    let new = time(&format!("{at} + 31536000000000"));
    script.push_str(&format!(
        "INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, \
         new_cert_expiration, error_message, created_at) \
         SELECT {id}, {device}, {org}, kind, \
         CASE WHEN kind LIKE 'recovery%' THEN 'expired' WHEN kind = 'renewal_start' THEN 'proactive' END, {old}, \
         CASE WHEN kind LIKE '%success' THEN {new} END, CASE WHEN kind LIKE '%failed' THEN {error} END, {created} \
         FROM (SELECT n, h, d, {kind} AS kind FROM \
         (SELECT n, {dice} AS h, {dice} / 7 % {devices} AS d FROM {numbers}) AS a) AS b;",
        id = uuid("h", "n"),
        device = device_id("d"),
        org = org_id(&org("d")),
        error = ERROR,
        created = time(&at),
        kind = KIND,
        dice = dice("n"),
        numbers = numbers("n", rows),
    ));
    script.extend(indexes.iter().map(|(_, sql)| format!("{sql};")));
    script
}

/// One in eighteen fails, one in eighteen is a recovery.
const KIND: &str = "CASE WHEN h / 131072 % 1000 < 460 THEN 'renewal_start' \
     WHEN h / 131072 % 1000 < 900 THEN 'renewal_success' WHEN h / 131072 % 1000 < 945 THEN 'renewal_failed' \
     WHEN h / 131072 % 1000 < 970 THEN 'recovery_start' WHEN h / 131072 % 1000 < 990 THEN 'recovery_success' \
     ELSE 'recovery_failed' END";

const ERROR: &str = "CASE h % 5 WHEN 0 THEN 'x509: certificate signed by unknown authority (serial ' || h || ')' \
     WHEN 1 THEN 'Post \"https://ca-' || (h % 40) || '.example.com/sign\": context deadline exceeded' \
     WHEN 2 THEN 'CSR denied by approver: device ' || d || ' is scheduled for decommission' \
     WHEN 3 THEN 'tpm2: session handle 0x' || h || ' is not loaded: TPM_RC_REFERENCE_H0 (warning)' \
     ELSE 'dial tcp 10.0.' || (h % 256) || '.7:443: connect: connection refused' END";
