//! How tickets were resolved, and which others they are linked with, as they are read.

use jiff::Timestamp;

use crate::desk::id::{TaskId, TicketNumber, TimeId};
use crate::desk::ticket::State;
use crate::desk::ticket::lifecycle::links::{Around, LinkKind};
use crate::desk::ticket::lifecycle::resolution::survey::SurveyAnswer;
use crate::desk::ticket::lifecycle::resolution::{ResolutionEnd, ResolutionRecord};
use crate::desk::ticket::lifecycle::tasks::Task;
use crate::desk::ticket::lifecycle::time::TimeSpent;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{Lenient, at, at_or_epoch, corrupt, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

pub mod outages;

/// The most links of a ticket that are shown.
pub const LINKS_MAX: usize = 500;
/// Linked tickets that are looked for at once.
const LINKED_AT_ONCE: usize = 100;
/// Bytes of text that a page of resolutions has, before the one with which it gets larger.
const PAGE_BYTES_MAX: i64 = 1 << 20;
/// The most steps that a chain of merged tickets is followed.
const MERGED_MAX: i64 = 50;

/// Whether links of the kind `$2` lead from the ticket `$1` to the ticket `$3`: a row where they do.
pub(in crate::store) const LEADS: &str = "with recursive reached(number) as (select other from links where ticket = $1 and kind = $2 \
     union select l.other from links l join reached r on l.ticket = r.number where l.kind = $2) \
     select 1 from reached where number = $3 limit 1";

/// One resolution of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResolution {
    /// Counts up from 1.
    pub round: i64,
    pub record: ResolutionRecord,
    /// `None` is the desk.
    pub resolved_by: Option<String>,
    pub resolved_at: Timestamp,
    /// `None` while it stands open.
    pub end: Option<(ResolutionEnd, Timestamp)>,
}

/// A link as one of its two tickets sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLink {
    pub kind: LinkKind,
    /// Whether the link belongs to the other ticket.
    pub reverse: bool,
    pub other: TicketNumber,
    pub subject: String,
    pub state: State,
    pub at: Timestamp,
    /// `None` is the desk.
    pub author: Option<String>,
    /// The columns of the other ticket that hold what nothing of ours wrote, and have stand-ins here.
    pub damaged: Vec<&'static str>,
}

const T: &str = "resolutions";

fn resolution(row: &Row) -> Result<StoredResolution, Error> {
    let end = row.opt_text(7)?.zip(row.opt_int(8)?);
    let end = end.map(|(code, ended_at)| {
        let end = ResolutionEnd::from_code(&code).ok_or_else(|| corrupt(T, "ended", code))?;
        Ok::<_, Error>((end, at(T, "ended_at", ended_at)?))
    });
    Ok(StoredResolution {
        round: row.int(0)?,
        record: ResolutionRecord {
            symptom: row.text(1)?,
            cause: row.text(2)?,
            fix: row.text(3)?,
            next_time: row.text(4)?,
        },
        resolved_by: row.opt_text(5)?,
        resolved_at: at(T, "resolved_at", row.int(6)?)?,
        end: end.transpose()?,
    })
}

fn link(row: &Row) -> Result<StoredLink, Error> {
    let (kind, mut read) = (row.text(0)?, Lenient::default());
    let state = row.text(4).and_then(|code| State::from_code(&code).ok_or_else(|| corrupt("tickets", "state", code)));
    Ok(StoredLink {
        kind: LinkKind::from_code(&kind).ok_or_else(|| corrupt("links", "kind", kind))?,
        reverse: row.int(1)? == 1,
        other: TicketNumber(row.int(2)?),
        subject: row.text(3)?,
        state: read.or("state", state, State::New),
        at: at_or_epoch(row.int(5)?),
        author: row.opt_text(6)?,
        damaged: read.damaged(),
    })
}

impl Store {
    /// The resolutions of a ticket after a round, in order, at most `limit` and about [`PAGE_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn resolutions_after(
        &self,
        ticket: TicketNumber,
        after: i64,
        limit: usize,
    ) -> Result<Page<StoredResolution, i64>, Error> {
        // Lengths are read before the texts: those may be long.
        let sql = format!(
            "select round, cast(octet_length(symptom) + octet_length(cause) + octet_length(fix) \
             + octet_length(next_time) as bigint) from resolutions where ticket = $1 and round > $2 \
             order by round limit {}",
            limit + 1
        );
        let rows = self.db.quick(&sql, vec![ticket.0.into(), after.into()]).await?;
        let (mut last, mut bytes, mut count) = (after, 0, 0);
        for row in rows.iter().take(limit) {
            // One is on the page, however long it is.
            if bytes >= PAGE_BYTES_MAX {
                break;
            }
            (last, bytes, count) = (row.int(0)?, bytes + row.int(1)?, count + 1);
        }
        let sql = "select round, symptom, cause, fix, next_time, resolved_by, resolved_at, ended, ended_at \
                   from resolutions where ticket = $1 and round > $2 and round <= $3 order by round";
        let found = self.db.quick(sql, vec![ticket.0.into(), after.into(), last.into()]).await?;
        Ok(Page { items: self.readable(T, &found, resolution), next: (count < rows.len()).then_some(last) })
    }

    /// The last resolution of a ticket, if it was ever resolved.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or the row is damaged.
    pub async fn last_resolution(&self, ticket: TicketNumber) -> Result<Option<StoredResolution>, Error> {
        let sql = "select round, symptom, cause, fix, next_time, resolved_by, resolved_at, ended, ended_at \
                   from resolutions where ticket = $1 order by round desc limit 1";
        self.db.optional(sql, vec![ticket.0.into()]).await?.as_ref().map(resolution).transpose()
    }

    /// How often a ticket was taken up again after a resolution.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn taken_up(&self, ticket: TicketNumber) -> Result<u32, Error> {
        let sql = "select count(*) from resolutions where ticket = $1 and ended in ($2, $3)";
        let ends = [ResolutionEnd::Disputed, ResolutionEnd::TakenUp].map(|end| Arg::from(end.code()));
        let args = [Arg::from(ticket.0)].into_iter().chain(ends).collect();
        let count = self.number(sql, args).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The last resolution of a ticket, and what its requester said about how it went; `None` where there was no resolution.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn survey(&self, ticket: TicketNumber) -> Result<Option<(i64, Option<SurveyAnswer>)>, Error> {
        let sql = "select r.round, s.score, s.comment, s.answered_at, s.changed_at from resolutions r \
                   left join surveys s on s.ticket = r.ticket and s.round = r.round \
                   where r.ticket = $1 order by r.round desc limit 1";
        let rows = self.db.quick(sql, vec![ticket.0.into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let round = row.int(0)?;
        let Some(score) = row.opt_int(1)? else { return Ok(Some((round, None))) };
        let instant = |place: usize| at("surveys", "an instant", row.int(place)?);
        let comment = row.text(2)?;
        Ok(Some((
            round,
            Some(SurveyAnswer { round, score, comment, answered_at: instant(3)?, changed_at: instant(4)? }),
        )))
    }

    /// The links of a ticket in both directions, at most [`LINKS_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn links(&self, ticket: TicketNumber) -> Result<Vec<StoredLink>, Error> {
        let sql = format!(
            "select l.kind, l.reverse, l.number, t.subject, t.state, l.at, l.author from ( \
             select kind, cast(0 as bigint) as reverse, other as number, at, author from links where ticket = $1 \
             union all select kind, cast(1 as bigint) as reverse, ticket as number, at, author from links where other = $1) l \
             join tickets t on t.number = l.number order by l.reverse, l.kind, l.number limit {LINKS_MAX}"
        );
        Ok(self.readable("links", &self.db.quick(&sql, vec![ticket.0.into()]).await?, link))
    }

    /// The tickets to which links of a kind lead from one, in the order in which they were made, at most [`LINKS_MAX`]: links of other
    /// kinds hide none of them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn linked_from(&self, ticket: TicketNumber, kind: LinkKind) -> Result<Vec<TicketNumber>, Error> {
        let sql =
            format!("select other from links where ticket = $1 and kind = $2 order by at, other limit {LINKS_MAX}");
        let rows = self.db.quick(&sql, vec![ticket.0.into(), kind.code().into()]).await?;
        rows.iter().map(|row| Ok(TicketNumber(row.int(0)?))).collect()
    }

    /// The children of a ticket for which it waits, or has waited, in the order in which it began to, at most [`LINKS_MAX`]: links that
    /// are made later hide none of those with which it opened.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn awaited_children(&self, ticket: TicketNumber) -> Result<Vec<TicketNumber>, Error> {
        let sql = format!(
            "select awaited.other from links awaited \
             join links child on child.ticket = awaited.other and child.kind = $3 and child.other = awaited.ticket \
             where awaited.ticket = $1 and awaited.kind = $2 order by awaited.at, awaited.other limit {LINKS_MAX}"
        );
        let args = vec![ticket.0.into(), LinkKind::BlockedBy.code().into(), LinkKind::Child.code().into()];
        let rows = self.db.quick(&sql, args).await?;
        rows.iter().map(|row| Ok(TicketNumber(row.int(0)?))).collect()
    }

    /// Whether a ticket has a link of a kind to another.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn has_link(&self, ticket: TicketNumber, (kind, other): (LinkKind, TicketNumber)) -> Result<bool, Error> {
        let sql = "select 1 from links where ticket = $1 and kind = $2 and other = $3";
        Ok(!self.db.quick(sql, vec![ticket.0.into(), kind.code().into(), other.0.into()]).await?.is_empty())
    }

    /// The tickets around one, as far as its resolution depends on them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn around(&self, ticket: TicketNumber) -> Result<Around, Error> {
        let sql = "select l.kind, l.other from links l join tickets t on t.number = l.other \
                   where l.ticket = $1 and l.kind = $2 and t.unfinished = 1 \
                   union all select kind, ticket from links where other = $1 and kind = $3 \
                   union all select kind, ticket from links where other = $1 and kind = $4 \
                   and exists (select 1 from outages where ticket = $1) order by 1, 2 limit 100";
        let (blocked, duplicate) = (LinkKind::BlockedBy.code(), LinkKind::Duplicate.code());
        let args = vec![ticket.0.into(), blocked.into(), duplicate.into(), LinkKind::Child.code().into()];
        let rows = self.db.quick(sql, args).await?;
        let open = self.tasks(ticket).await?.iter().filter(|task| task.done.is_none()).count();
        let mut around = Around { open_tasks: open, ..Around::default() };
        for row in &rows {
            match row.text(0)? == blocked {
                true => around.blockers.push(TicketNumber(row.int(1)?)),
                false => around.has_duplicates = true,
            }
        }
        Ok(around)
    }

    /// All minutes that were written down on a ticket.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn minutes_spent(&self, ticket: TicketNumber) -> Result<i64, Error> {
        let sql = "select cast(coalesce(sum(minutes), 0) as bigint) from time_spent where ticket = $1";
        self.number(sql, vec![ticket.0.into()]).await
    }

    /// The time that was written down on a ticket after an entry, the oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn time_spent_after(
        &self,
        ticket: TicketNumber,
        after: TimeId,
        limit: usize,
    ) -> Result<Page<TimeSpent, TimeId>, Error> {
        let sql = format!(
            "select id, person, minutes, note, at from time_spent where ticket = $1 and id > $2 order by id limit {}",
            limit + 1
        );
        let time = |row: &Row| {
            Ok(TimeSpent {
                id: TimeId(row.uuid(0)?),
                person: row.text(1)?,
                minutes: row.int(2)?,
                note: row.text(3)?,
                at: at("time_spent", "at", row.int(4)?)?,
            })
        };
        let rows = self.db.quick(&sql, vec![ticket.0.into(), after.0.into()]).await?;
        Ok(self.readable_page("time_spent", (&rows, limit), time, |row| Ok(TimeId(row.uuid(0)?))))
    }

    /// The tasks of a ticket, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn tasks(&self, ticket: TicketNumber) -> Result<Vec<Task>, Error> {
        let sql = "select id, text, at, author, done_by, done_at from tasks where ticket = $1 order by id";
        let task = |row: &Row| {
            let done = row.opt_text(4)?.zip(row.opt_int(5)?);
            Ok(Task {
                id: TaskId(row.uuid(0)?),
                text: row.text(1)?,
                at: at_or_epoch(row.int(2)?),
                author: row.text(3)?,
                done: done.map(|(by, ms)| (by, at_or_epoch(ms))),
            })
        };
        Ok(self.readable("tasks", &self.db.quick(sql, vec![ticket.0.into()]).await?, task))
    }

    /// The unfinished tickets from which a link of this kind that was made by some time leads to one, after one of them, some at a time.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unfinished_linked(
        &self,
        (kind, other): (LinkKind, TicketNumber),
        by: Timestamp,
        after: TicketNumber,
    ) -> Result<Vec<TicketNumber>, Error> {
        let sql = format!(
            "select l.ticket from links l join tickets t on t.number = l.ticket where l.other = $1 and l.kind = $2 \
             and l.at <= $3 and l.ticket > $4 and t.unfinished = 1 order by l.ticket limit {LINKED_AT_ONCE}"
        );
        let args = vec![other.0.into(), kind.code().into(), ms(by).into(), after.0.into()];
        let rows = self.db.quick(&sql, args).await?;
        rows.iter().map(|row| Ok(TicketNumber(row.int(0)?))).collect()
    }

    /// Whether links of this kind lead from a ticket to another, directly or by way of others.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn leads(&self, kind: LinkKind, from: TicketNumber, to: TicketNumber) -> Result<bool, Error> {
        let args = vec![from.0.into(), kind.code().into(), to.0.into()];
        Ok(self.db.optional(LEADS, args).await?.is_some())
    }

    /// The ticket in which a merged one has gone up at last, the ticket itself where it was not merged; and whether that is or was
    /// an outage.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn merged_into(&self, ticket: TicketNumber) -> Result<(TicketNumber, bool), Error> {
        let sql = "with recursive up(number, step) as (select cast($1 as bigint), cast(0 as bigint) \
                   union all select l.other, u.step + 1 from links l join up u on l.ticket = u.number \
                   where l.kind = $2 and u.step < $3) \
                   select number, (select count(*) from outages where ticket = up.number) from up order by step desc limit 1";
        let args = vec![ticket.0.into(), LinkKind::MergedInto.code().into(), MERGED_MAX.into()];
        let Some(row) = self.db.optional(sql, args).await? else { return Ok((ticket, false)) };
        Ok((TicketNumber(row.int(0)?), row.int(1)? > 0))
    }
}
