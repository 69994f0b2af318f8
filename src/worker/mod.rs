//! Tasks: one for each live question, one for the tail.
//!
//! A newer question in a slot replaces the older one, which is stopped in the database too. Nothing here knows the
//! screen; what it finds goes into one bounded channel, and a task whose news do not fit waits there, so that a
//! flood costs neither memory nor keys.

mod slots;
pub mod tail;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::domain::instant::Instant;
use crate::protocol::tail::{TailEvent, TailOrder};
use crate::protocol::{EventSource, Reply, Request, Slot};

/// Room for orders; the screen has few slots and drops what it no longer wants by asking anew.
const ORDERS: usize = 256;

#[derive(Debug)]
pub enum Order {
    Ask(Request),
    Cancel(Slot),
    Tail(TailOrder),
}

#[derive(Debug)]
pub enum News {
    Reply(Reply),
    Tail(TailEvent),
    /// A task has panicked: the program must end.
    Fault(String),
}

impl From<TailEvent> for News {
    fn from(event: TailEvent) -> Self {
        Self::Tail(event)
    }
}

/// Starts the tasks; orders go in by the sender, news come out by `news`. They end when the sender is dropped.
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
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                None => return,
                Some(Order::Ask(request)) => slots.ask(&mut tasks, source.clone(), request, news.clone()),
                Some(Order::Cancel(slot)) => slots.cancel(slot),
                // Only the newest order matters; a watch keeps just that.
                Some(Order::Tail(order)) => drop(tail_orders.send(Some(order))),
            },
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    // Nobody is left to tell when the receiver is gone.
                    let _ = news.send(News::Fault("a task of the program panicked".into())).await;
                }
            }
        }
    }
}
