//! Values of a filter that no event has: a mistyped one finds nothing, which looks like no failures.
//!
//! `list`, `count`, `export` and `tail` call it. It only adds to what they print: a query that fails or takes long says
//! nothing, and the command's result stands.

use std::time::Duration;

use crate::config::Config;
use crate::domain::filter::{Criteria, Field, Filter, Glob, State, Test};
use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::session::Session;
use crate::headless::tell;
use crate::protocol::query::{FacetQuery, Facets, Field as Column};
use crate::protocol::{Answer, Query};

/// How long the queries for the values may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most values that are compared.
const VALUES: u32 = 2000;
/// The values of `type` that stand for several types.
const CLASSES: [&str; 3] = ["failed", "success", "start"];

/// With `--strict`, refuses a filter with a value that no event has.
pub async fn require(session: &Session, config: &Config) -> Result<(), Failure> {
    if !config.strict {
        return Ok(());
    }
    match unknown(session, &config.filter.value).await {
        lines if lines.is_empty() => Ok(()),
        lines => Err(Failure::Usage(lines.join("; "))),
    }
}

/// Prints on stderr the values that no event has, where the result is empty or an excluded value is one of them.
pub async fn tell_unknown(session: &Session, config: &Config, rows: u64) {
    let filter = &config.filter.value;
    let excludes = filter.terms().iter().any(|term| term.negated && matches!(term.test, Test::Values { .. }));
    if !config.strict && (rows == 0 || excludes) {
        unknown(session, filter).await.iter().for_each(|line| tell(line));
    }
}

/// A message for each value of the filter that no event has.
async fn unknown(session: &Session, filter: &Filter) -> Vec<String> {
    let mut lines = Vec::new();
    let find = async {
        for (field, value) in exact_values(filter) {
            lines.extend(message(session, field, &value).await);
        }
    };
    // Dropped, it stops its query in the database.
    let _ = tokio::time::timeout(PATIENCE, find).await;
    lines
}

/// The types, organizations and devices that the filter names without a wildcard.
fn exact_values(filter: &Filter) -> Vec<(Field, String)> {
    let mut values = Vec::new();
    for term in filter.terms() {
        if let Test::Values { field: field @ (Field::Type | Field::Org | Field::Device), any } = &term.test {
            let exact = any.iter().filter(|glob| Glob::literal(glob.text()).as_ref() == Some(*glob));
            values.extend(exact.map(|glob| (*field, glob.text().to_owned())));
        }
    }
    values
}

/// `None`: the value exists, or it is not known whether it does.
async fn message(session: &Session, field: Field, value: &str) -> Option<String> {
    if field == Field::Type && CLASSES.contains(&value) {
        return None;
    }
    let mut one = Filter::default();
    one.only(field, Some(value));
    let is_it = |candidate: &str| one.state_of(field, Some(candidate)) == State::Included;
    // Devices are many: the directory is searched for the value itself, then for its beginning.
    let searched = if field == Field::Device { value } else { "" };
    let found = names(session, field, searched).await?;
    if found.names.iter().any(|name| is_it(name)) || found.more {
        return None;
    }
    let others = match field {
        Field::Device => {
            let half: String = value.chars().take(value.chars().count().div_ceil(2)).collect();
            names(session, field, &half).await.map_or_else(Vec::new, |found| found.names)
        }
        _ => found.names,
    };
    let classes = CLASSES.iter().copied().filter(|_| field == Field::Type);
    let near = nearest(value, classes.chain(others.iter().map(String::as_str)));
    let shown = Clean::line(value);
    let what = match field {
        Field::Type => format!("no event has the type '{shown}'"),
        Field::Org => format!("no organization is called '{shown}'"),
        _ => format!("no device is called '{shown}'"),
    };
    Some(match near {
        Some(near) => format!("{what}; did you mean '{}'?", Clean::line(near)),
        None => format!("{what}; list them with 'renewscope count --by {}'", by(field)),
    })
}

/// The field as `count --by` names it.
fn by(field: Field) -> &'static str {
    match field {
        Field::Type => "type",
        Field::Org => "org",
        _ => "device",
    }
}

/// Values of a field, by name and by id.
struct Names {
    names: Vec<String>,
    /// There are more values than these.
    more: bool,
}

/// The values of a field whose name contains `needle`. `None`: the query failed.
async fn names(session: &Session, field: Field, needle: &str) -> Option<Names> {
    let column = match field {
        Field::Type => Column::Kind,
        Field::Org => Column::Org,
        _ => Column::Device,
    };
    // One counted row a value is enough.
    let query = FacetQuery {
        field: column,
        criteria: Criteria::default(),
        needle: needle.to_owned(),
        limit: VALUES,
        ceiling: 1,
    };
    let Ok(Answer::Facets(Facets { values, more, .. })) = session.run(Query::Facets(query)).await else { return None };
    let names = values.iter().flat_map(|v| {
        let name = v.name.as_ref().map(|n| n.raw().to_owned());
        name.into_iter().chain(v.id.as_ref().map(|id| id.raw()))
    });
    Some(Names { names: names.collect(), more })
}
