//! What a query costs: each one that the console sends, under usual filters, over a million events on both databases.
//!
//! ```text
//! cargo bench --bench queries -- [--rows N] [--runs N] [--only QUERY] [--plans] [--hold]
//! ```
//!
//! The store alternates with one statement written by hand on a connection of the same driver, so that a slow machine is
//! slow for both: read the ratio. Both must find the same number of rows, or the benchmark fails.
//! `--only` runs one query, by the head of its column; `--plans` prints the plans of slow ones; `--hold` keeps the
//! databases until Enter, for inspection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/by_hand.rs"]
mod by_hand;
#[path = "common/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../tests/common/pg.rs"]
mod pg;

use std::time::{Duration, Instant as Moment};

use by_hand::{ByHand, Hand, Term};
use renewscope::domain::filter::{Filter, Key};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Cursor, Total};
use renewscope::domain::zone::Zone;
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::{Answer, Query};
use renewscope::store::{Address, ConnectOptions, SearchBudget, Store};

/// As the console queries.
const PAGE: u32 = 200;
const DEPTH: u64 = 50_000;
const CEILING: u64 = 100_000;
const VALUES: u32 = 200;
const BUCKETS: u32 = 118;

const FIELDS: [(&str, Field, Key); 4] = [
    ("types", Field::Kind, Key::Type),
    ("orgs", Field::Org, Key::Org),
    ("reasons", Field::Reason, Key::Reason),
    ("devices", Field::Device, Key::Device),
];

/// What takes longer has its plan printed.
const LONG: Duration = Duration::from_millis(100);

struct Options {
    rows: u64,
    runs: usize,
    only: Option<String>,
    plans: bool,
    hold: bool,
}

/// A filter as typed and as terms of SQL, and how far back its rows reach.
struct Case {
    text: &'static str,
    terms: Vec<Term<'static>>,
    since: Instant,
}

/// One query of the store and the statement with the same result.
struct Comparison {
    name: &'static str,
    query: Query,
    sql: String,
    /// The statement's column to add up; `None`: its rows are counted.
    sum: Option<&'static str>,
}

/// The two sides of one comparison.
struct Measured {
    store: Duration,
    hand: Duration,
    /// The page ended at the budget, before it was full: the sides did not do the same work.
    cut: bool,
}

fn main() {
    // Built by `cargo test` too; only `cargo bench` runs the measurement.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let options = options();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(&options));
}

fn options() -> Options {
    let mut options = Options { rows: 1_000_000, runs: 7, only: None, plans: false, hold: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            "--rows" => options.rows = value().replace('_', "").parse().expect("a number of rows"),
            "--runs" => options.runs = value().parse::<usize>().expect("a number of runs").max(1),
            "--only" => options.only = Some(value()),
            "--plans" => options.plans = true,
            "--hold" => options.hold = true,
            "--bench" => {}
            _ => panic!("unknown option '{word}'; valid are --rows, --runs, --only, --plans and --hold"),
        }
    }
    options
}

async fn measure(options: &Options) {
    let dir = tempfile::tempdir().unwrap();
    let fleet = data::Fleet::of(options.rows);
    let sqlite = data::sqlite(&dir.path().join("events.db"), fleet).await;
    let postgres = data::postgres(fleet).await;
    println!("\n{} events, {} devices, {} organizations", options.rows, fleet.devices, fleet.orgs);
    println!(
        "milliseconds of the store / by hand (ratio), medians of {}; *: the page ended at its budget",
        options.runs
    );
    let now = renewscope::runtime::clock::now();
    for (name, url) in [("PostgreSQL", &postgres), ("SQLite", &sqlite)] {
        let wanted = ConnectOptions { search_budget: Some(SearchBudget::default()), ..ConnectOptions::default() };
        let store = Store::connect(&Address::parse(url).unwrap(), &wanted).await.unwrap();
        let mut hand = Hand::open(url).await;
        let mut plans = Vec::new();
        let comparisons = ["page", "deep page", "count"].into_iter().chain(FIELDS.map(|f| f.0)).chain(["histogram"]);
        let is_wanted = |name: &str| options.only.as_ref().is_none_or(|only| only == name);
        let head: Vec<_> = comparisons.filter(|name| is_wanted(name)).collect();
        println!("\n| {name} | {} |\n|---|{}", head.join(" | "), "---|".repeat(head.len()));
        for case in cases(now) {
            let mut cells = Vec::new();
            for comparison in comparisons_of(&case, now, &mut hand).await.into_iter().filter(|q| is_wanted(q.name)) {
                let measured = take_turns(&store, &mut hand, &comparison, case.text, options.runs).await;
                if options.plans && measured.store > LONG {
                    let plan = store.explain(&comparison.query).await.unwrap().join("\n    ");
                    plans.push(format!("{name}, '{}', {}:\n    {plan}", case.text, comparison.name));
                }
                cells.push(measured.cell());
            }
            let filter = if case.text.is_empty() { "no filter".to_owned() } else { format!("`{}`", case.text) };
            println!("| {filter} | {} |", cells.join(" | "));
        }
        if !plans.is_empty() {
            println!("\n{}", plans.join("\n\n"));
        }
    }
    if options.hold {
        println!("{postgres}\n{sqlite}\nEnter ends");
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}

fn cases(now: Instant) -> Vec<Case> {
    let failed = || Term::Kinds { negated: false, any: ["renewal_failed", "recovery_failed"] };
    let all = now.minus(Span::days(90));
    let of = |text, terms| Case { text, terms, since: all };
    let ago = |span| now.minus(span);
    let week = Term::Expires(now, now.plus(Span::days(7)));
    let no_success = Term::Kinds { negated: true, any: ["renewal_success", "recovery_success"] };
    vec![
        of("", vec![]),
        of("type:failed", vec![failed()]),
        of("org:org-29", vec![Term::Orgs(&["org-29"])]),
        of("org:org-10 type:failed", vec![Term::Orgs(&["org-10"]), failed()]),
        of("device:edge-17321", vec![Term::Device("edge-17321")]),
        of("device:edge-10*", vec![Term::DevicesFrom("edge-10")]),
        Case { since: ago(Span::hours(24)), ..of("since:24h", vec![Term::Since(ago(Span::hours(24)))]) },
        Case {
            since: ago(Span::hours(1)),
            ..of("type:failed since:1h", vec![failed(), Term::Since(ago(Span::hours(1)))])
        },
        of("expires:<7d", vec![week]),
        of("10.0.13.7", vec![Term::Text("10.0.13.7")]),
        of("-type:success org:org-15,org-20", vec![no_success, Term::Orgs(&["org-15", "org-20"])]),
    ]
}

async fn comparisons_of(case: &Case, now: Instant, hand: &mut Hand) -> Vec<Comparison> {
    let by_hand = ByHand::new(matches!(hand, Hand::Postgres(_)), &case.terms);
    let filter = Filter::parse(case.text).unwrap();
    let criteria = filter.criteria(now, &Zone::Utc);
    let cursor: Option<Cursor> = hand.cursor(&by_hand, DEPTH).await;
    let page = |name, anchor, after| Comparison {
        name,
        query: Query::Page { criteria: criteria.clone(), anchor, limit: PAGE },
        sql: by_hand.page(after, PAGE),
        sum: None,
    };
    let deep = cursor.clone().map_or(Anchor::Newest, Anchor::Older);
    let mut comparisons = vec![page("page", Anchor::Newest, None), page("deep page", deep, cursor.as_ref())];
    let summed = |name, query, sql| Comparison { name, query, sql, sum: Some("n") };
    let count = Query::Count { criteria: criteria.clone(), ceiling: Some(CEILING) };
    comparisons.push(summed("count", count, by_hand.count(CEILING)));
    for (name, field, key) in FIELDS {
        let mut rest = filter.clone();
        rest.without(key);
        let criteria = rest.criteria(now, &Zone::Utc);
        let query = FacetQuery { field, criteria, needle: String::new(), limit: VALUES, ceiling: CEILING };
        comparisons.push(summed(name, Query::Facets(query), by_hand.facets(field, CEILING, VALUES)));
    }
    let width_micros = now.since(case.since).unwrap().0 / i64::from(BUCKETS) + 1;
    let query = HistogramQuery { criteria: criteria.clone(), from: case.since, width_micros, buckets: BUCKETS };
    let sql = by_hand.histogram(case.since, width_micros, BUCKETS);
    comparisons.push(summed("histogram", Query::Histogram(query), sql));
    comparisons
}

/// Both sides in turn, after one run that does not count and has to agree.
async fn take_turns(store: &Store, hand: &mut Hand, comparison: &Comparison, filter: &str, runs: usize) -> Measured {
    let (found, cut) = found(&store.run(&comparison.query).await.unwrap());
    let expected = hand.run(&comparison.sql, comparison.sum).await;
    assert!(found == expected || cut, "'{filter}', {}: {found} of {expected}\n{}", comparison.name, comparison.sql);
    let (mut by_store, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let begun = Moment::now();
        store.run(&comparison.query).await.unwrap();
        by_store.push(begun.elapsed());
        let begun = Moment::now();
        hand.run(&comparison.sql, comparison.sum).await;
        by_hand.push(begun.elapsed());
    }
    Measured { store: median(by_store), hand: median(by_hand), cut }
}

/// The rows of an answer, or those that it counts; whether a page ended at its budget.
fn found(answer: &Answer) -> (u64, bool) {
    let number = |total: &Total| match total {
        Total::Exact(n) | Total::AtLeast(n) => *n,
    };
    match answer {
        Answer::Page(page) => (page.rows.len() as u64, page.searched_to.is_some()),
        Answer::Count(total) => (number(total), false),
        // Beyond the ceiling one row more may be counted.
        Answer::Facets(facets) => (facets.values.iter().map(|f| number(&f.rows)).sum::<u64>().min(CEILING), false),
        Answer::Histogram(histogram) => (histogram.buckets.iter().flatten().sum(), false),
        Answer::Slice(slice) => (slice.rows.len() as u64, false),
        Answer::Fleet(fleet) => (fleet.devices.len() as u64, false),
        Answer::Neighbors(of) => (of.len() as u64, false),
        Answer::Event(_) | Answer::Tail(_) | Answer::Clock(_) | Answer::Described(_) => {
            panic!("no query of this benchmark has such a result")
        }
    }
}

impl Measured {
    fn cell(&self) -> String {
        let (store, hand) = (self.store.as_secs_f64() * 1000.0, self.hand.as_secs_f64() * 1000.0);
        let digits = |ms: f64| if ms < 10.0 { 1 } else { 0 };
        let cut = if self.cut { "*" } else { "" };
        format!("{store:.*}{cut} / {hand:.*} ({:.1})", digits(store), digits(hand), store / hand)
    }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}
