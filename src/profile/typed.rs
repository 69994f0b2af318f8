//! The TOML structure of a profile file. It defines the keys and does not check values; `parse` does.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// The whole file. Keys are in lower case with hyphens, and unknown keys are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Typed {
    /// The profile's name; with its place in the file, as all values that can be invalid.
    pub(super) name: Spanned<String>,
    /// One line for the user.
    #[serde(default)]
    pub(super) about: String,
    /// The kinds of databases: `postgres`, `sqlite`.
    pub(super) database: Vec<Spanned<String>>,
    /// The table or select.
    pub(super) relation: TypedRelation,
    /// Required columns by table, beyond those of the fields.
    #[serde(default)]
    pub(super) needs: BTreeMap<String, Vec<Spanned<String>>>,
    /// The columns of the fields.
    pub(super) fields: TypedFields,
    /// Outcomes by event type.
    #[serde(default)]
    pub(super) outcomes: BTreeMap<String, Spanned<String>>,
    /// A column that states the outcome.
    pub(super) outcome: Option<TypedOutcome>,
    /// Further columns for the detail of one event.
    #[serde(default)]
    pub(super) extra: Vec<TypedExtra>,
    /// How new rows are found; by default by time.
    pub(super) tail: Option<TypedTail>,
    /// Notes for the user.
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

/// The section `[relation]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedRelation {
    /// The table of the events.
    pub(super) table: Spanned<String>,
    /// A select that is read instead of the table.
    pub(super) select: Option<Spanned<String>>,
    /// The table's time column, if the select renames it.
    pub(super) time_column: Option<Spanned<String>>,
    /// An integer column that orders rows of the same time.
    pub(super) tie: Option<Spanned<String>>,
    /// Whether an empty text means no value.
    #[serde(default)]
    pub(super) empty_is_absent: bool,
}

/// The section `[fields]`: `id`, `type` and `time` are required.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedFields {
    pub(super) id: TypedId,
    pub(super) device: Option<TypedId>,
    pub(super) org: Option<TypedId>,
    #[serde(rename = "type")]
    pub(super) kind: TypedText,
    pub(super) reason: Option<TypedText>,
    pub(super) old_expiry: Option<TypedTime>,
    pub(super) new_expiry: Option<TypedTime>,
    pub(super) error: Option<TypedText>,
    pub(super) time: TypedTime,
    pub(super) severity: Option<TypedText>,
}

/// A field that is an identifier.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedId {
    pub(super) column: Spanned<String>,
    /// `uuid`, `text` or `int`; required for a select.
    #[serde(rename = "type")]
    pub(super) ty: Option<Spanned<String>>,
    /// A column with the name that belongs to the id.
    pub(super) name: Option<Spanned<String>>,
    /// Whether names are looked up in the tables of devices and organizations.
    #[serde(default)]
    pub(super) directory: bool,
    /// Whether the table may lack the column.
    #[serde(default)]
    pub(super) optional: bool,
    /// Whether values are shown with a mark, as they come from other rows or tables.
    #[serde(default)]
    pub(super) derived: bool,
}

/// A field that is a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedText {
    pub(super) column: Spanned<String>,
    /// What is shown and filtered for each stored value.
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    /// Whether a row without a reason takes that of its device's preceding start.
    #[serde(default)]
    pub(super) carried: bool,
    /// Whether the table may lack the column.
    #[serde(default)]
    pub(super) optional: bool,
    /// Whether values are shown with a mark, as they come from other rows or tables.
    #[serde(default)]
    pub(super) derived: bool,
}

/// A field that is an instant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedTime {
    pub(super) column: Spanned<String>,
    /// `timestamp`, `timestamptz`, `unix-seconds`, `unix-millis` or `unix-micros`; required for a select.
    #[serde(rename = "type")]
    pub(super) ty: Option<Spanned<String>>,
    /// The zone of a `timestamp`; by default UTC.
    pub(super) zone: Option<Spanned<String>>,
    /// Whether the table may lack the column.
    #[serde(default)]
    pub(super) optional: bool,
    /// Whether values are shown with a mark, as they come from other rows or tables.
    #[serde(default)]
    pub(super) derived: bool,
}

/// The section `[outcome]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedOutcome {
    /// The column that states the outcome.
    pub(super) column: Spanned<String>,
    /// The outcome of each of its values: `failed`, `succeeded`, `started` or `other`.
    pub(super) values: BTreeMap<String, Spanned<String>>,
}

/// One entry of `[[extra]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedExtra {
    /// The words before the value.
    pub(super) label: Option<String>,
    pub(super) column: Spanned<String>,
}

/// The section `[tail]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedTail {
    /// `time` or `serial`.
    pub(super) by: Spanned<String>,
    /// The column of the serial numbers; only with `serial`.
    pub(super) column: Option<Spanned<String>>,
    /// What each poll reads again, as a length of time; by default 5 seconds, an hour at most.
    pub(super) overlap: Option<Spanned<String>>,
}
