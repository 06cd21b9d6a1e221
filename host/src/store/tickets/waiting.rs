//! Tickets that wait for a person: those for which none was found, and those of people.

use crate::desk::id::{PersonId, TeamId, TicketNumber};
use crate::store::sql::columns::parsed;
use crate::store::{Error, Store};

/// The most tickets of one look.
const LOOK_MAX: usize = 100;

impl Store {
    /// The unfinished tickets for which the desk found no person, the most urgent first. What an agent has put back into the
    /// queue is left to agents.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn waiting(&self) -> Result<Vec<(TicketNumber, TeamId)>, Error> {
        let sql = format!(
            "select t.number, t.team from tickets t where t.unfinished = 1 and t.assignee is null \
             and t.state <> 'waiting_approval' and (select l.author_kind from timeline l where l.ticket = t.number \
             and l.kind = 'assigned' order by l.seq desc limit 1) = 0 \
             order by t.rank, t.queue_due, t.number limit {LOOK_MAX}"
        );
        let rows = self.db.all(&sql, Vec::new()).await?;
        rows.iter().map(|row| Ok((TicketNumber(row.int(0)?), parsed("tickets", "team", &row.text(1)?)?))).collect()
    }

    /// The people who have unfinished tickets.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn busy_people(&self) -> Result<Vec<PersonId>, Error> {
        let rows = self.db.all("select person from agents where unfinished > 0", Vec::new()).await?;
        rows.iter().map(|row| parsed("agents", "person", &row.text(0)?)).collect()
    }

    /// The unfinished tickets of a person, with the teams that they are in.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unfinished_with(&self, person: &PersonId) -> Result<Vec<(TicketNumber, TeamId)>, Error> {
        let sql = format!(
            "select number, team from tickets where assignee = $1 and unfinished = 1 \
             order by rank, queue_due, number limit {LOOK_MAX}"
        );
        let rows = self.db.all(&sql, vec![person.as_str().into()]).await?;
        rows.iter().map(|row| Ok((TicketNumber(row.int(0)?), parsed("tickets", "team", &row.text(1)?)?))).collect()
    }
}
