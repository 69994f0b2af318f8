//! The word that a mistyped one was meant to be.
//!
//! Only for what an error message offers: nothing is ever corrected silently.

/// The candidate that `typed` most likely was meant to be, ASCII case ignored: the one that takes the fewest
/// single-letter changes (at most a third of the letters), else one that `typed` begins. `None` where none is near.
pub fn nearest<'a>(typed: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_ascii_lowercase().chars().collect();
    // Beyond this nothing is a slip of the finger, and the distance would cost.
    if typed.len() < 2 || typed.len() > 40 {
        return None;
    }
    let allowed = (typed.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in among {
        let word: Vec<char> = candidate.to_ascii_lowercase().chars().collect();
        let cost = match distance(&typed, &word) {
            d if d <= allowed => d,
            _ if word.starts_with(&typed) => allowed + 1,
            _ => continue,
        };
        if best.is_none_or(|(known, _)| cost < known) {
            best = Some((cost, candidate));
        }
    }
    best.map(|(_, word)| word)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&last, j + 1) + 1).min(at(&row, j) + 1).min(at(&last, j) + usize::from(x != y));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
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
