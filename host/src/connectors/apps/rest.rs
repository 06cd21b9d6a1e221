//! Apps with an interface of their own, as the configuration describes it: three calls for each kind of entitlement, with places
//! for the person and the entitlement, and the place in the answer that says whether it is there; and one more where sessions end
//! with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::call::{Call, Caller, Reply, Trouble};
use super::{App, Asked, Effect, NotSaid, Probed, SignedIn, time_at};
use crate::connectors::http::{Answer, Method};
use crate::desk::access::provisioning::progress::Came;
use crate::desk::access::provisioning::{Direction, Entitlement, OpState};
use crate::desk::organisation::connector::{Absence, RestCall, RestCalls};

const MEDIA_TYPE: &str = "application/json";

/// An app with calls of its own.
pub(super) struct RestApp {
    pub caller: Caller,
    /// By the kind of entitlement.
    pub calls: BTreeMap<String, RestCalls>,
}

impl App for RestApp {
    fn look<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move { self.look_at(effect).await.unwrap_or_else(Trouble::came) })
    }

    fn apply<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move { self.apply_to(effect).await.map_or_else(Trouble::came, |said| (Came::Applied, said)) })
    }

    fn last_sign_in<'a>(&'a self, account: Effect<'a>, place: &'a str) -> SignedIn<'a> {
        Box::pin(async move {
            let calls = self.calls.get(parts(&Entitlement::Account).0);
            let calls = calls.ok_or(NotSaid::NoCall)?;
            match self.read(calls, account, &Entitlement::Account).await {
                Ok(Read::Says(reply)) => time_at(&reply.body, place),
                Ok(Read::Gone(_)) => Ok(None),
                Err(trouble) => Err(NotSaid::from(trouble)),
            }
        })
    }

    fn probe<'a>(&'a self, entitlements: &'a [Entitlement]) -> Probed<'a> {
        Box::pin(async move {
            let without = entitlements.iter().filter(|entitlement| !self.calls.contains_key(parts(entitlement).0));
            let counts = |entitlement: &Entitlement| {
                (true, format!("{entitlement}: no call is configured, so it counts as done"))
            };
            let mut found: Vec<(bool, String)> = without.map(counts).collect();
            let known: BTreeSet<&str> =
                self.calls.values().filter_map(|calls| calls.absence.known.as_deref()).collect();
            for path in known {
                let read = self.known(path).await;
                found.push(read.map_or_else(|trouble| (false, trouble.said()), |reply| (true, reply.said)));
            }
            found
        })
    }
}

/// An answer to `read`.
enum Read {
    Says(Reply),
    /// The app says that there is no such thing, in these words.
    Gone(String),
}

/// The kind of an entitlement and its value, as the configuration's places name them.
pub(super) fn parts(entitlement: &Entitlement) -> (&'static str, &str) {
    match entitlement {
        Entitlement::Account => ("account", ""),
        Entitlement::Tier(tier) => ("tier", tier.as_str()),
        Entitlement::Role(role) => ("role", role),
        Entitlement::Group(group) => ("group", group),
    }
}

/// A text with its places filled in, each value in the form that `write` gives it.
fn filled(text: &str, effect: Effect<'_>, entitlement: &Entitlement, write: impl Fn(&str) -> String) -> String {
    let (kind, value) = parts(entitlement);
    let places = [
        ("{user}", effect.account.id.as_str()),
        ("{email}", &effect.account.email),
        ("{name}", &effect.account.name),
        ("{entitlement}", &entitlement.to_string()),
        ("{kind}", kind),
        ("{value}", value),
        ("{op}", &effect.op.id.to_string()),
    ];
    // In one pass, so that no value's own text is taken for a place.
    let (mut result, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        match places.iter().find_map(|(place, value)| Some((from.strip_prefix(place)?, value))) {
            Some((after, value)) => {
                result.push_str(&write(value));
                rest = after;
            }
            None => {
                result.push('{');
                rest = from.strip_prefix('{').unwrap_or_default();
            }
        }
    }
    result + rest
}

/// The place of a call that cannot be filled so that it means this person alone: a path without its value names something else, such as
/// all users; and what is taken away by an address that another has by now would be taken from that one.
fn unfillable(call: &RestCall, effect: Effect<'_>) -> Option<&'static str> {
    let (account, takes) = (effect.account, !effect.is_wanted());
    let names = |place: &str| call.path.contains(place) || (takes && call.body.contains(place));
    let is_no_ones = account.email.is_empty() || (takes && account.another_has);
    if names("{email}") && is_no_ones {
        return Some("address");
    }
    (names("{name}") && account.name.is_empty()).then_some("name")
}

/// A value as one segment of a path (RFC 3986, 3.3): every byte that is not unreserved is encoded.
fn segment(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        b'.' if value != "." && value != ".." => ".".to_owned(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// A value inside a JSON text, without its quotes.
fn in_json(value: &str) -> String {
    let quoted = Value::from(value).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// Whether an answer says that it is there; `None` where it says neither.
fn is_there(calls: &RestCalls, expected: Option<&str>, body: &Value) -> Option<bool> {
    let Some(pointer) = &calls.there else { return Some(true) };
    let Some(found) = body.pointer(pointer) else {
        // JSON of something else has no such place either: only an answer that has all that the app's answers have proves it (I9).
        let is_the_apps = !calls.shape.is_empty() && calls.shape.iter().all(|place| body.pointer(place).is_some());
        return is_the_apps.then_some(false);
    };
    let Some(expected) = expected else { return Some(!found.is_null() && *found != Value::Bool(false)) };
    let same = |value: &Value| is_text(value, expected);
    Some(found.as_array().map_or_else(|| same(found), |list| list.iter().any(same)))
}

/// Whether a value is a text, or is written as it: `7` and `true` are compared as texts, too.
fn is_text(value: &Value, expected: &str) -> bool {
    match value {
        Value::String(text) => text == expected,
        other => serde_json::to_string(other).is_ok_and(|text| text == expected),
    }
}

impl RestApp {
    /// Makes a call about an entitlement, and gives the answer as it came with its meaning.
    async fn ask(
        &self,
        call: &RestCall,
        effect: Effect<'_>,
        entitlement: &Entitlement,
    ) -> Result<(Answer, Result<Reply, Trouble>), Trouble> {
        if let Some(place) = unfillable(call, effect) {
            let said = format!(
                "{} {}: the directory has no {place} that is only this person's: a person looks",
                call.method, call.path
            );
            return Err(Trouble::ByHand(said));
        }
        let path = filled(&call.path, effect, entitlement, segment);
        let body = (!call.body.is_empty()).then(|| filled(&call.body, effect, entitlement, in_json));
        let method = Method::from_bytes(call.method.as_bytes()).unwrap_or(Method::GET);
        self.caller.ask(Call { method, path: &path, query: &[], body, media_type: MEDIA_TYPE, if_match: None }).await
    }

    /// Reads what the app says of an entitlement.
    async fn read(&self, calls: &RestCalls, effect: Effect<'_>, entitlement: &Entitlement) -> Result<Read, Trouble> {
        let (answer, meaning) = self.ask(&calls.read, effect, entitlement).await?;
        match meaning {
            Ok(reply) => Ok(Read::Says(reply)),
            Err(trouble) if trouble.is(404) || trouble.is(410) => {
                self.gone(&calls.absence, &answer.body, trouble.said()).await.map(Read::Gone)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Takes a 404 or 410 with this body as the app's word, and gives what was said; or says why it is not the app's (I9).
    async fn gone(&self, absence: &Absence, body: &[u8], said: String) -> Result<String, Trouble> {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        if let Some((at, equals)) = &absence.says {
            let found = json.as_ref().and_then(|json| json.pointer(at));
            let says_so = found.is_some_and(|found| equals.as_deref().is_none_or(|text| is_text(found, text)));
            if !says_so {
                return Err(Trouble::Unknown(format!("{said}, without what `absent` names: nothing follows from it")));
            }
        } else if absence.known.is_none() && json.is_none() && !body.trim_ascii().is_empty() {
            return Err(Trouble::Unknown(format!(
                "{said}: it is no JSON, as of something before the app; where the app itself answers so, set `known` of these calls"
            )));
        }
        let Some(path) = absence.known.as_deref() else { return Ok(said) };
        match self.known(path).await {
            Ok(_) => Ok(said),
            Err(Trouble::Refused(_, why)) => {
                Err(Trouble::Unknown(format!("{said}; but what is always there is not found either: {why}")))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Reads what is always there.
    async fn known(&self, path: &str) -> Result<Reply, Trouble> {
        let (method, media_type) = (Method::GET, MEDIA_TYPE);
        self.caller.call(Call { method, path, query: &[], body: None, media_type, if_match: None }).await
    }

    /// Whether an entitlement is there; `None` where it is no business of the app's.
    async fn has(&self, effect: Effect<'_>, entitlement: &Entitlement) -> Result<Option<(bool, String)>, Trouble> {
        let Some(calls) = self.calls.get(parts(entitlement).0) else { return Ok(None) };
        let reply = match self.read(calls, effect, entitlement).await? {
            Read::Says(reply) => reply,
            Read::Gone(said) => return Ok(Some((false, said))),
        };
        // A page that something on the way sends instead of the app does not say that it is gone (I9).
        if calls.there.is_some() && reply.status == 200 && !reply.is_json {
            return Err(Trouble::Unknown(format!(
                "{}, and the answer is no JSON: nothing follows from it",
                reply.said
            )));
        }
        let expected = calls.equals.as_ref().map(|text| filled(text, effect, entitlement, str::to_owned));
        match is_there(calls, expected.as_deref(), &reply.body) {
            Some(there) => Ok(Some((there, reply.said))),
            None => Err(Trouble::Unknown(format!(
                "{}, without the place that says whether it is there, nor all of `shape`: nothing follows from it",
                reply.said
            ))),
        }
    }

    async fn look_at(&self, effect: Effect<'_>) -> Result<(Came, String), Trouble> {
        let Some((mut there, said)) = self.has(effect, &effect.op.entitlement).await? else {
            return Ok((Came::Verified, "the app keeps no such thing".to_owned()));
        };
        if let Some(tier) = &effect.op.replaces {
            there = there && !self.has(effect, &Entitlement::Tier(tier.clone())).await?.is_some_and(|(old, _)| old);
        }
        let came = if there == effect.is_wanted() { Came::Verified } else { Came::NotThere };
        let read = format!("read back, {}: {said}", if there { "there" } else { "not there" });
        // No app says that it has no sessions of a person: they are known to have ended once the whole of the order was answered.
        if came == Came::Verified && self.ends_sessions(effect).is_some() && effect.op.state != OpState::Applied {
            return Ok((Came::NotThere, format!("{read}; whether sessions have ended is not known")));
        }
        Ok((came, read))
    }

    /// The call that ends sessions with what an order takes away, among those of its kind.
    fn ends_sessions(&self, effect: Effect<'_>) -> Option<(&RestCalls, &RestCall)> {
        let calls = self.calls.get(parts(&effect.op.entitlement).0)?;
        let call = calls.end_sessions.as_ref().filter(|_| effect.op.direction == Direction::Revoke)?;
        Some((calls, call))
    }

    async fn apply_to(&self, effect: Effect<'_>) -> Result<String, Trouble> {
        let mut said = Vec::new();
        // What a replacement gives comes first, so that the person is never without either.
        let taken = effect.op.replaces.clone().map(|tier| (Entitlement::Tier(tier), false));
        for (entitlement, wanted) in [(effect.op.entitlement.clone(), effect.is_wanted())].into_iter().chain(taken) {
            let Some(calls) = self.calls.get(parts(&entitlement).0) else { continue };
            let call = if wanted { &calls.create } else { &calls.remove };
            let (answer, meaning) = self.ask(call, effect, &entitlement).await?;
            match meaning {
                Ok(reply) => said.push(reply.said),
                // There already, or gone already: what is read back has the last word.
                Err(Trouble::Refused(409, words)) if wanted => said.push(words),
                Err(Trouble::Refused(404 | 410, words)) if !wanted => said.push(words),
                // What stands before the app refuses nothing for it.
                Err(Trouble::Refused(status @ (404 | 410), words)) => {
                    let words = self.gone(&without_words(calls), &answer.body, words).await?;
                    return Err(Trouble::Refused(status, words));
                }
                Err(trouble) => return Err(trouble),
            }
        }
        // After it was taken away, so that no session begins in between.
        if let Some((calls, call)) = self.ends_sessions(effect) {
            let (answer, meaning) = self.ask(call, effect, &effect.op.entitlement).await?;
            said.push(match meaning {
                Ok(reply) => reply.said,
                // It has none, or knows no such person any more.
                Err(trouble) if trouble.is(404) || trouble.is(410) => {
                    self.gone(&without_words(calls), &answer.body, trouble.said()).await?
                }
                Err(trouble) => return Err(trouble),
            });
        }
        Ok(said.join("; "))
    }
}

/// How the app's own 404 to another call than `read` is known: `absent` is about the answers to that one alone.
fn without_words(calls: &RestCalls) -> Absence {
    Absence { says: None, known: calls.absence.known.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_segments_and_json_and_never_more() {
        assert_eq!(segment("a b/../c?d#é"), "a%20b%2F..%2Fc%3Fd%23%C3%A9");
        assert_eq!((segment(".."), segment("a.b")), ("%2E%2E".to_owned(), "a.b".to_owned()));
        assert_eq!(in_json("say \"{user}\"\n"), "say \\\"{user}\\\"\\n");
    }

    #[test]
    fn the_place_of_an_answer_says_whether_it_is_there() {
        let call = || RestCall { method: "GET".to_owned(), path: String::new(), body: String::new() };
        let calls = |there: Option<&str>| RestCalls {
            create: call(),
            remove: call(),
            read: call(),
            absence: Absence::default(),
            there: there.map(str::to_owned),
            equals: None,
            shape: Vec::new(),
            end_sessions: None,
        };
        let body = serde_json::json!({ "roles": ["a", "b"], "on": true, "off": false, "n": 7 });
        let says = |there: Option<&str>, expected: Option<&str>| is_there(&calls(there), expected, &body);
        assert_eq!(says(None, None), Some(true));
        assert_eq!((says(Some("/roles"), Some("b")), says(Some("/roles"), Some("c"))), (Some(true), Some(false)));
        assert_eq!((says(Some("/on"), None), says(Some("/off"), None)), (Some(true), Some(false)));
        assert_eq!((says(Some("/n"), Some("7")), says(Some("/x"), None)), (Some(true), None));
        let shaped = |shape: &[&str]| RestCalls {
            shape: shape.iter().map(|place| (*place).to_owned()).collect(),
            ..calls(Some("/x"))
        };
        assert_eq!(is_there(&shaped(&["/roles", "/n"]), None, &body), Some(false));
        assert_eq!(is_there(&shaped(&["/roles", "/user"]), None, &body), None, "it is no answer of the app");
    }
}
