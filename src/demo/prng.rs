//! A small deterministic random number generator, so that one seed always gives the same fleet.
//!
//! Must not be used for anything that has to be unpredictable: the seed determines the sequence.

use crate::domain::instant::Span;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Prng(u64);

/// The odd increment of the state: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Prng {
    /// A generator at the beginning of the sequence of that seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits; the sequence repeats after 2^64 draws.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..n`; 0 if `n` is 0. The bias of the modulo is negligible for a demo.
    pub const fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `true` with that probability, from 0 to 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A span in `from..to`, with microseconds.
    pub fn span(&mut self, from: Span, to: Span) -> Span {
        let width = to.0.saturating_sub(from.0).max(0).unsigned_abs();
        Span(from.0.saturating_add_unsigned(self.below(width)))
    }

    /// One of `items`; `None` if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let n = self.below(items.len() as u64);
        items.get(usize::try_from(n).unwrap_or(0))
    }

    /// The number of draws since `seed`.
    #[cfg(test)]
    pub const fn draws_since(&self, seed: u64) -> u64 {
        // The inverse of `STEP` modulo 2^64 turns the state into a count.
        self.0.wrapping_sub(seed).wrapping_mul(inverse(STEP))
    }
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration.
#[cfg(test)]
const fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    let mut n = 0;
    while n < 6 {
        x = x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)));
        n += 1;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_sequence_and_counts_its_draws() {
        let mut p = Prng::new(1_234_567);
        assert_eq!(p.next(), 6_457_827_717_110_365_317);
        assert_eq!(p.next(), 3_203_168_211_198_807_973);
        for _ in 0..40 {
            let s = p.span(Span::seconds(3), Span::seconds(5));
            assert!((Span::seconds(3)..Span::seconds(5)).contains(&s));
        }
        assert_eq!(p.draws_since(1_234_567), 42);
    }
}
