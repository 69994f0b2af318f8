//! The live tail on real databases: each committed row exactly once, from every writer, however late it commits.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use renewscope::domain::event::{Id, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, KindMatch, NameMatch, Pattern};
use renewscope::domain::instant::{Instant, Span};
use renewscope::protocol::EventSource;
use renewscope::protocol::tail::{Batch, Start, TailEvent, TailNews, TailOrder, Window};
use renewscope::store::schema::{self, IndexState};
use renewscope::store::{Address, ConnectOptions, Store};
use renewscope::worker::tail::follow;
use sqlx::Connection;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::bed::{Bed, all_of, event};
use super::pg;
use crate::on_both;

on_both!(
    what_is_committed_is_sent_once,
    history_and_tail_meet,
    a_filter_by_names_holds_for_new_names,
    a_future_row_hides_nothing,
    numbers_that_are_given_again,
);

/// Far more than any poll takes; reached only by a test that fails.
const DEADLINE: Duration = Duration::from_secs(60);

fn now() -> Instant {
    Instant::from_utc(Utc::now())
}

fn ago(seconds: i64) -> Instant {
    now().minus(Span::seconds(seconds))
}

/// A tail, and what it has sent.
pub struct Tail {
    inbox: mpsc::Receiver<TailEvent>,
    task: JoinHandle<()>,
    pub sent: BTreeMap<Id, u64>,
    rows: Vec<Arc<RenewalEvent>>,
    late: u64,
    window: Window,
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tail {
    pub fn start(store: &Store, criteria: Criteria, start: Start) -> Self {
        let (news, inbox) = mpsc::channel(4);
        let (store, order) = (store.clone(), TailOrder { generation: 1, criteria, start, whole: true });
        let task = tokio::spawn(async move { follow(&store, order, &news, now).await });
        Self { inbox, task, sent: BTreeMap::new(), rows: Vec::new(), late: 0, window: Window::Unknown }
    }

    /// Takes news until `enough`.
    pub async fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        let work = async {
            while !enough(self) {
                let event = self.inbox.recv().await.expect("the tail goes on");
                self.take(event.news);
            }
        };
        let ended = tokio::time::timeout(DEADLINE, work).await.is_ok();
        assert!(ended, "sent {} rows, {:?}", self.sent.len(), self.window);
    }

    fn take(&mut self, news: TailNews) {
        match news {
            TailNews::Batch(Batch { rows, late, window, .. }) => {
                for row in rows.iter().rev() {
                    *self.sent.entry(row.id.clone()).or_default() += 1;
                    self.rows.push(Arc::clone(row));
                }
                self.late += late;
                self.window = window;
            }
            TailNews::Skipped(rows) => panic!("{rows:?} skipped by a reader that keeps all"),
            TailNews::Slow(_) | TailNews::Trouble { .. } | TailNews::Resumed => {}
        }
    }

    /// Has begun: what is committed from here on will be sent.
    pub async fn begun(&mut self) {
        self.until(|t| t.window != Window::Unknown).await;
    }

    pub fn names(&self) -> Vec<String> {
        self.rows.iter().map(|r| r.device.as_ref().map(|d| d.raw().to_owned()).unwrap_or_default()).collect()
    }
}

async fn what_is_committed_is_sent_once(bed: Bed) {
    bed.fill(&[event("before", "renewal_start", ago(1))]).await;
    let mut tail = Tail::start(&bed.reader().await, Criteria::default(), Start::Now);
    tail.begun().await;
    bed.fill(&[event("a", "renewal_start", ago(0))]).await;
    tail.until(|t| t.names() == ["a"]).await;
    assert_eq!(tail.late, 0);
    // Older than what was sent, within the overlap.
    bed.fill(&[event("b", "renewal_start", ago(2)), event("c", "renewal_start", ago(0))]).await;
    tail.until(|t| t.sent.len() == 3).await;
    assert_eq!(tail.late, 1);
    bed.fill(&[event("d", "renewal_start", ago(0))]).await;
    tail.until(|t| t.sent.len() == 4).await;
    assert!(tail.sent.values().all(|n| *n == 1), "{:?}", tail.sent);
    if bed.is_postgres() {
        assert!(matches!(tail.window, Window::Open { .. }), "{:?}", tail.window);
    } else {
        assert_eq!(tail.window, Window::Every);
        bed.fill(&[event("an hour late", "renewal_start", ago(3600))]).await;
        tail.until(|t| t.sent.len() == 5).await;
        assert_eq!(tail.late, 2);
    }
}

async fn history_and_tail_meet(bed: Bed) {
    let from = ago(3600);
    let history: Vec<_> =
        (0..3000).map(|n| event(&format!("h{n:04}"), "renewal_start", from.plus(Span::seconds(n)))).collect();
    bed.fill(&history).await;
    bed.fill(&[event("too old", "renewal_start", from.minus(Span(1)))]).await;
    let mut tail = Tail::start(&bed.reader().await, Criteria::default(), Start::At(from));
    // Written while history is read.
    for n in 0..40 {
        bed.fill(&[event(&format!("n{n:04}"), "renewal_start", ago(0))]).await;
    }
    tail.until(|t| t.sent.len() >= 3040).await;
    assert!(tail.sent.values().all(|n| *n == 1));
    let names = tail.names();
    let old: Vec<_> = names.iter().filter(|n| n.starts_with('h')).cloned().collect();
    assert_eq!(old, (0..3000).map(|n| format!("h{n:04}")).collect::<Vec<_>>(), "oldest first");
    assert!(!names.contains(&"too old".to_owned()));
}

async fn a_filter_by_names_holds_for_new_names(bed: Bed) {
    let devices = vec![NameMatch::Name(Pattern::StartsWith("edge-".into()))];
    let failed = vec![KindMatch::Ending("failed".into())];
    let criteria = all_of([Check::Device(devices), Check::Kind(failed)]);
    let mut tail = Tail::start(&bed.reader().await, criteria, Start::Now);
    tail.begun().await;
    bed.fill(&[
        event("edge-new", "renewal_failed", ago(0)),
        event("edge-new", "renewal_start", ago(0)),
        event("lab-new", "renewal_failed", ago(0)),
        event("edge-other", "a_kind_nobody_knew_failed", ago(0)),
    ])
    .await;
    tail.until(|t| t.sent.len() == 2).await;
    let mut names = tail.names();
    names.sort();
    assert_eq!(names, ["edge-new", "edge-other"]);
}

async fn a_future_row_hides_nothing(bed: Bed) {
    let mut tail = Tail::start(&bed.reader().await, Criteria::default(), Start::Now);
    tail.begun().await;
    let far = |name: &str, at| event(name, "renewal_start", at);
    bed.fill(&[far("next year", now().plus(Span::days(365))), far("never", Instant::INFINITY)]).await;
    tail.until(|t| t.sent.len() == 2).await;
    bed.fill(&[event("today", "renewal_start", ago(0))]).await;
    tail.until(|t| t.sent.len() == 3).await;
    assert_eq!(tail.names()[2], "today");
}

/// SQLite gives the number of a deleted last row to the next one.
async fn numbers_that_are_given_again(bed: Bed) {
    bed.fill(&(0..50).map(|n| event(&format!("{n}"), "x", ago(n))).collect::<Vec<_>>()).await;
    let mut tail = Tail::start(&bed.reader().await, Criteria::default(), Start::Now);
    tail.begun().await;
    for round in 1..=3 {
        let name = format!("round {round}");
        bed.fill(&[event(&name, "x", ago(0))]).await;
        tail.until(|t| t.sent.len() == round).await;
        let id = tail.rows.last().unwrap().id.clone();
        assert!(bed.store.delete(None, &id).await.unwrap());
    }
    assert_eq!(tail.names(), ["round 1", "round 2", "round 3"]);
}

/// How long the writers write: short in a usual run, as long as the environment says.
fn length() -> Duration {
    let seconds = std::env::var("RENEWSCOPE_TAIL_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(6))
}

#[derive(Default)]
struct Written {
    committed: HashSet<Uuid>,
    /// Of the committed ones, those of which the commit was confirmed within the overlap, however slow this machine is.
    soon: HashSet<Uuid>,
    rolled_back: HashSet<Uuid>,
}

/// Writes a row a transaction, as a service does: the row's time is the transaction's, some stay open for up to four
/// seconds, some are given up.
async fn writer(url: String, seed: u64, ended: Arc<AtomicBool>) -> Written {
    let mut conn = pg::connect(&url).await;
    let mut written = Written::default();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut dice = move |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    while !ended.load(Ordering::Relaxed) {
        let id = Uuid::new_v4();
        let begun = std::time::Instant::now();
        let mut transaction = conn.begin().await.unwrap();
        let sql = "INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type) \
            SELECT $1, d.id, d.org_id, 'renewal_start' FROM devices d LIMIT 1";
        sqlx::query(sql).bind(id).execute(&mut *transaction).await.unwrap();
        if dice(20) == 0 {
            tokio::time::sleep(Duration::from_millis(dice(4000))).await;
        }
        if dice(25) == 0 {
            transaction.rollback().await.unwrap();
            written.rolled_back.insert(id);
        } else {
            transaction.commit().await.unwrap();
            written.committed.insert(id);
            if begun.elapsed() < Duration::from_secs(5) {
                written.soon.insert(id);
            }
        }
        tokio::time::sleep(Duration::from_millis(dice(40))).await;
    }
    written
}

/// Sixteen writers, one in twenty transactions open for up to four seconds; one tail that sees the open transactions,
/// and one of a role that may not, whose overlap is longer than they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_and_no_row_lost() {
    let url = pg::migrated().await;
    let bed = Store::connect(&Address::parse(&url).unwrap(), &super::bed::writing()).await.unwrap();
    bed.create(&event("edge-1", "renewal_start", ago(9000))).await.unwrap();
    pg::execute(
        &url,
        "DO $$ BEGIN CREATE ROLE sees_no_stats LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO sees_no_stats",
    )
    .await;
    let reader =
        async |url: &str| Store::connect(&Address::parse(url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let mut tails = [
        Tail::start(&reader(&url).await, Criteria::default(), Start::Now),
        Tail::start(&reader(&url.replace("postgres@", "sees_no_stats@")).await, Criteria::default(), Start::Now),
    ];
    for tail in &mut tails {
        tail.begun().await;
    }
    assert!(matches!(tails[0].window, Window::Open { .. }), "{:?}", tails[0].window);
    assert!(matches!(tails[1].window, Window::Overlap(_)), "{:?}", tails[1].window);
    let ended = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=16).map(|n| tokio::spawn(writer(url.clone(), n, Arc::clone(&ended)))).collect();
    let stop = Arc::clone(&ended);
    tokio::spawn(async move {
        tokio::time::sleep(length()).await;
        stop.store(true, Ordering::Relaxed);
    });
    // The tails are read while the writers write.
    let [seeing, blind] = &mut tails;
    let drain = async |tail: &mut Tail| tail.drain(&ended).await;
    tokio::join!(drain(seeing), drain(blind));
    let mut all = Written::default();
    for writer in writers {
        let written = writer.await.unwrap();
        all.committed.extend(written.committed);
        all.soon.extend(written.soon);
        all.rolled_back.extend(written.rolled_back);
    }
    assert!(all.committed.len() > 100 && !all.rolled_back.is_empty());
    for (tail, sure) in tails.iter_mut().zip([&all.committed, &all.soon]) {
        tail.until(|t| sure.iter().all(|id| t.sent.contains_key(&Id::Uuid(*id)))).await;
        assert!(
            tail.sent.keys().all(|id| id.as_uuid().is_some_and(|id| all.committed.contains(&id))),
            "a row that was never committed"
        );
        assert!(tail.sent.values().all(|n| *n == 1), "a row sent twice");
        let (committed, sent, late) = (all.committed.len(), tail.sent.len(), tail.late);
        eprintln!(
            "{committed} committed, {} of them soon, {sent} sent, {late} late, {:?}",
            all.soon.len(),
            tail.window
        );
    }
}

impl Tail {
    /// Takes news until the writers have ended.
    async fn drain(&mut self, ended: &AtomicBool) {
        while !ended.load(Ordering::Relaxed) {
            if let Ok(event) = tokio::time::timeout(Duration::from_millis(200), self.inbox.recv()).await {
                self.take(event.expect("the tail goes on").news);
            }
        }
    }
}

/// Four processes that write into one file, one after the other and again, with their own times from all of last year.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_writing_processes_and_no_row_lost() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.db");
    let address = Address::sqlite(&file);
    let writer = Store::connect(&address, &super::bed::writing()).await.unwrap();
    let reader = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
    let mut tail = Tail::start(&reader, Criteria::default(), Start::Now);
    tail.begun().await;
    let ended = Arc::new(AtomicBool::new(false));
    let processes: Vec<_> = (0..4_usize)
        .map(|writer| {
            let (db, dir) = (format!("sqlite:{}", file.display()), dir.path().to_owned());
            tokio::task::spawn_blocking(move || {
                let begun = std::time::Instant::now();
                let rounds = (0..).take_while(|n| *n < 5 || (begun.elapsed() < length() && length().as_secs() > 6));
                rounds.map(|round| ingest(&db, &dir, writer, round)).sum::<usize>()
            })
        })
        .collect();
    let written = async {
        let mut rows = 0;
        for process in processes {
            rows += process.await.unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        rows
    };
    let (rows, ()) = tokio::join!(written, tail.drain(&ended));
    writer.create(&event("last", "renewal_start", ago(0))).await.unwrap();
    tail.until(|t| t.sent.len() > rows).await;
    assert!(tail.sent.values().all(|n| *n == 1), "a row sent twice");
    assert_eq!((tail.sent.len(), tail.window), (rows + 1, Window::Every));
    eprintln!("{rows} committed and one, {} sent, {} late, {:?}", tail.sent.len(), tail.late, tail.window);
}

/// One process that stores 200 rows; how many they were.
fn ingest(db: &str, dir: &std::path::Path, writer: usize, round: usize) -> usize {
    let path = dir.join(format!("{writer}.ndjson"));
    let line = |n: usize| {
        let (month, day) = (n % 12 + 1, (writer * 7 + round * 31 + n * 13) % 28 + 1);
        format!(
            "{{\"device\":\"w{writer}-{round}-{n}\",\"org\":\"acme\",\"event_type\":\"renewal_start\",\
             \"created_at\":\"2025-{month:02}-{day:02}T12:00:00Z\"}}\n"
        )
    };
    std::fs::write(&path, (0..200).map(line).collect::<String>()).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_renewscope"));
    let done = command.args(["--db", db, "ingest"]).arg(&path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    200
}

/// With the trigger a commit wakes the tail; without, the next poll finds it. Both find everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_wakes_the_tail() {
    let bed = Bed::postgres().await;
    let made = schema::notify(&bed.address, true).await.unwrap();
    assert_eq!(made.state, IndexState::Created);
    let reader = bed.reader().await;
    let heard = reader.clone();
    let waiter = tokio::spawn(async move { EventSource::notified(&heard).await });
    // The first thing heard is that listening has begun.
    tokio::time::timeout(DEADLINE, waiter).await.expect("listening begins").unwrap();
    let heard = reader.clone();
    let waiter = tokio::spawn(async move { EventSource::notified(&heard).await });
    let mut tail = Tail::start(&bed.reader().await, Criteria::default(), Start::Now);
    tail.begun().await;
    bed.fill(&[event("a", "renewal_start", ago(0))]).await;
    tokio::time::timeout(DEADLINE, waiter).await.expect("a notification comes").unwrap();
    tail.until(|t| t.names() == ["a"]).await;
    let gone = schema::notify(&bed.address, false).await.unwrap();
    assert_eq!(gone.state, IndexState::Removed);
    bed.fill(&[event("b", "renewal_start", ago(0))]).await;
    tail.until(|t| t.names() == ["a", "b"]).await;
}

#[tokio::test]
async fn a_file_needs_no_trigger() {
    let bed = Bed::sqlite().await;
    let error = super::bed::refused(schema::notify(&bed.address, true).await);
    assert!(error.to_string().contains("requires no trigger"), "{error}");
}
