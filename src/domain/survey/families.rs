//! Families: signatures that differ in one word, shown as one. A display alone; no id stands for a family.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::group::ErrorGroup;

/// Signatures that make a family, at least: fewer differ in a word that matters, as on and off.
pub const LEAST: usize = 6;
/// Words that its members have in common, at least.
const COMMON: usize = 2;

/// The groups as families: each holds places of `groups`, the group with the most rows first, and each group is in one
/// family. A group without relatives is its own family. Families come in the order of their foremost group.
pub fn families(groups: &[ErrorGroup]) -> Vec<Vec<usize>> {
    let mut alike: HashMap<(usize, String), Vec<usize>> = HashMap::new();
    for (place, group) in groups.iter().enumerate().filter(|(_, group)| group.sig.is_some()) {
        let words: Vec<&str> = group.signature.split(' ').collect();
        if words.len() <= COMMON {
            continue;
        }
        for (position, _) in words.iter().enumerate() {
            // No word of a signature holds a space, so none is taken for the gap.
            let (before, after) = (words[..position].join(" "), words[position + 1..].join(" "));
            alike.entry((position, format!("{before}  {after}"))).or_default().push(place);
        }
    }
    let mut alike: Vec<_> = alike.into_iter().filter(|(_, places)| places.len() >= LEAST).collect();
    // The largest first; of equal ones any, but always the same.
    alike.sort_unstable_by(|(a, of_a), (b, of_b)| (Reverse(of_a.len()), a).cmp(&(Reverse(of_b.len()), b)));
    let mut taken = vec![false; groups.len()];
    let mut found: Vec<Vec<usize>> = Vec::new();
    for (_, mut places) in alike {
        places.retain(|place| !taken[*place]);
        if places.len() >= LEAST {
            places.iter().for_each(|place| taken[*place] = true);
            found.push(places);
        }
    }
    found.extend((0..groups.len()).filter(|place| !taken[*place]).map(|place| vec![place]));
    found.sort_by_key(|places| places.iter().min().copied());
    found.iter_mut().for_each(|places| places.sort_by_key(|place| (Reverse(groups[*place].rows), *place)));
    found
}
