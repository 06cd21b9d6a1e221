//! Reads and writes of a ticket's life that people wait for: searches, lists under a name, suggestions, reports, pages, replies; and
//! work that falls due all at once.

use std::time::{Duration, Instant};

use ruledesk::store::db::Db;

use super::desk::{Client, Desk, agent, team};
use super::fill::{Random, SENTENCES};
use super::measure::{ask, requests, times};
use super::report::{Line, percentiles};

/// How long an index, or work that is due, may take to come to its end.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Articles among which suggestions are looked for.
const ARTICLES: usize = 200;
/// Agents who reply at once.
const CLIENTS: usize = 32;
/// Timers that fall due at one moment.
const TIMERS: i64 = 100_000;

/// Streams of events that are open at once, and those of one person.
const STREAMS: u64 = 1_000;
const STREAMS_EACH: u64 = 10;

/// Measures all of it.
pub async fn measure(desk: &Desk, db: &Db, size: u64, lines: &mut Vec<Line>) {
    let mut client = desk.client("demo-kofi").await;
    search(&mut client, size, lines).await;
    views(&mut client, lines).await;
    suggestions(&mut client, lines).await;
    let year = jiff::Timestamp::now().in_tz("UTC").unwrap().date().saturating_sub(jiff::Span::new().years(1));
    let today = jiff::Timestamp::now().in_tz("UTC").unwrap().date();
    for report in ["volume", "backlog", "sla-attainment", "handling-time"] {
        let path = format!("/api/v1/reports/{report}?from={year}&to={today}");
        let took = times(&mut client, &[path], 5).await;
        lines.push(percentiles(&format!("report of a year: {report}"), took, 0.95));
    }
    pages(desk, size, lines).await;
    replies(desk, &mut client, size, lines).await;
    streams(desk, lines).await;
    timers(db, lines).await;
}

/// Words of tickets: one that a ticket in ten thousand has, two that many have, and with a team.
async fn search(client: &mut Client, size: u64, lines: &mut Vec<Line>) {
    let newest: serde_json::Value = {
        let answer = client.get(&format!("/api/v1/tickets/IT-{size}")).await;
        serde_json::from_slice(&answer.body).unwrap()
    };
    let number = newest["subject"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
    let begun = Instant::now();
    loop {
        let answer = client.get(&format!("/api/v1/search?q={number}")).await;
        // An index that a migration built again is filled from the newest ticket to the oldest.
        let is_filled = !answer.head.contains("unsearchable-from");
        if is_filled && String::from_utf8_lossy(&answer.body).contains(&format!("\"IT-{size}\"")) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the words of tickets do not come into the index");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut random = Random(5);
    let mut numbers = || format!("/api/v1/search?q={:06}", random.below(1_000_000));
    let seldom: Vec<String> = (0..50).map(|_| numbers()).collect();
    lines.push(ask(client, "search: a seldom word", &seldom).await);
    lines.push(ask(client, "search: two common words", &["/api/v1/search?q=printer%20toner".to_owned()]).await);
    let in_team: Vec<String> = (0..10).map(|n| format!("/api/v1/search?q=licence&team={}", team(n * 7))).collect();
    lines.push(ask(client, "search: a common word, in a team", &in_team).await);
}

/// A list under a name: its first page, and its count.
async fn views(client: &mut Client, lines: &mut Vec<Line>) {
    let id = uuid::Uuid::now_v7();
    let body = format!(r#"{{"name":"Measured","filter":{{"team":"{}","states":["open","in_progress"]}}}}"#, team(7));
    let kept = client.put(&format!("/api/v1/views/{id}"), &body).await;
    assert!(kept.status < 300, "{}", String::from_utf8_lossy(&kept.body));
    lines.push(ask(client, "saved view: first", &[format!("/api/v1/views/{id}/tickets")]).await);
    lines.push(ask(client, "saved view: count", &[format!("/api/v1/views/{id}/count")]).await);
}

/// Articles that may spare a submission.
async fn suggestions(client: &mut Client, lines: &mut Vec<Line>) {
    let mut random = Random(6);
    for n in 0..ARTICLES {
        let text = SENTENCES[random.below(8) as usize];
        let body = format!(r#"{{"title":"How to, number {n}","body":"{text} Look at the cable first."}}"#);
        let added = client.post("/api/v1/articles", &body).await;
        assert_eq!(added.status, 201, "{}", String::from_utf8_lossy(&added.body));
    }
    let mut took = Vec::new();
    for _ in 0..requests() {
        let text = SENTENCES[random.below(8) as usize];
        let asks = format!(r#"{{"subject":"Something is wrong","body":"{text}"}}"#);
        let answer = client.post("/api/v1/articles/suggestions", &asks).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        took.push(answer.took);
    }
    lines.push(percentiles("suggestions for a submission", took, 0.95));
}

/// The pages of a ticket and of the queue, as an agent's browser asks for them.
async fn pages(desk: &Desk, size: u64, lines: &mut Vec<Line>) {
    let mut browser = desk.client("").await;
    let form = "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n";
    let signed_in = browser.ask("POST", "/sign-in", form, "person=kofi").await;
    let cookie = signed_in.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.expect("a cookie for one who signs in").split(';').next().unwrap();
    let cookie = format!("cookie: {cookie}\r\n");
    let (mut random, mut took) = (Random(12), Vec::new());
    for _ in 0..requests() {
        let path = format!("/tickets/IT-{}", 1 + random.below(size));
        let answer = browser.ask("GET", &path, &cookie, "").await;
        assert_eq!(answer.status, 200, "{path}");
        took.push(answer.took);
    }
    lines.push(percentiles("ticket: page (HTML)", took, 0.95));
    for (name, path) in
        [("queue: page (HTML)", "/queue".to_owned()), ("a team's: page (HTML)", format!("/queue?team={}", team(7)))]
    {
        let mut took = Vec::new();
        for _ in 0..requests() {
            let answer = browser.ask("GET", &path, &cookie, "").await;
            assert_eq!(answer.status, 200, "{path}");
            took.push(answer.took);
        }
        lines.push(percentiles(&format!("{name}, p50 and p99"), took, 0.99));
    }
}

/// Streams of events that nothing passes through: what they add to the program's own memory.
async fn streams(desk: &Desk, lines: &mut Vec<Line>) {
    let before = desk.own_memory();
    let mut open = Vec::new();
    for n in 0..STREAMS / STREAMS_EACH {
        let token = desk.token(&agent(n), "agent");
        for _ in 0..STREAMS_EACH {
            let mut client = desk.client(&token).await;
            client.watch().await;
            open.push(client);
        }
    }
    let more = desk.own_memory().saturating_sub(before) >> 20;
    lines.push(Line { name: format!("{} idle streams take, MB", open.len()), value: more.to_string() });
}

/// A reply as an agent writes it.
async fn reply(client: &mut Client, key: &str) -> Duration {
    let path = format!("/api/v1/tickets/{key}/comments");
    let answer = client.post(&path, r#"{"body":"We look at it and write again at noon."}"#).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.took
}

/// Replies to tickets that are open, one after the other and then of many at once: how long each takes, and the desk's processor time
/// for each.
async fn replies(desk: &Desk, client: &mut Client, size: u64, lines: &mut Vec<Line>) {
    let count = requests();
    let keys = open_tickets(client, count).await;
    assert!(!keys.is_empty(), "none of {size} tickets is open");
    let (before, mut took) = (desk.processor_time(), Vec::new());
    for key in keys.iter().cycle().take(count) {
        took.push(reply(client, key).await);
    }
    let each = (desk.processor_time() - before).as_secs_f64() * 1000.0 / count as f64;
    lines.push(percentiles("a reply", took, 0.95));
    lines.push(Line { name: "a reply, processor time, ms".to_owned(), value: format!("{each:.2}") });
    let before = desk.processor_time();
    let took = replies_at_once(desk, &keys, requests()).await;
    let each = (desk.processor_time() - before).as_secs_f64() * 1000.0 / took.len() as f64;
    let clients = keys.len().min(CLIENTS);
    lines.push(percentiles(&format!("a reply, {clients} at once"), took, 0.95));
    lines.push(Line { name: format!("a reply, {clients} at once: processor time, ms"), value: format!("{each:.2}") });
}

/// The keys of tickets that are open, so many where there are.
pub async fn open_tickets(client: &mut Client, count: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut after = String::new();
    while keys.len() < count {
        let answer = client.get(&format!("/api/v1/tickets?state=open&limit=200{after}")).await;
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let found = page["tickets"].as_array().unwrap();
        keys.extend(found.iter().map(|ticket| ticket["key"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    keys
}

/// Replies of many agents at once, each to tickets of their own, so many by each: how long each took.
pub async fn replies_at_once(desk: &Desk, keys: &[String], each: usize) -> Vec<Duration> {
    let mut clients = tokio::task::JoinSet::new();
    for own in keys.chunks(keys.len().div_ceil(CLIENTS)) {
        let (mut client, own) = (desk.client("demo-kofi").await, own.to_vec());
        clients.spawn(async move {
            let mut took = Vec::new();
            for key in own.iter().cycle().take(each) {
                took.push(reply(&mut client, key).await);
            }
            took
        });
    }
    let mut took = Vec::new();
    while let Some(of_client) = clients.join_next().await {
        took.extend(of_client.unwrap());
    }
    took
}

/// Looks at many tickets that fall due at one moment: how many a second are done, from the moment that they are there.
async fn timers(db: &Db, lines: &mut Vec<Line>) {
    let now = jiff::Timestamp::now().as_millisecond();
    let mut tx = db.begin().await.unwrap();
    let sql = format!(
        "insert into timers (kind, ticket, due_at, not_before) select 'clocks', id, {now}, {now} from tickets \
         where unfinished = 0 order by number limit {TIMERS} on conflict (kind, ticket) do nothing"
    );
    let set = tx.execute(&sql, Vec::new()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    let begun = Instant::now();
    let left = async || {
        let sql = format!("select count(*) from timers where kind = 'clocks' and due_at = {now}");
        db.all(&sql, Vec::new()).await.unwrap()[0].int(0).unwrap()
    };
    while left().await > 0 {
        assert!(begun.elapsed() < PATIENCE, "timers that are due are not done");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = set as f64 / begun.elapsed().as_secs_f64();
    lines.push(Line { name: format!("timers due at once, {set}: done a second"), value: format!("{rate:.0}") });
}
