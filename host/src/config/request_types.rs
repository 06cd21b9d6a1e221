//! `request-types.toml`: what can be asked for, and the form for each.

use std::collections::BTreeMap;

use crate::desk::id::RequestTypeId;
use crate::desk::organisation::service::Closing;
use crate::desk::organisation::{FieldKind, FieldSpec, Kind, RequestType};

use super::desk::closing::{self, Given};
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::Wrong;

/// The longest text that a field takes unless the file says otherwise, in characters.
const CHARS_MAX: u64 = 2000;
/// The longest text that a file may allow, in characters.
const CHARS_MAX_MAX: u64 = 100_000;
/// The longest name of a field, in bytes.
const FIELD_NAME_BYTES_MAX: usize = 60;
/// What problems with a submission are also filed under, and so cannot be fields.
const TAKEN: [&str; 3] = ["subject", "body", "request-type"];

/// Reads the request types: `[[request-type]]`, at least one; each with those of its keys about its end that differ from the
/// desk's.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> BTreeMap<RequestTypeId, (RequestType, Given)> {
    let types = keys.entries("request-type", |keys, id| request_type(keys, id, names));
    if types.is_empty() {
        keys.report("request-type", Wrong::Missing);
    }
    types.into_iter().map(|one| (one.0.id.clone(), one)).collect()
}

/// One `[[request-type]]`.
///
/// - `id`, `name`.
/// - `kind`: `incident`, `request`, `problem` or `change`.
/// - `category`: what stands where no rule has answered; absent is the desk's default.
/// - `grants-access`: whether tickets ask for access, default false; the form then needs `app` and `tier`.
/// - `[request-type.closing]`: what differs from the desk's `[closing]`.
/// - `[[request-type.field]]`: the form's fields in the order they are shown.
fn request_type(keys: &mut Keys<'_>, id: RequestTypeId, names: &Names) -> (RequestType, Given) {
    let kinds = Kind::ALL.map(|kind| (kind.code(), kind));
    let grants = keys.optional("grants-access");
    let grants_access = grants.as_ref().and_then(Node::flag).unwrap_or(false);
    let mut seen = BTreeMap::new();
    let fields = keys.list("field");
    let fields: Vec<FieldSpec> =
        fields.iter().filter_map(|node| node.keys(|keys| field(keys, &mut seen)).flatten()).collect();
    if let (Some(node), true) = (grants, grants_access) {
        for field in ["app", "tier"] {
            if !fields.iter().any(|spec| spec.name == field && holds_text(&spec.kind)) {
                node.report(Wrong::AccessFormLacks { field, kind: "text or choice" });
            }
        }
    }
    let closing = keys.table("closing", closing::read).unwrap_or_default();
    let form = RequestType {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        kind: keys.required("kind").and_then(|node| node.one_of(&kinds)).unwrap_or(Kind::Request),
        category: keys.optional("category").and_then(|node| node.known(&names.categories)),
        fields,
        grants_access,
        closing: Closing::default(),
    };
    (form, closing)
}

fn holds_text(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Text { .. } | FieldKind::Choice { .. })
}

/// One `[[request-type.field]]`.
///
/// - `name`: what rules and programs call it, such as `cost-centre`; once in a form.
/// - `label`: what people read. `help`: a sentence for whoever fills it in.
/// - `kind`: `text`, `number`, `flag`, `date`, `choice` or `choices`, with the keys of [`field_kind`].
/// - `required`: default false.
fn field(keys: &mut Keys<'_>, seen: &mut BTreeMap<String, usize>) -> Option<FieldSpec> {
    let name = keys.required("name");
    let text = name.as_ref().and_then(|node| node.parsed(field_name));
    if let (Some(node), Some(text)) = (&name, &text) {
        node.refuse_repeated(text, seen);
    }
    let label = keys.required("label").and_then(|node| node.filled()).unwrap_or_default();
    let help = keys.optional("help").and_then(|node| node.filled()).unwrap_or_default();
    let required = keys.optional("required").and_then(|node| node.flag()).unwrap_or(false);
    let kind = field_kind(keys);
    Some(FieldSpec { name: text?, label, kind: kind?, required, help })
}

fn field_name(text: &str) -> Result<String, Wrong> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=FIELD_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
    if !fits || TAKEN.contains(&text) {
        return Err(Wrong::NotAFieldName { text: text.to_owned() });
    }
    Ok(text.to_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Text,
    Number,
    Flag,
    Date,
    Choice,
    Choices,
}

const SHAPES: [(&str, Shape); 6] = [
    ("text", Shape::Text),
    ("number", Shape::Number),
    ("flag", Shape::Flag),
    ("date", Shape::Date),
    ("choice", Shape::Choice),
    ("choices", Shape::Choices),
];

/// What the field may hold.
///
/// - `chars-max`: for `text`, the most characters; default 2000.
/// - `min`, `max`: for `number`, the bounds; absent is none.
/// - `options`: for `choice` and `choices`, at least one.
fn field_kind(keys: &mut Keys<'_>) -> Option<FieldKind> {
    let shape = keys.required("kind").and_then(|node| node.one_of(&SHAPES));
    let chars_max = keys.optional("chars-max");
    let (min, max) = (keys.optional("min"), keys.optional("max"));
    let options = keys.optional("options");
    let shape = shape?;
    let choice = matches!(shape, Shape::Choice | Shape::Choices);
    refuse_unless(shape == Shape::Text, "text", [&chars_max]);
    refuse_unless(shape == Shape::Number, "number", [&min, &max]);
    refuse_unless(choice, "choice and choices", [&options]);
    let options = || {
        let options = options.map(|node| distinct(node.list(), Node::filled)).unwrap_or_default();
        if options.is_empty() {
            keys.report("options", Wrong::NoOptions);
        }
        options
    };
    Some(match shape {
        Shape::Text => {
            let chars = chars_max.and_then(|node| node.whole(1, CHARS_MAX_MAX)).unwrap_or(CHARS_MAX);
            FieldKind::Text { chars_max: usize::try_from(chars).unwrap_or(usize::MAX) }
        }
        Shape::Number => bounds(min.as_ref(), max.as_ref()),
        Shape::Flag => FieldKind::Flag,
        Shape::Date => FieldKind::Date,
        Shape::Choice => FieldKind::Choice { options: options() },
        Shape::Choices => FieldKind::Choices { options: options() },
    })
}

fn refuse_unless<const N: usize>(fits: bool, kinds: &'static str, keys: [&Option<Node<'_>>; N]) {
    if !fits {
        for node in keys.into_iter().flatten() {
            node.report(Wrong::NotForThisKind { kinds });
        }
    }
}

fn bounds(min: Option<&Node<'_>>, max: Option<&Node<'_>>) -> FieldKind {
    let low = min.and_then(Node::number);
    let high = max.and_then(Node::number);
    if let (Some(node), Some(low), Some(high)) = (min, low, high)
        && low > high
    {
        node.report(Wrong::BoundsBackwards { min: low.to_string(), max: high.to_string() });
    }
    FieldKind::Number { min: low, max: high }
}
