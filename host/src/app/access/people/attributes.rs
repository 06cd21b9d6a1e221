//! The attributes of the directory's users and groups, as the desk keeps what a provider sends: names in one case, flags as flags, and
//! no characters that do more than be read.

use serde_json::{Map, Value};

use crate::app::Error;
use crate::desk::organisation::directory::EntryKind;
use crate::desk::organisation::form::{Problem, check_characters, check_long};
use crate::desk::text::is_blank;

/// The schema of a user's place in the company (RFC 7643, section 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The largest entry, in bytes: a group of some ten thousand members.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The longest name, in characters.
pub(super) const NAME_CHARS_MAX: usize = 256;

pub(super) fn text(body: Option<&Value>, path: &str) -> Option<String> {
    let found = body?.pointer(&format!("/{path}"))?.as_str()?.trim();
    (!found.is_empty()).then(|| found.to_owned())
}

/// Whether a user may work: where nothing is said, they may.
pub(super) fn is_active(body: &Value) -> bool {
    // Also as earlier releases have kept it, with the name in the provider's own case.
    let mut said = body.as_object().into_iter().flatten().filter(|(name, _)| name.eq_ignore_ascii_case("active"));
    !said.any(|(_, value)| flag(value) == Some(false))
}

pub(super) fn name_of(kind: EntryKind, body: &Value) -> String {
    let attribute = match kind {
        EntryKind::User => "userName",
        EntryKind::Group => "displayName",
    };
    text(Some(body), attribute).unwrap_or_default().to_lowercase()
}

/// A body as it is kept: without what only the desk says, with flags as flags.
pub(super) fn checked(kind: EntryKind, body: Value) -> Result<Value, Error> {
    let rejected = |field: &str, code: &str, message: String| Error::Rejected {
        problems: vec![Problem::new(field, code, message)],
    };
    let body = with_names(body)
        .ok_or_else(|| rejected("", "repeated", "An attribute is there twice, in two forms of its name.".to_owned()))?;
    let Value::Object(fields) = body else {
        return Err(rejected("", "not-an-object", "Send a JSON object.".to_owned()));
    };
    let mut kept = Map::new();
    for (name, mut value) in fields {
        let plain = name.to_ascii_lowercase();
        // The groups of a user are the groups' own.
        if ["id", "meta", "schemas"].contains(&plain.as_str()) || (kind == EntryKind::User && plain == "groups") {
            continue;
        }
        if plain == "active" {
            value = Value::Bool(
                flag(&value)
                    .ok_or_else(|| rejected("active", "not-a-flag", "`active` is true or false.".to_owned()))?,
            );
        }
        if !value.is_null() {
            kept.insert(name, value);
        }
    }
    let body = Value::Object(kept);
    let name = name_of(kind, &body);
    let field = if kind == EntryKind::User { "userName" } else { "displayName" };
    if is_blank(&name) || name.chars().count() > NAME_CHARS_MAX {
        return Err(rejected(field, "required", format!("`{field}` is a text of 1 to {NAME_CHARS_MAX} characters.")));
    }
    if let Some(problem) = unfit("", &body) {
        return Err(Error::Rejected { problems: vec![problem] });
    }
    if body.to_string().len() > BODY_BYTES_MAX {
        return Err(rejected("", "too-large", format!("An entry has at most {BODY_BYTES_MAX} bytes.")));
    }
    Ok(body)
}

/// The first text of an entry, or name of an attribute, with characters that do more than be read. A postal address alone is written
/// in lines.
fn unfit(attribute: &str, value: &Value) -> Option<Problem> {
    match value {
        Value::String(text) if attribute == "formatted" => check_long(attribute, text),
        Value::String(text) => check_characters(attribute, text),
        Value::Array(items) => items.iter().find_map(|item| unfit(attribute, item)),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| check_characters("", name).or_else(|| unfit(&name.to_ascii_lowercase(), value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The attributes that the desk reads. The case of a name does not matter (RFC 7643, section 2.1); they are kept in this one.
const NAMES: [&str; 18] = [
    "userName",
    "displayName",
    "externalId",
    "active",
    "name",
    "emails",
    "addresses",
    "title",
    "members",
    "value",
    "primary",
    "givenName",
    "familyName",
    "formatted",
    "locality",
    "department",
    "manager",
    ENTERPRISE,
];

/// A value with the names of attributes as the desk reads them; `None` where an attribute is there in two forms of its name.
fn with_names(value: Value) -> Option<Value> {
    match value {
        Value::Array(all) => all.into_iter().map(with_names).collect::<Option<Vec<Value>>>().map(Value::Array),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let known = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(&name));
                let name = known.map_or(name, str::to_owned);
                if kept.insert(name, with_names(value)?).is_some() {
                    return None;
                }
            }
            Some(Value::Object(kept))
        }
        other => Some(other),
    }
}

/// A flag, also in the forms that providers write it: Entra sends it as a text, and has sent it as a list of one value.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Array(all) => match all.as_slice() {
            [one] => flag(one),
            _ => None,
        },
        Value::Object(fields) => flag(fields.get("value")?),
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
