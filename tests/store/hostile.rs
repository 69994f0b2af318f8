//! Objects of others in the search path, and sources that try to write: nothing of theirs runs, and nothing is written.

use std::process::{Command, Stdio};
use std::sync::Arc;

use renewscope::domain::event::{NewEvent, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::page::{Anchor, Total};
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::fleet::{FleetQuery, NeighborsQuery, Place, SliceQuery};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store, schema};
use sqlx::Connection as _;

use super::bed::{at, event, page, refused, writing};
use super::pg;

/// Functions, operators and tables that fit better, or come earlier, than those that are meant. Each function fails when
/// it runs, so that a command that succeeds has called none.
const HOSTILE: &str = r#"
CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.ran(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  BEGIN INSERT INTO public.secret VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END;
  RAISE EXCEPTION 'hostile % ran', what; END $$;
DO $$ DECLARE s text; f text; BEGIN
FOREACH s IN ARRAY ARRAY['evil', 'public'] LOOP
  FOREACH f IN ARRAY ARRAY['array_to_string(text[], text) RETURNS text', 'unnest(text[]) RETURNS SETOF text',
    'unnest(uuid[]) RETURNS SETOF uuid', 'format(text, name) RETURNS text', 'left(varchar, int) RETURNS text',
    'octet_length(varchar) RETURNS int', 'to_regclass(varchar) RETURNS regclass', 'lower(varchar) RETURNS text',
    'quote_ident(name) RETURNS text', 'count(text) RETURNS int8', 'current_schemas(int) RETURNS name[]',
    'set_config(name, text, bool) RETURNS text', 'current_setting(name) RETURNS text', 'max(varchar) RETURNS text',
    'encode(bytea, name) RETURNS text', 'pg_has_role(name, text) RETURNS bool', 'pg_advisory_lock(int) RETURNS void',
    'has_table_privilege(oid, name) RETURNS bool', 'pg_cancel_backend(int8) RETURNS bool'] LOOP
    EXECUTE pg_catalog.format('CREATE FUNCTION %I.%s LANGUAGE plpgsql AS %L', s, f,
      pg_catalog.format('BEGIN PERFORM evil.ran(%L::text); RETURN %s; END', f, CASE WHEN f LIKE '%SETOF%' OR f LIKE '%void' THEN '' ELSE 'NULL' END));
  END LOOP;
END LOOP; END $$;
"#;

/// Operators that fit the column of another text type better than the system's, which take a text.
const OPERATORS: &str = r#"
DO $$ DECLARE s text; o text; BEGIN
FOREACH s IN ARRAY ARRAY['evil', 'public'] LOOP
  EXECUTE pg_catalog.format('CREATE FUNCTION %I.op(varchar, text) RETURNS bool LANGUAGE plpgsql AS ''BEGIN PERFORM evil.ran(''''operator''''); RETURN true; END''', s);
  EXECUTE pg_catalog.format('CREATE FUNCTION %I.op(varchar, varchar) RETURNS bool LANGUAGE plpgsql AS ''BEGIN PERFORM evil.ran(''''operator''''); RETURN true; END''', s);
  FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '>=', '<=', '~~', '!~~', '~~*', '~'] LOOP
    EXECUTE pg_catalog.format('CREATE OPERATOR %I.%s (leftarg = varchar, rightarg = text, procedure = %I.op)', s, o, s);
    EXECUTE pg_catalog.format('CREATE OPERATOR %I.%s (leftarg = varchar, rightarg = varchar, procedure = %I.op)', s, o, s);
  END LOOP;
END LOOP; END $$;
ALTER TABLE public.certificate_renewal_events ALTER error_message TYPE varchar(4000), ALTER event_type TYPE varchar(200),
  ALTER reason TYPE varchar(200);
"#;

/// Tables that come first in the search path, where nobody expects them.
const TABLES: &str = r#"
CREATE TABLE evil.devices AS SELECT id, org_id, 'SPOOFED'::text AS name FROM public.devices;
CREATE TABLE evil.organizations AS SELECT id, 'SPOOFED'::text AS name FROM public.organizations;
CREATE TABLE evil._sqlx_migrations (version bigint, description text, success bool, checksum bytea);
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC;
"#;

struct Bed {
    url: String,
    /// Of a role that may read, and write into `secret`; its search path begins with the hostile schema.
    reader: String,
    /// As the superuser, with the same search path.
    root: String,
}

async fn bed() -> Bed {
    let url = pg::migrated().await;
    let writer = Store::connect(&Address::parse(&url).unwrap(), &writing()).await.unwrap();
    let row =
        |n| NewEvent { error: Some("refused".into()), ..event(&format!("edge-{}", n % 3), "renewal_failed", at(n)) };
    let rows: Vec<_> = (0..30).map(row).collect();
    assert!(writer.create_many(&rows).await.unwrap().iter().all(|o| *o == RowOutcome::Stored));
    writer.close().await;
    let role = format!("reader_of_{}", url.rsplit('/').next().unwrap());
    pg::execute(
        &url,
        &format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; \
             CREATE TABLE public.secret (n int); GRANT ALL ON public.secret TO {role}; CREATE SEQUENCE public.sq; \
             GRANT ALL ON public.sq TO {role}; ALTER ROLE {role} SET search_path = evil, public"
        ),
    )
    .await;
    let reader = url.replace("postgres@", &format!("{role}@"));
    let root = format!("{url}?options=-csearch_path%3Devil,public");
    Bed { url, reader, root }
}

impl Bed {
    async fn execute(&self, statements: &str) {
        pg::execute(&self.url, statements).await;
    }

    async fn number(&self, query: &str) -> i64 {
        let mut conn = pg::connect(&self.url).await;
        let n = sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        n
    }

    async fn nothing_was_written(&self) {
        assert_eq!(self.number("SELECT count(*) FROM public.secret").await, 0);
        assert_eq!(self.number("SELECT last_value FROM public.sq WHERE NOT is_called").await, 1);
    }
}

/// Exit code, stdout and stderr of the program.
fn run(url: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    command.args(args).env_clear().env("HOME", std::env::temp_dir()).env("RENEWSCOPE_DB", url);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

const COMMANDS: [&[&str]; 15] = [
    &["list"],
    &["list", "device:edge-1 error:e -reason:x"],
    &["count"],
    &["count", "--by", "org"],
    &["count", "--by", "device"],
    &["count", "--by", "type"],
    &["count", "--by", "hour"],
    &["count", "--by", "error"],
    &["count", "--by", "hour", "sig:*"],
    &["list", "sig:*"],
    &["export"],
    &["tail", "--since", "2026-01-01", "--limit", "3"],
    &["doctor"],
    &["db", "status"],
    &["sources", "detect"],
];

async fn commands_are_clean(bed: &Bed) {
    for url in [&bed.reader, &bed.root] {
        for args in COMMANDS {
            let (code, stdout, stderr) = run(url, args);
            assert_eq!(code, 0, "{args:?}: {stderr}");
            for text in [&stdout, &stderr] {
                assert!(!text.contains("hostile") && !text.contains("SPOOFED"), "{args:?}: {text}");
            }
            if args[0] == "list" {
                assert!(stdout.contains("edge-"), "{args:?}: {stdout}");
            }
        }
    }
    for url in [&bed.reader, &bed.root] {
        investigations_are_clean(url).await;
    }
    bed.nothing_was_written().await;
}

/// No command runs these queries with single devices and places, as the console does.
async fn investigations_are_clean(url: &str) {
    let store = Store::connect(&Address::parse(url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let rows = page(&store, &Criteria::default(), Anchor::Newest, 30).await.rows;
    let place = |row: &Arc<RenewalEvent>| Place { device: row.device_id.clone(), at: row.cursor() };
    let of: Vec<_> = rows.iter().map(place).collect();
    let these = FleetQuery::These(rows.iter().map(|row| row.device_id.clone()).collect());
    for query in [
        Query::Slice(SliceQuery { criteria: Criteria::default(), after: Some(rows[29].cursor()), limit: 7 }),
        Query::Fleet(FleetQuery::Sweep { after: None, limit: 10 }),
        Query::Fleet(these),
        Query::Neighbors(NeighborsQuery { of: of[..1].to_vec(), before: 2, after: 2 }),
        Query::Neighbors(NeighborsQuery { of, before: 2, after: 2 }),
    ] {
        let answer = store.run(&query).await.unwrap_or_else(|e| panic!("{query:?}: {e}"));
        let text = format!("{answer:?}");
        assert!(!text.contains("SPOOFED") && text.contains("renewal_failed"), "{query:?}: {text}");
        assert!(!matches!(answer, Answer::Fleet(fleet) if fleet.devices.len() != 3), "{query:?}: {text}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_functions_in_the_search_path_never_run() {
    let bed = bed().await;
    bed.execute(HOSTILE).await;
    commands_are_clean(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_operators_in_the_search_path_never_run() {
    let bed = bed().await;
    bed.execute(HOSTILE).await;
    bed.execute(OPERATORS).await;
    commands_are_clean(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_an_earlier_schema_name_no_device() {
    let bed = bed().await;
    bed.execute(&format!("{HOSTILE}{TABLES}")).await;
    commands_are_clean(&bed).await;
    // A writer stores into the tables that belong together.
    let writer = Store::connect(&Address::parse(&bed.root).unwrap(), &writing()).await.unwrap();
    let (_, outcome) = writer.create(&event("edge-new", "renewal_failed", at(99))).await.unwrap();
    assert_eq!(outcome, RowOutcome::Stored);
    assert_eq!(bed.number("SELECT count(*) FROM evil.devices").await, 3);
    assert_eq!(bed.number("SELECT count(*) FROM public.devices").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_create_tables_in_the_first_schema_of_the_role() {
    let url = pg::empty().await;
    let database = url.rsplit('/').next().unwrap();
    let path = format!(r#"ALTER DATABASE {database} SET search_path = "no such", "Odd ""one", public"#);
    pg::execute(&url, &format!(r#"CREATE SCHEMA "Odd ""one"; {path}"#)).await;
    let address = Address::parse(&url).unwrap();
    schema::migrate(&address).await.unwrap();
    let writer = Store::connect(&address, &writing()).await.unwrap();
    let (_, outcome) = writer.create(&event("edge", "renewal_failed", at(0))).await.unwrap();
    assert_eq!(outcome, RowOutcome::Stored);
    let mut conn = pg::connect(&url).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'Odd \"one'";
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut conn).await.unwrap(), 4);
    schema::notify(&address, true).await.unwrap();
    schema::index_search(&address).await.unwrap();
    assert!(schema::migrate(&address).await.unwrap().steps.is_empty());
    schema::rollback(&address, Some(0)).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut conn).await.unwrap(), 1);
}

/// A source whose select calls `expression` for each row.
fn profile(expression: &str) -> String {
    format!(
        r#"
name = "odd"
database = ["postgres"]
[relation]
table = "certificate_renewal_events"
select = "SELECT e.id, e.device_id, e.event_type, e.created_at, {expression} AS extra FROM certificate_renewal_events e"
[fields]
id = {{ column = "id", type = "uuid" }}
device = {{ column = "device_id", type = "uuid" }}
type = {{ column = "event_type" }}
error = {{ column = "extra" }}
time = {{ column = "created_at", type = "timestamp" }}
"#
    )
}

async fn odd_store(url: &str, expression: &str) -> Store {
    let profile = SourceProfile::parse("odd.toml", &profile(expression)).unwrap();
    let profiles = Profiles { all: vec![Arc::new(profile)], named: Some("odd".into()) };
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    Store::connect(&Address::parse(url).unwrap(), &options).await.unwrap()
}

fn newest() -> Query {
    Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 5 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_select_that_writes_is_refused() {
    let bed = bed().await;
    let writes = "CREATE FUNCTION public.w() RETURNS text LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO public.secret VALUES (1); RETURN ''; END $$";
    bed.execute(writes).await;
    let off = "set_config('default_transaction_read_only', 'off', false)";
    for (expression, words) in [
        ("public.w()".to_owned(), "the source tried to write: cannot execute INSERT in a read-only transaction"),
        (format!("{off} || public.w()"), "the source tried to write"),
        (format!("{off} || nextval('public.sq')::text"), "the source tried to write: cannot execute nextval()"),
        (off.to_owned(), "changed the session setting 'default_transaction_read_only'"),
        ("set_config('transaction_read_only', 'off', false)".to_owned(), "read-write mode"),
        ("set_config('search_path', 'public', false)".to_owned(), "changed the session setting 'search_path'"),
        ("set_config('statement_timeout', '0', false)".to_owned(), "changed the session setting 'statement_timeout'"),
    ] {
        let store = odd_store(&bed.reader, &expression).await;
        for _ in 0..3 {
            let error = refused(store.run(&newest()).await);
            assert!(error.to_string().contains(words), "{expression}: {error}");
            assert!(!error.is_connection() || matches!(error, SourceError::Refused { .. }), "{error:?}");
        }
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), profile(&expression)).unwrap();
        let (code, stdout, _) = run(&bed.reader, &["sources", "check", file.path().to_str().unwrap()]);
        assert_ne!(code, 0, "{expression}: {stdout}");
    }
    bed.nothing_was_written().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_that_a_select_takes_end_with_the_query() {
    let bed = bed().await;
    let store = odd_store(&bed.reader, "pg_advisory_lock(4711)::text").await;
    let Ok(Answer::Page(found)) = store.run(&newest()).await else { panic!("a page") };
    assert_eq!(found.rows.len(), 5);
    assert_eq!(bed.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_select_finds_its_tables_and_the_systems_functions_only() {
    let bed = bed().await;
    bed.execute(HOSTILE).await;
    bed.execute("CREATE FUNCTION public.mine(text) RETURNS text LANGUAGE sql AS 'SELECT $1'").await;
    let store = odd_store(&bed.reader, "public.mine(array_to_string(ARRAY['a', 'b'], '-'))").await;
    let found = page(&store, &Criteria::default(), Anchor::Newest, 1).await;
    assert_eq!(found.rows[0].error.as_ref().unwrap().text.raw(), "a-b");
    let store = odd_store(&bed.reader, "mine('x')").await;
    let error = refused(store.run(&newest()).await).to_string();
    assert!(error.contains("write the schema before any other"), "{error}");
    let store = odd_store(&bed.reader, "(SELECT max(n) FROM secret)::text").await;
    let error = refused(store.run(&newest()).await).to_string();
    assert!(error.contains("\"secret\" does not exist") && error.contains("'needs'"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backslash_is_plain_whatever_the_role_sets() {
    let bed = bed().await;
    bed.execute(
        "ALTER DATABASE \"DB\" SET standard_conforming_strings = off"
            .replace("\"DB\"", bed.url.rsplit('/').next().unwrap())
            .as_str(),
    )
    .await;
    for filter in ["error:boom", "boom", "device:edge*", "-device:lab-*", "reason:*"] {
        let (code, _, stderr) = run(&bed.reader, &["count", filter]);
        assert_eq!(code, 0, "{filter}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_stays_open_between_queries() {
    let bed = bed().await;
    let store = Store::connect(&Address::parse(&bed.reader).unwrap(), &ConnectOptions::default()).await.unwrap();
    let count = Query::Count { criteria: Criteria::default(), ceiling: None };
    for _ in 0..3 {
        assert_eq!(store.run(&count).await.unwrap(), Answer::Count(Total::Exact(30)));
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
        assert_eq!(bed.number(open).await, 0);
    }
}

/// Nobody who only reads can correct an input.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_a_select_cannot_convert_is_a_failure_of_the_source() {
    let bed = bed().await;
    let store = odd_store(&bed.reader, "e.error_message::int::text").await;
    let error = refused(store.run(&newest()).await);
    assert!(matches!(&error, SourceError::Failed(why) if why.contains("invalid input syntax")), "{error:?}");
}
