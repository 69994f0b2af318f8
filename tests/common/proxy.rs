//! A network that can fail: a TCP port before a server's socket that passes, falls silent, forgets or cuts connections,
//! and can be pointed to another server.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the network does, by the number of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Rule {
    silent: bool,
    /// Connections before this one are silent for good.
    forgotten: u64,
    /// Connections before this one are cut.
    cut: u64,
    /// The number that the next connection gets.
    next: u64,
}

pub struct Proxy {
    pub port: u16,
    rule: watch::Sender<Rule>,
    target: Arc<Mutex<PathBuf>>,
}

impl Proxy {
    /// Before the server with this socket.
    pub fn before(socket: PathBuf) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (rule, _) = watch::channel(Rule::default());
        let target = Arc::new(Mutex::new(socket));
        let (rules, place) = (rule.clone(), Arc::clone(&target));
        // A separate runtime: the network must not stand still when a test's does.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    let mut id = 0;
                    rules.send_modify(|rule| {
                        id = rule.next;
                        rule.next += 1;
                    });
                    let target = place.lock().unwrap().clone();
                    tokio::spawn(serve(client, target, id, rules.subscribe()));
                }
            });
        });
        Self { port, rule, target }
    }

    /// An address through it, without TLS.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Nothing passes any more, in either direction, and neither side is notified.
    pub fn silence(&self) {
        self.rule.send_modify(|rule| rule.silent = true);
    }

    /// The connections there are stay silent for good, as behind a gateway that forgot them; new ones pass.
    pub fn forget(&self) {
        self.rule.send_modify(|rule| {
            rule.silent = false;
            rule.forgotten = rule.next;
        });
    }

    /// What was held back goes on its way.
    pub fn heal(&self) {
        self.rule.send_modify(|rule| rule.silent = false);
    }

    /// The connections there are end with a reset.
    pub fn cut(&self) {
        self.rule.send_modify(|rule| rule.cut = rule.next);
    }

    /// New connections go to another server.
    pub fn point_to(&self, socket: PathBuf) {
        *self.target.lock().unwrap() = socket;
    }

    /// How many connections were ever made.
    pub fn connections(&self) -> u64 {
        self.rule.borrow().next
    }
}

async fn serve(client: TcpStream, target: PathBuf, id: u64, rules: watch::Receiver<Rule>) {
    // Closed without this, a connection ends in order; with it, by a reset.
    client.set_zero_linger().unwrap();
    let work = async {
        passes(id, rules.clone()).await;
        let Ok(server) = UnixStream::connect(target).await else { return };
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::select! {
            () = pump(&mut from_client, &mut to_server, id, rules.clone()) => {}
            () = pump(&mut from_server, &mut to_client, id, rules.clone()) => {}
        }
    };
    let mut cut = rules.clone();
    tokio::select! {
        () = work => {}
        // An error: the test is over.
        _ = cut.wait_for(|rule| id < rule.cut) => {}
    }
}

async fn passes(id: u64, mut rules: watch::Receiver<Rule>) {
    let _ = rules.wait_for(|rule| !rule.silent && id >= rule.forgotten).await;
}

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    id: u64,
    rules: watch::Receiver<Rule>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        // The end is held back as the bytes are.
        passes(id, rules.clone()).await;
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
