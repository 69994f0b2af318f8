//! The screen that ratatui draws on. Frames are written by a separate thread: a terminal that no longer reads must not
//! stop the loop, which still has to serve keys and signals.
//!
//! The console's loop draws a frame into the [`Outbox`] and sends it when the one before is written; a terminal that
//! reads slowly gets fewer frames, never a queue of old ones. No query of the terminal is written here: the reply may
//! never come.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use tokio::sync::Notify;

use super::terminal;

/// The largest screen that is drawn, in cells. A terminal can claim 65,535 in each direction, which is no screen but
/// 200 GB of cells.
const LARGEST: Size = Size { width: 1000, height: 500 };

/// The size of the terminal, as far as it is drawn.
pub fn size() -> io::Result<Size> {
    let (width, height) = crossterm::terminal::size()?;
    Ok(Size { width: width.min(LARGEST.width), height: height.min(LARGEST.height) })
}

/// A new screen, which draws all of itself with the first frame.
pub fn new(outbox: &Outbox) -> io::Result<Terminal<Screen>> {
    Terminal::new(Screen(CrosstermBackend::new(outbox.clone())))
}

/// What is to be written to the terminal, and the thread that writes it. Clones share both.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

/// The parts of the outbox that clones share.
struct Shared {
    /// The frame under construction.
    buffer: Mutex<Vec<u8>>,
    /// To the writing thread.
    sender: SyncSender<Vec<u8>>,
    writing: Arc<Writing>,
}

/// The state of the writing thread.
struct Writing {
    /// A frame is being written.
    busy: AtomicBool,
    /// Notified after each frame.
    done: Notify,
    /// The error of a write, for the next call of [`Outbox::send`].
    error: Mutex<Option<io::Error>>,
}

/// Locks; a panic elsewhere must not stop the screen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outbox {
    /// Starts the thread that writes to stdout. It ends with the last clone, or with the program.
    pub fn start() -> io::Result<Self> {
        let mut file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let writing = Arc::new(Writing { busy: AtomicBool::new(false), done: Notify::new(), error: Mutex::new(None) });
        // One frame at most is in flight, so that a full channel means a bug and not a slow terminal.
        let (sender, frames) = sync_channel::<Vec<u8>>(1);
        let state = Arc::clone(&writing);
        thread::Builder::new().name("screen".to_owned()).spawn(move || {
            for frame in frames {
                let written = terminal::with_screen(|| file.write_all(&frame));
                if let Err(error) = written {
                    lock(&state.error).get_or_insert(error);
                }
                state.busy.store(false, Ordering::Release);
                state.done.notify_one();
            }
        })?;
        Ok(Self(Arc::new(Shared { buffer: Mutex::default(), sender, writing })))
    }

    /// Whether the last frame is written.
    pub fn is_idle(&self) -> bool {
        !self.0.writing.busy.load(Ordering::Acquire)
    }

    /// Waits until the last frame is written.
    pub async fn idle(&self) {
        while !self.is_idle() {
            self.0.writing.done.notified().await;
        }
    }

    /// Adds bytes that go out with the next frame, such as a bell.
    pub fn push(&self, bytes: &[u8]) {
        lock(&self.0.buffer).extend_from_slice(bytes);
    }

    /// Sends what was drawn, unless a frame is still being written. An error is that of an earlier write.
    pub fn send(&self) -> io::Result<()> {
        if let Some(error) = lock(&self.0.writing.error).take() {
            return Err(error);
        }
        if !self.is_idle() {
            return Ok(());
        }
        let frame = std::mem::take(&mut *lock(&self.0.buffer));
        if frame.is_empty() {
            return Ok(());
        }
        self.0.writing.busy.store(true, Ordering::Release);
        match self.0.sender.try_send(frame) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits, not for long, until the last frame is written, and drops what was drawn since: the terminal is taken over
    /// anew, and an old frame must not come after the new one.
    pub fn settle(&self) {
        let deadline = Instant::now() + terminal::PATIENCE;
        while !self.is_idle() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        lock(&self.0.buffer).clear();
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }
    /// The loop decides when a frame goes out.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The backend of crossterm, without queries and not larger than [`LARGEST`].
pub struct Screen(CrosstermBackend<Outbox>);

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.0.draw(content)
    }
    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }
    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }
    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }
    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.0.clear_region(clear_type)
    }
    fn size(&self) -> io::Result<Size> {
        size()
    }
    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: size()?, pixels: Size::ZERO })
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
