//! Resolutions and links, as part of the change of the ticket that they belong to. The caller holds the ticket's row.

use crate::desk::change::{Change, TicketWrite};
use crate::desk::id::{CommentId, PersonId, TicketNumber};
use crate::desk::ticket::intake::outage::OutageWrite;
use crate::desk::ticket::lifecycle::links::LinkWrite;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::lifecycle::resolution::survey::SurveyAnswer;
use crate::desk::ticket::lifecycle::tasks::TaskWrite;
use crate::desk::ticket::lifecycle::time::TimeSpent;
use crate::desk::ticket::{State, Ticket};
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;
use crate::store::tickets::endings::outages;
use crate::store::{Error, Store};

/// The number of the next resolution of the ticket `$1`.
const NEXT_ROUND: &str = "(select coalesce(max(round), 0) + 1 from resolutions where ticket = $1)";

/// Writes what a change says about how its ticket ended and which others it is linked with.
pub async fn write(tx: &mut Tx, change: &Change, after: &Ticket) -> Result<(), Error> {
    if let Some(end) = change.resolution_end() {
        of_another_desk(tx, change, after).await?;
        let sql = "update resolutions set ended = $1, ended_at = $2 where ticket = $3 and ended is null";
        tx.later(sql, vec![end.code().into(), ms(after.updated_at).into(), after.number.0.into()]).await?;
    }
    let was_resolved = match change.ticket() {
        TicketWrite::Open(_) => false,
        TicketWrite::Update { before, .. } => before.state == State::Resolved,
    };
    // What another desk resolved, before this one, was not resolved here.
    let here = after.clocks.confirmation.is_some();
    if after.state == State::Resolved && !was_resolved && here {
        resolved(tx, change, after).await?;
    }
    write_links(tx, change.links().iter(), after).await?;
    for task in change.tasks() {
        write_task(tx, task, after).await?;
    }
    write_time(tx, change.time(), after).await?;
    write_survey(tx, change.survey(), after).await?;
    write_watchers(tx, change, after).await?;
    write_outage(tx, change, after).await?;
    Ok(())
}

impl Store {
    /// Writes down that all children of an outage have these words.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn words_passed(&self, ticket: TicketNumber, comment: CommentId) -> Result<(), Error> {
        const PASSED: &str = "delete from outage_words where ticket = $1 and comment = $2";
        self.write_in_turn(PASSED, vec![ticket.0.into(), comment.0.into()]).await.map(drop)
    }
}

/// Writes links of a ticket.
pub async fn write_links<'l>(
    tx: &mut Tx,
    links: impl Iterator<Item = &'l LinkWrite>,
    after: &Ticket,
) -> Result<(), Error> {
    for link in links {
        write_link(tx, link, after).await?;
    }
    Ok(())
}

async fn write_time(tx: &mut Tx, time: &[TimeSpent], after: &Ticket) -> Result<(), Error> {
    let row = |time: &TimeSpent| {
        vec![
            after.number.0.into(),
            time.id.0.into(),
            time.person.as_str().into(),
            time.minutes.into(),
            time.note.as_str().into(),
            Arg::from(ms(time.at)),
        ]
    };
    let head = "insert into time_spent (ticket, id, person, minutes, note, at)";
    tx.insert_later(head, 6, "", time.iter().map(row).collect()).await
}

async fn write_survey(tx: &mut Tx, answer: Option<&SurveyAnswer>, after: &Ticket) -> Result<(), Error> {
    let Some(answer) = answer else { return Ok(()) };
    let row = vec![
        after.number.0.into(),
        answer.round.into(),
        answer.score.into(),
        answer.comment.as_str().into(),
        ms(answer.answered_at).into(),
        Arg::from(ms(answer.changed_at)),
    ];
    let head = "insert into surveys (ticket, round, score, comment, answered_at, changed_at)";
    let tail = "on conflict (ticket, round) do update set score = excluded.score, comment = excluded.comment, \
                changed_at = excluded.changed_at";
    tx.insert_later(head, 6, tail, vec![row]).await
}

async fn write_watchers(tx: &mut Tx, change: &Change, after: &Ticket) -> Result<(), Error> {
    let (begin, cease) = change.watchers();
    let rows = |people: Vec<&PersonId>| {
        people.into_iter().map(|person| vec![person.as_str().into(), Arg::from(after.number.0)]).collect()
    };
    tx.insert_later("insert into watchers (person, ticket)", 2, "on conflict do nothing", rows(begin)).await?;
    tx.insert_later("delete from watchers where (person, ticket) in (", 2, ")", rows(cease)).await
}

async fn write_outage(tx: &mut Tx, change: &Change, after: &Ticket) -> Result<(), Error> {
    let (number, now) = (after.number.0, ms(after.updated_at));
    for write in change.outage() {
        match write {
            OutageWrite::Declare { declaration, by } => {
                let row = vec![
                    number.into(),
                    declaration.announcement.as_str().into(),
                    outages::likeness(&declaration.like).into(),
                    by.as_str().into(),
                    Arg::from(now),
                ];
                let head = "insert into outages (ticket, announcement, likeness, declared_by, declared_at)";
                let tail = "on conflict (ticket) do update set announcement = excluded.announcement, \
                            likeness = excluded.likeness, declared_by = excluded.declared_by, \
                            declared_at = excluded.declared_at, ended_at = null";
                tx.insert_later(head, 5, tail, vec![row]).await?;
            }
            OutageWrite::Say { comment, by, body } => {
                let row =
                    vec![number.into(), comment.0.into(), now.into(), by.as_str().into(), Arg::from(body.as_str())];
                tx.insert_later("insert into outage_words (ticket, comment, at, author, body)", 5, "", vec![row])
                    .await?;
            }
            OutageWrite::End => end_outage(tx, after).await?,
        }
    }
    let finishes = match change.ticket() {
        TicketWrite::Open(_) => false,
        TicketWrite::Update { before, .. } => before.state.is_unfinished() && !after.state.is_unfinished(),
    };
    if finishes { end_outage(tx, after).await } else { Ok(()) }
}

async fn end_outage(tx: &mut Tx, after: &Ticket) -> Result<(), Error> {
    let sql = "update outages set ended_at = $1 where ticket = $2 and ended_at is null";
    tx.later(sql, vec![ms(after.updated_at).into(), after.number.0.into()]).await
}

async fn write_task(tx: &mut Tx, task: &TaskWrite, after: &Ticket) -> Result<(), Error> {
    let number = after.number.0;
    match task {
        TaskWrite::Add(task) => {
            let row = vec![
                number.into(),
                task.id.0.into(),
                task.text.as_str().into(),
                ms(task.at).into(),
                Arg::from(task.author.as_str()),
            ];
            tx.insert_later("insert into tasks (ticket, id, text, at, author)", 5, "", vec![row]).await
        }
        TaskWrite::Mark { id, done } => {
            let (by, at) = done.clone().unzip();
            let sql = "update tasks set done_by = $1, done_at = $2 where ticket = $3 and id = $4";
            tx.later(sql, vec![by.into(), at.map(ms).into(), number.into(), id.0.into()]).await
        }
        TaskWrite::Remove { id } => {
            let sql = "delete from tasks where ticket = $1 and id = $2";
            tx.later(sql, vec![number.into(), id.0.into()]).await
        }
    }
}

/// Leaves a row behind of the resolution by another desk that comes back here: its ticket says no more when it was resolved, and reports
/// would count that on no day.
async fn of_another_desk(tx: &mut Tx, change: &Change, after: &Ticket) -> Result<(), Error> {
    let TicketWrite::Update { before, .. } = change.ticket() else { return Ok(()) };
    let Some(resolved_at) = before.resolved_at.filter(|_| after.resolved_at.is_none()) else { return Ok(()) };
    if before.clocks.confirmation.is_some() {
        return Ok(());
    }
    let sql = format!(
        "insert into resolutions (ticket, round, symptom, cause, fix, next_time, resolved_at, elsewhere) \
         select cast($1 as bigint), {NEXT_ROUND}, '', '', '', '', cast($2 as bigint), 1 \
         where not exists (select 1 from resolutions where ticket = $1 and ended is null)"
    );
    tx.later(&sql, vec![after.number.0.into(), ms(resolved_at).into()]).await
}

async fn resolved(tx: &mut Tx, change: &Change, after: &Ticket) -> Result<(), Error> {
    let none = ResolutionRecord::default();
    let record = change.record().unwrap_or(&none);
    let by = change.resolved_by().map(|person| person.to_string());
    let sql = format!(
        "insert into resolutions (ticket, round, symptom, cause, fix, next_time, resolved_by, resolved_at) \
         values ($1, {NEXT_ROUND}, $2, $3, $4, $5, $6, $7)"
    );
    let args = vec![
        after.number.0.into(),
        record.symptom.as_str().into(),
        record.cause.as_str().into(),
        record.fix.as_str().into(),
        record.next_time.as_str().into(),
        by.into(),
        Arg::from(ms(after.updated_at)),
    ];
    tx.later(&sql, args).await
}

async fn write_link(tx: &mut Tx, link: &LinkWrite, after: &Ticket) -> Result<(), Error> {
    match link {
        LinkWrite::Add { kind, other, by } => {
            let author = by.person().map(ToString::to_string);
            let row = vec![
                after.number.0.into(),
                kind.code().into(),
                other.0.into(),
                ms(after.updated_at).into(),
                Arg::from(author),
            ];
            let head = "insert into links (ticket, kind, other, at, author)";
            tx.insert_later(head, 5, "on conflict (ticket, kind, other) do nothing", vec![row]).await
        }
        LinkWrite::Remove { kind, other } => {
            let sql = "delete from links where ticket = $1 and kind = $2 and other = $3";
            tx.later(sql, vec![after.number.0.into(), kind.code().into(), other.0.into()]).await
        }
    }
}
