//! Parses profiles: unknown keys and invalid names are errors, and each error says its file, line and key.
//!
//! Parses in two steps, TOML first and values second, so that an error in a value points at that value.

use std::collections::BTreeMap;

use thiserror::Error;
use toml::Spanned;

use super::typed::{
    Typed, TypedExtra, TypedFields, TypedId, TypedOutcome, TypedRelation, TypedTail, TypedText, TypedTime,
};
use super::{
    Backend, Extra, Fields, IdField, IdType, OutcomeField, Relation, SourceProfile, SqlIdent, Tail, TextField,
    TimeField, TimeType, select,
};
use crate::domain::event::Outcome;
use crate::domain::instant::Span;
use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::domain::when::Length;
use crate::domain::zone::Zone;

/// An invalid profile. Safe to print.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{file}{}{}: {why}", if *line > 0 { format!(", line {line}") } else { String::new() },
    if key.is_empty() { String::new() } else { format!(", '{key}'") })]
pub struct ProfileError {
    /// The file as it was named by the caller.
    pub file: String,
    /// From 1; 0 for an error of the whole file.
    pub line: usize,
    /// As `fields.device.column`; empty if unknown.
    pub key: String,
    /// What is wrong, and what is valid where that is known.
    pub why: String,
}

/// The words for outcomes.
const OUTCOMES: [(&str, Outcome); 4] = [
    ("failed", Outcome::Failed),
    ("succeeded", Outcome::Succeeded),
    ("started", Outcome::Started),
    ("other", Outcome::Other),
];
/// The words for types of identifiers.
const IDS: [(&str, IdType); 3] = [("uuid", IdType::Uuid), ("text", IdType::Text), ("int", IdType::Int)];
/// The words for types of times.
const TIMES: [(&str, TimeType); 5] = [
    ("timestamp", TimeType::Timestamp),
    ("timestamptz", TimeType::TimestampTz),
    ("unix-seconds", TimeType::UnixSeconds),
    ("unix-millis", TimeType::UnixMillis),
    ("unix-micros", TimeType::UnixMicros),
];
/// The default overlap, that of the console's own table.
const OVERLAP: Span = Span::seconds(5);

/// A file's name and text, for positions in messages.
struct Source<'a> {
    /// The name to print.
    file: &'a str,
    /// The TOML, in which the line of a mistake is counted.
    text: &'a str,
}

/// Parses and checks a profile; the first mistake ends it.
pub(super) fn parse(file: &str, text: &str) -> Result<SourceProfile, ProfileError> {
    let source = Source { file, text };
    let typed: Typed = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(0, |span| source.line(span.start));
        ProfileError { file: file.to_owned(), line: at, key: String::new(), why: with_hint(e.message()) }
    })?;
    let name = source.profile_name(&typed.name)?;
    let databases = typed
        .database
        .iter()
        .map(|word| source.one_of("database", word, &Backend::ALL.map(|b| (b.name(), b))))
        .collect::<Result<Vec<_>, _>>()?;
    if databases.is_empty() {
        return Err(source.error("database", None, "names no database; valid are postgres and sqlite".into()));
    }
    let relation = source.relation(&typed.relation)?;
    let fields = source.fields(&typed.fields, relation.select.is_some())?;
    let outcomes = typed
        .outcomes
        .iter()
        .map(|(kind, word)| Ok((kind.clone(), source.one_of(&format!("outcomes.{kind}"), word, &OUTCOMES)?)));
    let outcomes = outcomes.collect::<Result<_, ProfileError>>()?;
    let outcome = typed.outcome.as_ref().map(|o| source.outcome(o)).transpose()?;
    let extra = typed.extra.iter().map(|e| source.extra(e)).collect::<Result<Vec<_>, _>>()?;
    let tail = typed.tail.as_ref().map_or(Ok(Tail::Time { overlap: OVERLAP }), |t| source.tail(t))?;
    let mut profile = SourceProfile {
        name,
        about: typed.about,
        databases,
        needs: source.needs(&typed.needs)?,
        relation,
        fields,
        outcomes,
        outcome,
        extra,
        tail,
        notes: typed.notes,
        file: None,
        text: text.to_owned(),
    };
    if profile.relation.select.is_none() {
        add_columns(&mut profile);
    }
    profile.needs.entry(profile.relation.table.clone()).or_default();
    Ok(profile)
}

/// Adds the columns that the fields require.
fn add_columns(profile: &mut SourceProfile) {
    let f = &profile.fields;
    let ids = [Some(&f.id), f.device.as_ref(), f.org.as_ref()].into_iter().flatten();
    let texts = [Some(&f.kind), f.reason.as_ref(), f.error.as_ref(), f.severity.as_ref()].into_iter().flatten();
    let times = [Some(&f.time), f.old_expiry.as_ref(), f.new_expiry.as_ref()].into_iter().flatten();
    let mut columns: Vec<SqlIdent> = Vec::new();
    for id in ids.filter(|id| !id.optional) {
        columns.push(id.column.clone());
        columns.extend(id.name.clone());
    }
    columns.extend(texts.filter(|t| !t.optional).map(|t| t.column.clone()));
    columns.extend(times.filter(|t| !t.optional).map(|t| t.column.clone()));
    columns.extend(profile.outcome.iter().map(|o| o.column.clone()));
    columns.extend(profile.extra.iter().map(|e| e.column.clone()));
    columns.extend(profile.relation.tie.iter().filter(|c| c.name() != "rowid").cloned());
    let needed = profile.needs.entry(profile.relation.table.clone()).or_default();
    for column in columns {
        if !needed.contains(&column) {
            needed.push(column);
        }
    }
}

/// The TOML library's message, with a suggestion for an unknown key.
fn with_hint(message: &str) -> String {
    let message = Clean::line(message).as_str().to_owned();
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match words.split_first() {
        Some((typed, valid)) if message.starts_with("unknown field") => {
            nearest(typed, valid.iter().copied()).map_or(message.clone(), |w| format!("{message}; did you mean '{w}'?"))
        }
        _ => message,
    }
}

/// A column as the profile writes it: its key under `fields`, its type, and whether it is one of a select.
struct TypedColumn<'a> {
    key: &'a str,
    ty: Option<&'a Spanned<String>>,
    column: &'a Spanned<String>,
    select: bool,
}

impl Source<'_> {
    /// The line, from 1, of a byte of the file.
    fn line(&self, byte: usize) -> usize {
        self.text.get(..byte).map_or(0, |before| before.matches('\n').count() + 1)
    }

    /// An error about a key, at the line of that range of bytes.
    fn error(&self, key: &str, at: Option<std::ops::Range<usize>>, why: String) -> ProfileError {
        let line = at.map_or(0, |span| self.line(span.start));
        ProfileError { file: self.file.to_owned(), line, key: Clean::line(key).as_str().to_owned(), why }
    }

    /// A checked name of a table or column.
    fn ident(&self, key: &str, name: &Spanned<String>) -> Result<SqlIdent, ProfileError> {
        SqlIdent::new(name.get_ref()).map_err(|e| self.error(key, Some(name.span()), e.to_string()))
    }

    /// The value that a word stands for; the error suggests a near word or lists the valid ones.
    fn one_of<T: Copy>(&self, key: &str, word: &Spanned<String>, valid: &[(&str, T)]) -> Result<T, ProfileError> {
        let typed = word.get_ref();
        if let Some((_, found)) = valid.iter().find(|(name, _)| name == typed) {
            return Ok(*found);
        }
        let names: Vec<&str> = valid.iter().map(|(name, _)| *name).collect();
        let hint = match nearest(typed, names.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("valid are {}", names.join(", ")),
        };
        Err(self.error(key, Some(word.span()), format!("unknown value '{}'; {hint}", Clean::line(typed))))
    }

    /// The profile's name: 1 to 40 letters a to z, digits and `-`, which are safe in a path and on a command line.
    fn profile_name(&self, name: &Spanned<String>) -> Result<String, ProfileError> {
        let text = name.get_ref();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.is_empty() && text.len() <= 40 && text.chars().all(fine) {
            return Ok(text.clone());
        }
        let why = format!("'{}' is no valid profile name; use letters a to z, digits and '-'", Clean::line(text));
        Err(self.error("name", Some(name.span()), why))
    }

    /// The relation, with its select checked and trimmed.
    fn relation(&self, typed: &TypedRelation) -> Result<Relation, ProfileError> {
        if let Some(text) = &typed.select {
            select::check(text.get_ref()).map_err(|why| {
                self.error("relation.select", Some(text.span()), format!("the select {}", Clean::line(&why)))
            })?;
        }
        let named = |key: &str, name: &Option<Spanned<String>>| {
            name.as_ref().map(|n| self.ident(&format!("relation.{key}"), n)).transpose()
        };
        Ok(Relation {
            table: self.ident("relation.table", &typed.table)?,
            select: typed.select.as_ref().map(|s| s.get_ref().trim().to_owned()),
            time_column: named("time-column", &typed.time_column)?,
            tie: named("tie", &typed.tie)?,
            empty_is_absent: typed.empty_is_absent,
        })
    }

    /// The fields; with a `select`, each id and time must declare its type.
    fn fields(&self, typed: &TypedFields, select: bool) -> Result<Fields, ProfileError> {
        let id = |key: &str, f: &TypedId| self.id(key, f, select);
        let time = |key: &str, f: &TypedTime| self.time(key, f, select);
        let text = |key: &str, f: &TypedText| self.text(key, f);
        Ok(Fields {
            id: id("id", &typed.id)?,
            device: typed.device.as_ref().map(|f| id("device", f)).transpose()?,
            org: typed.org.as_ref().map(|f| id("org", f)).transpose()?,
            kind: text("type", &typed.kind)?,
            reason: typed.reason.as_ref().map(|f| text("reason", f)).transpose()?,
            old_expiry: typed.old_expiry.as_ref().map(|f| time("old-expiry", f)).transpose()?,
            new_expiry: typed.new_expiry.as_ref().map(|f| time("new-expiry", f)).transpose()?,
            error: typed.error.as_ref().map(|f| text("error", f)).transpose()?,
            time: time("time", &typed.time)?,
            severity: typed.severity.as_ref().map(|f| text("severity", f)).transpose()?,
        })
    }

    /// The catalog holds the type of a table's column; a select's column must declare it.
    fn typed<T: Copy>(&self, column: TypedColumn<'_>, valid: &[(&str, T)]) -> Result<Option<T>, ProfileError> {
        let TypedColumn { key, ty, column, select } = column;
        if let Some(word) = ty {
            return self.one_of(&format!("fields.{key}.type"), word, valid).map(Some);
        }
        if !select {
            return Ok(None);
        }
        let names = valid.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let why = format!("a column of a select needs a 'type'; valid are {names}");
        Err(self.error(&format!("fields.{key}"), Some(column.span()), why))
    }

    /// A column with an identifier.
    fn id(&self, key: &str, typed: &TypedId, select: bool) -> Result<IdField, ProfileError> {
        let name_key = format!("fields.{key}.name");
        Ok(IdField {
            column: self.ident(&format!("fields.{key}.column"), &typed.column)?,
            ty: self.typed(TypedColumn { key, ty: typed.ty.as_ref(), column: &typed.column, select }, &IDS)?,
            name: typed.name.as_ref().map(|n| self.ident(&name_key, n)).transpose()?,
            directory: typed.directory,
            optional: typed.optional,
            derived: typed.derived,
        })
    }

    /// A column with a text. Only a reason may be carried over from a start.
    fn text(&self, key: &str, typed: &TypedText) -> Result<TextField, ProfileError> {
        if typed.carried && key != "reason" {
            let why = "only a reason can be carried over".to_owned();
            return Err(self.error(&format!("fields.{key}.carried"), Some(typed.column.span()), why));
        }
        Ok(TextField {
            column: self.ident(&format!("fields.{key}.column"), &typed.column)?,
            values: typed.values.clone().into_iter().collect(),
            carried: typed.carried,
            optional: typed.optional,
            derived: typed.derived,
        })
    }

    /// A column with a time. A zone is an error for a type that stores absolute times.
    fn time(&self, key: &str, typed: &TypedTime, select: bool) -> Result<TimeField, ProfileError> {
        let ty = self.typed(TypedColumn { key, ty: typed.ty.as_ref(), column: &typed.column, select }, &TIMES)?;
        let zone_key = format!("fields.{key}.zone");
        let zone = typed.zone.as_ref().map_or(Ok(Zone::Utc), |name| {
            if ty.is_some_and(|ty| ty != TimeType::Timestamp) {
                let why = "only a 'timestamp' takes a zone, because it stores none; leave the zone out".to_owned();
                return Err(self.error(&zone_key, Some(name.span()), why));
            }
            Zone::parse(name.get_ref()).map_err(|e| self.error(&zone_key, Some(name.span()), e.to_string()))
        })?;
        Ok(TimeField {
            column: self.ident(&format!("fields.{key}.column"), &typed.column)?,
            ty,
            zone,
            optional: typed.optional,
            derived: typed.derived,
        })
    }

    /// The column that states the outcome, and the outcome of each of its values.
    fn outcome(&self, typed: &TypedOutcome) -> Result<OutcomeField, ProfileError> {
        let value = |(value, word): (&String, &Spanned<String>)| {
            Ok((value.clone(), self.one_of(&format!("outcome.values.{value}"), word, &OUTCOMES)?))
        };
        Ok(OutcomeField {
            column: self.ident("outcome.column", &typed.column)?,
            values: typed.values.iter().map(value).collect::<Result<_, ProfileError>>()?,
        })
    }

    /// A further column; without a label its name serves, with spaces.
    fn extra(&self, typed: &TypedExtra) -> Result<Extra, ProfileError> {
        let label = typed.label.clone().unwrap_or_else(|| typed.column.get_ref().replace('_', " "));
        Ok(Extra { label, column: self.ident("extra.column", &typed.column)? })
    }

    /// The columns that a profile requires beyond those of its fields, by table.
    fn needs(
        &self,
        typed: &BTreeMap<String, Vec<Spanned<String>>>,
    ) -> Result<BTreeMap<SqlIdent, Vec<SqlIdent>>, ProfileError> {
        let mut needs = BTreeMap::new();
        for (table, columns) in typed {
            let key = format!("needs.{table}");
            let span = columns.first().map(Spanned::span);
            let name = SqlIdent::new(table).map_err(|e| self.error(&key, span, e.to_string()))?;
            let columns = columns.iter().map(|c| self.ident(&key, c)).collect::<Result<_, _>>()?;
            needs.insert(name, columns);
        }
        Ok(needs)
    }

    /// How the tail finds rows. The overlap is an hour at most; a tail by serial needs a column, one by time has none.
    fn tail(&self, typed: &TypedTail) -> Result<Tail, ProfileError> {
        let overlap = typed.overlap.as_ref().map_or(Ok(OVERLAP), |text| {
            let error = |why: String| self.error("tail.overlap", Some(text.span()), why);
            let length =
                Length::parse(text.get_ref()).map_err(|e| error(format!("{}; {}", e.message, e.suggestion)))?;
            match length.span() {
                span if span > Span::hours(1) => Err(error("is longer than an hour; '15s' is usual".into())),
                span => Ok(span),
            }
        })?;
        match (self.one_of("tail.by", &typed.by, &[("time", false), ("serial", true)])?, &typed.column) {
            (false, None) => Ok(Tail::Time { overlap }),
            (true, Some(column)) => Ok(Tail::Serial { column: self.ident("tail.column", column)?, overlap }),
            (false, Some(c)) => {
                Err(self.error("tail.column", Some(c.span()), "is for 'by = \"serial\"' only; leave it out".into()))
            }
            (true, None) => {
                let why = "a tail by serial needs a 'column', as 'id' or 'rowid'".to_owned();
                Err(self.error("tail.by", Some(typed.by.span()), why))
            }
        }
    }
}
