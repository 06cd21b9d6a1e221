//! Recorded runs of all tickets, page by page, and what people did to those tickets afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::decisions::{Page, StoredRun};
use crate::desk::id::{PersonId, RunId, TicketId, TicketNumber};
use crate::desk::ticket::State;
use crate::desk::ticket::timeline::Event;
use crate::store::db::{Arg, apart};
use crate::store::sql::columns::{ms, parsed};
use crate::store::sql::places;
use crate::store::{Error, Store};

/// A run's id holds the time when it was made (UUID version 7), which is near the run's own time and need not be equal to
/// it: hosts' clocks differ. So ids narrow a period by so much more, in milliseconds, and the run's time decides.
const SLACK_MS: i64 = 3_600_000;

/// Which runs are read; `None` and empty do not narrow them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    pub since: Option<Timestamp>,
    /// The first instant that is not read.
    pub until: Option<Timestamp>,
    pub ticket: Option<TicketNumber>,
    pub request_type: Option<String>,
    /// The category that the ticket has now, or a parent of it.
    pub category: Option<String>,
}

/// A run and the ticket that it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    pub number: TicketNumber,
    /// Who submitted the ticket, who may be another than whom it is for.
    pub submitted_by: PersonId,
    /// The team that has the ticket now.
    pub team: String,
    pub run: StoredRun,
}

/// What people did to a ticket after the rules had decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// The last value that a person gave a field, by field.
    pub set: BTreeMap<String, String>,
    pub reopened: bool,
    /// What people said to a request for access in the end: `approved`, or `denied`, which a grant that was taken back is too.
    pub access: Option<&'static str>,
}

impl Store {
    /// Keeps what people had decided elsewhere about a ticket, by field; what is kept already stays.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_labels(&self, ticket: TicketNumber, labels: Vec<(&'static str, String)>) -> Result<(), Error> {
        let db = self.db.clone();
        apart(async move {
            let labels = &labels;
            let written = db.durably(|mut tx| async move {
                let row = |(field, value): &(&'static str, String)| {
                    vec![ticket.0.into(), (*field).into(), Arg::from(value.as_str())]
                };
                let rows = labels.iter().map(row).collect();
                let head = "insert into ticket_labels (ticket, field, value)";
                tx.insert(head, 3, "on conflict do nothing", rows).await?;
                Ok(((), tx))
            });
            written.await
        })
        .await
    }

    /// Runs before a place, newest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn history(&self, wanted: &RunFilter, before: Option<RunId>, limit: i64) -> Result<Vec<PastRun>, Error> {
        let (conditions, args) = conditions(wanted, before);
        let from = format!(
            "(select r.*, t.number, t.submitted_by, t.team from runs r join tickets t on t.id = r.ticket {conditions} \
             order by r.id desc limit {limit}) r"
        );
        let page =
            Page { more: &["r.number", "r.submitted_by", "r.team"], from: &from, order: "r.id desc, d.stage", args };
        let runs = self.read_runs(page, |row, place| {
            let submitted_by = parsed("tickets", "submitted_by", &row.text(place + 1)?)?;
            Ok((TicketNumber(row.int(place)?), submitted_by, row.text(place + 2)?))
        });
        let past = |(run, (number, submitted_by, team))| PastRun { number, submitted_by, team, run };
        Ok(runs.await?.into_iter().map(past).collect())
    }

    /// What people did to tickets, by ticket; one to which they did nothing is left out.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn aftermath(
        &self,
        tickets: &BTreeMap<TicketNumber, TicketId>,
    ) -> Result<BTreeMap<TicketId, Aftermath>, Error> {
        let mut found: BTreeMap<TicketId, Aftermath> = BTreeMap::new();
        if tickets.is_empty() {
            return Ok(found);
        }
        let numbers: Vec<TicketNumber> = tickets.keys().copied().collect();
        for (number, entry) in self.outcomes(&numbers).await? {
            if let Some(ticket) = tickets.get(&number) {
                note(entry.event, found.entry(*ticket).or_default());
            }
        }
        // What people had decided elsewhere counts where no one has said anything since.
        let sql =
            format!("select ticket, field, value from ticket_labels where ticket in ({})", places(0, numbers.len()));
        for row in self.db.all_of_history(&sql, numbers.iter().map(|number| number.0.into()).collect()).await? {
            if let Some(ticket) = tickets.get(&TicketNumber(row.int(0)?)) {
                found.entry(*ticket).or_default().set.entry(row.text(1)?).or_insert(row.text(2)?);
            }
        }
        found.retain(|_, aftermath| *aftermath != Aftermath::default());
        let args: Vec<Arg> = tickets.values().map(|id| id.0.into()).collect();
        let ids = places(0, tickets.len());
        let sql = format!(
            "select c.ticket, c.state, (select count(*) from grants g where g.ticket = c.ticket and g.revoked_at is not null) \
             from access_cases c where c.ticket in ({ids}) and \
             (exists (select 1 from access_decisions d where d.ticket = c.ticket) \
             or exists (select 1 from grants g where g.ticket = c.ticket and g.revoked_at is not null))"
        );
        for row in self.db.all_of_history(&sql, args).await? {
            let word = match (row.text(1)?.as_str(), row.int(2)?) {
                ("denied", _) => "denied",
                ("approved", 0) => "approved",
                ("approved", _) => "denied",
                _ => continue,
            };
            found.entry(TicketId(row.uuid(0)?)).or_default().access = Some(word);
        }
        Ok(found)
    }
}

/// Takes one entry of a timeline.
fn note(event: Event, found: &mut Aftermath) {
    match event {
        Event::Set { field, to, .. } => drop(found.set.insert(field.code().to_owned(), to)),
        Event::Assigned { team, assignee, .. } => {
            found.set.insert("team".to_owned(), team);
            found.set.extend(assignee.map(|assignee| ("assignee".to_owned(), assignee)));
        }
        Event::StateChanged { to: State::Reopened, .. } => found.reopened = true,
        Event::Submitted { .. }
        | Event::StateChanged { .. }
        | Event::Commented { .. }
        | Event::AccessDecided { .. }
        | Event::Acknowledged { .. }
        | Event::Resolved { .. }
        | Event::ClockReached { .. }
        | Event::Retargeted { .. }
        | Event::Reranked { .. }
        | Event::EscalationAsked { .. }
        | Event::Escalated { .. }
        | Event::Linked { .. }
        | Event::Attached { .. }
        | Event::Task { .. }
        | Event::Outage { .. }
        | Event::Watched { .. }
        | Event::Unwatched { .. }
        | Event::TimeSpent { .. }
        | Event::SurveyAnswered { .. }
        | Event::Unreadable
        | Event::Unlinked { .. } => {}
    }
}

/// The least id of UUID version 7 that is made at a millisecond.
fn least_id(ms: i64) -> Uuid {
    let ms = u128::try_from(ms.max(0)).unwrap_or_default();
    Uuid::from_u128((ms & 0xffff_ffff_ffff) << 80)
}

fn conditions(wanted: &RunFilter, before: Option<RunId>) -> (String, Vec<Arg>) {
    let (mut conditions, mut args): (Vec<String>, Vec<Arg>) = (Vec::new(), Vec::new());
    let mut narrow = |text: &str, arg: Arg| {
        args.push(arg);
        conditions.push(text.replace("$?", &format!("${}", args.len())));
    };
    if let Some(since) = wanted.since {
        narrow("r.at >= $?", ms(since).into());
        narrow("r.id >= $?", least_id(ms(since).saturating_sub(SLACK_MS)).into());
    }
    if let Some(until) = wanted.until {
        narrow("r.at < $?", ms(until).into());
        narrow("r.id < $?", least_id(ms(until).saturating_add(SLACK_MS)).into());
    }
    if let Some(before) = before {
        narrow("r.id < $?", before.0.into());
    }
    if let Some(ticket) = wanted.ticket {
        narrow("t.number = $?", ticket.0.into());
    }
    if let Some(request_type) = &wanted.request_type {
        narrow("t.request_type = $?", request_type.as_str().into());
    }
    if let Some(category) = &wanted.category {
        // The category itself, or one that begins with it and a dot; compared piece by piece, so that neither a pattern's
        // special characters nor a database's way of sorting matters.
        narrow("substr(t.category || '.', 1, length($?)) = $?", format!("{category}.").into());
    }
    let text = if conditions.is_empty() { String::new() } else { format!("where {}", conditions.join(" and ")) };
    (text, args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_id_of_a_millisecond_sorts_before_all_that_are_made_in_it() {
        let made: Uuid = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".parse().unwrap();
        // RFC 9562, A.6: made at 2022-02-22T19:22:22Z.
        let ms = 1_645_557_742_000;
        assert!(least_id(ms) < made && made < least_id(ms + 1));
    }
}
