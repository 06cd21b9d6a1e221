//! An identity provider whose tokens say what a test wants, rightly signed or not. It takes requests one at a time.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

use super::hook::{Received, request};
use crate::support::wait::until;

/// The name under which desks are registered with it.
pub const CLIENT: &str = "ruledesk";

/// A provider on a port of its own. It serves until the test's process ends.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The header and the claims of the next token.
    header: Value,
    claims: Map<String, Value>,
    /// Its description of the user, apart from the token.
    user: Map<String, Value>,
    /// The seed and the id of the key that it signs with and shows.
    key: (u8, String),
    /// The requests so far: the first line and the body.
    requests: Vec<(String, String)>,
    /// Whether it answers that it cannot.
    is_down: bool,
    /// Whether it takes requests and answers none.
    hangs: bool,
}

impl Issuer {
    pub fn start() -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            header: json!({ "alg": "EdDSA", "kid": "k1" }),
            claims: Map::new(),
            user: Map::new(),
            key: (1, "k1".to_owned()),
            requests: Vec::new(),
            is_down: false,
            hangs: false,
        };
        let issuer = Issuer { url, state: Arc::new(Mutex::new(state)) };
        let serving = issuer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                drop(serving.answer(&stream));
            }
        });
        issuer
    }

    /// The next tokens are about this subject, and right in all else; `more` stands above that.
    pub fn will_say(&self, subject: &str, nonce: &str, now: i64, more: &Value) {
        let mut claims = json!({ "iss": self.url, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now,
            "exp": now + 300, "sid": format!("session-of-{subject}") });
        merge(&mut claims, more);
        let mut state = self.state.lock().unwrap();
        state.claims = claims.as_object().unwrap().clone();
        state.header = json!({ "alg": "EdDSA", "kid": state.key.1 });
    }

    /// The next tokens have this header.
    pub fn sign_as(&self, header: Value) {
        self.state.lock().unwrap().header = header;
    }

    /// It describes its users so.
    pub fn describe(&self, user: &Value) {
        self.state.lock().unwrap().user = user.as_object().unwrap().clone();
    }

    /// It signs with another key from now on.
    pub fn change_key(&self, seed: u8, id: &str) {
        self.state.lock().unwrap().key = (seed, id.to_owned());
    }

    pub fn is_down(&self, down: bool) {
        self.state.lock().unwrap().is_down = down;
    }

    /// It takes requests and answers none, until it does again: then with an error, where it was asked meanwhile.
    pub fn hangs(&self, hangs: bool) {
        self.state.lock().unwrap().hangs = hangs;
    }

    /// How many requests for a path there were.
    pub fn asked(&self, path: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|(line, _)| line.contains(&format!(" {path} "))).count()
    }

    /// The body of the last request for a path.
    pub fn last(&self, path: &str) -> String {
        let state = self.state.lock().unwrap();
        let found = state.requests.iter().rev().find(|(line, _)| line.contains(&format!(" {path} ")));
        found.map(|(_, body)| body.clone()).unwrap_or_default()
    }

    /// A token with these claims, signed with its key.
    pub fn token(&self, claims: &Value) -> String {
        let state = self.state.lock().unwrap();
        sign(&state, claims)
    }

    /// A token that ends a sign-in.
    pub fn logout_token(&self, now: i64, more: &Value) -> String {
        let mut claims = json!({ "iss": self.url, "aud": CLIENT, "iat": now, "jti": "1",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
        merge(&mut claims, more);
        self.token(&claims)
    }

    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let (first, Received { body, .. }) = request(stream)?;
        self.state.lock().unwrap().requests.push((first.clone(), body));
        if self.state.lock().unwrap().hangs {
            until("the provider to go on", || (!self.state.lock().unwrap().hangs).then_some(()));
            return Ok(());
        }
        let state = self.state.lock().unwrap();
        let path = first.split(' ').nth(1).unwrap_or_default();
        let (status, body) = match path {
            _ if state.is_down => ("503 Service Unavailable", json!({ "error": "temporarily_unavailable" })),
            "/.well-known/openid-configuration" => ("200 OK", self.description()),
            "/jwks" => ("200 OK", json!({ "keys": [key(&state)] })),
            "/token" => {
                let claims = Value::Object(state.claims.clone());
                let token = sign(&state, &claims);
                ("200 OK", json!({ "id_token": token, "access_token": "access", "token_type": "Bearer" }))
            }
            "/me" => ("200 OK", Value::Object(state.user.clone())),
            _ => ("404 Not Found", json!({})),
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
        (&mut &*stream).write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }

    fn description(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url);
        json!({ "issuer": self.url, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/me"),
            "authorization_response_iss_parameter_supported": true })
    }
}

fn merge(claims: &mut Value, more: &Value) {
    for (claim, value) in more.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(claim),
            value => claims.as_object_mut().unwrap().insert(claim.clone(), value.clone()),
        };
    }
}

fn pair(state: &State) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[state.key.0; 32]).unwrap()
}

fn key(state: &State) -> Value {
    let x = BASE64.encode(pair(state).public_key().as_ref());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": state.key.1, "x": x, "use": "sig" })
}

fn sign(state: &State, claims: &Value) -> String {
    let signed = format!("{}.{}", BASE64.encode(state.header.to_string()), BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(pair(state).sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
