//! The specification read a second time, on JSON: shares no code and no types with the rules that it judges.

use serde_json::{Value, json};

/// Records of the contract, their fields in order: `s` text, `i` integer, `b` bool, `v` value, `?` option, `*` list.
const SHAPES: [(&str, &str); 21] = [
    ("moment", "at:i utc-offset:i local-day:i weekday:i minute-of-day:i in-business-hours:b"),
    ("attribute", "name:s value:s"),
    ("field", "name:s value:v"),
    ("person", "id:s name:s email:s department:s title:s location:s groups:*s managers:*s vip:b attributes:*attribute"),
    ("attachment", "name:s media-type:s size:i"),
    (
        "ticket",
        "request-type:s channel:s subject:s body:s fields:*field tags:*s signals:*s attachments:*attachment \
         created-at:i attributes:*attribute",
    ),
    ("so-far", "category:?s tags:*s kind:s impact:?s urgency:?s priority:?s team:?s assignee:?s attributes:*attribute"),
    ("recent", "key:s request-type:s subject:s state:s created-at:i"),
    ("intake", "now:moment ticket:ticket requester:person submitted-by:s headers:*attribute recent:*recent"),
    ("categorization", "now:moment ticket:ticket requester:person so-far:so-far"),
    ("priority", "now:moment ticket:ticket requester:person so-far:so-far"),
    ("routing", "now:moment ticket:ticket requester:person so-far:so-far"),
    ("request", "kind:s app:s tier:s role:?s groups:*s duration-hours:?i justification:s"),
    ("item", "app:s name:s tier:s risk:s max-duration-hours:i owner:?s groups:*s seats-left:?i attributes:*attribute"),
    ("grant", "app:s tier:s role:?s groups:*s granted-at:i expires-at:i state:s"),
    ("history", "requested:i approved:i denied:i revoked:i"),
    ("peers", "department-size:i department-holders:i"),
    (
        "access",
        "now:moment ticket:ticket requester:person so-far:so-far request:request item:item subject:person \
         grants:*grant history:history peers:peers",
    ),
    ("words", "text:s channel:s at:i attachments:*attachment"),
    ("resolution", "at:i days-since:i resolved-by:?s symptom:s cause:s fix:s next-time:s"),
    (
        "closing",
        "now:moment ticket:ticket requester:person so-far:so-far words:words state:s resolution:resolution reopened:i",
    ),
];

fn canonical(value: &Value, shape: &str) -> String {
    let of = |shape: &str| value.as_array().unwrap().iter().map(|v| canonical(v, shape)).collect::<Vec<_>>().join(",");
    match shape.split_at(1) {
        ("*", of_what) => format!("[{}]", of(of_what)),
        ("?", _) if value.is_null() => "-".to_owned(),
        ("?", of_what) => format!("+{}", canonical(value, of_what)),
        ("s", "") => format!("{}:{}", text(value).len(), text(value)),
        ("i", "") => value.to_string(),
        ("b", "") => if value == &Value::Bool(true) { "t" } else { "f" }.to_owned(),
        ("n", "") => bits(value.as_f64().unwrap()),
        ("v", "") => {
            let (case, held) = value.as_object().unwrap().iter().next().unwrap();
            let shape = match case.as_str() {
                "number" => "n",
                "flag" => "b",
                "choices" => "*s",
                _ => "s",
            };
            format!("{case}={}", canonical(held, shape))
        }
        _ => {
            let (_, fields) = SHAPES.iter().find(|(name, _)| *name == shape).unwrap();
            let fields = fields.split_whitespace().map(|field| {
                let (name, shape) = field.split_once(':').unwrap();
                canonical(&value[name], shape)
            });
            format!("({})", fields.collect::<Vec<_>>().join(","))
        }
    }
}

fn bits(number: f64) -> String {
    number.to_be_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(text: &str) -> String {
    let mut hash: u128 = 14_695_981_039_346_656_037;
    for byte in text.as_bytes() {
        hash = (hash ^ u128::from(*byte)) * 1_099_511_628_211 % (1 << 64);
    }
    format!("{hash:016x}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| text(v).to_owned()).collect()
}

fn whole(value: &Value) -> i128 {
    value.as_u64().map_or_else(|| i128::from(value.as_i64().unwrap()), i128::from)
}

fn lower(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_uppercase() { char::from(c as u8 + 32) } else { c }).collect()
}

fn squeeze(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if out.is_empty() || out.ends_with(' ') => {}
            ' ' | '\t' | '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

fn united(lists: &[Vec<String>]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    lists.concat().into_iter().filter(|text| seen.insert(text.clone())).collect()
}

fn leap(year: i128) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_of(year: i128, month: i128) -> i128 {
    [31, 28 + i128::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][usize::try_from(month - 1).unwrap()]
}

/// By counting, a year and a month at a time, within 400 years.
fn clock(now: &Value) -> String {
    let day = whole(&now["local-day"]);
    let (mut year, mut left) = (1970 + 400 * day.div_euclid(146_097), day.rem_euclid(146_097));
    while left >= 365 + i128::from(leap(year)) {
        left -= 365 + i128::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    while left >= days_of(year, month) {
        left -= days_of(year, month);
        month += 1;
    }
    let (minute, offset) = (whole(&now["minute-of-day"]), whole(&now["utc-offset"]));
    let state = if now["in-business-hours"] == true { "open" } else { "closed" };
    let sign = if offset < 0 { "-" } else { "+" };
    let hours = |minutes: i128| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let day = left + 1;
    format!("{year}-{month:02}-{day:02} {} {} {sign}{} {state}", now["weekday"], hours(minute), hours(offset.abs()))
}

fn is_day(date: &str) -> bool {
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00" {
        return false;
    }
    let parts: Vec<i128> = date.split('-').map(|part| part.parse().unwrap()).collect();
    (1..=12).contains(&parts[1]) && parts[2] >= 1 && parts[2] <= days_of(parts[0], parts[1])
}

/// A word of the settings that a ticket mentions.
fn mentioned(settings: &Value, ticket: &Value) -> Vec<String> {
    let said = lower(&format!("{} {}", text(&ticket["subject"]), text(&ticket["body"])));
    united(&[texts(&settings["words"]).iter().map(|word| lower(word)).filter(|word| said.contains(word)).collect()])
}

/// What the rule answers: `{"ok": answer}` or `{"err": text}`; and the log lines that it writes.
pub fn answer(stage: &str, settings: &Value, row: Option<&Value>, input: &Value) -> (Value, Vec<Value>) {
    let (now, ticket) = (&input["now"], &input["ticket"]);
    let whole_text = canonical(input, stage);
    let digest = digest(&whole_text);
    let mut log = vec![json!({ "level": "info", "message": format!("{stage} {digest}") })];
    if ticket["subject"] == "" {
        log.push(json!({ "level": "warn", "message": "no subject" }));
    }
    if settings["trace"] == true {
        log.push(json!({ "level": "debug", "message": whole_text }));
    }
    if texts(&ticket["tags"]).iter().any(|tag| tag == "fail") {
        log.push(json!({ "level": "error", "message": "giving up" }));
        return (json!({ "err": format!("asked to fail: {}", text(&ticket["subject"])) }), log);
    }
    let should_be = (whole(&now["at"]) / 60_000 + whole(&now["utc-offset"])).rem_euclid(1440);
    let mut attributes = vec![
        ("digest", digest),
        ("clock", clock(now)),
        ("drift", (whole(&now["minute-of-day"]) - should_be).to_string()),
        ("row", row.map_or("none".to_owned(), |row| canonical(row, "*attribute"))),
    ];
    let (decision, reason, more) = match stage {
        "intake" => intake(settings, input),
        "categorization" => categorization(settings, input),
        "priority" => priority(settings, input),
        "routing" => routing(settings, row, input),
        "closing" => closing(settings, input),
        _ => access(settings, input),
    };
    attributes.extend(more);
    let attributes: Vec<Value> =
        attributes.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    (json!({ "ok": { "decision": decision, "reason": reason, "attributes": attributes } }), log)
}

type Said = (Value, String, Vec<(&'static str, String)>);

fn intake(settings: &Value, input: &Value) -> Said {
    let ticket = &input["ticket"];
    let fields = ticket["fields"].as_array().unwrap();
    let headers = input["headers"].as_array().unwrap();
    let header = headers.iter().find(|h| h["name"] == "message-id").map_or("", |h| text(&h["value"]));
    let more = vec![("header", header.to_owned())];
    let mut problems = Vec::new();
    for field in fields {
        let (name, value) = (text(&field["name"]), &field["value"]);
        if value["text"] == "" {
            problems.push(json!({ "field": name, "code": "empty", "message": format!("`{name}` is empty") }));
        } else if let Some(date) = value["date"].as_str().filter(|date| !is_day(date)) {
            problems.push(json!({ "field": name, "code": "date", "message": format!("`{date}` is no day") }));
        } else if value["choices"].is_array() {
            let chosen = texts(&value["choices"]);
            if let Some(at) = (1..chosen.len()).find(|at| chosen[..*at].contains(&chosen[*at])) {
                let message = format!("`{}` is chosen twice", chosen[at]);
                problems.push(json!({ "field": name, "code": "twice", "message": message }));
            }
        }
    }
    if !problems.is_empty() {
        let reason = format!("problems: {}", problems.len());
        return (json!({ "reject": problems }), reason, more);
    }
    let changed = |value: &Value| {
        let (case, held) = value.as_object().unwrap().iter().next().unwrap();
        match case.as_str() {
            "text" => json!({ "text": squeeze(text(held)) }),
            "number" => {
                let product = held.as_f64().unwrap() * settings["factor"].as_f64().unwrap();
                json!({ "number": if product.is_infinite() { held.as_f64().unwrap() } else { product } })
            }
            "flag" => json!({ "flag": held == false }),
            "choice" => json!({ "choice": lower(text(held)) }),
            "choices" => {
                let mut chosen: Vec<Vec<char>> = texts(held).iter().map(|c| c.chars().collect()).collect();
                chosen.sort();
                json!({ "choices": chosen.iter().map(|c| c.iter().collect::<String>()).collect::<Vec<_>>() })
            }
            _ => value.clone(),
        }
    };
    let fields: Vec<Value> =
        fields.iter().map(|f| json!({ "name": f["name"], "value": changed(&f["value"]) })).collect();
    let subject = text(&ticket["subject"]);
    let body: Vec<char> = text(&ticket["body"]).chars().collect();
    let most = usize::try_from(whole(&settings["body-max"])).unwrap();
    let cut = (body.len() > most).then(|| format!("{}\u{2026}", body[..most].iter().collect::<String>()));
    let mut signals = Vec::new();
    if input["submitted-by"] != input["requester"]["id"] {
        signals.push("on-behalf".to_owned());
    }
    let attachments = ticket["attachments"].as_array().unwrap();
    if !attachments.is_empty() {
        let size = attachments.iter().map(|a| whole(&a["size"])).sum::<i128>().min(i128::from(u64::MAX));
        signals.push(format!("size-{size}"));
    }
    let repeated = input["recent"].as_array().unwrap().iter().find(|recent| {
        let age = whole(&input["now"]["at"]) - whole(&recent["created-at"]);
        recent["request-type"] == ticket["request-type"]
            && lower(&squeeze(text(&recent["subject"]))) == lower(&squeeze(subject))
            && recent["state"] != "closed"
            && (0..=604_800_000).contains(&age)
    });
    let tags: Vec<String> = mentioned(settings, ticket).iter().take(1).map(|word| format!("mentions-{word}")).collect();
    let changes = json!({
        "subject": (squeeze(subject) != subject).then(|| squeeze(subject)), "body": cut, "fields": fields,
        "tags": tags, "signals": signals, "duplicate-of": repeated.map(|r| text(&r["key"])),
    });
    (json!({ "accept": changes }), format!("accepted at {}", clock(&input["now"])), more)
}

fn categorization(settings: &Value, input: &Value) -> Said {
    let kind = &input["so-far"]["kind"];
    if let Some(word) = mentioned(settings, &input["ticket"]).first() {
        let tags = united(&[texts(&input["ticket"]["tags"]), texts(&input["so-far"]["tags"]), vec![word.clone()]]);
        let kind = if input["now"]["in-business-hours"] == true { Value::Null } else { json!("incident") };
        let classified = json!({ "category": settings["category"], "tags": tags, "kind": kind });
        return (json!({ "classify": classified }), format!("it mentions {word}"), Vec::new());
    }
    if input["requester"]["vip"] == true {
        let classified = json!({ "category": null, "tags": [], "kind": kind });
        return (json!({ "classify": classified }), "only the kind".to_owned(), Vec::new());
    }
    (json!("pass"), "nothing to say".to_owned(), Vec::new())
}

fn priority(settings: &Value, input: &Value) -> Said {
    let fields = input["ticket"]["fields"].as_array().unwrap();
    let numbers: Vec<f64> = fields.iter().filter_map(|f| f["value"]["number"].as_f64()).collect();
    let x = numbers.iter().fold(0.0, |a, b| a + b) * settings["factor"].as_f64().unwrap();
    let score = if x >= 1e6 {
        1e6
    } else if x > -1e6 {
        (x + 0.5).floor()
    } else {
        -1e6
    };
    // Adding zero takes the sign from a zero.
    let written = format!("{:.0}", score + 0.0);
    let more = vec![("score", written.clone())];
    if numbers.is_empty() && mentioned(settings, &input["ticket"]).is_empty() {
        return (json!("pass"), "nothing to rate".to_owned(), more);
    }
    let level = match score {
        s if s >= 100.0 => "critical",
        s if s >= 10.0 => text(&settings["level"]),
        _ => "low",
    };
    let rating = json!({ "impact": input["so-far"]["urgency"], "urgency": input["so-far"]["impact"], "level": level });
    (json!({ "rate": rating }), format!("score {written}"), more)
}

fn routing(settings: &Value, row: Option<&Value>, input: &Value) -> Said {
    let columns = row.and_then(Value::as_array).into_iter().flatten();
    let team = columns.filter(|c| c["name"] == "team").map(|c| &c["value"]).next().unwrap_or(&settings["team"]);
    let so_far = &input["so-far"];
    if so_far["team"] == *team {
        return (json!("pass"), "it is there already".to_owned(), Vec::new());
    }
    if input["requester"]["managers"].as_array().unwrap().contains(&so_far["assignee"]) {
        let there =
            json!({ "team": null, "assignee": so_far["assignee"], "skills": [], "strategy": null, "tier": 255 });
        return (json!({ "assign": there }), "a manager has it".to_owned(), Vec::new());
    }
    let strategy = if whole(&input["now"]["weekday"]) > 5 { json!("least-loaded") } else { Value::Null };
    let tier = texts(&input["ticket"]["tags"]).len() % 255 + 1;
    let skills = mentioned(settings, &input["ticket"]);
    let there = json!({ "team": team, "assignee": null, "skills": skills, "strategy": strategy, "tier": tier });
    (json!({ "assign": there }), format!("{} at {}", text(team), clock(&input["now"])), Vec::new())
}

fn access(settings: &Value, input: &Value) -> Said {
    let (request, item, at) = (&input["request"], &input["item"], whole(&input["now"]["at"]));
    let mut remaining = 0;
    for grant in input["grants"].as_array().unwrap() {
        let live = grant["state"] == "active" && grant["app"] == request["app"];
        if live && whole(&grant["granted-at"]) <= at {
            remaining = remaining.max(whole(&grant["expires-at"]) - at);
        }
    }
    let history: i128 = input["history"].as_object().unwrap().values().map(whole).sum();
    let (size, holders) = (whole(&input["peers"]["department-size"]), whole(&input["peers"]["department-holders"]));
    let share = if size == 0 { 0.0 } else { holders as f64 / size as f64 };
    let more = vec![("remaining", remaining.to_string()), ("history", history.to_string()), ("share", bits(share))];
    let longest = whole(&item["max-duration-hours"]);
    let asked = request["duration-hours"].as_u64().map_or(longest, i128::from);
    let mut groups = united(&[texts(&item["groups"]), texts(&request["groups"])]);
    groups.sort_by_key(|group| group.chars().collect::<Vec<_>>());
    let hours = u32::try_from(asked.min(longest).min(whole(&settings["max-hours"]))).unwrap();
    let scope = json!({ "tier": request["tier"], "role": request["role"], "groups": groups, "duration-hours": hours });
    if item["seats-left"] == 0 {
        return (json!("deny"), "no seats left".to_owned(), more);
    }
    if item["risk"] == "high" {
        let step = |approvers: Value, needed: u32, due: i128| json!({ "approvers": approvers, "needed": needed, "due-in-hours": u64::try_from(due).unwrap() });
        let mut steps: Vec<Value> =
            texts(&input["subject"]["managers"]).iter().map(|manager| step(json!([manager]), 1, 24)).collect();
        if let Some(owner) = item["owner"].as_str() {
            let both = json!([owner, format!("group:{}", text(&item["app"]))]);
            steps.push(step(both, 2, (longest * 2).min(4_294_967_295)));
        }
        if steps.is_empty() {
            steps.push(step(json!(["group:desk"]), 1, 4));
        }
        let reason = format!("approvals: {}", steps.len());
        return (json!({ "require-approval": { "steps": steps, "scope": scope } }), reason, more);
    }
    if share >= 0.5 || (request["kind"] == "extend" && remaining > 0) {
        return (json!({ "approve": scope }), "common or held".to_owned(), more);
    }
    (json!("pass"), "not common".to_owned(), more)
}

fn closing(settings: &Value, input: &Value) -> Said {
    let (said, resolution) = (&input["words"], &input["resolution"]);
    let kept = squeeze(text(&said["text"]));
    let sizes = said["attachments"].as_array().unwrap().iter().map(|file| whole(&file["size"])).sum::<i128>();
    let more =
        vec![("characters", kept.chars().count().to_string()), ("files", sizes.min(i128::from(u64::MAX)).to_string())];
    if kept.is_empty() {
        return (json!("pass"), "no words".to_owned(), more);
    }
    let spoken = lower(text(&said["text"]));
    if let Some(word) = texts(&settings["words"]).iter().map(|word| lower(word)).find(|word| spoken.contains(word)) {
        let decision = if input["state"] == "closed" { "follow-up" } else { "reopen" };
        return (json!(decision), format!("it mentions {word}"), more);
    }
    if resolution["resolved-by"] == input["requester"]["id"] {
        return (json!("keep"), "their own".to_owned(), more);
    }
    let days = whole(&resolution["days-since"]);
    if days < whole(&settings["max-hours"]) {
        return (json!("confirm"), format!("after {days} days"), more);
    }
    (json!("pass"), format!("reopened {} times", input["reopened"]), more)
}
