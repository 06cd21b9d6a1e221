//! Random walks of tickets by people of every role, with time between: no state that the table does not lead to, no event lost,
//! and a timeline that, read from its beginning, ends where the ticket stands.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::incident;
use crate::support::client::{Answer, Client, resolved};
use crate::support::house::House;
use crate::support::place::Database;

/// From which state which others may come; written down again here, so that the desk's own table is held to it.
const LEGAL: [(&str, &str); 9] = [
    ("open", "in_progress waiting_requester waiting_vendor resolved cancelled merged"),
    ("in_progress", "open waiting_requester waiting_vendor resolved cancelled merged"),
    ("waiting_requester", "in_progress resolved cancelled merged"),
    ("waiting_vendor", "in_progress resolved cancelled merged"),
    ("resolved", "closed reopened"),
    ("reopened", "in_progress waiting_requester waiting_vendor resolved cancelled merged"),
    ("closed", ""),
    ("cancelled", ""),
    ("merged", ""),
];
/// The states into which a requester may lead a ticket.
const BY_REQUESTERS: [&str; 4] = ["cancelled", "in_progress", "closed", "reopened"];

const PEOPLE: [&str; 4] = ["amara", "kofi", "mei", "lena"];
const STATES: [&str; 8] =
    ["open", "in_progress", "waiting_requester", "waiting_vendor", "resolved", "closed", "reopened", "cancelled"];
const TAGS: [&[&str]; 3] = [&["licence", "storage"], &["storage"], &[]];
/// Rows by tag that do not stand where their tickets do, and those that are missing or too many.
const MISPLACED: &str = "select count(*) from tagged g left join tickets t on t.number = g.number \
    where t.number is null or g.unfinished <> t.unfinished or g.rank <> t.rank or g.queue_due <> t.queue_due \
    or t.tags = replace(t.tags, '\"' || g.tag || '\"', '')";
const MISSING: &str = "select (select count(*) from tagged) \
    - (select cast(coalesce(sum((length(tags) - length(replace(tags, '\"', ''))) / 2), 0) as bigint) from tickets)";
/// Tickets of one walk.
const TICKETS: usize = 3;

/// One act: by whom, on which ticket, and what, as far as the numbers say it.
type Step = (usize, usize, usize, usize);

/// A ticket as it was seen last.
#[derive(Default)]
struct Seen {
    timeline: Vec<Value>,
    state: String,
    fields: BTreeMap<String, Value>,
}

impl Seen {
    /// Looks again: all that was there is there, and what has come explains how the ticket stands.
    fn look(&mut self, desk: &House, key: &str) {
        let agent = desk.as_role("kofi");
        let ticket = agent.get(&format!("/api/v1/tickets/{key}")).expect(200);
        let path = format!("/api/v1/tickets/{key}/timeline?limit=200");
        let timeline = agent.get(&path).expect(200).as_array().unwrap().clone();
        assert_eq!(timeline.get(..self.timeline.len()), Some(&self.timeline[..]), "{key} has lost an event");
        for (entry, number) in timeline.iter().zip(1..) {
            assert_eq!(entry["seq"], number, "{timeline:#?}");
        }
        for entry in &timeline[self.timeline.len()..] {
            self.follow(entry);
        }
        assert_eq!(ticket["state"], self.state.as_str(), "{timeline:#?}");
        for field in ["category", "priority", "team", "assignee"] {
            let told = self.fields.get(field).unwrap_or(&Value::Null);
            assert_eq!(&ticket[field], told, "{field} of {key}: {timeline:#?}");
        }
        let shown = desk.as_role("amara").get(&path).expect(200);
        assert!(shown.as_array().unwrap().iter().all(|entry| entry["visibility"] == "public"), "{shown:#}");
        self.timeline = timeline;
    }

    fn follow(&mut self, entry: &Value) {
        let details = &entry["details"];
        match entry["kind"].as_str().unwrap() {
            "submitted" => self.state = "open".to_owned(),
            "state-changed" => {
                let (from, to) = (details["from"].as_str().unwrap(), details["to"].as_str().unwrap());
                assert_eq!(from, self.state, "{entry:#}");
                let (_, next) = LEGAL.iter().find(|(state, _)| *state == from).unwrap();
                assert!(next.split(' ').any(|next| next == to), "{entry:#}");
                let requester = entry["author"] == "amara";
                assert!(!requester || BY_REQUESTERS.contains(&to), "{entry:#}");
                self.state = to.to_owned();
            }
            "set" => {
                let field = details["field"].as_str().unwrap().to_owned();
                self.fields.insert(field, details["to"].clone());
            }
            "assigned" => {
                self.fields.insert("team".to_owned(), details["team"].clone());
                self.fields.insert("assignee".to_owned(), details["assignee"].clone());
            }
            _ => {}
        }
    }
}

/// Does one act, as its person would.
fn act(desk: &House, keys: &[String], (person, ticket, what, detail): Step) -> Option<(bool, Answer)> {
    let stranger = PEOPLE[person] == "lena";
    let client = desk.as_role(PEOPLE[person]);
    // For routes without versions, which refuse a precondition.
    let any = client.clone();
    let (key, other) = (&keys[ticket], &keys[(ticket + 1 + detail % (TICKETS - 1)) % TICKETS]);
    let path = format!("/api/v1/tickets/{key}");
    let seen = desk.as_role("kofi").get(&path).etag.unwrap();
    let own = client.get(&path).etag.unwrap_or(seen);
    let client = client.with("if-match", &own);
    let answer = match what {
        0..=4 => transition(&client, &path, STATES[(what * 5 + detail) % STATES.len()]),
        5 => any.post(&format!("{path}/comments"), &json!({ "body": "It is still so.", "internal": detail % 2 == 0 })),
        6 => any.post(&format!("{path}/comments"), &json!({ "body": "Thanks!" })),
        7 => {
            let category = ["network.vpn", "miscellaneous"][detail % 2];
            client.patch(&path, &json!({ "category": category, "tags": (TAGS[detail % TAGS.len()]), "reason": "seen" }))
        }
        8 => client.patch(&path, &json!({ "priority": (["low", "critical"][detail % 2]), "reason": "seen" })),
        9 => client.patch(&path, &json!({ "team": (["network", "service-desk"][detail % 2]), "reason": "theirs" })),
        10 => {
            client.patch(&path, &json!({ "assignee": ([Value::Null, json!("kofi")][detail % 2]), "reason": "whose" }))
        }
        11 => any.post(&format!("{path}/links"), &json!({ "link": "blocked-by", "ticket": other })),
        12 => client.post(&format!("{path}/merge"), &json!({ "into": other, "reason": "the same" })),
        13 => any.post(&format!("{path}/escalate"), &json!({ "reason": "It cannot wait" })),
        _ => {
            desk.advance(SignedDuration::from_hours(1 + 7 * i64::try_from(detail).unwrap()));
            return None;
        }
    };
    Some((stranger, answer))
}

fn transition(client: &Client, path: &str, to: &str) -> Answer {
    let mut body = json!({ "to": to, "reason": "as it is" });
    if to == "resolved" {
        body["resolution"] = resolved()["resolution"].clone();
    }
    client.post(&format!("{path}/transitions"), &body)
}

fn walk(database: Database, steps: &[Step]) {
    let desk = House::demo(database);
    let amara = desk.as_role("amara");
    let keys: Vec<String> = (0..TICKETS).map(|n| incident(&amara, &format!("VPN {n}"))).collect();
    let mut seen: Vec<Seen> = keys.iter().map(|_| Seen::default()).collect();
    let mut done = 0;
    for step in steps {
        if let Some((stranger, answer)) = act(&desk, &keys, *step) {
            assert!(answer.status < 500, "{step:?}: {}", answer.text);
            done += usize::from(answer.status < 300);
            assert!(!stranger || [403, 404].contains(&answer.status), "{step:?}: {}", answer.text);
        }
        keys.iter().zip(&mut seen).for_each(|(key, seen)| seen.look(&desk, key));
    }
    desk.do_what_is_due();
    keys.iter().zip(&mut seen).for_each(|(key, seen)| seen.look(&desk, key));
    let wrong = [MISPLACED, MISSING].map(|sql| desk.number(sql));
    assert_eq!(wrong, [0, 0], "tickets are found by their tags where they stand");
    assert!(done >= 3, "so few acts were done that this shows nothing: {done}");
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..PEOPLE.len(), 0..TICKETS, 0..17_usize, 0..8_usize), length)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, rng_seed: RngSeed::Fixed(15), max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ticket_s_timeline_tells_how_it_stands_however_it_came_there(steps in steps(40)) {
        walk(Database::Sqlite, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, rng_seed: RngSeed::Fixed(15), max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ticket_s_timeline_tells_how_it_stands_on_several_hosts_database(steps in steps(40)) {
        walk(Database::Postgres, &steps);
    }
}
