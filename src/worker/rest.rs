//! How much a background read takes at once, and how long it rests: the database is to do other work most of the time.

use std::time::Duration;

use tokio::time::Instant as Moment;

/// A statement is to take about this long.
const AIM: Duration = Duration::from_millis(50);
/// Rests are this many times as long as the work before them.
const TIMES: u32 = 3;
/// The longest rest: a machine that was suspended must not rest for hours.
const LONGEST: Duration = Duration::from_secs(5);

/// Sizes the statements of a background read, and its rests.
#[derive(Debug)]
pub struct Rest {
    size: u32,
    most: u32,
    least: u32,
    until: Moment,
}

impl Rest {
    /// Begins with the first size, and never takes more than the second.
    pub fn new(first: u32, most: u32) -> Self {
        Self { size: first, most, least: (first / 4).max(1), until: Moment::now() }
    }
    /// How much the next statement takes.
    pub const fn size(&self) -> u32 {
        self.size
    }
    /// When the rest ends.
    pub const fn until(&self) -> Moment {
        self.until
    }
    /// A statement of the present size took so long: the next one takes twice or half as much, if that is nearer to the aim.
    pub fn worked(&mut self, took: Duration) {
        if took > AIM * 2 {
            self.size = (self.size / 2).max(self.least);
        } else if took < AIM / 2 {
            self.size = self.size.saturating_mul(2).min(self.most);
        }
        self.until = Moment::now() + (took * TIMES).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_sized_and_followed_by_a_rest() {
        let mut rest = Rest::new(100, 400);
        rest.worked(Duration::from_millis(1));
        assert_eq!(rest.size(), 200);
        (0..5).for_each(|_| rest.worked(Duration::from_millis(1)));
        assert_eq!(rest.size(), 400);
        (0..9).for_each(|_| rest.worked(Duration::from_millis(500)));
        assert_eq!(rest.size(), 25);
        let wait = rest.until() - Moment::now();
        assert!(wait > Duration::from_millis(1400) && wait <= Duration::from_millis(1500), "{wait:?}");
        rest.worked(Duration::from_secs(3600));
        assert!(rest.until() - Moment::now() <= LONGEST);
    }
}
