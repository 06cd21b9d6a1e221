//! A connector that is a component: it gives and takes seats in an app that keeps one record a person, `{"seats": ["account",
//! "tier:pro"]}`, and takes a change only with the version of what it changes (`ETag`, `If-Match`).
//!
//! It says which calls come next from the calls so far; the desk makes them. Nothing here reaches a network, so that each run
//! can be asked again, and is tested below as plain functions.

use serde_json::{Value, json};

mod bindings {
    #![allow(clippy::all, clippy::restriction, unsafe_code, missing_docs, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../sdk/wit/connector/1.0.0",
        world: "connector",
        additional_derives: [PartialEq],
    });
}

use bindings::exports::ruledesk::connector::provision::{
    Answer, Call, Exchange, Field, Finding, Guest, Order, Step, Task,
};

/// How often a change is made again that another has overtaken.
const TRIES_MAX: usize = 3;

struct Seats;

impl Guest for Seats {
    fn next(task: Task, so_far: Vec<Exchange>) -> Result<Step, String> {
        let record = Record::of(&task)?;
        match so_far.last() {
            None => Ok(record.read()),
            Some(last) if last.call.method == "GET" => record.found(&task, &last.answer),
            Some(last) => record.changed(&last.answer, so_far.len()),
        }
    }
}

/// The record of the person whom the order is about.
struct Record {
    path: String,
    /// The seat that the order is about, as the app names it.
    seat: String,
    /// The seat that has to go with it.
    old: Option<String>,
    is_wanted: bool,
}

impl Record {
    fn of(task: &Task) -> Result<Record, String> {
        let settings: Value = serde_json::from_str(&task.settings).map_err(|error| format!("settings: {error}"))?;
        let prefix = settings.get("prefix").and_then(Value::as_str).unwrap_or_default();
        let Order { kind, value, person, direction, replaces, .. } = &task.order;
        let name = |value: &str| if value.is_empty() { kind.clone() } else { format!("{kind}:{prefix}{value}") };
        Ok(Record {
            path: format!("/seats/{}", segment(&person.id)),
            seat: name(value),
            old: replaces.as_ref().map(|old| name(old)),
            is_wanted: direction != "revoke",
        })
    }

    fn read(&self) -> Step {
        let (method, headers) = ("GET".to_owned(), vec![field("accept", "application/json")]);
        Step::Calls(vec![Call { method, path: self.path.clone(), query: Vec::new(), headers, body: None }])
    }

    /// The next step after the record was read.
    fn found(&self, task: &Task, answer: &Answer) -> Result<Step, String> {
        let mut seats = match answer.status {
            404 => Vec::new(),
            200 => seats(&answer.body)?,
            status => return Ok(finished("refused", format!("{} answered {status}", self.path))),
        };
        let old = self.old.as_ref().filter(|old| seats.contains(old));
        let there = seats.contains(&self.seat);
        let is_done = there == self.is_wanted && old.is_none();
        if task.goal == "look" {
            let outcome = if there && old.is_none() { "there" } else { "not-there" };
            return Ok(finished(outcome, format!("{} has {}", self.path, seats.join(", "))));
        }
        if is_done {
            return Ok(finished("applied", format!("{} is as it is to be", self.seat)));
        }
        seats.retain(|seat| *seat != self.seat && Some(seat) != self.old.as_ref());
        if self.is_wanted {
            seats.push(self.seat.clone());
        }
        let tag = answer.headers.iter().find(|header| answer.status == 200 && header.name == "etag");
        let guard = tag.map_or_else(|| field("if-none-match", "*"), |tag| field("if-match", &tag.value));
        let headers = vec![field("content-type", "application/json"), guard];
        let body = Some(json!({ "seats": seats }).to_string());
        let (method, path) = ("PUT".to_owned(), self.path.clone());
        Ok(Step::Calls(vec![Call { method, path, query: Vec::new(), headers, body }]))
    }

    /// The next step after the record was changed.
    fn changed(&self, answer: &Answer, calls: usize) -> Result<Step, String> {
        Ok(match answer.status {
            200..=204 => finished("applied", format!("{} answered {}", self.path, answer.status)),
            // Another has changed it meanwhile: it is read again.
            409 | 412 if calls < 2 * TRIES_MAX => self.read(),
            409 | 412 => finished("later", format!("{} is changed all the time", self.path)),
            status => finished("refused", format!("{} answered {status}: {}", self.path, answer.body)),
        })
    }
}

fn seats(body: &str) -> Result<Vec<String>, String> {
    let body: Value = serde_json::from_str(body).map_err(|error| format!("the app sends no JSON: {error}"))?;
    let seats = body.get("seats").and_then(Value::as_array).ok_or("the app sends no `seats`")?;
    Ok(seats.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}

fn finished(outcome: &str, evidence: String) -> Step {
    Step::Finished(Finding { outcome: outcome.to_owned(), evidence, retry_after: None })
}

/// A value as one part of a path (RFC 3986, 3.3): every byte that is not unreserved is encoded.
fn segment(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "the contract's functions take raw memory")]
const _: () = {
    bindings::export!(Seats with_types_in bindings);
};

#[cfg(test)]
mod tests {
    use super::*;

    fn task(goal: &str, direction: &str) -> Task {
        let person = bindings::exports::ruledesk::connector::provision::Person {
            id: "amara".to_owned(),
            name: String::new(),
            email: String::new(),
        };
        let order = Order {
            id: "1".to_owned(),
            direction: direction.to_owned(),
            kind: "tier".to_owned(),
            value: "pro".to_owned(),
            replaces: None,
            attempt: 1,
            person,
        };
        Task { goal: goal.to_owned(), order, settings: "{\"prefix\":\"crm-\"}".to_owned(), attributes: Vec::new() }
    }

    fn answered(call: Call, status: u16, body: &str) -> Exchange {
        let headers = if status == 200 { vec![field("etag", "\"7\"")] } else { Vec::new() };
        Exchange { call, answer: Answer { status, headers, body: body.to_owned() } }
    }

    fn call(step: Result<Step, String>) -> Call {
        match step {
            Ok(Step::Calls(calls)) => calls.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn outcome(step: Result<Step, String>) -> String {
        match step {
            Ok(Step::Finished(finding)) => finding.outcome,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_seat_is_given_by_the_version_that_was_read_and_once_more_where_that_is_old() {
        let apply = || task("apply", "grant");
        let get = call(Seats::next(apply(), Vec::new()));
        assert_eq!((get.method.as_str(), get.path.as_str()), ("GET", "/seats/amara"));
        let read = answered(get, 200, r#"{"seats": ["account"]}"#);
        let put = call(Seats::next(apply(), vec![read.clone()]));
        assert_eq!(put.body.as_deref(), Some(r#"{"seats":["account","tier:crm-pro"]}"#));
        assert!(put.headers.contains(&field("if-match", "\"7\"")));
        let stale = answered(put.clone(), 412, "");
        assert_eq!(call(Seats::next(apply(), vec![read.clone(), stale.clone()])).method, "GET");
        assert_eq!(outcome(Seats::next(apply(), vec![read.clone(), answered(put, 204, "")])), "applied");
        let tries = [read.clone(), stale.clone(), read.clone(), stale.clone(), read, stale];
        assert_eq!(outcome(Seats::next(apply(), tries.to_vec())), "later");
    }

    #[test]
    fn what_is_there_is_read_and_what_is_there_already_is_left() {
        let get = |goal, direction| call(Seats::next(task(goal, direction), Vec::new()));
        let has = |goal, direction, status, body| {
            outcome(Seats::next(task(goal, direction), vec![answered(get(goal, direction), status, body)]))
        };
        let pro = r#"{"seats": ["tier:crm-pro"]}"#;
        assert_eq!(has("look", "grant", 200, pro), "there");
        assert_eq!(has("look", "revoke", 404, ""), "not-there");
        assert_eq!(has("apply", "grant", 200, pro), "applied");
        assert_eq!(has("apply", "revoke", 404, ""), "applied");
        assert_eq!(has("look", "grant", 418, ""), "refused");
        assert!(Seats::next(task("look", "grant"), vec![answered(get("look", "grant"), 200, "<html>")]).is_err());
    }
}
