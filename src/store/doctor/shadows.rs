//! Objects in the role's search path that have the names of the system's.
//!
//! Called by [`examine`](super::examine) on PostgreSQL. A session of renewscope does not find them, but other programs of
//! this role may run them, and who created them may be an attacker. Casts between types of the system need no search
//! path, and the select of a profile reaches what it names with a schema, so both are reported too. Nothing here runs
//! one.

use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::doctor::Finding;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// Functions, operators and types; those of extensions are meant to overload.
const SHADOWS: &str = "SELECT x.what || ' ' || quote_ident(n.nspname::text) || '.' || x.name FROM (\
    SELECT 'function' AS what, p.proname::text AS name, p.pronamespace AS space, p.oid, 'pg_proc'::regclass AS class \
    FROM pg_proc p WHERE EXISTS (SELECT 1 FROM pg_proc s \
    WHERE s.proname = p.proname AND s.pronamespace = 'pg_catalog'::regnamespace) \
    UNION ALL SELECT 'operator', o.oprname::text, o.oprnamespace, o.oid, 'pg_operator'::regclass \
    FROM pg_operator o WHERE EXISTS (SELECT 1 FROM pg_operator s \
    WHERE s.oprname = o.oprname AND s.oprnamespace = 'pg_catalog'::regnamespace) \
    UNION ALL SELECT 'type', t.typname::text, t.typnamespace, t.oid, 'pg_type'::regclass \
    FROM pg_type t WHERE EXISTS (SELECT 1 FROM pg_type s \
    WHERE s.typname = t.typname AND s.typnamespace = 'pg_catalog'::regnamespace)) x \
    JOIN pg_namespace n ON n.oid = x.space \
    WHERE n.nspname = ANY ($1::text[]::name[]) AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = x.class AND d.objid = x.oid AND d.deptype = 'e') \
    GROUP BY 1 ORDER BY 1 LIMIT 11";

/// Casts between types of the system that run a function of others; only a superuser can create one.
const CASTS: &str = "SELECT 'cast (' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) \
    || ') by ' || quote_ident(n.nspname::text) || '.' || quote_ident(p.proname::text) \
    FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget \
    JOIN pg_proc p ON p.oid = c.castfunc JOIN pg_namespace n ON n.oid = p.pronamespace \
    WHERE s.typnamespace = 'pg_catalog'::regnamespace AND t.typnamespace = 'pg_catalog'::regnamespace \
    AND p.pronamespace <> 'pg_catalog'::regnamespace ORDER BY 1 LIMIT 11";

/// Functions, and views, which may call functions, whose names a text holds, with or without quotes and in any case. A name
/// in a comment or a literal is found too: the report may name too much, not too little. `$1`: the text.
const REACHED: &str = "SELECT x.what || ' ' || quote_ident(n.nspname::text) || '.' || quote_ident(x.name) FROM (\
    SELECT 'function' AS what, p.proname::text AS name, p.pronamespace AS space FROM pg_proc p \
    UNION ALL SELECT 'view', c.relname::text, c.relnamespace FROM pg_class c WHERE c.relkind IN ('v', 'm')) x \
    JOIN pg_namespace n ON n.oid = x.space, \
    (SELECT regexp_replace(replace(lower($1::text), '\"', ''), '\\s+', '', 'g') AS text) t \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND position(lower(n.nspname::text || '.' || x.name) IN t.text) > 0 \
    GROUP BY 1 ORDER BY 1 LIMIT 11";

/// How many are named.
const NAMED: usize = 10;
const TOPIC: &str = "shadowed names";

/// Names the objects. `schemas`: the role's search path.
pub async fn examine(s: &mut Session, schemas: Vec<String>) -> Finding {
    match find(s, SHADOWS, Bind::Texts(schemas.into_iter().map(Some).collect())).await {
        Ok(found) if found.is_empty() => Finding::ok(TOPIC, "none in the search path"),
        Ok(found) => Finding::reduced(
            TOPIC,
            format!("same name as an object of the system: {}; renewscope does not use them", names(&found)),
            "drop them if they are not yours, and revoke CREATE on their schema",
        ),
        Err(e) => failed(TOPIC, &e),
    }
}

/// Names the casts, which statements of every role use. `None` if there are none.
pub async fn casts(s: &mut Session) -> Option<Finding> {
    let topic = "casts";
    match s.rows(&Sql::plain(Dialect::Postgres, CASTS), &[CellType::Text]).await.map(texts) {
        Ok(found) if found.is_empty() => None,
        Ok(found) => Some(Finding::reduced(
            topic,
            format!("functions of others convert types of the system, for every role: {}", names(&found)),
            "drop them if they are not yours",
        )),
        Err(e) => Some(failed(topic, &e)),
    }
}

/// Names the functions and views that the select of a profile reaches.
pub async fn reached(s: &mut Session, select: &str) -> Finding {
    let topic = "profile select";
    match find(s, REACHED, Bind::Text(select.to_owned())).await {
        Ok(found) if found.is_empty() => {
            Finding::ok(topic, "calls functions of the system only, in read-only transactions")
        }
        Ok(found) => Finding::reduced(
            topic,
            format!("runs with the rights of this role, in read-only transactions, and names: {}", names(&found)),
            "check what they do, or read tables instead",
        ),
        Err(e) => failed(topic, &e),
    }
}

fn failed(topic: &'static str, error: &SourceError) -> Finding {
    Finding::off(topic, format!("the query failed: {error}"), error.next_step())
}

/// The first names.
fn names(found: &[String]) -> String {
    let more = if found.len() > NAMED { ", and more" } else { "" };
    format!("{}{more}", found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

async fn find(s: &mut Session, statement: &'static str, bind: Bind) -> Result<Vec<String>, SourceError> {
    let mut sql = Sql::plain(Dialect::Postgres, statement);
    sql.placeholder(bind);
    s.rows(&sql, &[CellType::Text]).await.map(texts)
}

fn texts(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().filter_map(|mut row| row.string(0)).collect()
}
