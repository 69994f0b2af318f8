//! The word that a mistyped one most likely stands for.
//!
//! Parsers of filters, profiles, options and zones call it for their messages. It must not correct anything silently:
//! what it finds is only offered.

/// The candidate nearest to `typed`, ASCII case ignored: the one that takes the fewest insertions, deletions,
/// substitutions and swaps of neighbors (optimal string alignment; at most a third of the letters), else one that
/// `typed` begins. `None` where none is near. Texts of one letter and of more than 40 have no suggestion.
pub fn nearest<'a>(typed: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let letters = typed.chars().count();
    // A longer text is no typing mistake, and its distance would take long to compute.
    if !(2..=40).contains(&letters) {
        return None;
    }
    let allowed = (letters / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in among {
        let word = candidate.to_ascii_lowercase();
        let cost = match strsim::osa_distance(&typed, &word) {
            d if d <= allowed => d,
            _ if word.starts_with(&typed) => allowed + 1,
            _ => continue,
        };
        if best.is_none_or(|(lowest, _)| cost < lowest) {
            best = Some((cost, candidate));
        }
    }
    best.map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_slip_and_nothing_else() {
        let words = ["type", "org", "device", "reason", "id", "since", "expires", "extends"];
        for (typed, meant) in [
            ("typ", Some("type")),
            ("tpye", Some("type")),
            ("Devcie", Some("device")),
            ("dev", Some("device")),
            ("ids", Some("id")),
            ("expire", Some("expires")),
            ("x509", None),
            ("https", None),
            ("", None),
            ("q", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
    }
}
