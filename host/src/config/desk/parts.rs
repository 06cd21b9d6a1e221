//! `[[request-type.part]]` and `[[request-type.task]]`: the tickets and tasks that one submission makes besides its own ticket.
//!
//! Texts may name fields of the form in braces, such as `{name}`.

use std::collections::BTreeMap;

use crate::config::names::Names;
use crate::config::read::{Keys, Node, distinct};
use crate::config::request_types::{condition, field_name};
use crate::config::wrong::Wrong;
use crate::desk::organisation::parts::{Due, PARTS_MAX, Part, Pattern, TaskPattern};
use crate::desk::organisation::{FieldKind, FieldSpec};

/// The furthest that a part is due from the date that it goes by, in days.
const DAYS_MAX: u64 = 366;

/// One `[[request-type.task]]`, which the ticket begins with and is not resolved before it is done.
///
/// - `text`: with fields in braces.
/// - `when`: where it is to be done, such a list of questions as `show-when` of a field; default always.
pub fn tasks(keys: &mut Keys<'_>, fields: &[FieldSpec]) -> Vec<TaskPattern> {
    let read = |keys: &mut Keys<'_>| {
        let text = keys.required("text").and_then(|node| pattern(&node, fields));
        Some(TaskPattern { when: condition(keys, "when", fields), text: text? })
    };
    bounded(keys, "task").iter().filter_map(|node| node.keys(read).flatten()).collect()
}

/// Reads the parts, in the order in which they are made.
pub fn parts(keys: &mut Keys<'_>, fields: &[FieldSpec], names: &Names) -> Vec<Part> {
    let (mut seen, mut found) = (BTreeMap::new(), Vec::new());
    for node in bounded(keys, "part") {
        let one = node.keys(|keys| part(keys, &mut seen, (fields, &found), names)).flatten();
        found.extend(one);
    }
    found
}

fn bounded<'a>(keys: &mut Keys<'a>, key: &'static str) -> Vec<Node<'a>> {
    let list = keys.list(key);
    if list.len() > PARTS_MAX {
        keys.report(key, Wrong::TooMany { found: list.len(), max: PARTS_MAX });
    }
    list
}

/// One `[[request-type.part]]`: a ticket of its own, a child of the submission's, which waits for it. All are made together or none.
///
/// - `id`: its name, such as `laptop`; once in a type.
/// - `request-type`: the form of the ticket, which has no parts itself.
/// - `subject`, `body`: texts with fields in braces; an absent body is empty.
/// - `fields`: what the form of the ticket gets, a table of texts with fields in braces; one that is a single field in braces takes
///   it as it is. Default none.
/// - `when`: where it is made, such a list of questions as `show-when` of a field; default always.
/// - `after`: the parts before it that have to be resolved first; default none.
/// - `due`: the day by which it is due: `field`, a date of the form, and `days-before` or `days-after` it; absent is as the ticket's
///   priority says.
fn part(
    keys: &mut Keys<'_>,
    seen: &mut BTreeMap<String, usize>,
    (fields, before): (&[FieldSpec], &[Part]),
    names: &Names,
) -> Option<Part> {
    let named = keys.required("id");
    let id = named.as_ref().and_then(|node| node.parsed(field_name));
    if let (Some(node), Some(id)) = (&named, &id) {
        node.refuse_repeated(id, seen);
    }
    let form = keys.required("request-type");
    let request_type = form.as_ref().and_then(|node| node.known(&names.request_types));
    if let (Some(node), Some(id)) = (&form, &request_type)
        && names.bundles.contains(&format!("{id}"))
    {
        node.report(Wrong::PartWithParts { form: format!("{id}") });
    }
    let subject = keys.required("subject").and_then(|node| pattern(&node, fields));
    let body = keys.optional("body").and_then(|node| pattern(&node, fields)).unwrap_or_default();
    let given = keys.optional("fields").map(|node| {
        let known = request_type.as_ref().and_then(|id| names.fields_of(&format!("{id}")));
        values(&node, fields, known)
    });
    let after = keys.optional("after").map(|node| distinct(node.list(), |node| earlier(node, before)));
    let due = keys.optional("due").and_then(|node| node.keys(|keys| due(keys, fields)).flatten());
    let when = condition(keys, "when", fields);
    Some(Part {
        id: id?,
        request_type: request_type?,
        subject: subject?,
        body,
        fields: given.unwrap_or_default(),
        when,
        after: after.unwrap_or_default(),
        due,
    })
}

fn unknown<'n>(what: &'static str, text: &str, known: impl Iterator<Item = &'n str>) -> Wrong {
    Wrong::Unknown { what, text: text.to_owned(), nearest: None, known: known.map(str::to_owned).collect() }
}

/// A text whose names in braces are fields of the form.
fn pattern(node: &Node<'_>, fields: &[FieldSpec]) -> Option<Pattern> {
    checked(node, node.filled()?, fields)
}

fn checked(node: &Node<'_>, text: String, fields: &[FieldSpec]) -> Option<Pattern> {
    let pattern = Pattern(text);
    let known = || fields.iter().map(|spec| spec.name.as_str());
    if let Some(name) = pattern.names().into_iter().find(|name| !known().any(|field| field == *name)) {
        node.report(unknown("field of this form", name, known()));
        return None;
    }
    Some(pattern)
}

fn values(node: &Node<'_>, fields: &[FieldSpec], known: Option<&[String]>) -> Vec<(String, Pattern)> {
    let mut found = Vec::new();
    for (name, text) in node.texts().unwrap_or_default() {
        if let Some(known) = known.filter(|known| !known.contains(&name)) {
            node.report(unknown("field of the part's form", &name, known.iter().map(String::as_str)));
        }
        found.extend(checked(node, text, fields).map(|pattern| (name, pattern)));
    }
    found
}

fn earlier(node: &Node<'_>, before: &[Part]) -> Option<String> {
    node.parsed(|text| {
        if before.iter().any(|part| part.id == text) {
            Ok(text.to_owned())
        } else {
            Err(unknown("part before this one", text, before.iter().map(|part| part.id.as_str())))
        }
    })
}

fn due(keys: &mut Keys<'_>, fields: &[FieldSpec]) -> Option<Due> {
    let dates = || fields.iter().filter(|spec| spec.kind == FieldKind::Date).map(|spec| spec.name.as_str());
    let field = keys.required("field").and_then(|node| {
        node.parsed(|text| {
            if dates().any(|name| name == text) {
                Ok(text.to_owned())
            } else {
                Err(unknown("date of this form", text, dates()))
            }
        })
    });
    let mut days =
        |key| keys.optional(key).and_then(|node| node.whole(0, DAYS_MAX)).and_then(|n| i32::try_from(n).ok());
    let (before, after) = (days("days-before"), days("days-after"));
    Some(Due { field: field?, days: after.unwrap_or_default() - before.unwrap_or_default() })
}
