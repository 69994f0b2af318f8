//! The orders of the background tasks: which range is surveyed, and which devices are listed.
//!
//! The survey follows the filter; of a filter without a beginning it takes the last 24 hours. The fleet is swept under every
//! filter; the order names the lines that the view on screen shows.

use crate::domain::fleet::Selection;
use crate::domain::instant::{Instant, Span};
use crate::protocol::survey::{FleetNews, FleetOrder, SurveyNews, SurveyOrder};
use crate::ui::effect::Effect;

use super::Model;

/// The range that is surveyed where the filter has no beginning.
const RANGE: Span = Span::days(1);
/// The range is surveyed anew this often at most: its beginning moves on, and rows can be later than the survey looks back.
const AGAIN: Span = Span::minutes(5);

/// What was ordered last.
#[derive(Clone, Debug, Default)]
pub struct Background {
    survey: Option<SurveyOrder>,
    fleet: Option<FleetOrder>,
    /// When the range is surveyed anew, UTC.
    due: Option<Instant>,
    /// Rows that the survey may read: more, once the user wants them.
    most: Option<u64>,
}

impl Model {
    /// Surveys the range of the filter. With `anew`, what is known of another range is dropped; else it stays on screen
    /// until the survey is whole again.
    pub(super) fn survey(&mut self, anew: bool, effects: &mut Vec<Effect>) {
        let bounds = self.ctx.filter.bounds(self.ctx.as_of, &self.ctx.zone);
        let until = bounds.until.filter(|until| *until <= self.ctx.as_of);
        let end = until.unwrap_or(self.ctx.as_of);
        let from = bounds.from.unwrap_or_else(|| end.minus(RANGE));
        if anew {
            self.ctx.known.survey.clear();
            self.background.most = None;
        }
        let order = SurveyOrder {
            generation: self.ctx.known.survey.renew(),
            criteria: self.criteria(),
            from: Some(from),
            until,
            most: self.background.most.unwrap_or(SurveyOrder::MOST),
            patience: self.settings.patience,
        };
        let hundredth = end.since(from).map_or(Span(0), |range| Span(range.0 / 100));
        self.background.due = Some(self.ctx.now.plus(AGAIN.max(hundredth)));
        self.background.survey = Some(order.clone());
        effects.push(Effect::Survey(order));
    }

    /// Lets the survey read four times as many rows, where the range has more than it may read.
    pub(super) fn survey_more(&mut self, effects: &mut Vec<Effect>) {
        if self.ctx.known.survey.value().is_none_or(|found| found.reach.cut.is_none()) {
            return self.say("the whole range is counted, or is being read");
        }
        self.background.most = Some(self.background.most.unwrap_or(SurveyOrder::MOST).saturating_mul(4));
        self.survey(false, effects);
        self.say("reading the range again, four times as many rows");
    }

    /// Surveys the range again if it is time.
    pub(super) fn survey_again(&mut self, effects: &mut Vec<Effect>) {
        let open = self.background.survey.as_ref().is_some_and(|order| order.until.is_none());
        if open && self.background.due.is_some_and(|due| due <= self.ctx.now) {
            self.survey(false, effects);
        }
    }

    /// Orders the lines of the fleet that the view on screen wants, unless they are ordered already. The numbers of other
    /// devices than the filter selects are dropped.
    pub(super) fn order_fleet(&mut self, effects: &mut Vec<Effect>) {
        let wish = self.views.fleet_wish();
        let (selection, _) = Selection::of(&self.criteria());
        let mut order = FleetOrder {
            generation: self.ctx.known.fleet.generation,
            selection,
            states: wish.states,
            order: wish.order,
            from: wish.from,
            lines: wish.lines,
            these: wish.these,
            policy: self.settings.policy,
            patience: self.settings.patience,
        };
        if self.background.fleet.as_ref() == Some(&order) {
            return;
        }
        if self.background.fleet.as_ref().is_some_and(|old| old.selection != order.selection) {
            self.ctx.known.fleet.clear();
        }
        order.generation = self.ctx.known.fleet.renew();
        self.background.fleet = Some(order.clone());
        effects.push(Effect::Fleet(order));
    }

    /// Takes news of the survey. While a range is surveyed again, the whole report stays until the next one.
    pub(super) fn surveyed(&mut self, news: SurveyNews) {
        let known = &mut self.ctx.known.survey;
        if news.generation != known.generation {
            return;
        }
        let partial = news.outcome.as_ref().is_ok_and(|found| !found.reach.whole);
        if partial && known.is_stale() && known.value().is_some() {
            return;
        }
        known.take(news.outcome);
        self.views.known(&self.ctx);
    }

    /// Takes news of the fleet.
    pub(super) fn fleet_news(&mut self, news: FleetNews) {
        if news.generation == self.ctx.known.fleet.generation {
            if let Ok(view) = &news.outcome {
                self.ctx.known.keep(view);
            }
            self.ctx.known.fleet.take(news.outcome);
            self.views.known(&self.ctx);
        }
    }
}
