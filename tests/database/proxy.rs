//! A PostgreSQL that is some milliseconds away: TCP connections of which each piece is passed on a while later. It can cut a
//! connection right after it has passed on a piece that has some text in it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Pieces on their way in one direction.
const UNDER_WAY: usize = 1024;

/// Listens for as long as the test process runs.
pub struct Proxy {
    port: u16,
    cut_after: Arc<Mutex<Option<&'static str>>>,
}

impl Proxy {
    /// In front of the server that a URL of the tests' cluster names.
    pub fn before(url: &str, delay: Duration) -> Proxy {
        let socket = folder(url).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut_after = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&cut_after);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&socket) else { continue };
                pass(client, server, delay, &shared);
            }
        });
        Proxy { port, cut_after }
    }

    /// The URL of the same database behind the proxy.
    pub fn url(&self, url: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, database(url))
    }

    /// Cuts the next connection over which this text goes to the server, once the server has it.
    pub fn cut_after(&self, text: &'static str) {
        *self.cut_after.lock().unwrap() = Some(text);
    }

    /// Whether that has happened.
    pub fn has_cut(&self) -> bool {
        self.cut_after.lock().unwrap().is_none()
    }
}

/// The folder of the cluster's socket.
pub fn folder(url: &str) -> PathBuf {
    let (_, folder) = url.split_once("?host=").unwrap();
    Path::new(folder).to_owned()
}

/// The database's name.
pub fn database(url: &str) -> &str {
    url.rsplit_once('/').map(|_| ()).unwrap();
    let (before, _) = url.split_once('?').unwrap();
    before.rsplit_once('/').unwrap().1
}

fn pass(client: TcpStream, server: UnixStream, delay: Duration, cut_after: &Arc<Mutex<Option<&'static str>>>) {
    client.set_nodelay(true).unwrap();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let cut_after = Arc::clone(cut_after);
    let (cut_client, cut_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let cut = move |piece: &[u8]| {
        let mut cut_after = cut_after.lock().unwrap();
        let found = cut_after.is_some_and(|text| piece.windows(text.len()).any(|part| part == text.as_bytes()));
        if found {
            *cut_after = None;
            let _ = cut_client.shutdown(Shutdown::Both);
            // The server reads what it has got before it sees the end.
            let _ = cut_server.shutdown(Shutdown::Write);
        }
    };
    pipe(from_client, to_server, delay, cut);
    pipe(server, client, delay, |_| {});
}

/// Passes each piece on after the delay, in order; says afterwards what it was.
fn pipe(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + End + Send + 'static,
    delay: Duration,
    passed: impl Fn(&[u8]) + Send + 'static,
) {
    let (send, receive) = sync_channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read) = from.read(&mut buffer) {
            if read == 0 || send.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, piece) in receive {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
            passed(&piece);
        }
        to.end();
    });
}

/// Something whose end can be passed on to the other side.
trait End {
    fn end(&self);
}

impl End for TcpStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl End for UnixStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}
