//! A whole input from a sparse one: what is left out is empty, and the moment is fixed.

use serde_json::{Map, Value, json};
use toml::value::{Date, Datetime, Offset};

use crate::rules::run::stage::{Input, Stage};

/// A whole input from a sparse one.
///
/// # Errors
///
/// Names what the contract has no place for.
pub fn fill_in(stage: Stage, sparse: &toml::Table) -> Result<Input, String> {
    fill_in_json(stage, serde_json::to_value(sparse).map_err(|e| e.to_string())?)
}

/// The same for a sparse input in JSON. A whole one, as it is recorded, stays as it is.
///
/// # Errors
///
/// Names what the contract has no place for.
pub fn fill_in_json(stage: Stage, sparse: Value) -> Result<Input, String> {
    let mut whole = default_input(stage);
    merge(&mut whole, sparse, "input")?;
    Input::read(stage, whole).map_err(|e| format!("the input is not of the contract: {e}"))
}

/// A sparse input at an instant: the clock, the day and the hours follow from it, as far as the input does not say them itself.
///
/// `at` is RFC 3339, whose offset stands for the desk's time zone. The calendar is open from Monday to Friday, 8:00 to 18:00: an
/// example depends on no desk's own.
///
/// # Errors
///
/// Where it is no instant with an offset.
pub fn at_instant(mut sparse: Value, at: &str) -> Result<Value, String> {
    let wrong = || format!("`at`: `{at}` is no instant with an offset, such as `2026-11-30T19:30:00+01:00`");
    let Datetime { date: Some(date), time: Some(time), offset: Some(offset) } = at.parse().map_err(|_| wrong())? else {
        return Err(wrong());
    };
    let east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let day = days_since_1970(date);
    let minute = i64::from(time.hour) * 60 + i64::from(time.minute);
    let second = i64::from(time.second.unwrap_or_default());
    let millisecond = i64::from(time.nanosecond.unwrap_or_default() / 1_000_000);
    let instant = ((day * 24 * 60 + minute - east) * 60 + second) * 1000 + millisecond;
    let instant = u64::try_from(instant).map_err(|_| wrong())?;
    // 1970 began on a Thursday.
    let weekday = (day + 3).rem_euclid(7) + 1;
    let is_open = weekday <= 5 && (8 * 60..18 * 60).contains(&minute);
    let now = json!({ "at": instant, "utc-offset": east, "local-day": day, "weekday": weekday, "minute-of-day": minute,
        "in-business-hours": is_open });
    if sparse.is_null() {
        sparse = json!({});
    }
    let under = |sparse: &mut Value, key: &str, said: Value| {
        let place = sparse.as_object_mut().map(|sparse| sparse.entry(key).or_insert_with(|| json!({})));
        let (Some(Value::Object(place)), Value::Object(said)) = (place, said) else { return };
        for (name, value) in said {
            place.entry(name).or_insert(value);
        }
    };
    under(&mut sparse, "now", now);
    under(&mut sparse, "ticket", json!({ "created-at": instant }));
    Ok(sparse)
}

/// Days of the Gregorian calendar (H. Hinnant, chrono-compatible low-level date algorithms, `days_from_civil`).
fn days_since_1970(Date { year, month, day }: Date) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn default_input(stage: Stage) -> Value {
    let person = json!({
        "id": "amara", "name": "Amara Okafor", "email": "amara@example.org", "department": "Finance",
        "title": "Controller", "location": "Berlin", "groups": [], "managers": [], "vip": false,
        "attributes": [],
    });
    // A Monday at noon, UTC.
    let at = 1_767_614_400_000_u64;
    let mut input = json!({
        "now": { "at": at, "utc-offset": 0, "local-day": 20458, "weekday": 1, "minute-of-day": 720,
                 "in-business-hours": true },
        "ticket": { "request-type": "", "channel": "api", "subject": "", "body": "", "fields": [],
                    "tags": [], "signals": [], "attachments": [], "created-at": at, "attributes": [] },
        "requester": person,
    });
    let more = match stage {
        Stage::Intake => json!({ "submitted-by": "amara", "headers": [], "recent": [] }),
        Stage::Categorization | Stage::Priority | Stage::Routing => json!({ "so-far": so_far() }),
        Stage::Access => json!({
            "so-far": so_far(),
            "subject": person,
            "request": { "kind": "new", "app": "", "tier": "", "role": null, "groups": [],
                         "duration-hours": null, "justification": "" },
            "item": { "app": "", "name": "", "tier": "", "risk": "low", "max-duration-hours": 720,
                      "owner": null, "groups": [], "seats-left": null, "attributes": [] },
            "grants": [],
            "history": { "requested": 0, "approved": 0, "denied": 0, "revoked": 0 },
            "peers": { "department-size": 0, "department-holders": 0 },
        }),
        Stage::Closing => json!({
            "so-far": so_far(),
            "words": { "text": "", "channel": "api", "at": at, "attachments": [] },
            "state": "resolved",
            "resolution": { "at": at, "days-since": 0, "resolved-by": null, "symptom": "", "cause": "", "fix": "",
                            "next-time": "" },
            "reopened": 0,
        }),
    };
    if let (Value::Object(input), Value::Object(more)) = (&mut input, more) {
        input.extend(more);
    }
    input
}

fn so_far() -> Value {
    json!({ "category": null, "tags": [], "kind": "incident", "impact": null, "urgency": null,
            "priority": null, "team": null, "assignee": null, "attributes": [] })
}

/// Lays `sparse` over `whole`: records are merged, everything else is replaced.
fn merge(whole: &mut Value, sparse: Value, at: &str) -> Result<(), String> {
    let (Value::Object(whole), Value::Object(sparse)) = (&mut *whole, &sparse) else {
        *whole = sparse;
        return Ok(());
    };
    for (key, value) in sparse {
        let at = format!("{at}.{key}");
        let Some(place) = whole.get_mut(key) else {
            let known: Vec<&str> = whole.keys().map(String::as_str).collect();
            return Err(format!("`{at}` is not in the contract: known are {}", known.join(", ")));
        };
        match (key.as_str(), value) {
            ("fields", Value::Object(fields)) => *place = fields_from(fields),
            ("attributes" | "headers", Value::Object(pairs)) => *place = attributes_from(pairs),
            ("grants" | "recent", Value::Array(items)) => *place = completed(key, items),
            _ => merge(place, value.clone(), &at)?,
        }
    }
    Ok(())
}

/// `{ device = "laptop", people-affected = 40 }` as the contract's list of fields.
fn fields_from(fields: &Map<String, Value>) -> Value {
    fields.iter().map(|(name, value)| json!({ "name": name, "value": field_value(value) })).collect()
}

/// A form field's value that may be written as a plain one: a string is text, a list several options.
pub fn field_value(plain: &Value) -> Value {
    match plain {
        Value::String(text) => json!({ "text": text }),
        Value::Number(number) => json!({ "number": number.as_f64() }),
        Value::Bool(flag) => json!({ "flag": flag }),
        Value::Array(options) => json!({ "choices": options }),
        written_out => written_out.clone(),
    }
}

fn attributes_from(pairs: &Map<String, Value>) -> Value {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// Items of a list, each with what it leaves out.
fn completed(key: &str, items: &[Value]) -> Value {
    let blank = if key == "grants" {
        json!({ "app": "", "tier": "", "role": null, "groups": [], "granted-at": 0, "expires-at": 0,
                "state": "active" })
    } else {
        json!({ "key": "IT-1", "request-type": "", "subject": "", "state": "open", "created-at": 0 })
    };
    items
        .iter()
        .map(|item| {
            let mut whole = blank.clone();
            if let (Value::Object(whole), Value::Object(item)) = (&mut whole, item) {
                whole.extend(item.clone());
            }
            whole
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn every_stage_has_a_whole_default() {
        for stage in Stage::ALL {
            assert_eq!(fill_in(stage, &toml::Table::new()).map(|i| i.stage()), Ok(stage));
        }
    }

    #[test]
    fn the_clock_of_an_example_follows_from_one_instant() {
        let now = |at: &str, sparse: Value| {
            let input = fill_in_json(Stage::Priority, at_instant(sparse, at).unwrap()).unwrap();
            serde_json::to_value(&input).unwrap()["now"].clone()
        };
        let noon = now("2026-01-05T12:00:00Z", Value::Null);
        assert_eq!(noon, default_input(Stage::Priority)["now"], "it is the moment of examples that name none");
        let evening = now("2026-11-30T19:30:00+01:00", json!({}));
        assert_eq!(
            evening,
            json!({ "at": 1_796_063_400_000_u64, "utc-offset": 60, "local-day": 20787, "weekday": 1, "minute-of-day": 1170,
                "in-business-hours": false })
        );
        assert_eq!(now("2026-11-28 10:00:00-05:00", json!({}))["weekday"], 6);
        assert_eq!(now("2024-02-29T23:59:59Z", json!({}))["local-day"], 19782);
        let own = now("2026-11-30T19:30:00+01:00", json!({ "now": { "in-business-hours": true } }));
        assert_eq!((&own["in-business-hours"], &own["minute-of-day"]), (&json!(true), &json!(1170)));
        for wrong in ["2026-11-30", "2026-11-30T19:30:00", "19:30:00", "tomorrow", "1969-01-01T00:00:00Z"] {
            assert!(at_instant(json!({}), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sparse_input_is_laid_over_the_default() {
        let sparse = "ticket.fields = { n = 4, on = true, who = \"x\" }\nso-far.category = \"network\"";
        let input = fill_in(Stage::Priority, &toml::from_str(sparse).unwrap()).unwrap();
        let json = serde_json::to_value(&input).unwrap();
        assert_eq!(json["so-far"]["category"], "network");
        assert_eq!(json["ticket"]["fields"][0]["value"], json!({ "number": 4.0 }));
        let wrong = toml::from_str("ticket.title = \"x\"").unwrap();
        assert!(fill_in(Stage::Priority, &wrong).unwrap_err().starts_with("`input.ticket.title`"));
    }
}
