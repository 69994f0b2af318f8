//! The TOML structure of a profile file. It defines the keys and does not check values; `parse` does.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Typed {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) about: String,
    pub(super) database: Vec<Spanned<String>>,
    pub(super) relation: TypedRelation,
    #[serde(default)]
    pub(super) needs: BTreeMap<String, Vec<Spanned<String>>>,
    pub(super) fields: TypedFields,
    #[serde(default)]
    pub(super) outcomes: BTreeMap<String, Spanned<String>>,
    pub(super) outcome: Option<TypedOutcome>,
    #[serde(default)]
    pub(super) extra: Vec<TypedExtra>,
    pub(super) tail: Option<TypedTail>,
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedRelation {
    pub(super) table: Spanned<String>,
    pub(super) select: Option<Spanned<String>>,
    pub(super) time_column: Option<Spanned<String>>,
    pub(super) tie: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) empty_is_absent: bool,
}

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedId {
    pub(super) column: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) ty: Option<Spanned<String>>,
    pub(super) name: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) directory: bool,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) derived: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedText {
    pub(super) column: Spanned<String>,
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) carried: bool,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) derived: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedTime {
    pub(super) column: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) ty: Option<Spanned<String>>,
    pub(super) zone: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) derived: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedOutcome {
    pub(super) column: Spanned<String>,
    pub(super) values: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedExtra {
    pub(super) label: Option<String>,
    pub(super) column: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TypedTail {
    pub(super) by: Spanned<String>,
    pub(super) column: Option<Spanned<String>>,
    pub(super) overlap: Option<Spanned<String>>,
}
