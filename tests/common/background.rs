//! What the background tasks report, computed plainly from all rows of a source in memory.

use std::sync::Arc;

use renewscope::domain::attempt::{Begins, Fold, Patience, Row};
use renewscope::domain::event::{Id, Outcome};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::Check;
use renewscope::domain::fleet::{Fleet, Member};
use renewscope::domain::instant::Instant;
use renewscope::domain::survey::{LookBack, Survey, SurveyRange};
use renewscope::protocol::fleet::FleetQuery;
use renewscope::protocol::survey::{FleetOrder, FleetView, Listed, Reach, SurveyOrder, Surveyed};
use renewscope::protocol::{Answer, Query, SourceError};

use super::memory::Memory;

/// The whole fleet, as an order wants it at `now`.
pub fn fleet(memory: &Memory, order: &FleetOrder, now: Instant) -> Result<Arc<FleetView>, SourceError> {
    let sweep = Query::Fleet(FleetQuery::Sweep { after: None, limit: u32::MAX });
    let Answer::Fleet(found) = memory.evaluate(&sweep)? else { panic!("a fleet") };
    let mut fleet = Fleet::default();
    for device in found.devices {
        Member::of(device.name, device.org, &device.rows, device.complete).into_iter().for_each(|m| fleet.insert(m));
    }
    fleet.learn();
    let lines = fleet.lines(&order.listed(), order.order, now);
    let these = order.these.iter().filter_map(|id| fleet.get(id)).map(|member| fleet.line(member, now));
    Ok(Arc::new(FleetView {
        these: these.collect(),
        from: order.from,
        total: lines.len(),
        summary: fleet.summary(&order.selection, now),
        read: fleet.len() as u64,
        whole: true,
        as_of: now,
        lines: lines.into_iter().skip(order.from).take(order.lines).collect(),
    }))
}

/// The whole survey of an order at `now`.
pub fn survey(memory: &Memory, order: &SurveyOrder, now: Instant) -> Result<Arc<Surveyed>, SourceError> {
    // A source that fails fails here too.
    memory.evaluate(&Query::Count { criteria: Criteria::default(), ceiling: None })?;
    let of_device = |check: &Check| matches!(check, Check::Org(_) | Check::Device(_));
    let mut read = order.criteria.clone();
    read.all.retain(|clause| of_device(&clause.check));
    let mut rows = memory.matching(&read);
    rows.reverse();
    let begins = if order.from.is_some() { Begins::WithinTable } else { Begins::WithTable };
    let mut survey = Survey::new(SurveyRange { from: order.from, until: order.until, now, begins });
    let (mut look_back, mut fold, mut done) = (LookBack::default(), Fold::new(begins), Vec::new());
    let within = |at: Instant| order.from.is_none_or(|from| at >= from) && order.until.is_none_or(|until| at < until);
    for row in &rows {
        // The range ends at its end: an outcome behind it does not count.
        if order.until.is_some_and(|until| row.created_at >= until) {
            continue;
        }
        let counts = row.outcome() != Outcome::Failed || order.criteria.matches(row);
        if order.from.is_some_and(|from| row.created_at < from) {
            look_back.add(row);
        }
        if order.from.is_some_and(|from| row.created_at < from.minus(order.patience.recovery)) {
            continue;
        }
        if counts {
            survey.add(row)
        } else {
            survey.add_other(row)
        }
        Row::of(row, row.error.as_ref().and_then(|e| e.sig())).into_iter().for_each(|row| fold.add(row, &mut done));
    }
    fold.settle(&mut done);
    done.extend(fold.open(Patience::default(), order.until.map_or(now, |until| until.min(now))));
    let matches = |id: &Id| rows.iter().any(|row| row.id == *id && order.criteria.matches(row));
    done.retain(|a| {
        let marks = || a.start.iter().chain(a.end.iter().map(|(mark, _)| mark));
        marks().any(|mark| within(mark.at)) && marks().any(|mark| matches(&mark.id))
    });
    done.sort_by_cached_key(|a| std::cmp::Reverse((a.at(), a.device.clone())));
    let error = |id: &Id| rows.iter().find(|row| row.id == *id)?.error.as_ref().map(|error| error.text.clone());
    let listed = done
        .into_iter()
        .map(|attempt| Listed { error: attempt.end.as_ref().and_then(|(mark, _)| error(&mark.id)), attempt });
    Ok(Arc::new(Surveyed {
        report: survey.report(now, order.patience),
        attempts: listed.collect(),
        look_back: Some(Arc::new(look_back)),
        reach: Reach { part: Some(1.0), whole: true, cut: None },
        as_of: now,
    }))
}
