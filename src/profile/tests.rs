//! Valid profiles, and the message for each mistake.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const GOOD: &str = "name = \"jobs\"
database = [\"postgres\", \"sqlite\"]
[relation]
table = \"renewals\"
[fields]
id = { column = \"key\", type = \"text\" }
device = { column = \"host\", type = \"text\" }
type = { column = \"step\", values = { R = \"renew\" } }
time = { column = \"at\", type = \"unix-millis\" }
[outcomes]
renew = \"other\"
[outcome]
column = \"ok\"
values = { true = \"succeeded\", false = \"failed\" }
[tail]
by = \"serial\"
column = \"seq\"
overlap = \"15s\"
";

#[test]
fn all_of_it_is_read() {
    let profile = SourceProfile::parse("jobs.toml", GOOD).unwrap();
    assert_eq!(profile.databases, Backend::ALL);
    assert_eq!(profile.fields.time.ty, Some(TimeType::UnixMillis));
    assert_eq!(profile.fields.kind.values, [("R".to_owned(), "renew".to_owned())]);
    assert_eq!(profile.tail, Tail::Serial { column: SqlIdent::new("seq").unwrap(), overlap: Span::seconds(15) });
    let needed: Vec<_> = profile.needs.values().flatten().map(SqlIdent::name).collect();
    assert_eq!(needed, ["key", "host", "step", "at", "ok"]);
    let traits = profile.traits(|_| false);
    assert!(traits.lacks(Part::Org) && traits.lacks(Part::OldExpiry) && !traits.lacks(Part::Device));
    assert_eq!(traits.outcome_of("renew"), Outcome::Other);
}

#[test]
fn mistakes_are_reported_with_file_line_and_key() {
    for (old, new, message) in [
        ("table =", "tabel =", "p.toml, line 4: unknown field `tabel`"),
        ("\"key\"", "\"a b\"", "p.toml, line 6, 'fields.id.column': 'a b' cannot be used"),
        (
            "\"unix-millis\"",
            "\"unix-milis\"",
            "p.toml, line 9, 'fields.time.type': unknown value 'unix-milis'; did you mean 'unix-millis'?",
        ),
        (
            "type = \"unix-millis\"",
            "type = \"timestamp\", zone = \"Berlin\"",
            "p.toml, line 9, 'fields.time.zone': unknown time zone 'Berlin'; did you mean 'Europe/Berlin'?",
        ),
        ("\"other\"", "\"faild\"", "p.toml, line 11, 'outcomes.renew': unknown value 'faild'; did you mean 'failed'?"),
        ("\"jobs\"", "\"My Jobs\"", "p.toml, line 1, 'name': 'My Jobs' is no valid profile name"),
        (
            "\"postgres\", ",
            "\"mysql\", ",
            "p.toml, line 2, 'database': unknown value 'mysql'; valid are postgres, sqlite",
        ),
        ("\"15s\"", "\"15\"", "p.toml, line 18, 'tail.overlap': '15' has no unit"),
        ("column = \"seq\"\n", "", "p.toml, line 16, 'tail.by': a tail by serial needs a 'column'"),
        (
            "table = \"renewals\"",
            "table = \"renewals\"\nselect = \"SELECT 1; SELECT 2\"",
            "p.toml, line 5, 'relation.select': the select has a ';'",
        ),
        (
            "column = \"key\", type = \"text\"",
            "column = \"key\", type = \"text\", nam = \"x\"",
            "p.toml, line 6: unknown field `nam`, expected one of `column`, `type`, `name`, `directory`, `optional`, `derived`; did you \
             mean 'name'?",
        ),
    ] {
        assert!(GOOD.contains(old), "{old}");
        match SourceProfile::parse("p.toml", &GOOD.replacen(old, new, 1)) {
            Ok(_) => panic!("{new} was taken"),
            Err(e) => assert!(e.to_string().starts_with(message), "{e}"),
        }
    }
    let select = GOOD.replace("table = \"renewals\"", "table = \"renewals\"\nselect = \"SELECT 1\"");
    let without = select.replace("column = \"host\", type = \"text\"", "column = \"host\"");
    let error = SourceProfile::parse("p.toml", &without).unwrap_err().to_string();
    assert_eq!(
        error,
        "p.toml, line 8, 'fields.device': a column of a select needs a 'type'; valid are uuid, text, int"
    );
}
