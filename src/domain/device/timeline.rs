//! The certificates of one device over time: from each success to the end that it gave, with the failures between them.

use crate::domain::attempt::{Row, Step};
use crate::domain::instant::{Instant, Span};

use super::SAME;

/// A certificate and what came behind its issue.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Certificate {
    /// The success that gave it; `None` for what lies before the first success that was read.
    pub from: Option<Instant>,
    /// Its end: as the success gave it, else as later rows state it. `None` if no row tells.
    pub until: Option<Instant>,
    /// Failures behind its issue and before the next success, oldest first.
    pub failures: Vec<Instant>,
    /// Starts behind its issue that had no outcome before the next start, oldest first.
    pub open: Vec<Instant>,
    /// For how long no certificate was valid before it.
    pub gap: Option<Span>,
    /// A row behind its issue still names an end before the one that it gave: the device did not take it.
    pub not_taken: bool,
}

impl Certificate {
    /// Whether there is anything of it but an end that another row states.
    fn tells(&self) -> bool {
        self.from.is_some() || !self.failures.is_empty() || !self.open.is_empty()
    }
}

/// The certificates by the rows of one device, oldest first. Rows come in order of time.
pub fn timeline(rows: &[Row]) -> Vec<Certificate> {
    let mut all: Vec<Certificate> = Vec::new();
    let mut current = Certificate::default();
    let mut started: Option<Instant> = None;
    for row in rows {
        match row.step {
            Step::Succeeded => {
                let before = std::mem::take(&mut current);
                let ended =
                    before.until.or(row.old_expiry).and_then(|until| row.at.since(until)).filter(|gap| gap.0 > 0);
                if before.tells() {
                    all.push(before);
                }
                current =
                    Certificate { from: Some(row.at), until: row.new_expiry, gap: ended, ..Certificate::default() };
                started = None;
            }
            Step::Failed => {
                current.failures.push(row.at);
                started = None;
            }
            Step::Started => current.open.extend(started.replace(row.at)),
        }
        if row.step != Step::Succeeded {
            match (current.until, row.old_expiry) {
                (None, Some(old)) => current.until = Some(old),
                (Some(until), Some(old)) if current.from.is_some() => current.not_taken |= old.plus(SAME) < until,
                _ => {}
            }
        }
    }
    current.open.extend(started);
    if current.tells() {
        all.push(current);
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::domain::attempt::Family;
    use crate::domain::event::Id;

    fn at(day: i64) -> Instant {
        Instant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap().plus(Span::days(day))
    }

    /// A row on a day; the days of the expiries.
    fn row(step: Step, day: i64, old: Option<i64>, new: Option<i64>) -> Row {
        Row {
            id: Id::Int(day * 10 + step as i64),
            device: Id::Int(1),
            family: Family::Renewal,
            step,
            at: at(day),
            old_expiry: old.map(at),
            new_expiry: new.map(at),
            reason: None,
            error: None,
        }
    }
    fn started(day: i64, old: i64) -> Row {
        row(Step::Started, day, Some(old), None)
    }
    fn failed(day: i64, old: i64) -> Row {
        row(Step::Failed, day, Some(old), None)
    }
    fn succeeded(day: i64, old: i64, new: i64) -> Row {
        row(Step::Succeeded, day, Some(old), Some(new))
    }
    fn days(times: &[Instant]) -> Vec<i64> {
        times.iter().map(|time| time.since(at(0)).unwrap().as_seconds() / 86_400).collect()
    }

    #[test]
    fn each_success_is_a_certificate() {
        let found =
            timeline(&[succeeded(0, 10, 90), started(60, 90), succeeded(60, 90, 150), succeeded(120, 150, 210)]);
        let given: Vec<_> = found.iter().map(|c| (c.from.unwrap(), c.until.unwrap())).collect();
        assert_eq!(given, [(at(0), at(90)), (at(60), at(150)), (at(120), at(210))]);
        assert!(found.iter().all(|c| c.gap.is_none() && c.open.is_empty() && c.failures.is_empty() && !c.not_taken));
        assert_eq!(timeline(&[]), []);
    }

    #[test]
    fn what_comes_behind_a_certificate_is_its_own() {
        let rows = [
            succeeded(0, 10, 90),
            started(60, 90),
            failed(60, 90),
            started(61, 90),
            started(62, 90),
            failed(63, 90),
            succeeded(64, 90, 150),
            started(130, 150),
        ];
        let [first, second] = timeline(&rows).try_into().unwrap();
        assert_eq!((days(&first.failures), days(&first.open)), (vec![60, 63], vec![61]));
        assert_eq!((days(&second.failures), days(&second.open)), (vec![], vec![130]), "the last start is open");
    }

    #[test]
    fn a_gap_is_the_time_without_a_certificate() {
        let gaps = |rows: &[Row]| timeline(rows).iter().map(|c| c.gap).collect::<Vec<_>>();
        assert_eq!(gaps(&[succeeded(0, 10, 90), failed(80, 90), succeeded(95, 90, 150)]), [None, Some(Span::days(5))]);
        assert_eq!(gaps(&[succeeded(0, 10, 90), succeeded(90, 90, 150)]), [None, None], "to the instant");
        assert_eq!(gaps(&[succeeded(12, 10, 90)]), [Some(Span::days(2))], "by its own statement");
        let mut endless = succeeded(0, 10, 90);
        endless.new_expiry = Some(Instant::INFINITY);
        assert_eq!(gaps(&[endless, succeeded(500, 90, 600)]), [None, None]);
        let unknown = row(Step::Succeeded, 0, None, None);
        assert_eq!(gaps(&[unknown.clone(), row(Step::Succeeded, 9, None, Some(20))]), [None, None]);
        assert_eq!(gaps(&[unknown, failed(20, 10), succeeded(30, 10, 90)]), [None, Some(Span::days(20))]);
    }

    #[test]
    fn rows_before_any_success_are_of_a_certificate_without_a_beginning() {
        let [only] = timeline(&[started(1, 10), failed(2, 10), failed(3, 10)]).try_into().unwrap();
        assert_eq!((only.from, only.until, days(&only.failures)), (None, Some(at(10)), vec![2, 3]));
        let [before, after] = timeline(&[failed(2, 10), succeeded(11, 10, 90)]).try_into().unwrap();
        assert_eq!((before.until, before.failures.len()), (Some(at(10)), 1));
        assert_eq!((after.from, after.until, after.gap), (Some(at(11)), Some(at(90)), Some(Span::days(1))));
        // A start that the success ends tells nothing of an earlier certificate.
        assert_eq!(timeline(&[started(1, 10), succeeded(1, 10, 90)]).len(), 1);
    }

    #[test]
    fn a_certificate_that_later_rows_do_not_name_was_not_taken() {
        let taken = |old: Instant| {
            let mut later = failed(60, 0);
            later.old_expiry = Some(old);
            timeline(&[succeeded(0, 10, 90), later]).iter().any(|c| c.not_taken)
        };
        assert!(taken(at(10)) && taken(at(90).minus(Span::seconds(3))));
        assert!(!taken(at(90)) && !taken(at(90).minus(Span::seconds(2))), "sources round");
        assert!(!taken(at(200)), "a later one came from elsewhere");
        let rows = [succeeded(0, 10, 90), failed(60, 10), succeeded(61, 10, 150), failed(140, 150)];
        assert_eq!(timeline(&rows).iter().map(|c| c.not_taken).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn rows_of_one_instant_keep_their_order() {
        let found =
            timeline(&[succeeded(0, 10, 90), started(5, 90), failed(5, 90), succeeded(5, 90, 150), failed(5, 150)]);
        let [first, second] = found.try_into().unwrap();
        assert_eq!((days(&first.failures), days(&first.open)), (vec![5], vec![]));
        assert_eq!((second.from, days(&second.failures)), (Some(at(5)), vec![5]));
    }
}
