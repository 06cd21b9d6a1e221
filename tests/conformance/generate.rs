//! Writes the vectors: inputs from a seeded generator, settings and table rows by hand, answers by the oracle.

use serde_json::{Value, json};

use super::oracle;

/// Inputs a stage.
const INPUTS: u64 = 80;

/// Texts in which languages differ: white space, case beyond ASCII, accents that combine, characters beyond UTF-16's
/// first plane (which sort before U+FF5E there), quotes, controls.
const TEXTS: [&str; 18] = [
    "",
    " ",
    "VPN",
    "The PRINTER is\ton  fire",
    "printer\r\n",
    "Ünïcode ẞ İstanbul",
    "e\u{301}te\u{301} \u{e9}t\u{e9}",
    "😀 astral 👩‍👩‍👧",
    "～ fullwidth",
    "\"quoted\" \\ back/slash",
    "\u{0}\u{1}\u{7f}",
    "\u{a0}no-break\u{2003}space\u{a0}",
    "日本語のチケット",
    "שלום",
    "\u{feff}mark",
    "[a,b]=(c:+d-)",
    "\u{10ffff}\u{e000}\u{d7ff}",
    "slow printer, slow vpn, Über-printer",
];
const NUMBERS: [f64; 18] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.1,
    40.0,
    99.5,
    1e15,
    9_007_199_254_740_993.0,
    5e-324,
    2.225_073_858_507_201_4e-308,
    f64::MAX,
    f64::MIN,
];
/// The largest integer that an input has: what every language reads exactly (RFC 7493, section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;
const LARGE: [u64; 8] =
    [0, 1, 59_999, 1_767_614_400_000, u32::MAX as u64 + 1, (1 << 52) + 1, INTEGER_MAX - 1, INTEGER_MAX];
const DATES: [&str; 10] = [
    "2026-03-29",
    "2024-02-29",
    "2023-02-29",
    "1900-02-29",
    "2000-02-29",
    "0000-02-29",
    "2026-13-01",
    "2026-04-31",
    "26-4-1",
    "２０２６-01-01",
];
/// Instants around the changes of Berlin's clocks, New York's, and offsets that are no hours: with the offset, the local
/// day, the weekday and the minute.
const MOMENTS: [(u64, i16, i32, u8, u16); 10] = [
    (1_774_745_940_000, 60, 20541, 7, 119),
    (1_774_746_000_000, 120, 20541, 7, 180),
    (1_792_886_340_000, 120, 20751, 7, 119),
    (1_792_889_999_999, 120, 20751, 7, 179),
    (1_792_890_000_000, 60, 20751, 7, 120),
    (1_772_953_200_000, -240, 20520, 7, 180),
    (1_767_614_400_000, 345, 20458, 1, 1065),
    (0, -1, -1, 3, 1439),
    (INTEGER_MAX, i16::MIN, i32::MIN, 255, u16::MAX),
    (59_999, i16::MAX, i32::MAX, 0, 0),
];

/// Settings that hold, by name.
pub fn settings() -> Value {
    json!({
        "plain": { "words": ["printer", "VPN"], "category": "hardware.printer", "level": "high", "team": "desktop",
            "table": "conformance", "factor": 1.0, "body-max": 12, "max-hours": 72 },
        "trace": { "words": ["e\u{301}", "😀", "ünï", "printer", "PRINTER"], "category": "日本", "level": "mid 😀",
            "team": "t\"\\\n", "table": "conformance", "factor": -2.5, "body-max": 1, "max-hours": 1, "trace": true },
        "large": { "words": [" ", "ü"], "category": "c", "level": "l", "team": "Team é", "table": "conformance",
            "factor": 1024.0, "body-max": 1000, "max-hours": 8784, "trace": false, "unknown": { "deep": [1, "x"] } },
    })
}

/// Settings that do not hold.
fn wrong_settings() -> Vec<Value> {
    let whole = settings()["plain"].clone();
    let with = |name: &str, value: Value| {
        let mut changed = whole.clone();
        changed[name] = value;
        changed
    };
    vec![
        json!({}),
        with("words", json!([])),
        with("words", json!("printer")),
        with("words", json!(["printer", ""])),
        with("words", json!(["printer", 7])),
        with("category", json!("")),
        with("level", json!(1)),
        with("team", json!(["t"])),
        with("table", json!(true)),
        with("factor", json!("1")),
        with("factor", json!(true)),
        with("body-max", json!(0)),
        with("body-max", json!(1001)),
        with("body-max", json!(1.5)),
        with("max-hours", json!(-1)),
        with("max-hours", json!(8785)),
        with("max-hours", json!(true)),
        with("trace", json!("yes")),
        with("trace", json!(0)),
        json!({ "words": 1, "category": 1, "level": 1, "team": 1, "table": 1, "factor": "", "body-max": "",
            "max-hours": "", "trace": "" }),
    ]
}

/// The sentences of the specification, for what is wrong with each of the settings above.
fn problems(settings: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let words = settings["words"].as_array();
    let good = |w: &Value| w.as_str().is_some_and(|w| !w.is_empty());
    if !words.is_some_and(|words| !words.is_empty() && words.iter().all(good)) {
        out.push("`words` must be a list of texts, none of them empty".to_owned());
    }
    for name in ["category", "level", "team", "table"] {
        if !good(&settings[name]) {
            out.push(format!("`{name}` must be a text, not empty"));
        }
    }
    if !settings["factor"].is_number() {
        out.push("`factor` must be a number".to_owned());
    }
    for (name, most) in [("body-max", 1000_u64), ("max-hours", 8784)] {
        if !settings[name].as_u64().is_some_and(|n| n >= 1 && n <= most) {
            out.push(format!("`{name}` must be a whole number from 1 to {most}"));
        }
    }
    if settings.get("trace").is_some_and(|trace| !trace.is_boolean()) {
        out.push("`trace` must be true or false".to_owned());
    }
    out
}

/// The rows of the table `conformance`, by key.
pub fn rows() -> Value {
    let team = |team: &str| json!([{ "name": "team", "value": team }]);
    json!({
        "amara": [{ "name": "Team", "value": "no" }, { "name": "team", "value": "network" },
            { "name": "team", "value": "second" }],
        "": team(""),
        "😀": team("e\u{301}\n😀"),
        "empty": [],
    })
}

/// xorshift64*: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.next() % of.len() as u64).unwrap()].clone()
    }

    fn likely(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn text(&mut self) -> String {
        self.one(&TEXTS).to_owned()
    }

    fn list(&mut self, most: u64, mut item: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.next() % (most + 1);
        (0..count).map(|_| item(self)).collect()
    }

    fn texts(&mut self) -> Value {
        self.list(3, |dice| json!(dice.text()))
    }

    fn option(&mut self, item: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.likely(40) { Value::Null } else { item(self) }
    }

    fn attributes(&mut self) -> Value {
        self.list(2, |dice| json!({ "name": dice.one(&["message-id", "X", "é"]), "value": dice.text() }))
    }

    fn count(&mut self) -> u32 {
        self.one(&[0, 1, 3, 24, 720, 1 << 31, u32::MAX])
    }

    fn moment(&mut self) -> Value {
        let (at, offset, day, weekday, minute) = self.one(&MOMENTS);
        json!({ "at": at, "utc-offset": offset, "local-day": day, "weekday": weekday, "minute-of-day": minute,
            "in-business-hours": self.likely(50) })
    }

    fn person(&mut self) -> Value {
        json!({ "id": self.one(&["amara", "", "😀", "empty", "nobody"]), "name": self.text(), "email": self.text(),
            "department": self.text(), "title": self.text(), "location": self.text(), "groups": self.texts(),
            "managers": self.list(3, |dice| json!(dice.one(&["mei", "jo 😀", "x"]))), "vip": self.likely(50),
            "attributes": self.attributes() })
    }

    fn field(&mut self, stage: &str) -> Value {
        // Most fields at intake are good, or nothing would ever be accepted.
        let spoil = stage != "intake" || self.likely(15);
        let value = match self.next() % 6 {
            0 => json!({ "text": if spoil { self.text() } else { format!(" a {}", self.text()) } }),
            1 | 5 if stage == "priority" => json!({ "number": self.one(&NUMBERS) }),
            1 => json!({ "number": self.one(&NUMBERS) }),
            2 => json!({ "flag": self.likely(50) }),
            3 => json!({ "date": if spoil { self.one(&DATES) } else { "2028-02-29" } }),
            4 => json!({ "choice": self.text() }),
            _ if spoil => json!({ "choices": self.texts() }),
            _ => json!({ "choices": ["～", "😀", "b", "\u{e9}", "e\u{301}", "B", ""] }),
        };
        json!({ "name": self.one(&["device", "größe", "", "n"]), "value": value })
    }

    fn ticket(&mut self, stage: &str) -> Value {
        let mut tags = self.texts();
        if self.likely(8) {
            tags.as_array_mut().unwrap().push(json!("fail"));
        }
        json!({ "request-type": self.one(&["hardware", "vpn", ""]), "channel": self.text(), "subject": self.text(),
            "body": format!("{}{}", self.text(), self.text()), "fields": self.list(5, |dice| dice.field(stage)),
            "tags": tags, "signals": self.texts(),
            "attachments": self.list(3, |dice| json!({ "name": dice.text(), "media-type": dice.text(),
                "size": dice.one(&LARGE) })),
            "created-at": self.one(&LARGE), "attributes": self.attributes() })
    }

    fn so_far(&mut self) -> Value {
        json!({ "category": self.option(|d| json!(d.text())), "tags": self.texts(),
            "kind": self.one(&["incident", "request", ""]), "impact": self.option(|d| json!(d.text())),
            "urgency": self.option(|d| json!(d.text())), "priority": self.option(|d| json!(d.text())),
            "team": self.option(|d| json!(d.one(&["desktop", "network", "Team é", "other"]))),
            "assignee": self.option(|d| json!(d.one(&["mei", "jo 😀", "y"]))), "attributes": self.attributes() })
    }

    fn input(&mut self, stage: &str) -> Value {
        let (now, ticket) = (self.moment(), self.ticket(stage));
        let requester = self.person();
        let mut input = json!({ "now": now, "ticket": ticket, "requester": requester });
        if stage == "intake" {
            input["submitted-by"] = json!(self.one(&["amara", "", "somebody"]));
            input["headers"] = self.attributes();
            let at = now["at"].as_u64().unwrap();
            let subject = format!(" {}", ticket["subject"].as_str().unwrap().to_ascii_uppercase());
            let ages = [0, 1, 604_800_000, 604_800_001];
            input["recent"] = self.list(4, |dice| {
                let created = at.checked_sub(dice.one(&ages)).unwrap_or(INTEGER_MAX);
                let state = dice.one(&["open", "closed", "resolved"]);
                json!({ "key": format!("IT-{}", dice.next() % 9999), "request-type": ticket["request-type"],
                    "subject": if dice.likely(75) { subject.clone() } else { dice.text() }, "state": state,
                    "created-at": created })
            });
            return input;
        }
        input["so-far"] = self.so_far();
        match stage {
            "access" => self.access(&mut input),
            "closing" => self.closing(&mut input),
            _ => {}
        }
        input
    }

    fn closing(&mut self, input: &mut Value) {
        input["words"] = json!({ "text": self.text(), "channel": self.text(), "at": self.one(&LARGE),
            "attachments": self.list(3, |dice| json!({ "name": dice.text(), "media-type": dice.text(),
                "size": dice.one(&LARGE) })) });
        input["state"] = json!(self.one(&["resolved", "resolved", "closed", ""]));
        input["resolution"] = json!({ "at": self.one(&LARGE), "days-since": self.count(),
            "resolved-by": self.option(|d| json!(d.one(&["amara", "", "😀", "mei"]))), "symptom": self.text(),
            "cause": self.text(), "fix": self.text(), "next-time": self.text() });
        input["reopened"] = json!(self.count());
    }

    fn access(&mut self, input: &mut Value) {
        let at = input["now"]["at"].as_u64().unwrap();
        input["request"] = json!({ "kind": self.one(&["new", "extend"]), "app": self.one(&["figma", "é"]),
            "tier": self.text(), "role": self.option(|d| json!(d.text())), "groups": self.texts(),
            "duration-hours": self.option(|d| json!(d.count())), "justification": self.text() });
        input["item"] = json!({ "app": "figma", "name": self.text(), "tier": self.text(),
            "risk": self.one(&["low", "high", ""]), "max-duration-hours": self.count(),
            "owner": self.option(|d| json!(d.text())), "groups": self.texts(),
            "seats-left": self.option(|d| json!(d.count())), "attributes": self.attributes() });
        input["subject"] = self.person();
        let around = [at, (at + 1).min(INTEGER_MAX), at.saturating_sub(1), 0, INTEGER_MAX];
        input["grants"] = self.list(4, |dice| {
            json!({ "app": dice.one(&["figma", "é"]), "tier": dice.text(), "role": dice.option(|d| json!(d.text())),
                "groups": dice.texts(), "granted-at": dice.one(&around), "expires-at": dice.one(&around),
                "state": dice.one(&["active", "active", "ended"]) })
        });
        input["history"] = json!({ "requested": self.count(), "approved": self.count(), "denied": self.count(),
            "revoked": self.count() });
        input["peers"] = json!({ "department-size": self.count(), "department-holders": self.count() });
    }
}

/// The file of a stage: one vector a line.
pub fn vectors(stage: &str) -> String {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ stage.len() as u64);
    let (settings, rows) = (settings(), rows());
    let mut lines: Vec<String> = Vec::new();
    while (lines.len() as u64) < INPUTS {
        let chosen = dice.one(&["plain", "plain", "trace", "large"]);
        let input = dice.input(stage);
        let row = rows.get(input["requester"]["id"].as_str().unwrap());
        let (expected, log) = oracle::answer(stage, &settings[chosen], row, &input);
        let name = format!("{stage}-{}", lines.len() + 1);
        let vector = json!({ "name": name, "settings": chosen, "input": input, "expected": expected, "log": log });
        let line = vector.to_string();
        // What a reader would take for another number proves nothing about rules.
        if serde_json::from_str::<Value>(&line).is_ok_and(|read| read == vector) {
            lines.push(line);
        }
    }
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// The file of settings: those that the vectors use, the table's rows, and those that `configure` refuses.
pub fn settings_file() -> String {
    let wrong = wrong_settings().into_iter().map(|settings| {
        let problems = problems(&settings);
        json!({ "settings": settings, "problems": problems })
    });
    let all = json!({ "good": settings(), "rows": rows(), "wrong": wrong.collect::<Vec<_>>() });
    format!("{:#}\n", all)
}
