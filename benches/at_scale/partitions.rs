//! What indexes cost a writer, and the same events in partitions of a month: PostgreSQL only.

use std::time::{Duration, Instant as Moment};

use crate::beds::{Bed, Beds};
use crate::by_hand::Hand;
use crate::pg;
use crate::table::{Table, Target, ms};

const INSERTED: u64 = 200_000;

/// Inserts a second into a table of that size with no index but the key, with the seed's four, and with ours besides;
/// and what each index takes of space.
pub async fn writes(beds: &Beds, bed: &Bed, table: &mut Table) {
    let mut conn = pg::connect(&bed.url).await;
    let sql = "SELECT indexrelname::text, pg_relation_size(indexrelid) FROM pg_stat_user_indexes \
               WHERE relname = 'certificate_renewal_events' ORDER BY 2 DESC";
    let sizes: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("SELECT pg_table_size('certificate_renewal_events')").fetch_one(&mut conn).await.unwrap();
    let mb = |n: i64| n as f64 / 1e6;
    let list: Vec<_> = sizes.iter().map(|(name, n)| format!("`{name}` {:.0}", mb(*n))).collect();
    table.note(format!(
        "PostgreSQL, {} rows: the table takes {:.0} MB, its indexes {}",
        bed.rows,
        mb(rows),
        list.join(", ")
    ));
    drop(conn);
    let copy = format!("CREATE DATABASE writes TEMPLATE events_{}", bed.rows);
    pg::execute(&beds.url("postgres"), "DROP DATABASE IF EXISTS writes").await;
    pg::execute(&beds.url("postgres"), &copy).await;
    let url = beds.url("writes");
    let mut all = 0.0;
    for (n, (what, drop)) in [
        ("with the seed's four indexes and the five for paging", ""),
        ("with the seed's four indexes", "%\\_page"),
        ("with the key alone", "idx\\_cert%"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut conn = pg::connect(&url).await;
        let sql = "SELECT indexrelname::text FROM pg_stat_user_indexes WHERE relname = 'certificate_renewal_events' AND indexrelname LIKE $1";
        let names: Vec<String> = sqlx::query_scalar(sql).bind(drop).fetch_all(&mut conn).await.unwrap();
        for name in names {
            pg::execute(&url, &format!("DROP INDEX {name}")).await;
        }
        pg::execute(&url, "CHECKPOINT").await;
        let begun = Moment::now();
        // New rows at the newest end, as they come, of all devices.
        pg::execute(
            &url,
            &format!(
                "INSERT INTO certificate_renewal_events (device_id, org_id, event_type, created_at) \
                 SELECT d.id, d.org_id, CASE WHEN n % 2 = 0 THEN 'renewal_start' ELSE 'renewal_success' END, \
                 now()::timestamp + n * interval '1 millisecond' FROM generate_series(1, {INSERTED}) n \
                 JOIN (SELECT id, org_id, row_number() OVER (ORDER BY md5(id::text)) AS k FROM devices) d ON d.k = n % 100000 + 1"
            ),
        )
        .await;
        let rate = INSERTED as f64 / begun.elapsed().as_secs_f64();
        all = if n == 0 { rate } else { all };
        table.line("PostgreSQL", &format!("inserts {what}"), (rate, "rows/s"), (n > 0).then_some(all), Target::None);
    }
    beds.drop_database("writes").await;
}

/// The events in one partition for each month: what is pruned, what a page across them costs, and how a month goes.
pub async fn by_month(beds: &Beds, bed: &Bed, rounds: usize, table: &mut Table) {
    pg::execute(&beds.url("postgres"), "DROP DATABASE IF EXISTS partitioned").await;
    pg::execute(&beds.url("postgres"), &format!("CREATE DATABASE partitioned TEMPLATE events_{}", bed.rows)).await;
    let url = beds.url("partitioned");
    let begun = Moment::now();
    pg::execute(&url, SPLIT).await;
    pg::execute(&url, "CHECKPOINT").await;
    pg::execute(&url, "VACUUM ANALYZE certificate_renewal_events").await;
    table.note(format!(
        "PostgreSQL, {} rows: partitions by month made in {:.0} s",
        bed.rows,
        begun.elapsed().as_secs_f64()
    ));
    let mut one = Hand::open(&bed.url).await;
    let mut many = Hand::open(&url).await;
    let until = bed.now.rfc3339();
    let until = until.trim_end_matches('Z');
    let page = |tests: &str| {
        format!("SELECT * FROM certificate_renewal_events {tests} ORDER BY created_at DESC, id DESC LIMIT 200")
    };
    let old = format!("TIMESTAMP '{until}' - interval '62 days'");
    for (what, sql) in [
        ("the newest page", page("")),
        ("a page of a day two months ago", page(&format!("WHERE created_at >= {old} AND created_at < {old} + interval '1 day'"))),
        ("a page of a rare type", page("WHERE event_type = 'recovery_failed'")),
        ("a page of one device, of all months", page("WHERE device_id = (SELECT id FROM devices WHERE name = 'edge-12345')")),
        ("the row of an id", "SELECT * FROM certificate_renewal_events WHERE id = (SELECT id FROM certificate_renewal_events ORDER BY created_at DESC, id DESC LIMIT 1)".to_owned()),
        ("a count of a day", format!("SELECT count(*) FROM certificate_renewal_events WHERE created_at >= {old} AND created_at < {old} + interval '1 day'")),
    ] {
        let (mut whole, mut parts) = (Duration::MAX, Duration::MAX);
        assert_eq!(one.run(&sql, None).await, many.run(&sql, None).await, "{sql}");
        for _ in 0..rounds {
            let begun = Moment::now();
            one.run(&sql, None).await;
            whole = whole.min(begun.elapsed());
            let begun = Moment::now();
            many.run(&sql, None).await;
            parts = parts.min(begun.elapsed());
        }
        table.line("PostgreSQL, partitions", &format!("{what}, against one table"), (ms(parts), "ms"), Some(ms(whole)), Target::None);
    }
    drop((one, many));
    let begun = Moment::now();
    pg::execute(
        &url,
        "DO $$ DECLARE oldest regclass; BEGIN SELECT inhrelid::regclass INTO oldest FROM pg_inherits \
        WHERE inhparent = 'certificate_renewal_events'::regclass ORDER BY inhrelid::regclass::text LIMIT 1; \
        EXECUTE format('DROP TABLE %s', oldest); END $$",
    )
    .await;
    let dropped = begun.elapsed();
    let begun = Moment::now();
    pg::execute(
        &bed_copy(beds, bed).await,
        &format!("DELETE FROM certificate_renewal_events WHERE created_at < TIMESTAMP '{until}' - interval '80 days'"),
    )
    .await;
    let deleted = begun.elapsed();
    table.line(
        "PostgreSQL, partitions",
        "drop of the oldest month, against DELETE of ten days",
        (ms(dropped), "ms"),
        Some(ms(deleted)),
        Target::None,
    );
    beds.drop_database("partitioned").await;
    beds.drop_database("deleted").await;
}

async fn bed_copy(beds: &Beds, bed: &Bed) -> String {
    pg::execute(&beds.url("postgres"), "DROP DATABASE IF EXISTS deleted").await;
    pg::execute(&beds.url("postgres"), &format!("CREATE DATABASE deleted TEMPLATE events_{}", bed.rows)).await;
    beds.url("deleted")
}

/// The key of a partitioned table has to hold the partition's column: an id is unique within its month only.
const SPLIT: &str = "
    ALTER TABLE certificate_renewal_events RENAME TO whole;
    CREATE TABLE certificate_renewal_events (LIKE whole INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
    DO $$ DECLARE month timestamp; BEGIN
        FOR month IN SELECT generate_series(date_trunc('month', min(created_at)), date_trunc('month', max(created_at)), '1 month') FROM whole LOOP
            EXECUTE format('CREATE TABLE events_%s PARTITION OF certificate_renewal_events FOR VALUES FROM (%L) TO (%L)',
                to_char(month, 'YYYY_MM'), month, month + interval '1 month');
        END LOOP;
    END $$;
    SET synchronous_commit = on;
    SET maintenance_work_mem = '512MB';
    INSERT INTO certificate_renewal_events SELECT * FROM whole;
    DROP TABLE whole;
    ALTER TABLE certificate_renewal_events ADD PRIMARY KEY (id, created_at);
    CREATE INDEX ON certificate_renewal_events (created_at DESC, id DESC);
    CREATE INDEX ON certificate_renewal_events (org_id DESC, created_at DESC, id DESC);
    CREATE INDEX ON certificate_renewal_events (event_type DESC, created_at DESC, id DESC);
    CREATE INDEX ON certificate_renewal_events (org_id DESC, event_type DESC, created_at DESC, id DESC);
    CREATE INDEX ON certificate_renewal_events (device_id DESC, created_at DESC, id DESC);
";
