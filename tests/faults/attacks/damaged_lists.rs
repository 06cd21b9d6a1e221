//! One damaged row beside a whole one in each table that a list is read from: the list has the whole one, and says how many
//! are missing from it.

use std::path::Path;

use ruledesk::desk::id::TicketId;
use ruledesk::store::{Store, Target};
use serde_json::Value;

use crate::store::chain::by_hand;
use crate::support::house::House;
use crate::support::place::{Database, in_runtime};

/// A time that no calendar has.
const FAR: &str = "9000000000000000000";
/// A ticket's and a grant's ids as subqueries.
const TICKET: &str = "(select id from tickets where number = 2)";
const GRANT: &str = "(select id from grants where tier = 'user')";

/// A table, its columns, a whole row and a damaged one; who asks which list for them, and where in the answer it is. `#1` stands
/// for an id.
struct Case(&'static str, &'static str, [&'static str; 2], (&'static str, &'static str, &'static str));

const CASES: [Case; 14] = [
    Case(
        "resolutions",
        "ticket, round, symptom, cause, fix, next_time, resolved_at, ended, ended_at",
        ["2, 1, 'a', 'b', 'c', 'd', 1, 'disputed', 2", "2, 2, 'a', 'b', 'c', 'd', 3, 'upside down', 4"],
        ("kofi", "tickets/IT-2/resolutions", ""),
    ),
    Case(
        "time_spent",
        "ticket, id, person, minutes, note, at",
        ["2, #1, 'kofi', 5, '', 1", "2, #2, 'kofi', 7, '', FAR"],
        ("kofi", "tickets/IT-2/time", "/entries"),
    ),
    Case(
        "review_campaigns",
        "id, name, asks, started_by, started_at, due_at",
        ["#3, 'Spring', 'owner', 'mei', 1, 2", "#4, 'Autumn', 'none of them', 'mei', 1, 2"],
        ("kofi", "access/reviews", ""),
    ),
    Case(
        "review_items",
        "id, campaign, grant_id, ticket, asked_at, due_at, reviewers, reason",
        ["#5, #3, GRANT, TICKET, 1, 2, 'lena', ''", "#6, #3, #21, TICKET, 1, FAR, 'lena', ''"],
        ("kofi", "access/review-items?campaign=00000000-0000-0000-0000-000000000003", ""),
    ),
    Case(
        "access_ops",
        "id, ticket, grant_id, subject, app, entitlement, direction, generation, state, attempt, not_before, said, planned_at, \
         changed_at",
        [
            "#8, TICKET, GRANT, 'viktor', 'jira', 'account', 'grant', 1, 'planned', 0, 1, '', 1, 1",
            "#7, TICKET, GRANT, 'viktor', 'jira', 'account', 'sideways', 2, 'planned', 0, 1, '', 1, 1",
        ],
        ("kofi", "access/orders", ""),
    ),
    Case(
        "connector_runs",
        "id, op, attempt, at, looked, record",
        ["#9, #8, 1, 1, 0, '{}'", "#10, #8, -1, 1, 0, '{}'"],
        ("kofi", "access/orders/00000000-0000-0000-0000-000000000008/runs", ""),
    ),
    Case(
        "access_findings",
        "id, app, entitlement, account, grant_id, found_at, seen_at, reason",
        ["#11, 'jira', 'account', 'x', #0, 1, 1, ''", "#12, 'jira', 'nothing at all', 'x', #0, 1, 1, ''"],
        ("kofi", "access/findings", ""),
    ),
    Case(
        "webhooks",
        "name, seen, disabled_at, why",
        ["'whole', 0, 1, 'old'", "'halved', 0, FAR, 'old'"],
        ("mei", "webhooks", ""),
    ),
    Case(
        "webhook_deliveries",
        "id, webhook, ticket, event, kind, body, queued_at, not_before, sent_at",
        ["#15, 'whole', TICKET, 'e', 'k', '{}', 1, 1, 1", "#16, 'whole', TICKET, 'e', 'k', '{}', FAR, 1, 1"],
        ("mei", "webhooks/whole/deliveries", ""),
    ),
    Case(
        "outages",
        "ticket, announcement, likeness, declared_by, declared_at",
        ["1, 'Mail is down', '{\"words\":[]}', 'kofi', 2", "2, 'VPN is down', 'nonsense', 'kofi', 1"],
        ("kofi", "outages", ""),
    ),
    Case(
        "articles",
        "number, version, state, title, body, language, author, created_at, updated_at",
        ["8, 1, 'internal', 'How', 'So', '', 'kofi', 1, 1", "7, 1, 'eternal', 'How', 'So', '', 'kofi', 1, 1"],
        ("kofi", "articles?limit=1", ""),
    ),
    Case(
        "article_versions",
        "article, version, state, title, body, language, author, at",
        ["8, 1, 'internal', 'How', 'So', '', 'kofi', 1", "8, 2, 'eternal', 'How', 'So', '', 'kofi', 1"],
        ("kofi", "articles/KB-8/versions", ""),
    ),
    Case(
        "attachments",
        "id, object, name, declared_type, found_type, size, uploader, uploaded_at, ticket",
        [
            "#18, #17, 'a.txt', 'text/plain', 'text/plain', 1, 'kofi', 1, 2",
            "#19, #17, 'b.txt', 'text/plain', 'text/plain', -1, 'kofi', 1, 2",
        ],
        ("kofi", "tickets/IT-2/attachments", ""),
    ),
    Case(
        "drafts",
        "person, id, content, problems, saved_at",
        ["'amara', #20, '{\"request_type\":\"incident\",\"subject\":\"x\"}', '[]', 1", "'amara', #21, '{}', '[]', 1"],
        ("amara", "drafts", ""),
    ),
];

/// A statement with its ids as the database writes them.
fn written(database: Database, sql: &str) -> String {
    let mut sql = sql.replace("TICKET", TICKET).replace("GRANT", GRANT);
    for n in (0..=21).rev() {
        let id = match database {
            Database::Sqlite => format!("x'{n:032}'"),
            Database::Postgres => format!("'00000000-0000-0000-0000-{n:012}'"),
        };
        sql = sql.replace(&format!("#{n}"), &id);
    }
    sql.replace("FAR", FAR)
}

/// The list of an answer, and how many rows it says are missing from it.
fn asked(desk: &House, person: &str, path: &str, place: &str) -> (Value, usize) {
    let answer = desk.as_role(person).get(&format!("/api/v1/{path}"));
    let missing = answer.header("ruledesk-rows-left-out").parse().unwrap_or_default();
    let body = answer.expect(200);
    (body.pointer(place).unwrap_or_else(|| panic!("{path}: {body}")).clone(), missing)
}

/// Puts a damaged row into each table of a desk that is lived in, and asks each list.
pub fn each_list_has_what_is_whole(desk: &House, database: Database) {
    let content =
        "insert into attachment_contents (object, size, touched_at, scan, scan_due) values (#17, 1, 1, 'clean', 1)";
    let mut edits = vec![
        written(database, content),
        // One who is none has had a turn, and has work.
        "insert into member_turns (team, person, turn) select distinct team, 'no one!', 1 from member_turns".to_owned(),
        "insert into agents (person, unfinished) values ('no one!', 1)".to_owned(),
        "update clock_events set step = 'sideways' where ticket = 2 and seq = (select min(seq) from clock_events where ticket = 2)".to_owned(),
        "update ledger set detail = 'nonsense' where event = 'requested'".to_owned(),
        "insert into holdings (subject, app, entitlement, preexisting, grant_id, ticket, since) values \
         ('amara', 'jira', 'nothing at all', 0, GRANT, TICKET, 1)".replace("GRANT", GRANT).replace("TICKET", TICKET),
        "update links set kind = 'upside-down'".to_owned(),
    ];
    for Case(table, columns, rows, _) in &CASES {
        let one = |row: &&str| written(database, &format!("insert into {table} ({columns}) values ({row})"));
        edits.extend(rows.iter().map(one));
    }
    if database == Database::Sqlite {
        // A column of numbers that has none, as only SQLite lets stand.
        let tasks = "insert into tasks (ticket, id, author, text, at) values (2, #1, 'kofi', 'whole', 1), \
                     (2, #2, 'kofi', 'halved', 'nonsense')";
        edits.push(written(database, tasks));
    }
    in_runtime(by_hand(&desk.target(), &edits.iter().map(String::as_str).collect::<Vec<_>>()));
    for Case(table, _, _, (person, path, place)) in &CASES {
        let (list, missing) = asked(desk, person, path, place);
        // The name in a path is looked for in a list, too.
        assert!(list.as_array().is_some_and(|list| list.len() == 1) && missing > 0, "{table}: {missing}, {list}");
    }
    if database == Database::Sqlite {
        let (tasks, missing) = asked(desk, "kofi", "tickets/IT-2/tasks", "");
        assert_eq!((tasks.as_array().map(Vec::len), missing), (Some(1), 1), "{tasks}");
    }
    let (events, missing) = asked(desk, "kofi", "tickets/IT-2/promises/events", "");
    assert!(missing == 1 && !events.as_array().unwrap().is_empty(), "{events}");
    let held = asked(desk, "amara", "people/amara/grants", "").0;
    let grant = held.as_array().unwrap().iter().find(|grant| grant["tier"] == "user").unwrap();
    let (story, missing) = asked(desk, "amara", &format!("grants/{}", grant["id"].as_str().unwrap()), "");
    assert!(missing == 1 && story.to_string().contains("is damaged"), "{story}");
    assert!(asked(desk, "kofi", "tickets/IT-2/links", "").1 > 0);
    assert!(desk.stranger().get("/readyz").text.contains("damaged rows are left out of lists"));
    let metrics = desk.as_role("mei").get("/metrics").text;
    assert!(metrics.contains(r#"ruledesk_damaged_rows{table="drafts"} 1"#), "{metrics}");
}

/// Lists that no one asks for by HTTP, or that a whole desk would not outlive.
#[test]
fn lists_behind_the_desk_are_as_whole() {
    in_runtime(async {
        let dir = tempfile::TempDir::new().unwrap();
        let target = Target::Sqlite(Path::new(dir.path()).join("desk.db"));
        let store = Store::open(&target).await.unwrap();
        let edits = [
            "insert into timelines (entries, link) values ('nonsense', 1), ('also', 2)",
            "insert into access_places (person, place, seen_at) values ('amara', 'x', 1), ('no one!', 'x', 1)",
            "insert into configuration_versions (revision, document, content, digest, author, why, at) values \
             (1, 'teams', '', 'x', 'mei', 'x', 1), (2, 'teams', '', 'x', 'mei', 'x', 9000000000000000000)",
            "insert into tokens (hash, person, roles, label, created_at) values ('a', 'mei', 'admin', '', 1), ('b', 'mei', '', '', \
             9000000000000000000)",
            "insert into sessions (hash, token, person, agent, created_at, seen_at, expires_at) values \
             ('a', 'a', 'mei', '', 1, 9, 9), ('b', 'a', 'mei', '', 9000000000000000000, 9, 9)",
            "insert into agents (person, unfinished) values ('kofi', 1), ('no one!', 1)",
            "insert into access_questions (id, ticket, asked_by, question, asked_at) values \
             (x'00000000000000000000000000000001', x'00000000000000000000000000000007', 'lena', 'Why?', 1), \
             (x'00000000000000000000000000000002', x'00000000000000000000000000000007', 'no one!', 'Why?', 1)",
            "insert into tickets (number, id, version, request_type, kind, channel, requester, submitted_by, subject, tags, \
             category, priority, rank, team, tier, state, unfinished, created_at, updated_at, queue_due) values \
             (7, x'00000000000000000000000000000007', 1, 'access', 'request', 'portal', 'amara', 'amara', 'Jira', '[]', \
             'access', 'high', 0, 'network', 1, 'waiting_approval', 1, 1, 1, 1)",
            "insert into access_cases (ticket, requester, submitted_by, subject, extends, app, tier, justification, state, scope, \
             steps, reason, opened_at) values (x'00000000000000000000000000000007', 'amara', 'amara', 'amara', 0, 'jira', \
             'user', 'x', 'awaiting', '{}', '[]', '', 1)",
            "insert into table_events (at, name, actor, why) values (1, 't', 'mei', 'x'), ('nonsense', 't', 'mei', 'x')",
            "insert into schedule_runs (name, at, done_at) values ('report:week', 1, 2), ('report:week', 3, 9000000000000000000)",
        ];
        by_hand(&target, &edits).await;
        let mei = "mei".parse().unwrap();
        let then = jiff::Timestamp::from_millisecond(5).unwrap();
        let feed = store.feed(0).await.unwrap();
        assert_eq!((feed.happened.len(), feed.read_to), (0, 2), "the feed goes on");
        assert_eq!(store.access_places().await.unwrap().len(), 1);
        assert_eq!(store.published_versions("teams").await.unwrap().len(), 1);
        assert_eq!(store.tokens(Some(&mei)).await.unwrap().len(), 1);
        assert_eq!(store.tokens_in_force(Some(&mei), then, 9).await.unwrap().len(), 1);
        assert_eq!(store.sessions(&mei, then, then).await.unwrap().len(), 1);
        assert_eq!(store.busy_people().await.unwrap().len(), 1);
        assert_eq!(store.questions_about(TicketId(uuid::Uuid::from_u128(7))).await.unwrap().len(), 1);
        assert_eq!(store.questions_to(&"amara".parse().unwrap()).await.unwrap().len(), 1);
        assert_eq!(store.schedule_runs("report:week").await.unwrap().len(), 1);
        let events = store.table_events("t", 0, 1).await.unwrap();
        assert_eq!((events.items.len(), events.next), (0, Some(())), "the next page is there all the same");
        assert_eq!(store.table_events("t", 1, 1).await.unwrap().items.len(), 1);
        let counts = store.damaged_rows();
        assert_eq!((counts.get("timelines"), counts.get("tokens")), (Some(&2), Some(&1)), "{counts:?}");
        // Asked again, they are no more than they were.
        store.tokens(Some(&mei)).await.unwrap();
        assert_eq!(store.damaged_rows(), counts);
        store.close().await;
    });
}
