//! Whether row security hides rows of a source from this role.
//!
//! Called while a source is described. A filter by policies is silent: the server returns fewer rows and no error, so a
//! count of zero must not pass for "no failures".

use std::collections::BTreeMap;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::catalog::Table;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// Tables whose policies apply to this role, and views whose tables have policies that apply to the view's owner. A view
/// with `security_invoker` applies those of this role.
const FILTERED: &str = "SELECT c.relname::text FROM pg_class c \
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner \
    JOIN unnest($1::text[], $2::text[]) w(name, schema) ON c.relname = w.name::name AND n.nspname = w.schema::name \
    WHERE row_security_active(c.oid) OR (c.relkind = 'v' AND EXISTS (\
    SELECT 1 FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid \
    AND d.refclassid = 'pg_class'::regclass JOIN pg_class b ON b.oid = d.refobjid \
    WHERE r.ev_class = c.oid AND r.ev_type = '1' AND b.relrowsecurity AND CASE \
    WHEN lower(c.reloptions::text) ~ 'security_invoker=(true|on|1|yes)' THEN row_security_active(b.oid) \
    ELSE NOT (o.rolsuper OR o.rolbypassrls \
    OR (pg_has_role(c.relowner, b.relowner, 'USAGE') AND NOT b.relforcerowsecurity)) END)) \
    ORDER BY c.relname";

/// The tables of a source from which policies may hide rows.
pub async fn filtered(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<Vec<String>, SourceError> {
    if conn.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let mut sql = Sql::plain(Dialect::Postgres, FILTERED);
    sql.placeholder(Bind::Texts(tables.keys().cloned().map(Some).collect()));
    sql.placeholder(Bind::Texts(tables.values().map(|table| table.schema.clone()).collect()));
    let rows = conn.rows(&sql, &[CellType::Text]).await?;
    Ok(rows.into_iter().filter_map(|mut row| row.string(0)).collect())
}

/// The note for users; `None` if no policy applies.
pub fn note(filtered: &[String]) -> Option<String> {
    if filtered.is_empty() {
        return None;
    }
    let tables: Vec<_> = filtered.iter().map(|name| format!("'{name}'")).collect();
    Some(format!("row security on {} may hide rows from this role: numbers can be too low", tables.join(", ")))
}
