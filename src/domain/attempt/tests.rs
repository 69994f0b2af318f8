//! Attempts against scripts of rows, and against a definition that looks back over all rows.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn at(seconds: i64) -> Instant {
    Instant::parse_rfc3339("2026-11-20T00:00:00Z").unwrap().plus(Span::seconds(seconds))
}

fn id(n: usize) -> Id {
    Id::Uuid(Uuid::from_u128(n as u128))
}

/// Rows of one device from a script: `r` renewal, `R` recovery; `+` start, `!` failure, `*` success; and the second.
fn script(text: &str) -> Vec<Row> {
    text.split(' ')
        .enumerate()
        .map(|(n, word)| Row {
            id: id(n),
            device: id(99),
            family: if word.starts_with('R') { Family::Recovery } else { Family::Renewal },
            step: match &word[1..2] {
                "+" => Step::Started,
                "!" => Step::Failed,
                _ => Step::Succeeded,
            },
            at: at(word[2..].parse().unwrap()),
            old_expiry: None,
            new_expiry: None,
            reason: None,
            error: None,
        })
        .collect()
}

fn folded(rows: Vec<Row>, begins: Begins, now: Instant) -> Vec<Attempt> {
    let mut fold = Fold::new(begins);
    let mut done = Vec::new();
    for row in rows {
        fold.add(row, &mut done);
    }
    fold.settle(&mut done);
    done.extend(fold.open(Patience::default(), now));
    done.sort_by(|a, b| (a.at(), &a.device, a.family, a.tries).cmp(&(b.at(), &b.device, b.family, b.tries)));
    done
}

/// One word an attempt: family, state, failures, starts, tries.
fn in_words(rows: &str, now: i64) -> String {
    let words = folded(script(rows), Begins::WithTable, at(now)).into_iter().map(|a| {
        let family = if a.family == Family::Renewal { 'r' } else { 'R' };
        let state = match a.state {
            State::Succeeded => "ok",
            State::Failed => "failed",
            State::InFlight => "flight",
            State::Stalled => "stalled",
            State::Superseded => "superseded",
            State::Orphan => "orphan",
            State::Undecided => "undecided",
            State::StartNotKept => "lost",
        };
        format!("{family}:{state}/f{}/s{}/t{}", a.failures, a.starts, a.tries)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_become_attempts() {
    for (rows, now, attempts) in [
        ("r+0 r*30", 99, "r:ok/f0/s1/t1"),
        ("r+0 r!30", 99, "r:failed/f1/s1/t1"),
        ("r+0 r!30 r!40 r*50", 99, "r:ok/f2/s1/t1"),
        ("r+0 r!30 r+60 r!70 r+99 r*120", 999, "r:failed/f1/s1/t1 r:failed/f1/s1/t2 r:ok/f0/s1/t3"),
        ("r+0 r+600 r*700", 999, "r:superseded/f0/s1/t1 r:ok/f0/s1/t1"),
        ("r+0 r+5 r*9", 99, "r:ok/f0/s2/t1"),
        ("r+0 r!1 r+2 r*9", 99, "r:failed/f1/s1/t1 r:ok/f0/s1/t2"),
        ("r+0", 3600, "r:flight/f0/s1/t1"),
        ("r+0", 3601, "r:stalled/f0/s1/t1"),
        ("R+0", 3601, "R:flight/f0/s1/t1"),
        ("R+0", 10_801, "R:stalled/f0/s1/t1"),
        ("r+50", 10, "r:flight/f0/s1/t1"),
        ("r*1", 9, "r:lost/f0/s0/t1"),
        ("r+0 r*1 r*2", 9, "r:ok/f0/s1/t1 r:orphan/f0/s0/t1"),
        ("r+0 r*1 r!2 r!3", 9, "r:ok/f0/s1/t1 r:orphan/f1/s0/t1 r:orphan/f1/s0/t2"),
        // A renewal's success is written for other requests too, and ends no recovery; nor the other way round.
        ("R+0 r*9 R*20", 99, "R:ok/f0/s1/t1 r:lost/f0/s0/t1"),
        ("r+0 R+5 R*9 r*20", 99, "r:ok/f0/s1/t1 R:ok/f0/s1/t1"),
        // A recovery that cannot be signed ends in a failed renewal.
        ("r+0 R+5 r!9", 99, "r:flight/f0/s1/t1 R:failed/f1/s1/t1"),
        ("R+0 r+5 r!9", 99, "R:flight/f0/s1/t1 r:failed/f1/s1/t1"),
        ("R+0 r!9", 99, "R:failed/f1/s1/t1"),
        ("r+0 R+5 R*7 r!9", 99, "r:failed/f1/s1/t1 R:ok/f0/s1/t1"),
        ("r+0 R!9", 99, "r:flight/f0/s1/t1 R:lost/f1/s0/t1"),
        // The start comes first where the times are equal, in any order of the rows.
        ("r*7 r+7", 99, "r:ok/f0/s1/t1"),
    ] {
        assert_eq!(in_words(rows, now), attempts, "{rows}");
    }
}

#[test]
fn what_lies_before_the_rows_is_not_guessed() {
    let states = |begins| folded(script("r!1 r*2 r*3"), begins, at(9)).iter().map(|a| a.state).collect::<Vec<_>>();
    assert_eq!(states(Begins::WithinTable), [State::Undecided, State::Undecided, State::Orphan]);
    assert_eq!(states(Begins::WithTable), [State::StartNotKept, State::StartNotKept, State::Orphan]);
    let exact =
        |rows| folded(script(rows), Begins::WithinTable, at(99)).iter().map(|a| a.tries_exact).collect::<Vec<_>>();
    assert_eq!(exact("r+1 r!2 r+8 r*9 r+20 r!21"), [false, false, true]);
}

#[test]
fn infinite_times_have_a_state() {
    let patience = Patience::default();
    assert_eq!(patience.state(Family::Renewal, Instant::NEG_INFINITY, at(0)), State::Stalled);
    assert_eq!(patience.state(Family::Renewal, Instant::INFINITY, at(0)), State::InFlight);
}

/// The definition, by looking back: the place of the start of each row, over all rows of the device in order.
struct LookBack<'a>(&'a [Row]);

impl LookBack<'_> {
    /// The start that is open in the family just before row `i`: the latest one with no success of the family since.
    fn open(&self, family: Family, i: usize) -> Option<usize> {
        let before = self.0[..i].iter().enumerate().rev();
        let mut own = before.filter(|(_, r)| r.family == family && r.step != Step::Failed);
        own.next().filter(|(_, r)| r.step == Step::Started).map(|(j, _)| self.first(j))
    }
    /// The start that a start repeats, or itself.
    fn first(&self, j: usize) -> usize {
        let (row, family) = (&self.0[j], self.0[j].family);
        let Some(open) = self.open(family, j) else { return j };
        let failed = (open..j).any(|k| self.0[k].step == Step::Failed && self.start(k) == Some(open));
        let first = &self.0[open];
        let near = row.at.since(first.at).is_some_and(|gap| gap <= Span::seconds(5));
        if !failed && near && first.old_expiry == row.old_expiry { open } else { j }
    }
    /// The start that an outcome belongs to.
    fn start(&self, i: usize) -> Option<usize> {
        let row = &self.0[i];
        match row.step {
            Step::Started => Some(self.first(i)),
            Step::Succeeded => self.open(row.family, i),
            Step::Failed if row.family == Family::Recovery => self.open(Family::Recovery, i),
            Step::Failed => self.open(Family::Renewal, i).max(self.open(Family::Recovery, i)),
        }
    }
}

/// The row ids of each attempt that has a start, and those of the others.
fn by_look_back(rows: &[Row]) -> Vec<(Option<Id>, Option<Id>, u32, u32)> {
    let back = LookBack(rows);
    let mut attempts = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        match back.start(i) {
            Some(start) if start == i => {
                let of: Vec<&Row> = (i..rows.len()).filter(|k| back.start(*k) == Some(i)).map(|k| &rows[k]).collect();
                let count = |step| of.iter().filter(|r| r.step == step).count() as u32;
                let end = of.iter().rev().find(|r| r.step != Step::Started).map(|r| r.id.clone());
                attempts.push((Some(row.id.clone()), end, count(Step::Started), count(Step::Failed)));
            }
            Some(_) => {}
            None => attempts.push((None, Some(row.id.clone()), 0, u32::from(row.step == Step::Failed))),
        }
    }
    attempts.sort();
    attempts
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..3_usize, any::<bool>(), 0..3_u8, 0..40_i64, 0..3_i64);
    proptest::collection::vec(row, 0..40).prop_map(|parts| {
        let made = parts.into_iter().enumerate().map(|(n, (device, recovery, step, second, expiry))| Row {
            // Ids in no order of time.
            id: id((n * 7919) % 1000),
            device: id(2000 + device),
            family: if recovery { Family::Recovery } else { Family::Renewal },
            step: [Step::Started, Step::Succeeded, Step::Failed][usize::from(step)],
            at: at(second * 2),
            old_expiry: Some(expiry).filter(|e| *e > 0).map(at),
            new_expiry: None,
            reason: None,
            error: None,
        });
        let mut rows: Vec<Row> = made.collect();
        rows.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_fold_finds_what_looking_back_finds(rows in rows()) {
        let mut expected = Vec::new();
        for device in 0..3 {
            let mut own: Vec<Row> = rows.iter().filter(|r| r.device == id(2000 + device)).cloned().collect();
            own.sort_by(|a, b| (a.at, a.step != Step::Started, &a.id).cmp(&(b.at, b.step != Step::Started, &b.id)));
            expected.extend(by_look_back(&own));
        }
        expected.sort();
        let attempts = folded(rows, Begins::WithTable, at(10_000));
        let mut found: Vec<_> = attempts
            .iter()
            .map(|a| (a.start.as_ref().map(|m| m.id.clone()), a.end.as_ref().map(|(m, _)| m.id.clone()), a.starts, a.failures))
            .collect();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_copy_of_the_fold_goes_on_as_the_fold_does(rows in rows(), cut in 0..40_usize) {
        let (mut fold, mut done) = (Fold::new(Begins::WithTable), Vec::new());
        let cut = cut.min(rows.len());
        rows[..cut].iter().for_each(|r| fold.add(r.clone(), &mut done));
        let mut copy = fold.clone();
        rows[cut..].iter().for_each(|r| copy.add(r.clone(), &mut done));
        copy.settle(&mut done);
        done.extend(copy.open(Patience::default(), at(10_000)));
        let mut whole = folded(rows, Begins::WithTable, at(10_000));
        let order = |a: &Attempt| (a.at(), a.device.clone(), a.family, a.tries, a.end.clone().map(|(m, _)| m.id));
        done.sort_by_key(order);
        whole.sort_by_key(order);
        prop_assert_eq!(done, whole);
    }
}

/// Events of one device from a script; see [`script`].
fn events(text: &str) -> Vec<std::sync::Arc<RenewalEvent>> {
    let event = |(n, word): (usize, &str)| {
        let family = if word.starts_with('R') { "recovery" } else { "renewal" };
        let kind = match &word[1..2] {
            "+" => "start",
            "!" => "failed",
            _ => "success",
        };
        std::sync::Arc::new(RenewalEvent {
            id: id(n),
            device_id: id(99),
            org_id: None,
            kind: crate::domain::event::Kind::new(format!("{family}_{kind}")),
            reason: None,
            old_expiry: None,
            new_expiry: None,
            error: None,
            created_at: at(word[2..].parse().unwrap()),
            device: None,
            org: None,
            beyond: None,
        })
    };
    text.split(' ').enumerate().map(event).collect()
}

/// The attempts of a window in words: state, rows, and to which side more rows may change it.
fn in_window(rows: &[std::sync::Arc<RenewalEvent>], from_first: bool, to_last: bool) -> String {
    let mut window = Window::new(rows.to_vec()).unwrap();
    (window.from_first, window.to_last) = (from_first, to_last);
    let words = window.attempts(Patience::default(), at(99)).into_iter().map(|pair| {
        let sides = [(pair.needs_before, "<"), (pair.needs_after, ">")];
        let sides: String = sides.into_iter().filter(|(needs, _)| *needs).map(|(_, side)| side).collect();
        format!("{}/{}{sides}", pair.attempt.state.word(), pair.rows.len())
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_window_knows_which_rows_it_lacks() {
    for (rows, from_first, to_last, attempts) in [
        ("r+0 r*9", true, true, "succeeded/2"),
        // A success closes its attempt; how many tries there were before is not known.
        ("r+0 r*9", false, false, "succeeded/2<"),
        ("r*0 r+1 r*9", false, false, "undecided/1< succeeded/2"),
        ("r*0 r+1 r!9", true, false, "start_not_kept/1 failed/2>"),
        ("r*0 r+1 r!9", true, true, "start_not_kept/1 failed/2"),
        ("r*0 r+1 r+2 r!3 r!4", true, false, "start_not_kept/1 failed/4>"),
        ("r+0 R+5 r!9", true, false, "flight/1> failed/2>"),
        ("r+0 r+50 r*60", true, false, "superseded/1 succeeded/2"),
        ("r*0 r!9 r!10", true, false, "start_not_kept/1 orphan/1 orphan/1"),
        // A recovery that began before may be open, which a failed renewal ends.
        ("r*0 r!9 r!10", false, false, "undecided/1< undecided/1< undecided/1<"),
        ("r*0 r!9 r*10 r+11 r!12", false, false, "undecided/1< undecided/1< orphan/1< failed/2>"),
        ("r*0 r!9 R*10 r!11 r+12", false, true, "undecided/1< undecided/1< undecided/1< orphan/1< flight/1<"),
        ("R*0 r*1 r!9 r!10", false, false, "undecided/1< undecided/1< orphan/1 orphan/1"),
    ] {
        assert_eq!(in_window(&events(rows), from_first, to_last), attempts, "{rows}");
    }
}

#[test]
fn windows_with_a_common_row_are_one() {
    let rows = events("r+0 r*1 r+2 r*3 r+4 r*5 r+6 r*7");
    let window = |range: std::ops::Range<usize>, from_first, to_last| {
        let mut window = Window::new(rows[range].to_vec()).unwrap();
        (window.from_first, window.to_last) = (from_first, to_last);
        window
    };
    let joined = Window::joined(vec![window(6..8, false, true), window(2..5, false, false), window(0..3, true, false)]);
    let sizes: Vec<_> = joined.iter().map(|w| (w.rows().len(), w.from_first, w.to_last)).collect();
    assert_eq!(sizes, [(5, true, false), (2, false, true)]);
    // One within the other knows the end that they share, and no other.
    let joined =
        Window::joined(vec![window(0..8, false, false), window(4..8, false, true), window(3..5, false, false)]);
    assert_eq!(
        joined.iter().map(|w| (w.rows().len(), w.from_first, w.to_last)).collect::<Vec<_>>(),
        [(8, false, true)]
    );
    assert!(Window::new(Vec::new()).is_none());
}
