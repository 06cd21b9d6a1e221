//! Numbers about tickets, counted by the database: how many there were when, how old those are that are left, which promises were
//! kept, and how resolutions ended.

use jiff::Timestamp;

use crate::desk::organisation::schedule::By;
use crate::desk::ticket::history::REASON;
use crate::desk::ticket::timeline::Field;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

pub mod days;
pub mod events;
mod work;

pub use work::Decided;

impl By {
    /// The tickets as `t`, each as often as it is in a group.
    fn tickets(by: Option<By>) -> &'static str {
        match by {
            Some(By::Tag) => {
                "(select tagged.tag, tickets.* from tagged join tickets on tickets.number = tagged.number) t"
            }
            _ => "tickets t",
        }
    }

    fn group(by: Option<By>) -> String {
        by.map_or_else(|| "''".to_owned(), |by| format!("coalesce(t.{}, '')", by.column()))
    }

    /// Where resolutions are counted, which are of those who made them.
    fn group_of_resolution(by: Option<By>) -> String {
        if by == Some(By::Assignee) { "coalesce(r.resolved_by, '')".to_owned() } else { By::group(by) }
    }
}

/// A moment of a ticket's life that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Created,
    Resolved,
    Closed,
    /// The end of the work on one that is finished.
    Ended,
}

/// When the work on a ticket ended; null while it is unfinished. Of what was taken over from elsewhere the end may not be known: its
/// timeline has it end as it begins, and so do reports, also after a later change. Nothing ends before it begins.
const ENDED: &str = "(case when t.unfinished = 1 then null \
                     when coalesce(t.resolved_at, t.closed_at, 0) > t.created_at then coalesce(t.resolved_at, t.closed_at) \
                     else t.created_at end)";

impl Moment {
    const fn column(self) -> &'static str {
        match self {
            Moment::Created => "t.created_at",
            Moment::Resolved => "t.resolved_at",
            Moment::Closed => "t.closed_at",
            Moment::Ended => ENDED,
        }
    }
}

/// A period, from its first instant up to, not including, its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Period {
    fn args(self) -> Vec<Arg> {
        vec![ms(self.from).into(), ms(self.to).into()]
    }
}

/// A group of tickets with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub group: String,
    /// Another word that tells rows of one group apart, or empty.
    pub of: String,
    pub counts: Vec<i64>,
}

fn counted(row: &Row, counts: usize) -> Result<Counted, Error> {
    let counts = (2..2 + counts).map(|place| row.int(place)).collect::<Result<_, _>>()?;
    Ok(Counted { group: row.text(0)?, of: row.text(1)?, counts })
}

impl Store {
    /// How many tickets were unfinished at an instant, by group.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unfinished_at(&self, at: Timestamp, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let sql = format!(
            "select {} as name, '', count(*) from {tickets} \
             where t.created_at < $1 and (t.unfinished = 1 or {ENDED} >= $1) group by 1 order by 1",
            By::group(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, vec![ms(at).into()]).await?;
        rows.iter().map(|row| counted(row, 1)).collect()
    }

    /// How many tickets are unfinished, and how many of those are younger than each of these ages, in milliseconds.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn backlog(&self, now: Timestamp, ages: &[i64], by: Option<By>) -> Result<Vec<Counted>, Error> {
        let younger = |age: &i64| {
            format!(
                ", cast(sum(case when t.created_at > {} then 1 else 0 end) as bigint)",
                ms(now).saturating_sub(*age)
            )
        };
        let sql = format!(
            "select {} as name, '', count(*){} from {tickets} where t.unfinished = 1 group by 1 order by 1",
            By::group(by),
            ages.iter().map(younger).collect::<String>(),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, Vec::new()).await?;
        rows.iter().map(|row| counted(row, 1 + ages.len())).collect()
    }

    /// The promises of the tickets that were submitted in a period, by group and clock: how many are settled, how many of those
    /// were kept. A promise is settled when it was kept or broken, whether or not it still runs.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn attainment(&self, period: Period, now: Timestamp, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let broken =
            format!("(k.used > k.target or (k.met is null and k.due is not null and k.due < {now}))", now = ms(now));
        let sql = format!(
            "select {} as name, k.clock, \
             cast(sum(case when k.met is not null or {broken} then 1 else 0 end) as bigint), \
             cast(sum(case when k.met is not null and not {broken} then 1 else 0 end) as bigint) \
             from {tickets} join clocks k on k.ticket = t.number where t.created_at >= $1 and t.created_at < $2 \
             and k.clock not in ('confirmation', 'requester-answer') group by 1, 2 order by 1, 2",
            By::group(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 2)).collect()
    }

    /// How long promises took until they were met, in open time, of the tickets that were submitted in a period, by group and clock: how
    /// many were met, their time together in milliseconds, and how many took less than each of these times. An update that is owed next
    /// is met by the resolution, and says nothing of how long anything took; neither does what was taken over from another desk as if it
    /// was met at once, since that is not known, nor the end of what was cancelled there.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn times_taken(&self, period: Period, bounds: &[i64], by: Option<By>) -> Result<Vec<Counted>, Error> {
        let under = |bound: &i64| format!(", cast(sum(case when k.used < {bound} then 1 else 0 end) as bigint)");
        let sql = format!(
            "select {} as name, k.clock, count(*), cast(sum(k.used) as bigint){} \
             from {tickets} join clocks k on k.ticket = t.number where t.created_at >= $1 and t.created_at < $2 \
             and k.met is not null and k.clock not in ('confirmation', 'requester-answer', 'next-update') \
             and not (k.clock = 'resolution' and t.state in ('cancelled', 'merged')) \
             and not (k.met = t.created_at and exists (select 1 from timeline l where l.ticket = t.number \
             and l.kind = 'set' and l.details like $3)) group by 1, 2 order by 1, 2",
            By::group(by),
            bounds.iter().map(under).collect::<String>(),
            tickets = By::tickets(by)
        );
        let taken_over = format!("[\"{}\",null,%,\"{REASON}\"]", Field::Category.code());
        let mut args = period.args();
        args.push(taken_over.into());
        let rows = self.db.all_of_history(&sql, args).await?;
        rows.iter().map(|row| counted(row, 2 + bounds.len())).collect()
    }

    /// The resolutions of a period by group and by how they ended; the empty word is for those that stand open. By person they
    /// are those of the people who resolved, and not of those who have the tickets by now; the desk's own have no person. What another
    /// desk resolved is in none of them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn resolution_ends(&self, period: Period, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let sql = format!(
            "select {} as name, coalesce(r.ended, ''), count(*) from resolutions r join {tickets} on t.number = r.ticket \
             where r.resolved_at >= $1 and r.resolved_at < $2 and r.elsewhere = 0 group by 1, 2 order by 1, 2",
            By::group_of_resolution(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 1)).collect()
    }

    /// How often articles spared a ticket in a period.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn deflections(&self, period: Period) -> Result<Vec<Counted>, Error> {
        let sql = "select a.title, '', count(*) from deflections d join articles a on a.number = d.article \
                   where d.at >= $1 and d.at < $2 group by a.number, a.title order by 3 desc, 1 limit 1000";
        let rows = self.db.all_of_history(sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 1)).collect()
    }
}
