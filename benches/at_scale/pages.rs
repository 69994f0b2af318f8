//! Pages, panes, histograms and searches: the store against statements by hand, on one connection each, in turn.

use std::time::{Duration, Instant as Moment};

use renewscope::domain::filter::{Criteria, Filter};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Cursor};
use renewscope::domain::zone::Zone;
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::{Answer, Query};
use renewscope::store::{ConnectOptions, SearchBudget, Store, schema};
use sqlx::{Connection, Row, SqliteConnection};

use crate::beds::Bed;
use crate::by_hand::Hand;
use crate::pg;
use crate::table::{Table, Target, ms};

const PAGE: u32 = 200;
const DEPTH: u64 = 50_000;
/// From here on SQLite takes up to minutes for what is written without branches.
const PLAIN_ROWS: u64 = 2_000_000;
/// What has taken no longer is repeated.
const QUICK: Duration = Duration::from_millis(100);
const HOPELESS: Duration = Duration::from_secs(2);

/// One filter as its parts.
#[derive(Clone, Default)]
struct Pick {
    orgs: Vec<String>,
    devices: Vec<String>,
    kinds: Vec<&'static str>,
    time: Option<(Instant, Instant)>,
}

/// Where a page begins.
#[derive(Clone)]
enum Place {
    Newest,
    Oldest,
    At(Instant),
    Behind(Cursor),
}

struct Sides {
    store: Store,
    hand: Hand,
    bed: Bed,
    rounds: usize,
}

/// What all pages of one data set took, to set one size against another.
pub struct Pages {
    pub bed: &'static str,
    pub rows: u64,
    pub first: Duration,
}

impl Sides {
    async fn open(bed: &Bed, rounds: usize) -> Self {
        let options = ConnectOptions { search_budget: Some(SearchBudget::default()), ..ConnectOptions::default() };
        let store = Store::connect(&bed.address(), &options).await.unwrap();
        Self { store, hand: Hand::open(&bed.url).await, bed: bed.clone(), rounds }
    }

    /// How long a query takes whose statements have not run on its connection before; the rows are in memory.
    async fn at_first(&self, query: &Query) -> Duration {
        let options = ConnectOptions { search_budget: Some(SearchBudget::default()), ..ConnectOptions::default() };
        let store = Store::connect(&self.bed.address(), &options).await.unwrap();
        let any = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 1 };
        store.run(&any).await.unwrap();
        let begun = Moment::now();
        store.run(query).await.unwrap();
        let took = begun.elapsed();
        store.close().await;
        took
    }

    /// The best of several rounds of each side, the reference being the best of its statements. Rows have to agree.
    async fn turns(&mut self, query: &Query, by_hand: &[String], sum: Option<&str>) -> (Duration, Duration) {
        let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
        let found = rows(&self.store.run(query).await.unwrap());
        let mut again = Vec::new();
        for sql in by_hand {
            let begun = Moment::now();
            let expected = self.hand.run(sql, sum).await;
            assert!(found.is_none_or(|n| n == expected), "{found:?} of {expected}: {query:?}\n{sql}");
            // What takes longer for its plan, and not for its first look at the pages, is not run again.
            if begun.elapsed() > HOPELESS {
                theirs = theirs.min(begun.elapsed());
            } else {
                again.push(sql);
            }
        }
        let begun = Moment::now();
        for n in 0.. {
            // What takes a millisecond is hit by a machine's other work as a whole; more rounds find a quiet one.
            if n >= self.rounds && (begun.elapsed() > QUICK || n >= self.rounds * 8) {
                break;
            }
            let begun = Moment::now();
            self.store.run(query).await.unwrap();
            ours = ours.min(begun.elapsed());
            for sql in &again {
                let begun = Moment::now();
                self.hand.run(sql, sum).await;
                theirs = theirs.min(begun.elapsed());
            }
        }
        (ours, theirs)
    }
}

/// Rows of a page; other answers are not compared by their rows.
fn rows(answer: &Answer) -> Option<u64> {
    match answer {
        Answer::Page(page) => Some(page.rows.len() as u64),
        _ => None,
    }
}

/// Every combination of organization, device, type and time, none, one and many of each.
fn picks(now: Instant) -> Vec<Pick> {
    let names = |prefix: &str, all: &[u32]| all.iter().map(|n| format!("{prefix}-{n}")).collect::<Vec<_>>();
    let orgs =
        [vec![], names("org", &[58]), names("org", &[10]), names("org", &[10, 14, 20, 25, 31, 37, 42, 48, 53, 58])];
    let many: Vec<u32> = (0..20).map(|n| 12_000 + n * 37).collect();
    let devices = [vec![], names("edge", &[12_345]), names("edge", &many)];
    let kinds: [Vec<&'static str>; 4] = [
        vec![],
        vec!["recovery_failed"],
        vec!["renewal_failed", "recovery_failed"],
        vec!["renewal_start", "renewal_success", "renewal_failed", "recovery_start"],
    ];
    let old = now.minus(Span::days(60));
    let times =
        [None, Some((now.minus(Span::days(1)), now.plus(Span::seconds(1)))), Some((old, old.plus(Span::days(7))))];
    let mut picks = Vec::new();
    for orgs in &orgs {
        for devices in &devices {
            for kinds in &kinds {
                picks.extend(times.iter().map(|time| Pick {
                    orgs: orgs.clone(),
                    devices: devices.clone(),
                    kinds: kinds.clone(),
                    time: *time,
                }));
            }
        }
    }
    picks
}

impl Pick {
    fn text(&self) -> String {
        let list = |key: &str, all: &[String]| {
            if all.is_empty() { String::new() } else { format!("{key}:{} ", all.join(",")) }
        };
        let kinds: Vec<String> = self.kinds.iter().map(|k| (*k).to_owned()).collect();
        let time = self.time.map_or(String::new(), |(a, b)| format!("time:{}..{}", a.rfc3339(), b.rfc3339()));
        format!("{}{}{}{time}", list("org", &self.orgs), list("device", &self.devices), list("type", &kinds))
    }

    fn criteria(&self, now: Instant) -> Criteria {
        Filter::parse(self.text().trim()).unwrap().criteria(now, &Zone::Utc)
    }

    /// The statement as one would write it first, and with a branch for each combination, whose ids a person has looked
    /// up before.
    async fn by_hand(&self, sides: &mut Sides, place: &Place) -> Vec<String> {
        let postgres = sides.bed.is_postgres();
        let quoted = |all: &[String]| all.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ");
        let kinds: Vec<String> = self.kinds.iter().map(|k| (*k).to_owned()).collect();
        let mut common = Vec::new();
        if let Some((from, until)) = self.time {
            common.push(format!("created_at >= {}", time(postgres, from)));
            common.push(format!("created_at < {}", time(postgres, until)));
        }
        match place {
            Place::At(t) => common.push(format!("created_at <= {}", time(postgres, *t))),
            Place::Behind(c) => {
                let id = uuid(postgres, c.id.as_uuid().unwrap());
                common.push(format!("(created_at, id) < ({}, {id})", time(postgres, c.at)));
            }
            Place::Newest | Place::Oldest => {}
        }
        let word = if matches!(place, Place::Oldest) { "ASC" } else { "DESC" };
        let mut plain = common.clone();
        for (column, table, names) in [("org_id", "organizations", &self.orgs), ("device_id", "devices", &self.devices)]
        {
            if !names.is_empty() {
                plain.push(format!("{column} IN (SELECT id FROM {table} WHERE name IN ({}))", quoted(names)));
            }
        }
        if !kinds.is_empty() {
            plain.push(format!("event_type IN ({})", quoted(&kinds)));
        }
        let mut statements = vec![page_of(postgres, &select(&plain, word), word)];
        let mut branches = vec![common];
        for (column, table, names) in [("device_id", "devices", &self.devices), ("org_id", "organizations", &self.orgs)]
        {
            if !names.is_empty() {
                let ids = ids_of(sides, table, names).await;
                branches = cross(&branches, &ids.iter().map(|id| format!("{column} = {id}")).collect::<Vec<_>>());
            }
            if !self.devices.is_empty() && !self.orgs.is_empty() {
                // A device has few rows: its organization and type are tests on them.
                branches.iter_mut().for_each(|b| {
                    b.extend(plain.iter().filter(|p| p.contains(" IN (") && !p.starts_with("device_id")).cloned())
                });
                break;
            }
        }
        if self.devices.is_empty() {
            branches = cross(&branches, &kinds.iter().map(|k| format!("event_type = '{k}'")).collect::<Vec<_>>());
        } else if self.orgs.is_empty() && !kinds.is_empty() {
            branches.iter_mut().for_each(|b| b.push(format!("event_type IN ({})", quoted(&kinds))));
        }
        if !postgres && sides.bed.rows > PLAIN_ROWS {
            statements.clear();
        }
        statements.push(match branches.as_slice() {
            [branch] => page_of(postgres, &select(branch, word), word),
            many => {
                let all: Vec<_> = many.iter().map(|b| format!("SELECT * FROM ({}) b", select(b, word))).collect();
                let all = all.join(" UNION ALL ");
                let merged = format!("SELECT * FROM ({all}) u ORDER BY created_at {word}, id {word} LIMIT {PAGE}");
                page_of(postgres, &merged, word)
            }
        });
        statements
    }
}

/// Each branch with each of the tests; the branches as they are where there are none.
fn cross(branches: &[Vec<String>], tests: &[String]) -> Vec<Vec<String>> {
    if tests.is_empty() {
        return branches.to_vec();
    }
    let with = |b: &Vec<String>, t: &String| b.iter().cloned().chain([t.clone()]).collect();
    branches.iter().flat_map(|b| tests.iter().map(move |t| with(b, t))).collect()
}

fn select(tests: &[String], word: &str) -> String {
    let tests = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    format!("SELECT * FROM certificate_renewal_events{tests} ORDER BY created_at {word}, id {word} LIMIT {PAGE}")
}

/// The columns and names of a page over the rows chosen.
fn page_of(postgres: bool, rows: &str, word: &str) -> String {
    let head = if postgres { "left(e.error_message, 400)" } else { "substr(e.error_message, 1, 400)" };
    format!(
        "SELECT e.id, e.device_id, e.org_id, e.event_type, e.reason, e.old_cert_expiration, e.new_cert_expiration, \
         {head}, e.created_at, d.name, o.name FROM ({rows}) e LEFT JOIN devices d ON d.id = e.device_id \
         LEFT JOIN organizations o ON o.id = e.org_id ORDER BY e.created_at {word}, e.id {word}"
    )
}

async fn ids_of(sides: &mut Sides, table: &str, names: &[String]) -> Vec<String> {
    let list = names.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ");
    let sql = sqlx::AssertSqlSafe(format!("SELECT id FROM {table} WHERE name IN ({list})"));
    let ids: Vec<uuid::Uuid> = match &mut sides.hand {
        Hand::Postgres(conn) => sqlx::query_scalar(sql).fetch_all(conn).await.unwrap(),
        Hand::Sqlite(conn) => sqlx::query_scalar(sql).fetch_all(conn).await.unwrap(),
    };
    ids.into_iter().map(|id| uuid(sides.bed.is_postgres(), id)).collect()
}

fn uuid(postgres: bool, id: uuid::Uuid) -> String {
    if postgres { format!("'{id}'::uuid") } else { format!("x'{}'", id.simple()) }
}

fn time(postgres: bool, at: Instant) -> String {
    if postgres {
        return format!("TIMESTAMP '{}'", at.rfc3339().trim_end_matches('Z'));
    }
    at.unix_micros().unwrap().to_string()
}

/// First pages, deep pages, jumps.
pub async fn pages(bed: &Bed, rounds: usize, table: &mut Table) -> Pages {
    let mut sides = Sides::open(bed, rounds).await;
    let (mut all, mut unseen, mut first) = (Vec::new(), Vec::new(), Duration::ZERO);
    for pick in picks(bed.now) {
        let query = Query::Page { criteria: pick.criteria(bed.now), anchor: Anchor::Newest, limit: PAGE };
        let by_hand = pick.by_hand(&mut sides, &Place::Newest).await;
        let (ours, theirs) = sides.turns(&query, &by_hand, None).await;
        first += ours;
        let at_first = sides.at_first(&query).await.min(sides.at_first(&query).await);
        unseen.push((at_first, theirs));
        all.push((ours.as_secs_f64() / theirs.as_secs_f64(), ours, theirs, pick.text()));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = &all[all.len() / 2];
    let within = all.iter().filter(|a| a.0 <= 1.5).count();
    let what = format!("first page, {} combinations: the median", all.len());
    table.line(bed.name, &what, (ms(middle.1), "ms"), Some(ms(middle.2)), Target::AtMost(1.5));
    unseen.sort_by(|a, b| (a.0.as_secs_f64() / a.1.as_secs_f64()).total_cmp(&(b.0.as_secs_f64() / b.1.as_secs_f64())));
    let (at_first, by_hand) = unseen[unseen.len() / 2];
    let what = "the same, first use of the statement on its connection: the median";
    table.line(bed.name, what, (ms(at_first), "ms"), Some(ms(by_hand)), Target::None);
    // Below a millisecond the one round trip that looks a name up is most of a query.
    let long = |a: &&(f64, Duration, Duration, String)| a.1 > Duration::from_millis(2);
    let worst = all.iter().rfind(long).unwrap_or(middle);
    let what = format!("first page, the worst ratio above 2 ms: `{}`", worst.3.trim());
    table.line(bed.name, &what, (ms(worst.1), "ms"), Some(ms(worst.2)), Target::AtMost(1.5));
    let longest = all.iter().max_by_key(|a| a.1).unwrap_or(middle);
    let what = format!("first page, the slowest: `{}`", longest.3.trim());
    table.line(bed.name, &what, (ms(longest.1), "ms"), Some(ms(longest.2)), Target::AtMost(1.5));
    let worst: Vec<_> =
        all.iter().rev().take(5).map(|a| format!("`{}` {:.2} / {:.2} ms", a.3.trim(), ms(a.1), ms(a.2))).collect();
    table.note(format!(
        "{}, {} rows: {within} of {} first pages within 1.5 times; the others lead with {}",
        bed.name,
        bed.rows,
        all.len(),
        worst.join("; ")
    ));
    elsewhere(&mut sides, table).await;
    Pages { bed: bed.name, rows: bed.rows, first }
}

async fn elsewhere(sides: &mut Sides, table: &mut Table) {
    let bed = sides.bed.clone();
    let picks = [
        Pick::default(),
        Pick { kinds: vec!["renewal_failed", "recovery_failed"], ..Pick::default() },
        Pick { orgs: vec!["org-58".into()], ..Pick::default() },
    ];
    for pick in picks {
        let criteria = pick.criteria(bed.now);
        let behind = deep(&sides.store, &criteria).await;
        let middle = bed.now.minus(Span::days(45));
        for (name, anchor, place) in [
            ("page 50,000 deep", Anchor::Older(behind.clone()), Place::Behind(behind.clone())),
            ("jump to a time", Anchor::At(middle), Place::At(middle)),
            ("jump to the oldest", Anchor::Oldest, Place::Oldest),
        ] {
            let query = Query::Page { criteria: criteria.clone(), anchor, limit: PAGE };
            let by_hand = pick.by_hand(sides, &place).await;
            let (ours, theirs) = sides.turns(&query, &by_hand, None).await;
            let text = pick.text();
            let of = if text.trim().is_empty() { String::new() } else { format!(", `{}`", text.trim()) };
            table.line(bed.name, &format!("{name}{of}"), (ms(ours), "ms"), Some(ms(theirs)), Target::AtMost(1.5));
        }
    }
}

/// The row so deep in a result.
async fn deep(store: &Store, criteria: &Criteria) -> Cursor {
    let (mut anchor, mut seen, limit) = (Anchor::Newest, 0, 5000);
    loop {
        let Answer::Page(page) = store.run(&Query::Page { criteria: criteria.clone(), anchor, limit }).await.unwrap()
        else {
            panic!("the query was a page")
        };
        let last = page.rows.last().expect("a row so deep").cursor();
        seen += page.rows.len() as u64;
        if seen >= DEPTH || !page.more_older {
            return last;
        }
        anchor = Anchor::Older(last);
    }
}

/// The panes and the histogram of a day; and of all time, from indexes alone.
pub async fn panes(bed: &Bed, rounds: usize, table: &mut Table) {
    let mut sides = Sides::open(bed, rounds).await;
    let postgres = bed.is_postgres();
    let day = bed.now.minus(Span::days(1));
    let criteria = Pick { time: Some((day, bed.now.plus(Span::seconds(1)))), ..Pick::default() }.criteria(bed.now);
    let (from, until) = (time(postgres, day), time(postgres, bed.now.plus(Span::seconds(1))));
    let within = format!("FROM certificate_renewal_events WHERE created_at >= {from} AND created_at < {until}");
    for (name, field, column) in [
        ("types", Field::Kind, "event_type"),
        ("organizations", Field::Org, "org_id"),
        ("reasons", Field::Reason, "reason"),
        ("devices", Field::Device, "device_id"),
    ] {
        let query =
            FacetQuery { field, criteria: criteria.clone(), needle: String::new(), limit: 50, ceiling: 1_000_000 };
        let names = match field {
            Field::Org => "LEFT JOIN organizations t ON t.id = g.v",
            Field::Device => "LEFT JOIN devices t ON t.id = g.v",
            Field::Kind | Field::Reason | Field::Error => "",
        };
        let name_of = if names.is_empty() { "g.v" } else { "t.name" };
        let sql = format!(
            "SELECT g.v, g.n, {name_of} FROM (SELECT {column} AS v, count(*) AS n {within} GROUP BY 1 \
             ORDER BY 2 DESC LIMIT 50) g {names} ORDER BY g.n DESC"
        );
        let (ours, theirs) = sides.turns(&Query::Facets(query), &[sql], None).await;
        table.line(bed.name, &format!("pane of {name}, 24 h"), (ms(ours), "ms"), Some(ms(theirs)), Target::AtMost(1.5));
    }
    let histogram = |from: Instant, buckets: u32| {
        let width_micros = bed.now.since(from).unwrap().0 / i64::from(buckets) + 1;
        HistogramQuery { criteria: Criteria::default(), from, width_micros, buckets }
    };
    let by_hand = |query: &HistogramQuery| {
        let (first, width) = (time(postgres, query.from), query.width_micros);
        let bucket = match postgres {
            true => format!("floor(extract(epoch FROM created_at - {first}) * 1000000 / {width})::int8"),
            false => format!("(created_at - {first}) / {width}"),
        };
        format!(
            "SELECT {bucket}, event_type, count(*) FROM certificate_renewal_events WHERE created_at >= {first} AND created_at < {until} GROUP BY 1, 2"
        )
    };
    let of_day = histogram(day, 118);
    let sql = by_hand(&of_day);
    let (ours, theirs) = sides.turns(&Query::Histogram(of_day), &[sql], None).await;
    table.line(bed.name, "histogram, 24 h", (ms(ours), "ms"), Some(ms(theirs)), Target::AtMost(1.5));
    // As the console queries: the newest bucket first, then ever longer slices.
    let all = histogram(bed.now.minus(Span::days(90)), 118);
    let newest = HistogramQuery { from: bed.now.minus(Span(all.width_micros * 2)), buckets: 2, ..all.clone() };
    let (ours, _) = sides.turns(&Query::Histogram(newest), &[], None).await;
    table.line(bed.name, "histogram, all time: first content", (ms(ours), "ms"), None, Target::Below(100.0));
    let sql = by_hand(&all);
    sides.rounds = 2;
    let plan = sides.store.explain(&Query::Histogram(all.clone())).await.unwrap();
    let alone = plan
        .iter()
        .filter(|l| l.contains("certificate_renewal_events") || l.starts_with("SEARCH"))
        .all(|l| l.contains("Index Only") || l.contains("COVERING"));
    let (ours, theirs) = sides.turns(&Query::Histogram(all), &[sql], None).await;
    let what =
        format!("histogram, all time, exact{}", if alone { ", from an index alone" } else { ", **reads rows**" });
    table.line(bed.name, &what, (ms(ours), "ms"), Some(ms(theirs)), Target::AtMost(1.5));
}

/// A text that one row has: without an index of trigrams and with one.
pub async fn text(bed: &Bed, rounds: usize, table: &mut Table) {
    let needle = rare(bed).await;
    let criteria = Filter::parse(&format!("error:\"{needle}\"")).unwrap().criteria(bed.now, &Zone::Utc);
    let page = Query::Page { criteria, anchor: Anchor::Newest, limit: PAGE };
    let sides = Sides::open(bed, rounds).await;
    let begun = Moment::now();
    let answer = sides.store.run(&page).await.unwrap();
    let first = begun.elapsed();
    let (mut answer, mut sent) = (answer, page.clone());
    let mut turns = 1;
    while let (Answer::Page(found), Query::Page { anchor, criteria, limit }) = (&answer, &sent) {
        let Some(next) = found.onward(anchor) else { break };
        sent = Query::Page { criteria: criteria.clone(), anchor: next, limit: *limit };
        answer = sides.store.run(&sent).await.unwrap();
        turns += 1;
    }
    let whole = begun.elapsed();
    table.line(
        bed.name,
        "rare text without an index: first result, with the time reached",
        (ms(first), "ms"),
        None,
        Target::Below(150.0),
    );
    table.note(format!(
        "{}, {} rows: the whole search without an index took {:.1} s in {turns} answers",
        bed.name,
        bed.rows,
        whole.as_secs_f64()
    ));
    let mut stopped = Duration::ZERO;
    for n in 0..10_u64 {
        let begun = Moment::now();
        let after = Duration::from_millis(5 + 9 * n);
        let _ = sides.store.answer(&page, tokio::time::sleep(after)).await;
        stopped = stopped.max(begun.elapsed().saturating_sub(after));
    }
    table.line(
        bed.name,
        "rare text without an index: from cancel to end",
        (ms(stopped), "ms"),
        None,
        Target::Below(50.0),
    );
    sides.store.close().await;
    drop(sides);
    let begun = Moment::now();
    schema::index_search(&bed.address()).await.unwrap();
    table.note(format!(
        "{}, {} rows: the indexes of trigrams were made in {:.1} s",
        bed.name,
        bed.rows,
        begun.elapsed().as_secs_f64()
    ));
    if bed.is_postgres() {
        pg::execute(&bed.url, "ANALYZE certificate_renewal_events").await;
    }
    let mut sides = Sides::open(bed, rounds).await;
    let by_hand = if bed.is_postgres() {
        format!(
            "SELECT * FROM certificate_renewal_events WHERE error_message COLLATE \"C\" ILIKE '%{needle}%' ORDER BY created_at DESC, id DESC LIMIT {PAGE}"
        )
    } else {
        format!(
            "SELECT * FROM certificate_renewal_events WHERE rowid IN (SELECT rowid FROM certificate_renewal_events_search WHERE certificate_renewal_events_search MATCH '{}') AND error_message LIKE '%{needle}%' ORDER BY created_at DESC, id DESC LIMIT {PAGE}",
            trigrams(&needle)
        )
    };
    let by_hand = page_of(bed.is_postgres(), &by_hand, "DESC");
    let (ours, theirs) = sides.turns(&page, &[by_hand], None).await;
    table.line(bed.name, "rare text with a trigram index", (ms(ours), "ms"), Some(ms(theirs)), Target::AtMost(2.0));
    sides.store.close().await;
    drop(sides);
    unindex(bed).await;
}

fn trigrams(needle: &str) -> String {
    let chars: Vec<char> = needle.chars().collect();
    let parts = chars.windows(3).map(|w| format!("\"{}\"", w.iter().collect::<String>()));
    parts.collect::<Vec<_>>().join(" AND ")
}

/// A word of one error in the older half.
async fn rare(bed: &Bed) -> String {
    let sql = format!(
        "SELECT error_message FROM certificate_renewal_events WHERE event_type = 'recovery_failed' \
         AND error_message LIKE 'tpm2%' AND created_at < {} ORDER BY created_at DESC LIMIT 1",
        time(bed.is_postgres(), bed.now.minus(Span::days(60)))
    );
    let text: String = match Hand::open(&bed.url).await {
        Hand::Postgres(mut conn) => sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut conn).await.unwrap().get(0),
        Hand::Sqlite(mut conn) => sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut conn).await.unwrap().get(0),
    };
    let word = text.split(' ').find(|w| w.starts_with("0x")).expect("the handle of the session");
    word.to_owned()
}

/// Takes the search indexes away again: the other lines are measured without them.
async fn unindex(bed: &Bed) {
    if bed.is_postgres() {
        let found: Vec<String> = {
            let mut conn = pg::connect(&bed.url).await;
            let sql = "SELECT indexname::text FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'";
            sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap()
        };
        for name in found {
            pg::execute(&bed.url, &format!("DROP INDEX {name}")).await;
        }
        return;
    }
    let mut conn = SqliteConnection::connect(&bed.url).await.unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    for name in triggers {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut conn).await.unwrap();
    }
    sqlx::raw_sql("DROP TABLE certificate_renewal_events_search").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}
