//! `[[connector]]` of `apps.toml`: by what the desk writes to apps.
//!
//! - `id`.
//! - `kind`: `scim`, `rest` or `manual`.
//! - `url`: the base of the app's addresses; for `scim` and `rest`.
//! - `internal`: whether the app stands inside the organisation's network: then it may be asked at an address there, and without
//!   TLS. Default false.
//! - `token-file`: the file with the bearer token; relative to the configuration directory. It is read for each call, so that
//!   a new token needs no restart.
//! - `groups`: for `scim`: the group that stands for an entitlement such as `tier:pro`, as `id:` and its id, or by its display
//!   name. Default: the group of the entitlement's own name.
//! - `[connector.calls.KIND]`: for `rest`, by the kind of entitlement (`account`, `tier`, `role`, `group`): `create`, `remove`
//!   and `read`, each `{ method, path, body }`, and where the answer to `read` says that it is there: `there`, a JSON pointer
//!   (RFC 6901), and `equals`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::read::{Keys, Node};
use crate::config::wrong::Wrong;
use crate::desk::id::ConnectorId;
use crate::desk::organisation::connector::{Connector, Kind, Rest, RestCall, RestCalls, Scim};

/// The words of `kind`.
#[derive(Clone, Copy)]
enum Word {
    Manual,
    Scim,
    Rest,
}

const KINDS: [(&str, Word); 3] = [("manual", Word::Manual), ("scim", Word::Scim), ("rest", Word::Rest)];

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
    };
    let internal = keys.optional("internal").and_then(|node| node.flag()).unwrap_or_default();
    Some(Connector { id, internal, kind })
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
    let mut text = |key| keys.optional(key).and_then(|node: Node<'_>| node.filled());
    let (there, equals) = (text("there"), text("equals"));
    Some(RestCalls { create: create?, remove: remove?, read: read?, there, equals })
}

fn call(keys: &mut Keys<'_>, key: &'static str) -> Option<RestCall> {
    keys.required(key)?.keys(|keys| {
        let words = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|word| (word, word));
        let method = keys.required("method").and_then(|node| node.one_of(&words));
        let path = keys.required("path").and_then(|node| node.filled());
        let body = keys.optional("body").and_then(|node| node.text().map(str::to_owned)).unwrap_or_default();
        Some(RestCall { method: method?.to_owned(), path: path?, body })
    })?
}
