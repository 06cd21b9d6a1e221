//! PATCH (RFC 7644, section 3.5.2): all operations, or none. The shapes of the large providers are taken as they are meant: words in
//! any case, a value without a path, flags as texts, and a removal of members that names them in its value, which never removes all.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::filter::{Filter, member, parts};

/// The most operations of one request.
const OPERATIONS_MAX: usize = 1_000;
/// The most comparisons that the filters in the paths of one request make: as many as so many removals from a group of 20,000.
const COMPARISONS_MAX: usize = 20_000_000;
/// The most bytes that the copies of values have which one request writes: a filter may fit thousands of values, and each gets its own.
const COPIED_BYTES_MAX: usize = 16 << 20;

/// Why a PATCH is not taken: the SCIM word for it, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPatch(pub &'static str, pub String);

/// The words of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// A path: an attribute, the values of it that are meant, and a part of them.
struct Path<'p> {
    attribute: Vec<&'p str>,
    filter: Option<Filter>,
    sub: Option<&'p str>,
}

/// The rest of the bounds of one request.
#[derive(Clone, Copy)]
struct Left {
    comparisons: usize,
    copied_bytes: usize,
}

impl Left {
    const ALL: Left = Left { comparisons: COMPARISONS_MAX, copied_bytes: COPIED_BYTES_MAX };

    /// Takes the comparisons of a path with the values that are there.
    fn compare(&mut self, path: &Path<'_>, after: &Value) -> Result<(), NoPatch> {
        let Some(filter) = &path.filter else { return Ok(()) };
        let more = self.comparisons.checked_sub(values_at(after, path).saturating_mul(filter.comparisons()));
        self.comparisons = more.ok_or_else(|| too_many("are compared with"))?;
        Ok(())
    }

    /// Takes the copies of a value, one for each of so many that it is written to.
    fn copy(&mut self, value: &Value, times: usize) -> Result<(), NoPatch> {
        let more = self.copied_bytes.checked_sub(bytes(value).saturating_mul(times));
        self.copied_bytes = more.ok_or_else(|| too_many("write to"))?;
        Ok(())
    }
}

fn too_many(do_what: &str) -> NoPatch {
    let detail = format!("the filters of this request {do_what} too many values: send fewer operations at once");
    NoPatch("tooMany", detail)
}

/// About as many bytes as a value takes.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<Value>(),
        Value::String(text) => size_of::<Value>() + text.len(),
        Value::Array(all) => size_of::<Value>() + all.iter().map(bytes).sum::<usize>(),
        Value::Object(fields) => {
            size_of::<Value>() + fields.iter().map(|(name, value)| name.len() + bytes(value)).sum::<usize>()
        }
    }
}

/// A resource after a PATCH.
///
/// # Errors
///
/// [`NoPatch`]; then nothing has changed.
pub fn patched(before: &Value, request: &Value) -> Result<Value, NoPatch> {
    patched_within(before, request, Left::ALL)
}

fn patched_within(before: &Value, request: &Value, mut left: Left) -> Result<Value, NoPatch> {
    let operations = member(request, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| NoPatch("invalidSyntax", "`Operations` is missing".to_owned()))?;
    if operations.is_empty() || operations.len() > OPERATIONS_MAX {
        return Err(NoPatch("invalidValue", format!("give 1 to {OPERATIONS_MAX} operations")));
    }
    let mut after = before.clone();
    for operation in operations {
        apply(&mut after, operation, &mut left)?;
    }
    Ok(after)
}

/// How many values there are at a path.
fn values_at(after: &Value, path: &Path<'_>) -> usize {
    // Within a list, the first value is meant.
    fn first(above: &Value) -> &Value {
        above.as_array().and_then(|all| all.first()).unwrap_or(above)
    }
    let found = path.attribute.iter().try_fold(after, |above, part| member(first(above), part));
    found.and_then(Value::as_array).map_or(0, Vec::len)
}

fn apply(after: &mut Value, operation: &Value, left: &mut Left) -> Result<(), NoPatch> {
    let word = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
    let op = match word.to_ascii_lowercase().as_str() {
        "add" => Op::Add,
        "replace" => Op::Replace,
        "remove" => Op::Remove,
        _ => return Err(NoPatch("invalidSyntax", "`op` is `add`, `replace` or `remove`".to_owned())),
    };
    let value = member(operation, "value");
    match member(operation, "path").and_then(Value::as_str).filter(|path| !path.is_empty()) {
        Some(text) => {
            let path = read(text).ok_or_else(|| NoPatch("invalidPath", "`path` names no attribute".to_owned()))?;
            left.compare(&path, after)?;
            at(after, op, &path, (value, left))
        }
        None if op == Op::Remove => Err(NoPatch("noTarget", "say in `path` what is to be removed".to_owned())),
        None => {
            let fields = value.and_then(Value::as_object);
            let fields =
                fields.ok_or_else(|| NoPatch("invalidValue", "without a `path`, `value` is an object".to_owned()))?;
            fields.iter().try_for_each(|(name, value)| whole(after, op, (name.as_str(), value), left))
        }
    }
}

/// One member of a value without a path; its name may be a path itself, as some providers write it.
fn whole(after: &mut Value, op: Op, (name, value): (&str, &Value), left: &mut Left) -> Result<(), NoPatch> {
    let is_schema = name.to_ascii_lowercase().starts_with("urn:") && value.is_object();
    if is_schema {
        let fields = value.as_object().into_iter().flatten();
        // The core's own attributes stand at the top.
        let core = name.to_ascii_lowercase().contains(":core:");
        return fields.into_iter().try_for_each(|(sub, value)| {
            let attribute = if core { vec![sub.as_str()] } else { vec![name, sub.as_str()] };
            at(after, op, &Path { attribute, filter: None, sub: None }, (Some(value), &mut *left))
        });
    }
    let path = read(name).ok_or_else(|| NoPatch("invalidPath", "a member of `value` names no attribute".to_owned()))?;
    left.compare(&path, after)?;
    at(after, op, &path, (Some(value), left))
}

fn read(text: &str) -> Option<Path<'_>> {
    let fits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.$/".contains(c));
    let (attribute, filter, sub) = match text.split_once('[') {
        None => (text, None, None),
        Some((attribute, rest)) => {
            let (filter, sub) = rest.rsplit_once(']')?;
            let sub = if sub.is_empty() { None } else { Some(sub.strip_prefix('.').filter(|sub| fits(sub))?) };
            (attribute, Some(Filter::read(filter).ok()?), sub)
        }
    };
    let attribute = parts(attribute);
    attribute.iter().all(|part| fits(part)).then_some(Path { attribute, filter, sub })
}

fn at(after: &mut Value, op: Op, path: &Path<'_>, (value, left): (Option<&Value>, &mut Left)) -> Result<(), NoPatch> {
    let no_value = || NoPatch("invalidValue", "`value` is missing".to_owned());
    let Some((last, above)) = path.attribute.split_last() else {
        return Err(NoPatch("invalidPath", "`path` names no attribute".to_owned()));
    };
    if ["id", "meta", "schemas"].iter().any(|fixed| path.attribute.len() == 1 && last.eq_ignore_ascii_case(fixed)) {
        return if last.eq_ignore_ascii_case("schemas") {
            Ok(())
        } else {
            Err(NoPatch("mutability", format!("`{last}` is the desk's own")))
        };
    }
    let mut object = after;
    for part in above {
        if op == Op::Remove && member(object, part).is_none() {
            return Ok(());
        }
        let inner = entry(object, part).ok_or_else(|| NoPatch("invalidPath", format!("`{part}` has no parts")))?;
        // A part of a list's values is a part of the first, which providers mean where they name none.
        object = first_of(inner).ok_or_else(|| NoPatch("invalidPath", format!("`{part}` has no parts")))?;
    }
    match (&path.filter, op) {
        (Some(filter), _) => among(object, op, (last, filter, path.sub), (value, left)),
        (None, Op::Remove) => {
            let is_list = has_several(last) || member(object, last).is_some_and(Value::is_array);
            match value.filter(|value| is_list && !value.is_null()) {
                Some(named) => take_out(object, last, named),
                None => drop(fields(object).and_then(|fields| remove(fields, last))),
            }
            Ok(())
        }
        (None, Op::Replace) => put(object, last, value.ok_or_else(no_value)?.clone()),
        (None, Op::Add) => add(object, last, value.ok_or_else(no_value)?),
    }
}

fn first_of(value: &mut Value) -> Option<&mut Value> {
    match value {
        Value::Array(all) => {
            if all.is_empty() {
                all.push(Value::Object(Map::new()));
            }
            all.first_mut()
        }
        other => Some(other),
    }
}

fn fields(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.as_object_mut()
}

/// The name that an object has for an attribute: case does not matter.
fn key(fields: &Map<String, Value>, name: &str) -> String {
    fields.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

fn entry<'v>(object: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    let fields = fields(object)?;
    let key = key(fields, name);
    Some(fields.entry(key).or_insert_with(|| Value::Object(Map::new())))
}

fn remove(fields: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = key(fields, name);
    fields.remove(&key)
}

/// Attributes that have several values (RFC 7643, sections 4.1.2 and 4.2).
const SEVERAL: [&str; 10] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];

fn has_several(name: &str) -> bool {
    SEVERAL.iter().any(|several| name.eq_ignore_ascii_case(several))
}

fn put(object: &mut Value, name: &str, value: Value) -> Result<(), NoPatch> {
    let found = fields(object).ok_or_else(|| NoPatch("invalidPath", format!("`{name}` cannot be there")))?;
    let key = key(found, name);
    if value.is_null() {
        found.remove(&key);
        return Ok(());
    }
    match (found.get_mut(&key), &value) {
        // Of what has parts, those that are given are replaced.
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
        (Some(Value::Object(old)), Value::String(new)) => {
            old.clear();
            old.insert("value".to_owned(), new.clone().into());
        }
        _ => drop(found.insert(key, in_form(name, value))),
    }
    Ok(())
}

/// A value in the form that its attribute has.
fn in_form(name: &str, value: Value) -> Value {
    match value {
        Value::String(id) if name.eq_ignore_ascii_case("manager") => serde_json::json!({ "value": id }),
        value if has_several(name) && !value.is_array() => Value::Array(vec![value]),
        value => value,
    }
}

fn add(object: &mut Value, name: &str, value: &Value) -> Result<(), NoPatch> {
    let found = fields(object).ok_or_else(|| NoPatch("invalidPath", format!("`{name}` cannot be there")))?;
    let key = key(found, name);
    if !has_several(name) {
        return put(object, name, value.clone());
    }
    let list = found.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else { return put(object, name, value.clone()) };
    let new = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    if let [one] = new.as_slice() {
        if !list.iter().any(|old| meant_by(old) == meant_by(one)) {
            list.push(one.clone());
        }
        return Ok(());
    }
    // Of a group with many members, each that is new would be compared with all.
    let mut known: HashSet<String> = list.iter().map(|old| meant_by(old).to_string()).collect();
    list.extend(new.into_iter().filter(|one| known.insert(meant_by(one).to_string())));
    Ok(())
}

/// The part of a value by which it is the same as another: its `value` where it has one; some providers name a member by its id alone.
fn meant_by(value: &Value) -> &Value {
    member(value, "value").unwrap_or(value)
}

/// Removes the values that are named, and no others.
fn take_out(object: &mut Value, name: &str, named: &Value) {
    let Some(found) = fields(object) else { return };
    let key = key(found, name);
    let named = named.as_array().cloned().unwrap_or_else(|| vec![named.clone()]);
    if let Some(Value::Array(list)) = found.get_mut(&key) {
        let named: HashSet<String> = named.iter().map(|one| meant_by(one).to_string()).collect();
        list.retain(|old| !named.contains(&meant_by(old).to_string()));
    }
}

fn among(
    object: &mut Value,
    op: Op,
    (name, filter, sub): (&str, &Filter, Option<&str>),
    (value, left): (Option<&Value>, &mut Left),
) -> Result<(), NoPatch> {
    let found = fields(object).ok_or_else(|| NoPatch("invalidPath", format!("`{name}` cannot be there")))?;
    let key = key(found, name);
    if op == Op::Remove {
        let Some(Value::Array(list)) = found.get_mut(&key) else { return Ok(()) };
        match sub {
            None => list.retain(|one| !filter.holds(one)),
            Some(sub) => {
                for one in list.iter_mut().filter(|one| filter.holds(one)) {
                    drop(fields(one).and_then(|fields| remove(fields, sub)));
                }
            }
        }
        return Ok(());
    }
    let value = value.ok_or_else(|| NoPatch("invalidValue", "`value` is missing".to_owned()))?;
    let list = found.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else {
        return Err(NoPatch("invalidPath", format!("`{name}` has one value")));
    };
    if !list.iter().any(|one| filter.holds(one)) {
        // A work address that is not there yet is made: providers set one part after the other.
        let Filter::Compare(attribute, super::filter::Word::Equal, is) = filter else {
            return Err(NoPatch("noTarget", format!("no value of `{name}` fits")));
        };
        list.push(Value::Object([(attribute.clone(), is.clone())].into_iter().collect()));
    }
    left.copy(value, list.iter().filter(|one| filter.holds(one)).count())?;
    for one in list.iter_mut().filter(|one| filter.holds(one)) {
        match (sub, value) {
            (Some(sub), value) => put(one, sub, value.clone())?,
            (None, Value::Object(new)) => fields(one).into_iter().for_each(|old| old.extend(new.clone())),
            (None, value) => put(one, "value", value.clone())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(before: &Value, operations: &Value) -> Value {
        patched(before, &json!({ "Operations": operations })).unwrap()
    }

    #[test]
    fn the_shapes_of_the_large_providers_are_taken_as_they_are_meant() {
        let user = json!({ "userName": "amara", "active": true, "emails": [{ "type": "home", "value": "h@x" }] });
        let entra = json!([{ "op": "Replace", "path": "active", "value": "False" },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "w@x" },
            { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Sales" },
            { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": "17" },
            { "op": "Replace", "path": "name.givenName", "value": "Amara" }]);
        let changed = after(&user, &entra);
        assert_eq!(changed["active"], "False", "it becomes a flag where it is kept");
        assert_eq!(changed["emails"][1], json!({ "type": "work", "value": "w@x" }));
        let place = &changed["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
        assert_eq!((&place["department"], &place["manager"]["value"]), (&json!("Sales"), &json!("17")));
        assert_eq!(changed["name"]["givenName"], "Amara");
        let okta = json!([{ "op": "replace", "value": { "active": false, "name.familyName": "Okafor" } }]);
        let changed = after(&user, &okta);
        assert_eq!((&changed["active"], &changed["name"]["familyName"]), (&json!(false), &json!("Okafor")));
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        let whole = json!([{ "op": "replace", "value": { core: { "active": false } } }]);
        assert_eq!(after(&user, &whole)["active"], json!(false), "the core's attributes stand at the top");
        let title = json!({ "userName": "amara", "title": "Controller" });
        let named = json!([{ "op": "Remove", "path": "title", "value": "Controller" }]);
        assert_eq!(after(&title, &named), json!({ "userName": "amara" }));
    }

    #[test]
    fn a_removal_that_names_members_never_removes_all() {
        let group =
            json!({ "displayName": "staff", "members": [{ "value": "1" }, { "value": "2" }, { "value": "3" }] });
        let named = json!([{ "op": "Remove", "path": "members", "value": [{ "value": "2" }] }]);
        assert_eq!(after(&group, &named)["members"], json!([{ "value": "1" }, { "value": "3" }]));
        let filtered = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
        assert_eq!(after(&group, &filtered)["members"], json!([{ "value": "2" }, { "value": "3" }]));
        let bare = json!([{ "op": "Remove", "path": "members", "value": "2" }]);
        assert_eq!(after(&group, &bare)["members"], json!([{ "value": "1" }, { "value": "3" }]));
        let bare = json!([{ "op": "Remove", "path": "members", "value": ["1", "2"] }]);
        assert_eq!(after(&group, &bare)["members"], json!([{ "value": "3" }]));
        let nothing = json!([{ "op": "remove", "path": "members", "value": [] }]);
        assert_eq!(after(&group, &nothing), group);
        let twice = json!([{ "op": "add", "path": "members", "value": [{ "value": "3" }, { "value": "4" }] }]);
        assert_eq!(after(&group, &twice)["members"].as_array().unwrap().len(), 4);
        let all = json!([{ "op": "remove", "path": "members" }]);
        assert_eq!(after(&group, &all).get("members"), None, "without a value all are meant");
    }

    #[test]
    fn very_many_members_are_each_looked_at_once() {
        let members =
            |from: usize, to: usize| (from..to).map(|n| json!({ "value": n.to_string() })).collect::<Vec<_>>();
        let group = json!({ "displayName": "staff", "members": members(0, 40_000) });
        let more = json!([{ "op": "add", "path": "members", "value": members(20_000, 60_000) },
            { "op": "add", "path": "members", "value": ["59999", "60000", "60000"] }]);
        let more = after(&group, &more);
        assert_eq!(more["members"].as_array().unwrap().len(), 60_001);
        let fewer = after(&more, &json!([{ "op": "remove", "path": "members", "value": members(1, 60_000) }]));
        assert_eq!(fewer["members"], json!([{ "value": "0" }, "60000"]));
    }

    #[test]
    fn filters_are_compared_with_so_many_values_at_once() {
        let members = |n: usize| json!((0..n).map(|n| json!({ "value": n.to_string() })).collect::<Vec<_>>());
        let removals = |n: usize| -> Value {
            let one = |n: usize| json!({ "op": "remove", "path": format!("members[value eq \"{n}\"]") });
            (0..n).map(one).collect()
        };
        let request = |operations: Value| json!({ "Operations": operations });
        let patched_within = |before: &Value, request: &Value, comparisons: usize| {
            super::patched_within(before, request, Left { comparisons, ..Left::ALL })
        };
        // The list is shorter with each.
        let group = json!({ "members": members(10) });
        let fewer = patched_within(&group, &request(removals(4)), 10 + 9 + 8 + 7).unwrap();
        assert_eq!(fewer["members"].as_array().unwrap().len(), 6);
        let NoPatch(word, detail) = patched_within(&group, &request(removals(4)), 10 + 9 + 8 + 6).unwrap_err();
        assert!(word == "tooMany" && detail.contains("send fewer operations"), "{word}: {detail}");
        let two = json!([{ "op": "remove", "path": "members[value eq \"1\" or not (value sw \"x\")]" }]);
        assert!(patched_within(&group, &request(two.clone()), 20).is_ok());
        assert!(patched_within(&group, &request(two), 19).is_err(), "both parts of the filter are compared");
        let inner = json!([{ "op": "replace", "value": { "of.members[value eq \"1\"].display": "One" } }]);
        assert!(
            patched_within(&json!({ "of": [group] }), &request(inner), 9).is_err(),
            "a list within the first of a list"
        );
    }

    #[test]
    fn a_value_is_copied_to_so_many_others_at_most() {
        let members: Vec<Value> = (0..1_000).map(|n| json!({ "value": n.to_string() })).collect();
        let (group, text) = (json!({ "members": members }), "x".repeat(1_000));
        let request = |filter: &str| json!({ "Operations": [{ "op": "replace", "path": format!("members[{filter}].display"), "value": text }] });
        let within = |copied_bytes: usize, filter: &str| {
            patched_within(&group, &request(filter), Left { copied_bytes, ..Left::ALL })
        };
        let NoPatch(word, detail) = within(1_000_000, "value pr").unwrap_err();
        assert!(word == "tooMany" && detail.contains("send fewer operations"), "{word}: {detail}");
        let all = within(1_100_000, "value pr").unwrap();
        assert!(all["members"].as_array().unwrap().iter().all(|one| one["display"] == text.as_str()));
        assert_eq!(within(1_100, "value eq \"7\"").unwrap()["members"][7]["display"], text.as_str());
    }

    #[test]
    fn all_operations_are_taken_or_none() {
        let user = json!({ "userName": "amara" });
        for bad in [
            json!([]),
            json!([{ "op": "move", "path": "title" }]),
            json!([{ "op": "add", "path": "title", "value": "x" }, { "op": "remove" }]),
            json!([{ "op": "replace", "path": "id", "value": "7" }]),
            json!([{ "op": "replace", "path": "emails[", "value": "7" }]),
        ] {
            assert!(patched(&user, &json!({ "Operations": bad })).is_err(), "{bad}");
        }
    }
}
