//! Some thousand tickets, put into both databases past the domain, and which of them a list has to have.

use jiff::Timestamp;
use ruledesk::desk::id::PersonId;
use ruledesk::desk::ticket::State;
use ruledesk::store::db::{Arg, Db};
use ruledesk::store::sql::search::KEEP_TICKETS;
use ruledesk::store::tickets::list::{Filter, NO_ONE, QueuePlace};
use ruledesk::store::{Store, Target};
use uuid::Uuid;

use crate::store::fixture::{NOW, on_postgres, on_sqlite, person};

/// How many.
pub const TICKETS: i64 = 6_000;
/// The tickets of team `big` have no category of this name, and there are many of both.
pub const APART: (&str, &str) = ("big", "facilities.desk");
/// A tag that one ticket has, that ticket's team, and its number.
pub const RARE: (&str, &str, i64) = ("rare", "big", 5_403);
/// A tag that each ticket has: so many that they are no longer gathered.
pub const COMMON: &str = "most";

/// A ticket as far as lists look at it.
#[derive(Debug, Clone)]
pub struct Row {
    pub number: i64,
    pub team: String,
    pub assignee: Option<String>,
    pub requester: String,
    pub submitted_by: String,
    pub category: &'static str,
    pub priority: &'static str,
    pub rank: i64,
    pub state: State,
    pub due: i64,
    pub updated: i64,
}

const CATEGORIES: [&str; 10] = [
    "network",
    "network.vpn",
    "network.vpn.client",
    "network-old",
    "networks",
    "hardware",
    "hardware.printer",
    "software.error",
    "other",
    "facilities.desk",
];

/// Unfinished one in ten; what is finished is closed but for a few.
fn state(n: i64) -> State {
    let code = match n % 60 {
        0 | 1 => "open",
        2 => "in_progress",
        3 => "waiting_requester",
        4 => "waiting_vendor",
        5 if n % 120 == 5 => "reopened",
        5 => "waiting_approval",
        6..=8 => "resolved",
        9 => "cancelled",
        10 if n % 240 == 10 => "merged",
        _ => "closed",
    };
    State::from_code(code).unwrap()
}

fn row(n: i64) -> Row {
    let apart = n % 3 == 0;
    let category = if n % 3 == 1 { "facilities.desk" } else { CATEGORIES[usize::try_from(n * 7 % 9).unwrap()] };
    let (priority, rank) =
        [("critical", 0), ("high", 1), ("medium", 2), ("low", 3)][usize::try_from(n * n % 4).unwrap()];
    // The order of the priorities was changed once.
    let rank = if n < 500 && priority == "low" { 1 } else { rank };
    let requester = format!("person-{}", n * 13 % 300);
    let state = state(n);
    Row {
        number: n,
        team: if apart { "big".to_owned() } else { format!("team-{}", n % 11) },
        assignee: (n % 17 != 0).then(|| format!("agent-{}", n * 5 % 40)),
        submitted_by: if n % 4 == 0 { format!("person-{}", n % 7) } else { requester.clone() },
        requester,
        category,
        priority,
        rank,
        state,
        // Some come due in the same moment.
        due: if state.is_unfinished() && n % 5 != 0 { NOW + n * 37 % 1_000 * 60_000 } else { i64::MAX },
        updated: NOW + n * 31 % 2_000 * 1_000,
    }
}

pub fn rows() -> Vec<Row> {
    (1..=TICKETS).map(row).collect()
}

impl Row {
    pub fn place(&self) -> QueuePlace {
        let finished = !self.state.is_unfinished();
        QueuePlace { finished, rank: self.rank, due: self.due, number: self.number }
    }

    /// Whether a list with this filter has the ticket.
    pub fn fits(&self, filter: &Filter) -> bool {
        let below = |category: &String| self.category == category || self.category.starts_with(&format!("{category}."));
        let own = |id: &PersonId| self.requester == id.as_str() || self.submitted_by == id.as_str();
        (filter.states.is_empty() || filter.states.contains(&self.state))
            && filter.team.as_ref().is_none_or(|team| self.team == *team)
            && filter.assignee.as_ref().is_none_or(|assignee| self.assignee.as_deref().unwrap_or(NO_ONE) == assignee)
            && filter.requester.as_ref().is_none_or(|requester| self.requester == *requester)
            && (filter.requesters.is_empty() || filter.requesters.contains(&self.requester))
            && filter.priority.as_ref().is_none_or(|priority| self.priority == priority)
            && filter.category.as_ref().is_none_or(below)
            && filter.request_type.as_ref().is_none_or(|name| name == self.request_type())
            && filter.tag.as_ref().is_none_or(|tag| self.tags().contains(&tag.as_str()))
            && filter.only.as_ref().is_none_or(own)
    }

    fn request_type(&self) -> &'static str {
        if self.number % 13 == 0 { "wish" } else { "fault" }
    }

    /// Of which one begins as another does.
    fn tags(&self) -> &'static [&'static str] {
        match self.number % 7 {
            _ if self.number == RARE.2 => &["rare", COMMON],
            0 => &["vip", COMMON],
            1 => &["vip-2", "outage", COMMON],
            _ => &[COMMON],
        }
    }

    /// Its rows in the table of tags.
    fn tagged(&self) -> Vec<Vec<Arg>> {
        let unfinished = i64::from(self.state.is_unfinished());
        let row = |tag: &&str| {
            vec![Arg::from(*tag), self.number.into(), unfinished.into(), self.rank.into(), self.due.into()]
        };
        self.tags().iter().map(row).collect()
    }

    fn columns(&self) -> Vec<(&'static str, Arg)> {
        let text = |text: &str| Arg::from(text);
        vec![
            ("number", self.number.into()),
            ("id", Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + self.number as u128).into()),
            ("version", 1.into()),
            ("request_type", text(self.request_type())),
            ("kind", text("incident")),
            ("channel", text("api")),
            ("requester", text(&self.requester)),
            ("submitted_by", text(&self.submitted_by)),
            ("subject", format!("ticket {}", self.number).into()),
            ("tags", serde_json::json!(self.tags()).to_string().into()),
            ("category", text(self.category)),
            ("priority", text(self.priority)),
            ("rank", self.rank.into()),
            ("team", text(&self.team)),
            ("assignee", self.assignee.clone().into()),
            ("tier", 1.into()),
            ("state", text(self.state.code())),
            ("unfinished", i64::from(self.state.is_unfinished()).into()),
            ("created_at", NOW.into()),
            ("updated_at", self.updated.into()),
            ("queue_due", self.due.into()),
        ]
    }
}

fn people(of: std::ops::Range<u32>) -> Vec<String> {
    of.map(|n| format!("person-{n}")).collect()
}

/// Filters by one thing each.
pub fn singles() -> Vec<Filter> {
    let any = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    let state = |code| State::from_code(code).unwrap();
    vec![
        Filter { team: text("team-4"), ..any() },
        Filter { team: text("big"), ..any() },
        Filter { assignee: text("agent-15"), ..any() },
        Filter { assignee: text(NO_ONE), ..any() },
        Filter { requester: text("person-26"), ..any() },
        // The people of a small department, each walked by themselves, and of one that is too large for that.
        Filter { requesters: people(0..5), ..any() },
        Filter { requesters: people(100..200), ..any() },
        // Submits much for others.
        Filter { only: Some(person("person-4")), ..any() },
        Filter { states: vec![state("waiting_vendor")], ..any() },
        Filter { states: vec![state("closed")], ..any() },
        Filter { states: vec![state("open"), state("in_progress"), state("merged")], ..any() },
        Filter { priority: text("low"), ..any() },
        Filter { request_type: text("wish"), ..any() },
        Filter { tag: text("vip"), ..any() },
        Filter { tag: text(RARE.0), ..any() },
        Filter { tag: text(COMMON), ..any() },
        Filter { category: text("network.vpn.client"), ..any() },
        Filter { category: text("network"), ..any() },
        Filter { category: text("facilities"), ..any() },
    ]
}

/// No filter, each by itself, and each with each other that does not say the same thing otherwise.
pub fn filters() -> Vec<Filter> {
    let singles = singles();
    let mut filters = vec![Filter::default()];
    for (n, one) in singles.iter().enumerate() {
        filters.push(one.clone());
        filters.extend(singles.iter().skip(n + 1).filter_map(|other| both(one, other)));
    }
    filters
}

fn both(one: &Filter, other: &Filter) -> Option<Filter> {
    fn either<T: Clone>(one: &Option<T>, other: &Option<T>) -> Option<Option<T>> {
        (one.is_none() || other.is_none()).then(|| one.clone().or_else(|| other.clone()))
    }
    if !one.states.is_empty() && !other.states.is_empty() {
        return None;
    }
    Some(Filter {
        states: one.states.iter().chain(&other.states).copied().collect(),
        team: either(&one.team, &other.team)?,
        assignee: either(&one.assignee, &other.assignee)?,
        requester: either(&one.requester, &other.requester)?,
        requesters: one.requesters.iter().chain(&other.requesters).cloned().collect(),
        priority: either(&one.priority, &other.priority)?,
        category: either(&one.category, &other.category)?,
        request_type: either(&one.request_type, &other.request_type)?,
        tag: either(&one.tag, &other.tag)?,
        only: either(&one.only, &other.only)?,
    })
}

/// Plays a scenario on a SQLite and on a PostgreSQL that hold the tickets.
pub async fn on_both_with_many(scenario: impl AsyncFn(&Store, bool)) {
    let (sqlite, dir) = on_sqlite().await;
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    fill(&db).await;
    scenario(&sqlite, true).await;
    sqlite.close().await;
    let (postgres, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("not on PostgreSQL") };
    let db = Db::open_postgres(&url).await.unwrap();
    fill(&db).await;
    // What the server does by itself after a while; SQLite's file is never analysed.
    let mut tx = db.begin().await.unwrap();
    tx.execute("analyze tickets", Vec::new()).await.unwrap();
    tx.execute("analyze tagged", Vec::new()).await.unwrap();
    tx.execute("analyze tickets_text", Vec::new()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    db.close().await;
    scenario(&postgres, false).await;
    postgres.close().await;
}

/// The words of the tickets: the public ones, and for one ticket in four the same ones among the private.
fn words() -> Vec<Vec<Arg>> {
    let mut words = Vec::new();
    for number in 1..=TICKETS {
        let of_few = if number % 1_000 == 0 { "zeppelin" } else { "" };
        let text = format!("printer{} toner {of_few} t{number}", if number % 2 == 0 { "s" } else { "" });
        words.push(vec![Arg::from(number * 2), text.as_str().into()]);
        if number % 4 == 0 {
            words.push(vec![Arg::from(number * 2 + 1), text.as_str().into()]);
        }
    }
    words
}

async fn fill(db: &Db) {
    let rows = rows();
    let names: Vec<&str> = rows[0].columns().into_iter().map(|(name, _)| name).collect();
    let head = format!("insert into tickets ({})", names.join(", "));
    let values = rows.iter().map(|row| row.columns().into_iter().map(|(_, value)| value).collect()).collect();
    let mut tx = db.begin().await.unwrap();
    tx.insert(&head, names.len(), "", values).await.unwrap();
    let tagged = rows.iter().flat_map(Row::tagged).collect();
    tx.insert("insert into tagged (tag, number, unfinished, rank, queue_due)", 5, "", tagged).await.unwrap();
    let (head, tail) = KEEP_TICKETS;
    tx.insert(head.text(db), 2, tail.text(db), words()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
}

/// An instant of an update.
pub fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}
