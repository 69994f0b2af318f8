//! The live model under any order of pages, polls of the tail, filter changes, pauses and ticks: once nothing is pending it shows what the
//! database holds, each row once, and counts as new only what was committed after the start.

use std::collections::HashSet;

use proptest::prelude::*;
use renewscope::console::msg::Msg;
use renewscope::domain::event::Id;
use renewscope::domain::instant::Span;
use renewscope::domain::page::Total;
use renewscope::protocol::Reply;
use renewscope::protocol::tail::{ALERT, Batch, TailEvent, TailNews, TailOrder};
use renewscope::ui::effect::Effect;

use super::common::console::Console;
use super::common::fleet::{event, fleet};
use super::common::memory::Memory;

/// How far back a new order of the tail reads.
const OVERLAP: Span = Span::minutes(10);

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    /// A row of that type is committed, dated so many seconds before now.
    Commit(&'static str, u8),
    /// The tail polls.
    Poll,
    /// The database answers one of the queries in flight.
    Answer(usize),
    /// The database reads for all queries in flight, but its replies come only with the next of these steps.
    Read,
    Tick(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop::sample::select(vec!["!", "2", "0", "3", "Space", "j", "k", "g", "G", "r", "X", "f"]);
    let kind = prop::sample::select(vec!["renewal_failed", "renewal_success", "renewal_start"]);
    let step = prop_oneof![
        4 => key.prop_map(Step::Key),
        4 => (kind, 0_u8..40).prop_map(|(kind, age)| Step::Commit(kind, age)),
        4 => Just(Step::Poll),
        6 => (0_usize..8).prop_map(Step::Answer),
        2 => Just(Step::Read),
        3 => (1_u8..30).prop_map(Step::Tick),
    ];
    prop::collection::vec(step, 1..60)
}

/// The console, and the world around it.
struct World {
    console: Console,
    /// The order in force, and the rows that it has delivered; none before its first poll.
    order: Option<(TailOrder, Option<HashSet<Id>>)>,
    replies: Vec<Reply>,
    committed: HashSet<Id>,
    next: u128,
}

impl World {
    fn new() -> Self {
        let console = Console::new(Memory::new(fleet()), (120, 40));
        let mut world = Self { console, order: None, replies: Vec::new(), committed: HashSet::new(), next: 50_000 };
        world.take_orders();
        world.console.hold = true;
        world
    }

    fn take_orders(&mut self) {
        for effect in std::mem::take(&mut self.console.effects) {
            match effect {
                Effect::Tail(order) if order.generation != ALERT => self.order = Some((order, None)),
                _ => {}
            }
        }
    }

    fn poll(&mut self) {
        let Some((order, delivered)) = &mut self.order else { return };
        let now = self.console.model.ctx.now;
        let mut rows = self.console.memory.matching(&order.criteria);
        rows.retain(|row| {
            row.created_at.plus(OVERLAP) > now && delivered.as_ref().is_none_or(|d| !d.contains(&row.id))
        });
        let newest = self.console.memory.matching(&order.criteria).iter().map(|r| r.created_at).max();
        let late = rows.iter().filter(|row| Some(row.created_at) < newest).count() as u64;
        delivered.get_or_insert_default().extend(rows.iter().map(|row| row.id.clone()));
        let news = TailNews::Batch(Batch { rows, late, ..Batch::default() });
        let generation = order.generation;
        self.console.send(Msg::Tail(TailEvent { generation, news }));
    }

    fn answer(&mut self, at: usize) {
        if self.console.pending.is_empty() {
            return;
        }
        let request = self.console.pending.remove(at % self.console.pending.len());
        let outcome = self.console.memory.evaluate(&request.query);
        self.console.send(Msg::Reply(Reply { ticket: request.ticket, outcome }));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Key(key) => drop(self.console.keys(key)),
            Step::Commit(kind, age) => {
                self.next += 1;
                let mut row = event(self.next, kind, "acme", "edge-1", Span::seconds(0));
                row.created_at = self.console.model.ctx.now.minus(Span::seconds(i64::from(*age)));
                self.committed.insert(row.id.clone());
                self.console.memory.add(vec![row]);
            }
            Step::Poll => self.poll(),
            Step::Answer(at) => self.answer(*at),
            Step::Read => {
                for reply in std::mem::take(&mut self.replies) {
                    self.console.send(Msg::Reply(reply));
                }
                let memory = &self.console.memory;
                let read = self.console.pending.drain(..);
                self.replies = read.map(|r| Reply { ticket: r.ticket, outcome: memory.evaluate(&r.query) }).collect();
            }
            Step::Tick(seconds) => self.console.wait(Span::seconds(i64::from(*seconds))),
        }
        self.take_orders();
    }

    /// Lets everything come to rest: nothing paused, nothing in flight, two rounds of the slowest clock.
    fn rest(&mut self) {
        for reply in std::mem::take(&mut self.replies) {
            self.console.send(Msg::Reply(reply));
        }
        self.take_orders();
        if self.console.model.tail.paused {
            self.step(&Step::Key("Space"));
        }
        self.step(&Step::Key("g"));
        for _ in 0..4 {
            while !self.console.pending.is_empty() {
                self.answer(0);
                self.take_orders();
            }
            self.poll();
            self.console.wait(Span::seconds(61));
            self.take_orders();
        }
        while !self.console.pending.is_empty() {
            self.answer(0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn at_rest_the_screen_is_the_filter_over_the_database(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            for (id, _) in world.console.events().list.marked() {
                prop_assert!(world.committed.contains(id), "marked, but there before the start: {steps:?}");
            }
            prop_assert!(world.console.model.tail.late <= world.committed.len() as u64);
            let rows = world.console.events().list.rows();
            let ids: HashSet<_> = rows.iter().map(|r| &r.id).collect();
            prop_assert_eq!(ids.len(), rows.len(), "a row stands twice");
        }
        world.rest();
        let console = &world.console;
        let criteria = console.model.criteria();
        let expected = console.memory.matching(&criteria);
        let events = console.events();
        let shown: Vec<_> = events.list.rows().iter().map(|r| r.id.clone()).collect();
        let wanted: Vec<_> = expected.iter().take(shown.len().max(1)).map(|r| r.id.clone()).collect();
        prop_assert!(shown == wanted, "{} shown, {} expected", shown.len(), expected.len());
        prop_assert!(shown.len() == expected.len() || shown.len() >= 200, "{} of {}", shown.len(), expected.len());
        let total = expected.len() as u64;
        prop_assert_eq!(events.count.value(), Some(&Total::Exact(total)));
        prop_assert_eq!(events.bars.total().zip(events.outside_bars()).map(|(n, outside)| n + outside), Some(total));
        prop_assert_eq!(events.outside_bars(), Some(0));
        prop_assert!(events.list.is_following());
    }
}
