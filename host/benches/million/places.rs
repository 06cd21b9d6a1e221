//! Places in lists, taken from the database: cursors as the desk writes them, so that a page in the middle of a million can
//! be asked for without turning all before it.

use ruledesk::store::db::{Arg, Db};

/// A list: what narrows it as a query, and as a condition in SQL.
#[derive(Debug, Clone)]
pub struct List {
    pub query: String,
    pub condition: String,
}

/// Where in a list a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    First,
    Middle,
    Last,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::First, Part::Middle, Part::Last];

    pub fn name(self) -> &'static str {
        match self {
            Part::First => "first",
            Part::Middle => "middle",
            Part::Last => "last",
        }
    }
}

/// The address of a page of the queue's order.
pub async fn page(db: &Db, list: &List, part: Part) -> String {
    let base = format!("/api/v1/tickets?{}", list.query);
    let order = match part {
        Part::First => return base,
        Part::Middle => "order by unfinished desc, rank, queue_due, number limit 1 offset $1",
        Part::Last => "order by unfinished, rank desc, queue_due desc, number desc limit 1 offset $1",
    };
    let condition = &list.condition;
    let count = db.all(&format!("select count(*) from tickets where {condition}"), Vec::new()).await.unwrap();
    let count = count[0].int(0).unwrap();
    let offset = if part == Part::Middle { count / 2 } else { 20.min(count - 1) };
    let sql = format!("select unfinished, rank, queue_due, number from tickets where {condition} {order}");
    let rows = db.all(&sql, vec![Arg::from(offset.max(0))]).await.unwrap();
    let Some(row) = rows.first() else { return base };
    let [unfinished, rank, due, number] = [0, 1, 2, 3].map(|column| row.int(column).unwrap());
    format!("{base}&after=1q{}-{rank:x}-{due:x}-{number:x}", 1 - unfinished)
}
