//! Background tasks: one per query in flight, one for the live tail, one for the alert's, one for the
//! survey of the filter's range, and one for the sweep of the fleet.
//!
//! The event loop of the console sends [`Order`]s and receives [`News`]. A newer query in a slot replaces the older one,
//! whose statement is canceled in the database. Nothing here knows the screen. All news go through one bounded channel:
//! a task blocks while it is full, so a flood of rows costs neither memory nor the response to keys.

mod fleet;
mod listed;
mod rest;
mod slots;
mod survey;
pub mod tail;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::domain::instant::Instant;
use crate::protocol::survey::{FleetNews, FleetOrder, SurveyNews, SurveyOrder};
use crate::protocol::tail::{ALERT, TailEvent, TailOrder};
use crate::protocol::{EventSource, Reply, Request, Slot};

/// Capacity for orders. The screen has few slots, and a new query in a slot replaces the pending one.
const ORDERS: usize = 256;

#[derive(Debug)]
pub enum Order {
    Run(Request),
    Cancel(Slot),
    Tail(TailOrder),
    Survey(SurveyOrder),
    Fleet(FleetOrder),
}

#[derive(Debug)]
pub enum News {
    Reply(Reply),
    Tail(TailEvent),
    Survey(SurveyNews),
    Fleet(FleetNews),
    /// A task has panicked: the program must end.
    Fault(String),
}

impl From<TailEvent> for News {
    fn from(event: TailEvent) -> Self {
        Self::Tail(event)
    }
}

/// Starts the tasks, and returns the sender for orders. Results arrive in `news`. Dropping the sender ends the tasks.
pub fn start<S: EventSource>(source: S, news: mpsc::Sender<News>, clock: fn() -> Instant) -> mpsc::Sender<Order> {
    let (orders, inbox) = mpsc::channel(ORDERS);
    tokio::spawn(serve(source, inbox, news, clock));
    orders
}

async fn serve<S: EventSource>(
    source: S,
    mut inbox: mpsc::Receiver<Order>,
    news: mpsc::Sender<News>,
    clock: fn() -> Instant,
) {
    let mut tasks = JoinSet::new();
    let mut slots = slots::Slots::default();
    let (tail_orders, tail_inbox) = tokio::sync::watch::channel(None);
    tasks.spawn(tail::run(source.clone(), tail_inbox, news.clone(), clock));
    let (alert_orders, alert_inbox) = tokio::sync::watch::channel(None);
    tasks.spawn(tail::run(source.clone(), alert_inbox, news.clone(), clock));
    let (survey_orders, survey_inbox) = tokio::sync::watch::channel(None);
    tasks.spawn(survey::run(source.clone(), survey_inbox, news.clone(), clock));
    let (fleet_orders, fleet_inbox) = tokio::sync::watch::channel(None);
    tasks.spawn(fleet::run(source.clone(), fleet_inbox, news.clone(), clock));
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                None => return,
                Some(Order::Run(request)) => slots.run(&mut tasks, source.clone(), request, news.clone()),
                Some(Order::Cancel(slot)) => slots.cancel(slot),
                // Only the newest order matters; a watch channel holds exactly that.
                Some(Order::Tail(order)) if order.generation == ALERT => drop(alert_orders.send(Some(order))),
                Some(Order::Tail(order)) => drop(tail_orders.send(Some(order))),
                Some(Order::Survey(order)) => drop(survey_orders.send(Some(order))),
                Some(Order::Fleet(order)) => drop(fleet_orders.send(Some(order))),
            },
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    // An error means that the receiver is gone, and with it the program.
                    let _ = news.send(News::Fault("a task of the program panicked".into())).await;
                }
            }
        }
    }
}
