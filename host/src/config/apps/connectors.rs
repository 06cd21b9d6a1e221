//! `[[connector]]` of `apps.toml`: by what the desk writes to apps.
//!
//! - `id`.
//! - `kind`: `scim`, `rest`, `webhook`, `component` or `manual`.
//! - `url`: the base of the app's addresses; for `webhook` the one address that all messages go to.
//! - `internal`: whether the app stands inside the organisation's network: then it may be asked at an address there, and without
//!   TLS. Default false.
//! - `token-file`: the file with the bearer token; relative to the configuration directory. It is read for each call, so that
//!   a new token needs no restart. Without it, calls carry none.
//! - `secret-file`: for `webhook`: a file with a secret a line, `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0);
//!   relative to the configuration directory, and read for each message. Published by API, a connector has `token-file`, `secret-file`
//!   and `internal` only as the configuration directory gives them to it for the same host, because a token goes wherever `url` says.
//! - `answer-within`: for `webhook`: how long the app may take to answer an order that it has accepted, such as `4h`. Then it is
//!   sent again with the same id. Default `1h`.
//! - `reads`: for `webhook`: whether the app answers `access.look`, so that what is there can be read back. Default true.
//! - `component`: for `component`: the file of a WebAssembly component (`sdk/wit/connector`); relative to the configuration
//!   directory.
//! - `allow`: for `component`: the calls that it may have made, such as `GET /seats/*`, below `url`. None is made that is not here.
//! - `settings`: for `component`: its own, as texts; default none.
//! - `groups`: for `scim`: the group that stands for an entitlement such as `tier:pro`, as `id:` and its id, or by its display
//!   name. Default: the group of the entitlement's own name.
//! - `last-sign-in`: for `scim`, `rest` and `component`: where the app says when an account has signed in last, as a JSON pointer
//!   (RFC 6901) into the user's resource, the answer to `read` of `account`, or the last answer to the component's look at the account.
//!   The value is a time (RFC 3339), a day, or seconds or milliseconds since 1970. It is read day by day for all that is held there. Absent where the app
//!   does not say.
//! - `orders-per-minute`: with how many orders each host begins within a minute, 1 to 60,000, each of which takes several calls: for apps
//!   that bear only so many. Default: with as many as are due, until the app asks to be left alone. What is read day by day is not counted.
//! - `[connector.calls.KIND]`: for `rest`, by the kind of entitlement (`account`, `tier`, `role`, `group`): `create`, `remove`
//!   and `read`, each `{ method, path, body }`, and where the answer to `read` says that it is there: `there`, a JSON pointer
//!   (RFC 6901), and `equals`. `shape` lists pointers to what every answer of the app has: an answer without the place of `there` means
//!   that it is not there only where it has all of them. Default none: then 404 and 410 say so, and nothing else. Since a gateway before
//!   the app answers with 404, too, where it does not reach the app, `absent` and `known` say how such an answer is known to be the
//!   app's: `absent`, `{ at, equals }`, names what the answer to `read` has then, a JSON pointer and the text there (without `equals` any
//!   text); `known` is the path of something that is always there, such as the desk's own account, and is read before a 404 or 410
//!   counts: where it is not found either, nothing follows. Default for both: one without a body counts, and one whose body is JSON; a page
//!   does not. `end-sessions`, a call as
//!   `remove`, is made after it wherever an entitlement of the kind is taken away, and ends the person's sessions; 404 and 410 mean that
//!   there are none. The order is done only when it was answered. Where another tier takes the place of one, sessions go on. Default
//!   none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::duration;
use crate::config::read::{Keys, Node, distinct};
use crate::config::wrong::Wrong;
use crate::desk::id::ConnectorId;
use crate::desk::organisation::connector::{
    Absence, AllowedCall, Component, Connector, Kind, Rest, RestCall, RestCalls, Scim, Webhook,
};

/// The words of `kind`.
#[derive(Clone, Copy)]
enum Word {
    Manual,
    Scim,
    Rest,
    Webhook,
    Component,
}

const KINDS: [(&str, Word); 5] = [
    ("manual", Word::Manual),
    ("scim", Word::Scim),
    ("rest", Word::Rest),
    ("webhook", Word::Webhook),
    ("component", Word::Component),
];

/// How long an app may take to answer, in minutes, where the configuration does not say.
const ANSWER_MINUTES: u32 = 60;
/// The most orders of a minute that the configuration may say.
const ORDERS_PER_MINUTE_MAX: u64 = 60_000;

/// One `[[connector]]`.
pub(super) fn read(keys: &mut Keys<'_>, id: ConnectorId, dir: &Path) -> Option<Connector> {
    let kind = match keys.required("kind").and_then(|node| node.one_of(&KINDS))? {
        Word::Manual => Kind::Manual,
        Word::Scim => Kind::Scim(Scim {
            url: address(keys)?,
            token_file: token_file(keys, dir),
            groups: keys.optional("groups").and_then(|node| node.texts()).unwrap_or_default(),
        }),
        Word::Rest => {
            let (url, token_file) = (address(keys), token_file(keys, dir));
            let calls = keys.table("calls", calls).unwrap_or_default();
            Kind::Rest(Rest { url: url?, token_file, calls })
        }
        Word::Webhook => Kind::Webhook(webhook(keys, dir)?),
        Word::Component => Kind::Component(component(keys, dir)?),
    };
    let internal = keys.optional("internal").and_then(|node| node.flag()).unwrap_or_default();
    let says = matches!(kind, Kind::Scim(_) | Kind::Rest(_) | Kind::Component(_));
    let last_sign_in = if says { keys.optional("last-sign-in").and_then(|node| pointer(&node)) } else { None };
    let per_minute = keys.optional("orders-per-minute").and_then(|node| node.whole(1, ORDERS_PER_MINUTE_MAX));
    let orders_per_minute = per_minute.and_then(|count| u32::try_from(count).ok());
    Some(Connector { id, internal, last_sign_in, orders_per_minute, kind })
}

fn pointer(node: &Node<'_>) -> Option<String> {
    node.parsed(|text| {
        let sound = text.starts_with('/') && text.len() > 1;
        if sound { Ok(text.to_owned()) } else { Err(Wrong::NotAPointer { text: text.to_owned() }) }
    })
}

fn webhook(keys: &mut Keys<'_>, dir: &Path) -> Option<Webhook> {
    let (url, secret_file) = (address(keys), keys.required("secret-file").and_then(|node| node.filled()));
    let answer_minutes = keys.optional("answer-within").and_then(|node| duration::minutes(&node));
    let reads = keys.optional("reads").and_then(|node| node.flag()).unwrap_or(true);
    let secret_file = dir.join(secret_file?);
    Some(Webhook { url: url?, secret_file, answer_minutes: answer_minutes.unwrap_or(ANSWER_MINUTES), reads })
}

fn component(keys: &mut Keys<'_>, dir: &Path) -> Option<Component> {
    let (url, file) = (address(keys), keys.required("component").and_then(|node| node.filled()));
    let token_file = token_file(keys, dir);
    let allow = distinct(keys.list("allow"), |node| {
        node.parsed(|text| AllowedCall::read(text).ok_or_else(|| Wrong::NotAnAllowance { text: text.to_owned() }))
    });
    if allow.is_empty() {
        keys.report("allow", Wrong::Missing);
    }
    let settings = keys.optional("settings").and_then(|node| node.texts()).unwrap_or_default();
    Some(Component { file: dir.join(file?), url: url?, token_file, allow, settings })
}

fn address(keys: &mut Keys<'_>) -> Option<String> {
    keys.required("url")?.parsed(|text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let sound = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains([' ', '@', '?', '#']));
        if sound {
            Ok(text.trim_end_matches('/').to_owned())
        } else {
            Err(Wrong::NotAnAppAddress { text: text.to_owned() })
        }
    })
}

fn token_file(keys: &mut Keys<'_>, dir: &Path) -> Option<PathBuf> {
    keys.optional("token-file").and_then(|node| node.filled()).map(|file| dir.join(file))
}

fn calls(keys: &mut Keys<'_>) -> BTreeMap<String, RestCalls> {
    let mut found = BTreeMap::new();
    for kind in ["account", "tier", "role", "group"] {
        let node = keys.optional(kind);
        let calls = node.and_then(|node| node.keys(of_kind)).flatten();
        found.extend(calls.map(|calls| (kind.to_owned(), calls)));
    }
    found
}

fn of_kind(keys: &mut Keys<'_>) -> Option<RestCalls> {
    let (create, remove, read) = (call(keys, "create"), call(keys, "remove"), call(keys, "read"));
    let end_sessions = keys.optional("end-sessions").and_then(|node| described(&node));
    let mut text = |key| keys.optional(key).and_then(|node: Node<'_>| node.filled());
    let (there, equals) = (text("there"), text("equals"));
    let shape = distinct(keys.list("shape"), pointer);
    let says = keys.optional("absent").and_then(|node| node.keys(says)).flatten();
    let absence = Absence { says, known: keys.optional("known").and_then(|node| node.filled()) };
    Some(RestCalls { create: create?, remove: remove?, read: read?, absence, there, equals, shape, end_sessions })
}

fn says(keys: &mut Keys<'_>) -> Option<(String, Option<String>)> {
    let equals = keys.optional("equals").and_then(|node| node.filled());
    Some((keys.required("at").and_then(|node| pointer(&node))?, equals))
}

fn call(keys: &mut Keys<'_>, key: &'static str) -> Option<RestCall> {
    described(&keys.required(key)?)
}

fn described(node: &Node<'_>) -> Option<RestCall> {
    node.keys(|keys| {
        let words = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|word| (word, word));
        let method = keys.required("method").and_then(|node| node.one_of(&words));
        let path = keys.required("path").and_then(|node| node.filled());
        let body = keys.optional("body").and_then(|node| node.text().map(str::to_owned)).unwrap_or_default();
        Some(RestCall { method: method?.to_owned(), path: path?, body })
    })?
}
