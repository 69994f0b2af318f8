//! The sources of the tests beside: our own tables and foreign ones, with and without indexes, on both databases.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::profile::SourceProfile;
use crate::profile::choice::Profiles;
use crate::store::source::catalog::{Column, Index, Table};
use crate::store::source::search_index::SearchIndex;
use crate::store::source::{Found, Source};
use crate::store::sql::Dialect;

/// A table of a catalog: `name type` for each column, `!` behind those that are NOT NULL.
fn table(columns: &str) -> Table {
    let column = |text: &str| {
        let (name, ty) = text.trim().split_once(' ').unwrap();
        let (ty, required) = ty.strip_suffix('!').map_or((ty, false), |ty| (ty, true));
        Column { name: name.to_owned(), ty: ty.to_owned(), required, readable: true }
    };
    Table { schema: None, columns: columns.split(',').map(column).collect(), readable: true }
}

fn index(columns: &str) -> Index {
    Index { name: "i".into(), columns: columns.into(), valid: true, bytes: None }
}

const PAGING: [&str; 5] = [
    "created_at desc,id desc",
    "org_id desc,created_at desc,id desc",
    "event_type desc,created_at desc,id desc",
    "org_id desc,event_type desc,created_at desc,id desc",
    "device_id desc,created_at desc,id desc",
];

/// The source that a profile makes of these tables.
fn source(profile: SourceProfile, dialect: Dialect, tables: &[(&str, &str)], indexes: &[&str]) -> Source {
    let schema = (dialect == Dialect::Postgres).then(|| "s".to_owned());
    let made =
        |(name, columns): &(&str, &str)| ((*name).to_owned(), Table { schema: schema.clone(), ..table(columns) });
    let tables: BTreeMap<_, _> = tables.iter().map(made).collect();
    let indexes: Vec<_> = indexes.iter().map(|columns| index(columns)).collect();
    let search = [SearchIndex { name: "x".into(), columns: "error_message,reason".into(), valid: true, bytes: None }];
    let found = Found { dialect, tables: &tables, indexes: &indexes, search: &search };
    Source::build(&Arc::new(profile), &found).unwrap()
}

fn built_in(name: &str) -> SourceProfile {
    SourceProfile::clone(Profiles::default().all.iter().find(|p| p.name == name).unwrap())
}

/// Our own tables, with all paging indexes or none.
pub fn own(dialect: Dialect, indexed: bool) -> Source {
    let (id, time) = if dialect == Dialect::Postgres { ("uuid", "timestamp") } else { ("blob", "integer") };
    let events = format!(
        "id {id}!, device_id {id}!, org_id {id}!, event_type text!, reason text, old_cert_expiration {time}, \
         new_cert_expiration {time}, error_message text, created_at {time}!"
    );
    let names = format!("id {id}!, org_id {id}!, name text");
    let tables = [("certificate_renewal_events", events.as_str()), ("devices", &names), ("organizations", &names)];
    source(built_in("own"), dialect, &tables, if indexed { &PAGING } else { &[] })
}

const ODD: &str = r#"
name = "odd"
database = ["postgres", "sqlite"]
[relation]
table = "odd"
tie = "n"
empty-is-absent = true
[fields]
id = { column = "key", type = "text" }
device = { column = "host", type = "text", name = "host_name" }
org = { column = "site", type = "int" }
type = { column = "step", values = { failed = "renewal_failed" } }
reason = { column = "why" }
error = { column = "message" }
severity = { column = "sev" }
time = { column = "at", type = "unix-seconds" }
old-expiry = { column = "old_at", type = "unix-millis" }
new-expiry = { column = "new_at", type = "unix-micros" }
[outcome]
column = "ok"
values = { true = "succeeded", false = "failed" }
[outcomes]
mapped = "failed"
[[extra]]
column = "job"
"#;

/// Flight Control's table: reasons at the start only, names hashed.
fn flightctl(dialect: Dialect) -> Source {
    let events = "id uuid!, device_id uuid!, org_id uuid!, event_type text!, reason text, old_cert_expiration timestamp, \
         new_cert_expiration timestamp, error_message text, created_at timestamp!";
    let tables = [("certificate_renewal_events", events), ("devices", "org_id uuid!, name text!")];
    source(built_in("flightctl"), dialect, &tables, &["created_at", "device_id"])
}

/// A foreign table that is read through a select, and one that is read as it is.
fn foreign(dialect: Dialect, derived: bool) -> Source {
    let text = if derived {
        ODD.to_owned()
    } else {
        let plain = "name = \"plain\"\ndatabase = [\"postgres\", \"sqlite\"]\n[relation]\ntable = \"odd\"\n[fields]\n";
        let fields = "id = { column = \"n\" }\ndevice = { column = \"m\" }\norg = { column = \"site\" }\n\
             type = { column = \"step\" }\nreason = { column = \"why\" }\nerror = { column = \"message\" }\n\
             time = { column = \"at\", type = \"unix-millis\" }\nold-expiry = { column = \"old_at\" }\n\
             new-expiry = { column = \"new_at\" }\n";
        format!("{plain}{fields}")
    };
    let int = if dialect == Dialect::Postgres { "int8" } else { "integer" };
    let columns = format!(
        "key text, n {int}, m {int}, host text, host_name varchar(9), site {int}, step text, why blob, message text, \
         sev mood, at {int}, old_at {int}, new_at {int}, ok bool, job text"
    );
    source(SourceProfile::parse("odd.toml", &text).unwrap(), dialect, &[("odd", &columns)], &["at,n", "step,at,n"])
}

pub fn sources() -> Vec<(&'static str, Source)> {
    use Dialect::{Postgres, Sqlite};
    vec![
        ("own, PostgreSQL", own(Postgres, true)),
        ("own, SQLite", own(Sqlite, true)),
        ("own without indexes, PostgreSQL", own(Postgres, false)),
        ("Flight Control", flightctl(Postgres)),
        ("plain, PostgreSQL", foreign(Postgres, false)),
        ("plain, SQLite", foreign(Sqlite, false)),
        ("derived, PostgreSQL", foreign(Postgres, true)),
        ("derived, SQLite", foreign(Sqlite, true)),
    ]
}
