//! `[[macro]]` and `[[canned-reply]]` of `desk.toml`: what agents do and say often.

use std::collections::BTreeMap;

use crate::config::names::Names;
use crate::config::read::{Keys, Node, distinct};
use crate::config::wrong::Wrong;
use crate::desk::id::{CategoryId, MacroId, PriorityId, Tag, TeamId};
use crate::desk::organisation::service::{CannedReply, Macro, RecordPart, Variable};
use crate::desk::ticket::State;

/// Reads all macros.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> BTreeMap<MacroId, Macro> {
    keys.entries("macro", |keys, id| (id, one(keys, names))).into_iter().collect()
}

/// Reads all canned replies.
pub fn canned_replies(keys: &mut Keys<'_>) -> Vec<CannedReply> {
    keys.entries("canned-reply", canned_reply)
}

/// Reads a macro, whose changes are made together or not at all.
///
/// - `id`, `name`.
/// - `category`, `priority`, `team`, `tags`: the values that the ticket gets; absent stays.
/// - `take`: whether the agent who runs it gets the ticket; default false.
/// - `reply`, `note`: a public answer and a private note; absent says nothing.
/// - `to`: the state that it goes to; absent stays.
/// - `resolution`: for `resolved`, the record in its parts.
///
/// Texts have the variables `{key}`, `{subject}`, `{requester}`, `{agent}` and `{desk}`.
fn one(keys: &mut Keys<'_>, names: &Names) -> Macro {
    let states = State::ALL.map(|state| (state.code(), state.code()));
    let tags = keys.optional("tags").map(|node| distinct(node.list(), |tag| tag.known::<Tag>(&names.tags)));
    let record = keys.table("resolution", |keys| {
        let part = |part: RecordPart| Some((part, keys.optional(part.code()).and_then(|node| text(&node))?));
        RecordPart::ALL.into_iter().filter_map(part).collect::<Vec<_>>()
    });
    Macro {
        name: keys.required("name").and_then(|node| node.line()).unwrap_or_default(),
        category: known::<CategoryId>(keys.optional("category"), &names.categories),
        priority: known::<PriorityId>(keys.optional("priority"), &names.priorities),
        team: known::<TeamId>(keys.optional("team"), &names.teams),
        tags: tags.map(|tags| tags.iter().map(ToString::to_string).collect()),
        take: keys.optional("take").and_then(|node| node.flag()).unwrap_or(false),
        reply: keys.optional("reply").and_then(|node| text(&node)),
        note: keys.optional("note").and_then(|node| text(&node)),
        to: keys.optional("to").and_then(|node| node.one_of(&states)).map(str::to_owned),
        record: record.unwrap_or_default(),
    }
}

/// Reads a canned reply: `id`, `name`, and `body` with variables.
fn canned_reply(keys: &mut Keys<'_>, id: MacroId) -> CannedReply {
    CannedReply {
        id,
        name: keys.required("name").and_then(|node| node.line()).unwrap_or_default(),
        body: keys.required("body").and_then(|node| text(&node)).unwrap_or_default(),
    }
}

fn known<I>(node: Option<Node<'_>>, set: &crate::config::names::Set) -> Option<String>
where
    I: std::str::FromStr<Err = crate::desk::id::NotAnId> + ToString,
{
    node.and_then(|node| node.known::<I>(set)).map(|id| id.to_string())
}

/// A text whose variables all exist.
fn text(node: &Node<'_>) -> Option<String> {
    let text = node.filled()?;
    if let Some(unknown) = Variable::unknown_in(&text) {
        node.report(Wrong::UnknownVariable { text: unknown, allowed: Variable::ALL.map(Variable::code).into() });
        return None;
    }
    Some(text)
}
