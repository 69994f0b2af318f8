//! A Unix socket of this process that forwards to a numeric address.
//!
//! `hostaddr` says where to connect, and `host` whose certificate to expect; sqlx takes one of them for both. It verifies
//! the host's name on a socket too, so it connects to this one. TLS runs between sqlx and the server: what is forwarded is
//! encrypted, and the socket lies in a directory that no other user can enter. Nothing here reads what it forwards.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::task::JoinHandle;

/// Forwards until it is dropped; connections that are open live on.
pub struct Forward {
    directory: PathBuf,
    task: JoinHandle<()>,
}

impl Forward {
    /// Begins to forward to an address and port.
    pub fn to(address: &str, port: u16) -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("renewscope-{}", uuid::Uuid::new_v4().simple()));
        std::fs::DirBuilder::new().mode(0o700).create(&directory)?;
        let listener = UnixListener::bind(directory.join(format!(".s.PGSQL.{port}")))?;
        let address = address.to_owned();
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let address = address.clone();
                tokio::spawn(async move {
                    // Where the server cannot be reached, the closed socket says so.
                    if let Ok(mut far) = TcpStream::connect((address.as_str(), port)).await {
                        let _ = far.set_nodelay(true);
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Ok(Self { directory, task })
    }

    /// The directory of the socket, which sqlx takes for that of a server.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::debug!(%error, "a forwarding socket could not be removed");
        }
    }
}
