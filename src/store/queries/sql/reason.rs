//! The reason of an event as it is shown: its own, or, for a source that records reasons only at a start, the reason of
//! the device's preceding start.
//!
//! Pages, filters and counts all use this expression and must use no other, so that `reason:` finds what is on screen.

use crate::store::source::Source;

/// The reason of the row `e`; `None` where the source records none.
///
/// An outcome takes the reason of the latest start of its device that it can belong to: of a recovery for the outcomes
/// of one, of a renewal for a renewal's success, of either for a failed renewal, since a recovery that cannot be signed
/// ends in one too. A success in between ends the attempt: later outcomes have no known reason.
pub fn shown(source: &Source) -> Option<String> {
    let map = &source.map;
    let reason = map.reason.as_ref()?.expr();
    if !source.carries_reason {
        return Some(reason);
    }
    let of = |row: &str, name: String| name.replacen("e.", &format!("{row}."), 1);
    let (kind, other) = (map.kind.expr(), of("s", map.kind.expr()));
    let (at, id, device) = (&map.created_at.name, &map.id.name, &map.device.name);
    let from = map.table();
    Some(format!(
        "CASE WHEN {reason} IS NOT NULL OR {kind} NOT IN \
         ('renewal_success', 'renewal_failed', 'recovery_success', 'recovery_failed') THEN {reason} ELSE \
         (SELECT CASE WHEN {other} IN ('renewal_start', 'recovery_start') THEN {} END FROM {from} s \
         WHERE s.{device} = e.{device} AND s.{at} <= e.{at} AND s.{id} <> e.{id} AND {other} IN \
         ('renewal_start', 'recovery_start', 'renewal_success', 'recovery_success') AND CASE {kind} \
         WHEN 'renewal_success' THEN {other} <> 'recovery_start' WHEN 'renewal_failed' THEN TRUE \
         ELSE {other} IN ('recovery_start', 'recovery_success') END \
         ORDER BY s.{at} DESC, CASE WHEN {other} IN ('renewal_start', 'recovery_start') THEN 0 ELSE 1 END LIMIT 1) END",
        of("s", reason.clone()),
    ))
}
