//! The console's loop: keys first, then signals, a frame when one is due, news from the tasks, the clock.
//!
//! [`run`] is called by `headless/commands/console.rs`. The loop performs the model's effects; it decides nothing itself
//! and never waits for a query.

use std::io::{self, IsTerminal, stdout};
use std::time::Duration;

use crossterm::event::Event;
use ratatui::Terminal;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant as Deadline, sleep_until};

use crate::console::Model;
use crate::console::msg::Msg;
use crate::console::settings::Start;
use crate::domain::filter::Filter;
use crate::protocol::EventSource;
use crate::ui::effect::Effect;
use crate::ui::skin::Skin;
use crate::worker::{self, News, Order};

use super::clock;
use super::input::Input;
use super::memory::Memory;
use super::screen::{self, Outbox, Screen};
use super::signals::{Signal, Signals};
use super::terminal;

/// News that wait while keys and frames are served; a full channel makes the tasks wait.
const NEWS: usize = 64;
/// The shortest time between two frames that news cause, so that a flood of news leaves time to draw.
const FRAME: Duration = Duration::from_millis(16);
/// Frames that are drawn without delay after an idle time, so that the first rows appear at once.
const AT_ONCE: u32 = 3;
/// The time between two updates of relative times.
const TICK: Duration = Duration::from_secs(1);
/// The most events of the terminal that one frame shows together.
const EVENTS: usize = 256;

/// Why the console could not start or had to end. Its messages say what to do.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// Standard input or standard output is no terminal.
    #[error("the console needs a terminal; without one use 'renewscope list', 'count' or 'export'")]
    NoTerminal,
    /// The terminal says that it moves no cursor.
    #[error("the console cannot draw on this terminal, TERM is 'dumb'; use 'renewscope list', 'count' or 'tail'")]
    Dumb,
    /// Reading from the terminal or writing to it failed.
    #[error("lost the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// A task or a part of the screen panicked, or the tasks ended early.
    #[error("{0}; this is a bug in renewscope")]
    Fault(String),
}

/// Why the console ended.
#[derive(Clone, PartialEq, Debug)]
pub enum End {
    /// The user quit.
    Quit,
    /// The user quit before any query had an answer.
    Unanswered,
    /// A signal, by its number. SIGHUP, SIGINT or SIGTERM.
    Signal(i32),
    /// The user switches to another named database, with the current filter.
    Open(String, Filter),
}

/// Runs the console on `source` until the user quits or a signal ends it. The terminal is restored in any case. Fails
/// without a terminal before anything is drawn.
pub async fn run<S: EventSource>(source: S, mut start: Start, skin: Skin, memory: Memory) -> Result<End, ConsoleError> {
    if !stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(ConsoleError::NoTerminal);
    }
    start.size = screen::size()?.into();
    let (news, inbox) = mpsc::channel(NEWS);
    let orders = worker::start(source, news, clock::now);

    let (model, effects) = Model::new(start, clock::now());
    terminal::install_panic_hook();
    terminal::enter()?;
    let _guard = terminal::Guard;
    let outbox = Outbox::start()?;
    let screen = screen::new(&outbox)?;
    let next_frame = idle(Deadline::now());
    let mut console = Console { model, skin, memory, outbox, screen, orders, dirty: true, end: None, next_frame };
    for effect in effects {
        console.perform(effect).await;
    }
    console.serve(inbox).await
}

/// When the next frame was due if none has been drawn for a long time.
fn idle(now: Deadline) -> Deadline {
    now.checked_sub(FRAME * AT_ONCE).unwrap_or(now)
}

/// The running console: the model, and the world that its effects act on.
struct Console {
    model: Model,
    skin: Skin,
    /// Remembered filters and columns.
    memory: Memory,
    /// Frames on their way to the terminal.
    outbox: Outbox,
    screen: Terminal<Screen>,
    /// To the tasks that run the queries.
    orders: mpsc::Sender<Order>,
    /// The model has changed since the last frame.
    dirty: bool,
    /// Set once: the loop ends after the current message.
    end: Option<End>,
    /// The earliest time of the next frame that news cause.
    next_frame: Deadline,
}

/// Waits until a frame may be drawn: not too soon after the last one, and not while that is still being written.
async fn frame_due(outbox: &Outbox, next_frame: Deadline) {
    sleep_until(next_frame).await;
    outbox.idle().await;
}

/// What the loop woke up for.
enum Wake {
    Events(io::Result<Vec<Event>>),
    Signal(Signal),
    /// The next frame is due.
    Frame,
    /// A message of a task; `None` when all tasks have ended.
    News(Option<News>),
    /// A second has passed.
    Tick,
}

impl Console {
    /// Runs until an effect or a signal sets the end, or an error ends it.
    async fn serve(&mut self, mut inbox: mpsc::Receiver<News>) -> Result<End, ConsoleError> {
        let mut signals = Signals::new()?;
        let outbox = self.outbox.clone();
        let mut input = Input::start()?;
        let mut tick = Deadline::now() + TICK;
        self.draw()?;
        while self.end.is_none() {
            let wake = tokio::select! {
                biased;
                events = input.next() => Wake::Events(events),
                signal = signals.next() => Wake::Signal(signal),
                () = frame_due(&outbox, self.next_frame), if self.dirty => Wake::Frame,
                news = inbox.recv() => Wake::News(news),
                () = sleep_until(tick) => Wake::Tick,
            };
            if terminal::has_panicked() {
                return Err(ConsoleError::Fault("a part of the program panicked".into()));
            }
            match wake {
                Wake::Events(events) => {
                    if self.events(events?, &mut input).await? {
                        drop(input);
                        self.suspend()?;
                        input = Input::start()?;
                    }
                    self.draw()?;
                }
                Wake::Signal(Signal::End(number)) => self.end = Some(End::Signal(number)),
                Wake::Signal(Signal::Stop) => {
                    drop(input);
                    self.suspend()?;
                    input = Input::start()?;
                }
                Wake::Signal(Signal::Continue) => self.resume()?,
                Wake::Signal(Signal::Resize) => {
                    let (width, height) = screen::size()?.into();
                    self.update(Msg::Resize { width, height }).await;
                    self.draw()?;
                }
                Wake::Frame => self.draw()?,
                Wake::News(Some(News::Reply(reply))) => self.update(Msg::Reply(reply)).await,
                Wake::News(Some(News::Tail(event))) => self.update(Msg::Tail(event)).await,
                Wake::News(Some(News::Survey(news))) => self.update(Msg::Survey(news)).await,
                Wake::News(Some(News::Fleet(news))) => self.update(Msg::Fleet(news)).await,
                Wake::News(Some(News::Fault(words))) => return Err(ConsoleError::Fault(words)),
                Wake::News(None) => return Err(ConsoleError::Fault("the tasks have ended".into())),
                Wake::Tick => {
                    tick = Deadline::now() + TICK;
                    let effects = self.model.update(Msg::Tick(clock::now()));
                    // A tick redraws only a screen that shows relative times.
                    self.dirty |= self.model.has_aged();
                    for effect in effects {
                        self.perform(effect).await;
                    }
                }
            }
        }
        Ok(self.end.take().unwrap_or(End::Quit))
    }

    /// Handles events, with those that have come meanwhile: they share a frame, so that a held key does not fall behind.
    /// Returns whether the user suspends the program; what was typed after that is dropped.
    async fn events(&mut self, first: Vec<Event>, input: &mut Input) -> io::Result<bool> {
        let (mut events, mut handled) = (first, 0);
        loop {
            handled += events.len();
            for event in events {
                if self.end.is_some() || self.event(event).await {
                    return Ok(self.end.is_none());
                }
            }
            match input.ready().filter(|_| handled < EVENTS) {
                Some(more) => events = more?,
                None => return Ok(false),
            }
        }
    }

    /// Handles a terminal event; returns whether the user suspends the program.
    async fn event(&mut self, event: Event) -> bool {
        let msg = match event {
            Event::Key(key) => Msg::Key(key),
            Event::Paste(text) => Msg::Paste(text),
            _ => return false,
        };
        let effects = self.model.update(msg);
        self.dirty = true;
        let mut suspend = false;
        for effect in effects {
            suspend |= effect == Effect::Suspend;
            self.perform(effect).await;
        }
        suspend
    }

    /// Gives a message to the model and performs its effects.
    async fn update(&mut self, msg: Msg) {
        let effects = self.model.update(msg);
        self.dirty = true;
        for effect in effects {
            self.perform(effect).await;
        }
    }

    /// Performs one effect. Failures of the clipboard, the alert and the memory are ignored.
    async fn perform(&mut self, effect: Effect) {
        let order = match effect {
            Effect::Send(request) => Order::Run(request),
            Effect::Cancel(slot) => Order::Cancel(slot),
            Effect::Tail(order) => Order::Tail(order),
            Effect::Survey(order) => Order::Survey(order),
            Effect::Fleet(order) => Order::Fleet(order),
            Effect::Copy(text) => {
                // The terminal does not confirm it.
                let copy = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text.as_str());
                let _ = crossterm::queue!(self.outbox, copy);
                return;
            }
            Effect::Alert(means, words) => {
                self.outbox.push(means.sign(&words).as_bytes());
                self.dirty = true;
                return;
            }
            Effect::Remember(filter) => return self.memory.remember(&filter),
            Effect::KeepColumns(names) => return self.memory.keep_columns(&names),
            Effect::Open(name) => {
                self.end = Some(End::Open(name, self.model.ctx.filter.clone()));
                return;
            }
            Effect::Suspend => return,
            Effect::Quit => {
                self.end = Some(if self.model.was_answered() { End::Quit } else { End::Unanswered });
                return;
            }
        };
        // The tasks end only after this sender is dropped; the inbox reports an early end.
        let _ = self.orders.send(order).await;
    }

    /// Draws a frame and sets the earliest time of the next one.
    fn draw(&mut self) -> io::Result<()> {
        self.dirty = !self.outbox.is_idle();
        if self.dirty {
            return Ok(());
        }
        let now = Deadline::now();
        self.next_frame = self.next_frame.max(idle(now)) + FRAME;
        let (model, skin) = (&self.model, &self.skin);
        self.screen.draw(|frame| crate::console::draw::view(model, skin, frame))?;
        self.outbox.send()
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when it continues.
    fn suspend(&mut self) -> io::Result<()> {
        self.outbox.settle();
        terminal::restore();
        super::signals::stop_here();
        self.resume()
    }

    /// Takes over the terminal again after a stop: its modes and its screen may have changed.
    fn resume(&mut self) -> io::Result<()> {
        self.outbox.settle();
        terminal::restore();
        terminal::enter()?;
        let (width, height) = screen::size()?.into();
        let effects = self.model.update(Msg::Resize { width, height });
        debug_assert!(effects.iter().all(|e| matches!(e, Effect::Send(_))));
        for effect in effects {
            if let Effect::Send(request) = effect {
                // The channel has room: the worker took orders while this thread was stopped.
                let _ = self.orders.try_send(Order::Run(request));
            }
        }
        self.screen = screen::new(&self.outbox)?;
        // The old screen, dropped, shows its cursor.
        self.outbox.settle();
        self.draw()
    }
}
