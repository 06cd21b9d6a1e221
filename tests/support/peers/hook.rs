//! A receiver of webhooks that takes requests one at a time and answers as a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Reads a request from a connection.
pub fn received(stream: &TcpStream) -> std::io::Result<Received> {
    request(stream).map(|(_, received)| received)
}

/// Reads a request from a connection, with its first line. One that is cut off, as by a desk that is killed while it sends, is an error
/// and no request.
pub fn request(stream: &TcpStream) -> std::io::Result<(String, Received)> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), BTreeMap::new());
    reader.read_line(&mut line)?;
    let first = line.trim_end().to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((first, Received { headers, body: String::from_utf8(body).unwrap() }))
}

/// A receiver on a port of its own. It serves until the test's process ends.
#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    /// Whole answers to the next requests, in order; then 204.
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl Receiver {
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Receiver { port, received: Arc::default(), answers: Arc::default() };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that hangs up ends its conversation, and nothing else.
                drop(serving.answer(&stream));
            }
        });
        receiver
    }

    /// The next requests are answered with this status and these header lines.
    pub fn answer_next(&self, times: usize, status: &str, headers: &str) {
        let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n");
        self.answers.lock().unwrap().extend(vec![answer; times]);
    }

    /// The next requests are answered with bytes that are no HTTP.
    pub fn answer_nonsense(&self, times: usize) {
        self.answers.lock().unwrap().extend(vec!["220 mail.example ESMTP\r\n".to_owned(); times]);
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        self.received.lock().unwrap().push(received(stream)?);
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned());
        (&mut &*stream).write_all(answer.as_bytes())
    }
}
