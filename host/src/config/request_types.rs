//! `request-types.toml`: what can be asked for, and the form for each.

use std::collections::BTreeMap;

use crate::desk::id::{CategoryId, RequestTypeId};
use crate::desk::organisation::condition::{CLAUSES_MAX, Clause, Condition, Test};
use crate::desk::organisation::service::Closing;
use crate::desk::organisation::{Category, FieldKind, FieldSpec, Kind, RequestType};

use super::desk::closing::{self, Given};
use super::desk::parts;
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::{Known, Wrong};

/// The longest text that a field takes unless the file says otherwise, in characters.
const CHARS_MAX: u64 = 2000;
/// The same for a text of several lines.
const LONG_CHARS_MAX: u64 = 20_000;
/// The longest text that a file may allow, in characters.
const CHARS_MAX_MAX: u64 = 100_000;
/// The longest name of a field, in bytes.
const FIELD_NAME_BYTES_MAX: usize = 60;
/// What problems with a submission are also filed under, and so cannot be fields.
const TAKEN: [&str; 3] = ["subject", "body", "request-type"];

/// Reads the request types: `[[request-type]]`, at least one; each with those of its keys about its end that differ from the
/// desk's.
pub fn read(
    keys: &mut Keys<'_>,
    names: &Names,
    categories: &BTreeMap<CategoryId, Category>,
) -> BTreeMap<RequestTypeId, (RequestType, Given)> {
    let types = keys.entries("request-type", |keys, id| request_type(keys, id, names, categories));
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
/// - `grants-access`: whether tickets ask for access, default false; the form then needs `app` and `tier`, and the type a `category` that
///   is no `catch-all`: what is granted is resolved by itself, and would be under one that says nothing.
/// - `[request-type.closing]`: what differs from the desk's `[closing]`.
/// - `[[request-type.field]]`: the form's fields in the order they are shown.
/// - `[[request-type.part]]`, `[[request-type.task]]`: what a submission makes besides its ticket; they have a section of their own.
fn request_type(
    keys: &mut Keys<'_>,
    id: RequestTypeId,
    names: &Names,
    categories: &BTreeMap<CategoryId, Category>,
) -> (RequestType, Given) {
    let kinds = Kind::ALL.map(|kind| (kind.code(), kind));
    let grants = keys.optional("grants-access");
    let grants_access = grants.as_ref().and_then(Node::flag).unwrap_or(false);
    let mut seen = BTreeMap::new();
    let mut fields: Vec<FieldSpec> = Vec::new();
    for node in keys.list("field") {
        let field = node.keys(|keys| field(keys, &mut seen, &fields)).flatten();
        fields.extend(field);
    }
    let named = keys.optional("category");
    let category: Option<CategoryId> = named.as_ref().and_then(|node| node.known(&names.categories));
    if let (Some(node), true) = (grants, grants_access) {
        match (&named, &category) {
            (None, _) => node.report(Wrong::AccessWithoutCategory),
            (Some(named), Some(id)) if categories.get(id).is_some_and(|category| category.catch_all) => {
                named.report(Wrong::AccessInCatchAll { category: id.to_string() });
            }
            _ => {}
        }
        for field in ["app", "tier"] {
            if !fields.iter().any(|spec| spec.name == field && holds_text(&spec.kind)) {
                node.report(Wrong::AccessFormLacks { field, kind: "text or choice" });
            }
        }
    }
    let closing = keys.table("closing", closing::read).unwrap_or_default();
    let (parts, tasks) = (parts::parts(keys, &fields, names), parts::tasks(keys, &fields));
    let form = RequestType {
        id,
        name: keys.required("name").and_then(|node| node.line()).unwrap_or_default(),
        kind: keys.required("kind").and_then(|node| node.one_of(&kinds)).unwrap_or(Kind::Request),
        category,
        fields,
        grants_access,
        closing: Closing::default(),
        parts,
        tasks,
    };
    (form, closing)
}

fn holds_text(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Text { .. } | FieldKind::Choice { .. })
}

/// One `[[request-type.field]]`.
///
/// - `name`: what rules and programs call it, such as `cost-centre`; once in a form.
/// - `label`: what people read. `help`: a sentence for those who fill it in; absent says nothing.
/// - `kind`: `text`, `long-text`, `number`, `flag`, `date`, `choice`, `choices`, `person`, `app`, `asset` or `file`, with the keys
///   of [`field_kind`].
/// - `required`: default false.
/// - `show-when`: where it is asked, a list of [`clause`]s that all hold; default everywhere.
/// - `require-when`: where it has to be filled in though it is not `required`, such a list; default nowhere.
fn field(keys: &mut Keys<'_>, seen: &mut BTreeMap<String, usize>, before: &[FieldSpec]) -> Option<FieldSpec> {
    let name = keys.required("name");
    let text = name.as_ref().and_then(|node| node.parsed(field_name));
    if let (Some(node), Some(text)) = (&name, &text) {
        node.refuse_repeated(text, seen);
    }
    let label = keys.required("label").and_then(|node| node.filled()).unwrap_or_default();
    let help = keys.optional("help").and_then(|node| node.filled()).unwrap_or_default();
    let required = keys.optional("required").and_then(|node| node.flag()).unwrap_or(false);
    let show_when = condition(keys, "show-when", before);
    let require_when = condition(keys, "require-when", before);
    let kind = field_kind(keys);
    Some(FieldSpec { name: text?, label, kind: kind?, required, help, show_when, require_when })
}

pub(super) fn condition(keys: &mut Keys<'_>, key: &'static str, before: &[FieldSpec]) -> Condition {
    let clauses = keys.list(key);
    if clauses.len() > CLAUSES_MAX {
        keys.report(key, Wrong::TooMany { found: clauses.len(), max: CLAUSES_MAX });
    }
    Condition(clauses.iter().filter_map(|node| node.keys(|keys| clause(keys, before)).flatten()).collect())
}

/// One clause of a condition: about one field that comes before in the form, with one of the other keys.
///
/// - `field`: its name.
/// - `is`, `not`: a list of texts; of a `flag`, `true` or `false`; of a `choice`, its options; absent asks nothing of that.
/// - `at-least`, `at-most`: a number, of a `number`; absent is no bound.
/// - `filled`: whether it is filled in at all; absent asks nothing of that.
fn clause(keys: &mut Keys<'_>, before: &[FieldSpec]) -> Option<Clause> {
    let named = keys.required("field");
    let spec = named.as_ref().and_then(|node| {
        node.parsed(|text| {
            let known = || before.iter().map(|spec| spec.name.clone());
            before.iter().find(|spec| spec.name == text).ok_or_else(|| Wrong::Unknown {
                what: "field that comes before",
                text: text.to_owned(),
                nearest: None,
                known: known().collect(),
            })
        })
    });
    let texts = |node: &Node<'_>| distinct(node.list(), |node| option(node, spec));
    let tests = [
        keys.optional("is").map(|node| Test::Is(texts(&node))),
        keys.optional("not").map(|node| Test::Not(texts(&node))),
        keys.optional("at-least").and_then(|node| node.number()).map(Test::AtLeast),
        keys.optional("at-most").and_then(|node| node.number()).map(Test::AtMost),
        keys.optional("filled").and_then(|node| node.flag()).map(Test::Filled),
    ];
    let mut tests = tests.into_iter().flatten();
    let (test, None) = (tests.next(), tests.next()) else {
        keys.report("field", Wrong::NotOneTest);
        return None;
    };
    if test.is_none() {
        keys.report("field", Wrong::NotOneTest);
    }
    let spec = spec?;
    if matches!(test, Some(Test::AtLeast(_) | Test::AtMost(_))) && !matches!(spec.kind, FieldKind::Number { .. }) {
        keys.report("field", Wrong::NotForThisKind { kinds: "number" });
    }
    Some(Clause { field: spec.name.clone(), label: spec.label.clone(), test: test? })
}

/// A text with which a field is compared: of a choice, one of its options.
fn option(node: &Node<'_>, spec: Option<&FieldSpec>) -> Option<String> {
    let text = node.filled()?;
    let flags = ["true".to_owned(), "false".to_owned()];
    let known = match spec.map(|spec| &spec.kind) {
        Some(FieldKind::Choice { options } | FieldKind::Choices { options }) => options.as_slice(),
        Some(FieldKind::Flag) => flags.as_slice(),
        _ => return Some(text),
    };
    if known.contains(&text) {
        return Some(text);
    }
    let known = Known::of(known.iter(), known.len());
    node.report(Wrong::Unknown { what: "option", text, nearest: None, known });
    None
}

pub(super) fn field_name(text: &str) -> Result<String, Wrong> {
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
    LongText,
    Person,
    App,
    Asset,
    File,
}

const SHAPES: [(&str, Shape); 11] = [
    ("text", Shape::Text),
    ("number", Shape::Number),
    ("flag", Shape::Flag),
    ("date", Shape::Date),
    ("choice", Shape::Choice),
    ("choices", Shape::Choices),
    ("long-text", Shape::LongText),
    ("person", Shape::Person),
    ("app", Shape::App),
    ("asset", Shape::Asset),
    ("file", Shape::File),
];

/// What the field may hold.
///
/// - `chars-max`: for `text` and `long-text`, the most characters; default 2000 and 20000.
/// - `table`: needed for `asset`, the reference table whose keys it takes.
/// - `min`, `max`: for `number`, the bounds; absent is none.
/// - `options`: for `choice` and `choices`, at least one.
fn field_kind(keys: &mut Keys<'_>) -> Option<FieldKind> {
    let shape = keys.required("kind").and_then(|node| node.one_of(&SHAPES));
    let chars_max = keys.optional("chars-max");
    let (min, max) = (keys.optional("min"), keys.optional("max"));
    let (options, table) = (keys.optional("options"), keys.optional("table"));
    let shape = shape?;
    let choice = matches!(shape, Shape::Choice | Shape::Choices);
    let is_text = matches!(shape, Shape::Text | Shape::LongText);
    refuse_unless(is_text, "text and long-text", [&chars_max]);
    refuse_unless(shape == Shape::Asset, "asset", [&table]);
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
        Shape::Text => FieldKind::Text { chars_max: chars(chars_max.as_ref(), CHARS_MAX) },
        Shape::LongText => FieldKind::LongText { chars_max: chars(chars_max.as_ref(), LONG_CHARS_MAX) },
        Shape::Person => FieldKind::Person,
        Shape::App => FieldKind::App,
        Shape::File => FieldKind::File,
        Shape::Asset => {
            if table.is_none() {
                keys.report("table", Wrong::Missing);
            }
            FieldKind::Asset { table: table.and_then(|node| node.filled())? }
        }
        Shape::Number => bounds(min.as_ref(), max.as_ref()),
        Shape::Flag => FieldKind::Flag,
        Shape::Date => FieldKind::Date,
        Shape::Choice => FieldKind::Choice { options: options() },
        Shape::Choices => FieldKind::Choices { options: options() },
    })
}

fn chars(node: Option<&Node<'_>>, usual: u64) -> usize {
    let chars = node.and_then(|node| node.whole(1, CHARS_MAX_MAX)).unwrap_or(usual);
    usize::try_from(chars).unwrap_or(usize::MAX)
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
