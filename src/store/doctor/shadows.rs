//! Objects in the role's search path that have the names of the system's.
//!
//! Called by [`examine`](super::examine) on PostgreSQL. A session of renewscope does not find them, but other programs of
//! this role may run them, and who created them may be an attacker. Nothing here runs one.

use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::doctor::Finding;
use crate::store::sql::cell::CellType;
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

/// How many are named.
const NAMED: usize = 10;
const TOPIC: &str = "shadowed names";

/// Names the objects. `schemas`: the role's search path.
pub async fn examine(s: &mut Session, schemas: Vec<String>) -> Finding {
    match find(s, schemas).await {
        Ok(found) if found.is_empty() => Finding::ok(TOPIC, "none in the search path"),
        Ok(found) => {
            let more = if found.len() > NAMED { ", and more" } else { "" };
            let names = found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            Finding::reduced(
                TOPIC,
                format!("same name as an object of the system: {names}{more}; renewscope does not use them"),
                "drop them if they are not yours, and revoke CREATE on their schema",
            )
        }
        Err(e) => Finding::off(TOPIC, format!("the query failed: {e}"), e.next_step()),
    }
}

async fn find(s: &mut Session, schemas: Vec<String>) -> Result<Vec<String>, SourceError> {
    let mut sql = Sql::plain(Dialect::Postgres, SHADOWS);
    sql.placeholder(Bind::Texts(schemas.into_iter().map(Some).collect()));
    let rows = s.rows(&sql, &[CellType::Text]).await?;
    Ok(rows.into_iter().filter_map(|mut row| row.string(0)).collect())
}
