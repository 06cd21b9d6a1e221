//! An app that keeps one record a person and takes a change only with the version of what it changes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::hook::{Received, request};

/// The token that it takes.
pub const TOKEN: &str = "a-token-for-the-app";

#[derive(Debug, Default)]
struct State {
    /// Each person's record and its version.
    records: BTreeMap<String, (u32, String)>,
    /// Requests, in order, as `METHOD PATH STATUS`.
    requests: Vec<String>,
    /// The next changes are overtaken by another, this many times.
    overtaken: usize,
    /// The next changes are made, and their answers lost, this many times.
    lost: usize,
}

/// The app.
#[derive(Debug, Clone)]
pub struct SeatApp {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl SeatApp {
    pub fn start() -> SeatApp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let app = SeatApp { url, state: Arc::default() };
        let served = app.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that hangs up ends its conversation, and nothing else.
                drop(served.serve(&stream));
            }
        });
        app
    }

    /// Has the next changes be overtaken by another, this many times.
    pub fn overtake(&self, times: usize) {
        self.state.lock().unwrap().overtaken = times;
    }

    /// Loses the answers to the next changes.
    pub fn lose(&self, times: usize) {
        self.state.lock().unwrap().lost = times;
    }

    /// The record of a person.
    pub fn record(&self, person: &str) -> String {
        let state = self.state.lock().unwrap();
        state.records.get(&format!("/v1/seats/{person}")).map(|(_, body)| body.clone()).unwrap_or_default()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let (line, Received { headers, body }) = request(stream)?;
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut state = self.state.lock().unwrap();
        let allowed = headers.get("authorization").is_some_and(|given| *given == format!("Bearer {TOKEN}"));
        let (status, tag, answer) = match (allowed, method.as_str()) {
            (false, _) => (401, 0, String::new()),
            (true, "GET") => match state.records.get(&path) {
                Some((version, body)) => (200, *version, body.clone()),
                None => (404, 0, String::new()),
            },
            (true, _) => state.change(&path, &headers, body),
        };
        state.requests.push(format!("{method} {path} {status}"));
        if method == "PUT" && status == 204 && state.lost > 0 {
            state.lost -= 1;
            return Ok(());
        }
        drop(state);
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status} OK\r\nconnection: close\r\ncontent-length: {length}\r\netag: \"{tag}\"\r\n");
        (&mut &*stream).write_all((head + "x-other: not for components\r\n\r\n" + &answer).as_bytes())
    }
}

impl State {
    fn change(&mut self, path: &str, headers: &BTreeMap<String, String>, body: String) -> (u16, u32, String) {
        let version = self.records.get(path).map(|(version, _)| *version);
        if self.overtaken > 0 {
            self.overtaken -= 1;
            let record = self.records.entry(path.to_owned()).or_insert((0, "{\"seats\":[]}".to_owned()));
            record.0 += 1;
            return (412, 0, String::new());
        }
        let fits = match version {
            Some(version) => headers.get("if-match").is_some_and(|tag| *tag == format!("\"{version}\"")),
            None => headers.get("if-none-match").is_some_and(|tag| tag == "*"),
        };
        if !fits {
            return (412, 0, String::new());
        }
        let version = version.unwrap_or_default() + 1;
        self.records.insert(path.to_owned(), (version, body));
        (204, version, String::new())
    }
}
