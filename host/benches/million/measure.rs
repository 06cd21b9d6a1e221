//! Asks a desk for everything that people wait for, and measures how long they do.

use std::path::Path;
use std::time::{Duration, Instant};

use ruledesk::store::Target;
use ruledesk::store::db::Db;
use tokio::runtime::Runtime;

use super::desk::{Client, Desk, agent, requester, team};
use super::fill::{Random, open, submission};
use super::places::{List, Part, page};
use super::report::{Line, percentiles};

/// Clients that create at the same time.
const CLIENTS: u64 = 32;
/// People whose own lists are read.
const OWN: u64 = 8;

/// How often each thing is asked for.
pub fn requests() -> usize {
    std::env::var("MILLION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

pub fn measure(runtime: &Runtime, config: &Path, target: &Target, size: u64) -> Vec<Line> {
    let mut lines = vec![bytes(runtime, target)];
    let desk = Desk::start(config, target);
    runtime.block_on(async {
        let db = open(target).await;
        lists(&desk, &db, size, &mut lines).await;
        others(&desk, size, &mut lines).await;
        super::lifecycle::measure(&desk, &db, size, &mut lines).await;
        db.close().await;
        create(&desk, &mut lines).await;
    });
    lines.push(Line { name: "own memory, MB".to_owned(), value: format!("{}", desk.own_memory() >> 20) });
    desk.stop();
    lines
}

/// Bytes of the database for each ticket, everything included.
fn bytes(runtime: &Runtime, target: &Target) -> Line {
    let (bytes, tickets) = runtime.block_on(async {
        let db = open(target).await;
        let whole = match target {
            Target::Sqlite(_) => "select page_count * page_size from pragma_page_count(), pragma_page_size()",
            Target::Postgres(_) => "select pg_database_size(current_database())",
        };
        let one = async |sql| db.all(sql, Vec::new()).await.unwrap()[0].int(0).unwrap();
        let both = (one(whole).await, one("select count(*) from tickets").await);
        db.close().await;
        both
    });
    Line { name: "bytes a ticket".to_owned(), value: (bytes / tickets.max(1)).to_string() }
}

fn list(name: &str, each: impl Fn(u64) -> (String, String)) -> (String, Vec<List>) {
    let lists = (0..10).map(each).map(|(query, condition)| List { query, condition });
    (name.to_owned(), lists.collect())
}

fn all_lists() -> Vec<(String, Vec<List>)> {
    let equal = |column: &str, value: String| (format!("{column}={value}"), format!("{column} = '{value}'"));
    let both = |one: (String, String), other: (String, String)| {
        (format!("{}&{}", one.0, other.0), format!("{} and {}", one.1, other.1))
    };
    let by_team = |n: u64| equal("team", team(n * 7));
    let by_agent = |n: u64| equal("assignee", agent(n * 37));
    let by_state = |state: &str| equal("state", state.to_owned());
    let by_priority = |priority: &str| equal("priority", priority.to_owned());
    let below = |parent: &str| {
        let condition = format!("(category = '{parent}' or (category >= '{parent}.' and category < '{parent}/'))");
        (format!("category={parent}"), condition)
    };
    let parent = |n: u64| below(["hardware", "software", "network"][(n % 3) as usize]);
    vec![
        list("queue", |_| (String::new(), "1 = 1".to_owned())),
        list("team", by_team),
        list("assignee", by_agent),
        list("requester", |n| equal("requester", requester(n * 1_999))),
        list("state=waiting_vendor", |_| by_state("waiting_vendor")),
        list("state=closed", |_| by_state("closed")),
        list("priority=low", |_| by_priority("low")),
        list("category, with those below", parent),
        list("category=network.vpn", |_| below("network.vpn")),
        list("team, state=open", |n| both(by_team(n), by_state("open"))),
        list("team, state=merged", |n| both(by_team(n), by_state("merged"))),
        list("team, priority=low", |n| both(by_team(n), by_priority("low"))),
        list("team, category", |n| both(by_team(n), parent(n))),
        list("team, category: never together", |_| both(equal("team", team(1)), below("software.licence"))),
        list("assignee, state=waiting_vendor", |n| both(by_agent(n), by_state("waiting_vendor"))),
        list("assignee, category", |n| both(by_agent(n), parent(n))),
        list("category, state=waiting_vendor", |n| both(parent(n), by_state("waiting_vendor"))),
        list("category, state=merged", |n| both(parent(n), by_state("merged"))),
        list("category, priority=critical", |n| both(parent(n), by_priority("critical"))),
        list("state=merged, priority=low", |_| both(by_state("merged"), by_priority("low"))),
    ]
}

async fn lists(desk: &Desk, db: &Db, size: u64, lines: &mut Vec<Line>) {
    let mut client = desk.client("demo-kofi").await;
    for (name, lists) in all_lists() {
        for part in Part::ALL {
            let mut paths = Vec::new();
            for list in &lists {
                // One is as good as ten where they are the same.
                if paths.is_empty() || list.query != lists[0].query {
                    paths.push(page(db, list, part).await);
                }
            }
            lines.push(ask(&mut client, &format!("{name}: {}", part.name()), &paths).await);
        }
    }
    let middle = format!("1n{:x}", size / 2);
    let day_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    for (name, query) in [
        ("export by number", "sort=number&limit=200".to_owned()),
        ("export by number, middle", format!("sort=number&limit=200&after={middle}")),
        ("export by number, a team", format!("sort=number&limit=200&after={middle}&team={}", team(3))),
        ("export by change", "sort=updated&limit=200".to_owned()),
        ("export by change, of a day", format!("sort=updated&limit=200&updated_since={day_ago}")),
        ("export by change, a category", "sort=updated&limit=200&category=network".to_owned()),
    ] {
        lines.push(ask(&mut client, name, &[format!("/api/v1/tickets?{query}")]).await);
    }
    let mut took = Vec::new();
    for n in 0..OWN {
        let mut client = desk.client(&desk.token(&requester(n * 1_117), "requester")).await;
        took.extend(times(&mut client, &["/api/v1/tickets".to_owned()], requests() / OWN as usize + 1).await);
    }
    lines.push(percentiles("own list: first", took, 0.95));
}

async fn others(desk: &Desk, size: u64, lines: &mut Vec<Line>) {
    let mut client = desk.client("demo-kofi").await;
    let mut random = Random(11);
    let keys: Vec<u64> = (0..requests()).map(|_| 1 + random.below(size)).collect();
    for (name, tail) in [
        ("ticket", ""),
        ("timeline", "/timeline"),
        ("decisions", "/decisions"),
        ("explain", "/explain"),
        ("messages", "/messages"),
    ] {
        let paths: Vec<String> = keys.iter().map(|key| format!("/api/v1/tickets/IT-{key}{tail}")).collect();
        lines.push(ask(&mut client, name, &paths).await);
    }
    let stats = |window| vec![format!("/api/v1/rules/team-routing/stats?window={window}")];
    lines.push(ask(&mut client, "statistics of a rule, a day", &stats("day")).await);
    lines.push(ask(&mut client, "statistics of a rule, a week", &stats("week")).await);
    let grants: Vec<String> = (0..50).map(|n| format!("/api/v1/people/{}/grants", requester(n * 401))).collect();
    lines.push(ask(&mut client, "grants", &grants).await);
    let mut lena = desk.client("demo-lena").await;
    lines.push(ask(&mut lena, "access requests", &["/api/v1/access-requests".to_owned()]).await);
}

/// Asks for each of these in turn; the median and the 95th percentile.
pub async fn ask(client: &mut Client, name: &str, paths: &[String]) -> Line {
    let line = percentiles(name, times(client, paths, requests()).await, 0.95);
    println!("  {:44}{:>20}", line.name, line.value);
    line
}

pub async fn times(client: &mut Client, paths: &[String], requests: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(requests);
    for path in paths.iter().cycle().take(requests) {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        took.push(answer.took);
    }
    took
}

/// Creates with many clients at once.
async fn create(desk: &Desk, lines: &mut Vec<Line>) {
    let begun = Instant::now();
    let took = creations(desk, requests(), 0).await;
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    lines.push(Line { name: format!("created a second, {CLIENTS} clients"), value: format!("{rate:.0}") });
    lines.push(percentiles("creating: median and 99th percentile", took, 0.99));
}

/// Creations by many clients at once, so many by each: how long each took. `turn` makes them others than those of another turn.
pub async fn creations(desk: &Desk, each: usize, turn: u64) -> Vec<Duration> {
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..CLIENTS {
        let mut client = desk.client("demo-kofi").await;
        clients.spawn(async move {
            let mut random = Random(turn * CLIENTS + n + 1);
            let mut took = Vec::with_capacity(each);
            for kind in 0..each as u64 {
                let who = requester(random.next());
                let answer = client.post("/api/v1/tickets", &submission(&mut random, kind, &who)).await;
                assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
                took.push(answer.took);
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
