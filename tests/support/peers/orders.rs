//! An app that takes orders as signed messages (Standard Webhooks 1.0.0): it does each once by its id, at once or when a test says
//! so, and can be asked what is there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::hook::{Received, received};
use crate::support::client::{Answer, Client};

/// The secret that the app and the desk share.
pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The way in which an order is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It is done, and the answer says so.
    Done,
    /// It is done, and the answer is lost.
    Silently,
    /// It is lost before anything is done.
    Lost,
    /// It is done when the test says so.
    Later,
    Refused,
    /// Something before the app answers, and the app has not heard of it.
    Unheard,
}

#[derive(Debug, Default)]
struct State {
    /// Who has what.
    has: BTreeSet<(String, String)>,
    takes: VecDeque<Takes>,
    /// The data of each order that came, in order.
    orders: Vec<Value>,
    /// Orders that were done, by their ids.
    done: BTreeSet<String>,
    effects: usize,
    looks: usize,
}

/// The app.
#[derive(Debug, Clone)]
pub struct OrderApp {
    pub url: String,
    state: Arc<Mutex<State>>,
}

/// The signature of a message, as the specification has it.
pub fn signature(id: &str, second: i64, body: &str) -> String {
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{second}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Sends the app's word about an order, signed at this second; it names the order where it names no other.
pub fn says(desk: &Client, order: &Value, second: i64, word: &Value) -> Answer {
    let named = order["answer_to"].as_str().unwrap().split('/').nth(4).unwrap();
    let mut word = word.clone();
    word.as_object_mut().unwrap().entry("order").or_insert_with(|| named.into());
    let (id, body) = (format!("answer-{second}"), word.to_string());
    let signed = desk
        .with("webhook-id", &id)
        .with("webhook-timestamp", &second.to_string())
        .with("webhook-signature", &signature(&id, second, &body));
    signed.send_text(order["answer_to"].as_str().unwrap(), &body, "application/json")
}

impl OrderApp {
    pub fn start() -> OrderApp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let app = OrderApp { url, state: Arc::default() };
        let served = app.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that hangs up ends its conversation, and nothing else.
                drop(served.serve(&stream));
            }
        });
        app
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Takes the next orders in these ways; those after them are done.
    pub fn takes_next(&self, ways: &[Takes]) {
        self.state().takes.extend(ways);
    }

    /// The orders that came, each with its webhook id and its attempt.
    pub fn orders(&self) -> Vec<Value> {
        self.state().orders.clone()
    }

    /// All that a person has, and how many effects there were.
    pub fn has(&self, person: &str) -> (Vec<String>, usize) {
        let state = self.state();
        let of = state.has.iter().filter(|(user, _)| user == person).map(|(_, what)| what.clone());
        (of.collect(), state.effects)
    }

    /// How often it was asked what is there.
    pub fn looks(&self) -> usize {
        self.state().looks
    }

    /// Does an order that it has put off.
    pub fn does(&self, order: &Value) {
        self.state().effect(order);
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let Received { headers, body } = received(stream)?;
        let second = headers["webhook-timestamp"].parse().unwrap();
        let is_signed = headers["webhook-signature"] == signature(&headers["webhook-id"], second, &body);
        let message: Value = serde_json::from_str(&body).unwrap();
        let answer = if is_signed { self.answer(&message, &headers) } else { Some((401, Value::Null)) };
        let Some((status, body)) = answer else { return Ok(()) };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        (&mut &*stream).write_all((head + &body).as_bytes())
    }

    fn answer(&self, message: &Value, headers: &BTreeMap<String, String>) -> Option<(u16, Value)> {
        let (mut state, order) = (self.state(), &message["data"]);
        match message["type"].as_str().unwrap() {
            "access.look" => {
                state.looks += 1;
                let there = state.has.contains(&entry(order));
                Some((200, json!({ "there": there })))
            }
            "access.order" => {
                assert_eq!(headers["webhook-id"], order["order"].as_str().unwrap(), "the id stays the same");
                state.orders.push(order.clone());
                let had = state.done.contains(order["order"].as_str().unwrap());
                match if had { Takes::Done } else { state.takes.pop_front().unwrap_or(Takes::Done) } {
                    Takes::Lost => None,
                    Takes::Later => Some((202, json!({ "state": "accepted", "evidence": "ticket 7" }))),
                    Takes::Unheard => Some((200, json!({ "welcome": "please sign in" }))),
                    Takes::Refused => Some((200, json!({ "state": "refused", "evidence": "no such licence" }))),
                    Takes::Done => {
                        state.effect(order);
                        Some((200, json!({ "state": "done" })))
                    }
                    Takes::Silently => {
                        state.effect(order);
                        None
                    }
                }
            }
            _ => Some((200, json!({}))),
        }
    }
}

fn entry(order: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&order["user"]["id"]), text(&order["entitlement"]))
}

impl State {
    fn effect(&mut self, order: &Value) {
        if !self.done.insert(order["order"].as_str().unwrap().to_owned()) {
            return;
        }
        self.effects += 1;
        match order["direction"].as_str().unwrap() {
            "revoke" => self.has.remove(&entry(order)),
            _ => self.has.insert(entry(order)),
        };
    }
}
