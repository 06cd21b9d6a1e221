//! Fills a database: tickets that the real program made once, written again and again by the store's own batch writes with
//! other people, texts, places and histories. The records are of the real shape, because real rules made them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ruledesk::app::record::convert;
use ruledesk::app::record::part::Part;
use ruledesk::app::record::write::beginning;
use ruledesk::desk::actor::Author;
use ruledesk::desk::change::message::{About, Message, MessageKind};
use ruledesk::desk::change::{Change, TicketWrite};
use ruledesk::desk::id::{CommentId, MessageId, RunId, TicketId, TicketNumber};
use ruledesk::desk::organisation::Strategy;
use ruledesk::desk::ticket::assignment::Assignment;
use ruledesk::desk::ticket::timeline::{Entry, Event, Field, Visibility};
use ruledesk::desk::ticket::{State, Submitted, Ticket};
use ruledesk::store::db::{Db, Limits};
use ruledesk::store::rules::decisions::StoredRun;
use ruledesk::store::rules::packing::Dictionary;
use ruledesk::store::rules::rollups::Call;
use ruledesk::store::{Commit, DecisionRecord, RunRecord, Store, Target};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::desk::{AGENTS, Desk, agent, requester, team};
use super::{Database, place, postgres};

/// Tickets that are under way at once: the store writes what has gathered in one batch.
const AT_ONCE: usize = 512;
/// Over so long they have come.
const SPAN: Duration = Duration::from_secs(2 * 365 * 86_400);
/// Unfinished ones, of a hundred.
const UNFINISHED: u64 = 5;

const CATEGORIES: [&str; 12] = [
    "hardware.laptop",
    "hardware.monitor",
    "hardware.printer",
    "hardware.phone",
    "software.install",
    "software.licence",
    "software.error",
    "network.vpn",
    "network.wifi",
    "access.grant",
    "hardware",
    "software",
];

/// A ticket as the real program made it, with its decision record.
#[derive(Debug, Clone)]
pub struct Template {
    ticket: Ticket,
    run: StoredRun,
    /// The calls of rules, as the statistics count them.
    calls: Vec<Call>,
    dictionary: Arc<Dictionary>,
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Small numbers often, large ones seldom.
    fn skewed(&mut self, end: u64) -> u64 {
        let (one, other) = (self.below(end), self.below(end));
        one.min(other)
    }
}

/// Sentences of which bodies and comments are made.
pub const SENTENCES: [&str; 8] = [
    "The printer on the third floor is out of toner and the people there wait for it.",
    "Since this morning nobody in the office can reach the VPN.",
    "The laptop gets hot and switches itself off after ten minutes.",
    "I have tried another cable and another port, and it is the same with both.",
    "Please call me before you come, I am in meetings until four.",
    "It worked until the update of last week.",
    "The error says that the licence has run out.",
    "We need it by Friday, because the customer comes on Monday.",
];

fn text(random: &mut Random, sentences: u64) -> String {
    let picked: Vec<&str> = (0..sentences).map(|_| SENTENCES[random.below(8) as usize]).collect();
    picked.join(" ")
}

/// One of a kind of submission, from the first requester.
pub fn submission(random: &mut Random, kind: u64, requester: &str) -> String {
    let body = text(random, 3 + kind % 6);
    let (form, fields) = match kind % 4 {
        0 => ("incident", r#"{"service":"vpn","people-affected":40,"urgency":"high"}"#),
        1 => ("hardware", r#"{"device":"printer","urgency":"low","justification":"The old one is broken"}"#),
        2 => ("software", r#"{"software":"Miro","justification":"For the workshop","urgency":"medium"}"#),
        _ => ("question", r#"{"topic":"howto"}"#),
    };
    let number = random.below(1_000_000);
    format!(
        r#"{{"request_type":"{form}","subject":"Something is wrong, report {number:06}","body":"{body}","fields":{fields},"requester":"{requester}"}}"#
    )
}

/// Templates, made by the real program with the real rules on a database of their own.
pub async fn templates(config: &Path) -> Vec<Template> {
    const TEMPLATES: u64 = 64;
    let folder = place().join("templates");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let target = Target::Sqlite(folder.join("ruledesk.db"));
    let desk = Desk::start(config, &target);
    let mut client = desk.client("demo-kofi").await;
    let mut random = Random(7);
    for kind in 0..TEMPLATES {
        let answer = client.post("/api/v1/tickets", &submission(&mut random, kind, &requester(0))).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    }
    drop(client);
    desk.stop();
    let store = Store::open_within(&target, patient()).await.unwrap();
    let mut templates = Vec::new();
    for number in 1..=TEMPLATES {
        let number = TicketNumber(number as i64);
        let ticket = store.ticket(number).await.unwrap().unwrap();
        let run = store.runs(ticket.id).await.unwrap().remove(0);
        let dictionary = store.dictionary(beginnings(&run).as_bytes());
        templates.push(Template { ticket, calls: convert::calls(&run), run, dictionary });
    }
    store.close().await;
    templates
}

/// A database of so many tickets: a kept one as it is, or else a smaller one, if there is one, filled up.
pub async fn filled(database: Database, size: u64, smaller: Option<&Target>, templates: &[Template]) -> Target {
    let target = match database {
        Database::Sqlite => {
            let file = place().join(format!("sqlite-{size}.db"));
            if let Some(Target::Sqlite(smaller)) = smaller.filter(|_| !file.exists()) {
                std::fs::copy(smaller, &file).unwrap();
            }
            Target::Sqlite(file)
        }
        Database::Postgres => Target::Postgres(postgres_database(size, smaller).await),
    };
    let store = Store::open_within(&target, patient()).await.unwrap();
    let db = open(&target).await;
    let have = highest(&db).await;
    if have < size {
        println!("{}: filling up from {have} to {size} tickets", database.name());
        let begun = Instant::now();
        write(&store, have, size, templates).await;
        finish(&db, database, have).await;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{}: {:.0} tickets/s written past the rules", database.name(), (size - have) as f64 / seconds);
    }
    db.close().await;
    store.close().await;
    target
}

pub async fn open(target: &Target) -> Db {
    match target {
        Target::Sqlite(file) => Db::open_sqlite_within(file, patient()).await.unwrap(),
        Target::Postgres(url) => Db::open_postgres_within(url, patient()).await.unwrap(),
    }
}

/// Far longer than a desk waits: filling up does more at once.
fn patient() -> Limits {
    let long = Duration::from_secs(600);
    Limits { idle_writing: long, ..Limits::within(long, 12) }
}

/// The highest number of a ticket, which is about how many there are.
async fn highest(db: &Db) -> u64 {
    let rows = db.all("select coalesce(max(number), 0) from tickets", Vec::new()).await.unwrap();
    rows[0].int(0).unwrap() as u64
}

async fn postgres_database(size: u64, smaller: Option<&Target>) -> String {
    let Ok(server) = std::env::var("MILLION_POSTGRES") else {
        // Throw-away: each size fills up the one before.
        if let Some(Target::Postgres(url)) = smaller {
            return url.clone();
        }
        let url = postgres::fresh_database();
        // As a customer's server writes, not as a test's.
        for setting in ["fsync", "synchronous_commit", "full_page_writes", "autovacuum"] {
            statement(&url, &format!("alter system set {setting} = on")).await;
        }
        statement(&url, "select pg_reload_conf()").await;
        return url;
    };
    let (base, options) = server.split_once('?').map_or((server.as_str(), ""), |(base, options)| (base, options));
    let (host, _) = base.rsplit_once('/').expect("a URL with a database's name");
    let name = format!("million_{size}");
    let url = format!("{host}/{name}{}{options}", if options.is_empty() { "" } else { "?" });
    let template = match smaller {
        Some(Target::Postgres(url)) => url.rsplit_once("/million_").map(|(_, size)| {
            let size = size.split('?').next().unwrap_or_default();
            format!(" template million_{size}")
        }),
        _ => None,
    };
    // It is there already where it is kept.
    try_statement(&server, &format!("create database {name}{}", template.unwrap_or_default())).await;
    url
}

async fn statement(url: &str, sql: &str) {
    assert!(try_statement(url, sql).await, "{sql}");
}

async fn try_statement(url: &str, sql: &str) -> bool {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await.is_ok();
    connection.close().await.unwrap();
    done
}

/// Writes the tickets after `from` up to `to`, as many at once as the store takes in a batch.
async fn write(store: &Store, from: u64, to: u64, templates: &[Template]) {
    let now = Timestamp::now();
    let mut writing = JoinSet::new();
    for n in from..to {
        if writing.len() >= AT_ONCE {
            writing.join_next().await.unwrap().unwrap();
        }
        // The oldest first, also where there are some already.
        let age = SPAN.mul_f64((to - n) as f64 / (to - from) as f64);
        let at = now - jiff::SignedDuration::try_from(age).unwrap();
        let commit = create(n, at, &templates[(n % templates.len() as u64) as usize]);
        let store = store.clone();
        writing.spawn(async move { drop(store.commit(commit).await.unwrap()) });
        if n > from && (n - from).is_multiple_of(50_000) {
            println!("  {n}");
        }
    }
    while let Some(written) = writing.join_next().await {
        written.unwrap();
    }
}

fn id(random: &mut Random, at: Timestamp) -> Uuid {
    let random = random.next();
    let ms = at.as_millisecond() as u64;
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid()
}

/// Where a ticket stands.
fn state(random: &mut Random) -> State {
    const UNFINISHED_CODES: [&str; 8] =
        ["open", "open", "open", "in_progress", "in_progress", "waiting_requester", "waiting_vendor", "reopened"];
    let code = if random.below(100) < UNFINISHED {
        UNFINISHED_CODES[random.below(8) as usize]
    } else {
        match random.below(100) {
            0..=1 => "resolved",
            2..=3 => "cancelled",
            4 => "merged",
            _ => "closed",
        }
    };
    State::from_code(code).unwrap()
}

/// The `n`-th ticket with all that belongs to it.
fn create(n: u64, at: Timestamp, template: &Template) -> Commit {
    let mut random = Random(n.wrapping_mul(0x1234_5678_9abc_def1));
    let mut ticket = template.ticket.clone();
    let who = requester(random.next());
    ticket.id = TicketId(id(&mut random, at));
    // One in ten is taken down by an agent.
    let submitted_by = if random.below(10) == 0 { agent(random.next()) } else { who.clone() };
    let number = format!("report {:06}", random.below(1_000_000));
    ticket.submitted = Arc::new(Submitted {
        requester: who.parse().unwrap(),
        submitted_by: submitted_by.parse().unwrap(),
        subject: format!("Something is wrong, {number}"),
        body: text(&mut random, 2 + n % 5),
        at,
        ..Submitted::clone(&ticket.submitted)
    });
    let category = random.skewed(CATEGORIES.len() as u64);
    ticket.category = CATEGORIES[category as usize].parse().unwrap();
    // A category is some teams' work.
    ticket.team = team(category * 5 + random.skewed(15)).parse().unwrap();
    let rank = [1, 2, 2, 2, 3, 3, 3, 3, 3, 0][random.below(10) as usize];
    ticket.rank = rank;
    ticket.priority = ["critical", "high", "medium", "low"][rank as usize].parse().unwrap();
    ticket.state = state(&mut random);
    ticket.updated_at = at + jiff::SignedDuration::from_secs(random.below(14 * 86_400) as i64);
    if !ticket.state.is_unfinished() {
        ticket.resolved_at = Some(ticket.updated_at);
        ticket.closed_at = Some(ticket.updated_at);
    }
    // Of what is finished or waits, no time runs.
    let runs = matches!(ticket.state.code(), "open" | "in_progress" | "reopened");
    ticket.clocks.resolution.due_at =
        runs.then(|| at + jiff::SignedDuration::from_secs(random.below(30 * 86_400) as i64));
    let entries = entries(&mut random, &ticket);
    let message = |kind, random: &mut Random| Message {
        id: MessageId(id(random, at)),
        ticket: ticket.id,
        kind,
        to: ticket.submitted.requester.clone(),
        at,
        about: About::default(),
    };
    let messages =
        vec![message(MessageKind::Acknowledgement, &mut random), message(MessageKind::StateChanged, &mut random)];
    let run = run(&mut random, template, &ticket, &who, &number);
    let run = run.pack(&template.dictionary, template.calls.clone()).unwrap();
    let assignment = Assignment {
        team: ticket.team.clone(),
        strategy: Strategy::RoundRobin,
        candidates: Vec::new(),
        capacities: std::collections::BTreeMap::new(),
        fixed: Some(agent(random.next()).parse().unwrap()),
        note: None,
    };
    let ticket = TicketWrite::Open(Box::new(ticket));
    let change = Change::of_parts(ticket, Some(assignment), entries, messages);
    Commit { change, run: Some(run), idempotency: None }
}

fn entries(random: &mut Random, ticket: &Ticket) -> Vec<Entry> {
    let at = ticket.submitted.at;
    let entry = |author, visibility, event| Entry { at, author, visibility, event };
    let person = || Author::Person(ticket.submitted.requester.clone());
    let set = |field, to: String, visibility| {
        let reason = "by what was selected in the form and the words of the text".to_owned();
        entry(Author::System, visibility, Event::Set { field, from: None, to, reason })
    };
    let mut entries = vec![
        entry(person(), Visibility::Public, Event::Submitted { channel: ticket.submitted.channel.clone() }),
        set(Field::Category, ticket.category.to_string(), Visibility::Public),
        set(Field::Priority, ticket.priority.to_string(), Visibility::Public),
        set(Field::Team, ticket.team.to_string(), Visibility::Internal),
        entry(Author::System, Visibility::Public, Event::Acknowledged { to: ticket.submitted.requester.to_string() }),
    ];
    for _ in 0..random.below(4) {
        let comment = CommentId(id(random, at));
        let body = text(random, 1 + random.0 % 3);
        let visibility = if random.below(3) == 0 { Visibility::Internal } else { Visibility::Public };
        entries.push(entry(person(), visibility, Event::Commented { comment, body }));
    }
    let way: &[&str] = if ticket.state.is_unfinished() { &[] } else { &["open", "in_progress", "resolved", "closed"] };
    for step in way.windows(2) {
        let state = |code: &str| State::from_code(code).unwrap();
        let event = Event::StateChanged { from: state(step[0]), to: state(step[1]), reason: "done".to_owned() };
        entries.push(entry(person(), Visibility::Public, event));
    }
    entries
}

/// The beginnings of the parts of a record, by which the real program extends its dictionary.
fn beginnings(run: &StoredRun) -> String {
    let parts = run.decisions().iter().flat_map(|decision| Part::all(&decision.rules).unwrap());
    parts.map(|part| beginning(&part.rule, &part.version, &part.component, &part.manifest)).collect()
}

/// The template's record with this ticket's id, requester and subject in it.
fn run(random: &mut Random, template: &Template, ticket: &Ticket, who: &str, number: &str) -> RunRecord {
    let (old, new) = (template.ticket.id.to_string(), ticket.id.to_string());
    let first = requester(0);
    let subject = template.ticket.submitted.subject.rsplit_once(", ").map_or("", |(_, number)| number);
    let own = |text: &str| text.replace(&old, &new).replace(&first, who).replace(subject, number);
    let stage = |stage: &str| match stage {
        "intake" => "intake",
        "categorization" => "categorization",
        "priority" => "priority",
        "routing" => "routing",
        _ => "access",
    };
    RunRecord {
        id: RunId(id(random, ticket.submitted.at)),
        ticket: ticket.id,
        at: ticket.submitted.at,
        generation: 1,
        revision: template.run.revision,
        cause: "created",
        engine: concat!("ruledesk ", env!("CARGO_PKG_VERSION"), ", filled"),
        common: own(&template.run.recorded.as_ref().unwrap().common),
        decisions: template
            .run
            .decisions()
            .iter()
            .map(|decision| DecisionRecord {
                stage: stage(&decision.stage),
                input: own(&decision.input),
                verdict: own(&decision.verdict),
                rules: own(&decision.rules),
            })
            .collect(),
    }
}

/// What the store decides itself for new tickets only: who has the finished ones. And what a server does after a while.
async fn finish(db: &Db, database: Database, from: u64) {
    let rows = db.all("select coalesce(max(number), 0) from tickets", Vec::new()).await.unwrap();
    let last = rows[0].int(0).unwrap();
    // In pieces: a desk's statements have a time limit.
    for begin in (from as i64..last).step_by(FINISHED_AT_ONCE) {
        let mut tx = db.begin().await.unwrap();
        // Three digits, as the ids of agents have.
        let sql = "update tickets set assignee = 'agent-' || substr(cast(1000 + (number * 7919) % $1 as text), 2) \
                   where assignee is null and number > $2 and number <= $3";
        let end = begin + FINISHED_AT_ONCE as i64;
        tx.execute(sql, vec![(AGENTS as i64).into(), begin.into(), end.into()]).await.unwrap();
        tx.commit().await.unwrap().done().await.unwrap();
    }
    if database == Database::Postgres {
        let mut tx = db.begin().await.unwrap();
        tx.execute("set local statement_timeout = 0", Vec::new()).await.unwrap();
        tx.execute("analyze", Vec::new()).await.unwrap();
        tx.commit().await.unwrap().done().await.unwrap();
    }
}

/// How many tickets one statement gives an assignee.
const FINISHED_AT_ONCE: usize = 20_000;
