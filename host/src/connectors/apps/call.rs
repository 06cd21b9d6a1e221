//! One call to an app in JSON, and the meaning of its answer for an order.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::NotOpened;
use crate::connectors::http::{Answer, Client, Endpoint, HeaderMap, HeaderValue, Keep, Method, Request};
use crate::connectors::webhook::{self, Secret};
use crate::desk::access::provisioning::progress::Came;

/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(8);
/// The largest answer that is read, in bytes: a group of some ten thousand members.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The longest part of an answer that is kept of a refusal, in characters.
const SHOWN_CHARS_MAX: usize = 300;
/// How long an app is left alone that asks for it and does not say for how long.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How long an app is left alone that does not take the token: a person has to look at that.
const LOCKED_OUT: SignedDuration = SignedDuration::from_mins(5);

/// Calls one app.
pub(super) struct Caller {
    client: Client,
    base: Endpoint,
    token: Option<HeaderValue>,
    now: Timestamp,
}

/// An answer of success.
pub(super) struct Reply {
    pub status: u16,
    /// `Null` where there is no body, or one that is no JSON.
    pub body: Value,
    pub is_json: bool,
    pub etag: Option<String>,
    /// The call and its answer, in a few words.
    pub said: String,
}

/// The reason why a call has not come to success.
pub(super) enum Trouble {
    /// Nothing was done, and it may be tried again from this time on.
    Later(Timestamp, String),
    /// Something may have been done.
    Unknown(String),
    /// The same, and the app wants to be asked again from this time on.
    UnknownUntil(Timestamp, String),
    /// The app has understood the call and refuses it with this status.
    Refused(u16, String),
    /// Nothing was done: the app does not let the desk do this, and may let it from this time on. It says nothing of other calls.
    Forbidden(Timestamp, String),
    /// Nothing was done, since it is not clear whom it would be done to: a person has to look.
    ByHand(String),
}

impl Trouble {
    /// The same as an answer about an order.
    pub fn came(self) -> (Came, String) {
        match self {
            Trouble::Later(at, said) => (Came::Later(at), said),
            Trouble::Unknown(said) => (Came::Unknown, said),
            Trouble::UnknownUntil(at, said) => (Came::UnknownUntil(at), said),
            Trouble::Refused(_, said) => (Came::Rejected, said),
            Trouble::Forbidden(at, said) => (Came::Forbidden(at), said),
            Trouble::ByHand(said) => (Came::ByHand, said),
        }
    }

    /// The words about it.
    pub fn said(self) -> String {
        match self {
            Trouble::Later(_, said)
            | Trouble::Unknown(said)
            | Trouble::UnknownUntil(_, said)
            | Trouble::Refused(_, said)
            | Trouble::Forbidden(_, said)
            | Trouble::ByHand(said) => said,
        }
    }

    /// Whether the app refuses with this status.
    pub fn is(&self, status: u16) -> bool {
        matches!(self, Trouble::Refused(refused, _) if *refused == status)
    }
}

/// One call.
pub(super) struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    pub body: Option<String>,
    pub media_type: &'static str,
    pub if_match: Option<String>,
}

/// The token in a file, as the header that carries it.
fn bearer(file: &Path) -> Result<HeaderValue, NotOpened> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|source| NotOpened::TokenUnread { file: file.to_owned(), source })?;
    let value = HeaderValue::from_str(&format!("Bearer {}", text.trim()));
    let mut value = value.map_err(|_| NotOpened::NotAToken { file: file.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Caller {
    /// A caller of the app at a URL, with the token that the file has now.
    ///
    /// # Errors
    ///
    /// [`NotOpened`] for an address that may not be asked, and for a token that cannot be read or is none.
    pub fn open(client: Client, url: &str, token_file: Option<&Path>, now: Timestamp) -> Result<Caller, NotOpened> {
        let base = client.endpoint(url).map_err(|source| NotOpened::Address { url: url.to_owned(), source })?;
        let token = token_file.map(bearer).transpose()?;
        Ok(Caller { client, base, token, now })
    }

    /// Makes a call.
    pub async fn call(&self, call: Call<'_>) -> Result<Reply, Trouble> {
        let (_, meaning) = self.ask(call).await?;
        meaning
    }

    /// Makes a call, and gives the answer as it came with its meaning.
    pub async fn ask(&self, call: Call<'_>) -> Result<(Answer, Result<Reply, Trouble>), Trouble> {
        let what = format!("{} {}", call.method, call.path);
        let to = self.base.join(call.path).map_err(|error| Trouble::Refused(0, format!("{what}: {error}")))?;
        let to = if call.query.is_empty() { to } else { to.with_query(call.query) };
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static(call.media_type));
        if call.body.is_some() {
            headers.insert("content-type", HeaderValue::from_static(call.media_type));
        }
        if let Some(token) = self.token.clone() {
            headers.insert("authorization", token);
        }
        if let Some(tag) = call.if_match.as_deref().and_then(|tag| HeaderValue::from_str(tag).ok()) {
            headers.insert("if-match", tag);
        }
        let (body, answer) = (call.body.unwrap_or_default().into_bytes(), Keep::Whole(ANSWER_BYTES_MAX));
        let request = Request { method: call.method, to: &to, headers, body, within: WITHIN, answer };
        let answer = self.sent(&what, request).await?;
        let meaning = self.judge(&what, &answer);
        Ok((answer, meaning))
    }

    /// Sends a message to the app's one address, with a signature for each secret.
    pub async fn post_signed(&self, id: &str, what: &str, body: String, secrets: &[Secret]) -> Result<Reply, Trouble> {
        let headers = webhook::headers(id, self.now.as_second(), &body, secrets);
        let (body, answer) = (body.into_bytes(), Keep::Whole(ANSWER_BYTES_MAX));
        let request = Request { method: Method::POST, to: &self.base, headers, body, within: WITHIN, answer };
        self.send(what, request).await
    }

    /// The time of the calls.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    async fn send(&self, what: &str, request: Request<'_>) -> Result<Reply, Trouble> {
        let answer = self.sent(what, request).await?;
        self.judge(what, &answer)
    }

    async fn sent(&self, what: &str, request: Request<'_>) -> Result<Answer, Trouble> {
        match self.client.send(request).await {
            Ok(answer) => Ok(answer),
            Err(error) if error.was_not_sent() => Err(Trouble::Later(self.later(PAUSE), format!("{what}: {error}"))),
            Err(error) => Err(Trouble::Unknown(format!("{what}: {error}"))),
        }
    }

    fn later(&self, wait: SignedDuration) -> Timestamp {
        self.now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    fn judge(&self, what: &str, answer: &Answer) -> Result<Reply, Trouble> {
        let status = answer.status.as_u16();
        match self.passing(what, answer) {
            Some(trouble) => Err(trouble),
            None if answer.status.is_success() => {
                let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
                let (is_json, body) = (body.is_some(), body.unwrap_or_default());
                let etag = answer.header("etag").map(str::to_owned);
                Ok(Reply { status, body, is_json, etag, said: format!("{what}: {status}") })
            }
            // As to a page for signing in, which stands before the app: no redirect is followed, and the app has refused nothing.
            None if answer.status.is_redirection() => {
                Err(Trouble::Unknown(format!("{}, and no redirect is followed", shown(what, answer))))
            }
            None => Err(Trouble::Refused(status, shown(what, answer))),
        }
    }

    /// The trouble of an answer that says nothing about the call itself, so that it is worth making again.
    fn passing(&self, what: &str, answer: &Answer) -> Option<Trouble> {
        let asked = answer.retry_after(self.now).and_then(|wait| SignedDuration::try_from(wait).ok());
        match answer.status.as_u16() {
            429 => Some(Trouble::Later(self.later(asked.unwrap_or(PAUSE)), format!("{what}: 429"))),
            401 => Some(Trouble::Later(self.later(LOCKED_OUT), shown(what, answer))),
            403 => Some(Trouble::Forbidden(self.later(LOCKED_OUT), shown(what, answer))),
            501 => None,
            500..=599 => Some(match asked {
                Some(wait) => Trouble::UnknownUntil(self.later(wait), shown(what, answer)),
                None => Trouble::Unknown(shown(what, answer)),
            }),
            _ => None,
        }
    }

    /// Makes a call that another has put together, and gives the answer as it came, of any status that is about the call.
    pub async fn exchange(
        &self,
        method: Method,
        (path, query): (&str, &[(&str, &str)]),
        mut headers: HeaderMap,
        (body, answer_bytes_max): (Vec<u8>, usize),
    ) -> Result<Answer, Trouble> {
        let what = format!("{method} {path}");
        let to = self.base.join(path).map_err(|error| Trouble::Refused(0, format!("{what}: {error}")))?;
        let to = if query.is_empty() { to } else { to.with_query(query) };
        if let Some(token) = self.token.clone() {
            headers.insert("authorization", token);
        }
        let answer = Keep::Whole(answer_bytes_max);
        let answer = self.sent(&what, Request { method, to: &to, headers, body, within: WITHIN, answer }).await?;
        match self.passing(&what, &answer) {
            Some(trouble) => Err(trouble),
            None => Ok(answer),
        }
    }
}

/// A call with the beginning of its answer.
fn shown(what: &str, answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    format!("{what}: {} {text}", answer.status.as_u16())
}
