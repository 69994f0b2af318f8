//! What the configuration says of a source's devices: their renewal policy, and how long an attempt may take.
//!
//! `config/file.rs` reads it; the sweep and the views of devices and attempts apply it.

use serde::Deserialize;

use crate::domain::attempt::Patience;
use crate::domain::device::policy::Declared;
use crate::domain::text::Clean;
use crate::domain::when::Length;

/// How devices are judged.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rules {
    /// When renewals begin; `None`: as past renewals show.
    pub policy: Option<Declared>,
    /// How long an attempt may have no outcome before it counts as stalled.
    pub patience: Patience,
}

/// The sections `[policy]` and `[attempts]` as typed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct TypedPolicy {
    /// The life left when renewals begin.
    left: Option<String>,
}

/// The section `[attempts]` as typed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct TypedAttempts {
    /// For renewals.
    stalled_after: Option<String>,
    /// For recoveries.
    recovery_stalled_after: Option<String>,
}

impl Rules {
    /// Checks both sections. An error has the section, the key and the reason.
    pub(super) fn check(
        policy: &TypedPolicy,
        attempts: &TypedAttempts,
    ) -> Result<Self, (&'static str, &'static str, String)> {
        let declared = policy.left.as_deref().map(str::parse).transpose();
        let policy = declared.map_err(|e| ("policy", "left", Clean::line(&format!("{e}")).as_str().to_owned()))?;
        let mut patience = Patience::default();
        let fields = [
            ("stalled_after", &attempts.stalled_after, &mut patience.renewal),
            ("recovery_stalled_after", &attempts.recovery_stalled_after, &mut patience.recovery),
        ];
        for (key, text, limit) in fields {
            let Some(text) = text else { continue };
            let length = Length::parse(text.trim()).ok().filter(|length| length.count > 0);
            let why = || format!("'{}' is no length of time above zero; write '90m' or '3h'", Clean::line(text));
            *limit = length.ok_or_else(|| ("attempts", key, why()))?.span();
        }
        Ok(Self { policy, patience })
    }
}
